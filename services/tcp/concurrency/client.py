"""A client that may be slow, for the servers beside it: connect, pause, greet, time the reply.

Run one with ``--pause 2`` and another right after it: only server_sequential.py lets the second
wait. Its connect returns all the same and its greeting is acknowledged, both by the kernel, before
any program on the other side has looked at it.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable

PORT = 12345
MESSAGE = "你好,服务器!"
REPLY_SIZE = 25  # octets of the reply: how much to read is agreed beforehand
Say = Callable[[str, str], None]


def main() -> None:
    """Send each message and wait for its reply; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        talk((address, options.port), options, speaker(options.lang))
    except TimeoutError:
        raise SystemExit(f"TCP client to {where}: no reply in {options.timeout:g} s") from None
    except EOFError:
        raise SystemExit(f"TCP client to {where}: the server closed without an answer") from None
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(server: tuple[str, int], options: argparse.Namespace, say: Say) -> None:
    """Connect, pause, then send and receive in turns."""
    with socket.create_connection(server, timeout=options.timeout) as connection:
        local = "{}:{}".format(*connection.getsockname())
        say(f"Connected from {local}.", f"已从 {local} 连接。")
        time.sleep(options.pause)  # a slow client: connected, and silent
        for message in options.message or [MESSAGE]:
            octets = message.encode("utf-8")
            began = time.perf_counter()
            connection.sendall(octets)
            text = receive(connection).decode("utf-8", errors="backslashreplace")
            took = time.perf_counter() - began
            say(
                f"Sent {len(octets)} octets, the reply took {took:.3f} s: {text}",
                f"已发送 {len(octets)} 字节，{took:.3f} 秒后收到应答：{text}",
            )


def receive(connection: socket.socket) -> bytes:
    """Return the whole reply, in however many pieces it comes. Raises EOFError."""
    reply = b""
    while len(reply) < REPLY_SIZE:
        octets = connection.recv(1024)
        if not octets:
            raise EOFError
        reply += octets
    return reply


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, pause, timeout, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that may be slow.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help=f"may be repeated (default: {MESSAGE})")
    option("--pause", type=float, default=0.0, metavar="SECONDS", help="after connecting")
    option("--timeout", type=float, default=10.0, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
