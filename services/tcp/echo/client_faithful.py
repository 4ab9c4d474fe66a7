"""Loop client as printed (seed program S4-P3): takes one recv(10) for the whole echo.

Of an echo longer than 10 octets the rest stays in the kernel's buffer, and is read as the answer to
the next message: from then on every answer comes late. If a character of several octets lies across
the 10th, decoding fails. The close after the loop cannot be reached: the kernel closes when the
process ends, with RST if a rest is still unread. client.py beside this file counts what it reads.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator

PORT = 1001
Say = Callable[[str, str], None]


def main() -> None:
    """Send each line and print one read; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        talk((address, options.port), lines(options), speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SystemExit(f"TCP client to {where}: a character was cut in two: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(server: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Send and receive in turns; an empty line is skipped."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.connect(server)
    for message in messages:
        if not message:  # send(b"") puts nothing on the wire, and both sides would wait for ever
            continue
        connection.send(message.encode("utf-8"))
        say(f"Sent: {message}", f"已发送：{message}")
        reply = connection.recv(10)  # at most 10 octets: perhaps of an earlier echo
        say(f"Received: {reply.decode('utf-8')}", f"收到：{reply.decode('utf-8')}")


def lines(options: argparse.Namespace) -> Iterator[str]:
    """Yield each --message, with a pause in between; without any, what is typed."""
    for number, message in enumerate(options.message or ()):
        time.sleep(options.pause if number else 0)  # a person types; the rest of the echo arrives
        yield message
    while options.message is None:
        try:
            yield input("> ")
        except EOFError:
            break


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, pause, lang."""
    parser = argparse.ArgumentParser(description="The loop client, its faults kept.")
    option = parser.add_argument
    option("host", nargs="?", default="127.0.0.1", help="of the server (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--pause", type=float, default=0.1, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
