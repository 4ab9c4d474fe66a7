"""``lab sniff``: what the sniffer's container runs: record one run, tell of each frame, sum up."""

from __future__ import annotations

from pathlib import Path

import click

from lab.capture.base import Task
from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.cli._narration import Narration
from lab.errors import Interrupted
from lab.text import Language, Text


@spoken.command(
    hidden=True,
    help=Text(
        "Record one run: each host's port on the switch, until all hosts are done.\n\n"
        "What the sniffer's container runs; needs NET_RAW. 'lab run' plays scenarios.",
        "录制一次运行：捕获各主机在交换机上的端口，直到所有主机结束。\n\n"
        "供抓包容器使用，需要 NET_RAW；运行场景请用 'lab run'。",
    ),
)
@_options.captures
@spoken.option(
    "--scenario",
    metavar=Text("NAME", "场景名"),
    default="tour",
    show_default=True,
    envvar="LAB_SCENARIO",
    help=Text("What the hosts play, for run.json.", "各主机运行的场景，记入 run.json。"),
)
@spoken.option(
    "--engine",
    metavar=Text("NAME", "引擎"),
    default="docker",
    show_default=True,
    help=Text("What runs the hosts, for run.json.", "运行各主机的引擎，记入 run.json。"),
)
@_options.hosts(
    Text("Whose port is recorded; may be repeated.", "要捕获其端口的主机，可重复指定。")
)
@spoken.option(
    "--deadline",
    metavar=Text("SECONDS", "秒数"),
    default=30.0,
    show_default=True,
    help=Text("Seconds without any progress.", "多少秒没有进展就结束。"),
)
@spoken.option(
    "--plan",
    metavar=Text("FOLDER", "目录"),
    type=click.Path(path_type=Path),
    envvar="LAB_PLAN",
    help=Text("A folder with plan.json.", "含有 plan.json 的目录。"),
)
@spoken.option(
    "--ready",
    metavar=Text("FILE", "文件"),
    type=click.Path(path_type=Path),
    help=Text("Made when hosts may start.", "主机可以启动时创建的文件。"),
)
@spoken.option(
    "--report/--no-report",
    default=True,
    envvar="LAB_REPORT",
    help=Text("Sum up at the end.", "结束时给出小结。"),
)
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
