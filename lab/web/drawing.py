"""The ladder of a run that grows: of each picture only what the one before had not is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.run import Evidence
from lab.page.scene import Act, Row


class Drawn(Struct, frozen=True):
    """One exchange. Rows have ids of their own, so a page can put a row in the place of what it was."""

    key: str  # of its element, which it keeps
    html: str  # that element, its rows left out
    rows: tuple[tuple[str, str], ...]  # id and HTML of each, in order


class Artist:
    """Draws one run again and again."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self._rows: dict[tuple[str, str], tuple[Row, str]] = {}  # by exchange and id: the last

    def draw(self, evidence: Evidence) -> tuple[Drawn, ...]:
        """Each exchange of the ladder, with its lanes."""
        from lab.page.build import scene
        from lab.page.render import act_html

        drawn = scene(evidence)
        return tuple(
            Drawn(
                f"act-{act.key}", act_html(replace(act, rows=()), drawn), tuple(self._rows_of(act))
            )
            for act in drawn.acts
        )

    def _rows_of(self, act: Act) -> Iterator[tuple[str, str]]:
        from lab.page.render import row_html

        for row in act.rows:
            was = self._rows.get((act.key, row.key))
            html = was[1] if was and was[0] == row else row_html(row)
            self._rows[act.key, row.key] = row, html
            yield row.key, html
