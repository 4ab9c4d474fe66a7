"""Urgent data: new programs should not use it (RFC 6093)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity, times
from lab.packets.frames import Flags, Frames, Protocol
from lab.packets.parts import where
from lab.text import Text

WORDS = Text(
    "Urgent data was sent {times}: the last octet before the urgent pointer is taken out of the stream.",
    "发送了紧急数据 {times}：紧急指针之前的最后一个字节会从数据流中取出。",
)
NEXT = Text(
    "Systems disagree on which octet is meant, and firewalls clear the flag. Use a second connection, or "
    "messages with a priority.",
    "各系统对紧急指针所指的字节理解不一，防火墙也会清除该标志。宜改用另一个连接，或带优先级的消息。",
)

CONTROL = int(Flags.URG | Flags.SYN | Flags.RST)


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding for the whole capture."""
    frames = evidence.view.capture.frames
    if numbers := tuple((where(frames, _urgent) + 1).tolist()):
        words = WORDS.fill(times=times(len(numbers)))
        yield Finding("urgent", Severity.NOTE, words, numbers, next=NEXT)


def _urgent(frames: Frames) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (frames.flags & CONTROL) == int(Flags.URG)
    found &= (frames.protocol == Protocol.TCP) & (frames.payload_length > 0)
    return found
