"""What the diagnosis room hands out: a piece of evidence, line by line."""

from __future__ import annotations

from msgspec.structs import replace

from lab.evidence.run import Evidence
from lab.quiz.diagnosis import Piece, piece
from lab.report.ladder import ladder
from lab.report.terminal import Paint, draw, plain
from lab.text import Language


def draw_piece(
    evidence: Evidence, wanted: Piece, language: Language, columns: int, paint: Paint = plain
) -> list[str]:
    """The lines of a piece; a capture is a ladder of that port alone, without calls and states."""
    if wanted not in (Piece.CLIENT, Piece.SERVER):
        return piece(evidence, wanted)
    views = [view for view in evidence.views if (view.host == "client") == (wanted is Piece.CLIENT)]
    if not views:
        return []
    alone = replace(
        evidence, views=(views[0],), calls={}, kernel={}, match=None, wire=None, events=()
    )
    return list(draw(ladder(alone), language, columns, paint))
