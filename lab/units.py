"""Sequence numbers (modulo 2^32) and times (nanoseconds), and how they are written."""

from __future__ import annotations

from typing import NewType

Nanoseconds = NewType("Nanoseconds", int)
"""A time or a span in nanoseconds; a time counts from 1970-01-01 UTC."""

MODULUS = 1 << 32
HALF = 1 << 31
ROUNDED_UP = 999.5
"""What three digits cannot write."""


class SequenceNumber(int):
    """A TCP sequence number: an unsigned 32-bit integer that wraps (RFC 9293 section 3.4).

    Sums wrap; a difference is signed and is the shorter way round; order is RFC 1982's:
    ``a < b`` when b lies in the half circle after a.
    """

    __slots__ = ()

    def __new__(cls, value: int) -> SequenceNumber:
        return super().__new__(cls, value % MODULUS)

    def __add__(self, octets: int) -> SequenceNumber:
        return SequenceNumber(int(self) + int(octets))

    def __sub__(self, other: int) -> int:
        """Octets from other to self, in [-2^31, 2^31)."""
        return (int(self) - int(other) + HALF) % MODULUS - HALF

    def __lt__(self, other: int) -> bool:
        return self - other < 0

    def __le__(self, other: int) -> bool:
        return self - other <= 0

    def __gt__(self, other: int) -> bool:
        return self - other > 0

    def __ge__(self, other: int) -> bool:
        return self - other >= 0


def seconds(span: int) -> str:
    """Write a span as seconds with microseconds: ``0.000058``."""
    sign, span = ("-", -span) if span < 0 else ("", span)
    return f"{sign}{span // 1_000_000_000}.{span % 1_000_000_000 // 1000:06d}"


def short_span(span: int) -> str:
    """Write a span in the unit that suits it: ``58 µs``, ``42.7 ms``, ``1.05 s``, ``1500 s``."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000)):
        if (
            abs(span) >= size - size // 2000
        ):  # what would be rounded to 1000 of the next is one of these
            value = span / size
            return f"{value:.3g} {unit}" if abs(value) < ROUNDED_UP else f"{value:.0f} {unit}"
    return f"{span} ns"
