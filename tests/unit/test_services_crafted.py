"""Crafted segments are well formed, and stay in the lab."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.packets.checksums import checksum_errors
from lab.packets.reader import read_capture
from lab.packets.rows import frame
from services import crafted
from tests.handmade import ethernet, ipv4, pcap

ROOT = Path(__file__).resolve().parents[2]
LAB = (IPv4Network("10.77.1.0/24"), IPv4Network("127.0.0.0/8"))
ports, numbers = st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)
addresses = st.ip_addresses(v=4).map(str)
segments = st.builds(
    crafted.Segment,
    source=addresses,
    destination=addresses,
    source_port=ports,
    destination_port=ports,
    flags=st.integers(0, 0xFF),
    sequence=numbers,
    acknowledgment=numbers,
    window=ports,
    options=st.integers(0, 10).map(lambda words: b"\x01" * 4 * words),
    payload=st.binary(max_size=64),
)


@given(segments)
def test_what_was_crafted_reads_back_as_it_was(segment: crafted.Segment) -> None:
    assert crafted.parse(crafted.packet(segment)) == segment


@given(segments)
def test_the_lab_reads_it_too_and_finds_its_checksum_right(segment: crafted.Segment) -> None:
    tcp = crafted.packet(segment)[20:]
    packet = ipv4(tcp, 6, source=segment.source, destination=segment.destination)
    capture = read_capture(pcap([ethernet(packet)]), name="crafted")
    seen = frame(capture, 0)
    assert not len(checksum_errors(capture))
    assert seen.tcp is not None
    assert (seen.tcp.sequence, int(seen.tcp.flags)) == (segment.sequence, segment.flags)
    assert seen.payload == segment.payload


def test_numbers_wrap_at_the_end_of_the_sequence_space() -> None:
    segment = crafted.Segment("10.77.1.2", "10.77.1.3", 1, 2, sequence=2**32 + 5)
    assert crafted.parse(crafted.packet(segment)).sequence == 5


@pytest.mark.parametrize("address", ["203.0.113.9", "10.77.2.2", "224.0.0.1", "255.255.255.255"])
def test_a_destination_outside_the_lab_is_refused(address: str) -> None:
    with pytest.raises(crafted.OutsideTheLab, match=f"^{re.escape(address)} is outside .*10.77.1"):
        crafted.refuse_outside(address, LAB)


def test_the_refusal_is_worded_in_chinese_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_LANG", "zh")
    with pytest.raises(crafted.OutsideTheLab, match="实验室"):
        crafted.refuse_outside("203.0.113.9", LAB)


@pytest.mark.parametrize("address", ["10.77.1.3", "127.0.0.1"])
def test_a_destination_in_a_network_of_this_host_is_not(address: str) -> None:
    crafted.refuse_outside(address, LAB)


def test_no_other_program_of_the_lab_writes_its_own_ip_headers() -> None:
    sources = [*(ROOT / "services").rglob("*.py"), *(ROOT / "lab" / "scenarios").glob("*.py")]
    found = [path.name for path in sources if re.search("IP_HDRINCL|IPPROTO_RAW", path.read_text())]
    assert found == ["crafted.py"]
