"""`lab explain`: any capture file, in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from lab.cli import _options as options
from lab.cli import _patience as patience
from lab.cli import _several as several
from lab.cli import _spoken as spoken
from lab.cli._filter import Asked, asked, described
from lab.cli._usage import Misuse
from lab.errors import LabError, NothingShared
from lab.text import Language, Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lab.evidence.run import Evidence, View
    from lab.filters.chosen import Chosen
    from lab.filters.expression import Question
    from lab.filters.talks import Talk
    from lab.findings.base import Finding
    from lab.packets.each import Each

MANY, AT_A_GLANCE = 10_000, 100
"""Frames of a capture that takes long; its connections that are looked at if not all are asked for."""
LARGE = 1 << 24
"""Octets of a file that takes long enough to read for something else to be done meanwhile."""
READING = Text("Reading and analysing {file}", "正在读取并分析 {file}")
FINDING = Text("Looking for what is remarkable in {file}", "正在查找 {file} 中的异常")
TELLING = Text("Putting {file} into words", "正在整理 {file} 的说明")
TWO = Text("--merge takes two FILEs.", "--merge 需要两个文件。")
ONE = Text("--annotate takes one FILE.", "--annotate 只能用于一个文件。")
ITSELF = Text("--annotate would write over {file} itself.", "--annotate 会覆盖 {file} 本身。")
NO_STREAM = Text(
    "{value} is neither N nor tcp:N nor udp:N.", "{value} 不是“编号”“tcp:编号”或“udp:编号”。"
)
WRITTEN = Text("{file}: frames with comments: {count}", "{file}：带注释的帧数：{count}")


class Wishes(Struct, frozen=True):
    """What was asked for, the same for every file."""

    language: Language
    as_json: bool
    summary: bool
    everything: bool
    stream: tuple[str, int] | None
    asked: Asked | None  # by --filter
    memory: int | None = None  # octets


def _stream(
    _: click.Context, _option: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    """``7`` and ``tcp:7``: a TCP connection; ``udp:7``: a UDP exchange."""
    if value is None:
        return None
    protocol, _colon, number = value.rpartition(":")
    if (protocol or "tcp") not in {"tcp", "udp"} or not number.isdecimal():
        raise Misuse(NO_STREAM.fill(value=repr(value)))
    return protocol or "tcp", int(number)


@spoken.command(
    help=Text(
        "Explain captures, ours or not: what was found, each connection, worst first.\n\n"
        "FILE may be - for standard input, or the folder of a run. With --merge, two captures of one "
        "traffic tell where frames were lost or late; frame numbers are those of the first.\n\n"
        "With --json: one object a connection, one a line, each with its findings; with --summary "
        "too, one object a file.",
        "解释任意抓包，不论来源：有哪些发现，每个连接如何，由重到轻。\n\n"
        "“文件”可以是 -（标准输入），也可以是运行目录。加 --merge 时，"
        "用同一流量的两份抓包判断帧在何处丢失或延迟；帧号取自第一份。\n\n"
        "加 --json 时每个连接输出一个对象，每行一个，附各自的发现；再加 --summary 则每个文件一个对象。",
    ),
    below=described,
)
@spoken.argument(
    "files",
    metavar=Text("FILE...", "文件..."),
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@spoken.option(
    "--summary",
    is_flag=True,
    help=Text("Only the file as a whole and what was found.", "只给出文件概况与发现。"),
)
@spoken.option(
    "--all",
    "everything",
    is_flag=True,
    help=Text(
        "Look at and tell every exchange, finding and frame.", "逐一说明所有交换、发现和帧。"
    ),
)
@spoken.option(
    "--connection",
    "stream",
    metavar=Text("N", "编号"),
    callback=_stream,
    help=Text(
        "One in full, with its ladder: a number as in Wireshark's tcp.stream, or udp:N.",
        "详述一个连接并画出时序图：编号同 Wireshark 的 tcp.stream，或写 udp:编号。",
    ),
)
@spoken.option(
    "--filter",
    "expression",
    metavar=Text("EXPR", "表达式"),
    help=Text("Only those that EXPR is true of.", "只保留符合表达式的连接与交换。"),
)
@spoken.option(
    "--annotate",
    metavar=Text("OUT.pcapng", "输出.pcapng"),
    type=click.Path(path_type=Path, dir_okay=False),
    help=Text(
        "Write the file again, the findings as packet comments, for Wireshark.",
        "另写一份文件，把发现写成分组注释，供 Wireshark 查看。",
    ),
)
@spoken.option(
    "--merge",
    is_flag=True,
    help=Text("Two FILEs are one traffic, seen at two places.", "两个文件是同一流量在两处的抓包。"),
)
@options.memory
@options.as_json
@options.language
def command(
    files: tuple[Path, ...],
    summary: bool,
    everything: bool,
    stream: tuple[str, int] | None,
    expression: str | None,
    annotate: Path | None,
    merge: bool,
    memory: int | None,
    as_json: bool,
    language: Language,
) -> None:
    if merge and len(files) != 2:
        raise Misuse(TWO)
    if annotate is not None and (len(files) > 1 + merge or files[0].is_dir()):
        raise Misuse(ONE)
    wishes = Wishes(language, as_json, summary, everything, stream, asked(expression), memory)
    errors: list[LabError] = []
    with patience.stoppable():
        for number, together in enumerate([files] if merge else [(file,) for file in files]):
            if number and not as_json:
                click.echo()
            errors += _explain(together, wishes, annotate)
    several.end(errors)


def _explain(files: Sequence[Path], wishes: Wishes, annotate: Path | None) -> list[LabError]:
    """Explain a file, or two of one traffic, as far as they can be read; say what was wrong."""
    from lab.analyze import first_damage

    errors: list[LabError] = []
    try:
        evidence = _read(files, wishes)
        _tell(evidence, wishes, annotate)
        if harm := first_damage(evidence):
            errors.append(harm)
    except LabError as fault:
        errors.append(fault)
    for error in errors:
        several.say(error, wishes.language)
    return errors


def _read(files: Sequence[Path], wishes: Wishes) -> Evidence:
    """Read a file, a run's folder, or two of one traffic; raises MatchTooLarge, NothingShared."""
    from lab.analyze import load_file, load_run
    from lab.bounds import match_in_bounds
    from lab.cli._heap import keep
    from lab.evidence.build import alone

    first, *others = files
    if first.is_dir():
        with _busy(READING, first, wishes):
            return load_run(first)
    if others:
        match_in_bounds(first, others[0], wishes.memory)
    with _progress(first, wishes) as told:
        if first.is_file() and first.stat().st_size > LARGE:
            Thread(target=_load_findings, daemon=True).start()
            if wishes.memory is None:
                keep()
        view = load_file(first, told, wishes.memory)
    if not others:
        return alone(view)
    with _progress(others[0], wishes) as told:
        return _together([view, load_file(others[0], told, wishes.memory)])


