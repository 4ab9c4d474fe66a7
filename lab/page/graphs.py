"""Curves over the time of a connection, as SVG paths in a box of 1000 by 100 (or 1000) units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.kernel import Kernel
from lab.evidence.run import Evidence, View
from lab.evidence.states import sockets_of
from lab.page.frames import AGAIN
from lab.page.words import WORDS
from lab.report.people import people
from lab.tcp.model import Connection
from lab.tcp.numbers import numbers
from lab.text import Text, same
from lab.units import short_span

WIDTH = 1000
MOST = 1200
"""Points of a curve: more than a screen has pixels."""

CURVE = Text("{what}, {host}", "{what}，{host}")
Points = list[tuple[int, int]]


class Graph(Struct, frozen=True):
    """One graph: its paths are classes and the d attributes of SVG."""

    title: Text
    paths: tuple[tuple[str, str], ...]
    top: str  # the largest value
    span: str  # how long the axis of time is
    height: int = 100
    low: str = "0"


def sparklines(evidence: Evidence, connection: Connection) -> Iterator[Graph]:
    """cwnd, octets in flight and announced window of both ends, where they are known."""
    began, ended = evidence.span(connection)
    known = numbers(evidence.view.capture.frames, connection)
    time = evidence.view.capture.frames.time[connection.rows]
    names = people(evidence.manifest).pair(connection.client, connection.server)
    for side, name in enumerate(names):
        mine = connection.from_client == (side == 0)
        yield from _graph("cwnd", name, _cwnd(evidence, connection, side), began, ended)
        flight = _points(time[mine], known.flight[mine])
        if any(value for _, value in flight):
            yield from _graph("flight", name, flight, began, ended)
        window = [known.window[i] for i in np.flatnonzero(~mine).tolist()]
        told = [(t, w) for t, w in zip(time[~mine].tolist(), window, strict=True) if w is not None]
        yield from _graph("announced", name, told, began, ended)


def _graph(what: str, name: Text, points: Points, began: int, ended: int) -> Iterator[Graph]:
    """A step line; nothing of fewer than two values, which no curve would show better."""
    if len({value for _, value in points}) < 2 or ended <= began:
        return
    top = max(value for _, value in points)
    title = CURVE.fill(what=WORDS[what], host=name)
    path = _steps(points, began, ended, top, 100)
    yield Graph(title, (("", path),), f"{top:,}", short_span(ended - began))


def _cwnd(evidence: Evidence, connection: Connection, side: int) -> Points:
    end = connection.server if side else connection.client
    hosts = {a: host.name for host in evidence.manifest.hosts for a in host.addresses}
    kernel = evidence.kernel.get(hosts.get(end.address, ""), Kernel())
    life = sockets_of(connection, kernel.lives, *evidence.span(connection))[side]
    return list(life.history("cwnd")) if life else []


def _points(time: NDArray[np.int64], values: NDArray[np.int64]) -> Points:
    return list(zip(time.tolist(), values.tolist(), strict=True))


def _steps(points: Sequence[tuple[int, int]], began: int, ended: int, top: int, height: int) -> str:
    every = max(1, len(points) // MOST)
    path = ""
    for time, value in [*points[::every], points[-1]]:
        x, y = _x(time, began, ended), height - value * height / max(top, 1)
        path += f"H{x:.0f}V{y:.1f}" if path else f"M{x:.0f} {y:.1f}"
    return f"{path}H{WIDTH}"


def _x(time: int, began: int, ended: int) -> float:
    return min(max((time - began) / max(ended - began, 1), 0.0), 1.0) * WIDTH


# ---------------------------------------------------------------- sequence numbers over time

TALL = 1000


def stevens(view: View, connection: Connection, names: tuple[Text, Text]) -> Iterator[Graph]:
    """For each end that sent data: a bar a segment, and what the other end had acknowledged."""
    frames = view.capture.frames
    known, time = numbers(frames, connection), frames.time[connection.rows]
    began, ended = int(time.min()), int(time.max())
    again = {number for number, flags in connection.flags.items() if flags & AGAIN}
    for side, name in enumerate(names):
        mine = connection.from_client == (side == 0)
        data = np.flatnonzero(mine & (known.length > 0))
        if len(data) < 2 or ended <= began:
            continue
        top = int((known.sequence[data] + known.length[data]).max())
        acks = np.flatnonzero(~mine & (known.acknowledgment > 0))
        resent = np.isin(connection.rows[data] + 1, list(again))
        bars = tuple(
            (look, _bars(time[rows], known.sequence[rows], known.length[rows], began, ended, top))
            for look, rows in (("sent", data[~resent]), ("again", data[resent]))
            if len(rows)
        )
        acked = _points(time[acks], known.acknowledgment[acks])
        lines = (("acked", _steps(acked, began, ended, top, TALL)),) if acked else ()
        title = CURVE.fill(what=same("seq"), host=name)
        yield Graph(title, (*lines, *bars), f"{top:,}", short_span(ended - began), TALL)


def _bars(
    time: NDArray[np.int64],
    sequence: NDArray[np.int64],
    length: NDArray[np.int64],
    began: int,
    ended: int,
    top: int,
) -> str:
    unit = TALL / top
    every = max(1, len(time) // (4 * MOST))
    columns = zip(
        time[::every].tolist(), sequence[::every].tolist(), length[::every].tolist(), strict=True
    )
    return "".join(
        f"M{_x(t, began, ended):.1f} {TALL - s * unit:.1f}v{-max(n * unit, 2):.1f}"
        for t, s, n in columns
    )
