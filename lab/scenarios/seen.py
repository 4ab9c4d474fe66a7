"""A connection as both ports saw it together, for comparison with a scenario's script."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags, Frames
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.lateness import with_lateness
from lab.scenarios.script import Line, Row, Segment, compare, in_order, parse
from lab.tcp.model import Connection
from lab.tcp.numbers import numbers
from lab.tcp.segments import MODULUS
from lab.tcp.segments import segments as tcp_segments
from lab.text import Text
from lab.udp.model import Exchange
from lab.wire.touched import digest

Mask = NDArray[np.bool_]


class Part(Struct, frozen=True):
    """What the second view has between a connection's ends, in one connection of its own."""

    connection: Connection  # with the initial numbers that either view knows
    alone: Mask  # what only this view saw
    same_way: bool  # its client is the first view's: who begins depends on where one looks


def segments(evidence: Evidence, connection: Connection) -> tuple[Segment, ...]:
    """All segments of one of the first view's connections, in order of time.

    Lost is what its sender's port saw and the other did not; forged is what only its receiver's
    port saw, though the wire did not make it. What never passed the first port has number 0.
    """
    seen = list(_segments(evidence, evidence.view, connection, only_here(evidence, connection)))
    for part in elsewhere(evidence, connection):
        one = part.connection
        other = replace(
            connection,
            rows=one.rows[part.alone],
            from_client=(one.from_client == part.same_way)[part.alone],
            isn=one.isn if part.same_way else one.isn[::-1],
        )
        every = np.ones(len(other.rows), np.bool_)
        found = _segments(evidence, evidence.views[1], other, every)
        seen += [replace(each, number=0) for each in found if each.lost or each.forged]
    return tuple(sorted(seen, key=lambda one: one.time))


def only_here(evidence: Evidence, talk: Connection | Exchange) -> Mask:
    """Which rows of the first view the second lacks, though its host is the other end."""
    if evidence.match is None or not _is_between_both(evidence, talk):
        return np.zeros(len(talk.rows), np.bool_)
    return np.isin(talk.rows, evidence.match.only_first)


def elsewhere(evidence: Evidence, connection: Connection) -> Iterator[Part]:
    """What the second view has between the same ends, while they had this connection.

    There the other end may seem to have begun, or a forged SYN to begin another connection.
    """
    if evidence.match is None or not _is_between_both(evidence, connection):
        return
    since, until = _reign(evidence.view, connection)
    view, ends = evidence.views[1], {connection.client, connection.server}
    for one in view.connections:
        if {one.client, one.server} == ends:
            same_way = one.client == connection.client
            known = connection.isn if same_way else connection.isn[::-1]
            pairs = zip(known, one.isn, strict=True)
            ours, theirs = (here if here is not None else there for here, there in pairs)
            time = view.capture.frames.time[one.rows]
            mine = (since <= time) & (time < until)
            only = np.isin(one.rows, evidence.match.only_second)
            yield Part(replace(one, isn=(ours, theirs)), only & mine, same_way)


def _is_between_both(evidence: Evidence, talk: Connection | Exchange) -> bool:
    """Whether its ends are the hosts of the two views that were matched."""
    hosts = _hosts(evidence)
    ends = {hosts.get(end.address) for end in (talk.client, talk.server)}
    return ends == {view.host for view in evidence.views[:2]}


def _hosts(evidence: Evidence) -> dict[str, str]:
    """The host that an address is of."""
    return {address: host.name for host in evidence.manifest.hosts for address in host.addresses}


def _reign(view: View, connection: Connection) -> tuple[int, int]:
    """From when to when (ns) what passes between these ends belongs to this connection."""
    ends = {connection.client, connection.server}
    same = [one for one in view.connections if {one.client, one.server} == ends]
    starts = [int(view.capture.frames.time[one.rows[0]]) for one in same]
    position = same.index(connection)
    begins = [0, *starts[1:], np.iinfo(np.int64).max]
    return begins[position], begins[position + 1]


def _segments(
    evidence: Evidence, view: View, connection: Connection, alone: Mask
) -> Iterator[Segment]:
    """What one view saw. ``alone``: what the other view did not see."""
    frames, told = view.capture.frames, numbers(view.capture.frames, connection)
    lost, forged = verdicts(evidence, view, connection, alone)
    sent = tcp_segments(frames, connection.rows, connection.from_client)
    for i, one in enumerate(sent):
        base = one.acknowledgment - int(told.acknowledgment[i])  # the other side's ISN
        yield Segment(
            number=one.frame,
            time=one.time,
            sender="C" if connection.from_client[i] else "S",
            flags=_names(one.flags),
            sequence=int(told.sequence[i]),
            length=int(told.length[i]),
            acknowledgment=int(told.acknowledgment[i]),
            lost=bool(lost[i]),
            forged=bool(forged[i]),
            window=one.window,
            sack=tuple(((a - base) % MODULUS, (b - base) % MODULUS) for a, b in one.sack),
            host=view.host,
            frame=one.frame,
        )


def verdicts(
    evidence: Evidence, view: View, talk: Connection | Exchange, alone: Mask
) -> tuple[Mask, Mask]:
    """Of what only one view saw: which its own host sent, lost, and which it received, forged."""
    by_client = _hosts(evidence).get(talk.client.address) == view.host
    own = talk.from_client == by_client
    forged = alone & ~own
    made = {one.arriving for one in evidence.wire.touched} if evidence.wire else set()
    for i in np.flatnonzero(forged).tolist() if made else ():
        forged[i] = _digest(view.capture.frames, int(talk.rows[i])) not in made
    return alone & own, forged


def _digest(frames: Frames, row: int) -> str:
    begin = int(frames.start[row])
    return digest(frames.octets.data[begin : begin + int(frames.captured[row])])


def _names(flags: int) -> frozenset[str]:
    return frozenset(str(flag.name) for flag in Flags if flags & flag)


def script_promises(scenario: Scenario) -> tuple[Promise, ...]:
    """One promise a script: each segment as written, in order, in time, and nothing else."""
    return tuple(_promise(script, stream) for stream, script in enumerate(scenario.scripts))


def _promise(script: str, stream: int) -> Promise:
    words = Text("connection {n}: the segments of the script", "连接 {n}：与脚本一致的报文段")

    def check(evidence: Evidence) -> Seen:
        rows = side_by_side(evidence, script, stream)
        wrong = [row for row in rows if not row.kept]
        frames = tuple(row.seen.number for row in wrong or rows if row.seen and row.seen.number)
        if not wrong:
            told = Text("{n} segment[|s] as promised", "{n} 个报文段与承诺一致")
            return Seen(True, told.fill(n=len(rows)), frames)
        return Seen(False, _difference(wrong[0]), frames)

    return Promise(f"script_{stream}", words.fill(n=stream), check)


def _difference(row: Row) -> Text:
    """The first line that differs, in words."""
    if row.expected is None:
        flags = in_order(row.seen.flags) if row.seen else "?"
        return Text("not promised: {what}", "承诺之外：{what}").fill(what=flags)
    if row.seen is None:
        return Text("not seen: {what}", "未出现：{what}").fill(what=row.expected.text)
    return Text("at another time: {what}", "时间不符：{what}").fill(what=row.expected.text)


def side_by_side(evidence: Evidence, script: str, stream: int) -> tuple[Row, ...]:
    """Expected and seen of the connection with this stream number; IndexError if there is none."""
    lines: tuple[Line, ...] = parse(script)
    seen = segments(evidence, evidence.view.connections[stream])
    return compare(lines, with_lateness(evidence, seen))
