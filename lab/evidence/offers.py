"""What one end offers in its SYN and the other leaves out of its SYN,ACK, for all connections at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from lab.evidence.glance import Groups, glance, table
from lab.evidence.run import View
from lab.packets.addresses import Endpoint
from lab.packets.frames import Frames
from lab.tcp.columns import Ints, Mask
from lab.tcp.option_fields import each_option
from lab.tcp.segments import ACK, RST, SYN
from lab.tcp.table import Part


class Answers(Struct, frozen=True):
    """The SYNs that were answered; one entry a connection, ascending by stream."""

    frames: Frames
    stream: Ints
    syn: Ints  # row of the last SYN
    answer: Ints  # row of the first SYN,ACK

    def __len__(self) -> int:
        return len(self.stream)

    def only(self, wanted: Mask | Ints) -> Answers:
        """Some of them."""
        return Answers(self.frames, self.stream[wanted], self.syn[wanted], self.answer[wanted])


def answers(view: View) -> Answers:
    """Every connection of which both a SYN and the other end's SYN,ACK were captured."""
    found = [np.zeros((3, 0), np.int64), *map(_answered, table(view).parts())]
    return Answers(view.capture.frames, *np.concatenate(found, axis=1))


def _answered(part: Part) -> Ints:
    """Of some connections: number, row of the SYN, row of the SYN,ACK."""
    s = part.segments
    control = s.flags & (SYN | ACK | RST)
    syns, said = (np.flatnonzero(control == wanted) for wanted in (SYN, SYN | ACK))
    of_syn, of_answer = (np.searchsorted(s.first, at, side="right") - 1 for at in (syns, said))
    last = np.full(len(s.first), -1)
    last[of_syn] = syns
    stream, begin = np.unique(of_answer, return_index=True)
    syn, answer = last[stream], said[begin]
    both = (syn >= 0) & (s.second[syn] != s.second[answer])
    return np.stack([stream[both] + part.begin, s.row[syn[both]], s.row[answer[both]]])


def carrying(frames: Frames, rows: Ints, option: int) -> Mask:
    """Which of these segments carry a TCP option."""
    found = np.zeros(len(rows), np.bool_)
    for at, kind, _, _ in each_option(frames, rows):
        found[at[kind == option]] = True
    return found


def left_out(asked: Answers, option: int) -> Answers:
    """Those whose SYN carries an option and whose SYN,ACK does not."""
    lacking = asked.only(~carrying(asked.frames, asked.answer, option))
    return lacking.only(carrying(asked.frames, lacking.syn, option))


def by_server(view: View, some: Answers) -> Iterator[tuple[Endpoint, Answers]]:
    """Part them by the end that answered: (its endpoint, its connections), in order."""
    wanted = np.zeros(len(table(view)), np.bool_)
    wanted[some.stream] = True
    seen = glance(view, wanted)
    for group in Groups(seen.server, seen.server_port).of_at_least(1):
        yield seen.ends(int(group[0]))[1], some.only(group)
