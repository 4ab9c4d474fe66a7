"""A server of the page for browser tests, and a browser that takes down every complaint."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, FrameLocator, Page, expect, sync_playwright

from tests.checkout import Checkout, read_until

WITHIN = 60  # s


@contextmanager
def served(checkout: Checkout, progress: Path, *arguments: str) -> Iterator[str]:
    """`lab serve` in a checkout; gives the address that it printed, and is ended by its handle."""
    process = subprocess.Popen(
        checkout.command("serve", "--port", "0", "--engine", "namespaces", *arguments),
        cwd=checkout.root,
        env=checkout.environment(LAB_PROGRESS=str(progress)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield "http" + read_until(process, "http").partition("http")[2].split()[0]
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=WITHIN)
    assert said == ""  # no traceback, no warning


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """A page; at the end nothing may have been complained of, or asked of another origin."""
    complaints: list[str] = []
    asked: list[str] = []
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", lambda request: asked.append(request.url))
    try:
        yield page
    finally:
        context.close()
    own = urlsplit(address).netloc
    assert complaints == []
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {own}


def ladder_in(page: Page) -> FrameLocator:
    """The ladder that is in front, loaded: before, no link takes focus and no script listens."""
    ladder = page.frame_locator("iframe:not([hidden])")
    expect(ladder.locator("li.frame a.hit").first).to_be_attached(timeout=WITHIN * 1000)
    frame = ladder.owner.element_handle().content_frame()
    assert frame is not None
    frame.wait_for_load_state(timeout=WITHIN * 1000)
    return ladder
