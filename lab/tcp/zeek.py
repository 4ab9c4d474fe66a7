"""Zeek's verdict on a connection: conn_state and history, as ``zeek -C`` gives them.

Checksums are not looked at (an offloading host's captures carry wrong ones), and its timers,
which close an idle connection, are not run: the letters are of the whole stream.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from heapq import heappop, heappush

from msgspec import Struct, field

from lab.tcp.segments import ACK, MODULUS, SYN, Segment, distance

OUTLANDISH = 1 << 20  # octets: a SYN or RST further off says nothing of the sequence numbers
REPEATABLE = "SFR"
UNSTARTED_RESET = re.compile(r"\^?S[^HAFGIQ]*R")

LIKELY_SERVER_PORTS = frozenset(
    {21, 22, 25, 53, 79, 80, 81, 88, 102, 110, 135, 139, 143, 389, 443, 445, 502, 514, 563, 585}
    | {587, 614, 631, 636, 989, 990, 992, 993, 995, 1080, 1434, 2811, 3128, 3268, 3306, 3389}
    | {5060, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000}
)
"""The TCP ports for which Zeek's base scripts register an analyser."""


class EndState(Enum):
    """Zeek's states of an endpoint: coarser than RFC 9293's."""

    INACTIVE = auto()
    SYN_SENT = auto()
    SYN_ACK_SENT = auto()
    PARTIAL = auto()
    ESTABLISHED = auto()
    CLOSED = auto()
    RESET = auto()


Z = EndState
ONE_SIDED = (Z.INACTIVE, Z.PARTIAL)


class Endpoint(Struct):
    """What one side has shown."""

    state: EndState = Z.INACTIVE
    before: EndState = Z.INACTIVE  # the state before the present one
    start: int = 0  # its ISN, seen or inferred
    last: int = 0  # highest sequence end it sent
    acked: int = 0  # highest ACK it got
    fin: bool = False
    ahead: list[tuple[int, int]] = field(default_factory=list)  # data beyond a hole: a heap
    contiguous: int = 0  # end of its data without a hole
    at: dict[str, int] = field(default_factory=dict)  # letter -> where it last stood
    counts: dict[str, int] = field(default_factory=dict)

    def become(self, state: EndState) -> None:
        """Pass to another state."""
        self.before, self.state = self.state, state

    @property
    def size(self) -> int:
        """Octets it sent, by its own numbers and by what the other end acknowledged."""
        span = max(distance(self.last, self.start), distance(self.acked, self.start))
        return max(span - 1 - self.fin, 0)


def likely_flipped(
    flags: int, ports: tuple[int, int], likely: frozenset[int] = LIKELY_SERVER_PORTS
) -> bool:
    """Whether the first segment came from the server, told from its (source, destination) port."""
    source, destination = ports
    syn, ack = flags & SYN, flags & ACK
    if (syn and not ack) or source not in likely:
        return False
    return destination not in likely or (not syn and source < destination)


def summary(
    segments: Sequence[Segment],
    ports: tuple[int, int],
    likely: frozenset[int] = LIKELY_SERVER_PORTS,
) -> tuple[str, str]:
    """Give conn_state and history.

    Args:
        segments: one connection's, in capture order.
        ports: source and destination of the first segment.
        likely: the ports taken for servers' where the first segment does not tell.
    """
    account = originated(segments, flipped=likely_flipped(segments[0].flags, ports, likely))
    for segment in segments:
        account.take(segment)
    return account.conn_state(), account.history


def originated(segments: Sequence[Segment], *, flipped: bool) -> Account:
    """An account of a connection, to which its segments are still to be given."""
    side = segments[0].side
    return Account(1 - side, "^") if flipped else Account(side, "")


