"""All exchanges of a run, each as the port saw it that numbers its frames.

That is the first port, and for what never came there the next one that saw it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.build import talks
from lab.evidence.run import Evidence, View
from lab.evidence.vantage import Match
from lab.packets.addresses import Endpoint
from lab.packets.kinds import Protocol
from lab.tcp.model import Connection
from lab.udp.model import Exchange

Talk = Connection | Exchange
Ends = frozenset[Endpoint]


class Sighting(Struct, frozen=True):
    """An exchange, and where it was seen."""

    talk: Talk
    evidence: Evidence  # the run with that port's view first
    elsewhere: str = ""  # the port's host, if it is not the first

    @property
    def span(self) -> tuple[int, int]:
        """The times of its first and its last frame, ns."""
        time, rows = self.evidence.view.capture.frames.time, self.talk.rows
        return int(time[rows[0]]), int(time[rows[-1]])


def sightings(evidence: Evidence) -> list[Sighting]:
    """Those of the first port, in order of their first frame; then those of the others."""
    found = [Sighting(talk, evidence) for talk in talks(evidence.view)]
    known = {_ends(one.talk) for one in found}
    for index, view in enumerate(evidence.views[1:], 1):
        if fresh := [one for one in _alone(evidence, view) if _ends(one) not in known]:
            turned = seen_from(evidence, index)
            found += [Sighting(talk, turned, view.host) for talk in fresh]
            known |= {_ends(talk) for talk in fresh}
    return found


def seen_from(evidence: Evidence, index: int) -> Evidence:
    """The run with another view first; the match of the first two is turned with them."""
    views = evidence.views
    first, others = views[index], (*views[:index], *views[index + 1 :])
    match = _turned(evidence.match) if evidence.match and index == 1 else None
    return replace(evidence, views=(first, *others), match=match)


def _turned(match: Match) -> Match:
    order = np.argsort(match.second)
    return replace(
        match,
        first=match.second[order],
        second=match.first[order],
        only_first=match.only_second,
        only_second=match.only_first,
        transit=-match.transit[order],
    )


def _alone(evidence: Evidence, view: View) -> Iterator[Talk]:
    """The exchanges of a later view with frames that the first one lacks, or could not have had."""
    frames, match = view.capture.frames, evidence.match
    apart = np.ones(len(frames), np.bool_)
    lacking = np.zeros(len(frames), np.bool_)
    if match is not None and view is evidence.views[1]:
        apart[match.second] = False
        lacking[match.only_second] = True  # of a run that is on, not what is still on its way
    else:
        lacking = apart
    # connections are analysed when they are asked for, which most runs need not
    tcp = view.connections if (apart & (frames.protocol == Protocol.TCP)).any() else ()
    some: Sequence[Talk] = sorted((*tcp, *view.exchanges), key=lambda talk: int(talk.rows[0]))
    owners = {end: host.name for host in evidence.manifest.hosts for end in host.addresses}
    both = {evidence.view.host, view.host}
    for talk in some:
        is_between = {owners.get(end.address) for end in (talk.client, talk.server)} == both
        if (lacking if is_between else apart)[talk.rows].any():
            yield talk


def _ends(talk: Talk) -> Ends:
    return frozenset((talk.client, talk.server))
