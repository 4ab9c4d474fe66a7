"""Who learns that a datagram went nowhere: ICMP, connected sockets, timers."""

from __future__ import annotations

from lab.packets.headers import Icmp
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Datagram, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.udp_datagrams import datagram, datagrams
from lab.text import Text

PORT_UNREACHABLE = (3, 3)  # RFC 792: destination unreachable, port
A_LITTLE_LESS = 0.99  # of a time that a timer waits at least: clocks differ


def _errors(run: Run) -> tuple[Packet, ...]:
    """The ICMP messages at the originator's port that quote a packet."""

    def quotes(one: Packet) -> bool:
        icmp = one.frame.icmp
        return icmp is not None and icmp.quoted is not None

    return run.packets(where=quotes)


def _error(run: Run, nth: int = 0) -> Packet:
    return run.one(f"ICMP error {nth}", _errors(run)[nth:])


def _icmp(packet: Packet) -> Icmp:
    icmp = packet.frame.icmp
    assert icmp is not None  # it is one of _errors
    return icmp


def _quotes(error: Packet, sent: Datagram) -> bool:
    """Whether an ICMP error is "port unreachable" and quotes this very datagram's endpoints."""
    icmp, frame = _icmp(error), sent.frame
    kind = icmp.type, icmp.code
    ends = (icmp.quoted.source, icmp.quoted.destination) if icmp.quoted else None
    return kind == PORT_UNREACHABLE and ends == (frame.source, frame.destination)


def _source_port(sent: Datagram) -> int:
    source = sent.frame.source
    return source.port if source else 0


