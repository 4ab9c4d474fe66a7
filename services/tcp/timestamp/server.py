"""Timestamp echo over TCP (seed program S2-P2, repaired): "[ctime] text" for each chunk, a close.

The original never closed the accepted socket (server_faithful.py). Here leaving the ``with`` block
does, whatever happens: on the wire, this side's FIN follows the client's. A UDP server may hold
21567 at the same time (services/udp/timestamp): TCP and UDP count their ports apart.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import time
from collections.abc import Callable

PORT = 21567
BUFFER_SIZE = 1024
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
                connection, peer = listener.accept()
                talk(connection, f"{peer[0]}:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def talk(connection: socket.socket, peer: str, say: Say) -> None:
    """Echo each chunk with the time in front; a broken connection ends only itself."""
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    try:
        with connection:
            while octets := connection.recv(BUFFER_SIZE):
                connection.sendall(f"[{time.ctime()}] ".encode() + octets)
                say(f"Echoed {len(octets)} octets.", f"已回送 {len(octets)} 字节。")
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that echoes, with the time added.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
