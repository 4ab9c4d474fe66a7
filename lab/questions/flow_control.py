"""The receiver's window: what it allows, what happens when it closes, and what it is not."""

from __future__ import annotations

from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Slip, Unit
from lab.questions.pieces import Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span

ZERO_FRAME = Ask("zero", Text("Frame of the first zero window", "第一个零窗口的帧号"), Unit.FRAME)
UPDATE_FRAME = Ask(
    "update",
    Text("Frame that reopens the window", "重新打开窗口的帧号"),
    Unit.FRAME,
)


def octets_of(one: Segment) -> int:
    """The window that a segment announces, in octets."""
    return one.window if one.scaled is None else one.scaled


def closed(run: Run) -> tuple[Segment, tuple[Segment, ...], Segment]:
    """The first zero window, what the sender sent meanwhile, and the update that ends it."""
    zero = run.first("S>C ACK win 0")
    update = run.first("S>C ACK win >0", after=zero)
    sent = run.all(after=zero, before=update, where=lambda one: one.sender == "C")
    return zero, sent, update


def first_flight(run: Run) -> tuple[tuple[Segment, ...], Segment]:
    """The data that the client sent before any of it was acknowledged, and the first such ACK."""
    acked = run.first("S>C [PSH],ACK", where=lambda one: one.ack > 1)
    return tuple(one for one in run.data("C") if one.time < acked.time), acked


def _tightest(run: Run) -> tuple[Segment, Segment, int]:
    """The data segment that came nearest to the edge of the window: it, who allowed it, room left."""
    allowed, fits = None, []
    for one in run.segments():
        if one.sender == "S":
            edge = one.ack + octets_of(one)
            allowed = (
                one if allowed is None or edge >= allowed.ack + octets_of(allowed) else allowed
            )
        elif one.length and allowed is not None:
            fits.append((allowed.ack + octets_of(allowed) - one.end, one, allowed))
    run.one("data", [one for _, one, _ in fits])
    room, one, allowed = min(fits, key=lambda fit: fit[0])
    return one, allowed, room


def window_limits(runs: Runs) -> Proof:
    """Nothing is sent beyond ack + window; the window shrinks unread, and reading opens it."""
    run = runs["zero_window"]
    full, allowed, room = _tightest(run)
    zero, _, update = closed(run)
    read = run.call("server", "recv")
    shrinking = run.all(before=update, where=lambda one: one.sender == "S")
    windows = [octets_of(one) for one in shrinking]
    onward = run.first(after=update, where=lambda one: one.sender == "C" and one.length > 0)
    courses = " → ".join(dict.fromkeys(map(str, windows)))
    return Proof(
        (
            claim(
                room >= 0,
                Text(
                    "the segment nearest to the limit ends at {seq} + {n} = {end}, and {ack} + {win} = {edge} was allowed",
                    "最接近上限的报文段止于 {seq} + {n} = {end}，而允许发送到 {ack} + {win} = {edge}",
                ).fill(
                    seq=full.seq,
                    n=full.length,
                    end=full.end,
                    ack=allowed.ack,
                    win=octets_of(allowed),
                    edge=full.end + room,
                ),
                full,
                allowed,
            ),
            claim(
                read.before > zero.time and all(a >= b for a, b in pairwise(windows)),
                Text(
                    "before the server's program calls recv(), the window shrinks: {windows}",
                    "服务器程序调用 recv() 之前，窗口逐渐缩小：{windows}",
                ).fill(windows=courses),
                *shrinking[:2],
                zero,
                read,
            ),
            claim(
                update.time > read.before
                and update.ack == zero.ack
                and onward.end <= update.ack + octets_of(update),
                Text(
                    "once recv() reads, the window is {win} octets again, and the client goes on at {seq}",
                    "recv() 读取之后，窗口又是 {win} 字节，客户端从 {seq} 继续发送",
                ).fill(win=octets_of(update), seq=onward.seq),
                read,
                update,
                onward,
            ),
        ),
        {
            "smallest": rights.frame(zero, *_zero_windows(run, update)),
            "stopped": rights.sequence(zero, ack=True),
            "offered": rights.window(update),
        },
    )


