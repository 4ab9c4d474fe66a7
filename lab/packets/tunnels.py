"""Packets inside packets: IP in IP, GRE and its kin, and tunnels over UDP ports.

A tunnel over UDP is known by its port alone, as Wireshark knows it: only if an IP packet is
found where one should be is it believed, else the datagram is just a datagram.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import ABSENT, Protocol
from lab.packets.layers import DEEPEST, Draft, Rows
from lab.packets.network import Carried
from lab.packets.shims import (
    BRIDGED,
    IPV4,
    IPV6,
    MPLS,
    SERVICE,
    Linked,
    by_version,
    mapped,
    past_shims,
    point_to_point,
)

Offsets = NDArray[np.int64]
Reader = Callable[[Draft, Rows, Offsets], Linked]

_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACKNOWLEDGMENT = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
_ERSPAN, _ERSPAN_III, _WCCP, _PPP = 0x88BE, 0x22EB, 0x883E, 0x880B
_IPV6_NUMBER = 41
_PADDING_TAG, _END_TAG = 0, 1
_GPE_KINDS = {1: IPV4, 2: IPV6, 3: BRIDGED, 4: SERVICE}
_REGISTER = 0x21


def _all(kind: int, skipped: int = 0) -> Reader:
    """One kind of packet always follows, after so many octets."""
    return lambda draft, rows, at: Linked(rows, at + skipped, np.full(len(rows), kind, np.uint16))


def _gre(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """GRE (RFC 2784, RFC 2890), PPTP's (RFC 2637), NVGRE (RFC 7637), ERSPAN, WCCP."""
    rows, at = draft.fitting(rows, at, 4)
    flags, kind = draft.word(at), draft.word(at + 2)
    size = 4 + 4 * ((flags & (_CHECKSUM | _ROUTING)) != 0).astype(np.int64)
    for bit in (_KEY, _SEQUENCE, _ACKNOWLEDGMENT):
        size += 4 * ((flags & bit) != 0)
    at = at + size
    at[kind == _ERSPAN] += 8 * (flags[kind == _ERSPAN] & _SEQUENCE != 0)  # type I has no header
    _skip_erspan_iii(draft, rows, at, kind)
    wccp = np.flatnonzero((kind == _WCCP) & (at < draft.cut[rows]))
    at[wccp] += 4 * (draft.octets[at[wccp]] >> 4 != 4)  # its redirect header, in version 2
    kind = np.where(np.isin(kind, (_ERSPAN, _ERSPAN_III)), BRIDGED, kind)
    return _point_to_point(draft, rows, at, np.where(kind == _WCCP, IPV4, kind).astype(np.uint16))


def _skip_erspan_iii(draft: Draft, rows: Rows, at: Offsets, kind: NDArray[np.uint16]) -> None:
    third = np.flatnonzero((kind == _ERSPAN_III) & (at + 12 <= draft.cut[rows]))
    at[third] += 12 + 8 * (draft.octets[at[third] + 11] & 1)  # a platform's own part may follow


def _point_to_point(draft: Draft, rows: Rows, at: Offsets, kind: NDArray[np.uint16]) -> Linked:
    """PPP in GRE: IP packets that are neither compressed nor encrypted."""
    ppp = np.flatnonzero((kind == _PPP) & (at + 5 <= draft.cut[rows]))
    at[ppp], kind[ppp] = point_to_point(draft, at[ppp])
    return Linked(rows, at, kind)


