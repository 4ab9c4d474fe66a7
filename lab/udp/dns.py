"""The question of a DNS message and how it was answered (RFC 1035 section 4)."""

from __future__ import annotations

from msgspec import Struct

DNS = 53
HEADER = 12
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA"}
TYPES |= {33: "SRV", 35: "NAPTR", 43: "DS", 48: "DNSKEY", 64: "SVCB", 65: "HTTPS", 255: "ANY"}
LONGEST = 255  # octets of a name


class Question(Struct, frozen=True):
    """What a message asks, or what it answers."""

    identification: int
    name: str  # "." for the root; octets outside printable ASCII as \\ddd
    type: str  # "A", "AAAA", …; "TYPE<n>" for another (RFC 3597)
    response: bool
    code: int  # RCODE: 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
    truncated: bool


def parse_question(message: bytes) -> Question | None:
    """Read the first question of a DNS message; None where it is none, or cut off."""
    if len(message) < HEADER or message[4:6] == b"\0\0":
        return None
    labels: list[str] = []
    at = HEADER
    while at < len(message) and (length := message[at]):
        if length > 63 or at - HEADER > LONGEST:
            return None
        labels.append(_text(message[at + 1 : at + 1 + length]))
        at += 1 + length
    if at + 5 > len(message):
        return None
    number = int.from_bytes(message[at + 1 : at + 3], "big")
    return Question(
        identification=int.from_bytes(message[:2], "big"),
        name=".".join(labels) or ".",
        type=TYPES.get(number, f"TYPE{number}"),
        response=bool(message[2] & 0x80),
        code=message[3] & 0x0F,
        truncated=bool(message[2] & 0x02),
    )


def _text(label: bytes) -> str:
    return "".join(
        chr(octet) if 0x21 <= octet < 0x7F and octet != 0x2E else f"\\{octet:03}" for octet in label
    )
