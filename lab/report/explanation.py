"""Explain any capture in words: each connection with its frames, worst first, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.evidence.build import talks
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, Severity, findings
from lab.report.background import background
from lab.report.glyphs import COMMAS, fold, safe, width
from lab.report.ladder import taken
from lab.report.people import People, people
from lab.report.summaries import HANDSHAKES, TEARDOWNS, summary, title
from lab.report.terminal import BACKGROUND, Paint, plain
from lab.report.verdict import frame_list
from lab.tcp.model import Connection, Handshake, Teardown
from lab.text import Language, Text, same
from lab.udp.model import Exchange
from lab.units import short_span

IN_FULL = 20
"""Exchanges explained in full; the rest is counted."""

MANY = 12
"""Frame numbers given for one flag or finding."""

FILE = Text(
    "{file}: {format}, {frames} frames in {duration}; {interfaces}",
    "{file}：{format}，{frames} 帧，历时 {duration}；{interfaces}",
)
NO_INTERFACE = Text("no interface described", "没有接口描述")
DROPS = Text("{name} ({dropped} dropped)", "{name}（丢弃 {dropped}）")
DROPS_UNKNOWN = Text("{name} (drops not recorded)", "{name}（未记录丢弃数）")

OPENED = Text("Opening: {how}, {frames}.", "建立：{how}，{frames}。")
OPENED_IN = Text("Opening: {how}, {frames}, in {rtt}.", "建立：{how}，{frames}，用时 {rtt}。")
NOT_SEEN = Text("Opening: not in the capture.", "建立：不在抓包中。")
NUMBERS = Text(
    "Client ISN {client_isn}, MSS {client_mss}, window scale {client_scale}; "
    "server ISN {server_isn}, MSS {server_mss}, window scale {server_scale}.",
    "客户端 ISN {client_isn}、MSS {client_mss}、窗口扩大因子 {client_scale}；"
    "服务器 ISN {server_isn}、MSS {server_mss}、窗口扩大因子 {server_scale}。",
)
CARRIED = Text(
    "Data: {client} octets →, {server} octets ←.", "数据：{client} 字节 →，{server} 字节 ←。"
)
CLOSED = Text("Closing: {how}, {frames}.", "关闭：{how}，{frames}。")
STILL_OPEN = Text("Closing: still open when the capture ends.", "关闭：抓包结束时仍未关闭。")
ENDS = Text(
    "Ends: client {client}, server {server}; Zeek says {conn_state} {history}.",
    "最终状态：客户端 {client}，服务器 {server}；Zeek 记为 {conn_state} {history}。",
)
FLAGS = Text("Flags: {flags}.", "标志：{flags}。")
ERROR = Text(
    "Frame #{error}, an ICMP error, answers #{cause}.", "#{error} 是 ICMP 差错报文，应答 #{cause}。"
)
SPAN = Text("Frames: {count}, {frames}.", "帧：{count} 个，{frames}。")
REST = Text(
    "… and {count} more, less remarkable: {kinds}.", "…… 另有 {count} 次，较为平常：{kinds}。"
)
NOTHING = Text("Nothing remarkable was found.", "没有发现异常。")
SEVERITIES = {
    Severity.ERROR: Text("error", "错误"),
    Severity.WARNING: Text("warning", "警告"),
    Severity.NOTE: Text("note", "提示"),
}
STYLE = {Severity.ERROR: "bad", Severity.WARNING: "warning", Severity.NOTE: "faint"}


def explain(
    evidence: Evidence, language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """Yield the lines that explain a capture file, or the first view of a run."""
    view, who = evidence.view, people(evidence.manifest)
    yield from (paint(line, "title") for line in fold([file_line(view).say(language)], columns))
    worst = worst_first(view)
    for talk in worst[:IN_FULL]:
        yield ""
        yield from (
            paint(line, "title") for line in fold([title(talk, who).say(language)], columns)
        )
        for sentence in _sentences(talk, view, who):
            yield from ("  " + line for line in fold([sentence.say(language)], columns - 2))
    yield ""
    if rest := worst[IN_FULL:]:
        yield from fold([_rest(rest).say(language)], columns)
    if counts := background(view.capture.frames, taken(worst)):
        words = COMMAS[language].join(f"{count:,} {name}" for name, count in counts.items())
        yield from fold([BACKGROUND.fill(counts=words).say(language)], columns)
    lines = list(finding_lines(findings(evidence), language, columns, paint))
    yield from lines or [paint(NOTHING.say(language), "good")]


def file_line(view: View) -> Text:
    """What a file is: its format, how many frames, over what time, on which interfaces."""
    frames = view.capture.frames
    span = int(frames.time.max() - frames.time.min()) if len(frames) else 0
    known = [
        _interface(one.name or f"interface {i}", one.dropped)
        for i, one in enumerate(view.capture.interfaces)
    ]
    interfaces = NO_INTERFACE
    if known:
        interfaces = Text(", ".join(one.en for one in known), "、".join(one.zh for one in known))
    return FILE.fill(
        file=safe(view.file),
        format=view.capture.file_format,
        frames=f"{len(frames):,}",
        duration=short_span(span),
        interfaces=interfaces,
    )


def _interface(name: str, dropped: int | None) -> Text:
    if dropped is None:
        return DROPS_UNKNOWN.fill(name=safe(name))
    return DROPS.fill(name=safe(name), dropped=f"{dropped:,}")


def worst_first(view: View) -> list[Connection | Exchange]:
    """All exchanges, those that failed before those that suffered before those that went well."""
    return sorted(talks(view), key=lambda talk: (-_trouble(talk), int(talk.rows[0])))


FAILED = (Handshake.REFUSED, Handshake.UNANSWERED, Handshake.UNFINISHED)
HEAVY = 1_000_000


def _trouble(talk: Connection | Exchange) -> int:
    if isinstance(talk, Exchange):
        return 3 * HEAVY if talk.errors else 0 if talk.datagrams[1] else HEAVY
    if talk.handshake in FAILED:
        return 3 * HEAVY
    return (2 * HEAVY if talk.teardown is Teardown.RESET else 0) + len(talk.flags)


def _sentences(talk: Connection | Exchange, view: View, who: People) -> Iterator[Text]:
    yield SPAN.fill(count=f"{len(talk.rows):,}", frames=_frames_of(talk.rows.tolist()))
    if isinstance(talk, Exchange):
        yield _joined(summary(talk, view.capture))
        for error, cause in talk.errors[:MANY]:
            yield ERROR.fill(error=error, cause=cause)
        return
    yield _opening(talk)
    if talk.isn != (None, None):
        yield _numbers(talk)
    yield CARRIED.fill(client=f"{talk.octets[0]:,}", server=f"{talk.octets[1]:,}")
    if talk.teardown is not Teardown.NOT_SEEN:
        how = TEARDOWNS[talk.teardown]
        yield CLOSED.fill(how=how, frames=frame_list(talk.teardown_frames))
    elif talk.handshake not in FAILED:
        yield STILL_OPEN
    yield ENDS.fill(
        client=talk.states[0],
        server=talk.states[1],
        conn_state=talk.conn_state,
        history=talk.history,
    )
    if talk.flags:
        yield FLAGS.fill(flags=_flags(talk))


def _joined(parts: Sequence[Text]) -> Text:
    return Text(
        ", ".join(part.en for part in parts) + ".", "，".join(part.zh for part in parts) + "。"
    )


def _frames_of(rows: list[int]) -> str:
    """First and last frame of an exchange."""
    first, last = rows[0] + 1, rows[-1] + 1
    return f"#{first}" if first == last else f"#{first} … #{last}"


def _opening(connection: Connection) -> Text:
    if connection.handshake is Handshake.NOT_SEEN:
        return NOT_SEEN
    how, frames = HANDSHAKES[connection.handshake], frame_list(connection.handshake_frames)
    if connection.rtt is None:
        return OPENED.fill(how=how, frames=frames)
    return OPENED_IN.fill(how=how, frames=frames, rtt=short_span(connection.rtt))


def _numbers(connection: Connection) -> Text:
    values: dict[str, object] = {}
    for side, name in enumerate(("client", "server")):
        for what, pair in (
            ("isn", connection.isn),
            ("mss", connection.mss),
            ("scale", connection.scale),
        ):
            values[f"{name}_{what}"] = "?" if pair[side] is None else pair[side]
    return NUMBERS.fill(**values)


def _flags(connection: Connection) -> str:
    """``retransmission 2 (#14, #15)``: each flag, how often, and on which frames."""
    frames: dict[str, list[int]] = {}
    for number in sorted(connection.flags):
        for flag in connection.flags[number]:
            frames.setdefault(str(flag.name).lower().replace("_", " "), []).append(number)
    return "; ".join(
        f"{name} {len(numbers):,} ({_some(tuple(numbers))})" for name, numbers in frames.items()
    )


def _some(numbers: tuple[int, ...]) -> str:
    return frame_list(numbers[:MANY]) + (" …" if len(numbers) > MANY else "")


def _rest(others: Sequence[Connection | Exchange]) -> Text:
    counts: dict[Text, int] = {}
    for talk in others:
        kind = HANDSHAKES[talk.handshake] if isinstance(talk, Connection) else same("UDP")
        counts[kind] = counts.get(kind, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    kinds = Text(
        ", ".join(f"{count:,} {kind.en}" for kind, count in ordered),
        "、".join(f"{kind.zh} {count:,}" for kind, count in ordered),
    )
    return REST.fill(count=f"{len(others):,}", kinds=kinds)


def finding_lines(
    found: Sequence[Finding], language: Language, columns: int, paint: Paint = plain
) -> Iterator[str]:
    """One line a finding: how much it matters, what it is, which frames show it."""
    for one in found[:IN_FULL]:
        mark = SEVERITIES[one.severity].say(language)
        where = f"{one.protocol} {one.stream}" if one.stream is not None else ""
        words = [
            safe(one.words.say(language)),
            *([f"[{where}]"] if where else []),
            _some(one.frames),
        ]
        lines = fold([" ".join(word for word in words if word)], columns - 9)
        for number, line in enumerate(lines):
            head = (
                paint(mark, STYLE[one.severity]) + " " * (9 - width(mark))
                if number == 0
                else " " * 9
            )
            yield head + line
    if len(found) > IN_FULL:
        yield f"… +{len(found) - IN_FULL:,}"
