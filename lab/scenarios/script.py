"""The expected script: the segments of a connection that a scenario promises, one a line.

    C>S SYN        seq 0                lost
    C>S SYN        seq 0                after 0.95..1.1 s
    S>C SYN,ACK    seq 0   ack 1
    C>S ACK                ack 1
    C>S PSH,ACK    seq 1 +17
    S>C [PSH],ACK          ack 18       optional
    S>C ACK                ack 18       win 0    sack 35:52
    ...

C is the client, S the server. Numbers are relative to the ISN; what a line leaves out is not
compared. ``after`` counts from the line before. ``lost``: its sender's port saw it, the other did
not; ``forged``: only its receiver's port saw it. ``optional``: depends on timing that the protocol
leaves open. ``...`` stands for any segments. A flag in brackets may be set or not. ``win`` is the
window field as sent, ``win >0`` any but zero; ``sack`` the first block, relative to the ISN of the
other side.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from msgspec import Struct

from lab.errors import ScenarioFaulty

FLAGS = ("SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")
"""In the order in which Wireshark writes them, but for SYN, which comes first."""

UNITS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
LARGEST_WINDOW = 0xFFFF
_LINE = re.compile(
    r"(?P<sender>[CS])>[CS]\s+(?P<flags>[A-Z,\[\]]+)"
    r"(?:\s+seq\s+(?P<sequence>\d+))?(?:\s+\+(?P<length>\d+))?(?:\s+ack\s+(?P<ack>\d+))?"
    r"(?:\s+win\s+(?P<window>>?\d+))?(?:\s+sack\s+(?P<left>\d+):(?P<right>\d+))?"
    r"(?:\s+(?P<fate>lost|forged))?(?:\s+(?P<optional>optional))?"
    r"(?:\s+after\s+(?P<least>[\d.]+)\.\.(?P<most>[\d.]+)\s*(?P<unit>us|ms|s))?"
)


def in_order(flags: Collection[str]) -> str:
    """``SYN,ACK``: the names of control bits, in the order in which people say them."""
    return ",".join(flag for flag in FLAGS if flag in flags)


class Line(Struct, frozen=True):
    """One line of a script; None: not compared."""

    text: str
    sender: str = ""  # "C" or "S"; "" for "..."
    flags: frozenset[str] = frozenset()
    spare: frozenset[str] = frozenset()  # flags that may be set too
    sequence: int | None = None
    length: int | None = None
    acknowledgment: int | None = None
    window: tuple[int, int] | None = None  # at least, at most
    sack: tuple[int, int] | None = None
    lost: bool = False
    forged: bool = False
    optional: bool = False
    after: tuple[int, int] | None = None  # ns since the line before: at least, at most

    @property
    def is_gap(self) -> bool:
        return not self.sender

    def describes(self, segment: Segment) -> bool:
        """Whether a segment is what this line says, its time left aside."""
        return (
            self.sender == segment.sender
            and self.flags <= segment.flags <= self.flags | self.spare
            and (self.lost, self.forged) == (segment.lost, segment.forged)
            and self.sequence in (None, segment.sequence)
            and self.length in (None, segment.length)
            and self.acknowledgment in (None, segment.acknowledgment)
            and (self.window is None or self.window[0] <= segment.window <= self.window[1])
            and (self.sack is None or segment.sack[:1] == (self.sack,))
        )


class Segment(Struct, frozen=True):
    """One segment of a run, as scripts speak of it. Numbers are relative."""

    number: int  # of the frame in the originator's capture; 0 if it never got there
    time: int  # ns
    sender: str
    flags: frozenset[str]
    sequence: int
    length: int
    acknowledgment: int
    lost: bool = False
    forged: bool = False
    window: int = 0  # the field as sent
    sack: tuple[tuple[int, int], ...] = ()
    host: str = ""  # at whose port it was seen (the originator's, if it passed that one)
    frame: int = 0  # its number in that port's capture
    late: int = 0  # ns by which a late wire brought it to this port (lateness.py)
    spurious: bool = False  # sent only because the wire was late


class Row(Struct, frozen=True):
    """Expected and seen side by side.

    ``mark``: "=" as expected, "~" but for its time, "!" not; "+" spurious, of which no script speaks.
    """

    mark: str
    expected: Line | None
    seen: Segment | None

    @property
    def kept(self) -> bool:
        return self.mark in "=+"


def parse(text: str, where: str = "", before: int = 0) -> tuple[Line, ...]:
    """Read a script; raises ScenarioFaulty, naming ``where`` and the line.

    ``before``: lines that stand before the script there.
    """
    return tuple(
        _line(words.strip(), where, number)
        for number, words in enumerate(text.splitlines(), before + 1)
        if words.strip()
    )


def _line(words: str, where: str, number: int) -> Line:
    if words == "...":
        return Line(words)
    found = _LINE.fullmatch(words)
    if found is None:
        raise ScenarioFaulty(file=where, line=number, detail=f"not a line of a script: {words}")
    flags = found["flags"].split(",")
    return Line(
        text=words,
        sender=found["sender"],
        flags=frozenset(flag for flag in flags if flag[0] != "["),
        spare=frozenset(flag.strip("[]") for flag in flags if flag[0] == "["),
        sequence=_number(found["sequence"]),
        length=_number(found["length"]),
        acknowledgment=_number(found["ack"]),
        window=_window(found["window"]),
        sack=(int(found["left"]), int(found["right"])) if found["left"] else None,
        lost=found["fate"] == "lost",
        forged=found["fate"] == "forged",
        optional=found["optional"] is not None,
        after=_span(found["least"], found["most"], found["unit"]),
    )


def _number(digits: str | None) -> int | None:
    return None if digits is None else int(digits)


def _window(words: str | None) -> tuple[int, int] | None:
    if words is None:
        return None
    number = int(words.removeprefix(">"))
    return (number + 1, LARGEST_WINDOW) if words[0] == ">" else (number, number)


def _span(least: str | None, most: str | None, unit: str | None) -> tuple[int, int] | None:
    if least is None or most is None or unit is None:
        return None
    return int(float(least) * UNITS[unit]), int(float(most) * UNITS[unit])


def compare(script: Sequence[Line], segments: Sequence[Segment]) -> tuple[Row, ...]:
    """Lay a script beside the segments seen so that as few as possible of either stand alone."""
    pairs = _align(script, segments)
    rows: list[Row] = []
    before: Segment | None = None  # of the line before
    for line, segment in pairs:
        rows.append(Row(_mark(line, segment, before), line, segment))
        if line and segment:
            before = segment
    return tuple(rows)


def is_kept(rows: Sequence[Row]) -> bool:
    """Whether all that was promised was seen, in time, and nothing else."""
    return all(row.kept for row in rows)


def _mark(line: Line | None, segment: Segment | None, before: Segment | None) -> str:
    if line is None and segment and segment.spurious:
        return "+"
    if line is None or (segment is None and not (line.optional or line.is_gap)):
        return "!"
    if segment is None or line.after is None or before is None:
        return "="
    least, most = line.after
    return "=" if least <= _waited(before, segment) <= most else "~"


def _waited(before: Segment, segment: Segment) -> int:
    """ns between two segments; between two of one sender, what a late wire added is not counted."""
    late = segment.late - before.late if segment.sender == before.sender else 0
    return segment.time - before.time - late


Pair = tuple[Line | None, Segment | None]


def _align(script: Sequence[Line], segments: Sequence[Segment]) -> list[Pair]:
    """The cheapest way to pair them: what is left alone costs one, if it is required or unexcused."""
    costs = [[0] * (len(segments) + 1) for _ in range(len(script) + 1)]
    for i in range(len(script), -1, -1):
        for j in range(len(segments), -1, -1):
            moves = _moves(script, segments, i, j)
            costs[i][j] = min((price + costs[x][y] for price, x, y in moves), default=0)
    i = j = 0
    pairs: list[Pair] = []
    while i < len(script) or j < len(segments):
        moves = _moves(script, segments, i, j)
        _, x, y = min(moves, key=lambda move: move[0] + costs[move[1]][move[2]])
        paired = x > i or (i < len(script) and script[i].is_gap)  # a line, or a gap that takes one
        pairs.append((script[i] if paired else None, segments[j] if y > j else None))
        i, j = x, y
    return [(line, segment) for line, segment in pairs if segment or not (line and line.is_gap)]


def _moves(
    script: Sequence[Line], segments: Sequence[Segment], i: int, j: int
) -> list[tuple[int, int, int]]:
    """What may come next after i lines and j segments: (cost, lines, segments) behind it."""
    line = script[i] if i < len(script) else None
    segment = segments[j] if j < len(segments) else None
    found = []
    if line and segment and line.is_gap:
        found.append((0, i, j + 1))
    elif line and segment and line.describes(segment):
        found.append((0, i + 1, j + 1))
    if line:
        found.append((int(not (line.is_gap or line.optional)), i + 1, j))
    if segment and not (line and line.is_gap):
        found.append((int(not segment.spurious), i, j + 1))
    return found
