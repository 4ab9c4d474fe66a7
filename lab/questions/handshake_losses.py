"""A segment of the handshake is lost: who notices, who repeats what, and how it ends."""

from __future__ import annotations

from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.text import Text
from lab.units import short_span

SECOND = 1_000_000_000  # ns
LEAST, MOST = (
    0.9 * SECOND,
    2.3 * SECOND,
)  # between two SYNs: 1 s each since Linux 6.5, else 1 s, 2 s


def first_lost(runs: Runs) -> Proof:
    """The same SYN again and again, then ETIMEDOUT."""
    run = runs["syn_blackhole"]
    syns = run.all("C>S SYN lost")
    first, second, third = (run.one(f"SYN {n + 1}", syns[n:]) for n in range(3))
    gaps = [later.time - one.time for one, later in pairwise(syns)]
    connect, retries = (
        run.call("client", "connect"),
        run.sysctl("client", "net.ipv4.tcp_syn_retries"),
    )
    answers = run.all(where=lambda one: one.sender == "S")
    return Proof(
        (
            claim(
                {one.absolute for one in syns} == {first.absolute},
                Text(
                    "{n} SYNs leave and none arrives; all carry the same ISN, {x}",
                    "发出 {n} 个 SYN，无一送达；ISN 都是 {x}",
                ).fill(n=len(syns), x=first.absolute),
                *syns,
            ),
            claim(
                LEAST < gaps[1] < MOST,
                Text(
                    "the kernel's timer sends them: #{b} comes {one} after #{a}, #{c} comes {two} after #{b}",
                    "由内核的定时器发出：#{b} 在 #{a} 之后 {one}，#{c} 在 #{b} 之后 {two}",
                ).fill(
                    a=first.number,
                    b=second.number,
                    c=third.number,
                    one=short_span(gaps[0]),
                    two=short_span(gaps[1]),
                ),
                first,
                second,
                third,
            ),
            claim(
                not answers and connect.outcome == "ETIMEDOUT" and connect.after > syns[-1].time,
                Text(
                    "nothing comes back, and connect() ends after {span} with ETIMEDOUT",
                    "没有任何回应，connect() 在 {span} 后以 ETIMEDOUT 结束",
                ).fill(span=short_span(connect.lasted)),
                run.capture(),
                connect,
            ),
            claim(
                len(syns) - 1 < int(retries.value),
                Text(
                    "tcp_syn_retries would allow {n} repetitions; here TCP_USER_TIMEOUT ended it "
                    "after {m}",
                    "tcp_syn_retries 允许重传 {n} 次；这里 TCP_USER_TIMEOUT 在 {m} 次后就结束了",
                ).fill(n=retries.value, m=len(syns) - 1),
                retries,
                *syns,
            ),
        ),
        {
            "syns": rights.count(len(syns), *syns),
            "gap": rights.span(gaps[1], second, third),
            "error": rights.error(connect),
        },
    )


