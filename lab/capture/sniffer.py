"""The sniffer: makes the run folder, says that it is ready, records until all hosts are done.

    python -m lab.capture.sniffer --captures captures --scenario tour --engine docker \\
        --host client --host server [--plan FOLDER] [--deadline 30] [--ready FILE]

Hosts and traffic wait for it, so whatever is slow to import comes after it is ready.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from lab.capture.base import Listener, Recording, Silent, Task
from lab.capture.disk import point, writing
from lab.capture.folder import RunFolder
from lab.capture.owner import become_owner
from lab.capture.rings import Rings
from lab.errors import Interrupted, LabError
from lab.text import choose_language


def record(
    task: Task, listener: Listener | None = None, clock: Callable[[], int] = time.time_ns
) -> Recording:
    """Record one run, as whoever owns the captures; SIGTERM and SIGINT end it early.

    Raises CaptureForbidden, DiskFull or RecordingError if it cannot even begin; what goes wrong
    later is in the Recording, whose folder keeps what was recorded. Main thread only.
    """
    with _signals() as interrupted:
        become_owner(task.captures)
        with closing(Rings(len(task.hosts))) as rings:
            return _record(task, listener or Silent(), rings, interrupted, clock)


def _record(
    task: Task,
    listener: Listener,
    rings: Rings,
    interrupted: Callable[[], bool],
    clock: Callable[[], int],
) -> Recording:
    folder = RunFolder.create(task.captures, task.scenario, clock, current=task.engine == "docker")
    if task.plan:
        folder.take_plan(task.plan)
    if task.ready:
        with writing(str(task.ready)):
            point(task.ready, str(folder.path.absolute()))
    listener.started(folder.path)
    from lab.capture.recorder import Recorder  # takes a while, in which the hosts start

    recorder = Recorder(task, folder, listener, rings, interrupted=interrupted, clock=clock)
    recording = recorder.run()
    if task.ready:
        with suppress(OSError):
            point(task.ready, str(recording.folder.absolute()))
    return recording


class Reports:
    """A listener that reports what happens, in lines of words parted by tabs, to who tells of it."""

    def started(self, folder: Path) -> None:
        from lab.capture.control import Control

        self._control = Control(folder / "control")
        _report("@started", folder.name)

    def recording(self, host: str, port: str, capture: Path) -> None:
        announced = self._control.announcement(host)
        _report("@recording", host, port, capture.name, *(announced.addresses if announced else ()))

    def frames(self, host: str, capture: Path, count: int) -> None:
        _report("@frames", host, capture.parent.name, capture.name)


def _report(*words: str) -> None:
    with suppress(BrokenPipeError):  # nobody listens any more: the run is recorded all the same
        sys.stdout.write("\t".join(words) + "\n")
        sys.stdout.flush()


@contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Note SIGTERM and SIGINT instead of dying of them; gives the question whether one came."""
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)

    before = {one: signal.signal(one, note) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code, having said on stderr what went wrong."""
    asked = _read_command_line(arguments)
    try:
        recording = record(_task(asked), Reports() if asked.report else None)
        if asked.report:
            _report("@saved", recording.folder.name)
        error = recording.error
    except LabError as failure:
        error = failure
    if error is None:
        return 0
    if not isinstance(error, Interrupted):  # whoever interrupts says so himself
        language = choose_language(None, os.environ)
        sys.stderr.writelines(f"{line}\n" for line in error.lines(language))
    return error.exit_code


def _read_command_line(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sniffer", description="Record one run of the lab.")
    parser.add_argument("--captures", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--host", action="append", required=True, metavar="NAME", dest="hosts")
    parser.add_argument("--plan", type=Path, metavar="FOLDER", help="with plan.json")
    parser.add_argument("--deadline", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument(
        "--ready",
        type=Path,
        metavar="FILE",
        help="a link to the run's folder, made when hosts may start",
    )
    parser.add_argument("--report", action="store_true", help="say what happens, for programs")
    return parser.parse_args(arguments)


def _task(asked: argparse.Namespace) -> Task:
    return Task(
        captures=asked.captures,
        scenario=asked.scenario,
        engine=asked.engine,
        hosts=tuple(asked.hosts),
        deadline=asked.deadline,
        plan=asked.plan,
        ready=asked.ready,
    )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the whole run waits for it: nothing is left to be torn down
