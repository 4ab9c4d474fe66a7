"""Captures of other projects: the analysis says what TShark and Zeek say of them.

The corpus lies beside the repository; every difference that is left has its reason below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lab.packets.addresses import Endpoint
from lab.packets.frames import Capture
from lab.packets.reader import read_capture
from lab.tcp.connections import connections
from lab.tcp.model import Connection
from lab.tcp.segments import segments
from lab.tcp.zeek import LIKELY_SERVER_PORTS, summary

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
TSHARK, ZEEK = CORPUS / "oracle_tshark.jsonl", CORPUS / "oracle_zeek.jsonl"

pytestmark = pytest.mark.skipif(
    not TSHARK.exists(), reason="needs the foreign captures (../shared/corpus)"
)

SAMPLED = {  # (file, stream): what sFlow copied from another link is no packet of this one (RFC 3176)
    ("PcapPlusPlus/Tests/ExamplesTest/pcap_examples/tcp-reassembly.pcap", 6),
    ("tcpdump/tests/sflow_expanded.pcap", 0),
}
NOT_COMPARED = {
    # Packets of 80,000 octets, as Linux hands them to a network card (BIG TCP): no 16-bit length
    # can tell that, so it is 0, in UDP as RFC 2675 section 4 has it. The headers are whole (RFC 9293
    # section 3.1) and the frame has all the octets; TShark calls it malformed and sees no segment.
    "tcpdump/tests/bigtcp-ipv6.pcap",
    *(
        f"tcpdump/tests/bigtcp-{outer}-{tunnel}-{inner}.pcap"
        for outer in ("ipv4", "ipv6")
        for tunnel in ("geneve", "vxlan")
        for inner in ("ipv4", "ipv6")
    ),
}

DIFFERENCES = {  # (file, stream) -> (what differs, why)
    ("tcpdump/tests/of13_ericsson.pcapng", 9): (
        "packets",
        "frames 62 to 70: 6 and 3 by the segments' own ports (TShark's tcp.srcport says so, too); "
        "TShark counts 4 and 5, by the addresses of packets that OpenFlow messages quote",
    ),
}

ATTEMPT_TIMER = "unanswered for 5 s: Zeek ends the connection and begins another"
BEYOND_ZEEK = {  # (trace, the higher port) -> why the letters differ
    ("vntag_vlan_sandwich_clean.pcap", 56960): "of a lone SYN,ACK, Zeek says nothing here",
    ("tcp/retransmit-timeout.pcapng", 51889): "idle for 5 min: Zeek begins another connection",
    **{
        ("ssh/ssh.client-side-half-duplex.pcap", port): ATTEMPT_TIMER
        for port in (41164, 51880, 56594, 56875, 57189)
    },
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One file: what the lab finds and what the oracle says."""

    file: str
    found: tuple[Connection, ...]
    said: list[Any]


@cache
def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _capture(file: str) -> Capture:
    return read_capture((CORPUS / file).read_bytes(), name=file)


@cache
def _files() -> list[Compared]:
    return [
        Compared(line["file"], connections(_capture(line["file"])), _own(line))
        for line in _lines(TSHARK)
        if line["file"] not in NOT_COMPARED
    ]


def _own(line: Any) -> list[Any]:
    """The streams that TShark saw, of this link."""
    return [said for said in line["tcp"] if (line["file"], said["stream"]) not in SAMPLED]


def _streams() -> Iterator[tuple[str, Connection, Any]]:
    for compared in _files():
        yield from (
            (compared.file, found, said)
            for found, said in zip(compared.found, compared.said, strict=False)
        )


def _known(what: str) -> set[tuple[str, int]]:
    return {key for key, (kind, _) in DIFFERENCES.items() if kind == what}


def _differing(told: Mapping[tuple[str, int], tuple[object, object]]) -> set[tuple[str, int]]:
    return {key for key, (found, said) in told.items() if found != said}


def test_the_streams_are_split_as_tshark_splits_them() -> None:
    differing = {c.file for c in _files() if len(c.found) != len(c.said)}
    assert differing == set()


def test_every_file_left_out_still_differs() -> None:
    said = {line["file"]: line["tcp"] for line in _lines(TSHARK)}
    alike = {f for f in NOT_COMPARED if len(connections(_capture(f))) == len(said[f])}
    assert alike == set()