def second_lost(runs: Runs) -> Proof:
    """Both ends repeat: the client its SYN, the server its SYN,ACK."""
    run = runs["synack_lost"]
    syn, again = run.first("C>S SYN"), run.first("C>S SYN", after=run.first("C>S SYN"))
    lost, arrived = run.first("S>C SYN,ACK lost"), run.all("S>C SYN,ACK")
    opens = run.one("SYN,ACK", arrived)
    sent, asked = (lost, *arrived), (syn, again)
    connect = run.call("client", "connect")
    return Proof(
        (
            claim(
                lost.absolute_ack == syn.absolute_end and lost.time < again.time,
                Text(
                    "the first SYN,ACK passes the server's port as #{n} and never the client's",
                    "第一个 SYN,ACK 经过了服务器的端口（那里的 #{n}），却没有到达客户端的端口",
                ).fill(n=lost.number),
                lost,
                run.capture(),
            ),
            claim(
                again.absolute == syn.absolute and again.time - syn.time > LEAST,
                Text(
                    "the client repeats its SYN after {span}: #{n}, with the same seq {x}",
                    "客户端在 {span} 后重发 SYN：#{n}，seq 仍为 {x}",
                ).fill(span=short_span(again.time - syn.time), n=again.number, x=syn.absolute),
                syn,
                again,
            ),
            claim(
                len(sent) > len(asked) and {one.absolute for one in sent} == {lost.absolute},
                Text(
                    "the server repeats too: {n} SYN,ACKs for {m} SYNs, all with the same ISN {y}, "
                    "so one at least by its own timer",
                    "服务器也重发：{m} 个 SYN 对应 {n} 个 SYN,ACK，ISN 都是 {y}，可见至少一个出自它自己的定时器",
                ).fill(n=len(sent), m=len(asked), y=lost.absolute),
                *sent,
                *asked,
            ),
            claim(
                connect.lasted > LEAST and connect.after > opens.time,
                Text(
                    "connect() returns only after {span}, with SYN,ACK #{n}",
                    "connect() 直到 {span} 后收到 SYN,ACK #{n} 才返回",
                ).fill(span=short_span(connect.lasted), n=opens.number),
                connect,
                opens,
            ),
        ),
        {
            "syn": rights.frame(again, instead=syn),
            "synack": rights.frame(opens, *arrived[1:]),
            "lasted": rights.span(connect.lasted, connect),
        },
    )


def third_lost(runs: Runs) -> Proof:
    """A repeated SYN,ACK or data open the server; after it gave up, data draw RST."""
    idle, data, late = (
        runs[f"third_ack_lost{variant}"] for variant in ("", ":data", ":server_gives_up")
    )
    lost = idle.first("C>S ACK lost")
    again = idle.first("S>C SYN,ACK", after=lost)
    replaced = idle.first("C>S ACK", after=again)
    between = idle.all(after=lost, before=again, where=lambda one: one.sender == "C")
    missed = data.first("C>S ACK lost")
    spoken = data.first("C>S PSH,ACK", after=missed)
    accepted = data.call("server", "accept")
    resets = data.all(where=lambda one: "RST" in one.flags)
    opened, behind = late.socket("client").stay("ESTABLISHED"), late.socket("server")
    gone = behind.stay("CLOSED")
    refused = late.first("C>S PSH,ACK")
    reset = late.first("S>C RST", after=refused)
    return Proof(
        (
            claim(
                not between and again.time - lost.time > LEAST,
                Text(
                    "idle: the client does not repeat its ACK #{a}; after {span} the server repeats its "
                    "SYN,ACK, #{b}, and that draws another ACK, #{c}",
                    "空闲：客户端不会重传 ACK #{a}；{span} 后服务器重发 SYN,ACK #{b}，才引出新的 ACK #{c}",
                ).fill(
                    a=lost.number,
                    b=again.number,
                    c=replaced.number,
                    span=short_span(again.time - lost.time),
                ),
                lost,
                again,
                replaced,
                idle.capture(),
            ),
            claim(
                spoken.absolute_ack == missed.absolute_ack
                and accepted.after > spoken.time
                and not resets,
                Text(
                    "data: #{n} carries the same ack, {ack}, as the lost segment; accept() returns, "
                    "and there is no RST",
                    "发送数据：#{n} 带着与丢失的报文段相同的 ack {ack}；accept() 随即返回，没有 RST",
                ).fill(n=spoken.number, ack=spoken.absolute_ack),
                missed,
                spoken,
                accepted,
                data.capture(),
            ),
            claim(
                opened.by < refused.time
                and gone.since < refused.time
                and behind.states == ("SYN-RECEIVED", "CLOSED"),
                Text(
                    "server gives up: its end goes from SYN-RECEIVED to CLOSED and is never ESTABLISHED; "
                    "the client's is, and sends #{n}",
                    "服务器放弃：它的一端由 SYN-RECEIVED 变为 CLOSED，从未进入 ESTABLISHED；"
                    "客户端却是 ESTABLISHED，并发送 #{n}",
                ).fill(n=refused.number),
                opened,
                behind.stay("SYN-RECEIVED"),
                gone,
                refused,
            ),
            claim(
                reset.absolute == refused.absolute_ack,
                Text(
                    "only then do data draw RST: #{n}, seq {seq} = the ack of #{m}",
                    "直到这时，数据才引来 RST：#{n}，seq {seq} 即 #{m} 的 ack",
                ).fill(n=reset.number, seq=reset.absolute, m=refused.number),
                refused,
                reset,
            ),
        ),
        {
            "idle": rights.frame(replaced, instead=lost),
            "data": rights.frame(spoken),
            "reset": rights.frame(reset),
            "server": rights.state("SYN-RECEIVED", behind.stay("SYN-RECEIVED")),
        },
    )