def closed_port(runs: Runs) -> Proof:
    """ICMP answers both datagrams; only the connected socket's program is told."""
    run = runs["udp_port_unreachable"]
    first, other = datagram(run, 0), datagram(run, 1)
    told, untold = _error(run), _error(run, 1)
    sent, failed = run.call("client", "send"), run.call("client", "send", 1)
    silent, waited = run.call("client", "sendto"), run.call("client", "recvfrom")
    icmp = _icmp(told)
    mine = [one for one in datagrams(run) if _source_port(one) == _source_port(first)]
    return Proof(
        (
            claim(
                _quotes(told, first) and told.time > first.time,
                Text(
                    "the host answers frame {n} with ICMP type {kind} code {code}; it quotes the ports {a} and {b}",
                    "主机以 ICMP 类型 {kind} 代码 {code} 回应第 {n} 帧，并引用其端口 {a} 和 {b}",
                ).fill(
                    n=first.number,
                    kind=icmp.type,
                    code=icmp.code,
                    a=icmp.quoted.source.port if icmp.quoted else "-",
                    b=icmp.quoted.destination.port if icmp.quoted else "-",
                ),
                first,
                told,
            ),
            claim(
                sent.outcome == "ok"
                and failed.outcome == "ECONNREFUSED"
                and failed.before > told.time,
                Text(
                    "connected: the first send() succeeds; the next one, {us} µs after the ICMP message, fails: {error}",
                    "已连接：第一次 send() 成功；ICMP 到达 {us} 微秒后的下一次失败：{error}",
                ).fill(us=(failed.before - told.time) // 1000, error=failed.outcome),
                sent,
                told,
                failed,
            ),
            claim(
                len(mine) == 1 and failed.outcome != "ok",
                Text(
                    "the failed send() sends nothing: port {port} sent {n} datagram",
                    "失败的 send() 什么也没发：端口 {port} 只发出 {n} 个数据报",
                ).fill(port=_source_port(first), n=len(mine)),
                failed,
                first,
                run.capture(),
            ),
            claim(
                _quotes(untold, other)
                and silent.outcome == "ok"
                and waited.outcome == "TimeoutError"
                and waited.after > untold.time,
                Text(
                    "not connected: ICMP comes too (frame {n}), yet recvfrom() waits {ms} ms and times out",
                    "未连接：ICMP 同样到达（第 {n} 帧），recvfrom() 却等待 {ms} 毫秒后超时",
                ).fill(n=untold.number, ms=waited.lasted // 1_000_000),
                other,
                untold,
                silent,
                waited,
            ),
        ),
        {
            "icmp": rights.frame(told, untold),
            "port": rights.count(_source_port(first), told),
            "error": rights.error(failed),
            "silent": rights.frame(untold),
        },
    )


def connected(runs: Runs) -> Proof:
    """connect() on UDP: no packet, one peer, strangers turned away."""
    run = runs["udp_connected_filter"]
    connect, send, recv = (run.call("client", name) for name in ("connect", "send", "recv"))
    question = datagram(run, 0)
    ends = [str(one.frame.destination).rpartition(":")[2] for one in datagrams(run)]
    asked = question.frame.destination
    strangers = [one for one in datagrams(run)[1:] if one.frame.source != asked]
    forged = run.one("datagram from another port", strangers)
    genuine = run.one(
        "datagram from the peer", [one for one in datagrams(run)[1:] if one.frame.source == asked]
    )
    refusal = _error(run)
    early = run.packets(where=lambda one: connect.before <= one.time <= send.before)
    peer = [asked.address, asked.port] if asked else None
    return Proof(
        (
            claim(
                not early and connect.outcome == "ok",
                Text(
                    "connect() takes {us} µs; {n} frames pass until send() is called",
                    "connect() 用时 {us} 微秒；到调用 send() 为止，经过 {n} 帧",
                ).fill(us=connect.lasted // 1000, n=len(early)),
                connect,
                send,
                run.capture(),
            ),
            claim(
                connect.call.peer == peer and len(send.call.arguments) == 1,
                Text(
                    "connect() fixes the peer: send() names no address, and its datagram goes to port {port}",
                    "connect() 固定了对端：send() 不带地址，数据报发往端口 {port}",
                ).fill(port=ends[0]),
                connect,
                send,
                question,
            ),
            claim(
                _quotes(refusal, forged),
                Text(
                    "a datagram from port {port} arrives (frame {n}); the client's own kernel refuses it: ICMP 3/3, frame {m}",
                    "来自端口 {port} 的数据报到达（第 {n} 帧），客户端内核予以拒绝：ICMP 3/3，第 {m} 帧",
                ).fill(port=_source_port(forged), n=forged.number, m=refusal.number),
                forged,
                refusal,
            ),
            claim(
                bytes.fromhex(recv.call.data) == genuine.frame.payload != forged.frame.payload
                and forged.time < genuine.time < recv.after
                and len(run.calls("client", "recv")) == 1,
                Text(
                    "the only recv() returns {n} octets: those of frame {m} from the peer, not the earlier frame {k}",
                    "唯一一次 recv() 返回 {n} 字节，来自对端的第 {m} 帧，而不是更早的第 {k} 帧",
                ).fill(n=recv.call.octets, m=genuine.number, k=forged.number),
                forged,
                genuine,
                recv,
            ),
        ),
        {
            "forged": rights.frame(forged),
            "refusal": rights.frame(refusal),
            "frames": rights.count(len(early), connect, run.capture()),
            "port": rights.count(_source_port(forged), forged),
        },
    )


def nobody_repeats(runs: Runs) -> Proof:
    """A lost reply: no call fails, nothing is sent again, and only the program's own timer ends the wait."""
    run = runs["udp_echo:lost_reply"]
    request, reply = datagram(run, 0, "server"), datagram(run, 1, "server")
    here, there = datagrams(run), datagrams(run, "server")
    asked, answered = run.call("client", "sendto"), run.call("server", "sendto")
    limit, waited = run.call("client", "settimeout"), run.call("client", "recvfrom")
    seconds = next((one for one in limit.call.arguments if isinstance(one, float)), 0.0)
    return Proof(
        (
            claim(
                reply.sender == "S" and not any(one.sender == "S" for one in here),
                Text(
                    "the reply passes the server's port (frame {n}) and never the client's",
                    "应答经过服务器的端口（第 {n} 帧），却从未到达客户端的端口",
                ).fill(n=reply.number),
                reply,
                run.capture(),
            ),
            claim(
                asked.outcome == answered.outcome == "ok",
                Text(
                    "nobody is told: sendto() returns {a} at the client and {b} at the server",
                    "没有人得到通知：客户端 sendto() 返回 {a}，服务器返回 {b}",
                ).fill(a=asked.call.octets, b=answered.call.octets),
                asked,
                answered,
            ),
            claim(
                len(there) == 2 and reply.time < waited.after,
                Text(
                    "UDP repeats nothing in {ms} ms: {n} request, {m} reply at the server's port",
                    "{ms} 毫秒内 UDP 没有重发任何报文：服务器端口处请求 {n} 个、应答 {m} 个",
                ).fill(
                    ms=waited.lasted // 1_000_000,
                    n=sum(one.sender == "C" for one in there),
                    m=sum(one.sender == "S" for one in there),
                ),
                request,
                reply,
                waited,
            ),
            claim(
                waited.outcome == "TimeoutError"
                and waited.lasted >= seconds * 1e9 * A_LITTLE_LESS > 0,
                Text(
                    "recvfrom() ends after {ms} ms, because the program had set a limit of {limit} ms",
                    "recvfrom() 在 {ms} 毫秒后结束，只因程序设置了 {limit} 毫秒的时限",
                ).fill(ms=waited.lasted // 1_000_000, limit=round(seconds * 1000)),
                limit,
                waited,
            ),
        ),
        {
            "reply": rights.frame(reply),
            "outcome": rights.error(answered),
            "requests": rights.count(sum(one.sender == "C" for one in there), request),
            "waited": rights.span(waited.lasted, waited),
        },
    )


QUESTIONS = (
    Question(
        id="UD05",
        asks=Text(
            "Sending UDP to a closed port: who learns about it, and how?",
            "向关闭的 UDP 端口发送数据会怎样？谁会得知，如何得知？",
        ),
        answer=Text(
            "The host answers with ICMP port unreachable, which quotes the datagram. "
            "A connected socket reports ECONNREFUSED on its next call. "
            "An unconnected one is told nothing, unless it asked with IP_RECVERR.",
            "对方主机回以 ICMP 端口不可达，其中引用原数据报。已连接的套接字在下一次调用时得到 ECONNREFUSED；"
            "未连接的套接字得不到任何通知，除非设置了 IP_RECVERR。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="medium",
        runs=("udp_port_unreachable",),
        prove=closed_port,
        values=(
            Ask(
                "icmp", Text("Frame number of an ICMP message", "任一 ICMP 报文的帧号"), Unit.FRAME
            ),
            Ask(
                "port",
                Text(
                    "Source port quoted in the first ICMP message",
                    "第一个 ICMP 报文中引用的源端口",
                ),
                Unit.COUNT,
            ),
            Ask(
                "error",
                Text("How the second send() of the client ends", "客户端第二次 send() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "silent",
                Text(
                    "Frame of the ICMP message that no call reports",
                    "没有任何调用报告的那个 ICMP 报文的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the host answers with ICMP port unreachable", "主机回以 ICMP 端口不可达"),
                (r"icmp",),
            ),
            Idea(
                Text("a connected socket gets ECONNREFUSED", "已连接的套接字得到 ECONNREFUSED"),
                (r"econnrefused|connection refused", r"连接被拒绝"),
            ),
            Idea(
                Text("an unconnected socket is told nothing", "未连接的套接字得不到任何通知"),
                (
                    r"unconnected.*(nothing|silent|not told|no error)",
                    r"未连接.*(得不到|没有|不会|无)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP never reports errors", "UDP 永远不会报错"),
                (r"udp never reports", r"udp ?(永远|从)不会?报(错|告)"),
            ),
            Idea(
                Text("the closed port answers with RST", "关闭的端口回以 RST"),
                (r"\brst\b", r"复位报文"),
            ),
        ),
        guess=Guess(
            Text(
                "An unconnected UDP socket sends to a closed port, and waits. What does recvfrom() say?",
                "未连接的 UDP 套接字向关闭的端口发送并等待。recvfrom() 会怎样？",
            ),
            (
                Text("ECONNREFUSED at once", "立即返回 ECONNREFUSED"),
                Text("nothing, until its timeout", "一直没有结果，直到超时"),
                Text("an empty datagram", "返回空的数据报"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the frames that are neither UDP nor ARP.", "看既不是 UDP 也不是 ARP 的帧。"
            ),
            Text(
                "Compare the calls of both sockets: before and after the ICMP message.",
                "比较两个套接字在 ICMP 报文前后的调用结果。",
            ),
        ),
        claim=Text("UDP never reports errors", "UDP 永远不会报错"),
        truth=Text(
            "A connected UDP socket gets ECONNREFUSED on the call after the ICMP message",
            "已连接的 UDP 套接字会在 ICMP 报文之后的那次调用中得到 ECONNREFUSED",
        ),
        then=("UD06",),
        sources=("RFC 1122 section 4.1.3", "udp(7)", "ip(7) IP_RECVERR"),
    ),
    Question(
        id="UD06",
        asks=Text("What does connect() do on a UDP socket?", "UDP 套接字调用 connect 有什么作用？"),
        answer=Text(
            "It sends nothing. It fixes the peer in the own kernel: send() and recv() need no address, "
            "datagrams from others are refused, and ICMP errors are reported. "
            "It can be repeated, or undone with AF_UNSPEC.",
            "它不发送任何报文，只在本机内核中固定对端：此后可用不带地址的 send()/recv()，"
            "其他来源的数据报被拒收，ICMP 错误会报告给程序。可以重新 connect，也可以用 AF_UNSPEC 解除。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="medium",
        runs=("udp_connected_filter",),
        prove=connected,
        values=(
            Ask(
                "forged",
                Text(
                    "Frame of the datagram that the program never gets",
                    "程序始终收不到的那个数据报的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "refusal",
                Text("Frame of the ICMP message that answers it", "回应它的 ICMP 报文的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "frames",
                Text("Frames that connect() causes", "connect() 引起的帧数"),
                Unit.COUNT,
            ),
            Ask(
                "port",
                Text("The port that this stranger sent from", "那个陌生发送者所用的端口"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("connect() sends nothing", "connect() 不发送任何报文"),
                (
                    r"sends? (nothing|no)",
                    r"no (packet|frame|datagram)",
                    r"不(会)?发送?(任何)?(报文|数据)",
                ),
            ),
            Idea(
                Text("it fixes the peer", "它固定对端地址"),
                (
                    r"(fixes|sets|remembers) the (default )?(peer|address|destination)",
                    r"(固定|记住|指定)(了)?(对端|目的)",
                ),
            ),
            Idea(
                Text("datagrams from others are refused", "其他来源的数据报被拒收"),
                (
                    r"(from|of) (other|another)\w*.*(refused|filtered|dropped|rejected|turned)",
                    r"filters",
                    r"其他.*(拒|过滤|丢弃|收不到)",
                ),
            ),
            Idea(
                Text("ICMP errors are reported", "ICMP 错误会报告给程序"),
                (
                    r"errors? (is|are|get|can be) (reported|delivered)",
                    r"econnrefused",
                    r"错误.*(报告|返回|通知)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("connect on UDP performs a handshake", "UDP 的 connect 会进行握手"),
                (r"(performs|does|makes) a handshake", r"会(进行|发起)?(三次)?握手"),
            ),
            Idea(
                Text("connect fails if nobody listens there", "对端没有监听时 connect 会失败"),
                (r"connect(\(\))? fails if", r"connect(\(\))? ?会失败"),
            ),
        ),
        guess=Guess(
            Text(
                "How many frames does connect() on a UDP socket send?",
                "UDP 套接字的 connect() 会发送几帧？",
            ),
            (
                Text("three", "三帧"),
                Text("one", "一帧"),
                Text("none", "零帧"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's calls and the frames between them.",
                "看客户端的各次调用，以及它们之间的帧。",
            ),
            Text(
                "Compare the source port of each datagram with the port that was asked.",
                "把每个数据报的源端口与所询问的端口相比较。",
            ),
        ),
        claim=Text("connect on UDP performs a handshake", "UDP connect 会握手"),
        truth=Text(
            "It causes no frame; only the own kernel remembers the peer",
            "它不引起任何帧，只是本机内核记住了对端",
        ),
        then=("UD05",),
        sources=("udp(7)", "connect(2)", "RFC 1122 section 4.1.3.5"),
    ),
    Question(
        id="UD07",
        asks=Text("How can reliability be built on UDP?", "如何基于 UDP 实现可靠传输？"),
        answer=Text(
            "In the application, as QUIC does: sequence numbers, acknowledgments, timers that repeat, "
            "and windows for flow and congestion control. Without a timer one lost datagram makes recvfrom() "
            "wait for ever: UDP repeats nothing and tells nobody.",
            "在应用层实现，QUIC 就是如此：序列号、确认、超时重传定时器，以及用于流量和拥塞控制的窗口。"
            "没有定时器，丢失一个数据报就会让 recvfrom() 永远等下去：UDP 不重传，也不通知任何人。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="low",
        runs=("udp_echo:lost_reply",),
        prove=nobody_repeats,
        values=(
            Ask(
                "reply",
                Text(
                    "Frame of the lost reply, in the server's capture",
                    "丢失的应答在服务器抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "outcome",
                Text("How the server's sendto() ends", "服务器 sendto() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "requests",
                Text("Requests at the server's port", "到达服务器端口的请求个数"),
                Unit.COUNT,
            ),
            Ask(
                "waited",
                Text("How long the client's recvfrom() waits", "客户端 recvfrom() 等待的时间"),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("sequence numbers in the application", "应用层的序列号"),
                (r"sequence number", r"序(列)?号"),
            ),
            Idea(Text("acknowledgments", "确认"), (r"acknowledg|\backs?\b", r"确认")),
            Idea(
                Text("a timer that repeats what is lost", "超时重传的定时器"),
                (r"timer|timeout|retransmi", r"定时器|超时|重传"),
            ),
            Idea(
                Text("windows: flow and congestion control", "窗口：流量控制与拥塞控制"),
                (r"window|congestion", r"窗口|拥塞"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP retransmits lost datagrams itself", "UDP 自己会重传丢失的数据报"),
                (r"udp (re-?transmits|repeats) lost", r"udp ?(自己|自身)?会重传"),
            ),
            Idea(
                Text("sendto() fails when a datagram is lost", "数据报丢失时 sendto() 会失败"),
                (r"sendto(\(\))? fails", r"sendto(\(\))? ?会失败"),
            ),
        ),
        guess=Guess(
            Text(
                "The reply of a UDP server is lost. What does the client's recvfrom() do?",
                "UDP 服务器的应答丢失了。客户端的 recvfrom() 会怎样？",
            ),
            (
                Text("the request is repeated, and it returns", "请求被重发，随后返回"),
                Text("it waits until a timeout that the program set", "一直等到程序自己设置的超时"),
                Text("it fails at once", "立即失败"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's capture, then at the client's.",
                "先看服务器的抓包，再看客户端的抓包。",
            ),
            Text(
                "Compare how long recvfrom() lasts with the argument of settimeout().",
                "把 recvfrom() 持续的时间与 settimeout() 的参数相比较。",
            ),
        ),
        then=("UD10",),
        sources=("RFC 9000", "RFC 8085 section 3.3"),
    ),
)
