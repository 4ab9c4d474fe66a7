"""The command itself: finds its commands in this package, and words what goes wrong."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, NoReturn

import click

from lab import __version__, cli
from lab.errors import LabError, NotWritten, Stopped
from lab.text import Language, Text, choose_language

STANDARD_OUTPUT = Text("standard output", "标准输出")


class Commands(click.Group):
    """Finds its commands among the modules of this package, and words every LabError."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Name the commands without importing one."""
        return sorted(name for _, name, _ in iter_modules(cli.__path__) if not name.startswith("_"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the one command that is asked for."""
        if (
            not name.isidentifier()
            or name.startswith("_")
            or not find_spec(f"{cli.__name__}.{name}")
        ):
            return None
        command: click.Command = importlib.import_module(f"{cli.__name__}.{name}").command
        return command

    def make_context(self, *words: Any, **extra: Any) -> click.Context:
        """Read the command line; `lab --help` is printed meanwhile."""
        try:
            return super().make_context(*words, **extra)
        except OSError as error:
            _stop_if_full(error, choose_language(None, os.environ))
            raise

    def invoke(self, context: click.Context) -> Any:
        """Run the command; an error made to be read is read out, and gives the exit code."""
        try:
            return super().invoke(context)
        except BrokenPipeError:  # the reader (head, less) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.exit(0)
        except KeyboardInterrupt:
            _read_out(Stopped(), language_of(context))
        except LabError as error:
            _read_out(error, language_of(context))
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            _stop_if_full(error, language_of(context))
            if os.environ.get("LAB_TRACEBACK"):
                raise
            detail = f"{type(error).__name__}: {error} (LAB_TRACEBACK=1 shows where)"
            _read_out(LabError(detail=detail), language_of(context))


def _read_out(error: LabError, language: Language) -> NoReturn:
    from lab.report.glyphs import safe

    for line in error.lines(language):
        click.echo(safe(line), err=True)
    raise click.exceptions.Exit(error.exit_code)


def _stop_if_full(error: Exception, language: Language) -> None:
    """`lab … > FILE` on a full disk is no fault of the lab's."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        _read_out(NotWritten(file=STANDARD_OUTPUT, detail=error.strerror), language)


def language_of(context: click.Context) -> Language:
    """The language asked for with ``--lang``, else by the environment."""
    return choose_language(context.find_root().meta.get("lab.language"), os.environ)


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="lab")
@click.pass_context
def main(context: click.Context) -> None:
    """See TCP and UDP: run real exchanges, record every frame, have each one explained."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":  # no-color.org
        context.color = False
