"""One-shot echo server as printed (seed program S4-P2): one client, one recv(100), one send.

Port 1000 needs privilege: bind fails with EACCES for an ordinary user, unless the host has lowered
net.ipv4.ip_unprivileged_port_start, as container runtimes often do. Of a message longer than 100
octets the rest is unread when this side closes: on the wire RST instead of FIN. server.py reads all
of it.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 1000
Say = Callable[[str, str], None]


def main() -> None:
    """Serve one client; a failure is one line and exit code 1."""
    options = read_command_line()
    try:
        serve((options.address, options.port), speaker(options.lang))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {reason(error)}") from None


def serve(where: tuple[str, int], say: Say) -> None:
    """Echo what the first recv returns."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(where)
    listener.listen(5)
    address, port = listener.getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    connection, peer = listener.accept()
    say(f"Connected: {peer[0]}:{peer[1]}.", f"已连接：{peer[0]}:{peer[1]}。")
    octets = connection.recv(100)
    say(f"Received {len(octets)} octets.", f"收到 {len(octets)} 字节。")
    connection.send(octets)
    connection.close()
    listener.close()


def reason(error: OSError) -> str:
    """Return what went wrong, and for a port that needs privilege, what to do."""
    if isinstance(error, PermissionError):
        return f"{error.strerror}: below net.ipv4.ip_unprivileged_port_start; take another --port"
    return error.strerror or str(error)


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The one-shot echo server, its faults kept.")
    option = parser.add_argument
    option("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
