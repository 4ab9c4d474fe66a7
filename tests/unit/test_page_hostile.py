"""Whatever a stranger says in a frame, a log or a file name, it stays text on the page."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lab import page
from lab.errors import LabError
from lab.evidence.build import alone, evidence, view
from lab.evidence.run import Evidence
from lab.page.build import scene
from lab.page.mermaid import mermaid
from lab.page.render import as_json, document
from lab.page.svg import svg
from lab.report.glyphs import safe
from lab.report.ladder import ladder
from lab.text import Language
from lab.web.drawing import Artist
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.pages import read
from tests.three_connections import as_pcap, traffic
from tests.tour_run import Wire, call, manifest, tour

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "</style></title><!--",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31m\x00\x07",
    "\u202eevil\u2066\u200f",
    "&lt;&#60;&",
)
HARMFUL = "\x1b\x00\x07\u202e\u2066\u200f"
ALL = "".join(HOSTILE)


def wire_with(payload: bytes) -> Wire:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    wire.tcp(100, CLIENT, PSH | ACK, 100, 500, payload)
    return wire


@cache
def run_with(word: str) -> Evidence:
    """A run in which every string is this: names, programs, calls, errors, versions, reasons."""
    told = manifest(26)
    hosts = tuple(replace(host, name=f"{host.name}{word}") for host in told.hosts)
    taps = tuple(
        replace(tap, host=f"{tap.host}{word}", file=f"{tap.file}{word}") for tap in told.taps
    )
    told = replace(
        told,
        scenario=word,
        engine=word,
        reason=word,
        complete=False,
        hosts=hosts,
        taps=taps,
        versions={word: word},
    )
    ends = {"peer": [SERVER, 12345], "local": [CLIENT, 41234]}
    line = call("client", -21, 81, word, arguments=[word, [word, 1]], result=word, **ends)
    failed = call("client", 20, 400, word, arguments=[word], error=word, **ends)
    log = "".join(
        json.dumps(one | {"program": word, "line": 7, "source": word}) + "\n"
        for one in (line, failed)
    )
    files = {tap.file: tour().pcapng() for tap in taps}
    return evidence(told, files, {hosts[0].name: log.encode()})


def capture_with(word: str) -> Evidence:
    """A foreign capture with a word in its name and in a payload."""
    return alone(view("", word, wire_with(word.encode()).pcapng()))


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """All elements of a page with the names of their attributes, in order."""
    for character in HARMFUL:
        assert character not in html
    return [(one.tag, tuple(one.attributes)) for one in read(html)]


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_names_programs_and_errors_add_no_element(word: str) -> None:
    calm = page.report("calm", run_with("calm"), None)
    assert shape(page.report(word, run_with(word), None)) == shape(calm)


@pytest.mark.parametrize("word", HOSTILE)
def test_a_hostile_payload_adds_no_element(word: str) -> None:
    calm = page.report("calm", capture_with("calm"), None)
    assert shape(page.report("calm", capture_with(word), None)) == shape(calm)


def pieces(word: str) -> list[str]:
    """What the live page is sent: each exchange and each row alone."""
    drawn = Artist().draw(run_with(word))
    return [html for act in drawn for html in (act.html, *dict(act.rows).values())]


@pytest.mark.parametrize("word", HOSTILE)
def test_pieces_alone_add_no_element_either(word: str) -> None:
    for hostile, calm in zip(pieces(word), pieces("calm"), strict=True):
        assert shape(hostile) == shape(calm)


@pytest.mark.parametrize("word", HOSTILE)
def test_what_is_hostile_is_still_shown(word: str) -> None:
    parsed = read(page.report(word, capture_with("calm"), None))
    assert safe(word) in parsed.one("p", "run").text


@pytest.mark.parametrize("word", HOSTILE)
def test_data_of_a_script_element_holds_no_markup(word: str) -> None:
    said = as_json({word: [word]})
    assert not set("<>&\u2028") & set(said)
    assert json.loads(said) == {word: [word]}


def test_the_svg_of_a_hostile_run_is_well_formed() -> None:
    known = {"svg", "rect", "g", "text", "line", "polygon"}
    root = ET.fromstring(svg(scene(run_with(ALL)), Language.EN))
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= known


def test_mermaid_of_a_hostile_run_says_one_thing_a_line() -> None:
    text = mermaid(ladder(run_with(ALL)), Language.EN)
    assert not set("<>") - set("->>") & set(text.replace("->>", ""))
    for line in text.splitlines()[1:]:
        first = line.split()[0]
        assert first in {"participant", "rect", "Note", "end"} or first[0] == "p", line


ORIGINALS = (traffic().pcapng(), as_pcap(traffic()))
CHANGES = st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ORIGINALS), CHANGES, st.integers(0, 2500))
def test_a_damaged_capture_makes_a_page(
    original: bytes, changes: list[tuple[int, int]], end: int
) -> None:
    octets = bytearray(original)
    for place, value in changes:
        octets[place % len(octets)] = value
    try:
        seen = view("", "damaged", bytes(octets[: len(octets) - end // 5]))
    except LabError:
        return
    one: Any = alone(seen)
    drawn = scene(one)
    parsed = read(document("damaged", one, drawn, None, Language.EN))
    assert len(parsed.all("li", "frame")) == sum(
        row.kind == "frame" for act in drawn.acts for row in act.rows
    )
