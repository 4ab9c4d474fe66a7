"""Smaller parts of the page: terms, kernel evidence, curves, reasons, compiled templates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from lab.analyze import load_run
from lab.evidence.build import alone, view
from lab.page.build import scene
from lab.page.cache import Beside
from lab.page.frame_html import px, size
from lab.page.glossary import Marker
from lab.page.graphs import Graph, sparklines, stevens
from lab.page.kernels import COLUMNS, witnesses
from lab.page.meanings import UNKNOWN, meaning
from lab.page.reasons import Reasons
from lab.page.scene import frames_of
from lab.report.people import people
from lab.text import Language, Text, same
from tests.pages import read
from tests.three_connections import RETRANSMITTED, traffic

SAMPLE = load_run(Path(__file__).parents[2] / "captures" / "samples" / "tour")
THREE = alone(view("", "three", traffic().pcapng()))
NAMES = (same("client"), same("server"))


def marked(words: str, marker: Marker | None = None) -> list[str]:
    html = (marker or Marker()).mark(same(words), Language.EN)
    return [str(one.children[0]) for one in read(html).all("dfn")]


# ---------------------------------------------------------------- terms


def test_a_term_is_explained_where_it_is_used_first() -> None:
    marker = Marker()
    assert marked("the SYN", marker) == ["SYN"]
    assert marked("the SYN again", marker) == []


@pytest.mark.parametrize("words", ["SYNTAX", "a_syn", "x-syn", "syn5"])
def test_a_term_inside_another_word_is_none(words: str) -> None:
    assert marked(words) == []


def test_the_longer_of_two_names_wins() -> None:
    assert marked("the SYN,ACK came") == ["SYN,ACK"]


def test_a_plural_is_the_same_term() -> None:
    assert marked("two SYNs") == ["SYN"]


def test_each_language_explains_on_its_own() -> None:
    marker, text = Marker(), Text("the handshake", "三次握手")
    for language in Language:
        assert "<dfn" in marker.mark(text, language)


def test_marking_terms_leaves_markup_harmless() -> None:
    assert "<b>" not in Marker().mark(same("<b>SYN</b>"), Language.EN)


# ---------------------------------------------------------------- kernels


def test_what_each_kernel_says_is_shown() -> None:
    assert [one.host for one in witnesses(SAMPLE)] == list(SAMPLE.kernel)


def test_every_line_of_a_socket_has_a_cell_a_column() -> None:
    lines = [line for one in witnesses(SAMPLE) for s in one.sockets for line in s.lines]
    assert lines
    assert {len(line) for line in lines} == {len(COLUMNS)}


def test_only_settings_that_differ_from_the_default_are_listed() -> None:
    settings = {name: (value, usual) for w in witnesses(SAMPLE) for name, value, usual in w.sysctls}
    assert settings["net.ipv4.tcp_congestion_control"] == ("bbr", "cubic")
    assert "net.ipv4.tcp_sack" not in settings


def test_counters_that_did_not_move_are_left_out() -> None:
    assert all(grown for one in witnesses(SAMPLE) for _, grown, _ in one.counters)


def test_an_unknown_counter_is_not_guessed() -> None:
    assert meaning("TcpExt.NobodyKnows") == UNKNOWN


# ---------------------------------------------------------------- curves

PATH = re.compile(r"(?:[MHVv][-\d. ]+)+")


def graphs() -> list[Graph]:
    one = THREE.view.connections[1]
    return [*sparklines(THREE, one), *stevens(THREE.view, one, NAMES)]


def test_paths_are_paths() -> None:
    for graph in graphs():
        assert all(PATH.fullmatch(path) for _, path in graph.paths), graph


def test_what_was_sent_again_is_a_path_of_its_own() -> None:
    (graph,) = stevens(THREE.view, THREE.view.connections[1], NAMES)
    assert [look for look, _ in graph.paths] == ["acked", "sent", "again"]


def test_a_value_that_never_changes_makes_no_curve() -> None:
    refused = THREE.view.connections[2]
    assert [*sparklines(THREE, refused)] == []


# ---------------------------------------------------------------- reasons


def reasons(number: int) -> list[str]:
    act = next(act for act in scene(SAMPLE).acts if act.key == "tcp0")
    row = next(row for row in frames_of(act.rows) if row.event.number == number)
    return [words.en for words in Reasons(act, people(SAMPLE.manifest)).why(row)]


def test_a_syn_is_there_for_the_call_that_connects() -> None:
    assert reasons(3) == ["client called connect(192.168.32.2:12345) (client.py:40)."]


def test_a_syn_ack_answers_the_syn() -> None:
    assert reasons(4) == ["It answers the SYN #3."]


def test_a_retransmission_names_the_first_copy() -> None:
    act = next(act for act in scene(THREE).acts if act.key == "tcp1")
    row = next(row for row in frames_of(act.rows) if row.event.number == RETRANSMITTED)
    words = [words.en for words in Reasons(act, people(THREE.manifest)).why(row)]
    assert (
        words[0]
        == f"It was first sent as #{RETRANSMITTED - 1}, 300 ms before; its retransmission timer went off."
    )


def test_the_last_ack_would_be_missed_by_who_waits_for_it() -> None:
    act = next(act for act in scene(SAMPLE).acts if act.key == "tcp0")
    row = next(row for row in frames_of(act.rows) if row.event.number == 13)
    lost = Reasons(act, people(SAMPLE.manifest)).if_lost(row)
    assert lost is not None
    assert lost.scenario == "time_wait_basics:last_ack_lost"


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0px"), (-0.01, "0px"), (12, "12px"), (-7.25, "-7.2px")]
)
def test_places_are_written_short(value: float, written: str) -> None:
    assert px(value) == written


@pytest.mark.parametrize(
    ("octets", "written"),
    [(502, "502"), (9999, "9999"), (64_512, "64.5 kB"), (41_943_040, "41.9 MB")],
)
def test_sizes_are_written_as_people_say_them(octets: int, written: str) -> None:
    assert size(octets) == written


def render(folder: Path) -> str:
    environment = Environment(
        loader=DictLoader({"x": "{{ 6 * 7 }}"}), bytecode_cache=Beside(folder), autoescape=True
    )
    return environment.get_template("x").render()


def test_a_compiled_template_is_kept_and_used(tmp_path: Path) -> None:
    assert render(tmp_path) == "42"
    assert len([*(tmp_path / "__pycache__").iterdir()]) == 1
    assert render(tmp_path) == "42"


def test_templates_work_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").write_text("in the way")
    assert render(tmp_path) == "42"


def test_a_compiled_template_that_was_damaged_is_made_anew(tmp_path: Path) -> None:
    render(tmp_path)
    (kept,) = (tmp_path / "__pycache__").iterdir()
    kept.write_bytes(b"rubbish")
    assert render(tmp_path) == "42"
