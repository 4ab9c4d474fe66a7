"""What the quiz tells the page, as plain values in both languages; nothing that gives an answer away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lab import questions
from lab.questions.base import Question, Source
from lab.quiz.grading import HINT, Grade
from lab.quiz.hints import MOST
from lab.quiz.interview import TIME
from lab.quiz.progress import Progress, due
from lab.quiz.rubric import Explained
from lab.quiz.stages import STAGES, is_open, stage_of
from lab.report.answers import answer_record, answered, words
from lab.report.grades import grade_record
from lab.text import Text
from lab.web.bench import Found, Lacks
from lab.web.sittings import Sitting

SOURCES = {"review": Text("due for review", "该复习了"), "new": Text("new", "新题")}


def asked(name: str, one: Sitting) -> dict[str, object]:
    """A question before it is answered."""
    question = one.question
    guess = question.guess
    return {
        "sitting": name,
        "id": question.id,
        "why": words(SOURCES[one.why]) if one.why else None,
        "kind": question.kind.value,
        "level": question.level,
        "asks": words(question.asks),
        "scenarios": list(question.runs),
        "interview": one.interview,
        "seconds": TIME // 10**9,
        "chain": list(one.chain),
        "hints": MOST,
        "hint_costs": HINT,
        "guess": {"asks": words(guess.words), "options": [words(one) for one in guess.options]}
        if guess
        else None,
        "values": [
            {
                "id": ask.id,
                "asks": words(ask.words),
                "unit": ask.unit.value,
                "choices": [[key, words(text)] for key, text in ask.choices],
            }
            for ask in question.values
        ],
    }


def found(runs: Found) -> list[dict[str, str]]:
    """The runs to look at, with the host whose frame numbers the ladder shows."""
    return [
        {"scenario": name, "run": folder.name, "host": evidence.view.host}
        for name, (folder, evidence) in runs.items()
    ]


def verdict(one: Sitting) -> dict[str, object]:
    """The grade, the answer with its proof, the learner's words with what was found in them."""
    assert one.graded is not None
    folders = {name: got[0].name for name, got in one.seen.items()}
    proof = questions.prove(one.question, one.runs)
    return {
        "grade": grade_record(one.graded),
        "hints": HINT * one.graded.hints,
        "answer": answer_record(answered(one.question, proof, one.seen)),
        "prediction": _prediction(one.question, one),
        "text": marked(one.graded.explained) if one.graded.explained else [],
        "lit": lit(one.graded, folders),
        "then": [_title(name) for name in one.question.then],
        "chain": list(one.chain),
    }


def _prediction(question: Question, one: Sitting) -> dict[str, object] | None:
    guess, made = question.guess, one.answers.guess
    if guess is None or made is None or not 0 <= made < len(guess.options):
        return None
    return {
        "made": words(guess.options[made]),
        "right": words(guess.options[guess.right]),
        "true": made == guess.right,
        "confidence": one.answers.confidence,
    }


def _title(name: str) -> dict[str, object]:
    known = next((one for one in questions.every() if one.id == name), None)
    return {"id": name, "asks": words(known.asks) if known else None}


def lit(graded: Grade, folders: Mapping[str, str]) -> list[dict[str, object]]:
    """The frames that prove the right values, by run and host, to be lit in its ladder."""
    frames: dict[tuple[str, str], list[int]] = {}
    for one in graded.values:
        for cite in one.right.cites if one.right else ():
            if cite.source is Source.FRAME and cite.run in folders:
                frames.setdefault((folders[cite.run], cite.host), []).append(int(cite.where[0]))
    return [
        {"run": run, "host": host, "frames": sorted(set(numbers))}
        for (run, host), numbers in frames.items()
    ]


def marked(found: Explained) -> list[list[str]]:
    """A learner's text in pieces, each with a mark: "" plain, "said" an idea, "wrong" a contradiction."""
    marks = [""] * len(found.text)
    for ideas, mark in ((found.ideas, "said"), (found.wrong, "wrong")):
        for begin, end in (span for one in ideas for span in one.spans):
            marks[begin:end] = [mark] * (end - begin)
    pieces: list[list[str]] = []
    for letter, mark in zip(found.text, marks, strict=True):
        if pieces and pieces[-1][1] == mark:
            pieces[-1][0] += letter
        else:
            pieces.append([letter, mark])
    return pieces


def said(found: Explained) -> dict[str, object]:
    """What words say of what they should, what they lack, and what contradicts the run."""
    return {
        "text": marked(found),
        "ideas": [{"idea": words(one.idea.words), "said": one.said} for one in found.ideas],
        "contradictions": [{"idea": words(one.idea.words)} for one in found.wrong if one.said],
    }


def shown(progress: Progress, now: int, lacks: Lacks) -> dict[str, object]:
    """Stage by stage what was passed, what is due, and what has to be played before it is asked."""
    known = [one for one in questions.every() if one.values]
    passed = progress.passed()
    stages = [_stage(number, passed, progress, known, lacks) for number in range(len(STAGES))]
    return {
        "passed": len(passed & {one.id for one in known}),
        "total": len(known),
        "ready": sum(not lacks(one.runs, one.instead) for one in known),
        "best": _best([lacks(one.runs, one.instead) for one in known]),
        "due": [one.id for one in due(progress, known, now)],
        "stages": stages,
    }


def _best(lacking: list[list[str]]) -> str | None:
    """The scenario with which most questions can be asked next; None: no single one adds any."""
    alone = Counter(one[0] for one in lacking if len(one) == 1)
    return alone.most_common(1)[0][0] if alone else None


def _stage(
    number: int, passed: frozenset[str], progress: Progress, known: list[Question], lacks: Lacks
) -> dict[str, object]:
    there = [one for one in known if stage_of(one) == number]
    return {
        "number": number,
        "title": words(STAGES[number].title),
        "open": is_open(number, progress, known),
        "after": STAGES[number].after,
        "passed": len({one.id for one in there} & passed),
        "questions": [
            {
                "id": one.id,
                "asks": words(one.asks),
                "passed": one.id in passed,
                "lacks": lacks(one.runs, one.instead),
            }
            for one in there
        ],
    }