def _by_nibble(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """An IP packet of the version that its first half octet says."""
    there = at < draft.cut[rows]
    rows, at = rows[there], at[there]
    return Linked(rows, at, by_version(draft, at))


def _pim(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """PIM (RFC 7761): Register messages carry a multicast packet."""
    rows, at = draft.fitting(rows, at, 8)
    register = draft.octets[at] == _REGISTER
    return _by_nibble(draft, rows[register], at[register] + 8)


_BY_NUMBER: dict[int, Reader] = {
    4: _all(IPV4),
    _IPV6_NUMBER: _all(IPV6),
    47: _gre,
    97: _all(BRIDGED, skipped=2),  # EtherIP (RFC 3378)
    103: _pim,
    137: _all(MPLS),  # RFC 4023
    143: _all(BRIDGED),  # RFC 8986
}


def inside_packets(draft: Draft, carried: Carried) -> tuple[Carried, Linked | None]:
    """Part what IP packets carry: (what is no tunnel, the frames inside tunnels or None)."""
    tunnelled = np.isin(carried.number, tuple(_BY_NUMBER))
    if not tunnelled.any():
        return carried, None
    parts = []
    for number, read in _BY_NUMBER.items():
        rows, at, _ = carried.where(carried.number == number)
        parts.append(read(draft, rows, at))
    return carried.where(~tunnelled), past_shims(draft, parts[0].joined(*parts[1:]))


# ---------------------------------------------------------------------------- over UDP


def _vxlan_gpe(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """draft-ietf-nvo3-vxlan-gpe: the last octet before the identifier says what follows."""
    following = draft.octets[at + 3]
    return Linked(rows, at + 8, mapped(following.astype(np.uint16), _GPE_KINDS))


def _geneve(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """RFC 8926."""
    size = 8 + 4 * (draft.octets[at] & 0x3F).astype(np.int64)
    return Linked(rows, at + size, draft.word(at + 2))


def _gtp(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """GTPv1-U (3GPP TS 29.281): user packets, behind a chain of extension headers."""
    flags = draft.octets[at]
    user = (flags & 0xF0 == 0x30) & (draft.octets[at + 1] == 0xFF)
    rows, at, flags = rows[user], at[user], flags[user]
    at = at + 8 + 4 * (flags & 0x07 != 0)
    extended = flags & 0x04 != 0
    for _ in range(DEEPEST):
        left = np.flatnonzero(extended & (at < draft.cut[rows]))
        left = left[draft.octets[at[left] - 1] != 0]
        if not len(left):
            break
        at[left] += 4 * draft.octets[at[left]].astype(np.int64)
    return _by_nibble(draft, rows, at)


def _teredo(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """RFC 4380; an authentication and an origin indication may come before the IPv6 packet."""
    sizes = draft.octets[at + 2].astype(np.int64) + draft.octets[at + 3]
    at = at + np.where(draft.word(at) == 1, 13 + sizes, 0)
    there = at + 2 <= draft.cut[rows]
    rows, at = rows[there], at[there]
    return _all(IPV6)(draft, rows, at + 8 * (draft.word(at) == 0))


def _lisp(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """RFC 9300's data packets."""
    return _by_nibble(draft, rows, at + 8)


def _tzsp(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """TaZmen Sniffer Protocol, which copies Ethernet frames: tagged fields, then the frame."""
    ethernet = draft.word(at + 2) == 1
    rows, at = rows[ethernet], at[ethernet] + 4
    for _ in range(DEEPEST):
        left = np.flatnonzero(at + 2 <= draft.cut[rows])
        left = left[draft.octets[at[left]] != _END_TAG]
        if not len(left):
            break
        sized = draft.octets[at[left]] != _PADDING_TAG
        at[left] += np.where(sized, 2 + draft.octets[at[left] + 1].astype(np.int64), 1)
    return _all(BRIDGED, skipped=1)(draft, rows, at)


def _l2tp(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """L2TP's data messages (RFC 2661): PPP behind a header whose fields the flags announce."""
    flags = draft.word(at)
    data = flags & 0x800F == 0x0002
    rows, at, flags = rows[data], at[data], flags[data]
    at = at + 6 + 2 * (flags & 0x4000 != 0) + 4 * (flags & 0x0800 != 0)
    padded = np.flatnonzero((flags & 0x0200 != 0) & (at + 2 <= draft.cut[rows]))
    at[padded] += 2 + draft.word(at[padded]).astype(np.int64)
    return _point_to_point(draft, rows, at, np.full(len(rows), _PPP, np.uint16))


def _ayiya(draft: Draft, rows: Rows, at: Offsets) -> Linked:
    """draft-massar-v6ops-ayiya: an identity and a signature stand before the packet."""
    identity = np.left_shift(1, (draft.octets[at] >> 4).astype(np.int64))
    size = 8 + identity + 4 * (draft.octets[at + 1] >> 4).astype(np.int64)
    six = draft.octets[at + 3] == _IPV6_NUMBER
    return _by_nibble(draft, rows[six], (at + size)[six])


_BY_PORT: dict[int, Reader] = {
    1701: _l2tp,
    2152: _gtp,
    3544: _teredo,
    4341: _lisp,
    4754: _gre,  # RFC 8086
    4789: _all(BRIDGED, skipped=8),  # VXLAN (RFC 7348)
    8472: _all(BRIDGED, skipped=8),  # Linux's choice before there was a number
    4790: _vxlan_gpe,
    5072: _ayiya,
    6081: _geneve,
    6635: _all(MPLS),  # RFC 7510
    37008: _tzsp,
}
_SMALLEST = 12
"""Octets of payload that a reader of `_BY_PORT` may look at without asking."""


def inside_datagrams(draft: Draft, rows: Rows) -> Linked | None:
    """The frames inside the UDP datagrams of these rows, where there are such."""
    ports = np.stack((draft.source_port[rows], draft.destination_port[rows]))
    known = np.isin(ports, tuple(_BY_PORT)).any(axis=0)
    known &= (draft.protocol[rows] == Protocol.UDP) & (draft.payload[rows] != ABSENT)
    rows, ports = rows[known], ports[:, known]
    held = draft.payload[rows] + _SMALLEST <= draft.cut[rows]
    rows, ports = rows[held], ports[:, held]
    if not len(rows):
        return None
    parts = []
    for port, read in _BY_PORT.items():
        here = rows[(ports == port).any(axis=0)]
        parts.append(read(draft, here, draft.payload[here]))
    return _believed(draft, past_shims(draft, parts[0].joined(*parts[1:])))


def _believed(draft: Draft, linked: Linked) -> Linked:
    """Keep what begins as an IP packet of its kind does."""
    linked = linked.where(linked.at < draft.cut[linked.rows])
    version = draft.octets[linked.at] >> 4
    return linked.where(
        (linked.kind == IPV4) & (version == 4) | (linked.kind == IPV6) & (version == 6)
    )
