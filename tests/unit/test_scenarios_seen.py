"""A connection as two ports saw it together: what was lost, what was forged, who began."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from lab.evidence.build import evidence
from lab.evidence.run import Evidence
from lab.report.events import FrameEvent
from lab.report.ladder import ladder
from lab.scenarios.script import Segment
from lab.scenarios.seen import segments, side_by_side
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import MICROSECOND, RST, Wire, manifest


def opened() -> Wire:
    """Frames 1 to 3."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(100, SERVER, SYN | ACK, 499, 100)
    wire.tcp(200, CLIENT, ACK, 100, 500)
    return wire


def run(
    wire: Wire, not_at_client: Collection[int] = (), not_at_server: Collection[int] = ()
) -> Evidence:
    """Both captures, each without some of the frames (numbers in the order of the wire)."""

    def without(numbers: Collection[int]) -> Wire:
        return Wire([one for n, one in enumerate(wire.frames, 1) if n not in numbers])

    files = {
        "client.pcapng": without(not_at_client).pcapng(),
        "server.pcapng": without(not_at_server).pcapng(shift=4 * MICROSECOND),
    }
    return evidence(manifest(len(wire.frames)), files, {})


def seen(evidence: Evidence, stream: int = 0) -> tuple[Segment, ...]:
    return segments(evidence, evidence.view.connections[stream])


def told(evidence: Evidence) -> list[FrameEvent]:
    events = [event for section in ladder(evidence).sections for event in section.events]
    return [event for event in events if isinstance(event, FrameEvent)]


def test_what_both_ports_saw_is_neither_lost_nor_forged() -> None:
    assert not any(one.lost or one.forged for one in seen(run(opened())))


def test_what_only_its_senders_port_saw_is_lost() -> None:
    wire = opened()
    wire.tcp(300, CLIENT, PSH | ACK, 100, 500, b"hello")
    assert [one.lost for one in seen(run(wire, not_at_server={4}))] == [False] * 3 + [True]


def test_what_the_other_end_sent_in_vain_has_no_number_here() -> None:
    wire = opened()
    wire.tcp(300, SERVER, PSH | ACK, 500, 100, b"hello")
    last = seen(run(wire, not_at_client={4}))[-1]
    assert (last.number, last.sender, last.sequence, last.lost) == (0, "S", 1, True)


def forged(flags: int = RST) -> Evidence:
    """A segment in the client's name that the client's port never saw."""
    wire = opened()
    wire.tcp(300, CLIENT, flags, 140)
    wire.tcp(400, SERVER, ACK, 500, 100)
    return run(wire, not_at_client={4})


def test_what_only_its_receivers_port_saw_is_forged() -> None:
    (one,) = [one for one in seen(forged()) if one.forged]
    assert (one.number, one.sender, one.sequence, one.lost) == (0, "C", 41, False)


def test_a_forged_syn_keeps_its_place_in_the_connection() -> None:
    """At the server's port it seems to begin another connection."""
    (one,) = [one for one in seen(forged(SYN)) if one.forged]
    assert one.sequence == 41


def test_what_is_forged_in_the_servers_name_is_seen_at_the_clients_port() -> None:
    wire = opened()
    wire.tcp(300, SERVER, RST, 500)
    (one,) = [one for one in seen(run(wire, not_at_server={4})) if one.forged]
    assert (one.number, one.sender) == (4, "S")


def test_a_script_can_promise_what_is_forged() -> None:
    script = "C>S SYN\nS>C SYN,ACK\nC>S ACK\nC>S RST seq 41 forged\nS>C ACK"
    assert {row.mark for row in side_by_side(forged(), script, 0)} == {"="}


def test_a_forged_segment_is_another_than_one_that_was_sent() -> None:
    script = "C>S SYN\nS>C SYN,ACK\nC>S ACK\nC>S RST seq 41\nS>C ACK"
    assert "!" in {row.mark for row in side_by_side(forged(), script, 0)}


def test_the_ladder_shows_what_is_forged_by_the_number_at_the_other_port() -> None:
    (one,) = [event for event in told(forged()) if event.elsewhere]
    assert (one.label, one.source, one.sequence) == ("#4S", "C", 41)
    assert one.words[0].en == "forged: client's port never sent it"


def test_the_copy_that_never_arrived_is_found_though_the_views_differ_on_who_began() -> None:
    """A simultaneous open: each port sees its own host's SYN first. The server's answer is lost."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN, 499)
    wire.tcp(300, SERVER, SYN | ACK, 499, 100)
    at_server = Wire([wire.frames[1], wire.frames[2]])
    at_server.frames.append((20, wire.frames[0][1], True))
    at_client = Wire([wire.frames[0], (30, wire.frames[1][1], False)])
    files = {"client.pcapng": at_client.pcapng(), "server.pcapng": at_server.pcapng()}
    both = evidence(manifest(3), files, {})
    assert {one.connections[0].client.address for one in both.views} == {CLIENT, SERVER}
    last = seen(both)[-1]
    assert (last.sender, last.lost, last.sequence, last.acknowledgment) == ("S", True, 0, 1)


def test_what_goes_to_a_host_whose_port_was_not_compared_is_not_lost() -> None:
    wire = opened()
    hosts = tuple(
        replace(host, addresses=("192.0.2.9",)) if host.name == "server" else host
        for host in manifest(3).hosts
    )
    other = Wire()
    other.tcp(0, CLIENT, SYN, 7, ports=(5, 6))
    files = {"client.pcapng": wire.pcapng(), "server.pcapng": other.pcapng()}
    apart = evidence(replace(manifest(3), hosts=hosts), files, {})
    assert not any(one.lost or one.forged for one in seen(apart))
    assert not any("lost" in text.en for event in told(apart) for text in event.words)
