"""Questions on paper: what is asked of which run, and how to look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.questions.base import Question
from lab.text import Language, Text

TITLE = Text("Exercise for {learner}", "{learner} 的练习")
HOW = Text(
    "Look at a run with `lab show runs/RUN` or open its captures in Wireshark. "
    "Frame numbers are those of the capture that the question names, else of the first in `lab show`. "
    "Write your answers into answers.yaml and hand in the whole folder.",
    "用 `lab show runs/RUN` 查看一次运行，或用 Wireshark 打开其中的抓包文件。"
    "帧号以题目指明的抓包为准，否则以 `lab show` 所示为准。"
    "答案写入 answers.yaml，并交回整个文件夹。",
)
RUNS = Text("Runs", "运行")
PREDICT = Text("Predict first", "先预测")
GIVE = Text("Give", "请填写")


def draw_questions(
    asked: Sequence[Question], folders: Mapping[str, str], learner: str, language: Language
) -> str:
    """QUESTIONS.md of an exercise; ``folders``: of the runs, by scenario."""
    lines = [f"# {TITLE.fill(learner=learner).say(language)}", "", HOW.say(language)]
    for question in asked:
        lines += ["", *_question(question, folders, language)]
    return "\n".join((*lines, ""))


def _question(question: Question, folders: Mapping[str, str], language: Language) -> Iterator[str]:
    yield f"## {question.id} {question.asks.say(language)}"
    yield ""
    runs = ", ".join(f"{name} (`runs/{folders[name]}`)" for name in question.runs)
    yield f"{RUNS.say(language)}: {runs}"
    if question.guess:
        yield ""
        yield f"{PREDICT.say(language)}: {question.guess.words.say(language)}"
        yield ""
        for number, option in enumerate(question.guess.options, 1):
            yield f"{number}. {option.say(language)}"
    yield ""
    yield f"{GIVE.say(language)}:"
    yield ""
    yield from (f"- `{ask.id}` {ask.words.say(language)}" for ask in question.values)
