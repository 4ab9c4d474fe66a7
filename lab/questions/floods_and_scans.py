"""What a SYN flood fills, what cookies spare and cost, what a scan learns."""

from __future__ import annotations

from lab.packets.frames import Flags
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.kernel_socket import Socket
from lab.questions.pieces import Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

SPOOFED = "198.51.100."  # where the flood claims to come from; nobody has these addresses
RECEIVED, SENT = "TcpExt.SyncookiesRecv", "TcpExt.SyncookiesSent"
FLOOD, COOKIES = "syn_flood_cookies", "syn_flood_cookies:cookies"
OPTIONS = ("mss", "window_scale", "sack_permitted", "timestamps")


def flooded(run: Run) -> tuple[Packet, ...]:
    """The SYNs of the flood, at the server's port."""
    return run.packets(
        "server", lambda one: is_syn(one, Flags.SYN) and ends(one)[0].startswith(SPOOFED)
    )


def answers(run: Run) -> dict[str, int]:
    """How many SYN,ACKs went to each address of the flood."""
    counts: dict[str, int] = {}
    for one in run.packets("server", lambda one: is_syn(one, Flags.SYN | Flags.ACK)):
        if (there := ends(one)[1]).startswith(SPOOFED):
            counts[there] = counts.get(there, 0) + 1
    return counts


def remembered(run: Run) -> tuple[Socket, ...]:
    """What the server's kernel kept of the flood."""
    return run.sockets(
        "server",
        lambda life: (
            life.peer is not None
            and life.peer[0].startswith(SPOOFED)
            and life.moments[0].state == "SYN-RECEIVED"
        ),
    )


def is_syn(one: Packet, flags: Flags) -> bool:
    tcp = one.frame.tcp
    return tcp is not None and tcp.flags & (Flags.SYN | Flags.ACK) == flags


def ends(one: Packet) -> tuple[str, str]:
    """The addresses of its IP header."""
    ip = one.frame.ip
    return (ip.source, ip.destination) if ip else ("", "")


def options(one: Packet) -> tuple[str, ...]:
    """Those that it carries, of the four that are agreed upon."""
    tcp = one.frame.tcp
    return tuple(
        name for name in OPTIONS if tcp and getattr(tcp.options, name) not in (None, False)
    )


def flood_and_cookies(runs: Runs) -> Proof:
    """Without cookies a handful of SYNs shuts everybody out; with them nobody."""
    plain, guarded = runs[FLOOD], runs[COOKIES]
    queue = plain.listener("server", plain.connection().server.port).samples[0]
    kept = remembered(plain)
    shown = [one.stays[0] for one in kept]
    honest = plain.all("C>S SYN")
    dropped = plain.counter("server", "TcpExt.TCPReqQFullDrop")
    connected = plain.call("client", "connect")
    _, synack, ack = guarded.opening()
    sent, received = guarded.counter("server", SENT), guarded.counter("server", RECEIVED)
    accepted = guarded.call("server", "accept")
    held = len(remembered(guarded))
    syns, answered = len(flooded(plain)), len(answers(plain))
    asked, told = len(flooded(guarded)), len(answers(guarded))
    return Proof(
        (
            claim(
                len(kept) == answered and 0 <= answered - queue.number("backlog") <= 1,
                Text(
                    "of {syns} SYNs {kept} fill the queue in SYN-RECEIVED: backlog {backlog}, or one more",
                    "{syns} 个 SYN 中，{kept} 个以 SYN-RECEIVED 填满队列：等于 backlog {backlog} 或多一个",
                ).fill(syns=syns, kept=len(kept), backlog=queue.number("backlog")),
                queue,
                *shown,
            ),
            claim(
                connected.outcome == "ETIMEDOUT" and not plain.all("S>C SYN,ACK"),
                Text(
                    "the honest client sends {n} SYNs and hears nothing: connect() = {error}",
                    "正常客户端发出 {n} 个 SYN，毫无回音：connect() = {error}",
                ).fill(n=len(honest), error=connected.outcome),
                connected,
                *honest,
            ),
            claim(
                dropped.value == syns + len(honest) - answered,
                Text(
                    "the server dropped all others: {syns} + {n} - {kept} = {dropped}",
                    "其余的都被服务器丢弃：{syns} + {n} - {kept} = {dropped}",
                ).fill(syns=syns, n=len(honest), kept=answered, dropped=dropped.value),
                dropped,
                *honest,
            ),
            claim(
                told == asked > held and sent.value == asked + 1 - held,
                Text(
                    "with cookies {told} of {asked} are answered, {held} remembered; "
                    "cookies sent: {asked} + 1 - {held} = {sent}",
                    "启用 Cookie 后，{asked} 个中应答 {told} 个，只记住 {held} 个；"
                    "发出的 Cookie：{asked} + 1 - {held} = {sent}",
                ).fill(told=told, asked=asked, held=held, sent=sent.value),
                sent,
                guarded.capture("server"),
            ),
            claim(
                received.value == 1
                and ack.absolute_ack == (synack.absolute + 1) % 2**32
                and accepted.outcome == "ok",
                Text(
                    "the honest client's ACK brings {ack} = ISN + 1 back; that cookie opens the connection",
                    "正常客户端的 ACK 带回 {ack} = ISN + 1；凭这个 Cookie 建立了连接",
                ).fill(ack=ack.absolute_ack),
                synack,
                ack,
                received,
                accepted,
            ),
        ),
        {
            "kept": rights.count(len(kept), *shown),
            "dropped": rights.count(dropped.value, dropped),
            "cookies": rights.count(sent.value, sent),
            "third": rights.frame(ack),
        },
    )


