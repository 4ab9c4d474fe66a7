"""Hello server as printed (seed program S3-P3): one read, one reply, close, the next client.

Two faults are kept, and show in the evidence:

- One recv is taken for the message. "Hello world!" sent in two pieces is answered after the first;
  the second is unread at the close, or comes after it: RST.
- This side closes first, so TIME-WAIT stays here; without SO_REUSEADDR a restart within 60 s fails
  with EADDRINUSE.

server.py beside this file is the repaired form.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 8888
REPLY = b"Hello world!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve until Ctrl-C or a fault; where the original ends in a traceback, this is one line."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        serve((options.address, options.port), say)
    except KeyboardInterrupt:
        say("Stopped.", "已停止。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(where: tuple[str, int], say: Say) -> None:
    """Answer the first chunk of each connection."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(where)
        listener.listen()
        address, port = listener.getsockname()
        say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
        while True:
            connection, peer = listener.accept()
            with connection:
                say(f"Connected by {peer[0]}:{peer[1]}.", f"来自 {peer[0]}:{peer[1]} 的连接。")
                octets = connection.recv(1024)
                say(f"Received data: {octets!r}", f"收到数据：{octets!r}")
                connection.sendall(REPLY)


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The hello server, its faults kept.")
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
