"""What may stand between a link header and the network header: tags, labels, LLC, inner Ethernet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.packets.layers import DEEPEST, Draft, Rows

IPV4, ARP, IPV6, MPLS, MPLS_UPSTREAM, PPPOE = 0x0800, 0x0806, 0x86DD, 0x8847, 0x8848, 0x8864
BRIDGED = 0x6558
"""Transparent Ethernet bridging (RFC 1701): an Ethernet frame follows."""
UNKNOWN = 0xFFFF
Kinds = NDArray[np.uint16]
_LONGEST = 0x0600
"""Below, an EtherType is a length (IEEE 802.3) and LLC follows."""

_TAGS = {  # size, and where in it the next EtherType is
    0x8100: (4, 2),  # IEEE 802.1Q
    0x88A8: (4, 2),  # IEEE 802.1ad (QinQ)
    0x9100: (4, 2),  # QinQ before it had a number
    0x8909: (8, 6),  # Cisco MetaData
    0x8926: (6, 4),  # VN-Tag
    0x892F: (6, 4),  # HSR (IEC 62439-3)
    0x88E7: (18, 16),  # IEEE 802.1ah, with the addresses inside
    BRIDGED: (14, 12),
}
SERVICE, SECURED = 0x894F, 0x88E5
_SERVICE_KINDS = {1: IPV4, 2: IPV6, 3: BRIDGED, 5: MPLS}
PPP_KINDS = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS}
_SHIMS = (*_TAGS, MPLS, MPLS_UPSTREAM, PPPOE, SERVICE, SECURED)
_SNAP_SIZE, _PPPOE_SIZE, _LABEL = 8, 6, 4
_SNAP, _IP_SAPS, _UI, _ADDRESS = 0xAAAA, 0x0606, 0x03, 0xFF03
_CARRIED = np.array([IPV4, IPV6, ARP, MPLS, PPPOE, 0x8100, 0x88A8, 0x9100], np.uint16)


class Linked(NamedTuple):
    """Frames with what follows their link header."""

    rows: Rows
    at: NDArray[np.int64]
    kind: NDArray[np.uint16]  # EtherType

    def where(self, mask: NDArray[np.bool_]) -> Linked:
        """Keep the frames that the mask names."""
        return Linked(self.rows[mask], self.at[mask], self.kind[mask])

    def joined(self, *others: Linked) -> Linked:
        """These frames and others."""
        columns = zip(self, *others, strict=True)
        return Linked(*(np.concatenate(parts) for parts in columns))


def mapped(number: NDArray[np.uint16], kinds: Mapping[int, int]) -> NDArray[np.uint16]:
    """The EtherType of each protocol number of another kind."""
    kind = np.full(len(number), UNKNOWN, np.uint16)
    for value, found in kinds.items():
        kind[number == value] = found
    return kind


def past_shims(draft: Draft, linked: Linked) -> Linked:
    """Step over what comes before the network header; where it is cut off, nothing is known."""
    for _ in range(DEEPEST):
        shim = _is_shim(linked.kind)
        if not shim.any():
            break
        left = linked.where(shim)
        stepped = [step(draft, left.where(here(left.kind))) for here, step in _STEPS]
        linked = linked.where(~shim).joined(*stepped)
    return linked


def _is_shim(kind: NDArray[np.uint16]) -> NDArray[np.bool_]:
    shim: NDArray[np.bool_] = kind != IPV4
    if shim.any():
        other = kind[shim]
        shim[shim] = np.isin(other, _SHIMS) | (other < _LONGEST)
    return shim


def _tag(draft: Draft, linked: Linked) -> Linked:
    parts = []
    for value, (size, type_at) in _TAGS.items():
        rows, at, _ = linked.where(linked.kind == value)
        rows, at = draft.fitting(rows, at, size)
        parts.append(Linked(rows, at + size, draft.word(at + type_at)))
    return parts[0].joined(*parts[1:])


def _llc(draft: Draft, linked: Linked) -> Linked:
    """A SNAP header (RFC 1042) of no organisation, or of bridges of old, holds an EtherType.

    LLC alone may carry IP, too (RFC 948).
    """
    rows, at = draft.fitting(linked.rows, linked.at, _SNAP_SIZE)
    saps, plain = draft.word(at), draft.octets[at + 2] == _UI
    snap = plain & (saps == _SNAP) & (draft.octets[at + 3] == 0) & (draft.octets[at + 4] == 0)
    snap &= np.isin(draft.octets[at + 5], (0, 0xF8))
    kind = np.where(snap, draft.word(at + 6), 0)
    kind = np.where(kind < _LONGEST, UNKNOWN, kind)
    bare = plain & (saps == _IP_SAPS)
    kind[bare] = by_version(draft, at[bare] + 3)
    return Linked(rows, at + np.where(bare, 3, _SNAP_SIZE), kind.astype(np.uint16))


def by_version(draft: Draft, at: NDArray[np.int64]) -> Kinds:
    """The EtherType that the first half octet of an IP packet stands for."""
    version = draft.octets[at] >> 4
    return np.select([version == 4, version == 6], [IPV4, IPV6], UNKNOWN).astype(np.uint16)


def point_to_point(draft: Draft, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], Kinds]:
    """PPP (RFC 1661), with RFC 1662's address or without: where it ends, and the EtherType.

    Its protocol field is of one octet or two; four octets must be there.
    """
    at = at + 2 * (draft.word(at) == _ADDRESS)
    short = draft.octets[at] & 1 == 1
    number = np.where(short, draft.octets[at], draft.word(at)).astype(np.uint16)
    return at + np.where(short, 1, 2), mapped(number, PPP_KINDS)


def _session(draft: Draft, linked: Linked) -> Linked:
    """PPPoE (RFC 2516)."""
    rows, at = draft.fitting(linked.rows, linked.at, _PPPOE_SIZE + 4)
    return Linked(rows, *point_to_point(draft, at + _PPPOE_SIZE))


def _service(draft: Draft, linked: Linked) -> Linked:
    """A network service header (RFC 8300)."""
    rows, at = draft.fitting(linked.rows, linked.at, 8)
    size = 4 * (draft.octets[at + 1] & 0x3F).astype(np.int64)
    return Linked(rows, at + size, mapped(draft.octets[at + 3].astype(np.uint16), _SERVICE_KINDS))


def _secured(draft: Draft, linked: Linked) -> Linked:
    """MACsec (IEEE 802.1AE) that protects a frame and leaves it readable."""
    rows, at = draft.fitting(linked.rows, linked.at, 8)
    control = draft.octets[at]
    readable = control & 0x0C == 0
    rows, at, named = rows[readable], at[readable], control[readable] & 0x20 != 0
    rows, at = draft.fitting(rows, at + 6 + 8 * named, 2)
    return Linked(rows, at + 2, draft.word(at))


def _label(draft: Draft, linked: Linked) -> Linked:
    """MPLS (RFC 3032): what is below the last label says by its first half octet what it is.

    Neither IPv4 nor IPv6: a pseudowire (RFC 4448), with a control word or without, if what would
    be its EtherType is one.
    """
    rows, at = draft.fitting(linked.rows, linked.at, _LABEL + 1)
    last, at = draft.octets[at + 2] & 1 == 1, at + _LABEL
    nibble = draft.octets[at] >> 4
    plain, behind = _is_ethernet(draft, rows, at), _is_ethernet(draft, rows, at + 4)
    wire = np.where(plain | behind & (nibble == 0), BRIDGED, UNKNOWN)
    kind = np.select([~last, nibble == 4, nibble == 6], [MPLS, IPV4, IPV6], wire)
    skipped = 4 * (last & (kind == BRIDGED) & ~plain)
    return Linked(rows, at + skipped, kind.astype(np.uint16))


def _is_ethernet(draft: Draft, rows: Rows, at: NDArray[np.int64]) -> NDArray[np.bool_]:
    there = at + 14 <= draft.cut[rows]
    found = np.zeros(len(rows), np.bool_)
    found[there] = np.isin(draft.word(at[there] + 12), _CARRIED)
    return found


_STEPS: tuple[
    tuple[Callable[[Kinds], NDArray[np.bool_]], Callable[[Draft, Linked], Linked]], ...
] = (
    (lambda kind: kind < _LONGEST, _llc),
    (lambda kind: (kind == MPLS) | (kind == MPLS_UPSTREAM), _label),
    (lambda kind: kind == PPPOE, _session),
    (lambda kind: kind == SERVICE, _service),
    (lambda kind: kind == SECURED, _secured),
    (lambda kind: np.isin(kind, tuple(_TAGS)), _tag),
)
