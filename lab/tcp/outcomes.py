"""What became of a connection: told once for all connections that went the same way.

Handshake, teardown, states and Zeek's verdict do not depend on how much was sent. A connection's
way is the sequence of its segments that can matter for them, each as one number (`Code`); from it
segments with the smallest numbers that fit are made, and the rules that read segments read those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntFlag

from msgspec import Struct

from lab.tcp.closing import Closing, closing
from lab.tcp.model import Handshake, State, Teardown
from lab.tcp.opening import Opening, opening
from lab.tcp.segments import ACK, FIN, RST, SYN, Segment
from lab.tcp.states import resets, walk
from lab.tcp.zeek import Account, originated

NEVER_OPENED = (Handshake.REFUSED, Handshake.UNANSWERED)


class Code(IntFlag):
    """What matters of one segment."""

    FIN = FIN
    SYN = SYN
    RST = RST
    SECOND = 1 << 3  # sent by the end that did not send the first
    ACK = ACK
    DATA = 1 << 5
    COVERS_SYN = 1 << 6  # its ACK covers the other end's SYN, or that SYN was not seen
    COVERS_FIN = 1 << 7
    ELSEWHERE = 1 << 8  # of a RST: not where its sender's last one was
    ZERO_WINDOW = 1 << 9  # Zeek writes it down: the first, tenth, hundredth …
    REPEATS = 1 << 10  # the same, of data sent again
    GAP = 1 << 11  # the same, of ACKs for data that the capture lacks


class Outcome(Struct, frozen=True):
    """What became of a connection. Pairs are (client's, server's)."""

    client_first: bool  # the client sent the first segment
    handshake: Handshake
    teardown: Teardown
    states: tuple[State, State]  # after the last frame
    conn_state: str  # Zeek's
    history: str  # Zeek's


class Places(Struct, frozen=True):
    """Which of a connection's segments that matter opened and closed it: positions among those."""

    handshake: tuple[int, ...]
    teardown: tuple[int, ...]


def outcome_of_codes(codes: Sequence[int], *, flipped: bool) -> tuple[Outcome, Places]:
    """Tell it from the codes of the segments that matter.

    ``flipped``: whether the ports say that the first segment came from the server.
    """
    client_first = client_sent_first(codes, flipped=flipped)
    parts = list(_made(codes, client_first=client_first))
    account = originated(parts, flipped=flipped)
    for part, code in zip(parts, codes, strict=True):
        account.take(part)
        account.note(part, _letters(code))
    return _outcome(parts, account, client_first=client_first)


def _letters(code: int) -> str:
    marks = (("W", Code.ZERO_WINDOW), ("T", Code.REPEATS), ("G", Code.GAP))
    return "".join(letter for letter, mark in marks if code & mark)


def outcome_of_segments(parts: Sequence[Segment], *, flipped: bool, client_first: bool) -> Outcome:
    """Tell it from the segments themselves."""
    account = originated(parts, flipped=flipped)
    for part in parts:
        account.take(part)
    return _outcome(parts, account, client_first=client_first)[0]


def how_it_went(parts: Sequence[Segment]) -> tuple[Opening, Closing, tuple[State, State]]:
    """How a connection opened and closed, and the states of its ends after the last segment."""
    steps = tuple(walk(parts))
    opened = opening(parts)
    closed = closing(parts, resets(steps), opened=opened.kind not in NEVER_OPENED)
    return opened, closed, steps[-1].states


def _outcome(
    parts: Sequence[Segment], account: Account, *, client_first: bool
) -> tuple[Outcome, Places]:
    opened, closed, states = how_it_went(parts)
    outcome = Outcome(
        client_first=client_first,
        handshake=opened.kind,
        teardown=closed.kind,
        states=states,
        conn_state=account.conn_state(),
        history=account.history,
    )
    places = (tuple(number - 1 for number in shown.frames) for shown in (opened, closed))
    return outcome, Places(*places)


def client_sent_first(codes: Sequence[int], *, flipped: bool) -> bool:
    """Whether the first segment's sender is the originator, as far as the capture tells.

    That is who sent a SYN, or got a SYN,ACK; else the ports decide, as they do for Zeek.
    """
    for value, sense in ((SYN, True), (SYN | ACK, False)):
        for code in codes:
            if code & (SYN | ACK) == value:
                return (not code & Code.SECOND) is sense
    return not flipped


class _Maker:
    """One end's numbers while its segments are made: its SYN is 0."""

    next = 1
    fin: int | None = None  # the sequence number of its FIN
    resets = 0

    def number(self, code: int) -> int:
        """Take the segment's sequence number."""
        if code & SYN:
            return 0
        if code & RST:
            self.resets += bool(code & Code.ELSEWHERE)
            return self.next - self.resets
        if code & FIN:
            length = bool(code & Code.DATA)
            self.fin = self.next + length if self.fin is None else self.fin
            self.next = max(self.next, self.fin + 1)
            return self.fin - length
        self.next += bool(code & Code.DATA)
        return self.next - bool(code & Code.DATA)

    def acknowledged(self, code: int) -> int:
        """What an ACK of this kind acknowledges."""
        if not code & Code.COVERS_SYN:
            return 0
        if self.fin is None:
            return self.next
        return self.fin + bool(code & Code.COVERS_FIN)


def _made(codes: Sequence[int], *, client_first: bool) -> Iterator[Segment]:
    ends = _Maker(), _Maker()
    for position, code in enumerate(codes):
        second = bool(code & Code.SECOND)
        yield Segment(
            frame=position + 1,
            time=0,
            side=int(second is client_first),
            sequence=ends[second].number(code) % (1 << 32),
            acknowledgment=ends[not second].acknowledged(code) if code & ACK else 0,
            flags=code & (SYN | FIN | RST | ACK),
            window=1,
            length=int(bool(code & Code.DATA)),
        )
