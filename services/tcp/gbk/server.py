"""GBK server (seed program S1-P6, repaired): answers each message until the client has finished.

On the wire: the same octets would be other characters in another encoding; nothing in TCP says
which one is meant, so both ends must agree. The client closes first, and no RST is seen.
"""

from __future__ import annotations

import argparse
import codecs
import itertools
import os
import socket
from collections.abc import Callable

PORT = 7891
REPLY = "收到啦我反馈"  # 12 octets in GBK, 18 in UTF-8
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.address, options.port))
            listener.listen(128)
            address, port = listener.getsockname()
            say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
            for _ in itertools.count() if options.count is None else range(options.count):
                connection, peer = listener.accept()
                talk(connection, f"{peer[0]}:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address or '*'}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def talk(connection: socket.socket, peer: str, say: Say) -> None:
    """Answer each chunk, to the end of the stream; a broken connection ends only itself."""
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    # A chunk may end inside a character: the decoder keeps the first half for the next chunk. What
    # is not GBK at all becomes U+FFFD instead of an error that would end the server.
    decoder = codecs.getincrementaldecoder("gbk")("replace")
    try:
        with connection:  # leaving the block closes the socket: FIN
            while octets := connection.recv(1024):
                text = decoder.decode(octets)
                say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
                connection.sendall(REPLY.encode("gbk"))
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that speaks GBK.")
    option = parser.add_argument
    option("--address", default="", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
