"""Draw a ladder as text: one line an event, in aligned columns, as wide as the terminal allows.

     0.000000 #1  C>S SYN      seq 0         win 64240  handshake 1 of 3 …   C: SYN-SENT

Words that find no room at the right stand beneath, so that a narrow terminal loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from lab.report.events import CallEvent, Event, FrameEvent, GapEvent, Ladder, Section
from lab.report.glyphs import COMMAS, JOINTS, clip, fold, pad, quote, width
from lab.text import Language, Text
from lab.units import seconds

Paint = Callable[[str, str], str]
"""(text, what it is) -> the text, perhaps in colour. What: a key of STYLES."""

STYLES: dict[str, dict[str, object]] = {
    "title": {"bold": True},
    "good": {"fg": "green", "bold": True},
    "bad": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "call": {"fg": "cyan"},
    "faint": {"dim": True},
    "SYN": {"fg": "blue", "bold": True},
    "FIN": {"fg": "magenta", "bold": True},
    "RST": {"fg": "red", "bold": True},
    "data": {"fg": "green"},
}
"""Arguments of click.style; colour is never the only sign of anything."""

MINIMUM_WORDS = 32
"""Fewer columns than this at the right, and words stand beneath their line."""

GAP = Text(
    "… {segments} more data segment[|s] and {acks} ACK[|s], {octets} octet[|s]",
    "…… 另有 {segments} 个数据报文段和 {acks} 个 ACK，共 {octets} 字节",
)
GAP_CALLS = Text(", {calls} call[|s]", "，{calls} 次调用")
BACKGROUND = Text(
    "Background: {counts} (frames of no exchange)", "背景帧：{counts}（不属于任何一次交换）"
)
HIDDEN = Text(
    "… {count} more exchange[|s]; --all shows them", "…… 另有 {count} 次交换；用 --all 查看"
)
LEGEND = Text(
    "{letters}; time in seconds from the first frame of each exchange",
    "{letters}；时间以秒计，从每次交换的第一帧算起",
)

KERNEL = Text("✓: the host's kernel was in that state", "✓：该主机的内核确实处于此状态")


def plain(text: str, _: str) -> str:
    """A Paint that leaves text as it is."""
    return text


def draw(ladder: Ladder, language: Language, columns: int, paint: Paint = plain) -> Iterator[str]:
    """Yield the lines of a whole ladder."""
    letters = [f"{letter} = {who.say(language)}" for letter, who in ladder.letters.items()]
    joint = COMMAS[language]
    if ladder.sections:
        legend = [
            LEGEND.fill(letters=joint.join(letters)),
            *([KERNEL] if _confirmed(ladder) else []),
        ]
        said = JOINTS[language].join(text.say(language) for text in legend)
        yield from _lines(said, columns, "faint", paint)
    for section in ladder.sections:
        yield ""
        yield from _section(section, language, columns, paint)
    if ladder.hidden:
        yield ""
        yield HIDDEN.fill(count=f"{ladder.hidden:,}").say(language)
    if ladder.background:
        counts = joint.join(f"{count:,} {name}" for name, count in ladder.background.items())
        yield ""
        yield from _lines(BACKGROUND.fill(counts=counts).say(language), columns, "faint", paint)


def _lines(text: str, columns: int, style: str, paint: Paint) -> Iterator[str]:
    for line in fold([text], columns):
        yield paint(line, style)


def _section(section: Section, language: Language, columns: int, paint: Paint) -> Iterator[str]:
    yield from _lines(section.title.say(language), columns, "title", paint)
    joint = COMMAS[language]
    yield from fold((text.say(language) for text in section.summary), columns, joint)
    sheet = _Sheet.measure(section, language, columns, paint)
    for event in section.events:
        yield from sheet.event(event)


class _Sheet(Struct, frozen=True):
    """The columns of one section, measured so that all its lines align."""

    start: int
    language: Language
    columns: int
    paint: Paint
    clock: int  # width of the time
    number: int  # width of "#12"
    fields: tuple[int, int, int, int]  # flags, seq, ack, win
    indent: int  # where words begin if they stand beneath their line; 0: at its right

    @classmethod
    def measure(cls, section: Section, language: Language, columns: int, paint: Paint) -> _Sheet:
        frames = [event for event in section.events if isinstance(event, FrameEvent)]
        cells = [_cells(event) for event in frames]
        widest = [max((width(row[i]) for row in cells), default=0) for i in range(4)]
        clock = max((len(seconds(e.time - section.start)) for e in section.events), default=8)
        number = max([2, *(len(event.label) for event in frames)])
        beneath = clock + 1 + number + 4 + 1
        used = beneath + sum(widest) + 2 * sum(size > 0 for size in widest[1:]) + 2
        sizes = (widest[0], widest[1], widest[2], widest[3])
        indent = beneath if columns - used < MINIMUM_WORDS else 0
        return cls(section.start, language, columns, paint, clock, number, sizes, indent)

    def event(self, event: Event) -> Iterator[str]:
        """Yield the lines of one event; the first bears the time."""
        clock = seconds(event.time - self.start).rjust(self.clock)
        if isinstance(event, FrameEvent):
            yield from self._frame(clock, event)
        elif isinstance(event, CallEvent):
            yield from self._call(clock, event)
        else:
            yield self.paint(f"{' ' * self.clock} {self._gap(event)}", "faint")

    @property
    def _label(self) -> int:
        """Width of ``#4 C>S`` and of ``C call``."""
        return max(self.number + 4, 6)

    def _frame(self, clock: str, event: FrameEvent) -> Iterator[str]:
        label = pad(event.label.ljust(self.number) + f" {event.source}>{event.target}", self._label)
        cells = [pad(cell, size) for cell, size in zip(_cells(event), self.fields, strict=True)]
        flags = self.paint(cells[0], _style(event))
        fields = "  ".join(cell for cell in cells[1:] if cell)
        head = f"{clock} {label} {flags}{'  ' if fields else ''}{fields}"
        used = width(f"{clock} {label} {cells[0]}{'  ' if fields else ''}{fields}")
        yield from self._with_words(head, used, event)

    def _with_words(self, head: str, used: int, event: FrameEvent) -> Iterator[str]:
        """Words at the right if there is room for them, else beneath; states at the right edge."""
        phrases, states = self._phrases(event), _states(event)
        indent = self.indent or used + 2
        room = self.columns - used - 2 - (width(states) + 2 if states else 0)
        beneath = fold(
            phrases,
            max(self.columns - indent, 12),
            JOINTS[self.language],
            first=0 if self.indent else room,
        )
        first = beneath.pop(0) if beneath else ""
        line = f"{head}  {first}" if first else head
        if states and used + 2 + width(states) > self.columns:
            beneath.append(states.rjust(self.columns - indent))
        elif states:
            space = self.columns - used - (width(first) + 2 if first else 0) - width(states)
            line += " " * max(space, 2) + states
        yield line.rstrip()
        for words in beneath:
            yield " " * indent + words

    def _phrases(self, event: FrameEvent) -> list[str]:
        phrases = [text.say(self.language) for text in event.words]
        if event.payload:
            data = quote(event.payload, event.octets)
            colon = "：" if self.language is Language.ZH else ": "
            phrases[-1:] = [f"{phrases[-1]}{colon}{data}"]
        return phrases

    def _call(self, clock: str, event: CallEvent) -> Iterator[str]:
        label = pad(f"{event.host} {event.phase}", self._label)
        room = self.columns - self.clock - self._label - 2
        often = f"  × {event.times:,}" if event.times > 1 else ""
        words = clip(event.words, room - len(often)) + often
        place = event.place if width(words) + 2 + width(event.place) <= room else ""
        between = " " * (room - width(words) - width(place)) if place else ""
        yield f"{clock} {self.paint(label, 'call')} {words}{between}{self.paint(place, 'faint') if place else ''}".rstrip()

    def _gap(self, event: GapEvent) -> str:
        text = GAP.fill(
            segments=f"{event.segments:,}",
            acks=f"{event.acknowledgments:,}",
            octets=f"{event.octets:,}",
        ).say(self.language)
        return text + (
            GAP_CALLS.fill(calls=f"{event.calls:,}").say(self.language) if event.calls else ""
        )


def _cells(event: FrameEvent) -> tuple[str, str, str, str]:
    """Flags, seq, ack and win as they are written; empty where a frame has none."""
    sequence = "" if event.sequence is None else f"seq {event.sequence}"
    if event.sequence is not None and event.octets:
        sequence += f" +{event.octets}"
    window = "" if event.window is None else f"win {event.window}{'' if event.scaled else '×?'}"
    acknowledgment = "" if event.acknowledgment is None else f"ack {event.acknowledgment}"
    return event.flags, sequence, acknowledgment, window


def _states(event: FrameEvent) -> str:
    marks = dict.fromkeys(event.confirmed, " ✓")
    return "  ".join(f"{letter}: {state}{marks.get(letter, '')}" for letter, state in event.states)


def _confirmed(ladder: Ladder) -> bool:
    """Whether a kernel confirms any state."""
    events = (event for section in ladder.sections for event in section.events)
    return any(isinstance(event, FrameEvent) and event.confirmed for event in events)


def _style(event: FrameEvent) -> str:
    for flag in ("RST", "SYN", "FIN"):
        if flag in event.flags:
            return flag
    return "data" if event.octets else "faint"
