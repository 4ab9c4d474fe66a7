"""Exchanges that never came to the first port: found at the other one, drawn, compared, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest
from msgspec.structs import replace

from lab.analyze import load_run
from lab.evidence.build import evidence
from lab.evidence.manifest import HostRecord, TapRecord
from lab.evidence.run import Evidence
from lab.evidence.sightings import sightings
from lab.page import report
from lab.page.build import scene
from lab.page.scene import frames_of
from lab.report.difference.compare import difference
from lab.report.difference.model import Mark
from lab.report.difference.records import difference_record
from lab.report.events import CallEvent, FrameEvent
from lab.report.ladder import ladder
from lab.report.records import ladder as ladder_record
from tests.handmade import ACK, CLIENT, SERVER, SYN
from tests.pages import read
from tests.tour_run import MICROSECOND, Wire, call, manifest

SAMPLE = Path(__file__).parents[2] / "captures" / "samples" / "tour"
KNOWN, OTHER = (52000, 21567), (53000, 21568)


def asked() -> Wire:
    """A request and its answer, frames 1 and 2; the server on its own, frame 3; a request again."""
    wire = Wire()
    wire.udp(0, CLIENT, b"time?", KNOWN)
    wire.udp(100, SERVER, b"noon", KNOWN)
    wire.udp(300, SERVER, b"news", OTHER)
    wire.udp(500, CLIENT, b"thanks", KNOWN)
    return wire


def run(wire: Wire, not_at_client: Collection[int] = (), log: bytes = b"") -> Evidence:
    """Both captures, the client's without some of the frames (numbers in the order of the wire)."""
    came = Wire([one for n, one in enumerate(wire.frames, 1) if n not in not_at_client])
    captures = {
        "client.pcapng": came.pcapng(),
        "server.pcapng": wire.pcapng(shift=4 * MICROSECOND),
    }
    told = replace(manifest(len(wire.frames)), scenario="")
    return evidence(told, captures, {"server": log} if log else {})


LOST = run(asked(), {3})


def shown(evidence: Evidence) -> dict[str, list[str]]:
    """The labels of each exchange's frames in the ladder."""
    return {
        section.key: [event.label for event in section.events if isinstance(event, FrameEvent)]
        for section in ladder(evidence).sections
    }


# ---------------------------------------------------------------- where it was seen


def test_an_exchange_that_only_the_second_port_saw_is_found_there() -> None:
    assert [(one.elsewhere, one.talk.stream) for one in sightings(LOST)] == [("", 0), ("server", 1)]


def test_what_both_ports_saw_is_found_once() -> None:
    assert [one.elsewhere for one in sightings(run(asked()))] == ["", ""]


def test_an_exchange_of_which_one_frame_came_is_the_first_ports() -> None:
    assert [one.elsewhere for one in sightings(run(asked(), {2, 4}))] == ["", ""]


def test_what_is_still_on_its_way_is_not_missing_yet() -> None:
    last = replace(LOST.manifest.taps[0], ended=1)
    told = replace(LOST.manifest, taps=(last, LOST.manifest.taps[1]))
    captures = {
        "client.pcapng": Wire(asked().frames[:2]).pcapng(),
        "server.pcapng": asked().pcapng(),
    }
    assert [one.elsewhere for one in sightings(evidence(told, captures, {}))] == [""]


def test_a_connection_that_only_the_second_port_saw_is_found_too() -> None:
    wire = Wire()
    wire.udp(0, CLIENT, b"go")
    wire.tcp(100, SERVER, SYN, 99)
    assert shown(run(wire, {2})) == {"udp0": ["#1"], "tcp0S": ["#2S"]}


def test_what_third_hosts_say_to_the_second_is_found_at_its_port() -> None:
    wire, extra = Wire(), Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(100, SERVER, SYN | ACK, 499, 100)
    extra.tcp(300, CLIENT, SYN, 7, ports=(999, 12345))
    told = manifest(3)
    host = HostRecord(name="attacker", addresses=("10.0.0.9",), exit_codes=(0,))
    tap = TapRecord(host="attacker", file="a.pcapng", interface="v", frames=1, seen=1, dropped=0)
    told = replace(told, scenario="", hosts=(*told.hosts, host), taps=(*told.taps, tap))
    captures = {
        "client.pcapng": wire.pcapng(),
        "server.pcapng": Wire([*wire.frames, *extra.frames]).pcapng(shift=4 * MICROSECOND),
        "a.pcapng": extra.pcapng(),
    }
    assert shown(evidence(told, captures, {})) == {"tcp0": ["#1", "#2"], "tcp1S": ["#3S"]}


