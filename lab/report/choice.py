"""Which exchanges of a capture are told of: all, those that a filter chooses, or one by its number."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from lab.errors import NoSuchExchange
from lab.evidence.run import Evidence, View
from lab.evidence.sightings import Sighting
from lab.filters.chosen import Chosen, choose
from lab.filters.expression import Question
from lab.filters.talks import Talk
from lab.findings.base import Finding, findings
from lab.report.events import Ladder
from lab.report.ladder import ladder


def by_stream(found: Sequence[Finding]) -> dict[tuple[str, int | None], tuple[Finding, ...]]:
    """The findings by protocol ("tcp", "udp") and stream; ("", None) for what is about the file."""
    owned: dict[tuple[str, int | None], list[Finding]] = {}
    for one in found:
        owned.setdefault((one.protocol, one.stream), []).append(one)
    return {key: tuple(several) for key, several in owned.items()}


def filtered(view: View, found: Sequence[Finding], question: Question) -> Chosen:
    """The exchanges that a filter chooses."""
    return choose(view, by_stream(found), question)


def chosen_and_found(evidence: Evidence, question: Question) -> tuple[Chosen, tuple[Finding, ...]]:
    """What a filter chooses in the first view, and what is found.

    Connections that it leaves out are not looked at closely, unless it asks what is found in them.
    """
    if question.of_findings:
        found = findings(evidence)
        return filtered(evidence.view, found, question), found
    chosen = filtered(evidence.view, (), question)
    return chosen, findings(evidence, only=chosen.connections)


def numbered(view: View, protocol: str, stream: int) -> Talk:
    """The exchange with a number; raises `NoSuchExchange`."""
    every: Sequence[Talk] = view.connections if protocol == "tcp" else view.exchanges
    if not 0 <= stream < len(every):
        raise NoSuchExchange(
            file=view.file, protocol=protocol.upper(), stream=stream, count=f"{len(every):,}"
        )
    return every[stream]


def ladder_of(evidence: Evidence, talk: Talk, *, everything: bool = False) -> Ladder:
    """The ladder of one exchange of the first view; ``everything``: each frame of it."""
    drawn = ladder(evidence, everything=everything, only=[Sighting(talk, evidence)])
    return replace(drawn, sections=drawn.sections[:1], background={})
