"""A client on a non-blocking socket (announced in seed S0, X2): no call waits, select does.

What connect says: EINPROGRESS (the SYN is out); asked again, EALREADY while the handshake lasts, 0
the first time after it, EISCONN from then on. Whether it went well is in SO_ERROR, once the socket
is writable (connect(2)). On the wire all this is an ordinary handshake.
"""

from __future__ import annotations

import argparse
import errno
import os
import select
import socket
from collections.abc import Callable

PORT = 12345
MESSAGE = "你好,服务器!"
Say = Callable[[str, str], None]


def main() -> None:
    """Greet once; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        reply = greet((address, options.port), options, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if not reply:
        raise SystemExit(f"TCP client to {where}: the server closed without an answer")


def greet(server: tuple[str, int], options: argparse.Namespace, say: Say) -> bytes:
    """Connect, send, receive; wait in select only. Raises TimeoutError, and what connect met."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        say(*told("connect", connection.connect_ex(server)))  # SYN; returns before any answer
        say(*told("connect", connection.connect_ex(server)))  # no packet: it only asks
        wait(select.POLLOUT, connection, options.timeout)
        failure = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        say(*told("SO_ERROR", failure))
        if failure:
            raise OSError(failure, os.strerror(failure))
        say(*told("connect", connection.connect_ex(server)))  # no packet
        try:
            connection.recv(1024)
        except BlockingIOError as error:  # EAGAIN: nothing has come, and this socket never waits
            say(*told("recv", error.errno or 0))
        connection.send(options.message.encode("utf-8"))  # an empty buffer takes so little whole
        wait(select.POLLIN, connection, options.timeout)
        reply = connection.recv(1024)
        text = reply.decode("utf-8", errors="backslashreplace")
        say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
    return reply


def wait(event: int, connection: socket.socket, seconds: float) -> None:
    """Wait until the socket is ready for it. Raises TimeoutError."""
    poll = select.poll()
    poll.register(connection, event)
    if not poll.poll(seconds * 1000):
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def told(call: str, number: int) -> tuple[str, str]:
    """Return the line for what a call said: 0, or the name of an errno."""
    name = errno.errorcode.get(number, "0")
    return f"{call}: {name}.", f"{call}：{name}。"


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, timeout, lang."""
    parser = argparse.ArgumentParser(description="A TCP client whose socket never blocks.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--timeout", type=float, default=10.0, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
