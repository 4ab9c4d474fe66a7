"""UDP receiver (seed program S1-P4, repaired): every address, the sender named, an end.

On the wire: datagrams in one direction, and nothing in the other: UDP does not acknowledge. Each
recvfrom returns one datagram, whole or cut to 1024 octets; what was cut off is lost.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
from collections.abc import Callable

PORT = 8080
Say = Callable[[str, str], None]


def main() -> None:
    """Receive ``--count`` datagrams, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind((options.address, options.port))
            address, port = receiver.getsockname()
            say(f"UDP receiver waits on {address}:{port}.", f"UDP 接收端等候于 {address}:{port}。")
            for _ in itertools.count() if options.count is None else range(options.count):
                octets, sender = receiver.recvfrom(1024)
                text = octets.decode("utf-8", errors="backslashreplace")
                print(f"{sender[0]}:{sender[1]} ({len(octets)}): {text}", flush=True)
    except KeyboardInterrupt:
        say("Stopped; the socket is closed.", "已停止，套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"UDP receiver on {where}: {error.strerror or error}") from None


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A UDP receiver that prints what comes.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to wait (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N datagrams (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
