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
    # Samples of another link's packets are no packets of this one (sFlow, RFC 3176 section 4):
    # TShark takes their addresses, ports and directions for the datagram's own.
    "sflow_expanded.pcap",
    "sflow-print-v6.pcap",
    "tcp-reassembly.pcap",
    # A Map-Request in an Encapsulated Control Message (LISP, RFC 9301 section 5.8) is a message to
    # the control plane; TShark counts the datagram inside in place of the one that was sent.
    "ipv6.dmp",
    "ipv6.pcapng",
}
TUNNELS = {1701, 2152, 4754, 4789, 5072, 6081}
"""L2TP, GTP, GRE, VXLAN, AYIYA and Geneve over UDP: the lab counts what these datagrams carry, TShark
them, too, and in the directions that the inner addresses give."""


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


def streams(entry, name, found):
    """The same of what TShark says; what it saw only inside something else is left out.

    ``found``: the lab's, which decide between the addresses of a packet and of the one inside it.
    """
    totals = defaultdict(lambda: [0, 0])
    for stream in entry[name]:
        if stream["a"] is None or stream.get("nested"):
            continue
        for way, (source, destination) in enumerate((("a", "b"), ("b", "a"))):
            if stream["pk"][way]:
                key = innermost(stream, source, destination, found)
                totals[key][0] += stream["pk"][way]
                totals[key][1] += stream["bytes"][way]
    return totals


def innermost(stream, source, destination, found):
    """One way of a stream; of a tunnel, TShark joins the IPv4 and the IPv6 addresses of a frame."""
    ports = stream[source + "p"], stream[destination + "p"]
    pairs = zip(stream[source].split("?"), stream[destination].split("?"), strict=True)
    keys = [(a, ports[0], b, ports[1]) for a, b in pairs]
    return next((key for key in keys if key in found), keys[0])


def comparable(entry, frames):
    """TShark's own mark for fragments is on every IPv4 packet inside another, too."""
    whole = not (entry["malformed_frames"] or entry["snaplen_cut"])
    return whole and not len(frames.fragments) and not named(entry, CANNOT_COMPARE)


@pytest.mark.parametrize(("protocol", "name"), [(Protocol.TCP, "tcp"), (Protocol.UDP, "udp")])
@pytest.mark.parametrize("project", PROJECTS)
def test_endpoints_frames_and_octets_agree(project, protocol, name):
    ours, theirs = {}, {}
    for entry in said_of(project):
        if comparable(entry, frames := frames_of(entry)):
            found = conversations(frames, protocol)
            ours[entry["file"]] = outside_tunnels(found)
            theirs[entry["file"]] = outside_tunnels(streams(entry, name, found))
    assert ours == theirs


def outside_tunnels(totals):
    """Leave out what comes and goes at a tunnel's port."""
    return {key: told for key, told in totals.items() if not {key[1], key[3]} & TUNNELS}
