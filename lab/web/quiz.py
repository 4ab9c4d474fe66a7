"""The quiz and the diagnosis room as JSON over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import time_ns
from typing import Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lab.quiz.diagnosis import Piece
from lab.quiz.progress import encode_progress
from lab.report.answers import words
from lab.report.glyphs import safe
from lab.text import Text
from lab.web import records
from lab.web.answers import Refusal, json
from lab.web.desk import Desk
from lab.web.guard import check_token
from lab.web.room import Room
from lab.web.site import Site

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
B = TypeVar("B", bound=Struct)
NOT_OURS = Text("The request cannot be read: {detail}.", "无法读取请求：{detail}。")


class Opening(Struct, frozen=True):
    """Which question: an id, or "" for what is up next."""

    question: str = ""
    interview: bool = False
    chain: tuple[str, ...] = ()


class Prediction(Struct, frozen=True):
    """Made before the run."""

    guess: int | None = None
    confidence: Literal[50, 75, 95] | None = None  # %


class Spoken(Struct, frozen=True):
    """An interview's answer in words."""

    text: str = ""


class HandedIn(Struct, frozen=True):
    """Values as they were typed, and why, in the learner's words."""

    values: dict[str, str | int | float | list[str] | None] = {}
    text: str = ""


class Covered(Struct, frozen=True):
    """Ideas that the learner says are in the text."""

    covered: tuple[int, ...] = ()


class Wanted(Struct, frozen=True):
    """A piece of evidence."""

    piece: Piece


class Cause(Struct, frozen=True):
    """By the scenario that has it."""

    cause: str


def routes(site: Site, desk: Desk, room: Room) -> list[Route]:
    """The quiz's addresses."""

    def post(path: str, body: type[B], doing: Callable[[str, B], object]) -> Route:
        """What a body brings about, done aside: it may play a run."""

        async def handle(request: Request) -> Response:
            check_token(site, request)
            given = _read(await request.body(), body)
            name = str(request.path_params.get("name", ""))
            return json(await run_in_threadpool(doing, name, given))

        return Route(path, handle, methods=["POST"])

    def opened(_: str, given: Opening) -> object:
        name = desk.open(given.question, interview=given.interview, chain=given.chain)
        return records.asked(name, desk.sittings.find(name))

    def predicted(name: str, given: Prediction) -> object:
        desk.predict(name, given.guess, given.confidence)
        return {}

    def graded(name: str, given: HandedIn) -> object:
        return records.verdict(desk.grade(name, given.values, given.text))

    def covered(name: str, given: Covered) -> object:
        desk.cover(name, given.covered)
        return {}

    return [
        post("/quiz/open", Opening, opened),
        post(
            "/quiz/{name}/speak", Spoken, lambda name, one: records.said(desk.speak(name, one.text))
        ),
        post("/quiz/{name}/predict", Prediction, predicted),
        post("/quiz/{name}/run", Struct, lambda name, _: records.found(desk.run(name))),
        post("/quiz/{name}/hint", Struct, lambda name, _: words(desk.hint(name))),
        post("/quiz/{name}/grade", HandedIn, graded),
        post("/quiz/{name}/cover", Covered, covered),
        post("/room/open", Struct, lambda *_: room.open()),
        post("/room/{name}/piece", Wanted, lambda name, one: room.piece(name, one.piece)),
        post("/room/{name}/cause", Cause, lambda name, one: room.name_cause(name, one.cause)),
        Route("/quiz/progress", _progress(desk)),
        Route("/quiz/progress.json", _export(desk)),
    ]


def _progress(desk: Desk) -> Handler:
    async def progress(_: Request) -> Response:
        return json(await run_in_threadpool(_shown, desk))

    return progress


def _shown(desk: Desk) -> dict[str, object]:
    return records.shown(desk.progress(), time_ns(), desk.lacks())


def _export(desk: Desk) -> Handler:
    async def export(_: Request) -> Response:
        kept = await run_in_threadpool(desk.progress)
        head = {"content-disposition": 'attachment; filename="progress.json"'}
        return Response(encode_progress(kept), media_type="application/json", headers=head)

    return export


def _read(octets: bytes, kind: type[B]) -> B:
    try:
        return msgspec.json.decode(octets or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, NOT_OURS.fill(detail=safe(str(error)[:200]))) from error
