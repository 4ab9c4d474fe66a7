"""States in which an end waits, with a timer or without: CLOSE-WAIT, FIN-WAIT-2, TIME-WAIT."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Right, Unit
from lab.questions.closing import acknowledges, answer_to
from lab.questions.half_closed import read_of
from lab.questions.kernel_socket import Socket
from lab.questions.pieces import Called, Sampled
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span

SECOND, MILLISECOND = 1_000_000_000, 1_000_000  # ns
LENGTH = 60_000_000_000  # ns: TCP_TIMEWAIT_LEN of Linux (include/net/tcp.h)
BY_CLIENT, SHORT_FIN_TIMEOUT = "time_wait_basics", "time_wait_basics:fin_timeout"
FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
CLOSE_ENOUGH = 100_000_000  # ns: a timer is told in ticks, some time after it was started


def never_closed(runs: Runs) -> Proof:
    """CLOSE-WAIT lasts until the program closes, and no timer runs in it."""
    run = runs["close_wait_leak"]
    fin = run.first("C>S FIN,ACK")
    ack, second = answer_to(run, fin), run.first("S>C FIN,ACK", after=fin)
    server = run.socket("server")
    waiting = server.stay("CLOSE-WAIT")
    accepted, next_one = run.call("server", "accept"), run.call("server", "accept", 1)
    closed = run.call("server", "close", where=lambda one: one.call.peer == accepted.call.peer)
    number = accepted.call.result[0] if isinstance(accepted.call.result, list) else -1
    return Proof(
        (
            claim(
                acknowledges(ack, fin) and ack.time < closed.before,
                Text(
                    "the client has closed: its FIN was acknowledged after {span}, by the kernel alone",
                    "客户端已关闭：它的 FIN 在 {span} 后被确认，由内核独自完成",
                ).fill(span=short_span(ack.time - fin.time)),
                fin,
                ack,
                closed,
            ),
            claim(
                next_one.after <= closed.before < second.time,
                Text(
                    "the program lets go of descriptor {fd} only {span} after the FIN, "
                    "when the next client has come; then the server's FIN leaves",
                    "程序在 FIN 之后 {span}、下一个客户端到来时才放开描述符 {fd}；服务器的 FIN 这才发出",
                ).fill(fd=number, span=short_span(closed.before - fin.time)),
                fin,
                next_one,
                closed,
                second,
            ),
            _no_timer(server, "CLOSE-WAIT"),
            claim(
                waiting.by < closed.before and waiting.lasted > (second.time - fin.time) // 2,
                Text(
                    "the kernel reports CLOSE-WAIT for at least {span}",
                    "内核报告 CLOSE-WAIT 至少持续 {span}",
                ).fill(span=short_span(waiting.lasted)),
                waiting,
                closed,
            ),
        ),
        {
            "fin": rights.frame(fin),
            "descriptor": rights.count(number, accepted),
            "lasted": rights.span(second.time - fin.time, fin, second),
            "state": rights.state("CLOSE-WAIT", waiting),
        },
    )


def orphan_or_not(runs: Runs) -> Proof:
    """FIN-WAIT-2 of a closed socket has an end; of one that was only shut down it has none."""
    orphan, patient = runs["fin_wait2_orphan"], runs["fin_wait2_orphan:shutdown"]
    late = orphan.first("S>C PSH,ACK")
    reset = orphan.first("C>S RST", after=late)
    gone = orphan.socket("client").stay("CLOSED")
    fin = patient.first("C>S FIN,ACK")
    ack, data = answer_to(patient, fin), patient.first("S>C PSH,ACK", after=fin)
    limit, read = patient.call("client", "setsockopt"), read_of(patient, "client", data.length)
    waited = data.time - ack.time
    return Proof(
        (
            orphan_limited(orphan),
            claim(
                gone.since < reset.time and reset.absolute == late.absolute_ack,
                Text(
                    "the kernel has forgotten it when the peer's {n} octets come: "
                    "they draw a RST with seq {seq}, their ack",
                    "对端的 {n} 字节到来时，内核已遗忘该连接：它们引来 RST，seq {seq} 即该段的 ack",
                ).fill(n=late.length, seq=reset.absolute),
                gone,
                late,
                reset,
            ),
            claim(
                waited > _seconds(limit) and read.call.octets == data.length,
                Text(
                    "after shutdown() the client still reads {n} octets when FIN-WAIT-2 has lasted "
                    "{span}, longer than TCP_LINGER2",
                    "shutdown() 之后，FIN-WAIT-2 已持续 {span}，超过 TCP_LINGER2，客户端仍读到 {n} 字节",
                ).fill(n=read.call.octets, span=short_span(waited)),
                limit,
                ack,
                data,
                read,
            ),
            _no_timer(patient.socket("client"), "FIN-WAIT-2"),
        ),
        {
            "rst": rights.frame(reset),
            "waited": rights.span(waited, ack, data),
            "late": rights.octets(data.length, data, read),
        },
    )


def sixty_seconds(runs: Runs) -> Proof:
    """The timer of TIME-WAIT with two values of tcp_fin_timeout; that of an orphan beside it."""
    samples = {name: _first_wait(runs[name]) for name in (BY_CLIENT, SHORT_FIN_TIMEOUT)}
    orphan = runs["fin_wait2_orphan"]
    limited = in_state(orphan.socket("client"), "FIN-WAIT-2")[0]
    gone = orphan.socket("client").stay("CLOSED")
    return Proof(
        (
            _lasts(runs[BY_CLIENT]),
            _lasts(runs[SHORT_FIN_TIMEOUT]),
            orphan_limited(orphan),
            claim(
                gone.by - limited.moment.time < LENGTH and not orphan.all("S>C FIN,ACK"),
                Text(
                    "that socket was gone {span} after it was first seen in FIN-WAIT-2, "
                    "without a FIN of the server",
                    "该套接字首次被采样到 FIN-WAIT-2 后 {span} 便消失，并未等到服务器的 FIN",
                ).fill(span=short_span(gone.by - limited.moment.time)),
                limited,
                gone,
                orphan.capture(),
            ),
        ),
        {
            "usual": _timer(samples[BY_CLIENT]),
            "short": _timer(samples[SHORT_FIN_TIMEOUT]),
            "orphan": _timer(limited),
        },
    )


def _first_wait(run: Run) -> Sampled:
    return in_state(run.socket("client"), "TIME-WAIT")[0]


def _timer(sample: Sampled) -> Right:
    return rights.span(sample.moment.expires * MILLISECOND, sample)


def _lasts(run: Run) -> Claim:
    sample, timeout = _first_wait(run), run.sysctl("client", FIN_TIMEOUT)
    fin = run.first("S>C FIN,ACK")
    ends = goes_off(sample) - fin.time
    return claim(
        sample.moment.timer == "time-wait" and abs(ends - LENGTH) < CLOSE_ENOUGH,
        Text(
            "tcp_fin_timeout {timeout} s: TIME-WAIT is to end {ends:.2f} s after the FIN that began it",
            "tcp_fin_timeout 为 {timeout} 秒：TIME-WAIT 在引发它的 FIN 之后 {ends:.2f} 秒到期",
        ).fill(timeout=timeout.value, ends=ends / 1_000_000_000),
        sample,
        fin,
        timeout,
    )


def orphan_limited(run: Run) -> Claim:
    """When the timer of an orphan in FIN-WAIT-2 was to go off, counted from the ACK."""
    fin, limit = run.first("C>S FIN,ACK"), run.call("client", "setsockopt")
    ack, sample = answer_to(run, fin), in_state(run.socket("client"), "FIN-WAIT-2")[0]
    ends = goes_off(sample) - ack.time
    return claim(
        bool(sample.moment.timer) and abs(ends - _seconds(limit)) < CLOSE_ENOUGH,
        Text(
            "after close() FIN-WAIT-2 has a timer: it goes off {span} after the ACK; TCP_LINGER2 is {limit} s",
            "close() 之后 FIN-WAIT-2 带有定时器：在 ACK 之后 {span} 到期；TCP_LINGER2 为 {limit} 秒",
        ).fill(span=short_span(ends), limit=_seconds(limit) // SECOND),
        limit,
        ack,
        sample,
    )


def _no_timer(socket: Socket, state: str) -> Claim:
    samples = in_state(socket, state)
    return claim(
        not any(one.moment.timer for one in samples),
        Text(
            "in {state} the kernel reports no timer (samples: {n})",
            "{state} 中内核没有报告任何定时器（采样 {n} 个）",
        ).fill(state=state, n=len(samples)),
        *samples,
    )


def in_state(socket: Socket, state: str) -> tuple[Sampled, ...]:
    """The samples of a socket in a state; raises Missing if there is none."""
    socket.stay(state)
    return tuple(one for one in socket.samples if one.state == state)


def goes_off(sample: Sampled) -> int:
    """When a socket's timer goes off (ns since 1970), as the kernel told."""
    moment = sample.moment
    return (moment.before + moment.time) // 2 + moment.expires * MILLISECOND


