"""The connections of which something may be said; the plain ones are passed over as columns.

Plain is what nothing can be found in: opened by SYN, SYN,ACK and ACK with options, closed in order
by both ends, without a reset, an analysis flag, a segment larger than any MSS, or data that seems
to have waited for a delayed ACK.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from lab.evidence.glance import table
from lab.evidence.run import View
from lab.packets.distinct import among
from lab.packets.frames import Flags, Frames
from lab.packets.pairs import pairs
from lab.packets.parts import fetched
from lab.tcp.columns import Ints, Mask, Segments
from lab.tcp.connections import Picked
from lab.tcp.model import Connection
from lab.tcp.segments import ACK, FIN, RST, SYN
from lab.tcp.table import Part, Table

DELAYED = 35_000_000, 500_000_000
"""ns that a receiver may delay an ACK (RFC 1122 section 4.2.3.2; Linux waits 40 ms and more)."""
AT_ONCE = 2_000_000
"""ns from an ACK to the data that it set free."""
LARGEST_MSS = 1460
"""Octets: what fits into Ethernet's MTU; more in one segment may be the work of offload."""
WITH_OPTIONS = 24  # octets of a TCP header with the shortest MSS option
MODULUS = 1 << 32
REMARKABLE = RST | int(Flags.URG | Flags.ECE | Flags.CWR)
OPENING = (SYN, SYN | ACK, ACK)


class Suspects(Struct, frozen=True):
    """The connections of a view in which there may be something to find."""

    columns: Table  # of all connections
    numbers: Ints  # of the suspects, ascending
    closely: Sequence[Connection]  # those that are looked at one by one, in order
    all_asked_for: bool = True  # those are as many as were asked for


def suspects(view: View, at_most: int | None = None, only: Ints | None = None) -> Suspects:
    """Choose them from the columns.

    Args:
        view: where they are.
        at_most: of more than this, only the worst of each kind are looked at closely.
        only: no others than these are looked at closely.
    """
    columns, numbers = table(view), np.flatnonzero(unusual(view))
    asked = chosen = numbers if only is None else numbers[among(numbers, only)]
    if at_most is not None and len(asked) > at_most:
        from lab.evidence.traits import worst  # small captures have no use for it

        chosen = worst(columns, asked, at_most)
    closely = Picked(view.connections, chosen.tolist())
    return Suspects(columns, numbers, closely, len(chosen) == len(asked))


def unusual(view: View) -> Mask:
    """Which connections are not plain, or share their ports with one that used them again."""
    columns, frames = table(view), view.capture.frames
    return ~plain(columns, frames) | _same_ports(columns, frames)


def plain(columns: Table, frames: Frames) -> Mask:
    """Which connections are plain."""
    found = [np.zeros(0, np.bool_), *(_plain(part, frames) for part in columns.parts())]
    return np.concatenate(found) & ~columns.reused


def _plain(part: Part, frames: Frames) -> Mask:
    s = part.segments
    control = (s.flags & (SYN | FIN | RST | ACK)).astype(np.int64)
    odd = (part.flags != 0) | ((s.flags & REMARKABLE) != 0) | (s.length > LARGEST_MSS)
    last = s.first + s.counts() - 1
    odd |= set_free(s.time, s.length, s.first)
    found = ~np.logical_or.reduceat(odd, s.first)
    return found & _opened(s, control, frames) & _closed(s, last)


def set_free(time: Ints, length: Ints, first: Ints) -> Mask:
    """Data that follows at once an empty segment that came late behind data: by the times alone.

    ``first``: where each connection begins.
    """
    found = np.zeros(len(time), np.bool_)
    gap = np.diff(time)
    late = (gap[:-1] >= DELAYED[0]) & (gap[:-1] <= DELAYED[1]) & (gap[1:] <= AT_ONCE)
    found[2:] = late & (length[:-2] > 0) & (length[1:-1] == 0) & (length[2:] > 0)
    found[first] = False
    found[np.minimum(first + 1, len(time) - 1)] = False  # nor the second: three take part
    return found


def _opened(s: Segments, control: Ints, frames: Frames) -> Mask:
    """SYN, SYN,ACK, ACK; both SYNs have options."""
    found = s.counts() > len(OPENING)
    for place, (wanted, second) in enumerate(zip(OPENING, (False, True, False), strict=True)):
        at = np.minimum(s.first + place, len(s.row) - 1)
        found &= (control[at] == wanted) & (s.second[at] == second)
        if wanted & SYN:
            rows = s.row[at]
            found &= frames.payload[rows] - frames.transport[rows] >= WITH_OPTIONS
    syns = np.add.reduceat(((control & SYN) != 0).astype(np.int64), s.first)
    return np.asarray(found & (syns == 2))


def _closed(s: Segments, last: Ints) -> Mask:
    """Two FINs: the second acknowledges the first, and the last segment the second."""
    fin = (s.flags & FIN) != 0
    fins, count = np.flatnonzero(fin), np.add.reduceat(fin.astype(np.int64), s.first)
    found: Mask = np.asarray(count == 2)
    begin = np.searchsorted(fins, s.first[found])
    one, two, end = fins[begin], fins[begin + 1], last[found]
    fits = (s.second[one] != s.second[two]) & (s.second[end] == s.second[one]) & (end > two)
    for fin, answer in ((one, two), (two, end)):
        after = (s.sequence[fin].astype(np.int64) + s.length[fin] + 1) % MODULUS
        fits &= s.acknowledgment[answer] == after
    found[found] = fits
    return found


def _same_ports(columns: Table, frames: Frames) -> Mask:
    """Connections that share their endpoints with one that used them again."""
    rows = columns.begins()
    ends = (fetched(column, rows) for column in (frames.source_port, frames.destination_port))
    ports = np.sort(np.stack([*ends]), axis=0)
    names = ports[0].astype(np.int64) << 16 | ports[1]
    found = among(names, names[columns.reused])
    at = np.flatnonzero(found)
    if len(at):  # few, and not all between the same hosts
        sharing = pairs(frames, rows[at])
        again = np.logical_or.reduceat(columns.reused[at[sharing.order]], sharing.first)
        counts = np.diff(sharing.first, append=len(at))
        found[at[sharing.order]] = np.repeat(again, counts)
    return found
