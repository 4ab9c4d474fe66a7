"""What TCP does not promise: how long it tries, and that a program got what was acknowledged."""

from __future__ import annotations

from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.scenarios.half_open_vanished import MILLISECOND, SHORTEST_RTO_MS, TOLERANCE
from lab.text import Text, same
from lab.units import short_span

MOST_RETRIES = 255  # that the sysctl takes
KILLED = "process_killed:unread_data"


def gives_up(runs: Runs) -> Proof:
    """Repetitions at doubling waits until a span has passed; then a call fails."""
    run = runs["half_open_vanished"]
    sent = run.data("C")
    if len(sent) < 4:
        raise Missing(same(f"{run.name}: {len(sent)} < 4"))
    wrote, failed = run.call("client", "sendall"), run.call("client", "recv")
    answers = run.all(after=sent[0], where=lambda one: one.sender == "S" and not one.lost)
    retries = run.sysctl("client", "net.ipv4.tcp_retries2")
    doublings = min(int(retries.value), MOST_RETRIES)
    limit = SHORTEST_RTO_MS * (2 ** (doublings + 1) - 1)
    tried = (failed.after - sent[2].time) // MILLISECOND  # after the data and its probe
    waits = [later.time - earlier.time for earlier, later in pairwise(sent)]
    return Proof(
        (
            claim(
                wrote.outcome == "ok" and failed.outcome == "ETIMEDOUT",
                Text(
                    "sendall() returned ok; recv() fails with {error} {span} after the data was sent",
                    "sendall() 成功返回；数据发出 {span} 后，recv() 以 {error} 失败",
                ).fill(error=failed.outcome, span=short_span(failed.after - sent[0].time)),
                wrote,
                failed,
            ),
            claim(
                not answers and len({one.seq for one in sent}) == 1,
                Text(
                    "seq {seq} is sent {n} times, and nothing comes back",
                    "seq {seq} 发送了 {n} 次，没有任何回应",
                ).fill(seq=sent[0].seq, n=len(sent)),
                run.capture("client"),
            ),
            claim(
                all(1.4 < b / a < 2.8 for a, b in pairwise(waits[1:])),
                Text(
                    "the waits: {waits}; from the second on each is about twice the last",
                    "等待时间：{waits}；从第二次起逐次约加倍",
                ).fill(waits=", ".join(map(short_span, waits))),
                *sent[1:5],
            ),
            claim(
                tried >= limit - TOLERANCE and len(sent) - 1 > doublings,
                Text(
                    "tcp_retries2 = {n} is a span, 200 ms × (2^{n1} - 1) = {limit} ms: after the first timeout it tried for {tried} ms, {m} repetitions in all",
                    "tcp_retries2 = {n} 限定的是时间：200 ms × (2^{n1} - 1) = {limit} ms；首次超时后尝试了 {tried} ms，共重发 {m} 次",
                ).fill(
                    n=retries.value,
                    n1=doublings + 1,
                    limit=limit,
                    tried=tried,
                    m=len(sent) - 1,
                ),
                retries,
                sent[2],
                failed,
            ),
        ),
        {
            "count": rights.count(len(sent) - 1, *sent),
            "duration": rights.span(failed.after - sent[0].time, sent[0], failed),
            "limit": rights.span(limit * MILLISECOND, retries),
            "error": rights.error(failed),
        },
    )


def _read(run: Run) -> int:
    """Octets that the server's program read."""
    return sum(one.call.octets or 0 for one in run.calls("server", "recv"))


