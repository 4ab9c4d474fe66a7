"""What the options of a socket change on the wire, and until when they can."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Slip, Unit
from lab.questions.pieces import Segment
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.sockets import given, returned
from lab.text import Text

VALUE = 2  # the position of the value among the arguments of setsockopt()


def _scale(segment: Segment) -> int:
    """The window scale that a SYN offers; -1: none."""
    tcp = segment.frame.tcp
    scale = tcp.options.window_scale if tcp else None
    return -1 if scale is None else scale


def _mss(segment: Segment) -> int:
    """The MSS that a SYN announces; 0: none."""
    tcp = segment.frame.tcp
    return (tcp.options.mss if tcp else None) or 0


def buffers(runs: Runs) -> Proof:
    """SO_RCVBUF shows in window and scale, SO_SNDBUF only in what send() takes."""
    default, fixed = runs["window_scaling"], runs["window_scaling:buffer"]
    sending = runs["send_buffer_truth"]
    syn, _, ack = default.opening()
    fixed_syn, _, fixed_ack = fixed.opening()
    wish, told = fixed.call("client", "setsockopt"), fixed.call("client", "getsockopt")
    most = fixed.sysctl("client", "net.core.rmem_max")
    granted = min(given(wish, VALUE), int(most.value))
    small, send = sending.call("client", "setsockopt"), sending.call("client", "send", 1)
    before = sending.opening(1)[2]
    after = sending.one("C>S +", sending.data("C", 1))
    return Proof(
        (
            claim(
                _scale(fixed_syn) != _scale(syn) and wish.before < fixed_syn.time,
                Text(
                    "the SYN offers wscale {a} with the kernel's own buffer, wscale {b} after SO_RCVBUF {n}",
                    "缓冲区由内核决定时 SYN 的 wscale 为 {a}；设置 SO_RCVBUF {n} 之后为 {b}",
                ).fill(a=_scale(syn), b=_scale(fixed_syn), n=given(wish, VALUE)),
                syn,
                wish,
                fixed_syn,
            ),
            claim(
                returned(told) == 2 * granted,
                Text(
                    "the kernel doubles the value: getsockopt() = {got} = 2 × {n} (rmem_max {most})",
                    "内核将该值加倍：getsockopt() = {got} = 2 × {n}（rmem_max {most}）",
                ).fill(got=returned(told), n=granted, most=most.value),
                wish,
                told,
                most,
            ),
            claim(
                (ack.scaled or 0) < (fixed_ack.scaled or 0) <= returned(told)
                and fixed_ack.scaled == fixed_ack.window << max(_scale(fixed_syn), 0),
                Text(
                    "window of the third segment: {a} octets, against {f} × 2^{s} = {b} with the large buffer",
                    "第三个报文段的窗口：{a} 字节；缓冲区大时为 {f} × 2^{s} = {b} 字节",
                ).fill(a=ack.scaled, f=fixed_ack.window, s=_scale(fixed_syn), b=fixed_ack.scaled),
                ack,
                fixed_syn,
                fixed_ack,
            ),
            claim(
                small.before < send.before
                and 0 < (send.call.octets or 0) < given(send)
                and before.window == after.window
                and small.before < after.time,
                Text(
                    "SO_SNDBUF {n}: send() takes {k} of {m} octets; the window field stays {w}",
                    "SO_SNDBUF {n}：send() 只收下 {m} 字节中的 {k} 字节；窗口字段仍为 {w}",
                ).fill(n=given(small, VALUE), k=send.call.octets, m=given(send), w=after.window),
                before,
                small,
                send,
                after,
            ),
        ),
        {
            "default": rights.count(_scale(syn), syn),
            "fixed": rights.count(_scale(fixed_syn), fixed_syn),
            "window": rights.window(fixed_ack),
            "taken": rights.octets(send.call.octets or 0, send),
        },
    )


def in_time(runs: Runs) -> Proof:
    """The same option before and after the handshake; what an accepted socket inherits."""
    early, late = runs["window_scaling:buffer"], runs["window_scaling:too_late"]
    short, small = runs["mss_negotiation:maxseg"], runs["zero_window"]
    before, after = early.call("client", "setsockopt"), late.call("client", "setsockopt")
    syn, (late_syn, late_synack, _) = early.opening()[0], late.opening()
    told, late_told = early.call("client", "getsockopt"), late.call("client", "getsockopt")
    limit, (short_syn, short_synack, _) = short.call("client", "setsockopt"), short.opening()
    longest = max(short.data("C"), key=lambda one: one.length, default=short_syn)
    listener, accept = small.call("server", "setsockopt", 1), small.call("server", "accept")
    _, synack, _ = small.opening()
    return Proof(
        (
            claim(
                before.before < syn.time
                and after.before > late_synack.time
                and _scale(syn) != _scale(late_syn) == _scale(late_synack),
                Text(
                    "SO_RCVBUF before connect(): the SYN offers wscale {a}; after it: wscale {b}, the default",
                    "connect() 之前设置 SO_RCVBUF：SYN 的 wscale 为 {a}；之后才设置：{b}，即默认值",
                ).fill(a=_scale(syn), b=_scale(late_syn)),
                before,
                syn,
                late_syn,
                late_synack,
                after,
            ),
            claim(
                returned(told) == returned(late_told) and after.outcome == "ok",
                Text(
                    "no error tells of it: getsockopt() says {n} in both runs",
                    "没有任何错误提示：两次运行中 getsockopt() 都是 {n}",
                ).fill(n=returned(told)),
                told,
                after,
                late_told,
            ),
            claim(
                limit.before < short_syn.time
                and _mss(short_syn) == given(limit, VALUE) < _mss(short_synack)
                and longest.length <= _mss(short_syn),
                Text(
                    "TCP_MAXSEG {n} before connect(): the SYN announces {a}, the SYN,ACK {b}; at most {k} octets a segment",
                    "connect() 之前设置 TCP_MAXSEG {n}：SYN 通告 {a}，SYN,ACK 通告 {b}；每段最多 {k} 字节",
                ).fill(
                    n=given(limit, VALUE),
                    a=_mss(short_syn),
                    b=_mss(short_synack),
                    k=longest.length,
                ),
                limit,
                short_syn,
                short_synack,
                longest,
            ),
            claim(
                listener.call.local != accept.call.local
                and listener.after < synack.time < accept.after
                and 0 < synack.window <= 2 * given(listener, VALUE),
                Text(
                    "SO_RCVBUF {n} on the listener: the SYN,ACK announces {w} octets before accept() returns: inherited",
                    "监听套接字设置 SO_RCVBUF {n}：accept() 返回之前，SYN,ACK 已通告窗口 {w} 字节，即被继承",
                ).fill(n=given(listener, VALUE), w=synack.window),
                listener,
                synack,
                accept,
            ),
        ),
        {
            "early": rights.count(_scale(syn), syn, slips=((Slip.OTHER_RUN, _scale(late_syn)),)),
            "late": rights.count(
                _scale(late_syn), late_syn, slips=((Slip.OTHER_RUN, _scale(syn)),)
            ),
            "mss": rights.octets(_mss(short_syn), short_syn),
            "window": rights.octets(synack.window, synack),
        },
    )


QUESTIONS = (
    Question(
        id="SK09",
        asks=Text(
            "What do SO_RCVBUF and SO_SNDBUF change on the wire?",
            "SO_RCVBUF/SO_SNDBUF 会影响哪些报文内容？",
        ),
        answer=Text(
            "SO_RCVBUF changes the announced window and, if set before connect() or listen(), the window scale in the SYN. "
            "Linux doubles the value. SO_SNDBUF changes no field: it limits how much send() takes.",
            "SO_RCVBUF 影响通告的窗口；若在 connect/listen 之前设置，还影响 SYN 中的窗口扩大因子。"
            "Linux 会把该值加倍。SO_SNDBUF 不改变任何字段，只限制 send() 能收下多少。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("window_scaling", "window_scaling:buffer", "send_buffer_truth"),
        prove=buffers,
        values=(
            Ask(
                "default",
                Text(
                    "window_scaling: scale in the client's SYN",
                    "window_scaling：客户端 SYN 中的扩大因子",
                ),
                Unit.COUNT,
            ),
            Ask(
                "fixed",
                Text(
                    "window_scaling:buffer: scale in the client's SYN",
                    "window_scaling:buffer：客户端 SYN 中的扩大因子",
                ),
                Unit.COUNT,
            ),
            Ask(
                "window",
                Text(
                    "window_scaling:buffer: window of the third segment, in octets",
                    "window_scaling:buffer：第三个报文段的窗口（字节）",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "taken",
                Text(
                    "send_buffer_truth: octets that the last send() took",
                    "send_buffer_truth：最后一次 send() 收下的字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("SO_RCVBUF changes the announced window", "SO_RCVBUF 影响通告的窗口"),
                (r"(announced|advertised|receive) window", r"通告.{0,4}窗口|接收窗口"),
            ),
            Idea(
                Text("and the window scale in the SYN", "还影响 SYN 中的窗口扩大因子"),
                (r"(window )?scale|scaling", r"扩大(因子|选项)|缩放"),
            ),
            Idea(
                Text("Linux doubles the value", "Linux 会加倍"), (r"doubl|twice", r"加倍|翻倍|两倍")
            ),
            Idea(
                Text("SO_SNDBUF limits how much send() takes", "SO_SNDBUF 限制 send() 收下多少"),
                (r"(how much|what) send", r"send(\(\))? ?(能|可以)?(收下|接受)|能(收下|发送)多少"),
            ),
        ),
        wrong=(
            Idea(
                Text("SO_SNDBUF is announced to the peer", "SO_SNDBUF 会通告给对端"),
                (r"so_sndbuf is (announced|advertised)", r"so_sndbuf ?会?通告"),
            ),
            Idea(
                Text("the scale can change later", "扩大因子之后还可以改变"),
                (r"scale can change", r"因子之后还?可以改"),
            ),
        ),
        guess=Guess(
            Text(
                "setsockopt(SO_RCVBUF, 1048576), then getsockopt(SO_RCVBUF). What does it say?",
                "setsockopt(SO_RCVBUF, 1048576) 之后，getsockopt(SO_RCVBUF) 是多少？",
            ),
            (Text("1048576", "1048576"), Text("65535", "65535"), Text("2097152", "2097152")),
            2,
        ),
        hints=(
            Text("Look at the options of both SYNs.", "看两个 SYN 的选项。"),
            Text(
                "Compare the scale with the buffer, and send()'s result with its argument.",
                "把扩大因子与缓冲区大小相比较，把 send() 的结果与参数相比较。",
            ),
        ),
        then=("SK12", "FC01"),
        sources=("socket(7) SO_RCVBUF, SO_SNDBUF", "tcp(7)", "RFC 7323 section 2"),
    ),
    Question(
        id="SK12",
        asks=Text(
            "Which setsockopt must come before bind, connect or listen?",
            "哪些选项必须在 bind/connect/listen 之前设置？",
        ),
        answer=Text(
            "Before bind(): SO_REUSEADDR and SO_REUSEPORT. Before connect() or listen(): SO_RCVBUF, TCP_MAXSEG, TCP_FASTOPEN "
            "and whatever else the SYN carries. Later they change no SYN, and no error says so. "
            "Accepted sockets inherit from the listener.",
            "bind() 之前：SO_REUSEADDR、SO_REUSEPORT。connect() 或 listen() 之前：SO_RCVBUF、TCP_MAXSEG、TCP_FASTOPEN "
            "等要写入 SYN 的选项；之后设置不会改变 SYN，也不会报错。已接受的套接字继承监听套接字的选项。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="low",
        runs=(
            "window_scaling:buffer",
            "window_scaling:too_late",
            "mss_negotiation:maxseg",
            "zero_window",
        ),
        prove=in_time,
        values=(
            Ask(
                "early",
                Text(
                    "window_scaling:buffer: scale in the client's SYN",
                    "window_scaling:buffer：客户端 SYN 中的扩大因子",
                ),
                Unit.COUNT,
            ),
            Ask(
                "late",
                Text(
                    "window_scaling:too_late: scale in the client's SYN",
                    "window_scaling:too_late：客户端 SYN 中的扩大因子",
                ),
                Unit.COUNT,
            ),
            Ask(
                "mss",
                Text(
                    "mss_negotiation:maxseg: MSS in the client's SYN",
                    "mss_negotiation:maxseg：客户端 SYN 中的 MSS",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "window",
                Text("zero_window: window in the SYN,ACK", "zero_window：SYN,ACK 中的窗口"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("SO_REUSEADDR before bind()", "SO_REUSEADDR 在 bind() 之前"),
                (r"so_reuse(addr|port)",),
            ),
            Idea(
                Text(
                    "what the SYN carries, before connect() or listen()",
                    "写入 SYN 的选项在 connect/listen 之前",
                ),
                (r"\bsyn\b", r"写入 ?syn", r"syn ?中"),
            ),
            Idea(
                Text("SO_RCVBUF or TCP_MAXSEG", "SO_RCVBUF 或 TCP_MAXSEG"),
                (r"so_rcvbuf|tcp_maxseg|tcp_fastopen",),
            ),
            Idea(
                Text(
                    "accepted sockets inherit from the listener",
                    "已接受的套接字继承监听套接字的选项",
                ),
                (r"inherit", r"继承"),
            ),
        ),
        wrong=(
            Idea(
                Text("options can be set at any time", "选项随时都可以设置"),
                (r"at any time", r"随时(都)?可以"),
            ),
            Idea(
                Text("setting SO_RCVBUF too late fails", "太晚设置 SO_RCVBUF 会失败"),
                (r"too late fails", r"so_rcvbuf ?会失败"),
            ),
        ),
        guess=Guess(
            Text(
                "A client sets SO_RCVBUF to 1 MiB after connect(). What happens to the window scale?",
                "客户端在 connect() 之后把 SO_RCVBUF 设为 1 MiB。窗口扩大因子会怎样？",
            ),
            (
                Text("it changes with the next segment", "从下一个报文段起改变"),
                Text("it stays what the SYN said", "仍是 SYN 中的值"),
                Text("setsockopt() fails", "setsockopt() 失败"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the SYN's options and at the setsockopt() calls.",
                "看 SYN 的选项和 setsockopt() 调用。",
            ),
            Text(
                "Compare the time of each setsockopt() with the time of the SYN.",
                "把每次 setsockopt() 的时间与 SYN 的时间相比较。",
            ),
        ),
        then=("SK08",),
        sources=("socket(7)", "tcp(7) TCP_MAXSEG, TCP_FASTOPEN", "RFC 7323 section 2.2"),
    ),
)
