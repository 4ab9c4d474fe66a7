"""A run as a page draws it: sections of rows, each with its place, its numbers and its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from lab.page.geometry import Arrow, Axis, Journey, Pair, Span
from lab.report.events import CallEvent, FrameEvent, GapEvent
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange

Clocks = tuple[str, str, str, str]
"""A time since the start, since the event before, since the one before of the same sender, and on
the wall (UTC)."""


class Cell(Struct, frozen=True, gc=False):
    """A stretch of the octets that an ACK speaks of; numbers are relative."""

    kind: str  # "covers", "missing", "held"
    begin: int
    end: int  # the first number that is not of it
    frames: tuple[str, ...]  # keys of those that carried it


class Sum(Struct, frozen=True, gc=False):
    """How an ACK number came about: the number before, and what was added to it."""

    start: int  # relative
    absolute: int  # the same as on the wire
    added: int
    counts: str = ""  # "SYN" or "FIN" where one of the octets is none
    answers: str = ""  # key of the frame that it acknowledges last
    covers: tuple[str, ...] = ()  # of all frames that it is the first to acknowledge
    cells: tuple[Cell, ...] = ()  # all octets that it is the first to acknowledge


class Sack(Struct, frozen=True):
    """What the SACK blocks of an ACK say."""

    words: tuple[Text, ...]
    held: tuple[str, ...]  # keys of the frames that carried what was received
    missing: tuple[str, ...]  # of those that carried what is in the holes
    cells: tuple[Cell, ...] = ()


class Resent(Struct, frozen=True):
    """Why a segment came again: the key of its first copy, of the frame that made it come ("": a
    timer, or nobody knows), and a sentence."""

    first: str
    trigger: str
    words: Text


class FrameRow(Struct, frozen=True, gc=False):
    """A frame. ``key`` names it on the page: "f7", "f4S"."""

    key: str
    top: Pair
    clocks: Clocks
    event: FrameEvent
    arrow: Arrow
    look: str  # classes, apart by spaces: "syn", "data again"
    badge: Text | None = None  # "retransmission", "dup ACK 2"
    truth: tuple[Text, Text] | None = None  # what it was, what a single capture would say
    absolute: tuple[int, int] | None = None  # sequence and acknowledgment number as on the wire
    window: tuple[int, int | None] | None = None  # the field, and octets if the scale is known
    sum: Sum | None = None
    sack: Sack | None = None
    resent: Resent | None = None
    others: tuple[str, str] = ("", "")  # letters of third hosts at which its arrow begins and ends

    kind = "frame"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The octets that an ACK speaks of, in order."""
        return (self.sum.cells if self.sum else ()) + (self.sack.cells if self.sack else ())


class CallRow(Struct, frozen=True):
    """The entry of a socket call, its return, or both: ``phase`` "call", "ret", ""."""

    key: str
    top: Pair
    clocks: Clocks
    event: CallEvent
    side: str  # "left" or "right"
    result: str = ""  # of the return: what is written bold
    failed: bool = False
    lasted: str = ""
    until: int = 0  # ns since 1970: when the call returned; 0: nobody knows
    frames: tuple[str, ...] = ()  # keys of the frames that it sent, or that woke it
    silent: bool = False  # a whole call that no frame has to do with
    other: bool = False  # of a host that is neither at the left nor at the right

    kind = "call"


class GapRow(Struct, frozen=True):
    """Events that are left out."""

    key: str
    top: Pair
    clocks: Clocks
    event: GapEvent
    words: Text

    kind = "gap"


Row = FrameRow | CallRow | GapRow


def frames_of(rows: Iterable[Row]) -> list[FrameRow]:
    """Only the frames among some rows."""
    return [row for row in rows if isinstance(row, FrameRow)]


class Bar(Struct, frozen=True):
    """A state that one end was in, or how long a call took."""

    side: str  # "left" or "right"
    span: Span
    name: str = ""
    sure: tuple[Span, ...] = ()  # when its kernel was sampled in that state; else it is inferred
    note: Text | None = None
    depth: int = 0


class Act(Struct, frozen=True):
    """One exchange of a run, or what belongs to none."""

    key: str  # "tcp0", "udp1", "rest"
    tab: Text
    title: Text
    summary: tuple[Text, ...]
    hosts: tuple[Text, Text]  # at the left and at the right
    letters: tuple[str, str]  # theirs
    axis: Axis
    rows: tuple[Row, ...]
    states: tuple[Bar, ...] = ()
    calls: tuple[Bar, ...] = ()
    elsewhere: str = ""  # letter of the port that numbers its frames, if not the originator's
    talk: Connection | Exchange | None = None  # None: what belongs to none
    journeys: Mapping[int, Journey] = field(default_factory=dict)  # of its frames, by place of row


class Scene(Struct, frozen=True):
    """All of a run."""

    acts: tuple[Act, ...]
    background: Mapping[str, int] = field(default_factory=dict)
    hidden: int = 0  # exchanges left out
