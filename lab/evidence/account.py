"""What became of frames between two vantage points: lost, late, doubled, overtaken, put in.

One-way times are the truth only on one clock, as in the lab. Where the captures prove that theirs
differ (something would have arrived before it was sent), the difference is estimated as NTP does,
from the fastest frames both ways, taking the path to be symmetric (RFC 5905 section 8).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.identity import by_packet
from lab.evidence.manifest import Manifest
from lab.evidence.run import Evidence, View
from lab.evidence.vantage import Match
from lab.packets.addresses import address_text
from lab.packets.frames import Capture, Frames

Rows = NDArray[np.int64]
NOTHING: Rows = np.empty(0, np.int64)
QUANTILES = (0.0, 0.5, 0.9, 0.99, 1.0)


class Delay(Struct, frozen=True):
    """Quantiles of the one-way time, ns."""

    least: int
    median: int
    p90: int
    p99: int
    most: int


class Way(Struct, frozen=True):
    """One direction. Rows are of the capture at its beginning (``near``) or its end (``far``)."""

    sent: int  # frames that passed the near port and belong at the far one
    arrived: int
    lost: Rows  # near: never reached the far port
    doubled: Rows  # far: copies of a frame that had arrived
    injected: Rows  # far: never passed the near port, though they claim to come from there
    overtaken: Rows  # far: arrived after one that was sent later
    delay: Delay | None  # None: nothing arrived


class Account(Struct, frozen=True):
    """Both directions between the first and the second vantage point."""

    forth: Way
    back: Way
    offset: int = 0  # ns by which the second clock is ahead; 0: nothing shows a difference


def account(evidence: Evidence) -> Account | None:
    """Put the first two views of the evidence together; None if there is only one."""
    match = evidence.match
    if match is None:
        return None
    first, second = evidence.views[:2]
    near_first, near_second = _sides(evidence.manifest, first, second, match)
    forth = _from(first.capture.frames, match.first, near_first)
    back = _from(first.capture.frames, match.first, near_second)
    offset = _clock_offset(match.transit[forth], -match.transit[back])
    return Account(
        _way(first.capture, second.capture, match, forth, (near_first, near_second), offset),
        _way(
            second.capture, first.capture, _turned(match), back, (near_second, near_first), -offset
        ),
        offset,
    )


def _way(
    near: Capture,
    far: Capture,
    match: Match,
    forth: NDArray[np.bool_],
    sides: tuple[Collection[str], Collection[str]],
    offset: int,
) -> Way:
    left = match.only_first[_between(near.frames, match.only_first, *sides)]
    unknown = match.only_second[_between(far.frames, match.only_second, *sides)]
    arrived = match.second[forth]
    doubled = _copies(far, unknown, arrived)
    order = np.argsort(arrived, kind="stable")
    sent = match.first[forth][order]
    later = np.maximum.accumulate(sent) if len(sent) else sent
    return Way(
        sent=len(arrived) + len(left),
        arrived=len(arrived),
        lost=left,
        doubled=doubled,
        injected=unknown[~np.isin(unknown, doubled)],
        overtaken=arrived[order][sent < later],
        delay=_quantiles(match.transit[forth] - offset),
    )


def _quantiles(transit: NDArray[np.int64]) -> Delay | None:
    if not len(transit):
        return None
    ranks = np.array(QUANTILES) * (len(transit) - 1)
    values = np.interp(ranks, np.arange(len(transit)), np.sort(transit))
    return Delay(*(int(value) for value in values))


def _clock_offset(forth: NDArray[np.int64], back: NDArray[np.int64]) -> int:
    """How far the second clock is ahead; 0 if no frame arrives before it was sent."""
    if not len(forth) or not len(back) or (forth.min() >= 0 and back.min() >= 0):
        return 0
    return (int(forth.min()) - int(back.min())) // 2


def _copies(far: Capture, unknown: Rows, arrived: Rows) -> Rows:
    """Which frames repeat a packet that arrived."""
    if not len(unknown):
        return unknown
    names = set(by_packet(far, arrived))
    again = [name is not None and name in names for name in by_packet(far, unknown)]
    return unknown[np.array(again, np.bool_)]


def _turned(match: Match) -> Match:
    """The same, seen from the second vantage point."""
    return Match(
        match.second, match.first, match.only_second, match.only_first, -match.transit, match.routed
    )


# ---------------------------------------------------------------- who is on which side


def _sides(
    manifest: Manifest, first: View, second: View, match: Match
) -> tuple[Collection[str], Collection[str]]:
    """The addresses behind each vantage point: the lab knows them; of foreign captures, whoever
    sends is nearer to where its frames pass earlier than the frames that it gets."""
    hosts = {host.name: host.addresses for host in manifest.hosts}
    if first.host in hosts and second.host in hosts:
        return hosts[first.host], hosts[second.host]
    frames = first.capture.frames
    sent = _least_transit(frames, frames.source, match)
    got = _least_transit(frames, frames.destination, match)
    lag = {address: sent[address] - got[address] for address in sent.keys() & got.keys()}
    return (
        {address for address, late in lag.items() if late > 0},
        {address for address, late in lag.items() if late < 0},
    )


def _least_transit(frames: Frames, column: NDArray[np.uint64], match: Match) -> dict[str, int]:
    """By address in a column: the fastest frame from the first vantage point to the second, ns."""
    return {
        address: int(match.transit[positions].min())
        for address, positions in _by_address(frames, column[match.first], match.first)
    }


def _by_address(
    frames: Frames, column: NDArray[np.uint64], rows: Rows
) -> list[tuple[str, NDArray[np.int64]]]:
    """Positions among IP packets, by the address in a column."""
    is_ip = np.flatnonzero(frames.ip_version[rows] != 0)
    halves, which = np.unique(column[is_ip], axis=0, return_inverse=True)
    return [
        (address_text(int(high), int(low)), is_ip[which.ravel() == i])
        for i, (high, low) in enumerate(halves.tolist())
    ]


def _from(frames: Frames, rows: Rows, addresses: Collection[str]) -> NDArray[np.bool_]:
    return _is_one_of(frames, frames.source, rows, addresses)


def _between(
    frames: Frames, rows: Rows, sources: Collection[str], destinations: Collection[str]
) -> NDArray[np.bool_]:
    """What goes from one side to the other, by its addresses."""
    sent = _is_one_of(frames, frames.source, rows, sources)
    return sent & _is_one_of(frames, frames.destination, rows, destinations)


def _is_one_of(
    frames: Frames, column: NDArray[np.uint64], rows: Rows, addresses: Collection[str]
) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), np.bool_)
    for address, positions in _by_address(frames, column[rows], rows):
        found[positions] = address in addresses
    return found
