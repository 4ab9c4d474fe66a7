"""What each segment of a connection means, once the whole connection is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import Flags, Frames
from lab.report import phrases
from lab.tcp.model import Analysis, Connection, Handshake, Teardown
from lab.text import Text

SYN, FIN, RST, ACK = int(Flags.SYN), int(Flags.FIN), int(Flags.RST), int(Flags.ACK)
NOTHING = Analysis(0)
UNKNOWN = -1
"""In ``advance``: nothing tells what was acknowledged before."""

LOOK_BACK = 1000
"""How many segments are searched for the one that an ACK answers."""


class Segments(Struct, frozen=True):
    """The columns of one connection that its words are made from, one entry a segment."""

    connection: Connection
    names: tuple[Text, Text]  # what the client and the server are called
    flags: Sequence[int]  # Flags, as plain numbers: a long run asks often
    length: NDArray[np.int64]  # of the payload
    end: NDArray[np.uint32]  # sequence number after the segment
    acknowledgment: NDArray[np.uint32]
    advance: NDArray[np.int64]  # octets newly acknowledged, FIN and SYN included
    closed: NDArray[np.bool_]  # the window that the other end announced last is zero

    def name(self, index: int) -> Text:
        return self.names[0 if self.connection.from_client[index] else 1]

    def peer(self, index: int) -> Text:
        return self.names[1 if self.connection.from_client[index] else 0]

    def has(self, index: int, flag: int) -> bool:
        return bool(self.flags[index] & flag)


def segments(connection: Connection, frames: Frames, names: tuple[Text, Text]) -> Segments:
    """Gather what the words need; arrays are computed for the whole connection at once."""
    rows = connection.rows
    flags = frames.flags[rows]
    length = frames.payload_length[rows].astype(np.int64)
    phantom = ((flags & SYN) != 0).astype(np.int64) + ((flags & FIN) != 0)
    end = (frames.sequence[rows].astype(np.int64) + length + phantom).astype(np.uint32)
    acknowledgment = frames.acknowledgment[rows]
    advance = np.zeros(len(rows), np.int64)
    for sender in (True, False):
        mine = np.flatnonzero((connection.from_client == sender) & ((flags & ACK) != 0))
        steps = np.diff(acknowledgment[mine]).astype(np.int32)
        advance[mine[1:]] = np.maximum(steps, 0)
        _first_advance(connection, advance, acknowledgment, mine, sender)
    closed = _closed(connection, flags, frames.window[rows])
    return Segments(connection, names, flags.tolist(), length, end, acknowledgment, advance, closed)


def _closed(
    connection: Connection, flags: NDArray[np.uint16], window: NDArray[np.uint16]
) -> NDArray[np.bool_]:
    """For each segment, whether its sender was last told of a window of zero."""
    closed = np.zeros(len(flags), np.bool_)
    positions = np.arange(len(flags))
    for sender in (True, False):
        mine = connection.from_client == sender
        tells = ~mine & ((flags & RST) == 0)
        last = np.maximum.accumulate(np.where(tells, positions, -1))
        closed |= mine & (last >= 0) & (window[last] == 0)
    return closed


def _first_advance(
    connection: Connection,
    advance: NDArray[np.int64],
    acknowledgment: NDArray[np.uint32],
    mine: NDArray[np.int64],
    sender: bool,
) -> None:
    """The first ACK of an end counts from the other end's ISN, if that is known."""
    isn = connection.isn[1 if sender else 0]
    if len(mine) and isn is not None:
        advance[mine[0]] = (int(acknowledgment[mine[0]]) - isn) % (1 << 32)
    elif len(mine):
        advance[mine[0]] = UNKNOWN


def words(segments: Segments, index: int, *, signals: bool = False) -> Iterator[Text]:
    """Yield the phrases for one segment, the most telling first.

    ``signals``: an option of it says something, so that it is no duplicate ACK, whatever its
    numbers look like.
    """
    step = _opening(segments, index) or _closing(segments, index)
    if step:
        yield step
    yield from _analysis(segments, index, signals=signals)
    if segments.length[index]:
        yield phrases.octets(int(segments.length[index]))
    elif (
        not step
        and not (signals and is_bare(segments, index))
        and _flags_of(segments, index) in (NOTHING, Analysis.WINDOW_UPDATE)
    ):
        yield from _acknowledges(segments, index)


def is_bare(segments: Segments, index: int) -> bool:
    """Whether a segment opens, closes, carries and acknowledges nothing."""
    control = segments.has(index, SYN | FIN | RST)
    return not control and not segments.length[index] and segments.advance[index] <= 0


def _number(segments: Segments, index: int) -> int:
    return int(segments.connection.rows[index]) + 1


