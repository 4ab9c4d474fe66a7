"""Octets in, evidence out: read the captures, analyse them, match them frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from mmap import mmap
from types import MappingProxyType

import numpy as np

from lab.evidence.calls import decode_calls
from lab.evidence.events import decode_events
from lab.evidence.kernel import decode_kernel
from lab.evidence.manifest import Manifest
from lab.evidence.run import Evidence, View
from lab.evidence.touched import WireLog, decode_touched
from lab.evidence.vantage import Match, between_hosts, match_views
from lab.packets.each import Each, one_by_one
from lab.packets.frames import Frames
from lab.packets.kinds import Protocol
from lab.packets.pairs import ends
from lab.packets.reader import read_capture
from lab.tcp.connections import connections
from lab.tcp.model import Connection
from lab.udp.exchanges import exchanges
from lab.udp.model import Exchange

Octets = bytes | memoryview | mmap
FOR_EVER = (1 << 63) - 1


def view(host: str, file: str, octets: Octets, each: Each = one_by_one) -> View:
    """Read and analyse one capture file; raises NotACapture, naming ``file``.

    ``each``: see `lab.packets.each`.
    """
    capture = read_capture(octets, name=file, each=each)
    return View(host, file, capture, connections(capture, each), exchanges(capture))


def talks(view: View) -> list[Connection | Exchange]:
    """All exchanges of a capture, in order of their first frame."""
    both: list[Connection | Exchange] = [*view.connections, *view.exchanges]
    return sorted(both, key=lambda talk: int(talk.rows[0]))


def alone(view: View) -> Evidence:
    """The evidence that a single capture file gives: no run, no calls, nothing to match."""
    return Evidence(Manifest(scenario="", engine="", started=0), (view,))


def evidence(
    manifest: Manifest,
    files: Mapping[str, Octets],
    calls: Mapping[str, bytes],
    wire: bytes | None = None,
    states: Mapping[str, bytes] = MappingProxyType({}),
    events: bytes = b"",
) -> Evidence:
    """Put a run together.

    Args:
        manifest: run.json.
        files: capture files by name, of the taps that the manifest names; one may be missing.
        calls: call logs by host.
        wire: wire.jsonl, if there is one.
        states: what each kernel said of its sockets, by host.
        events: kernel.jsonl, what tracepoints told.
    """
    views = [
        view(tap.host, tap.file, files[tap.file]) for tap in manifest.taps if tap.file in files
    ]
    originator = _originator(manifest, views)
    views.sort(key=lambda one: one.host != originator)
    logs = {host: decode_calls(octets) for host, octets in calls.items()}
    wire_log = decode_touched(wire) if wire is not None else None
    match = _match(manifest, views, wire_log or WireLog()) if len(views) > 1 else None
    kernel = {host: decode_kernel(octets) for host, octets in states.items()}
    told = decode_events(events)
    return Evidence(manifest, tuple(views), logs, wire_log, match, kernel, told)


def _match(manifest: Manifest, views: list[View], wire: WireLog) -> Match:
    """Match two captures frame by frame, as far as both could have seen a frame."""
    first, second = (one.capture for one in views[:2])
    links = {host.mac for host in manifest.hosts if host.mac}
    since = max(tap.started for tap in manifest.taps)
    until = min(tap.ended or FOR_EVER for tap in manifest.taps)
    match = match_views(first, second, wire.touched)
    return between_hosts(match, first, second, links, since, until)


def _originator(manifest: Manifest, views: list[View]) -> str:
    """The host that sent the first SYN or datagram that any tap saw."""
    hosts = {address: host.name for host in manifest.hosts for address in host.addresses}
    started = [found for one in views if (found := _first_sender(one.capture.frames, hosts))]
    return min(started, default=(0, ""))[1]


def _first_sender(frames: Frames, hosts: Mapping[str, str]) -> tuple[int, str] | None:
    """When the first TCP segment or datagram came, and from which host."""
    rows = np.flatnonzero((frames.protocol == Protocol.TCP) | (frames.protocol == Protocol.UDP))
    if not len(rows):
        return None
    row = int(rows[np.argmin(frames.time[rows])])
    return int(frames.time[row]), hosts.get(ends(frames, row)[0].address, "")