class Account:
    """Zeek's bookkeeping of one connection."""

    def __init__(self, originator: int, history: str) -> None:
        self.originator = originator
        self.history = history
        self.ends = (Endpoint(), Endpoint())

    def take(self, s: Segment) -> None:
        """Take in one segment."""
        e, p = self.ends[s.side], self.ends[1 - s.side]
        self._flip_if_answered(s, e, p)
        past = (s.sequence + s.syn + s.fin + (0 if s.rst else s.length)) % MODULUS
        _number(s, e, past)
        self._write_flags(s, e)
        if not s.window and not s.rst and p.state is not Z.CLOSED and e.state is not Z.RESET:
            self._write_scaled("W", s, e)
        _acknowledge(s, e, p)
        if _advance(s, e, past):
            self._write_scaled("T", s, e)
        e.fin |= s.fin
        _change(s, e, p, originates=s.side == self.originator)
        if s.length and not s.rst:
            _store(s, e)
        if s.ack and _reveals_gap(s, e, p):
            self._write_scaled("G", s, p, side=1 - s.side)

    def note(self, s: Segment, letters: str) -> None:
        """Write what the segment just taken in stands for, where its numbers do not tell."""
        for letter in letters:
            self._write(letter, 1 - s.side if letter == "G" else s.side)

    def _flip_if_answered(self, s: Segment, e: Endpoint, p: Endpoint) -> None:
        """A SYN,ACK opened it: with an ACK or data from the other end, that end is the originator."""
        waits = p.state is Z.SYN_ACK_SENT and e.state is Z.INACTIVE
        if not waits or s.control or s.side == self.originator:
            return
        self.originator = s.side
        self.history = "^" + self.history.swapcase()
        p.become(Z.ESTABLISHED)

    # ------------------------------------------------------------ history

    def _write(self, letter: str, side: int) -> None:
        self.history += letter if side == self.originator else letter.lower()

    def _write_flags(self, s: Segment, e: Endpoint) -> None:
        letter, kind, position = _letter(s)
        if not letter:
            return
        known = e.at.get(kind)
        if known is None or (kind in REPEATABLE and known != position):
            self._write(letter, s.side)
        e.at[kind] = position

    def _write_scaled(self, letter: str, s: Segment, e: Endpoint, side: int | None = None) -> None:
        """Write the first, tenth, hundredth … occurrence."""
        count = e.counts[letter] = e.counts.get(letter, 0) + 1
        if set(str(count)[1:]) <= {"0"} and str(count)[0] == "1":
            self._write(letter, s.side if side is None else side)

    # ------------------------------------------------------------ conn_state

    def conn_state(self) -> str:
        """Zeek's conn_state: the first rule that fits."""
        o, r = self.ends[self.originator], self.ends[1 - self.originator]
        if r.state is Z.RESET:
            return _reset_by_responder(o, r)
        if o.state is Z.RESET:
            return self._reset_by_originator(r)
        if Z.CLOSED in (o.state, r.state):
            return _closed(o.state, r.state)
        if (o.state, r.state) == (Z.SYN_SENT, Z.INACTIVE):
            return "S0"
        return "S1" if o.state is r.state is Z.ESTABLISHED else "OTH"

    def _reset_by_originator(self, r: Endpoint) -> str:
        if r.state not in ONE_SIDED:
            return "RSTO"
        return "RSTOS0" if UNSTARTED_RESET.match(self.history) else "OTH"


def _reset_by_responder(o: Endpoint, r: Endpoint) -> str:
    both_empty = o.state is Z.RESET and not o.size and not r.size
    if o.state in (Z.SYN_SENT, Z.SYN_ACK_SENT) or both_empty:
        return "REJ"
    return "RSTRH" if o.state in ONE_SIDED else "RSTR"


def _closed(o: EndState, r: EndState) -> str:
    if o is r:
        return "SF"
    if o is Z.CLOSED:
        return "SH" if r in ONE_SIDED else "S2"
    return "SHR" if o in ONE_SIDED else "S3"


def _letter(s: Segment) -> tuple[str, str, int]:
    """(letter, what it counts as, where it stands): S and H count as one kind."""
    if s.syn + s.fin + s.rst > 1:
        letter = "I" if s.fin and s.rst else "Q"
        return letter, letter, 0
    if s.syn:
        return ("H" if s.ack else "S"), "S", s.sequence
    if s.fin:
        return "F", "F", (s.sequence + s.length) % MODULUS
    if s.rst:
        return "R", "R", s.sequence
    letter = "D" if s.length else "A" if s.ack else ""
    return letter, letter, 0


# ---------------------------------------------------------------- sequence numbers


