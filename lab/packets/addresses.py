"""Addresses as columns hold them, and as people read them."""

from __future__ import annotations

from msgspec import Struct

V4_MAPPED = 0xFFFF << 32
"""The low half of ::ffff:0:0/96: an IPv4 address is kept as its IPv4-mapped IPv6 address."""


class Endpoint(Struct, frozen=True, order=True):
    """An address and a port: one end of a connection or of an exchange."""

    address: str
    port: int

    def __str__(self) -> str:
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


def address_text(high: int, low: int) -> str:
    """Write one row of an address column (two 64-bit halves) as text."""
    if high == 0 and low >> 32 == 0xFFFF:
        return ".".join(str(low >> shift & 0xFF) for shift in (24, 16, 8, 0))
    from ipaddress import IPv6Address

    return str(IPv6Address(high << 64 | low))
