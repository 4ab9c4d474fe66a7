"""Timestamp client over TCP (seed program S2-P4): a line, its echo, the next line.

An empty line ends it, and so does an empty read, which means that the server has closed. On the
wire: data and echo in turns, then this side's FIN. The echo is as long as the line and 27 octets
more, so the client knows when it has all of it, in however many pieces it comes.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable, Iterator

PORT = 21567
BUFFER_SIZE = 1024
STAMP_SIZE = len("[Thu Jan  1 00:00:00 1970] ")
Say = Callable[[str, str], None]


def main() -> None:
    """Send each line and print its echo; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        talk((address, options.port), lines(options.message), speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(server: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Send and receive in turns, until an empty line or the end of the stream."""
    with socket.create_connection(server) as connection:
        for message in messages:
            octets = message.encode("utf-8")
            connection.sendall(octets)
            say(f"Sent {len(octets)} octets: {message}", f"已发送 {len(octets)} 字节：{message}")
            reply = receive(connection, STAMP_SIZE + len(octets))
            text = reply.decode("utf-8", errors="backslashreplace")
            say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
            if len(reply) < STAMP_SIZE + len(octets):
                say("The server has closed.", "服务器已关闭。")
                break


def receive(connection: socket.socket, size: int) -> bytes:
    """Return that many octets, or fewer if the stream ends."""
    reply = b""
    while len(reply) < size and (octets := connection.recv(BUFFER_SIZE)):
        reply += octets
    return reply


def lines(messages: list[str] | None) -> Iterator[str]:
    """Yield each --message, or else what is typed, up to an empty line or Ctrl-D."""
    try:
        yield from iter(lambda: input("> "), "") if messages is None else messages
    except EOFError:
        return


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that asks for a stamped echo.")
    option = parser.add_argument
    option("host", nargs="?", default="localhost", help="of the server (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
