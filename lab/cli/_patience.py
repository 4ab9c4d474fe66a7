"""What a user sees of work that takes long: a bar on the terminal, one line if it is broken off."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from threading import Event, Thread
from time import monotonic
from typing import Any

import click

from lab.errors import Stopped
from lab.text import Language, Text

AT_ONCE = 1.0
"""Seconds of work before which nothing is shown."""

TICK = 0.2
STEPS = 1000
"""Of a bar with a share."""

SECONDS = Text("{doing}, {seconds} s", "{doing}，已 {seconds} 秒")


@contextmanager
def stoppable() -> Iterator[None]:
    """End in one line at Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped from None


@contextmanager
def busy(doing: Text, language: Language) -> Iterator[None]:
    """Show a moving bar on standard error, if that is a terminal and the work takes a second."""
    with _shown(doing, language, None):
        yield


@contextmanager
def progress(doing: Text, language: Language) -> Iterator[Callable[[float], None] | None]:
    """As `busy`, with a share: call what is given with shares done, 0 to 1; None if none is shown."""
    share = _Share()
    with _shown(doing, language, share):
        yield share.rise if sys.stderr.isatty() else None


class _Share:
    """The largest share that was told."""

    def __init__(self) -> None:
        self.done = 0.0

    def rise(self, share: float) -> None:
        self.done = max(self.done, share)


@contextmanager
def _shown(doing: Text, language: Language, share: _Share | None) -> Iterator[None]:
    if not sys.stderr.isatty():
        yield
        return
    done = Event()
    watcher = Thread(target=_watch, args=(done, doing, language, share), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(done: Event, doing: Text, language: Language, share: _Share | None) -> None:
    begin = monotonic()
    if done.wait(AT_ONCE):
        return
    bar = _bar(share)

    def update() -> None:
        waited = f"{monotonic() - begin:.0f}"
        bar.label = SECONDS.fill(doing=doing, seconds=waited).say(language)
        bar.pos = int(share.done * STEPS) if share else bar.pos + 1

    update()
    with bar:
        while not done.wait(TICK):
            update()
            bar.render_progress()
    click.echo("\x1b[1A\x1b[2K\r", nl=False, err=True)  # the bar's line, once it is no news


def _bar(share: _Share | None) -> Any:
    if share:
        return click.progressbar(length=STEPS, file=sys.stderr, width=20, show_eta=False)
    return click.progressbar(repeat(None), file=sys.stderr, width=20, show_eta=False)
