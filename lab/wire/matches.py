"""The nouns of the rule language: which frames a rule is about.

    segment(SYN, ACK)      data(sender="server")      icmp(3, 4)      fragment(offset=1480)

Each noun gives a `Match`, a frozen value that travels as JSON; `predicate` makes a test of it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

from msgspec import Struct

from lab.errors import RuleImpossible
from lab.text import Text
from lab.wire.sight import ACK, ARP, FIN, ICMP, ICMPV6, RST, SYN, TCP, UDP, Sight

Test = Callable[[Sight], bool]


class Kind(StrEnum):
    """What a frame is, before anything else is asked of it."""

    FRAME = "frame"
    PACKET = "packet"
    SEGMENT = "segment"
    DATA = "data"
    PURE_ACK = "pure ack"
    KEEP_ALIVE = "keep-alive"
    DATAGRAM = "datagram"
    FRAGMENT = "fragment"
    ICMP = "icmp"
    ARP = "arp"


class Match(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every condition must hold; one that is None, "" or 0 asks nothing."""

    kind: Kind = Kind.FRAME
    sender: str = ""  # the host it comes from
    flags: int = 0  # TCP: all of these are set
    without: int = 0  # TCP: none of these is set
    source_port: int | None = None
    destination_port: int | None = None
    source: str = ""  # an address or a prefix: "198.51.100.0/24"
    destination: str = ""
    at_least: int | None = None  # octets of payload
    at_most: int | None = None
    repeated: bool | None = None  # TCP: False: octets never sent before; True: all sent before
    offset: int | None = None  # of a fragment, in octets
    type: int | None = None  # of an ICMP message, or the operation of ARP
    code: int | None = None

    def __post_init__(self) -> None:
        """Raise RuleImpossible for what no frame can be."""
        for port in (self.source_port, self.destination_port):
            if port is not None and not 0 <= port <= 0xFFFF:
                raise _impossible("port {value} is not a port", "{value} 不是端口号", port)
        for prefix in (self.source, self.destination):
            try:
                ip_network(prefix or "::")
            except ValueError:
                raise _impossible(
                    "{value} is neither an address nor a prefix", "{value} 不是地址或前缀", prefix
                ) from None
        if self.flags & self.without:
            raise _impossible("flags cannot be both set and not set", "标志位不能既置位又不置位")
        if self.offset is not None and self.offset % 8:
            raise _impossible(
                "a fragment's offset is a multiple of 8 octets, not {value}",
                "分片偏移是 8 字节的倍数，不能是 {value}",
                self.offset,
            )
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise _impossible(
                "no payload has at least {value} octet[|s] and fewer",
                "负载不可能至少 {value} 字节而又更少",
                self.at_least,
            )


def _impossible(en: str, zh: str, value: object = "") -> RuleImpossible:
    return RuleImpossible(detail=Text(en, zh).fill(value=value))


# ------------------------------------------------------------------------------ nouns


def frames(sender: str = "") -> Match:
    """Everything, ARP included."""
    return Match(sender=sender)


def packets(sender: str = "", *, source: str = "", destination: str = "") -> Match:
    """Whatever IP carries: a path that is cut, while ARP still answers."""
    return Match(kind=Kind.PACKET, sender=sender, source=source, destination=destination)


def segment(
    *flags: int,
    sender: str = "",
    without: int = 0,
    exactly: bool = False,
    source_port: int | None = None,
    destination_port: int | None = None,
    source: str = "",
    destination: str = "",
    repeated: bool | None = None,
) -> Match:
    """A TCP segment with all of these flags; of SYN without ACK, never a SYN,ACK.

    ``exactly``: with these flags and no other. ``repeated``: see `Match`.
    """
    wanted = 0
    for flag in flags:
        wanted |= flag
    if wanted & (SYN | ACK) == SYN:
        without |= ACK
    return Match(
        kind=Kind.SEGMENT,
        sender=sender,
        flags=wanted,
        without=0x1FF & ~wanted if exactly else without,
        source_port=source_port,
        destination_port=destination_port,
        source=source,
        destination=destination,
        repeated=repeated,
    )


def data(
    sender: str = "",
    *,
    source_port: int | None = None,
    destination_port: int | None = None,
    at_least: int = 1,
    at_most: int | None = None,
    repeated: bool | None = None,
) -> Match:
    """A TCP segment with data; lengths in octets."""
    return Match(
        kind=Kind.DATA,
        sender=sender,
        source_port=source_port,
        destination_port=destination_port,
        at_least=None if at_least == 1 else at_least,
        at_most=at_most,
        repeated=repeated,
    )


