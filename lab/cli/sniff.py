"""``lab sniff``: what the sniffer's container runs: record one run, tell of each frame, sum up."""

from __future__ import annotations

from pathlib import Path

import click

from lab.capture.base import Task
from lab.cli import _options
from lab.cli._narration import Narration
from lab.errors import Interrupted
from lab.text import Language


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
    narration = Narration(hosts, language)
    recording = record(task, narration)
    narration.saved(recording.folder)
    code = 0
    if report:
        from lab.cli._play import summarise

        code = summarise(recording.folder, language)
    error = recording.error
    if error and not report and isinstance(error, Interrupted):  # whoever interrupts says so
        context.exit(error.exit_code)
    if error:
        raise error
    context.exit(code)
