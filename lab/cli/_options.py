"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import click

from lab.cli._spoken import KEY, language_of, option
from lab.cli._usage import Misuse
from lab.text import Language, Text

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _keep_language(context: click.Context, _: click.Parameter, value: str | None) -> Language:
    if value:
        context.meta[KEY] = value
    return language_of(context)


def asked_language(words: Sequence[str]) -> str | None:
    """The language that a command line asks for, wherever it does: what is wrong with it is told in it."""
    own = "\0".join(takewhile("--".__ne__, words))
    found = re.findall(r"(?<![^\0])--lang[\0=]([^\0]*)", own)
    return found[-1] if found else None


language = option(
    "--lang",
    "language",
    type=click.Choice([choice.value for choice in Language]),
    is_eager=True,
    callback=_keep_language,
    help=Text(
        "Language; else LAB_LANG, else the locale.",
        "语言；未指定时取 LAB_LANG，否则取系统 locale。",
    ),
)

engine = option(
    "--engine",
    type=click.Choice(["auto", "docker", "namespaces"]),
    default="auto",
    show_default=True,
    envvar="LAB_ENGINE",
    help=Text(
        "auto: Docker, or network namespaces where no Docker engine answers.",
        "auto：使用 Docker；没有可用的 Docker 引擎时改用网络命名空间。",
    ),
)


def _runs() -> Path:
    """The folder called captures here, else the checkout's: where ``lab run`` records."""
    from lab.checkout import checkout

    here = Path("captures")
    return here if here.is_dir() else checkout() / here


captures = option(
    "--captures",
    metavar=Text("FOLDER", "目录"),
    type=click.Path(path_type=Path),
    envvar="LAB_CAPTURES",
    default=_runs,
    show_default=Text("captures, here or in the lab's own folder", "此处或实验室目录下的 captures"),
    show_envvar=True,
    help=Text("Where the runs lie.", "存放各次运行的目录。"),
)

as_json = option(
    "--json",
    "as_json",
    is_flag=True,
    help=Text("For programs instead of people.", "输出 JSON，供程序读取。"),
)


def hosts(words: Text) -> Callable[[_Command], _Command]:
    """``--host``, for what runs beside the hosts; ``words``: what it does with their ports."""
    return option(
        "--host",
        "hosts",
        metavar=Text("NAME", "主机"),
        multiple=True,
        default=("client", "server"),
        show_default=True,
        help=words,
    )


SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
UNITS = ("", "K", "M", "G", "T")
NO_SIZE = Text("{value} is no size such as 512M or 2G.", "{value} 不是 512M 或 2G 这样的大小。")


def _octets(_: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    """``512M``, ``2G``: powers of 1024."""
    if value is None:
        return None
    read = SIZE.fullmatch(value.strip())
    if read is None:
        raise Misuse(NO_SIZE.fill(value=repr(value)))
    return int(float(read[1]) * 1024 ** UNITS.index(read[2].upper()))


memory = option(
    "--memory",
    metavar=Text("SIZE", "大小"),
    callback=_octets,
    help=Text(
        "What may be taken, as 512M or 2G; else what is free. Of a file that needs more, what is "
        "computed is kept in temporary files (TMPDIR, else /var/tmp) and analysed part by part. "
        "Two that are matched have to fit.",
        "可用内存，如 512M 或 2G；默认为空闲内存。文件若超出此限，"
        "中间结果存入临时文件（TMPDIR，否则 /var/tmp），并分批分析。"
        "要相互匹配的两个文件则须同时放得下。",
    ),
)
