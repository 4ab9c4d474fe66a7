"""Wrong checksums: damage on the way, or sums that were left to a network card.

With checksum offload the kernel writes only the sum of the pseudo-header (RFC 9293 section 3.1)
and the card does the rest; a capture taken between the two shows that sum. Where frames only pass
from one namespace to another, nobody does the rest: the receiver is told that it may trust them.
The sum is recognised by its value, so that the artefact is told from true damage.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings.base import Finding, Severity
from lab.packets.checksums import WORD, checksum_errors
from lab.packets.frames import ABSENT, Capture, Frames, Protocol
from lab.packets.pages import stretches
from lab.packets.parts import NAMES, fetched, where
from lab.text import Text

Rows = NDArray[np.int64]

OFFLOADED = Text(
    "{count} frame[|s] carr[ies|y] an unfinished checksum: [its|their] sender left the rest to a network card "
    "(offload). A card fills it in as the frame leaves the machine; between hosts of one machine "
    "nobody does, or needs to.",
    "{count} 帧的校验和尚未填完：发送方把剩下的计算留给网卡（校验和卸载）。"
    "帧离开本机时由网卡填好；同一台机器上的主机之间无人填写，也不必填写。",
)
WRONG = Text("{count} frame[|s] carr[ies|y] a wrong checksum.", "{count} 帧的校验和错误。")
OF_A_SAMPLE = Text(
    "Of {size} frames looked at, a sample spread evenly: {words}",
    "在均匀抽取的 {size} 帧样本中：{words}",
)
NEXT_OFFLOADED = Text(
    "Nothing is wrong on the wire. To see finished sums, turn offload off before you capture (`ethtool -K "
    "DEV tx off`), or capture at the receiver.",
    "线路上并无错误。要看到填好的校验和，请在抓包前关闭卸载（`ethtool -K 网卡 tx off`），或在接收方抓包。",
)
NEXT_WRONG = Text(
    "The receiver drops them in silence: `nstat` counts TcpInCsumErrors, UdpInCsumErrors. Look for failing "
    "hardware, or a device that rewrites packets (NAT, tunnels).",
    "接收方会默默丢弃它们：`nstat` 中有 TcpInCsumErrors、UdpInCsumErrors 计数。请检查故障硬件，或改写数据包的设备（NAT、隧道）。",
)
NEXT_ALL = Text("`lab explain --all` looks at every frame.", "`lab explain --all` 检查每一帧。")

MODULUS = 0xFFFF
"""Of ones' complement sums (RFC 1071); what marks an address as IPv4 adds 0."""

SAMPLE, RUN = 20_000, 20
"""Frames looked at where that has to be enough; so many in a row, which lie together in the file."""

TOGETHER = 1000  # frames that are copied at once
AT_ONCE = 1 << 15  # frames with a wrong checksum

_PLACES = (Protocol.TCP, 16, 6), (Protocol.UDP, 6, 17)
"""Offset of the checksum in the header, and the number in the pseudo-header."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """At most one finding a kind: sums left to the card, and true damage."""
    return _found(evidence.view.capture)


def sample(evidence: Evidence) -> Iterator[Finding]:
    """The same of an evenly spread sample, where there are more frames than that."""
    capture = evidence.view.capture
    rows = _sampled(capture.frames)
    if rows is None:
        yield from find(evidence)
        return
    size = f"{len(rows):,}"
    for one in _found(replace(capture, frames=_copied(capture.frames, rows))):
        words = OF_A_SAMPLE.fill(size=size, words=one.words)
        numbers = tuple((rows[np.array(one.frames) - 1] + 1).tolist())
        yield replace(one, words=words, frames=numbers, next=NEXT_ALL)


def _found(capture: Capture) -> Iterator[Finding]:
    wrong = checksum_errors(capture)
    left = np.zeros(len(wrong), np.bool_)
    at = fetched(capture.frames.start, wrong - 1)
    for some in stretches(capture.frames.octets, at, AT_ONCE, len(capture.frames)):
        left[some] = _are_partial(capture.frames, wrong[some] - 1)
    for severity, words, id_, then, numbers in (
        (Severity.NOTE, OFFLOADED, "offload", NEXT_OFFLOADED, wrong[left]),
        (Severity.WARNING, WRONG, "checksum", NEXT_WRONG, wrong[~left]),
    ):
        if len(numbers):
            told = words.fill(count=f"{len(numbers):,}")
            yield Finding(id_, severity, told, tuple(numbers.tolist()), next=then)


def _sampled(frames: Frames) -> Rows | None:
    """Which frames with a transport header to look at; None: all frames."""
    rows = where(frames, _is_inside)
    if len(rows) <= SAMPLE:
        return None
    places = np.arange(0, SAMPLE, RUN) * len(rows) // SAMPLE
    found: Rows = rows[(places[:, None] + np.arange(RUN)).ravel()]
    return found


def _is_inside(frames: Frames) -> NDArray[np.bool_]:
    """Whether all headers are in the frame itself."""
    inside = (frames.transport > frames.start) & (frames.network > frames.start)
    return np.asarray(inside & (frames.payload <= frames.start + frames.captured))


def _copied(frames: Frames, rows: Rows) -> Frames:
    """Some frames, with their octets next to one another: nothing between them is read.

    Transport headers come to lie at multiples of a word, so that they are summed in one go.
    """
    columns = {name: fetched(getattr(frames, name), rows) for name in NAMES}
    before = (columns["start"] - columns["transport"]) % WORD  # octets copied before the frame
    begin = columns["start"] - before
    size = (before + columns["captured"] + WORD - 1) // WORD * WORD
    moved = begin - (np.cumsum(size) - size)
    copied = _joined(frames, begin, begin + size)
    for name in ("start", "network", "transport", "payload"):
        columns[name] = np.where(columns[name] == ABSENT, ABSENT, columns[name] - moved)
    return Frames(octets=np.frombuffer(copied, np.uint8), **columns)


def _joined(frames: Frames, begin: Rows, end: Rows) -> bytearray:
    """Stretches of the file, one after another; few of its pages are held at a time."""
    copied = bytearray()
    for some in stretches(frames.octets, begin, TOGETHER, len(frames)):
        starts, ends = begin[some].tolist(), end[some].tolist()
        copied += b"".join(map(frames.octets.data.__getitem__, map(slice, starts, ends)))
    return copied


def _are_partial(frames: Frames, rows: Rows) -> NDArray[np.bool_]:
    """Whether each checksum is the sum of the pseudo-header and no more."""
    found = np.zeros(len(rows), np.bool_)
    for protocol, place, number in _PLACES:
        whole = frames.payload[rows] != ABSENT
        here = np.flatnonzero((frames.protocol[rows] == protocol) & whole)
        some = rows[here]
        at = frames.transport[some]
        field = frames.octets[at + place].astype(np.int64) << 8 | frames.octets[at + place + 1]
        total = frames.payload[some] - at + frames.payload_length[some] + number
        for column in (frames.source, frames.destination):
            total += (column[some] % MODULUS).sum(axis=1).astype(np.int64)
        found[here] = field % MODULUS == total % MODULUS
    return found
