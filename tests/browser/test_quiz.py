"""In a real browser: a question is answered with the keyboard alone, by clicks, and in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lab import questions
from lab.analyze import load_run
from lab.questions.base import Proof
from lab.questions.runs import Runs
from tests.browser.served import WITHIN, chromium, ladder_in, served, watched
from tests.checkout import Checkout
from tests.played import checkout_of, shared

pytestmark = [pytest.mark.chromium, pytest.mark.namespaces]

FIRST = questions.find("HS01")
SOON = WITHIN * 1000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return checkout_of(shared(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def address(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    progress = tmp_path_factory.mktemp("learner") / "progress.json"
    with served(checkout, progress) as printed:
        yield printed


def to_the_question(page: Page, address: str) -> None:
    page.goto(address.replace("/?", "/quiz?question=HS01&"))
    expect(page.locator("input[name=guess]").first).to_be_focused(timeout=SOON)


def run_of(page: Page, checkout: Checkout) -> Path:
    expect(page.locator("iframe")).to_be_visible(timeout=SOON)
    source = page.locator("iframe").get_attribute("src")
    assert source is not None
    return checkout.captures / source.removeprefix("/runs/")


def proof_of(folder: Path) -> Proof:
    return questions.prove(FIRST, Runs({FIRST.runs[0]: load_run(folder)}))


def predict(page: Page) -> None:
    """The second option, sure of it."""
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")


def test_a_question_is_answered_with_the_keyboard_alone(
    browser: Browser, address: str, checkout: Checkout
) -> None:
    with watched(browser, address, locale="en-GB") as page:
        to_the_question(page, address)
        predict(page)
        proof = proof_of(run_of(page, checkout))
        expect(page.locator(f"input[name={FIRST.values[0].id}]")).to_be_focused()
        for ask in FIRST.values:
            page.keyboard.type(str(proof.key[ask.id].accepted[0]))
            page.keyboard.press("Tab")
        page.keyboard.press("Tab")  # past the hint
        page.keyboard.type(FIRST.answer.en)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#verdict")).to_be_focused(timeout=SOON)
        expect(page.locator(".score")).to_contain_text("100 of 100")
        assert page.locator("mark.said").count() > 0


def test_the_frames_that_prove_it_are_lit_in_the_ladder(
    browser: Browser, address: str, checkout: Checkout
) -> None:
    with watched(browser, address, viewport={"width": 1600, "height": 1000}) as page:
        to_the_question(page, address)
        predict(page)
        proof = proof_of(run_of(page, checkout))
        ladder = ladder_in(page)
        page.locator("form button.main").last.click()
        expect(page.locator("#verdict")).to_be_visible(timeout=SOON)
        numbers = {int(cite.where[0]) for right in proof.key.values() for cite in right.cites}
        for number in numbers:
            expect(ladder.locator(f"#f{number}.lit")).to_be_attached(timeout=SOON)


def test_a_frame_that_is_clicked_fills_the_field(
    browser: Browser, address: str, checkout: Checkout
) -> None:
    with watched(browser, address, viewport={"width": 1600, "height": 1000}) as page:
        to_the_question(page, address)
        predict(page)
        (number, *_) = proof_of(run_of(page, checkout)).key[FIRST.values[0].id].accepted
        ladder_in(page).locator(f"#f{number} a.hit").click(timeout=SOON)
        expect(page.locator(f"input[name={FIRST.values[0].id}]")).to_have_value(f"#{number}")


def test_a_hint_is_shown_and_counted(browser: Browser, address: str) -> None:
    with watched(browser, address, locale="en-GB") as page:
        to_the_question(page, address)
        predict(page)
        expect(page.locator("iframe")).to_be_visible(timeout=SOON)
        page.locator(".hints + button").click()
        expect(page.locator(".hints li")).to_contain_text(FIRST.hints[0].en)


def test_an_interview_begins_with_the_clock(browser: Browser, address: str) -> None:
    with watched(browser, address, locale="zh-CN") as page:
        page.goto(address.replace("/?", "/quiz?"))
        page.click("#interview")
        expect(page.locator("#spoken")).to_be_focused(timeout=SOON)
        expect(page.locator(".clock")).to_contain_text("剩余")
        page.keyboard.type("三次握手")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("form")).to_be_visible()
        expect(page.locator("#question li.open").first).to_be_visible()  # what the words lack
        expect(page.locator("iframe")).to_have_count(0)  # nothing is shown before the prediction


def test_a_case_is_diagnosed_by_keyboard(browser: Browser, address: str) -> None:
    with watched(browser, address, locale="en-GB") as page:
        page.goto(address.replace("/?", "/quiz?"))
        page.focus("#diagnose")
        page.keyboard.press("Enter")
        expect(page.locator("#question pre")).to_be_visible(timeout=SOON)
        page.focus(".chips button")
        page.keyboard.press("Enter")
        expect(page.locator("#pieces h3")).to_have_count(1)
        page.focus("input[name=cause]")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.locator("#verdict .score")).to_be_visible(timeout=SOON)
