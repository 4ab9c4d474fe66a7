"""UDP sender (seed program S1-P3, repaired): connected, so that it hears of ICMP port unreachable.

connect sends nothing over UDP. It fixes the peer: send needs no address, datagrams from others are
not let in, and an ICMP error is reported, by the next call (ECONNREFUSED), for the datagram before
it is long gone. Silence still proves nothing: a datagram may be lost without any error.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator

SOURCE_PORT, PORT = 7890, 8080
Say = Callable[[str, str], None]


def main() -> None:
    """Send line after line until "exit"; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        receiver = (socket.gethostbyname(options.host), options.port)
        send(options.source_port, receiver, lines(options), speaker(options.lang))
    except ConnectionRefusedError:
        raise SystemExit(f"UDP sender to {where}: ICMP says that nobody receives there") from None
    except OSError as error:
        raise SystemExit(f"UDP sender to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def send(source: int, receiver: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Send each line as one datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("", source))
        sender.connect(receiver)  # no packet
        for message in messages:
            sent = sender.send(message.encode("utf-8"))
            say(f"Sent {sent} octets: {message}", f"已发送 {sent} 字节：{message}")


def lines(options: argparse.Namespace) -> Iterator[str]:
    """Yield each --message, with a pause in between, or else what is typed, up to "exit"."""
    try:
        typed = iter(lambda: input("> "), "exit")
        for number, message in enumerate(typed if options.message is None else options.message):
            if message == "exit":
                break
            time.sleep(options.pause if number and options.message else 0)
            yield message
    except EOFError:
        return


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, source_port, message, pause, lang."""
    parser = argparse.ArgumentParser(description="A UDP sender that hears of ICMP errors.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the receiver")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--source-port", type=int, default=SOURCE_PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--pause", type=float, default=0.1, metavar="SECONDS", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