def _zero_windows(run: Run, update: Segment) -> tuple[Segment, ...]:
    return run.all("S>C ACK win 0", before=update)


def zero_window_probes(runs: Runs) -> Proof:
    """While the window is 0 only probes travel: empty, one number back, at growing intervals."""
    run = runs["zero_window"]
    zero, probes, update = closed(run)
    first = run.one("probe", probes)
    times = [zero.time, *(one.time for one in probes)]
    waits = [later - earlier for earlier, later in pairwise(times)]
    told = ", ".join(map(short_span, waits))
    return Proof(
        (
            claim(
                not any(one.length or one.end >= zero.ack for one in probes),
                Text(
                    "from window 0 until the update, {span}, the client sends {n} probes and not one octet of data",
                    "从窗口为 0 到窗口更新的 {span} 内，客户端发送 {n} 个探测，没有发送任何数据",
                ).fill(span=short_span(update.time - zero.time), n=len(probes)),
                zero,
                *probes[:2],
                update,
            ),
            claim(
                len(waits) > 1 and all(1.4 < b / a < 2.8 for a, b in pairwise(waits)),
                Text(
                    "the waits before the probes grow, each about twice the last: {waits}",
                    "各次探测之前的等待逐次约加倍：{waits}",
                ).fill(waits=told),
                *probes[:3],
                zero,
            ),
            claim(
                all(not one.length and one.seq == zero.ack - 1 for one in probes),
                Text(
                    "a probe is empty, and its seq {seq} = {ack} - 1 has long been acknowledged",
                    "探测报文不带数据，其 seq {seq} = {ack} - 1 早已得到确认",
                ).fill(seq=first.seq, ack=zero.ack),
                first,
                zero,
            ),
            claim(
                update.ack == zero.ack and octets_of(update) > 0,
                Text(
                    "the update acknowledges the same {ack}, but with window {win}",
                    "窗口更新的确认号仍是 {ack}，但窗口为 {win}",
                ).fill(ack=update.ack, win=octets_of(update)),
                update,
                zero,
            ),
        ),
        {
            "zero": rights.frame(zero),
            "probe": rights.frame(first),
            "probe_seq": rights.sequence(first),
            "update": rights.frame(update),
        },
    )


def two_limits(runs: Runs) -> Proof:
    """In one run the receiver's window holds the sender back, in the other its own."""
    stalled, ramped = runs["zero_window"], runs["slow_start"]
    zero, *_ = closed(stalled)
    waiting = (
        stalled.socket("client")
        .sample("zero window probe", lambda one: one.moment.timer == "zero window probe")
        .telling("cwnd", "unacked", "snd_wnd", "notsent_bytes")
    )
    burst, acked = first_flight(ramped)
    _, opened, _ = ramped.opening()
    sending = (
        ramped.socket("client")
        .sample(
            "in flight = cwnd",
            lambda one: (
                one.number("unacked") == one.number("cwnd") and one.number("notsent_bytes") > 0
            ),
        )
        .telling("cwnd", "unacked", "snd_mss", "snd_wnd")
    )
    flight = burst[-1].end - burst[0].seq
    wide, narrow = waiting.number("cwnd"), sending.number("cwnd")
    mss = sending.number("snd_mss")
    return Proof(
        (
            claim(
                zero.window == 0 == waiting.number("snd_wnd") < wide - waiting.number("unacked"),
                Text(
                    "zero_window: cwnd allows {cwnd} segments, {n} are in flight, but the receiver's window is 0: {wait} octets wait",
                    "zero_window：cwnd 允许 {cwnd} 个报文段，在途 {n} 个，但接收窗口为 0：{wait} 字节在等待",
                ).fill(
                    cwnd=wide, n=waiting.number("unacked"), wait=waiting.number("notsent_bytes")
                ),
                waiting,
                zero,
            ),
            claim(
                0 < narrow == sending.number("unacked")
                and narrow * mss < sending.number("snd_wnd"),
                Text(
                    "slow_start: {n} segments in flight = cwnd; {n} × {mss} = {have} octets, though the receiver allows {wnd}",
                    "slow_start：在途 {n} 个报文段，等于 cwnd；{n} × {mss} = {have} 字节，而接收方允许 {wnd} 字节",
                ).fill(n=narrow, mss=mss, have=narrow * mss, wnd=sending.number("snd_wnd")),
                sending,
            ),
            claim(
                flight < octets_of(opened) and acked.time - burst[-1].time > 10_000_000,
                Text(
                    "slow_start, on the wire: after {flight} of {wnd} octets allowed the client waits {span} for an ACK",
                    "slow_start，线路上：窗口允许 {wnd} 字节，客户端发出 {flight} 字节后就等待 ACK，等了 {span}",
                ).fill(
                    flight=flight,
                    wnd=octets_of(opened),
                    span=short_span(acked.time - burst[-1].time),
                ),
                opened,
                burst[0],
                burst[-1],
                acked,
            ),
        ),
        {
            "stalled": rights.name("rwnd", zero, waiting),
            "ramped": rights.name("cwnd", sending),
            "flight": rights.count(
                flight,
                burst[0],
                burst[-1],
                slips=((Slip.HEADERS, sum(one.frame.length for one in burst)),),
            ),
            "window": rights.window(opened),
        },
    )


