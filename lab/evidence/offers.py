"""What one end offers in its SYN and the other leaves out of its SYN,ACK, for all connections at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.evidence.glance import Groups, as_columns, glance, table
from lab.evidence.run import View
from lab.packets.addresses import Endpoint
from lab.tcp.answers import Answers


def answers(view: View) -> Answers:
    """Every connection of which both a SYN and the other end's SYN,ACK were captured."""
    return as_columns(view).answers


def left_out(view: View, option: int) -> Answers:
    """Those whose SYN carries an option and whose SYN,ACK does not."""
    every = as_columns(view)
    asked, said = ((found >> np.uint64(option)) & np.uint64(1) for found in every.options)
    return every.answers.only(asked > said)


def by_server(view: View, some: Answers) -> Iterator[tuple[Endpoint, Answers]]:
    """Part them by the end that answered: (its endpoint, its connections), in order."""
    wanted = np.zeros(len(table(view)), np.bool_)
    wanted[some.stream] = True
    seen = glance(view, wanted)
    for group in Groups(seen.server, seen.server_port).of_at_least(1):
        yield seen.ends(int(group[0]))[1], some.only(group)
