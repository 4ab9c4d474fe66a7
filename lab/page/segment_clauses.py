"""What a TCP segment does, clause by clause."""

from __future__ import annotations

from collections.abc import Iterator

from lab.page import clauses
from lab.page.frames import AGAIN, PROBES
from lab.page.scene import Act, FrameRow
from lab.report import phrases
from lab.tcp.model import Analysis, Connection, Handshake
from lab.text import Text
from lab.units import MODULUS

WHYS = {
    Analysis.SPURIOUS_RETRANSMISSION: clauses.NEEDLESS,
    Analysis.FAST_RETRANSMISSION: clauses.ASKED_FOR,
    Analysis.OUT_OF_ORDER: clauses.LATE,
}
NOTHING = Analysis(0)
"""Asked for first: most segments have no flag, and to compare two takes long."""

ACKS_PROBE = Analysis.KEEP_ALIVE_ACK | Analysis.ZERO_WINDOW_PROBE_ACK


def of(row: FrameRow, act: Act, talk: Connection, peer: Text) -> Iterator[Text]:
    """Yield what a segment does, the most telling first; there is at least one clause."""
    flags = row.event.flags.split(",")
    ours = row.event.elsewhere == act.elsewhere
    found = talk.flags.get(row.event.number, NOTHING) if ours else NOTHING
    if "RST" in flags:
        yield _reset(row, act, talk)
    elif "SYN" in flags:
        yield from _opening(row, act, found)
    elif "FIN" in flags:
        yield from _closing(row, act, talk, found)
    elif found and found & PROBES:
        alive = found & Analysis.KEEP_ALIVE and phrases.PROBES_WINDOW not in row.event.words
        yield (clauses.STILL_THERE if alive else clauses.HAS_ROOM).fill(peer=peer)
    elif row.event.octets:
        yield from _data(row, found, peer)
    else:
        yield from _bare(row, talk, found)


def _reset(row: FrameRow, act: Act, talk: Connection) -> Text:
    if talk.handshake is not Handshake.REFUSED:
        return clauses.ABORTS
    by_client = row.event.source == act.letters[0]
    return clauses.REFUSES.fill(port=(talk.client if by_client else talk.server).port)


def _opening(row: FrameRow, act: Act, found: Analysis) -> Iterator[Text]:
    again = bool(found & AGAIN) or "again" in row.look
    if "ACK" in row.event.flags.split(","):
        told = clauses.AGREES_AGAIN if again else clauses.AGREES
    elif row.event.source != act.letters[0]:
        told = clauses.ASKS_TOO
    else:
        told = clauses.ASKS_AGAIN if again else clauses.ASKS
    yield clauses.NUMBERED.fill(told=told, isn=row.absolute[0]) if row.absolute else told
    if row.event.octets:
        yield _sends(row, again=False)
    else:
        yield from _room(row, more=False)


def _closing(row: FrameRow, act: Act, talk: Connection, found: Analysis) -> Iterator[Text]:
    if what := _acknowledged(row):
        yield clauses.ACKS.fill(what=what)
    if found & AGAIN:
        yield clauses.CLOSES_AGAIN
        return
    sent = _sent(row, act, talk)
    if row.event.octets:
        yield clauses.LAST.fill(size=phrases.octets(row.event.octets))
    elif sent:
        yield clauses.HAS_SENT.fill(size=phrases.octets(sent))
    elif sent == 0:
        yield clauses.SENT_NOTHING
    yield clauses.CLOSES


def _sent(row: FrameRow, act: Act, talk: Connection) -> int | None:
    """How many octets the sender's stream had before this segment; None: its ISN is not known."""
    isn = talk.isn[0 if row.event.source == act.letters[0] else 1]
    return None if isn is None or not row.absolute else (row.absolute[0] - isn - 1) % MODULUS


def _data(row: FrameRow, found: Analysis, peer: Text) -> Iterator[Text]:
    told = _sends(row, again=bool(found and found & AGAIN))
    why = next((words for flag, words in WHYS.items() if found & flag), None) if found else None
    yield why.fill(told=told) if why else told
    if what := _acknowledged(row):
        yield clauses.ACKS.fill(what=what)
    if found and found & Analysis.WINDOW_FULL:
        yield clauses.FILLS.fill(peer=peer)
    if row.window and row.window[0] == 0:
        yield clauses.FULL


def _sends(row: FrameRow, *, again: bool) -> Text:
    event = row.event
    one, many = (clauses.AGAIN_ONE, clauses.AGAIN) if again else (clauses.SENDS_ONE, clauses.SENDS)
    first = event.sequence or 0
    first += "SYN" in event.flags  # which takes a number of its own
    last = (first + event.octets - 1) % MODULUS
    words = one if event.octets == 1 else many
    return words.fill(size=phrases.octets(event.octets), first=first, last=last)


# ---------------------------------------------------------------- acknowledging


def _bare(row: FrameRow, talk: Connection, found: Analysis) -> Iterator[Text]:
    what = _acknowledged(row)
    if (row.event.number,) == talk.handshake_frames[2:] and what:
        yield clauses.COMPLETES
    if what:
        yield clauses.ACKS.fill(what=what)
    else:
        yield from _nothing_new(row, talk, found)
    if not (row.sum and row.sum.covers and "FIN" in row.sum.counts):
        yield from _room(row, more=bool(what))


def _nothing_new(row: FrameRow, talk: Connection, found: Analysis) -> Iterator[Text]:
    if found & Analysis.DUPLICATE_ACK:
        yield clauses.WAITS_FOR.fill(
            number=row.event.acknowledgment, nth=talk.duplicate_acks.get(row.event.number, 1)
        )
    elif found & ACKS_PROBE:
        alive = found & Analysis.KEEP_ALIVE_ACK and not (row.window and row.window[0] == 0)
        yield clauses.HERE if alive else clauses.ANSWERS_PROBE
    elif found & Analysis.WINDOW_UPDATE:
        yield clauses.NEW_WINDOW
    elif found & Analysis.ACK_LOST_SEGMENT:
        yield clauses.ACKS_UNSEEN
    elif row.sum is None and row.event.acknowledgment is not None:
        yield clauses.ACKS_BEFORE.fill(number=row.event.acknowledgment)
    else:
        yield clauses.NOTHING_NEW
    if row.sack and row.sack.held:
        held = sum(cell.end - cell.begin for cell in row.sack.cells if cell.kind == "held")
        yield clauses.HOLDS.fill(size=phrases.octets(held))
    elif row.sack:
        yield clauses.TWICE


def _acknowledged(row: FrameRow) -> Text | None:
    """What an ACK is the first to acknowledge: octets, the SYN, the FIN."""
    found = row.sum
    if found is None or not found.covers or not found.cells:
        return None
    size = (found.cells[-1].end - found.cells[0].begin) % MODULUS
    syn = found.cells[0].begin == 0
    fin = "FIN" in found.counts
    parts = [clauses.THE_SYN] * syn
    parts += [phrases.octets(size - syn - fin)] * (size > syn + fin)
    parts += [clauses.THE_FIN] * fin
    told = parts[0]
    for part in parts[1:]:
        told = clauses.AND.fill(one=told, other=part)
    return told


def _room(row: FrameRow, *, more: bool) -> Iterator[Text]:
    """How much its sender can take; nothing where the scale is not known."""
    if row.window is None or row.window[1] is None:
        return
    room = row.window[1]
    if not room:
        yield clauses.FULL
    elif more and not (row.sum and row.sum.counts == "SYN"):
        yield clauses.MORE.fill(count=f"{room:,}")
    else:
        yield clauses.ROOM.fill(size=phrases.octets(room))
