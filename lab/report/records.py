"""The lab's answers for programs: plain values that JSON can hold, with the fields documented here.

A connection or exchange:
    stream, protocol ("tcp", "udp"), client and server ({address, port}), packets,
    handshake, teardown, state ({client, server}, final), conn_state, history (Zeek's letters),
    bytes, isn ({client, server}), rtt (seconds, of the handshake; null if not seen),
    flags (a count for each analysis flag), frames ({handshake, teardown}: frame numbers).
Of UDP, what it does not have is null or empty; ``errors`` gives the ICMP errors that answered it.
`lab explain` adds ``file`` and ``findings`` (id, severity, words and next in both languages, frames).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import asdict

from lab.evidence.run import Evidence, View
from lab.filters.talks import Talk, protocol
from lab.findings.base import Finding
from lab.packets.addresses import Endpoint
from lab.report.events import CallEvent, Event, FrameEvent, GapEvent, Ladder
from lab.report.verdict import Verdict
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange

Record = dict[str, Any]
Owned = Mapping[tuple[str, int | None], tuple[Finding, ...]]
"""Findings by protocol and stream."""


def connections(view: View) -> Iterable[Record]:
    """One record a TCP connection, then one a UDP exchange, each in order of the streams."""
    yield from (connection(one) for one in view.connections)
    yield from (exchange(one) for one in view.exchanges)


def connection(one: Connection) -> Record:
    """The record of a TCP connection."""
    return {
        "stream": one.stream,
        "protocol": "tcp",
        "client": endpoint(one.client),
        "server": endpoint(one.server),
        "packets": len(one.rows),
        "handshake": str(one.handshake),
        "teardown": str(one.teardown),
        "state": both((str(one.states[0]), str(one.states[1]))),
        "conn_state": one.conn_state,
        "history": one.history,
        "bytes": both(one.octets),
        "isn": both(one.isn),
        "rtt": None if one.rtt is None else one.rtt / 1e9,
        "flags": one.flag_counts(),
        "frames": {"handshake": list(one.handshake_frames), "teardown": list(one.teardown_frames)},
    }


def exchange(one: Exchange) -> Record:
    """The record of a UDP exchange: the fields of a connection, as far as it has them."""
    return {
        "stream": one.stream,
        "protocol": "udp",
        "client": endpoint(one.client),
        "server": endpoint(one.server),
        "packets": len(one.rows),
        "handshake": None,
        "teardown": None,
        "state": both((None, None)),
        "conn_state": one.conn_state,
        "history": "",
        "bytes": both(one.octets),
        "isn": both((None, None)),
        "rtt": None,
        "flags": {},
        "frames": {"handshake": [], "teardown": []},
        "datagrams": both(one.datagrams),
        "errors": [{"error": error, "answers": cause} for error, cause in one.errors],
    }


def with_findings(talk: Talk, view: View, owned: Owned) -> Record:
    """A connection or exchange as `lab explain --json` gives it: its file, and its findings."""
    own = connection(talk) if isinstance(talk, Connection) else exchange(talk)
    found = owned.get((protocol(talk), talk.stream), ())
    return {"file": view.file, **own, "findings": [finding(one) for one in found]}


def in_full(evidence: Evidence, talk: Talk, owned: Owned) -> Record:
    """One connection or exchange with its ladder, every frame of it."""
    from lab.report.choice import ladder_of  # needs the filters, which others can do without

    drawn = ladder_of(evidence, talk, everything=True)
    return with_findings(talk, evidence.view, owned) | {"ladder": ladder(drawn)["sections"][0]}


def endpoint(end: Endpoint) -> Record:
    return {"address": end.address, "port": end.port}


def both(pair: tuple[object, object]) -> Record:
    return {"client": pair[0], "server": pair[1]}


def words(text: Text) -> Record:
    return {"en": text.en, "zh": text.zh}


def finding(one: Finding) -> Record:
    """The record of a finding; the same in findings.json."""
    return {
        "id": one.id,
        "severity": str(one.severity),
        "words": words(one.words),
        "next": words(one.next) if one.next else None,
        "frames": list(one.frames),
        "protocol": one.protocol or None,
        "stream": one.stream,
    }


def verdict(one: Verdict) -> Record:
    """The record of a verdict."""
    rows = [
        {
            "id": row.id,
            "kept": row.kept,
            "promise": words(row.promise),
            "seen": words(row.seen),
            "frames": list(row.frames),
        }
        for row in one.rows
    ]
    return {
        "scenario": one.scenario,
        "kept": one.kept,
        "unavailable": words(one.unavailable) if one.unavailable else None,
        "dropped": one.dropped,
        "promises": rows,
    }


KINDS = {FrameEvent: "frame", CallEvent: "call", GapEvent: "gap"}


def event(one: Event) -> Record:
    """The record of one line of a ladder; absolute times in ns, payloads in hex."""
    record: Record = {"kind": KINDS[type(one)]}
    record |= asdict(one)
    if isinstance(one, FrameEvent):
        record["words"] = [words(text) for text in one.words]
        record["payload"] = one.payload.hex()
        record["states"] = {letter: str(state) for letter, state in one.states}
    return record


def ladder(one: Ladder) -> Record:
    """The record of a ladder."""
    sections = [
        {
            "protocol": section.protocol,
            "stream": section.stream,
            "elsewhere": section.elsewhere,
            "title": words(section.title),
            "summary": [words(text) for text in section.summary],
            "start": section.start,
            "events": [event(item) for item in section.events],
        }
        for section in one.sections
    ]
    return {"sections": sections, "background": dict(one.background), "hidden": one.hidden}
