"""The drawer in a real browser: its sentence, characters that were cut, where a loss can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lab import page as pages
from lab.evidence.run import Evidence
from lab.web.reports import linked
from tests.browser.served import chromium, watched
from tests.unit.test_page_cuts import sent

pytestmark = pytest.mark.chromium
Shown = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Shown:
    """Opens the report of some evidence at a frame; ``newest``: what a server would add to it."""

    @contextmanager
    def opening(
        evidence: Evidence, frame: int, newest: dict[str, str] | None = None
    ) -> Iterator[Page]:
        html = pages.report("handmade", evidence, None)
        file = tmp_path / "handmade.html"
        file.write_text(html if newest is None else linked(html, newest), encoding="utf-8")
        with watched(browser, file.as_uri(), offline=True) as page:
            page.goto(f"{file.as_uri()}#f{frame}")
            yield page

    return opening


def payloads(page: Page) -> list[str]:
    """As UTF-8, GBK and raw; what is marked in brackets."""
    page.evaluate(
        "for (const one of document.querySelectorAll('#drawer pre mark')) one.prepend('[');"
    )
    page.evaluate(
        "for (const one of document.querySelectorAll('#drawer pre mark')) one.append(']');"
    )
    return page.locator("#drawer pre.payload").all_inner_texts()


def test_the_first_line_is_a_sentence_in_the_language_that_is_shown(shown: Shown) -> None:
    with shown(sent(b"hello"), 4) as page:
        line = page.locator("#drawer .says p").first
        assert line.inner_text() == "The client sends 5 octets (1 to 5)."
        page.keyboard.press("l")
        assert line.inner_text() == "客户端发送 5 字节（1 至 5）。"


def test_a_character_that_a_recv_cuts_is_marked(shown: Shown) -> None:
    with shown(sent("你好吗".encode(), reads=(4, 5)), 4) as page:
        utf8, _, _ = payloads(page)
    assert utf8 == "你[好]吗 (a recv() ended within the marked character)"


def test_a_character_of_gbk_that_a_recv_cuts_is_marked(shown: Shown) -> None:
    with shown(sent("你好吗".encode("gbk"), reads=(3, 3)), 4) as page:
        _, gbk, _ = payloads(page)
    assert gbk == "你[好]吗 (a recv() ended within the marked character)"


def test_a_recv_that_ends_between_characters_marks_none(shown: Shown) -> None:
    with shown(sent("你好吗".encode(), reads=(3, 6)), 4) as page:
        assert payloads(page)[0] == "你好吗"


@pytest.mark.parametrize(
    ("encoding", "first", "second"),
    [
        (
            "utf-8",
            "你 [e5 a5] (cut: the character goes on in another segment)",
            "[bd] 吗 (cut: the character goes on in another segment)",
        ),
        (
            "gbk",
            "你 [ba] (cut: the character goes on in another segment)",
            "[c3] 吗 (cut: the character goes on in another segment)",
        ),
    ],
)
def test_a_character_between_two_segments_is_marked_in_both(
    shown: Shown, encoding: str, first: str, second: str
) -> None:
    octets = "你好吗".encode(encoding)
    place = 5 if encoding == "utf-8" else 3
    line = 0 if encoding == "utf-8" else 1
    evidence = sent(octets[:place], octets[place:])
    with shown(evidence, 4) as page:
        assert payloads(page)[line] == first
    with shown(evidence, 5) as page:
        assert payloads(page)[line] == second


def test_a_file_names_the_command_that_shows_a_loss(shown: Shown) -> None:
    with shown(sent(b"hello"), 4) as page:
        assert page.locator("#drawer code", has_text="lab run data_loss_rto").is_visible()


def test_a_server_leads_to_the_newest_run_that_shows_a_loss(shown: Shown) -> None:
    run = "20261121T120000Z-data_loss_rto"
    with shown(sent(b"hello"), 4, {"data_loss_rto": run}) as page:
        link = page.locator("#drawer a", has_text=run)
        assert link.get_attribute("href") == f"/runs/{run}"
        assert page.locator("#drawer code", has_text="lab run").count() == 0


def test_a_server_without_such_a_run_names_the_command(shown: Shown) -> None:
    with shown(sent(b"hello"), 4, {"tour": "20261121T120000Z-tour"}) as page:
        assert page.locator("#drawer code", has_text="lab run data_loss_rto").is_visible()
