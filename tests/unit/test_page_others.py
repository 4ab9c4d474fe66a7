"""Hosts at neither end of a ladder: their letter stands where their arrow begins or ends."""

from __future__ import annotations

from msgspec.structs import replace

from lab import page
from lab.evidence.build import evidence
from lab.evidence.manifest import HostRecord, TapRecord
from lab.evidence.run import Evidence
from lab.packets import pcapng_writer as writer
from lab.page.build import scene
from lab.page.scene import FrameRow, frames_of
from tests.handmade import ACK, CLIENT, SERVER, SYN
from tests.pages import Element, read
from tests.tour_run import MICROSECOND, RST, START, Wire, manifest

OUTBOUND, INBOUND = 2, 1


def capture(wire: Wire, direction: int) -> bytes:
    """What the attacker's port saw of these frames, all in one direction."""
    blocks = [writer.section_header(), writer.interface_description("vethattacker")]
    blocks += [
        writer.packet_block(START + time * MICROSECOND, octets, direction)
        for time, octets, _ in wire.frames
    ]
    return b"".join(blocks)


def forged(direction: int = OUTBOUND, *, attacked: bool = True) -> Evidence:
    """A RST in the client's name, frame 4 at the server's port, which the attacker's port saw too."""
    wire, extra = Wire(), Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(100, SERVER, SYN | ACK, 499, 100)
    wire.tcp(200, CLIENT, ACK, 100, 500)
    extra.tcp(300, CLIENT, RST, 140)
    told = manifest(4)
    tap = TapRecord(
        host="attacker", file="attacker.pcapng", interface="v", frames=1, seen=1, dropped=0
    )
    host = HostRecord(name="attacker", addresses=("10.0.0.9",), exit_codes=(0,))
    files = {
        "client.pcapng": wire.pcapng(),
        "server.pcapng": Wire([*wire.frames, *extra.frames]).pcapng(shift=4 * MICROSECOND),
    }
    if attacked:
        told = replace(told, hosts=(*told.hosts, host), taps=(*told.taps, tap))
        files["attacker.pcapng"] = capture(extra, direction)
    return evidence(told, files, {})


def last(evidence: Evidence) -> FrameRow:
    return frames_of(row for act in scene(evidence).acts for row in act.rows)[-1]


def drawn(evidence: Evidence) -> Element:
    return read(page.report("forged", evidence, None))


def test_a_forged_frame_begins_at_the_host_whose_port_it_left() -> None:
    assert last(forged()).others == ("A", "")


def test_a_port_that_only_received_it_did_not_send_it() -> None:
    assert last(forged(INBOUND)).others == ("", "")


def test_without_a_capture_there_nobody_is_accused() -> None:
    assert last(forged(attacked=False)).others == ("", "")


def test_what_the_two_ends_sent_has_no_other_host() -> None:
    rows = frames_of(row for act in scene(forged()).acts for row in act.rows)
    assert {row.others for row in rows[:-1]} == {("", "")}


def test_the_letter_stands_on_the_arrow_and_in_the_legend() -> None:
    found = drawn(forged())
    assert [one.text for one in found.one("li", id="f4S").all("b", "host")] == ["A"]
    assert "A = attacker" in found.one("details", "legend").text


def test_two_hosts_need_no_letters_explained() -> None:
    assert "letters:" not in drawn(forged(attacked=False)).one("details", "legend").text
