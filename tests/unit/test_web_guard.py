"""Who is answered by the page, and what a browser is told to keep to."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from lab.web.app import application
from lab.web.guard import LONGEST, is_loopback
from lab.web.site import Site
from tests.web import HOST, TOKEN, TOUR, ask, captures, plays, post, shows


def never(*_: object) -> Path:
    raise AssertionError("nothing is to be played")


@pytest.mark.parametrize("host", [HOST, "localhost:8080", "LOCALHOST:8080", "[::1]:8080"])
def test_this_machines_names_are_answered(host: str, tmp_path: Path) -> None:
    assert ask(shows(captures(tmp_path)), "/", headers=(("host", host),)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8080",
        "127.0.0.1:8081",
        "127.0.0.1",
        "127.0.0.1.evil.example:8080",
        "evil@127.0.0.1:8080",
        "127.0.0.1:8080/x",
        "[::1:8080",
        "127.0.0.1:99999999",
        "",
    ],
)
def test_a_foreign_name_is_refused(host: str, tmp_path: Path) -> None:
    assert ask(shows(captures(tmp_path)), "/", headers=(("host", host),)).status == 403


@pytest.mark.parametrize("headers", [(), (("host", HOST), ("host", HOST))])
def test_no_name_or_two_are_refused(headers: tuple[tuple[str, str], ...], tmp_path: Path) -> None:
    assert ask(shows(captures(tmp_path)), "/", headers=headers).status == 403


@pytest.mark.parametrize(
    ("host", "status"), [("192.0.2.7:9", 200), ("127.0.0.1:8081", 200), ("evil.example:8080", 403)]
)
def test_open_to_anyone_addresses_are_believed_and_foreign_names_are_not(
    host: str, status: int, tmp_path: Path
) -> None:
    app = application(Site(captures=captures(tmp_path), anyone=True, port=None))
    assert ask(app, "/", headers=(("host", host),)).status == status


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "\xe9"])
def test_nothing_is_played_without_the_token(token: str, tmp_path: Path) -> None:
    app = plays(captures(tmp_path), never)
    assert post(app, "/run/tour", token=token).status == 403


def test_the_quiz_is_closed_without_the_token(tmp_path: Path) -> None:
    app = plays(captures(tmp_path), never)
    assert post(app, "/quiz/open", {"question": "HS01"}, token="").status == 403


def test_a_page_that_shows_plays_nothing(tmp_path: Path) -> None:
    assert post(shows(captures(tmp_path)), "/run/tour").status == 403


@pytest.mark.parametrize(
    "foreign",
    [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")],
)
def test_a_form_of_another_origin_is_refused(foreign: tuple[str, str], tmp_path: Path) -> None:
    app = shows(captures(tmp_path))
    headers = (("host", HOST), foreign)
    assert ask(app, "/quiz/open", method="POST", headers=headers).status == 403


def test_a_body_that_says_it_is_too_long_is_refused(tmp_path: Path) -> None:
    headers = (("host", HOST), ("content-length", str(LONGEST + 1)))
    said = ask(shows(captures(tmp_path)), "/quiz/open", method="POST", headers=headers)
    assert said.status == 413


def test_a_body_that_is_longer_than_it_says_is_refused(tmp_path: Path) -> None:
    pieces = (b"x" * 40_000, b"x" * 40_000)
    said = ask(shows(captures(tmp_path)), "/quiz/open", method="POST", body=pieces)
    assert said.status == 413


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"question": 7}', b"\xff", b"[" * 30_000])
def test_a_body_that_is_none_is_refused(body: bytes, tmp_path: Path) -> None:
    said = ask(shows(captures(tmp_path)), "/quiz/open", method="POST", body=(body,))
    assert said.status == 400


@pytest.mark.parametrize(
    "target", ["/", "/live", "/quiz", "/static/lab.js", "/nowhere", f"/runs/{TOUR}"]
)
def test_every_answer_is_hardened(target: str, tmp_path: Path) -> None:
    headers = ask(shows(captures(tmp_path)), target).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("target", ["/", "/live", "/quiz"])
def test_no_inline_script_may_run_on_the_servers_pages(target: str, tmp_path: Path) -> None:
    policy = ask(shows(captures(tmp_path)), target).headers["content-security-policy"]
    assert "script-src 'self';" in policy


def test_a_report_may_run_its_own_script_and_no_other(tmp_path: Path) -> None:
    said = ask(shows(captures(tmp_path)), f"/runs/{TOUR}")
    scripts = said.headers["content-security-policy"].split("script-src ")[1].split(";")[0]
    assert scripts.startswith("'sha256-")
    assert scripts in unescape(said.text)


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("example.org", False),
    ],
)
def test_only_loopback_is_this_machine_alone(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
