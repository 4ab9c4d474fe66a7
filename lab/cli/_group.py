"""The command itself: finds its commands in this package, and words what goes wrong."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

import click

from lab import __version__, cli
from lab.errors import Interrupted, LabError
from lab.text import Language, choose_language


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

    def invoke(self, context: click.Context) -> Any:
        """Run the command; an error made to be read is read out, and gives the exit code."""
        try:
            return super().invoke(context)
        except BrokenPipeError:  # the reader (head, less) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.exit(0)
        except KeyboardInterrupt:
            _read_out(Interrupted(folder="captures"), context)
        except LabError as error:
            _read_out(error, context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if os.environ.get("LAB_TRACEBACK"):
                raise
            detail = f"{type(error).__name__}: {error} (LAB_TRACEBACK=1 shows where)"
            _read_out(LabError(detail=detail), context)


def _read_out(error: LabError, context: click.Context) -> None:
    from lab.report.glyphs import safe

    for line in error.lines(language_of(context)):
        click.echo(safe(line), err=True)
    context.exit(error.exit_code)


def language_of(context: click.Context) -> Language:
    """The language asked for with ``--lang``, else by the environment."""
    return choose_language(context.find_root().meta.get("lab.language"), os.environ)


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="lab")
def main() -> None:
    """See TCP and UDP: run real exchanges, record every frame, have each one explained."""
