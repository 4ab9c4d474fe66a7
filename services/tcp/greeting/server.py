"""Greeting server over TCP: one connection after another (seed programs S0-P1 and S0-P3).

Each connection: receive a greeting, answer it, read until the client has finished, work for a
while, close. How long it works decides how many segments the close takes:

    --work 0     at once: the ACK of the client's FIN rides on the server's own FIN. Three.
    --work 0.1   after the delayed-ACK timer (about 40 ms): that ACK goes out alone. Four.

The original read once and took an empty read for an error; it is the normal end of a stream. It
bound 127.0.0.1, which other hosts cannot reach; here the default is every address.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator

PORT = 12345
REPLY = "服务器已收到消息!"  # 25 octets in UTF-8: eight characters of 3, and an ASCII "!" of 1
Say = Callable[[str, str], None]


def main() -> None:
    """Listen, then serve until all connections asked for are done, or Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with listen(options.address, options.port) as listener:
            address, port = listener.getsockname()
            say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
            serve(listener, options.work or itertools.repeat(0.0), say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def listen(address: str, port: int) -> socket.socket:
    """Open the listening socket; nothing of this is seen on the wire."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # After a restart, connections of the last run may still be in TIME-WAIT on this port;
        # without this option bind would fail with EADDRINUSE until they have gone. It does not
        # let two servers share a port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        # From here on the kernel itself answers SYN with SYN+ACK. 5 bounds how many finished
        # handshakes may wait for accept, not how many clients are served.
        listener.listen(5)
    except OSError:
        listener.close()
        raise
    return listener


def serve(listener: socket.socket, works: Iterable[float], say: Say) -> None:
    """Serve one connection for each of ``works``: the seconds of work before its close."""
    for work in works:
        connection, (address, port) = listener.accept()  # sends nothing: it is connected already
        peer = f"{address}:{port}"
        say(f"Connected: {peer}.", f"已连接：{peer}。")
        try:
            with connection:
                answer(connection, work, say)
                # Leaving the block closes the socket: FIN (RST, had octets been left unread).
            say(f"Closed: {peer}.", f"已关闭：{peer}。")
        except OSError as error:  # one broken connection must not end the server
            say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def answer(connection: socket.socket, work: float, say: Say) -> None:
    """Receive, reply, read to the end of the stream, work."""
    reply = REPLY.encode("utf-8")
    for number, octets in enumerate(received(connection)):
        text = octets.decode("utf-8", errors="backslashreplace")  # GBK must not end the server
        say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
        if number == 0:
            # One segment, PSH+ACK. The greeting has been acknowledged already: a kernel does that
            # at once while a connection is young, and only later waits to send both together.
            connection.sendall(reply)
            say(f"Sent {len(reply)} octets: {REPLY}", f"已发送 {len(reply)} 字节：{REPLY}")
    say("End of stream: the client has closed its side.", "流结束：客户端已关闭它那一侧。")
    if work:
        # The client's FIN waits for its ACK meanwhile. The kernel holds that ACK back for about
        # 40 ms, hoping to send it along with something; our FIN comes too late for that.
        say(f"Working for {work:g} s before the close.", f"关闭之前先工作 {work:g} 秒。")
        time.sleep(work)


def received(connection: socket.socket) -> Iterator[bytes]:
    """Yield what arrives, as it arrives: TCP knows octets in order, it knows no messages."""
    while octets := connection.recv(1024):  # b"" means that the client's FIN has come
        yield octets


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, work, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that answers a greeting.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--work", type=float, nargs="+", metavar="SECONDS", help="one connection a value")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
