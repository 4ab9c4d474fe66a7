"""Greeting client over TCP (seed program S0-P2): connect, send, print the answer, close.

On the wire: SYN, SYN+ACK, ACK; the greeting and the answer, each acknowledged; then FIN, which
comes from this side first.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 12345
MESSAGE = "你好,服务器!"  # 17 octets in UTF-8: five characters of 3, an ASCII "," and "!" of 1
Say = Callable[[str, str], None]


def main() -> None:
    """Greet once; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        # The name is looked up first, so that no DNS query falls into the exchange.
        address = socket.gethostbyname(options.host)
        reply = greet(address, options.port, options.message, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if not reply:
        raise SystemExit(f"TCP client to {where}: the server closed without an answer")


def greet(address: str, port: int, message: str, say: Say) -> bytes:
    """Send the message and return the answer; b"" if the server closed without one."""
    octets = message.encode("utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:  # no packet yet
        # connect sends SYN and returns once SYN+ACK has come; the kernel answers it with ACK.
        connection.connect((address, port))
        say(f"Connected: {address}:{port}.", f"已连接：{address}:{port}。")
        # One segment, PSH+ACK. That sendall returned means "in the send buffer", not "arrived".
        connection.sendall(octets)
        say(f"Sent {len(octets)} octets: {message}", f"已发送 {len(octets)} 字节：{message}")
        reply = connection.recv(1024)  # at most 1024 octets, not exactly
        text = reply.decode("utf-8", errors="backslashreplace")
        say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
        # Leaving the block closes the socket: FIN. close does not wait for the server's FIN;
        # the kernel sees that through, and keeps the connection in TIME-WAIT for 60 s.
    say("Closed.", "已关闭。")
    return reply


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that greets a server.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
