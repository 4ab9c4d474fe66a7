"""Scene in, HTML out: one file that needs nothing else, and may load nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import cast

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from msgspec import Struct

from lab.evidence.run import Evidence
from lab.findings.base import Finding
from lab.page import below, details
from lab.page.cache import Beside
from lab.page.frame_html import LONG, classes, crossing, falls, frame_html, px
from lab.page.geometry import Pair, Span, rows_of
from lab.page.glossary import Marker
from lab.page.joint import joints, places
from lab.page.scene import Act, FrameRow, Row, Scene, frames_of
from lab.page.words import DRAWER, KEYS, LEGEND, SIGNS, WORDS
from lab.report.account import shows_background
from lab.report.glyphs import safe
from lab.report.people import people
from lab.report.verdict import Verdict
from lab.text import Language, Text
from lab.units import short_span

TEMPLATES = Path(__file__).with_name("templates")
WHOLE = 400
"""Up to so many rows all are in the page; of a longer run, only those near what is seen."""

CHUNK = 100
SCRIPTS = (
    "page.js",
    "rows.js",
    "joint.js",
    "moving.js",
    "drawer.js",
    "printing.js",
    "framed.js",
    "arrival.js",
)
TOGGLES = (
    ("r", "numbers", (("rel", "relative"), ("abs", "absolute"))),
    ("w", "window", (("scaled", "scaled"), ("field", "field"))),
    ("t", "time", (("t0", "t0"), ("t1", "t1"), ("t2", "t2"), ("t3", "t3"))),
    ("e", "scale", (("even", "even"), ("true", "true"))),
    ("p", "code", ()),
    ("l", "language", ()),
    ("d", "theme", ()),
    ("P", "print", ()),
)


class Chunk(Struct, frozen=True):
    """Neighbouring rows; ``number``: of the data that holds them, None: they are in the page."""

    rows: tuple[Row, ...]
    span: Span
    number: int | None = None
    first: int = 0  # frame numbers
    last: int = 0


class Words(Struct, frozen=True):
    """Texts by name, as templates ask for them."""

    texts: Mapping[str, Text]

    def __getattr__(self, name: str) -> Text:
        try:
            return self.texts[name]
        except KeyError as error:
            raise AttributeError(name) from error


def _harmless(value: object) -> object:
    """What a capture or a program says, with control characters and bidirectional marks spelt out."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def environment() -> Environment:
    """Made once: to compile the templates takes longer than to fill them."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        bytecode_cache=Beside(TEMPLATES),
        auto_reload=False,
    )
    made.globals |= {
        "W": Words(WORDS),
        "D": Words(DRAWER),
        "EN": Language.EN,
        "ZH": Language.ZH,
        "px": px,
        "frame_html": frame_html,
        "classes": classes,
        "falls": falls,
        "crossing": crossing,
        "span": short_span,
        "spans": spans,
        "tied": tied,
    }
    return made


def spans(span: Span) -> str:
    """A stretch of a lane as custom properties."""
    (y, true_y), (height, true_height) = span.top, span.height
    return f"--y:{px(y)};--Y:{px(true_y)};--h:{px(height)};--H:{px(true_height)}"


def tied(frames: Sequence[str]) -> list[tuple[str, str]]:
    """Keys of frames, each with the label under which it is shown: ("f4S", "#4S")."""
    return [(key, f"#{key[1:]}") for key in frames]


# ---------------------------------------------------------------- the page


def document(
    name: str,
    evidence: Evidence,
    drawn: Scene,
    judged: Verdict | None,
    language: Language,
    found: Sequence[Finding] | None = None,
) -> str:
    """The whole page of a run, which speaks a language first; ``found``: see `lab.page.report`."""
    script, style = behaviour(), asset("style.css")
    chunks, stored = _chunks(drawn, evidence)
    joined = joints(drawn.acts, people(evidence.manifest)) if _is_whole(drawn) else ()
    stored |= {
        "run": safe(name),
        "hosts": _hosts(evidence),
        "joints": _joints(joined),
        "long": LONG,
    }
    filled = {
        "name": name,
        "language": language,
        "heading": below.heading(evidence),
        "manifest": evidence.manifest,
        "verdict": judged,
        "scene": drawn,
        "joints": joined,
        "chunks": chunks | {act.key: [_empty(act)] for act in joined},
        "counts": below.outside_counts(drawn),
        "opened": shows_background(evidence) or len(drawn.acts) == 1,
        "marker": Marker(),
        "warnings": list(below.warnings(evidence)),
        "notes": list(below.notes(evidence)),
        "toggles": list(_toggles()),
        "legend": LEGEND,
        "signs": SIGNS,
        "shortcuts": KEYS,
        "pill": below.pill(judged) if judged else None,
        "policy": policy(script, style),
        "script": Markup(script),  # noqa: S704 - our own file
        "style": Markup(style),  # noqa: S704 - our own file
        "data": as_json(stored),
        **below.below(evidence, drawn, found),
    }
    return template("page.html").render(filled)


def act_html(act: Act, drawn: Scene) -> str:
    """One exchange alone, with all its rows."""
    rows = Chunk(act.rows, Span((0.0, 0.0), act.axis.heights))
    filled = {
        "act": act,
        "chunks": {act.key: [rows]},
        "counts": below.outside_counts(drawn),
        "opened": True,
        "marker": None,
    }
    return template("act.html").render(filled)


def style() -> str:
    """What the page looks like, as CSS."""
    return asset("style.css")


@cache
def template(name: str) -> Template:
    """A template, compiled once."""
    return environment().get_template(name)


@cache
def behaviour() -> str:
    """The page's script: its parts in one scope."""
    return '"use strict";\n{\n' + "\n".join(map(asset, SCRIPTS)) + "}\n"


