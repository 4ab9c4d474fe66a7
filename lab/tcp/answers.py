"""The SYN and the SYN,ACK of each connection, of all at once: what was asked, and how it was answered."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from lab.packets.distinct import grouped
from lab.packets.frames import Frames
from lab.tcp.columns import Ints, Mask
from lab.tcp.option_fields import Kinds, kinds
from lab.tcp.segments import ACK, RST, SYN
from lab.tcp.table import Part, Table


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

    def options(self) -> tuple[Kinds, Kinds]:
        """The kinds of option in each SYN and in each SYN,ACK."""
        both = np.stack([self.syn, self.answer], axis=1)  # the two lie near each other in the file
        asked, said = kinds(self.frames, both.ravel()).reshape(-1, 2).T
        return asked, said


def answers(frames: Frames, columns: Table) -> Answers:
    """Every connection of which both a SYN and the other end's SYN,ACK were captured."""
    found = [np.zeros((3, 0), np.int64), *map(_answered, columns.parts())]
    return Answers(frames, *np.concatenate(found, axis=1))


def _answered(part: Part) -> Ints:
    """Of some connections: number, row of the SYN, row of the SYN,ACK."""
    s = part.segments
    control = s.flags & (SYN | ACK | RST)
    syns, said = (np.flatnonzero(control == wanted) for wanted in (SYN, SYN | ACK))
    of_syn, of_answer = (np.searchsorted(s.first, at, side="right") - 1 for at in (syns, said))
    last = np.full(len(s.first), -1)
    last[of_syn] = syns
    stream, begin, _ = grouped(of_answer)
    syn, answer = last[stream], said[begin]
    both = (syn >= 0) & (s.second[syn] != s.second[answer])
    return np.stack([stream[both] + part.begin, s.row[syn[both]], s.row[answer[both]]])
