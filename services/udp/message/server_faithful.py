"""UDP receiver as printed (seed program S1-P4, there headed "client"): bound to loopback only.

The sender of the pair aims at another address of this host, and there no socket is bound: the
kernel answers each datagram with ICMP port unreachable, and this program waits for ever. It prints
the text only, not who sent it, and never closes. server.py beside this file is the repaired form.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 8080
Say = Callable[[str, str], None]


def main() -> None:
    """Receive until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        receive_for_ever((options.address, options.port), say)
    except KeyboardInterrupt:
        say("Stopped.", "已停止。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"UDP receiver on {where}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SystemExit(f"UDP receiver: not UTF-8: {error}") from None


def receive_for_ever(where: tuple[str, int], say: Say) -> None:
    """Print the text of each datagram."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(where)
    address, port = receiver.getsockname()
    say(f"UDP receiver waits on {address}:{port}.", f"UDP 接收端等候于 {address}:{port}。")
    while True:
        octets, _ = receiver.recvfrom(1024)  # (data, address): two values, not three
        print(octets.decode("utf-8"), flush=True)


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The UDP receiver, its faults kept.")
    option = parser.add_argument
    option("--address", default="127.0.0.1", help="where to wait (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
