"""Answers for programs."""

from __future__ import annotations

import msgspec

from lab.findings.base import Finding, Severity
from lab.report import records
from lab.report.findings_json import encode_findings
from lab.report.ladder import ladder
from lab.text import Text
from tests.handmade import CLIENT, SERVER
from tests.tour_run import tour_evidence

TOUR = tour_evidence()
FIELDS = (
    "stream protocol client server packets handshake teardown state conn_state history "
    "bytes isn rtt flags frames"
)


def test_a_connection_has_every_field_that_is_promised() -> None:
    (first, *_) = records.connections(TOUR.view)
    assert list(first) == FIELDS.split()


def test_an_exchange_has_the_fields_of_a_connection_too() -> None:
    *_, last = records.connections(TOUR.view)
    assert set(FIELDS.split()) <= set(last)


def test_the_first_greeting_as_a_record() -> None:
    (first, *_) = records.connections(TOUR.view)
    assert first == {
        "stream": 0,
        "protocol": "tcp",
        "client": {"address": CLIENT, "port": 41234},
        "server": {"address": SERVER, "port": 12345},
        "packets": 11,
        "handshake": "three-way",
        "teardown": "four segments",
        "state": {"client": "TIME-WAIT", "server": "CLOSED"},
        "conn_state": "SF",
        "history": "ShADadFf",
        "bytes": {"client": 17, "server": 25},
        "isn": {"client": 1_000_041_234, "server": 4_294_967_290},
        "rtt": 0.00007,
        "flags": {},
        "frames": {"handshake": [2, 3, 4], "teardown": [9, 10, 11, 12]},
    }


def test_a_ladder_can_be_written_as_json() -> None:
    record = msgspec.json.decode(msgspec.json.encode(records.ladder(ladder(TOUR))))
    assert record["sections"][0]["events"][5]["states"] == {"C": "SYN-SENT", "S": "SYN-RECEIVED"}


def test_findings_are_written_in_both_languages() -> None:
    look = Text("who sent it", "是谁发送的")
    found = Finding("reset", Severity.WARNING, Text("reset", "复位"), (3,), "tcp", 0, look)
    (record,) = msgspec.json.decode(encode_findings([found]))
    assert record == {
        "id": "reset",
        "severity": "warning",
        "words": {"en": "reset", "zh": "复位"},
        "next": {"en": "who sent it", "zh": "是谁发送的"},
        "frames": [3],
        "protocol": "tcp",
        "stream": 0,
    }