def _load_findings() -> None:
    """Load what comes after the reading, while that keeps the interpreter free."""
    import lab.findings.tcp
    import lab.report.explanation
    import lab.report.overview
    from lab.findings.base import kinds

    deque((*kinds(lab.findings), *kinds(lab.findings.tcp)), maxlen=0)


def _together(views: Sequence[View]) -> Evidence:
    """Two views of one traffic, called after their files."""
    from lab.evidence.merge import merge, same_traffic

    stems = [Path(view.file).stem for view in views]
    if len(set(stems)) > 1:
        views = [replace(view, host=stem) for view, stem in zip(views, stems, strict=True)]
    evidence = merge(*views)
    if evidence.match is None or not same_traffic(evidence.match):
        raise NothingShared(first=views[0].file, second=views[1].file)
    return evidence


def _busy(doing: Text, file: Path | str, wishes: Wishes) -> Any:
    from lab.report.glyphs import safe

    return patience.busy(doing.fill(file=safe(str(file))), wishes.language)


def _progress(file: Path, wishes: Wishes) -> Any:
    from lab.report.glyphs import safe

    return patience.progress(READING.fill(file=safe(str(file))), wishes.language)


def _tell(evidence: Evidence, wishes: Wishes, annotate: Path | None) -> None:
    from lab.cli import _output as output

    view = evidence.view
    question = wishes.asked(evidence) if wishes.asked else None
    with _busy(FINDING, view.file, wishes):
        chosen, found = _chosen_and_found(evidence, wishes, annotate, question)
    if annotate is not None:
        _annotate(view, found, annotate, wishes)
    if wishes.as_json:
        for record in _records(evidence, found, wishes, chosen):
            output.write_json(record)
        return
    with _busy(TELLING, view.file, wishes):
        lines = [*_lines(evidence, found, wishes, chosen)]
    output.write(lines)


