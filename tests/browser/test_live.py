"""In a real browser: a run is started at a press, draws itself while it is on, and ends in its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.served import WITHIN, chromium, served, watched
from tests.played import checkout_of, shared

pytestmark = [pytest.mark.chromium, pytest.mark.namespaces]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tmp = tmp_path_factory.getbasetemp()
    with served(checkout_of(shared(tmp)), tmp / "progress.json") as printed:
        yield printed


def start(page: Page, scenario: str) -> None:
    page.select_option("#scenario", scenario)
    page.focus("#scenario")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/live")


def test_a_run_draws_itself_while_it_is_on(browser: Browser, address: str) -> None:
    with watched(browser, address) as page:
        page.goto(address)
        start(page, "synack_lost")  # a second passes between its frames
        expect(page.locator("#state")).to_contain_text("recording", timeout=WITHIN * 1000)
        page.wait_for_selector("li.frame", state="attached", timeout=WITHIN * 1000)
        first = page.locator("li.frame").count()
        assert page.locator("#done").is_hidden()
        expect(page.locator("#done")).to_be_visible(timeout=WITHIN * 1000)
        assert 0 < first < page.locator("li.frame").count()
        page.click("#report")
        assert "synack_lost" in page.url
        expect(page.locator("#ladder li.frame").first).to_be_attached()


def test_rows_that_stay_the_same_stay_in_the_page(browser: Browser, address: str) -> None:
    """What a reader has focused or selected is not torn away by the next frame."""
    with watched(browser, address) as page:
        page.goto(address)
        start(page, "synack_lost")
        expect(page.locator("#state")).to_contain_text("recording", timeout=WITHIN * 1000)
        page.wait_for_selector("li.frame", state="attached", timeout=WITHIN * 1000)
        page.evaluate(
            "document.querySelectorAll('li.frame').forEach((row) => { row.mine = true; })"
        )
        expect(page.locator("#done")).to_be_visible(timeout=WITHIN * 1000)
        kept = page.evaluate(
            "[...document.querySelectorAll('li.frame')].filter((row) => row.mine).length"
        )
        assert kept > 0


def test_who_comes_late_sees_the_whole_run(browser: Browser, address: str) -> None:
    with watched(browser, address) as page:
        page.goto(address)
        start(page, "tcp_lifecycle")
        expect(page.locator("#title")).to_have_text("tcp_lifecycle", timeout=WITHIN * 1000)
        expect(page.locator("#done")).to_be_visible(timeout=WITHIN * 1000)
        drawn = page.locator("li.frame").count()
        page.reload()
        expect(page.locator("li.frame")).to_have_count(drawn)


def test_both_languages_and_both_themes(browser: Browser, address: str) -> None:
    with watched(browser, address, color_scheme="light", locale="en-GB") as page:
        page.goto(address)
        expect(page.locator("h1")).to_contain_text("Runs")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.click("#language")
        expect(page.locator("h1 span[lang|=zh]")).to_be_visible()
        expect(page.locator("h1 span[lang=en]")).to_be_hidden()
        page.click("#theme")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
        page.goto(address + "&again")
        expect(page.locator("h1 span[lang|=zh]")).to_be_visible()  # remembered


def test_without_the_token_nothing_can_be_pressed(browser: Browser, address: str) -> None:
    with watched(browser, address) as page:
        page.goto(f"http://{urlsplit(address).netloc}/")
        expect(page.locator("#play button")).to_be_disabled()
        expect(page.locator("#untrusted")).to_be_visible()


@pytest.mark.parametrize("where", ["", "live", "quiz"])
def test_nothing_is_wider_than_a_phone(where: str, browser: Browser, address: str) -> None:
    with watched(browser, address, viewport={"width": 360, "height": 740}) as page:
        page.goto(f"http://{urlsplit(address).netloc}/{where}")
        page.wait_for_load_state("networkidle" if where != "live" else "load")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("where", ["", "live", "quiz"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(
    where: str, scheme: str, browser: Browser, address: str, tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with watched(browser, address, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(f"{address}".replace("/?", f"/{where}?"))
        page.wait_for_selector("h1")
        found = Axe().run(page).response["violations"]
    grave = [
        (one["id"], one["nodes"][0]["html"])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []
