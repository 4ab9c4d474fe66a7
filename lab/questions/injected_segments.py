"""Segments and datagrams in somebody else's name: what a receiver believes."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

INJECTION = "rst_injection"
CONNECTED, OPEN = "udp_connected_filter", "udp_connected_filter:unconnected"
CHALLENGE = Ask(
    "challenge",
    Text(
        "Frame of the challenge ACK that answers it (client's capture)",
        "回应它的挑战 ACK 的帧号（客户端抓包）",
    ),
    Unit.FRAME,
)


def forged(run: Run) -> tuple[Segment, Segment, Segment, Segment]:
    """RST outside the window, RST inside, SYN, and the exact RST; at the server's port."""
    first, second = _two(run.all("C>S RST forged"), run)
    syn = run.first("C>S SYN forged")
    return first, second, syn, run.first("C>S RST forged", after=syn)


def _two(fit: tuple[Segment, ...], run: Run) -> tuple[Segment, Segment]:
    return run.one("C>S RST forged", fit[:1]), run.one("C>S RST forged", fit[1:2])


def challenges(run: Run, hello: Segment) -> tuple[Segment, ...]:
    """ACKs that the server sends before the client has sent anything."""
    return run.all("S>C ACK", before=hello)


def mac_of(run: Run, host: str) -> str:
    return next(one.mac for one in run.evidence.manifest.hosts if one.name == host)


def only_the_exact_number(runs: Runs) -> Proof:
    """Exact: obeyed. Inside: questioned. Outside: ignored."""
    run = runs[INJECTION]
    outside, inside, syn, exact = forged(run)
    hello = run.data("C")[0]
    asked = challenges(run, hello)
    answer = run.one("challenge ACK", asked)
    alive, killed = run.call("server", "recv"), run.call("server", "recv", -1)
    counted = run.counter("server", "TcpExt.TCPChallengeACK")
    every = (outside, inside, syn, exact)
    attacker = mac_of(run, "attacker")
    return Proof(
        (
            claim(
                {one.frame.link_source for one in every} == {attacker}
                and all(one.forged for one in every),
                Text(
                    "four segments reach the server in the client's name; "
                    "the client's port never saw them, and their MAC address {mac} is the attacker's",
                    "四个报文段以客户端名义到达服务器；客户端端口从未见过它们，MAC 地址 {mac} 是攻击者的",
                ).fill(mac=attacker),
                *every,
            ),
            claim(
                len(asked) == counted.value == 2 and not answer.ack <= outside.seq < window(answer),
                Text(
                    "RST seq {seq}, outside the window, is ignored: "
                    "{n} challenge ACKs answer the other two segments",
                    "RST seq {seq} 在窗口之外，被忽略：{n} 个挑战 ACK 回应的是另外两个报文段",
                ).fill(seq=outside.seq, n=counted.value),
                outside,
                counted,
                *asked[:2],
            ),
            claim(
                answer.ack < inside.seq < window(answer)
                and answer.time > inside.time
                and alive.outcome == "ok"
                and alive.after > inside.time,
                Text(
                    "RST seq {seq}, inside the window, draws an ACK with ack {ack} = RCV.NXT; "
                    "recv() reads {n} octets afterwards",
                    "RST seq {seq} 在窗口之内，引出 ack {ack} = RCV.NXT 的 ACK；此后 recv() 仍读到 {n} 字节",
                ).fill(seq=inside.seq, ack=answer.ack, n=alive.call.octets),
                inside,
                answer,
                alive,
            ),
            claim(
                exact.seq == hello.end
                and killed.outcome == "ECONNRESET"
                and killed.after > exact.time,
                Text(
                    "RST seq {seq}, exactly the next number expected ({begin} + {n}), "
                    "ends it: recv() = {error}",
                    "RST seq {seq} 恰好是下一个期待的序号（{begin} + {n}），连接被终止：recv() = {error}",
                ).fill(seq=exact.seq, begin=hello.seq, n=hello.length, error=killed.outcome),
                hello,
                exact,
                killed,
            ),
        ),
        {
            "exact": rights.frame(exact),
            "number": rights.sequence(exact),
            "inside": rights.frame(inside),
            "challenge": rights.frame(answer),
        },
    )


def window(ack: Segment) -> int:
    """Where the window that it announces ends, counted from the ISN."""
    return ack.ack + (ack.window if ack.scaled is None else ack.scaled)


def a_syn_is_questioned(runs: Runs) -> Proof:
    """A SYN in an open connection draws an ACK, and the connection stays."""
    run = runs[INJECTION]
    *_, syn, exact = forged(run)
    hello = run.data("C")[0]
    answer = run.one("challenge ACK", challenges(run, hello)[-1:])
    counted = run.counter("server", "TcpExt.TCPSYNChallenge")
    alive = run.call("server", "recv")
    stay = run.socket("server").stay("ESTABLISHED")
    late = run.first("C>S [PSH],ACK", after=exact, where=lambda one: one.length > 0)
    reset = run.first("S>C RST", after=late)
    return Proof(
        (
            claim(
                answer.time > syn.time
                and answer.ack == syn.seq
                and answer.flags == {"ACK"}
                and counted.value == 1,
                Text(
                    "SYN seq {seq} is answered by an ACK with ack {ack}, no SYN,ACK; TCPSYNChallenge +{n}",
                    "SYN seq {seq} 得到 ack {ack} 的 ACK，而不是 SYN,ACK；TCPSYNChallenge +{n}",
                ).fill(seq=syn.seq, ack=answer.ack, n=counted.value),
                syn,
                answer,
                counted,
            ),
            claim(
                alive.outcome == "ok"
                and alive.after > syn.time
                and alive.call.octets == hello.length,
                Text(
                    "the connection goes on: recv() returns {n} octets after the SYN",
                    "连接照常：SYN 之后 recv() 返回 {n} 字节",
                ).fill(n=alive.call.octets),
                syn,
                hello,
                alive,
            ),
            claim(
                run.socket("server").states[-2:] == ("ESTABLISHED", "CLOSED"),
                Text(
                    "the server's socket is ESTABLISHED until it is gone: it never went back to SYN-RECEIVED",
                    "服务器的套接字直到消失都是 ESTABLISHED：从未退回 SYN-RECEIVED",
                ),
                stay,
            ),
            claim(
                reset.seq == late.ack and reset.flags == {"RST"},
                Text(
                    "an end without the connection answers with RST, seq {seq} = the ack it got: "
                    "so a restarted peer would answer the challenge",
                    "没有该连接的一端以 RST 应答，seq {seq} 等于收到的 ack：重启过的对端会这样回应挑战",
                ).fill(seq=reset.seq),
                late,
                reset,
            ),
        ),
        {
            "syn": rights.frame(syn),
            "challenge": rights.frame(answer),
            "ack": rights.sequence(answer, ack=True),
        },
    )


def _is_error(packet: Packet) -> bool:
    return packet.frame.icmp is not None and packet.frame.icmp.quoted is not None


def anybody_may_answer(runs: Runs) -> Proof:
    """The forged answer is read by an open socket, turned away by a connected one."""
    plain, fixed = runs[OPEN], runs[CONNECTED]
    asked, lie = udp_from(plain, "client"), stranger(plain)
    got = given(plain, lie)
    turned, icmp = stranger(fixed), fixed.packet("ICMP error", _is_error)
    read, linked = fixed.call("client", "recv"), fixed.call("client", "connect")
    message, quoted = icmp.frame.icmp, icmp.frame.icmp.quoted if icmp.frame.icmp else None
    return Proof(
        (
            claim(
                port_of(lie) != there_of(asked) and there_of(lie) == port_of(asked),
                Text(
                    "the client asked port {asked}; an answer comes from port {port}",
                    "客户端问的是端口 {asked}，却有应答来自端口 {port}",
                ).fill(asked=there_of(asked), port=port_of(lie)),
                asked,
                lie,
            ),
            claim(
                got.call.data == lie.frame.payload.hex() and peer_of(got) == port_of(lie),
                Text(
                    "not connected: recvfrom() delivers it, and names its sender: port {port}",
                    "未连接：recvfrom() 照样交付，并给出发送方：端口 {port}",
                ).fill(port=peer_of(got)),
                lie,
                got,
            ),
            claim(
                message is not None
                and (message.type, message.code) == (3, 3)
                and quoted is not None
                and quoted.source == turned.frame.source,
                Text(
                    "connected: the kernel answers it with ICMP 3/3, port unreachable",
                    "已连接：内核以 ICMP 3/3（端口不可达）回绝",
                ),
                turned,
                icmp,
            ),
            claim(
                linked.outcome == "ok"
                and read.outcome == "ok"
                and read.call.data != turned.frame.payload.hex()
                and len(fixed.calls("client", "recv")) == 1,
                Text(
                    "connected: recv() returns the genuine answer only, {n} octets",
                    "已连接：recv() 只返回真正的应答，{n} 字节",
                ).fill(n=read.call.octets),
                linked,
                turned,
                read,
            ),
        ),
        {
            "forged": rights.frame(lie),
            "port": rights.count(port_of(lie), lie),
            "icmp": rights.frame(icmp),
        },
    )


def udp_from(run: Run, host: str) -> Packet:
    """The first datagram of a host."""
    mine = next(one.addresses for one in run.evidence.manifest.hosts if one.name == host)
    return run.packet(
        "UDP", lambda one: bool(one.frame.source and one.frame.source.address in mine)
    )


def stranger(run: Run) -> Packet:
    """The first datagram that comes back from another port than was asked."""
    port = there_of(udp_from(run, "client"))
    return run.packet(
        "UDP",
        lambda one: (
            bool(one.frame.source and one.frame.destination)
            and port not in (port_of(one), there_of(one))
        ),
    )


def given(run: Run, answer: Packet) -> Called:
    """The call that delivered a datagram, told by its sender's port."""
    calls = run.calls("client", "recvfrom")
    fit = [one for one in calls if peer_of(one) == port_of(answer)]
    return fit[0] if fit else run.call("client", "recvfrom")


def port_of(one: Packet) -> int:
    return one.frame.source.port if one.frame.source else 0


def there_of(one: Packet) -> int:
    return one.frame.destination.port if one.frame.destination else 0


def peer_of(one: Called) -> int:
    """The sender's port, as recvfrom() gave it."""
    match one.call.result:
        case [_, [_, int(port), *_]]:
            return port
    return 0


