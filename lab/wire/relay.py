"""The program that carries frames from port to port while the kernel must not.

    python -m lab.wire.relay --rules FILE --port client=IFINDEX --port server=IFINDEX \\
        --log wire.jsonl [--ready FILE] [--until-eof]

It ends on SIGTERM or SIGINT, its last line a summary (`lab.wire.touched`). With ``--until-eof`` it
also ends when its standard input does, so that it never outlives whoever holds the other end. It
needs NET_RAW, and NET_ADMIN to isolate the ports, in the network namespace of the bridge.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from heapq import heappop, heappush
from operator import itemgetter
from pathlib import Path
from select import select
from time import time_ns
from typing import Protocol

import msgspec

from lab.errors import LabError, RecordingError, RuleImpossible
from lab.text import Text, choose_language, same
from lab.wire.cable import Cable, Carried
from lab.wire.ports import Port, taken
from lab.wire.rules import Rule, decode_rules
from lab.wire.touched import Summary, Touched, digest

_TURN = 32  # frames that are taken from a port at a time
_SECOND = 1_000_000_000
_TIME = itemgetter(0)

OFFLOADED = Text(
    "A frame came with its checksum left to hardware that is not there: its receiver will discard it. "
    "Turn transmit offload off at the hosts (ethtool -K eth0 tx off).",
    "收到一个校验和留给硬件计算的帧，但这里没有硬件：接收方会丢弃它。请在主机上关闭发送卸载（ethtool -K eth0 tx off）。",
)


class HasFileno(Protocol):
    """Whatever `select` takes."""

    def fileno(self) -> int: ...


class Relay:
    """Carries frames between open ports until it is told to stop."""

    def __init__(self, cable: Cable, ports: Sequence[Port], bridge: bytes, log: Log) -> None:
        self._cable, self._log = cable, log
        self._ports = {port.host: port for port in ports}
        self._bridge = bridge  # frames for the switch itself are the kernel's business
        self._under_way: list[tuple[int, int, str, bytes]] = []  # a heap: due, serial, to, octets
        self._carried = self._serial = self._delivered = self._unfinished = 0

    def run(self, stops: Sequence[HasFileno]) -> Summary:
        """Carry on until one of ``stops`` becomes readable."""
        readers: list[HasFileno] = [*self._ports.values(), *stops]
        while True:
            ready, _, _ = select(readers, [], [], self._patience())
            self._carry([port for port in ready if isinstance(port, Port)])
            self._deliver()
            if any(stop in ready for stop in stops):
                return self._summary()

    def _patience(self) -> float | None:
        """Seconds until something is due; None: nothing is."""
        times = [
            time for time in (self._cable.wakes, *(one[0] for one in self._under_way[:1])) if time
        ]
        return max(0.0, (min(times) - time_ns()) / _SECOND) if times else None

    def _carry(self, ready: Iterable[Port]) -> None:
        """Take what the hosts sent, in the order in which they sent it."""
        received = [frame for port in ready for frame in port.receive(_TURN)]
        for time, host, octets, unfinished in sorted(received, key=_TIME):
            if octets[:6] == self._bridge:
                continue
            self._carried += 1
            if unfinished:
                self._complain()
            self._follow(self._cable.carry(octets, host, time))
        if (wakes := self._cable.wakes) is not None and wakes <= time_ns():
            self._follow(self._cable.wake(wakes))

    def _follow(self, carried: Carried) -> None:
        for at, to, octets in carried.deliveries:
            self._serial += 1
            heappush(self._under_way, (at, self._serial, to, octets))
        if carried.touched:
            self._log.write(carried.touched)

    def _deliver(self) -> None:
        """Send what is due."""
        under_way, ports = self._under_way, self._ports
        while under_way and under_way[0][0] <= time_ns():
            _, _, to, octets = heappop(under_way)
            with suppress(OSError):  # a host that left, or a frame that its port has no room for
                ports[to].send(octets)
                self._delivered += 1

    def _complain(self) -> None:
        if not self._unfinished:
            _say(OFFLOADED)
        self._unfinished += 1

    def _summary(self) -> Summary:
        return Summary(
            time=time_ns(),
            carried=self._carried,
            delivered=self._delivered,
            under_way=len(self._under_way),
            missed=sum(port.missed for port in self._ports.values()),
            unfinished=self._unfinished,
            rules=self._cable.work(),
        )


class Log:
    """The file that says what was touched; each turn's lines are in it when the turn is over.

    Raises RecordingError if it is there already or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._encode = msgspec.json.Encoder().encode_lines
        with self._failing():
            self._file = path.open("xb", buffering=0)
        with suppress(OSError):  # whoever owns the folder owns what lands there, if root wrote it
            owner = path.parent.stat()
            os.fchown(self._file.fileno(), owner.st_uid, owner.st_gid)

    def write(self, lines: Sequence[Touched | Summary]) -> None:
        """Append a line each."""
        with self._failing():
            self._file.write(self._encode(lines))

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RecordingError(detail=f"{self._name}: {error.strerror}") from error


