"""Two runs side by side: what differs is found and named, what varies by nature is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as some
from msgspec import Struct
from msgspec.structs import replace

from lab import scenarios
from lab.cli import main
from lab.errors import RunNotFound
from lab.evidence.build import evidence
from lab.evidence.kernel import Kernel
from lab.evidence.run import Evidence
from lab.report.difference import side
from lab.report.difference.align import align
from lab.report.difference.compare import difference
from lab.report.difference.drawing import draw_difference
from lab.report.difference.model import About, Difference, Mark
from lab.report.difference.pairs import CONTRASTS
from lab.report.difference.records import difference_record
from lab.report.difference.side import at_port
from lab.report.glyphs import width
from lab.text import Language
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire, files, greeting, greeting_calls, manifest

SAMPLE = Path(__file__).parents[2] / "captures" / "samples" / "tour"


BEGAN = count(1)


def run(wire: Wire, calls: Sequence[dict[str, object]] = (), *, scenario: str = "") -> Evidence:
    """A run with what both taps recorded; each one began at another time."""
    told = replace(manifest(len(wire.frames)), scenario=scenario, started=next(BEGAN))
    log = b"".join(json.dumps(line).encode() + b"\n" for line in calls)
    return evidence(told, files(wire), {"client": log} if calls else {})


def greetings(*segments: int, at: int = 0, port: int = 41234) -> Wire:
    """Greetings one after the other, each closed in so many segments."""
    wire = Wire()
    for place, closing in enumerate(segments):
        greeting(wire, at + 150_000 * place, port + place, segments=closing)
    return wire


def opening(*sizes: int, pause: int = 1000) -> Wire:
    """A handshake and segments of these sizes from the client, with a pause (µs) before each."""
    wire, sequence = Wire(), 100
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(100, SERVER, SYN | ACK, 499, 100)
    wire.tcp(200, CLIENT, ACK, 100, 500)
    for place, size in enumerate(sizes, 1):
        wire.tcp(200 + place * pause, CLIENT, PSH | ACK, sequence, 500, bytes(size))
        sequence += size
    return wire


def between(left: Wire, right: Wire) -> Difference:
    return difference(run(left), run(right))


def marks(found: Difference) -> str:
    return "".join(row.mark for pair in found.pairs for row in pair.rows)


# ---------------------------------------------------------------- what differs


def test_three_segments_against_four_differ_at_the_ack_of_the_fin() -> None:
    found = between(greetings(3), greetings(4))
    assert found.first is not None
    assert "only B has #9 S>C ACK seq 26 ack 19" in found.first.words.en
    assert "acknowledges the FIN" in found.first.words.en


def test_three_segments_against_four_end_otherwise() -> None:
    (pair,) = between(greetings(3), greetings(4)).pairs
    assert [one.words.en for one in pair.told if one.about is About.CLOSING] == [
        "it ends otherwise: A three-segment close, B four-segment close"
    ]


def test_as_few_segments_as_possible_stand_alone() -> None:
    assert marks(between(opening(3, 4, 5), opening(4, 5))) == "===!!!"
    rows = between(opening(7), opening(7, 7)).pairs[0].rows
    assert [row.left is None for row in rows] == [False] * 4 + [True]


def test_a_segment_of_another_size_stands_beside_the_one_it_replaces() -> None:
    found = between(opening(3), opening(4))
    assert found.first is not None
    assert found.first.words.en == (
        "A has #4 C>S ACK seq 1 +3 ack 1 (3 octets), B has #4 C>S ACK seq 1 +4 ack 1 (4 octets)"
    )


def test_a_connection_of_one_run_only_stands_alone() -> None:
    found = between(greetings(3), greetings(3, 4))
    assert [(bool(pair.left), bool(pair.right)) for pair in found.pairs] == [
        (True, True),
        (False, True),
    ]
    assert {row.mark for row in found.pairs[1].rows} == {Mark.OTHER}


def test_a_long_wait_in_one_run_is_a_difference_in_time() -> None:
    found = between(opening(5), opening(5, pause=200_000))
    assert marks(found) == "===~"
    assert found.first is not None
    assert "comes 1 ms after the line before in A, 200 ms in B" in found.first.words.en


def test_another_segment_is_the_first_difference_though_a_time_differs_before() -> None:
    found = between(opening(5), opening(5, 6, pause=200_000))
    assert found.first is not None
    assert "only B has #5" in found.first.words.en


def test_a_datagram_without_answer_differs() -> None:
    answered, silent = Wire(), Wire()
    for wire in (answered, silent):
        wire.udp(0, CLIENT, b"hello")
    answered.udp(100, SERVER, b"hello")
    found = between(answered, silent)
    assert found.first is not None
    assert "only A has #2 S>C UDP +5" in found.first.words.en


def test_a_call_with_another_outcome_is_told() -> None:
    calls = greeting_calls(0, 41234)
    other = [line | {"error": "ECONNRESET"} if line["call"] == "recv" else line for line in calls]
    found = difference(run(greetings(3), calls), run(greetings(3), other))
    assert [one.words.en for one in found.pairs[0].told] == [
        "client: recv() comes to 25 in A, to ECONNRESET in B"
    ]
    assert not found.alike


def test_a_call_of_one_run_only_is_told() -> None:
    calls = greeting_calls(0, 41234)
    found = difference(run(greetings(3), calls), run(greetings(3), calls[:-1]))
    assert [one.words.en for one in found.pairs[0].told] == ["client: only A has close() = 0"]


def test_a_counter_that_moved_in_one_run_only_is_told() -> None:
    still = replace(run(greetings(3)), kernel={"server": Kernel()})
    moved = replace(run(greetings(3)), kernel={"server": Kernel(counters={"Tcp.OutRsts": 3})})
    assert [one.words.en for one in difference(still, moved).told] == [
        "server: the kernel's Tcp.OutRsts moved only in B (+3)"
    ]


# ---------------------------------------------------------------- what does not


def test_a_run_is_like_itself() -> None:
    one = run(greetings(3, 4), greeting_calls(0, 41234))
    assert difference(one, one).alike


def test_numbers_that_vary_by_nature_are_no_difference() -> None:
    """Ports, ISNs (which the port is part of), the time of day."""
    assert between(greetings(3), greetings(3, at=7_000_000, port=50_000)).alike


def test_a_little_time_is_no_difference() -> None:
    assert between(opening(5), opening(5, pause=20_000)).alike


def test_window_sizes_are_no_difference_but_a_closed_window_is() -> None:
    wide, narrow, closed = opening(), opening(), opening()
    for wire, window in ((wide, 500), (narrow, 400), (closed, 0)):
        wire.tcp(300, SERVER, ACK, 500, 100, window=window)
    assert between(wide, narrow).alike
    assert not between(wide, closed).alike


def test_a_call_made_about_another_connection_has_only_moved() -> None:
    both = greetings(3, 3)
    first, second = greeting_calls(0, 41234), greeting_calls(150_000, 41235)
    assert difference(run(both, [*first, *second[:-1]]), run(both, [*first[:-1], *second])).alike


SCRIPT = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1
    C>S ACK      seq 1  ack 1
    C>S PSH,ACK  seq 1
    S>C ACK      optional
"""


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario tcp_lifecycle promises just the script above."""
    scenario = replace(scenarios.find("tcp_lifecycle"), scripts=(SCRIPT,))
    monkeypatch.setattr(side, "find", lambda name: scenario)


def plays(left: Wire, right: Wire) -> Difference:
    """Two plays of that scenario."""
    return difference(*(run(wire, scenario="tcp_lifecycle") for wire in (left, right)))


def acknowledged(wire: Wire, count: int = 1) -> Wire:
    for place in range(count):
        wire.tcp(2000 + place, SERVER, ACK, 500, 105)
    return wire


@pytest.mark.usefixtures("scripted")
def test_what_the_script_calls_optional_may_be_missing_from_another_play() -> None:
    found = plays(opening(5), acknowledged(opening(5)))
    assert marks(found) == "====·"
    assert found.alike


@pytest.mark.usefixtures("scripted")
def test_what_the_script_does_not_speak_of_may_not() -> None:
    assert marks(plays(acknowledged(opening(5)), acknowledged(opening(5), 2))).count("!") == 1


@pytest.mark.usefixtures("scripted")
def test_numbers_that_the_script_leaves_out_may_differ_between_two_plays() -> None:
    assert marks(plays(opening(5), opening(6))) == "===·"


def test_runs_of_different_scenarios_are_held_to_every_segment() -> None:
    assert marks(between(opening(5), acknowledged(opening(5)))) == "====!"


def test_of_a_connection_without_a_script_only_the_control_segments_must_be_the_same() -> None:
    plays = [run(wire, scenario="udp_echo") for wire in (greetings(3), greetings(4))]
    assert marks(difference(*plays)).count("·") == 1
    assert difference(*plays).alike


# ---------------------------------------------------------------- one capture alone


def test_a_frame_that_was_lost_is_missing_at_the_receivers_port() -> None:
    wire = opening(5, 6)
    taps = files(wire)
    lost = Wire(wire.frames[:-1])
    taps["server.pcapng"] = files(lost)["server.pcapng"]
    whole = evidence(manifest(len(wire.frames)), taps, {})
    found = difference(at_port(whole, "client"), at_port(whole, "server"))
    assert found.first is not None
    assert found.first.words.en.startswith("only A has #5 C>S ACK seq 6 +6 ack 1")


def test_a_port_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(RunNotFound) as raised:
        at_port(run(opening()), "router")
    assert "@client" in str(raised.value.lines(Language.EN))


# ---------------------------------------------------------------- aligning


class Letter(Struct, frozen=True):
    key: str

    @property
    def kind(self) -> str:
        return self.key.lower()


WORDS = some.lists(some.sampled_from("aAbBc").map(Letter), max_size=6)


def cheapest(left: Sequence[Letter], right: Sequence[Letter]) -> int:
    """The least number of rows that differ, tried out one by one."""
    if not left or not right:
        return len(left) + len(right)
    ways = [1 + cheapest(left[1:], right), 1 + cheapest(left, right[1:])]
    if left[0].kind == right[0].kind:
        ways.append((left[0] != right[0]) + cheapest(left[1:], right[1:]))
    return min(ways)


@given(WORDS, WORDS)
def test_rows_hold_everything_in_order_at_the_least_cost(
    left: list[Letter], right: list[Letter]
) -> None:
    rows = list(align(left, right))
    assert [i for i, _ in rows if i is not None] == list(range(len(left)))
    assert [j for _, j in rows if j is not None] == list(range(len(right)))
    differing = sum(i is None or j is None or left[i] != right[j] for i, j in rows)
    assert differing == cheapest(left, right)


def test_sequences_longer_than_the_table_are_paired_to_their_end() -> None:
    rows = list(align([Letter("a")] * 4100, [Letter("a")] * 4098))
    assert sum(i is not None for i, _ in rows) == 4100
    assert sum(j is not None for _, j in rows) == 4098


# ---------------------------------------------------------------- how it is shown


def lines(
    left: Wire, right: Wire, language: Language = Language.EN, columns: int = 100
) -> list[str]:
    found = between(left, right)
    return list(draw_difference(found, ("one", "other"), language, columns))


def test_the_first_difference_is_marked_once() -> None:
    (marked,) = [line for line in lines(greetings(3), greetings(4)) if line.startswith("►")]
    assert "S>C ACK seq 26 ack 19" in marked.partition("│")[2]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("columns", [60, 100, 200])
def test_no_line_is_wider_than_the_terminal(language: Language, columns: int) -> None:
    told = lines(greetings(3, 4), greetings(4, 4), language, columns)
    assert max(map(width, told)) <= columns + 1  # a full stop may hang over (glyphs.NEVER_FIRST)


def test_a_long_stretch_that_is_alike_is_folded() -> None:
    told = lines(opening(*[5] * 50), opening(*[5] * 50, 6))
    assert any("… 47 more …" in line for line in told)


def test_two_runs_that_are_alike_need_a_line_an_exchange() -> None:
    told = lines(greetings(3, 4), greetings(3, 4))
    assert "= TCP connection 0: client → server  alike, 10 steps" in told
    assert told[-1] == "The two are alike: 21 steps."


def test_programs_get_rows_and_the_first_difference() -> None:
    record = difference_record(between(greetings(3), greetings(4)), ("one", "other"))
    row = record["pairs"][0]["rows"][record["first"]["row"]]
    assert record["alike"] is False
    assert (row["mark"], row["left"], row["right"]["name"]) == ("!", None, "ACK")


# ---------------------------------------------------------------- the command


def asked(*words: str) -> tuple[int, str]:
    said = CliRunner().invoke(main, ["diff", *words, "--lang", "en"])
    return said.exit_code, said.output


def test_the_command_exits_0_for_runs_that_are_alike() -> None:
    code, said = asked(str(SAMPLE), str(SAMPLE))
    assert code == 0
    assert "The two are alike" in said


def test_the_command_exits_1_for_runs_that_differ(tmp_path: Path) -> None:
    for name, wire in (("three", greetings(3)), ("four", greetings(4))):
        (tmp_path / name).write_bytes(wire.pcapng())
    code, said = asked(str(tmp_path / "three"), str(tmp_path / "four"), "--json")
    assert code == 1
    assert json.loads(said)["alike"] is False


def test_the_command_wants_two_runs() -> None:
    assert asked(str(SAMPLE))[0] == 2


def test_every_pair_worth_comparing_can_be_played() -> None:
    for contrast in CONTRASTS:
        for target in (contrast.left, contrast.right):
            name, _, host = target.partition("@")
            scenario = scenarios.find(name)
            assert not host or host in {one.name for one in scenario.topology.hosts}


def test_the_pairs_are_listed_as_they_are_typed() -> None:
    _, said = asked("--pairs")
    assert "lab diff close_three_segments close_four_segments" in said
    assert len(said.splitlines()) == len(CONTRASTS)
