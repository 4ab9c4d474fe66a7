"""The ladder of several exchanges in a real browser: there and back, keyboard, drawer, paper, audit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from lab import page as pages
from tests.browser.served import chromium, watched
from tests.unit.test_page_joint import both, interleaved, run_of

pytestmark = pytest.mark.chromium
SHOWN = """[...document.querySelectorAll('.rows > li')]
    .filter((row) => row.checkVisibility()).map((row) => row.id)"""
FOCUSED = "document.activeElement.closest('li')?.id"
TOGETHER = "[data-tab=joint0]"


@cache
def html() -> str:
    return pages.report("two", run_of(interleaved()), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    file = tmp_path / "report.html"
    file.write_text(html(), encoding="utf-8")
    with watched(browser, file.as_uri(), offline=True) as opened:
        opened.goto(file.as_uri())
        yield opened


def offset(page: Page, row: str) -> float:
    """Where a row stands in its ladder, px."""
    return float(str(page.evaluate(f"document.querySelector('#{row}').offsetTop")))


def test_rows_come_together_in_order_of_time_and_go_home_again(page: Page) -> None:
    stacked = page.evaluate(SHOWN)
    page.click(TOGETHER)
    assert page.evaluate(SHOWN) == [row.key for row in both().rows]
    page.click("[data-tab='']")
    assert page.evaluate(SHOWN) == stacked
    assert page.locator(".talk").count() == 0


@pytest.mark.parametrize(("key", "mode"), [("", 0), ("e", 1)])
def test_a_row_stands_where_python_put_it(page: Page, key: str, mode: int) -> None:
    page.click(TOGETHER)
    page.keyboard.type(key)
    row = both().rows[-1]
    assert offset(page, row.key) == pytest.approx(row.top[mode], abs=1)


def test_each_row_names_its_exchange_in_its_link(page: Page) -> None:
    page.click(TOGETHER)
    names = [page.locator(f"#f{n} .hit").inner_text().split()[:3] for n in (3, 4)]
    assert names == [["TCP", "0", "#3"], ["TCP", "1", "#4"]]


def test_its_clock_begins_with_the_first_exchange(page: Page) -> None:
    assert page.locator("#f4 .time").inner_text() == "0.000000"
    page.click(TOGETHER)
    assert page.locator("#f4 .time").inner_text() == "0.000100"


def test_the_keyboard_goes_from_one_exchange_to_the_other(page: Page) -> None:
    page.click(TOGETHER)
    page.locator("#f3 .hit").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == "f4"
    page.keyboard.press("Enter")
    assert page.locator("#drawer h2").inner_text().startswith("#4")
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == "f4"


def test_the_drawer_says_what_it_says_elsewhere(page: Page) -> None:
    page.click("#f4 .hit")
    stacked = page.locator("#drawer").inner_text()
    page.click(TOGETHER)
    page.click("#f4 .hit")
    assert page.locator("#drawer").inner_text() == stacked


def test_a_link_from_elsewhere_finds_its_row_in_either_ladder(page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#f12;only-joint0")
    expect(page.locator("#act-joint0 #f12 .hit.here")).to_be_visible()
    page.goto(f"{page.url.partition('#')[0]}#f12")
    expect(page.locator("[id^=act-tcp] #f12 .hit.here")).to_be_visible()


def test_states_stand_beside_the_host_whose_they_are(page: Page) -> None:
    page.click(TOGETHER)
    ladder = ("of-left", "rail.l", "rail.r", "of-right")
    across = [
        page.locator(f"#act-joint0 .{one}").first.evaluate("(one) => one.getBoundingClientRect().x")
        for one in ladder
    ]
    assert across == sorted(across)


def test_paper_shows_each_row_once(page: Page) -> None:
    page.click(TOGETHER)
    page.emulate_media(media="print")
    assert page.evaluate(SHOWN) == [row.key for row in both().rows]
    assert not page.locator("#act-tcp0").is_visible()
    page.emulate_media(media="screen")
    page.click("[data-tab=tcp1]")
    page.emulate_media(media="print")
    assert len(page.evaluate(SHOWN)) == len(both().rows)
    assert not page.locator("#act-joint0").is_visible()


@pytest.mark.parametrize("shown", ["light", "dark;zh", "light;true"])
def test_an_audit_finds_nothing_serious(page: Page, shown: str) -> None:
    page.goto(f"{page.url}#;{shown};only-joint0")
    expect(page.locator("#act-joint0")).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []


def test_a_phone_needs_no_sideways_scrolling(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.click(TOGETHER)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#f4").inner_text().split()[:3] == ["0.000100", "TCP", "1"]
