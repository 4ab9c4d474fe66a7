"""The link layer: for each frame, which network header follows and where it begins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import Direction
from lab.packets.layers import DEEPEST, Draft, Rows

NULL, ETHERNET, LOOP, COOKED, COOKED_2, RAW_IPV4, RAW_IPV6 = 0, 1, 108, 113, 276, 228, 229
RAW = frozenset({101, 12, 14})  # LINKTYPE_RAW, and the values that DLT_RAW has had

DECODED = sorted(RAW | {NULL, ETHERNET, LOOP, COOKED, COOKED_2, RAW_IPV4, RAW_IPV6})
"""The link types that can be read; frames of others have neither network nor transport header."""

IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
PPPOE = 0x8864  # the session stage (RFC 2516)
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)  # IEEE 802.1Q, 802.1ad (QinQ), and QinQ before it had a number

_UNKNOWN_TYPE = 0
_OUTGOING = 4  # sll_pkttype PACKET_OUTGOING, see packet(7)
_INET6_FAMILIES = (10, 24, 28, 30)  # AF_INET6 of Linux, NetBSD, FreeBSD, Darwin
_INET_FAMILY = 2
_PPP_IPV4, _PPP_IPV6 = 0x0021, 0x0057

_ETHERNET = np.dtype([("addresses", "V12"), ("type", ">u2")])
_TAG = np.dtype([("control", ">u2"), ("type", ">u2")])
_SNAP = np.dtype([("llc", "V3"), ("organisation", "V3"), ("type", ">u2")])
_COOKED = np.dtype([("packet", ">u2"), ("skipped", "V12"), ("type", ">u2")])
_COOKED_2 = np.dtype([("type", ">u2"), ("skipped", "V8"), ("packet", "u1"), ("rest", "V9")])
_FAMILY = np.dtype([("family", "<u4")])
_PPPOE = np.dtype([("session", "V6"), ("protocol", ">u2")])
_OCTET = np.dtype([("first", "u1")])


class Linked(NamedTuple):
    """Frames with what follows their link header."""

    rows: Rows
    at: NDArray[np.int64]
    kind: NDArray[np.uint16]  # EtherType


def link_layer(draft: Draft, start: NDArray[np.int64], rows: Rows, link_type: int) -> Linked:
    """Read the link header of these frames, all of one type of `DECODED`, tags included."""
    at = start[rows]
    if link_type == ETHERNET:
        return _pppoe(draft, _untagged(draft, _snap(draft, _fixed(draft, rows, at, _ETHERNET))))
    if link_type == COOKED:
        return _untagged(draft, _fixed(draft, rows, at, _COOKED))
    if link_type == COOKED_2:
        return _untagged(draft, _fixed(draft, rows, at, _COOKED_2))
    if link_type in {NULL, LOOP}:
        return _family(draft, rows, at)
    return _raw(draft, rows, at)


def _fixed(draft: Draft, rows: Rows, at: NDArray[np.int64], layout: np.dtype[np.void]) -> Linked:
    """A header of fixed size that holds an EtherType and, if cooked, the packet's direction."""
    fits = draft.fits(rows, at, layout.itemsize)
    rows, at = rows[fits], at[fits]
    header = draft.headers(layout, at)
    if "packet" in (layout.names or ()):
        seen = np.where(header["packet"] == _OUTGOING, Direction.OUTBOUND, Direction.INBOUND)
        known = draft.direction[rows]
        draft.direction[rows] = np.where(known == Direction.UNKNOWN, seen, known)
    return Linked(rows, at + layout.itemsize, header["type"].astype(np.uint16))


def _snap(draft: Draft, linked: Linked) -> Linked:
    """IEEE 802.3 frames state a length instead of a type; a SNAP header may hold the type."""
    rows, at, kind = linked
    short = np.flatnonzero(kind < 0x0600)
    if not len(short):
        return linked
    short = short[at[short] + _SNAP.itemsize <= draft.cut[rows[short]]]
    header = draft.headers(_SNAP, at[short])
    here = (header["llc"] == np.void(b"\xaa\xaa\x03")) & (
        header["organisation"] == np.void(b"\0\0\0")
    )
    kind[short[here]] = header["type"][here]
    at[short[here]] += _SNAP.itemsize
    return Linked(rows, at, kind)


def _untagged(draft: Draft, linked: Linked) -> Linked:
    """Step over VLAN tags; where one is cut off, what follows is not known."""
    rows, at, kind = linked
    for _ in range(DEEPEST):
        tagged = np.flatnonzero(np.isin(kind, VLAN_TAGS))
        if not len(tagged):
            break
        fits = draft.fits(rows[tagged], at[tagged], _TAG.itemsize)
        kind[tagged[~fits]] = _UNKNOWN_TYPE
        tagged = tagged[fits]
        kind[tagged] = draft.headers(_TAG, at[tagged])["type"]
        at[tagged] += _TAG.itemsize
    return Linked(rows, at, kind)


def _pppoe(draft: Draft, linked: Linked) -> Linked:
    """Step over a PPPoE session header."""
    rows, at, kind = linked
    session = np.flatnonzero(kind == PPPOE)
    session = session[draft.fits(rows[session], at[session], _PPPOE.itemsize)]
    if len(session):
        protocol = draft.headers(_PPPOE, at[session])["protocol"]
        six = np.where(protocol == _PPP_IPV6, IPV6, _UNKNOWN_TYPE)
        kind[session] = np.where(protocol == _PPP_IPV4, IPV4, six)
        at[session] += _PPPOE.itemsize
    return linked


def _family(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    """BSD loopback: an address family, in network order (108) or the writer's own order (0)."""
    fits = draft.fits(rows, at, 4)
    rows, at = rows[fits], at[fits]
    family = draft.headers(_FAMILY, at)["family"].astype(np.uint32)
    family = np.where(family > 0xFFFF, family.byteswap(), family)  # no family is so large
    six = np.where(np.isin(family, _INET6_FAMILIES), IPV6, _UNKNOWN_TYPE)
    kind = np.where(family == _INET_FAMILY, IPV4, six).astype(np.uint16)
    return Linked(rows, at + 4, kind)


def _raw(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> Linked:
    fits = draft.fits(rows, at, 1)
    rows, at = rows[fits], at[fits]
    version = draft.headers(_OCTET, at)["first"] >> 4
    six = np.where(version == 6, IPV6, _UNKNOWN_TYPE)
    return Linked(rows, at, np.where(version == 4, IPV4, six).astype(np.uint16))
