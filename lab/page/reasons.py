"""Why a frame is there, and what would follow if it were lost."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from lab.page.calls import senders
from lab.page.scene import Act, CallRow, FrameRow
from lab.report import fates, testimony
from lab.report.people import People
from lab.text import Text, same
from lab.units import short_span

CALL = Text("{host} called {call}{place}.", "{host} 调用了 {call}{place}。")
AT = Text(" ({place})", "（{place}）")
SYN_ANSWERED = Text("It answers the SYN #{n}.", "它应答 SYN #{n}。")
ACKS = Text(
    "It acknowledges #{n}, which had come {span} before.", "它确认 {span} 之前到达的 #{n}。"
)
DELAYED = Text(
    "The ACK waited {span}: Linux delays it in the hope of data to send along.",
    "该 ACK 推迟了 {span}：Linux 会延迟确认，期望能与数据一起发出。",
)
FIRST = Text("It was first sent as #{n}, {span} before.", "它首次发送是 #{n}，在 {span} 之前。")
FOLLOWS = Text("It follows #{n}, {span} after it arrived.", "它在 #{n} 到达 {span} 之后发出。")
FORGED = Text("No port of its sender sent it.", "其发送方的端口并未发出它。")
SENT_BY = Text("It left {host}'s port.", "它出自 {host} 的端口。")
TIMERS = tuple({words.en.partition("}")[2] for words in testimony.CAUSES.values()})
"""How what a kernel says of a segment sent again ends, whoever's kernel it is."""

FORGED_WORDS = fates.FORGED.en.partition("{")[0]
LATE = 20_000_000  # ns: TCP_DELACK_MIN is 40 ms, quick ACKs take microseconds


class Loss(Struct, frozen=True):
    """What would follow, and the scenario that shows it."""

    words: Text
    scenario: str


LOSSES = {
    "syn": Loss(
        Text(
            "The client would send its SYN again after 1 s, then 2 s, 4 s and so on.",
            "客户端会在 1 s 后重发 SYN，再隔 2 s、4 s，依次加倍。",
        ),
        "syn_blackhole",
    ),
    "syn_ack": Loss(
        Text(
            "Both would send again: the client its SYN, the server its SYN,ACK.",
            "双方都会重发：客户端重发 SYN，服务器重发 SYN,ACK。",
        ),
        "synack_lost",
    ),
    "third": Loss(
        Text(
            "The client would take the connection for open; its first data would bring the ACK again.",
            "客户端认为连接已建立；它的首个数据报文段会再次带上该确认。",
        ),
        "third_ack_lost",
    ),
    "data": Loss(
        Text(
            "Its sender would send it again: after three duplicate ACKs, or when its timer goes off.",
            "发送方会重传：收到三个重复 ACK 之后，或重传定时器超时时。",
        ),
        "data_loss_rto",
    ),
    "ack": Loss(
        Text(
            "A later ACK would cover for it; if none comes, the data is sent again.",
            "之后的 ACK 会把它涵盖；若再没有 ACK，对方会重传数据。",
        ),
        "duplicate_segment",
    ),
    "fin": Loss(
        Text(
            "Its sender would send the FIN again, as it would data.",
            "发送方会像重传数据一样重传 FIN。",
        ),
        "fin_lost",
    ),
    "last": Loss(
        Text(
            "The other end would send its FIN again; TIME-WAIT is there to answer it.",
            "对端会重传 FIN；TIME-WAIT 正是为应答它而保留的。",
        ),
        "time_wait_basics:last_ack_lost",
    ),
    "rst": Loss(
        Text(
            "The other end would not learn of it until it sends something itself.",
            "对端要等到自己发送数据时才会得知连接已不存在。",
        ),
        "half_open_vanished",
    ),
    "udp": Loss(
        Text(
            "Nobody would send it again: UDP has no acknowledgment. The program must notice.",
            "没有人会重发：UDP 没有确认机制，须由程序自己察觉。",
        ),
        "udp_echo:lost_reply",
    ),
    "zero": Loss(
        Text(
            "The sender would ask with zero window probes until it hears of room.",
            "发送方会用零窗口探测不断询问，直到得知有空间。",
        ),
        "zero_window",
    ),
}


