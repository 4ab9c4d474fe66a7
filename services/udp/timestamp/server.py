"""Timestamp echo over UDP (seed program S2-P5): "[ctime] text" for each datagram.

On the wire: one datagram in, one datagram out; no handshake, no acknowledgement, no close.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterable

PORT = 21567  # TCP and UDP count their ports apart: a TCP server may hold 21567 as well
BUFFER_SIZE = 1024  # a longer datagram loses its tail; the rest is not kept for the next read
Say = Callable[[str, str], None]


def main() -> None:
    """Bind, then answer ``--count`` datagrams, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind((options.address, options.port))  # no packet; no listen, no accept
            address, port = server.getsockname()
            say(f"UDP server waits on {address}:{port}.", f"UDP 服务器等候于 {address}:{port}。")
            turns = itertools.count() if options.count is None else range(options.count)
            serve(server, turns, say)
    except KeyboardInterrupt:
        say("Stopped; the socket is closed.", "已停止，套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"UDP server on {where}: {error.strerror or error}") from None


def serve(server: socket.socket, turns: Iterable[int], say: Say) -> None:
    """Answer one datagram a turn. One socket serves all clients: each datagram names its own."""
    for _ in turns:
        octets, client = server.recvfrom(BUFFER_SIZE)
        peer = f"{client[0]}:{client[1]}"
        text = octets.decode("utf-8", errors="backslashreplace")
        say(
            f"Received {len(octets)} octets from {peer}: {text}",
            f"收到来自 {peer} 的 {len(octets)} 字节：{text}",
        )
        reply = f"[{time.ctime()}] ".encode() + octets
        server.sendto(reply, client)  # one datagram; whether it arrives, nobody will say
        say(f"Sent {len(reply)} octets to {peer}.", f"已向 {peer} 发送 {len(reply)} 字节。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A UDP server that echoes, with the time added.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to wait (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N datagrams (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
