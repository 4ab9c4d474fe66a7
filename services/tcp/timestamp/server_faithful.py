"""Timestamp echo over TCP as printed (seed program S2-P2): the accepted socket is never closed.

The client's FIN is acknowledged, and nothing more happens: this side stays in CLOSE-WAIT, the
client in FIN-WAIT-2, until the next client is accepted. Only then does the name ``connection``
stand for another socket, and CPython, which counts references, closes the old one. The call log
shows accept, recv of 0 octets, the next accept, and only after it the close. server.py beside this
file closes at once.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable

PORT = 21567
BUFFER_SIZE = 1024
Say = Callable[[str, str], None]


def main() -> None:
    """Serve until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        serve((options.address, options.port), say)
    except KeyboardInterrupt:
        say("Stopped.", "已停止。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(where: tuple[str, int], say: Say) -> None:
    """Echo each chunk with the time in front, one client after another."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(where)
    listener.listen(5)
    address, port = listener.getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    while True:
        connection, peer = listener.accept()  # the last connection is closed here, if at all
        say(f"Connected: {peer[0]}:{peer[1]}.", f"已连接：{peer[0]}:{peer[1]}。")
        while True:
            try:
                octets = connection.recv(BUFFER_SIZE)
                if not octets:
                    break  # the client has closed; this side does not
                connection.send(f"[{time.ctime()}] ".encode() + octets)
            except Exception as error:  # so broad that any fault looks like the end of a client
                say(f"Error: {error}.", f"错误：{error}。")
                break
        say(f"Left: {peer[0]}:{peer[1]}.", f"已离开：{peer[0]}:{peer[1]}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The timestamp server, its leak kept.")
    option = parser.add_argument
    option("--address", default="localhost", help="where to listen (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
