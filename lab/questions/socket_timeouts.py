"""Calls that do not wait for ever: three receive timeouts, and a connect() that does not wait."""

from __future__ import annotations

import errno

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.sockets import returned
from lab.text import Text


def three_timeouts(runs: Runs) -> Proof:
    """Python's timeout, the kernel's, and TCP's own."""
    run = runs["recv_timeouts"]
    python, kernel, answered, given_up = (run.call("client", "recv", nth) for nth in range(4))
    setting, option = run.call("client", "settimeout"), run.call("client", "setsockopt")
    question, answer = run.first("C>S PSH,ACK"), run.one("S>C +", run.data("S"))
    probe = run.first("C>S ACK lost", after=answer)
    rst = run.first("C>S RST,ACK", after=probe)
    sent = [
        one
        for wait in (python, kernel)
        for one in run.all(after=wait.before, before=wait.after)
        if one.time > setting.before
    ]
    life = run.socket("client")
    open_, gone = life.stay("ESTABLISHED"), life.stay("CLOSED")
    return Proof(
        (
            claim(
                python.outcome == "TimeoutError" and setting.after < python.before,
                Text(
                    "settimeout({s}): recv() gives {error} after {ms} ms; that is Python's, and has no errno",
                    "settimeout({s})：recv() 在 {ms} 毫秒后得到 {error}；它来自 Python，没有 errno",
                ).fill(
                    s=", ".join(map(str, setting.call.arguments)),
                    error=python.outcome,
                    ms=python.lasted // 1_000_000,
                ),
                setting,
                python,
            ),
            claim(
                kernel.outcome == "EAGAIN" and option.after < kernel.before,
                Text(
                    "SO_RCVTIMEO: the kernel ends recv() after {ms} ms with {error}, errno {number}",
                    "SO_RCVTIMEO：内核在 {ms} 毫秒后结束 recv()，得到 {error}，errno 为 {number}",
                ).fill(ms=kernel.lasted // 1_000_000, error=kernel.outcome, number=errno.EAGAIN),
                option,
                kernel,
            ),
            claim(
                not sent
                and bytes.fromhex(answered.call.data) == answer.frame.payload
                and answer.ack == question.end
                and kernel.after < question.time < answer.time < answered.after,
                Text(
                    "after both the connection lives: frame {q} asks, frame {a} answers and acknowledges {ack}",
                    "两次之后连接仍然可用：第 {q} 帧提问，第 {a} 帧回答并确认 {ack}",
                ).fill(q=question.number, a=answer.number, ack=answer.ack),
                kernel,
                question,
                answer,
                answered,
            ),
            claim(
                open_.by < question.time < open_.until < gone.by and gone.since > probe.time,
                Text(
                    "the client's socket is ESTABLISHED until after the lost probe (frame {n}), then CLOSED",
                    "探测报文（第 {n} 帧）丢失之前，客户端套接字一直是 ESTABLISHED，之后才是 CLOSED",
                ).fill(n=probe.number),
                open_,
                question,
                probe,
                gone,
            ),
            claim(
                given_up.outcome == "ETIMEDOUT" and probe.time < rst.time < given_up.after,
                Text(
                    "TCP itself gives up: probe lost, RST (frame {n}), and recv() ends after {ms} ms with {error}, errno {number}",
                    "TCP 自己放弃：探测丢失，发出 RST（第 {n} 帧），recv() 在 {ms} 毫秒后得到 {error}，errno 为 {number}",
                ).fill(
                    n=rst.number,
                    ms=given_up.lasted // 1_000_000,
                    error=given_up.outcome,
                    number=errno.ETIMEDOUT,
                ),
                probe,
                rst,
                given_up,
            ),
        ),
        {
            "python": rights.name("none", python),
            "kernel": rights.error(kernel),
            "tcp": rights.error(given_up),
            "probe": rights.frame(probe),
        },
    )


def not_waiting(runs: Runs) -> Proof:
    """EINPROGRESS at once; the outcome later, by SO_ERROR."""
    run, refused = runs["nonblocking_connect"], runs["nonblocking_connect:refused"]
    begin, again = run.call("client", "connect_ex"), run.call("client", "connect_ex", 1)
    syn, synack, _ = run.opening()
    fine = run.call("client", "getsockopt")
    start, rst = refused.call("client", "connect_ex"), refused.first("S>C RST,ACK")
    failure = refused.call("client", "getsockopt")
    gap = synack.time - begin.after
    why = errno.errorcode.get(returned(failure), "ok")
    return Proof(
        (
            claim(
                begin.outcome == "EINPROGRESS" and gap > 0 and begin.after < synack.time,
                Text(
                    "connect() returns {error} after {us} µs, {ms} ms before the SYN,ACK (frame {n})",
                    "connect() 在 {us} 微秒后返回 {error}，比 SYN,ACK（第 {n} 帧）早 {ms} 毫秒",
                ).fill(
                    error=begin.outcome,
                    us=begin.lasted // 1000,
                    ms=gap // 1_000_000,
                    n=synack.number,
                ),
                begin,
                syn,
                synack,
            ),
            claim(
                again.outcome == "EALREADY" and again.after < synack.time,
                Text(
                    "asked again while it is under way, connect() says {error}",
                    "尚未有结果时再次调用，connect() 返回 {error}",
                ).fill(error=again.outcome),
                again,
                synack,
            ),
            claim(
                returned(fine) == 0 and fine.before > synack.time,
                Text(
                    "success: {us} µs after the SYN,ACK SO_ERROR is {n}",
                    "成功：SYN,ACK 到达 {us} 微秒后，SO_ERROR 为 {n}",
                ).fill(us=(fine.before - synack.time) // 1000, n=returned(fine)),
                synack,
                fine,
            ),
            claim(
                start.outcome == "EINPROGRESS"
                and why == "ECONNREFUSED"
                and start.after < rst.time < failure.before,
                Text(
                    "failure begins alike, {begin}; after the RST (frame {m}) SO_ERROR is {n}: {error}",
                    "失败的开头相同，也是 {begin}；RST（第 {m} 帧）之后 SO_ERROR 为 {n}：{error}",
                ).fill(begin=start.outcome, m=rst.number, n=returned(failure), error=why),
                start,
                rst,
                failure,
            ),
        ),
        {
            "first": rights.error(begin),
            "gap": rights.span(gap, begin, synack),
            "success": rights.count(returned(fine), fine),
            "failure": rights.name(why, failure),
        },
    )


QUESTIONS = (
    Question(
        id="SK10",
        asks=Text(
            "settimeout, SO_RCVTIMEO and ETIMEDOUT: what differs?",
            "settimeout、SO_RCVTIMEO、ETIMEDOUT 有何不同？",
        ),
        answer=Text(
            "settimeout() is Python's own timer on a non-blocking descriptor: TimeoutError without an errno. "
            "SO_RCVTIMEO is the kernel's limit, and gives EAGAIN. In both the connection lives on. "
            "ETIMEDOUT means that TCP gave the connection up.",
            "settimeout() 是 Python 在非阻塞描述符上的定时器：抛出 TimeoutError，没有 errno。"
            "SO_RCVTIMEO 是内核的时限，返回 EAGAIN。这两种情况下连接仍然存在。ETIMEDOUT 表示 TCP 已放弃该连接。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        runs=("recv_timeouts",),
        prove=three_timeouts,
        values=(
            Ask(
                "python",
                Text("errno of the client's first recv()", "客户端第一次 recv() 的 errno"),
                Unit.CHOICE,
                (
                    ("none", Text("none at all", "没有 errno")),
                    ("EAGAIN", Text("11, EAGAIN", "11，EAGAIN")),
                    ("ETIMEDOUT", Text("110, ETIMEDOUT", "110，ETIMEDOUT")),
                ),
            ),
            Ask(
                "kernel",
                Text("How the second recv() ends", "第二次 recv() 的结果"),
                Unit.ERROR,
            ),
            Ask("tcp", Text("How the last recv() ends", "最后一次 recv() 的结果"), Unit.ERROR),
            Ask(
                "probe",
                Text("Frame of the probe that was lost", "丢失的探测报文的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "settimeout() is Python's own timer, without errno",
                    "settimeout() 是 Python 的定时器，没有 errno",
                ),
                (r"python", r"(without|no) (an )?errno", r"没有 ?errno"),
            ),
            Idea(
                Text("SO_RCVTIMEO gives EAGAIN", "SO_RCVTIMEO 返回 EAGAIN"),
                (r"eagain|ewouldblock",),
            ),
            Idea(
                Text("in both the connection lives on", "这两种情况下连接仍然存在"),
                (
                    r"lives|alive|still (open|established|there)",
                    r"(连接)?(仍|还)(然)?(存在|可用|在|有效|是)",
                ),
            ),
            Idea(
                Text("ETIMEDOUT: TCP gave the connection up", "ETIMEDOUT：TCP 已放弃该连接"),
                (r"g(a|i)ven? .{0,20}up|dead|lost the connection", r"放弃"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "a TimeoutError means that the connection is dead", "TimeoutError 表示连接已断"
                ),
                (r"timeouterror means", r"timeouterror ?(表示|意味着)"),
            ),
        ),
        guess=Guess(
            Text(
                "recv() raised TimeoutError after settimeout(0.2). Does the connection still work?",
                "设置 settimeout(0.2) 后 recv() 抛出 TimeoutError。连接还能用吗？",
            ),
            (
                Text("no, it is closed", "不能，已经关闭"),
                Text("yes", "能"),
                Text("only after another connect()", "重新 connect() 之后才能"),
            ),
            1,
        ),
        hints=(
            Text("Look at the client's four recv() calls.", "看客户端的四次 recv()。"),
            Text(
                "Compare what the wire shows during each of them.",
                "比较每次调用期间线路上有什么。",
            ),
        ),
        claim=Text("A TimeoutError means the connection is dead", "TimeoutError 表示连接已断"),
        truth=Text(
            "In two of the three cases it is alive, and carries data afterwards",
            "三种情况中有两种连接仍在，之后照样收发数据",
        ),
        then=("SK11",),
        sources=("socket(7) SO_RCVTIMEO", "Python documentation, socket timeouts", "tcp(7)"),
    ),
    Question(
        id="SK11",
        asks=Text(
            "How does a non-blocking connect report success or failure?",
            "非阻塞 connect 如何判断成功或失败？",
        ),
        answer=Text(
            "connect() returns EINPROGRESS at once. The program waits until the socket is writable, with poll() for example. "
            "Then it reads SO_ERROR: 0 means success, else it is the error, such as ECONNREFUSED.",
            "connect() 立即返回 EINPROGRESS；程序用 poll() 等方式等待套接字可写，"
            "然后读取 SO_ERROR：0 表示成功，否则就是错误码，例如 ECONNREFUSED。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("nonblocking_connect", "nonblocking_connect:refused"),
        prove=not_waiting,
        values=(
            Ask(
                "first",
                Text("What the first connect_ex() returns", "第一次 connect_ex() 的返回值"),
                Unit.ERROR,
            ),
            Ask(
                "gap",
                Text(
                    "nonblocking_connect: time from that return to the SYN,ACK",
                    "nonblocking_connect：从该返回到 SYN,ACK 的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "success",
                Text("nonblocking_connect: SO_ERROR", "nonblocking_connect：SO_ERROR 的值"),
                Unit.COUNT,
            ),
            Ask(
                "failure",
                Text(
                    "nonblocking_connect:refused: the error that SO_ERROR names",
                    "nonblocking_connect:refused：SO_ERROR 所指的错误",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("EINPROGRESS at once", "立即返回 EINPROGRESS"),
                (r"einprogress",),
            ),
            Idea(
                Text("wait until the socket is writable", "等待套接字可写"),
                (r"writ(e)?able", r"可写"),
            ),
            Idea(Text("read SO_ERROR", "读取 SO_ERROR"), (r"so_error",)),
        ),
        wrong=(
            Idea(
                Text("writable means connected", "可写就表示连接成功"),
                (r"writ(e)?able means", r"可写就?(表示|说明)"),
            ),
            Idea(
                Text("EINPROGRESS means that it failed", "EINPROGRESS 表示失败"),
                (r"einprogress means (that )?it failed", r"einprogress ?表示失败"),
            ),
        ),
        guess=Guess(
            Text(
                "A non-blocking connect() goes to a closed port, 300 ms away. What does it return first?",
                "非阻塞 connect() 连接一个关闭的端口，路径延迟 300 毫秒。它首先返回什么？",
            ),
            (
                Text("ECONNREFUSED", "ECONNREFUSED"),
                Text("0", "0"),
                Text("EINPROGRESS", "EINPROGRESS"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's connect_ex() and getsockopt() calls.",
                "看客户端的 connect_ex() 和 getsockopt() 调用。",
            ),
            Text(
                "Compare their times with those of the SYN,ACK and the RST.",
                "把它们的时间与 SYN,ACK 和 RST 的时间相比较。",
            ),
        ),
        then=("SV01",),
        sources=("connect(2) EINPROGRESS", "poll(2)", "socket(7) SO_ERROR"),
    ),
)
