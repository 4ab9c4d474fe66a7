"""Runs in which one number was changed: what a claim cites, changed, must make it fail.

Of a frame one octet of its headers is changed, or its time; of a call, a sample, a counter or a
sysctl one value. Where a whole capture is cited, for what is not in it, a frame of it is made into
what could be missing, or one is put in.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.build import evidence, view
from lab.evidence.manifest import Manifest, decode_manifest
from lab.evidence.run import Evidence
from lab.packets.frames import ABSENT, Protocol
from lab.questions.base import Cite, Source
from tests import handmade

Line: TypeAlias = dict[str, Any]

SECOND = 10**9
TIMES = (SECOND, -SECOND, 60 * SECOND, 30_000_000, -30_000_000)  # ns by which a frame is moved
FLAGS = 13  # where the control bits are in a TCP header
FIRST = (7, 11, FLAGS, 15, 4, 8, 14)  # octets of a TCP header that proofs are mostly about
HEADERS = 120  # octets of a frame, at most, that are changed
MANY = 40  # frames of a whole capture that are changed
CONTROL = (
    0x02,
    0x12,
    0x10,
    0x18,
    0x04,
    0x14,
    0x11,
)  # SYN; SYN,ACK; ACK; PSH,ACK; RST; RST,ACK; FIN,ACK


class Files(Struct, frozen=True):
    """A run folder, as octets."""

    manifest: Manifest
    captures: Mapping[str, bytes]  # by file
    calls: Mapping[str, bytes]  # by host
    states: Mapping[str, bytes]  # by host
    wire: bytes | None
    events: bytes

    def evidence(self) -> Evidence:
        return evidence(
            self.manifest, self.captures, self.calls, self.wire, self.states, self.events
        )


def read_files(folder: Path) -> Files:
    manifest = decode_manifest((folder / "run.json").read_bytes())
    wire, events = folder / "wire.jsonl", folder / "kernel.jsonl"
    return Files(
        manifest,
        {tap.file: (folder / tap.file).read_bytes() for tap in manifest.taps},
        _logs(folder, ".calls.jsonl"),
        _logs(folder, ".states.jsonl"),
        wire.read_bytes() if wire.exists() else None,
        events.read_bytes() if events.exists() else b"",
    )


def _logs(folder: Path, ending: str) -> dict[str, bytes]:
    return {path.name.removesuffix(ending): path.read_bytes() for path in folder.glob(f"*{ending}")}


def mutants(files: Files, cite: Cite) -> Iterator[Files]:
    """The run with one number of the cited piece changed, the likeliest change first."""
    match cite.source:
        case Source.FRAME:
            yield from _frames(files, cite.host, int(cite.where[0]))
        case Source.CAPTURE:
            yield from _captures(files, cite.host)
        case Source.CALL:
            yield from _calls(files, cite.host, int(cite.where[0]))
        case Source.SOCKET:
            yield from _samples(files, cite.host, int(cite.where[0]), int(cite.where[1]))
        case Source.COUNTER | Source.SYSCTL:
            yield from _values(files, cite.host, cite.source, str(cite.where[0]))


# ---------------------------------------------------------------- frames


def _frames(files: Files, host: str, number: int) -> Iterator[Files]:
    name = _file_of(files, host)
    octets = files.captures[name]
    frames = view(host, name, octets).capture.frames
    row = number - 1
    start, transport = int(frames.start[row]), int(frames.transport[row])
    for late in TIMES:
        if late > 0:
            yield _with(files, name, _moved(octets, start, int(frames.time[row]) + late))
    first = [transport + at for at in FIRST] if frames.protocol[row] == Protocol.TCP else []
    end = start + min(int(frames.captured[row]), HEADERS)
    for at in [*first, *range(start, end)]:
        for change in (1, 0x10) if at == transport + FLAGS else (1,):
            yield _with(files, name, _changed(octets, at, octets[at] ^ change))
    for late in TIMES:
        if late < 0:
            yield _with(files, name, _moved(octets, start, int(frames.time[row]) + late))


def _captures(files: Files, host: str) -> Iterator[Files]:
    """Frames turned into others, and one put in where there is none like it."""
    name = _file_of(files, host)
    octets = files.captures[name]
    frames = view(host, name, octets).capture.frames
    for row in range(min(len(frames), MANY)):
        at = int(frames.transport[row])
        if frames.protocol[row] == Protocol.TCP and at != ABSENT:
            for control in CONTROL:
                if octets[at + FLAGS] != control:
                    yield _with(files, name, _changed(octets, at + FLAGS, control))
    for block in _others(files, host):
        yield _with(files, name, octets + block)
    for row in range(min(len(frames), MANY)):
        yield from _frames(files, host, row + 1)


def _others(files: Files, host: str) -> Iterator[bytes]:
    """Frames to be put in: answers to those that are there, and others between the same hosts."""
    name = _file_of(files, host)
    frames = view(host, name, files.captures[name]).capture.frames
    for row in range(min(len(frames), MANY)):
        begin, end = int(frames.start[row]), int(frames.start[row] + frames.captured[row])
        network, transport = int(frames.network[row]) - begin, int(frames.transport[row]) - begin
        if frames.protocol[row] == Protocol.TCP and frames.ip_version[row] == 4:
            frame = bytearray(files.captures[name][begin:end])
            for control in CONTROL:
                frame[transport + FLAGS] = control
                yield handmade.packet(bytes(frame), int(frames.time[row]) + 1)
                yield handmade.packet(_turned(frame, network, transport), int(frames.time[row]) + 1)
    hosts = {one.name: one for one in files.manifest.hosts}
    here = hosts[host].addresses[0]
    there = next(one.addresses[0] for other, one in hosts.items() if other != host)
    middle = (files.manifest.started + files.manifest.ended) // 2
    for ends in ((here, there), (there, here)):
        for number, segment in ((6, handmade.tcp(b"x", handmade.SYN)), (17, handmade.udp(b"x"))):
            packet = handmade.ipv4(segment, number, source=ends[0], destination=ends[1])
            yield handmade.packet(handmade.ethernet(packet), middle)


def _turned(frame: bytearray, network: int, transport: int) -> bytes:
    """A frame as if the other end had sent it: addresses and ports change places."""
    turned = bytearray(frame)
    for at, size in ((network + 12, 4), (transport, 2)):
        turned[at : at + size], turned[at + size : at + 2 * size] = (
            frame[at + size : at + 2 * size],
            frame[at : at + size],
        )
    return bytes(turned)


def _file_of(files: Files, host: str) -> str:
    return next(tap.file for tap in files.manifest.taps if tap.host == host)


def _with(files: Files, name: str, octets: bytes) -> Files:
    return replace(files, captures={**files.captures, name: octets})


def _changed(octets: bytes, at: int, value: int) -> bytes:
    return octets[:at] + bytes((value & 0xFF,)) + octets[at + 1 :]


def _moved(octets: bytes, start: int, time: int) -> bytes:
    """An enhanced packet block with another time (ns, as the lab writes them)."""
    order = "<" if octets[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    stamp = struct.pack(f"{order}II", time >> 32, time & 0xFFFFFFFF)
    return octets[: start - 16] + stamp + octets[start - 8 :]


# ---------------------------------------------------------------- logs


def _calls(files: Files, host: str, index: int) -> Iterator[Files]:
    lines = [json.loads(line) for line in files.calls[host].splitlines()]
    line = sorted(lines, key=lambda one: one["before"])[index]
    for changed in _other_calls(line):
        told = [changed if one is line else one for one in lines]
        yield replace(files, calls={**files.calls, host: _encode(told)})
    without = [one for one in lines if one is not line]
    yield replace(files, calls={**files.calls, host: _encode(without)})


def _other_calls(line: Line) -> Iterator[Line]:
    error = line.get("error", "")
    yield {**line, "error": "" if error else "EIO"}
    for key in ("result", "octets"):
        if isinstance(line.get(key), int):
            yield {**line, key: line[key] + 1}
            yield {**line, key: 0}
    for late in (SECOND, 60 * SECOND):
        yield {**line, "after": line["after"] + late}
        yield {**line, "before": line["before"] - late}
        yield {**line, "after": line["after"] + late, "before": line["before"] + late}
        yield {**line, "after": line["after"] - late, "before": line["before"] - late}
    yield {**line, "after": line["before"]}
    if line.get("data"):
        yield {**line, "data": "ff" + line["data"][2:]}
    for key in ("peer", "local", "result"):
        if isinstance(line.get(key), list):
            yield {**line, key: ["192.0.2.1", 9]}
    for position, one in enumerate(line.get("arguments", ())):
        arguments = list(line["arguments"])
        arguments[position] = one + 1 if isinstance(one, int) else "other"
        yield {**line, "arguments": arguments}


def _samples(files: Files, host: str, socket: int, index: int) -> Iterator[Files]:
    lines = [json.loads(line) for line in files.states[host].splitlines()]
    own = [line for line in lines if line.get("socket") == socket]
    line = own[min(index, len(own) - 1)]
    for changed in _other_samples(line):
        told = [changed if one is line else one for one in lines]
        yield replace(files, states={**files.states, host: _encode(told)})
    without = [one for one in lines if one is not line]
    yield replace(files, states={**files.states, host: _encode(without)})
    without = [one for one in lines if one.get("socket") != socket]
    yield replace(files, states={**files.states, host: _encode(without)})


def _other_samples(line: Line) -> Iterator[Line]:
    for state in ("CLOSED", "LISTEN", "ESTABLISHED"):
        if line["state"] != state:
            yield {**line, "state": state}
    if line.get("timer"):
        yield {**line, "timer": ""}
        yield {**line, "expires": line.get("expires", 0) + 100_000}
        yield {**line, "expires": 1}
    for key, value in line.get("numbers", {}).items():
        for other in (value + 1, 0, value * 2 + 10):
            yield {**line, "numbers": {**line["numbers"], key: other}}
    for late in TIMES:
        times = ("time", "before", "since")
        yield {**line, **{key: line[key] + late for key in times if line.get(key)}}


def _values(files: Files, host: str, source: Source, name: str) -> Iterator[Files]:
    event = "counters" if source is Source.COUNTER else "sysctls"
    lines = [json.loads(line) for line in files.states[host].splitlines()]
    line = [one for one in lines if one["event"] == event][-1]
    value = line["values"].get(name, 0)
    others = (value + 1, 0, 1000) if event == "counters" else ("0", "1", "77777")
    for other in others:
        if other == value:
            continue
        changed = {**line, "values": {**line["values"], name: other}}
        told = [changed if one is line else one for one in lines]
        yield replace(files, states={**files.states, host: _encode(told)})


def _encode(lines: list[Line]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
