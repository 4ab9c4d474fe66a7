"""In a real browser: how the quiz's page leads through a question, on any screen, for everybody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from lab import questions
from tests.browser.served import WITHIN, chromium, ladder_in, served, watched
from tests.checkout import Checkout
from tests.played import checkout_of, run_folder, shared

pytestmark = [pytest.mark.chromium, pytest.mark.namespaces]

SOON = WITHIN * 1000
FRAME, NUMBER = (questions.find("HS01").values[n].id for n in (0, 3))
TWO_RUNS = questions.find("HS04")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def checkout(base: Path) -> Checkout:
    return checkout_of(base)


@pytest.fixture(scope="module")
def address(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    progress = tmp_path_factory.mktemp("learner") / "progress.json"
    with served(checkout, progress) as printed:
        yield printed


def asked(page: Page, address: str, question: str = "HS01") -> None:
    page.goto(address.replace("/?", f"/quiz?question={question}&"))
    expect(page.locator("input[name=guess]").first).to_be_focused(timeout=SOON)


def played(page: Page) -> FrameLocator:
    """Predicts the first option; gives the ladder that is in front."""
    page.locator("input[name=guess]").first.check()
    page.locator("form button.main").click()
    return ladder_in(page)


def segment(ladder: FrameLocator) -> tuple[int, Locator]:
    """A frame of the connection and its number: which it is depends on what the hosts announced."""
    row = ladder.locator("[id^=act-tcp] li.frame").first
    return int(str(row.get_attribute("id")).removeprefix("f")), row.locator("a.hit")


def handed_in(page: Page) -> None:
    page.locator("form button.main").last.click()
    expect(page.locator("#verdict")).to_be_visible(timeout=SOON)


def test_a_chosen_frame_leaves_a_field_of_another_kind_alone(
    browser: Browser, address: str
) -> None:
    """Whoever looks up a frame's sequence number has the field for it in hand."""
    with watched(browser, address, viewport={"width": 1600, "height": 1000}) as page:
        asked(page, address)
        ladder = played(page)
        page.locator(f"input[name={NUMBER}]").focus()
        segment(ladder)[1].click()
        expect(ladder.locator("#drawer")).to_be_visible()
        assert page.locator(f"input[name={NUMBER}]").input_value() == ""


def test_by_keyboard_from_the_ladder_back_to_the_field(browser: Browser, address: str) -> None:
    with watched(browser, address, viewport={"width": 1600, "height": 1000}) as page:
        asked(page, address)
        ladder = played(page)
        page.locator(f"input[name={FRAME}]").focus()
        number, link = segment(ladder)
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator(f"input[name={FRAME}]")).to_have_value(f"#{number}")
        page.keyboard.press("Escape")
        expect(ladder.locator("#drawer")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator(f"input[name={FRAME}]")).to_be_focused()


def test_the_run_that_proves_it_comes_to_the_front(browser: Browser, address: str) -> None:
    with watched(browser, address, viewport={"width": 1600, "height": 1000}) as page:
        asked(page, address, TWO_RUNS.id)
        played(page)
        handed_in(page)
        page.locator("#verdict button", has_text=TWO_RUNS.runs[1]).first.click()
        run = page.locator("iframe:not([hidden])").get_attribute("data-run") or ""
        assert run.endswith(TWO_RUNS.runs[1])
        expect(page.locator("#runs button[aria-pressed=true]")).to_have_text(TWO_RUNS.runs[1])


def test_every_claim_says_what_it_rests_on_and_leads_to_the_run(
    browser: Browser, address: str
) -> None:
    with watched(browser, address, locale="en-GB") as page:
        asked(page, address)
        played(page)
        run = page.locator("iframe:not([hidden])").get_attribute("data-run")
        handed_in(page)
        marks = page.locator("#verdict .rests")
        assert marks.count() == page.locator("#verdict li:has(.rests)").count() > 0
        assert set(marks.all_inner_texts()) == {"your run"}
        assert marks.locator("a").first.get_attribute("href") == f"/runs/{run}"
        standard = page.locator("#verdict small", has_text="RFC 9293")
        assert standard.inner_text().startswith("standard: RFC 9293 section")


def test_after_the_verdict_progress_is_shown_again(browser: Browser, address: str) -> None:
    with watched(browser, address, locale="zh-CN") as page:
        asked(page, address)
        expect(page.locator("#progress")).to_be_hidden()
        played(page)
        handed_in(page)
        expect(page.locator("#progress")).to_be_visible()
        expect(page.locator("#progress summary")).to_have_count(8)


def test_points_that_hints_cost_are_told(browser: Browser, address: str) -> None:
    with watched(browser, address, locale="en-GB") as page:
        asked(page, address)
        played(page)
        page.locator(".hints + button").click()
        expect(page.locator(".hints li")).to_have_count(1)
        handed_in(page)
        expect(page.locator(".score")).to_contain_text("less 2 for hints")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_small_screen_nothing_is_cut_off_and_axe_finds_nothing_serious(
    scheme: str, browser: Browser, address: str
) -> None:
    size = {"width": 360, "height": 740}
    options = {"viewport": size, "color_scheme": scheme, "reduced_motion": "reduce"}
    with watched(browser, address, locale="zh-CN", **options) as page:
        asked(page, address)
        grave = seen(page)
        played(page)
        grave += seen(page)
        handed_in(page)
        assert grave + seen(page) == []


def seen(page: Page) -> list[str]:
    """What keeps somebody out of the page as it is now."""
    found = Axe().run(page, options={"iframes": False}).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    grave = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    return [*grave, *(["wider than the screen"] if wide else [])]


def test_a_question_that_the_server_forgot_is_asked_again(browser: Browser, address: str) -> None:
    """It was restarted: what is open there is gone."""
    page = browser.new_page(locale="en-GB")
    asked(page, address)
    page.route(
        "**/predict", lambda route: route.continue_(url=f"{route.request.url}/../../none/run")
    )
    page.locator("form button.main").click()
    expect(page.locator("#told")).to_contain_text("no longer open")
    page.click("#told button")
    expect(page.locator("#told")).to_be_empty()
    expect(page.locator("input[name=guess]").first).to_be_focused()
    page.close()


def test_a_page_that_only_shows_says_what_to_play_first(
    browser: Browser, base: Path, checkout: Checkout, tmp_path: Path
) -> None:
    folder = run_folder(base, "tcp_lifecycle")
    assert folder is not None
    shutil.copytree(folder, tmp_path / "captures" / folder.name)
    arguments = ("--show-only", "--captures", str(tmp_path / "captures"))
    with (
        served(checkout, tmp_path / "p.json", *arguments) as printed,
        watched(browser, printed, locale="en-GB") as page,
    ):
        page.goto(f"{printed}quiz")
        page.locator("#stage-0 summary").click()
        lacking = page.locator("#stage-0 li", has_text="HS04 ")
        expect(lacking.locator("code")).to_contain_text("first: lab run open_simultaneous")
        page.locator("#stage-0 li", has_text="HS01 ").locator("button").click()
        expect(page.locator("input[name=guess]").first).to_be_focused(timeout=SOON)
        played(page)
