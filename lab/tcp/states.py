"""The state machine of RFC 9293, Figure 5, as a table; and the walk of both ends through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from lab.tcp.deliveries import Deliveries, deliveries
from lab.tcp.model import State
from lab.tcp.segments import Segment, distance

S = State


class Event(StrEnum):
    """What an end of a connection sends or receives that can change its state."""

    SENT_SYN = "sent SYN"
    SENT_FIN = "sent FIN"
    SENT_RST = "sent RST"
    RECEIVED_SYN = "received SYN"
    RECEIVED_SYN_ACK = "received SYN,ACK"
    RECEIVED_ACK_OF_SYN = "received ACK of SYN"
    RECEIVED_ACK_OF_FIN = "received ACK of FIN"
    RECEIVED_FIN = "received FIN"
    RECEIVED_RST = "received RST"


E = Event

# Left out because no segment shows them: passive OPEN, CLOSE before a SYN, the 2 MSL timeout.
# An event without a row changes nothing.
TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (S.CLOSED, E.SENT_SYN): S.SYN_SENT,
    (S.LISTEN, E.SENT_SYN): S.SYN_SENT,
    (S.LISTEN, E.RECEIVED_SYN): S.SYN_RECEIVED,
    (S.SYN_SENT, E.RECEIVED_SYN): S.SYN_RECEIVED,
    (S.SYN_SENT, E.RECEIVED_SYN_ACK): S.ESTABLISHED,
    (S.SYN_RECEIVED, E.RECEIVED_ACK_OF_SYN): S.ESTABLISHED,
    (S.SYN_RECEIVED, E.SENT_FIN): S.FIN_WAIT_1,
    (S.ESTABLISHED, E.SENT_FIN): S.FIN_WAIT_1,
    (S.ESTABLISHED, E.RECEIVED_FIN): S.CLOSE_WAIT,
    (S.FIN_WAIT_1, E.RECEIVED_ACK_OF_FIN): S.FIN_WAIT_2,
    (S.FIN_WAIT_1, E.RECEIVED_FIN): S.CLOSING,
    (S.FIN_WAIT_2, E.RECEIVED_FIN): S.TIME_WAIT,
    (S.CLOSE_WAIT, E.SENT_FIN): S.LAST_ACK,
    (S.CLOSING, E.RECEIVED_ACK_OF_FIN): S.TIME_WAIT,
    (S.LAST_ACK, E.RECEIVED_ACK_OF_FIN): S.CLOSED,
    **{(state, E.SENT_RST): S.CLOSED for state in S},
    **{(state, E.RECEIVED_RST): S.CLOSED for state in S if state is not S.LISTEN},
    (S.SYN_RECEIVED, E.RECEIVED_RST): S.LISTEN,
}


class Change(Struct, frozen=True):
    """One end's passage from one state to another."""

    side: int  # CLIENT or SERVER
    before: State
    event: Event
    after: State


class Step(Struct, frozen=True, gc=False):
    """Both ends after one segment: its sender has sent it, its receiver has received it."""

    frame: int
    states: tuple[State, State]  # client's, server's
    changes: tuple[Change, ...]


class _End(Struct):
    side: int
    state: State
    active: bool = False  # it sent the first SYN of its own accord
    syn_end: int | None = None  # the number after its SYN
    fin_end: int | None = None  # the number after its FIN
    next: int | None = None  # highest sequence end it has sent
    acknowledged: int | None = None  # last ACK number it has sent
    changes: list[Change] = field(default_factory=list)

    def take(self, event: Event) -> None:
        before, after = self.state, TRANSITIONS.get((self.state, event), self.state)
        if after is S.LISTEN and self.active:
            after = S.CLOSED  # only a passive OPEN returns to LISTEN
        if after is not before:
            self.state = after
            self.changes.append(Change(self.side, before, event, after))


def walk(segments: Sequence[Segment]) -> Iterator[Step]:
    """Infer the states of both ends from the segments that one vantage point saw.

    A SYN or FIN counts as received when it is seen, or later where what its receiver sends
    proves that it crossed on the way. A connection seen from the middle starts ESTABLISHED.
    """
    if not segments:
        return
    ends = tuple(_End(side, state) for side, state in enumerate(_start(segments)))
    arrivals = deliveries(segments)
    for i, segment in enumerate(segments):
        sender, receiver = ends[segment.side], ends[1 - segment.side]
        moves = sender.state is not S.ESTABLISHED or receiver.state is not S.ESTABLISHED
        if moves or segment.control or i in arrivals.at_position:  # else nothing can change
            _deliver(arrivals, i, ends, segment)
            _send(segment, sender, receiver)
            _receive(segment, sender, receiver, arrivals.at(i, segment))
        _note(segment, sender)
        changes = (*sender.changes, *receiver.changes)
        if changes:
            sender.changes, receiver.changes = [], []
        yield Step(segment.frame, (ends[0].state, ends[1].state), changes)


def _start(segments: Sequence[Segment]) -> tuple[State, State]:
    first = segments[0]
    if not first.syn:
        return S.ESTABLISHED, S.ESTABLISHED
    sender, other = (S.SYN_RECEIVED, S.SYN_SENT) if first.ack else (S.CLOSED, S.CLOSED)
    if not first.ack:
        other = _before_answer(segments)
    return (sender, other) if first.side == 0 else (other, sender)


def _before_answer(segments: Sequence[Segment]) -> State:
    """What the end that got the first SYN was, to answer it as it did."""
    syn = segments[0]
    answers = (s for s in segments if s.side != syn.side and not s.rst)
    answer = next(answers, None)
    if answer is None:
        went_on = any(s.side == syn.side and s.ack and not s.rst for s in segments)
        return S.LISTEN if went_on else S.CLOSED
    if answer.syn and not answer.ack:
        return S.CLOSED
    if answer.acknowledges(syn.end):
        return S.LISTEN
    return S.ESTABLISHED  # half-open: it answers for an older connection (section 3.5.1)


def _deliver(arrivals: Deliveries, i: int, ends: tuple[_End, ...], segment: Segment) -> None:
    """Hand over what was on its way when its receiver last sent."""
    for side, fin in arrivals.late(i, segment):
        ends[1 - side].take(E.RECEIVED_FIN if fin else E.RECEIVED_SYN)


def _send(segment: Segment, sender: _End, receiver: _End) -> None:
    if segment.rst:
        if _is_acceptable(segment, sender, receiver):
            sender.take(E.SENT_RST)
        return
    if segment.syn and not segment.ack:
        sender.active = True
        sender.take(E.SENT_SYN)
    elif sender.state is S.SYN_SENT and not segment.syn:
        sender.take(E.RECEIVED_SYN_ACK)  # the capture missed it: nothing else lets it send this
    if segment.fin:
        sender.take(E.SENT_FIN)


def _receive(segment: Segment, sender: _End, receiver: _End, arrives: bool) -> None:
    if segment.rst:
        if _is_acceptable(segment, sender, receiver):
            receiver.take(E.RECEIVED_RST)
        return
    if segment.ack and _covers(segment, receiver.syn_end):
        if segment.syn:
            receiver.take(E.RECEIVED_SYN_ACK)
        receiver.take(E.RECEIVED_ACK_OF_SYN)
    if arrives and segment.syn:
        receiver.take(E.RECEIVED_SYN)
    if receiver.fin_end is not None and segment.acknowledges(receiver.fin_end):
        receiver.take(E.RECEIVED_ACK_OF_FIN)
    if arrives and segment.fin:
        receiver.take(E.RECEIVED_FIN)


def _covers(segment: Segment, syn_end: int | None) -> bool:
    return syn_end is None or segment.acknowledges(syn_end)


def _is_acceptable(reset: Segment, sender: _End, receiver: _End) -> bool:
    """Whether a RST is where its receiver expects it (section 3.10.7.4; RFC 5961 section 3.2)."""
    if receiver.state is S.SYN_SENT and receiver.syn_end is not None:
        return reset.acknowledges(receiver.syn_end)
    low, high = receiver.acknowledged, sender.next
    late = low is None or distance(reset.sequence, low) >= 0
    early = high is None or distance(high, reset.sequence) >= 0
    exact = reset.sequence in (low, high)
    return exact or (late and early)


def _note(segment: Segment, sender: _End) -> None:
    if segment.rst:
        return
    if segment.syn:
        sender.syn_end = (segment.sequence + 1) % (1 << 32)
    if segment.fin:
        sender.fin_end = segment.end
    if sender.next is None or distance(segment.end, sender.next) > 0:
        sender.next = segment.end
    if segment.ack:
        sender.acknowledged = segment.acknowledgment


def resets(steps: Sequence[Step]) -> tuple[int, ...]:
    """Frame numbers of the RSTs that ended the connection at either end."""
    ending = (E.SENT_RST, E.RECEIVED_RST)
    return tuple(s.frame for s in steps if any(c.event in ending for c in s.changes))
