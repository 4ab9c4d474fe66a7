"""Heartbeat server (announced in seed S0, X4): answers "PING n" with "PONG n", a line each.

With --hang-after N it stops answering after N beats and hangs, without reading, without closing.
Its kernel goes on acknowledging every PING, as it would answer keep-alive probes: that shows a
living host, not a living program. Only the missing PONG tells. When it closes at last, the PINGs it
never read turn its FIN into RST.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import time
from collections.abc import Callable

PORT = 5002
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
                serve(connection, f"{peer[0]}:{peer[1]}", options, say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(connection: socket.socket, peer: str, options: argparse.Namespace, say: Say) -> None:
    """Answer beats to the end of the stream, or until it is time to hang."""
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    try:
        with connection, connection.makefile("rb") as lines:  # makefile reads line by line
            for beat, line in enumerate(lines, start=1):
                connection.sendall(line.replace(b"PING", b"PONG"))
                if beat == options.hang_after:
                    say(f"Hanging after {beat} beats.", f"第 {beat} 次心跳之后停止响应。")
                    time.sleep(options.hang)
                    break
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, hang_after, hang, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that answers heartbeats.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--hang-after", type=int, metavar="N", help="answer N beats only (default: all)")
    option("--hang", type=float, default=3.0, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
