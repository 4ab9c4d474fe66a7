"""The ladder: one clock, sections, long runs cut, and a drawing that fits and harms nobody."""

from __future__ import annotations

import itertools
import json

import pytest

from lab.evidence.build import alone, evidence, view
from lab.evidence.run import Evidence
from lab.report.events import CallEvent, FrameEvent, GapEvent
from lab.report.glyphs import width
from lab.report.ladder import ladder
from lab.report.terminal import draw
from lab.tcp.model import State
from lab.text import Language
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import RST, Wire, call, greeting, manifest, tour_evidence

TOUR = tour_evidence()


def file_of(wire: Wire) -> Evidence:
    return alone(view("", "some.pcapng", wire.pcapng()))


def lines(evidence: Evidence, columns: int = 100, **asked: bool) -> list[str]:
    return list(draw(ladder(evidence, **asked), Language.EN, columns))


def transfer(segments: int) -> Wire:
    """A connection in which the server sends so many segments, each acknowledged."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    for index in range(segments):
        wire.tcp(100 + 20 * index, SERVER, PSH | ACK, 500 + 1000 * index, 100, bytes(1000))
        wire.tcp(110 + 20 * index, CLIENT, ACK, 100, 1500 + 1000 * index)
    return wire


def test_the_originators_capture_comes_first() -> None:
    assert [one.host for one in TOUR.views] == ["client", "server"]


def test_each_exchange_is_a_section_in_order_of_its_first_frame() -> None:
    sections = ladder(TOUR).sections
    assert [(s.protocol, s.stream) for s in sections] == [("tcp", 0), ("tcp", 1), ("udp", 0)]


def test_events_are_in_order_of_time() -> None:
    times = [event.time for event in ladder(TOUR).sections[0].events]
    assert times == sorted(times)


def test_numbers_are_relative_unless_absolute_ones_are_asked_for() -> None:
    def syn(absolute: bool) -> int | None:
        events = ladder(TOUR, absolute=absolute).sections[0].events
        return next(event.sequence for event in events if isinstance(event, FrameEvent))

    assert (syn(False), syn(True)) == (0, 1_000_041_234)


def test_relative_numbers_go_on_past_the_wrap() -> None:
    frames = [e for e in ladder(TOUR).sections[0].events if isinstance(e, FrameEvent)]
    assert frames[-1].acknowledgment == 27


def test_each_isn_is_written_once() -> None:
    told = "\n".join(line for line in lines(TOUR) if "1000041234" in line)
    assert told.count("ISN 1000041234") == 1


def test_a_call_that_nothing_interrupts_is_one_line() -> None:
    calls = [e for e in ladder(TOUR).sections[0].events if isinstance(e, CallEvent)]
    assert [call.phase for call in calls if call.words.startswith("socket")] == [""]


def test_a_call_that_frames_interrupt_is_two_lines() -> None:
    calls = [e for e in ladder(TOUR).sections[0].events if isinstance(e, CallEvent)]
    assert [c.phase for c in calls if c.words.startswith("connect")] == ["call", "ret"]


def test_states_stand_at_the_frame_that_led_to_them() -> None:
    frames = [e for e in ladder(TOUR).sections[0].events if isinstance(e, FrameEvent)]
    assert frames[1].states == (("C", State.ESTABLISHED),)


def test_a_frame_that_passes_two_states_shows_the_last() -> None:
    (fin_ack,) = [
        event
        for event in ladder(TOUR).sections[1].events
        if isinstance(event, FrameEvent) and event.number == 21
    ]
    assert fin_ack.states == (("C", State.TIME_WAIT), ("S", State.LAST_ACK))


def test_frames_of_no_exchange_are_counted() -> None:
    assert ladder(TOUR).background == {"ARP": 1}


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
def test_the_drawing_fits_its_columns(columns: int) -> None:
    assert max(width(line) for line in lines(TOUR, columns)) <= columns


def test_fields_stand_in_columns() -> None:
    starts = {line.index("win ") for line in lines(TOUR) if " win " in line and "C>S" in line}
    assert len(starts) == 1


def test_a_long_run_of_data_is_cut_in_the_middle() -> None:
    (section,) = ladder(file_of(transfer(500))).sections
    (gap,) = [event for event in section.events if isinstance(event, GapEvent)]
    assert (gap.segments, gap.acknowledgments, gap.octets) == (496, 496, 496_000)


def test_a_cut_run_is_short_on_paper() -> None:
    assert len(lines(file_of(transfer(5000)))) < 40


def test_all_frames_are_shown_on_demand() -> None:
    (section,) = ladder(file_of(transfer(50)), everything=True).sections
    assert len(section.events) == 103


def test_calls_inside_a_cut_run_are_counted() -> None:
    wire, ends = transfer(500), {"local": [CLIENT, 41234], "peer": [SERVER, 12345]}
    calls = [call("client", at, at + 5, "recv", **ends) for at in (5000, 6000, 20_000)]
    log = b"".join(json.dumps(line).encode() + b"\n" for line in calls)
    taps = {"client.pcapng": wire.pcapng()}
    (section,) = ladder(evidence(manifest(len(wire.frames)), taps, {"client": log})).sections
    (gap,) = [event for event in section.events if isinstance(event, GapEvent)]
    assert gap.calls == 2


def test_ends_of_a_foreign_file_are_called_by_their_roles() -> None:
    assert lines(file_of(transfer(1)))[0].startswith("C = client, S = server")


def test_many_exchanges_are_counted_not_drawn() -> None:
    wire = Wire()
    for index in range(30):
        greeting(wire, index * 2000, 41000 + index, segments=3)
    assert "… 10 more exchanges; --all shows them" in lines(file_of(wire))


def test_an_ack_says_what_it_acknowledges() -> None:
    assert any("acknowledges #4 (1,000 octets)" in line for line in lines(file_of(transfer(1))))


def probed(window: int) -> list[str]:
    """What is said of a segment one octet back, when the server has announced this window."""
    wire = transfer(0)
    wire.tcp(100, CLIENT, PSH | ACK, 100, 500, bytes(10))
    wire.tcp(110, SERVER, ACK, 500, 110, window=window)
    wire.tcp(300, CLIENT, ACK, 109, 500)
    (section,) = ladder(file_of(wire)).sections
    return [text.en for text in section.events[-1].words]  # type: ignore[union-attr]


def test_an_old_number_into_a_closed_window_is_a_zero_window_probe() -> None:
    assert probed(0)[0].startswith("zero window probe")


def test_an_old_number_into_an_open_window_is_a_keep_alive() -> None:
    assert probed(502)[0].startswith("keep-alive")


def test_a_single_octet_is_acknowledged_in_the_singular() -> None:
    wire = transfer(0)
    wire.tcp(100, CLIENT, PSH | ACK, 100, 500, b"x")
    wire.tcp(110, SERVER, ACK, 500, 101)
    assert any("acknowledges #4 (1 octet)" in line for line in lines(file_of(wire)))


def test_a_refusal_names_the_port() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 1)
    wire.tcp(10, SERVER, RST | ACK, 0, 2)
    assert any("refused: nothing listens on port 12345" in line for line in lines(file_of(wire)))


def test_a_datagram_and_the_icmp_error_that_answers_it_share_a_section() -> None:
    wire = Wire()
    wire.udp(0, CLIENT, b"hello?")
    wire.unreachable(50, wire.frames[0][1][14:42])
    (section,) = ladder(file_of(wire)).sections
    assert [e.flags for e in section.events if isinstance(e, FrameEvent)] == ["UDP", "ICMP"]


def test_a_window_of_unknown_scale_is_marked() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, ACK | PSH, 5, 9, b"x")
    assert any("win 502×?" in line for line in lines(file_of(wire)))


def test_payloads_cannot_steer_the_terminal() -> None:
    wire = transfer(0)
    wire.tcp(100, SERVER, PSH | ACK, 500, 100, "\x1b]0;owned\x07 \u202eevil".encode())
    wire.udp(200, CLIENT, "\u202eevil\r\n".encode())
    told = "".join(itertools.chain.from_iterable(lines(file_of(wire))))
    assert told.isprintable()


def test_the_first_ack_of_a_connection_seen_from_the_middle_claims_nothing() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, ACK, 5, 9)
    (section,) = ladder(file_of(wire)).sections
    assert [event.words for event in section.events if isinstance(event, FrameEvent)] == [()]


def test_each_call_finds_its_connection_among_many() -> None:
    wire = Wire()
    for index in range(300):
        greeting(wire, index * 2000, 41000 + index, segments=3)
    calls = [
        call(
            "client",
            i * 2000 + 100,
            i * 2000 + 101,
            "recv",
            local=[CLIENT, 41000 + i],
            peer=[SERVER, 12345],
        )
        for i in range(300)
    ]
    log = b"".join(json.dumps(line).encode() + b"\n" for line in calls)
    run = evidence(manifest(len(wire.frames)), {"client.pcapng": wire.pcapng()}, {"client": log})
    sections = ladder(run, everything=True).sections
    assert all(sum(isinstance(e, CallEvent) for e in one.events) == 1 for one in sections)
