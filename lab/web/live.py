"""The running run, drawn while it happens: looked for often, analysed as it grows, sent as it changes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from lab.analyze import load_run
from lab.capture.folder import PARTIAL, RUN
from lab.evidence.run import Evidence
from lab.web import partial
from lab.web.drawing import Artist, Drawn
from lab.web.folders import published
from lab.web.playing import Player, Playing

TURN = 0.05  # s between two looks for a run
CLOSE = 0.015  # s between two looks at one that is on
SHARE = 2  # s that have to pass for each of processor time: the run needs a processor, too
AHEAD = 0.3  # s by which drawing may be ahead of that: what comes suddenly is shown at once
MOST_OCTETS = 4 << 20  # of captures that are analysed again and again
SMALL = 1 << 17  # octets of a run that is drawn to warm up
MOST_FRAMES = 500  # in a page that grows
HEARTBEAT = 300  # turns without an event after which a line keeps the connection open


class Snapshot(Struct, frozen=True, kw_only=True):
    """What is known of the run that is on, or was the last."""

    run: str = ""  # of the folder it is recorded into; "": none was seen yet
    scenario: str = ""
    acts: tuple[Drawn, ...] = ()  # each exchange of the ladder
    frames: int = 0
    octets: int = 0
    cut: bool = False  # too long to be drawn while it grows
    over: bool = False
    published: str = ""  # its name, once it is over


class Follower:
    """Follows one run after the other; whoever looks gets the same snapshot."""

    def __init__(
        self,
        captures: Path,
        clock: Callable[[], float] = time.monotonic,
        effort: Callable[[], float] = time.thread_time,
    ) -> None:
        """``captures``: where runs appear; ``effort``: s for which this thread was at work."""
        self._captures, self._clock, self._effort = captures, clock, effort
        self._artist = Artist()
        self._folder: Path | None = None
        self._inode = 0
        self._sizes: dict[str, int] = {}
        self._next = 0.0  # when a look may come again
        self._paid = 0.0  # when the drawing up to now will have had its share of time, and no more
        self._turn = asyncio.Lock()
        self.snapshot = Snapshot()
        self.watchers = 0
        self.last_busy = clock()
        self.followed = 0  # runs that were seen to be on

    def warm_up(self) -> None:
        """Draw some small run that nobody sees: drawing the first takes long, the others do not."""
        for folder in published(self._captures)[-3:]:
            if sum(partial.sizes(folder).values()) < SMALL:
                with suppress(Exception):  # the list of runs names what is wrong with one
                    Artist().draw(load_run(folder))
                    return

    @property
    def turn(self) -> float:
        """s until it is worth looking again."""
        return CLOSE if self._folder else TURN

    async def now(self) -> Snapshot:
        """The snapshot, not older than a turn."""
        async with self._turn:
            if self._clock() >= self._next:
                await asyncio.to_thread(self.look)
                self._next = self._clock() + self.turn
        return self.snapshot

    def look(self) -> None:
        """Take in what has changed; never raises for what a run folder holds."""
        if self._folder is None:
            self._begin()
        if self._folder is not None:
            self.last_busy = self._clock()
            self._follow(self._folder)

    def _begin(self) -> None:
        """Take up the newest run that is on."""
        for folder in running(self._captures):
            with suppress(OSError):
                self._inode = folder.stat().st_ino
                self._folder, self._sizes, self._artist = folder, {}, Artist()
                self.followed += 1
                scenario = (PARTIAL.fullmatch(folder.name) or "???")[3]
                self.snapshot = Snapshot(run=folder.name, scenario=scenario)
                return

    def _follow(self, folder: Path) -> None:
        if not folder.exists() or not partial.is_live(folder):
            self._end(folder)
            return
        sizes = partial.sizes(folder)
        if sizes == self._sizes or self._clock() < self._paid:
            return
        self._sizes = sizes
        octets = sum(size for name, size in sizes.items() if name.endswith(".pcapng"))
        if octets > MOST_OCTETS:
            self._update(octets=octets, cut=True)
            return
        began = self._effort()
        with suppress(Exception):  # half a run can be what no whole one is: the next look may do
            if found := partial.so_far(folder):
                self._draw(found, octets)
        took = self._effort() - began
        self._paid = max(self._paid, self._clock() - AHEAD) + SHARE * took

    def _end(self, folder: Path) -> None:
        """It was published under another name, or abandoned."""
        name = _renamed(self._captures, folder.name, self._inode)
        self._folder = None
        if name and not self.snapshot.cut:
            with suppress(Exception):  # its report says what is wrong
                self._draw(load_run(self._captures / name), self.snapshot.octets)
        self._update(over=True, published=name)

    def _draw(self, evidence: Evidence, octets: int) -> None:
        frames = max((len(view.capture.frames) for view in evidence.views), default=0)
        cut = frames > MOST_FRAMES
        drawn = self.snapshot.acts if cut else self._artist.draw(evidence)
        self._update(acts=drawn, frames=frames, octets=octets, cut=cut)

    def _update(self, **changes: object) -> None:
        self.snapshot = msgspec.structs.replace(self.snapshot, **changes)


def running(captures: Path) -> list[Path]:
    """The folders that are being recorded into, newest first."""
    try:
        with os.scandir(captures) as entries:
            found = [entry.name for entry in entries if PARTIAL.fullmatch(entry.name)]
    except OSError:
        return []
    return [captures / name for name in sorted(found, reverse=True) if _lives(captures / name)]


def _lives(folder: Path) -> bool:
    return not folder.is_symlink() and partial.is_live(folder)


def _renamed(captures: Path, partial_name: str, inode: int) -> str:
    """The folder's name now: it was renamed, and is the same folder still."""
    match = PARTIAL.fullmatch(partial_name)
    with suppress(OSError), os.scandir(captures) as entries:
        for entry in entries:
            is_near = match and entry.name.startswith(match[1]) and RUN.fullmatch(entry.name)
            if is_near and entry.inode() == inode:
                return entry.name
    return ""


