"""A comparison of two runs for programs.

alike, first ({pair, row, words}; null if no step differs),
pairs: {title, alike, left and right (streams, or null), protocol,
        ports (of the two, the hosts at whose ports the streams are counted; null if there is none),
        rows: {mark, left, right: {time (ns), host, frame, sender, name, fields}, or null},
        told: {about, words}},
told: {about, words}, what is about no exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab.evidence.sightings import Sighting
from lab.report.difference.model import Difference, Pair, Told
from lab.report.difference.pairs import Contrast
from lab.report.difference.steps import Step
from lab.report.records import words
from lab.tcp.model import Connection

Record = dict[str, Any]


def difference_record(found: Difference, names: Sequence[str]) -> Record:
    """The record of a comparison; ``names``: what the two runs are called."""
    first = found.first
    return {
        "runs": list(names),
        "alike": found.alike,
        "first": first and {"pair": first.pair, "row": first.row, "words": words(first.words)},
        "pairs": [_pair(pair) for pair in found.pairs],
        "told": [_told(one) for one in found.told],
    }


def _pair(pair: Pair) -> Record:
    one = pair.left or pair.right
    assert one is not None
    return {
        "title": words(pair.title),
        "alike": pair.alike,
        "protocol": "tcp" if isinstance(one.talk, Connection) else "udp",
        "left": _stream(pair.left),
        "right": _stream(pair.right),
        "ports": [_port(pair.left), _port(pair.right)],
        "rows": [
            {"mark": str(row.mark), "left": _step(row.left), "right": _step(row.right)}
            for row in pair.rows
        ],
        "told": [_told(one) for one in pair.told],
    }


def _stream(seen: Sighting | None) -> int | None:
    return seen.talk.stream if seen else None


def _port(seen: Sighting | None) -> str | None:
    return seen.evidence.view.host if seen else None


def _step(step: Step | None) -> Record | None:
    if step is None:
        return None
    return {
        "time": step.time,
        "host": step.host,
        "frame": step.frame,
        "sender": step.sender,
        "name": step.name,
        "fields": step.fields,
    }


def _told(one: Told) -> Record:
    return {"about": str(one.about), "words": words(one.words)}


def contrast_record(one: Contrast) -> Record:
    """The record of a pair of scenarios worth comparing."""
    return {"left": one.left, "right": one.right, "words": words(one.words)}
