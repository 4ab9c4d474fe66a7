"""The two queues of a listener: requests half open, and connections that wait for accept()."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span

PORT = 12345  # where all these servers listen
SYN = 0x02
SECOND = 1_000_000_000  # ns
OVERFLOWS, REFUSED = "TcpExt.ListenOverflows", "TcpExt.TCPReqQFullDrop"
FULL = Text(
    "nobody calls accept(), and {waiting} connections wait: min(backlog {backlog}, somaxconn {most}) + 1",
    "无人调用 accept()，有 {waiting} 条连接在等待：min(backlog {backlog}, somaxconn {most}) + 1",
)
COUNTED = Text(
    "{n} more SYNs arrive, none is answered: the kernel's ListenOverflows grows by {counted}",
    "又到达 {n} 个 SYN，均无应答：内核的 ListenOverflows 增加 {counted}",
)


def two_queues(runs: Runs) -> Proof:
    """Connections that wait for accept(), and requests that wait for the third segment."""
    run, flood = runs["accept_queue_overflow"], runs["syn_flood_cookies"]
    late = _unanswered(run)
    full = run.listener("server", PORT).at(late[-1].time)
    backlog, waiting = full.number("backlog"), full.number("accept_queue")
    counted, most = run.counter("server", OVERFLOWS), run.sysctl("server", "net.core.somaxconn")
    syns = flood.packets("server", _is_syn)
    half_open = [
        one.stay("SYN-RECEIVED")
        for one in flood.sockets("server", lambda life: life.moments[0].state == "SYN-RECEIVED")
    ]
    room = flood.listener("server", PORT).at(flood.one("SYN", syns[::-1]).time)
    bound, refused = room.number("backlog"), flood.counter("server", REFUSED)
    return Proof(
        (
            claim(
                waiting == min(backlog, int(most.value)) + 1 and not run.calls("server", "accept"),
                FULL.fill(backlog=backlog, waiting=waiting, most=most.value),
                full,
                most,
            ),
            claim(
                counted.value == len(late),
                COUNTED.fill(n=len(late), counted=counted.value),
                counted,
                *late,
            ),
            claim(
                len(half_open) in (bound, bound + 1) and room.number("accept_queue") == 0,
                Text(
                    "SYN flood, backlog {backlog}: of {n} SYNs the kernel remembers {half} in "
                    "SYN-RECEIVED, while the accept queue is empty",
                    "SYN 洪泛，backlog 为 {backlog}：{n} 个 SYN 中内核只记住 {half} 个，处于 SYN-RECEIVED，"
                    "而全连接队列是空的",
                ).fill(backlog=bound, n=len(syns), half=len(half_open)),
                room,
                *half_open[:4],
            ),
            claim(
                refused.value + len(half_open) == len(syns),
                Text(
                    "the others are dropped: TCPReqQFullDrop grows by {dropped} = {n} - {half}",
                    "其余的被丢弃：TCPReqQFullDrop 增加 {dropped} = {n} - {half}",
                ).fill(dropped=refused.value, n=len(syns), half=len(half_open)),
                refused,
                flood.capture("server"),
            ),
        ),
        {
            "waiting": rights.count(waiting, full),
            "half": rights.count(len(half_open), *half_open),
            "dropped": rights.count(refused.value, refused),
        },
    )


def queue_is_full(runs: Runs) -> Proof:
    """SYNs are dropped; a late ACK is ignored, or answered with RST."""
    run = runs["accept_queue_overflow"]
    ignored, aborted = (runs[f"accept_queue_late_full{one}"] for one in ("", ":abort"))
    late = _unanswered(run)
    again = run.first("C>S SYN", stream=late[0].stream, after=late[0])
    connect, counted = run.call("client", "connect", -1), run.counter("server", OVERFLOWS)
    stream = _lost_third(ignored)
    ours = ignored.socket("client", stream).stay("ESTABLISHED")
    theirs = ignored.socket("server", stream).stay("SYN-RECEIVED")
    data = ignored.data("C", stream)
    silence = ignored.call("client", "recv")
    refused = aborted.first("C>S PSH,ACK", stream=_lost_third(aborted))
    reset = aborted.first("S>C RST", stream=refused.stream, after=refused)
    setting = aborted.sysctl("server", "net.ipv4.tcp_abort_on_overflow")
    return Proof(
        (
            claim(
                again.absolute == late[0].absolute
                and again.time - late[0].time > SECOND / 2
                and connect.outcome == "ETIMEDOUT",
                Text(
                    "SYN #{a} gets no answer; the client repeats it after {span}, #{b}, and its "
                    "connect() ends with ETIMEDOUT",
                    "SYN #{a} 没有应答；客户端在 {span} 后重发 #{b}，connect() 以 ETIMEDOUT 结束",
                ).fill(
                    a=late[0].number, b=again.number, span=short_span(again.time - late[0].time)
                ),
                late[0],
                again,
                connect,
            ),
            claim(
                counted.value == len(late),
                COUNTED.fill(n=len(late), counted=counted.value),
                counted,
                *late,
            ),
            claim(
                min(ours.until, theirs.until) > max(ours.by, theirs.by)
                and len(data) > 1
                and {one.seq for one in data} == {data[0].seq}
                and silence.outcome == "ETIMEDOUT",
                Text(
                    "filled between SYN and ACK: the client is ESTABLISHED, the server still "
                    "SYN-RECEIVED; data #{n} are sent {times} times, unheard",
                    "在 SYN 与 ACK 之间才满：客户端是 ESTABLISHED，服务器仍是 SYN-RECEIVED；"
                    "数据 #{n} 共发送 {times} 次，无人理会",
                ).fill(n=ignored.one("data", data).number, times=len(data)),
                ours,
                theirs,
                *data[:3],
                silence,
            ),
            claim(
                setting.value == "1" and reset.absolute == refused.absolute_ack,
                Text(
                    "with tcp_abort_on_overflow = {value} the same data, #{a}, draw RST #{b}",
                    "tcp_abort_on_overflow = {value} 时，同样的数据 #{a} 引来 RST #{b}",
                ).fill(value=setting.value, a=refused.number, b=reset.number),
                setting,
                refused,
                reset,
            ),
        ),
        {
            "syn": rights.frame(*late),
            "counted": rights.count(counted.value, counted),
            "state": rights.state("SYN-RECEIVED", theirs),
            "reset": rights.frame(reset),
        },
    )


def _unanswered(run: Run) -> tuple[Segment, ...]:
    """All SYNs of connections without SYN,ACK; Missing if there are none."""
    streams = range(len(run.connections))
    silent = [stream for stream in streams if not run.all("S>C SYN,ACK", stream=stream)]
    found = [syn for stream in silent for syn in run.all("C>S SYN", stream=stream)]
    return run.one("SYN", found), *found[1:]


def _lost_third(run: Run) -> int:
    """The connection whose third segment was lost."""
    streams = range(len(run.connections))
    lost = [one for stream in streams for one in run.all("C>S ACK lost", stream=stream)]
    return run.one("C>S ACK lost", lost).stream


def _is_syn(packet: Packet) -> bool:
    tcp = packet.frame.tcp
    return tcp is not None and tcp.flags == SYN


QUESTIONS = (
    Question(
        id="HS11",
        asks=Text(
            "What are the half-open (SYN) queue and the accept queue, and what limits them?",
            "半连接队列和全连接队列是什么？各由什么限制？",
        ),
        answer=Text(
            "The SYN queue holds requests in SYN-RECEIVED. The accept queue holds finished connections "
            "that nobody has accepted. It is limited to min(backlog, somaxconn); Linux admits one more. "
            "On current Linux the same backlog bounds the SYN queue; beyond it, SYN cookies or drops.",
            "半连接队列保存 SYN-RECEIVED 的请求。全连接队列保存已握手而未 accept 的连接，"
            "上限为 min(backlog, somaxconn)，Linux 实际多放 1 个。"
            "新内核中半连接数也受同一个 backlog 限制，超出则发 SYN Cookie 或丢弃。",
        ),
        kind=Kind.DEBUNK,
        level=3,
        interview="high",
        core=True,
        runs=("accept_queue_overflow", "syn_flood_cookies"),
        prove=two_queues,
        values=(
            Ask(
                "waiting",
                Text(
                    "Overflow: connections in the full accept queue",
                    "溢出：全连接队列满时的连接数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "half",
                Text(
                    "Flood: requests that the kernel remembers in SYN-RECEIVED",
                    "洪泛：内核记住的 SYN-RECEIVED 请求数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "dropped",
                Text(
                    "Flood: by how much TCPReqQFullDrop grows",
                    "洪泛：TCPReqQFullDrop 增加多少",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "the SYN queue holds requests in SYN-RECEIVED",
                    "半连接队列保存 SYN-RECEIVED 的请求",
                ),
                (r"syn[-_ ](received|recv|rcvd)",),
            ),
            Idea(
                Text(
                    "the accept queue holds finished connections not yet accepted",
                    "全连接队列保存已握手而未 accept 的连接",
                ),
                (
                    r"(finished|established|complete)[^.]{0,40}accept",
                    r"accept queue holds",
                    r"(已(经)?(握手|建立|完成)|全连接)[^.]{0,16}(未|尚未|没有|等待)(被)? ?accept",
                ),
            ),
            Idea(
                Text(
                    "it is limited to min(backlog, somaxconn)",
                    "上限为 min(backlog, somaxconn)",
                ),
                (r"somaxconn",),
            ),
            Idea(
                Text("beyond it, SYN cookies or drops", "超出则发 SYN Cookie 或丢弃"),
                (r"cookie", r"\bdrop", r"丢弃"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the backlog is the sum of both queues",
                    "backlog 是两个队列之和",
                ),
                (
                    r"sum of (both|the two)",
                    r"both queues (added|together)",
                    r"(两个?队列|两者)(长度)?之和",
                ),
            ),
            Idea(
                Text(
                    "a full accept queue answers with RST by default",
                    "全连接队列满时默认回 RST",
                ),
                (r"(answers|replies) with rst by default", r"默认(会)?回 ?rst"),
            ),
        ),
        guess=Guess(
            Text(
                "The backlog is 2 and nobody accepts. How many connections get in?",
                "backlog 为 2，无人 accept。能进来几条连接？",
            ),
            (Text("2", "2"), Text("3", "3"), Text("4", "4")),
            1,
        ),
        hints=(
            Text(
                "Look at the server's sockets: the listener, and those in SYN-RECEIVED.",
                "看服务器的套接字：监听者，以及处于 SYN-RECEIVED 的。",
            ),
            Text(
                "Compare each count with the backlog of that run.",
                "把每个数目与该次运行的 backlog 相比较。",
            ),
        ),
        claim=Text(
            "backlog is the size of the SYN queue, or of both queues added",
            "backlog 就是半连接队列的大小，或两个队列之和",
        ),
        truth=Text(
            "Each queue has the backlog as its bound. Behind backlog 2 wait 3 connections; behind "
            "backlog 4 the kernel remembers 4 or 5 half-open requests",
            "两个队列各以 backlog 为界：backlog 为 2 时有 3 条连接在等待；backlog 为 4 时内核另外记住 4 或 5 个半连接请求",
        ),
        then=("HS12",),
        sources=("listen(2)", "Linux ip-sysctl: somaxconn, tcp_max_syn_backlog"),
    ),
    Question(
        id="HS12",
        asks=Text(
            "What happens to a client when the accept queue is full?",
            "全连接队列满了，客户端会看到什么？",
        ),
        answer=Text(
            "New SYNs are dropped: the client stays in SYN-SENT and retries. If the queue filled after "
            "its SYN was answered, the final ACK is ignored. The client believes that it is connected, "
            "and its data are retransmitted. With tcp_abort_on_overflow = 1 it gets RST.",
            "新的 SYN 被丢弃：客户端停在 SYN-SENT 并不断重试。若在 SYN 得到应答之后队列才满，"
            "最后的 ACK 会被忽略：客户端以为已连接，其数据不断重传。"
            "设置 tcp_abort_on_overflow = 1 时则收到 RST。",
        ),
        kind=Kind.PREDICT,
        level=3,
        interview="medium",
        runs=("accept_queue_overflow", "accept_queue_late_full", "accept_queue_late_full:abort"),
        prove=queue_is_full,
        values=(
            Ask(
                "syn",
                Text("Queue full: frame of an unanswered SYN", "队列已满：某个无应答 SYN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "counted",
                Text(
                    "Queue full: by how much ListenOverflows grows",
                    "队列已满：ListenOverflows 增加多少",
                ),
                Unit.COUNT,
            ),
            Ask(
                "state",
                Text(
                    "Filled in between: state of the server's end of the late connection",
                    "中途才满：迟到连接在服务器一端的状态",
                ),
                Unit.STATE,
            ),
            Ask(
                "reset",
                Text(
                    "tcp_abort_on_overflow = 1: frame of the RST that answers the data",
                    "tcp_abort_on_overflow = 1：回应数据的 RST 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "new SYNs are dropped, and the client retries",
                    "新的 SYN 被丢弃，客户端不断重试",
                ),
                (r"syns?[^.]{0,20}(dropped|ignored|discarded)", r"syn[^.]{0,10}(丢弃|忽略)"),
            ),
            Idea(
                Text(
                    "a final ACK that comes too late is ignored; the client believes it is connected",
                    "迟到的最后一个 ACK 被忽略，客户端以为已连接",
                ),
                (
                    r"ack[^.]{0,30}(ignored|dropped|discarded)",
                    r"ack[^.]{0,10}(忽略|丢弃)",
                ),
            ),
            Idea(
                Text(
                    "with tcp_abort_on_overflow it gets RST",
                    "设置 tcp_abort_on_overflow 时收到 RST",
                ),
                (r"abort_on_overflow",),
            ),
        ),
        wrong=(
            Idea(
                Text("connect() is refused at once", "connect() 立即被拒绝"),
                (
                    r"refused (at once|immediately)",
                    r"econnrefused",
                    r"(立即|马上)被?拒绝",
                ),
            ),
            Idea(
                Text(
                    "the oldest connection is thrown out to make room",
                    "挤掉最早的连接以腾出位置",
                ),
                (r"oldest connection is", r"(挤掉|踢掉|淘汰)(最早|最老|最旧)"),
            ),
        ),
        guess=Guess(
            Text(
                "The accept queue is full. What does a new client's SYN get?",
                "全连接队列已满。新客户端的 SYN 会得到什么？",
            ),
            (
                Text("RST", "RST"),
                Text("SYN,ACK, and then nothing", "SYN,ACK，之后再无回应"),
                Text("nothing at all", "什么也没有"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look for connections without any segment from the server.",
                "找出服务器没有任何回应的连接。",
            ),
            Text(
                "Compare both ends' states of the same connection at the same time.",
                "比较同一连接两端在同一时刻的状态。",
            ),
        ),
        then=("HS11",),
        sources=("Linux ip-sysctl: tcp_abort_on_overflow", "listen(2)"),
    ),
)
