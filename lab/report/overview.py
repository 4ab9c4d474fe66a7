"""A capture file as a whole: when, who, which protocols, and what could not be decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.packets.addresses import address_text
from lab.packets.distinct import counted, distinct, ranked
from lab.packets.each import Each, one_by_one
from lab.packets.frames import Frames, Protocol
from lab.packets.left_out import left_out
from lab.packets.parts import each_part, over_parts, span
from lab.report.background import NAMES, by_protocol
from lab.text import Text, same

BUSIEST = 3
"""Senders named where there are more than this and one."""

ETHERNET = 1
NOBODY: NDArray[np.uint64] = np.zeros(0, np.uint64)

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


class Tally(Struct, frozen=True):
    """What some frames add to the figures."""

    octets: int
    malformed: int
    cut: int
    protocols: Counter[str]
    senders: NDArray[np.uint64]  # distinct, each folded into one number
    sent: NDArray[np.int64]  # frames of each
    bare: frozenset[int]  # interfaces of the frames without an IP or ARP header


def overview(view: View, each: Each = one_by_one) -> Overview:
    """Count what a capture holds; time linear in its frames. ``each``: see `lab.packets.each`."""
    frames = view.capture.frames
    tallies = [*over_parts(frames, _tally, each)]
    protocols = _sum(tally.protocols for tally in tallies)
    senders, sent = _merged(tallies)
    decoded = set(NAMES.values())
    begin, end = span(frames.time) if len(frames) else (None, None)
    return Overview(
        file=view.file,
        file_format=view.capture.file_format,
        frames=len(frames),
        octets=sum(tally.octets for tally in tallies),
        begin=begin,
        end=end,
        senders=len(senders),
        busiest=tuple(_busiest(frames, senders, sent)),
        protocols={name: count for name, count in protocols.items() if name in decoded},
        undecoded={name: count for name, count in protocols.items() if name not in decoded},
        link_types=_link_types(view, frozenset().union(*(tally.bare for tally in tallies))),
        connections=len(view.connections),
        exchanges=len(view.exchanges),
        malformed=sum(tally.malformed for tally in tallies),
        cut=sum(tally.cut for tally in tallies),
        left_out=left_out(view.capture),
    )


def _sum(counters: Iterable[Counter[str]]) -> dict[str, int]:
    """All together, most frequent first."""
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(total.most_common())


def _merged(tallies: Iterable[Tally]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The senders of all parts, and how many frames each sent."""
    senders, which = ranked(np.concatenate([NOBODY, *(tally.senders for tally in tallies)]))
    sent = np.zeros(len(senders), np.int64)
    np.add.at(sent, which, np.concatenate([sent[:0], *(tally.sent for tally in tallies)]))
    return senders, sent


def _tally(frames: Frames) -> Tally:
    bare = (frames.ip_version == 0) & (frames.protocol == int(Protocol.OTHER))
    senders, sent = counted(_senders(frames))
    return Tally(
        octets=int(frames.length.sum(dtype=np.int64)),
        malformed=int(frames.malformed.sum()),
        cut=int((frames.captured < frames.length).sum()),
        protocols=by_protocol(frames, np.arange(len(frames))),
        senders=senders,
        sent=sent,
        bare=frozenset(distinct(frames.interface[bare]).tolist()),
    )


def _senders(frames: Frames) -> NDArray[np.uint64]:
    """The source address of each IP packet, both halves folded into one number: exact for IPv4."""
    folded = frames.source[:, 1] ^ frames.source[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    ip = frames.ip_version > 0
    return folded if ip.all() else folded[np.flatnonzero(ip)]


def _busiest(
    frames: Frames, senders: NDArray[np.uint64], sent: NDArray[np.int64]
) -> Iterator[tuple[str, int]]:
    """Who sent most, and how many frames; all, if that takes but one name more."""
    shown = BUSIEST + 1 if len(senders) == BUSIEST + 1 else BUSIEST
    for which in np.argsort(-sent, kind="stable")[:shown].tolist():
        yield address_text(*_address(frames, senders[which])), int(sent[which])


def _address(frames: Frames, sender: np.uint64) -> tuple[int, int]:
    """Both halves of an address, by what they are folded into."""
    for _, part in each_part(frames):
        found = np.flatnonzero(_senders(part) == sender)
        if len(found):
            high, low = part.source[np.flatnonzero(part.ip_version > 0)[found[0]]].tolist()
            return high, low
    raise KeyError(sender)


def _link_types(view: View, interfaces: Iterable[int]) -> tuple[int, ...]:
    types = {view.capture.interfaces[i].link_type for i in interfaces}
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
