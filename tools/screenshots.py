"""Screenshots for docs/: the page of the committed tour, as Debian's chromium shows it (`make screenshots`)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lab import page as pages
from lab.analyze import load_run
from lab.report.account import judge

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
TOUR = ROOT / "captures" / "samples" / "tour"
DOCS = ROOT / "docs"


UP = "(one) => scrollTo(0, scrollY + one.getBoundingClientRect().top - 96)"
"""Below the bar that stays where it is."""


class Shot(Struct, frozen=True):
    """One picture: what stands behind the page's #, and what is scrolled to the top."""

    file: str
    hash: str
    top: str = ".top"
    width: int = 1280
    height: int = 800


SHOTS = (
    Shot("ladder-light.png", ";light", height=960),
    Shot("ladder-dark.png", ";dark;zh;only-tcp0", "#act-tcp0"),
    Shot("drawer.png", "f6;light", "#act-tcp0 li.call.left", width=1400, height=720),
)


def main() -> None:
    """Take all of them."""
    from playwright.sync_api import sync_playwright

    DOCS.mkdir(exist_ok=True)
    evidence = load_run(TOUR)
    html = pages.report(TOUR.name, evidence, judge(evidence))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "report.html")
        file.write_text(html, encoding="utf-8")
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for shot in SHOTS:
            take(browser, file.as_uri(), shot)
        browser.close()


def take(browser: Browser, address: str, shot: Shot) -> None:
    """Write one picture."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, offline=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{address}#{shot.hash}")
    page.locator(shot.top).first.evaluate(UP)
    page.screenshot(path=DOCS / shot.file, animations="disabled")
    context.close()
    print(f"{shot.file}  {(DOCS / shot.file).stat().st_size:,} octets")


if __name__ == "__main__":
    main()
