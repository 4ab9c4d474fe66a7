"""Loop echo server (seed program S4-P4, repaired): echoes 10 octets at a time, ends at b"".

An orderly close raises nothing; b"" is how recv says that the client's FIN has come. On the wire:
an echo of 24 octets goes out in pieces of 10, 10 and 4, or less tidily: how octets are cut into
segments is not for the program to say.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
from collections.abc import Callable

PORT = 1001
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
                echo(connection, f"{peer[0]}:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {reason(error)}") from None


def echo(connection: socket.socket, peer: str, say: Say) -> None:
    """Send back what comes, to the end of the stream; a broken connection ends only itself."""
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    try:
        with connection:
            while octets := connection.recv(10):
                connection.sendall(octets)
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")


def reason(error: OSError) -> str:
    """Return what went wrong, and for a port that needs privilege, what to do."""
    if isinstance(error, PermissionError):
        return f"{error.strerror}: below net.ipv4.ip_unprivileged_port_start; take another --port"
    return error.strerror or str(error)


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that echoes.")
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
