"""The tour: one TCP greeting closed in four segments, one closed in three, one UDP exchange.

The greeting is the oldest program of the lab's reading list (ids S0-P1, S0-P2), the timestamp echo
its UDP companion (S2-P5, S2-P6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.closing import DELAYED_ACK, FOUR, THREE, closes_in_three
from lab.tcp.model import Connection, Handshake, Teardown
from lab.text import Text, same
from lab.udp.model import Exchange
from lab.units import SequenceNumber, short_span

if TYPE_CHECKING:
    from lab.evidence.run import Evidence

GREETING_PORT = 12345
TIMESTAMP_PORT = 21567
REQUEST = "你好,服务器!"
REPLY = "服务器已收到消息!"


# ---------------------------------------------------------------- finding what a promise speaks of


def _greetings(evidence: Evidence) -> list[Connection]:
    return [one for one in evidence.view.connections if one.server.port == GREETING_PORT]


def _timestamps(evidence: Evidence) -> list[Exchange]:
    return [one for one in evidence.view.exchanges if one.server.port == TIMESTAMP_PORT]


def _payload(evidence: Evidence, one: Connection | Exchange, *, from_client: bool) -> bytes:
    from lab.packets.rows import frame  # numpy, which playing the tour does not need

    capture = evidence.view.capture
    rows = one.rows[one.from_client == from_client]
    return b"".join(frame(capture, int(row)).payload for row in rows)


def _frames_with_data(evidence: Evidence, one: Connection | Exchange) -> tuple[int, ...]:
    lengths = evidence.view.capture.frames.payload_length
    return tuple(int(row) + 1 for row in one.rows if lengths[row] > 0)


def _of_greeting(
    index: int, check: Callable[[Evidence, Connection], Seen]
) -> Callable[[Evidence], Seen]:
    """Check one of the two connections; its absence is a broken promise."""

    def checked(evidence: Evidence) -> Seen:
        found = _greetings(evidence)
        if len(found) <= index:
            missing = Text(
                "{count} connection[|s] to port {port} [was|were] seen",
                "只看到 {count} 个到端口 {port} 的连接",
            )
            return Seen(False, missing.fill(count=len(found), port=GREETING_PORT))
        return check(evidence, found[index])

    return checked


# ---------------------------------------------------------------- the promises


SAID = {
    Handshake.THREE_WAY: Text("three-way", "三次握手"),
    Teardown.FOUR_SEGMENTS: FOUR,
    Teardown.THREE_SEGMENTS: THREE,
}
"""How an opening and a close that a promise is about are called; others by their own name."""


def _said(kind: Handshake | Teardown) -> Text:
    return SAID.get(kind, same(kind.value))


def _three_way(evidence: Evidence, one: Connection) -> Seen:
    kept = one.handshake is Handshake.THREE_WAY and len(one.handshake_frames) == 3
    return Seen(kept, _said(one.handshake), one.handshake_frames)


def _isn_plus_one(evidence: Evidence, one: Connection) -> Seen:
    """A SYN consumes one sequence number, so each side acknowledges the other's ISN + 1."""
    client, server = one.isn
    if client is None or server is None or len(one.handshake_frames) != 3:
        return Seen(False, Text("a SYN was not seen", "没有看到 SYN"), one.handshake_frames)
    acks = evidence.view.capture.frames.acknowledgment
    _, second, third = (int(acks[number - 1]) for number in one.handshake_frames)
    kept = second == SequenceNumber(client) + 1 and third == SequenceNumber(server) + 1
    return Seen(
        kept, same(f"{client} + 1 → {second}, {server} + 1 → {third}"), one.handshake_frames
    )


def _texts_arrive(evidence: Evidence, one: Connection) -> Seen:
    sent = _payload(evidence, one, from_client=True)
    answered = _payload(evidence, one, from_client=False)
    kept = sent == REQUEST.encode() and answered == REPLY.encode()
    words = Text("{sent} octets → {answered} octets ←", "{sent} 字节 → {answered} 字节 ←")
    return Seen(
        kept, words.fill(sent=len(sent), answered=len(answered)), _frames_with_data(evidence, one)
    )


def _closes_in_four(evidence: Evidence, one: Connection) -> Seen:
    kept = one.teardown is Teardown.FOUR_SEGMENTS
    return Seen(kept, _said(one.teardown), one.teardown_frames)


def _ack_of_fin_waits(evidence: Evidence, one: Connection) -> Seen:
    """The first FIN is acknowledged before the application closes: the gap is the delayed ACK."""
    if one.teardown is not Teardown.FOUR_SEGMENTS:
        return Seen(False, _said(one.teardown), one.teardown_frames)
    time = evidence.view.capture.frames.time
    fin, ack, last_fin, _ = (int(time[number - 1]) for number in one.teardown_frames)
    words = Text("ACK after {ack}, FIN after {fin}", "{ack} 后 ACK，{fin} 后 FIN")
    filled = words.fill(ack=short_span(ack - fin), fin=short_span(last_fin - fin))
    return Seen(ack < last_fin and last_fin - fin > DELAYED_ACK, filled, one.teardown_frames[:3])


def _datagrams_answered(evidence: Evidence) -> Seen:
    found = _timestamps(evidence)
    if len(found) != 1:
        return Seen(
            False, Text("{n} exchange[|s] [was|were] seen", "看到 {n} 次交互").fill(n=len(found))
        )
    asked = _payload(evidence, found[0], from_client=True)
    answered = _payload(evidence, found[0], from_client=False)
    kept = (
        found[0].datagrams == (1, 1)
        and answered.startswith(b"[")
        and answered.endswith(b"] " + asked)
    )
    shown = answered[:60].decode("utf-8", "replace")
    return Seen(kept, same(f"{shown!r}"), _frames_with_data(evidence, found[0]))


