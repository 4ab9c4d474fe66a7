"""What TIME-WAIT costs: ports that cannot be used again, for a client and for a server."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Packet, Segment, Stayed
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.tcp_options import timestamps
from lab.questions.time_wait import first_fin
from lab.text import Text
from lab.units import MODULUS, SequenceNumber, short_span

PORT, OTHER_PORT = 12345, 12346  # the server's
RANGE, REUSE = "net.ipv4.ip_local_port_range", "net.ipv4.tcp_tw_reuse"
EXHAUSTED, REUSED = "time_wait_exhaustion", "time_wait_exhaustion:tw_reuse"
UNTOUCHED = "tcp_lifecycle"  # sets no sysctl: what is read there is the default
RESTART, TOO_LATE = "time_wait_restart", "time_wait_restart:first_without"
SECOND = 1_000_000_000  # ns


def ports_run_out(runs: Runs) -> Proof:
    """Every port of the range is in TIME-WAIT towards one destination, and only towards that."""
    run = runs[EXHAUSTED]
    span = run.sysctl("client", RANGE)
    usable = _usable(span.value)
    used = [one.client.port for one in run.connections if one.server.port == PORT]
    syns = [run.first("C>S SYN", stream=run.stream_to(PORT, nth)) for nth in range(len(used))]
    kept = waiting(run, PORT)
    failed, other = run.call("client", "connect", usable), run.call("client", "connect", usable + 1)
    elsewhere = run.first("C>S SYN", stream=run.stream_to(OTHER_PORT))
    again = run.connection(elsewhere.stream).client.port
    return Proof(
        (
            claim(
                len(set(used)) == usable and len(kept) == usable,
                Text(
                    "ip_local_port_range {range} has {n} ports; {kept} of them are in TIME-WAIT "
                    "towards port {port}",
                    "ip_local_port_range {range} 共 {n} 个端口；其中 {kept} 个对端口 {port} 处于 TIME-WAIT",
                ).fill(range=span.value, n=usable, kept=len(kept), port=PORT),
                span,
                *syns,
                *kept,
            ),
            claim(
                failed.outcome == "EADDRNOTAVAIL" and not _packets(run, failed),
                Text(
                    "connect() number {n} fails with {error} after {span}; no packet is sent",
                    "第 {n} 次 connect() 在 {span} 后以 {error} 失败；没有发出任何包",
                ).fill(n=usable + 1, error=failed.outcome, span=short_span(failed.lasted)),
                failed,
                run.capture(),
            ),
            claim(
                again in used and other.outcome == "ok" and elsewhere.time > failed.after,
                Text(
                    "to port {other} of the same server local port {port}, used before, still works",
                    "对同一服务器的端口 {other}，先前用过的本地端口 {port} 仍可用",
                ).fill(other=OTHER_PORT, port=again),
                failed,
                other,
                elsewhere,
            ),
        ),
        {
            "error": rights.error(failed),
            "count": rights.count(len(kept), *kept),
            "port": rights.count(again, elsewhere),
        },
    )


def _usable(span: str) -> int:
    """How many ports a range has: "45000 45001"."""
    ends = [int(end) for end in span.split()]
    return ends[-1] - ends[0] + 1


def waiting(run: Run, port: int) -> tuple[Stayed, ...]:
    """The client's stays in TIME-WAIT towards a port of the server."""
    ends = run.sockets("client", lambda life: life.peer is not None and life.peer[1] == port)
    return tuple(one.stay("TIME-WAIT") for one in ends if "TIME-WAIT" in one.states)


def _packets(run: Run, call: Called) -> tuple[Packet, ...]:
    """IP packets that passed the client's port while a call lasted."""
    return run.packets(where=lambda one: bool(one.frame.ip) and call.before < one.time < call.after)