def acknowledged_and_lost(runs: Runs) -> Proof:
    """send() means that the kernel has a copy, an ACK that the peer's kernel has one."""
    cut, unread, killed = runs["send_buffer_truth"], runs["rst_unread_data"], runs[KILLED]
    early = cut.call("client", "send")
    lost = cut.one("lost", cut.all(where=lambda one: one.lost and one.length > 0))
    late = cut.first("S>C [PSH],ACK", after=lost)
    wrote, failed = unread.call("client", "sendall"), unread.call("client", "recv")
    data = unread.one("data", unread.data("C"))
    acked = unread.first("S>C [RST],[PSH],ACK", after=data)
    reset = unread.first("S>C RST,ACK")
    offered, ended = killed.call("client", "sendall"), killed.first("S>C RST,ACK")
    closes = killed.calls("server", "close")
    return Proof(
        (
            claim(
                early.outcome == "ok" and early.after < late.time and lost.time < late.time,
                Text(
                    "send_buffer_truth: send() returns {n} though the segment is lost; the first ACK comes {span} later",
                    "send_buffer_truth：报文段丢失，send() 照样返回 {n}；首个 ACK 在 {span} 之后才来",
                ).fill(n=early.call.octets, span=short_span(late.time - early.after)),
                early,
                lost,
                late,
            ),
            claim(
                acked.ack == 1 + (wrote.call.octets or 0) > 1 and not _read(unread),
                Text(
                    "rst_unread_data: {n} octets written, {m} acknowledged, {r} read by the program",
                    "rst_unread_data：写入 {n} 字节，得到确认 {m} 字节，程序读到 {r} 字节",
                ).fill(n=wrote.call.octets, m=acked.ack - 1, r=_read(unread)),
                wrote,
                acked,
            ),
            claim(
                failed.outcome == "ECONNRESET" and reset.time > data.time,
                Text(
                    "close() with unread data sends RST; the client learns it only from recv(): {error}",
                    "有未读数据时 close() 发送 RST；客户端直到 recv() 才得知：{error}",
                ).fill(error=failed.outcome),
                reset,
                failed,
            ),
            claim(
                ended.ack == 1 + (offered.call.octets or 0) > 1
                and not _read(killed)
                and not closes,
                Text(
                    "process_killed: {n} octets written; the server's process dies without reading or closing, and its kernel sends RST",
                    "process_killed：写入 {n} 字节；服务器进程未读取、未关闭就死亡，其内核发送 RST",
                ).fill(n=offered.call.octets),
                offered,
                ended,
            ),
        ),
        {
            "written": rights.octets(wrote.call.octets or 0, wrote),
            "read": rights.octets(_read(unread), unread.capture("server"), reset),
            "reset": rights.frame(reset),
            "error": rights.error(failed),
        },
    )