@cache
def asset(name: str) -> str:
    """A style or a script, as text."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def policy(script: str, style: str) -> str:
    """Nothing is loaded; only our own script runs. Attributes may give places (``--y:12px``)."""
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src-elem {_digest(style)}; "
        "style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    octets = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(octets).decode()}'"


def as_json(value: object) -> Markup:
    """JSON that can stand in a script element: no markup can begin or end in it."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - made harmless above


def packed(value: object) -> str:
    """Data that is seldom looked at: JSON, by gzip, in base64."""
    import gzip  # for long runs only

    return base64.b64encode(gzip.compress(msgspec.json.encode(value), 5, mtime=0)).decode()


def _toggles() -> Iterator[tuple[str, Text, list[tuple[str, Text]]]]:
    for key, label, options in TOGGLES:
        yield key, WORDS[label], [(shown, WORDS[name]) for shown, name in options]


def _hosts(evidence: Evidence) -> dict[str, str]:
    """Whose capture numbers a frame, by the letter behind its number; "": the originator's."""
    letters = people(evidence.manifest).letters
    named = {
        safe(letters.get(view.host, view.host)): safe(view.host) for view in evidence.views[1:]
    }
    return named | {"": safe(evidence.view.host)}


# ---------------------------------------------------------------- rows


def row_html(row: Row, base: Pair = (0.0, 0.0)) -> str:
    """One row of the ladder; ``base``: where the rows that it stands among begin."""
    return str(frame_html(row, base) if isinstance(row, FrameRow) else _row_macro()(row, base))


@cache
def _row_macro() -> Callable[[Row, Pair], Markup]:
    module = template("rows.html").make_module({"marker": None})
    return cast(Callable[[Row, Pair], Markup], vars(module)["any"])


def _chunks(drawn: Scene, evidence: Evidence) -> tuple[dict[str, list[Chunk]], dict[str, object]]:
    """The chunks of each act, and what the script needs: details, and rows that are not shown yet."""
    whole = _is_whole(drawn)
    teller = details.Teller(evidence, drawn, everything=whole)
    placed: dict[str, list[Chunk]] = {}
    stored: list[object] = []
    for act in drawn.acts:
        placed[act.key] = []
        for begin, end in rows_of(len(act.rows), len(act.rows) if whole else CHUNK):
            chunk = _chunk(act, begin, end, None if whole else len(stored))
            placed[act.key].append(chunk)
            told: dict[str, object] = {"details": teller.details(act, chunk.rows)}
            if not whole:
                told["rows"] = [row_html(row, chunk.span.top) for row in chunk.rows]
            stored.append(told if whole else packed(told))
    said = {name: (text.en, text.zh) for name, text in DRAWER.items()}
    return placed, {"words": said, "layouts": teller.layouts, "chunks": stored}


def _is_whole(drawn: Scene) -> bool:
    return sum(len(act.rows) for act in drawn.acts) <= WHOLE


def _joints(joined: Sequence[Act]) -> dict[str, object]:
    """What the script needs to move the rows of exchanges into a joint ladder."""
    return {act.key: {"left": act.letters[0], "rows": places(act)} for act in joined}


def _empty(joint: Act) -> Chunk:
    """The rows of a joint ladder are those of its exchanges."""
    return Chunk((), Span((0.0, 0.0), joint.axis.heights))


def _chunk(act: Act, begin: int, end: int, number: int | None) -> Chunk:
    rows = act.rows[begin:end]
    top = act.axis.top(begin) if begin else (0.0, 0.0)
    until = act.axis.top(end) if end < len(act.rows) else act.axis.heights
    height = until[0] - top[0], until[1] - top[1]
    numbers = [row.event.number for row in frames_of(rows)]
    return Chunk(rows, Span(top, height), number, min(numbers, default=0), max(numbers, default=0))
