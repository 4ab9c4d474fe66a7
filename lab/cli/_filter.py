"""What --filter was given: an expression of the lab's own, or a BPF filter that tcpdump compiles."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lab.errors import BpfFaulty, TcpdumpMissing
from lab.text import Language, Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lab.evidence.run import Evidence
    from lab.filters.bpf import Program
    from lab.filters.expression import Question
    from lab.packets.frames import Capture

BPF = "bpf:"
SNAP_LENGTH = 1 << 18
"""Of the file that an expression is compiled for: any other lets the same frames pass."""

CHOOSE = Text("Filters choose connections and exchanges:", "过滤表达式用来挑选连接与交换：")
EXAMPLES = (
    "tcp.port == 443 and retransmission",
    "net 10.0.0.0/8 and not (conn_state == SF or udp)",
    "rtt > 200ms or frame in 1000..2000",
    "bpf: tcp port 80 and host 10.0.0.1",
)
AFTER_BPF = Text(
    "After bpf: pcap-filter(7), compiled by tcpdump; one frame that passes is enough.",
    "bpf: 之后按 pcap-filter(7) 书写，由 tcpdump 编译；有一帧通过即选中。",
)
COMPARED = Text(
    "Fields, compared with ==, !=, <, <=, >, >=, in, contains (==, if left out):",
    "字段可用 ==、!=、<、<=、>、>=、in、contains 比较（省略时为 ==）：",
)
CARRIED = Text(
    "Words that hold if a frame carries that flag of Wireshark's, besides tcp and udp:",
    "除 tcp 与 udp 外，以下各词在某一帧带有 Wireshark 的该标记时成立：",
)
MEANINGS = 28
"""The column in which what fields mean begins."""

Asked = Callable[["Evidence"], "Question"]
"""What a filter asks of the exchanges of one file or run."""


def asked(expression: str | None) -> Asked | None:
    """Understand --filter; raises FilterFaulty, or TcpdumpMissing.

    What it returns raises BpfFaulty: what a BPF filter may say depends on a file's link types.
    """
    if expression is None:
        return None
    if expression.lower().startswith(BPF):
        tcpdump = _tcpdump()
        return lambda evidence: _of_frames(evidence, tcpdump, expression[len(BPF) :].strip())
    from lab.filters.expression import parse

    question = parse(expression)
    return lambda _: question


def described(language: Language, columns: int) -> Iterator[str]:
    """What a filter can say, for a command's help."""
    from lab.filters.fields import FIELDS, FLAGS
    from lab.report.glyphs import fold

    yield from fold([CHOOSE.say(language)], columns)
    yield from (f"  --filter '{example}'" for example in EXAMPLES)
    yield from fold([AFTER_BPF.say(language)], columns)
    yield from fold([COMPARED.say(language)], columns)
    for field in FIELDS:
        head = f"  {', '.join(field.names[:2]):{MEANINGS - 2}}"
        for line in fold([field.meaning.say(language)], columns - MEANINGS):
            yield head + line
            head = " " * MEANINGS
    yield from fold([CARRIED.say(language)], columns)
    flags = ", ".join(flag.replace("-", "_") for flag in sorted(FLAGS))
    yield from (f"  {line}" for line in fold([flags], columns - 2))


def _tcpdump() -> str:
    """Where tcpdump is, also for users without sbin on their PATH."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    if found := shutil.which("tcpdump", path=path):
        return found
    raise TcpdumpMissing


def _of_frames(evidence: Evidence, tcpdump: str, expression: str) -> Question:
    """Whether one of an exchange's frames passes; a sheet's times say which capture it is of."""
    from lab.filters.expression import Question

    passed = {
        id(view.capture.frames.time): _with_heads(view.capture, tcpdump, expression)
        for view in evidence.views
    }
    return Question(lambda sheet: sheet.any_frame(passed[id(sheet.time)]))


def _with_heads(capture: Capture, tcpdump: str, expression: str) -> NDArray[np.bool_]:
    """Which frames pass; a segment in IP fragments does so with the one that has its header."""
    import numpy as np

    frames, passed = capture.frames, _passing(capture, tcpdump, expression)
    header = frames.transport[frames.fragments]  # its offset: it may lie in an earlier frame
    rows, header = frames.fragments[header >= 0], header[header >= 0]
    passed[rows] |= passed[np.searchsorted(frames.start, header, side="right") - 1]
    return passed


def _passing(capture: Capture, tcpdump: str, expression: str) -> NDArray[np.bool_]:
    """Which frames pass, those of each link type by a program of its own."""
    import numpy as np

    from lab.filters.bpf import passing
    from lab.packets.pages import release_if_large
    from lab.workers import side_by_side

    frames = capture.frames
    link_type = np.array([one.link_type for one in capture.interfaces], np.int64)
    passed = np.zeros(len(frames), np.bool_)
    for value in sorted({one.link_type for one in capture.interfaces}):
        rows = np.flatnonzero((link_type == value)[frames.interface])
        if len(rows):
            program = compiled(tcpdump, expression, value, _order(capture))
            passed[rows] = passing(program, frames, rows, side_by_side)
            release_if_large(frames.octets, frames=len(frames))
    return passed


def _order(capture: Capture) -> str:
    """The file's byte order, "<" or ">": some link types have numbers in it."""
    octets = capture.frames.octets
    first = octets[8] == 0x1A if capture.file_format == "pcapng" else octets[0] in (0xA1, 0x1C)
    return ">" if first else "<"


def compiled(tcpdump: str, expression: str, link_type: int, order: str = "<") -> Program:
    """Have tcpdump compile a filter for the frames of a link type; raises BpfFaulty.

    It is handed a file without frames, so it needs no right to capture.
    """
    import subprocess  # seldom needed, and slow to import

    from lab.filters.bpf import program

    header = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_LENGTH, link_type)
    command = (tcpdump, "-ddd", "-r", "-", "--", expression)
    ended = subprocess.run(command, input=header, capture_output=True, check=False)
    try:
        return program(ended.stdout.decode())
    except ValueError as error:
        *_, said = ended.stderr.decode(errors="replace").splitlines() or [f"{ended.returncode}"]
        detail = said.removeprefix("tcpdump: ")
        raise BpfFaulty(expression=expression, detail=detail) from error