def what_cookies_cost(runs: Runs) -> Proof:
    """Options survive in a timestamp only; a cookie is never sent again."""
    run, flood = runs["syn_flood_cookies:cookie_options"], runs[COOKIES]
    syn, synack, _ = run.opening()
    old = run.packet("SYN", lambda one: is_syn(one, Flags.SYN), "legacy")
    cut = run.packet("SYN,ACK", lambda one: is_syn(one, Flags.SYN | Flags.ACK), "legacy")
    received = run.counter("server", RECEIVED)
    always = run.sysctl("server", "net.ipv4.tcp_syncookies")
    sent = flood.counter("server", SENT)
    counts = answers(flood)
    once = sum(number == 1 for number in counts.values())
    both = {"asked": len(options(old)), "told": len(options(cut))}
    return Proof(
        (
            claim(
                options(syn) == options(synack) == OPTIONS,
                Text(
                    "with timestamps the SYN,ACK grants what the SYN asked for: {names}",
                    "有时间戳时，SYN,ACK 答应 SYN 请求的全部选项：{names}",
                ).fill(names=", ".join(options(synack))),
                syn,
                synack,
            ),
            claim(
                "timestamps" not in options(old)
                and set(options(cut)) < set(options(old))
                and options(cut) == ("mss",),
                Text(
                    "without timestamps {asked} options are asked for and {told} is answered: mss",
                    "没有时间戳时，请求 {asked} 个选项，只应答 {told} 个：mss",
                ).fill(**both),
                old,
                cut,
            ),
            claim(
                received.value == 2 and always.value == "2",
                Text(
                    "both connections were opened by a cookie: SyncookiesRecv +{n}",
                    "两条连接都由 Cookie 建立：SyncookiesRecv +{n}",
                ).fill(n=received.value),
                received,
                always,
            ),
            claim(
                once > 0 and once == sent.value - 1,
                Text(
                    "in the flood {once} SYN,ACKs went out once and never again: "
                    "{sent} cookies less the honest client's",
                    "洪泛中有 {once} 个 SYN,ACK 只发一次、从不重发：{sent} 个 Cookie 减去正常客户端的一个",
                ).fill(once=once, sent=sent.value),
                sent,
                flood.capture("server"),
            ),
        ),
        {
            "granted": rights.count(len(options(synack)), synack),
            "cut": rights.count(len(options(cut)), cut),
            "frame": rights.frame(cut),
            "once": rights.count(once, flood.capture("server")),
        },
    )


