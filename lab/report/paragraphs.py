"""One exchange in a few sentences: its frames, how it opened, what it carried, how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import View
from lab.report.phrases import octets
from lab.report.summaries import HANDSHAKES, TEARDOWNS, first_answer
from lab.report.verdict import frame_list
from lab.tcp.model import Connection, Handshake, Teardown
from lab.text import Text
from lab.udp.model import Exchange
from lab.units import short_span

MANY = 12
"""Frame numbers given for one flag or finding."""

FAILED = (Handshake.REFUSED, Handshake.UNANSWERED, Handshake.UNFINISHED)

OPENED = Text("Opening: {how}, {frames}.", "建立：{how}，{frames}。")
OPENED_IN = Text("Opening: {how}, {frames}, in {rtt}.", "建立：{how}，{frames}，用时 {rtt}。")
NOT_SEEN = Text("Opening: not in the capture.", "建立：不在抓包中。")
NUMBERS = Text(
    "Client ISN {client_isn}, MSS {client_mss}, window scale {client_scale}; "
    "server ISN {server_isn}, MSS {server_mss}, window scale {server_scale}.",
    "客户端 ISN {client_isn}、MSS {client_mss}、窗口扩大因子 {client_scale}；"
    "服务器 ISN {server_isn}、MSS {server_mss}、窗口扩大因子 {server_scale}。",
)
CARRIED = Text("Data: {client} →, {server} ←.", "数据：{client} →，{server} ←。")
DATAGRAMS = Text(
    "Data: datagrams {client} →, {server} ←; octets {sent} →, {received} ←.",
    "数据：数据报 {client} 个 →，{server} 个 ←；字节数 {sent} →，{received} ←。",
)
ANSWERED = Text("First answer after {delay}.", "首个应答在 {delay} 后到达。")
NOT_ANSWERED = Text("No answer in the capture.", "抓包中没有应答。")
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


def sentences(talk: Connection | Exchange, view: View) -> Iterator[Text]:
    """Tell an exchange, a sentence at a time."""
    yield SPAN.fill(count=f"{len(talk.rows):,}", frames=_frames_of(talk.rows.tolist()))
    if isinstance(talk, Exchange):
        yield from _datagrams(talk, view)
        for error, cause in talk.errors[:MANY]:
            yield ERROR.fill(error=error, cause=cause)
        return
    yield _opening(talk)
    if talk.isn != (None, None):
        yield _numbers(talk)
    yield CARRIED.fill(client=octets(talk.octets[0]), server=octets(talk.octets[1]))
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


def _datagrams(exchange: Exchange, view: View) -> Iterator[Text]:
    (client, server), (sent, received) = exchange.datagrams, exchange.octets
    yield DATAGRAMS.fill(
        client=f"{client:,}", sent=f"{sent:,}", server=f"{server:,}", received=f"{received:,}"
    )
    if (delay := first_answer(exchange, view.capture)) is not None:
        yield ANSWERED.fill(delay=short_span(delay))
    elif not exchange.errors:
        yield NOT_ANSWERED


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


def _flags(connection: Connection) -> Text:
    """``retransmission 2 (#14, #15)``: each flag, how often, and on which frames."""
    frames: dict[str, list[int]] = {}
    for number in sorted(connection.flags):
        for flag in connection.flags[number]:
            frames.setdefault(str(flag.name).lower().replace("_", " "), []).append(number)
    each = [(name, f"{len(found):,}", some(tuple(found))) for name, found in frames.items()]
    return Text(
        "; ".join(f"{name} {count} ({shown})" for name, count, shown in each),
        "；".join(f"{name} {count}（{shown}）" for name, count, shown in each),
    )


def some(numbers: tuple[int, ...]) -> str:
    """The first of these frame numbers, written short."""
    return frame_list(numbers[:MANY]) + (" …" if len(numbers) > MANY else "")
