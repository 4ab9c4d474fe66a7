"""What the tour and close_three_segments promise of a close; imported before numpy is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.scenarios.base import Seen
from lab.tcp.model import Connection, Teardown
from lab.text import Text, same
from lab.units import short_span

if TYPE_CHECKING:
    from lab.evidence.run import Evidence

DELAYED_ACK = 20_000_000
"""ns, the least for which an ACK is delayed: 40 ms, less what a timer may go off early."""

THREE = Text("three segments", "三个报文段")
FOUR = Text("four segments", "四个报文段")
TOO_LATE = Text(
    "four segments: ACK {ack} after the FIN, close() only {close} after it",
    "四个报文段：FIN 之后 {ack} 发出 ACK，{close} 才调用 close()",
)


def closes_in_three(evidence: Evidence, one: Connection) -> Seen:
    """Whether the ACK of the client's FIN rides on the server's own.

    The kernel keeps that ACK back for as long as its timer runs. A machine may be so busy that the
    server gets to call close() only after that: this is no run to see it in, and no broken promise.
    """
    if one.teardown is Teardown.THREE_SEGMENTS:
        return Seen(True, THREE, one.teardown_frames)
    if one.teardown is not Teardown.FOUR_SEGMENTS:
        return Seen(False, same(one.teardown.value), one.teardown_frames)
    times = evidence.view.capture.frames.time
    fin, ack = (int(times[number - 1]) for number in one.teardown_frames[:2])
    closes = (call.before for call in evidence.calls["server"] if call.function == "close")
    close = next((before for before in closes if before > fin), fin)
    told = TOO_LATE.fill(ack=short_span(ack - fin), close=short_span(close - fin))
    late = DELAYED_ACK < ack - fin < close - fin
    return Seen(False, told if late else FOUR, one.teardown_frames, late)