def three_answers(runs: Runs) -> Proof:
    """SYN,ACK; RST; nothing."""
    run = runs["syn_scan"]
    open_, closed, filtered = 0, 1, 2  # in the order of the scan
    heard = run.first("S>C SYN,ACK", stream=open_)
    refused = run.first("S>C RST,ACK", stream=closed)
    syns = [run.first("C>S SYN", stream=one) for one in (open_, closed)]
    unheard = run.first("C>S SYN lost", stream=filtered)
    silence = run.call("client", "recv", -1)
    reset = run.first("C>S RST", stream=open_, after=heard)
    accepted = run.call("server", "accept")
    back = [one for one in run.segments(filtered) if one.sender == "S"]
    ports = [one.frame.destination.port for one in (*syns, unheard) if one.frame.destination]
    return Proof(
        (
            claim(
                heard.absolute_ack == (syns[0].absolute + 1) % 2**32,
                Text("port {port}: SYN,ACK, so it is open", "端口 {port}：SYN,ACK，即开放").fill(
                    port=ports[0]
                ),
                syns[0],
                heard,
            ),
            claim(
                refused.absolute_ack == (syns[1].absolute + 1) % 2**32,
                Text("port {port}: RST, so it is closed", "端口 {port}：RST，即关闭").fill(
                    port=ports[1]
                ),
                syns[1],
                refused,
            ),
            claim(
                not back and silence.outcome == "TimeoutError" and silence.before > unheard.time,
                Text(
                    "port {port}: no answer within {ms} ms, so something drops the SYN",
                    "端口 {port}：{ms} 毫秒内没有回应，说明 SYN 被某处丢弃",
                ).fill(port=ports[2], ms=silence.lasted // 1_000_000),
                unheard,
                silence,
            ),
            claim(
                reset.absolute == heard.absolute_ack and accepted.outcome == "EAGAIN",
                Text(
                    "the scanner's kernel resets what its program began; accept() has nobody: {error}",
                    "扫描者的内核复位了程序发起的握手；accept() 等不到任何连接：{error}",
                ).fill(error=accepted.outcome),
                heard,
                reset,
                accepted,
            ),
        ),
        {
            "open": rights.frame(heard),
            "closed": rights.frame(refused),
            "filtered": rights.frame(unheard),
        },
    )


QUESTIONS = (
    Question(
        id="SE01",
        asks=Text(
            "What is a SYN flood and how do SYN cookies help?",
            "什么是 SYN 洪泛？SYN Cookie 如何防御？",
        ),
        answer=Text(
            "SYNs whose handshake nobody completes fill the queue of half-open requests; then honest "
            "SYNs are dropped. With cookies no state is kept. The request is encoded in the server's "
            "ISN, and a valid third ACK recreates it.",
            "大量无人完成握手的 SYN 填满半连接队列，此后正常的 SYN 也被丢弃。"
            "启用 Cookie 后不保存状态：连接信息编码进服务器的 ISN，收到合法的第三次 ACK 才重建连接。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=(FLOOD, COOKIES),
        prove=flood_and_cookies,
        values=(
            Ask(
                "kept",
                Text(
                    "Without cookies: sockets of the flood in SYN-RECEIVED",
                    "不用 Cookie 时，洪泛占用的 SYN-RECEIVED 套接字数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "dropped",
                Text(
                    "Without cookies: growth of TCPReqQFullDrop at the server",
                    "不用 Cookie 时，服务器 TCPReqQFullDrop 的增量",
                ),
                Unit.COUNT,
            ),
            Ask(
                "cookies",
                Text(
                    "With cookies: growth of SyncookiesSent at the server",
                    "启用 Cookie 时，服务器 SyncookiesSent 的增量",
                ),
                Unit.COUNT,
            ),
            Ask(
                "third",
                Text(
                    "With cookies: frame that brings the honest client's cookie back (client's capture)",
                    "启用 Cookie 时，带回正常客户端 Cookie 的帧（客户端抓包）",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("half-open requests fill the queue", "半连接填满队列"),
                (r"fill[^.]*queue", r"queue[^.]*(full|overflow)", r"填满[^.]*队列", r"队列[^.]*满"),
            ),
            Idea(
                Text("with cookies no state is kept", "启用 Cookie 后不保存状态"),
                (
                    r"no(t any)? state",
                    r"stateless",
                    r"(remember|keep|store)s? nothing",
                    r"不(保存|保留|记录)",
                ),
            ),
            Idea(
                Text("the request is encoded in the server's ISN", "连接信息编码进服务器的 ISN"),
                (r"encoded in[^.]*(isn|sequence)", r"编码[^.]*(isn|序(列)?号)"),
            ),
            Idea(
                Text("a valid third ACK recreates the connection", "合法的第三次 ACK 才重建连接"),
                (r"(third )?ack (recreates|rebuilds|restores|opens)", r"ack[^.]*(重建|还原|建立)"),
            ),
        ),
        wrong=(
            Idea(
                Text("cookies block the attacker's addresses", "Cookie 会屏蔽攻击者的地址"),
                (r"(block|filter|ban)s?[^.]*attacker", r"(屏蔽|封禁)[^.]*攻击者"),
            ),
            Idea(
                Text("it works by using up the bandwidth", "它靠耗尽带宽起作用"),
                (r"us(es|ing) up[^.]*bandwidth", r"exhaust[^.]*bandwidth", r"(耗尽|占满)带宽"),
            ),
        ),
        guess=Guess(
            Text(
                "100 SYNs from nowhere arrive, the backlog is 4. How many does the server remember?",
                "100 个来路不明的 SYN 到达，backlog 为 4。服务器会记住几个？",
            ),
            (
                Text("all 100", "全部 100 个"),
                Text("none", "一个也不"),
                Text("4 or 5", "4 或 5 个"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's sockets and its counters, in both runs.",
                "看两次运行中服务器的套接字与计数器。",
            ),
            Text(
                "Compare how many SYNs were answered with how many are in SYN-RECEIVED.",
                "比较得到应答的 SYN 数与处于 SYN-RECEIVED 的套接字数。",
            ),
        ),
        then=("SE02", "OB05"),
        sources=("RFC 4987", "Linux ip-sysctl: tcp_syncookies"),
    ),
    Question(
        id="SE02",
        asks=Text("What do SYN cookies cost?", "SYN Cookie 有什么代价？"),
        answer=Text(
            "Options are limited to what fits. With timestamps, window scale and SACK survive; without "
            "timestamps only an approximate MSS does. And such a SYN,ACK is never retransmitted, "
            "for nobody remembers it.",
            "选项只能保留装得下的部分：有时间戳时，窗口扩大与 SACK 得以保留；没有时间戳时，只剩近似的 MSS。"
            "此外，这样的 SYN,ACK 不会重传，因为没有任何记录。",
        ),
        kind=Kind.DEBUNK,
        level=3,
        interview="medium",
        runs=("syn_flood_cookies:cookie_options", COOKIES),
        prove=what_cookies_cost,
        values=(
            Ask(
                "granted",
                Text(
                    "Options in the SYN,ACK to the client with timestamps (NOP not counted)",
                    "发给带时间戳客户端的 SYN,ACK 中的选项个数（不计 NOP）",
                ),
                Unit.COUNT,
            ),
            Ask(
                "cut",
                Text(
                    "Options in the SYN,ACK to the host without timestamps (NOP not counted)",
                    "发给无时间戳主机的 SYN,ACK 中的选项个数（不计 NOP）",
                ),
                Unit.COUNT,
            ),
            Ask(
                "frame",
                Text(
                    "Frame of that second SYN,ACK, in the capture of host legacy",
                    "后一个 SYN,ACK 的帧号（主机 legacy 的抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "once",
                Text(
                    "In the flood with cookies: addresses 198.51.100.* answered once and never again",
                    "启用 Cookie 的洪泛中，只应答一次、从不重发的 198.51.100.* 地址数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "with timestamps window scale and SACK survive",
                    "有时间戳时，窗口扩大与 SACK 得以保留",
                ),
                (
                    r"with timestamps[^.]*(scale|sack)",
                    r"(scale|sack)[^.]*(survive|kept)[^.]*timestamp",
                    r"有时间戳[^.]*(窗口|sack)",
                ),
            ),
            Idea(
                Text("without timestamps only an MSS is left", "没有时间戳时，只剩 MSS"),
                (r"without (timestamps|them)[^.]*mss", r"(没有|无)时间戳[^.]*mss"),
            ),
            Idea(
                Text("the SYN,ACK is never retransmitted", "SYN,ACK 不会重传"),
                (
                    r"(never|not|no)[^.]*(retransmi|repeat|sent again)",
                    r"(不会|不再|无法|从不)(重传|重发)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "cookies always disable window scaling and SACK",
                    "Cookie 一定会禁用窗口扩大和 SACK",
                ),
                (r"always (disable|lose|drop)", r"(一定|总是)会?(禁用|失去|丢失)"),
            ),
        ),
        guess=Guess(
            Text(
                "A client with timestamps is answered by a cookie. Which options come back?",
                "带时间戳的客户端得到 Cookie 应答，会带回哪些选项？",
            ),
            (
                Text("the MSS only", "只有 MSS"),
                Text("all that it asked for", "它请求的全部选项"),
                Text("none", "一个也没有"),
            ),
            1,
        ),
        hints=(
            Text(
                "Open the options of both SYNs and both SYN,ACKs.",
                "展开两个 SYN 与两个 SYN,ACK 的选项。",
            ),
            Text(
                "Compare what each SYN asks for with what its SYN,ACK grants.",
                "比较每个 SYN 请求的选项与其 SYN,ACK 答应的选项。",
            ),
        ),
        claim=Text(
            "Cookies always disable window scaling and SACK", "Cookie 一定会禁用窗口扩大和 SACK"
        ),
        truth=Text("Not when timestamps are in use", "使用时间戳时并非如此"),
        then=("SE01",),
        sources=("RFC 4987 section 3.6", "Linux ip-sysctl: tcp_syncookies"),
    ),
    Question(
        id="SE03",
        asks=Text(
            "Which answer tells a scanner that a port is open, closed or filtered?",
            "端口扫描如何判断开放、关闭、被过滤？",
        ),
        answer=Text(
            "To its SYN an open port answers SYN,ACK, a closed port RST. Silence, or an ICMP error, "
            "means that the port is filtered.",
            "对扫描者的 SYN，开放端口以 SYN,ACK 应答，关闭端口以 RST 应答；"
            "没有回应或收到 ICMP 差错，表示被过滤。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("syn_scan",),
        prove=three_answers,
        values=(
            Ask(
                "open",
                Text("Frame that shows an open port", "表明端口开放的帧"),
                Unit.FRAME,
            ),
            Ask(
                "closed",
                Text("Frame that shows a closed port", "表明端口关闭的帧"),
                Unit.FRAME,
            ),
            Ask(
                "filtered",
                Text("Frame of the SYN that nobody answers", "无人应答的 SYN 的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("open: SYN,ACK", "开放：SYN,ACK"),
                (r"open[^.;]*syn[ ,+/-]*ack", r"开放[^.;]*syn[ ,+/-]*ack"),
            ),
            Idea(
                Text("closed: RST", "关闭：RST"),
                (r"closed[^.;]*(rst|reset)", r"关闭[^.;]*(rst|复位)"),
            ),
            Idea(
                Text("filtered: silence or ICMP", "被过滤：没有回应或 ICMP"),
                (
                    r"(silence|no answer|nothing|timeout|icmp)[^.;]*filtered",
                    r"filtered[^.;]*(silence|no answer|nothing|timeout|icmp)",
                    r"(没有回应|无响应|超时|icmp)[^.;]*过滤",
                    r"过滤[^.;]*(没有回应|无响应|超时|icmp)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("a closed port does not answer", "关闭的端口不会应答"),
                (r"closed port (does not|never) answer", r"关闭的?端口不(会|作)?(应答|回应)"),
            ),
        ),
        guess=Guess(
            Text(
                "A SYN goes to a port where nobody listens. What comes back?",
                "SYN 发往无人监听的端口，会收到什么？",
            ),
            (
                Text("nothing", "什么也没有"),
                Text("an ICMP error", "ICMP 差错"),
                Text("a RST", "RST"),
            ),
            2,
        ),
        hints=(
            Text("Look at the three SYNs and what follows each.", "看三个 SYN 以及各自之后的帧。"),
            Text("Compare the flags of the answers.", "比较各个应答的标志位。"),
        ),
        then=("ER01",),
        sources=("RFC 9293 section 3.10.7", "RFC 9293 section 3.5.2"),
    ),
)
