"""One-shot client as printed (seed program S4-P1): one send, one recv(100), close.

Of a message longer than 100 octets it sees no more than the first 100 of the echo. With the rest
unread its close sends RST, if the server has not done so before. client.py reads the echo to its
end.
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
    """Send once, receive once, print the octets undecoded."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.connect(server)
    connection.send(message.encode("utf-8"))  # returns how much was taken; nobody looks
    reply = connection.recv(100)
    say(f"Received {reply!r}", f"收到 {reply!r}")
    connection.close()


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="The one-shot client, its faults kept.")
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
