"""What a capture file is, in one line: its format, its frames, how long it lasted, its interfaces."""

from __future__ import annotations

from collections.abc import Sequence

from lab.evidence.run import View
from lab.packets.kinds import Interface
from lab.packets.parts import span
from lab.report.glyphs import safe
from lab.text import Text, same
from lab.units import short_span

FILE = Text(
    "{file}: {format}, {frames} frames in {duration}; {interfaces}",
    "{file}：{format}，{frames} 帧，历时 {duration}；{interfaces}",
)
FILE_ONE = Text("{file}: {format}, 1 frame; {interfaces}", "{file}：{format}，1 帧；{interfaces}")
DAYS = Text("{count} days", "{count} 天")
HOURS = Text("{count} hours", "{count} 小时")
HOUR = 3600 * 10**9
"""ns"""

NO_INTERFACE = Text("no interface described", "没有接口描述")
UNNAMED = Text("interface {number}", "接口 {number}")
DROPS = Text("{name} ({dropped} dropped)", "{name}（丢弃 {dropped}）")
DROPS_UNKNOWN = Text("{name} (drops not recorded)", "{name}（未记录丢弃数）")
NOT_RECORDED = Text("drops not recorded", "未记录丢弃数")
MORE_INTERFACES = Text("{count} more", "另有 {count} 个")
NAMED = 3
"""Interfaces named; more are counted."""


def file_line(view: View) -> Text:
    """What a file is: its format, how many frames, over what time, on which interfaces."""
    frames = view.capture.frames
    begin, end = span(frames.time) if len(frames) else (0, 0)
    return (FILE_ONE if len(frames) == 1 else FILE).fill(
        file=safe(view.file),
        format=view.capture.file_format,
        frames=f"{len(frames):,}",
        duration=_lasting(end - begin),
        interfaces=_interfaces(view.capture.interfaces),
    )


def _lasting(span: int) -> Text:
    """Write how long a capture lasted (ns)."""
    if span >= 48 * HOUR:
        return DAYS.fill(count=f"{span // (24 * HOUR):,}")
    return HOURS.fill(count=f"{span / HOUR:.1f}") if span >= 2 * HOUR else same(short_span(span))


def _interfaces(every: Sequence[Interface]) -> Text:
    if not every:
        return NO_INTERFACE
    if len(every) == 1 and not every[0].name and every[0].dropped is None:
        return NOT_RECORDED
    told = [_interface(number, one) for number, one in enumerate(every[:NAMED])]
    if len(every) > NAMED:
        told.append(MORE_INTERFACES.fill(count=f"{len(every) - NAMED:,}"))
    return Text(", ".join(one.en for one in told), "、".join(one.zh for one in told))


def _interface(number: int, one: Interface) -> Text:
    name = same(safe(one.name)) if one.name else UNNAMED.fill(number=number)
    if one.dropped is None:
        return DROPS_UNKNOWN.fill(name=name)
    return DROPS.fill(name=name, dropped=f"{one.dropped:,}")
