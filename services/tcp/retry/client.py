"""A client that tries again (announced in seed S0, X5): a timeout a try, exponential backoff.

TCP repeats segments, not requests: if a connection fails, only the program can start anew. A
further try is a new connection from another port, and the server may have done the work already, so
only a request that does no harm twice may be repeated. The waits double (--backoff, up to
--longest), so that a server in trouble is not buried; --jitter spreads clients that failed
together.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import time
from collections.abc import Callable, Iterator

PORT = 5003
MESSAGE = "please"
Say = Callable[[str, str], None]


def main() -> None:
    """Ask until answered; when every try has failed, one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        server = (socket.gethostbyname(options.host), options.port)
        text = ask_again(server, options, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if not text:
        raise SystemExit(f"TCP client to {where}: no answer in {options.tries} tries")


def ask_again(server: tuple[str, int], options: argparse.Namespace, say: Say) -> bytes:
    """Try up to ``tries`` times; return the answer, b"" if none came."""
    pauses = waits(options)
    for number in range(1, options.tries + 1):
        if number > 1:
            pause = next(pauses)
            say(f"Waiting {pause:.3f} s.", f"等待 {pause:.3f} 秒。")
            time.sleep(pause)
        try:
            reply = ask(server, options.message.encode("utf-8"), options.timeout)
        except OSError as error:  # refused, reset, no answer in time: each may pass
            reason = error.strerror or error  # a timeout of Python's own has no strerror
            say(f"Try {number}: {reason}.", f"第 {number} 次：{reason}。")
        else:
            text = reply.decode("utf-8", errors="backslashreplace").strip()
            say(f"Try {number}: {text}", f"第 {number} 次：{text}")
            return reply
    return b""


def ask(server: tuple[str, int], octets: bytes, timeout: float) -> bytes:
    """Ask once, on a connection of its own. Raises OSError; each wait is at most the timeout."""
    with socket.create_connection(server, timeout=timeout) as connection:
        connection.sendall(octets)
        reply = connection.recv(1024)
    if not reply:
        raise ConnectionResetError("closed without an answer")
    return reply


def waits(options: argparse.Namespace) -> Iterator[float]:
    """Yield the seconds to wait between tries: doubling, bounded, spread by the jitter."""
    wait = options.backoff
    while True:
        yield min(wait, options.longest) * (1 + random.uniform(0, options.jitter))  # noqa: S311
        wait *= 2


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, tries, timeout, backoff, longest, jitter, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that tries again.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--tries", type=int, default=5, metavar="N", help="default: %(default)s")
    option("--timeout", type=float, default=1.0, metavar="SECONDS", help="default: %(default)s")
    option("--backoff", type=float, default=0.1, metavar="SECONDS", help="default: %(default)s")
    option("--longest", type=float, default=2.0, metavar="SECONDS", help="default: %(default)s")
    option("--jitter", type=float, default=0.0, metavar="FRACTION", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
