"""The tour's page in a real browser: switches, keyboard, drawer, print, a narrow screen, an audit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lab import page as pages
from lab.analyze import load_run
from lab.evidence.build import alone, view
from lab.packets.rows import frame
from lab.report.account import judge
from lab.text import Language
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import Wire

pytestmark = pytest.mark.chromium
SAMPLE = Path(__file__).parents[2] / "captures" / "samples" / "tour"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
LANGUAGES, THEMES = ("", "zh"), ("light", "dark")


@cache
def tour(language: Language = Language.EN) -> str:
    evidence = load_run(SAMPLE)
    return pages.report("tour", evidence, judge(evidence), language)


def transfer(segments: int) -> str:
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, 99)
    wire.tcp(10, SERVER, SYN | ACK, 499, 100)
    wire.tcp(20, CLIENT, ACK, 100, 500)
    for index in range(segments):
        wire.tcp(100 + 20 * index, SERVER, PSH | ACK, 500 + 1000 * index, 100, bytes(1000))
        wire.tcp(110 + 20 * index, CLIENT, ACK, 100, 1500 + 1000 * index)
    return pages.report("long", alone(view("", "long", wire.pcapng())), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Opened:
    """The page in a browser, and what must not happen there."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, hash_: str = "") -> Page:
        """Open it afresh, with something behind the #."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{hash_}")
        return self.page

    @property
    def classes(self) -> set[str]:
        return set((self.page.locator("html").get_attribute("class") or "").split())

    def hash(self) -> str:
        return str(self.page.evaluate("location.hash"))

    def focused(self) -> str:
        """The row in which the focus is."""
        return str(self.page.evaluate("document.activeElement.closest('li')?.id || ''"))


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Opened]:
    """The tour's page, from disk; no complaint and no request may have come by the end."""
    yield from open_page(chromium, tmp_path, tour())


def open_page(chromium: Browser, folder: Path, html: str) -> Iterator[Opened]:
    file = folder / "report.html"
    file.write_text(html, encoding="utf-8")
    context = chromium.new_context(viewport=WIDE, offline=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)
    made = Opened(page, file.as_uri())
    page.on("console", lambda message: made.complaints.append(message.text))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("request", lambda request: made.requests.append(request.url.partition("#")[0]))
    made.go()
    yield made
    context.close()
    assert made.complaints == []
    assert set(made.requests) <= {made.address, "about:blank"}


# ---------------------------------------------------------------- switches


def test_one_language_is_seen_at_a_time(opened: Opened) -> None:
    heading = opened.page.locator("h1")
    assert heading.inner_text() == "The tour: TCP opens, talks and closes; UDP just talks"
    opened.page.keyboard.press("l")
    assert re.search("[一-鿿]", heading.inner_text())
    assert opened.page.locator("html").get_attribute("lang") == "zh-Hans"


def test_a_page_made_in_chinese_opens_in_chinese(chromium: Browser, tmp_path: Path) -> None:
    for opened in open_page(chromium, tmp_path, tour(Language.ZH)):
        heading = opened.page.locator("h1")
        assert re.search("[一-鿿]", heading.inner_text())
        opened.page.keyboard.press("l")
        assert heading.inner_text() == "The tour: TCP opens, talks and closes; UDP just talks"
        opened.page.reload()
        assert opened.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("r", "seq 1 +17", "seq 3167176649 +17"),
        ("w", "win 64.5 kB", "win 63"),
    ],
)
def test_numbers_are_switched_by_a_key(opened: Opened, key: str, before: str, after: str) -> None:
    label = opened.page.locator("#f6 .label")
    assert before in " ".join(label.inner_text().split())
    opened.page.keyboard.press(key)
    assert after in " ".join(label.inner_text().split())
    opened.page.keyboard.press(key)
    assert before in " ".join(label.inner_text().split())


def test_the_four_clocks_follow_each_other(opened: Opened) -> None:
    clock, seen = opened.page.locator("#f6 .time"), []
    for _ in range(5):
        seen.append(clock.inner_text())
        opened.page.keyboard.press("t")
    assert seen == ["0.000478", "+0.000020", "+0.000428", "16:08:37.848600", "0.000478"]


def test_a_button_does_what_its_key_does(opened: Opened) -> None:
    opened.page.locator("[data-key=r]").click()
    assert "abs" in opened.classes


