"""Hello client (seed programs S3-P2 and S3-P4): 12 octets out, an answer in, close.

On the wire: handshake, data, answer, close. Which side closes first depends on the server:
server.py waits for this side's FIN, server_faithful.py does not. From server_silent.py the answer
is b"".
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 8888
MESSAGE = b"Hello world!"
Say = Callable[[str, str], None]


def main() -> None:
    """Say hello once; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        greet((address, options.port), speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def greet(server: tuple[str, int], say: Say) -> None:
    """Send the message, print the answer as Python writes octets."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.connect(server)
        connection.sendall(MESSAGE)
        reply = connection.recv(1024)
    say(f"Received {reply!r}", f"收到 {reply!r}")


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that says hello.")
    option = parser.add_argument
    option("host", nargs="?", default="127.0.0.1", help="of the server (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