# ---------------------------------------------------------------- server-sent events


class Seen:
    """What one watcher has been sent; gives what has changed since."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._run = ""
        self._acts: dict[str, Drawn] = {}
        self._state: tuple[object, ...] = ()
        self._playing: Playing | None = None

    def changes(self, now: Snapshot, playing: Playing | None) -> list[tuple[str, object]]:
        """The events that bring a watcher up to date, in order."""
        events: list[tuple[str, object]] = []
        if playing != self._playing and playing is not None:
            self._playing = playing
            events.append(("playing", playing))
        if now.run != self._run:
            self._run, self._acts, self._state = now.run, {}, ()
            events.append(("begin", {"run": now.run, "scenario": now.scenario}))
        if changed := self._changed(now.acts):
            events.append(("acts", changed))
        state = (now.frames, now.octets, now.cut, now.over, now.published)
        if state != self._state and now.run:
            self._state = state
            words = ("frames", "octets", "cut", "over", "published")
            events.append(("state", dict(zip(words, state, strict=True))))
        return events

    def _changed(self, drawn: Sequence[Drawn]) -> dict[str, object] | None:
        """New and altered acts, each with the key of the one before it; keys that are gone."""
        put, before = [], ""
        for act in drawn:
            was = self._acts.get(act.key)
            if was != act:
                put.append([act.key, before, *_news(act, was)])
            before = act.key
        acts = {act.key: act for act in drawn}
        gone = [key for key in self._acts if key not in acts]
        self._acts = acts
        return {"put": put, "gone": gone} if put or gone else None


def _news(act: Drawn, was: Drawn | None) -> tuple[str, list[tuple[str, str]]]:
    """Its element and its rows, "" in the place of what is known already."""
    known = dict(was.rows) if was else {}
    rows = [(key, "" if known.get(key) == html else html) for key, html in act.rows]
    return "" if was and was.html == act.html else act.html, rows


async def presence(follower: Follower, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
    """What a page without a ladder of its own holds open: as long as it does, the server stays."""
    follower.watchers += 1
    try:
        yield b"retry: 500\n\n"
        while not stopping():
            await asyncio.sleep(TURN)
    finally:
        follower.watchers -= 1
        follower.last_busy = time.monotonic()


async def events(
    follower: Follower, player: Player | None, stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Server-sent events for one watcher, until it leaves or the server stops."""
    seen, quiet = Seen(), 0
    follower.watchers += 1
    try:
        yield b"retry: 500\n\n"
        while not stopping():
            changes = seen.changes(await follower.now(), player.now if player else None)
            for name, data in changes:
                yield b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
            quiet = 0 if changes else quiet + 1
            if quiet >= HEARTBEAT:
                quiet = 0
                yield b": still here\n\n"
            await asyncio.sleep(follower.turn)
    finally:
        follower.watchers -= 1
        follower.last_busy = time.monotonic()
