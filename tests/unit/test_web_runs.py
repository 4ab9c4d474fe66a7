"""The runs on the page: listed whatever their folders hold, and nothing else of the disk."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.web import SAMPLE, TOUR, ask, captures, shows

SECRET = b"not for you"


class Tags(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Captures with a run, and a secret beside them."""
    (tmp_path / "secret").write_bytes(SECRET)
    return captures(tmp_path)


def test_runs_are_listed_newest_first(runs: Path) -> None:
    shutil.copytree(SAMPLE, runs / "20261121T120001Z-tcp_lifecycle")
    page = ask(shows(runs), "/").text
    assert page.index("20261121T120001Z") < page.index(TOUR)


def newest(runs: Path) -> dict[str, str]:
    page = ask(shows(runs), f"/runs/{TOUR}").text
    told = re.search(r'<script type="application/json" id="newest">(.*?)</script>', page)
    assert told is not None
    return dict(json.loads(told[1]))


def test_a_report_knows_the_newest_whole_run_of_each_scenario(runs: Path) -> None:
    for name in ("T120001Z-synack_lost", "T120002Z-synack_lost", "T120003Z-synack_lost.incomplete"):
        (runs / f"20261121{name}").mkdir()
    (runs / "20261121T120001Z-udp_echo.lost_reply").mkdir()
    assert newest(runs) == {
        "tour": TOUR,
        "synack_lost": "20261121T120002Z-synack_lost",
        "udp_echo.lost_reply": "20261121T120001Z-udp_echo.lost_reply",
    }


def test_a_report_learns_of_a_run_that_came_after_it(runs: Path) -> None:
    assert "synack_lost" not in newest(runs)
    (runs / "20261121T120001Z-synack_lost").mkdir()
    assert "synack_lost" in newest(runs)


def test_a_hostile_run_name_ends_no_script_of_a_report(runs: Path) -> None:
    (runs / "20261121T120001Z-<").mkdir()
    assert newest(runs)["<"] == "20261121T120001Z-<"


def test_a_runs_verdict_is_found(runs: Path) -> None:
    assert ask(shows(runs), f"/verdict/{TOUR}").json["fate"] == "kept"


def test_a_capture_is_given_away_whole(runs: Path) -> None:
    said = ask(shows(runs), f"/runs/{TOUR}/client.pcapng")
    assert said.octets == (runs / TOUR / "client.pcapng").read_bytes()
    assert said.headers["content-disposition"] == 'attachment; filename="client.pcapng"'
    assert "sandbox" in said.headers["content-security-policy"]


@pytest.mark.parametrize(
    "target",
    [
        "/runs/../secret",
        "/runs/..%2fsecret",
        "/runs/%2e%2e/secret",
        f"/runs/{TOUR}/../../secret",
        f"/runs/{TOUR}/..%2f..%2fsecret",
        f"/runs/{TOUR}/%2e%2e%2f%2e%2e%2fsecret",
        f"/runs/{TOUR}/%252e%252e%252fsecret",
        f"/runs/{TOUR}/..%5c..%5csecret",
        f"/runs/{TOUR}/..%c0%af..%c0%afsecret",
        f"/runs/{TOUR}/%2fetc%2fpasswd",
        f"/runs/{TOUR}//etc/passwd",
        f"/runs/{TOUR}/client.pcapng%00.txt",
        f"/runs/{TOUR}%00",
        "/runs/samples/tour",
        "/runs/latest",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
    ],
)
def test_no_path_leads_out_of_the_runs(target: str, runs: Path) -> None:
    (runs / "latest").symlink_to("..")
    said = ask(shows(runs), target)
    assert said.status == 404
    assert SECRET not in said.octets


def test_a_link_to_elsewhere_is_not_followed(runs: Path) -> None:
    (runs / TOUR / "link.jsonl").symlink_to(runs.parent / "secret")
    assert ask(shows(runs), f"/runs/{TOUR}/link.jsonl").status == 404


def test_a_run_that_is_a_link_is_no_run(runs: Path) -> None:
    (runs.parent / "elsewhere").mkdir()
    (runs / "20261121T120002Z-tour").symlink_to(runs.parent / "elsewhere")
    assert "120002Z" not in ask(shows(runs), "/").text
    assert ask(shows(runs), "/runs/20261121T120002Z-tour").status == 404


@pytest.mark.parametrize("kind", [os.mkfifo, Path.mkdir], ids=["a pipe", "a folder"])
def test_what_is_no_file_is_not_given_away(kind: Callable[[Path], None], runs: Path) -> None:
    kind(runs / TOUR / "odd.jsonl")
    assert ask(shows(runs), f"/runs/{TOUR}/odd.jsonl").status == 404


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def no_capture(folder: Path) -> None:
    for path in folder.glob("*.pcapng"):
        path.unlink()


