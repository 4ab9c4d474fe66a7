"""``lab serve``: the live page and the quiz, in a browser on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

if TYPE_CHECKING:
    from lab.web.site import Play

PAGE = Text("The page: {address}  (Ctrl-C ends it)", "页面：{address}（Ctrl-C 结束）")
ELSEWHERE = Text(
    "The page: Docker has chosen its port; `docker compose port web 8080` prints the address.",
    "页面：端口由 Docker 选定；运行 `docker compose port web 8080` 可查看地址。",
)
WARNING = Text(
    "Warning: whoever reaches {host} can read every run. There is no encryption.",
    "警告：能访问 {host} 的任何人都可以读取全部运行，且没有加密。",
)


@spoken.command(
    help=Text(
        "Serve the live page and the quiz on this machine; who has the address may play scenarios.\n\n"
        "Other machines are let in with --anyone only. Progress is kept in one local file "
        "(LAB_PROGRESS).",
        "在本机提供实时页面与测验；拿到该地址的人可以运行场景。\n\n"
        "加上 --anyone 才允许其他机器访问。进度保存在本机的一个文件中（LAB_PROGRESS）。",
    )
)
@spoken.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar=Text("PORT", "端口"),
    default=8080,
    show_default=True,
    help=Text("Where to listen; 0: at any that is free.", "监听端口；0 表示任一空闲端口。"),
)
@spoken.option(
    "--host",
    metavar=Text("ADDRESS", "地址"),
    default="127.0.0.1",
    show_default=True,
    help=Text("Of this machine, to listen at.", "监听本机的哪个地址。"),
)
@spoken.option(
    "--anyone",
    is_flag=True,
    help=Text("Let other machines look too.", "允许其他机器查看。"),
)
@spoken.option(
    "--show-only",
    is_flag=True,
    help=Text("Play nothing; no token then.", "只供查看，不运行场景，也不发令牌。"),
)
@spoken.option(
    "--leave",
    is_flag=True,
    envvar="LAB_WEB_LEAVE",
    help=Text("End once no run is on and nobody watches.", "没有运行、也无人查看时自动退出。"),
)
@spoken.option(
    "--published",
    metavar=Text("ADDRESS:PORT", "地址:端口"),
    default="",
    help=Text(
        "Where Docker publishes it, to be printed instead.", "Docker 发布它的位置，代之打印。"
    ),
)
@options.captures
@options.engine
@options.language
@click.pass_context
def command(
    context: click.Context,
    port: int,
    host: str,
    anyone: bool,
    show_only: bool,
    leave: bool,
    published: str,
    captures: Path,
    engine: str,
    language: Language,
) -> None:
    import secrets

    from lab.errors import AddressOpen
    from lab.run import checkout
    from lab.web.guard import is_loopback
    from lab.web.server import Server, address, listen, resolve
    from lab.web.site import Site

    resolve(host, port)  # before anything is said of it
    if not is_loopback(host):
        if not anyone:
            raise AddressOpen(host=host)
        click.secho(WARNING.fill(host=host).say(language), fg="yellow", err=True)
    own = checkout() / "captures"
    if context.get_parameter_source("captures") is ParameterSource.DEFAULT:
        captures = own
    show_only = show_only or captures.resolve() != own.resolve()  # runs are recorded there alone
    listening = listen(host, port)
    real: int = listening.getsockname()[1]
    site = Site(
        captures=captures,
        host=host,
        port=None if anyone else real,
        anyone=anyone,
        token="" if show_only else secrets.token_urlsafe(24),
        play=None if show_only else _player(engine, language),
        progress=None if show_only else _progress(),
    )
    click.echo(_where(address(site, real), published).say(language))
    Server(site, leave=leave).serve_on(listening)


def _where(address: str, published: str) -> Text:
    """What a browser is given. Of several ports (0, 8080-8099) only the engine knows the one it chose."""
    port = published.rpartition(":")[2]
    if published and not (port.isdecimal() and int(port)):
        return ELSEWHERE
    return PAGE.fill(address=f"http://{published}/" if published else address)


def _progress() -> Path:
    from lab.learner import progress_file

    return progress_file(os.environ)


def _player(name: str, language: Language) -> Play:
    """Plays on the engine that starts quickest; it is chosen when the first run is asked for."""
    from functools import cache

    from lab.backends.base import Engine, Say
    from lab.run import checkout

    root = checkout()

    @cache
    def engine() -> Engine:
        from lab.backends.choice import quickest

        return quickest(name, root, language.value, lambda _: None)

    def play(scenario: str, say: Say) -> Path:
        from lab.proving import played

        chosen: Callable[[], Engine] = engine
        return played(chosen(), root / "captures", scenario, say, language)

    return play