def reuse(runs: Runs) -> Proof:
    """2 by default; with 1 connect() takes a port over that has waited for more than a second."""
    refused, run = runs[EXHAUSTED], runs[REUSED]
    default = runs[UNTOUCHED].sysctl("client", REUSE)
    usable = _usable(run.sysctl("client", RANGE).value)
    stream = run.stream_to(PORT, usable)
    syn, port = run.first("C>S SYN", stream=stream), run.connection(stream).client.port
    old = next(one.stream for one in run.connections if one.client.port == port)
    last = run.all("C>S ACK", stream=old)[-1]
    failed = refused.call("client", "connect", usable)
    return Proof(
        (
            claim(
                default.value == "2",
                Text(
                    "on a host where nobody has set it, tcp_tw_reuse reads {value}: not off",
                    "在没有改动过它的主机上，tcp_tw_reuse 读出为 {value}，并非关闭",
                ).fill(value=default.value),
                default,
            ),
            _refused(refused, failed),
            _taken_over(run, syn, last, port),
            _newer(syn, last),
        ),
        {
            "port": rights.count(port, syn),
            "age": rights.span(syn.time - last.time, last, syn),
            "error": rights.error(failed),
        },
    )


def _refused(run: Run, failed: Called) -> Claim:
    value, closed = run.sysctl("client", REUSE), run.all("C>S ACK")[-1]
    return claim(
        value.value == "2" and failed.outcome == "EADDRNOTAVAIL" and closed.time < failed.before,
        Text(
            "with {value}, and every port in TIME-WAIT (the first one {age} ago), "
            "connect() fails with {error}",
            "取值 {value} 且所有端口都处于 TIME-WAIT（最早的始于 {age} 前）时，connect() 以 {error} 失败",
        ).fill(
            value=value.value, error=failed.outcome, age=short_span(failed.before - closed.time)
        ),
        value,
        closed,
        failed,
    )


def _taken_over(run: Run, syn: Segment, last: Segment, port: int) -> Claim:
    value, counted = run.sysctl("client", REUSE), run.counter("client", "TcpExt.TWRecycled")
    age = syn.time - last.time
    return claim(
        value.value == "1" and age > SECOND and counted.value > 0,
        Text(
            "with {value} a SYN leaves from port {port}, which has been in TIME-WAIT for {age}; "
            "the kernel counts {n} taken over",
            "取值 {value} 时，SYN 从端口 {port} 发出，该端口已在 TIME-WAIT {age}；内核计数为 {n} 个",
        ).fill(value=value.value, port=port, age=short_span(age), n=counted.value),
        value,
        last,
        syn,
        counted,
    )


def _newer(syn: Segment, last: Segment) -> Claim:
    """Timestamps and numbers go on beyond those of the old connection."""
    (new, _), (old, _) = timestamps(syn), timestamps(last)
    ahead = SequenceNumber(syn.absolute) - last.absolute
    return claim(
        SECOND // 1_000_000 <= (new - old) % MODULUS < MODULUS // 2 and ahead > 0,
        Text(
            "its TSval is {stamp} beyond the old one's last, its ISN {ahead} beyond the last number",
            "其 TSval 比旧连接最后的大 {stamp}，ISN 比最后的序号大 {ahead}",
        ).fill(stamp=(new - old) % MODULUS, ahead=ahead),
        last,
        syn,
    )


def restart(runs: Runs) -> Proof:
    """bind() is refused while the address is in TIME-WAIT, unless SO_REUSEADDR was set before."""
    run = runs[RESTART]
    fin, kept = first_fin(run), run.socket("server").stay("TIME-WAIT")
    refused, taken, second = (run.call("server", "bind", nth) for nth in (1, 2, 3))
    plain, option = _before(run, refused), _before(run, taken)
    peer = run.connection().client.port
    return Proof(
        (
            claim(
                fin.sender == "S" and fin.time < refused.before,
                Text(
                    "the server closed first (FIN in frame {n}): its end, peer port {port}, "
                    "is in TIME-WAIT",
                    "服务器先关闭（FIN 在第 {n} 帧）：它这一端（对端端口 {port}）处于 TIME-WAIT",
                ).fill(n=fin.number, port=peer),
                fin,
                refused,
                kept,
            ),
            claim(
                refused.outcome == "EADDRINUSE" and plain.call.function == "socket",
                Text(
                    "bind() right after socket() fails: {error}",
                    "socket() 之后直接 bind() 失败：{error}",
                ).fill(error=refused.outcome),
                plain,
                refused,
            ),
            claim(
                taken.outcome == "ok" and _reuses(option) and kept.until > taken.after,
                Text(
                    "with SO_REUSEADDR set before, bind() succeeds; "
                    "TIME-WAIT is still there {span} later",
                    "先设置 SO_REUSEADDR，bind() 便成功；{span} 后 TIME-WAIT 仍在",
                ).fill(span=short_span(kept.until - taken.after)),
                option,
                taken,
                kept,
            ),
            _two_listeners(run, second),
            _too_late(runs[TOO_LATE]),
        ),
        {
            "error": rights.error(refused),
            "peer": rights.count(peer, kept, fin),
            "fin": rights.frame(fin),
            "state": rights.state("TIME-WAIT", kept),
        },
    )


