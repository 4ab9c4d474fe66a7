"""The page of a comparison in a real browser: both ladders, both scales, keyboard, phone, audit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from msgspec.structs import replace
from playwright.sync_api import Page, sync_playwright

from lab.evidence.build import evidence
from lab.page.contrast import contrast
from lab.report.difference.compare import difference
from tests.tour_run import Wire, files, greeting, greeting_calls, manifest

pytestmark = pytest.mark.chromium
BROAD = {"width": 1920, "height": 1000}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@cache
def compared() -> str:
    runs = []
    for segments in (3, 4):
        wire = Wire()
        greeting(wire, 0, 41234, segments=segments)
        told = replace(manifest(len(wire.frames)), scenario="")  # two plays of one leave more open
        log = "".join(json.dumps(line) + "\n" for line in greeting_calls(0, 41234)).encode()
        runs.append(evidence(told, files(wire), {"client": log}))
    left, right = runs
    return contrast(("three", "four"), (left, right), difference(left, right))


@pytest.fixture(scope="module")
def tab() -> Iterator[tuple[Page, list[str]]]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page, troubles = browser.new_context(offline=True).new_page(), []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url))
        yield page, troubles
        browser.close()


@pytest.fixture
def page(tab: tuple[Page, list[str]], tmp_path: Path) -> Iterator[Page]:
    """The page, from disk; no complaint and no other request may have come by the end."""
    opened, troubles = tab
    file = tmp_path / "contrast.html"
    file.write_text(compared(), encoding="utf-8")
    opened.set_viewport_size(WIDE)  # type: ignore[arg-type]
    visit(opened, file.as_uri())
    yield opened
    address = opened.url.partition("#")[0]
    assert {one.partition("#")[0] for one in troubles} <= {address, "about:blank"}
    troubles.clear()


def visit(page: Page, address: str) -> None:
    page.goto("about:blank")
    page.goto(address)


def top(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["y"]


def test_two_ladders_stand_beside_each_other(page: Page) -> None:
    ours, theirs = (
        page.locator(f".board .half.{side} .rail").first.bounding_box() for side in "ab"
    )
    assert ours is not None
    assert theirs is not None
    assert ours["y"] == theirs["y"]
    assert theirs["x"] > ours["x"] + 400


def test_the_link_leads_to_the_first_difference(page: Page) -> None:
    page.locator(".answer a").click()
    assert page.locator(".both.first .hit.here").is_visible()
    assert page.evaluate("document.activeElement.closest('li').classList.contains('first')")


def test_true_time_parts_steps_that_came_at_other_times(page: Page) -> None:
    last = ".both:last-child .half.{} .label"
    assert top(page, last.format("a")) == pytest.approx(top(page, last.format("b")), abs=12)
    page.keyboard.press("e")
    assert top(page, last.format("b")) > top(page, last.format("a")) + 60


def test_arrow_keys_go_down_and_across(page: Page) -> None:
    page.locator(".half.a .hit").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.closest('.half').id")
    assert focused == "p0c1B"


def test_one_language_is_seen_at_a_time(page: Page) -> None:
    assert "First difference" in page.locator(".answer").inner_text()
    page.keyboard.press("l")
    words = page.locator(".answer").inner_text()
    assert "第一处差异" in words
    assert "First difference" not in words


@pytest.mark.parametrize(("language", "theme"), list(product(("en", "zh"), ("light", "dark"))))
@pytest.mark.parametrize("scale", ["even", "true"])
def test_an_audit_finds_nothing_serious(page: Page, language: str, theme: str, scale: str) -> None:
    visit(page, f"{page.url.partition('#')[0]}#;{language};{theme};{scale}")
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_where_there_is_room_calls_stand_beside_the_wire(page: Page) -> None:
    page.set_viewport_size(BROAD)  # type: ignore[arg-type]
    rail = page.locator(".board .half.a .rail.l").bounding_box()
    call = page.locator(".half.a.call.left .said").first.bounding_box()
    assert rail is not None
    assert call is not None
    assert call["x"] + call["width"] < rail["x"]
    assert page.locator(".half.a .bracket").first.is_visible()


def test_where_there_is_none_calls_fold_onto_the_wire(page: Page) -> None:
    rails = [page.locator(f".board .half.a .rail.{end}").bounding_box() for end in "lr"]
    boxes = [one.bounding_box() for one in page.locator(".half.a.call .said").all()]
    left, right = (rail["x"] for rail in rails if rail)
    assert boxes
    assert all(box and left < box["x"] and box["x"] + box["width"] < right for box in boxes)


@pytest.mark.parametrize("width", [BROAD, WIDE, NARROW], ids=["broad", "wide", "narrow"])
def test_calls_and_steps_do_not_cover_each_other(page: Page, width: dict[str, int]) -> None:
    page.set_viewport_size(width)  # type: ignore[arg-type]
    boxes = [one.bounding_box() for one in page.locator(".half.a :is(.said .hit, .no)").all()]
    places = sorted((box["y"], box["y"] + box["height"]) for box in boxes if box)
    assert len(places) > 15
    assert all(end <= begin + 3 for (_, end), (begin, _) in pairwise(places))


@pytest.mark.parametrize("scale", ["even", "true"])
def test_a_phone_needs_no_sideways_scrolling(page: Page, scale: str) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visit(page, f"{page.url.partition('#')[0]}#;{scale}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_a_row_says_what_each_run_has(page: Page) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    words = " ".join(page.locator(".both.first").inner_text().split())
    assert "different" in words
    assert "A no such step" in words
    assert "B" in words.partition("no such step")[2]


def test_print_draws_every_row(page: Page, tmp_path: Path) -> None:
    page.pdf(path=tmp_path / "pair.pdf")
    assert (tmp_path / "pair.pdf").stat().st_size > 10_000
