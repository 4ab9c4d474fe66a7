"""The page of a run: what is on it, in which order, in both languages, and that it needs nothing else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import xml.etree.ElementTree as ET
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from lab import page, scenarios
from lab.analyze import load_run
from lab.cli import main
from lab.evidence.build import alone, view
from lab.evidence.run import Evidence
from lab.page.build import scene
from lab.page.reasons import LOSSES
from lab.page.scene import Act, frames_of
from lab.page.svg import svg
from lab.report.account import judge
from lab.saving import save_account
from lab.text import Language
from lab.web.drawing import Artist
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.pages import Element, read
from tests.three_connections import RETRANSMITTED, traffic
from tests.tour_run import Wire, tour_evidence

SAMPLE = Path(__file__).parents[2] / "captures" / "samples" / "tour"
KB = 1000


@cache
def sample() -> Evidence:
    return load_run(SAMPLE)


@cache
def html() -> str:
    return page.report("tour", sample(), judge(sample()))


@cache
def tour() -> Element:
    return read(html())


@cache
def data() -> dict[str, Any]:
    return dict(json.loads(tour().one("script", id="data").text))


def foreign(wire: Wire) -> Evidence:
    return alone(view("", "some.pcapng", wire.pcapng()))


def connection(evidence: Evidence, stream: int = 0) -> Act:
    return next(act for act in scene(evidence).acts if act.key == f"tcp{stream}")


def long_transfer(segments: int) -> Wire:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    for index in range(segments):
        wire.tcp(100 + 20 * index, SERVER, PSH | ACK, 500 + 1000 * index, 100, bytes(1000))
        wire.tcp(110 + 20 * index, CLIENT, ACK, 100, 1500 + 1000 * index)
    return wire


# ---------------------------------------------------------------- the file


def test_the_page_of_the_tour_is_small() -> None:
    assert len(html().encode()) < 400 * KB


def test_the_page_asks_nothing_of_any_network() -> None:
    assert not re.findall(
        r"(?:src|href)=\"(?!#)|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html()
    )


def test_the_policy_names_the_only_script_and_the_only_style() -> None:
    policy = tour().one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    for tag in ("script", "style"):
        (inline,) = (one for one in tour().all(tag) if one.attributes.get("type") is None)
        digest = base64.b64encode(hashlib.sha256(inline.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_every_link_leads_somewhere() -> None:
    known = {one.attributes["id"] for one in tour() if "id" in one.attributes}
    links = {one.attributes["href"][1:] for one in tour().all("a")}
    assert links - known == set()


def test_no_id_is_given_twice() -> None:
    ids = [one.attributes["id"] for one in tour() if "id" in one.attributes]
    assert len(ids) == len(set(ids))


# ---------------------------------------------------------------- the ladder


def test_every_frame_of_the_capture_is_a_row() -> None:
    rows = {one.attributes["id"] for one in tour().all("li", "frame")}
    assert rows == {f"f{number}" for number in range(1, len(sample().view.capture.frames) + 1)}


def test_rows_of_an_exchange_are_in_order_of_time() -> None:
    for section in tour().all("section", "act"):
        times = [float(one.text) for one in section.all("span", "t0")]
        assert times == sorted(times)


def test_every_row_can_be_opened_by_a_link_that_names_it() -> None:
    for row in tour().all("li", "frame"):
        assert row.one("a", "hit").attributes["href"] == f"#{row.attributes['id']}"


def test_a_label_names_number_way_flags_and_numbers() -> None:
    label = " ".join(tour().one("li", id="f6").one("a", "hit").text.split())
    assert label.startswith("#6 C → S PSHACK seq 1")


def test_numbers_are_there_relative_and_absolute() -> None:
    label = tour().one("li", id="f6").one("a", "hit")
    assert label.all("span", "rel")[0].text == "1"
    assert label.all("span", "abs")[0].text == "3167176649"


def test_windows_are_there_scaled_and_as_the_field_has_them() -> None:
    label = tour().one("li", id="f7").one("a", "hit")
    assert (label.one("span", "scaled").text, label.one("span", "field").text) == ("65.5 kB", "64")


def test_a_window_whose_scale_is_not_known_is_not_scaled() -> None:
    wire = Wire()
    wire.tcp(0, CLIENT, PSH | ACK, 100, 500, b"in the middle")
    (row,) = read(page.report("x", foreign(wire), None)).all("li", "frame")
    assert row.one("span", "scaled").text == "?"


def test_the_isn_is_printed_at_the_syn_and_nowhere_else() -> None:
    section = tour().one("section", id="act-tcp0")
    english = [
        row
        for row in section.all("li", "frame")
        if any("3167176648" in words.text for words in row.all("span", "words"))
    ]
    assert [row.attributes["id"] for row in english] == ["f3"]


def test_each_row_has_all_four_clocks() -> None:
    clocks = tour().one("li", id="f6").one("span", "time").children
    told = [one.text for one in clocks if isinstance(one, Element)]
    assert told == ["0.000478", "+0.000020", "+0.000428", "16:08:37.848600"]


def test_an_ack_shows_its_sum_and_the_frames_that_it_covers() -> None:
    row = tour().one("li", id="f7")
    assert row.attributes["data-covers"].split() == ["f6"]
    assert " ".join(row.one("span", "sum").text.split()) == "= 13167176649 + 17"


def test_an_ack_sum_wraps_around() -> None:
    act = connection(tour_evidence())
    wrapped = next(
        row for row in frames_of(act.rows) if row.sum and row.sum.start == 1 and row.sum.added == 25
    )
    assert wrapped.sum is not None
    assert wrapped.absolute is not None
    assert (wrapped.sum.absolute + wrapped.sum.added) % 2**32 == wrapped.absolute[1]
    assert wrapped.sum.absolute + wrapped.sum.added >= 2**32


def test_every_change_of_state_begins_a_bar() -> None:
    names = [bar.name for bar in connection(sample()).states if bar.side == "left"]
    assert names == ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]


def test_a_state_is_sure_only_where_its_kernel_was_sampled() -> None:
    sure = {bar.name for bar in connection(sample()).states if bar.sure}
    assert sure >= {"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT"}
    assert "SYN-SENT" not in sure


def test_time_wait_tells_how_long_it_has_to_last() -> None:
    (waiting,) = (bar for bar in connection(sample()).states if bar.name == "TIME-WAIT")
    assert waiting.note is not None
    assert waiting.note.en == "60 s left when sampled"


def test_without_kernels_every_state_is_inferred() -> None:
    assert not any(bar.sure for bar in connection(tour_evidence()).states)


def test_a_call_leads_to_the_frame_that_it_sent() -> None:
    ties = [one.text for one in tour().all("a", "tie", href="#f6")]
    assert "→ #6" in ties


def test_a_call_that_waits_leads_to_the_frame_that_woke_it() -> None:
    ties = [one.text for one in tour().all("a", "tie", href="#f6")]
    assert "← #6" in ties


def test_a_call_without_a_frame_says_so() -> None:
    silent = [one for one in tour().all("li", "call") if one.all("small", "none")]
    assert silent
    assert not any(one.all("a", "tie") for one in silent)


def test_a_retransmission_is_marked_in_words() -> None:
    row = read(page.report("x", foreign(traffic()), None)).one("li", id=f"f{RETRANSMITTED}")
    assert "again" in row.classes
    assert row.one("span", "badge").all("span", lang="en")[0].text == "retransmission"


# ---------------------------------------------------------------- languages


def test_every_text_is_there_in_both_languages() -> None:
    english, chinese = tour().all("span", lang="en"), tour().all("span", lang="zh-Hans")
    assert len(english) == len(chinese) > 100


def test_terms_are_explained_at_their_first_use_only() -> None:
    named = [one.text for one in tour().all("dfn")]
    assert named
    assert len(named) == len(set(named))


# ---------------------------------------------------------------- details


def test_the_octets_of_each_frame_are_those_of_the_capture() -> None:
    frames = sample().view.capture.frames
    told = {key: value for chunk in data()["chunks"] for key, value in chunk["details"].items()}
    for number in range(1, len(frames) + 1):
        begin = int(frames.start[number - 1])
        whole = frames.octets[begin : begin + int(frames.captured[number - 1])].tobytes()
        assert base64.b64decode(told[f"f{number}"]["octets"]) == whole


def test_a_payload_is_found_in_its_octets() -> None:
    (told,) = (c["details"]["f6"] for c in data()["chunks"] if "f6" in c["details"])
    begin, end = told["payload"]
    assert base64.b64decode(told["octets"])[begin:end].decode() == "你好,服务器!"


def test_a_frame_tells_which_call_sent_it() -> None:
    (told,) = (c["details"]["f6"] for c in data()["chunks"] if "f6" in c["details"])
    assert "sendall" in told["why"][0][0]
    assert "client.py:43" in told["why"][0][0]


def test_an_ack_that_waited_is_told_to_be_delayed() -> None:
    (told,) = (c["details"]["f11"] for c in data()["chunks"] if "f11" in c["details"])
    assert any("Linux delays it" in english for english, _ in told["why"])


def test_every_scenario_that_shows_a_loss_exists() -> None:
    for loss in LOSSES.values():
        assert scenarios.find(loss.scenario).id == loss.scenario


# ---------------------------------------------------------------- long runs


def test_a_long_run_keeps_its_rows_packed_and_whole() -> None:
    parsed = read(page.report("long", foreign(long_transfer(400)), None))
    assert not parsed.all("li", "frame")
    stored = json.loads(parsed.one("script", id="data").text)["chunks"]
    rows = [
        row for text in stored for row in read("".join(_unpacked(text)["rows"])).all("li", "frame")
    ]
    assert [row.attributes["id"] for row in rows] == [f"f{n}" for n in range(1, 804)]


def test_each_chunk_stands_where_the_one_before_it_ends() -> None:
    parsed = read(page.report("long", foreign(long_transfer(400)), None))
    styles = [one.attributes["style"] for one in parsed.all("ol", "rows")]
    places = [tuple(map(float, re.findall(r"--[yh]:([\d.]+)px", style))) for style in styles]
    for (top, height), (below, _) in pairwise(places):
        assert below == pytest.approx(top + height, abs=0.2)


def test_a_long_run_takes_little_room() -> None:
    assert len(page.report("long", foreign(long_transfer(1000)), None)) < 1000 * KB


def _unpacked(text: str) -> dict[str, Any]:
    return dict(json.loads(gzip.decompress(base64.b64decode(text))))


# ---------------------------------------------------------------- pieces for others


def test_rows_and_exchanges_alone_have_the_keys_of_their_elements() -> None:
    for act in Artist().draw(sample()):
        assert read(act.html).all("section")[0].attributes["id"] == act.key
        assert not read(act.html).all("li")
        for key, piece in act.rows:
            assert read(piece).all("li")[0].attributes["id"] == key


@pytest.mark.parametrize("language", list(Language))
def test_the_svg_is_well_formed_and_shows_every_frame(language: Language) -> None:
    root = ET.fromstring(svg(scene(sample()), language))
    said = " ".join(root.itertext())
    for number in (3, 13, 25, 27):
        assert f"#{number} " in said


# ---------------------------------------------------------------- the command


def shown(*options: str) -> str:
    said = CliRunner().invoke(main, ["show", str(SAMPLE), *options])
    assert said.exit_code == 0, said.output
    return said.stdout


def test_lab_show_prints_the_page() -> None:
    assert shown("--html") == html()


def test_lab_show_writes_the_page_into_a_file(tmp_path: Path) -> None:
    shown("--html", "-o", str(tmp_path / "tour.html"))
    assert (tmp_path / "tour.html").read_text(encoding="utf-8") == html()


def test_lab_show_draws_mermaid() -> None:
    lines = shown("--mermaid", "--lang", "en").splitlines()
    assert lines[0] == "sequenceDiagram"
    assert any(line.strip().startswith("pC->>pS: #35;3 SYN seq 0") for line in lines)


def test_lab_show_speaks_chinese_in_a_drawing() -> None:
    assert "第一次握手" in shown("--svg", "--lang", "zh")


def test_a_file_without_a_form_is_a_mistake() -> None:
    assert CliRunner().invoke(main, ["show", str(SAMPLE), "-o", "x"]).exit_code == 2


def test_every_run_folder_gets_its_page(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLE, tmp_path / "tour"))
    save_account(folder, sample(), judge(sample()), Language.EN)
    assert (folder / "report.html").read_text(encoding="utf-8") == html()


def test_a_call_brings_the_line_of_its_program() -> None:
    calls = tuple(replace(one, source=f"line {one.line}") for one in sample().calls["client"])
    shown = read(page.report("tour", replace(sample(), calls={"client": calls}), None))
    row = next(one for one in shown.all("li", "call") if "connect(" in one.text)
    assert row.one("span", "source").text == "line 40"
    assert ":40" in row.one("small", "place").text


def test_a_run_without_lines_of_its_programs_shows_its_calls_all_the_same() -> None:
    assert not tour().all("span", "source")
    assert tour().all("span", "asked")
