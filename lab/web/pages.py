"""The server's own pages: jinja2 with autoescape; every text stands there in both languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from lab.report.glyphs import safe
from lab.text import Text

HERE = Path(__file__).parent


def both(text: Text | str) -> Markup:
    """A text in both languages, of which the page shows one; control characters made visible."""
    if isinstance(text, str):
        return escape(safe(text))
    if text.en == text.zh:
        return escape(safe(text.en))
    en, zh = escape(safe(text.en)), escape(safe(text.zh))
    return Markup('<span lang="en">{}</span><span lang="zh-Hans">{}</span>').format(en, zh)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["both"] = both
    made.globals["T"] = Text
    return made


def pages(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """One of the server's pages."""
    return HTMLResponse(_environment().get_template(template).render(**values), status)
