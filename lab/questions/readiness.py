"""What tells a program that a socket is ready, and what keeps data waiting: epoll, Nagle."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.servers import first_data, one_thread, port_of
from lab.text import Text
from lab.units import short_span

PIECE = 2  # octets that the epoll server reads at a wake-up
REQUEST = 10  # octets: a head of 4 and a body of 6
DELAYED_ACK = 35_000_000  # ns: 40 ms on Linux, less the coarseness of its timers


def _wakeups(run: Run) -> tuple[list[Called], list[Called], Segment]:
    """The reads that the first segment woke, those after the second, and the second."""
    one = first_data(run, "C", 0)
    two = run.first(after=one, where=lambda segment: segment.sender == "C" and segment.length > 0)
    reads = [call for call in run.calls("server", "recv") if _woken(call)]
    between = [call for call in reads if one.time < call.before < two.time]
    return between, [call for call in reads if call.before > two.time], two


def _woken(read: Called) -> bool:
    """Whether a recv() followed a wake-up; the others only look what is left."""
    return read.call.arguments == (PIECE,)


def level_claim(run: Run) -> Claim:
    """Level trigger wakes until nothing is left."""
    reads, _, _ = _wakeups(run)
    sent = first_data(run, "C", 0)
    read = sum(one.call.octets or 0 for one in reads)
    words = Text(
        "level trigger: {n} wake-ups for one segment of {size} octets, {piece} read at each: none is left",
        "水平触发：一个 {size} 字节的报文段唤醒 {n} 次，每次读 {piece} 字节，全部读完",
    ).fill(n=len(reads), size=sent.length, piece=PIECE)
    return claim(read == sent.length and len(reads) > 1, words, sent, *reads)


def edge_claim(run: Run) -> Claim:
    """Edge trigger wakes once a segment."""
    reads, later, second = _wakeups(run)
    sent = first_data(run, "C", 0)
    left = sent.length - sum(one.call.octets or 0 for one in reads)
    words = Text(
        "edge trigger: {n} wake-up for it; {left} octets lie unread until the next segment, {silent} later",
        "边缘触发：只唤醒 {n} 次；{left} 字节留在缓冲区，直到 {silent} 后下一个报文段到来",
    ).fill(n=len(reads), left=left, silent=short_span(second.time - sent.time))
    kept = len(reads) == 1 and left > 0 and bool(later)
    return claim(kept, words, sent, second, *reads, *later[:1])


def triggers(runs: Runs) -> Proof:
    """The same octets, read under level and under edge trigger."""
    level, edge = runs["epoll_trigger"], runs["epoll_trigger:edge"]
    woken, (left, _, second) = _wakeups(level)[0], _wakeups(edge)
    again = edge.call("server", "recv", where=lambda one: _woken(one) and one.before > second.time)
    old = first_data(edge, "C", 0).frame.payload[PIECE : 2 * PIECE]
    got = bytes.fromhex(again.call.data)
    return Proof(
        (
            level_claim(level),
            edge_claim(edge),
            claim(
                got == old and again.before > second.time,
                Text(
                    'the second segment carries "{new}", but the read that it wakes returns "{got}"',
                    "第二个报文段带来的是 “{new}”，被它唤醒的读取却返回 “{got}”",
                ).fill(new=_text(second.frame.payload), got=_text(got)),
                second,
                again,
            ),
        ),
        {
            "level": rights.count(len(woken), *woken),
            "edge": rights.count(len(left), *left),
            "wakes": rights.frame(second),
            "old": rights.name(_text(got), again),
        },
    )


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def interfaces(runs: Runs) -> Proof:
    """One thread for all connections; level and edge trigger of epoll."""
    level, edge = runs["epoll_trigger"], runs["epoll_trigger:edge"]
    ready = runs["concurrency_models:selectors"]
    woken, once = _wakeups(level)[0], _wakeups(edge)[0]
    answer = first_data(ready, "S", 1)
    return Proof(
        (one_thread(ready), level_claim(level), edge_claim(edge)),
        {
            "level": rights.count(len(woken), *woken),
            "edge": rights.count(len(once), *once),
            "answer": rights.frame(answer),
        },
    )


def _gaps(run: Run) -> list[tuple[Segment, Segment, bool]]:
    """Of each request from the second on: head, body, and whether an ACK came between them."""
    sent = run.data("C")
    heads = [one for one in sent if (one.seq - 1) % REQUEST == 0]
    bodies = [one for one in sent if (one.seq - 1) % REQUEST]
    acks = run.all(where=lambda one: one.sender == "S")
    return [
        (head, body, any(head.time < a.time < body.time and a.ack >= head.end for a in acks))
        for head, body in zip(heads[1:], bodies[1:], strict=False)
    ]


def no_stall(runs: Runs) -> Proof:
    """Nagle waits for an ACK that is delayed; TCP_NODELAY, which asyncio sets, does not."""
    slow, fast = runs["nagle_delack"], runs["nagle_delack:nodelay"]
    loop = runs["concurrency_models:asyncio"]
    stalls, flows = _gaps(slow), _gaps(fast)
    stall, flow = (
        median([body.time - head.time for head, body, _ in gaps] or [0]) for gaps in (stalls, flows)
    )
    options = [one for one in loop.calls("server", "setsockopt") if _without_delay(one)]
    accepted = [one for one in loop.calls("server", "accept") if not one.call.error]
    served = {port_of(one.call.peer) for one in accepted}
    shown = stalls[len(stalls) // 2][:2] if stalls else ()
    quick = next((gap[:2] for gap in flows if not gap[2]), ())
    return Proof(
        (
            claim(
                all(acked for *_, acked in stalls) and stall > DELAYED_ACK,
                Text(
                    "with Nagle each second write leaves only after an ACK, {gap} after the first (median)",
                    "启用 Nagle 时，第二次写入都要等到 ACK 才发出，比第一次晚 {gap}（中位数）",
                ).fill(gap=short_span(int(stall))),
                *shown,
            ),
            claim(
                bool(quick) and 2 * flow < stall,
                Text(
                    "with TCP_NODELAY it leaves {gap} after the first (median), without waiting for an ACK",
                    "设置 TCP_NODELAY 后不必等 ACK，比第一次晚 {gap}（中位数）就发出",
                ).fill(gap=short_span(int(flow))),
                *quick,
                *fast.calls("client", "setsockopt"),
            ),
            claim(
                {port_of(one.call.peer) for one in options} == served and len(served) > 0,
                Text(
                    "asyncio sets TCP_NODELAY = 1 by itself on all {n} connections that it accepts",
                    "asyncio 自动在它接受的全部 {n} 条连接上设置 TCP_NODELAY = 1",
                ).fill(n=len(served)),
                *options,
                *accepted,
            ),
        ),
        {
            "option": rights.count(1, *options),
            "connections": rights.count(len(options), *options),
            "stall": rights.span(_gap(stalls), *stalls[0][:2]) if stalls else rights.count(0),
            "flow": rights.span(_gap(flows), *flows[0][:2]) if flows else rights.count(0),
        },
    )


def _gap(gaps: Sequence[tuple[Segment, Segment, bool]]) -> int:
    head, body, _ = gaps[0]
    return body.time - head.time


def _without_delay(one: Called) -> bool:
    return not one.call.error and one.call.arguments == ("IPPROTO_TCP", "TCP_NODELAY", 1)


LEVEL = Ask(
    "level",
    Text(
        "Level trigger: wake-ups between the first segment and the second",
        "水平触发：第一个与第二个数据报文段之间的唤醒次数",
    ),
    Unit.COUNT,
)
EDGE = Ask(
    "edge",
    Text(
        "Edge trigger: wake-ups between the first segment and the second",
        "边缘触发：第一个与第二个数据报文段之间的唤醒次数",
    ),
    Unit.COUNT,
)
ALWAYS_REPORTED = Idea(
    Text("level trigger reports as long as data is left", "水平触发：只要还有数据就一直报告"),
    (
        r"level.*(again|as long as|while|until)",
        r"(as long as|while) (data|octets|something)",
        r"水平触发.*(一直|反复|继续|再次)",
    ),
)
ONLY_ARRIVALS = Idea(
    Text("edge trigger reports only a new arrival", "边缘触发：只在有新数据到达时报告"),
    (
        r"edge.*(only|once|new|arriv)",
        r"边缘触发.*(只|仅|一次|新)",
    ),
)


QUESTIONS = (
    Question(
        id="SV03",
        asks=Text("select, poll and epoll: differences?", "select、poll、epoll 的区别？"),
        answer=Text(
            "select takes bit sets of at most 1024 descriptors, poll an array of any length. "
            "Both pass and scan the whole set at every call. With epoll the kernel keeps the set and returns "
            "only what is ready. Level trigger reports a socket as long as data is left; edge trigger only a "
            "new arrival.",
            "select 使用位图，最多 1024 个描述符；poll 使用数组，没有上限；两者每次调用都要传入并扫描整个集合。"
            "epoll 由内核维护集合，只返回就绪项。水平触发：只要还有数据就一直报告；边缘触发：只在有新数据到达时报告。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="high",
        core=True,
        runs=("concurrency_models:selectors", "epoll_trigger", "epoll_trigger:edge"),
        prove=interfaces,
        values=(
            LEVEL,
            EDGE,
            Ask(
                "answer",
                Text(
                    "Server with selectors: frame that answers the second client",
                    "使用 selectors 的服务器：应答第二个客户端的帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("select is limited to 1024 descriptors", "select 最多 1024 个描述符"),
                (r"1024",),
            ),
            Idea(
                Text(
                    "select and poll scan the whole set at every call",
                    "select 与 poll 每次都扫描整个集合",
                ),
                (r"scan", r"linear", r"o\(n\)", r"扫描|遍历"),
            ),
            Idea(
                Text(
                    "epoll keeps the set in the kernel and returns only what is ready",
                    "epoll 由内核维护集合，只返回就绪项",
                ),
                (r"kernel keeps", r"only (what is |the )?ready", r"内核维护", r"只返回就绪"),
            ),
            ALWAYS_REPORTED,
            ONLY_ARRIVALS,
        ),
        wrong=(
            Idea(
                Text("poll is limited to 1024 descriptors too", "poll 也最多 1024 个描述符"),
                (r"\bpoll (is|has).*1024", r"(?<!e)poll ?(也|同样)?(最多|只能|有) ?1024"),
            ),
        ),
        guess=Guess(
            Text(
                "Six octets come, the server reads two at each wake-up. How often does epoll wake it by default?",
                "到达六个字节，服务器每次唤醒读两个。epoll 默认会唤醒它几次？",
            ),
            (Text("once", "一次"), Text("three times", "三次"), Text("six times", "六次")),
            1,
        ),
        hints=(
            Text(
                "Look at the server's recv() calls of two octets.",
                "看服务器每次读两个字节的 recv()。",
            ),
            Text(
                "Count those between the first and the second segment with data, in both runs.",
                "在两次运行中，分别数第一个与第二个数据报文段之间有几次。",
            ),
        ),
        then=("SV04",),
        sources=("epoll(7)", "select(2)", "poll(2)"),
    ),
    Question(
        id="SV04",
        asks=Text(
            "Level- versus edge-triggered: what breaks if data is left unread?",
            "水平触发与边缘触发有何不同？数据没有读完会怎样？",
        ),
        answer=Text(
            "Level trigger reports again as long as data is left. Edge trigger reports only a new arrival: "
            "what was left waits for the next segment, and then the old data comes first. So read until "
            "EAGAIN.",
            "水平触发：只要还有数据就一直报告。边缘触发：只在有新数据到达时报告，没读完的要等到下一个报文段，"
            "届时先读到的是旧数据。因此要一直读到 EAGAIN。",
        ),
        kind=Kind.PREDICT,
        level=2,
        interview="medium",
        runs=("epoll_trigger", "epoll_trigger:edge"),
        prove=triggers,
        values=(
            LEVEL,
            EDGE,
            Ask(
                "wakes",
                Text(
                    "Edge trigger: frame that wakes the server again",
                    "边缘触发：再次唤醒服务器的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "old",
                Text(
                    "Edge trigger: the two characters read when it is woken again",
                    "边缘触发：再次唤醒时读到的两个字符",
                ),
                Unit.NAME,
            ),
        ),
        ideas=(
            ALWAYS_REPORTED,
            ONLY_ARRIVALS,
            Idea(
                Text("the old data comes first", "先读到的是旧数据"),
                (r"old (data|octets)", r"left.*(waits|stays|unread)", r"旧数据", r"没读完的要等"),
            ),
        ),
        wrong=(
            Idea(
                Text("edge trigger loses the data that was left", "边缘触发会丢失没读完的数据"),
                (r"edge.*(loses|drops|discards)", r"边缘触发.*(丢失|丢弃)"),
            ),
        ),
        guess=Guess(
            Text(
                "Edge trigger: two of six octets were read. What happens to the other four?",
                "边缘触发：六个字节只读了两个，其余四个会怎样？",
            ),
            (
                Text("they wait for the next segment", "等到下一个报文段到来"),
                Text("they are reported again at once", "立即再次报告"),
                Text("they are lost", "丢失"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the server's recv() calls in both runs.", "看两次运行中服务器的 recv()。"
            ),
            Text(
                "Compare their times with the two segments that carry data.",
                "把它们的时间与两个数据报文段相比较。",
            ),
        ),
        then=("SV03",),
        sources=("epoll(7)",),
    ),
    Question(
        id="SV06",
        asks=Text(
            "Why does an asyncio server not show the 40 ms stall?",
            "为什么 asyncio 服务器没有 40 毫秒停顿？",
        ),
        answer=Text(
            "asyncio sets TCP_NODELAY on every stream socket. So a small second write leaves at once and does "
            "not wait for a delayed ACK, as Nagle's algorithm would.",
            "asyncio 会在每个流套接字上设置 TCP_NODELAY，因此第二次小写入立即发出，"
            "不像 Nagle 算法那样要等待被延迟的 ACK。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        runs=("nagle_delack", "nagle_delack:nodelay", "concurrency_models:asyncio"),
        prove=no_stall,
        values=(
            Ask(
                "option",
                Text("Value that asyncio gives TCP_NODELAY", "asyncio 给 TCP_NODELAY 设置的值"),
                Unit.COUNT,
            ),
            Ask(
                "connections",
                Text("On how many connections it does so", "它在几条连接上这样做"),
                Unit.COUNT,
            ),
            Ask(
                "stall",
                Text(
                    "With Nagle: from head to body in the second request",
                    "启用 Nagle：第二个请求中从首部到正文的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "flow",
                Text(
                    "With TCP_NODELAY: the same time",
                    "设置 TCP_NODELAY：同样这段时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("asyncio sets TCP_NODELAY", "asyncio 设置 TCP_NODELAY"),
                (r"tcp_nodelay", r"nagle.*(off|disabled)", r"(关闭|禁用) ?nagle"),
            ),
            Idea(
                Text("Nagle would wait for a delayed ACK", "Nagle 算法会等待被延迟的 ACK"),
                (r"delayed ack", r"延迟(的|确认)", r"推迟的 ?ack"),
            ),
        ),
        wrong=(
            Idea(
                Text("asyncio is faster because it uses threads", "asyncio 更快是因为使用了线程"),
                (r"uses (several |many )?threads", r"使用了?(多)?线程"),
            ),
        ),
        guess=Guess(
            Text(
                "Which option does asyncio set on a connection that it accepts?",
                "asyncio 会在它接受的连接上设置哪个选项？",
            ),
            (
                Text("TCP_QUICKACK", "TCP_QUICKACK"),
                Text("TCP_NODELAY", "TCP_NODELAY"),
                Text("none", "不设置"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the setsockopt() calls of the asyncio server.",
                "看 asyncio 服务器的 setsockopt() 调用。",
            ),
            Text(
                "Compare the time from head to body in the run with Nagle and in the run without.",
                "比较启用与未启用 Nagle 的两次运行中，首部到正文的时间。",
            ),
        ),
        sources=("Python: asyncio", "tcp(7) TCP_NODELAY", "RFC 896"),
    ),
)