# ---------------------------------------------------------------- the ladder and the page


def test_the_ladder_gives_it_a_section_of_its_own_in_order_of_time() -> None:
    assert shown(LOST) == {"udp0": ["#1", "#2", "#3"], "udp1S": ["#3S"]}


def test_its_title_has_the_letter_of_the_port_and_its_frame_says_what_became_of_it() -> None:
    section = ladder(LOST).sections[1]
    assert section.title.en == "UDP exchange 1S: server 10.0.0.2:21568 → client 10.0.0.1:53000"
    (event,) = section.events
    assert isinstance(event, FrameEvent)
    assert event.words[0].en == "✗ lost between the ports"


def test_words_about_other_frames_name_them_by_that_port() -> None:
    wire = asked()
    wire.unreachable(310, wire.frames[2][1][14:])
    (event,) = [
        event
        for section in ladder(run(wire, {3, 5})).sections
        for event in section.events
        if isinstance(event, FrameEvent) and event.flags == "ICMP"
    ]
    assert "#3S" in event.words[-1].en


def test_calls_about_it_stand_in_its_section() -> None:
    peer, mine = [CLIENT, 53000], ["0.0.0.0", 21568]
    line = call("server", 290, 310, "sendto", kind="udp", arguments=[4, peer], octets=4,
                local=mine, peer=peer)  # fmt: skip
    found = ladder(run(asked(), {3}, json.dumps(line).encode() + b"\n")).sections[1]
    assert [type(event) for event in found.events].count(CallEvent) == 2


def test_its_record_names_the_port() -> None:
    assert [one["elsewhere"] for one in ladder_record(ladder(LOST))["sections"]] == ["", "S"]


def test_the_page_has_a_tab_and_a_crossed_arrow_for_it() -> None:
    page = read(report("lost", LOST, None))
    assert "UDP 1S" in [one.text for one in page.all("button") if "data-tab" in one.attributes]
    assert "lost" in page.one("section", "act", id="act-udp1S").one("li", id="f3S").classes


@pytest.mark.parametrize("evidence", [load_run(SAMPLE), LOST], ids=["tour", "lost"])
def test_all_exchanges_together_show_every_frame_once(evidence: Evidence) -> None:
    acts = scene(evidence).acts
    keys = [row.key for act in acts for row in frames_of(act.rows)]
    numbers = range(1, len(evidence.view.capture.frames) + 1)
    assert sorted(keys) == sorted([*(f"f{n}" for n in numbers), *(["f3S"] * (evidence is LOST))])


def test_all_exchanges_together_stand_in_order_of_time_and_say_how_far_apart() -> None:
    acts = [act for act in scene(LOST).acts if act.key != "rest"]
    assert [act.axis.start for act in acts] == sorted(act.axis.start for act in acts)
    assert "begins" not in str(acts[0].summary)
    assert acts[1].summary[-1].en == "begins 296 µs after the first exchange"


# ---------------------------------------------------------------- the comparison


def test_an_exchange_of_the_second_port_is_compared() -> None:
    found = difference(run(asked(), {3}), run(asked(), {3}))
    assert [pair.title.en for pair in found.pairs][1] == "UDP exchange 1S: server → client"
    assert found.alike


def test_lost_in_one_run_only_is_a_difference() -> None:
    (_, pair) = difference(run(asked()), LOST).pairs
    assert pair.title.en == "UDP exchange 1/1S: server → client"
    assert [row.mark for row in pair.rows] == [Mark.OTHER]
    assert [step.fields for row in pair.rows for step in (row.left, row.right) if step] == [
        "+4",
        "+4 lost",
    ]


def test_the_record_of_a_comparison_names_the_ports() -> None:
    record = difference_record(difference(run(asked()), LOST), ("a", "b"))
    assert [pair["ports"] for pair in record["pairs"]] == [
        ["client", "client"],
        ["client", "server"],
    ]
