"""The verdict: a row a promise, and the promises that every run makes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lab.evidence.build import evidence
from lab.evidence.manifest import Unavailable
from lab.evidence.run import Evidence
from lab.report.verdict import draw_verdict, frame_list, verdict
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Language, same
from tests.tour_run import files, logs, manifest, tour, tour_evidence


def scenario(*promises: Promise) -> Scenario:
    return Scenario(id="small", title=same("small"), teaches=(), promises=promises)


def broken(run: Evidence, *promises: Promise) -> list[str]:
    return [row.id for row in verdict(scenario(*promises), run).rows if not row.kept]


def test_a_whole_run_keeps_what_every_run_promises() -> None:
    assert broken(tour_evidence()) == []


def test_dropped_frames_break_the_run() -> None:
    assert broken(tour_evidence(dropped=3)) == ["no_drops"]


def test_dropped_frames_are_said_first_and_loudest() -> None:
    found = verdict(scenario(), tour_evidence(dropped=3))
    assert next(draw_verdict(found, Language.EN, 100)).startswith("THE RECORDING LACKS 6 FRAMES")


def test_a_run_cut_short_is_not_complete() -> None:
    wire = tour()
    cut = evidence(manifest(len(wire.frames), complete=False), files(wire), logs())
    assert broken(cut) == ["complete"]


def test_a_missing_capture_breaks_the_run() -> None:
    wire = tour()
    one = {"client.pcapng": files(wire)["client.pcapng"]}
    assert broken(evidence(manifest(len(wire.frames)), one, {})) == ["complete", "views_agree"]


def test_a_frame_lost_between_the_ports_is_numbered() -> None:
    wire, short = tour(), tour()
    del short.frames[4]
    both = {**files(wire), "server.pcapng": short.pcapng()}
    rows = verdict(scenario(), evidence(manifest(len(wire.frames)), both, {})).rows
    (row,) = [row for row in rows if row.id == "views_agree"]
    assert (row.kept, row.frames) == (False, (5,))


def test_a_wrong_checksum_is_numbered() -> None:
    wire = tour()
    time, octets, by_client = wire.frames[4]
    wire.frames[4] = (time, octets[:-1] + b"?", by_client)
    rows = verdict(scenario(), tour_evidence(wire)).rows
    (row,) = [row for row in rows if row.id == "checksums"]
    assert (row.kept, row.frames) == (False, (5,))


def test_a_promise_of_the_same_id_takes_the_place_of_a_general_one() -> None:
    own = Promise("no_drops", same("drops are meant"), lambda _: Seen(True, same("yes")))
    assert broken(tour_evidence(dropped=3), own) == []


def test_a_promise_about_what_is_not_there_is_not_kept() -> None:
    def look(run: Evidence) -> Seen:
        return Seen(True, same(str(run.view.connections[99])))

    assert broken(tour_evidence(), Promise("far", same("far"), look)) == ["far"]


def test_what_a_promise_found_cannot_steer_the_terminal() -> None:
    own = Promise("raw", same("raw"), lambda _: Seen(True, same("\x1b[2J")))
    lines = list(draw_verdict(verdict(scenario(own), tour_evidence()), Language.EN, 100))
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("frames", "text"), [((), ""), ((4,), "#4"), ((2, 3, 4, 9), "#2-4, #9"), ((7, 9), "#7, #9")]
)
def test_frame_numbers_are_drawn_together(frames: tuple[int, ...], text: str) -> None:
    assert frame_list(frames) == text


def test_a_run_without_what_it_needs_has_neither_passed_nor_failed() -> None:
    run = tour_evidence()
    lacking = Unavailable(capability="a wand", reason="there is none")
    found = verdict(scenario(), replace(run, manifest=replace(run.manifest, unavailable=lacking)))
    assert (found.kept, found.rows, found.exit_code) == (False, (), 77)
    drawn = "\n".join(draw_verdict(found, Language.EN, 100))
    assert "a wand (there is none)" in drawn
    assert "PASS" not in drawn
