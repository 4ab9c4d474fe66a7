"""Greeting server over IPv6 (seed S2 names AF_INET only; E26): one socket for both families.

A socket of AF_INET6 bound to :: also serves IPv4, unless --v6only: such a client's address reads
::ffff:a.b.c.d, while its packets are ordinary IPv4 (ipv6(7), IPV6_V6ONLY). On the wire TCP is the
same; the IPv6 header is 40 octets instead of 20, so the MSS is 1440 instead of 1460 on an MTU of
1500, and neighbours are found with ICMPv6 instead of ARP.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
from collections.abc import Callable

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        with listen(options.address, options.port, options.v6only) as listener:
            address, port, *_ = listener.getsockname()  # and flow label and scope: four values
            say(
                f"TCP server listens on [{address}]:{port}.", f"TCP 服务器监听 [{address}]:{port}。"
            )
            for _ in itertools.count() if options.count is None else range(options.count):
                connection, peer = listener.accept()
                talk(connection, f"[{peer[0]}]:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:  # EAFNOSUPPORT or EADDRNOTAVAIL: this host has no IPv6
        where = f"[{options.address}]:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def listen(address: str, port: int, v6only: bool) -> socket.socket:
    """Open the listening socket; nothing of this is seen on the wire."""
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(5)
    except OSError:
        listener.close()
        raise
    return listener


def talk(connection: socket.socket, peer: str, say: Say) -> None:
    """Answer each chunk, to the end of the stream; a broken connection ends only itself."""
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    try:
        with connection:
            while octets := connection.recv(1024):
                connection.sendall(REPLY.encode("utf-8"))
                text = octets.decode("utf-8", errors="backslashreplace")
                say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, v6only, lang."""
    parser = argparse.ArgumentParser(description="A greeting server over IPv6.")
    option = parser.add_argument
    option("--address", default="::", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--v6only", action="store_true", help="do not serve IPv4 as well")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
