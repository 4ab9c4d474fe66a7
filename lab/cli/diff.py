"""``lab diff``: two runs side by side, the first difference marked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.cli._usage import Misuse
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.evidence.run import Evidence


NO_FORM = Text(
    "--html goes with neither --pairs nor --json.", "--html 不能与 --pairs 或 --json 同用。"
)
NO_RUN = Text("--pairs takes no RUN.", "--pairs 不带“运行”参数。")
NO_FILE = Text("-o goes with --html.", "-o 要与 --html 同用。")
TWO = Text(
    "Name two runs: lab diff RUN RUN. 'lab diff --pairs' lists pairs.",
    "请指定两次运行：lab diff 运行 运行。'lab diff --pairs' 列出值得比较的场景对。",
)


@spoken.command(
    help=Text(
        "Compare two runs segment by segment, then calls, outcomes, states and counters.\n\n"
        "A RUN is a run folder, a capture file, or a scenario: its newest run that kept its promises. "
        "RUN@HOST compares what that host's port saw. ISNs, ports and small differences in time do "
        "not count. Exit code 0 if the two are alike, 1 if they differ.",
        "逐段比较两次运行，再比较系统调用、结局、状态与计数器。\n\n"
        "“运行”可以是运行目录、抓包文件或场景名；场景名指其最近一次兑现承诺的运行。"
        "“运行@主机”比较该主机端口所见。ISN、端口号和细小的时间差不算不同。"
        "退出码：0 相同；1 不同。",
    )
)
@spoken.argument("runs", metavar=Text("RUN RUN", "运行 运行"), nargs=-1)
@spoken.option(
    "--pairs",
    is_flag=True,
    help=Text("List the pairs of scenarios worth comparing.", "列出值得比较的场景对。"),
)
@spoken.option(
    "--html",
    is_flag=True,
    help=Text(
        "The comparison as a page: one self-contained file.", "比较结果的网页：单个自包含文件。"
    ),
)
@spoken.option(
    "-o",
    "--output",
    "file",
    metavar=Text("FILE", "文件"),
    type=click.Path(dir_okay=False, path_type=Path),
    help=Text(
        "Where --html goes; else it is printed.", "--html 的输出文件；省略则打印到标准输出。"
    ),
)
@options.as_json
@options.language
@options.captures
def command(
    runs: tuple[str, ...],
    pairs: bool,
    html: bool,
    file: Path | None,
    as_json: bool,
    language: Language,
    captures: Path,
) -> None:
    if html and (pairs or as_json):
        raise Misuse(NO_FORM)
    if pairs and runs:
        raise Misuse(NO_RUN)
    if file and not html:
        raise Misuse(NO_FILE)
    if pairs:
        _list(as_json=as_json, language=language)
    elif len(runs) != 2:
        raise Misuse(TWO)
    elif html:
        raise SystemExit(_page(runs, captures, file, language))
    else:
        raise SystemExit(_compare(runs, captures, language, as_json=as_json))


def _list(*, as_json: bool, language: Language) -> None:
    from lab.cli import _output as output
    from lab.report.difference.pairs import CONTRASTS, draw_contrasts
    from lab.report.difference.records import contrast_record

    if as_json:
        output.write_json([contrast_record(one) for one in CONTRASTS], indent=2)
    else:
        output.write(draw_contrasts(CONTRASTS, language))


def _compare(runs: tuple[str, ...], captures: Path, language: Language, *, as_json: bool) -> int:
    """Print the comparison; returns the exit code."""
    from lab.analyze import first_damage
    from lab.cli import _output as output
    from lab.cli import _several as several
    from lab.report.difference.compare import difference
    from lab.report.difference.drawing import draw_difference
    from lab.report.difference.records import difference_record

    (left, ours), (right, theirs) = (_load(captures, target) for target in runs)
    found = difference(ours, theirs)
    if as_json:
        output.write_json(difference_record(found, (left, right)), indent=2)
    else:
        names, width = (left, right), output.columns()
        output.write(draw_difference(found, names, language, width, output.paint()))
    for damage in filter(None, map(first_damage, (ours, theirs))):
        several.say(damage, language)
    return 0 if found.alike else 1


def _page(runs: tuple[str, ...], captures: Path, file: Path | None, language: Language) -> int:
    """Write the comparison's page; returns the exit code."""
    from lab.page.contrast import contrast
    from lab.report.difference.compare import difference

    (left, ours), (right, theirs) = (_load(captures, target) for target in runs)
    found = difference(ours, theirs)
    page = contrast((left, right), (ours, theirs), found, language)
    if file is None:
        click.echo(page, nl=False)
    else:
        from lab.cli._writing import appearing

        with appearing(file) as opened:
            opened.write(page.encode())
    return 0 if found.alike else 1


def _load(captures: Path, target: str) -> tuple[str, Evidence]:
    """A run as it is named, and its evidence; raises RunNotFound and what `lab.analyze.load` raises."""
    from lab.analyze import load

    name, _, host = target.rpartition("@") if "@" in target else (target, "", "")
    found = _usable(captures, name) or load(captures, name)
    if not host:
        return found
    from lab.report.difference.side import at_port

    return f"{found[0]}@{host}", at_port(found[1], host)


def _usable(captures: Path, name: str) -> tuple[str, Evidence] | None:
    """The newest run of a scenario that kept its promises; None if there is none, or it is none."""
    from lab import scenarios
    from lab.proving import usable

    if name.partition(":")[0] not in scenarios.names():
        return None
    found = usable(captures, name)
    return (found[0].name, found[1]) if found else None
