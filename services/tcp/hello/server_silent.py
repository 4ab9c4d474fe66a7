"""Receive-only server (seed program S3-P1): reads once, closes, answers nothing.

The client's recv returns b"": the end of the stream, not an empty message (there is no such thing
in TCP). On the wire: the 12 octets, their ACK, and FIN from this side first. listen() without a
number takes Python's default, min(SOMAXCONN, 128), as the backlog.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
from collections.abc import Callable

PORT = 8888
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.address, options.port))
            listener.listen()
            address, port = listener.getsockname()
            say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
            for _ in itertools.count() if options.count is None else range(options.count):
                connection, peer = listener.accept()
                receive(connection, f"{peer[0]}:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def receive(connection: socket.socket, peer: str, say: Say) -> None:
    """Print what the first recv returns, and close."""
    try:
        with connection:
            octets = connection.recv(1024)
        say(f"Received data: {octets!r}", f"收到数据：{octets!r}")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that receives and does not answer.")
    option = parser.add_argument
    option("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
