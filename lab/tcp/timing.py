"""How long round trips took, how long a sender would wait, and how fast data went."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import Frames
from lab.tcp.model import Connection
from lab.tcp.numbers import Numbers, numbers
from lab.tcp.segments import ACK, FIN, RST, SYN

Ints = NDArray[np.int64]
SECOND = 1_000_000_000
LONGEST_RTO = 60 * SECOND  # RFC 6298 (2.5)


class RoundTrips(Struct, frozen=True):
    """RTT samples of one end: from a segment to the first ACK that covers it, as captured.

    Near the sender that is the whole round trip, near the receiver only the receiver's part.
    """

    frame: Ints  # number of the frame that acknowledges
    sent: Ints  # number of the newest frame that it acknowledges for the first time
    rtt: Ints  # ns


def round_trips(frames: Frames, connection: Connection, side: int) -> RoundTrips:
    """Sample the round trips of what one end (CLIENT or SERVER) sent.

    One sample for each ACK that covers more than those before it; none where what it covers was
    sent more than once (Karn's algorithm, RFC 6298 section 3).
    """
    shown, rows = numbers(frames, connection), connection.rows
    flags = frames.flags[rows]
    mine = (connection.from_client == (side == 0)) & ((flags & RST) == 0)
    end = _end(shown, flags)
    sent = np.flatnonzero(mine & (end > shown.sequence))
    reached = np.maximum.accumulate(np.append(0, end[sent]))[:-1]
    fresh = shown.sequence[sent] >= reached
    once = fresh & ~_again(shown.sequence[sent], end[sent], fresh)
    others = np.flatnonzero(
        (connection.from_client != (side == 0)) & ((flags & (ACK | RST)) == ACK)
    )
    acked = shown.acknowledgment[others]
    new = acked > np.maximum.accumulate(np.append(0, acked))[:-1]
    others, acked = others[new], acked[new]
    new_ends, new_sent = end[sent[fresh]], sent[fresh]
    place = np.searchsorted(new_ends, acked, side="right") - 1
    held = place >= 0
    held[held] = once[fresh][place[held]] & (new_sent[place[held]] < others[held])
    ack, data = others[held], new_sent[place[held]]
    time = frames.time[rows]
    return RoundTrips(rows[ack] + 1, rows[data] + 1, time[ack] - time[data])


def _end(shown: Numbers, flags: NDArray[np.uint16]) -> Ints:
    consumed = ((flags & SYN) != 0).astype(np.int64) + ((flags & FIN) != 0)
    end: Ints = shown.sequence + shown.length + consumed
    return end


def _again(sequence: Ints, end: Ints, fresh: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which segments, in order of sending, are sent again, wholly or in part, later on."""
    found = np.zeros(len(end), np.bool_)
    new = np.flatnonzero(fresh)
    for low, high in zip(sequence[~fresh].tolist(), end[~fresh].tolist(), strict=True):
        begin = np.searchsorted(end[new], low, side="right")
        stop = np.searchsorted(sequence[new], high, side="left")
        found[new[begin:stop]] = True
    return found


def timeouts(
    samples: Iterable[int], floor: int = SECOND, granularity: int = 1_000_000
) -> list[int]:
    """The retransmission timeout (ns) after each RTT sample (ns), by RFC 6298 section 2.

    Args:
        samples: in the order in which they were taken.
        floor: the least timeout; the RFC asks for a second, Linux takes 200 ms.
        granularity: of the sender's clock, the RFC's G.
    """
    smoothed, variation, found = 0, 0, []
    for i, sample in enumerate(samples):
        if i == 0:
            smoothed, variation = sample, sample // 2
        else:
            variation = (3 * variation + abs(smoothed - sample)) // 4
            smoothed = (7 * smoothed + sample) // 8
        wanted = smoothed + max(granularity, 4 * variation)
        found.append(min(max(wanted, floor), LONGEST_RTO))
    return found


def throughput(
    frames: Frames, connection: Connection, side: int, every: int = SECOND
) -> NDArray[np.float64]:
    """Octets a second that one end sent for the first time, in each interval of ``every`` ns.

    The first interval begins with the connection's first frame; what is sent again counts once.
    """
    shown, rows = numbers(frames, connection), connection.rows
    flags, time = frames.flags[rows], frames.time[rows]
    mine = (connection.from_client == (side == 0)) & ((flags & RST) == 0) & (shown.length > 0)
    begin = shown.sequence[mine] + ((flags[mine] & SYN) != 0)
    end = begin + shown.length[mine]
    before = np.maximum.accumulate(np.append(0, end))[:-1]
    new = np.maximum(end - np.maximum(begin, before), 0)
    interval = np.maximum(time - time[0], 0) // every
    octets = np.bincount(interval[mine], new, int(interval.max()) + 1)
    rate: NDArray[np.float64] = (octets * (SECOND / every)).astype(np.float64)
    return rate
