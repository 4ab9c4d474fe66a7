"""An answered question: the answer, the proof of it claim by claim, what lists say instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from lab.questions.base import GROUPS, Cite, Claim, Proof, Question, Source
from lab.report import grounds
from lab.report.glyphs import fold, pad, safe, width
from lab.report.terminal import Paint, plain
from lab.text import Language, Text

if TYPE_CHECKING:
    from pathlib import Path

    from lab.evidence.run import Evidence

PROVED_BY = Text("Proved by your run", "由你的运行证明")
NO_RUN = Text(
    "No experiment of the lab can settle this; the source does.",
    "实验室没有能够判定此事的实验，以文献为准。",
)
RESTS = Text("{mark}: {sources}", "{mark}：{sources}")
LISTS_SAY = Text("Often read", "常见说法")
RUN_SHOWS = Text("In truth", "事实")
NEXT = Text("Asked next", "接着会问")
LEGEND = Text(
    "levels: 1 name it, 2 explain it with evidence, 3 predict or diagnose; * core; "
    "'lab ask ID' proves one, 'lab quiz ID' asks you",
    "级别：1 说出来，2 用证据解释，3 预测或诊断；* 核心；'lab ask ID' 证明一题，'lab quiz ID' 考你一题",
)
INDENT = 4


class Answered(Struct, frozen=True):
    """A question with the proof that runs gave, where those lie, by scenario, and who played them."""

    question: Question
    proof: Proof
    folders: Mapping[str, str] = {}
    kernel: str = ""  # its release; "" if unknown


def answered(
    question: Question, proof: Proof, runs: Mapping[str, tuple[Path, Evidence]]
) -> Answered:
    """Put an answer together; ``runs``: those of the proof, by scenario."""
    kernels = (evidence.manifest.versions.get("kernel", "") for _, evidence in runs.values())
    folders = {name: folder.name for name, (folder, _) in runs.items()}
    return Answered(question, proof, folders, ", ".join(dict.fromkeys(filter(None, kernels))))


def draw_answer(
    answered: Answered, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """Yield the lines of an answer with its proof."""
    question = answered.question
    yield from _paragraph(f"{question.id}  {question.asks.say(language)}", columns, paint, "title")
    yield ""
    yield from _paragraph(question.answer.say(language), columns, paint)
    for ground, sources in grounds.of_sources(question.sources):
        said = RESTS.fill(mark=grounds.mark(ground, answered.kernel), sources="; ".join(sources))
        yield from _paragraph(said.say(language), columns, paint, "faint")
    yield ""
    if question.prove is None:
        yield from _paragraph(NO_RUN.say(language), columns, paint, "faint")
    else:
        runs = " · ".join(answered.folders.values())
        yield from _paragraph(f"{PROVED_BY.say(language)} {runs}", columns, paint, "title")
        for claim in answered.proof.claims:
            yield from draw_claim(claim, answered.kernel, language, columns, paint)
    yield from _aside(question, language, columns, paint)


def draw_claim(
    claim: Claim, kernel: str, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """Yield a claim, with what it rests on besides the run, and, beneath it, what shows it."""
    mark = paint("✓", "good") if claim.holds else paint("✗", "bad")
    lines = fold([safe(claim.words.say(language))], columns - INDENT)
    if grounds.Ground.KERNEL in grounds.of_claim(claim):
        rests = f"[{grounds.mark(grounds.Ground.KERNEL, safe(kernel)).say(language)}]"
        if width(lines[-1]) + 2 + width(rests) > columns - INDENT:
            lines.append("")
        lines[-1] += paint(f"  {rests}" if lines[-1] else rests, "faint")
    yield f"  {mark} {lines[0]}"
    yield from (f"{' ' * INDENT}{line}" for line in lines[1:])
    heads = [_place(cite) for cite in claim.cites]
    column = max(map(width, heads), default=0)
    for head, cite in zip(heads, claim.cites, strict=True):
        yield paint(f"{' ' * INDENT}  {pad(head, column)}  {safe(cite.words)}", "faint")


def _place(cite: Cite) -> str:
    """``client #3``: where a reader finds it."""
    if cite.source is Source.FRAME:
        return f"{cite.run} {cite.host} #{cite.where[0]}"
    return f"{cite.run} {cite.host} {cite.source}"


def _aside(question: Question, language: Language, columns: int, paint: Paint) -> Iterator[str]:
    """What lists say, what is so, the next question; those that there are."""
    said = (
        (LISTS_SAY, question.claim.say(language) if question.claim else ""),
        (RUN_SHOWS, question.truth.say(language) if question.truth else ""),
        (NEXT, ", ".join(question.then)),
    )
    rows = [(head.say(language), words) for head, words in said if words]
    column = max((width(head) for head, _ in rows), default=0) + 2
    if rows:
        yield ""
    for head, words in rows:
        lines = fold([words], columns - column)
        yield paint(pad(head, column), "title") + lines[0]
        yield from (" " * column + line for line in lines[1:])


def _paragraph(words: str, columns: int, paint: Paint, style: str = "") -> Iterator[str]:
    for line in fold([safe(words)], columns):
        yield paint(line, style) if style else line


# ---------------------------------------------------------------- lists


def draw_list(questions: Sequence[Question], language: Language, paint: Paint) -> Iterator[str]:
    """Yield a line a question, group by group."""
    for group, title in GROUPS.items():
        members = [one for one in questions if one.group == group]
        if members:
            yield paint(title.say(language), "title")
        for one in members:
            mark = f"{one.level}{'*' if one.core else ' '}"
            yield f"  {pad(one.id, 4)} {mark} {safe(one.asks.say(language))}"
    yield LEGEND.say(language)


# ---------------------------------------------------------------- JSON


def words(text: Text) -> dict[str, str]:
    """Both languages."""
    return {"en": text.en, "zh": text.zh}


def question_record(one: Question) -> dict[str, object]:
    """A question for programs, without its proof."""
    return {
        "id": one.id,
        "group": one.group,
        "kind": one.kind.value,
        "level": one.level,
        "core": one.core,
        "interview": one.interview,
        "asks": words(one.asks),
        "answer": words(one.answer),
        "claim": words(one.claim) if one.claim else None,
        "truth": words(one.truth) if one.truth else None,
        "scenarios": list(one.runs),
        "values": [
            {"id": ask.id, "asks": words(ask.words), "unit": ask.unit.value} for ask in one.values
        ],
        "next": list(one.then),
        "sources": list(one.sources),
    }


def answer_record(answered: Answered) -> dict[str, object]:
    """An answered question for programs."""
    return {
        **question_record(answered.question),
        "runs": dict(answered.folders),
        "proved": answered.proof.holds,
        "kernel": answered.kernel or None,
        "grounds": [
            {"ground": one.value, "mark": words(_mark(one, answered)), "sources": list(sources)}
            for one, sources in grounds.of_sources(answered.question.sources)
        ],
        "claims": [_claim_record(claim, answered) for claim in answered.proof.claims],
    }


def _mark(ground: grounds.Ground, answered: Answered) -> Text:
    return grounds.mark(ground, answered.kernel)


def _claim_record(claim: Claim, answered: Answered) -> dict[str, object]:
    return {
        "holds": claim.holds,
        "claim": words(claim.words),
        "grounds": [
            {"ground": one.value, "mark": words(_mark(one, answered))}
            for one in grounds.of_claim(claim)
        ],
        "evidence": [
            {
                "run": cite.run,
                "host": cite.host,
                "source": cite.source.value,
                "where": list(cite.where),
                "words": cite.words,
            }
            for cite in claim.cites
        ],
    }
