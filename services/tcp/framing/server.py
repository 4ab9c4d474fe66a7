"""Framing server (announced in seed S4, X7): whole messages out of a stream that has no boundaries.

Two ways to mark where a message ends:

    --framing length      4 octets, big-endian, say how many follow (any octet may be in a message)
    --framing delimiter   a message ends with "\\n" (which then must not be in one)

It receives at most --size octets at a time, so messages come in pieces and several at once; the
answer to each is the message in the same frame. On the wire nothing shows where one ends: PSH does
not.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
from collections.abc import Callable, Iterator

PORT = 5004
HEADER_SIZE = 4
LONGEST = 1 << 16  # octets; what a stranger announces is not believed beyond this
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.address, options.port))
            listener.listen(5)
            address, port = listener.getsockname()
            say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
            for _ in itertools.count() if options.count is None else range(options.count):
                connection, _ = listener.accept()
                serve(connection, options, say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(connection: socket.socket, options: argparse.Namespace, say: Say) -> None:
    """Send each message back in its frame; a fault of the client ends only its connection."""
    unframe, frame = FRAMINGS[options.framing]
    try:
        with connection:
            for message in unframe(chunks(connection, options.size)):
                text = message.decode("utf-8", errors="backslashreplace")
                say(f"Message of {len(message)}: {text}", f"{len(message)} 字节的消息：{text}")
                connection.sendall(frame(message))
    except ValueError as error:
        say(f"Bad frame: {error}.", f"帧有误：{error}。")
    except OSError as error:
        say(f"Broken: {error.strerror}.", f"已中断：{error.strerror}。")


def chunks(connection: socket.socket, size: int) -> Iterator[bytes]:
    """Yield what recv returns, to the end of the stream."""
    while octets := connection.recv(size):
        yield octets


def by_length(received: Iterator[bytes]) -> Iterator[bytes]:
    """Yield each message that 4 octets of length precede. Raises ValueError: too long, cut off."""
    buffer = b""
    for octets in received:
        buffer += octets
        while len(buffer) >= HEADER_SIZE:
            end = HEADER_SIZE + int.from_bytes(buffer[:HEADER_SIZE])
            if end > HEADER_SIZE + LONGEST:
                raise ValueError(f"more than {LONGEST} octets announced")
            if len(buffer) < end:
                break
            yield buffer[HEADER_SIZE:end]
            buffer = buffer[end:]
    if buffer:
        raise ValueError("the stream ended inside a message")


def by_delimiter(received: Iterator[bytes]) -> Iterator[bytes]:
    """Yield each message up to a newline. Raises ValueError: too long, cut off."""
    buffer = b""
    for octets in received:
        *messages, buffer = (buffer + octets).split(b"\n")
        yield from messages
        if len(buffer) > LONGEST:
            raise ValueError(f"no delimiter in {LONGEST} octets")
    if buffer:
        raise ValueError("the stream ended inside a message")


def with_length(message: bytes) -> bytes:
    """Return the message with its length before it."""
    return len(message).to_bytes(HEADER_SIZE) + message


def with_delimiter(message: bytes) -> bytes:
    """Return the message with a newline after it."""
    return message + b"\n"


FRAMINGS = {"length": (by_length, with_length), "delimiter": (by_delimiter, with_delimiter)}


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, framing, size, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that answers framed messages.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--framing", choices=tuple(FRAMINGS), default="length", help="default: %(default)s")
    option("--size", type=int, default=10, metavar="OCTETS", help="of a recv (default: 10)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
