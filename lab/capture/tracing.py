"""Tracepoints of a run, recorded beside the sniffer into kernel.events.jsonl of its folder.

    python -m lab.capture.tracing --run FOLDER --address 10.0.0.1 … [--port veth12 …]

What it can tell is limited by what the kernel's events say of themselves. State changes,
retransmissions and resets carry addresses: those of the lab's are told, and two labs with the same
addresses at the same time are told of together. A dropped frame (kfree_skb) carries none, not even
its network namespace: it is told only if the same buffer left the switch through one of ``--port``
at most 10 ms before, which also says to which host it was going and which frame of the capture it
is. So a frame that its own sender threw away, or a queue much later, is not told.

It prints "recording" once the tracepoints are on and "written" once the file is whole; the kernel
removes the tracepoints after that. It ends on SIGTERM or SIGINT, when the folder vanishes and when
whoever started it has gone. Exit code 1: the tracepoints cannot be read, or the file not written.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterable
from io import BufferedWriter
from pathlib import Path
from select import POLLIN, poll

import msgspec

from lab.capture.trace_lines import TraceReader
from lab.capture.tracefs import (
    Instance,
    address_condition,
    available,
    clock_offset,
    drop_condition,
    mount,
    port_condition,
)
from lab.errors import RecordingError
from lab.evidence.events import Began, Ended, Told

FILE = "kernel.events.jsonl"
RECORDING, WRITTEN = "recording", "written"
ADDRESSED = (
    "sock/inet_sock_set_state",
    "tcp/tcp_retransmit_skb",
    "tcp/tcp_retransmit_synack",
    "tcp/tcp_receive_reset",
)
TURN = 50  # ms between two looks for the end


class Tracing:
    """Tracing in a process of its own, which stays root when the sniffer does not."""

    def __init__(self, run: Path, addresses: Collection[str], ports: Collection[str] = ()) -> None:
        """Record events of these addresses and ports of the switch; see `available` first.

        Raises RecordingError if the tracepoints cannot be read after all.
        """
        words = [sys.executable, "-m", "lab.capture.tracing", "--run", str(run)]
        words += [word for address in addresses for word in ("--address", address)]
        words += [word for port in ports for word in ("--port", port)]
        self._process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
        )

    def await_recording(self) -> None:
        """Wait until the tracepoints are on (about 0.1 s after the start)."""
        self._await(RECORDING)

    def end(self) -> None:
        """Stop, and wait until the file is whole; the tracepoints go a moment later."""
        if self._process.poll() is None:
            self._process.terminate()
        self.await_written()

    def await_written(self) -> None:
        """Wait until the file is whole: after `end`, or when the run's folder has gone."""
        self._await(WRITTEN)

    @property
    def process(self) -> int:
        """The number of the process that traces."""
        return self._process.pid

    def __enter__(self) -> Tracing:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.communicate()

    def _await(self, word: str) -> None:
        assert self._process.stdout
        if self._process.stdout.readline().strip() != word:
            _, said = self._process.communicate()
            raise RecordingError(detail=said.strip() or "the tracing process ended")


class Recorder:
    """One instance, read into one file."""

    def __init__(self, run: Path, addresses: Collection[str], ports: Collection[str]) -> None:
        self._run, self._addresses, self._ports = run, addresses, ports
        self._encode = msgspec.json.Encoder().encode
        self._ended = False
        self._parent = os.getppid()
        self._signals, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup)  # a signal ends the wait for events
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take_note)

    def record(self) -> None:
        """All of it, until told to end. Raises OSError."""
        tracefs = mount()
        with Instance(tracefs) as instance, open_for_owner(self._run) as file:
            offset, uncertainty = clock_offset()
            reader = TraceReader(self._addresses, offset)

            def write(events: Iterable[Told | None]) -> None:
                file.writelines(self._encode(event) + b"\n" for event in events if event)
                file.flush()

            self._switch_on(instance, tracefs)
            write([self._beginning(instance, uncertainty)])
            say(RECORDING)
            waiting = poll()
            waiting.register(instance.pipe, POLLIN)
            waiting.register(self._signals, POLLIN)
            while not self._is_over():
                if any(ready == instance.pipe for ready, _ in waiting.poll(TURN)):
                    write(map(reader.read, instance.lines()))
            instance.stop()
            write(map(reader.read, instance.lines()))
            drift = clock_offset()[0] - offset
            write([Ended(time=time.time_ns(), drift=drift, lost=reader.lost, untold=reader.untold)])
            file.close()
            say(WRITTEN)

    def _switch_on(self, instance: Instance, tracefs: Path) -> None:
        for event in ADDRESSED:
            instance.enable(event, address_condition(self._addresses))
        instance.enable("tcp/tcp_send_reset")  # its addresses are no numbers to filter by
        if self._ports and (reasons := drop_condition(tracefs)):
            instance.enable("net/net_dev_queue", port_condition(self._ports))
            instance.enable("skb/kfree_skb", reasons)
        elif self._ports:
            instance.missing.append("skb/kfree_skb")

    def _beginning(self, instance: Instance, uncertainty: int) -> Began:
        return Began(
            time=time.time_ns(),
            uncertainty=uncertainty,
            addresses=tuple(self._addresses),
            ports=tuple(self._ports),
            missing=tuple(instance.missing),
        )

    def _is_over(self) -> bool:
        return self._ended or not self._run.is_dir() or os.getppid() != self._parent

    def _take_note(self, number: int, _frame: object) -> None:
        self._ended = True


def open_for_owner(run: Path) -> BufferedWriter:
    """Open the file for writing; it belongs to whoever owns the run's folder."""
    file = (run / FILE).open("wb")
    owner = run.stat()
    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    return file


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Record the tracepoints of one run.")
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--address", action="append", default=[], help="of a host")
    parser.add_argument("--port", action="append", default=[], help="of the switch: its interface")
    asked = parser.parse_args()
    try:
        if reason := available():
            raise RecordingError(detail=reason.en)
        Recorder(asked.run, asked.address, asked.port).record()
    except (OSError, RecordingError) as error:
        sys.stderr.write(f"tracing: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
