"""Evidence in, scene out: the terminal's ladder, placed, with the numbers a page can switch between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.run import Evidence
from lab.evidence.sightings import Sighting, sightings
from lab.page import calls
from lab.page.again import with_causes
from lab.page.frames import Sums, badge, close_look, look, truths, view_of
from lab.page.geometry import Axis, Journey, arrow, axis, even_heights
from lab.page.journeys import Journeys
from lab.page.others import Others
from lab.page.sacks import Sacks
from lab.page.scene import Act, CallRow, Clocks, FrameRow, GapRow, Row, Scene
from lab.page.states import bars, left_to_wait
from lab.report.events import CallEvent, Event, FrameEvent, GapEvent, Section
from lab.report.glyphs import safe
from lab.report.ladder import ladder
from lab.report.people import CLIENT, SERVER, People, people
from lab.report.terminal import GAP
from lab.report.testimony import Heard, hear_each
from lab.tcp.model import Analysis, Connection
from lab.text import Text, same
from lab.udp.model import Exchange
from lab.units import seconds, short_span

MANY_FRAMES = 40_000
"""Of a longer run, long stretches of plain data are counted instead of drawn, as in the terminal."""

MANY_EXCHANGES = 60
EVEN = {"frame": 58.0, "call": 25.0, "gap": 40.0}
LEAST = {"frame": 40.0, "call": 20.0, "gap": 40.0}
"""px of a row, even and at least in true scale."""

OUTSIDE = Text("outside", "其他")
BEGINS = Text("begins {span} after the first exchange", "比第一次交换晚 {span} 开始")
TCP, UDP = Text("TCP {n}", "TCP {n}"), Text("UDP {n}", "UDP {n}")
NOBODY = Analysis(0)
UNHEARD = Heard()
DAY = 86_400_000_000_000


class _Lore(Struct, frozen=True):
    """What is known of a run, gathered once."""

    evidence: Evidence
    who: People
    journeys: Journeys
    heard: Mapping[str, Heard]  # by letter of the port, see Section.elsewhere
    truths: Mapping[int, tuple[Text, Text]]
    book: calls.Book
    others: Others


def scene(evidence: Evidence) -> Scene:
    """Lay a whole run, or a capture file, out."""
    every, who = sightings(evidence), people(evidence.manifest)
    count = sum(len(one.talk.rows) for one in every)
    everything = count <= MANY_FRAMES and len(every) <= MANY_EXCHANGES
    drawn = ladder(evidence, everything=everything, background=True, only=every)
    by_key = {who.key(one): one for one in every}
    shown = [by_key[section.key] for section in drawn.sections if section.protocol]
    lore = _Lore(
        evidence,
        who,
        Journeys(evidence, who),
        {who.of(host) if host else "": heard for host, heard in hear_each(shown, who).items()},
        truths(evidence),
        calls.Book(evidence.calls, who),
        Others(evidence, who),
    )
    begin = min((one.span[0] for one in every), default=0)
    acts = tuple(_act(section, by_key.get(section.key), lore, begin) for section in drawn.sections)
    return Scene(acts, drawn.background, drawn.hidden)


def _act(section: Section, seen: Sighting | None, lore: _Lore, begin: int) -> Act:
    """``begin``: of the first exchange, ns."""
    talk = seen.talk if seen else None
    kinds = [_kind(event) for event in section.events]
    times = [event.time for event in section.events]
    left, right, hosts = _ends(talk, lore.evidence, lore.who)
    journeys = {
        index: lore.journeys.of(event, left, right)
        for index, event in enumerate(section.events)
        if isinstance(event, FrameEvent)
    }
    heights = even_heights(times, [EVEN[kind] for kind in kinds], journeys)
    placed = axis(times, heights, [LEAST[kind] for kind in kinds])
    rows = _rows(section, seen, (left, right), journeys, placed, lore)
    connection = talk if isinstance(talk, Connection) else None
    remaining = left_to_wait(seen.evidence, connection) if seen and connection else {}
    heard = lore.heard.get(section.elsewhere, UNHEARD)
    return Act(
        key=section.key,
        tab=(TCP if connection else UDP).fill(n=section.key[3:]) if talk else OUTSIDE,
        title=section.title,
        summary=(*section.summary, *_begins(section, begin)),
        hosts=hosts,
        letters=(left, right),
        axis=placed,
        rows=rows,
        states=tuple(bars(section, journeys, (left, right), heard, remaining, placed)),
        calls=tuple(calls.brackets(rows, placed)),
        elsewhere=section.elsewhere,
        talk=talk,
        journeys=journeys,
    )


def _begins(section: Section, begin: int) -> Iterator[Text]:
    """Each exchange has a clock of its own; here is how they hang together."""
    if section.protocol and section.start > begin:
        yield BEGINS.fill(span=short_span(section.start - begin))


def _kind(event: Event) -> str:
    return (
        "frame"
        if isinstance(event, FrameEvent)
        else "call"
        if isinstance(event, CallEvent)
        else "gap"
    )


def _ends(
    talk: Connection | Exchange | None, evidence: Evidence, who: People
) -> tuple[str, str, tuple[Text, Text]]:
    """The letters at the left and at the right, and who they are."""
    if talk:
        return *who.initials(talk.client, talk.server), who.pair(talk.client, talk.server)
    hosts = list(dict.fromkeys((*(view.host for view in evidence.views), *who.letters)))
    known = [(who.letters[host], same(host)) for host in hosts if host in who.letters]
    roles = (("C", CLIENT), ("S", SERVER))
    (left, one), (right, other) = (*known, *roles[len(known) :])[:2]
    return left, right, (one, other)


def _rows(
    section: Section,
    seen: Sighting | None,
    letters: tuple[str, str],
    journeys: Mapping[int, Journey],
    placed: Axis,
    lore: _Lore,
) -> tuple[Row, ...]:
    """The rows of a section; ``journeys``: of its frames, by index."""
    rows: list[Row] = []
    talk = seen.talk if seen else None
    told = (Sums(talk), Sacks(talk)) if isinstance(talk, Connection) else None
    read = clocks(section.events, section.start)
    for index, event in enumerate(section.events):
        top, clock = placed.top(index), next(read)
        if isinstance(event, FrameEvent):
            shaft = arrow(placed, index, journeys[index])
            others = lore.others.ends(event, shaft, letters)
            key = f"f{safe(event.label[1:])}"
            drawn = FrameRow(key, top, clock, event, shaft, "", others=others)
            rows.append(_told(drawn, talk, letters[0], told, section.elsewhere, lore))
        elif isinstance(event, CallEvent):
            rows.append(_call(event, index, section, letters, placed, clock, lore))
        else:
            rows.append(GapRow(f"{section.key}g{index}", top, clock, event, _gap(event)))
    if seen and isinstance(talk, Connection):
        rows = with_causes(rows, seen.evidence, talk, section.elsewhere)
    return calls.tied(rows, journeys, letters, lore.book)


def _told(
    row: FrameRow,
    talk: Connection | Exchange | None,
    left: str,
    told: tuple[Sums, Sacks] | None,
    here: str,
    lore: _Lore,
) -> FrameRow:
    """The row with what is known of the segment; ``here``: see `Section.elsewhere`."""
    event, number = row.event, row.event.number
    if not isinstance(talk, Connection) or told is None:
        return replace(row, look=look(event, NOBODY))
    ours = event.elsewhere == here
    flags = talk.flags.get(number, NOBODY) if ours else NOBODY
    frames, side = view_of(lore.evidence, event, lore.who).capture.frames, int(event.source != left)
    one, (sums, sacks) = close_look(frames, number), told
    return replace(
        row,
        look=look(event, flags),
        badge=badge(talk, number, flags) if ours else None,
        truth=None if event.elsewhere else lore.truths.get(number),
        absolute=(one.sequence, one.acknowledgment),
        window=(one.window, event.window if event.scaled else None),
        sum=sums.next(row.key, one, side) if ours else None,
        sack=sacks.next(row.key, frames, number, one, side),
    )


def _call(
    event: CallEvent,
    index: int,
    section: Section,
    letters: tuple[str, str],
    placed: Axis,
    clock: Clocks,
    lore: _Lore,
) -> CallRow:
    side = "right" if event.host == letters[1] else "left"
    call = lore.book.find(event)
    key = f"{section.key}c{index}"
    result = event.words.partition(" = ")[2] if event.phase != "call" else ""
    row = CallRow(key, placed.top(index), clock, event, side, result)
    return replace(calls.known(row, call), other=event.host not in letters)


def _gap(event: GapEvent) -> Text:
    return GAP.fill(
        segments=f"{event.segments:,}",
        acks=f"{event.acknowledgments:,}",
        octets=f"{event.octets:,}",
    )


def clocks(events: Iterable[Event], start: int) -> Iterator[Clocks]:
    """The four clocks of each event; ``start``: ns, the zero of the first."""
    before: int | None = None
    last: dict[str, int] = {}  # by sender
    for event in events:
        who = (
            event.source
            if isinstance(event, FrameEvent)
            else f"{event.host} call"
            if isinstance(event, CallEvent)
            else ""
        )
        yield (
            seconds(event.time - start),
            _since(event.time, before),
            _since(event.time, last.get(who)),
            _wall(event.time),
        )
        before = last[who] = event.time


def _since(time: int, before: int | None) -> str:
    return "–" if before is None else f"+{seconds(time - before)}"


def _wall(time: int) -> str:
    """``16:08:37.848046`` (UTC)."""
    whole, rest = divmod(time % DAY, 1_000_000_000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest // 1000:06}"
