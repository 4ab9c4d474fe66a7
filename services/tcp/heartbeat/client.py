"""Heartbeat client (announced in seed S0, X4): a PING each interval; gives up when no PONG comes.

A connection over which nothing is sent can be dead for hours without either end knowing. A beat of
its own tells a program that the other *program* is alive, and after --misses beats without an
answer that it is not. On the wire, when the server hangs: every PING is acknowledged, and no PONG
follows.
"""

from __future__ import annotations

import argparse
import itertools
import os
import socket
import time
from collections.abc import Callable

PORT = 5002
Say = Callable[[str, str], None]


def main() -> None:
    """Beat until ``--count``, Ctrl-C, or the server's death: one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        with socket.create_connection((address, options.port)) as connection:
            beat(connection, options, speaker(options.lang))
    except TimeoutError:
        raise SystemExit(f"TCP client to {where}: dead: {options.misses} beats missed") from None
    except EOFError:
        raise SystemExit(f"TCP client to {where}: the server has closed") from None
    except OSError as error:
        raise SystemExit(f"TCP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def beat(connection: socket.socket, options: argparse.Namespace, say: Say) -> None:
    """Send a numbered PING each interval. Raises TimeoutError after too many without a PONG."""
    missed = 0
    for number in itertools.count(1) if options.count is None else range(1, options.count + 1):
        deadline = time.monotonic() + options.interval
        connection.sendall(b"PING %d\n" % number)
        if answered(connection, b"PONG %d\n" % number, deadline):
            missed = 0
            say(f"Beat {number}: alive.", f"心跳 {number}：正常。")
            time.sleep(max(0.0, deadline - time.monotonic()))
            continue
        missed += 1
        say(f"Beat {number}: missed ({missed}).", f"心跳 {number}：未响应（{missed}）。")
        if missed == options.misses:
            raise TimeoutError


def answered(connection: socket.socket, pong: bytes, deadline: float) -> bool:
    """Tell whether this PONG comes in time; late ones of earlier beats are passed over."""
    received = b""
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)  # Python's own: the kernel knows nothing of it
        try:
            octets = connection.recv(1024)
        except TimeoutError:
            break
        if not octets:
            raise EOFError
        received += octets
        if received.endswith(pong):
            return True
    return False


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, count, interval, misses, lang."""
    parser = argparse.ArgumentParser(description="A TCP client that beats.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--count", type=int, metavar="N", help="end after N beats (default: never)")
    option("--interval", type=float, default=0.5, metavar="SECONDS", help="default: %(default)s")
    option("--misses", type=int, default=3, metavar="N", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
