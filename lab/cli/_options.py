"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lab.text import Language

Function = TypeVar("Function", bound=Callable[..., Any])


def _keep_language(context: click.Context, _: click.Parameter, value: str | None) -> Language:
    from lab.cli._group import language_of

    context.find_root().meta["lab.language"] = value
    return language_of(context)


language = click.option(
    "--lang",
    "language",
    type=click.Choice([choice.value for choice in Language]),
    is_eager=True,
    callback=_keep_language,
    help="Language; else LAB_LANG, else the locale.",
)

engine = click.option(
    "--engine",
    type=click.Choice(["auto", "docker", "namespaces"]),
    default="auto",
    show_default=True,
    envvar="LAB_ENGINE",
    help="auto: Docker, or network namespaces where no Docker engine answers.",
)


def _runs() -> Path:
    """The folder called captures here, else the checkout's: where ``lab run`` records."""
    from lab.checkout import checkout

    here = Path("captures")
    return here if here.is_dir() else checkout() / here


captures = click.option(
    "--captures",
    type=click.Path(path_type=Path),
    envvar="LAB_CAPTURES",
    default=_runs,
    show_default="captures, here or in the lab's own folder",
    show_envvar=True,
    help="Where the runs lie.",
)


def as_json(function: Function) -> Function:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="For programs instead of people.")(
        function
    )


SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
UNITS = ("", "K", "M", "G", "T")


def _octets(_: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """``512M``, ``2G``: powers of 1024."""
    if value is None:
        return None
    read = SIZE.fullmatch(value.strip())
    if read is None:
        raise click.BadParameter(f"{value!r} is no size such as 512M or 2G.", param=option)
    return int(float(read[1]) * 1024 ** UNITS.index(read[2].upper()))


memory = click.option(
    "--memory",
    metavar="SIZE",
    callback=_octets,
    help="What may be taken, as 512M or 2G; else what is free. Of a file that needs more, what is "
    "computed is kept in temporary files (TMPDIR, else /var/tmp) and analysed part by part.",
)
