"""Framing client (announced in seed S4, X7): several messages at once, or one octet at a time.

By default all messages leave in one send, glued together; with --piece 1 each octet is sent by
itself (TCP_NODELAY, so that Nagle's algorithm does not glue them again). The server finds the same
messages in both. Here the frames are read through makefile, which hides how recv cuts them. All is
sent before anything is read, which suits a few short messages: with more than the buffers hold,
both ends would wait.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable
from io import BufferedReader

PORT = 5004
MESSAGES = ("你好", "Hello world!", "一条更长的消息，比一次 recv 还长")
HEADER_SIZE = 4
Say = Callable[[str, str], None]


def main() -> None:
    """Send the messages and print each answer; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        talk((address, options.port), options, speaker(options.lang))
    except EOFError:
        raise SystemExit(f"TCP client to {where}: the server closed in the middle") from None
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(server: tuple[str, int], options: argparse.Namespace, say: Say) -> None:
    """Send all messages, then read as many answers."""
    messages = [message.encode("utf-8") for message in options.message or MESSAGES]
    frame, unframe = FRAMINGS[options.framing]
    octets = b"".join(map(frame, messages))
    with socket.create_connection(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        piece = options.piece or len(octets)
        for start in range(0, len(octets), piece):
            connection.sendall(octets[start : start + piece])
        say(f"Sent {len(octets)} octets.", f"已发送 {len(octets)} 字节。")
        with connection.makefile("rb") as stream:
            for _ in messages:
                text = unframe(stream).decode("utf-8", errors="backslashreplace")
                say(f"Answer: {text}", f"应答：{text}")


def with_length(message: bytes) -> bytes:
    """Return the message with its length before it, in 4 octets, big-endian."""
    return len(message).to_bytes(HEADER_SIZE) + message


def with_delimiter(message: bytes) -> bytes:
    """Return the message with a newline after it."""
    return message + b"\n"


def by_length(stream: BufferedReader) -> bytes:
    """Read one message after its length. Raises EOFError."""
    return exactly(stream, int.from_bytes(exactly(stream, HEADER_SIZE)))


def by_delimiter(stream: BufferedReader) -> bytes:
    """Read one message up to its newline. Raises EOFError."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line[:-1]


def exactly(stream: BufferedReader, size: int) -> bytes:
    """Read that many octets; a buffered reader asks recv as often as it takes. Raises EOFError."""
    octets = stream.read(size)
    if len(octets) < size:
        raise EOFError
    return octets


FRAMINGS = {"length": (with_length, by_length), "delimiter": (with_delimiter, by_delimiter)}


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, framing, piece, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that frames its messages.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: three examples)")
    option("--framing", choices=tuple(FRAMINGS), default="length", help="default: %(default)s")
    option("--piece", type=int, metavar="OCTETS", help="of a send (default: all at once)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
