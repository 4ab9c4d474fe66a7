"""Bulk sender over TCP: a stream of zeros, as fast as the other side takes it.

On the wire: slow start opens the congestion window until the receiver's window or the path is the
limit; every segment but the last is full (1448 octets of data with timestamps on an MTU of 1500).
"""

from __future__ import annotations

import argparse
import socket
import time

PORT = 5001
CHUNK = bytes(1 << 16)


def main() -> None:
    """Connect, send, close."""
    parser = argparse.ArgumentParser(description="A TCP client that sends zeros.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the receiver")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--octets", type=int, default=20_000_000, help="default: %(default)s")
    option("--delay", type=float, default=0.0, help="seconds before connecting (default: 0)")
    options = parser.parse_args()
    try:
        time.sleep(options.delay)
        address = socket.gethostbyname(options.host)
        with socket.create_connection((address, options.port)) as connection:
            began = time.perf_counter()
            pour(connection, options.octets)
        took = time.perf_counter() - began
        print(f"Handed {options.octets} octets to the kernel in {took:.3f} s.", flush=True)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        raise SystemExit(f"TCP sender to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def pour(connection: socket.socket, octets: int) -> None:
    """Send that many zeros."""
    for begin in range(0, octets, len(CHUNK)):
        connection.sendall(CHUNK[: min(len(CHUNK), octets - begin)])


if __name__ == "__main__":
    main()