def _chosen_and_found(
    evidence: Evidence, wishes: Wishes, annotate: Path | None, question: Question | None
) -> tuple[Chosen | None, tuple[Finding, ...]]:
    """What the filter chooses, None without one; what is found, as far as that is asked for."""
    from lab.findings.base import findings

    if wishes.stream and annotate is None:
        return None, findings(evidence, only=_numbers_of(*wishes.stream))
    if question is None:
        few = _at_most(evidence, wishes, annotate)
        return None, findings(evidence, at_most=few, each=_each(evidence))
    from lab.report.choice import chosen_and_found, filtered

    if annotate is None:
        return chosen_and_found(evidence, question)
    found = findings(evidence)
    return filtered(evidence.view, found, question), found


def _each(evidence: Evidence) -> Each:
    """Threads, where there is enough to do for them."""
    from lab.packets.each import one_by_one
    from lab.workers import side_by_side

    return side_by_side if len(evidence.view.capture.frames) > MANY else one_by_one


def _numbers_of(protocol: str, stream: int) -> NDArray[np.int64]:
    """Of the connections that one exchange is."""
    import numpy as np

    return np.array([stream] if protocol == "tcp" else [], np.int64)


def _at_most(evidence: Evidence, wishes: Wishes, annotate: Path | None) -> int | None:
    """How many connections to look at one by one; None: all, where each may be asked about."""
    each = wishes.as_json and not wishes.summary
    chosen = wishes.everything or wishes.stream or wishes.asked or annotate
    few = len(evidence.view.capture.frames) <= MANY or evidence.manifest.scenario
    return None if each or chosen or few else AT_A_GLANCE


def _lines(
    evidence: Evidence, found: tuple[Finding, ...], wishes: Wishes, chosen: Chosen | None
) -> Iterator[str]:
    from lab.cli import _output as output
    from lab.report.explanation import explain, summary_and_findings

    language, columns, paint = wishes.language, output.columns(), output.paint()
    if wishes.stream:
        from lab.report.choice import numbered
        from lab.report.closeup import closeup

        talk = numbered(evidence.view, *wishes.stream)
        return closeup(
            evidence, talk, found, language, columns, paint, everything=wishes.everything
        )
    tell = summary_and_findings if wishes.summary else explain
    return tell(
        evidence,
        language,
        columns,
        paint,
        found=found,
        chosen=chosen,
        everything=wishes.everything,
        each=_each(evidence),
    )


def _records(
    evidence: Evidence, found: tuple[Finding, ...], wishes: Wishes, chosen: Chosen | None
) -> Iterator[dict[str, Any]]:
    """What `lab explain --json` prints: see `lab.report.records`."""
    from lab.report import records
    from lab.report.choice import by_stream, numbered
    from lab.report.explanation import about
    from lab.report.overview import overview
    from lab.report.overview import record as overview_record

    view, owned = evidence.view, by_stream(found)
    if wishes.stream:
        yield records.in_full(evidence, numbered(view, *wishes.stream), owned)
        return
    if wishes.summary:
        told = found if chosen is None else about(found, chosen)
        yield overview_record(overview(view, _each(evidence))) | {
            "findings": [records.finding(f) for f in told]
        }
        return
    every: Iterable[Talk] = chain(view.connections, view.exchanges) if chosen is None else chosen
    for talk in every:
        yield records.with_findings(talk, view, owned)


def _annotate(view: View, found: tuple[Finding, ...], path: Path, wishes: Wishes) -> None:
    """Write the commented file; it appears whole."""
    from lab.cli._writing import appearing
    from lab.report.commented import commented, comments

    if path.exists() and Path(view.file).exists() and path.samefile(view.file):
        raise Misuse(ITSELF.fill(file=path))
    words = comments(found, wishes.language)
    with appearing(path) as file:
        file.writelines(commented(view.capture, words))
    told = WRITTEN.fill(count=f"{len(words):,}", file=path).say(wishes.language)
    click.echo(told, err=True)
