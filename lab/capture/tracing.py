"""Tracepoints of a run, recorded by the runner beside the sniffer, into kernel.jsonl of its folder.

The runner is on the machine itself: as root it may read the tracing filesystem, and for anybody
else a run simply has no such file. A thread does it.

    runner                                    sniffer
    switches the tracepoints on
    has the engine begin                      makes the run's folder
    finds it: kernel.jsonl, locked;           hosts announce themselves, and are recorded
    learns the hosts' addresses
    sees that the run is over: writes,        publishes the folder
    lets go of the lock                       reads kernel.jsonl once it may lock it

A tracepoint names no network namespace. So what is recorded is all that was told of the hosts'
addresses and of ports that are called as theirs may be: another lab's too, if it uses the same at
the same time. `lab.evidence.testimony` believes of it what the run's own captures bear out, and
nothing where two labs cannot be told apart. For the same reason it does not matter which of two
equal runs a thread takes for its own.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import msgspec

from lab.capture.control import Control
from lab.capture.trace_lines import TraceReader
from lab.capture.tracefs import Instance, clock_offset, mount, port_condition
from lab.errors import LabError
from lab.evidence.events import Began, Ended, Told

FILE = "kernel.jsonl"
OF_SOCKETS = (
    "sock/inet_sock_set_state",
    "tcp/tcp_cong_state_set",
    "tcp/tcp_retransmit_skb",
    "tcp/tcp_retransmit_synack",
    "tcp/tcp_send_reset",
    "tcp/tcp_receive_reset",
)
DOCKER_PORTS = "veth*"
SEARCH = 20  # ms between two looks for the run's folder; nothing is lost meanwhile
TURN = 5  # ms between two looks whether the run is over: its sniffer waits for that


class Trace:
    """The lab's tracepoints, switched on in an instance of their own."""

    def __init__(self, instance: Instance, ports: Collection[str]) -> None:
        """``ports`` of the switch are names of interfaces, or "veth*". Raises OSError."""
        self._instance = instance
        self._offset, uncertainty = clock_offset()
        self._reader = TraceReader(self._offset)
        for event in OF_SOCKETS:
            instance.enable(event)
        if ports and (reasons := instance.drop_condition()):
            instance.enable("net/net_dev_queue", port_condition(ports))
            instance.enable("net/netif_receive_skb")
            instance.enable("skb/kfree_skb", reasons)
        self.beginning = Began(
            time=time.time_ns(),
            uncertainty=uncertainty,
            ports=tuple(ports),
            missing=tuple(instance.missing),
        )

    @property
    def addresses(self) -> set[str]:
        """Of whom it tells; whatever is read before an address is known is lost."""
        return self._reader.addresses

    def fills(self, milliseconds: int) -> bool:
        """Wait for as long, or until there is so much that it should be read."""
        return self._instance.wait(milliseconds)

    def read(self) -> Iterator[Told]:
        """Read what there is."""
        for line in self._instance.lines():
            yield from self._reader.read(line)

    def end(self) -> Iterator[Told]:
        """Stop, and read the rest."""
        self._instance.stop()
        yield from self.read()
        yield from self._reader.rest()
        yield Ended(
            time=time.time_ns(),
            addresses=tuple(sorted(self.addresses)),
            drift=clock_offset()[0] - self._offset,
            lost=self._reader.lost,
            untold=self._reader.untold,
        )


class KernelLog:
    """kernel.jsonl in the folder of a run that is on. It belongs to the owner of the folder."""

    def __init__(self, folder: Path, hosts: Collection[str]) -> None:
        """Raises OSError: somebody else writes it, or the run is over."""
        self._hosts, self._control = set(hosts), Control(folder / "control")
        self._encode = msgspec.json.Encoder().encode
        self._file = (folder / FILE).open("xb")
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        owner = os.fstat(self._folder)
        os.fchown(self._file.fileno(), owner.st_uid, owner.st_gid)

    def __enter__(self) -> KernelLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        os.close(self._folder)

    def write(self, events: Iterable[Told]) -> None:
        self._file.writelines(self._encode(event) + b"\n" for event in events)

    def addresses(self) -> Iterator[str]:
        """Those of hosts that have announced themselves since it was last asked."""
        for host in sorted(self._hosts):
            if said := self._control.announcement(host):
                self._hosts.remove(host)
                yield from said.addresses

    def is_over(self) -> bool:
        """Whether the run is: its folder may bear another name by now."""
        if not self._exists("control"):
            return True
        return self._exists("control/end")

    def _exists(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self._folder)
        except FileNotFoundError:
            return False
        return True


class Tracing:
    """Traces one run for as long as its ``with`` block lasts, if this process may."""

    def __init__(self, captures: Path, scenario: str, hosts: Collection[str]) -> None:
        """``scenario`` is the id after which the sniffer will name the folder in ``captures``."""
        self._captures, self._hosts = captures, tuple(hosts)
        self._pattern = f".*-{scenario.replace(':', '.')}.partial"
        self._earlier = set(captures.glob(self._pattern))
        self._on, self._over, self._written = Event(), Event(), Event()
        self._thread = Thread(target=self._run, name="tracing")

    def __enter__(self) -> Tracing:
        """Wait until the tracepoints are on, or cannot be: a run may be over sooner than a busy kernel
        switches them."""
        self._thread.start()
        self._on.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until the file is whole. Tracefs is tidied up meanwhile: the end of the process
        waits for that."""
        self._over.set()
        self._written.wait()

    def _run(self) -> None:
        try:
            with suppress(OSError, LabError), Instance(mount()) as instance:
                trace = Trace(instance, (*self._hosts, DOCKER_PORTS))
                self._on.set()
                self._record(trace)
                self._written.set()
        finally:
            self._on.set()
            self._written.set()

    def _record(self, trace: Trace) -> None:
        log = self._begin()
        if log is None:
            return
        with log:
            log.write([trace.beginning])
            trace.addresses.update(log.addresses())
            while not (self._over.is_set() or log.is_over()):
                if trace.fills(TURN):
                    log.write(trace.read())
                trace.addresses.update(log.addresses())
            log.write(trace.end())

    def _begin(self) -> KernelLog | None:
        """Begin the file in the first folder that may be the run's; None: there never was one."""
        while not self._over.wait(SEARCH / 1000):
            for folder in set(self._captures.glob(self._pattern)) - self._earlier:
                if (folder / "control" / "recorder").exists():
                    with suppress(OSError):
                        return KernelLog(folder, self._hosts)
        return None


def await_kernel_log(folder: Path) -> None:
    """Wait until kernel.jsonl of a run's folder is whole, if there is one. A killed writer's lock
    goes with it (flock(2))."""
    with suppress(FileNotFoundError), (folder / FILE).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