def _seconds(option: Called) -> int:
    """The value of a socket option in seconds, as ns."""
    value = option.call.arguments[-1]
    return value * SECOND if isinstance(value, int) else 0


QUESTIONS = (
    Question(
        id="TD07",
        asks=Text("What does a pile of CLOSE-WAIT mean?", "服务器出现大量 CLOSE-WAIT 说明什么？"),
        answer=Text(
            "The peer has closed and the local program has not called close(): a bug of the application. "
            "The kernel has acknowledged the FIN, but only the program can send its own. "
            "No timer removes CLOSE-WAIT.",
            "对端已关闭，而本端应用没有调用 close()，属于程序缺陷。"
            "内核已确认对端的 FIN，但本端的 FIN 只能由应用引发。"
            "CLOSE-WAIT 没有定时器，内核不会自动清除。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="high",
        core=True,
        runs=("close_wait_leak",),
        prove=never_closed,
        values=(
            Ask(
                "fin",
                Text(
                    "First connection: frame number of the client's FIN",
                    "第一条连接：客户端 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "descriptor",
                Text(
                    "Descriptor that the server's program forgot to close",
                    "服务器程序忘记关闭的描述符",
                ),
                Unit.COUNT,
            ),
            Ask(
                "lasted",
                Text("Time between the two FINs", "两个 FIN 之间的时间"),
                Unit.SPAN,
            ),
            Ask(
                "state",
                Text("State of the server's socket in between", "其间服务器套接字的状态"),
                Unit.STATE,
            ),
        ),
        ideas=(
            Idea(
                Text("the peer has closed", "对端已关闭"),
                (
                    r"peer (has |already )?(closed|sent (its|a) fin)",
                    r"(other|remote) (end|side) (has )?(closed|sent)",
                    r"(对端|对方)(已经?|先)?(关闭|发(送|出)?了? ?fin)",
                ),
            ),
            Idea(
                Text(
                    "the local program has not called close(): a bug",
                    "本端应用没有调用 close()：程序缺陷",
                ),
                (
                    r"(not|never) (called|call|calls) close",
                    r"(forgot|forgets|forgotten|failed) to close",
                    r"\bbug\b",
                    r"(没有|未|忘记|忘了)(调用)? ?(close|关闭)",
                    r"(程序|应用)(的)?(缺陷|bug|错误)",
                ),
            ),
            Idea(
                Text("no timer removes it", "没有定时器，内核不会自动清除"),
                (
                    r"no timer",
                    r"(never|not) time[sd]? out",
                    r"没有(任何)?定时器",
                    r"不会(自动)?(清除|超时|消失)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("CLOSE-WAIT disappears by itself after 60 s", "CLOSE-WAIT 60 秒后自动消失"),
                (
                    r"close[-_ ]?wait (disappears|times out|ends|goes away) (by itself|after)",
                    r"close[-_ ]?wait[^.]*秒后[^.]*(消失|清除|超时)",
                ),
            ),
            Idea(
                Text("the peer has forgotten to close", "对端忘记关闭"),
                (
                    r"(peer|client) (has )?(forgot|forgotten)( to close)?",
                    r"(对端|对方|客户端)(忘记|忘了|没有|未)(关闭|调用)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The program never calls close(). What will the kernel do about the connection?",
                "程序一直不调用 close()，内核会如何处理这条连接？",
            ),
            (
                Text("send FIN after a while", "过一会儿发送 FIN"),
                Text("send RST after a while", "过一会儿发送 RST"),
                Text("leave it in CLOSE-WAIT", "让它停留在 CLOSE-WAIT"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's state lane after the client's FIN.",
                "看客户端的 FIN 之后服务器一侧的状态栏。",
            ),
            Text(
                "Compare the time of the server's close() with that of the client's FIN.",
                "把服务器 close() 的时间与客户端 FIN 的时间相比较。",
            ),
        ),
        then=("TD14",),
        sources=("RFC 9293 section 3.3.2", "RFC 9293 section 3.6"),
    ),
    Question(
        id="TD06",
        asks=Text(
            "How long does TIME-WAIT last on Linux, and does tcp_fin_timeout change it?",
            "Linux 的 TIME-WAIT 多长？tcp_fin_timeout 能改变它吗？",
        ),
        answer=Text(
            "60 seconds, a constant of the kernel that no sysctl changes. "
            "tcp_fin_timeout, or TCP_LINGER2 of one socket, limits FIN-WAIT-2 of orphans. "
            "RFC 9293 takes an MSL of 2 minutes, so it wants 4 minutes.",
            "固定 60 秒，是内核的编译期常量，没有参数可改。"
            "tcp_fin_timeout（或单个套接字的 TCP_LINGER2）只限制孤儿连接的 FIN-WAIT-2。"
            "RFC 9293 取 MSL 为 2 分钟，2MSL 就是 4 分钟。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        core=True,
        runs=(BY_CLIENT, SHORT_FIN_TIMEOUT, "fin_wait2_orphan"),
        prove=sixty_seconds,
        values=(
            Ask(
                "usual",
                Text(
                    "First value of the TIME-WAIT timer, tcp_fin_timeout 60",
                    "tcp_fin_timeout 为 60 时，TIME-WAIT 定时器的首个读数",
                ),
                Unit.SPAN,
            ),
            Ask(
                "short",
                Text(
                    "First value of the TIME-WAIT timer, tcp_fin_timeout 5",
                    "tcp_fin_timeout 为 5 时，TIME-WAIT 定时器的首个读数",
                ),
                Unit.SPAN,
            ),
            Ask(
                "orphan",
                Text(
                    "First value of the timer of the orphan in FIN-WAIT-2",
                    "孤儿 FIN-WAIT-2 定时器的首个读数",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("TIME-WAIT lasts 60 seconds", "TIME-WAIT 持续 60 秒"),
                (r"\b60 ?(s\b|sec)", r"60 ?秒", r"(one|a|1) minute", r"(一|1) ?分钟"),
            ),
            Idea(
                Text("it is a constant; no sysctl changes it", "它是常量，没有参数可改"),
                (
                    r"constant",
                    r"(no|not a|without) (sysctl|parameter|setting)",
                    r"常量",
                    r"(没有|无)(任何)?参数",
                    r"固定",
                ),
            ),
            Idea(
                Text(
                    "tcp_fin_timeout limits orphans in FIN-WAIT-2",
                    "tcp_fin_timeout 限制孤儿连接的 FIN-WAIT-2",
                ),
                (r"fin[-_ ]?wait[-_ ]?2",),
            ),
        ),
        wrong=(
            Idea(
                Text("tcp_fin_timeout shortens TIME-WAIT", "调小 tcp_fin_timeout 可缩短 TIME-WAIT"),
                (
                    r"fin_timeout (shortens|sets|changes|reduces|controls) (the )?time[-_ ]?wait",
                    r"fin_timeout[^.]*(可|能)(以)?缩短",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "tcp_fin_timeout is set to 5. How long will TIME-WAIT last?",
                "把 tcp_fin_timeout 设为 5，TIME-WAIT 会持续多久？",
            ),
            (Text("5 s", "5 秒"), Text("10 s", "10 秒"), Text("60 s", "60 秒")),
            2,
        ),
        hints=(
            Text(
                "Look at the timer that the client's kernel reports with the state.",
                "看客户端内核随状态一起报告的定时器。",
            ),
            Text(
                "Compare it between the two runs with different tcp_fin_timeout.",
                "比较两次 tcp_fin_timeout 不同的运行。",
            ),
        ),
        claim=Text(
            "Lower tcp_fin_timeout to shorten TIME-WAIT", "调小 tcp_fin_timeout 可缩短 TIME-WAIT"
        ),
        truth=Text(
            "TIME-WAIT was to last for 60 s with either value",
            "无论取哪个值，TIME-WAIT 都是 60 秒",
        ),
        then=("TD08",),
        sources=(
            "Linux include/net/tcp.h: TCP_TIMEWAIT_LEN",
            "Linux ip-sysctl: tcp_fin_timeout",
            "RFC 9293 section 3.4.2",
        ),
    ),
    Question(
        id="TD14",
        asks=Text("What is FIN-WAIT-2, and can it last for ever?", "FIN-WAIT-2 会一直持续吗？"),
        answer=Text(
            "In FIN-WAIT-2 one's own FIN is acknowledged, and the peer's has not come yet. "
            "After shutdown() it may last for ever, and data are still read. "
            "After close() it is an orphan: the kernel drops it after tcp_fin_timeout, or TCP_LINGER2. "
            "Data that come later draw a RST.",
            "FIN-WAIT-2 表示自己的 FIN 已被确认，对端的 FIN 尚未到来。"
            "shutdown() 之后它可以无限期持续，仍可读数据。"
            "close() 之后它是孤儿连接：tcp_fin_timeout（或 TCP_LINGER2）到期即被内核丢弃，迟到的数据引来 RST。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        runs=("fin_wait2_orphan", "fin_wait2_orphan:shutdown"),
        prove=orphan_or_not,
        values=(
            Ask(
                "rst",
                Text(
                    "After close(): frame number of the RST that answers late data",
                    "close() 之后：回应迟到数据的 RST 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "waited",
                Text(
                    "After shutdown(): time from the ACK of the FIN to the late data",
                    "shutdown() 之后：从 FIN 被确认到迟到数据的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "late",
                Text(
                    "After shutdown(): how many late octets the client reads",
                    "shutdown() 之后：客户端读到多少迟到的字节",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("after shutdown() it may last for ever", "shutdown() 之后可以无限期持续"),
                (
                    r"for ?ever|indefinitely|without (a )?limit|no limit",
                    r"(无限期|一直|永远)(地)?(持续|等)?",
                ),
            ),
            Idea(
                Text(
                    "after close() it ends after tcp_fin_timeout",
                    "close() 之后到 tcp_fin_timeout 为止",
                ),
                (r"tcp_fin_timeout", r"tcp_linger2"),
            ),
            Idea(
                Text("late data draw a RST", "迟到的数据引来 RST"),
                (r"\brst\b", r"\breset\b"),
            ),
        ),
        wrong=(
            Idea(
                Text("FIN-WAIT-2 always ends after 60 s", "FIN-WAIT-2 总是在 60 秒后结束"),
                (
                    r"fin[-_ ]?wait[-_ ]?2 always (ends|times out)",
                    r"fin[-_ ]?wait[-_ ]?2 ?总是",
                ),
            ),
            Idea(
                Text("FIN-WAIT-2 repeats the FIN", "FIN-WAIT-2 会重传 FIN"),
                (
                    r"fin[-_ ]?wait[-_ ]?2 (repeats|retransmits|resends)",
                    r"fin[-_ ]?wait[-_ ]?2 ?会重传",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The client closed; TCP_LINGER2 has passed; then the server sends. What answers?",
                "客户端已 close()，TCP_LINGER2 已过，服务器才发送数据。会得到什么？",
            ),
            (
                Text("an ACK", "ACK"),
                Text("a RST", "RST"),
                Text("nothing", "没有应答"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the client's state lane and its timer in both runs.",
                "看两次运行中客户端一侧的状态栏及其定时器。",
            ),
            Text(
                "Compare what answers the server's late data: a RST here, an ACK there.",
                "比较服务器迟到的数据得到什么应答：一边是 RST，另一边是 ACK。",
            ),
        ),
        then=("TD06",),
        sources=(
            "Linux ip-sysctl: tcp_fin_timeout",
            "tcp(7) TCP_LINGER2",
            "RFC 9293 section 3.6",
            "RFC 1122 section 4.2.2.13",
        ),
    ),
)
