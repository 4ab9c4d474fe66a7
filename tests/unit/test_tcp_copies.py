"""A segment that was sent very often is told by columns: its connection takes no longer than others."""

from __future__ import annotations

import pytest

from lab.tcp.analysis import table
from lab.tcp.flags import analyse
from lab.tcp.held import STEPS
from lab.tcp.opening import initial_rtt
from lab.tcp.segments import segments
from tests.builders import OPEN, Sent, conversation

DATA = Sent(">", "PA", seq=1, ack=1, length=50)
MORE = Sent(">", "PA", seq=51, ack=1, length=50)
ACKED = Sent("<", "A", seq=1, ack=51)
SENT = {
    "one segment": [*OPEN, DATA, *[DATA] * STEPS * 2],
    "a SYN": [OPEN[0]] * STEPS * 2,
    "two in turns": [*OPEN, *[DATA, MORE] * STEPS * 2],
    "acknowledged between": [*OPEN, *[DATA, MORE] * STEPS, ACKED, *[DATA, MORE] * STEPS],
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_copies_are_judged_as_columns(sent: list[Sent]) -> None:
    assert not len(table(conversation(*sent).frames).one_by_one)


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_columns_say_of_copies_what_the_rules_say(sent: list[Sent]) -> None:
    frames = conversation(*sent).frames
    found = table(frames)
    parts = segments(frames, found.rows(0), ~found.second(0))
    verdicts = analyse(parts, initial_rtt(parts))
    assert found.flags_of(0) == (dict(verdicts.flags), dict(verdicts.duplicate_acks))
