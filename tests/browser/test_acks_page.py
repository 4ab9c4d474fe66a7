"""ACKs of the report's page in a real browser: what they cover, hold and lack is lit and bracketed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lab import page as pages
from lab.analyze import load_run
from tests.browser.served import chromium, watched
from tests.sacked import sent

pytestmark = pytest.mark.chromium
SAMPLE = Path(__file__).parents[2] / "captures" / "samples" / "tour"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


def shown(browser: Browser, file: Path, html: str) -> Iterator[Page]:
    file.write_text(html, encoding="utf-8")
    with watched(browser, file.as_uri(), offline=True) as page:
        page.goto(file.as_uri())
        yield page


@pytest.fixture
def tour(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    html = pages.report("tour", load_run(SAMPLE), None)
    yield from shown(browser, tmp_path / "tour.html", html)


@pytest.fixture
def sacked(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    html = pages.report("sacked", sent((201, 401)), None)
    yield from shown(browser, tmp_path / "sacked.html", html)


def test_an_ack_lights_what_it_covers(tour: Page) -> None:
    tour.locator("#f7 .hit").focus()
    assert tour.locator(".row-covers").get_attribute("id") == "f6"


def test_an_ack_draws_a_bracket_over_what_it_covers(tour: Page) -> None:
    ruler = tour.locator("#f7 .ruler")
    assert not ruler.is_visible()
    tour.locator("#f7 .hit").focus()
    assert ruler.is_visible()
    assert ruler.inner_text().split() == ["#6", "1", "18"]
    tour.keyboard.press("r")
    assert ruler.inner_text().split() == ["#6", "3167176649", "3167176666"]


def test_an_ack_with_sack_blocks_lights_what_they_hold_and_the_hole(sacked: Page) -> None:
    sacked.locator("#f9 .hit").focus()
    lit = {
        name: [one.get_attribute("id") for one in sacked.locator(f".row-{name}").all()]
        for name in ("covers", "held", "missing")
    }
    assert lit == {"covers": ["f4"], "held": ["f6", "f7"], "missing": ["f5"]}
    sacked.locator("#f5 .hit").focus()
    assert sacked.locator(".row-held, .row-missing").count() == 0


def test_the_hole_stands_in_the_bracket_between_what_is_there(sacked: Page) -> None:
    sacked.locator("#f9 .hit").focus()
    boxes = [
        sacked.locator(f"#f9 .cell.{kind}").first.bounding_box()
        for kind in ("covers", "missing", "held")
    ]
    lefts = [box["x"] for box in boxes if box]
    assert len(lefts) == 3
    assert lefts == sorted(lefts)


def test_the_drawer_names_the_hole(sacked: Page) -> None:
    sacked.locator("#f9 .hit").click()
    assert "lacks 101:201 (#5)" in sacked.locator("#drawer .says").inner_text()
