"""Foreign captures, and what an independent reader (TShark 4.6) says of each."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from lab.packets.addresses import address_text
from lab.packets.frames import Protocol
from lab.packets.reader import read_capture

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
PROJECTS = [
    "PcapPlusPlus",
    "chrissanders",
    "dpkt",
    "gopacket",
    "pcapng-test-generator",
    "scapy",
    "tcpdump",
    "zeek",
]

COUNTS_CUSTOM_BLOCKS = ("test017.pcapng", "test018.pcapng", "test102.pcapng", "test202.pcapng")
"""TShark numbers custom blocks as if they were frames; the lab skips them."""

CANNOT_COMPARE = {
    # TShark also counts the datagrams around the segments, and joins the addresses of both
    "Ftp.pcap",
    "IPv4-encapsulated-IPv6.pcap",
    "ayiya3.pcap",
    *(
        f"gso-{outer}-{tunnel}-{inner}.pcap"
        for outer in ("ipv4", "ipv6")
        for tunnel in ("geneve", "vxlan")
        for inner in ("ipv4", "ipv6")
    ),
}


def said_of(project):
    oracle = CORPUS / "oracle_tshark.jsonl"
    if not oracle.exists():
        pytest.skip("needs the foreign captures: ../shared/corpus/oracle_tshark.jsonl is missing")
    entries = map(json.loads, oracle.read_text().splitlines())
    return [entry for entry in entries if entry["file"].startswith(project + "/")]


def frames_of(entry):
    return read_capture((CORPUS / entry["file"]).read_bytes()).frames


def named(entry, names):
    return entry["file"].rsplit("/", 1)[1] in names


@pytest.mark.parametrize("project", PROJECTS)
def test_every_frame_is_found(project):
    """TShark refuses files of link types that it does not know: there its count says nothing."""
    refused = "contains record data that TShark doesn't support"
    entries = [
        entry
        for entry in said_of(project)
        if not named(entry, COUNTS_CUSTOM_BLOCKS)
        and not any("network type" in line for line in entry["err"] if refused in entry["err"][0])
    ]
    found = {entry["file"]: len(frames_of(entry)) for entry in entries}
    assert found == {entry["file"]: entry["packets"] for entry in entries}


def conversations(frames, protocol):
    """Frames and octets of payload by (address, port, address, port), each way its own."""
    totals = defaultdict(lambda: [0, 0])
    for i in (frames.protocol == protocol).nonzero()[0]:
        source, destination = (
            address_text(*map(int, column[i])) for column in (frames.source, frames.destination)
        )
        key = (source, int(frames.source_port[i]), destination, int(frames.destination_port[i]))
        totals[key][0] += 1
        totals[key][1] += int(frames.payload_length[i])
    return totals


def streams(entry, name):
    """The same of what TShark says; what it saw only inside something else is left out."""
    totals = defaultdict(lambda: [0, 0])
    for stream in entry[name]:
        if stream["a"] is None or stream.get("nested"):
            continue
        ends = [(stream["a"], stream["ap"]), (stream["b"], stream["bp"])]
        for way, (source, destination) in enumerate((ends, ends[::-1])):
            if stream["pk"][way]:
                totals[(*source, *destination)][0] += stream["pk"][way]
                totals[(*source, *destination)][1] += stream["bytes"][way]
    return totals


def comparable(entry):
    plain = not (entry["malformed_frames"] or entry["fragments"] or entry["snaplen_cut"])
    return plain and not named(entry, CANNOT_COMPARE)


@pytest.mark.parametrize(("protocol", "name"), [(Protocol.TCP, "tcp"), (Protocol.UDP, "udp")])
@pytest.mark.parametrize("project", PROJECTS)
def test_endpoints_frames_and_octets_agree(project, protocol, name):
    entries = [entry for entry in said_of(project) if comparable(entry)]
    ours = {entry["file"]: conversations(frames_of(entry), protocol) for entry in entries}
    assert ours == {entry["file"]: streams(entry, name) for entry in entries}
