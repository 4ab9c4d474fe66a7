"""Statements to set right: what is reliable, what has been sent, what one recv() is."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.byte_stream import stuck_together
from lab.questions.loss_repair import dsack_of
from lab.questions.retransmission import doubled, moved, repetitions
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.servers import busy_server
from lab.questions.socket_calls import send_takes_a_part
from lab.questions.udp_errors import nobody_repeats
from lab.text import Text
from lab.units import short_span

REPAIRED = "data_loss_rto"


def best_effort(runs: Runs) -> Proof:
    """The same network: what UDP loses stays lost, what TCP loses is sent again."""
    last = repetitions(runs[REPAIRED])[-1]
    told = part(nobody_repeats(runs), (0, 2), "reply")
    return joined(told, Proof((repaired(runs[REPAIRED]),), {"arrives": rights.frame(last)}))


def repaired(run: Run) -> Claim:
    """A segment that is lost again and again, until it arrives and is acknowledged."""
    sent = repetitions(run)
    lost, last = sent[:-1], sent[-1]
    ack = run.first("S>C [PSH],ACK", after=last)
    return claim(
        all(one.lost for one in lost) and not last.lost and ack.ack == last.end,
        Text(
            "TCP: seq {seq} is lost {n} times and sent again, until frame {f} arrives: ack {ack} = {seq} + {k}",
            "TCP：seq {seq} 丢失 {n} 次，一再重发，直到第 {f} 帧送达：ack {ack} = {seq} + {k}",
        ).fill(seq=last.seq, n=len(lost), f=last.number, ack=ack.ack, k=last.length),
        *lost[:2],
        last,
        ack,
    )


def not_one_message(runs: Runs) -> Proof:
    """Five messages in one recv(), and one in three."""
    return part(stuck_together(runs), (0, 2), "reads", "last")


def only_copied(runs: Runs) -> Proof:
    """send() is over long before anything has arrived; it may take a part only."""
    run = runs["send_buffer_truth"]
    sent, lost = run.call("client", "send"), run.one("lost", run.all(where=lambda one: one.lost))
    again = run.first(after=lost, where=lambda one: one.seq == lost.seq and not one.lost)
    ack = run.first("S>C [PSH],ACK", after=again)
    own = (
        claim(
            sent.outcome == "ok" and sent.call.octets == lost.length and lost.lost,
            Text(
                "send() returns {n} after {span}; the segment with these {n} octets (frame {f}) is lost",
                "send() 在 {span} 后返回 {n}；带有这 {n} 字节的报文段（第 {f} 帧）却丢失了",
            ).fill(n=sent.call.octets, span=short_span(sent.lasted), f=lost.number),
            sent,
            lost,
        ),
        claim(
            sent.after < again.time < ack.time and ack.ack == again.end,
            Text(
                "they arrive {late} after send() has returned (frame {f}), and are acknowledged then",
                "send() 返回 {late} 之后它们才送达（第 {f} 帧），并得到确认",
            ).fill(late=short_span(again.time - sent.after), f=again.number),
            sent,
            again,
            ack,
        ),
    )
    key = {"arrives": rights.frame(again, instead=lost)}
    return joined(Proof(own, key), part(send_takes_a_part(runs), (0,), "taken"))


def out_of_the_full_queue(runs: Runs) -> Proof:
    """What accept() takes is open already, and its data are acknowledged."""
    return part(busy_server(runs), (0, 1, 3), "ack", "wait")


def once_to_the_program(runs: Runs) -> Proof:
    """A segment that arrives twice, is reported, and is read once."""
    run = runs["duplicate_segment"]
    one, there = doubled(run)
    told, (sent, read) = dsack_of(run, one), moved(run)
    reads = [call for call in run.calls("server", "recv") if call.call.octets]
    return Proof(
        (
            claim(
                len(there) == 2 and len({copy.number for copy in there}) == 2,
                Text(
                    "seq {seq} arrives {n} times: frames {a} and {b} at the server's port",
                    "seq {seq} 到达 {n} 次：服务器端口处的第 {a}、{b} 帧",
                ).fill(seq=one.seq, n=len(there), a=there[0].number, b=there[-1].number),
                one,
                *there,
            ),
            claim(
                told.sack[0] == (one.seq, one.end) and told.ack >= one.end,
                Text(
                    "the receiver's kernel discards the copy and reports it: DSACK {a}:{b} in frame {f}",
                    "接收方内核丢弃副本并予以报告：第 {f} 帧中的 DSACK {a}:{b}",
                ).fill(a=one.seq, b=one.end, f=told.number),
                one,
                told,
            ),
            claim(
                sent == read > 0,
                Text(
                    "the program reads each octet once: {n} written, {m} read",
                    "程序只读到一次：写入 {n} 字节，读到 {m} 字节",
                ).fill(n=sent, m=read),
                run.call("client", "sendall"),
                *reads[:3],
            ),
        ),
        {
            "copy": rights.frame(there[-1]),
            "dsack": rights.frame(told),
            "read": rights.octets(read, *reads[:3]),
        },
    )


QUESTIONS = (
    Question(
        id="E39",
        asks=Text(
            "Is it true that TCP/IP is a reliable protocol?",
            "TCP/IP 是一种可靠的协议，对吗？",
        ),
        answer=Text(
            "Not quite. It is a suite of protocols. IP and UDP are best effort: what is lost stays lost. "
            "TCP is what repairs losses, between its two ends.",
            "不完全对。它是一族协议。IP 与 UDP 只是尽力而为：丢了就是丢了。弥补丢失的是 TCP，而且只在它的两端之间。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("udp_echo:lost_reply", REPAIRED),
        prove=best_effort,
        values=(
            Ask(
                "reply",
                Text(
                    "udp_echo:lost_reply: frame of the lost reply (server's capture)",
                    "udp_echo:lost_reply：丢失的应答的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "arrives",
                Text(
                    "data_loss_rto: frame of the repetition that arrives",
                    "data_loss_rto：最终送达的那次重传的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("it is a suite of protocols", "它是一族协议"),
                (r"suite", r"family of protocols", r"一(族|组|套|系列)协议", r"协议(族|簇|栈)"),
            ),
            Idea(
                Text("IP and UDP are best effort", "IP 与 UDP 尽力而为"),
                (r"best[- ]effort", r"尽力(而为|交付)"),
            ),
            Idea(
                Text("TCP repairs losses", "TCP 弥补丢失"),
                (
                    r"tcp[^.]{0,20}(repair|repeat|retransmi)",
                    r"tcp[^.]{0,10}(重传|弥补)",
                    r"弥补丢失的是 ?tcp",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("IP repeats lost packets", "IP 会重传丢失的包"),
                (r"\bip (repeats|retransmits|resends)", r"\bip ?会?重[传发]"),
            ),
        ),
        guess=Guess(
            Text(
                "A datagram is lost, then a TCP segment. Which one is sent again by the kernel?",
                "先丢失一个数据报，再丢失一个 TCP 报文段。内核会重发哪一个？",
            ),
            (
                Text("both", "两个都会"),
                Text("the segment", "报文段"),
                Text("neither", "都不会"),
            ),
            1,
        ),
        hints=(
            Text("Look at the frames that are in one capture only.", "看只出现在一份抓包中的帧。"),
            Text(
                "Compare what follows them in the two runs.", "比较两次运行中它们之后发生了什么。"
            ),
        ),
        claim=Text("TCP/IP is a reliable protocol", "TCP/IP 是可靠的协议"),
        truth=Text(
            "A suite; only some of its protocols are reliable", "是一族协议，只有其中一部分是可靠的"
        ),
        seen_in=("S3",),
        then=("RT01", "UD01"),
        sources=("RFC 1122 section 1.1.3", "RFC 768", "RFC 9293 section 2.2"),
    ),
    Question(
        id="E41",
        asks=Text(
            "Is it true that recv(1024) returns the message that the client sent?",
            "recv(1024) 返回的就是客户端发送的那条消息，对吗？",
        ),
        answer=Text(
            "No. TCP is a byte stream: one recv() may return several messages, or a part of one. "
            "The program must mark where a message ends, and read until it is complete.",
            "不对。TCP 是字节流：一次 recv() 可能返回几条消息，也可能只返回一条的一部分。"
            "程序必须标明消息在哪里结束，并一直读到完整为止。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("stream_coalesce", "stream_coalesce:split"),
        prove=not_one_message,
        values=(
            Ask(
                "reads",
                Text(
                    "stream_coalesce: recv() calls that returned the five messages",
                    "stream_coalesce：读出五条消息的 recv() 次数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "last",
                Text(
                    "stream_coalesce: frame of the last message",
                    "stream_coalesce：最后一条消息的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP is a byte stream", "TCP 是字节流"),
                (r"byte stream", r"stream of (bytes|octets)", r"字节流"),
            ),
            Idea(
                Text("several messages, or a part of one", "几条消息，或一条的一部分"),
                (r"several messages", r"part of (one|a message)", r"(几|多)条消息", r"一部分"),
            ),
            Idea(
                Text("mark where a message ends", "标明消息在哪里结束"),
                (
                    r"where a message ends",
                    r"length|delimiter|frame",
                    r"消息[^.]{0,6}(结束|边界)",
                    r"长度|分隔",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("each recv() returns one send()", "每次 recv() 对应一次 send()"),
                (
                    r"(each|every) recv(\(\))? (returns|is|matches) one",
                    r"每次 ?recv\(\) ?(都)?对应一次",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Five messages of 5 octets arrive before the server reads. How many recv(1024) get them?",
                "服务器读取之前到达了五条 5 字节的消息。要几次 recv(1024) 才能读完？",
            ),
            (Text("five", "五次"), Text("one", "一次"), Text("two", "两次")),
            1,
        ),
        hints=(
            Text(
                "Look at the client's send() calls and the server's recv() calls.",
                "看客户端的 send() 与服务器的 recv()。",
            ),
            Text("Compare the octets of each.", "比较它们各自的字节数。"),
        ),
        claim=Text("recv(1024) returns the message", "recv(1024) 返回那条消息"),
        truth=Text(
            "It returns what is there: five messages at once, or a third of one",
            "它返回已经到达的数据：可能一次五条，也可能一条分三次",
        ),
        seen_in=("S3",),
        then=("BS01", "BS02"),
        sources=("RFC 9293 section 2.2", "recv(2)"),
    ),
    Question(
        id="E43",
        asks=Text(
            "Is it true that the message has been sent when send() returns?",
            "send() 返回就说明消息已经发出去了，对吗？",
        ),
        answer=Text(
            "No. It has been copied to the kernel's send buffer, no more. "
            "Here its segment is lost, and arrives only when TCP repeats it. "
            "A non-blocking send() may even take a part only.",
            "不对。它只是被复制到了内核的发送缓冲区。这里承载它的报文段丢失了，TCP 重传之后才送达。"
            "非阻塞的 send() 甚至可能只收下一部分。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("send_buffer_truth",),
        prove=only_copied,
        values=(
            Ask(
                "arrives",
                Text("Frame in which the first message arrives", "第一条消息最终送达的帧"),
                Unit.FRAME,
            ),
            Ask(
                "taken",
                Text("Octets that the last send() took", "最后一次 send() 收下的字节数"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("it is copied to the kernel's buffer", "它被复制到内核的缓冲区"),
                (
                    r"(copie[sd]|copy)[^.]{0,25}(kernel|buffer)",
                    r"(复制|拷贝)到[^.]{0,4}(内核|缓冲)",
                ),
            ),
            Idea(
                Text("it may be lost, and is repeated later", "它可能丢失，之后才重传"),
                (r"\blost\b", r"丢失"),
            ),
        ),
        wrong=(
            Idea(
                Text("send() waits for the ACK", "send() 会等待 ACK"),
                (r"send\(\) waits for", r"send\(\) ?会?等待?"),
            ),
        ),
        guess=Guess(
            Text(
                "The path loses every segment. What will send() of 5 octets return?",
                "路径丢弃所有报文段。发送 5 字节的 send() 会返回什么？",
            ),
            (
                Text("0", "0"),
                Text("an error", "一个错误"),
                Text("5", "5"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the first send() and at the frames marked lost.",
                "看第一次 send() 以及标为丢失的帧。",
            ),
            Text(
                "Compare when send() returns with when the first ACK comes.",
                "把 send() 返回的时间与首个 ACK 到来的时间相比较。",
            ),
        ),
        claim=Text("When send() returns, the message is sent", "send() 返回，消息就已发出"),
        truth=Text(
            "The kernel has a copy; whether the peer has one, only the peer can say",
            "内核有了一份副本；对端是否收到，只有对端能告诉你",
        ),
        seen_in=("S4",),
        then=("RT08", "SK07"),
        sources=("send(2)", "RFC 9293 section 3.9.1"),
    ),
    Question(
        id="E45",
        asks=Text(
            "Is it true that accept() takes a call out of the half-open pool and completes it?",
            "accept() 是从半连接池中取出一个连接并完成握手，对吗？",
        ),
        answer=Text(
            "No. What accept() takes is established already: the kernel has completed the handshake. "
            "It may even have acknowledged data. accept() only hands the connection to the program.",
            "不对。accept() 取出的连接早已建立：握手由内核完成，连数据都可能已被确认。accept() 只是把它交给程序。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("concurrency_models", "data_before_accept"),
        prove=out_of_the_full_queue,
        values=(
            Ask(
                "ack",
                Text(
                    "concurrency_models, second connection to port 12345: frame that acknowledges its data",
                    "concurrency_models，端口 12345 的第二条连接：确认其数据的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "wait",
                Text(
                    "Time from these data to their answer",
                    "从发出这些数据到得到应答的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("it is established already", "连接早已建立"),
                (r"established", r"(早|已)[^.]{0,3}建立"),
            ),
            Idea(
                Text("the kernel completes the handshake", "握手由内核完成"),
                (
                    r"kernel[^.]{0,30}handshake",
                    r"handshake[^.]{0,30}kernel",
                    r"握手由内核",
                    r"内核[^.]{0,8}握手",
                ),
            ),
            Idea(
                Text("data may already be acknowledged", "数据可能已被确认"),
                (r"acknowledge", r"确认"),
            ),
        ),
        wrong=(
            Idea(
                Text("accept() sends the SYN,ACK", "accept() 发送 SYN,ACK"),
                (r"accept\(\) (sends|completes)", r"accept\(\) ?(发送|完成)"),
            ),
        ),
        guess=Guess(
            Text(
                "Nobody has called accept() yet. What will the client's connect() do?",
                "还没有人调用 accept()。客户端的 connect() 会怎样？",
            ),
            (
                Text("return at once", "立即返回"),
                Text("wait for accept()", "等待 accept()"),
                Text("fail", "失败"),
            ),
            0,
        ),
        hints=(
            Text("Look at the second connection to port 12345.", "看端口 12345 的第二条连接。"),
            Text(
                "Compare when its data are acknowledged with when accept() returns it.",
                "把数据得到确认的时间与 accept() 返回它的时间相比较。",
            ),
        ),
        claim=Text(
            "accept() picks a call up from the half-connection pool",
            "accept() 从半连接池里接起一个电话",
        ),
        truth=Text(
            "It takes a finished connection from the accept queue",
            "它从全连接队列中取走一条已建立的连接",
        ),
        seen_in=("S4",),
        then=("HS09", "HS11"),
        sources=("accept(2)", "listen(2)"),
    ),
    Question(
        id="E48",
        asks=Text(
            "Is it true that over TCP each part arrives exactly once?",
            "使用 TCP，每一部分数据都恰好到达一次，对吗？",
        ),
        answer=Text(
            "Only to the program, while the connection lives. "
            "On the wire a segment may arrive twice, by repetition or by duplication. "
            "The kernel discards the copy; a DSACK tells the sender.",
            "只对程序而言如此，而且以连接还在为前提。在线路上，报文段可能因重传或被复制而到达两次。"
            "内核丢弃副本，并以 DSACK 告知发送方。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("duplicate_segment",),
        prove=once_to_the_program,
        values=(
            Ask(
                "copy",
                Text(
                    "Frame of the second copy, in the server's capture",
                    "第二份副本在服务器抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            Ask("dsack", Text("Frame of the DSACK", "DSACK 的帧号"), Unit.FRAME),
            Ask(
                "read",
                Text("Octets that the server's program read in all", "服务器程序总共读到的字节数"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("exactly once for the program only", "只对程序而言恰好一次"),
                (r"(to|for) the (program|application)", r"对(应用)?程序"),
            ),
            Idea(
                Text("on the wire it may arrive twice", "在线路上可能到达两次"),
                (r"arrive twice", r"duplicate", r"到达两次", r"重复"),
            ),
            Idea(
                Text("the kernel discards the copy", "内核丢弃副本"),
                (r"discard", r"丢弃"),
            ),
        ),
        wrong=(
            Idea(
                Text("the program reads the copy too", "程序也会读到副本"),
                (r"program reads (the copy|it twice)", r"程序(也)?会?读到(副本|两次)"),
            ),
        ),
        guess=Guess(
            Text(
                "The network doubles a segment. What will the program read?",
                "网络复制了一个报文段。程序会读到什么？",
            ),
            (
                Text("its octets twice", "其字节两次"),
                Text("its octets once", "其字节一次"),
                Text("an error", "一个错误"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at both captures: one segment is in the server's twice.",
                "看两份抓包：有一个报文段在服务器的抓包中出现两次。",
            ),
            Text("Compare the octets written with those read.", "把写入的字节数与读到的相比较。"),
        ),
        claim=Text("Each part arrives once and only once", "每一部分到达一次，且仅一次"),
        truth=Text(
            "Once to the program; on the wire copies occur and are discarded",
            "对程序是一次；线路上会有副本，由内核丢弃",
        ),
        seen_in=("S2",),
        then=("RT05", "RT07"),
        sources=("RFC 2883", "RFC 9293 section 3.10.7.4"),
    ),
)
