"""The page: what writing it costs, how soon Chromium obeys, long runs, frames that appear live.

Times in Chromium are taken by the page's own clock, from its navigation on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, expect

from lab.analyze import load_run
from tests.browser.served import WITHIN, chromium, served
from tests.checkout import ROOT, Checkout
from tools.bench.figure import Figure, alternate
from tools.bench.transfer import add_bulk

TIMES = 7
KB = 1000
SAMPLE = ROOT / "captures" / "samples" / "tour"
OCTETS = 29_500_000  # give a good 20,000 frames at each port
MOST_ROWS = 300  # of a long run in the page at a time
LIVE = ("tour", "tcp_lifecycle", "synack_lost", "app_heartbeat")

WRITING = """
import sys, time
from pathlib import Path
from lab.cli._play import look
from lab.text import Language
from lab.saving import findings
seen = look(Path(sys.argv[1]), Language.EN)
found = findings(seen.evidence)
for _ in range(2):
    began = time.process_time()
    from lab.page import report
    page = report(seen.folder.name, seen.evidence, seen.judged, Language.EN, found)
    Path(sys.argv[2]).write_bytes(page.encode())
    print(time.process_time() - began)
"""
"""CPU seconds of two times, in a process that has told of a run, as `lab run` does before."""

OBEYS = """
window.obeyed = new Promise((done) => addEventListener("DOMContentLoaded", async () => {
  while (!document.querySelector(".hit")) await new Promise(requestAnimationFrame);
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true }));
  if (!document.documentElement.classList.contains("abs")) throw new Error("no effect");
  requestAnimationFrame(() => setTimeout(() => done(performance.now())));
}));
"""
"""A key is pressed as soon as the page's script has run and a row is there; its effect has been drawn."""

SCROLLED = """async () => {
  let most = 0;
  while (scrollY + innerHeight < document.documentElement.scrollHeight - 1) {
    scrollBy(0, 2 * innerHeight);
    await new Promise(requestAnimationFrame);
    most = Math.max(most, document.querySelectorAll(".rows > li").length);
  }
  return most;
}"""
"""Two screens a picture from top to bottom; the most rows that were in the page at a time."""

APPEARED = """
window.appeared = {};
const known = new WeakSet();
addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  const fresh = [...document.querySelectorAll("li.frame")].filter((row) => !known.has(row));
  fresh.forEach((row) => known.add(row));
  if (fresh.length) requestAnimationFrame(() => setTimeout(() => {
    for (const { id } of fresh) appeared[id] = performance.timeOrigin + performance.now();
  }));
}).observe(document, { childList: true, subtree: true }));
"""
"""When each row of a frame was drawn first: ms since 1970."""


def figures() -> Iterator[Figure]:
    """Writing the tour's page and using it, a run of 20,000 frames, the live page."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        yield from _writing(folder / "report.html")
        yield from _tour(browser, folder / "report.html")
        lab = Checkout.make(folder / "lab")
        shutil.copytree(SAMPLE, lab.captures / "samples" / "tour")
        yield from _long(browser, lab)
        yield _live(browser, lab, folder / "progress.json")


def _writing(file: Path) -> Iterator[Figure]:
    first, again = zip(*(_written(file) for _ in range(TIMES)), strict=True)
    for name, took in (("imports included", first), ("once more", again)):
        detail = f"at best {min(took):.0f}"
        yield Figure(f"writing the tour's page, {name} (CPU ms)", median(took), 100, detail)


def _written(file: Path) -> tuple[float, float]:
    """CPU milliseconds of the first and of the second time; Python keeps what it compiles."""
    command = [sys.executable, "-c", WRITING, str(SAMPLE), str(file)]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    said = subprocess.check_output(command, text=True, cwd=ROOT, env=kept)
    first, again = (float(line) * 1000 for line in said.split())
    return first, again


def _tour(browser: Browser, file: Path) -> Iterator[Figure]:
    yield Figure("the tour's page (kB)", file.stat().st_size / KB, 400, "")
    (obeyed,) = alternate(TIMES, lambda: _obeyed(browser, file))
    yield Figure("the tour's page obeys a key (ms)", obeyed, 500, "")


def _long(browser: Browser, lab: Checkout) -> Iterator[Figure]:
    add_bulk(lab, OCTETS)
    run = lab.lab("run", "bulk", "--engine", "namespaces")
    if run.returncode:
        raise RuntimeError(run.stdout + run.stderr)
    file, frames = lab.newest / "report.html", len(load_run(lab.newest).view.capture.frames)
    detail = f"{frames:,} frames, {file.stat().st_size / KB:,.0f} kB"
    (obeyed,) = alternate(TIMES, lambda: _obeyed(browser, file))
    yield Figure("a long run's page obeys a key (ms)", obeyed, 3000, detail)
    with _opened(browser, file) as page:
        browser.start_tracing(page=page, categories=["toplevel"])
        rows = page.evaluate(SCROLLED)
        longest = _longest_task(browser.stop_tracing())
    yield Figure("the same, longest task while scrolling (CPU ms)", longest, 50, "")
    yield Figure("the same, most rows in the page", rows, MOST_ROWS, "")


def _longest_task(traced: bytes) -> float:
    """CPU milliseconds that the page's thread was busy without a pause."""
    events = json.loads(traced)["traceEvents"]
    pages = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks = (one for one in events if one["ph"] == "X" and (one["pid"], one["tid"]) in pages)
    return max(float(one.get("tdur", 0)) for one in tasks) / 1000


def _obeyed(browser: Browser, file: Path) -> float:
    """Milliseconds."""
    with _opened(browser, file) as page:
        return float(page.evaluate("obeyed"))


@contextmanager
def _opened(browser: Browser, file: Path) -> Iterator[Page]:
    """A page that has obeyed a key."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(OBEYS)
        page.goto(file.as_uri())
        page.evaluate("obeyed")
        yield page


def _live(browser: Browser, lab: Checkout, progress: Path) -> Figure:
    with served(lab, progress) as address, browser.new_context() as context:
        page = context.new_page()  # the only one: a page behind another is not drawn
        page.add_init_script(APPEARED)
        page.goto(address.replace("/?", "/live?"))
        took = [one for name in LIVE for one in _late(page, lab, name)]
    middle = f"{len(took)} frames, median {median(took):.0f} ms"
    return Figure("from a frame's capture to its row, the latest (ms)", max(took), 300, middle)


def _late(page: Page, lab: Checkout, scenario: str) -> list[float]:
    """Milliseconds from the moment that the kernel gave a frame to its row, for each of a run."""
    page.evaluate("name => { appeared = {}; return post(`/run/${name}`); }", scenario)
    expect(page.locator("#title")).to_have_text(scenario, timeout=WITHIN * 1000)
    expect(page.locator("#done")).to_be_visible(timeout=WITHIN * 1000)
    appeared = page.evaluate("new Promise((done) => setTimeout(() => done(appeared), 200))")
    times = load_run(lab.newest).view.capture.frames.time / 1e6
    return [appeared[f"f{number}"] - time for number, time in enumerate(times, 1)]
