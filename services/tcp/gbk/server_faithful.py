"""GBK server as printed (seed program S1-P6): one connection, one read, one answer, close.

It never looks at what it read, so it cannot notice which encoding came; and it closes while its
client goes on sending. On the wire: FIN right after the 12 octets of the answer; whatever the
client sends after that is answered with RST. server.py beside this file is the repaired form.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 7891
REPLY = "收到啦我反馈"  # 12 octets in GBK, 18 in UTF-8
Say = Callable[[str, str], None]


def main() -> None:
    """Serve one client; a failure is one line and exit code 1."""
    options = read_command_line()
    try:
        serve((options.address, options.port), speaker(options.lang))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        where = f"{options.address or '*'}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


def serve(where: tuple[str, int], say: Say) -> None:
    """Accept once, receive once, answer once."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(where)  # "": every address of this host (INADDR_ANY)
    listener.listen(128)
    address, port = listener.getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    print("----1----", flush=True)
    connection, peer = listener.accept()
    print("----2----", flush=True)
    say(f"Connected: {peer[0]}:{peer[1]}.", f"已连接：{peer[0]}:{peer[1]}。")
    octets = connection.recv(1024)
    say(f"Received {len(octets)} octets.", f"收到 {len(octets)} 字节。")  # never decoded
    connection.send(REPLY.encode("gbk"))
    connection.close()  # FIN, while the client has more to say
    listener.close()


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The GBK server, its faults kept.")
    option = parser.add_argument
    option("--address", default="", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