class Reasons:
    """Looks causes up among the rows of one act."""

    def __init__(self, act: Act, who: People) -> None:
        """The rows are read once; ``who``: what other hosts are called."""
        self._who = who
        self._hosts = dict(zip(act.letters, act.hosts, strict=True))
        sent = senders(act.rows)
        said = {call.key: self._called(call) for call in {c.key: c for c in sent.values()}.values()}
        self._calls = {frame: said[call.key] for frame, call in sent.items()}
        self._rows = [row for row in act.rows if isinstance(row, FrameRow)]
        self._first = {_content(row): row for row in reversed(self._rows)}
        self._place = {row.key: place for place, row in enumerate(self._rows)}
        self._keys = {row.key: row for row in self._rows}

    def why(self, row: FrameRow) -> Iterator[Text]:
        """The cause: a timer (as the kernel told), a call, an earlier frame."""
        if any(words.en.startswith(FORGED_WORDS) for words in row.event.words):
            yield FORGED
            if sender := row.others[0]:
                yield SENT_BY.fill(host=self._who.legend.get(sender, same(sender)))
            return
        yield from (words for words in row.event.words if words.en.endswith(TIMERS))
        if row.resent:
            yield row.resent.words
        elif "again" in row.look and (first := self._first[_content(row)]) is not row:
            waited = row.event.time - first.event.time
            yield FIRST.fill(n=first.event.label[1:], span=short_span(waited))
        if call := self._calls.get(row.key):
            yield call
        yield from self._earlier(row, alone=call is None)

    def _earlier(self, row: FrameRow, *, alone: bool) -> Iterator[Text]:
        if row.look.startswith("syn"):
            if row.sum and row.sum.answers:
                yield SYN_ANSWERED.fill(n=row.sum.answers[1:])
            return
        answered = self._keys.get(row.sum.answers) if row.sum and row.sum.covers else None
        if answered:
            waited = row.event.time - answered.event.time
            yield ACKS.fill(n=answered.key[1:], span=short_span(waited))
            if waited > LATE and not row.event.octets and "FIN" not in row.event.flags:
                yield DELAYED.fill(span=short_span(waited))
        elif alone and (before := self._before(row)):
            waited = row.event.time - before.event.time
            yield FOLLOWS.fill(n=before.event.label[1:], span=short_span(waited))

    def _called(self, call: CallRow) -> Text:
        event = call.event
        words = event.words if event.phase else event.words.partition(" = ")[0]
        place = AT.fill(place=event.place) if event.place else ""
        host = self._hosts.get(event.host, same(event.host))
        return CALL.fill(host=host, call=words, place=place)

    def _before(self, row: FrameRow) -> FrameRow | None:
        """The last frame that came from the other end."""
        place = self._place[row.key]
        for earlier in reversed(self._rows[max(place - 20, 0) : place]):
            if earlier.event.source != row.event.source and not earlier.arrow.lost:
                return earlier
        return None

    def if_lost(self, row: FrameRow) -> Loss | None:
        """What would follow; None of what is not of TCP or UDP."""
        kind = row.look.partition(" ")[0]
        if kind == "syn":
            return LOSSES["syn_ack" if "ACK" in row.event.flags.split(",") else "syn"]
        if kind == "ack" and row.sum and row.sum.covers and row.sum.counts:
            return LOSSES[
                "third"
                if row.sum.counts == "SYN"
                else "last"
                if _is_last(self._rows, row)
                else "ack"
            ]
        if kind == "ack" and row.window and row.window[0] == 0:
            return LOSSES["zero"]
        return LOSSES.get(kind)


def _content(row: FrameRow) -> tuple[str, str, int | None, int]:
    """What a segment that is sent again has in common with the first copy."""
    control = ",".join(flag for flag in row.event.flags.split(",") if flag in ("SYN", "FIN"))
    return row.event.source, control, row.event.sequence, row.event.octets


def _is_last(rows: list[FrameRow], row: FrameRow) -> bool:
    """Whether no segment with data or a FIN comes after it."""
    return all(one.look.startswith(("ack", "rst")) for one in rows[rows.index(row) :])
