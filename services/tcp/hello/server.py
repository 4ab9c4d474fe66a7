"""Hello server (seed program S3-P3, repaired): a whole message of 12 octets, a reply, the end.

How much to read must be agreed beforehand, for TCP keeps no boundaries; here it is 12 octets. After
the reply this side reads on until the client has closed, so that the client closes first and
TIME-WAIT stays there; and it sets SO_REUSEADDR for the times when that fails.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
from collections.abc import Callable

PORT = 8888
REPLY = b"Hello world!"
SIZE = 12  # octets of a message
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
                talk(connection, f"{peer[0]}:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def talk(connection: socket.socket, peer: str, say: Say) -> None:
    """Answer each message of 12 octets; a broken connection ends only itself."""
    say(f"Connected by {peer}.", f"来自 {peer} 的连接。")
    message = b""
    try:
        with connection:
            while octets := connection.recv(1024):
                message += octets
                while len(message) >= SIZE:
                    say(f"Received data: {message[:SIZE]!r}", f"收到数据：{message[:SIZE]!r}")
                    connection.sendall(REPLY)
                    message = message[SIZE:]
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that says hello.")
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
