"""BPF filters: the frames that tcpdump itself selects, and the exchanges that have one of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from lab.cli import main
from lab.cli._filter import asked
from lab.errors import BpfFaulty, TcpdumpMissing
from lab.evidence.build import alone, view
from lab.filters.bpf import program
from lab.packets.reader import read_capture
from lab.report.choice import filtered
from tests.handmade import (
    SYN,
    arp,
    ethernet,
    icmp,
    interface,
    ipv4,
    ipv6,
    packet,
    pcap,
    section,
    tcp,
    udp,
)
from tests.three_connections import traffic

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
WHERE = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
TCPDUMP = shutil.which("tcpdump", path=WHERE)

pytestmark = pytest.mark.skipif(TCPDUMP is None, reason="needs tcpdump (Debian: tcpdump)")

EXPRESSIONS = [
    "",
    "tcp port 80",
    "ip6",
    "ip6 and tcp",
    "vlan",
    "vlan 7 and tcp",
    "vlan and vlan and udp",
    "udp and not port 53",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "net 10.0.0.0/8",
    "host fd00::2 or arp",
    "len > 60",
    "ip[6:2] & 0x1fff = 0 and greater 50",
    "icmp or icmp6",
    "ip6 protochain 6",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
    "ether[0] & 1 = 1",
    "ip[0] * 2 / 3 = 46 and ip[0] % 5 = 4",
    "-ip[8] < 4294967233",
    "ip[8] ^ 3 = 67",
]
GET = b"GET / HTTP/1.1\r\n"
HOP_BY_HOP = b"\x06\x00\x01\x04\x00\x00\x00\x00"
FRAMES = [
    ethernet(ipv4(tcp(flags=SYN), 6)),
    ethernet(ipv4(tcp(GET, options=b"\1\1\1\1"), 6, options=b"\1\1\1\1")),
    ethernet(ipv4(tcp(GET), 6, fragment=0x2003)),
    ethernet(ipv4(udp(b"?"), 17)),
    ethernet(ipv4(udp(b"?", ports=(5000, 5001)), 17, source="192.168.1.1")),
    ethernet(ipv4(icmp(8, 0), 1)),
    ethernet(ipv6(tcp(GET), 6), 0x86DD),
    ethernet(ipv6(HOP_BY_HOP + tcp(GET), 0), 0x86DD),
    ethernet(ipv6(udp(b"?"), 17), 0x86DD),
    ethernet(ipv4(tcp(GET), 6), tags=(0x8100,)),
    ethernet(ipv4(udp(b"?"), 17), tags=(0x88A8, 0x8100)),
    b"\xff" * 6 + ethernet(arp(), 0x0806)[6:],
]
FILES = [
    "PcapPlusPlus/Tests/Packet++Test/PacketExamples/SllPacket.pcap",
    "PcapPlusPlus/Tests/Packet++Test/PacketExamples/Sll2Packet.pcap",
    "PcapPlusPlus/Tests/Packet++Test/PacketExamples/PPPoESession.pcap",
    "PcapPlusPlus/Tests/Pcap++Test/PcapExamples/VlanPackets.pcap",
    "PcapPlusPlus/Tests/Pcap++Test/PcapExamples/four_ipv6_http_streams.pcap",
    "PcapPlusPlus/Tests/Pcap++Test/PcapExamples/null_loopback.pcap",
    "PcapPlusPlus/Tests/Pcap++Test/PcapExamples/raw_ip.pcap",
    "chrissanders/http_espn.pcapng",
]


def selected(octets: bytes, expression: str) -> list[bytes] | None:
    """The frames that tcpdump copies; None if it does not take the expression for this file."""
    command = [str(TCPDUMP), "-r", "-", "-w", "-", "--", expression]
    ended = subprocess.run(command, input=octets, capture_output=True, check=False)
    return contents(ended.stdout) if ended.returncode == 0 else None


def passed(octets: bytes, expression: str) -> list[bytes] | None:
    """The frames that the lab lets pass; None if it does not take the expression."""
    from lab.cli._filter import _passing

    try:
        chosen = _passing(read_capture(octets), str(TCPDUMP), expression)
    except BpfFaulty:
        return None
    return [frame for frame, one in zip(contents(octets), chosen, strict=True) if one]


def contents(octets: bytes) -> list[bytes]:
    frames = read_capture(octets).frames
    ends = (frames.start + frames.captured).tolist()
    return [
        frames.octets[begin:end].tobytes()
        for begin, end in zip(frames.start.tolist(), ends, strict=True)
    ]


@pytest.mark.parametrize("cut", [None, 14, 33, 46, 60])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_frames_that_tcpdump_selects(expression: str, cut: int | None) -> None:
    octets = pcap(FRAMES, cut=cut)
    assert passed(octets, expression) == selected(octets, expression)


@pytest.mark.parametrize("file", FILES)
def test_the_frames_of_foreign_captures_that_tcpdump_selects(file: str) -> None:
    if not (CORPUS / file).exists():
        pytest.skip(f"needs the foreign captures: ../shared/corpus/{file} is missing")
    octets = (CORPUS / file).read_bytes()
    wrong = [one for one in EXPRESSIONS if passed(octets, one) != selected(octets, one)]
    assert wrong == []


def test_an_expression_selects_some_frames_and_not_others() -> None:
    octets = pcap(FRAMES)
    counts = {one: len(passed(octets, one) or ()) for one in EXPRESSIONS[1:]}
    idle = {one for one, count in counts.items() if not 0 < count < len(FRAMES)}
    assert idle == set()


@pytest.mark.parametrize("order", "<>")
def test_a_loopback_capture_of_either_byte_order(order: str) -> None:
    family = (2).to_bytes(4, "little" if order == "<" else "big")
    octets = pcap([family + ipv4(tcp(), 6), family + ipv4(udp(), 17)], order=order, link_type=0)
    assert passed(octets, "tcp") == contents(octets)[:1] == selected(octets, "tcp")


def test_interfaces_of_different_link_types_have_programs_of_their_own() -> None:
    bare, framed = ipv4(tcp(), 6), ethernet(ipv4(tcp(), 6))
    frames = packet(bare, number=1) + packet(framed) + packet(ethernet(ipv4(udp(), 17)))
    octets = section() + interface() + interface(link_type=101) + frames
    assert passed(octets, "tcp") == [bare, framed]


def test_exchanges_with_a_frame_that_passes_are_chosen() -> None:
    seen = alone(view("", "three.pcapng", traffic().pcapng()))
    question = asked("bpf: tcp[tcpflags] & tcp-rst != 0")
    assert question is not None
    assert [talk.stream for talk in filtered(seen.view, (), question(seen))] == [2]


def test_a_segment_in_fragments_passes_with_the_one_that_has_its_header() -> None:
    segment = tcp(bytes(60))
    first = ethernet(ipv4(segment[:40], 6, fragment=0x2000))
    seen = alone(view("", "two.pcap", pcap([first, ethernet(ipv4(segment[40:], 6, fragment=5))])))
    question = asked("bpf: tcp port 80")
    assert question is not None
    assert [talk.stream for talk in filtered(seen.view, (), question(seen))] == [0]


def test_what_tcpdump_refuses_is_said_in_its_words() -> None:
    seen = alone(view("", "three.pcapng", traffic().pcapng()))
    question = asked("bpf:tcp port")
    assert question is not None
    with pytest.raises(BpfFaulty) as caught:
        question(seen)
    assert "syntax error" in str(caught.value)


def test_an_expression_is_no_option_of_tcpdump(tmp_path: Path) -> None:
    seen = alone(view("", "three.pcapng", traffic().pcapng()))
    question = asked(f"bpf: -w{tmp_path / 'written'}")
    assert question is not None
    with pytest.raises(BpfFaulty):
        question(seen)
    assert [*tmp_path.iterdir()] == []


def test_without_tcpdump_the_remedy_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(TcpdumpMissing) as caught:
        asked("bpf: tcp")
    assert caught.value.remedy is not None
    assert "apt install tcpdump" in caught.value.remedy.en


@pytest.mark.parametrize("printed", ["", "x", "2\n6 0 0 0\n", "1\n6 0 0\n"])
def test_what_is_no_program_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match="no BPF program"):
        program(printed)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "three.pcapng"
    path.write_bytes(traffic().pcapng())
    return path


def lab(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], env={"LAB_LANG": "en"})


def test_explain_takes_a_bpf_filter(capture: Path) -> None:
    result = lab("explain", "--json", "--filter", "bpf: port 443", capture)
    assert [json.loads(line)["stream"] for line in result.stdout.splitlines()] == [1]


def test_export_takes_a_bpf_filter(capture: Path) -> None:
    result = lab("export", "--table", "connections", "--filter", "BPF: port 443", capture)
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.parametrize("command", [("explain",), ("export", "--table", "connections")])
def test_a_faulty_bpf_filter_exits_29(capture: Path, command: tuple[str, ...]) -> None:
    result = lab(*command, "--filter", "bpf: port 443 and and", capture)
    assert (result.exit_code, "syntax error" in result.stderr) == (29, True)


def test_a_capture_without_frames_passes_none() -> None:
    octets = pcap([])
    assert passed(octets, "tcp") == []
    assert np.array_equal(read_capture(octets).frames.start, [])
