"""Bulk receiver over TCP: takes whatever comes, as fast as it comes, and counts it.

On the wire: one handshake, then data segments of at most the MSS in one direction and ACKs in the
other. How many segments one ACK covers is the receiver's choice; so is the window it announces.
"""

from __future__ import annotations

import argparse
import socket

PORT = 5001


def main() -> None:
    """Serve one connection, then leave."""
    parser = argparse.ArgumentParser(description="A TCP server that receives and counts.")
    parser.add_argument("--port", type=int, default=PORT, help="default: %(default)s")
    port = parser.parse_args().port
    try:
        with socket.create_server(("", port)) as listener:
            print(f"TCP receiver listens on port {port}.", flush=True)
            connection, peer = listener.accept()
            with connection:
                print(f"Received {drain(connection)} octets from {peer[0]}.", flush=True)
    except OSError as error:
        raise SystemExit(f"TCP receiver on port {port}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def drain(connection: socket.socket) -> int:
    """Receive until the end of the stream; return the number of octets."""
    buffer, total = bytearray(1 << 18), 0
    while octets := connection.recv_into(buffer):
        total += octets
    return total


if __name__ == "__main__":
    main()