def _two_listeners(run: Run, second: Called) -> Claim:
    option = _before(run, second)
    return claim(
        second.outcome == "EADDRINUSE" and _reuses(option),
        Text(
            "the option does not let two sockets listen on the port: {error}",
            "该选项不允许两个套接字监听同一端口：{error}",
        ).fill(error=second.outcome),
        option,
        second,
    )


def _too_late(run: Run) -> Claim:
    """The server before did not set the option, the one that starts again does."""
    before, again = run.call("server", "bind"), run.call("server", "bind", 2)
    plain, option = _before(run, before), _before(run, again)
    return claim(
        plain.call.function == "socket" and _reuses(option) and again.outcome == "EADDRINUSE",
        Text(
            "where the server before had not set it, setting it at the restart is too late: {error}",
            "若之前的服务器没有设置过，重启时再设置为时已晚：{error}",
        ).fill(error=again.outcome),
        plain,
        before,
        option,
        again,
    )


def _before(run: Run, call: Called) -> Called:
    """The call just before another one of the same program."""
    return run.calls(call.host)[call.index - 1]


def _reuses(call: Called) -> bool:
    return call.call.arguments == ("SOL_SOCKET", "SO_REUSEADDR", 1)


QUESTIONS = (
    Question(
        id="TD08",
        asks=Text(
            "What harm do many TIME-WAIT sockets do, and what helps?",
            "TIME-WAIT 过多有什么危害？如何处理？",
        ),
        answer=Text(
            "An active closer runs out of ephemeral ports towards one destination: EADDRNOTAVAIL. "
            "Other destinations still work, and memory is small. "
            "Reuse connections, let the other side close, widen the range, "
            "or set tcp_tw_reuse for outgoing connections with timestamps. "
            "tcp_tw_recycle has been removed.",
            "主动关闭方连接同一目的地时会耗尽临时端口，connect() 以 EADDRNOTAVAIL 失败；"
            "其他目的地不受影响，内存占用也很小。"
            "应复用连接、让对端先关、扩大端口范围，或在有时间戳时对外连启用 tcp_tw_reuse。"
            "tcp_tw_recycle 已被移除。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        core=True,
        runs=(EXHAUSTED,),
        prove=ports_run_out,
        values=(
            Ask(
                "error",
                Text("Error of the connect() that fails", "失败的 connect() 返回的错误"),
                Unit.ERROR,
            ),
            Ask(
                "count",
                Text(
                    "Number of the client's sockets in TIME-WAIT towards port 12345",
                    "客户端对端口 12345 处于 TIME-WAIT 的套接字个数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "port",
                Text("Local port of the connection to port 12346", "连接端口 12346 所用的本地端口"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("ephemeral ports run out: EADDRNOTAVAIL", "临时端口耗尽：EADDRNOTAVAIL"),
                (
                    r"run(s)? out of[^.]* ports",
                    r"ports (run out|are used up|are exhausted)",
                    r"eaddrnotavail",
                    r"(耗尽|用完|用尽)[^.]*端口",
                    r"端口[^.]*(耗尽|用完|用尽)",
                ),
            ),
            Idea(
                Text("only towards one destination", "仅限同一目的地"),
                (
                    r"one destination",
                    r"(same|per) destination",
                    r"same (address|server|peer)",
                    r"(同一|一个|单一)(个)?目的",
                    r"同一(个)?(地址|服务器|对端)",
                ),
            ),
            Idea(
                Text("reuse connections, or let the other side close", "复用连接，或让对端先关"),
                (
                    r"reuse connections",
                    r"(keep|pool)[^.]*connections",
                    r"(other side|peer|server) close",
                    r"复用连接",
                    r"(连接池|长连接)",
                    r"让(对端|对方|服务器)先关",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("a host can have 65535 connections at most", "一台机器最多 65535 个连接"),
                (
                    r"(only|at most|more than) 65,?53[56]",
                    r"65,?53[56] (connections )?at most",
                    r"最多(只能)?(有)? ?65,?53[56]",
                ),
            ),
            Idea(
                Text("tcp_tw_recycle helps", "应启用 tcp_tw_recycle"),
                (
                    r"tcp_tw_recycle helps",
                    r"(set|enable|use|turn on) (net\.ipv4\.)?tcp_tw_recycle",
                    r"(启用|打开|开启|设置) ?(net\.ipv4\.)?tcp_tw_recycle",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Both ports of the range are in TIME-WAIT. What will a third connect() do?",
                "范围内的两个端口都处于 TIME-WAIT，第三次 connect() 会怎样？",
            ),
            (
                Text("wait until one is free", "等到有端口空闲"),
                Text("time out", "超时"),
                Text("fail at once with EADDRNOTAVAIL", "立即以 EADDRNOTAVAIL 失败"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's connect() calls and their local ports.",
                "看客户端的各次 connect() 及其本地端口。",
            ),
            Text(
                "Compare the pair of ports of each connection, the failed one included.",
                "比较各连接的端口对，包括失败的那一次。",
            ),
        ),
        claim=Text("At most 65535 connections per host", "一台机器最多 65535 个连接"),
        truth=Text(
            "The limit is per destination: the same local port worked towards another port",
            "限制针对目的地址和端口：同一本地端口连接另一端口仍然成功",
        ),
        then=("TD09", "TD10"),
        sources=(
            "Linux ip-sysctl: ip_local_port_range, tcp_tw_reuse",
            "connect(2) EADDRNOTAVAIL",
            "RFC 6191",
        ),
    ),
    Question(
        id="TD09",
        asks=Text(
            "tcp_tw_reuse: what is its default and what does it do?",
            "tcp_tw_reuse 默认值是什么？作用是什么？",
        ),
        answer=Text(
            "The default is 2 since Linux 4.19: reuse on loopback only. "
            "With 1, any outgoing connection may take a port over from TIME-WAIT. "
            "Timestamps must show that the old connection is older than about 1 s. "
            "It never affects the listening side.",
            "自 Linux 4.19 起默认值为 2：只对环回地址生效。"
            "设为 1 时，任何外连都可接手处于 TIME-WAIT 的端口，"
            "前提是时间戳能证明旧连接已过约 1 秒。它从不影响监听方。",
        ),
        kind=Kind.DEBUNK,
        level=3,
        interview="medium",
        runs=(UNTOUCHED, EXHAUSTED, REUSED),
        prove=reuse,
        values=(
            Ask(
                "port",
                Text(
                    "tcp_tw_reuse=1: local port that is used again",
                    "tcp_tw_reuse=1：被重用的本地端口",
                ),
                Unit.COUNT,
            ),
            Ask(
                "age",
                Text(
                    "Time from the last ACK of its old connection to the new SYN",
                    "从旧连接最后一个 ACK 到新 SYN 的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "error",
                Text(
                    "tcp_tw_reuse=2: error of the connect() that fails",
                    "tcp_tw_reuse=2：失败的 connect() 返回的错误",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("the default is 2: loopback only", "默认值为 2：只对环回地址生效"),
                (r"loopback", r"环回|回环|本地回路", r"default (is|value is|:)? ?2\b"),
            ),
            Idea(
                Text(
                    "with 1 outgoing connections take ports over from TIME-WAIT",
                    "设为 1 时，外连可接手处于 TIME-WAIT 的端口",
                ),
                (
                    r"outgoing",
                    r"(client|connecting) side",
                    r"外连|出站|主动(发起|连接)",
                ),
            ),
            Idea(
                Text(
                    "timestamps prove that the old one is old enough",
                    "靠时间戳证明旧连接足够旧",
                ),
                (r"timestamp", r"时间戳"),
            ),
        ),
        wrong=(
            Idea(
                Text("tcp_tw_reuse is off by default", "tcp_tw_reuse 默认关闭"),
                (
                    r"(off|disabled|0) by default",
                    r"default (is|value is) (0|off)",
                    r"默认(是|为|值为)?(关闭|0)",
                ),
            ),
            Idea(
                Text("it helps a server that listens", "它对监听的服务器有效"),
                (
                    r"(?<!never )(helps|affects|is for) (a |the )?(server|listen)",
                    r"对(监听|服务)[^.,]*有效",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "tcp_tw_reuse=1; all ports have been in TIME-WAIT for 1.2 s. What does connect() do?",
                "tcp_tw_reuse=1，所有端口都已在 TIME-WAIT 1.2 秒。connect() 会怎样？",
            ),
            (
                Text("succeed", "成功"),
                Text("fail with EADDRNOTAVAIL", "以 EADDRNOTAVAIL 失败"),
                Text("wait for the 60 s to pass", "等满 60 秒"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the local port of each SYN, and at the sysctls of the client.",
                "看每个 SYN 的本地端口，以及客户端的内核参数。",
            ),
            Text(
                "Compare TSval of the new SYN with the last of the old connection.",
                "把新 SYN 的 TSval 与旧连接最后的 TSval 相比较。",
            ),
        ),
        claim=Text("tcp_tw_reuse is off by default", "tcp_tw_reuse 默认关闭"),
        truth=Text("Reading the sysctl gives 2", "读出的默认值是 2"),
        then=("TD13",),
        sources=("Linux ip-sysctl: tcp_tw_reuse", "RFC 6191"),
    ),
    Question(
        id="TD10",
        asks=Text(
            'Why does a restarted server fail with "Address already in use", and what fixes it?',
            "服务重启为何报 Address already in use？如何解决？",
        ),
        answer=Text(
            "It closed its connections first, so its address is in TIME-WAIT. "
            "Then bind() fails with EADDRINUSE. "
            "Set SO_REUSEADDR before bind(), always: the server that ran before must have set it too.",
            "服务端先关闭，其地址处于 TIME-WAIT，此时 bind() 以 EADDRINUSE 失败。"
            "应始终在 bind() 之前设置 SO_REUSEADDR：之前运行的服务器也必须设置过。",
        ),
        kind=Kind.DIAGNOSE,
        level=1,
        interview="high",
        core=True,
        runs=(RESTART, TOO_LATE),
        prove=restart,
        values=(
            Ask(
                "error",
                Text("Error of the server's second bind()", "服务器第二次 bind() 返回的错误"),
                Unit.ERROR,
            ),
            Ask(
                "state",
                Text("State of the address at that time", "此时该地址所处的状态"),
                Unit.STATE,
            ),
            Ask(
                "peer",
                Text("Peer port of the socket in that state", "处于该状态的套接字的对端端口"),
                Unit.COUNT,
            ),
            Ask(
                "fin",
                Text("Frame that decides which end gets it", "决定由哪一端进入该状态的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("its address is in TIME-WAIT", "其地址处于 TIME-WAIT"),
                (r"time[-_ ]?wait",),
            ),
            Idea(
                Text("the server closed first", "服务端先关闭"),
                (
                    r"closed (its |the )?(connections? )?first",
                    r"(server|it) (has )?closed",
                    r"active(ly)? clos",
                    r"(先|主动)关闭",
                ),
            ),
            Idea(
                Text("set SO_REUSEADDR before bind()", "在 bind() 之前设置 SO_REUSEADDR"),
                (r"so_reuseaddr",),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "SO_REUSEADDR lets two servers listen on one port",
                    "SO_REUSEADDR 允许两个服务器监听同一端口",
                ),
                (
                    r"reuseaddr (lets|allows) two",
                    r"reuseaddr ?(允许|可让|使)两个",
                ),
            ),
            Idea(
                Text("SO_REUSEADDR ends TIME-WAIT", "SO_REUSEADDR 会结束 TIME-WAIT"),
                (
                    r"reuseaddr (ends|removes|shortens|skips)",
                    r"reuseaddr ?(会|能|可以)?(结束|消除|缩短|跳过)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The address is in TIME-WAIT, and SO_REUSEADDR is set. What happens at bind()?",
                "地址处于 TIME-WAIT，且设置了 SO_REUSEADDR。bind() 会怎样？",
            ),
            (
                Text("it fails", "失败"),
                Text("it succeeds, and TIME-WAIT ends", "成功，TIME-WAIT 结束"),
                Text("it succeeds, and TIME-WAIT goes on", "成功，TIME-WAIT 继续"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's bind() calls and the calls before them.",
                "看服务器的各次 bind() 及其之前的调用。",
            ),
            Text(
                "Compare the times of bind() with the server's state lane.",
                "把 bind() 的时间与服务器一侧的状态栏相比较。",
            ),
        ),
        then=("TD04",),
        sources=("socket(7) SO_REUSEADDR", "Stevens, UNP volume 1, section 7.5"),
    ),
)
