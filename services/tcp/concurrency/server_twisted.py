"""Many clients in one thread, with Twisted (named in seed S2, A22): callbacks of a reactor.

The reactor waits in epoll, as asyncio's event loop does, and calls a method when something has
happened to a connection. Twisted is not part of Python: ``pip install twisted``. On the wire it
differs in nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

# Twisted may be missing, and its zope interfaces are not what mypy takes them for.
# mypy: disable-error-code="arg-type,assignment,call-arg,import-not-found,misc,override,union-attr"
try:
    from twisted.internet import protocol, reactor
    from twisted.internet.error import CannotListenError
except ImportError:
    raise SystemExit("TCP server: Twisted is not installed (pip install twisted)") from None

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


class Greeter(protocol.Protocol):
    """One connection: each method is called when that has happened."""

    factory: Greeters

    def connectionMade(self) -> None:  # noqa: N802  Twisted's names
        """accept has returned."""
        peer = self.transport.getPeer()
        self.peer = f"{peer.host}:{peer.port}"
        self.factory.say(f"Connected: {self.peer}.", f"已连接：{self.peer}。")

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """recv has returned octets: one chunk, whatever its size."""
        self.transport.write(REPLY.encode("utf-8"))
        size = len(data)
        self.factory.say(
            f"Answered {self.peer}: {size} octets.", f"已应答 {self.peer}：{size} 字节。"
        )

    def connectionLost(self, reason: object) -> None:  # noqa: N802
        """recv has returned b"" or failed, and Twisted has closed the socket."""
        self.factory.say(f"Closed: {self.peer}.", f"已关闭：{self.peer}。")
        self.factory.count_down()


class Greeters(protocol.Factory):
    """Makes a `Greeter` for each connection, and stops the reactor after the last."""

    protocol = Greeter
    noisy = False

    def __init__(self, count: int | None, say: Say) -> None:
        self.left, self.say = count, say

    def count_down(self) -> None:
        """One connection is over."""
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                reactor.stop()


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    greeters = Greeters(options.count, say)
    try:
        listening = reactor.listenTCP(
            options.port, greeters, backlog=5, interface=options.address
        ).getHost()
    except CannotListenError as error:
        where, reason = f"{options.address}:{options.port}", error.socketError
        raise SystemExit(f"TCP server on {where}: {reason.strerror or reason}") from None
    where = f"{listening.host}:{listening.port}"
    say(f"TCP server listens on {where}.", f"TCP 服务器监听 {where}。")
    reactor.run()  # Ctrl-C stops it
    if greeters.left != 0:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A greeting server built on Twisted.")
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
