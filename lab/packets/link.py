"""The link layer: for each frame, which network header follows and where it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.packets.distinct import distinct
from lab.packets.frames import Direction
from lab.packets.layers import DEEPEST, Draft, Rows
from lab.packets.shims import (
    ARP,
    BRIDGED,
    IPV4,
    IPV6,
    MPLS,
    PPPOE,
    UNKNOWN,
    Linked,
    by_version,
    mapped,
    past_shims,
    point_to_point,
)

NULL, ETHERNET, PPP, LOOP, COOKED, COOKED_2 = 0, 1, 9, 108, 113, 276
PPP_SERIAL, PPP_ETHERNET, PPP_DIRECTED, PPP_PPPD = 50, 51, 204, 166
CISCO_HDLC, FRAME_RELAY = 104, 107
RAW = frozenset({101, 12, 14, 228, 229})
"""LINKTYPE_RAW, what DLT_RAW has been, RAW_IPV4 and RAW_IPV6."""
SLIP = 8
WIFI, RADIOTAP, PRISM, AVS = 105, 127, 119, 163
PFLOG, OPENBSD_ENC, MPLS_LINK, NETANALYZER = 117, 109, 219, 240
ARCNET, ARCNET_LINUX, JUNIPER_ETHERNET = 7, 129, 178

_OUTGOING = 4  # sll_pkttype PACKET_OUTGOING, see packet(7)
_INET6_FAMILIES = (10, 24, 28, 30)  # AF_INET6 of Linux, NetBSD, FreeBSD, Darwin
_INET_FAMILY = 2
_LARGEST_FAMILY = 0x0600  # as EtherTypes begin there
_UI, _NLPID_IPV4, _NLPID_IPV6 = 0x03, 0xCC, 0x8E  # RFC 2427

NFLOG = 239
PKTAP = frozenset({258, 149})
"""Apple's, by its number and by the one of private use that it has had."""

_NFLOG_PAYLOAD = 9  # NFULA_PAYLOAD of <linux/netfilter/nfnetlink_log.h>
_ARCNET_KINDS = {0xF0: IPV4, 0xF1: ARP, 0xD4: IPV4, 0xD5: ARP, 0xC4: IPV6}


class Fixed(NamedTuple):
    """A header of fixed size that holds an EtherType."""

    size: int
    type_at: int


_FIXED = {
    ETHERNET: Fixed(14, 12),
    COOKED: Fixed(16, 14),
    COOKED_2: Fixed(20, 0),
    CISCO_HDLC: Fixed(4, 2),
    100: Fixed(8, 6),  # RFC 2684: ATM AAL5 with LLC and SNAP
    138: Fixed(18, 16),  # RFC 2734: IP over IEEE 1394, as Apple captures it
    242: Fixed(44, 40),  # IP over InfiniBand, with its global routing header
    NETANALYZER: Fixed(18, 16),
}


def link_layer(draft: Draft, rows: Rows, at: NDArray[np.int64], link_type: int) -> Linked:
    """Read the link header at ``at`` of these frames, all of one type of `DECODED`.

    What stands between it and a network header is stepped over.
    """
    if link_type in _FIXED:
        linked = _fixed(draft, rows, at, _FIXED[link_type])
    else:
        linked = _READERS[link_type](draft, rows, at)
    if link_type == COOKED:
        _direction(draft, linked.rows, draft.octets[linked.at - 15])
    elif link_type == COOKED_2:
        _direction(draft, linked.rows, draft.octets[linked.at - 10])
    return past_shims(draft, linked)


def _fixed(draft: Draft, rows: Rows, at: NDArray[np.int64], header: Fixed) -> Linked:
    rows, at = draft.fitting(rows, at, header.size)
    return Linked(rows, at + header.size, draft.word(at + header.type_at))


def _direction(draft: Draft, rows: Rows, packet_type: NDArray[np.uint8]) -> None:
    """Linux cooked headers say which way a packet went."""
    seen = np.where(packet_type == _OUTGOING, Direction.OUTBOUND, Direction.INBOUND)
    known = draft.direction[rows]
    draft.direction[rows] = np.where(known == Direction.UNKNOWN, seen, known)


