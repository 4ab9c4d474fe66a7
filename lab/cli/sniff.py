"""``lab sniff``: what the sniffer's container runs: record one run, tell of each frame, sum up."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from lab.capture.base import Task
from lab.cli import _options
from lab.text import Language, Text

READY = Text("ready: waiting for {hosts}", "就绪：等待 {hosts}")
SAVED = Text("saved: {folder}", "已保存：{folder}")
RECORDING = Text(
    "recording {file} at {host}'s port {port}", "正在 {host} 的端口 {port} 上录制 {file}"
)


class Narration:
    """A listener that says what each frame of the first host means, while it is recorded."""

    def __init__(self, hosts: tuple[str, ...], language: Language) -> None:
        self._hosts, self._language = hosts, language
        self._names: dict[str, str] = {}  # host by address, as they announce themselves

    def started(self, folder: Path) -> None:
        """Hosts may come: say so, and load what telling needs while they do."""
        from lab.capture.control import Control
        from lab.report.growing import Growing
        from lab.report.narrator import Narrator

        click.echo(READY.fill(hosts=", ".join(self._hosts)).say(self._language))
        self._control = Control(folder / "control")
        self._narrator = Narrator(self._names, self._language)
        self._growing, self._read = Growing(), 0

    def recording(self, host: str, port: str, capture: Path) -> None:
        """Say where a file is recorded; learn the host's addresses."""
        if announced := self._control.announcement(host):
            self._names.update(dict.fromkeys(announced.addresses, host))
        words = RECORDING.fill(file=capture.name, host=host, port=port)
        click.echo(words.say(self._language))
        if host == self._hosts[0]:
            importlib.import_module("lab.report.account")  # now, while its programs start

    def frames(self, host: str, capture: Path, count: int) -> None:
        """Tell of the frames that the first host's file has grown by."""
        if host != self._hosts[0]:
            return
        with capture.open("rb") as file:
            file.seek(self._read)
            octets = file.read()
        self._read += len(octets)
        if found := self._growing.grow(octets):
            first = self._growing.frames + 1 - len(found.frames)
            for line in self._narrator.feed(found, first):
                click.echo(line)


@click.command("sniff")
@_options.captures
@click.option("--scenario", default="tour", show_default=True, envvar="LAB_SCENARIO")
@click.option("--engine", default="docker", show_default=True)
@click.option("--host", "hosts", multiple=True, default=("client", "server"), show_default=True)
@click.option("--deadline", default=30.0, show_default=True, help="Seconds without any progress.")
@click.option(
    "--plan", type=click.Path(path_type=Path), envvar="LAB_PLAN", help="A folder with plan.json."
)
@click.option("--ready", type=click.Path(path_type=Path), help="Made when hosts may start.")
@click.option("--report/--no-report", default=True, envvar="LAB_REPORT", help="Sum up at the end.")
@_options.language
@click.pass_context
def command(
    context: click.Context,
    captures: Path,
    scenario: str,
    engine: str,
    hosts: tuple[str, ...],
    deadline: float,
    plan: Path | None,
    ready: Path | None,
    report: bool,
    language: Language,
) -> None:
    """Record one run: each host's port on the switch, until all hosts are done (needs NET_RAW)."""
    from lab.capture.sniffer import record

    task = Task(captures, scenario, engine, hosts, deadline, plan, ready)
    recording = record(task, Narration(hosts, language))
    click.echo(SAVED.fill(folder=f"captures/{recording.folder.name}").say(language))
    code = 0
    if report:
        from lab.cli._play import summarise

        code = summarise(recording.folder, language)
    if recording.error:
        raise recording.error
    context.exit(code)
