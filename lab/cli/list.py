"""``lab list``: the scenarios there are, by group and level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.scenarios.base import Scenario

LEGEND = Text(
    "levels: 1 first steps, 2 everyday, 3 depth; * core; NAME:VARIANT plays a variant",
    "级别：1 入门，2 日常，3 深入；* 核心；“场景名:变体”运行某个变体",
)


@spoken.command(
    help=Text("List the scenarios that `lab run` plays.", "列出 `lab run` 可运行的场景。")
)
@_options.as_json
@_options.language
def command(as_json: bool, language: Language) -> None:
    from lab import scenarios
    from lab.cli import _output

    known = [scenarios.find(name) for name in scenarios.names()]
    if as_json:
        _output.write_json([_record(one) for one in known], indent=2)
    else:
        _output.write(_lines(known, language, _output.columns()))


def _lines(known: list[Scenario], language: Language, columns: int) -> Iterator[str]:
    from lab.report.glyphs import fold, pad, width
    from lab.scenarios.base import GROUPS

    column = max(width(one.id) for one in known)
    for group, title in GROUPS.items():
        members = sorted((one for one in known if one.group == group), key=lambda one: one.level)
        if members:
            yield click.style(title.say(language), bold=True)
        for one in members:
            mark = f"{one.level}{'*' if one.core else ' '}"
            variants = f"  ({', '.join(one.variants)})" if one.variants else ""
            head = f"  {mark} {pad(one.id, column)}  "
            told = fold([f"{one.title.say(language)}{variants}"], columns - width(head))
            yield head + told[0]
            yield from (" " * width(head) + line for line in told[1:])
    yield from fold([LEGEND.say(language)], columns)


def _record(one: Scenario) -> dict[str, object]:
    return {
        "id": one.id,
        "title": {"en": one.title.en, "zh": one.title.zh},
        "group": one.group,
        "level": one.level,
        "core": one.core,
        "variants": list(one.variants),
        "teaches": [{"en": text.en, "zh": text.zh} for text in one.teaches],
        "sources": list(one.sources),
    }
