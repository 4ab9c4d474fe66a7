"""The table of findings: a row a finding."""

from __future__ import annotations

from collections.abc import Sequence

from lab.evidence.run import View
from lab.findings.base import Finding
from lab.report.tables.base import (
    FILE,
    HOST,
    PROTOCOL,
    STREAM,
    Cells,
    Column,
    Sort,
    Table,
    integers,
    repeated,
    texts,
)
from lab.text import Text

COLUMNS = (
    FILE,
    HOST,
    Column("finding", Sort.TEXT, Text("its name", "名称")),
    Column("severity", Sort.TEXT, Text("error, warning or note", "error、warning 或 note")),
    PROTOCOL,
    STREAM,
    Column("words_en", Sort.TEXT, Text("what happened, in English", "发生了什么（英文）")),
    Column("words_zh", Sort.TEXT, Text("what happened, in Chinese", "发生了什么（中文）")),
    Column("next_en", Sort.TEXT, Text("what to look at next, in English", "接下来看什么（英文）")),
    Column("next_zh", Sort.TEXT, Text("what to look at next, in Chinese", "接下来看什么（中文）")),
    Column("first_frame", Sort.INTEGER, Text("the first frame that shows it", "表明它的首帧")),
    Column("frames", Sort.INTEGERS, Text("all frames that show it", "表明它的全部帧")),
)


def findings(view: View, found: Sequence[Finding]) -> Table:
    """Make the table of findings of a view."""
    cells = {
        "file": repeated(view.file, len(found)),
        "host": repeated(view.host, len(found)),
        "finding": texts(one.id for one in found),
        "severity": texts(str(one.severity) for one in found),
        "protocol": texts(one.protocol or None for one in found),
        "stream": integers(one.stream for one in found),
        "words_en": texts(one.words.en for one in found),
        "words_zh": texts(one.words.zh for one in found),
        "next_en": texts(one.next.en if one.next else None for one in found),
        "next_zh": texts(one.next.zh if one.next else None for one in found),
        "first_frame": integers(min(one.frames, default=None) for one in found),
        "frames": Cells([one.frames for one in found]),
    }
    return Table("findings", COLUMNS, cells)
