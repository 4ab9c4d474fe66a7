"""Timestamp echo over AF_UNIX, datagrams: boundaries kept as in UDP, and nothing lost.

A sender whose datagram finds the receiver's queue full waits (or gets EAGAIN, if it does not
block); UDP would drop it. A client that has bound no name cannot be answered: its address is None.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import time
from collections.abc import Callable

NAME = "@lab-timestamp"
BUFFER_SIZE = 1024
Say = Callable[[str, str], None]


def main() -> None:
    """Answer ``--count`` datagrams, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(address(options.name))
            say(f"UNIX server waits on {options.name}.", f"UNIX 服务器等候于 {options.name}。")
            try:
                for _ in itertools.count() if options.count is None else range(options.count):
                    answer(server, say)
            finally:
                remove(options.name)
    except KeyboardInterrupt:
        say("Stopped; the socket is closed.", "已停止，套接字已关闭。")
    except OSError as error:
        raise SystemExit(f"UNIX server on {options.name}: {error.strerror or error}") from None


def answer(server: socket.socket, say: Say) -> None:
    """Receive one datagram and send it back with the time in front."""
    octets, client = server.recvfrom(BUFFER_SIZE)
    text = octets.decode("utf-8", errors="backslashreplace")
    say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
    if not client:
        say("The sender has no name: no answer.", "发送方没有名字：无法应答。")
        return
    try:
        server.sendto(f"[{time.ctime()}] ".encode() + octets, client)
    except OSError as error:  # ECONNREFUSED: it has closed already
        say(f"Not sent: {error.strerror}.", f"未能发送：{error.strerror}。")


def address(name: str) -> str:
    """Return the address of a name: an abstract one begins with a zero octet."""
    return f"\0{name[1:]}" if name.startswith("@") else name


def remove(name: str) -> None:
    """Remove the file that bind made; closing the socket does not."""
    if not name.startswith("@"):
        os.unlink(name)


def read_command_line() -> argparse.Namespace:
    """Return the options: name, count, lang."""
    parser = argparse.ArgumentParser(description="A stamped echo over Unix datagrams.")
    option = parser.add_argument
    option("--name", default=NAME, help="a path, or @ and an abstract name (default: %(default)s)")
    option("--count", type=int, metavar="N", help="end after N datagrams (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
