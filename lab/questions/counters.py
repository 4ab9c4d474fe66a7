"""What the kernel counts and keeps: queues, counters, states."""

from __future__ import annotations

from lab.evidence.events import StateChange
from lab.evidence.testimony import about, of_one_socket
from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.floods_and_scans import COOKIES, RECEIVED, SENT, flooded, remembered
from lab.questions.pieces import Sampled, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

QUEUES, OVERFLOW = "zero_window", "accept_queue_overflow"
TIMEOUT, REFUSED = "data_loss_rto", "udp_receive_overflow"
WHOLE, STRETCHED = "tcp_lifecycle", "third_ack_lost"
SOON = 0.1  # share by which times may differ


def held(run: Run) -> Sampled:
    """The server's socket while octets lie there unread, at the last sample of that."""
    full = [one for one in run.socket("server").samples if one.number("recv_q")]
    if not full:
        raise Missing(Text("no sample with octets unread", "没有采样到未读字节"))
    return full[-1]


def recv_q_and_send_q(runs: Runs) -> Proof:
    """A connection: octets unread, octets unacknowledged. A listener: connections, backlog."""
    run, full = runs[QUEUES], runs[OVERFLOW]
    ours = held(run)
    theirs = run.socket("client").at(ours.moment.time)
    unread, kept = ours.number("recv_q"), theirs.number("send_q")
    acks = run.all("S>C ACK", before=ours.moment.before)
    ack = run.one("ACK", acks[-1:])
    sent, read = run.call("client", "sendall"), run.call("server", "recv")
    listener = full.listener("server", full.connection().server.port).samples[-1]
    connects = [one for one in full.calls("client", "connect") if one.outcome == "ok"]
    listen = full.call("server", "listen")
    waiting, backlog = listener.number("accept_queue"), listener.number("backlog")
    return Proof(
        (
            claim(
                unread == ack.ack - 1 > 0 and read.after > ours.moment.time,
                Text(
                    "the server has acknowledged up to {ack}, its program has read nothing: "
                    "Recv-Q = {ack} - 1 = {n}",
                    "服务器已确认到 {ack}，程序尚未读取：Recv-Q = {ack} - 1 = {n}",
                ).fill(ack=ack.ack, n=unread),
                ours,
                ack,
                read,
            ),
            claim(
                kept == (sent.call.octets or 0) - (ack.ack - 1),
                Text(
                    "of {all} octets that sendall() took, {acked} are acknowledged: "
                    "Send-Q = {all} - {acked} = {n}, sent or not",
                    "sendall() 收下 {all} 字节，已确认 {acked}：Send-Q = {all} - {acked} = {n}，不论是否发出",
                ).fill(all=sent.call.octets, acked=ack.ack - 1, n=kept),
                theirs,
                sent,
                ack,
            ),
            claim(
                waiting == len(connects) and not full.calls("server", "accept"),
                Text(
                    "{n} connect() have succeeded and none was accepted: the listener's Recv-Q is {q}",
                    "{n} 次 connect() 已成功，一次 accept() 也没有：监听套接字的 Recv-Q 为 {q}",
                ).fill(n=len(connects), q=waiting),
                listener,
                *connects,
            ),
            claim(
                listen.call.arguments == (backlog,),
                Text(
                    "its Send-Q is the backlog that listen() asked for: {n}",
                    "其 Send-Q 就是 listen() 给出的 backlog：{n}",
                ).fill(n=backlog),
                listener,
                listen,
            ),
        ),
        {
            "recv_q": rights.octets(unread, ours),
            "send_q": rights.octets(kept, theirs),
            "waiting": rights.count(waiting, listener),
            "backlog": rights.count(backlog, listener),
        },
    )


