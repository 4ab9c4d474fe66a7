"""Commands, options and arguments whose help is a `Text`, worded when it is read.

The language is that of the command line at hand, which click keeps as its current context.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import click

from lab.cli._usage import told
from lab.text import Language, Text, choose_language, same

KEY = "lab.language"
"""In a context's ``meta``: the language that the command line asks for."""

NOTES = {
    "envvars": Text("env var: {value}", "环境变量：{value}"),
    "default": Text("default: {value}", "默认：{value}"),
    "range": same("{value}"),
    "required": Text("required", "必填"),
}
"""What stands in brackets behind an option's help."""

Below = Callable[[Language, int], Iterable[str]]
"""The lines below a command's options, of at most so many columns."""


def language_of(context: click.Context | None) -> Language:
    """The language asked for with ``--lang``, else by the environment."""
    return choose_language(context.meta.get(KEY) if context else None, os.environ)


class Formatter(click.HelpFormatter):
    """Says click's own words in a language, and wraps by columns: a Chinese character takes two."""

    def __init__(self, language: Language, columns: int | None, most: int | None) -> None:
        super().__init__(width=columns, max_width=most)
        self._language = language

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how a command is called."""
        self._hang(f"{prefix or told('Usage: ', self._language)}{prog} ", args)

    def write_heading(self, heading: str) -> None:
        """Write the line above a section."""
        self.write(f"{told(f'{heading}:', self._language)}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.write_paragraph()
            self._hang(" " * self.current_indent, paragraph)

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms in one column, of at most ``col_max``, what each means in the next."""
        from lab.report.glyphs import pad, width

        heads = [(" " * self.current_indent + term, words) for term, words in rows]
        most = self.current_indent + col_max
        second = min(max(width(head) for head, _ in heads), most) + col_spacing
        for head, words in heads:
            fits = width(head) <= second - col_spacing
            if not fits:
                self.write(f"{head}\n")
            self._hang(pad(head if fits else "", second), told(words, self._language))

    def _hang(self, head: str, words: str) -> None:
        """Write words behind a head, those of further lines below the first ones."""
        from lab.report.glyphs import fold, width

        indent = width(head)
        first, *more = fold([words], max(self.width - indent, 10))
        self.write(f"{head}{first}\n")
        self.write("".join(f"{'':{indent}}{line}\n" for line in more))


class Context(click.Context):
    """A command's context, whose help is in its language."""

    def make_formatter(self) -> Formatter:
        """What writes its help."""
        return Formatter(language_of(self), self.terminal_width, self.max_content_width)


class _Spoken:
    """What has help in both languages."""

    words: Text

    @property
    def help(self) -> str | None:
        """Its help, as click reads it."""
        return self.words.say(language_of(click.get_current_context(silent=True)))

    @help.setter  # noqa: A003
    def help(self, _: str | None) -> None:
        """Nothing: click sets the help that it was given, and it was given none."""


class Command(_Spoken, click.Command):
    """A command; the first paragraph of its help is what the list of commands says of it."""

    context_class = Context

    def __init__(
        self,
        name: str | None,
        help: Text,  # noqa: A002
        below: Below | None = None,
        **more: Any,
    ) -> None:
        super().__init__(name, **more)
        self.words, self._below = help, below

    def get_short_help_str(self, limit: int = 45) -> str:
        """All of the first paragraph, whatever the limit: it may take two lines."""
        return (self.help or "").partition("\n\n")[0].rstrip(".。")

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What follows its name."""
        language = language_of(ctx)
        return [told(piece, language) for piece in super().collect_usage_pieces(ctx)]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what stands below the options."""
        if self._below:
            formatter.write_paragraph()
            for line in self._below(language_of(ctx), formatter.width - 2):
                formatter.write(f"  {line}\n")


class Option(_Spoken, click.Option):
    """An option; ``show_default`` may be words in place of the value."""

    def __init__(
        self,
        declared: Sequence[str] | None = None,
        *,
        help: Text,  # noqa: A002
        metavar: Text | None = None,
        show_default: bool | Text = False,
        **more: Any,
    ) -> None:
        super().__init__(declared, show_default=bool(show_default), **more)
        self.words, self._stands = help, metavar
        self._default = show_default if isinstance(show_default, Text) else None

    def make_metavar(self, ctx: click.Context) -> str:
        """What stands for its value."""
        return self._stands.say(language_of(ctx)) if self._stands else super().make_metavar(ctx)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """How it is written, and what it does, with its default and its environment variable."""
        from lab.report.glyphs import COMMAS, JOINTS

        language, record = language_of(ctx), super().get_help_record(ctx)
        if record is None:
            return None
        known: dict[str, Any] = {**self.get_help_extra(ctx)}
        if "envvars" in known:
            known["envvars"] = COMMAS[language].join(known["envvars"])
        if self._default:
            known["default"] = self._default
        notes = [NOTES[key].fill(value=value).say(language) for key, value in known.items()]
        words = self.words.say(language)
        return record[0], f"{words}  [{JOINTS[language].join(notes)}]" if notes else words


class Argument(click.Argument):
    """An argument, named in both languages."""

    def __init__(self, declared: Sequence[str], *, metavar: Text, **more: Any) -> None:
        super().__init__(declared, **more)
        self._stands = metavar

    def make_metavar(self, ctx: click.Context) -> str:
        """What stands for it."""
        return self._stands.say(language_of(ctx))


command = partial(click.command, cls=Command)
option = partial(click.option, cls=Option)
argument = partial(click.argument, cls=Argument)
