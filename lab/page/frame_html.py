"""A frame's row as HTML. Templates write everything else: a long run has 20,000 frames, and a template
takes four times as long for each.

Whatever a run says goes through `escaped` or `html`; what does not are numbers and names of our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup, escape

from lab.page.geometry import Pair
from lab.page.glossary import Marker
from lab.page.ruler import widths
from lab.page.scene import FrameRow, Sack
from lab.page.words import WORDS
from lab.report.glyphs import quote, safe
from lab.text import Language, Text
from lab.units import MODULUS

LONG = 44
"""px of fall: from there on the words of an arrow stand where it meets its own port."""

NAMED = 40
"""Frames that a row points to at most, of one kind: the last ones."""

SVG = 'viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"'
OCTETS = Text("octets", "字节")


def frame_html(row: FrameRow, base: Pair, marker: Marker | None = None) -> Markup:
    """One row.

    Args:
        row: what is written.
        base: where the rows that it stands among begin.
        marker: marks the terms in its words; None: they stay unmarked.
    """
    even, true = row.top
    ruler = _ruler(row) if row.sum or row.sack else ""
    return Markup(  # noqa: S704 - made harmless piece by piece
        f'<li id="{escaped(row.key)}" class="{classes(row)}"{_ties(row)}'
        f' style="--y:{px(even - base[0])};--Y:{px(true - base[1])};{falls(row)}">'
        f"{_clocks(row)}{crossing(row, marker)}{ruler}</li>"
    )


@lru_cache(1024)
def escaped(words: str) -> str:
    """A string of a capture, of a program or ours, as HTML."""
    return str(escape(safe(words)))


@lru_cache(1024)
def html(text: Text) -> str:
    """Both languages."""
    if text.en == text.zh:
        return escaped(text.en)
    return _both(escaped(text.en), escaped(text.zh))


def _both(en: str, zh: str) -> str:
    return f'<span lang="en">{en}</span><span lang="zh-Hans">{zh}</span>'


def _marked(text: Text, marker: Marker | None) -> str:
    if marker is None:
        return html(text)
    en = str(marker.mark(text, Language.EN))
    return en if text.en == text.zh else _both(en, str(marker.mark(text, Language.ZH)))


def px(value: float) -> str:
    """``12px``, ``12.5px``."""
    written = f"{value:.1f}".removesuffix(".0")
    return "0px" if written == "-0" else f"{written}px"


def size(octets: int) -> str:
    """``512``, ``65.5 kB``, ``4.19 MB``."""
    for unit, weight in (("MB", 1_000_000), ("kB", 1000)):
        if octets >= 10 * weight or (unit == "kB" and octets >= 10_000):
            return f"{octets / weight:.3g} {unit}"
    return str(octets)


# ---------------------------------------------------------------- the row's own attributes


def classes(row: FrameRow) -> str:
    """What style its element has."""
    arrow = row.arrow
    middle = " mid" if arrow.width < 100 and not arrow.lost else ""
    long = (" long" if arrow.fall[0] > LONG else "") + (" far" if arrow.fall[1] > LONG else "")
    way = (" lost" if arrow.lost else middle) + (" right" if arrow.rightward else " left")
    return f"frame {row.look}{way}{long}"


def falls(row: FrameRow) -> str:
    """How its arrow goes, as custom properties."""
    arrow = row.arrow
    (lift, true_lift), (fall, true_fall) = arrow.lift, arrow.fall
    across = f";--x:{arrow.left}%;--w:{arrow.width}%" if arrow.width < 100 else ""
    return f"--l:{px(lift)};--L:{px(true_lift)};--f:{px(fall)};--F:{px(true_fall)}{across}"


def _ties(row: FrameRow) -> str:
    """Attributes that name the frames to which this one has to do."""
    found = ""
    if row.sum and row.sum.covers:
        found += f' data-covers="{_keys(row.sum.covers)}"'
    if row.resent:
        found += f' data-copied="{escaped(f"{row.resent.first} {row.resent.trigger}")}"'
    if row.sack:
        held, missing = _keys(row.sack.held), _keys(row.sack.missing)
        found += f' data-held="{held}" data-missing="{missing}"'
    return found


def _keys(frames: tuple[str, ...]) -> str:
    return escaped(" ".join(frames[-NAMED:]))


# ---------------------------------------------------------------- what is in it


def _clocks(row: FrameRow) -> str:
    start, before, same, wall = row.clocks
    return (
        f'<span class="time"><span class="t0">{start}</span><span class="t1">{before}</span>'
        f'<span class="t2">{same}</span><span class="t3">{wall}</span></span>'
    )


def crossing(row: FrameRow, marker: Marker | None = None) -> Markup:
    """The arrow with what stands at it, and the states that its frame led to."""
    return Markup(_wire(row, marker) + _states(row))  # noqa: S704 - made harmless piece by piece


def _wire(row: FrameRow, marker: Marker | None) -> str:
    arrow, (begins, ends) = row.arrow, row.others
    path = f'<path d="{"M0 0L100 100" if arrow.rightward else "M100 0L0 100"}"/></svg>'
    copies = "".join(
        f'<svg class="shaft fork" style="--f:{px(even)};--F:{px(true)}" {SVG}>{path}'
        for even, true in arrow.forked
    )
    begins = f'<b class="host">{escaped(begins)}</b>' if begins else ""
    ends = f'<b class="host goal">{escaped(ends)}</b>' if ends else ""
    return (
        f'<span class="wire"><svg class="shaft" {SVG}>{path}{copies}{begins}{ends}'
        f'<i class="head" aria-hidden="true">{"✗" if arrow.lost else ""}</i>'
        f'<span class="label">{_label(row)}{_came(row)}</span>{_words(row, marker)}</span>'
    )


def _label(row: FrameRow) -> str:
    event, where = row.event, escaped(row.event.elsewhere)
    badge = f' <span class="badge">{html(row.badge)}</span>' if row.badge else ""
    return (
        f'<a class="hit" href="#{escaped(row.key)}"><b class="no">#{event.number}{where}</b>'
        f'<span class="way"> {escaped(event.source)} → {escaped(event.target)}</span> '
        f"{_chips(event.flags)}{_sequence(row)}{_acknowledgment(row)}{_window(row)}{badge}</a>"
    )


@lru_cache(64)
def _chips(flags: str) -> str:
    return "".join(
        f'<span class="chip {flag}">{flag}</span>' for flag in map(escaped, flags.split(","))
    )


def _sequence(row: FrameRow) -> str:
    event = row.event
    if event.sequence is None:
        octets = f' <span class="n"><em>{event.octets}</em> {html(OCTETS)}</span>'
        return octets if event.octets else ""
    wire = f'<span class="abs">{row.absolute[0]}</span>' if row.absolute else ""
    octets = f"<em> +{event.octets}</em>" if event.octets else ""
    return f' <span class="n">seq <span class="rel">{event.sequence}</span>{wire}{octets}</span>'


def _acknowledgment(row: FrameRow) -> str:
    if row.event.acknowledgment is None:
        return ""
    number, told = row.event.acknowledgment, row.sum
    wire = f'<span class="abs">{row.absolute[1]}</span>' if row.absolute else ""
    total = (
        f'<span class="sum"> = <span class="rel">{told.start}</span>'
        f'<span class="abs">{told.absolute}</span> + {told.added}</span>'
        if told and told.covers
        else ""
    )
    return f' <span class="n">ack <span class="rel">{number}</span>{wire}{total}</span>'


def _window(row: FrameRow) -> str:
    if row.window is None:
        return ""
    field, scaled = row.window
    octets = "?" if scaled is None else size(scaled)
    return (
        f' <span class="n w">win <span class="scaled">{octets}</span>'
        f'<span class="field">{field}</span></span>'
    )


def _came(row: FrameRow) -> str:
    """Of a segment sent again: its first copy, and the ACK that asked for it."""
    if row.resent is None:
        return ""
    asked = f" ⇐{_tie(row.resent.trigger)}" if row.resent.trigger else ""
    return f'<span class="came"> ↺{_tie(row.resent.first)}{asked}</span>'


def _tie(key: str) -> str:
    return f' <a class="tie" href="#{escaped(key)}" tabindex="-1">#{escaped(key[1:])}</a>'


def _words(row: FrameRow, marker: Marker | None) -> str:
    event = row.event
    if not (event.words or row.truth or row.sack):
        return ""
    said = [f'<span class="p">{_marked(word, marker)}</span>' for word in event.words]
    said += _blocks(row.sack) if row.sack else ()
    if event.payload:
        said.append(f"<q>{escaped(quote(event.payload, event.octets))}</q>")
    if row.truth:
        truth, single = map(html, row.truth)
        told = f"{html(WORDS['truth'])}: {truth} · {html(WORDS['single'])}: {single}"
        said.append(f'<span class="p truth">{told}</span>')
    return f'<span class="words">{"".join(said)}</span>'


def _blocks(sack: Sack) -> Iterator[str]:
    return (f'<span class="p sack">{html(word)}</span>' for word in sack.words)


def _states(row: FrameRow) -> str:
    if not row.event.states:
        return ""
    sure = row.event.confirmed
    told = (
        f"<span>{escaped(letter)}: {state.value}{' ✓' if letter in sure else ''}</span>"
        for letter, state in row.event.states
    )
    return f'<span class="states">{"".join(told)}</span>'


# ---------------------------------------------------------------- octets that an ACK speaks of


def _ruler(row: FrameRow) -> str:
    """The cells, each with its width; the last one with both its edges."""
    cells = row.cells
    if not cells:
        return ""
    told = []
    for cell, width in zip(cells, widths(cells), strict=True):
        named = "".join(f"#{escaped(key[1:])} " for key in cell.frames[:2]) or "?"
        more = "…" if len(cell.frames) > 2 else ""
        end = f'<small class="last">{_edge(row, cell.end)}</small>' if cell is cells[-1] else ""
        told.append(
            f'<span class="cell {cell.kind}" style="--w:{width:.1f}%"><b>{named}{more}</b>'
            f"<small>{_edge(row, cell.begin)}</small>{end}</span>"
        )
    return f'<span class="ruler">{"".join(told)}</span>'


def _edge(row: FrameRow, number: int) -> str:
    wire = ""
    if row.absolute:
        base = row.absolute[1] - (row.event.acknowledgment or 0)
        wire = f'<span class="abs">{(base + number) % MODULUS}</span>'
    return f'<span class="n"><span class="rel">{number}</span>{wire}</span>'
