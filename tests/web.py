"""A client of the page that speaks ASGI itself: every octet of a request is the test's own choice."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from lab.web.app import application
from lab.web.site import Play, Site
from tests.checkout import ROOT

SAMPLE = ROOT / "captures" / "samples" / "tour"
TOUR = "20261121T120000Z-tour"
HOST = "127.0.0.1:8080"
TOKEN = "a-token-of-the-test"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    octets: bytes

    @property
    def text(self) -> str:
        return self.octets.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.octets)


def ask(
    app: ASGIApp,
    target: str,
    *,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (("host", HOST),),
    body: Sequence[bytes] = (b"",),
) -> Answer:
    """One request, its target as it stands in the request line; ``body``: piece by piece."""
    return asyncio.run(_ask(app, target, method, headers, body))


async def _ask(
    app: ASGIApp,
    target: str,
    method: str,
    headers: Sequence[tuple[str, str]],
    body: Sequence[bytes],
) -> Answer:
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8080),
    }
    pieces = list(body)
    sent: list[Message] = []

    async def receive() -> Message:
        if not pieces:
            await asyncio.Event().wait()  # as long as nobody hangs up
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def post(app: ASGIApp, target: str, value: object = None, token: str = TOKEN) -> Answer:
    """A request of the page's own script."""
    own = (("host", HOST), ("origin", f"http://{HOST}"), ("content-type", "application/json"))
    octets = json.dumps(value or {}).encode()
    headers = (*own, ("content-length", str(len(octets))), ("x-lab-token", token))
    return ask(app, target, method="POST", headers=headers, body=(octets,))


def captures(tmp: Path) -> Path:
    """A captures folder with one run."""
    folder = tmp / "captures"
    shutil.copytree(SAMPLE, folder / TOUR)
    return folder


def shows(folder: Path) -> ASGIApp:
    """A page that only shows."""
    return application(Site(captures=folder))


def plays(folder: Path, play: Play, progress: Path | None = None) -> ASGIApp:
    """A page with a button."""
    return application(Site(captures=folder, token=TOKEN, play=play, patience=0, progress=progress))