def each_has_its_counter(runs: Runs) -> Proof:
    """Overflow, cookie, retransmission, UDP drop: each counter grew by what was seen."""
    full, guarded, lossy, slow = (runs[name] for name in (OVERFLOW, COOKIES, TIMEOUT, REFUSED))
    overflows = full.counter("server", "TcpExt.ListenOverflows")
    unheard = [one for stream in unanswered(full) for one in full.all("C>S SYN", stream=stream)]
    sent, back = guarded.counter("server", SENT), guarded.counter("server", RECEIVED)
    syns, kept = len(flooded(guarded)), len(remembered(guarded))
    accepts = [one for one in guarded.calls("server", "accept") if one.outcome == "ok"]
    again, timeouts, probes = (
        lossy.counter("client", name)
        for name in ("Tcp.RetransSegs", "TcpExt.TCPTimeouts", "TcpExt.TCPLossProbes")
    )
    copies = most_repeated(lossy)
    refused = slow.counter("server", "Udp.RcvbufErrors")
    datagrams = slow.datagrams(host="server")
    reads = [one for one in slow.calls("server", "recv", "recvmsg") if one.outcome == "ok"]
    return Proof(
        (
            claim(
                overflows.value == len(unheard) > 0,
                Text(
                    "accept queue full: {n} SYNs get no answer, ListenOverflows +{value}",
                    "全连接队列已满：{n} 个 SYN 没有应答，ListenOverflows +{value}",
                ).fill(n=len(unheard), value=overflows.value),
                overflows,
                *unheard[:5],
            ),
            claim(
                sent.value == syns + 1 - kept and back.value == len(accepts) == 1,
                Text(
                    "SYN cookies: {syns} + 1 - {kept} remembered = SyncookiesSent +{sent}; "
                    "{got} came back, SyncookiesRecv +{back}",
                    "SYN Cookie：{syns} + 1 - 记住的 {kept} = SyncookiesSent +{sent}；"
                    "带回 {got} 个，SyncookiesRecv +{back}",
                ).fill(syns=syns, kept=kept, sent=sent.value, got=len(accepts), back=back.value),
                sent,
                back,
                *accepts,
            ),
            claim(
                again.value == len(copies) - 1 == timeouts.value + probes.value,
                Text(
                    "a segment is sent {n} times: RetransSegs +{again} = TCPTimeouts +{timeouts} "
                    "and TCPLossProbes +{probes}",
                    "一个报文段发了 {n} 次：RetransSegs +{again} = TCPTimeouts +{timeouts} "
                    "加 TCPLossProbes +{probes}",
                ).fill(
                    n=len(copies), again=again.value, timeouts=timeouts.value, probes=probes.value
                ),
                again,
                timeouts,
                probes,
                *copies[:3],
            ),
            claim(
                refused.value == len(datagrams) - len(reads) > 0,
                Text(
                    "UDP: {all} arrive, {read} are read: RcvbufErrors +{n} = {all} - {read}",
                    "UDP：到达 {all} 个，读到 {read} 个：RcvbufErrors +{n} = {all} - {read}",
                ).fill(all=len(datagrams), read=len(reads), n=refused.value),
                refused,
                slow.capture("server"),
                *reads[-1:],
            ),
        ),
        {
            "overflows": rights.count(overflows.value, overflows),
            "cookies": rights.count(sent.value, sent),
            "again": rights.count(again.value, again),
            "refused": rights.count(refused.value, refused),
        },
    )


def unanswered(run: Run) -> list[int]:
    """The connections of which nothing ever came back."""
    streams = [one.stream for one in run.connections]
    return [one for one in streams if all(each.sender == "C" for each in run.segments(one))]


def most_repeated(run: Run) -> list[Segment]:
    """The client's segment that was sent most often: all its copies."""
    copies: dict[int, list[Segment]] = {}
    for one in run.data("C"):
        copies.setdefault(one.seq, []).append(one)
    return max(copies.values(), key=len, default=[])


