"""Greeting server over AF_UNIX, stream (S2-F3): the same calls, one host, no packets, no ports.

The address is a name: a path (bind makes a file of type socket, which only marks the place; the
data stays in the kernel), or with "@" before it an abstract name, which leaves no file and lasts as
long as the socket (unix(7)). The kernel vouches for the other end: SO_PEERCRED gives its process,
user and group.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import struct
from collections.abc import Callable

NAME = "@lab-greeting"
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(address(options.name))  # EADDRINUSE if the file is there, even a dead one
            listener.listen(5)
            say(f"UNIX server listens on {options.name}.", f"UNIX 服务器监听 {options.name}。")
            try:
                for _ in itertools.count() if options.count is None else range(options.count):
                    connection, _ = listener.accept()
                    talk(connection, say)
            finally:
                remove(options.name)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        raise SystemExit(f"UNIX server on {options.name}: {error.strerror or error}") from None


def talk(connection: socket.socket, say: Say) -> None:
    """Answer each chunk, to the end of the stream; a broken connection ends only itself."""
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    process, user, _ = struct.unpack("3i", credentials)  # struct ucred
    say(f"Connected: process {process}, user {user}.", f"已连接：进程 {process}，用户 {user}。")
    try:
        with connection:
            while octets := connection.recv(1024):
                connection.sendall(REPLY.encode("utf-8"))
                text = octets.decode("utf-8", errors="backslashreplace")
                say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
        say("Closed.", "已关闭。")
    except OSError as error:
        say(f"Broken: {error.strerror}.", f"已中断：{error.strerror}。")


def address(name: str) -> str:
    """Return the address of a name: an abstract one begins with a zero octet."""
    return f"\0{name[1:]}" if name.startswith("@") else name


def remove(name: str) -> None:
    """Remove the file that bind made; closing the socket does not."""
    if not name.startswith("@"):
        os.unlink(name)


def read_command_line() -> argparse.Namespace:
    """Return the options: name, count, lang."""
    parser = argparse.ArgumentParser(description="A greeting server over a Unix stream socket.")
    option = parser.add_argument
    option("--name", default=NAME, help="a path, or @ and an abstract name (default: %(default)s)")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
