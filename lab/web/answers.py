"""Answers in JSON, and errors that are made to be read, in both languages, with a fitting status."""

from __future__ import annotations

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from lab.errors import (
    CaptureFileError,
    LabError,
    NoLongerOpen,
    NoRunYet,
    NotAvailable,
    NothingToAsk,
    OneAtATime,
    QuestionUnknown,
    RunDamaged,
    RunIncomplete,
    RunNotFound,
    ScenarioUnknown,
    UnreadableFile,
)
from lab.report.answers import words
from lab.report.glyphs import safe
from lab.text import Text, same
from lab.web.pages import pages
from lab.web.playing import told

STATUS: tuple[tuple[type[LabError], int], ...] = (
    (RunNotFound, 404),
    (UnreadableFile, 404),
    (ScenarioUnknown, 404),
    (QuestionUnknown, 404),
    (NoLongerOpen, 404),
    (NoRunYet, 409),
    (NothingToAsk, 409),
    (OneAtATime, 409),
    (RunIncomplete, 422),
    (RunDamaged, 422),
    (CaptureFileError, 422),
    (NotAvailable, 501),
)

REFUSED = {
    404: Text("There is no such page.", "没有这个页面。"),
    405: Text("This address cannot be asked in this way.", "这个地址不支持这种请求方式。"),
}


def json(value: object, status: int = 200) -> Response:
    """One JSON document."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def failed(request: Request, error: Exception) -> Response:
    """What went wrong, as a page or as JSON."""
    lines = tuple(Text(safe(one.en), safe(one.zh)) for one in told(error))
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    return say(request, status, lines)


class Refusal(HTTPException):
    """A request that is not answered, with the reason."""

    def __init__(self, status: int, words: Text) -> None:
        """``words``: for whoever asked."""
        super().__init__(status, words.en)
        self.words = words


async def refused(request: Request, error: Exception) -> Response:
    """No such page, no token, a body that is none."""
    assert isinstance(error, HTTPException)
    words = error.words if isinstance(error, Refusal) else REFUSED.get(error.status_code)
    return say(request, error.status_code, (words or same(error.detail),))


def say(request: Request, status: int, lines: tuple[Text, ...]) -> Response:
    """Some lines as a page, or as JSON to the page's own script."""
    if request.method == "POST" or "text/html" not in request.headers.get("accept", "text/html"):
        return json({"error": [words(one) for one in lines]}, status)
    return pages("error.html", status, title=lines[0], lines=lines)
