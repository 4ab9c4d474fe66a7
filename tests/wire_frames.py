"""Frames on a wire between a client and a server, and what a cable makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from lab.wire.cable import Cable
from lab.wire.rules import Rule
from lab.wire.touched import Touched
from tests.builders import LETTERS, MILLISECOND
from tests.handmade import CLIENT, CLIENT_MAC, SERVER, SERVER_MAC, ipv4, tcp, udp

HOSTS = ("client", "server")
MACS = {"client": CLIENT_MAC, "server": SERVER_MAC, "third": bytes.fromhex("020000000003")}
ADDRESSES = {"client": CLIENT, "server": SERVER}
BROADCAST = b"\xff" * 6


def between(sender: str, payload: bytes, kind: int = 0x0800, to: bytes | None = None) -> bytes:
    """A frame from one host to the other, or to a MAC address."""
    target = to or MACS["server" if sender == "client" else "client"]
    return target + MACS[sender] + kind.to_bytes(2, "big") + payload


def segment(
    sender: str,
    flags: str,
    payload: bytes = b"",
    *,
    seq: int = 1000,
    ack: int = 0,
    port: int = 40000,
    options: bytes = b"",
) -> bytes:
    """A TCP segment between ``port`` of the client and port 80 of the server."""
    ends, ports = (CLIENT, SERVER), (port, 80)
    if sender == "server":
        ends, ports = (SERVER, CLIENT), (80, port)
    bits = sum(LETTERS[letter] for letter in flags)
    body = tcp(
        payload, bits, sequence=seq, acknowledgment=ack, options=options, ports=ports, ends=ends
    )
    return between(sender, ipv4(body, 6, source=ends[0], destination=ends[1]))


def datagram(sender: str, payload: bytes = b"x", **fields: int) -> bytes:
    """A UDP datagram between port 50000 of the client and port 53 of the server."""
    ends, ports = (CLIENT, SERVER), (50000, 53)
    if sender == "server":
        ends, ports = (SERVER, CLIENT), (53, 50000)
    body = udp(payload, ports=ports, ends=ends)
    return between(sender, ipv4(body, 17, source=ends[0], destination=ends[1], **fields))


def stream(sender: str, count: int, size: int = 10, port: int = 40000) -> list[bytes]:
    """So many data segments, one after another; octet 0 of each payload is its number, from 1."""
    return [
        segment(sender, "PA", bytes([k]) * size, seq=1000 + (k - 1) * size, port=port)
        for k in range(1, count + 1)
    ]


def number(frame: bytes) -> int:
    """Which one of a `stream` it is."""
    return frame[-1]


class Bench:
    """A cable, the frames put into it, and everything that came out."""

    def __init__(self, *rules: Rule, hosts: tuple[str, ...] = HOSTS) -> None:
        self.cable = Cable(rules, hosts)
        self.out: list[tuple[int, str, bytes]] = []
        self.touched: list[Touched] = []
        self._serial = 0

    def put(self, sender: str, *frames: bytes, at: int = 0, step: int = MILLISECOND) -> Bench:
        """Send frames, ``step`` ns apart."""
        for k, frame in enumerate(frames):
            self._take(self.cable.carry(frame, sender, at + k * step))
        return self

    def wake(self, now: int) -> Bench:
        self._take(self.cable.wake(now))
        return self

    def _take(self, carried: tuple[Iterable[tuple[int, str, bytes]], Iterable[Touched]]) -> None:
        self.out += carried[0]
        self.touched += carried[1]

    @property
    def arrived(self) -> list[bytes]:
        """In order of arrival; what is caused first goes first at equal times."""
        return [octets for _, _, octets in sorted(self.out, key=lambda one: one[0])]

    @property
    def times(self) -> list[int]:
        return sorted(at for at, _, _ in self.out)

    @property
    def numbers(self) -> list[int]:
        return [number(frame) for frame in self.arrived]


def address(text: str) -> bytes:
    return ip_address(text).packed
