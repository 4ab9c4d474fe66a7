"""Wireshark's analysis flags (tcp.analysis.*), rule by rule, one connection at a time.

A segment is judged by what its own direction (``f``) and the reverse direction (``r``) have
shown before it. Comparisons are modulo 2^32; a number not yet known is None.

TShark differs where it takes 0 for a number not yet known, a window scale without SYN for one (RFC
7323 section 2.2 has it ignored), or stops at options that are cut or malformed before it tells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from lab.tcp.model import Analysis
from lab.tcp.segments import MODULUS, Segment, distance

NOTHING = Analysis(0)
FAST_RETRANSMISSION_WITHIN = 20_000_000  # ns since the acknowledgments that asked for it
DEFAULT_RTT = 3_000_000  # ns, while the handshake's is not known
ENDLESS = (
    1 << 62
)  # ns, where the clock went backwards during the handshake: Wireshark's is unsigned
LARGEST_SHIFT = 14  # RFC 7323 section 2.3
UNSCALED = -1  # a SYN came without the option (RFC 7323 section 2.2)


class Direction(Struct):
    """What one direction has shown so far."""

    base: int | None = None  # its ISN, seen or inferred
    next: int | None = None  # highest sequence end
    filled: bool = False  # data reached that end, no pure ACK did
    contiguous: int | None = None  # end of the data without a hole ("maxack")
    acknowledged: int | None = None  # its last segment's ACK field; 0 without ACK is none
    time: int = 0  # of the last segment, ns
    window: int | None = None  # last one announced, unscaled
    shift: int | None = None  # None: not known; UNSCALED
    syn: bool = False  # its last segment was a SYN
    last: Analysis = NOTHING  # flags of its last segment
    duplicates: int = 0  # duplicate ACKs in a row
    sack: tuple[tuple[int, int], ...] = ()
    unacknowledged: deque[tuple[int, int]] = field(default_factory=deque)
    ordered: bool = True  # those segments follow each other


class Verdicts(Struct, frozen=True):
    """The flags of a connection's segments, by frame number."""

    flags: Mapping[int, Analysis]
    duplicate_acks: Mapping[int, int]


def analyse(
    segments: Iterable[Segment],
    rtt: tuple[int, int] | None,
) -> Verdicts:
    """Judge each segment of one connection.

    Args:
        segments: in capture order.
        rtt: frame number of the segment that gave the initial RTT, and that (ns).
    """
    sides = Direction(), Direction()
    flags: dict[int, Analysis] = {}
    duplicate_acks: dict[int, int] = {}
    patience = DEFAULT_RTT
    for segment in segments:
        f, r = sides[segment.side], sides[1 - segment.side]
        found = _judge(segment, f, r, patience)
        if found & Analysis.DUPLICATE_ACK:
            duplicate_acks[segment.frame] = f.duplicates
        if found:
            flags[segment.frame] = found
        _remember(segment, found, f, r)
        if rtt and segment.frame == rtt[0]:
            patience = rtt[1] if rtt[1] >= 0 else ENDLESS
    return Verdicts(flags, duplicate_acks)


def _judge(s: Segment, f: Direction, r: Direction, patience: int) -> Analysis:
    if s.syn and not s.ack:  # once more: Wireshark goes back to before the first hole
        f.next = f.contiguous
    if _is_zero_window_probe(s, f, r):
        found = Analysis.ZERO_WINDOW_PROBE
    else:
        found = _standing(s, f, r) | _acknowledgment(s, f, r)
    if s.acknowledgment != f.acknowledged:
        f.duplicates = 0
    found |= _unseen(s, f, r)
    if not found & Analysis.KEEP_ALIVE and (s.length or s.syn or s.fin):
        found |= _resent(s, f, r, patience)
    return found


# ---------------------------------------------------------------- one segment by itself


