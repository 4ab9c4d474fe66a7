"""The diagnosis room in the terminal."""

from __future__ import annotations

import random
from collections.abc import Sequence

import click

from lab.cli import _output as output
from lab.cli._asking import _read
from lab.cli._proofs import Bench
from lab.quiz.diagnosis import CAUSES, MOST, PIECES, Piece, cases, judged, symptoms
from lab.report.room import draw_piece
from lab.text import Language, Text

SYMPTOMS = Text("What the client's program saw:", "客户端程序所见：")
OFFER = Text(
    "Ask for evidence (at most {most}), or name the cause by its number:",
    "可以索要证据（至多 {most} 项），或用编号说出原因：",
)
CHOICE = Text("evidence or cause", "证据或原因")
NO_MORE = Text("That was the last piece: name the cause.", "证据已用完，请说出原因。")
UNKNOWN = Text("neither a piece of evidence nor a cause's number", "既不是证据名称，也不是原因编号")
RIGHT = Text("Right, {score} of 100: {cause}", "正确，得分 {score}/100：{cause}")
WRONG = Text("No. It was this: {cause}", "不对。真正的原因：{cause}")
SEE = Text("the run: lab show {run}", "这次运行：lab show {run}")
NOTHING = Text("nothing there", "没有内容")


def diagnose(engine: str, language: Language) -> None:
    """Play one of the cases without a word, and let the learner find out."""
    scenario = random.choice(cases())  # noqa: S311
    bench = Bench(engine, language, fresh=True, quiet=True)
    folder, evidence = bench.gather([scenario])[scenario]
    click.secho(SYMPTOMS.say(language), bold=True)
    output.write(symptoms(evidence))
    names = sorted(CAUSES, key=lambda one: CAUSES[one].en)
    _offer(names, language)
    looked: list[Piece] = []
    while True:
        typed = _read(CHOICE.say(language)).strip().lower()
        if typed.isdecimal() and 1 <= int(typed) <= len(names):
            break
        if typed not in set(Piece):
            click.echo(UNKNOWN.say(language))
        elif len(looked) >= MOST and Piece(typed) not in looked:
            click.echo(NO_MORE.say(language))
        else:
            looked.append(Piece(typed))
            shown = draw_piece(evidence, Piece(typed), language, output.columns(), output.paint())
            output.write(shown or [NOTHING.say(language)])
    found = judged(scenario, names[int(typed) - 1], looked)
    told = RIGHT if found.right else WRONG
    click.secho(told.fill(score=found.score, cause=CAUSES[scenario]).say(language), bold=True)
    click.echo(SEE.fill(run=folder.name).say(language))


def _offer(names: Sequence[str], language: Language) -> None:
    click.echo(OFFER.fill(most=MOST).say(language))
    for one, words in PIECES.items():
        click.echo(f"  {one:<9} {words.say(language)}")
    for number, name in enumerate(names, 1):
        click.echo(f"  {number:>9} {CAUSES[name].say(language)}")
