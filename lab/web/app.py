"""The application: which address shows what."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from msgspec import Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from lab import scenarios
from lab.errors import LabError
from lab.report.answers import words
from lab.scenarios.base import GROUPS
from lab.text import Text
from lab.web import folders, quiz
from lab.web.answers import Refusal, failed, json, refused
from lab.web.bench import Bench
from lab.web.desk import Desk
from lab.web.guard import Guard, check_token
from lab.web.live import Follower, events, presence
from lab.web.pages import pages
from lab.web.playing import Player, told
from lab.web.reports import Reports, linked, policy, style
from lab.web.room import Room
from lab.web.shelf import Shelf
from lab.web.site import Site
from lab.web.words import WORDS

STATIC = Path(__file__).with_name("static")
KINDS = {".css": "text/css", ".js": "text/javascript"}
ON_A_PAGE = 50  # runs
ONLY_SHOWS = Text("This page only shows.", "本页只供查看。")


def application(
    site: Site,
    follower: Follower | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Guard:
    """The page of one site, guarded.

    Args:
        site: what it shows, and whether it plays.
        follower: follows the running run; made if there is none.
        stopping: whether the server is about to end, so that watchers are let go.
    """
    player = Player(site.play, site.patience) if site.play else None
    bench = Bench(site.captures, player)
    show = Show(
        site, Shelf(), Reports(), follower or Follower(site.captures), player, stopping=stopping
    )
    app = Starlette(
        routes=[
            Route("/", show.index),
            Route("/live", show.live),
            Route("/events", show.events),
            Route("/here", show.here),
            Route("/quiz", show.quiz),
            Route("/run/{name}", show.run, methods=["POST"]),
            Route("/verdict/{name}", show.verdict),
            Route("/runs/{name}", show.report),
            Route("/runs/{name}/{file}", show.file),
            Route("/static/{file}", static),
            Route("/favicon.ico", nothing),
            *quiz.routes(site, Desk(bench, site.progress), Room(bench)),
        ],
        exception_handlers={HTTPException: refused, LabError: failed, Exception: failed},
    )
    return Guard(app, site)


class Show(Struct, frozen=True):
    """The pages, and what they are made of."""

    site: Site
    shelf: Shelf
    reports: Reports
    follower: Follower
    player: Player | None
    stopping: Callable[[], bool]

    async def index(self, request: Request) -> Response:
        """The runs, newest first, and what may be played."""
        return await run_in_threadpool(self._index, _number(request.query_params.get("page")))

    def _index(self, page: int) -> Response:
        every = folders.published(self.site.captures)
        shown = every[page * ON_A_PAGE : (page + 1) * ON_A_PAGE]
        return pages(
            "index.html",
            entries=[self.shelf.brief(folder) for folder in shown],
            plays=self.player is not None,
            groups=_groups() if self.player else [],
            page=page,
            last=max(0, (len(every) - 1) // ON_A_PAGE),
            total=len(every),
        )

    async def verdict(self, request: Request) -> Response:
        """What became of one run."""
        entry = await run_in_threadpool(self._entry, request.path_params["name"])
        return json(entry)

    def _entry(self, name: str) -> dict[str, object]:
        entry = self.shelf.entry(folders.folder(self.site.captures, name))
        return {"fate": entry.fate.value, "words": words(entry.words)}

    async def report(self, request: Request) -> Response:
        """A run's page; what it lacks is named on a page with its files."""
        return await run_in_threadpool(self._report, request.path_params["name"])

    def _report(self, name: str) -> Response:
        folder = folders.folder(self.site.captures, name)
        try:
            page = self.reports.page(folder)
        except Exception as error:  # whatever a folder holds: it is named, and its files are there
            files = folders.files(folder)
            return pages("run.html", 422, name=name, lines=told(error), files=files)
        head = {"content-security-policy": policy(page)}
        return HTMLResponse(linked(page, folders.newest(self.site.captures)), headers=head)

    async def file(self, request: Request) -> Response:
        """A capture or a log, to take away."""
        name, file = request.path_params["name"], request.path_params["file"]
        return await run_in_threadpool(self._file, name, file)

    def _file(self, name: str, file: str) -> Response:
        run = folders.folder(self.site.captures, name)
        descriptor, size = folders.open_file(run, file)
        plain = re.sub(r"[^\w.+-]", "_", file, flags=re.ASCII)
        head = {
            "content-disposition": f'attachment; filename="{plain}"',
            "content-length": str(size),
            "content-security-policy": "default-src 'none'; sandbox",
        }
        octets = folders.octets(descriptor, size)
        return StreamingResponse(octets, media_type="application/octet-stream", headers=head)

    async def live(self, _: Request) -> Response:
        """The run that is on."""
        return pages("live.html", plays=self.player is not None)

    async def events(self, _: Request) -> Response:
        """What happens, as it happens."""
        stream = events(self.follower, self.player, self.stopping)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def here(self, _: Request) -> Response:
        """Somebody is there, and thinks."""
        stream = presence(self.follower, self.stopping)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def quiz(self, _: Request) -> Response:
        """Questions."""
        said = {name: words(text) for name, text in WORDS.items()}
        return pages("quiz.html", plays=self.player is not None, words=said)

    async def run(self, request: Request) -> Response:
        """Play a scenario; what becomes of it is told at /events."""
        if self.player is None:
            raise Refusal(403, ONLY_SHOWS)
        check_token(self.site, request)
        scenario = await run_in_threadpool(scenarios.find, request.path_params["name"])
        await run_in_threadpool(self.player.start, scenario.id)
        return json({"scenario": scenario.id}, 202)


@cache
def _groups() -> list[tuple[Text, list[tuple[str, Text]]]]:
    """The scenarios with their titles, group by group."""
    every = [scenarios.find(name) for name in scenarios.names()]
    found = []
    for group, title in GROUPS.items():
        members = [(one.id, one.title) for one in every if one.group == group]
        if members:
            found.append((title, members))
    return found


@cache
def _static() -> dict[str, tuple[str, str]]:
    """The server's own scripts and styles, by name."""
    own = {
        path.name: (path.read_text(encoding="utf-8"), KINDS[path.suffix])
        for path in STATIC.iterdir()
        if path.suffix in KINDS
    }
    return {**own, "page.css": (style(), "text/css")}


async def static(request: Request) -> Response:
    """A script or a style."""
    found = _static().get(request.path_params["file"])
    if found is None:
        raise HTTPException(404)
    return Response(found[0], media_type=found[1], headers={"cache-control": "no-cache"})


async def nothing(_: Request) -> Response:
    """Browsers ask for an icon."""
    return Response(status_code=204)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 7 else 0
