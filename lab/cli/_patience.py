"""What a user sees of work that takes long: a bar on the terminal, one line if it is broken off."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from threading import Event, Thread
from time import monotonic

import click

from lab.errors import Stopped
from lab.text import Language, Text

AT_ONCE = 1.0
"""Seconds of work before which nothing is shown."""

TICK = 0.2

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
    if not sys.stderr.isatty():
        yield
        return
    done = Event()
    watcher = Thread(target=_watch, args=(done, doing, language), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(done: Event, doing: Text, language: Language) -> None:
    begin = monotonic()
    if done.wait(AT_ONCE):
        return
    endless = click.progressbar(repeat(None), file=sys.stderr, width=20, show_eta=False)
    with endless as bar:
        while not done.wait(TICK):
            waited = f"{monotonic() - begin:.0f}"
            bar.label = SECONDS.fill(doing=doing, seconds=waited).say(language)
            bar.update(1)
    click.echo("\x1b[1A\x1b[2K\r", nl=False, err=True)  # the bar's line, once it is no news
