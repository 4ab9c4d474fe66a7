"""A TCP option rewritten on its way, as middleboxes do, and the checksum with it.

What is rewritten keeps its length: an option that is taken out leaves NOPs behind, as netfilter's
TCPOPTSTRIP does. The checksum is corrected by the difference (RFC 1624), so that a segment that was
damaged before stays damaged.
"""

from __future__ import annotations

from typing import Final

from lab.wire.sight import SYN, TCP, Sight

END, NO_OPERATION = 0, 1
MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS, MULTIPATH, FAST_OPEN = 2, 3, 4, 5, 8, 30, 34
"""Kinds of TCP options (IANA, "TCP Option Kind Numbers")."""

_FIXED: Final = 20  # octets of a TCP header before its options
_CHECKSUM: Final = 16  # where it stands in the header
_ONES: Final = 0xFFFF


def stripped(octets: bytes, sight: Sight, kind: int) -> bytes | None:
    """The frame without this option, NOPs in its place; None if it is no segment that has it."""
    found = [place for place in _options(octets, sight) if octets[place.start] == kind]
    if not found:
        return None
    altered = bytearray(octets)
    for place in found:
        altered[place.start : place.stop] = bytes([NO_OPERATION]) * len(place)
    return _mended(octets, altered, sight)


def clamped(octets: bytes, sight: Sight, mss: int) -> bytes | None:
    """The frame with an MSS option of at most ``mss`` octets; None if there is nothing to lower."""
    if not sight.flags & SYN:
        return None
    for place in _options(octets, sight):
        value = slice(place.start + 2, place.stop)
        if octets[place.start] == MSS and len(place) == 4:
            if int.from_bytes(octets[value], "big") <= mss:
                return None
            altered = bytearray(octets)
            altered[value] = mss.to_bytes(2, "big")
            return _mended(octets, altered, sight)
    return None


def _options(octets: bytes, sight: Sight) -> list[range]:
    """Where each option stands, kind and length included, up to the first that cannot be."""
    found: list[range] = []
    if sight.protocol is not TCP:
        return found
    at, end = sight.header + _FIXED, sight.begin
    while at < end and octets[at] != END:
        length = 1
        if octets[at] != NO_OPERATION:
            length = octets[at + 1] if at + 1 < end else 0
            if length < 2 or at + length > end:
                break
            found.append(range(at, at + length))
        at += length
    return found


def _mended(before: bytes, altered: bytearray, sight: Sight) -> bytes:
    """Take from the checksum what the header has gained: a sum modulo 2^16 - 1 (RFC 1071)."""
    header = slice(sight.header, sight.begin)
    place = slice(sight.header + _CHECKSUM, sight.header + _CHECKSUM + 2)
    gained = int.from_bytes(altered[header], "big") - int.from_bytes(before[header], "big")
    checksum = (int.from_bytes(before[place], "big") - gained) % _ONES
    altered[place] = checksum.to_bytes(2, "big")
    return bytes(altered)