def _standing(s: Segment, f: Direction, r: Direction) -> Analysis:
    found = NOTHING
    if s.window == 0 and not s.control:
        found |= Analysis.ZERO_WINDOW
    if f.next is not None and distance(s.sequence, f.next) > 0 and not s.rst:
        found |= Analysis.LOST_SEGMENT
    if _is_keep_alive(s, f):
        found |= Analysis.KEEP_ALIVE
    if _is_window_update(s, f):
        found |= Analysis.WINDOW_UPDATE
    if _fills_window(s, r):
        found |= Analysis.WINDOW_FULL
    return found


def _is_zero_window_probe(s: Segment, f: Direction, r: Direction) -> bool:
    return s.length == 1 and s.sequence == f.next and r.window == 0


def _is_keep_alive(s: Segment, f: Direction) -> bool:
    behind_by_one = f.next is not None and distance(f.next, s.sequence) == 1
    return s.length <= 1 and behind_by_one and not s.control


def _is_window_update(s: Segment, f: Direction) -> bool:
    opened = s.window != 0 and s.window != f.window
    same_ack = s.acknowledgment == f.acknowledged
    return _adds_nothing(s, f) and same_ack and opened and not s.selective


def _fills_window(s: Segment, r: Direction) -> bool:
    if not s.length or s.control or r.acknowledged is None or r.window is None or r.shift is None:
        return False
    room = r.window << (0 if r.syn else max(r.shift, 0))
    return distance(s.sequence + s.length, r.acknowledged + room) == 0


def _adds_nothing(s: Segment, f: Direction) -> bool:
    return s.length == 0 and s.sequence == f.next and not s.control


# ---------------------------------------------------------------- what it acknowledges


def _acknowledgment(s: Segment, f: Direction, r: Direction) -> Analysis:
    """Keep-alive ACK, zero window probe ACK or duplicate ACK: the first that fits."""
    if not _adds_nothing(s, f):
        return NOTHING
    same_window = s.window == f.window
    if not s.window and same_window and _takes_probe(s, f, r):
        r.next = r.contiguous = s.acknowledgment
        return Analysis.ZERO_WINDOW_PROBE_ACK
    if s.acknowledgment != f.acknowledged:
        return NOTHING
    if s.window and same_window and r.last & Analysis.KEEP_ALIVE:
        return Analysis.KEEP_ALIVE_ACK
    if not s.window and same_window and r.last & Analysis.ZERO_WINDOW_PROBE:
        return Analysis.ZERO_WINDOW_PROBE_ACK
    if s.window and (same_window or s.selective):
        f.duplicates += 1
        return Analysis.DUPLICATE_ACK
    return NOTHING


def _takes_probe(s: Segment, f: Direction, r: Direction) -> bool:
    """It acknowledges the octet of a zero window probe, which had not counted as sent."""
    if f.acknowledged is None or not r.last & Analysis.ZERO_WINDOW_PROBE:
        return False
    return s.sequence == f.next and distance(s.acknowledgment, f.acknowledged) == 1


def _unseen(s: Segment, f: Direction, r: Direction) -> Analysis:
    """ACKed unseen segment; the boundary moves along, so that one hole is told once."""
    if not s.ack or r.contiguous is None or distance(s.acknowledgment, r.contiguous) <= 0:
        return NOTHING
    r.contiguous = s.acknowledgment
    for start, end in r.unacknowledged:
        if distance(start, s.acknowledgment) >= 0:
            if start != r.contiguous:
                break
            r.contiguous = end
    if not _takes_probe(s, f, r):
        return Analysis.ACK_LOST_SEGMENT
    r.next = r.contiguous = s.acknowledgment
    if not s.selective:
        return Analysis.WINDOW_UPDATE
    f.duplicates += 1
    return Analysis.DUPLICATE_ACK


# ---------------------------------------------------------------- seen before, or late


def _resent(s: Segment, f: Direction, r: Direction, patience: int) -> Analysis:
    """Spurious, fast, out-of-order or plain retransmission: the first that fits."""
    end = s.sequence + s.length
    if s.length and r.acknowledged is not None and distance(end, r.acknowledged) <= 0:
        return Analysis.RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION
    if not _is_behind(s, f):
        return NOTHING
    if _is_fast(s, f, r):
        return Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION
    if _is_out_of_order(s, f, r, patience):
        return Analysis.OUT_OF_ORDER
    return Analysis.RETRANSMISSION


