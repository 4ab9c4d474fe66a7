"""A run as a page: what `lab.page` makes, kept as long as the run is the same."""

from __future__ import annotations

import html
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from lab.analyze import load_run
from lab.report.account import judge
from lab.web.guard import POLICY

KEPT = 8  # pages
DATA = '<script type="application/json" id="data">'
_META = re.compile(r'<meta http-equiv="Content-Security-Policy"\s+content="([^"<>]*)"', re.I)


class Reports:
    """The pages of runs."""

    def __init__(self) -> None:
        """None is made yet."""
        self._made: OrderedDict[tuple[str, int], str] = OrderedDict()

    def page(self, folder: Path) -> str:
        """A run's page; raises what `load_run` raises."""
        from lab.page import report

        state = folder.name, folder.stat().st_mtime_ns
        if state not in self._made:
            evidence = load_run(folder)
            self._made[state] = report(folder.name, evidence, judge(evidence))
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return self._made[state]


def linked(page: str, newest: Mapping[str, str]) -> str:
    """A run's page that knows which scenarios were played: "udp_echo.lost_reply" -> its newest run."""
    from lab.page.render import as_json

    known = f'<script type="application/json" id="newest">{as_json(newest)}</script>'
    return page.replace(DATA, known + DATA, 1)  # the script behind it reads it at once


def policy(page: str) -> str:
    """What a page that brings the hashes of its own script may do; else what any may."""
    found = _META.search(page[: page.find("</head>") + 1])
    if found is None:
        return POLICY
    own = html.unescape(found[1]).replace("\n", " ").strip().rstrip(";")
    return f"{own}; frame-ancestors 'self'"


def style() -> str:
    """What acts look like."""
    from lab.page import style

    return style()