QUESTIONS = (
    Question(
        id="RT06",
        asks=Text(
            "How many times is data retransmitted before TCP gives up?",
            "数据报文最多重传多少次？",
        ),
        answer=Text(
            "Until tcp_retries2 is used up (15 by default: about 15 minutes), or TCP_USER_TIMEOUT has passed. "
            "On Linux it limits a span, not a count: as long as so many doublings from 200 ms take. "
            "Then a call fails with ETIMEDOUT.",
            "直到用尽 tcp_retries2（默认 15，约 15 分钟），或超过 TCP_USER_TIMEOUT。"
            "在 Linux 上它限定的是时间而不是次数：从 200 毫秒起加倍这么多次所需的时间。"
            "之后的调用以 ETIMEDOUT 失败。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("half_open_vanished",),
        prove=gives_up,
        values=(
            Ask("count", Text("Repetitions of the data", "数据重发的次数"), Unit.COUNT),
            Ask(
                "duration",
                Text(
                    "Time from the first copy to the failure of recv()",
                    "从首次发送到 recv() 失败的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "limit",
                Text(
                    "Span that this tcp_retries2 stands for",
                    "此 tcp_retries2 所对应的时间",
                ),
                Unit.SPAN,
            ),
            Ask("error", Text("Error of recv()", "recv() 的错误"), Unit.ERROR),
        ),
        ideas=(
            Idea(Text("tcp_retries2", "tcp_retries2"), (r"retries ?2",)),
            Idea(
                Text("about 15 minutes by default", "默认约 15 分钟"),
                (r"15 ?(min|分)|924", r"(fifteen|13 to 30) min|十五分钟"),
            ),
            Idea(
                Text("or TCP_USER_TIMEOUT", "或 TCP_USER_TIMEOUT"),
                (r"user[_ ]timeout",),
            ),
            Idea(Text("then ETIMEDOUT", "之后是 ETIMEDOUT"), (r"etimedout|timed out|连接超时",)),
        ),
        wrong=(
            Idea(
                Text("it retransmits for ever", "会永远重传"),
                (r"retransmits? for ?ever|never gives up", r"永远重传|不会放弃"),
            ),
            Idea(
                Text("send() reports the failure at once", "send() 立即报告失败"),
                (r"send\(?\)? (reports|fails|returns an error)", r"send\(?\)? ?立即(报告|失败)"),
            ),
        ),
        guess=Guess(
            Text(
                "tcp_retries2 is 2. How often will the data be sent again?",
                "tcp_retries2 为 2。数据会重发几次？",
            ),
            (
                Text("exactly twice", "恰好两次"),
                Text("more than twice", "两次以上"),
                Text("never", "不重发"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at all copies of the same sequence number, and at recv().",
                "看同一序号的全部副本，以及 recv()。",
            ),
            Text(
                "Compare 200 ms × (2^(n+1) - 1) with the time from the second repetition to the failure.",
                "把 200 ms × (2^(n+1) - 1) 与从第二次重发到失败的时间相比较。",
            ),
        ),
        then=("RT02",),
        sources=(
            "Linux ip-sysctl tcp_retries2",
            "tcp(7) TCP_USER_TIMEOUT",
            "RFC 9293 section 3.8.3",
        ),
    ),
    Question(
        id="RT08",
        asks=Text(
            "Can data be lost although TCP was used?",
            "用了 TCP 数据就一定不会丢吗？",
        ),
        answer=Text(
            "Yes, it can be lost: send() only copies to the kernel, and an ACK comes from the peer's kernel. "
            "A reset (RST), a crash or an abort discards what the program has not read. "
            "So the application needs its own acknowledgment.",
            "会丢。send() 成功只表示写入内核缓冲，ACK 也只来自对方内核。"
            "RST、崩溃、主动中止都会丢弃程序尚未读取的数据。"
            "因此需要应用层确认。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="medium",
        core=True,
        runs=("send_buffer_truth", "rst_unread_data", KILLED),
        prove=acknowledged_and_lost,
        values=(
            Ask(
                "written",
                Text(
                    "rst_unread_data: octets that sendall() accepted",
                    "rst_unread_data：sendall() 接受的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "read",
                Text(
                    "rst_unread_data: octets that the server's program read",
                    "rst_unread_data：服务器程序读到的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "reset",
                Text("rst_unread_data: frame of the RST", "rst_unread_data：RST 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "error",
                Text(
                    "rst_unread_data: error of the client's recv()",
                    "rst_unread_data：客户端 recv() 的错误",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("send() only copies to the kernel", "send() 只是写入内核缓冲"),
                (
                    r"send(all)?(\(\))?.{0,24}(copies|kernel|buffer)",
                    r"send(all)?(\(\))?.{0,12}(内核|缓冲)",
                ),
            ),
            Idea(
                Text("RST, crash or abort discards data", "RST、崩溃、中止会丢弃数据"),
                (
                    r"(rst|reset|crash|abort).{0,40}(discard|lose|lost|drop)",
                    r"(rst|复位|重置|崩溃|中止).{0,16}(丢弃|丢失)",
                ),
            ),
            Idea(
                Text("the application needs its own acknowledgment", "需要应用层确认"),
                (r"application.{0,30}(ack|confirm)", r"应用(层|程序)?.{0,6}(确认|应答)"),
            ),
        ),
        wrong=(
            Idea(
                Text("send() returning means the peer has the data", "send 返回即对方已收到"),
                (
                    r"return(s|ing)? means (that )?the (peer|receiver|other)",
                    r"返回(即|就|说明|表示)对方已",
                ),
            ),
            Idea(
                Text("TCP never loses data", "TCP 绝不会丢数据"),
                (r"tcp never loses|no data (can|is) ever", r"tcp ?绝不会?丢"),
            ),
        ),
        guess=Guess(
            Text(
                "The server closes without reading. Has the client's sendall() succeeded?",
                "服务器不读取就关闭。客户端的 sendall() 成功了吗？",
            ),
            (
                Text("no, it fails with ECONNRESET", "没有，以 ECONNRESET 失败"),
                Text("no, it blocks", "没有，它阻塞"),
                Text("yes, and the data was even acknowledged", "成功，而且数据还得到了确认"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the calls of both hosts: what was written, what was read.",
                "看两台主机的调用：写入了什么，读到了什么。",
            ),
            Text(
                "Compare the ACK numbers with the octets that recv() returned at the server.",
                "把确认号与服务器 recv() 返回的字节数相比较。",
            ),
        ),
        claim=Text("send() returning means that the peer has the data", "send 返回即对方已收到"),
        truth=Text(
            "Only this kernel has it; even octets that were acknowledged may never be read",
            "只有本机内核有了数据；即使得到确认的字节也可能从未被读取",
        ),
        then=("RT01",),
        sources=(
            "RFC 9293 section 3.9.1",
            "RFC 9293 section 3.6.1",
            "RFC 2525 section 2.17",
            "send(2)",
        ),
    ),
)