def test_true_time_shows_how_long_nothing_happened(opened: Opened) -> None:
    span = opened.page.locator("#act-tcp0").get_by_text("40 ms", exact=True)
    assert not span.is_visible()
    opened.page.keyboard.press("e")
    assert span.is_visible()


def test_true_time_moves_rows_and_arrows_to_where_python_put_them(opened: Opened) -> None:
    places = "getComputedStyle(document.querySelector('#f6')).getPropertyValue('--Y')"
    wanted = float(str(opened.page.evaluate(places)).removesuffix("px"))
    opened.page.keyboard.press("e")
    assert opened.page.evaluate("document.querySelector('#f6').offsetTop") == pytest.approx(
        wanted, abs=1
    )


def test_an_arrow_falls_as_far_as_python_said(opened: Opened) -> None:
    box = opened.page.locator("#f6 .shaft").bounding_box()
    fall = str(opened.page.evaluate("document.querySelector('#f6').style.getPropertyValue('--f')"))
    assert box is not None
    assert box["height"] == pytest.approx(float(fall.removesuffix("px")), abs=0.6)


def test_the_theme_can_be_switched(opened: Opened) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = opened.page.evaluate(paper)
    opened.page.keyboard.press("d")
    assert opened.page.evaluate(paper) != light


def test_a_tab_leaves_one_exchange(opened: Opened) -> None:
    opened.page.locator("[data-tab=tcp1]").click()
    shown = [one.get_attribute("id") for one in opened.page.locator(".act:visible").all()]
    assert shown == ["act-tcp1"]


def test_the_address_keeps_every_switch(opened: Opened) -> None:
    for key in "rwtepl":
        opened.page.keyboard.press(key)
    kept = opened.hash()
    opened.go(kept[1:])
    assert {"abs", "raw", "t1", "true", "code"} <= opened.classes
    assert opened.page.locator("html").get_attribute("lang") == "zh-Hans"


# ---------------------------------------------------------------- keyboard and drawer


