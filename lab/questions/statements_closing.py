"""Statements to set right: who closes, what is left behind, and for how long."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.resets import abort
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.socket_listen import reuse
from lab.questions.time_wait import whoever_closes_first
from lab.questions.time_wait_ports import ports_run_out, restart
from lab.questions.waiting_to_close import LENGTH, goes_off, in_state, never_closed
from lab.text import Text
from lab.units import short_span

MILLISECOND = 1_000_000  # ns
CLOSE_ENOUGH = 100 * MILLISECOND  # a timer is told in ticks, some time after it was started
PLAIN, WAITING, ABORTED = "tcp_lifecycle", "time_wait_basics", "abort_linger0"


def left_to_break(runs: Runs) -> Proof:
    """Nobody closes: CLOSE-WAIT here, FIN-WAIT-2 there, until the next client comes."""
    run = runs["close_wait_leak"]
    half, fin = run.socket("client").stay("FIN-WAIT-2"), run.first("S>C FIN,ACK")
    own = claim(
        half.by < fin.time and half.lasted > (fin.time - half.by) // 2,
        Text(
            "meanwhile the client's end is in FIN-WAIT-2, for at least {span}",
            "在此期间，客户端一端处于 FIN-WAIT-2，至少 {span}",
        ).fill(span=short_span(half.lasted)),
        half,
        fin,
    )
    told = part(never_closed(runs), (0, 1, 3), "lasted", "state")
    return joined(told, Proof((own,), {"client": rights.state("FIN-WAIT-2", half)}))


def a_minute_for_four_numbers(runs: Runs) -> Proof:
    """Sixty seconds; a listener may come back, and another destination may be called."""
    run = runs[WAITING]
    sample = in_state(run.socket("client"), "TIME-WAIT")[0]
    fin = run.first("S>C FIN,ACK")
    lasts = goes_off(sample) - fin.time
    own = claim(
        sample.moment.timer == "time-wait" and abs(lasts - LENGTH) < CLOSE_ENOUGH,
        Text(
            "TIME-WAIT is to end {span:.2f} s after the last FIN (frame {f}), not after 120 s or 240 s",
            "TIME-WAIT 在最后一个 FIN（第 {f} 帧）之后 {span:.2f} 秒到期，不是 120 秒，也不是 240 秒",
        ).fill(span=lasts / 1_000_000_000, f=fin.number),
        sample,
        fin,
    )
    timer = rights.span(sample.moment.expires * MILLISECOND, sample)
    return joined(
        Proof((own,), {"timer": timer}),
        part(restart(runs), (1, 2)),
        part(ports_run_out(runs), (1, 2), "port"),
    )


def one_listener(runs: Runs) -> Proof:
    """SO_REUSEADDR helps against TIME-WAIT only; SO_REUSEPORT lets several listen."""
    return part(reuse(runs), (0, 1, 2), "restart", "second", "listeners")


def on_for_zero_seconds(runs: Runs) -> Proof:
    """Lingering switched on, for no time: RST. Never switched on: FIN and TIME-WAIT."""
    run = runs[ABORTED]
    option = run.call("client", "setsockopt")
    value = option.call.arguments[-1]
    on = value[0] if isinstance(value, list) and value else None
    own = claim(
        on == 1 and option.outcome == "ok",
        Text(
            "what makes close() abort is SO_LINGER with l_onoff = {on}: on, not off",
            "使 close() 中止连接的是 l_onoff = {on} 的 SO_LINGER：是打开，不是关闭",
        ).fill(on=on),
        option,
    )
    told = part(abort(runs), (0, 1), "rst", "fins")
    return joined(Proof((own,)), told, _ordinary(runs[PLAIN]))


def _ordinary(run: Run) -> Proof:
    """A close without any option leaves TIME-WAIT behind."""
    fin, left = run.first("C>S FIN,ACK"), run.socket("client").stay("TIME-WAIT")
    words = Text(
        "without the option close() sends FIN (frame {f}), and TIME-WAIT stays",
        "不设该选项时，close() 发出 FIN（第 {f} 帧），并留下 TIME-WAIT",
    ).fill(f=fin.number)
    kept = not run.calls("client", "setsockopt") and fin.time < left.by
    return Proof((claim(kept, words, fin, left),), {"state": rights.state("TIME-WAIT", left)})


def not_three_phases(runs: Runs) -> Proof:
    """The server first, both at once, and no close at all."""
    return joined(
        part(whoever_closes_first(runs), (1, 2), "server_side"),
        Proof(
            (_without_fin(runs[ABORTED]),),
            {"rst": rights.frame(runs[ABORTED].first("C>S RST,ACK"))},
        ),
    )


def _without_fin(run: Run) -> Claim:
    rst, fins = run.first("C>S RST,ACK"), run.all(where=lambda one: "FIN" in one.flags)
    return claim(
        not fins,
        Text(
            "a connection may end without a closing phase: RST (frame {f}), FINs: {n}",
            "连接也可以没有关闭阶段就结束：RST（第 {f} 帧），FIN 有 {n} 个",
        ).fill(f=rst.number, n=len(fins)),
        rst,
        run.capture(),
    )


QUESTIONS = (
    Question(
        id="E35",
        asks=Text(
            "A server leaves its loop by break and forgets the accepted socket. "
            "Is it true that break closes the connection?",
            "服务器用 break 跳出循环，没有关闭已接受的套接字。break 会关闭连接，对吗？",
        ),
        answer=Text(
            "No. Only close() or the end of the process sends FIN. "
            "Until then the server's end is in CLOSE-WAIT and the client's in FIN-WAIT-2. "
            "Here CPython closes the old socket when the next accept() takes over its name.",
            "不对。只有 close() 或进程结束才会发出 FIN。在此之前，服务器一端处于 CLOSE-WAIT，客户端一端处于 FIN-WAIT-2。"
            "这里，下一次 accept() 占用变量名时，CPython 才关闭旧的套接字。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("close_wait_leak",),
        prove=left_to_break,
        values=(
            Ask("lasted", Text("Time between the two FINs", "两个 FIN 之间的时间"), Unit.SPAN),
            Ask(
                "state",
                Text("State of the server's socket in between", "其间服务器套接字的状态"),
                Unit.STATE,
            ),
            Ask(
                "client",
                Text("State of the client's socket in between", "其间客户端套接字的状态"),
                Unit.STATE,
            ),
        ),
        ideas=(
            Idea(
                Text("only close() or exit sends FIN", "只有 close() 或进程结束才发 FIN"),
                (r"only close", r"close\(\) or", r"只有 ?close", r"close\(\) ?或"),
            ),
            Idea(
                Text("the server is in CLOSE-WAIT", "服务器处于 CLOSE-WAIT"), (r"close[-_ ]wait",)
            ),
            Idea(
                Text("the client is in FIN-WAIT-2", "客户端处于 FIN-WAIT-2"),
                (r"fin[-_ ]wait[-_ ]?2",),
            ),
        ),
        wrong=(
            Idea(
                Text("the kernel closes it after a while by itself", "过一段时间内核会自行关闭它"),
                (r"kernel closes it after", r"内核会(自行|自动)(关闭|清除)"),
            ),
        ),
        guess=Guess(
            Text(
                "The client has closed, the server has not. What will the kernels do?",
                "客户端已关闭，服务器没有。两边的内核会怎样？",
            ),
            (
                Text("the server's sends FIN by itself", "服务器的内核自行发送 FIN"),
                Text("wait: CLOSE-WAIT and FIN-WAIT-2", "等待：CLOSE-WAIT 与 FIN-WAIT-2"),
                Text("both forget the connection", "双方都遗忘该连接"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the two state lanes after the first FIN.",
                "看第一个 FIN 之后的两侧状态栏。",
            ),
            Text(
                "Compare the time of the second FIN with that of the next accept().",
                "把第二个 FIN 的时间与下一次 accept() 的时间相比较。",
            ),
        ),
        claim=Text("Leaving the loop ends the connection", "跳出循环，连接也就结束了"),
        truth=Text(
            "It stays half closed until somebody calls close()",
            "在有人调用 close() 之前，它一直处于半关闭",
        ),
        seen_in=("S2",),
        then=("TD07", "TD14"),
        sources=("RFC 9293 section 3.3.2", "RFC 9293 section 3.6"),
    ),
    Question(
        id="E36",
        asks=Text(
            "Is it true that a port cannot be used for two minutes after it was released?",
            "端口释放后两分钟之内不能再用，对吗？",
        ),
        answer=Text(
            "No. TIME-WAIT is 2 MSL: 4 minutes in RFC 9293, but always 60 seconds on Linux. "
            "It blocks the same four-tuple, and bind() without SO_REUSEADDR. "
            "The port as such is free for other destinations.",
            "不对。TIME-WAIT 为 2 MSL：RFC 9293 取 4 分钟，Linux 固定为 60 秒。"
            "它只阻止相同四元组的重用，以及没有设置 SO_REUSEADDR 的 bind()。对其他目的地，这个端口照样可用。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(
            WAITING,
            "time_wait_restart",
            "time_wait_restart:first_without",
            "time_wait_exhaustion",
        ),
        prove=a_minute_for_four_numbers,
        values=(
            Ask(
                "timer",
                Text(
                    "time_wait_basics: first value of the TIME-WAIT timer",
                    "time_wait_basics：TIME-WAIT 定时器的首个读数",
                ),
                Unit.SPAN,
            ),
            Ask(
                "port",
                Text(
                    "time_wait_exhaustion: local port of the connection to port 12346",
                    "time_wait_exhaustion：到端口 12346 的连接的本地端口",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("60 seconds on Linux", "Linux 上为 60 秒"),
                (r"60 ?s", r"sixty", r"60 ?秒", r"(1|one|一) ?(minute|分钟)"),
            ),
            Idea(
                Text("it blocks the same four-tuple", "它阻止的是相同的四元组"),
                (r"four-?tuple", r"same (pair|ends|connection)", r"四元组"),
            ),
            Idea(
                Text("SO_REUSEADDR lets bind() succeed", "SO_REUSEADDR 使 bind() 成功"),
                (r"so_reuseaddr",),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "tcp_fin_timeout sets the length of TIME-WAIT",
                    "tcp_fin_timeout 决定 TIME-WAIT 的时长",
                ),
                (r"tcp_fin_timeout (sets|changes|decides)", r"tcp_fin_timeout ?(决定|设置|改变)"),
            ),
        ),
        guess=Guess(
            Text(
                "Both local ports are in TIME-WAIT. Will a connection to another port of the server open?",
                "两个本地端口都处于 TIME-WAIT。连接服务器的另一个端口会成功吗？",
            ),
            (
                Text("no, not for 60 s", "不会，要等 60 秒"),
                Text("yes, from a port that waits", "会，就用正在等待的端口"),
                Text("only with SO_REUSEADDR", "只有设置 SO_REUSEADDR 才行"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the timer beside TIME-WAIT, and at the local ports of the SYNs.",
                "看 TIME-WAIT 旁的定时器，以及各个 SYN 的本地端口。",
            ),
            Text(
                "Compare the connect() that fails with the one that succeeds: what differs?",
                "比较失败与成功的 connect()：差别在哪里？",
            ),
        ),
        claim=Text("A released port is locked for two minutes", "端口释放后会锁定两分钟"),
        truth=Text(
            "Linux: 60 s, for one four-tuple, and for a bind() without SO_REUSEADDR",
            "Linux：60 秒，只针对同一四元组，以及没有 SO_REUSEADDR 的 bind()",
        ),
        seen_in=("S2",),
        then=("TD06", "TD08", "E37"),
        sources=(
            "RFC 9293 section 3.4.2",
            "RFC 9293 section 3.6.1",
            "Linux include/net/tcp.h: TCP_TIMEWAIT_LEN",
        ),
    ),
    Question(
        id="E37",
        asks=Text(
            "Is it true that SO_REUSEADDR makes a port free at once, whoever uses it?",
            "设置 SO_REUSEADDR 后，不管谁在用，端口都能立即释放，对吗？",
        ),
        answer=Text(
            "No. It lets a listener bind although old connections are in TIME-WAIT. "
            "While another socket listens, bind() still fails with EADDRINUSE. "
            "Several listeners need SO_REUSEPORT.",
            "不对。它使监听者在旧连接仍处于 TIME-WAIT 时也能绑定。"
            "若已有套接字在监听，bind() 仍以 EADDRINUSE 失败。要让多个套接字同时监听，须用 SO_REUSEPORT。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("time_wait_restart", "reuseport_balance"),
        prove=one_listener,
        values=(
            Ask(
                "restart",
                Text(
                    "time_wait_restart: how bind() ends without the option",
                    "time_wait_restart：未设选项时 bind() 的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "second",
                Text(
                    "time_wait_restart: how the last bind() ends, with SO_REUSEADDR",
                    "time_wait_restart：最后一次 bind()（已设 SO_REUSEADDR）的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "listeners",
                Text(
                    "reuseport_balance: sockets that share the port",
                    "reuseport_balance：共用该端口的套接字数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(Text("it is about TIME-WAIT", "它针对的是 TIME-WAIT"), (r"time[-_ ]wait",)),
            Idea(
                Text("a second listener still gets EADDRINUSE", "第二个监听者仍得到 EADDRINUSE"),
                (r"eaddrinuse",),
            ),
            Idea(
                Text("several listeners need SO_REUSEPORT", "多个监听者须用 SO_REUSEPORT"),
                (r"so_reuseport",),
            ),
        ),
        wrong=(
            Idea(
                Text("SO_REUSEADDR ends TIME-WAIT", "SO_REUSEADDR 会结束 TIME-WAIT"),
                (
                    r"so_reuseaddr (ends|removes|skips|deletes) time",
                    r"so_reuseaddr ?会?(结束|清除|跳过|取消) ?time",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A socket listens. Another calls bind() to the port, with SO_REUSEADDR. What will happen?",
                "已有套接字在监听。另一个设置了 SO_REUSEADDR 再 bind() 同一端口，会怎样？",
            ),
            (
                Text("it fails: EADDRINUSE", "失败：EADDRINUSE"),
                Text("it succeeds", "成功"),
                Text("the first one is closed", "第一个被关闭"),
            ),
            0,
        ),
        hints=(
            Text("Look at the server's bind() calls in order.", "依次看服务器的各次 bind()。"),
            Text(
                "Compare which options were set before each of them.",
                "比较每次之前各设置了哪些选项。",
            ),
        ),
        claim=Text("SO_REUSEADDR frees the port", "SO_REUSEADDR 会释放端口"),
        truth=Text(
            "It ignores TIME-WAIT; against a listener it does not help",
            "它只是不理会 TIME-WAIT；对正在监听的套接字无效",
        ),
        seen_in=("S2",),
        then=("SK08", "TD10"),
        sources=("socket(7) SO_REUSEADDR, SO_REUSEPORT", "ip(7)"),
    ),
    Question(
        id="E38",
        asks=Text(
            "Is it true that switching linger off closes at once, without TIME-WAIT?",
            "关闭 linger 选项就能立即断开、不进入 TIME-WAIT，对吗？",
        ),
        answer=Text(
            "No, the other way round. Linger off is the default: close() returns, "
            "and the kernel closes by FIN in the background. "
            "Linger on with a time of 0 aborts: RST, and no TIME-WAIT.",
            "不对，正好相反。linger 默认就是关闭的：close() 返回后，内核在后台以 FIN 正常关闭。"
            "打开 linger 并把时间设为 0，才会中止连接：发送 RST，没有 TIME-WAIT。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(ABORTED, PLAIN),
        prove=on_for_zero_seconds,
        values=(
            Ask(
                "rst",
                Text("abort_linger0: frame of the RST", "abort_linger0：RST 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "fins",
                Text("abort_linger0: FIN segments", "abort_linger0：FIN 报文段的数目"),
                Unit.COUNT,
            ),
            Ask(
                "state",
                Text(
                    "tcp_lifecycle: last state of the client's socket",
                    "tcp_lifecycle：客户端套接字的最后状态",
                ),
                Unit.STATE,
            ),
        ),
        ideas=(
            Idea(
                Text("linger on, with a time of 0, aborts", "打开 linger 且时间为 0 才会中止"),
                (r"linger on", r"l_onoff ?= ?1", r"打开 ?linger"),
            ),
            Idea(Text("it sends RST", "它发送 RST"), (r"\brst\b", r"复位")),
            Idea(
                Text("off is the default: FIN in the background", "默认关闭：在后台发 FIN"),
                (r"default", r"background", r"默认", r"后台"),
            ),
        ),
        wrong=(
            Idea(
                Text("SO_LINGER 0 sends FIN faster", "SO_LINGER 0 会更快地发送 FIN"),
                (r"sends fin (faster|sooner|at once)", r"更快地?发送 ?fin"),
            ),
        ),
        guess=Guess(
            Text(
                "SO_LINGER is on, its time is 0. What will close() send?",
                "SO_LINGER 打开，时间为 0。close() 会发出什么？",
            ),
            (Text("FIN", "FIN"), Text("nothing", "什么也不发"), Text("RST", "RST")),
            2,
        ),
        hints=(
            Text(
                "Look at the argument of setsockopt(), and at the last segments of both runs.",
                "看 setsockopt() 的参数，以及两次运行的最后几个报文段。",
            ),
            Text(
                "Compare the state of the client's socket at the end.",
                "比较客户端套接字最后的状态。",
            ),
        ),
        claim=Text("Do not linger: close at once", "不 linger 就会立即关闭"),
        truth=Text(
            "l_onoff = 1 with l_linger = 0 aborts; off is the ordinary close",
            "l_onoff = 1 且 l_linger = 0 才是中止；关闭该选项就是普通的 close",
        ),
        seen_in=("S2",),
        then=("ER05",),
        sources=("socket(7) SO_LINGER", "RFC 9293 section 3.6"),
    ),
    Question(
        id="E40",
        asks=Text(
            "Is it true that TCP always has three phases, and that the client closes first?",
            "TCP 通信一定有三个阶段，而且总是客户端先关闭，对吗？",
        ),
        answer=Text(
            "No. Either end may close first, and both may at once. "
            "A connection may also end without a closing phase, by RST. "
            "Whoever closes first gets TIME-WAIT.",
            "不对。哪一端都可以先关闭，双方也可能同时关闭。连接还可能由 RST 终止，没有关闭阶段。先关闭的一端进入 TIME-WAIT。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=(WAITING, "time_wait_basics:server_side", "close_simultaneous", ABORTED),
        prove=not_three_phases,
        values=(
            Ask(
                "server_side",
                Text(
                    "time_wait_basics:server_side: frame of the first FIN",
                    "time_wait_basics:server_side：首个 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "rst",
                Text(
                    "abort_linger0: frame that ends the connection",
                    "abort_linger0：终止连接的帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("either end may close first", "哪一端都可以先关闭"),
                (
                    r"either (end|side|of them)",
                    r"(server|both)[^.]{0,20}(first|at once)",
                    r"(哪|任何?|任意)一(端|方)都",
                    r"服务器(也)?可以?先",
                ),
            ),
            Idea(
                Text("RST ends it without a closing phase", "RST 终止连接，没有关闭阶段"),
                (r"\brst\b", r"\breset", r"复位"),
            ),
        ),
        wrong=(
            Idea(
                Text("the server may never send the first FIN", "服务器绝不能先发 FIN"),
                (r"server (may|can|must) never", r"服务器(绝|永远)?不(能|会|可以?)先"),
            ),
        ),
        guess=Guess(
            Text(
                "Both ends call close() at the same moment. Which one gets TIME-WAIT?",
                "双方同时调用 close()。哪一端会进入 TIME-WAIT？",
            ),
            (
                Text("the client", "客户端"),
                Text("both", "双方"),
                Text("neither", "都不会"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the first FIN of each run: who sent it?",
                "看每次运行的首个 FIN：是谁发的？",
            ),
            Text(
                "Compare the state lanes after the last segment.",
                "比较最后一个报文段之后的状态栏。",
            ),
        ),
        claim=Text(
            "Set up, transfer, release; the client always releases",
            "建立、传输、释放；总由客户端释放",
        ),
        truth=Text(
            "Servers close first too, both may at once, and RST needs no phase",
            "服务器也会先关闭，双方可能同时关闭，而 RST 不需要关闭阶段",
        ),
        seen_in=("S3",),
        then=("TD04", "TD11"),
        sources=("RFC 9293 section 3.6", "RFC 9293 section 3.5.2"),
    ),
)
