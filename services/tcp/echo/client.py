"""Loop client (seed program S4-P3, repaired): reads each echo whole, 10 octets at a time.

An echo is as long as the message, so the client counts, and decodes only when it has all of it: no
rest is left for the next answer, no character is cut in two. On the wire: data and echo in turns,
FIN.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable, Iterator

PORT = 1001
Say = Callable[[str, str], None]


def main() -> None:
    """Send each line and print its echo; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        talk((address, options.port), lines(options.message), speaker(options.lang))
    except EOFError:
        raise SystemExit(f"TCP client to {where}: the server closed in the middle") from None
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(server: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Send and receive in turns. Raises EOFError: the stream ended before an echo did."""
    with socket.create_connection(server) as connection:
        for message in messages:
            octets = message.encode("utf-8")
            connection.sendall(octets)
            say(f"Sent: {message}", f"已发送：{message}")
            reply = receive(connection, len(octets)).decode("utf-8", errors="backslashreplace")
            say(f"Received: {reply}", f"收到：{reply}")


def receive(connection: socket.socket, size: int) -> bytes:
    """Return exactly that many octets. Raises EOFError."""
    reply = b""
    while len(reply) < size:
        octets = connection.recv(10)
        if not octets:
            raise EOFError
        reply += octets
    return reply


def lines(messages: list[str] | None) -> Iterator[str]:
    """Yield each --message that says something; without any, what is typed, to Ctrl-D."""
    yield from filter(None, messages or ())  # an empty send puts nothing on the wire: no echo
    while messages is None:
        try:
            typed = input("> ")
        except EOFError:
            break
        if typed:
            yield typed


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that asks for echoes.")
    option = parser.add_argument
    option("host", nargs="?", default="127.0.0.1", help="of the server (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
