"""Many clients, a thread for each connection (seed program S0-P4): a slow one holds up nobody.

The main thread does nothing but accept; each thread then blocks in its own recv. The call log names
the thread of every call. Cost: a stack for each client, and a lock wherever threads share data.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import threading
from collections.abc import Callable

PORT = 12345
REPLY = "服务器已收到消息!"
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
            serve(listener, options.count, say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(listener: socket.socket, count: int | None, say: Say) -> None:
    """Accept, and give each connection a thread; at last wait for those that still talk."""
    talking: list[threading.Thread] = []
    for _ in itertools.count() if count is None else range(count):
        connection, (address, port) = listener.accept()
        # A daemon thread does not keep the program alive when Ctrl-C ends it.
        thread = threading.Thread(
            target=talk, args=(connection, f"{address}:{port}", say), daemon=True
        )
        thread.start()
        talking = [each for each in talking if each.is_alive()] + [thread]
    for thread in talking:
        thread.join()


def talk(connection: socket.socket, peer: str, say: Say) -> None:
    """Answer each chunk, to the end of the stream; a broken connection ends only itself."""
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    try:
        with connection:  # leaving the block closes the socket: FIN
            while octets := connection.recv(1024):
                connection.sendall(REPLY.encode("utf-8"))
                say(
                    f"Answered {peer}: {len(octets)} octets.",
                    f"已应答 {peer}：{len(octets)} 字节。",
                )
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A greeting server: a thread a connection.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line in one of the two languages: whole, whichever thread says it."""
    return lambda en, zh: print(f"{zh if lang.startswith('zh') else en}\n", end="", flush=True)


if __name__ == "__main__":
    main()
