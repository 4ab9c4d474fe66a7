"""A label that one capture suggests (Wireshark's) and both captures together prove wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.glance import table
from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.tcp.model import Analysis
from lab.text import Text, same

WORDS = Text(
    "In {where}, {count} segments look like {label}; both captures prove: {truth}.",
    "在 {where} 中，{count} 个报文段看似{label}；两份抓包共同证明：{truth}。",
)
ONE = Text(
    "In {where}, segment #{number} looks like {label}; both captures prove: {truth}.",
    "在 {where} 中，报文段 #{number} 看似{label}；两份抓包共同证明：{truth}。",
)
LABELS = {
    Analysis.RETRANSMISSION: Text("a retransmission", "重传"),
    Analysis.OUT_OF_ORDER: Text("out-of-order", "乱序"),
}
TRUTHS: dict[str, Text] = {  # by lab.evidence.labels.Truth
    "retransmission": Text("it was sent again", "确系重传"),
    "reordered": Text("sent once, overtaken on the way", "只发送了一次，途中被后发的超越"),
    "doubled": Text("sent once, doubled on the way", "只发送了一次，途中被复制"),
}
NEXT = Text(
    "A tool that sees one end has to guess from times; when you count losses, count what the sender's "
    "own port shows.",
    "只看一端的工具只能凭时间猜测；统计丢包时，应以发送方自己端口所见为准。",
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a connection, view, label and truth."""
    if _is_in_order(evidence):
        return
    from lab.evidence.labels import corrections  # seldom needed

    for one in corrections(evidence):
        words = (ONE if len(one.numbers) == 1 else WORDS).fill(
            where=same(one.view.file),
            count=f"{len(one.numbers):,}",
            number=one.numbers[0],
            label=LABELS[one.label],
            truth=TRUTHS[one.truth],
        )
        yield Finding("label_corrected", Severity.NOTE, words, one.shown, "tcp", one.stream, NEXT)


def _is_in_order(evidence: Evidence) -> bool:
    """Both captures show the same frames in the same order, and the first gives no label."""
    match = evidence.match
    if match is None:
        return True
    alone = len(match.only_first) + len(match.only_second)
    in_order = bool((np.diff(match.second) > 0).all())
    return not alone and in_order and not len(table(evidence.view).flagged())
