"""The kernel as a witness: every socket of this network namespace, sampled while it changes.

    python -m services.witness                       a live table, until Ctrl-C
    python -m services.witness NAME --run FOLDER     one JSON object a line in NAME.states.jsonl

It reads sock_diag(7), mini-sockets in SYN-RECEIVED and TIME-WAIT included, every 1 to 3 ms while
frames come and go, every 20 ms when the namespace is quiet, and for no more than a tenth of the
time. A line is written only when a socket appeared, changed or vanished. The first line has
the values of some sysctls; the last one how the namespace's counters (snmp, netstat) have grown.
The fields are documented in lab/evidence/states.py.

It ends on SIGTERM or SIGINT, when the folder vanishes, and when whoever started it has gone: with
a last sample and the counters, exit code 0. Exit code 1: this kernel has no sock_diag, or the file
cannot be written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from services.sampling import Line, Sampler, counters, sysctls

PAUSE, QUIET_PAUSE = 0.001, 0.002  # seconds between two looks
QUIET = 20_000_000  # ns between two samples while nothing seems to happen
LIVELY = 20_000_000  # ns after a frame in which every look is a sample
SHARE = 9  # a sample is followed by a pause of so many times its length
LONGEST_PAUSE = 0.05
ENDINGS = (signal.SIGTERM, signal.SIGINT)
Write = Callable[[list[Line]], None]


def main() -> int:
    """The command line; returns the exit code."""
    options = read_command_line()
    ending = Ending(options.run, os.getppid())
    if options.run is None:
        return attend(table(time.time_ns()), ending)
    try:
        file = open_log(options.run, options.name)
    except OSError as error:
        return fail(error)
    return attend(lines_to(file), ending)


def attend(write: Write, ending: Ending) -> int:
    """Sample until told to end; return the exit code."""
    try:
        watch(Sampler(), write, ending)
    except OSError as error:
        return fail(error)
    return 0


def fail(error: OSError) -> int:
    print(f"witness: {error.filename or 'sock_diag'}: {error.strerror}", file=sys.stderr)
    return 1


def watch(sampler: Sampler, write: Write, ending: Ending) -> None:
    """Write what changes, from the first sample to the last."""
    began = counters()
    write([{"event": "sysctls", "time": time.time_ns(), "values": sysctls()}, *sampler.sample()])
    with Activity() as activity:
        pause = 0.0
        while not ending.comes_within(min(max(pause, activity.pause), LONGEST_PAUSE)):
            awake, pause = time.perf_counter(), 0.0
            if activity.calls_for_a_sample(sampler.after):
                if news := sampler.sample():
                    write(news)
                pause = SHARE * (time.perf_counter() - awake)
    news = sampler.sample()
    grown = {name: grew for name, now in counters().items() if (grew := now - began.get(name, 0))}
    cost = {"samples": sampler.count, "cpu": time.process_time_ns()}
    write([*news, {"event": "counters", "time": time.time_ns(), "values": grown, **cost}])


# ---------------------------------------------------------------- when to look, when to end


class Activity:
    """Tells from what is cheap to read (frames a device, sockets in use) when to sample."""

    def __init__(self) -> None:
        self._files = [os.open(f"/proc/net/{name}", os.O_RDONLY) for name in ("dev", "sockstat")]
        self._last: list[bytes] = []
        self._lively_until = 0

    def __enter__(self) -> Activity:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            os.close(file)

    @property
    def pause(self) -> float:
        """Seconds until the next look, at least."""
        return PAUSE if time.time_ns() < self._lively_until else QUIET_PAUSE

    def calls_for_a_sample(self, last: int) -> bool:
        """Whether frames have come or gone of late, or the last sample is long ago (ns)."""
        now, seen = time.time_ns(), [os.pread(file, 1 << 14, 0) for file in self._files]
        if seen != self._last:
            self._last, self._lively_until = seen, now + LIVELY
        return now < self._lively_until or now - last > QUIET


class Ending:
    """Waits for what ends the sampling; its signals are blocked, so that none is ever missed."""

    def __init__(self, folder: Path | None, parent: int) -> None:
        """``folder``: of the run, None: none; ``parent``: the process that started this one."""
        self._folder = folder
        self._parent = parent
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)

    def comes_within(self, seconds: float) -> bool:
        """Wait that long; at once True if a signal came, else whether folder or parent has gone."""
        asked = signal.sigtimedwait(ENDINGS, seconds) is not None
        gone = self._folder is not None and not os.path.isdir(self._folder)
        return asked or gone or os.getppid() != self._parent


# ---------------------------------------------------------------- beside the programs of a host


class Witness:
    """A witness in a process of its own, forked: no interpreter has to start for it."""

    def __init__(self, run: Path, name: str, user: int | None) -> None:
        """Write NAME.states.jsonl in the run's folder, as that user (None: as this process)."""
        self._file = open_log(run, name)
        signals = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        ending = Ending(run, os.getpid())  # before the fork: the signals stay blocked in the fork
        self._process = os.fork()
        if not self._process:
            code = 1
            try:
                os.setpgid(0, 0)  # Ctrl-C in a terminal is for the host, which ends this one
                become(user)
                code = attend(lines_to(self._file), ending)
            finally:
                os._exit(code)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)

    def __enter__(self) -> Witness:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def is_ready(self) -> bool:
        """Tell whether it has taken its first sample (or cannot)."""
        return bool(os.fstat(self._file).st_size) or self._has_ended()

    def end(self) -> None:
        """Let it take its last sample, and wait until it has written it."""
        if not self._has_ended():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._process, signal.SIGTERM)
                os.waitpid(self._process, 0)
            self._process = 0

    def _has_ended(self) -> bool:
        if self._process and os.waitpid(self._process, os.WNOHANG)[0]:
            self._process = 0
        return not self._process


def become(user: int | None) -> None:
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


# ---------------------------------------------------------------- where it goes


def open_log(run: Path, name: str) -> int:
    """Open NAME.states.jsonl of a run for appending."""
    return os.open(run / f"{name}.states.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def lines_to(file: int) -> Write:
    """Return what appends the lines of one sample to an open file."""

    def write(lines: list[Line]) -> None:
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        os.write(file, text.encode())

    return write


def table(began: int) -> Write:
    """Return what prints the lines for people, with seconds since a time in ns."""

    def write(lines: list[Line]) -> None:
        for line in lines:
            if "socket" in line:
                print(row(line, began), flush=True)

    return write


def row(line: Line, began: int) -> str:
    """One line of the live table: seconds, event, protocol, both ends, state, numbers."""
    ends = f"{end(line['local'])} → {end(line['peer'])}"
    numbers = " ".join(f"{name}={value}" for name, value in line.get("numbers", {}).items())
    seconds = (line["time"] - began) / 1e9
    words = f"{line['event']:<8} {line['protocol']} {ends:<44} {line['state']:<12}"
    return f"{seconds:9.4f} {words} {line.get('timer', '')} {numbers}".rstrip()


def end(address: tuple[str, int] | None) -> str:
    if address is None:
        return "*"
    return "[{}]:{}".format(*address) if ":" in address[0] else "{}:{}".format(*address)


def read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Watch every TCP and UDP socket of this network namespace change its state."
    )
    option = parser.add_argument
    option("name", nargs="?", default="host", help="of the host, and so of the file")
    option("--run", type=Path, metavar="FOLDER", help="write NAME.states.jsonl there, no table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
