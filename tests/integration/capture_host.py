"""A host of the lab, as far as the sniffer can tell: python capture_host.py NAME CAPTURES CONDUCT.

It moves into a network of its own, waits on stdin for its cable and its port's interface index,
announces itself, waits for the sniffer, exchanges one TCP connection, and reports. CONDUCT says how
it ends: "well", "silent" (it waits for the end without a report), "dead" (it dies once recorded).
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from capture_network import enter_new_network, eventually, ip

ADDRESSES = {"client": "10.9.0.1", "server": "10.9.0.2"}
TCP_PORT = 12345


def main(name: str, captures: Path, conduct: str) -> None:
    enter_new_network()
    say("apart")
    port = int(input())
    ip(f"addr add {ADDRESSES[name]}/24 dev eth0")
    ip("link set eth0 up")
    control = (captures / "current").resolve() / "control"
    listener = listen() if name == "server" else None
    announce(control, name, port)
    for recorded in ADDRESSES:  # the server listens before it says a word
        assert eventually((control / f"{recorded}.recording").exists)
    say("recorded")
    if conduct == "dead":
        return
    if conduct == "well":
        exchange(listener)
        write(control, f"{name}.done", {"exit_codes": [0]})
    eventually(lambda: (control / "end").exists() or not control.exists(), seconds=60)


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def listen() -> socket.socket:
    return socket.create_server((ADDRESSES["server"], TCP_PORT))


def announce(control: Path, name: str, port: int) -> None:
    known = {"name": name, "addresses": [ADDRESSES[name]], "mac": "", "mtu": 1500, "port": port}
    write(control, f"{name}.host", known)


def exchange(listener: socket.socket | None) -> None:
    if listener:
        with listener, listener.accept()[0] as conversation:
            while conversation.recv(1 << 16):
                pass
            conversation.sendall(b"thanks")
    else:
        with socket.create_connection((ADDRESSES["server"], TCP_PORT), timeout=10) as conversation:
            conversation.sendall(bytes(300_000))
            conversation.shutdown(socket.SHUT_WR)
            assert conversation.recv(100) == b"thanks"
            assert conversation.recv(100) == b""


def write(control: Path, name: str, content: object) -> None:
    draft = control / f".{name}.draft"
    draft.write_text(json.dumps(content))
    draft.rename(control / name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
