"""Why a segment was sent again: what its kernel said, else what the capture suggests.

RFC 6298 (timeout), RFC 5681 and RFC 6675 (fast retransmit and recovery), RFC 8985 (RACK and the
tail loss probe). At the receiver's port a retransmission is seen, but not always its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from lab.evidence.causes import SHORTLY, Cause
from lab.packets.frames import Flags
from lab.tcp.model import Analysis

if TYPE_CHECKING:
    from lab.evidence.talk import Talk

SHORTEST_TIMEOUT = 180_000_000
"""ns: Linux waits 200 ms at least, RFC 6298 wants 1 s; a tick less is allowed for."""
SOON = 10_000_000
"""ns: a copy made on the way, or by a second capture, follows at once."""
BACK = 2_000
"""Segments before a retransmission among which its first copy is looked for."""
AT_MOST = 10_000
"""Retransmissions of one connection that are looked at one by one; what made the rest is not told."""
SYN, ACK = int(Flags.SYN), int(Flags.ACK)
AGAIN = Analysis.RETRANSMISSION | Analysis.FAST_RETRANSMISSION | Analysis.SPURIOUS_RETRANSMISSION


class Why(StrEnum):
    """What made a segment come twice."""

    SYN = "SYN"
    SYN_ACK = "SYN,ACK"
    TIMEOUT = "timeout"
    RECOVERY = "recovery"
    PROBE = "tail loss probe"
    TOO_BIG = "too big"  # an ICMP error said so
    SPURIOUS = "spurious"  # it had been acknowledged
    COPY = "copy"  # the same IP packet once more: duplicated on the way or captured twice
    UNKNOWN = "unknown"


class Again(Struct, frozen=True):
    """One segment that carries octets a second time."""

    why: Why
    original: int | None  # position of the latest segment before with its first octet
    wait: int  # ns since then; 0: it was not seen
    told: bool = False  # by its kernel


_TOLD = {
    Cause.TIMEOUT: Why.TIMEOUT,
    Cause.REPAIR: Why.RECOVERY,
    Cause.RECOVERY: Why.RECOVERY,
    Cause.PROBE: Why.PROBE,
    Cause.TOO_BIG: Why.TOO_BIG,
    Cause.SYN_AGAIN: Why.SYN_ACK,
}


def resent(talk: Talk) -> Mapping[int, Again]:
    """Every retransmission of a connection, by its position among the segments."""
    found: dict[int, Again] = {}
    told = _testimony(talk)
    every = np.flatnonzero(talk.has(AGAIN)).tolist()
    for i in every[:AT_MOST]:
        original = _original(talk, i)
        wait = 0 if original is None else int(talk.time[i] - talk.time[original])
        cause = told.get(int(talk.numbers[i]))
        if talk.flags[i] & SYN:
            why = Why.SYN_ACK if talk.flags[i] & ACK else Why.SYN
            found[i] = Again(why, original, wait, cause is not None)
        elif cause is not None:
            found[i] = Again(_TOLD[cause], original, wait, told=True)
        else:
            found[i] = Again(_guess(talk, i, original, wait), original, wait)
    return found | dict.fromkeys(every[AT_MOST:], Again(Why.UNKNOWN, None, 0))


def _testimony(talk: Talk) -> Mapping[int, Cause]:
    """What the hosts' kernels said, by frame number of the first view."""
    witnesses = talk.case.witnesses
    if witnesses is None or talk.view is not talk.case.evidence.view:
        return {}
    told: dict[int, Cause] = {}
    for end in witnesses.ends(talk.connection):
        for number, cause in witnesses.resent(end).items():
            shown = witnesses.first_number(end.view, number)
            if shown:
                told[shown] = cause
    return told


def _original(talk: Talk, i: int) -> int | None:
    """The latest segment before that carried the first octet."""
    number, begin = talk.sequence[i], max(0, i - BACK)
    at = slice(begin, i)
    before = (talk.side[at] == talk.side[i]) & (talk.sequence[at] <= number)
    found = np.flatnonzero(before & (talk.end[at] > number))
    return begin + int(found[-1]) if len(found) else None


def _guess(talk: Talk, i: int, original: int | None, wait: int) -> Why:
    if original is not None and _is_copy(talk, i, original):
        return Why.COPY
    if any(0 <= talk.time[i] - told <= SHORTLY for told in talk.case.too_big):
        return Why.TOO_BIG
    if talk.analysis[i] & int(Analysis.SPURIOUS_RETRANSMISSION):
        return Why.SPURIOUS
    if talk.analysis[i] & int(Analysis.FAST_RETRANSMISSION):
        return Why.RECOVERY
    if original is None:
        return Why.UNKNOWN
    between = slice(original + 1, i)
    asked = (talk.analysis[between] & int(Analysis.DUPLICATE_ACK)) != 0
    if (asked & (talk.side[between] != talk.side[i])).any():
        return Why.RECOVERY
    begin = max(0, i - BACK)
    mine = begin + np.flatnonzero(talk.side[begin:i] == talk.side[i])
    silent = int(talk.time[i] - talk.time[mine[-1]]) if len(mine) else wait
    if silent >= SHORTEST_TIMEOUT:
        return Why.TIMEOUT
    tail, rtt = bool(talk.end[i] >= talk.end[mine].max()), talk.connection.rtt
    return Why.PROBE if tail and rtt and silent >= 2 * rtt else Why.UNKNOWN


def _is_copy(talk: Talk, i: int, original: int) -> bool:
    """At once, with the same IPv4 identification: a kernel counts on when it sends again, unless it
    gives all packets the same (RFC 6864)."""
    if talk.time[i] - talk.time[original] > SOON or talk.end[i] != talk.end[original]:
        return False
    number = _identification(talk, i)
    begin = max(0, original - BACK)
    before = begin + np.flatnonzero(talk.side[begin:original] == talk.side[original])
    counts = not len(before) or _identification(talk, int(before[-1])) != number
    return number == _identification(talk, original) != 0 and counts


def _identification(talk: Talk, i: int) -> int:
    """Of the IPv4 header; 0 for none."""
    frames, row = talk.frames, int(talk.connection.rows[i])
    if frames.ip_version[row] != 4:
        return 0
    at = int(frames.network[row]) + 4
    return int.from_bytes(frames.octets[at : at + 2].tobytes(), "big")
