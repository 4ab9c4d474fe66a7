"""Several files after one another: what is wrong with one hides none of the others."""

from __future__ import annotations

from collections.abc import Sequence

import click

from lab.errors import DamagedCapture, LabError, TruncatedCapture
from lab.text import Language


def say(error: LabError, language: Language) -> None:
    """Read an error out, on standard error."""
    from lab.report.glyphs import safe

    click.echo("\n".join(safe(line) for line in error.lines(language)), err=True)


def end(errors: Sequence[LabError]) -> None:
    """End with the exit code of the worst error, if there was any.

    A file of which nothing could be read is worse than one that was read as far as it is whole.
    """
    partly = (TruncatedCapture, DamagedCapture)
    if errors:
        raise click.exceptions.Exit(
            max((not isinstance(error, partly), error.exit_code) for error in errors)[1]
        )
