"""Datagrams that never reached the first port: drawn in the ladder, as the other port saw them."""

from __future__ import annotations

from collections.abc import Collection

from lab.evidence.build import evidence
from lab.evidence.run import Evidence
from lab.page.build import scene
from lab.page.scene import FrameRow, frames_of
from lab.report.events import FrameEvent
from lab.report.ladder import ladder
from tests.handmade import CLIENT, SERVER
from tests.tour_run import MICROSECOND, Wire, manifest


def run(
    wire: Wire, not_at_client: Collection[int] = (), not_at_server: Collection[int] = ()
) -> Evidence:
    """Both captures, each without some of the frames (numbers in the order of the wire)."""

    def without(numbers: Collection[int]) -> Wire:
        return Wire([one for n, one in enumerate(wire.frames, 1) if n not in numbers])

    captures = {
        "client.pcapng": without(not_at_client).pcapng(),
        "server.pcapng": without(not_at_server).pcapng(shift=4 * MICROSECOND),
    }
    return evidence(manifest(len(wire.frames)), captures, {})


def asked() -> Wire:
    """A request and its answer, frames 1 and 2, then another request."""
    wire = Wire()
    wire.udp(0, CLIENT, b"time?")
    wire.udp(100, SERVER, b"noon")
    wire.udp(300, CLIENT, b"thanks")
    return wire


def told(evidence: Evidence) -> list[FrameEvent]:
    events = [event for section in ladder(evidence).sections for event in section.events]
    return [event for event in events if isinstance(event, FrameEvent)]


def drawn(evidence: Evidence) -> list[FrameRow]:
    return frames_of(row for act in scene(evidence).acts for row in act.rows)


def test_an_answer_that_was_lost_is_drawn_by_its_number_at_the_other_port() -> None:
    one = told(run(asked(), not_at_client={2}))[1]
    assert (one.label, one.source, one.target, one.payload) == ("#2S", "S", "C", b"noon")
    assert one.words[0].en == "✗ lost between the ports"


def test_it_stands_where_it_was_sent_in_time() -> None:
    assert [one.label for one in told(run(asked(), not_at_client={2}))] == ["#1", "#2S", "#2"]


def test_on_the_page_it_ends_in_a_cross() -> None:
    one = drawn(run(asked(), not_at_client={2}))[1]
    assert (one.key, one.arrow.lost, one.arrow.rightward) == ("f2S", True, False)


def test_a_datagram_in_the_clients_name_is_forged() -> None:
    (one,) = [one for one in told(run(asked(), not_at_client={3})) if one.elsewhere]
    assert one.source == "C"
    assert one.words[0].en == "forged: client's port never sent it"


def test_an_icmp_error_that_was_lost_is_drawn() -> None:
    wire = Wire()
    wire.udp(0, CLIENT, b"anybody?")
    wire.unreachable(50, wire.frames[0][1][14:])
    (one,) = [one for one in told(run(wire, not_at_client={2})) if one.elsewhere]
    assert (one.flags, one.source) == ("ICMP", "S")
    assert one.words[0].en == "✗ lost between the ports"


def test_what_both_ports_saw_is_drawn_once() -> None:
    assert [one.label for one in told(run(asked()))] == ["#1", "#2", "#3"]


def test_a_datagram_that_was_lost_on_its_way_there_keeps_its_number() -> None:
    one = told(run(asked(), not_at_server={3}))[-1]
    assert (one.label, one.words[0].en) == ("#3", "✗ lost between the ports")