def test_a_packet_too_long_for_its_length_fields_is_read_whole() -> None:
    octets = {f: [max(one.octets) for one in connections(_capture(f))] for f in NOT_COMPARED}
    assert {f for f, most in octets.items() if len(most) != 1 or most[0] <= 65_535} == set()


def test_the_endpoints_are_tsharks() -> None:
    differing = {
        (file, said["stream"])
        for file, found, said in _streams()
        if not _are_ends(found.client, found.server, said)
        and not _are_ends(found.server, found.client, said)
    }
    assert differing == set()


def _are_ends(one: Endpoint, other: Endpoint, said: Any) -> bool:
    """TShark names the addresses of a tunnel and those inside it, in one field."""
    return (one.port, other.port) == (said["ap"], said["bp"]) and all(
        end.address in said[name].split("?") for end, name in ((one, "a"), (other, "b"))
    )


def test_as_many_packets_go_each_way() -> None:
    told = {}
    for file, found, said in _streams():
        forward = found.from_client == found.from_client[0]
        told[file, said["stream"]] = [int(forward.sum()), int((~forward).sum())], said["pk"]
    assert _differing(told) == _known("packets")


def test_completeness_is_tsharks() -> None:
    told = {
        (file, said["stream"]): (found.completeness, said["completeness"])
        for file, found, said in _streams()
    }
    assert _differing(told) == _known("completeness")


def test_every_flag_of_every_frame_is_tsharks() -> None:
    told = {
        (file, said["stream"]): (_found_flags(found), _said_flags(said))
        for file, found, said in _streams()
    }
    assert _differing(told) == _known("flags")


def _found_flags(found: Connection) -> set[tuple[int, str]]:
    return {(n, str(flag.name).lower()) for n, flags in found.flags.items() for flag in flags}


def _said_flags(said: Any) -> set[tuple[int, str]]:
    return {(n, flag) for flag, ways in said["an"].items() for way in ways for n in way}


# ---------------------------------------------------------------- Zeek


def test_conn_state_and_history_are_zeeks() -> None:
    differing = set()
    for line in _lines(ZEEK):
        if line["trace"] not in NOT_COMPARED and _is_comparable(line):
            differing |= _zeek_differences(line)
    assert differing == set(BEYOND_ZEEK)


def _is_comparable(line: Any) -> bool:
    """Checksums are judged alike, nothing is filtered out, and the letters were written."""
    alike = (line["plain"] or line["ignore_checksums"]) and "Filter" not in line["cmd"]
    return alike and all("history" in conn for conn in line["conns"])


def _zeek_differences(line: Any) -> set[tuple[str, int]]:
    said = _said_by_zeek(line)
    bare = " -b" in line["cmd"]  # without the scripts that know servers' ports
    found = _letters(line["trace"], frozenset() if bare else LIKELY_SERVER_PORTS)
    trace = line["trace"].removeprefix("zeek/testing/btest/Traces/")
    return {
        (trace, max(end.port for end in ends))
        for ends in said.keys() | found.keys()
        if said.get(ends) != found.get(ends)
    }


def _said_by_zeek(line: Any) -> dict[frozenset[Endpoint], list[tuple[str, str]]]:
    said: dict[frozenset[Endpoint], list[tuple[str, str]]] = {}
    for conn in line["conns"]:
        if conn["proto"] == "tcp":
            ends = frozenset(
                Endpoint(conn[f"id.{who}_h"], int(conn[f"id.{who}_p"])) for who in ("orig", "resp")
            )
            said.setdefault(ends, []).append((conn["conn_state"], conn["history"]))
    return said


def _letters(file: str, likely: frozenset[int]) -> dict[frozenset[Endpoint], list[tuple[str, str]]]:
    capture = _capture(file)
    letters: dict[frozenset[Endpoint], list[tuple[str, str]]] = {}
    for found in connections(capture):
        parts = segments(capture.frames, found.rows, found.from_client)
        ends = (
            (found.client, found.server) if found.from_client[0] else (found.server, found.client)
        )
        told = summary(parts, (ends[0].port, ends[1].port), likely)
        letters.setdefault(frozenset(ends), []).append(told)
    return letters