def _flags_of(segments: Segments, index: int) -> Analysis:
    return segments.connection.flags.get(_number(segments, index), NOTHING)


def _opening(segments: Segments, index: int) -> Text | None:
    connection, who = segments.connection, segments.name(index)
    if segments.has(index, SYN):
        return _syn(segments, index)
    if segments.has(index, RST) and connection.handshake is Handshake.REFUSED:
        port = (connection.server if not connection.from_client[index] else connection.client).port
        return phrases.REFUSED.fill(port=port)
    third = connection.handshake is Handshake.THREE_WAY and connection.handshake_frames[-1:]
    if third == (_number(segments, index),):
        return phrases.THIRD.fill(who=who, peer=segments.peer(index))
    return None


def _syn(segments: Segments, index: int) -> Text:
    who = segments.name(index)
    crossed = segments.connection.handshake is Handshake.SIMULTANEOUS
    if crossed and segments.has(index, ACK):
        return phrases.SYN_ACK_CROSSED.fill(who=who)
    if _flags_of(segments, index) & Analysis.RETRANSMISSION:
        return phrases.SYN_AGAIN.fill(who=who)
    if segments.has(index, ACK):
        return phrases.SYN_ACK.fill(who=who)
    return (phrases.SYN if segments.connection.from_client[index] else phrases.SYN_CROSSED).fill(
        who=who
    )


COUNTED = (Teardown.FOUR_SEGMENTS, Teardown.THREE_SEGMENTS, Teardown.SIMULTANEOUS)


def _closing(segments: Segments, index: int) -> Text | None:
    connection, number = segments.connection, _number(segments, index)
    if segments.has(index, RST):
        return phrases.RESET.fill(who=segments.name(index))
    if number not in connection.teardown_frames:
        fin = segments.has(index, FIN)
        return phrases.FIN.fill(who=segments.name(index)) if fin else None
    if connection.teardown not in COUNTED:
        return _uncounted(segments, index)
    position = connection.teardown_frames.index(number)
    fin = segments.has(index, FIN)
    joint = connection.teardown is Teardown.THREE_SEGMENTS and position == 1
    phrase = (
        phrases.CLOSE_FIN_ACK if fin and joint else phrases.CLOSE_FIN if fin else phrases.CLOSE_ACK
    )
    return _step(phrase, position + 1, len(connection.teardown_frames), segments.name(index))


def _step(phrase: Text, number: int, steps: int, who: Text) -> Text:
    ordinal = Text(str(number), phrases.CHINESE_ORDINALS[number % 10])
    return phrase.fill(step=ordinal, steps=steps, who=who)


def _uncounted(segments: Segments, index: int) -> Text:
    who, peer = segments.name(index), segments.peer(index)
    phrase = phrases.FIN if segments.has(index, FIN) else phrases.FIN_ACKED
    return phrase.fill(who=who, peer=peer)


def _analysis(segments: Segments, index: int, *, signals: bool) -> Iterator[Text]:
    number = _number(segments, index)
    for flag in _flags_of(segments, index) or ():
        if flag is Analysis.RETRANSMISSION and segments.has(index, SYN):
            continue  # said by the opening
        if flag is Analysis.DUPLICATE_ACK and signals:
            continue
        nth = segments.connection.duplicate_acks.get(number, "")
        probes = flag is Analysis.KEEP_ALIVE and segments.closed[index]
        phrase = phrases.PROBES_WINDOW if probes else phrases.FLAGS[flag]
        yield phrase.fill(nth=nth, who=segments.name(index), peer=segments.peer(index))


def _acknowledges(segments: Segments, index: int) -> Iterator[Text]:
    octets = int(segments.advance[index])
    if not segments.has(index, ACK):
        return
    if octets == UNKNOWN:
        return
    if not octets:
        if not _flags_of(segments, index):
            yield phrases.ACKED_NOTHING_NEW
        return
    found = _answered(segments, index)
    if found is None:
        yield phrases.octets(octets, phrases.ACKED)
    else:
        whole = int(segments.length[found]) == octets
        phrase = phrases.ACKED_ALL if whole else phrases.ACKED_FRAME
        yield phrase.fill(size=phrases.octets(octets), frame=_number(segments, found))


def _answered(segments: Segments, index: int) -> int | None:
    """The last segment of the other end that ends just where this one's ACK number points."""
    begin = max(index - LOOK_BACK, 0)
    before = slice(begin, index)
    fits = (
        (segments.end[before] == segments.acknowledgment[index])
        & (segments.length[before] > 0)
        & (segments.connection.from_client[before] != segments.connection.from_client[index])
    )
    found = np.flatnonzero(fits)
    return begin + int(found[-1]) if len(found) else None
