"""GBK client (seed program S1-P5, repaired): reads the answer to each line, and stops at the end.

The original only sent (client_faithful.py). An empty read tells this one that the server has
closed, before it has sent in vain. On the wire: data and answer in turns, then FIN.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable, Iterator

PORT = 7891
Say = Callable[[str, str], None]


def main() -> None:
    """Send each line and read its answer; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        talk((address, options.port), lines(options.message), speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(server: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Send and receive in turns, until there are no more lines or the server has closed."""
    with socket.create_connection(server) as connection:
        for message in messages:
            octets = message.encode("gbk", errors="replace")  # "?" for what GBK does not have
            connection.sendall(octets)
            say(f"Sent {len(octets)} octets: {message}", f"已发送 {len(octets)} 字节：{message}")
            reply = connection.recv(1024)
            if not reply:  # the server's FIN: a further send would draw RST
                say("The server has closed.", "服务器已关闭。")
                break
            text = reply.decode("gbk", errors="replace")
            say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")


def lines(messages: list[str] | None) -> Iterator[str]:
    """Yield each --message that says something; without any, what is typed, to Ctrl-D."""
    yield from filter(None, messages or ())  # an empty send puts nothing on the wire: no answer
    while messages is None:
        try:
            typed = input("> ")
        except EOFError:
            break
        if typed:
            yield typed


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that speaks GBK.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
