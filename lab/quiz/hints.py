"""Three hints: where to look, what to compare, a worked example from another run."""

from __future__ import annotations

from lab.questions.base import Proof, Question
from lab.quiz.values import written
from lab.text import Text

EXAMPLE = Text("In another run it was so: {values}.", "另一次运行中是这样：{values}。")
VALUE = Text("{asked}: {right}", "{asked}：{right}")
NONE_LEFT = Text("There is no further hint.", "没有更多提示了。")
MOST = 3


def hint(question: Question, nth: int, other: Proof | None = None) -> Text:
    """The nth hint, from 0; NONE_LEFT if there is none.

    ``other``: the proof by another run, whose numbers are not these.
    """
    if nth < len(question.hints):
        return question.hints[nth]
    if nth != len(question.hints) or other is None or not other.holds:
        return NONE_LEFT
    told = [
        VALUE.fill(asked=ask.words, right=written(ask.unit, other.key[ask.id].accepted[0]))
        for ask in question.values
        if ask.id in other.key
    ]
    joined = Text("; ".join(one.en for one in told), "；".join(one.zh for one in told))
    return EXAMPLE.fill(values=joined)
