"""The connections of which something may be said; the plain ones are passed over as columns.

Plain is what nothing can be found in: opened by SYN, SYN,ACK and ACK with options, closed in order
by both ends, without a reset, an analysis flag, a segment larger than any MSS, or data that seems
to have waited for a delayed ACK.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lab.evidence.run import View
from lab.packets.frames import Flags, Frames
from lab.tcp.columns import Ints, Mask, Segments
from lab.tcp.connections import Connections
from lab.tcp.model import Analysis, Connection, Handshake, Teardown
from lab.tcp.segments import ACK, FIN, RST, SYN
from lab.tcp.table import Table

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


def suspects(view: View) -> Iterator[Connection]:
    """Those connections of a view, in order; each is made only now, if the view makes them so."""
    if not isinstance(view.connections, Connections):
        yield from _at_hand(view.connections, view.capture.frames)
        return
    columns = view.connections.table
    found = ~plain(columns, view.capture.frames)
    found |= _same_ports(columns, view.capture.frames)
    yield from (view.connections[number] for number in np.flatnonzero(found).tolist())


def _at_hand(connections: Sequence[Connection], frames: Frames) -> Iterator[Connection]:
    """The same of connections that are made already."""
    again = {
        frozenset((one.client, one.server))
        for one in connections
        if one.flags.get(int(one.rows[0]) + 1, Analysis(0)) & Analysis.REUSED_PORTS
    }
    for one in connections:
        if frozenset((one.client, one.server)) in again or not _is_plain(one, frames):
            yield one


def _is_plain(one: Connection, frames: Frames) -> bool:
    orderly = one.teardown in (Teardown.FOUR_SEGMENTS, Teardown.THREE_SEGMENTS)
    if one.flags or not orderly or one.handshake is not Handshake.THREE_WAY or None in one.mss:
        return False
    length = frames.payload_length[one.rows]
    odd = ((frames.flags[one.rows] & REMARKABLE) != 0) | (length > LARGEST_MSS)
    return not (odd | set_free(frames.time[one.rows], length.astype(np.int64))).any()


def plain(columns: Table, frames: Frames) -> Mask:
    """Which connections are plain."""
    s = columns.segments
    if not len(s.first):
        return np.empty(0, np.bool_)
    control = (s.flags & (SYN | FIN | RST | ACK)).astype(np.int64)
    odd = (columns.flags != 0) | ((s.flags & REMARKABLE) != 0) | (s.length > LARGEST_MSS)
    last = s.first + s.counts() - 1
    odd |= set_free(s.time, s.length)
    found = ~np.logical_or.reduceat(odd, s.first) & ~columns.reused
    return found & _opened(s, control, frames) & _closed(s, last)


def set_free(time: Ints, length: Ints) -> Mask:
    """Data that follows at once an empty segment that came late behind data: by the times alone."""
    found = np.zeros(len(time), np.bool_)
    gap = np.diff(time)
    late = (gap[:-1] >= DELAYED[0]) & (gap[:-1] <= DELAYED[1]) & (gap[1:] <= AT_ONCE)
    found[2:] = late & (length[:-2] > 0) & (length[1:-1] == 0) & (length[2:] > 0)
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
    fins = np.flatnonzero(s.flags & FIN)
    count = np.add.reduceat(((s.flags & FIN) != 0).astype(np.int64), s.first)
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
    """Connections that share their ports with one that used them again."""
    rows = columns.segments.row[columns.segments.first]
    ports = np.sort(np.stack([frames.source_port[rows], frames.destination_port[rows]]), axis=0)
    names = ports[0].astype(np.int64) << 16 | ports[1]
    return np.isin(names, names[columns.reused])
