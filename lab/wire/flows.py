"""Which connection a frame belongs to, and whether its sender has sent it before."""

from __future__ import annotations

from msgspec import Struct

from lab.units import HALF, MODULUS
from lab.wire.sight import ACK, FIN, RST, SYN, TCP, UDP, Sight

_Ends = tuple[bytes, int, bytes, int]
"""Where a segment or datagram comes from, and where it goes."""


class _Half(Struct):
    """One direction of a connection."""

    connection: int
    initial: int | None = None  # the ISN, once its SYN was seen
    following: int | None = None  # SND.NXT: the highest sequence number sent, plus one


class Flows:
    """Follows every connection and exchange that crosses the wire.

    A SYN with another ISN between the same ends begins another connection (RFC 9293 section 3.4.1).
    """

    def __init__(self) -> None:
        self._halves: dict[_Ends, _Half] = {}
        self._connections = 0

    def note(self, sight: Sight) -> None:
        """Fill in what depends on the frames before: `connection`, `repeated`, `keep_alive`."""
        if sight.protocol is TCP:
            half = self._half(sight)
            _follow(half, sight)
        elif sight.protocol is UDP:
            half = self._half(sight)
        else:
            return
        sight.connection = half.connection

    def _half(self, sight: Sight) -> _Half:
        ends = (sight.source, sight.source_port, sight.destination, sight.destination_port)
        half = self._halves.get(ends)
        if half is None or _begins_anew(half, sight):
            half = self._open(ends)
        return half

    def _open(self, ends: _Ends) -> _Half:
        self._connections += 1
        half = self._halves[ends] = _Half(self._connections)
        self._halves[ends[2:] + ends[:2]] = _Half(self._connections)
        return half


def _begins_anew(half: _Half, sight: Sight) -> bool:
    begins = sight.flags & (SYN | ACK) == SYN
    return begins and half.following is not None and half.initial != sight.sequence


def _follow(half: _Half, sight: Sight) -> None:
    """Compare a segment with what its sender has sent; it may move SND.NXT on."""
    flags, sequence = sight.flags, sight.sequence
    if flags & RST:
        return  # its number may be anything
    if flags & SYN:
        half.initial = sequence
    length = sight.end - sight.begin + bool(flags & SYN) + bool(flags & FIN)
    end, before = (sequence + length) % MODULUS, half.following
    if before is None or (end - before + HALF) % MODULUS > HALF:
        half.following = end
    elif length:
        sight.repeated = True
    else:
        # A probe carries the number before SND.NXT (RFC 9293 section 3.8.4). Linux's is empty; one
        # with an octet could not be told from data sent again.
        sight.keep_alive = (sequence + 1) % MODULUS == before
