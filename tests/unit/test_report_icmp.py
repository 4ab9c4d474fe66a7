"""ICMP messages have the names that their RFCs give them."""

from __future__ import annotations

import pytest

from lab.report.icmp import message_name


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ((4, 3, 3), "ICMP port unreachable"),
        ((4, 3, 4), "ICMP fragmentation needed"),
        ((4, 11, 1), "ICMP fragment reassembly time exceeded"),
        ((4, 12, 0), "ICMP parameter problem"),
        ((6, 2, 0), "ICMPv6 packet too big"),
        ((6, 3, 1), "ICMPv6 fragment reassembly time exceeded"),
        ((6, 4, 1), "ICMPv6 parameter problem: unrecognized next header"),
    ],
)
def test_a_message_of_the_standards_has_a_name(message: tuple[int, int, int], name: str) -> None:
    assert message_name(*message) == name


@pytest.mark.parametrize(
    ("version", "kind", "codes"),
    [(4, 3, 16), (4, 5, 4), (4, 11, 2), (4, 12, 3), (6, 1, 7), (6, 3, 2), (6, 4, 3)],
)
def test_every_code_of_an_error_has_a_name(version: int, kind: int, codes: int) -> None:
    """RFC 792, RFC 1122, RFC 1812, RFC 4443."""
    names = [message_name(version, kind, code) for code in range(codes)]
    assert not [name for name in names if "type" in name and "code" in name]
    assert len(set(names)) == codes


def test_what_is_not_known_keeps_its_numbers() -> None:
    assert message_name(4, 200, 7) == "ICMP type 200 code 7"
