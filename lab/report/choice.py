"""Which exchanges of a capture are told of: all, those that a filter chooses, or one by its number."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from lab.errors import NoSuchExchange
from lab.evidence.build import talks
from lab.evidence.run import Evidence, View
from lab.filters.expression import Question, chosen
from lab.filters.fields import Scene
from lab.filters.talks import Talk
from lab.findings.base import Finding
from lab.report.events import Ladder
from lab.report.ladder import ladder
from lab.report.people import people
from lab.report.summaries import title
from lab.tcp.model import Connection


def by_stream(found: Sequence[Finding]) -> dict[tuple[str, int | None], tuple[Finding, ...]]:
    """The findings by protocol ("tcp", "udp") and stream; ("", None) for what is about the file."""
    owned: dict[tuple[str, int | None], tuple[Finding, ...]] = {}
    for one in found:
        key = one.protocol, one.stream
        owned[key] = (*owned.get(key, ()), one)
    return owned


def filtered(view: View, found: Sequence[Finding], question: Question) -> list[Talk]:
    """The exchanges that a filter chooses, in order of their first frame."""
    time = view.capture.frames.time
    begin = int(time.min()) if len(time) else 0
    return chosen(question, Scene(time, begin, by_stream(found)), talks(view))


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
    only = replace(talk, stream=0)  # the first and last of its view
    tcp, udp = ((only,), ()) if isinstance(only, Connection) else ((), (only,))
    view = replace(evidence.view, connections=tcp, exchanges=udp)
    drawn = ladder(replace(evidence, views=(view, *evidence.views[1:])), everything=everything)
    named = title(talk, people(evidence.manifest))
    (section,) = (replace(one, stream=talk.stream, title=named) for one in drawn.sections)
    return replace(drawn, sections=(section,), background={})