def cut(name: str, left: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        os.truncate(folder / name, left)

    return damage


def overwritten(name: str, octets: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(octets)

    return damage


DAMAGE = {
    "empty": empty,
    "no capture": no_capture,
    "half a run.json": cut("run.json", 300),
    "run.json is a list": overwritten("run.json", b"[]"),
    "run.json is not UTF-8": overwritten("run.json", b"\xff\xfe"),
    "a capture is none": overwritten("client.pcapng", b"no capture at all"),
    "an empty capture": overwritten("client.pcapng", b""),
    "a log is none": overwritten("client.calls.jsonl", b"nothing\n{}\n"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_run_is_named_without_a_traceback(
    damage: Callable[[Path], None], runs: Path
) -> None:
    damage(runs / TOUR)
    app = shows(runs)
    assert TOUR in ask(app, "/").text
    assert ask(app, f"/verdict/{TOUR}").json["fate"] == "damaged"
    said = ask(app, f"/runs/{TOUR}")
    assert said.status == 422
    assert TOUR in said.text
    assert "Traceback" not in said.text


def test_a_run_cut_short_says_why(runs: Path) -> None:
    name = f"{TOUR}.incomplete"
    (runs / TOUR).rename(runs / name)
    manifest = (
        (runs / name / "run.json").read_text().replace('"complete": true', '"complete": false')
    )
    (runs / name / "run.json").write_text(manifest.replace('"reason": ""', '"reason": "disk full"'))
    app = shows(runs)
    assert "incomplete: disk full" in ask(app, "/").text
    assert ask(app, f"/runs/{name}").status == 200


def test_a_run_that_is_half_written_is_not_listed(runs: Path) -> None:
    (runs / TOUR).rename(runs / ".20261121T120000.123Z-tour.partial")
    assert "There is no run yet" in ask(shows(runs), "/").text


def test_captures_that_are_not_there_are_no_runs(tmp_path: Path) -> None:
    assert "There is no run yet" in ask(shows(tmp_path / "nowhere"), "/").text


HOSTILE = "20261121T120003Z-\"><img src=x onerror=alert(1)>\u202e'&lt;"


def test_a_hostile_name_makes_no_element(runs: Path) -> None:
    (runs / HOSTILE).mkdir()
    app = shows(runs)
    for target in ("/", f"/runs/{quote(HOSTILE)}"):
        page = ask(app, target).text
        found = Tags(page).found
        assert not [tag for tag, _ in found if tag == "img"]
        assert not [name for _, names in found for name in names if name.startswith("on")]
        assert "\u202e" not in page


def test_hostile_words_of_run_json_make_no_element(runs: Path) -> None:
    manifest = runs / TOUR / "run.json"
    text = manifest.read_text().replace(
        '"scenario": "tour"', '"scenario": "<script>alert(1)</script>"'
    )
    manifest.write_text(
        text.replace('"namespaces"', '"<b onclick=x>\\u202e\\u0000"').replace(
            '"docker"', '"<b onclick=x>"'
        )
    )
    found = Tags(ask(shows(runs), "/").text).found
    assert not [names for tag, names in found if tag == "script" and "src" not in names]
    assert not [tag for tag, _ in found if tag == "b"]


def test_a_file_name_cannot_add_a_header(runs: Path) -> None:
    (runs / TOUR / 'a"\r\nx: y.jsonl').write_bytes(b"{}")
    said = ask(shows(runs), f"/runs/{TOUR}/a%22%0d%0ax:%20y.jsonl")
    assert said.headers["content-disposition"] == 'attachment; filename="a___x__y.jsonl"'


def test_many_runs_come_page_by_page(runs: Path) -> None:
    for second in range(10, 65):
        (runs / f"20261121T1301{second:02d}Z-tour").mkdir()
    app = shows(runs)
    assert TOUR not in ask(app, "/").text
    assert TOUR in ask(app, "/?page=1").text
    assert ask(app, "/?page=99999999999").status == 200


def test_a_fault_nobody_foresaw_is_answered_in_words(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> list[Path]:
        raise ZeroDivisionError("nobody thought of it")

    monkeypatch.setattr("lab.web.folders.published", fail)
    said = ask(shows(runs), "/")
    assert said.status == 500
    assert "nobody thought of it" in said.text
    assert said.headers["x-content-type-options"] == "nosniff"
