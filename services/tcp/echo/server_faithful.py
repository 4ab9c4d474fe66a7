"""Loop echo server as printed (seed program S4-P4): takes the end of the stream for a message.

It expects an exception when the client closes. An orderly close raises nothing: recv returns b"" at
once, each time it is asked, and the loop spins at full speed, echoing nothing. On the wire: the
client's FIN, its ACK, and silence, with this side in CLOSE-WAIT; the call log fills with recv of 0
octets. So that this remains a demonstration, the loop is left after --spin-seconds. server.py
beside this file ends at b"".
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable

PORT = 1001
Say = Callable[[str, str], None]


def main() -> None:
    """Serve until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        serve((options.address, options.port), options.spin_seconds, say)
    except KeyboardInterrupt:
        say("Stopped.", "已停止。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {reason(error)}") from None


def serve(where: tuple[str, int], spin_seconds: float, say: Say) -> None:
    """Echo for one client after another."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(where)
    listener.listen(5)
    address, port = listener.getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    while True:
        connection, peer = listener.accept()
        say(f"Connected: {peer[0]}:{peer[1]}.", f"已连接：{peer[0]}:{peer[1]}。")
        empty = echo(connection, spin_seconds)
        say(f"Empty reads: {empty}.", f"空读 {empty} 次。")
        connection.close()


def echo(connection: socket.socket, spin_seconds: float) -> int:
    """Echo until an exception, as the original does, or for so long after the end; count b""."""
    empty, end = 0, float("inf")
    while time.monotonic() < end:
        try:
            octets = connection.recv(10)
            connection.send(octets)  # of b"": no segment, no error
        except Exception:  # RST does raise: ECONNRESET, EPIPE
            break
        if not octets:  # not in the original: it only bounds the spin and counts
            empty, end = empty + 1, min(end, time.monotonic() + spin_seconds)
    return empty


def reason(error: OSError) -> str:
    """Return what went wrong, and for a port that needs privilege, what to do."""
    if isinstance(error, PermissionError):
        return f"{error.strerror}: below net.ipv4.ip_unprivileged_port_start; take another --port"
    return error.strerror or str(error)


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, spin_seconds, lang."""
    parser = argparse.ArgumentParser(description="The loop echo server, its spin kept.")
    option = parser.add_argument
    option("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--spin-seconds", type=float, default=0.1, metavar="S", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
