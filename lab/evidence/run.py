"""The evidence of one run: what the wire, the programs and the kernel say, on one clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from lab.evidence.calls import Call
from lab.evidence.events import Told
from lab.evidence.kernel import Kernel
from lab.evidence.manifest import Manifest
from lab.evidence.touched import WireLog
from lab.evidence.vantage import Match
from lab.packets.frames import Capture
from lab.tcp.model import Connection
from lab.udp.model import Exchange


class View(Struct, frozen=True):
    """One capture file with its analysis."""

    host: str  # whose port it was taken at; "" for a foreign capture
    file: str  # its name
    capture: Capture
    connections: Sequence[Connection]  # of a capture: `lab.tcp.table.Connections`, made on demand
    exchanges: Sequence[Exchange]  # of a capture: `lab.udp.exchanges.Exchanges`, made on demand


class Evidence(Struct, frozen=True):
    """A run folder, read and analysed. The first view is the originator's: its numbers are shown."""

    manifest: Manifest
    views: tuple[View, ...]
    calls: Mapping[str, tuple[Call, ...]] = field(default_factory=dict)  # by host
    wire: WireLog | None = None  # what the wire did, where it did anything
    match: Match | None = None  # frames of the first view found again in the second
    kernel: Mapping[str, Kernel] = field(default_factory=dict)  # by host, where it was sampled
    events: tuple[Told, ...] = ()  # of tracepoints, in order of time, where they could be read

    @property
    def view(self) -> View:
        return self.views[0]

    def span(self, connection: Connection) -> tuple[int, int]:
        """The times of the first and the last frame of one of the first view's connections (ns)."""
        time = self.view.capture.frames.time[connection.rows]
        return int(time.min()), int(time.max())