def pure_ack(
    sender: str = "", *, source_port: int | None = None, destination_port: int | None = None
) -> Match:
    """A TCP segment that only acknowledges: no data, no SYN, FIN or RST."""
    return Match(
        kind=Kind.PURE_ACK,
        sender=sender,
        source_port=source_port,
        destination_port=destination_port,
    )


def keep_alive(sender: str = "") -> Match:
    """An empty TCP segment one number before SND.NXT: a keep-alive or a zero-window probe."""
    return Match(kind=Kind.KEEP_ALIVE, sender=sender)


def datagram(
    sender: str = "",
    *,
    source_port: int | None = None,
    destination_port: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
) -> Match:
    """A UDP datagram, or the first fragment of one; lengths in octets of payload."""
    return Match(
        kind=Kind.DATAGRAM,
        sender=sender,
        source_port=source_port,
        destination_port=destination_port,
        at_least=at_least,
        at_most=at_most,
    )


def fragment(sender: str = "", *, offset: int | None = None) -> Match:
    """An IP fragment, the first included; ``offset`` in octets, as Wireshark shows it."""
    return Match(kind=Kind.FRAGMENT, sender=sender, offset=offset)


def icmp(kind: int | None = None, code: int | None = None, *, sender: str = "") -> Match:
    """An ICMP or ICMPv6 message, by its type and code."""
    return Match(kind=Kind.ICMP, sender=sender, type=kind, code=code)


def arp(sender: str = "", *, operation: int | None = None) -> Match:
    """An ARP message: 1 asks, 2 answers."""
    return Match(kind=Kind.ARP, sender=sender, type=operation)


# ------------------------------------------------------------------------------ tests

_NOT_PURE = SYN | FIN | RST

_KINDS: Final[dict[Kind, Test]] = {
    Kind.PACKET: lambda sight: sight.version != 0,
    Kind.SEGMENT: lambda sight: sight.protocol is TCP,
    Kind.DATA: lambda sight: sight.protocol is TCP and sight.end > sight.begin,
    Kind.PURE_ACK: lambda sight: (
        sight.protocol is TCP
        and sight.flags & (ACK | _NOT_PURE) == ACK
        and sight.end == sight.begin
    ),
    Kind.KEEP_ALIVE: lambda sight: sight.keep_alive,
    Kind.DATAGRAM: lambda sight: sight.protocol is UDP,
    Kind.FRAGMENT: lambda sight: sight.fragment is not None,
    Kind.ICMP: lambda sight: sight.protocol is ICMP or sight.protocol is ICMPV6,
    Kind.ARP: lambda sight: sight.protocol is ARP,
}


def predicate(match: Match) -> Test:
    """The test of a match: only what it asks is looked at."""
    tests = [_KINDS[match.kind]] if match.kind in _KINDS else []
    tests += [test for test in _tests(match) if test is not None]
    if len(tests) == 1:
        return tests[0]
    return lambda sight: all(test(sight) for test in tests)


def _tests(match: Match) -> tuple[Test | None, ...]:
    """A test a condition; None where it asks nothing."""
    mask, wanted = match.flags | match.without, match.flags
    least, most = match.at_least, match.at_most
    return (
        _same("sender", match.sender or None),
        (lambda sight: sight.flags & mask == wanted) if mask else None,
        _same("source_port", match.source_port),
        _same("destination_port", match.destination_port),
        _within("source", match.source),
        _within("destination", match.destination),
        (lambda sight: sight.payload >= least) if least is not None else None,
        (lambda sight: sight.payload <= most) if most is not None else None,
        _same("repeated", match.repeated),
        _same("fragment", match.offset),
        _same("type", match.type),
        _same("code", match.code),
    )


def _same(name: str, wanted: object) -> Test | None:
    if wanted is None:
        return None
    return lambda sight: getattr(sight, name) == wanted


def _within(name: str, prefix: str) -> Test | None:
    """Whether an address lies in a prefix of its own family."""
    if not prefix:
        return None
    network = ip_network(prefix)
    size, mask = network.max_prefixlen // 8, int(network.netmask)
    wanted = int(network.network_address)

    def test(sight: Sight) -> bool:
        address: bytes = getattr(sight, name)
        return len(address) == size and int.from_bytes(address, "big") & mask == wanted

    return test
