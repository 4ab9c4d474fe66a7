"""From evidence to its tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lab.evidence.build import talks
from lab.evidence.run import Evidence
from lab.filters.expression import Question
from lab.findings.base import findings
from lab.report.choice import filtered
from lab.report.explanation import about
from lab.report.tables import connections as of_connections
from lab.report.tables import findings as of_findings
from lab.report.tables import segments as of_segments
from lab.report.tables.base import Column, Table

COLUMNS: dict[str, tuple[Column, ...]] = {
    "segments": of_segments.COLUMNS,
    "connections": of_connections.COLUMNS,
    "findings": of_findings.COLUMNS,
}


def tables(
    evidence: Evidence, names: Collection[str], question: Question | None = None
) -> Iterator[Table]:
    """Yield the tables asked for: segments and connections of each view, findings of the first.

    ``question``: a filter; then only the exchanges it chooses, and the findings about them.
    """
    first = evidence.view
    wants_findings = "findings" in names or (question is not None and question.of_findings)
    found = findings(evidence) if wants_findings else ()
    for view in evidence.views:
        chosen = filtered(view, found if view is first else (), question) if question else None
        told = talks(view) if chosen is None else chosen.in_order()
        if "segments" in names:
            yield of_segments.segments(view, told)
        if "connections" in names:
            yield of_connections.connections(view, told)
        if "findings" in names and view is first:
            yield of_findings.findings(view, found if chosen is None else about(found, chosen))