def test_the_keyboard_alone_opens_moves_and_closes(opened: Opened) -> None:
    page = opened.page
    page.locator("[data-tab=tcp0]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    for _ in range(30):
        if opened.focused():
            break
        page.keyboard.press("Tab")
    first = opened.focused()
    page.keyboard.press("ArrowDown")
    second = opened.focused()
    assert (first, second) == ("tcp0c0", "tcp0c1")
    page.keyboard.press("Enter")
    assert page.locator("#drawer").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#drawer").is_visible()
    assert opened.focused() == second


@pytest.mark.parametrize("number", [1, 3, 6, 12, 25, 27])
def test_the_drawers_octets_are_those_of_the_capture(opened: Opened, number: int) -> None:
    page = opened.go(f"f{number}")
    shown = "".join(page.locator("#drawer [data-o]").all_inner_texts())
    assert bytes.fromhex(shown) == frame(load_run(SAMPLE).view.capture, number - 1).octets


def test_annotated_octets_are_the_same_octets(opened: Opened) -> None:
    page = opened.go("f6/bytes")
    shown = "".join(page.locator("#drawer [data-o]").all_inner_texts())
    assert bytes.fromhex(shown) == frame(load_run(SAMPLE).view.capture, 5).octets
    labels = page.locator("#drawer .group u").all_inner_texts()
    assert "Sequence Number 3167176649" in labels


def test_a_field_lights_its_octets(opened: Opened) -> None:
    page = opened.go("f6")
    page.locator("#drawer tr", has_text="Sequence Number").hover()
    lit = "".join(page.locator("#drawer [data-o].at").all_inner_texts())
    assert int(lit.replace(" ", ""), 16) == 3167176649


def test_an_octet_lights_its_field(opened: Opened) -> None:
    page = opened.go("f6")
    page.locator("#drawer [data-o='14']").hover()
    assert page.locator("#drawer tr.at td:first-child").all_inner_texts() == ["Version", "IHL"]


def test_a_payload_is_shown_in_both_encodings(opened: Opened) -> None:
    page = opened.go("f6")
    utf8, gbk, raw = page.locator("#drawer .payload").all_inner_texts()
    assert utf8.strip() == "你好,服务器!"
    assert gbk.strip() != utf8.strip()
    assert raw.startswith("\\xe4\\xbd\\xa0")


def test_a_promise_leads_to_the_frame_that_proves_it(opened: Opened) -> None:
    opened.page.locator("#verdict a", has_text="#12").first.click()
    assert opened.hash() == "#f12"
    assert opened.page.locator("#f12 .hit.here").is_visible()


# ---------------------------------------------------------------- everybody


@pytest.mark.parametrize(("language", "theme"), list(product(LANGUAGES, THEMES)))
@pytest.mark.parametrize("hash_", ["", "f6", "f6/bytes"])
def test_an_audit_finds_nothing_serious(
    opened: Opened, language: str, theme: str, hash_: str
) -> None:
    page = opened.go(";".join(part for part in (hash_, language, theme)))
    for one in page.locator("main details").all():
        one.evaluate("details => details.open = true")
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []


@pytest.mark.parametrize("hash_", ["", ";zh", ";true", "f6", "f6/bytes;abs"])
def test_a_phone_needs_no_sideways_scrolling(opened: Opened, hash_: str) -> None:
    opened.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = opened.go(hash_)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_rows_are_a_list_that_says_who_and_which_state(opened: Opened) -> None:
    opened.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    words = opened.page.locator("#f4").inner_text()
    assert "S → C" in words
    assert "C: ESTABLISHED" in words


def test_print_opens_everything(opened: Opened, tmp_path: Path) -> None:
    opened.page.pdf(path=tmp_path / "tour.pdf")
    assert (tmp_path / "tour.pdf").stat().st_size > 20_000
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator("#printed .sheet").count() == 27
    assert opened.page.locator("main details:not([open])").count() == 0


# ---------------------------------------------------------------- long runs


@pytest.fixture(scope="module")
def long_page() -> str:
    return transfer(2000)


@pytest.fixture
def long_run(chromium: Browser, tmp_path: Path, long_page: str) -> Iterator[Opened]:
    yield from open_page(chromium, tmp_path, long_page)


def test_of_a_long_run_only_what_is_near_is_in_the_page(long_run: Opened) -> None:
    long_run.page.locator("#f3 .hit").wait_for()
    assert long_run.page.locator(".rows > li").count() <= 300


def test_a_frame_far_down_can_be_linked(long_run: Opened) -> None:
    page = long_run.go("f3500")
    page.locator("#f3500 .hit.here").wait_for()
    assert page.locator("#drawer h2").inner_text().startswith("#3500")


def test_scrolling_never_changes_how_long_the_page_is(long_run: Opened) -> None:
    page = long_run.page
    page.locator("#f3 .hit").wait_for()
    height = page.evaluate("document.documentElement.scrollHeight")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    page.locator(".rows:not([data-chunk='0']) .hit").first.wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") == height


def print_for_paper(page: Page) -> None:
    """What the page does for its own key, up to where the browser would lay out paper."""
    page.evaluate("window.print = () => dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.keyboard.press("P")


def test_a_long_run_is_printed_as_far_as_paper_is_sensible(long_run: Opened) -> None:
    page = long_run.page
    print_for_paper(page)
    expect(page.locator(".rows > li")).to_have_count(1000)
    assert page.locator(".stage + .warning").inner_text().startswith("Rows not printed: 3003")


def test_a_printed_ladder_ends_with_its_last_printed_row(long_run: Opened) -> None:
    page = long_run.page
    print_for_paper(page)
    expect(page.locator(".rows > li")).to_have_count(1000)
    bottoms = "one => one.getBoundingClientRect().bottom"
    stage, row = (
        page.locator(name).evaluate(bottoms) for name in (".stage", "#f1000 .wire .label")
    )
    assert 0 <= stage - row < 200


def test_after_printing_the_page_is_as_it_was(long_run: Opened) -> None:
    page = long_run.page
    height = page.evaluate("document.documentElement.scrollHeight")
    print_for_paper(page)
    expect(page.locator(".rows > li")).to_have_count(1000)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".rows[hidden], .stage + .warning").count() == 0
    assert page.locator(".rows > li").count() <= 300
    assert page.evaluate("document.documentElement.scrollHeight") == height


def test_the_browsers_own_command_prints_what_is_unpacked_by_then(long_run: Opened) -> None:
    count = """async () => {
        for (let turn = 0; turn < 200; turn++) {
            dispatchEvent(new Event("beforeprint"));
            const rows = document.querySelectorAll(".rows > li").length;
            if (rows >= 500) return rows;
            dispatchEvent(new Event("afterprint"));
            await new Promise(requestIdleCallback);
        }
    }"""
    assert long_run.page.evaluate(count) >= 500
