"""Timestamp client over AF_UNIX, datagrams: it must have a name of its own to be answered.

bind("") asks the kernel for one: abstract, five hexadecimal digits (unix(7), autobind). connect
sends nothing; it fixes the peer, so that only the server's datagrams come in.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

NAME = "@lab-timestamp"
MESSAGE = "Hello, I am Client"
Say = Callable[[str, str], None]


def main() -> None:
    """Ask once for each message; a failure is one line and exit code 1."""
    options = read_command_line()
    try:
        ask(options.name, options.message or [MESSAGE], options.timeout, speaker(options.lang))
    except TimeoutError:
        raise SystemExit(f"UNIX client to {options.name}: no answer") from None
    except OSError as error:
        raise SystemExit(f"UNIX client to {options.name}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def ask(name: str, messages: list[str], timeout: float, say: Say) -> None:
    """Send and receive in turns."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind("")
        client.connect(address(name))
        client.settimeout(timeout)
        for message in messages:
            client.send(message.encode("utf-8"))
            reply = client.recv(1024)
            text = reply.decode("utf-8", errors="backslashreplace")
            say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")


def address(name: str) -> str:
    """Return the address of a name: an abstract one begins with a zero octet."""
    return f"\0{name[1:]}" if name.startswith("@") else name


def read_command_line() -> argparse.Namespace:
    """Return the options: name, message, timeout, lang."""
    parser = argparse.ArgumentParser(description="A client over Unix datagrams.")
    option = parser.add_argument
    option("--name", default=NAME, help="a path, or @ and an abstract name (default: %(default)s)")
    option("--message", action="append", help=f"may be repeated (default: {MESSAGE})")
    option("--timeout", type=float, default=5.0, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
