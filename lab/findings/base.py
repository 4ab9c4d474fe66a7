"""What a finding is, and how the kinds of finding are known: each is one module of this package.

A kind offers ``find(evidence) -> Iterator[Finding]``; nothing else has to be told of it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pkgutil import iter_modules
from typing import Protocol, cast

from msgspec import Struct

import lab.findings
from lab.evidence.run import Evidence
from lab.packets.addresses import Endpoint
from lab.tcp.model import Analysis, Connection
from lab.text import Text


class Severity(StrEnum):
    """How much a finding matters, worst last; Wireshark's words."""

    NOTE = "note"  # a notable event of a healthy exchange
    WARNING = "warning"  # the exchange suffered
    ERROR = "error"  # the exchange failed, or the recording cannot be trusted


class Finding(Struct, frozen=True):
    """One thing worth knowing, and the frames that show it."""

    id: str
    severity: Severity
    words: Text
    frames: tuple[int, ...] = ()  # numbers in the first view
    protocol: str = ""  # of the stream: "tcp", "udp"
    stream: int | None = None


class Kind(Protocol):
    """What a module of this package offers."""

    def find(self, evidence: Evidence) -> Iterable[Finding]:
        """Yield what is found in the first view, in order of its frames."""


def kinds() -> Iterator[Kind]:
    """Import every kind of finding, in order of the modules' names."""
    for _, name, _ in sorted(iter_modules(lab.findings.__path__), key=lambda module: module.name):
        if name != "base":
            yield cast(Kind, importlib.import_module(f"{lab.findings.__name__}.{name}"))


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Everything found in a run, worst first, then in order of the frames."""
    found = [finding for kind in kinds() for finding in kind.find(evidence)]
    order = list(Severity)
    return tuple(sorted(found, key=lambda f: (-order.index(f.severity), f.frames[:1], f.id)))


def flagged(connection: Connection, wanted: Analysis) -> tuple[int, ...]:
    """Numbers of a connection's frames that carry any of the wanted analysis flags."""
    return tuple(sorted(number for number, flags in connection.flags.items() if flags & wanted))


def name_of(evidence: Evidence, endpoint: Endpoint) -> str:
    """The host that has an address, else the endpoint itself."""
    for host in evidence.manifest.hosts:
        if endpoint.address in host.addresses:
            return host.name
    return str(endpoint)