def _number(s: Segment, e: Endpoint, past: int) -> None:
    """Begin the numbers of a side at its SYN, or as though there had been one."""
    fresh = e.state is Z.INACTIVE
    again = s.syn and s.sequence != e.start and e.state in (Z.SYN_SENT, Z.SYN_ACK_SENT)
    inside = s.syn and e.state in (Z.ESTABLISHED, Z.PARTIAL)
    if not (fresh or again or inside):
        return
    e.start = e.acked = s.sequence if s.syn else (s.sequence - 1) % MODULUS
    e.last = past if s.syn else s.sequence
    e.contiguous, e.ahead = (e.start + 1) % MODULUS, []


def _acknowledge(s: Segment, e: Endpoint, p: Endpoint) -> None:
    if not s.ack or s.rst:
        return
    if p.state is Z.INACTIVE:
        p.start = p.acked = p.last = (s.acknowledgment - 1) % MODULUS
        return
    ahead = distance(s.acknowledgment, p.acked)
    broken = s.acknowledgment == 0 and ahead > OUTLANDISH
    if ahead > 0 and not broken:
        p.acked = s.acknowledgment


def _advance(s: Segment, e: Endpoint, past: int) -> bool:
    """Move the highest number seen; whether the segment repeats data."""
    ahead = distance(past, e.last)
    if (s.syn or s.rst) and abs(ahead) > OUTLANDISH:
        return False
    lone_fin = s.fin and e.last == (e.start + 1) % MODULUS
    if e.state is Z.RESET and not lone_fin:
        return False
    if ahead > 0 or lone_fin:
        e.last = past
        return False
    return s.length > 0


def _store(s: Segment, e: Endpoint) -> None:
    """Note which data were seen, in order or beyond a hole."""
    start = (s.sequence + s.syn) % MODULUS
    heappush(e.ahead, (distance(start, e.start), (start + s.length) % MODULUS))
    while e.ahead and e.ahead[0][0] <= distance(e.contiguous, e.start):
        end = heappop(e.ahead)[1]
        if distance(end, e.contiguous) > 0:
            e.contiguous = end


def _reveals_gap(s: Segment, e: Endpoint, p: Endpoint) -> bool:
    """Whether an ACK covers data that the capture lacks; at a close it is not reliable."""
    missing = distance(s.acknowledgment, p.contiguous)
    over = (Z.CLOSED, Z.RESET)
    if missing <= 0 or p.state in (Z.INACTIVE, *over) or e.state in over:
        return False
    if p.contiguous == (p.start + 1) % MODULUS and not p.ahead:
        return False
    p.contiguous = s.acknowledgment
    return True


# ---------------------------------------------------------------- states


def _change(s: Segment, e: Endpoint, p: Endpoint, *, originates: bool) -> None:
    """Change the sender's state, and the peer's where a segment settles both."""
    if e.state is Z.INACTIVE:
        _wake(s, e, p, originates=originates)
        return
    if e.state is Z.RESET:
        return
    lone = e.state is Z.PARTIAL and p.state is Z.INACTIVE
    if s.syn and not s.ack and lone:
        e.become(Z.SYN_SENT)
    if s.fin and not s.rst and e.state is not Z.CLOSED:
        _close(e, p)
    if s.rst and not (e.state is Z.CLOSED and p.state is Z.CLOSED):
        e.become(Z.RESET)


def _close(e: Endpoint, p: Endpoint) -> None:
    e.become(Z.CLOSED)
    if p.state is Z.RESET and p.before is Z.CLOSED:
        p.become(Z.CLOSED)  # FIN, then RST: a normal end after all


def _wake(s: Segment, e: Endpoint, p: Endpoint, *, originates: bool) -> None:
    """The first segment of a side."""
    if s.syn and originates:
        e.become(Z.SYN_ACK_SENT if s.ack else Z.SYN_SENT)
    elif s.syn:
        if p.state is Z.SYN_SENT:
            p.become(Z.ESTABLISHED)
        e.become(Z.ESTABLISHED)
    if s.fin:
        e.become(Z.CLOSED)
    if s.rst:
        e.become(Z.RESET)
    if s.control:
        return
    answers_syn = not originates and not s.length and p.state is Z.SYN_SENT
    if not answers_syn:
        e.become(Z.ESTABLISHED if s.ack and p.state is Z.ESTABLISHED else Z.PARTIAL)
