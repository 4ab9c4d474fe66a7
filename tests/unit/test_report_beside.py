"""Expected and seen side by side: aligned, folded where it is long, no wider than the terminal."""

from __future__ import annotations

from msgspec.structs import replace

from lab.evidence.build import evidence
from lab.evidence.run import Evidence
from lab.report.beside import beside
from lab.report.glyphs import width
from lab.scenarios import find
from lab.text import Language
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire, manifest

SCRIPT = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1  win >0  after 0.01..30 ms
    C>S ACK      seq 1  ack 1
    ...
"""


def run(segments: int) -> Evidence:
    """A handshake, and so many segments from the client."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(100, SERVER, SYN | ACK, 499, 100)
    wire.tcp(200, CLIENT, ACK, 100, 500)
    for index in range(segments):
        wire.tcp(300 + index, CLIENT, PSH | ACK, 100 + 10 * index, 500, bytes(10))
    return evidence(manifest(len(wire.frames)), {"client.pcapng": wire.pcapng()}, {})


def lines(segments: int, script: str = SCRIPT, columns: int = 120) -> list[str]:
    scenario = replace(find("tcp_lifecycle"), scripts=(script,))
    return list(beside(scenario, run(segments), Language.EN, columns=columns))[2:]


def test_what_was_seen_stands_in_columns() -> None:
    assert len({line.index("seq", 40) for line in lines(3)}) == 1


def test_a_narrow_terminal_wraps_what_was_expected() -> None:
    told = lines(3, columns=80)
    assert max(map(width, told)) <= 80
    assert len(told) > len(lines(3))


def test_a_long_run_that_the_script_leaves_open_is_folded() -> None:
    told = lines(100)
    assert [line for line in told if "94 more" in line]
    assert len(told) == 3 + 3 + 1 + 3


def test_a_short_run_is_not_folded() -> None:
    assert len(lines(7)) == 3 + 7


def test_segments_that_differ_are_never_folded() -> None:
    assert sum(line.startswith("!") for line in lines(30, SCRIPT.replace("...", ""))) == 30


def test_flags_stand_in_the_usual_order() -> None:
    assert any("SYN,ACK" in line.split("seq")[-2] for line in lines(0))
