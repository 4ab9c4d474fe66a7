"""One-shot echo server (seed program S4-P2, repaired): echoes all that one client sends.

The client ends its message with a half-close: its FIN, after which it still receives. That marks
the end without any agreement on length, once a connection. This side then sends its own FIN.
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
    say = speaker(options.lang)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.address, options.port))
            listener.listen(5)
            address, port = listener.getsockname()
            say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
            connection, peer = listener.accept()
        say(f"Connected: {peer[0]}:{peer[1]}.", f"已连接：{peer[0]}:{peer[1]}。")
        with connection:  # the listener is closed already; an accepted connection lives on its own
            size = echo(connection)
        say(f"Echoed {size} octets.", f"已回送 {size} 字节。")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {reason(error)}") from None


def echo(connection: socket.socket) -> int:
    """Send back what comes, to the end of the stream; return how much that was."""
    size = 0
    while octets := connection.recv(100):
        connection.sendall(octets)
        size += len(octets)
    return size


def reason(error: OSError) -> str:
    """Return what went wrong, and for a port that needs privilege, what to do."""
    if isinstance(error, PermissionError):
        return f"{error.strerror}: below net.ipv4.ip_unprivileged_port_start; take another --port"
    return error.strerror or str(error)


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="A TCP server that echoes for one client.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
