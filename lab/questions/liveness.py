"""Is the peer still there? Dead programs, dead hosts, cut cables, keep-alive and heartbeats."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Segment
from lab.questions.resets import answers_data
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.servers import first_data
from lab.text import Text
from lab.units import short_span

MODULUS = 1 << 32
SECOND = 1_000_000_000  # ns


def copies(run: Run, original: Segment) -> tuple[Segment, ...]:
    """A segment and every repetition of it."""
    return run.all(
        stream=original.stream,
        where=lambda one: (
            (one.sender, one.seq, one.length) == (original.sender, original.seq, original.length)
        ),
    )


# ---------------------------------------------------------------- who died


def deaths(runs: Runs) -> Proof:
    """FIN of a dead program, silence of a dead host, RST of one that came back."""
    killed, gone, back = (
        runs[name] for name in ("process_killed", "half_open_vanished", "half_open_reboot")
    )
    fin, rst = killed.first("S>C FIN,ACK"), back.first("S>C RST")
    sent = copies(gone, first_data(gone, "C", 0))
    return Proof(
        (
            _kernel_closes(killed, fin),
            _silence(gone),
            _gives_up(gone),
            answers_data(back, Text("after a reboot", "重启之后")),
        ),
        {
            "fin": rights.frame(fin),
            "copies": rights.count(len(sent), *sent),
            "error": rights.error(gone.call("client", "recv")),
            "rst": rights.frame(rst),
        },
    )


def _kernel_closes(run: Run, fin: Segment) -> Claim:
    read, accepted = run.call("client", "recv"), run.call("server", "accept")
    closes = run.calls("server", "close")
    words = Text(
        "process killed: {n} close() at the server, yet FIN comes; recv() returns {got} {gap} after it",
        "进程被杀：服务器 close() {n} 次，FIN 照样到来；{gap} 后 recv() 返回 {got}",
    ).fill(n=len(closes), got=read.call.octets, gap=short_span(read.after - fin.time))
    kept = not closes and read.call.octets == 0 and read.after > fin.time > accepted.after
    return claim(kept, words, accepted, fin, read)


def _silence(run: Run) -> Claim:
    _, _, ack = run.opening()
    heard = run.all(after=ack, where=lambda one: (one.sender, one.host) == ("S", run.originator))
    sent = copies(run, first_data(run, "C", 0))
    words = Text(
        "host gone: {n} frames come from the server, while the client sends {size} octets {m} times",
        "主机消失：服务器发来 {n} 帧，客户端却把 {size} 字节发了 {m} 次",
    ).fill(n=len(heard), m=len(sent), size=first_data(run, "C", 0).length)
    return claim(not heard and len(sent) > 1, words, *sent, run.capture())


def _gives_up(run: Run) -> Claim:
    first, read = first_data(run, "C", 0), run.call("client", "recv")
    words = Text(
        "only after {span} of retransmission does recv() fail: {error}",
        "重传 {span} 之后，recv() 才失败：{error}",
    ).fill(span=short_span(read.after - first.time), error=read.outcome)
    kept = read.outcome == "ETIMEDOUT" and read.after - first.time > SECOND
    return claim(kept, words, first, read)


# ---------------------------------------------------------------- keep-alive


def probes(runs: Runs) -> Proof:
    """What a probe is, when it is sent, and what it does not tell."""
    dead, beat = runs["keepalive_dead_peer"], runs["app_heartbeat"]
    idle = runs["half_open_vanished:idle"]
    _, _, ack = dead.opening()
    probe = dead.first("C>S ACK", after=ack)
    lost, rst = dead.all("C>S ACK lost"), dead.first("C>S RST,ACK lost")
    missed = [one for one in beat.calls("client", "recv") if one.call.error == "TimeoutError"]
    return Proof(
        (
            _format(dead, ack, probe),
            _unanswered(dead, lost, rst),
            _defaults(dead, ack, probe),
            never_probed(idle),
            _only_the_kernel(beat, missed),
        ),
        {
            "probe": rights.frame(probe),
            "lost": rights.count(len(lost), *lost),
            "rst": rights.frame(rst),
            "beats": rights.count(len(_beats_unread(beat)), *_beats_unread(beat)),
        },
    )


def _format(run: Run, ack: Segment, probe: Segment) -> Claim:
    answer = run.first("S>C ACK", after=probe)
    words = Text(
        "the probe has {n} octets and seq {seq} = {next} - 1; the answer acknowledges {next} again",
        "探测段有 {n} 字节，seq {seq} = {next} - 1；应答再次确认 {next}",
    ).fill(n=probe.length, seq=probe.absolute, next=ack.absolute)
    kept = not probe.length and probe.absolute == (ack.absolute - 1) % MODULUS
    return claim(kept and answer.absolute_ack == ack.absolute, words, ack, probe, answer)


def _unanswered(run: Run, lost: tuple[Segment, ...], rst: Segment) -> Claim:
    allowed, read = _option(run, "TCP_KEEPCNT"), run.call("client", "recv")
    words = Text(
        "{n} probes without an answer (TCP_KEEPCNT = {count}), then RST, and recv() fails: {error}",
        "{n} 次探测无应答（TCP_KEEPCNT = {count}），随后发 RST，recv() 失败：{error}",
    ).fill(n=len(lost), count=_value(allowed), error=read.outcome)
    kept = len(lost) == _value(allowed) and read.outcome == "ETIMEDOUT"
    return claim(kept and rst.time > lost[-1].time, words, allowed, *lost, rst, read)


def _defaults(run: Run, ack: Segment, probe: Segment) -> Claim:
    switched, idle = _option(run, "SO_KEEPALIVE"), _option(run, "TCP_KEEPIDLE")
    usual = [
        run.sysctl("client", f"net.ipv4.tcp_keepalive_{name}")
        for name in ("time", "intvl", "probes")
    ]
    words = Text(
        "SO_KEEPALIVE was set, TCP_KEEPIDLE to {set} s: first probe after {span}. Default: {time} s, "
        "{intvl} s, {probes} probes",
        "设置了 SO_KEEPALIVE，TCP_KEEPIDLE 为 {set} 秒：{span} 后首次探测。默认：{time} 秒、{intvl} 秒、{probes} 次",
    ).fill(
        set=_value(idle),
        span=short_span(probe.time - ack.time),
        **dict(zip(("time", "intvl", "probes"), (one.value for one in usual), strict=True)),
    )
    waited = (probe.time - switched.before) / SECOND
    kept = _value(switched) == 1 and 0.9 * _value(idle) < waited < int(usual[0].value)
    return claim(kept, words, switched, idle, ack, probe, *usual)


def never_probed(run: Run) -> Claim:
    """Without SO_KEEPALIVE: no timer, no probe, ESTABLISHED."""
    ends = [run.socket(host) for host in ("client", "server")]
    stays = [end.stay("ESTABLISHED") for end in ends]
    timers = [
        one
        for end in ends
        for one in end.samples
        if one.state == "ESTABLISHED" and one.moment.timer
    ]
    words = Text(
        "without the option: both ends ESTABLISHED for {span} of silence, {n} timers running",
        "不设该选项：静默 {span}，两端仍是 ESTABLISHED，运行中的定时器 {n} 个",
    ).fill(span=short_span(min(stay.lasted for stay in stays)), n=len(timers))
    options = [one for host in ("client", "server") for one in run.calls(host, "setsockopt")]
    asked = any("SO_KEEPALIVE" in one.call.arguments for one in options)
    kept = not (timers or asked) and min(stay.lasted for stay in stays) > SECOND // 2
    return claim(kept, words, *stays)


def _only_the_kernel(run: Run, missed: list[Called]) -> Claim:
    unread = _beats_unread(run)
    probe = run.first("C>S ACK", where=lambda one: one.seq + 1 == unread[-1].end)
    answer = run.first("S>C ACK", after=probe)
    words = Text(
        "program stopped: {n} heartbeats unanswered (recv() failed {m} times), but its kernel answers the probe",
        "程序停住：{n} 次心跳无应答（recv() 失败 {m} 次），但内核仍应答探测",
    ).fill(n=len(unread), m=len(missed))
    kept = len(missed) >= len(unread) > 0 and answer.ack == unread[-1].end
    return claim(kept, words, *unread, *missed[:1], probe, answer)


def _beats_unread(run: Run) -> tuple[Segment, ...]:
    """The heartbeats after the last answer of the program; Missing if there are none."""
    last = run.one("answer", run.data("S")[::-1])
    unread = run.all(after=last, where=lambda one: one.sender == "C" and one.length > 0)
    return (run.one("heartbeat without an answer", unread), *unread[1:])


def _option(run: Run, name: str) -> Called:
    return run.call("client", "setsockopt", where=lambda one: name in one.call.arguments)


def _value(option: Called) -> int:
    value = option.call.arguments[-1]
    return value if isinstance(value, int) else 0


# ---------------------------------------------------------------- cut cable


def cut_cable(runs: Runs) -> Proof:
    """State lives in the ends: through a cut, and beyond it."""
    idle, cut = runs["half_open_vanished:idle"], runs["data_loss_rto"]
    lost = [one for one in cut.data("C") if one.lost]
    first = cut.one("lost segment", lost)
    repaired = cut.first(
        after=first,
        where=lambda one: (one.seq, one.length, one.lost) == (first.seq, first.length, False),
    )
    heard = cut.first(after=repaired, where=lambda one: one.sender == "S" and one.ack >= first.end)
    stay, read = cut.socket("client").stay("ESTABLISHED"), cut.call("client", "recv", 1)
    gap = repaired.time - first.time
    return Proof(
        (
            never_probed(idle),
            claim(
                stay.by < lost[-1].time < stay.until,
                Text(
                    "{n} copies are lost in {gap}; the client's end is ESTABLISHED beyond the last of them",
                    "{gap} 内丢失 {n} 份，直到最后一份之后，客户端一端仍是 ESTABLISHED",
                ).fill(n=len(lost), gap=short_span(lost[-1].time - first.time)),
                *lost,
                stay,
            ),
            claim(
                heard.ack == repaired.end,
                Text(
                    "the wire passes again: one more copy of seq {seq} + {n} arrives, and is acknowledged: {ack}",
                    "线路恢复：seq {seq} + {n} 的又一份到达，并得到确认：{ack}",
                ).fill(seq=repaired.seq, n=repaired.length, ack=heard.ack),
                repaired,
                heard,
            ),
            claim(
                not read.call.error and bool(read.call.octets) and read.after > repaired.time,
                Text(
                    "the program noticed nothing but the wait: recv() returns {n} octets after {span}",
                    "程序除了等待毫无察觉：recv() 在 {span} 后返回 {n} 字节",
                ).fill(n=read.call.octets, span=short_span(read.lasted)),
                repaired,
                read,
            ),
        ),
        {
            "repaired": rights.frame(repaired, instead=first),
            "copies": rights.count(len(lost), *lost),
            "state": rights.state("ESTABLISHED", stay),
            "outage": rights.span(gap, first, repaired),
        },
    )


QUESTIONS = (
    Question(
        id="ER06",
        asks=Text(
            "Host crash versus process crash: how do they differ for the peer?",
            "主机宕机与进程崩溃有什么区别？",
        ),
        answer=Text(
            "Process: its kernel sends FIN, or RST if data was unread, at once. Host: silence. "
            "Only retransmission, keep-alive or a user timeout finds out. After a reboot the host answers data "
            "with RST.",
            "进程崩溃：内核立即发 FIN；若有未读数据则发 RST。主机宕机：没有任何报文，只能靠重传、保活或用户超时发现；"
            "重启之后收到数据会回 RST。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="high",
        core=True,
        runs=("process_killed", "half_open_vanished", "half_open_reboot"),
        prove=deaths,
        values=(
            Ask(
                "fin",
                Text(
                    "Process killed: first frame from the server after the handshake",
                    "进程被杀：握手之后服务器的第一帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "copies",
                Text(
                    "Host gone: how often the client sends its data in all",
                    "主机消失：客户端总共发送数据几次",
                ),
                Unit.COUNT,
            ),
            Ask("error", Text("Host gone: how recv() ends", "主机消失：recv() 的结果"), Unit.ERROR),
            Ask(
                "rst",
                Text("Rebooted: frame that answers the data", "重启之后：应答数据的帧"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "process: the kernel sends FIN or RST at once",
                    "进程崩溃：内核立即发 FIN 或 RST",
                ),
                (r"kernel sends fin", r"\bfin\b.*at once", r"内核(会)?立即发 ?fin"),
            ),
            Idea(
                Text("host: silence", "主机宕机：没有任何报文"),
                (r"silen(ce|t)", r"nothing is sent", r"没有任何(报文|消息)", r"沉默"),
            ),
            Idea(
                Text(
                    "found out by retransmission, keep-alive or user timeout",
                    "靠重传、保活或用户超时发现",
                ),
                (r"retransmi|keep-?alive|user timeout", r"重传|保活|用户超时"),
            ),
            Idea(
                Text("after a reboot: RST", "重启之后回 RST"),
                (r"reboot.*rst", r"重启.*rst"),
            ),
        ),
        wrong=(
            Idea(
                Text("a crashed host sends FIN", "宕机的主机会发 FIN"),
                (r"(crashed|dead) host sends (a )?fin", r"(宕机的主机|主机宕机时?)会?发送? ?fin"),
            ),
        ),
        guess=Guess(
            Text(
                "A server process is killed with SIGKILL. What does its client get?",
                "服务器进程被 SIGKILL 杀死，客户端会收到什么？",
            ),
            (Text("nothing", "什么也没有"), Text("FIN", "FIN"), Text("an ICMP error", "ICMP 差错")),
            1,
        ),
        hints=(
            Text(
                "In each run, look for the first frame from the server after the handshake.",
                "在每次运行中，找握手之后服务器的第一帧。",
            ),
            Text(
                "Compare it with the server's calls: did any program close?",
                "与服务器的调用相比较：有程序调用 close() 吗？",
            ),
        ),
        then=("ER07", "ER08"),
        sources=("RFC 9293 section 3.5.1", "RFC 9293 section 3.8.3", "signal(7)"),
    ),
    Question(
        id="ER07",
        asks=Text(
            "TCP keep-alive: defaults, probe format, and difference from HTTP keep-alive and heartbeats?",
            "TCP keepalive 默认值、探测报文与 HTTP keep-alive、应用心跳的区别？",
        ),
        answer=Text(
            "Off by default. Then 2 h of silence, 9 probes 75 s apart. A probe is an empty segment with "
            "seq = next - 1; the peer's kernel answers it. HTTP keep-alive reuses a connection for several "
            "requests; a heartbeat tests the application.",
            "默认关闭；开启后静默 2 小时开始，每 75 秒一次，共 9 次。探测段无数据，序号为下一序号减一，由对端内核应答。"
            "HTTP keep-alive 是复用连接；心跳检测的是应用。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="high",
        core=True,
        runs=("keepalive_dead_peer", "half_open_vanished:idle", "app_heartbeat"),
        prove=probes,
        values=(
            Ask("probe", Text("Frame of the first probe", "首个探测段的帧号"), Unit.FRAME),
            Ask("lost", Text("Probes without an answer", "没有应答的探测次数"), Unit.COUNT),
            Ask(
                "rst",
                Text("Frame with which the client gives up", "客户端放弃时发出的帧"),
                Unit.FRAME,
            ),
            Ask(
                "beats",
                Text(
                    "Stopped program: heartbeats without an answer", "程序停住：没有应答的心跳次数"
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(Text("off by default", "默认关闭"), (r"off by default", r"默认(是)?(关闭|不开)")),
            Idea(
                Text("2 h, 75 s, 9 probes", "2 小时、75 秒、9 次"),
                (r"\b2 ?h|7200|two hours|75 ?s", r"2 ?小时|75 ?秒"),
            ),
            Idea(
                Text("an empty segment, seq = next - 1", "空报文段，序号为下一序号减一"),
                (r"next ?- ?1|one (below|less)|already acknowledged", r"减(一|1)|小 ?(一|1)"),
            ),
            Idea(
                Text("a heartbeat tests the application", "心跳检测应用"),
                (r"heartbeat.*application", r"心跳.*应用"),
            ),
            Idea(
                Text("HTTP keep-alive reuses a connection", "HTTP keep-alive 复用连接"),
                (r"reuse", r"复用"),
            ),
        ),
        wrong=(
            Idea(
                Text("every connection is probed after 2 hours", "连接空闲 2 小时会自动探测"),
                (r"every (idle )?connection is probed", r"(会)?自动(发送)?探测"),
            ),
            Idea(
                Text("keep-alive shows that the program works", "keepalive 能说明程序正常"),
                (
                    r"keep-?alive (shows|proves) that the (program|application)",
                    r"keep-?alive ?(能|可以)?(说明|证明)(程序|应用)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A program is stopped by a debugger. Who answers a keep-alive probe?",
                "程序被调试器停住，谁来应答 keepalive 探测？",
            ),
            (
                Text("nobody", "没有谁"),
                Text("the program, later", "程序，稍后"),
                Text("its kernel, at once", "它的内核，立即"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look for segments without data whose seq goes back by one.",
                "寻找不带数据、序号回退一的报文段。",
            ),
            Text(
                "Compare the number of lost probes with TCP_KEEPCNT in the client's setsockopt() calls.",
                "把丢失的探测数与客户端 setsockopt() 中的 TCP_KEEPCNT 相比较。",
            ),
        ),
        claim=Text("Every connection is probed after 2 hours", "连接空闲 2 小时会自动探测"),
        truth=Text(
            "Only with SO_KEEPALIVE; otherwise no timer runs, and an idle connection lives for ever",
            "只有设置了 SO_KEEPALIVE 才会；否则没有定时器，空闲连接永远存在",
        ),
        then=("ER06", "ER08"),
        sources=(
            "RFC 9293 section 3.8.4",
            "tcp(7) TCP_KEEPIDLE",
            "Linux ip-sysctl: tcp_keepalive_time",
        ),
    ),
    Question(
        id="ER08",
        asks=Text("You unplug the cable: is the connection gone?", "拔掉网线后 TCP 连接还在吗？"),
        answer=Text(
            "No, it is still there: its state lives in the end hosts. If the cable is back before the sender "
            "gives up, a retransmission is acknowledged and the connection goes on.",
            "还在：连接状态保存在两端主机里。若在发送方放弃之前插回网线，某次重传会得到确认，连接继续。",
        ),
        kind=Kind.PREDICT,
        level=1,
        interview="medium",
        runs=("half_open_vanished:idle", "data_loss_rto"),
        prove=cut_cable,
        values=(
            Ask(
                "repaired",
                Text(
                    "data_loss_rto: frame of the first retransmission that is acknowledged",
                    "data_loss_rto：首个得到确认的重传的帧号",
                ),
                Unit.FRAME,
            ),
            Ask("copies", Text("Copies lost before it", "此前丢失的份数"), Unit.COUNT),
            Ask(
                "state",
                Text("State of the client meanwhile", "其间客户端的状态"),
                Unit.STATE,
            ),
            Ask(
                "outage",
                Text("From the first copy to that one", "从第一份到这一份的时间"),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("the state lives in the end hosts", "状态保存在两端主机"),
                (r"state lives", r"end hosts", r"两端", r"established"),
            ),
            Idea(
                Text("a retransmission gets through, and it goes on", "重传成功，连接继续"),
                (r"goes on|continues", r"retransmission (is acknowledged|gets through)", r"继续"),
            ),
        ),
        wrong=(
            Idea(
                Text("the connection breaks at once", "连接立即断开"),
                (r"breaks at once|is gone at once", r"立即断开|马上断开"),
            ),
        ),
        guess=Guess(
            Text(
                "For two seconds every frame is lost; a send() is under way. What happens to the connection?",
                "两秒内所有帧都丢失，其间有一次 send()，连接会怎样？",
            ),
            (
                Text("it goes on afterwards", "之后继续"),
                Text("it is reset", "被复位"),
                Text("send() fails", "send() 失败"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the frames with the same sequence number, and at the state lane.",
                "看序号相同的帧以及状态栏。",
            ),
            Text(
                "Compare which copy the server's capture holds, and what it acknowledges.",
                "比较服务器抓包里有哪一份，以及它确认了什么。",
            ),
        ),
        then=("ER06",),
        sources=("RFC 9293 section 3.8.3", "RFC 6298 section 5"),
    ),
)
