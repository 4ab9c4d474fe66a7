"""What goes to the terminal: how wide it is, whether it has colours, JSON for programs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable

import click

from lab.report.terminal import STYLES, Paint, plain

NARROWEST = 60
WIDTH = 100
"""Columns where the output is no terminal: the same in every file."""


def columns() -> int:
    """The terminal's width (or COLUMNS); 100 for a file or a pipe."""
    return max(shutil.get_terminal_size((WIDTH, 24)).columns, NARROWEST)


def paint() -> Paint:
    """Colours on a terminal, none elsewhere."""
    if not sys.stdout.isatty():
        return plain
    return lambda text, style: click.style(text, **STYLES[style])  # type: ignore[arg-type]


def write(lines: Iterable[str]) -> None:
    """Print lines, in blocks: thousands of them are no slower than one."""
    click.echo("\n".join(lines))


def write_json(value: object, *, indent: int = 0) -> None:
    """Print one JSON document on one line, or indented."""
    import msgspec

    octets = msgspec.json.encode(value, enc_hook=str)
    click.echo(msgspec.json.format(octets, indent=indent) if indent else octets)


def say_no_more() -> None:
    """Whoever read this (head, less) has left: what is still printed goes nowhere, quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
