"""The strip of kernel evidence: sockets as sampled, counters that moved, settings, what was lost."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lab.evidence.kernel import Kernel
from lab.evidence.run import Evidence
from lab.evidence.states import Life, Moment
from lab.page.meanings import DEFAULTS, meaning
from lab.report.glyphs import safe
from lab.text import Text
from lab.units import seconds

MOST = 12
"""Samples shown of a socket; of more, every so many."""

NO_THRESHOLD = 2147483647
COLUMNS = (
    "time",
    "state",
    "Recv-Q",
    "Send-Q",
    "timer",
    "cwnd",
    "ssthresh",
    "rtt ms",
    "rto ms",
    "unacked",
    "retrans",
)
LIMIT = 24
"""Sockets shown of a host."""


class Socket(Struct, frozen=True):
    """One socket's samples: lines of cells, below `COLUMNS`."""

    ends: str
    lines: tuple[tuple[str, ...], ...]
    skipped: int


class Witness(Struct, frozen=True):
    """What one host's kernel says."""

    host: str
    sockets: tuple[Socket, ...]
    counters: tuple[tuple[str, int, Text], ...]
    sysctls: tuple[tuple[str, str, str], ...]  # name, value, Linux's default


def witnesses(evidence: Evidence) -> Iterator[Witness]:
    """By host."""
    start = int(min((t.started for t in evidence.manifest.taps), default=evidence.manifest.started))
    for host, kernel in evidence.kernel.items():
        yield Witness(
            safe(host),
            tuple(_sockets(kernel, start)),
            tuple((name, grown, meaning(name)) for name, grown in kernel.counters.items() if grown),
            tuple(_sysctls(kernel)),
        )


def _sysctls(kernel: Kernel) -> Iterator[tuple[str, str, str]]:
    for name, value in kernel.sysctls.items():
        usual = DEFAULTS.get(name)
        if usual is not None and value.split() != usual.split():
            yield name, value, usual


def _sockets(kernel: Kernel, start: int) -> Iterator[Socket]:
    shown = [life for life in kernel.lives if _is_of_the_run(life)]
    for life in shown[:LIMIT]:
        moments = _thinned(life.moments)
        lines = [_line(moment, start) for moment in moments]
        if life.end:
            lines.append((seconds(life.end.time - start), "CLOSED", *("",) * (len(COLUMNS) - 2)))
        peer = f" – {_end(life.peer)}" if life.peer else ""
        ends = f"{life.protocol} {_end(life.local)}{peer}"
        yield Socket(safe(ends), tuple(lines), len(life.moments) - len(moments))


def _is_of_the_run(life: Life) -> bool:
    """Not the resolver that an engine keeps on loopback."""
    return not life.local[0].startswith("127.")


def _thinned(moments: tuple[Moment, ...]) -> list[Moment]:
    """All changes of state, and of the samples between as many as there is room for."""
    changes = {i for i, m in enumerate(moments) if i == 0 or moments[i - 1].state != m.state} | {
        len(moments) - 1
    }
    every = max(1, len(moments) // MOST)
    return [m for i, m in enumerate(moments) if i in changes or i % every == 0]


def _end(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _line(moment: Moment, start: int) -> tuple[str, ...]:
    known = moment.numbers

    def number(name: str, scale: int = 1) -> str:
        value = known.get(name)
        if value is None or (name == "ssthresh" and value == NO_THRESHOLD):
            return "–"
        return f"{value / scale:g}" if scale > 1 else str(value)

    timer = f"{moment.timer} {moment.expires} ms" if moment.timer else "–"
    return (
        seconds(moment.time - start),
        moment.state,
        number("recv_q") if "recv_q" in known else number("accept_queue"),
        number("send_q") if "send_q" in known else number("backlog"),
        timer,
        number("cwnd"),
        number("ssthresh"),
        number("rtt", 1000),
        number("rto", 1000),
        number("unacked"),
        number("total_retrans"),
    )
