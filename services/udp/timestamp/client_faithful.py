"""Timestamp client over UDP as printed (seed program S2-P6): believes whoever answers.

recvfrom writes the sender of the answer over the address of the server. One datagram from anybody
who can reach this port, and the next line goes to them: the call log shows sendto with another
peer. And it waits for ever: one lost datagram, and it hangs. client.py beside this file compares
the sender with the server it asked (RFC 8085, section 5), and asks again after a time.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable, Iterator

PORT = 21567
BUFFER_SIZE = 1024
Say = Callable[[str, str], None]


def main() -> None:
    """Send each line and print an answer; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = (socket.gethostbyname(options.host), options.port)
        talk(address, lines(options.message), speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"UDP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def talk(address: tuple[str, int], messages: Iterator[str], say: Say) -> None:
    """Send and receive in turns, until an empty line."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for message in messages:
        client.sendto(message.encode("utf-8"), address)
        say(f"Sent to {address[0]}:{address[1]}.", f"已发送到 {address[0]}:{address[1]}。")
        octets, address = client.recvfrom(BUFFER_SIZE)  # the server's address is gone
        text = octets.decode("utf-8", errors="backslashreplace")
        say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
    client.close()


def lines(messages: list[str] | None) -> Iterator[str]:
    """Yield each --message, or else what is typed, up to an empty line or Ctrl-D."""
    try:
        yield from iter(lambda: input("> "), "") if messages is None else messages
    except EOFError:
        return


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, lang."""
    parser = argparse.ArgumentParser(description="The UDP timestamp client, its faults kept.")
    option = parser.add_argument
    option("host", nargs="?", default="localhost", help="of the server (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", action="append", help="may be repeated (default: lines of standard input)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
