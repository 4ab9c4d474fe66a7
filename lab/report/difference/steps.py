"""What passed in one exchange, a step a frame, in words that do not change from run to run.

Segments are spoken of as scenarios' scripts do: ``S>C SYN,ACK seq 0 ack 1``. ISNs, ports,
identifiers and the size of a window are left out; a window of zero is said.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np
from msgspec import Struct

from lab.evidence.run import Evidence
from lab.report.datagrams import describer
from lab.report.options import options_of
from lab.report.people import People
from lab.scenarios.script import Segment, in_order
from lab.scenarios.seen import only_here, segments, verdicts
from lab.tcp.model import Connection
from lab.udp.model import Exchange

SIDES = "CS"


class Step(Struct, frozen=True):
    """One frame of an exchange; steps with equal ``key`` are the same in two runs."""

    time: int  # ns since 1970-01-01 UTC
    host: str  # at whose port it was seen
    frame: int  # its number in that port's capture
    sender: str  # "C", "S"; "?": a router on the way
    name: str  # "SYN,ACK"; "UDP", "ICMP port unreachable"
    fields: str  # "seq 0  ack 1"
    kind: tuple[Hashable, ...]  # of steps that may be laid side by side though they differ

    @property
    def key(self) -> Hashable:
        return self.sender, self.name, self.fields

    @property
    def words(self) -> str:
        """``S>C SYN,ACK seq 0 ack 1``."""
        target = {"C": "S", "S": "C"}.get(self.sender, "C")
        return " ".join(f"{self.sender}>{target} {self.name} {self.fields}".split())


def steps(evidence: Evidence, talk: Connection | Exchange, who: People) -> tuple[Step, ...]:
    """All steps of one of the first view's exchanges, in order of time."""
    if isinstance(talk, Connection):
        found = segments(evidence, talk)
        return tuple(_segment(evidence, segment) for segment in found)
    return tuple(_datagrams(evidence, talk, who))


def _segment(evidence: Evidence, segment: Segment) -> Step:
    flags = segment.flags - {"PSH"}
    ack = f"ack {segment.acknowledgment}" if "ACK" in flags else ""
    size = f"+{segment.length}" if segment.length else ""
    stop = "win 0" if not segment.window and "RST" not in flags else ""
    holes = " ".join(f"sack {left}:{right}" for left, right in segment.sack)
    more = _offers(evidence, segment) if "SYN" in flags else ""
    fate = "lost" if segment.lost else "forged" if segment.forged else ""
    parts = (f"seq {segment.sequence}", size, ack, stop, holes, more, fate)
    return Step(
        time=segment.time,
        host=segment.host,
        frame=segment.frame,
        sender=segment.sender,
        name=in_order(flags) or "none",
        fields=" ".join(part for part in parts if part),
        kind=(segment.sender, flags, segment.length > 0),
    )


def _offers(evidence: Evidence, segment: Segment) -> str:
    """What a SYN's options offer: ``mss 1460 ws sack ts``."""
    view = next(view for view in evidence.views if view.host == segment.host)
    options = options_of(view.capture.frames, segment.frame - 1)
    named = {
        f"mss {options.mss}": options.mss is not None,
        "ws": options.window_scale is not None,
        "sack": options.sack_permitted,
        "ts": options.timestamps is not None,
    }
    return " ".join(name for name, there in named.items() if there)


def _datagrams(evidence: Evidence, talk: Exchange, who: People) -> Iterator[Step]:
    """Datagrams, and the ICMP errors that answer them."""
    view, letters = evidence.view, who.initials(talk.client, talk.server)
    lost, _ = verdicts(evidence, view, talk, only_here(evidence, talk))
    gone = set((talk.rows[np.flatnonzero(lost)] + 1).tolist())
    rows, describe = describer(view, talk, who)
    for index in range(len(rows)):
        event = describe(index)
        sender = SIDES[letters.index(event.source)] if event.source in letters else "?"
        fate = " lost" if event.number in gone else ""
        is_error = event.flags == "ICMP"
        yield Step(
            time=event.time,
            host=view.host,
            frame=event.number,
            sender=sender,
            name=event.words[0].en if is_error else event.flags,
            fields="" if is_error else f"+{event.octets}{fate}",
            kind=(sender, is_error),
        )
