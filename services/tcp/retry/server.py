"""A server that fails at first (announced in seed S0, X5), for a client that tries again.

The first --silent connections are accepted, read, and left without an answer; the next --drop are
closed with RST; all others are answered. On the wire a silent server and a lost reply look alike to
the client: its data is acknowledged, and nothing more comes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import struct
from collections.abc import Callable

PORT = 5003
REPLY = b"done\n"
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
            for number in itertools.count() if options.count is None else range(options.count):
                connection, _ = listener.accept()
                serve(connection, number, options, say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(connection: socket.socket, number: int, options: argparse.Namespace, say: Say) -> None:
    """Fail or answer, depending on how many came before."""
    try:
        with connection:
            if number < options.silent:
                say(f"Connection {number + 1}: silent.", f"连接 {number + 1}：不应答。")
                while connection.recv(1024):  # until the client has given up
                    pass
            elif number < options.silent + options.drop:
                say(f"Connection {number + 1}: dropped.", f"连接 {number + 1}：丢弃。")
                # l_onoff 1, l_linger 0: close sends RST instead of FIN (socket(7))
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                say(f"Connection {number + 1}: answered.", f"连接 {number + 1}：应答。")
                while connection.recv(1024):
                    connection.sendall(REPLY)
    except OSError as error:
        say(f"Broken: {error.strerror}.", f"已中断：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, silent, drop, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that fails at first.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--silent", type=int, default=0, metavar="N", help="leave the first N unanswered")
    option("--drop", type=int, default=0, metavar="N", help="reset the next N")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
