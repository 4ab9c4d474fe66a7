"""Exchanges, worst first: from columns as from objects."""

from __future__ import annotations

from msgspec.structs import replace

from lab.evidence.build import alone, view
from lab.evidence.run import View
from lab.filters.chosen import just
from lab.findings.base import Finding, Severity, findings
from lab.report.ranking import ranking
from lab.tcp.connections import connections
from lab.tcp.model import Handshake
from lab.text import same
from tests.three_connections import traffic

WIRE = traffic()
WIRE.udp(700_000, "10.0.0.1", b"ping")
VIEW = view("", "mixed.pcapng", WIRE.pcapng())
FOUND = findings(alone(VIEW))


def order(view: View, found: tuple[Finding, ...] = FOUND) -> list[tuple[str, int]]:
    return [(type(one).__name__, one.stream) for one in ranking(view, found).first(9)]


def test_columns_and_objects_give_the_same_order() -> None:
    objects = replace(VIEW, connections=tuple(VIEW.connections))
    columns = replace(VIEW, connections=connections(VIEW.capture))
    assert order(objects) == order(columns)
    assert ranking(objects, FOUND).after(0) == ranking(columns, FOUND).after(0)


def test_how_it_went_decides_where_nothing_was_found() -> None:
    refused, unanswered, resent, plain = (
        ("Connection", 2),
        ("Exchange", 0),
        ("Connection", 1),
        ("Connection", 0),
    )
    assert order(VIEW, ()) == [refused, unanswered, resent, plain]


def test_what_was_found_goes_before_how_it_went() -> None:
    error = Finding("a", Severity.ERROR, same("a"), (), "udp", 0)
    note = Finding("b", Severity.NOTE, same("b"), (), "tcp", 0)
    assert order(VIEW, (error, note))[:2] == [("Exchange", 0), ("Connection", 0)]


def test_only_the_chosen_are_ranked() -> None:
    chosen = [VIEW.exchanges[0], VIEW.connections[1]]
    told = ranking(VIEW, (), just(VIEW, chosen)).first(9)
    assert [one.rows[0] for one in told] == [chosen[0].rows[0], chosen[1].rows[0]]


def test_the_others_are_counted_by_how_they_opened() -> None:
    counts = ranking(VIEW, ()).after(1)
    assert counts == {None: 1, Handshake.THREE_WAY: 2}