QUESTIONS = (
    Question(
        id="SE04",
        asks=Text(
            "Can an attacker reset a connection by guessing numbers?",
            "攻击者能靠猜序号重置连接吗？",
        ),
        answer=Text(
            "It needs the four-tuple and the exact next sequence number, RCV.NXT. A RST elsewhere in "
            "the window only draws a challenge ACK; one outside the window is ignored.",
            "需要知道四元组，还要猜中恰好是下一个的序号 RCV.NXT。落在窗口内其他位置的 RST 只会引出挑战 ACK，"
            "窗口之外的则被忽略。",
        ),
        kind=Kind.DEBUNK,
        level=3,
        interview="medium",
        runs=(INJECTION,),
        prove=only_the_exact_number,
        values=(
            Ask(
                "exact",
                Text(
                    "Frame of the forged RST that ends the connection (server's capture)",
                    "终止连接的伪造 RST 的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
            Ask("number", Text("Its sequence number", "它的序号"), Unit.SEQUENCE),
            Ask(
                "inside",
                Text(
                    "Frame of the forged RST inside the window that does not (server's capture)",
                    "落在窗口内却未能终止连接的伪造 RST 的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
            CHALLENGE,
        ),
        ideas=(
            Idea(
                Text("it needs the four-tuple", "需要知道四元组"),
                (r"four[- ]tuple", r"addresses and ports", r"四元组", r"(地址|ip)[^.]*端口"),
            ),
            Idea(
                Text("it needs the exact next sequence number", "需要猜中恰好是下一个的序号"),
                (
                    r"exact(ly)?[^.]*(number|rcv\.nxt)",
                    r"rcv\.nxt",
                    r"(恰好|准确|精确)[^.]*序(列)?号",
                ),
            ),
            Idea(
                Text(
                    "elsewhere in the window it draws a challenge ACK",
                    "落在窗口内其他位置只会引出挑战 ACK",
                ),
                (r"challenge ack", r"挑战 ?ack"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "any RST inside the window kills the connection",
                    "窗口内的任意 RST 都能断开连接",
                ),
                (
                    r"(any|every) rst (in|inside|within) the window (kill|end|reset|clos)",
                    r"窗口内的?任(意|何) ?rst",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A forged RST hits the window, 100 beyond RCV.NXT. What happens?",
                "伪造的 RST 落在窗口内，比 RCV.NXT 大 100。会怎样？",
            ),
            (
                Text("the connection is reset", "连接被复位"),
                Text("the server answers with an ACK", "服务器以 ACK 应答"),
                Text("nothing at all", "毫无反应"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the segments that only the server's port saw.",
                "看只有服务器端口见到的报文段。",
            ),
            Text(
                "Compare the seq of each forged RST with the server's last ack.",
                "把每个伪造 RST 的 seq 与服务器最近一次的 ack 相比较。",
            ),
        ),
        claim=Text(
            "Any RST inside the window kills the connection", "窗口内的任意 RST 都能断开连接"
        ),
        truth=Text(
            "Since RFC 5961 only the exact number does", "自 RFC 5961 起，只有序号准确的才行"
        ),
        then=("SE05",),
        sources=("RFC 5961 section 3.2", "RFC 9293 section 3.10.7.4"),
    ),
    Question(
        id="SE05",
        asks=Text(
            "An established connection receives a SYN: what happens?",
            "已建立的连接收到 SYN 会怎样？",
        ),
        answer=Text(
            "It is answered with a challenge ACK and the connection stays ESTABLISHED. If the peer has "
            "really restarted, it answers that ACK with RST, and the connection is dropped.",
            "回应一个挑战 ACK，连接保持 ESTABLISHED。如果对端真的重启过，它会对这个 ACK 回应 RST，"
            "连接随即被放弃。",
        ),
        kind=Kind.PREDICT,
        level=3,
        interview="medium",
        runs=(INJECTION,),
        prove=a_syn_is_questioned,
        values=(
            Ask(
                "syn",
                Text(
                    "Frame of the SYN in the open connection (server's capture)",
                    "已建立连接中的 SYN 的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
            CHALLENGE,
            Ask(
                "ack",
                Text("Acknowledgment number of that ACK", "该 ACK 的确认号"),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("it is answered with a challenge ACK", "以挑战 ACK 回应"),
                (r"challenge ack", r"挑战 ?ack"),
            ),
            Idea(
                Text("the connection stays ESTABLISHED", "连接保持 ESTABLISHED"),
                (r"(stays|remains|still) established", r"(保持|仍是|仍为) ?established"),
            ),
            Idea(
                Text("a peer that has restarted answers with RST", "重启过的对端会回应 RST"),
                (r"restart[^.]*(rst|reset)", r"重启[^.]*(rst|复位)"),
            ),
        ),
        wrong=(
            Idea(
                Text("the SYN opens the connection anew", "SYN 会重新建立连接"),
                (r"opens? (the|a) (new )?connection (anew|again)", r"重新建立连接"),
            ),
            Idea(
                Text("it is answered with a SYN,ACK", "会以 SYN,ACK 应答"),
                (r"answer(s|ed)? (it )?(with|by) a syn[ ,+]*ack", r"以 ?syn[ ,+]*ack ?(应答|回应)"),
            ),
        ),
        guess=Guess(
            Text(
                "A SYN with the next sequence number expected arrives in an open connection.",
                "已建立的连接收到一个 SYN，序号正是下一个期待的序号。结果如何？",
            ),
            (
                Text("the server answers with an ACK", "服务器以 ACK 应答"),
                Text("the server answers with a RST", "服务器以 RST 应答"),
                Text("the server answers with a SYN,ACK", "服务器以 SYN,ACK 应答"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look for a SYN in the middle of the server's capture.",
                "在服务器抓包的中段寻找一个 SYN。",
            ),
            Text(
                "Compare the flags and ack of the segment that follows with a SYN,ACK's.",
                "把随后报文段的标志位和 ack 与 SYN,ACK 相比较。",
            ),
        ),
        then=("SE04",),
        sources=("RFC 5961 section 4.2", "RFC 9293 section 3.5.1"),
    ),
    Question(
        id="SE06",
        asks=Text(
            "Why may a UDP client be fed a forged answer, and what helps?",
            "UDP 客户端为什么可能收到伪造应答？如何防范？",
        ),
        answer=Text(
            "Any host may send to its port, and a socket without connect() takes all. connect(), or "
            "checking the sender, filters. Random ports and identifiers make guessing hard. A sender's "
            "address can be forged too: only cryptography decides.",
            "任何主机都可以向它的端口发送，未 connect() 的套接字来者不拒。connect() 或检查发送方可以过滤，"
            "随机端口与标识使猜测变难；发送方地址也能伪造，最终要靠加密认证。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="low",
        runs=(OPEN, CONNECTED),
        prove=anybody_may_answer,
        values=(
            Ask(
                "forged",
                Text(
                    "Not connected: frame of the forged answer (client's capture)",
                    "未连接的运行：伪造应答的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "port",
                Text("Not connected: its source port", "未连接的运行：它的源端口"),
                Unit.COUNT,
            ),
            Ask(
                "icmp",
                Text(
                    "Connected: frame that turns the forged answer away (client's capture)",
                    "已连接的运行：回绝伪造应答的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("any host may send to its port", "任何主机都可以向它的端口发送"),
                (r"any(body| host|one)", r"whoever", r"任何(主机|人)", r"来者不拒"),
            ),
            Idea(
                Text("connect() or checking the sender filters", "connect() 或检查发送方可以过滤"),
                (
                    r"connect\(\)[^.]*filter",
                    r"check[^.]*sender",
                    r"检查发送方",
                    r"connect\(\)[^.]*过滤",
                ),
            ),
            Idea(
                Text("random ports and identifiers help", "随机端口与标识有帮助"),
                (r"random", r"随机"),
            ),
            Idea(
                Text("in the end only cryptography decides", "最终要靠加密认证"),
                (r"crypto", r"encrypt", r"dtls", r"加密", r"认证"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the kernel matches each answer to its request",
                    "内核会核对每个应答与请求",
                ),
                (r"kernel (matches|checks) each", r"内核会(核对|匹配)"),
            ),
        ),
        guess=Guess(
            Text(
                "A datagram comes from a port that was not asked. What does recvfrom() do?",
                "数据报来自一个没有问过的端口，recvfrom() 会怎样？",
            ),
            (
                Text("drop it", "丢弃它"),
                Text("fail with an error", "报错"),
                Text("return it", "照样返回它"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the source ports of the two answers.",
                "看两个应答的源端口。",
            ),
            Text(
                "Compare what recvfrom() and recv() return in the two runs.",
                "比较两次运行中 recvfrom() 与 recv() 的返回。",
            ),
        ),
        then=("UD06",),
        sources=("RFC 8085 section 5", "RFC 6056", "udp(7)"),
    ),
)
