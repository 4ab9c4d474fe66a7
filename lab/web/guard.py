"""Who is answered: requests addressed to this machine, of a bounded size, with the page's token.

A name that resolves to 127.0.0.1 (DNS rebinding) is not believed, a form of another origin
neither. Every response forbids what the page does not need.
"""

from __future__ import annotations

import hmac
import os
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.text import Text
from lab.web.answers import Refusal, say
from lab.web.site import Site

LONGEST = 64 * 1024  # octets of a request's body
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
"""No inline script. Rows of the ladder carry their places in style attributes, which run nothing."""

HOST = Text(
    "This name is not served here: open http://127.0.0.1 with the port that was printed.",
    "此处不提供这个名称：请打开 http://127.0.0.1 加上所打印的端口。",
)
TOO_LARGE = Text("Too large: at most 64 KiB are taken.", "太大：最多接受 64 KiB。")
ORIGIN = Text(
    "Only this page's own requests are answered, not another's.", "只应答本页面自己的请求。"
)
TOKEN = Text(
    "The token is missing or wrong: open the address that lab serve printed.",
    "令牌缺失或有误：请打开 lab serve 打印的地址。",
)
LOCAL = ("127.0.0.1", "localhost", "::1")


class Guard:
    """An ASGI application in front of the real one."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        """``site``: whose names are believed."""
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with headers added to the answer."""
        if scope["type"] != "http":
            return
        refusal = refused(self._site, scope["method"], Headers(scope=scope))
        app: ASGIApp = say(Request(scope), refusal[0], (refusal[1],)) if refusal else self._app
        try:
            await app(scope, _bounded(receive), _hardened(send))
        except Exception:  # it has been answered; the terminal is not the place for a traceback
            if os.environ.get("LAB_TRACEBACK"):
                raise


def refused(site: Site, method: str, headers: Headers) -> tuple[int, Text] | None:
    """Why a request is not answered: its status and a word; None: it is."""
    if len(headers.getlist("host")) != 1 or not is_ours(site, headers["host"]):
        return 403, HOST
    announced = headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdecimal()) or int(announced[:9]) > LONGEST:
        return 413, TOO_LARGE
    if method in ("GET", "HEAD"):
        return None
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{headers['host']}":
        return 403, ORIGIN
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, ORIGIN
    return None


def is_ours(site: Site, host: str) -> bool:
    """Whether a Host header means this page.

    With ``anyone`` addresses count too, since no name can be bound anew to them, and this
    machine's own name.
    """
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return False
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return False
    if site.port not in (None, port):
        return False
    if name in LOCAL:
        return True
    return site.anyone and (_is_address(name) or name == socket.gethostname().lower())


def is_loopback(host: str) -> bool:
    """Whether who listens there is reached from this machine alone."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def check_token(site: Site, request: Request) -> None:
    """Raise 403 unless the page's token comes with the request; a page that only shows needs none."""
    given = request.headers.get("x-lab-token") or request.query_params.get("token", "")
    if site.token and not hmac.compare_digest(given.encode(), site.token.encode()):
        raise Refusal(403, TOKEN)


def _bounded(receive: Receive) -> Receive:
    """A body that was announced shorter than it is, or not at all, ends at the limit."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LONGEST:
            raise Refusal(413, TOO_LARGE)
        return message

    return bounded


def _hardened(send: Send) -> Send:
    """Add to every answer what keeps a browser from doing more than it must."""

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", POLICY)
            headers.setdefault("cache-control", "no-store")
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers["cross-origin-opener-policy"] = "same-origin"
        await send(message)

    return hardened