def _nothing_before_the_datagram(evidence: Evidence) -> Seen:
    """UDP opens nothing: the first frame between the two endpoints carries the data."""
    rows = [int(row) for one in _timestamps(evidence) for row in one.rows]
    if not rows:
        return Seen(False, Text("no exchange was seen", "没有看到交互"))
    carries = evidence.view.capture.frames.payload_length[rows] > 0
    words = Text("{n} datagram[|s], each with data", "{n} 个数据报，均携带数据").fill(n=len(rows))
    return Seen(bool(carries.all()), words, tuple(row + 1 for row in rows))


def _connect_spans_handshake(evidence: Evidence, one: Connection) -> Seen:
    """connect() begins before the SYN and returns after the SYN,ACK (connect(2))."""
    calls = [call for call in evidence.calls.get("client", ()) if call.function == "connect"]
    times = [
        int(evidence.view.capture.frames.time[number - 1]) for number in one.handshake_frames[:2]
    ]
    spanning = [
        call for call in calls if times and call.before <= times[0] and times[-1] <= call.after
    ]
    words = Text("connect() took {span}", "connect() 用时 {span}")
    took = short_span(spanning[0].after - spanning[0].before) if spanning else "?"
    return Seen(bool(spanning) and len(times) == 2, words.fill(span=took), one.handshake_frames[:2])


def _promises() -> Iterator[Promise]:
    names = (
        Text("the first connection", "第一个连接"),
        Text("the second connection", "第二个连接"),
    )
    for index, who in enumerate(names):
        at = f"greeting_{index + 1}"
        yield Promise(
            f"{at}_opens_three_way",
            Text(
                "{who} opens with three segments: SYN; SYN,ACK; ACK",
                "{who}用三个报文段建立：SYN；SYN,ACK；ACK",
            ).fill(who=who),
            _of_greeting(index, _three_way),
        )
        yield Promise(
            f"{at}_acknowledges_isn_plus_one",
            Text(
                "each SYN of {who} consumes one sequence number", "{who}的每个 SYN 各占一个序号"
            ).fill(who=who),
            _of_greeting(index, _isn_plus_one),
        )
        yield Promise(
            f"{at}_carries_the_texts",
            Text(
                "{who} carries 17 octets there and 25 back (UTF-8)",
                "{who}去程 17 字节，回程 25 字节（UTF-8）",
            ).fill(who=who),
            _of_greeting(index, _texts_arrive),
        )
    yield Promise(
        "greeting_1_closes_in_four",
        Text("the first connection closes in four segments", "第一个连接用四个报文段关闭"),
        _of_greeting(0, _closes_in_four),
    )
    yield Promise(
        "greeting_1_ack_does_not_wait",
        Text(
            "its server acknowledges the FIN before it closes itself",
            "服务器先确认 FIN，稍后才自己关闭",
        ),
        _of_greeting(0, _ack_of_fin_waits),
    )
    yield Promise(
        "greeting_2_closes_in_three",
        Text("the second connection closes in three segments", "第二个连接用三个报文段关闭"),
        _of_greeting(1, closes_in_three),
    )
    yield Promise(
        "connect_spans_the_handshake",
        Text(
            "connect() returns once SYN,ACK has arrived, not before",
            "SYN,ACK 到达之后 connect() 才返回",
        ),
        _of_greeting(0, _connect_spans_handshake),
    )
    yield Promise(
        "timestamp_is_echoed",
        Text(
            "one datagram asks, one answers with a time before the text",
            "一个数据报提问，一个数据报在原文前加上时间作答",
        ),
        _datagrams_answered,
    )
    yield Promise(
        "udp_opens_nothing",
        Text(
            "UDP sends data at once: no frame opens or closes anything",
            "UDP 直接发送数据：没有任何帧用于建立或关闭",
        ),
        _nothing_before_the_datagram,
    )


SCENARIO = Scenario(
    id="tour",
    title=Text(
        "The tour: TCP opens, talks and closes; UDP just talks",
        "导览：TCP 建立、收发、关闭；UDP 直接收发",
    ),
    teaches=(
        Text(
            "Opening takes three segments, and a SYN consumes one sequence number",
            "建立连接用三个报文段，SYN 占一个序号",
        ),
        Text(
            "Closing takes four segments only if the passive side outlasts its delayed ACK; else three",
            "只有被动关闭方晚于延迟确认才关闭时，挥手才是四个报文段；否则是三个",
        ),
        Text("UDP has no opening and no closing", "UDP 没有建立，也没有关闭"),
    ),
    group="open_close",
    level=1,
    core=True,
    programs={
        "server": (
            *("services/tcp/greeting/server.py", "--work", "0.1", "0", "&"),
            *("services/udp/timestamp/server.py", "--count", "1"),
        ),
        "client": (
            *("services/tcp/greeting/client.py", "server", ";"),
            *("services/tcp/greeting/client.py", "server", ";"),
            *("services/udp/timestamp/client.py", "server"),
        ),
    },
    promises=tuple(_promises()),
    listens={"server": (f"{GREETING_PORT}/tcp", f"{TIMESTAMP_PORT}/udp")},
    sources=("RFC 9293 section 3.5", "RFC 9293 section 3.6", "RFC 768", "connect(2)"),
)