def _family(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """BSD loopback: an address family, in network order (108) or the writer's own order (0).

    Some write an EtherType there, or something of their own into the upper half.
    """
    rows, at = draft.fitting(rows, at, 4)
    family, lower = draft.word(at).byteswap(), draft.word(at + 2)
    family = np.where(lower, lower, family)
    kind = np.where(family < _LARGEST_FAMILY, _family_kind(family), family)
    return Linked(rows, at + 4, kind)


def _family_kind(family: NDArray[np.unsignedinteger]) -> NDArray[np.uint16]:
    six = np.where(np.isin(family, _INET6_FAMILIES), IPV6, UNKNOWN)
    return np.where(family == _INET_FAMILY, IPV4, six).astype(np.uint16)


def _raw(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    rows, at = draft.fitting(rows, at, 1)
    return Linked(rows, at, by_version(draft, at))


def _slip(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """BSD's note of a direction and of what a compressed header was; the packet is whole."""
    return _raw(draft, rows, at + 16)


def _ppp(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    rows, at = draft.fitting(rows, at, 4)
    return Linked(rows, *point_to_point(draft, at))


def _ppp_after(octets: int) -> Callable[[Draft, Rows, NDArray[np.int64]], Linked]:
    return lambda draft, rows, at: _ppp(draft, rows, at + octets)


def _ppp_or_cisco(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """Cisco HDLC where the first octet is one of its addresses (RFC 4349)."""
    rows, at = draft.fitting(rows, at, 4)
    cisco = np.isin(draft.octets[at], (0x0F, 0x8F))
    ppp = _ppp(draft, rows[~cisco], at[~cisco])
    return ppp.joined(_fixed(draft, rows[cisco], at[cisco], _FIXED[CISCO_HDLC]))


def _frame_relay(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """RFC 2427 with an address of two octets."""
    rows, at = draft.fitting(rows, at, 4)
    named = draft.octets[at + 2] == _UI
    number = draft.octets[at + 3]
    kind = np.where(number == _NLPID_IPV4, IPV4, np.where(number == _NLPID_IPV6, IPV6, UNKNOWN))
    return Linked(rows, at + 4, np.where(named, kind, draft.word(at + 2)).astype(np.uint16))


def _only(kind: int) -> Callable[[Draft, Rows, NDArray[np.int64]], Linked]:
    """Frames that begin with what this EtherType stands for."""
    return lambda draft, rows, at: Linked(rows, at, np.full(len(rows), kind, np.uint16))


def _wifi(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """IEEE 802.11 data frames that are not encrypted; LLC follows their header."""
    rows, at = draft.fitting(rows, at, 24)
    control, flags = draft.octets[at], draft.octets[at + 1]
    data = (control & 0x4C == 0x08) & (flags & 0x40 == 0)
    quality, four, ordered = control & 0x80 != 0, flags & 3 == 3, flags & 0x80 != 0
    size = 24 + 6 * four + 2 * quality + 4 * (quality & ordered)
    kind = np.zeros(int(data.sum()), np.uint16)  # as a length of IEEE 802.3: LLC follows
    return Linked(rows[data], (at + size)[data], kind)


def _radiotap(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    rows, at = draft.fitting(rows, at, 8)
    return _wifi(draft, rows, at + draft.word(at + 2).byteswap())


def _monitored(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """Prism or AVS headers: their length is the second word, in either order."""
    rows, at = draft.fitting(rows, at, 8)
    high, low = draft.word(at + 4), draft.word(at + 6)
    return _wifi(draft, rows, at + np.where(high == 0, low, high.byteswap()))


def _pflog(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    rows, at = draft.fitting(rows, at, 4)
    size = (draft.octets[at].astype(np.int64) + 3) & ~3
    return Linked(rows, at + size, _family_kind(draft.octets[at + 1]))


def _enc(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    linked = _family(draft, rows, at)
    return Linked(linked.rows, linked.at + 8, linked.kind)


def _arcnet(flag_at: int) -> Callable[[Draft, Rows, NDArray[np.int64]], Linked]:
    """RFC 1201 and, of the first two types, RFC 1051; ``flag_at``: where the type is."""

    def read(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
        rows, at = draft.fitting(rows, at, flag_at + 4)
        number = draft.octets[at + flag_at]
        size = flag_at + np.where(number >= 0xF0, 1, 4)
        return Linked(rows, at + size, mapped(number.astype(np.uint16), _ARCNET_KINDS))

    return read


def _juniper(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """Juniper's header before an Ethernet frame: a magic, flags, and notes if a flag says so."""
    rows, at = draft.fitting(rows, at, 6)
    notes = draft.octets[at + 3] & 0x80 != 0
    size = np.where(notes, 6 + draft.word(at + 4).astype(np.int64), 4)
    return Linked(rows, at + size, np.full(len(rows), BRIDGED, np.uint16))


def _nflog(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """Linux's netfilter log: attributes in the writer's order, taken for little-endian."""
    rows, at = draft.fitting(rows, at, 8)
    kind, at = _family_kind(draft.octets[at]), at + 4
    for _ in range(DEEPEST):
        other = np.flatnonzero(at + 8 <= draft.cut[rows])
        other = other[draft.word(at[other] + 2).byteswap() & np.uint16(0x7FFF) != _NFLOG_PAYLOAD]
        if not len(other):
            break
        size = draft.word(at[other]).byteswap().astype(np.int64)
        at[other] += np.maximum(4, (size + 3) & ~3)
    found = at + 8 <= draft.cut[rows]
    found[found] = draft.word(at[found] + 2).byteswap() == _NFLOG_PAYLOAD
    return Linked(rows[found], at[found] + 4, kind[found])


def _pktap(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """Apple's header before the frame of any interface: its own length, and that link's type."""
    rows, at = draft.fitting(rows, at, 12)
    size, link_type = (draft.word(at + field).byteswap() for field in (0, 8))
    linked = Linked(rows[:0], at[:0], size[:0])
    for value in set(distinct(link_type).tolist()) & (_FIXED.keys() | _READERS.keys()) - PKTAP:
        here = link_type == value
        linked = linked.joined(link_layer(draft, rows[here], (at + size)[here], value))
    return linked


_READERS: dict[int, Callable[[Draft, Rows, NDArray[np.int64]], Linked]] = {
    **dict.fromkeys(RAW, _raw),
    SLIP: _slip,
    NULL: _family,
    LOOP: _family,
    PPP: _ppp_or_cisco,
    PPP_SERIAL: _ppp_or_cisco,
    PPP_DIRECTED: _ppp_after(1),
    PPP_PPPD: _ppp,
    FRAME_RELAY: _frame_relay,
    MPLS_LINK: _only(MPLS),
    PPP_ETHERNET: _only(PPPOE),
    WIFI: _wifi,
    RADIOTAP: _radiotap,
    PRISM: _monitored,
    AVS: _monitored,
    PFLOG: _pflog,
    OPENBSD_ENC: _enc,
    ARCNET: _arcnet(2),
    ARCNET_LINUX: _arcnet(4),
    JUNIPER_ETHERNET: _juniper,
    NFLOG: _nflog,
    **dict.fromkeys(PKTAP, _pktap),
}

DECODED = sorted(_FIXED | _READERS)
"""The link types that can be read; frames of others have neither network nor transport header."""
