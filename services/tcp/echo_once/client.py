"""One-shot client (seed program S4-P1, repaired): sends all, says that it is all, reads all.

shutdown(SHUT_WR) sends FIN and leaves the other direction open (half-close): the server learns that
the message is complete, and its echo still arrives. On the wire FIN goes out before the last data
comes in.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 1000
MESSAGE = "hello"
Say = Callable[[str, str], None]


def main() -> None:
    """Ask once; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        ask((address, options.port), options.message, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def ask(server: tuple[str, int], message: str, say: Say) -> None:
    """Send the message, half-close, read to the end of the stream."""
    with socket.create_connection(server) as connection:
        connection.sendall(message.encode("utf-8"))
        connection.shutdown(socket.SHUT_WR)
        reply = b"".join(iter(lambda: connection.recv(100), b""))
    text = reply.decode("utf-8", errors="backslashreplace")
    say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that asks for one echo.")
    option = parser.add_argument
    option("host", nargs="?", default="127.0.0.1", help="of the server (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
