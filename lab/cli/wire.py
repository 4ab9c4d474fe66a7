"""``lab wire``: carry a run's frames between its hosts' ports by the rules of its scenario."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import click

from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

CARRYING = Text("the wire carries frames between {hosts}:", "链路按以下规则在 {hosts} 之间转发：")
POLL = 0.003  # seconds between two looks at the files of the run


@spoken.command(
    hidden=True,
    help=Text(
        "Take the hosts' ports over and do to frames what control/rules.json says.\n\n"
        "What the engines run beside the hosts; needs NET_ADMIN. Hosts wait for it by "
        "'--after wire'; it ends when all of them are done.",
        "接管各主机的端口，按 control/rules.json 处理经过的帧。\n\n"
        "由引擎与主机一同运行，需要 NET_ADMIN。主机以 '--after wire' 等待它；所有主机结束后它也结束。",
    ),
)
@spoken.option(
    "--run",
    "link",
    metavar=Text("FOLDER", "目录"),
    type=click.Path(path_type=Path),
    default=Path("/captures/current"),
    show_default=True,
    help=Text("Where the run is recorded.", "正在录制的运行所在目录。"),
)
@_options.hosts(
    Text("Whose port is taken over; may be repeated.", "要接管其端口的主机，可重复指定。")
)
@spoken.option(
    "--patience",
    metavar=Text("SECONDS", "秒数"),
    default=30.0,
    show_default=True,
    help=Text("Seconds without any hosts.", "等待主机出现的秒数。"),
)
@_options.language
def command(link: Path, hosts: tuple[str, ...], patience: float, language: Language) -> None:
    from lab.capture.control import Control
    from lab.wire.relay import relay
    from lab.wire.rules import decode_rules
    from lab.wire.words import sentence
    from services.processor import go_first, stay_on_one

    rules_file = link / "control" / "rules.json"
    _until(rules_file.exists, patience)
    run = link.resolve()
    stay_on_one(run.name)
    go_first()
    control = Control(run / "control")
    _until(lambda: all(control.announcement(host) for host in hosts), patience)
    ports = {host: said.port for host in hosts if (said := control.announcement(host))}
    rules = decode_rules(rules_file.read_bytes())
    click.echo(CARRYING.fill(hosts=", ".join(hosts)).say(language))
    for rule in rules:
        click.echo(f"  {sentence(rule).say(language)}")
    ended, ending = os.pipe()
    Thread(target=_watch, args=(hosts, run / "control", ending), daemon=True).start()
    with os.fdopen(ended) as stop:
        ready = run / "control" / "wire.listening"
        relay(rules, ports, run / "wire.jsonl", [stop], ready)
    control.wire_done()


def _watch(hosts: tuple[str, ...], folder: Path, ending: int) -> None:
    """Close the pipe when all hosts are done, or the run is over in another way."""
    done = [folder / f"{host}.done" for host in hosts]
    while folder.is_dir() and not (folder / "end").exists() and not all(map(Path.exists, done)):
        time.sleep(POLL)
    os.close(ending)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    from lab.errors import HostsMissing

    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise HostsMissing(hosts="the run", seconds=f"{seconds:g}")
        time.sleep(POLL)