LIMITS = (
    ("cwnd", Text("the congestion window", "拥塞窗口")),
    ("rwnd", Text("the window that the receiver announced", "接收方通告的窗口")),
    ("data", Text("there was nothing to send", "没有数据可发")),
)

QUESTIONS = (
    Question(
        id="FC01",
        asks=Text("How does TCP flow control work?", "TCP 如何实现流量控制？"),
        answer=Text(
            "The receiver announces its free buffer in the window field of every segment. "
            "The sender sends nothing beyond ack + window. "
            "If the program does not read, the window closes; reading opens it again.",
            "接收方在每个报文段的窗口字段通告剩余缓冲。"
            "发送方未确认的数据不得超过该窗口，即不得越过 ack + window。"
            "程序不读取，窗口逐渐关闭；一旦读取，窗口重新打开。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        core=True,
        runs=("zero_window",),
        prove=window_limits,
        values=(
            Ask(
                "smallest",
                Text("Frame with the smallest window", "窗口最小的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "stopped",
                Text(
                    "Acknowledgment number up to which the client sent before it stopped",
                    "客户端停下之前发送到的位置（确认号）",
                ),
                Unit.SEQUENCE,
            ),
            Ask(
                "offered",
                Text(
                    "Window in octets that lets the client go on",
                    "让客户端继续发送的窗口是多少字节",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "the receiver announces its free buffer as the window",
                    "接收方通告剩余缓冲，即窗口",
                ),
                (
                    r"(announces|advertises|tells|reports).{0,40}(window|buffer|room|space)",
                    r"(通告|告知).{0,16}(窗口|缓冲)",
                ),
            ),
            Idea(
                Text(
                    "the sender stays within the window: nothing beyond ack + window",
                    "发送方不得超过窗口",
                ),
                (
                    r"(beyond|exceeds?|more than|within|up to) (the |that |its |ack|this )",
                    r"(不得|不能|不可|不会)(超过|越过|超出)",
                ),
            ),
            Idea(
                Text(
                    "not reading closes the window, reading opens it",
                    "不读取则窗口关闭，读取则窗口打开",
                ),
                (
                    r"read(s|ing|er|)\b.{0,60}(open|clos|window)",
                    r"读取?.{0,12}(窗口|打开|关闭)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the sender decides how large the receive window is",
                    "接收窗口的大小由发送方决定",
                ),
                (
                    r"sender (decides|chooses|sets) (how|the)",
                    r"窗口(的大小)?由发送方(决定|设定)",
                ),
            ),
            Idea(
                Text("flow control protects the network", "流量控制保护的是网络"),
                (r"flow control (protects|spares) the network", r"流量控制(是)?保护(的是)?网络"),
            ),
        ),
        guess=Guess(
            Text(
                "The server's program does not read for 1.8 s. What does the client do?",
                "服务器程序 1.8 秒不读取数据。客户端会怎样？",
            ),
            (
                Text("it sends everything at once", "立即发送全部数据"),
                Text("it sends until the window is full, then stops", "发满窗口后停下"),
                Text("it gives up with an error", "报错放弃"),
            ),
            1,
        ),
        hints=(
            Text("Look at the window field of the server's ACKs.", "看服务器各个 ACK 的窗口字段。"),
            Text(
                "Compare seq + length of each data segment with ack + window announced before.",
                "把每个数据报文段的 seq + 长度与此前通告的 ack + window 相比较。",
            ),
        ),
        then=("FC02", "FC03"),
        sources=("RFC 9293 section 3.8.6",),
    ),
    Question(
        id="FC02",
        asks=Text("What happens when the window becomes zero?", "零窗口时会发生什么？"),
        answer=Text(
            "The sender stops and probes at growing intervals until a window update arrives. "
            "The update may be lost, and without probes both ends would wait for ever. "
            "A probe of Linux carries no data, only a number already acknowledged.",
            "发送方停止发送并启动持续定时器，以递增的间隔发送窗口探测，直到收到窗口更新。"
            "窗口更新可能丢失；若没有探测，双方会永远等待，形成死锁。"
            "Linux 的探测不带数据，只用一个已被确认过的序号。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        core=True,
        runs=("zero_window",),
        prove=zero_window_probes,
        values=(
            ZERO_FRAME,
            Ask("probe", Text("Frame of the first probe", "第一个探测的帧号"), Unit.FRAME),
            Ask(
                "probe_seq",
                Text("Sequence number of the first probe", "第一个探测的序号"),
                Unit.SEQUENCE,
            ),
            UPDATE_FRAME,
        ),
        ideas=(
            Idea(
                Text("the sender stops and sends probes", "发送方停止发送，改发窗口探测"),
                (r"\bprobe", r"探测"),
            ),
            Idea(
                Text("at growing intervals", "间隔递增"),
                (
                    r"(growing|increasing|longer|doubl\w+|exponential\w*) (interval|wait|backoff|back-off)",
                    r"(interval|wait)s?.{0,12}(grow|doubl)",
                    r"递增|加倍|越来越长|指数退避",
                ),
            ),
            Idea(
                Text("until a window update arrives", "直到收到窗口更新"),
                (r"window update|until .{0,20}(update|opens)", r"窗口更新|窗口重新打开"),
            ),
            Idea(
                Text(
                    "the update may be lost: without probes both would wait for ever",
                    "窗口更新可能丢失，否则会死锁",
                ),
                (
                    r"(update|it).{0,24}(lost|lose)|for ?ever|deadlock",
                    r"更新.{0,6}丢失|死锁|永远等待",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the probe carries one byte of data",
                    "探测报文携带 1 字节数据",
                ),
                (
                    r"(probe|carries|with|of|contains) (is )?(exactly )?(one|1|a single) (byte|octet)",
                    r"(携带|带|含) ?(1|一)(个)? ?字节",
                ),
            ),
            Idea(
                Text("the connection is closed", "连接会被关闭"),
                (r"connection is (closed|reset|aborted)", r"连接(会)?被(关闭|复位)"),
            ),
        ),
        guess=Guess(
            Text("What will a probe of this kernel carry?", "这个内核的探测报文会携带什么？"),
            (
                Text("the next octet of data", "下一个字节的数据"),
                Text("a whole segment of data", "一整段数据"),
                Text("no data at all", "不带任何数据"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the frames between the first window 0 and the window update.",
                "看第一个窗口 0 与窗口更新之间的帧。",
            ),
            Text(
                "Compare the probe's seq with the ack of the zero window, and the waits with each other.",
                "把探测的 seq 与零窗口的 ack 相比较，再比较各次等待时间。",
            ),
        ),
        claim=Text("A probe is one byte of data", "零窗口探测报文携带 1 字节数据"),
        truth=Text(
            "Linux probes are empty, with sequence number SND.UNA - 1",
            "Linux 的探测不带数据，序号为 SND.UNA - 1",
        ),
        then=("FC03", "FC04"),
        sources=("RFC 9293 section 3.8.6.1", "RFC 6429"),
    ),
    Question(
        id="FC03",
        asks=Text(
            "Flow control versus congestion control?",
            "流量控制和拥塞控制有什么区别？",
        ),
        answer=Text(
            "Flow control protects the receiver, which announces its window in every segment. "
            "Congestion control protects the network: the sender keeps a cwnd of its own, which no segment carries. "
            "The smaller of the two limits what is in flight.",
            "流量控制保护接收方：窗口由接收方在每个报文段中通告。"
            "拥塞控制保护网络：cwnd 由发送方自己维护，不出现在任何报文段中。"
            "在途数据的上限是两者中较小的一个。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="high",
        core=True,
        runs=("zero_window", "slow_start"),
        prove=two_limits,
        values=(
            Ask(
                "stalled",
                Text(
                    "zero_window: what holds the sender back?",
                    "zero_window：是什么让发送方停下？",
                ),
                Unit.CHOICE,
                LIMITS,
            ),
            Ask(
                "ramped",
                Text(
                    "slow_start: what holds the sender back in the first round trip?",
                    "slow_start：第一个往返中是什么让发送方停下？",
                ),
                Unit.CHOICE,
                LIMITS,
            ),
            Ask(
                "flight",
                Text(
                    "slow_start: octets of data in flight before the first of them is acknowledged",
                    "slow_start：首个数据被确认之前，在途的数据字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "window",
                Text(
                    "slow_start: octets that the SYN,ACK allows",
                    "slow_start：SYN,ACK 允许的字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("flow control protects the receiver", "流量控制保护接收方"),
                (
                    r"flow control.{0,30}(protects|spares|for|about).{0,12}receiver",
                    r"流量控制.{0,12}接收方",
                ),
            ),
            Idea(
                Text("congestion control protects the network", "拥塞控制保护网络"),
                (
                    r"congestion control.{0,30}(protects|spares|for|about).{0,12}network",
                    r"拥塞控制.{0,12}网络",
                ),
            ),
            Idea(
                Text(
                    "cwnd is the sender's own, the window is announced by the receiver",
                    "cwnd 由发送方自己维护",
                ),
                (
                    r"(sender.{0,24}(cwnd|congestion window)|cwnd is the sender)",
                    r"(cwnd|拥塞窗口).{0,6}发送方|发送方.{0,12}(cwnd|拥塞窗口)",
                ),
            ),
            Idea(
                Text("the smaller of the two limits", "上限取两者中较小的一个"),
                (r"smaller|minimum|\bmin\b|lesser", r"较小|最小值|\bmin\b"),
            ),
        ),
        wrong=(
            Idea(
                Text("the receiver announces the cwnd", "cwnd 由接收方通告"),
                (
                    r"receiver (announces|sends|sets|tells) (the |its )?(cwnd|congestion window)",
                    r"(cwnd|拥塞窗口) ?由接收方",
                ),
            ),
            Idea(
                Text("they are the same thing", "两者是一回事"),
                (r"(are|is) the same( thing)?\b", r"是一回事|没有区别"),
            ),
        ),
        guess=Guess(
            Text(
                "In slow_start the receiver allows 65160 octets. How much is sent in the first round trip?",
                "slow_start 中接收方允许 65160 字节。第一个往返会发送多少？",
            ),
            (
                Text("about 14 kB", "约 14 kB"),
                Text("one segment", "一个报文段"),
                Text("all 65160 octets", "全部 65160 字节"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the kernel's numbers of the client's socket: cwnd, unacked, snd_wnd.",
                "看客户端套接字的内核数据：cwnd、unacked、snd_wnd。",
            ),
            Text(
                "Compare in each run what is in flight with both windows.",
                "在两次运行中，分别把在途数据与两个窗口相比较。",
            ),
        ),
        then=("CC01", "CC02"),
        sources=("RFC 5681 section 2", "RFC 9293 section 3.8.6"),
    ),
)
