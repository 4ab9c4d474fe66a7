"""What a finding is, and how the kinds of finding are known: each is one module.

A module of this package offers ``find(evidence)``, and ``sample(evidence)`` too if looking at all takes
long. One of `lab.findings.tcp` offers ``examine(talk)`` if it looks at one connection at a time,
``survey(evidence, suspects)`` if it looks at them together; it is shown only connections in which
there may be something to find (`lab.evidence.suspects`), and not even imported if there are none.
Each yields findings; nothing else has to be told of it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

import lab.findings
import lab.findings.tcp
from lab.evidence.run import Evidence
from lab.evidence.suspects import Suspects, suspects
from lab.packets.addresses import Endpoint
from lab.packets.each import Each, one_by_one
from lab.packets.pages import release_if_large
from lab.packets.scratch import scratch_of
from lab.tcp.model import Analysis, Connection
from lab.text import Text
from lab.udp.model import Exchange

if TYPE_CHECKING:  # a healthy run has no use for it
    from lab.evidence.talk import Talk
    from lab.tcp.answers import Answers


NOT_ALL = "not_all"
"""The id of the finding that says what was left out: how to read all the others."""


class Severity(StrEnum):
    """How much a finding matters, worst last; Wireshark's words."""

    NOTE = "note"  # a notable event of a healthy exchange
    WARNING = "warning"  # the exchange suffered
    ERROR = "error"  # the exchange failed, or the recording cannot be trusted


class Finding(Struct, frozen=True):
    """One thing worth knowing, and the frames that show it."""

    id: str
    severity: Severity
    words: Text  # what happened and why, as far as the evidence goes
    frames: tuple[int, ...] = ()  # numbers in the first view
    protocol: str = ""  # of the stream: "tcp", "udp"
    stream: int | None = None
    next: Text | None = None  # what to look at now


class Kind(Protocol):
    """What a module of this package offers that looks at everything.

    It may have a ``sample``, too, which is asked where a sample of very many frames has to be enough;
    and ``TAKES_LONG``, if it reads the octets of many frames: then it is begun before others.
    """

    def find(self, evidence: Evidence) -> Iterable[Finding]:
        """Yield what is found in the first view, in order of its frames."""


class SurveyKind(Protocol):
    """What a module of this package offers that looks at connections together."""

    def survey(self, evidence: Evidence, suspects: Suspects) -> Iterable[Finding]:
        """Yield what is found in the first view's connections: of many together, all that are not
        plain; of one by one, those that are looked at closely."""


class ConnectionKind(Protocol):
    """What a module of this package offers that looks at one connection at a time."""

    def examine(self, talk: Talk) -> Iterable[Finding]:
        """Yield what is found in one of the first view's connections."""


AnyKind = Kind | SurveyKind | ConnectionKind


def kinds(package: ModuleType) -> Iterator[AnyKind]:
    """Import every kind of finding of a package, in order of the modules' names."""
    for _, name, is_package in sorted(iter_modules(package.__path__), key=lambda one: one.name):
        if name != "base" and not is_package:
            yield cast(AnyKind, importlib.import_module(f"{package.__name__}.{name}"))


def findings(
    evidence: Evidence,
    *,
    at_most: int | None = None,
    only: NDArray[np.int64] | None = None,
    each: Each = one_by_one,
) -> tuple[Finding, ...]:
    """What is found in a run, worst first, then in order of the frames.

    Args:
        evidence: the run, or a capture file alone.
        at_most: of more connections than this only the worst are looked at one by one, and where
            there are very many frames a sample; the findings say so, the first of them if
            connections were left out. None: everything is looked at.
        only: numbers of the connections to look at one by one; None: any.
        each: see `lab.packets.each`; a capture that is held in parts is gone through by one alone.
    """
    frames = evidence.view.capture.frames

    def of(kind: AnyKind | None) -> list[Finding]:
        if kind is None:
            return [*_of_connections(evidence, at_most, only)]
        found = [*_of_kind(kind, evidence, at_most)]
        release_if_large(frames.octets, frames=len(frames))
        return found

    len(evidence.view.connections)  # analysed once, before several ask for them
    looks = each if scratch_of(frames.octets) is None else one_by_one
    in_turn = sorted(kinds(lab.findings), key=lambda kind: not hasattr(kind, "TAKES_LONG"))
    found = [one for some in looks(of, [None, *in_turn]) for one in some]
    order = list(Severity)
    found.sort(key=lambda f: (-order.index(f.severity), f.frames[:1], f.id))
    return tuple(sorted(found, key=lambda f: f.id != NOT_ALL))


def _of_kind(kind: AnyKind, evidence: Evidence, at_most: int | None) -> Iterable[Finding]:
    find = cast(Kind, kind).find
    return find(evidence) if at_most is None else getattr(kind, "sample", find)(evidence)


def _of_connections(
    evidence: Evidence, at_most: int | None, only: NDArray[np.int64] | None
) -> Iterator[Finding]:
    found = suspects(evidence.view, at_most, only)
    if not len(found.numbers):
        return
    from lab.evidence.talk import Case, Talk

    every = tuple(kinds(lab.findings.tcp))
    for kind in every:
        if hasattr(kind, "survey"):
            yield from cast(SurveyKind, kind).survey(evidence, found)
    case, close = Case(evidence), [kind for kind in every if hasattr(kind, "examine")]
    for talk in (Talk(case, connection) for connection in found.closely):
        for kind in close:
            yield from cast(ConnectionKind, kind).examine(talk)


def of_talk(
    talk: Talk | Connection | Exchange,
    kind: str,
    severity: Severity,
    words: Text,
    frames: Iterable[int],
    then: Text,
) -> Finding:
    """A finding about one connection or exchange of the first view."""
    protocol = "udp" if isinstance(talk, Exchange) else "tcp"
    stream = talk.stream
    return Finding(kind, severity, words, tuple(frames), protocol, stream, then)


def of_answers(some: Answers, kind: str, severity: Severity, words: Text, then: Text) -> Finding:
    """A finding about what SYNs asked and SYN,ACKs answered, shown by these frames."""
    frames = tuple(sorted((np.concatenate([some.syn, some.answer]) + 1).tolist()))
    alone = int(some.stream[0]) if len(some) == 1 else None
    return Finding(kind, severity, words, frames, "" if alone is None else "tcp", alone, then)


def flagged(connection: Connection, wanted: Analysis) -> tuple[int, ...]:
    """Numbers of a connection's frames that carry any of the wanted analysis flags."""
    return tuple(sorted(number for number, flags in connection.flags.items() if flags & wanted))


def name_of(evidence: Evidence, endpoint: Endpoint) -> str:
    """The host that has an address, else the endpoint itself."""
    for host in evidence.manifest.hosts:
        if endpoint.address in host.addresses:
            return host.name
    return str(endpoint)


def counted(count: int, one: str, zh: str) -> Text:
    """Write how many: ``counted(2, "frame", "帧")``; the plural ends in s."""
    return Text(f"{count:,} {one}" + ("" if count == 1 else "s"), f"{count:,} {zh}")


def times(count: int) -> Text:
    """Write how often."""
    return Text({1: "once", 2: "twice"}.get(count, f"{count:,} times"), f"{count:,} 次")