QUESTIONS = (
    Question(
        id="HS06",
        asks=Text("What happens if the first SYN is lost?", "第一次握手（SYN）丢失会发生什么？"),
        answer=Text(
            "The client repeats the same SYN, with the same ISN, on its timer. In the end connect() "
            "fails with ETIMEDOUT. Since Linux 6.5 the first repetitions come every second and only "
            "then double; before, 1, 2, 4 s. tcp_syn_retries or TCP_SYNCNT bounds them.",
            "客户端按定时器重传同一个 SYN，序号不变；最终 connect() 返回 ETIMEDOUT。"
            "Linux 6.5 起最初几次每秒重传一次，之后才指数退避；更早的内核为 1、2、4 秒。"
            "次数由 tcp_syn_retries 或 TCP_SYNCNT 限定。",
        ),
        kind=Kind.PREDICT,
        level=2,
        interview="high",
        core=True,
        runs=("syn_blackhole",),
        prove=first_lost,
        values=(
            Ask("syns", Text("Number of SYNs sent", "发出的 SYN 个数"), Unit.COUNT),
            Ask(
                "gap",
                Text("Time between the second and the third", "第二个与第三个之间的时间"),
                Unit.SPAN,
            ),
            Ask("error", Text("Error of connect()", "connect() 的错误"), Unit.ERROR),
        ),
        ideas=(
            Idea(
                Text("the client repeats its SYN", "客户端重传 SYN"),
                (
                    r"(repeat|retransmit|resend|retri)[^.]{0,20}syn",
                    r"重(传|发)[^.]{0,8}syn",
                    r"syn[^.]{0,6}重(传|发)",
                ),
            ),
            Idea(
                Text("with the same ISN", "ISN 不变"),
                (
                    r"same (isn|seq|initial)",
                    r"(isn|序号|序列号) ?(保持)?(不变|相同)",
                    r"同一个? ?(isn|序)",
                ),
            ),
            Idea(
                Text("connect() fails with ETIMEDOUT in the end", "最终 connect() 返回 ETIMEDOUT"),
                (r"etimedout", r"time[sd]? ?out", r"超时"),
            ),
        ),
        wrong=(
            Idea(
                Text("each repetition has a new ISN", "每次重传都换新的 ISN"),
                (r"(new|different|another|fresh) isn", r"(新的?|不同的?) ?(isn|序号|序列号)"),
            ),
            Idea(
                Text("connect() fails with ECONNREFUSED", "connect() 返回 ECONNREFUSED"),
                (r"econnrefused", r"connection refused"),
            ),
        ),
        guess=Guess(
            Text("What will connect() report in the end?", "connect() 最终会报告什么？"),
            (Text("ECONNREFUSED", "ECONNREFUSED"), Text("ETIMEDOUT", "ETIMEDOUT")),
            1,
        ),
        hints=(
            Text(
                "Look at the client's port: every SYN is there.", "看客户端的端口：每个 SYN 都在。"
            ),
            Text(
                "Compare the seq of the SYNs, and the times between them.",
                "比较各个 SYN 的 seq，以及它们之间的时间。",
            ),
        ),
        claim=Text(
            "SYN is always retried after 1, 3, 7, 15, 31, 63 s",
            "重传时刻一定是 1、3、7、15、31、63 秒",
        ),
        truth=Text(
            "Only where tcp_syn_linear_timeouts is 0; the default since Linux 6.5 begins with "
            "1, 2, 3, 4, 5 s",
            "仅当 tcp_syn_linear_timeouts 为 0 时才成立；Linux 6.5 起默认先在 1、2、3、4、5 秒重传",
        ),
        then=("HS07",),
        sources=(
            "Linux ip-sysctl: tcp_syn_retries, tcp_syn_linear_timeouts",
            "tcp(7) TCP_SYNCNT",
            "RFC 6298 section 5",
            "RFC 9293 section 3.8.3",
        ),
    ),
    Question(
        id="HS07",
        asks=Text(
            "What happens if the SYN,ACK is lost?",
            "第二次握手（SYN,ACK）丢失会发生什么？",
        ),
        answer=Text(
            "Both ends retransmit. The client repeats its SYN, since no answer came. The server repeats "
            "its SYN,ACK, since no ACK came. The connection opens about one second later.",
            "双方都会重传。客户端没有收到应答，重传 SYN；服务器没有收到 ACK，重传 SYN,ACK。"
            "连接大约晚一秒建立。",
        ),
        kind=Kind.PREDICT,
        level=2,
        interview="high",
        core=True,
        runs=("synack_lost",),
        prove=second_lost,
        values=(
            Ask("syn", Text("Frame of the repeated SYN", "重传的 SYN 的帧号"), Unit.FRAME),
            Ask(
                "synack",
                Text("Frame of a repeated SYN,ACK", "某个重传的 SYN,ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask("lasted", Text("How long connect() blocks", "connect() 阻塞多久"), Unit.SPAN),
        ),
        ideas=(
            Idea(
                Text("the client repeats its SYN", "客户端重传 SYN"),
                (
                    r"client[^.]{0,30}(repeat|retransmit|resend)s?",
                    r"(both|双方|两边|两端)[^.]{0,8}(repeat|retransmit|重传|重发)",
                    r"客户端[^.]{0,20}重(传|发)",
                ),
            ),
            Idea(
                Text("the server repeats its SYN,ACK", "服务器重传 SYN,ACK"),
                (
                    r"server[^.]{0,30}(repeat|retransmit|resend)s?",
                    r"(both|双方|两边|两端)[^.]{0,8}(repeat|retransmit|重传|重发)",
                    r"服务(器|端)[^.]{0,20}重(传|发)",
                ),
            ),
            Idea(
                Text("it opens about one second later", "大约晚一秒建立"),
                (r"(one|1|a) ?(s\b|second)", r"(一|1) ?秒"),
            ),
        ),
        wrong=(
            Idea(
                Text("only the server retransmits", "只有服务器重传"),
                (
                    r"only the (server|client) (retransmits|repeats|resends)",
                    r"只有(服务器|服务端|客户端)(会)?重(传|发)",
                ),
            ),
            Idea(
                Text("connect() fails at once", "connect() 立即失败"),
                (r"fails (at once|immediately)", r"(立即|马上)失败"),
            ),
        ),
        guess=Guess(
            Text("The first SYN,ACK is lost. Who repeats?", "第一个 SYN,ACK 丢失。谁会重传？"),
            (
                Text("the client only", "只有客户端"),
                Text("the server only", "只有服务器"),
                Text("both", "双方"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at both ports: one SYN,ACK is at the server's only.",
                "看两个端口：有一个 SYN,ACK 只出现在服务器一侧。",
            ),
            Text(
                "Compare the number of SYNs with the number of SYN,ACKs that the server sent.",
                "比较 SYN 的个数与服务器发出的 SYN,ACK 的个数。",
            ),
        ),
        then=("HS08",),
        sources=("RFC 9293 section 3.8.1", "RFC 6298 section 5"),
    ),
    Question(
        id="HS08",
        asks=Text("What happens if the third ACK is lost?", "第三次握手（ACK）丢失会发生什么？"),
        answer=Text(
            "The client is ESTABLISHED, the server stays in SYN-RECEIVED. A pure ACK is not "
            "retransmitted: the server repeats its SYN,ACK. Client data complete the handshake too, "
            "since they carry the ACK. Only after the server has given up do they draw RST.",
            "客户端已是 ESTABLISHED，服务器停在 SYN-RECEIVED。纯 ACK 不会重传，由服务器重传 SYN,ACK。"
            "客户端若先发数据，数据段自带 ACK，也能完成握手。只有服务器放弃之后，再发数据才会收到 RST。",
        ),
        kind=Kind.PREDICT,
        level=3,
        interview="high",
        core=True,
        runs=("third_ack_lost", "third_ack_lost:data", "third_ack_lost:server_gives_up"),
        prove=third_lost,
        values=(
            Ask(
                "idle",
                Text(
                    "Client silent: frame that completes the handshake",
                    "客户端沉默：完成握手的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "data",
                Text(
                    "Client speaks: frame that completes the handshake",
                    "客户端发数据：完成握手的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "reset",
                Text("Server gave up: frame of the RST", "服务器已放弃：RST 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "server",
                Text(
                    "State of the server's end until it gives up",
                    "服务器放弃之前其一端的状态",
                ),
                Unit.STATE,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "the server stays in SYN-RECEIVED while the client is ESTABLISHED",
                    "客户端是 ESTABLISHED，服务器停在 SYN-RECEIVED",
                ),
                (r"syn[-_ ](received|recv|rcvd)",),
            ),
            Idea(
                Text(
                    "a pure ACK is not retransmitted; the server repeats its SYN,ACK",
                    "纯 ACK 不会重传，由服务器重传 SYN,ACK",
                ),
                (
                    r"(repeat|retransmit|resend)s?[^.]{0,20}syn[ ,+/-]*ack",
                    r"重(传|发)[^.]{0,8}syn[ ,+/-]*ack",
                ),
            ),
            Idea(
                Text("client data complete the handshake too", "客户端的数据也能完成握手"),
                (
                    r"data[^.]{0,40}(complete|finish|open)",
                    r"数据[^.]{0,24}完成握手",
                ),
            ),
            Idea(
                Text(
                    "RST comes only after the server has given up",
                    "服务器放弃之后才有 RST",
                ),
                (r"(given|gives|gave|give) up", r"放弃"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the client's data are answered with RST at once",
                    "客户端一发数据就会收到 RST",
                ),
                (
                    r"data[^.]{0,24}(answered|met|rejected) with (a )?rst",
                    r"一发数据[^.]{0,6}(收到|引来|回) ?rst",
                ),
            ),
            Idea(
                Text("the client retransmits its ACK", "客户端会重传 ACK"),
                (
                    r"client (retransmits|repeats|resends) (its|the) ack",
                    r"客户端(会)?重(传|发) ?ack",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The third segment is lost; the client sends data at once. What does the server do?",
                "第三个报文段丢失，客户端随即发送数据。服务器会怎样？",
            ),
            (
                Text("answer with RST", "回 RST"),
                Text(
                    "drop the data until its SYN,ACK is acknowledged",
                    "丢弃数据，直到 SYN,ACK 被确认",
                ),
                Text("accept connection and data", "接受连接和数据"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at what follows the lost segment in each of the three runs.",
                "看三次运行中丢失的报文段之后各是什么。",
            ),
            Text(
                "Compare the ack of the lost segment with the ack of the client's next one.",
                "把丢失报文段的 ack 与客户端下一个报文段的 ack 相比较。",
            ),
        ),
        claim=Text(
            "If the client then sends data, the server answers with RST",
            "此时客户端发送数据，服务器会回 RST",
        ),
        truth=Text(
            "The data complete the handshake at once; RST comes only after tcp_synack_retries are used up",
            "数据会立即完成握手；只有 tcp_synack_retries 用尽之后才会有 RST",
        ),
        then=("HS12",),
        sources=(
            "RFC 9293 section 3.4",
            "RFC 9293 section 3.10.7.4",
            "Linux ip-sysctl: tcp_synack_retries",
        ),
    ),
)
