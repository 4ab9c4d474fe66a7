"""`lab export`: captures as tables, for pandas, polars, DuckDB and spreadsheets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import click

from lab.cli import _options as options
from lab.cli import _patience as patience
from lab.cli import _several as several
from lab.cli import _spoken as spoken
from lab.cli._filter import Asked, asked
from lab.cli._usage import Misuse
from lab.cli._writing import appearing, written
from lab.errors import LabError
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.analyze import Share
    from lab.evidence.run import Evidence
    from lab.filters.expression import Question
    from lab.report.tables.base import Table

TABLES = ("segments", "connections", "findings")
FORMS = ("csv", "parquet", "arrow")

READING = Text("Reading and analysing {file}", "正在读取并分析 {file}")
WRITING = Text("Writing the tables of {file}", "正在写出 {file} 的表")
WRITTEN = Text("{file}: {rows} row[|s]", "{file}：{rows} 行")
HEADING = Text("Table {name}", "表 {name}")
NO_TARGET = Text("Missing argument 'FILE|RUN...'.", "缺少参数 '文件|运行...'。")
NO_FOLDER = Text(
    "Name a folder with -o, or one --table for standard output.",
    "请用 -o 指定目录，或只选一个 --table 写到标准输出。",
)


@spoken.command(
    help=Text(
        "Export captures or runs as tables: segments, connections, findings.\n\n"
        "FILE may be - for standard input. All go into the same tables; the column file tells them "
        "apart. Of a damaged file, what comes before the damage is exported.",
        "把抓包或运行导出为表：报文段、连接、发现。\n\n"
        "“文件”为 - 时读标准输入。多个文件写入同一组表，以 file 列区分。"
        "文件若有损坏，导出损坏处之前的内容。",
    )
)
@spoken.argument("targets", metavar=Text("FILE|RUN...", "文件|运行..."), nargs=-1)
@spoken.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="csv",
    show_default=True,
    help=Text("Of the files.", "文件格式。"),
)
@spoken.option(
    "--table",
    "names",
    type=click.Choice(TABLES),
    multiple=True,
    help=Text(
        "Only this one; may be repeated. A single one goes to standard output without -o.",
        "只导出这张表，可重复指定。只有一张且没有 -o 时写到标准输出。",
    ),
)
@spoken.option(
    "-o",
    "--output",
    "folder",
    metavar=Text("FOLDER", "目录"),
    type=click.Path(path_type=Path, file_okay=False),
    help=Text(
        "Where the files are written: segments.csv, connections.csv, findings.csv.",
        "写到哪个目录：segments.csv、connections.csv、findings.csv。",
    ),
)
@spoken.option(
    "--filter",
    "expression",
    metavar=Text("EXPR", "表达式"),
    help=Text("As of lab explain.", "与 lab explain 的相同。"),
)
@options.memory
@spoken.option(
    "--columns",
    is_flag=True,
    help=Text("Say what the columns mean, and end.", "说明各列的含义，然后退出。"),
)
@options.language
@options.captures
def command(
    targets: tuple[str, ...],
    form: str,
    names: tuple[str, ...],
    folder: Path | None,
    expression: str | None,
    memory: int | None,
    columns: bool,
    language: Language,
    captures: Path,
) -> None:
    from lab.cli import _output as output

    wanted = tuple(dict.fromkeys(names)) or TABLES
    if columns:
        output.write(_described(wanted, language, output.columns()))
        return
    if not targets:
        raise Misuse(NO_TARGET)
    if folder is None and len(wanted) > 1:
        raise Misuse(NO_FOLDER)
    chosen = asked(expression)
    files = _Files(form, wanted, folder)
    with patience.stoppable(), files.opened():
        errors = _export(targets, files, chosen, captures, language, memory)
        if not files.rows:
            several.end(errors)
    if folder:
        for path, rows in files.rows.items():
            click.echo(WRITTEN.fill(file=path, rows=f"{rows:,}").say(language), err=True)
    several.end(errors)


def _export(
    targets: tuple[str, ...],
    files: _Files,
    chosen: Asked | None,
    captures: Path,
    language: Language,
    memory: int | None,
) -> list[LabError]:
    """Write the tables of one target after another; what is wrong with one is said at once."""
    from lab.analyze import first_damage
    from lab.report.glyphs import safe

    errors: list[LabError] = []
    for target in targets:
        try:
            with patience.progress(READING.fill(file=safe(target)), language) as told:
                evidence = _load(target, captures, told, memory)
            question = chosen(evidence) if chosen else None
        except LabError as error:
            several.say(error, language)
            errors.append(error)
            continue
        with patience.busy(WRITING.fill(file=safe(target)), language):
            files.add(evidence, question)
        if harm := first_damage(evidence):
            several.say(harm, language)
            errors.append(harm)
    return errors


def _load(target: str, captures: Path, told: Share | None, memory: int | None) -> Evidence:
    from lab.analyze import load, load_file
    from lab.evidence.build import alone

    if target == "-":
        return alone(load_file(Path(target), told, memory))
    return load(captures, target, told, memory)[1]


class _Form(Protocol):
    """A file of rows that grows table by table."""

    def write(self, table: Table) -> None: ...

    def close(self) -> None: ...


class _Csv:
    """CSV as a `_Form`."""

    def __init__(self, sink: IO[bytes], name: str) -> None:
        from lab.report.tables.csv_form import header
        from lab.report.tables.making import COLUMNS

        self.sink = sink
        sink.write(header(COLUMNS[name]))

    def write(self, table: Table) -> None:
        from lab.report.tables.csv_form import lines

        self.sink.writelines(lines(table))

    def close(self) -> None:
        self.sink.flush()


class _Files:
    """The files of an export, or standard output; they appear together, once all is written."""

    def __init__(self, form: str, names: tuple[str, ...], folder: Path | None) -> None:
        self.form, self.names, self.folder = form, names, folder
        self.rows: dict[Path, int] = {}
        self._forms: dict[str, _Form] = {}

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Have them open; what goes wrong leaves nothing new behind."""
        with ExitStack() as stack:
            if self.folder:
                with written(self.folder):
                    self.folder.mkdir(parents=True, exist_ok=True)
            for name in self.names:
                sink = self._sink(name, stack)
                self._forms[name] = _form(self.form, sink, name)
            yield
            for form in self._forms.values():
                form.close()

    def _sink(self, name: str, stack: ExitStack) -> IO[bytes]:
        if self.folder:
            return stack.enter_context(appearing(self._path(name)))
        return sys.stdout.buffer

    def _path(self, name: str) -> Path:
        return (self.folder or Path()) / f"{name}.{self.form}"

    def add(self, evidence: Evidence, question: Question | None) -> None:
        """Write the tables of one file or run."""
        from lab.report.tables.making import tables

        for table in tables(evidence, self.names, question):
            self._forms[table.name].write(table)
            path = self._path(table.name)
            self.rows[path] = self.rows.get(path, 0) + len(table)


def _form(form: str, sink: IO[bytes], name: str) -> _Form:
    from lab.report.tables.making import COLUMNS

    if form == "csv":
        return _Csv(sink, name)
    from lab.report.tables.arrow_form import ArrowFile

    return ArrowFile(sink, COLUMNS[name], form)


def _described(names: tuple[str, ...], language: Language, columns: int) -> Iterator[str]:
    """Each table with its columns: name, what it holds, what that means."""
    from lab.report.glyphs import fold
    from lab.report.tables.making import COLUMNS

    for number, name in enumerate(names):
        if number:
            yield ""
        yield HEADING.fill(name=name).say(language)
        widest = max(len(one.name) for one in COLUMNS[name])
        for one in COLUMNS[name]:
            head = f"  {one.name:{widest}}  {one.sort:8}  "
            lines = fold([one.meaning.say(language)], columns - len(head))
            yield head + lines[0]
            yield from (" " * len(head) + line for line in lines[1:])
