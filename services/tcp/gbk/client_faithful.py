"""GBK client as printed (seed program S1-P5): sends for ever and never reads.

The server answers once and closes (server_faithful.py). On the wire and in the call log: the second
send succeeds, for FIN only says that the server will send no more; the server's kernel answers it
with RST; the third send fails with EPIPE. The answer lies unread in this side's buffer all the
while. client.py beside this file reads each answer, and so sees the end.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator

PORT = 7891
Say = Callable[[str, str], None]


def main() -> None:
    """Send line after line; the broken pipe is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        send_for_ever((address, options.port), lines(options), speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def send_for_ever(server: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Connect once, then only send."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.connect(server)
    for message in messages:
        sent = connection.send(message.encode("gbk"))
        say(f"Sent {sent} octets: {message}", f"已发送 {sent} 字节：{message}")
    # The close is commented out in the original. The kernel closes when the process ends; the
    # answer is unread, so it sends RST, not FIN.


def lines(options: argparse.Namespace) -> Iterator[str]:
    """Yield each --message, with a pause in between; without any, what is typed."""
    for number, message in enumerate(options.message or ()):
        time.sleep(options.pause if number else 0)  # a person types; the server has time to close
        yield message
    while options.message is None:
        try:
            yield input("> ")
        except EOFError:
            break


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, pause, lang."""
    parser = argparse.ArgumentParser(description="The GBK client, its faults kept.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--pause", type=float, default=0.2, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
