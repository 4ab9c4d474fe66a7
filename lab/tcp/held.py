"""Whether a late segment lies wholly inside one that was stored and not yet acknowledged."""

from __future__ import annotations

import numpy as np

from lab.packets.distinct import distinct, ranked
from lab.tcp.columns import LIFT, Ints, Mask, Segments, Standing
from lab.tcp.reached import Reached
from lab.tcp.segments import FIN, SYN

STEPS = 64
"""Stored segments looked at for one that holds another; streams that need more are left."""


def held(s: Segments, stand: Standing, reached: Reached, late: Ints) -> tuple[Mask, Ints]:
    """Look each of these segments up among those sent before it in its direction.

    What an acknowledgment has reached is no longer stored, so a segment that begins below it
    can only lie inside one that was sent after that acknowledgment.

    Returns:
        A mask, and the streams that this cannot tell.
    """
    if not len(late):
        return np.zeros(0, np.bool_), late
    low, other = reached.before(late, s.second[late]), stand.other[late]
    begin, stop = stand.sequence[late], stand.sequence[late] + s.length[late]
    since = np.where(begin < low, other, -1)
    told = stand.acks[other] & (stand.acknowledgment[other] > begin)
    unsure = (begin < low) & ~told
    key, at, longest = _stored(s, stand, late)
    number = _numbers(s, stand, late)
    found = np.zeros(len(late), np.bool_)
    left = np.arange(len(late))
    place = _places(s, at)[late] - 1  # those after it that begin at the same number came later
    for _ in range(STEPS):
        inside = place >= 0
        left, place = left[inside], place[inside]
        near = key[place] >= (number[left] << LIFT) + stop[left] - longest
        left, place = left[near], place[near]
        holder = at[place]
        end = stand.end[holder]
        whole = (holder < late[left]) & (holder > since[left]) & (end >= stop[left])
        whole &= (end > begin[left]) | (low[left] < begin[left]) | (holder > other[left])
        found[left[whole]] = True
        left, place, old = left[~whole], place[~whole], (holder <= since[left])[~whole]
        place[old] = np.searchsorted(key, key[place[old]])  # copies before it are older still
        place = place - 1
        if not len(left):
            break
    unsure[left] = True
    return found, stand.stream[late[unsure]]


def _numbers(s: Segments, stand: Standing, late: Ints) -> Ints:
    """A number from 1 for each direction that holds one of these segments."""
    return ranked(stand.direction(s, late))[1] + 1


def _places(s: Segments, at: Ints) -> Ints:
    """Where each segment stands among these."""
    found = np.zeros(len(s.row), np.int64)
    found[at] = np.arange(len(at))
    return found


def _stored(s: Segments, stand: Standing, late: Ints) -> tuple[Ints, Ints, int]:
    """The segments of these directions that occupy sequence space, by number.

    Returns:
        Direction's number and sequence number packed, ascending; positions; the longest's octets.
    """
    number = np.zeros(2 * len(s.first), np.int64)
    directions = distinct(stand.direction(s, late))
    number[directions] = np.arange(1, len(directions) + 1)
    occupies = (s.length > 0) | ((s.flags & (SYN | FIN)) != 0)
    at = np.flatnonzero(occupies & (number[stand.stream * 2 + s.second] > 0))
    key = (number[stand.direction(s, at)] << LIFT) + stand.sequence[at]
    order = np.argsort(key, kind="stable")
    at = at[order]
    return key[order], at, int((stand.end[at] - stand.sequence[at]).max())
