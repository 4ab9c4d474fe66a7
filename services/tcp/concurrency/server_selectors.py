"""Many clients in one thread, with non-blocking sockets and selectors (announced in seed S0, X2).

The kernel (epoll) says which sockets are ready; each of them then gets one step that cannot block.
A socket is watched either for reading or, while a reply is not out yet, for writing. On the wire it
differs in nothing from a thread for each client.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from selectors import EVENT_READ, EVENT_WRITE

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


@dataclass(slots=True)
class Talk:
    """One connection, and what of the reply the kernel has not taken yet."""

    connection: socket.socket
    peer: str
    unsent: bytes = b""


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
            serve(listener, options.count, say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(listener: socket.socket, count: int | None, say: Say) -> None:
    """Take a step for whatever is ready, until ``count`` connections are over."""
    listener.setblocking(False)
    over = 0
    with selectors.DefaultSelector() as selector:
        selector.register(listener, EVENT_READ)  # readable: a connection waits for accept
        while count is None or over < count:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    welcome(selector, listener, say)
                elif not advance(selector, key.data, say):
                    selector.unregister(key.fileobj)
                    key.data.connection.close()  # FIN
                    over += 1


def welcome(selector: selectors.BaseSelector, listener: socket.socket, say: Say) -> None:
    """Accept a connection and watch it."""
    try:
        connection, (address, port) = listener.accept()
    except (BlockingIOError, ConnectionAbortedError):
        return  # the client has gone again since select spoke of it
    connection.setblocking(False)
    talk = Talk(connection, f"{address}:{port}")
    selector.register(connection, EVENT_READ, talk)
    say(f"Connected: {talk.peer}.", f"已连接：{talk.peer}。")


def advance(selector: selectors.BaseSelector, talk: Talk, say: Say) -> bool:
    """Do what the connection is ready for; False once it is over."""
    try:
        if not talk.unsent:
            octets = talk.connection.recv(1024)  # ready: returns at once
            if not octets:
                say(f"End of stream: {talk.peer}.", f"流结束：{talk.peer}。")
                return False
            size = len(octets)
            say(f"Answered {talk.peer}: {size} octets.", f"已应答 {talk.peer}：{size} 字节。")
            talk.unsent = REPLY.encode("utf-8")
        with contextlib.suppress(BlockingIOError):  # the send buffer is full
            sent = talk.connection.send(talk.unsent)  # perhaps fewer octets than asked
            talk.unsent = talk.unsent[sent:]
    except OSError as error:
        say(f"Broken: {talk.peer}: {error.strerror}.", f"已中断：{talk.peer}：{error.strerror}。")
        return False
    selector.modify(talk.connection, EVENT_WRITE if talk.unsent else EVENT_READ, talk)
    return True


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A greeting server: one thread, selectors.")
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
