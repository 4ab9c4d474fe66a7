"""Greeting client over IPv6 or IPv4 (E26): whichever family the server's address has.

getaddrinfo turns a name into addresses of both families, in the order in which they should be tried
(RFC 6724); link-local addresses need the interface behind a %: fe80::1%eth0.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 12345
MESSAGE = "你好,服务器!"
Say = Callable[[str, str], None]


def main() -> None:
    """Greet once; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"[{options.host}]:{options.port}"
    try:
        reply = greet(options.host, options.port, options.message, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if not reply:
        raise SystemExit(f"TCP client to {where}: the server closed without an answer")


def greet(host: str, port: int, message: str, say: Say) -> bytes:
    """Send the message and return the answer; b"" if the server closed without one."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as connection:
        connection.connect(address)
        name, local = family.name, connection.getsockname()[0]
        say(f"Connected over {name} from {local}.", f"已通过 {name} 从 {local} 连接。")
        connection.sendall(message.encode("utf-8"))
        reply = connection.recv(1024)
        text = reply.decode("utf-8", errors="backslashreplace")
        say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
    return reply


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="A TCP client over IPv6 or IPv4.")
    option = parser.add_argument
    option("host", nargs="?", default="::1", help="name or address (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
