"""Wrong checksums: damage on the way, or sums that were left to a network card.

With checksum offload the kernel writes only the sum of the pseudo-header (RFC 9293 section 3.1)
and the card does the rest; a capture taken between the two shows that sum. Where frames only pass
from one namespace to another, nobody does the rest: the receiver is told that it may trust them.
The sum is recognised by its value, so that the artefact is told from true damage.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.checksums import checksum_errors
from lab.packets.frames import Frames, Protocol
from lab.text import Text

OFFLOADED = Text(
    "{count} frames carry an unfinished checksum: their sender left the rest to a network card "
    "(offload). A card fills it in as the frame leaves the machine; between hosts of one machine "
    "nobody does, or needs to.",
    "{count} 帧的校验和尚未填完：发送方把剩下的计算留给网卡（校验和卸载）。"
    "帧离开本机时由网卡填好；同一台机器上的主机之间无人填写，也不必填写。",
)
WRONG = Text("{count} frames carry a wrong checksum.", "{count} 帧的校验和错误。")

EXAMINED = 1000
"""Wrong checksums looked at one by one; the rest is taken to be of the first one's kind."""

_PLACE = {Protocol.TCP: (16, 6), Protocol.UDP: (6, 17)}
"""Offset of the checksum in the header, and the number in the pseudo-header."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding a kind: sums left to the card, and true damage."""
    frames = evidence.view.capture.frames
    wrong = checksum_errors(evidence.view.capture).tolist()
    left = {number for number in wrong[:EXAMINED] if _is_partial(frames, number - 1)}
    if left and len(left) == len(wrong[:EXAMINED]):
        left = set(wrong)
    for severity, words, id_, numbers in (
        (Severity.NOTE, OFFLOADED, "offload", sorted(left)),
        (Severity.WARNING, WRONG, "checksum", [n for n in wrong if n not in left]),
    ):
        if numbers:
            yield Finding(id_, severity, words.fill(count=f"{len(numbers):,}"), tuple(numbers))


def _is_partial(frames: Frames, row: int) -> bool:
    """Whether the checksum is the sum of the pseudo-header and no more."""
    protocol = Protocol(int(frames.protocol[row]))
    if protocol not in _PLACE:
        return False
    place, number = _PLACE[protocol]
    at = int(frames.transport[row])
    length = int(frames.payload[row]) - at + int(frames.payload_length[row])
    field = int.from_bytes(frames.octets[at + place : at + place + 2].tobytes(), "big")
    addresses = (*frames.source[row].tolist(), *frames.destination[row].tolist())
    parts = [half & 0xFFFFFFFF if frames.ip_version[row] == 4 else half for half in addresses]
    if frames.ip_version[row] == 4:
        parts = parts[1::2]
    total = int(sum(parts)) + number + length
    return field % 0xFFFF == total % 0xFFFF