def relay(
    rules: Iterable[Rule],
    ports: Mapping[str, int],
    log: Path,
    stops: Sequence[HasFileno],
    ready: Path | None = None,
) -> Summary:
    """Take the ports over and carry frames between them until one of ``stops`` becomes readable.

    Args:
        rules: what is done to them.
        ports: interface index of each host's port on the switch.
        log: the file to write; it must not exist.
        stops: sockets, pipes, …
        ready: a file that is made when frames are carried.

    Raises RuleImpossible, WireForbidden, CaptureForbidden or RecordingError.
    """
    cable = Cable(rules, tuple(ports))
    digest(b"")  # loads what it needs: no frame is to wait for that
    with taken(ports) as (opened, bridge):
        lines = Log(log)
        try:
            if ready:
                ready.touch()
            summary = Relay(cable, opened, bridge, lines).run(stops)
            lines.write([summary])
        finally:
            lines.close()
    return summary


@contextmanager
def stopped_by_signals() -> Iterator[socket.socket]:
    """A socket that becomes readable on SIGTERM or SIGINT. Main thread only."""
    stop, wake = socket.socketpair()
    wake.setblocking(False)
    handled = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGTERM, signal.SIGINT)}
    before = signal.set_wakeup_fd(wake.fileno())
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(before)
        for one, handler in handled.items():
            signal.signal(one, handler)
        stop.close()
        wake.close()


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code, having said on stderr what went wrong."""
    asked = _parser().parse_args(arguments)
    with suppress(OSError):  # wake up when a frame is due, not up to 50 µs later
        Path("/proc/self/timerslack_ns").write_text("1")
    try:
        with stopped_by_signals() as stop:
            stops = [stop, sys.stdin] if asked.until_eof else [stop]
            relay(_read_rules(asked.rules), dict(asked.port), asked.log, stops, asked.ready)
    except LabError as error:
        for line in error.lines(choose_language(None, os.environ)):
            _say(same(line))
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="relay", description="Carry frames between ports.")
    parser.add_argument("--rules", type=Path, required=True, metavar="FILE", help="JSON")
    parser.add_argument(
        "--port", type=_port, action="append", required=True, metavar="HOST=INTERFACE-INDEX"
    )
    parser.add_argument("--log", type=Path, required=True, metavar="FILE")
    parser.add_argument("--ready", type=Path, metavar="FILE", help="made when frames are carried")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    return parser


def _port(word: str) -> tuple[str, int]:
    host, _, index = word.partition("=")
    return host, int(index)


def _read_rules(path: Path) -> tuple[Rule, ...]:
    try:
        return decode_rules(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        words = Text("{file} cannot be read: {error}", "无法读取 {file}：{error}")
        raise RuleImpossible(detail=words.fill(file=path.name, error=error)) from error


def _say(words: Text) -> None:
    sys.stderr.write(f"{words.say(choose_language(None, os.environ))}\n")


if __name__ == "__main__":
    sys.exit(main())
