"""What was not looked at: so many connections have something unusual that only the worst were."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects
from lab.evidence.traits import traits
from lab.findings.base import NOT_ALL, Finding, Severity
from lab.text import Text

WORDS = Text(
    "Something is unusual in {count} of {total} connections. {closely} of them, among the worst of each "
    "kind, were looked at one by one; of the others there may be more to tell. By kind, each connection "
    "counted wherever it belongs: {kinds}.",
    "共 {total} 个连接，其中 {count} 个有不寻常之处；只逐一检查了 {closely} 个（各类中较严重的），"
    "其余连接可能另有问题而未列出。按类别统计（一个连接可同时属于多类）：{kinds}。",
)
NEXT = Text("`lab explain --all` looks at every one.", "`lab explain --all` 逐一检查全部连接。")
EACH = Text("{count} {kind}", "{kind} {count}")


def survey(evidence: Evidence, suspects: Suspects) -> Iterator[Finding]:
    """One finding, if connections were left out."""
    if suspects.all_asked_for:
        return
    counts = [(kind, int(mask.sum())) for kind, mask in traits(suspects.columns, suspects.numbers)]
    counts.sort(key=lambda one: -one[1])
    each = [EACH.fill(kind=kind, count=f"{count:,}") for kind, count in counts if count]
    words = WORDS.fill(
        count=f"{len(suspects.numbers):,}",
        total=f"{len(suspects.columns):,}",
        closely=f"{len(suspects.closely):,}",
        kinds=Text(", ".join(one.en for one in each), "；".join(one.zh for one in each)),
    )
    yield Finding(NOT_ALL, Severity.NOTE, words, next=NEXT)
