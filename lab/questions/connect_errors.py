"""Why connect() or bind() fails: what the error says, and what the wire shows."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Packet
from lab.questions.resets import answers_syn, refusal
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span

REPLY = 2  # ARP operation


def silence(run: Run) -> Claim:
    """SYN after SYN, and not one segment in answer."""
    syns = run.all("C>S SYN lost")
    answers = run.all(where=lambda one: one.sender == "S")
    first = run.one("lost SYN", syns)
    words = Text(
        "silence: {n} SYNs with the same seq {seq}, {m} segments from the server",
        "沉默：{n} 个 SYN，seq 同为 {seq}；服务器的报文段 {m} 个",
    ).fill(n=len(syns), seq=first.absolute, m=len(answers))
    kept = len(syns) > 1 and {one.absolute for one in syns} == {first.absolute}
    return claim(kept and not answers, words, *syns, run.capture())


def refused_or_silent(runs: Runs) -> Proof:
    """A RST at once against nothing at all."""
    refused, silent = runs["rst_refused"], runs["syn_blackhole"]
    syn, rst = refusal(refused)
    quick, slow = refused.call("client", "connect"), silent.call("client", "connect")
    syns = silent.all("C>S SYN lost")
    return Proof(
        (
            answers_syn(refused),
            claim(
                quick.outcome == "ECONNREFUSED" and quick.after > rst.time > syn.time,
                Text(
                    "{error}: the answer came {gap} after the SYN, connect() returned {later} later",
                    "{error}：SYN 之后 {gap} 就有应答，再过 {later} connect() 返回",
                ).fill(
                    error=quick.outcome,
                    gap=short_span(rst.time - syn.time),
                    later=short_span(quick.after - rst.time),
                ),
                syn,
                rst,
                quick,
            ),
            silence(silent),
            claim(
                slow.outcome == "ETIMEDOUT" and slow.lasted > quick.lasted,
                Text(
                    "{error}: connect() gives up after {span}; the refused one took {other}",
                    "{error}：connect() 等了 {span} 才放弃；被拒绝的那次只用了 {other}",
                ).fill(
                    error=slow.outcome,
                    span=short_span(slow.lasted),
                    other=short_span(quick.lasted),
                ),
                slow,
                quick,
            ),
        ),
        {
            "rst": rights.frame(rst),
            "syns": rights.count(len(syns), *syns),
            "refused": rights.error(quick),
            "silent": rights.error(slow),
        },
    )


# ---------------------------------------------------------------- reachable, and yet


def reachable(runs: Runs) -> Proof:
    """The host answers at the IP level in every run; TCP fails in another way in each."""
    bound, dropped, full, narrow = (
        runs[name]
        for name in ("loopback_bind", "syn_blackhole", "accept_queue_overflow", "pmtud_blackhole")
    )
    overflows = full.counter("server", "TcpExt.ListenOverflows")
    return Proof(
        (_wrong_address(bound), _filtered(dropped), _queue_full(full), _too_long(narrow)),
        {
            "rst": rights.frame(refusal(bound)[1]),
            "syns": rights.count(len(dropped.all("C>S SYN lost")), *dropped.all("C>S SYN lost")),
            "overflows": rights.count(overflows.value, overflows),
            "lost": rights.frame(narrow.first(where=lambda one: one.lost and one.length > 0)),
        },
    )


def _wrong_address(run: Run) -> Claim:
    bind, inside = run.call("server", "bind"), run.call("server", "connect")
    outside, (_, rst) = run.call("client", "connect"), refusal(run)
    address = bind.call.arguments[0] if bind.call.arguments else None
    at = str(address[0]) if isinstance(address, list) else ""
    words = Text(
        "bound to {at}: the server reaches itself ({ok}), the client gets a RST and {error}",
        "绑定在 {at}：服务器访问自己没问题（{ok}），客户端却收到 RST，得到 {error}",
    ).fill(at=at, ok=inside.outcome, error=outside.outcome)
    ends = (inside.outcome, outside.outcome)
    kept = at.startswith("127.") and ends == ("ok", "ECONNREFUSED")
    return claim(kept, words, bind, inside, outside, rst)


def _filtered(run: Run) -> Claim:
    reply = run.packet("ARP reply", lambda one: _arp(one, REPLY))
    syns, failed = run.all("C>S SYN lost"), run.call("client", "connect")
    words = Text(
        "dropped on the way: the host answers ARP (frame {n}), but {m} SYNs never arrive: {error}",
        "途中被丢弃：主机应答了 ARP（第 {n} 帧），但 {m} 个 SYN 都没有到达：{error}",
    ).fill(n=reply.number, m=len(syns), error=failed.outcome)
    kept = len(syns) > 1 and failed.outcome == "ETIMEDOUT"
    return claim(kept, words, reply, *syns, failed)


def _queue_full(run: Run) -> Claim:
    served = run.opening(0)
    late = [
        syn
        for stream in range(1, len(run.connections))
        for syn in run.all("C>S SYN", stream=stream)
        if not run.all(stream=stream, where=lambda one: one.sender == "S")
    ]
    overflows = run.counter("server", "TcpExt.ListenOverflows")
    words = Text(
        "accept queue full: an earlier client got in, {n} later SYNs reached the server unanswered "
        "(ListenOverflows +{m})",
        "全连接队列已满：先来的客户端连上了，之后 {n} 个 SYN 到达服务器却无应答（ListenOverflows +{m}）",
    ).fill(n=len(late), m=overflows.value)
    kept = 0 < len(late) == overflows.value
    return claim(kept, words, served[1], *late[:3], overflows)


def _too_long(run: Run) -> Claim:
    sent = run.data("C")
    lost, passed = ([one for one in sent if one.lost is fate] for fate in (True, False))
    failed = run.call("client", "recv", -1)
    least, most = (
        min((one.length for one in lost), default=0),
        max((one.length for one in passed), default=0),
    )
    words = Text(
        "path MTU black hole: {most} octets pass, {least} are lost {n} times: {error} after a good handshake",
        "PMTU 黑洞：{most} 字节能通过，{least} 字节丢失 {n} 次：握手成功，随后 {error}",
    ).fill(most=most, least=least, n=len(lost), error=failed.outcome)
    kept = 0 < most < least and failed.outcome == "ETIMEDOUT"
    return claim(kept, words, *run.opening(), *passed[:2], *lost[:2], failed)


def _arp(one: Packet, operation: int) -> bool:
    arp = one.frame.arp
    return arp is not None and arp.operation == operation


SYNS = Ask("syns", Text("SYNs into the black hole", "石沉大海的 SYN 个数"), Unit.COUNT)

QUESTIONS = (
    Question(
        id="ER01",
        asks=Text(
            "Connection refused versus timed out: what differs on the wire?",
            "Connection refused 与超时在报文上有何不同？",
        ),
        answer=Text(
            "Refused: a RST answers the SYN, or an ICMP port unreachable. Timed out: nothing answers, and the "
            "client repeats its SYN.",
            "拒绝：SYN 得到 RST（或 ICMP 端口不可达）应答。超时：没有任何应答，客户端重传 SYN。",
        ),
        kind=Kind.DIAGNOSE,
        level=1,
        interview="high",
        core=True,
        runs=("rst_refused", "syn_blackhole"),
        prove=refused_or_silent,
        values=(
            Ask("rst", Text("Frame that refuses", "表示拒绝的帧"), Unit.FRAME),
            SYNS,
            Ask(
                "refused",
                Text("Error of connect() in the first run", "第一次运行中 connect() 的错误"),
                Unit.ERROR,
            ),
            Ask(
                "silent",
                Text("Error of connect() in the second run", "第二次运行中 connect() 的错误"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(Text("refused: a RST answers", "拒绝：以 RST 应答"), (r"\brst\b",)),
            Idea(
                Text("timed out: nothing answers", "超时：没有任何应答"),
                (
                    r"(nothing|nobody|no one) answers",
                    r"no (answer|reply)",
                    r"silence",
                    r"没有(任何)?应答",
                ),
            ),
            Idea(
                Text("the SYN is repeated", "SYN 被重传"),
                (r"(repeat|retransmi|resen).*", r"重传|重发"),
            ),
        ),
        wrong=(
            Idea(
                Text("refused means that the host is down", "被拒绝说明主机不在线"),
                (r"refused means.*(down|off)", r"被?拒绝(说明|表示)主机(不在|没开|宕机)"),
            ),
        ),
        guess=Guess(
            Text("Which of the two fails faster?", "两者哪个更快失败？"),
            (
                Text("connection refused", "连接被拒绝"),
                Text("timed out", "超时"),
                Text("both alike", "一样快"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at what follows the first SYN in both runs.",
                "看两次运行中第一个 SYN 之后的帧。",
            ),
            Text(
                "Compare the ack of the RST with the seq of the SYN.",
                "比较 RST 的 ack 与 SYN 的 seq。",
            ),
        ),
        then=("ER09", "ER04"),
        sources=("connect(2)", "RFC 9293 section 3.5.2"),
    ),
    Question(
        id="ER09",
        asks=Text(
            "ping works, TCP does not: give three causes you can show.",
            "能 ping 通，TCP 就一定能连通吗？举三个原因。",
        ),
        answer=Text(
            "ping proves only that IP reaches the host. The port may be closed (RST), or the listener bound to "
            "another address. A firewall may drop (silence), or the accept queue may be full. In a PMTU black "
            "hole the connection opens, then stalls.",
            "不一定：ping 只说明 IP 可达。端口未监听（RST）、绑定到错误地址、防火墙丢弃（沉默）、全连接队列满，"
            "以及 PMTU 黑洞（能建立，随后卡住），都会导致 TCP 不通。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        core=True,
        runs=("loopback_bind", "syn_blackhole", "accept_queue_overflow", "pmtud_blackhole"),
        prove=reachable,
        values=(
            Ask(
                "rst",
                Text("Bound to 127.0.0.1: frame of the RST", "绑定在 127.0.0.1：RST 的帧号"),
                Unit.FRAME,
            ),
            SYNS,
            Ask(
                "overflows",
                Text(
                    "Full accept queue: growth of ListenOverflows at the server",
                    "全连接队列满：服务器 ListenOverflows 的增量",
                ),
                Unit.COUNT,
            ),
            Ask(
                "lost",
                Text(
                    "PMTU black hole: first frame with data that is lost",
                    "PMTU 黑洞：第一个丢失的数据帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("closed port or wrong address: RST", "端口未监听或地址不对：RST"),
                (r"\brst\b", r"(closed|not listening)", r"未监听"),
            ),
            Idea(
                Text("a firewall drops in silence", "防火墙悄悄丢弃"),
                (r"firewall|filter", r"防火墙|过滤"),
            ),
            Idea(
                Text("the accept queue is full", "全连接队列已满"),
                (r"(accept )?queue", r"backlog", r"队列"),
            ),
            Idea(
                Text("a PMTU black hole", "PMTU 黑洞"),
                (r"p?mtu", r"black hole", r"黑洞"),
            ),
        ),
        wrong=(
            Idea(
                Text("if ping works, TCP works", "能 ping 通，TCP 就能连通"),
                (r"if ping works,? (then )?tcp (works|must)", r"能 ?ping 通, ?tcp 就能"),
            ),
        ),
        guess=Guess(
            Text(
                "The accept queue is full. What does the next client see?",
                "全连接队列已满，下一个客户端看到什么？",
            ),
            (
                Text("a RST", "RST"),
                Text("silence, as behind a firewall", "沉默，与防火墙丢弃一样"),
                Text("a SYN,ACK with window 0", "窗口为 0 的 SYN,ACK"),
            ),
            1,
        ),
        hints=(
            Text(
                "In each run look at the first frame from the server, and at the first that fails.",
                "在每次运行中看服务器的第一帧和第一个失败之处。",
            ),
            Text(
                "Compare the captures of both hosts: did the SYN arrive? Then the counters.",
                "比较两台主机的抓包：SYN 到了吗？再看计数器。",
            ),
        ),
        then=("ER01",),
        sources=("RFC 1122 section 3.2.2.6", "listen(2)", "RFC 2923"),
    ),
)
