"""The ladder as a sequence diagram in Mermaid's language, for documents that draw it themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.report.events import CallEvent, Event, FrameEvent, GapEvent, Ladder, Section
from lab.report.glyphs import quote, safe
from lab.report.terminal import GAP
from lab.text import Language

MOST_WORDS = 2
_NAME = re.compile(r"\W")


def mermaid(ladder: Ladder, language: Language) -> str:
    """One diagram; each exchange is a box of its own."""
    lines = ["sequenceDiagram"]
    lines += [
        f"    participant {_id(letter)} as {_plain(who.say(language))}"
        for letter, who in ladder.letters.items()
    ]
    for section in ladder.sections:
        lines.append(
            f"    rect rgb(246, 242, 234)\n    Note over {_over(ladder)}: {_plain(section.title.say(language))}"
        )
        lines += [f"    {line}" for line in _section(section, language, set(ladder.letters))]
        lines.append("    end")
    return "\n".join([*lines, ""])


def _over(ladder: Ladder) -> str:
    ids = [_id(letter) for letter in ladder.letters] or ["nobody"]
    return ids[0] if len(ids) == 1 else f"{ids[0]},{ids[-1]}"


def _section(section: Section, language: Language, known: set[str]) -> Iterator[str]:
    for event in section.events:
        yield from _event(event, language, known)


def _event(event: Event, language: Language, known: set[str]) -> Iterator[str]:
    if isinstance(event, FrameEvent):
        source, target = (one if one in known else "" for one in (event.source, event.target))
        words = _plain(_label(event, language))
        if not source or not target:
            yield f"Note over {_id(source or target or min(known, default='?'))}: {words}"
            return
        lost = any(word.en.startswith("✗ lost") for word in event.words)
        yield f"{_id(source)}{'-x' if lost else '->>'}{_id(target)}: {words}"
        for letter, state in event.states:
            if letter in known:
                yield f"Note over {_id(letter)}: {state.value}"
    elif isinstance(event, CallEvent) and event.host in known:
        yield f"Note over {_id(event.host)}: {_plain(event.words)}"
    elif isinstance(event, GapEvent) and known:
        gap = GAP.fill(segments=event.segments, acks=event.acknowledgments, octets=event.octets)
        yield f"Note over {_id(min(known))}: {_plain(gap.say(language))}"


def _label(event: FrameEvent, language: Language) -> str:
    parts = [event.label, event.flags]
    if event.sequence is not None:
        parts.append(f"seq {event.sequence}" + (f" +{event.octets}" if event.octets else ""))
    if event.acknowledgment is not None:
        parts.append(f"ack {event.acknowledgment}")
    parts += [word.say(language) for word in event.words[:MOST_WORDS]]
    parts += [quote(event.payload, event.octets)] if event.payload else []
    return " ".join(parts)


def _id(letter: str) -> str:
    return "p" + _NAME.sub("_", letter)


def _plain(words: str) -> str:
    """Words without what Mermaid, or the HTML that it makes, would take for its own."""
    entities = {
        "#": "#35;",
        ";": "#59;",
        "<": "#lt;",
        ">": "#gt;",
        "&": "#amp;",
        '"': "#quot;",
        "%": "#37;",
    }
    return "".join(entities.get(character, character) for character in safe(words))
