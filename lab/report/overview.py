"""A capture file as a whole: when, who, which protocols, and what could not be decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.packets.addresses import address_text
from lab.packets.distinct import distinct, grouped, ranked
from lab.packets.frames import Frames, Protocol
from lab.packets.left_out import left_out
from lab.packets.parts import each_part, span
from lab.report.background import NAMES, background
from lab.text import Text, same

BUSIEST = 3
"""Senders named where there are more than this and one."""

ETHERNET = 1
Sent = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]
NOBODY: Sent = (np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64))

TIME = Text(
    "From {begin} to {end} UTC; {octets} octets on the wire.",
    "起止时间：{begin} 至 {end}（UTC）；线路上共 {octets} 字节。",
)
MOMENT = Text(
    "At {begin} UTC; {octets} octets on the wire.",
    "时间：{begin}（UTC）；线路上共 {octets} 字节。",
)
SENDER = Text("Sender: {each}.", "发送方：{each}。")
SENDERS = Text("Senders: {count} addresses: {each}.", "发送方：{count} 个地址：{each}。")
SENDERS_MOST = Text(
    "Senders: {count} addresses; most frames: {each}.",
    "发送方：{count} 个地址，发送最多的：{each}。",
)
SENT = (
    Text("{address} (1 frame)", "{address} 发出 1 帧"),
    Text("{address} ({frames} frames)", "{address} 发出 {frames} 帧"),
)
PROTOCOLS = Text("Protocols: {each}.", "协议：{each}。")
OWNED = {
    "TCP": (
        Text("{frames} {protocol} in 1 connection", "{protocol} {frames} 帧，属 1 个连接"),
        Text(
            "{frames} {protocol} in {count} connections",
            "{protocol} {frames} 帧，属 {count} 个连接",
        ),
    ),
    "UDP": (
        Text("{frames} {protocol} in 1 exchange", "{protocol} {frames} 帧，属 1 次交换"),
        Text(
            "{frames} {protocol} in {count} exchanges", "{protocol} {frames} 帧，属 {count} 次交换"
        ),
    ),
}
COUNTED = Text("{frames} {protocol}", "{protocol} {frames} 帧")
NOT_DECODED = Text("Not decoded: {each}.", "未解码：{each}。")
LEFT_OUT = Text("Not read: {each}.", "未读取：{each}。")
FLAWED = Text("Not whole: {each}.", "不完好的帧：{each}。")
MALFORMED = (
    Text("1 frame with a header that contradicts itself", "1 帧的首部自相矛盾"),
    Text("{count} frames with a header that contradicts itself", "{count} 帧的首部自相矛盾"),
)
CUT = (
    Text("1 frame cut by the snap length", "1 帧被抓包长度（snap length）截短"),
    Text("{count} frames cut by the snap length", "{count} 帧被抓包长度（snap length）截短"),
)
OTHER = {
    "other": Text("neither IP nor ARP", "既非 IP 也非 ARP 的"),
    "IP fragment": Text("IP fragments", "IP 分片"),
}
LINK_TYPES = Text("{what} (link type {types})", "{what}（链路类型 {types}）")


class Overview(Struct, frozen=True):
    """The figures of one capture file. Times in ns since 1970-01-01 UTC; None without a frame."""

    file: str
    file_format: str
    frames: int
    octets: int  # on the wire
    begin: int | None
    end: int | None
    senders: int  # distinct addresses that sent an IP packet
    busiest: tuple[tuple[str, int], ...]  # (address, frames sent), most first
    protocols: Mapping[str, int]  # name -> frames, most first; what is not decoded left out
    undecoded: Mapping[str, int]  # name -> frames, most first
    link_types: tuple[int, ...]  # of the frames without an IP or ARP header, Ethernet left out
    connections: int
    exchanges: int
    malformed: int
    cut: int  # frames of which less was captured than was on the wire
    left_out: tuple[Text, ...] = ()  # what was not read, counted and placed


def overview(view: View) -> Overview:
    """Count what a capture holds; time and memory linear in its frames."""
    frames = view.capture.frames
    senders, busiest = _senders(frames)
    counts = background(frames, ())
    decoded = set(NAMES.values())
    begin, end = span(frames.time) if len(frames) else (None, None)
    octets = malformed = cut = 0
    for _, part in each_part(frames):
        octets += int(part.length.sum(dtype=np.int64))
        malformed += int(part.malformed.sum())
        cut += int((part.captured < part.length).sum())
    return Overview(
        file=view.file,
        file_format=view.capture.file_format,
        frames=len(frames),
        octets=octets,
        begin=begin,
        end=end,
        senders=senders,
        busiest=busiest,
        protocols={name: count for name, count in counts.items() if name in decoded},
        undecoded={name: count for name, count in counts.items() if name not in decoded},
        link_types=_link_types(view),
        connections=len(view.connections),
        exchanges=len(view.exchanges),
        malformed=malformed,
        cut=cut,
        left_out=left_out(view.capture),
    )


def _senders(frames: Frames) -> tuple[int, tuple[tuple[str, int], ...]]:
    """How many addresses sent something, and which sent most.

    Both halves of an address are folded into one number to sort by: for IPv4 that is exact.
    """
    found = [_sent(part, begin) for begin, part in each_part(frames)]
    every, many, where = (np.concatenate(columns) for columns in zip(NOBODY, *found, strict=True))
    numbers, which = ranked(every)
    counts, first = np.zeros(len(numbers), np.int64), np.full(len(numbers), len(frames))
    np.add.at(counts, which, many)
    np.minimum.at(first, which, where)
    most = np.argsort(-counts, kind="stable")[: BUSIEST + 1]
    named = tuple(
        (address_text(*frames.source[first[i]].tolist()), int(counts[i])) for i in most.tolist()
    )
    return len(counts), named if len(counts) <= BUSIEST + 1 else named[:BUSIEST]


def _sent(frames: Frames, begin: int) -> Sent:
    """Who sent some frames: each folded address, how many frames, the row of the first."""
    rows = np.flatnonzero(frames.ip_version)
    source = frames.source[rows]
    folded = source[:, 1] ^ source[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    numbers, first, which = grouped(folded)
    return numbers, np.bincount(which, minlength=len(numbers)), rows[first] + begin


def _link_types(view: View) -> tuple[int, ...]:
    kinds: set[int] = set()
    for _, part in each_part(view.capture.frames):
        bare: NDArray[np.bool_] = (part.ip_version == 0) & (part.protocol == int(Protocol.OTHER))
        kinds.update(distinct(part.interface[bare]).tolist())
    types = {view.capture.interfaces[i].link_type for i in kinds}
    return tuple(sorted(types - {ETHERNET}))


def sentences(one: Overview) -> Iterator[Text]:
    """The overview in words, a line or two each; what there is nothing to say of is left out."""
    if one.begin is None or one.end is None:
        return
    begin, end, octets = _date(one.begin), _date(one.end), f"{one.octets:,}"
    if begin == end:
        yield MOMENT.fill(begin=begin, octets=octets)
    else:
        day, _, clock = end.partition(" ")
        yield TIME.fill(begin=begin, end=clock if begin.startswith(day) else end, octets=octets)
    if one.busiest:
        yield _senders_named(one)
    if one.protocols:
        yield PROTOCOLS.fill(each=_listed([_protocol(one, name) for name in one.protocols]))
    if one.undecoded:
        yield NOT_DECODED.fill(each=_listed([_undecoded(one, name) for name in one.undecoded]))
    if one.left_out:
        yield LEFT_OUT.fill(each=_listed(list(one.left_out)))
    flaws = [(MALFORMED, one.malformed), (CUT, one.cut)]
    if told := [words[n > 1].fill(count=f"{n:,}") for words, n in flaws if n]:
        yield FLAWED.fill(each=_listed(told))


def _date(time: int) -> str:
    """``2025-12-17 19:33:20.000000``; an int64 of ns is always a date of some year."""
    return str(np.datetime_as_string(np.datetime64(time, "ns"), unit="us")).replace("T", " ")


def _senders_named(one: Overview) -> Text:
    each = _listed(
        [
            SENT[count > 1].fill(address=address, frames=f"{count:,}")
            for address, count in one.busiest
        ]
    )
    if one.senders == 1:
        return SENDER.fill(each=each)
    template = SENDERS if one.senders == len(one.busiest) else SENDERS_MOST
    return template.fill(count=f"{one.senders:,}", each=each)


def _protocol(one: Overview, name: str) -> Text:
    frames, protocol = f"{one.protocols[name]:,}", OTHER.get(name, same(name))
    many = {"TCP": one.connections, "UDP": one.exchanges}.get(name, 0)
    template = OWNED[name][many > 1] if many else COUNTED
    return template.fill(frames=frames, protocol=protocol, count=f"{many:,}")


def _undecoded(one: Overview, name: str) -> Text:
    what = OTHER.get(name, same(name))
    if name == "other" and one.link_types:
        what = LINK_TYPES.fill(what=what, types=", ".join(map(str, one.link_types)))
    return COUNTED.fill(frames=f"{one.undecoded[name]:,}", protocol=what)


def _listed(parts: list[Text]) -> Text:
    return Text(", ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def record(one: Overview) -> dict[str, Any]:
    """The overview for programs: times in seconds since 1970-01-01 UTC."""
    return {
        "file": one.file,
        "format": one.file_format,
        "frames": one.frames,
        "bytes": one.octets,
        "begin": None if one.begin is None else one.begin / 1e9,
        "end": None if one.end is None else one.end / 1e9,
        "senders": one.senders,
        "busiest": [{"address": address, "frames": count} for address, count in one.busiest],
        "protocols": dict(one.protocols),
        "not_decoded": dict(one.undecoded),
        "link_types_not_decoded": list(one.link_types),
        "connections": one.connections,
        "exchanges": one.exchanges,
        "malformed": one.malformed,
        "cut_by_snap_length": one.cut,
        "not_read": [{"en": what.en, "zh": what.zh} for what in one.left_out],
    }