def mini_sockets(runs: Runs) -> Proof:
    """ss knows TIME-WAIT and SYN-RECEIVED, which the state trace cannot see."""
    run, long = runs[WHOLE], runs[STRETCHED]
    last = run.first("C>S ACK", after=run.first("S>C FIN,ACK"))
    waits = next((one for one in run.socket("client").samples if one.state == "TIME-WAIT"), None)
    if waits is None:
        raise Missing(Text("no sample of TIME-WAIT", "没有采样到 TIME-WAIT"))
    syn = long.first("C>S SYN")
    half = long.socket("server").stay("SYN-RECEIVED")
    lost = long.first("C>S ACK lost")
    accepted = long.call("server", "accept")
    return Proof(
        (
            claim(
                waits.moment.timer == "time-wait"
                and waits.moment.expires > 1000
                and waits.moment.time > last.time,
                Text(
                    "after the last ACK ss shows TIME-WAIT for another {s} s: a small object with a timer",
                    "最后一个 ACK 之后，ss 仍显示 TIME-WAIT，还剩 {s} 秒：这是带定时器的小对象",
                ).fill(s=round(waits.moment.expires / 1000)),
                last,
                waits,
            ),
            claim(
                half.lasted > 500_000_000 and lost.time < half.until < accepted.after,
                Text(
                    "the handshake stretched: ss shows SYN-RECEIVED for {ms} ms, before accept() returns",
                    "握手被拉长时：ss 显示 SYN-RECEIVED 达 {ms} 毫秒，之后 accept() 才返回",
                ).fill(ms=half.lasted // 1_000_000),
                half,
                lost,
                accepted,
            ),
            *traced_close(run, waits),
            *traced_opening(long, syn, lost),
        ),
        {
            "state": rights.state("TIME-WAIT", waits),
            "left": rights.span(waits.moment.expires * 1_000_000, waits, tolerance=SOON),
            "half": rights.span(half.lasted, half, tolerance=SOON),
        },
    )


def changes(run: Run, side: int) -> tuple[StateChange, ...]:
    """What the tracepoint told of one end (0: the client's); (): nothing sure, or it cannot be read."""
    connection = run.connection()
    span = run.evidence.span(connection)
    told = about(run.evidence.events, StateChange, connection, *span)[side]
    return told if of_one_socket(told) else ()


def traced_close(run: Run, waits: Sampled) -> tuple[Claim, ...]:
    """The trace's last word on the client."""
    told = changes(run, 0)
    if not told:
        return ()
    words = Text(
        "the trace ends with {before} > {after}, {ms} ms before this sample of TIME-WAIT",
        "状态跟踪以 {before} > {after} 结束，比这次 TIME-WAIT 采样早 {ms} 毫秒",
    ).fill(
        before=told[-1].before,
        after=told[-1].after,
        ms=(waits.moment.time - told[-1].time) // 1_000_000,
    )
    holds = told[-1].after == "CLOSED" and told[-1].time < waits.moment.time
    return (claim(holds and waits.moment.timer == "time-wait", words, waits),)


def traced_opening(run: Run, syn: Segment, lost: Segment) -> tuple[Claim, ...]:
    """The trace's first word on the server."""
    told = [one for one in changes(run, 1) if one.after == "SYN-RECEIVED"]
    if not told:
        return ()
    late = told[0].time - syn.time
    words = Text(
        "the trace shows SYN-RECEIVED only {ms} ms after the SYN, when an ACK creates the socket",
        "状态跟踪在 SYN 之后 {ms} 毫秒才出现 SYN-RECEIVED：收到 ACK 才创建套接字",
    ).fill(ms=late // 1_000_000)
    return (claim(told[0].time > lost.time and late > 500_000_000, words, syn, lost),)


QUESTIONS = (
    Question(
        id="OB01",
        asks=Text(
            "How do you list connections and their states on Linux, and what do Recv-Q and Send-Q mean?",
            "如何查看 TCP 连接及其状态？Recv-Q、Send-Q 是什么意思？",
        ),
        answer=Text(
            "With ss -tan. Of a connection, Recv-Q counts unread octets, Send-Q octets that are not yet "
            "acknowledged, sent or not. Of a listener, Recv-Q counts connections that wait for "
            "accept(), Send-Q is the backlog.",
            "使用 ss -tan。对连接而言，Recv-Q 是未读字节数，Send-Q 是未确认字节数（不论是否已发出）；"
            "对监听套接字而言，Recv-Q 是等待 accept 的连接数，Send-Q 是 backlog。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="medium",
        core=True,
        runs=(QUEUES, OVERFLOW),
        prove=recv_q_and_send_q,
        values=(
            Ask(
                "recv_q",
                Text(
                    "Window closed: Recv-Q of the server's connection",
                    "窗口关闭的运行：服务器连接的 Recv-Q",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "send_q",
                Text(
                    "Window closed: Send-Q of the client's connection at that time",
                    "窗口关闭的运行：此时客户端连接的 Send-Q",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "waiting",
                Text(
                    "Accept queue full: Recv-Q of the listener",
                    "全连接队列已满的运行：监听套接字的 Recv-Q",
                ),
                Unit.COUNT,
            ),
            Ask(
                "backlog",
                Text(
                    "Accept queue full: Send-Q of the listener",
                    "全连接队列已满的运行：监听套接字的 Send-Q",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(Text("ss -tan lists them", "使用 ss -tan"), (r"\bss\b", r"netstat")),
            Idea(
                Text("Recv-Q of a connection: unread octets", "连接的 Recv-Q：未读字节数"),
                (r"unread", r"not (yet )?read", r"未读", r"尚未读"),
            ),
            Idea(
                Text(
                    "Send-Q of a connection: octets not yet acknowledged",
                    "连接的 Send-Q：未确认字节数",
                ),
                (r"not (yet )?acknowledged", r"unack", r"未(被)?确认", r"尚未确认"),
            ),
            Idea(
                Text(
                    "of a listener: connections that wait for accept(), and the backlog",
                    "监听套接字：等待 accept 的连接数与 backlog",
                ),
                (
                    r"wait(ing)? (for accept|to be accepted)[^.]*backlog",
                    r"等待 ?accept[^.]*(backlog|上限)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("Recv-Q of a listener counts octets", "监听套接字的 Recv-Q 是字节数"),
                (r"listener counts octets", r"监听套接字的 ?recv-q ?是(未读)?字节"),
            ),
            Idea(
                Text("Send-Q holds only what has not been sent", "Send-Q 只包含尚未发出的数据"),
                (r"only what has not been sent", r"只包含尚?未发出"),
            ),
        ),
        guess=Guess(
            Text(
                "The receiver reads nothing and its window closes. Where are the octets?",
                "接收方一直不读，窗口关闭。数据在哪里？",
            ),
            (
                Text("all in the receiver's Recv-Q", "全在接收方的 Recv-Q"),
                Text("in both queues, a part in each", "分在两端的两个队列里"),
                Text("all in the sender's Send-Q", "全在发送方的 Send-Q"),
            ),
            1,
        ),
        hints=(
            Text("Look at the sockets' samples at both ends.", "看两端套接字的采样。"),
            Text(
                "Compare the last ack with what sendall() took.",
                "把最近的 ack 与 sendall() 收下的字节数相比较。",
            ),
        ),
        then=("OB05",),
        sources=("ss(8)", "Linux sock_diag(7)"),
    ),
    Question(
        id="OB05",
        asks=Text(
            "Which counters prove an overflow, a cookie, a retransmission, a UDP drop?",
            "哪些计数器能证明队列溢出、Cookie、重传、UDP 丢弃？",
        ),
        answer=Text(
            "Accept queue: ListenOverflows and ListenDrops. Cookies: SyncookiesSent and SyncookiesRecv. "
            "Retransmission: RetransSegs, with TCPTimeouts, TCPLossProbes or TCPFastRetrans for the "
            "cause. UDP drop: RcvbufErrors. nstat shows them all.",
            "队列溢出：ListenOverflows、ListenDrops；Cookie：SyncookiesSent、SyncookiesRecv；"
            "重传：RetransSegs，原因看 TCPTimeouts、TCPLossProbes、TCPFastRetrans；"
            "UDP 丢弃：RcvbufErrors。用 nstat 查看。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        runs=(OVERFLOW, COOKIES, TIMEOUT, REFUSED),
        prove=each_has_its_counter,
        values=(
            Ask(
                "overflows",
                Text(
                    "Accept queue full: growth of ListenOverflows at the server",
                    "全连接队列已满：服务器 ListenOverflows 的增量",
                ),
                Unit.COUNT,
            ),
            Ask(
                "cookies",
                Text(
                    "Flood with cookies: growth of SyncookiesSent at the server",
                    "启用 Cookie 的洪泛：服务器 SyncookiesSent 的增量",
                ),
                Unit.COUNT,
            ),
            Ask(
                "again",
                Text(
                    "Segment lost four times: growth of RetransSegs at the client",
                    "报文段四次丢失：客户端 RetransSegs 的增量",
                ),
                Unit.COUNT,
            ),
            Ask(
                "refused",
                Text(
                    "UDP receiver too slow: growth of RcvbufErrors at the server",
                    "UDP 接收方太慢：服务器 RcvbufErrors 的增量",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "accept queue: ListenOverflows, ListenDrops",
                    "队列溢出：ListenOverflows、ListenDrops",
                ),
                (r"listen(overflows|drops)",),
            ),
            Idea(
                Text(
                    "cookies: SyncookiesSent, SyncookiesRecv",
                    "Cookie：SyncookiesSent、SyncookiesRecv",
                ),
                (r"syncookies(sent|recv)",),
            ),
            Idea(
                Text("retransmission: RetransSegs", "重传：RetransSegs"),
                (r"retranssegs", r"tcp(timeouts|fastretrans)"),
            ),
            Idea(Text("UDP drop: RcvbufErrors", "UDP 丢弃：RcvbufErrors"), (r"rcvbuferrors",)),
        ),
        wrong=(
            Idea(
                Text(
                    "a capture at the server shows what was dropped",
                    "服务器端抓包能看出被丢弃的是哪些",
                ),
                (r"capture[^.]*shows what was dropped", r"抓包能看出被丢弃"),
            ),
            Idea(
                Text("a full accept queue is counted as RST", "全连接队列溢出计入 RST"),
                (r"counted as (a )?rst", r"计入 ?rst"),
            ),
        ),
        guess=Guess(
            Text(
                "A segment is lost four times and then arrives. By how much does TCPTimeouts grow?",
                "一个报文段四次丢失后到达，TCPTimeouts 增加多少？",
            ),
            (
                Text("by four", "4"),
                Text("by three: one was a probe", "3：其中一次是探测"),
                Text("by one", "1"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the counters of the host that dropped or repeated.",
                "看丢弃或重发一方的计数器。",
            ),
            Text(
                "Compare each growth with the frames that you count.",
                "把每个增量与数出的帧数相比较。",
            ),
        ),
        then=("OB01", "SE01"),
        sources=("nstat(8)", "Linux snmp counters"),
    ),
    Question(
        id="OB07",
        asks=Text(
            "Why do the state trace and ss disagree about TIME_WAIT and SYN_RECV?",
            "为什么状态跟踪和 ss 对 TIME_WAIT、SYN_RECV 的显示不同？",
        ),
        answer=Text(
            "Both are kept in small separate objects, not in full sockets. The trace sees the full socket "
            "close, FIN-WAIT-2 to CLOSED, while ss still shows TIME-WAIT. It sees SYN-RECEIVED only "
            "when the ACK creates the socket.",
            "两者都保存在单独的小对象里，而不是完整的套接字。跟踪看到的是完整套接字关闭（FIN-WAIT-2 到 CLOSED），"
            "此时 ss 仍显示 TIME-WAIT；要到 ACK 创建套接字时，跟踪才看到 SYN-RECEIVED。",
        ),
        kind=Kind.DIAGNOSE,
        level=3,
        interview="low",
        runs=(WHOLE, STRETCHED),
        prove=mini_sockets,
        values=(
            Ask(
                "state",
                Text(
                    "Plain run: state that ss shows for the client after the last ACK",
                    "普通运行：最后一个 ACK 之后 ss 显示的客户端状态",
                ),
                Unit.STATE,
            ),
            Ask(
                "left",
                Text(
                    "Time left on its timer when it is first sampled",
                    "首次采样时其定时器的剩余时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "half",
                Text(
                    "Third segment lost: for how long ss shows the server in SYN-RECEIVED",
                    "第三个报文段丢失：ss 显示服务器处于 SYN-RECEIVED 的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("both are small separate objects", "两者都是单独的小对象"),
                (
                    r"small[^.]*object",
                    r"mini[- ]?socket",
                    r"request[- ]sock",
                    r"小对象",
                    r"迷你套接字",
                ),
            ),
            Idea(
                Text("the trace sees the full socket close", "跟踪看到的是完整套接字关闭"),
                (r"trace[^.]*close", r"跟踪[^.]*关闭"),
            ),
            Idea(
                Text(
                    "SYN-RECEIVED is traced only when the ACK creates the socket",
                    "ACK 创建套接字时，跟踪才看到 SYN-RECEIVED",
                ),
                (r"ack creates the socket", r"ack ?创建套接字"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the connection is really closed, ss is stale", "连接其实已关闭，ss 的显示过时"
                ),
                (r"ss is (stale|wrong|outdated)", r"ss ?的?显示(过时|有误)"),
            ),
        ),
        guess=Guess(
            Text(
                "The last ACK has left. What does a trace of socket states say of the client?",
                "最后一个 ACK 已发出，套接字状态跟踪怎么说客户端？",
            ),
            (
                Text("FIN-WAIT-2 > TIME-WAIT", "FIN-WAIT-2 > TIME-WAIT"),
                Text("FIN-WAIT-2 > CLOSED", "FIN-WAIT-2 > CLOSED"),
                Text("nothing", "什么也没有"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the sampled states, and at kernel.jsonl if there is one.",
                "看采样到的状态；如有 kernel.jsonl，也看一看。",
            ),
            Text("Compare the times of each state with the frames.", "把各状态的时间与帧相比较。"),
        ),
        then=("HS02",),
        sources=("Linux include/trace/events/sock.h", "Linux include/net/inet_timewait_sock.h"),
    ),
)
