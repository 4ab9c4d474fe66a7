"""Two captures of one path, taken at both ends: which frames both saw, which only one."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.identity import (
    Identity,
    Names,
    Rows,
    by_initial_number,
    by_octets,
    by_packet,
    by_wire_log,
)
from lab.packets.frames import Capture, Frames
from lab.packets.rows import frame
from lab.wire.touched import Touched

MANY = 1_000_000
"""Comparisons that are worth while to find which of several equal frames was lost."""

_V4_LINK_LOCAL = 0xFFFF_E000_00  # ::ffff:224.0.0.0/120, without its last octet (RFC 5771)
_V6_LINK_LOCAL = 0xFE80_0000_0000_0000
_V6_MULTICAST_LINK_LOCAL = 0xFF02


class Match(Struct, frozen=True):
    """Indices into the columns of two captures; all arrays ascend by the first capture's order.

    A frame in ``only_first`` that was on its way to the second vantage point was lost between.
    """

    first: NDArray[np.int64]  # entry k of first and entry k of second are the same frame
    second: NDArray[np.int64]
    only_first: NDArray[np.int64]
    only_second: NDArray[np.int64]
    transit: NDArray[np.int64]  # ns from the first vantage point to the second; negative: back
    routed: bool = False  # a router between them: what stays on one link is seen once


def match_views(first: Capture, second: Capture, touched: Collection[Touched] = ()) -> Match:
    """Pair the frames of two captures, in time linear in both.

    Frames that are octet for octet the same come first; then those that the lab's own wire
    rewrote (``touched``, its log); then packets that a router passed on; at last SYNs whose
    options a middlebox changed. Of equal frames, the k-th here is the k-th there, if there are as
    many; else as their times fit best, in order.
    """
    here, there = np.arange(len(first.frames)), np.arange(len(second.frames))
    pairs: list[tuple[Rows, Rows]] = []
    passed = 0
    for identity in (by_octets, by_wire_log(touched), by_packet, by_initial_number):
        mine, theirs = _paired(first, second, here, there, identity)
        pairs.append((mine, theirs))
        here, there = here[~np.isin(here, mine)], there[~np.isin(there, theirs)]
        passed += len(mine) if identity is by_packet else 0
    ours, other = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    order = np.argsort(ours)
    ours, other = ours[order], other[order]
    transit = second.frames.time[other] - first.frames.time[ours]
    return Match(ours, other, here, there, transit, routed=passed > 0)


def _paired(
    first: Capture, second: Capture, here: Rows, there: Rows, identity: Identity
) -> tuple[Rows, Rows]:
    """The frames of both with the same name."""
    numbers: dict[Hashable, int] = {}
    ours = _numbered(identity(first, here), numbers)
    theirs = _numbered(identity(second, there), numbers)
    named, known = np.flatnonzero(ours >= 0), np.flatnonzero(theirs >= 0)
    counts = np.bincount(ours[named], minlength=len(numbers))
    other_counts = np.bincount(theirs[known], minlength=len(numbers))
    as_many = counts == other_counts
    plain, other_plain = named[as_many[ours[named]]], known[as_many[theirs[known]]]
    order = plain[np.argsort(ours[plain], kind="stable")]
    other_order = other_plain[np.argsort(theirs[other_plain], kind="stable")]
    pairs = [(here[order], there[other_order])]
    transit = second.frames.time[pairs[0][1]] - first.frames.time[pairs[0][0]]
    offset = int(np.median(transit)) if len(transit) else 0
    for kind in np.flatnonzero(~as_many & (counts > 0) & (other_counts > 0)).tolist():
        mine, other = here[ours == kind], there[theirs == kind]
        pairs.append(
            _in_time(mine, other, first.frames.time[mine] + offset, second.frames.time[other])
        )
    mine, other = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return mine, other


def _numbered(names: Names, numbers: dict[Hashable, int]) -> NDArray[np.int64]:
    """A small number for each name, the same in both captures; -1 where there is none."""
    found = (-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names)
    return np.fromiter(found, np.int64, len(names))


def _in_time(
    mine: Rows, other: Rows, times: NDArray[np.int64], other_times: NDArray[np.int64]
) -> tuple[Rows, Rows]:
    """Equal frames, of which one side has more: in order, and as near in time as can be."""
    if len(mine) > len(other):
        back, forth = _in_time(other, mine, other_times, times)
        return forth, back
    if len(mine) * len(other) > MANY:
        return mine, other[: len(mine)]
    return mine, other[_nearest(times.tolist(), other_times.tolist())]


def _nearest(few: Sequence[int], many: Sequence[int]) -> list[int]:
    """For each of a few times one of many, in order, with the least sum of differences."""
    spare = len(many) - len(few)
    best = [0] * (spare + 1)  # entry s: least sum so far, if s of the many were left out
    chosen: list[list[int]] = []
    for index, time in enumerate(few):
        choice, least = [0] * (spare + 1), [0] * (spare + 1)
        for left_out in range(spare + 1):
            cost = best[left_out] + abs(many[index + left_out] - time)
            fewer = left_out and least[left_out - 1] <= cost
            least[left_out] = least[left_out - 1] if fewer else cost
            choice[left_out] = choice[left_out - 1] if fewer else left_out
        best = least
        chosen.append(choice)
    found, left_out = [], spare
    for index in reversed(range(len(few))):
        left_out = chosen[index][left_out]
        found.append(index + left_out)
    return found[::-1]


# ------------------------------------------------------------- what could have been seen twice


def between_hosts(
    match: Match, first: Capture, second: Capture, links: Collection[str], since: int, until: int
) -> Match:
    """Leave out what no loss can explain: frames alone in one capture that no host sent (a switch
    speaks to one port only), from a time when just one of the two ports was recorded, or, with a
    router between, that no router passes on.

    ``links``: the hosts' MAC addresses (none known: every frame counts); times in ns.
    """
    only_first, only_second = match.only_first, match.only_second
    if match.routed:
        only_first = only_first[_beyond_one_link(first.frames, only_first)]
        only_second = only_second[_beyond_one_link(second.frames, only_second)]
    return replace(
        match,
        only_first=_expected(first, only_first, links, since, until),
        only_second=_expected(second, only_second, links, since, until),
    )


def _beyond_one_link(frames: Frames, rows: Rows) -> NDArray[np.bool_]:
    """IP packets, but for those whose addresses are of one link (RFC 4291, RFC 5771)."""
    source, to = frames.source[rows], frames.destination[rows]
    is_ip = frames.ip_version[rows] != 0
    one_link = (source[:, 0] == _V6_LINK_LOCAL) | (to[:, 0] == _V6_LINK_LOCAL)
    one_link |= to[:, 0] >> np.uint64(48) == _V6_MULTICAST_LINK_LOCAL
    one_link |= (to[:, 0] == 0) & (to[:, 1] >> np.uint64(8) == _V4_LINK_LOCAL)
    return np.asarray(is_ip & ~one_link, np.bool_)


def _expected(
    capture: Capture, rows: Rows, links: Collection[str], since: int, until: int
) -> NDArray[np.int64]:
    time = capture.frames.time[rows]
    rows = rows[(time >= since) & (time <= until)]
    if not links:
        return rows
    sent = [frame(capture, int(row)).link_source in links for row in rows]
    return rows[np.array(sent, np.bool_)]
