"""Greeting client over AF_UNIX, stream: connect, send, receive, close, and not one packet.

connect to a name that nobody listens on fails at once: ENOENT without a file, ECONNREFUSED with
one. A stream keeps no boundaries here either.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

NAME = "@lab-greeting"
MESSAGE = "你好,服务器!"
Say = Callable[[str, str], None]


def main() -> None:
    """Greet once; a failure is one line and exit code 1."""
    options = read_command_line()
    try:
        reply = greet(options.name, options.message, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"UNIX client to {options.name}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if not reply:
        raise SystemExit(f"UNIX client to {options.name}: the server closed without an answer")


def greet(name: str, message: str, say: Say) -> bytes:
    """Send the message and return the answer; b"" if the server closed without one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(address(name))
        connection.sendall(message.encode("utf-8"))
        reply = connection.recv(1024)
        text = reply.decode("utf-8", errors="backslashreplace")
        say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
    return reply


def address(name: str) -> str:
    """Return the address of a name: an abstract one begins with a zero octet."""
    return f"\0{name[1:]}" if name.startswith("@") else name


def read_command_line() -> argparse.Namespace:
    """Return the options: name, message, lang."""
    parser = argparse.ArgumentParser(description="A greeting client over a Unix stream socket.")
    option = parser.add_argument
    option("--name", default=NAME, help="a path, or @ and an abstract name (default: %(default)s)")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
