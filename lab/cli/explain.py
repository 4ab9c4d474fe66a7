"""`lab explain`: any capture file, in words."""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli import _options as options
from lab.errors import LabError
from lab.text import Language


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@options.as_json
@options.language
def command(files: tuple[Path, ...], as_json: bool, language: Language) -> None:
    """Explain captures, ours or not: each connection, its frames, what went wrong.

    With --json: one object a connection, one a line.
    """
    failures = [error for file in files if (error := _explain(file, as_json, language))]
    for error in failures[:-1]:
        click.echo("\n".join(error.lines(language)), err=True)
    if failures:
        raise failures[-1]


def _explain(file: Path, as_json: bool, language: Language) -> LabError | None:
    """Explain one file as far as it can be read; what was wrong with it is for the end."""
    from lab.analyze import damage, load_file
    from lab.cli import _output as output
    from lab.evidence.build import alone

    try:
        view = load_file(file)
    except LabError as error:
        return error
    if as_json:
        from lab.report import records

        for record in records.connections(view):
            output.write_json(record)
    else:
        from lab.report.explanation import explain

        output.write(explain(alone(view), language, output.columns(), output.paint()))
    return damage(view)