def _is_behind(s: Segment, f: Direction) -> bool:
    if f.next is None:
        return False
    behind = distance(f.next, s.sequence)
    return behind > 0 and not (s.length > 1 and behind == 1)  # one octet may have been a probe


def _is_fast(s: Segment, f: Direction, r: Direction) -> bool:
    """Wireshark holds the numbers as sent against SACK blocks that count from the ISN."""
    if r.duplicates < 2 or s.time - r.time >= FAST_RETRANSMISSION_WITHIN:
        return False
    if s.sequence == r.acknowledged:
        return True
    begin, end, base = s.sequence, (s.sequence + s.length) % MODULUS, f.base or 0
    covered = any(
        (left - base) % MODULUS <= begin and end <= (right - base) % MODULUS
        for left, right in r.sack
    )
    return bool(r.sack) and not covered


def _is_out_of_order(s: Segment, f: Direction, r: Direction, patience: int) -> bool:
    end = s.sequence + s.length
    seen = any(
        distance(s.sequence, start) >= 0 and distance(stop, end) >= 0
        for start, stop in f.unacknowledged
    )
    at_edge = f.filled and s.end == f.next
    return not seen and s.time - r.time < patience and not at_edge


# ---------------------------------------------------------------- what is kept of it


def _remember(s: Segment, found: Analysis, f: Direction, r: Direction) -> None:
    if f.base is None:
        f.base = s.sequence - (not s.syn)
    if r.base is None and s.ack:
        r.base = s.acknowledgment - 1
    if found & Analysis.ZERO_WINDOW_PROBE:
        f.filled = True
    else:
        if f.next is None or distance(s.end, f.next) > 0:
            f.filled, f.next = _fills(s, f), s.end
        if f.contiguous is None or s.sequence == f.contiguous:
            f.contiguous = f.next
    if s.length or s.syn or s.fin:
        _store(s, f)
    f.acknowledged = s.acknowledgment if s.ack or s.acknowledgment else None
    f.time, f.window = s.time, s.window
    f.sack, f.syn, f.last = s.sack, s.syn, found
    if r.unacknowledged:  # even what no ACK flag vouches for
        _release(r, s.acknowledgment)
    if s.syn:
        _learn_scale(s, f, r)


def _learn_scale(s: Segment, f: Direction, r: Direction) -> None:
    """Take in a SYN's window scale; what came before it was measured without."""
    offered = s.options.window_scale if s.options else None
    if offered is not None:
        f.shift = min(offered, LARGEST_SHIFT)
    elif f.shift is None and s.whole:
        f.shift = r.shift = UNSCALED
    if s.ack and r.shift == UNSCALED:
        f.shift = UNSCALED


def _fills(s: Segment, f: Direction) -> bool:
    """Whether data reach the new highest end: those of a segment, or a FIN right after them."""
    beyond = 1 if f.next is None else distance(s.sequence + s.length, f.next)
    return (s.length > 0 and beyond > 0) or (f.filled and s.fin and beyond == 0)


def _store(s: Segment, f: Direction) -> None:
    stored = f.unacknowledged
    f.ordered = not stored or (f.ordered and distance(s.sequence, stored[-1][1]) >= 0)
    stored.append((s.sequence, s.end))


def _release(r: Direction, acknowledged: int) -> None:
    """Keep what an acknowledgment leaves: wholes that it does not reach, the rest of a split one."""
    stored = r.unacknowledged
    if r.ordered:
        while stored and distance(stored[0][1], acknowledged) <= 0:
            stored.popleft()
        if stored and distance(acknowledged, stored[0][0]) > 0:
            stored[0] = acknowledged, stored[0][1]
        return
    r.unacknowledged = deque(
        (acknowledged if distance(acknowledged, start) > 0 else start, end)
        for start, end in stored
        if distance(end, acknowledged) > 0
    )
