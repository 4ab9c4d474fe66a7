"""`lab show`: the ladder of a run: frames, calls and states on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.cli._usage import Misuse
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.evidence.run import Evidence
    from lab.report.events import Ladder
    from lab.report.terminal import Paint

RUN_LINE = Text(
    "Run {run}: scenario {scenario}, engine {engine}", "运行 {run}：场景 {scenario}，引擎 {engine}"
)
MORE = Text(" 'lab verify' shows each.", "'lab verify' 逐项列出。")
NO_FORM = Text(
    "-o goes with --html, --svg or --mermaid.", "-o 要与 --html、--svg 或 --mermaid 同用。"
)
TWO_FORMS = Text(
    "--json goes with none of --html, --svg and --mermaid.",
    "--json 不能与 --html、--svg 或 --mermaid 同用。",
)
INCOMPLETE = Text("The run is incomplete: {reason}", "该次运行不完整：{reason}")


@spoken.command(
    help=Text(
        "Show a run, or a capture file, as a ladder; the newest run unless one is named.",
        "以时序图显示一次运行或一个抓包文件；不指定则为最近一次运行。",
    )
)
@spoken.argument("target", metavar=Text("[RUN|FILE]", "[运行|文件]"), default="")
@spoken.option(
    "--absolute",
    is_flag=True,
    help=Text(
        "Sequence numbers as on the wire, not from the ISN.",
        "显示线路上的绝对序号，不从 ISN 起算。",
    ),
)
@spoken.option(
    "--all",
    "everything",
    is_flag=True,
    help=Text("Every frame, however long the transfer.", "无论传输多长，都显示每一帧。"),
)
@spoken.option(
    "--html",
    "form",
    flag_value="html",
    help=Text("The page: one self-contained file.", "网页：单个自包含文件。"),
)
@spoken.option(
    "--svg",
    "form",
    flag_value="svg",
    help=Text("The ladder alone as SVG, for slides.", "只有时序图的 SVG，可用于幻灯片。"),
)
@spoken.option(
    "--mermaid",
    "form",
    flag_value="mermaid",
    help=Text("A Mermaid sequence diagram.", "Mermaid 时序图。"),
)
@spoken.option(
    "-o",
    "--output",
    "file",
    metavar=Text("FILE", "文件"),
    type=click.Path(dir_okay=False, path_type=Path),
    help=Text(
        "Where --html, --svg or --mermaid go; else they are printed.",
        "--html、--svg 或 --mermaid 的输出文件；省略则打印到标准输出。",
    ),
)
@options.as_json
@options.language
@options.captures
def command(
    target: str,
    absolute: bool,
    everything: bool,
    form: str | None,
    file: Path | None,
    as_json: bool,
    language: Language,
    captures: Path,
) -> None:
    if file and not form:
        raise Misuse(NO_FORM)
    if form and as_json:
        raise Misuse(TWO_FORMS)
    from lab.analyze import first_damage, load

    name, evidence = load(captures, target)
    if form:
        _put(_drawn(form, name, evidence, language), file)
    else:
        _print(name, evidence, language, absolute=absolute, everything=everything, as_json=as_json)
    if error := first_damage(evidence):
        raise error


def _drawn(form: str, name: str, evidence: Evidence, language: Language) -> str:
    """The run as HTML, SVG or Mermaid."""
    if form == "html":
        from lab import page
        from lab.report.account import judge

        return page.report(Path(name).name, evidence, judge(evidence), language)
    if form == "svg":
        from lab.page.build import scene
        from lab.page.svg import svg

        return svg(scene(evidence), language)
    from lab.page.mermaid import mermaid
    from lab.report.ladder import ladder

    return mermaid(ladder(evidence), language)


def _put(text: str, file: Path | None) -> None:
    """Into a file, whole or not at all; else to the terminal."""
    if file is None or str(file) == "-":
        click.echo(text, nl=False)
        return
    from lab.cli._writing import appearing

    with appearing(file) as opened:
        opened.write(text.encode())


def _print(
    name: str,
    evidence: Evidence,
    language: Language,
    *,
    absolute: bool,
    everything: bool,
    as_json: bool,
) -> None:
    from lab.cli import _output as output
    from lab.report.account import shows_background
    from lab.report.ladder import ladder

    background = everything or shows_background(evidence)
    drawn = ladder(evidence, absolute=absolute, everything=everything, background=background)
    if as_json:
        output.write_json(_record(evidence, drawn), indent=2)
    else:
        from lab.report.account import compared
        from lab.report.glyphs import fold
        from lab.report.terminal import draw

        width, paint = output.columns(), output.paint()
        output.write(
            (
                *(line for one in _head(name, evidence, language) for line in fold([one], width)),
                *draw(drawn, language, width, paint),
                *compared(evidence, language, width, paint),
                *_findings(evidence, language, width, paint),
                *_verdict(evidence, language, paint),
            )
        )


def _head(name: str, evidence: Evidence, language: Language) -> Iterator[str]:
    from lab.report.file_line import file_line
    from lab.report.glyphs import safe

    manifest = evidence.manifest
    if manifest.scenario:
        words = RUN_LINE.fill(run=name, scenario=manifest.scenario, engine=manifest.engine)
        yield safe(words.say(language))
        if not manifest.complete:
            yield safe(INCOMPLETE.fill(reason=manifest.reason).say(language))
    yield file_line(evidence.view).say(language)


def _findings(evidence: Evidence, language: Language, columns: int, paint: Paint) -> Iterator[str]:
    from lab.findings.base import findings

    if found := findings(evidence):
        from lab.report.explanation import finding_lines

        yield ""
        yield from finding_lines(found, language, columns, paint)


def _verdict(evidence: Evidence, language: Language, paint: Paint) -> Iterator[str]:
    """The verdict in one line; `lab verify` has a line for each promise."""
    from lab.report.account import judge
    from lab.report.verdict import conclusion

    if verdict := judge(evidence):
        yield ""
        yield conclusion(verdict, language, paint) + MORE.say(language)


def _record(evidence: Evidence, ladder: Ladder) -> dict[str, object]:
    import msgspec

    from lab.findings.base import findings
    from lab.report import records
    from lab.report.account import judge

    verdict = judge(evidence)
    return {
        "manifest": msgspec.to_builtins(evidence.manifest) if evidence.manifest.scenario else None,
        "file": evidence.view.file,
        "ladder": records.ladder(ladder),
        "connections": list(records.connections(evidence.view)),
        "findings": [records.finding(one) for one in findings(evidence)],
        "verdict": records.verdict(verdict) if verdict else None,
    }
