"""Many clients through the standard library's socketserver (recommended in seed S2, A21).

ThreadingTCPServer is server_threads.py already written: it listens, accepts and starts the threads;
a handler says only what to do with one connection. On the wire it differs in nothing; the call log
shows that it calls shutdown(SHUT_WR) before close.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import socketserver
from collections.abc import Callable

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


class Server(socketserver.ThreadingTCPServer):
    """Listens, accepts, and starts a thread with a `Greeter` for each connection."""

    allow_reuse_address = True  # SO_REUSEADDR before bind; off by default
    request_queue_size = 5  # the backlog

    def __init__(self, where: tuple[str, int], say: Say) -> None:
        super().__init__(where, Greeter)
        self.say = say


class Greeter(socketserver.BaseRequestHandler):
    """One connection."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        """Answer each chunk, to the end of the stream; the server then closes the connection."""
        say, peer = self.server.say, f"{self.client_address[0]}:{self.client_address[1]}"
        say(f"Connected: {peer}.", f"已连接：{peer}。")
        try:
            while octets := self.request.recv(1024):
                self.request.sendall(REPLY.encode("utf-8"))
                say(
                    f"Answered {peer}: {len(octets)} octets.",
                    f"已应答 {peer}：{len(octets)} 字节。",
                )
            say(f"End of stream: {peer}.", f"流结束：{peer}。")
        except OSError as error:
            say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with Server((options.address, options.port), say) as server:
            address, port = server.socket.getsockname()
            say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
            # With --count the end waits for the threads; Ctrl-C does not.
            server.daemon_threads = options.count is None
            for _ in itertools.count() if options.count is None else range(options.count):
                server.handle_request()
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A greeting server built on socketserver.")
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
