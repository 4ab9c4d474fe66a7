"""The command itself: finds its commands in this package, and words what goes wrong."""

from __future__ import annotations

import errno
import importlib
import os
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, NoReturn

import click

from lab import __version__, cli
from lab.cli import _options as options
from lab.cli import _usage as usage
from lab.cli._spoken import KEY, Command, Option, command, language_of
from lab.errors import LabError, NotWritten, Stopped
from lab.text import Language, Text, choose_language

STANDARD_OUTPUT = Text("standard output", "标准输出")


class Commands(Command, click.Group):
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
        found: click.Command = importlib.import_module(f"{cli.__name__}.{name}").command
        return found

    def make_context(
        self, info_name: str | None, args: list[str], *more: Any, **extra: Any
    ) -> click.Context:
        """Read the command line; `lab --help` is printed meanwhile."""
        language = choose_language(options.asked_language(args), os.environ)
        try:
            return super().make_context(info_name, args, *more, **extra)
        except click.UsageError as error:
            _refuse(error, language)
        except KeyboardInterrupt:
            _read_out(Stopped(), language)
        except OSError as error:
            _stop_if_full(error, language)
            raise

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Know the language before anything is said, whatever stands before ``--lang``."""
        ctx.meta[KEY] = options.asked_language(args)
        return super().parse_args(ctx, args)

    def invoke(self, context: click.Context) -> Any:
        """Run the command; an error made to be read is read out, and gives the exit code."""
        try:
            return super().invoke(context)
        except BrokenPipeError:  # the reader (head, less) has seen enough
            from lab.cli._output import say_no_more

            say_no_more()
            context.exit(0)
        except KeyboardInterrupt:
            _read_out(Stopped(), language_of(context))
        except LabError as error:
            _read_out(error, language_of(context))
        except click.UsageError as error:
            _refuse(error, language_of(context))
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


def _refuse(error: click.UsageError, language: Language) -> NoReturn:
    """Say what is wrong with the command line."""
    from lab.report.glyphs import safe

    for line in usage.lines(error, language):
        click.echo(safe(line), err=True)
    raise click.exceptions.Exit(error.exit_code)


def _stop_if_full(error: Exception, language: Language) -> None:
    """`lab … > FILE` on a full disk is no fault of the lab's."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        _read_out(NotWritten(file=STANDARD_OUTPUT, detail=error.strerror), language)


@command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=Text(
        "See TCP and UDP: run real exchanges, record every frame, have each one explained.",
        "看清 TCP 与 UDP：运行真实的通信，录下每一帧，并逐一解释。",
    ),
)
@click.version_option(
    __version__,
    cls=Option,
    message=f"lab {__version__}",
    help=Text("Show the version and exit.", "显示版本并退出。"),
)
@options.language
@click.pass_context
def main(context: click.Context, /, **_: Language) -> None:
    """What holds for every command."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":  # no-color.org
        context.color = False
