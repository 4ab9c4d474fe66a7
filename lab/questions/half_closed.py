"""One direction is closed, the other is not; and what close() and shutdown() do about it."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.closing import acknowledges, answer_to
from lab.questions.pieces import Called
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span


def data_between_fins(runs: Runs) -> Proof:
    """The server's kernel acknowledges the FIN; its program talks on and closes when it likes."""
    run = runs["half_close"]
    fin = run.first("C>S FIN,ACK")
    ack, data = answer_to(run, fin), run.first("S>C PSH,ACK", after=fin)
    second = run.first("S>C FIN,ACK", after=data)
    shut, read = run.call("client", "shutdown"), read_of(run, "client", data.length)
    closed = run.call("server", "close")
    return Proof(
        (
            claim(
                data.length > 0 and fin.time < data.time < second.time,
                Text(
                    "between the two FINs the server sends {n} octets, {late} after the first",
                    "两个 FIN 之间，服务器在第一个 FIN 之后 {late} 发送了 {n} 字节",
                ).fill(n=data.length, late=short_span(data.time - fin.time)),
                fin,
                data,
                second,
            ),
            claim(
                shut.after < read.after and read.call.octets == data.length,
                Text(
                    "the client has shut down sending, and still reads these {n} octets",
                    "客户端已关闭发送方向，仍读到了这 {n} 字节",
                ).fill(n=read.call.octets),
                shut,
                read,
                data,
            ),
            claim(
                ack.time < closed.before < second.time and acknowledges(ack, fin),
                Text(
                    "the kernel sent the ACK by itself after {ack}; the FIN came only with close(), "
                    "{fin} after the client's",
                    "ACK 由内核在 {ack} 后自行发出；FIN 直到 close() 才发出，比客户端的 FIN 晚 {fin}",
                ).fill(ack=short_span(ack.time - fin.time), fin=short_span(second.time - fin.time)),
                fin,
                ack,
                closed,
                second,
            ),
        ),
        {
            "data": rights.frame(data),
            "octets": rights.octets(data.length, data),
            "fin2": rights.frame(second),
        },
    )


def close_against_shutdown(runs: Runs) -> Proof:
    """What each of the calls puts on the wire, and whether it looks at the other descriptors."""
    shared = _one_of_several(runs["fd_shared_close"])
    return Proof(
        (
            _shut_for_writing(runs["half_close"]),
            shared,
            _shut_for_reading(runs["api_no_packets"]),
            _reset_after_close(runs["send_after_peer_close"]),
        ),
        {
            "octets": rights.octets(*_read_after_fin(runs["half_close"])),
            "fin": rights.frame(runs["fd_shared_close"].first("S>C FIN,ACK")),
            "cause": rights.name("shutdown", runs["fd_shared_close"].call("server", "shutdown")),
            "rst": rights.frame(runs["send_after_peer_close"].first("S>C RST")),
        },
    )


def _shut_for_writing(run: Run) -> Claim:
    shut, fin = run.call("client", "shutdown"), run.first("C>S FIN,ACK")
    data = run.first("S>C PSH,ACK", after=fin)
    read = read_of(run, "client", data.length)
    return claim(
        shut.before < fin.time < data.time < read.after,
        Text(
            "shutdown(SHUT_WR): FIN after {span}; {n} octets are read after it",
            "shutdown(SHUT_WR)：{span} 后发出 FIN；此后仍读到 {n} 字节",
        ).fill(span=short_span(fin.time - shut.before), n=data.length),
        shut,
        fin,
        data,
        read,
    )


def _read_after_fin(run: Run) -> tuple[int, Called]:
    data = run.first("S>C PSH,ACK", after=run.first("C>S FIN,ACK"))
    read = read_of(run, "client", data.length)
    return read.call.octets or 0, read


def _one_of_several(run: Run) -> Claim:
    shut, fin = run.call("server", "shutdown"), run.first("S>C FIN,ACK")
    copies = [one for one in run.calls("server", "close") if one.call.peer]
    copy = run.call("server", "close", where=lambda one: one.call.peer is not None)
    left = len(copies) - 1
    quiet = not run.all(after=copy.before, before=shut.before)
    return claim(
        quiet and left > 0 and copy.after < shut.before < fin.time,
        Text(
            "close() of one of {n} descriptors sends nothing; "
            "shutdown() sends FIN after {span}, with {left} still open",
            "close() 关闭 {n} 个描述符之一，什么也不发；shutdown() 在 {span} 后发出 FIN，尽管还有 {left} 个打开",
        ).fill(n=left + 1, left=left, span=short_span(fin.time - shut.before)),
        copy,
        shut,
        fin,
        run.capture(),
    )


def _shut_for_reading(run: Run) -> Claim:
    shut, empty = run.call("client", "shutdown"), run.call("client", "recv")
    late = run.first("S>C PSH,ACK", after=shut.after)
    ack = run.first("C>S ACK", after=late)
    quiet = not run.all(after=shut.before, before=empty.after)
    return claim(
        quiet and ack.ack == late.end,
        Text(
            "shutdown(SHUT_RD) sends nothing; {n} octets that come later are even acknowledged",
            "shutdown(SHUT_RD) 什么也不发；之后到来的 {n} 字节甚至照样被确认",
        ).fill(n=late.length),
        shut,
        late,
        ack,
        run.capture(),
    )


def _reset_after_close(run: Run) -> Claim:
    closed = run.call("server", "close", where=lambda one: one.call.peer is not None)
    data = run.first("C>S PSH,ACK", after=run.first("S>C FIN,ACK"))
    reset = run.first("S>C RST", after=data)
    return claim(
        closed.before < data.time and reset.absolute == data.absolute_ack,
        Text(
            "after close() {n} octets that still come are answered with RST, seq {seq} = their ack",
            "close() 之后仍到来的 {n} 字节引来 RST，其 seq {seq} 等于该段的 ack",
        ).fill(n=data.length, seq=reset.absolute),
        closed,
        data,
        reset,
    )


def read_of(run: Run, host: str, octets: int) -> Called:
    """The first recv() that returned so much."""
    return run.call(host, "recv", where=lambda one: one.call.octets == octets)


QUESTIONS = (
    Question(
        id="TD03",
        asks=Text(
            "Why does closing need four steps while opening needs three?", "为什么挥手需要四次？"
        ),
        answer=Text(
            "Each direction is closed separately: after the first FIN the other side may still send. "
            "The kernel acknowledges a FIN by itself. The other FIN leaves only when the other "
            "application closes, and that may be much later.",
            "TCP 是全双工的，两个方向独立关闭：收到 FIN 的一方仍可继续发送数据。"
            "内核会自行确认 FIN；而另一个 FIN 要等对端应用关闭才发出，可能晚得多。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        core=True,
        runs=("half_close",),
        prove=data_between_fins,
        values=(
            Ask(
                "data",
                Text("Frame number of data between the two FINs", "两个 FIN 之间的数据帧号"),
                Unit.FRAME,
            ),
            Ask("octets", Text("How many octets it carries", "它携带多少字节"), Unit.OCTETS),
            Ask("fin2", Text("Frame number of the server's FIN", "服务器 FIN 的帧号"), Unit.FRAME),
        ),
        ideas=(
            Idea(
                Text("each direction is closed separately", "两个方向独立关闭"),
                (
                    r"each direction",
                    r"directions? (is|are) closed (separately|independently)",
                    r"full[- ]duplex",
                    r"(两个|每个|各个)?方向(独立|分别|各自|单独)",
                    r"全双工",
                ),
            ),
            Idea(
                Text("the other side may still send", "另一方仍可继续发送"),
                (
                    r"(may|can|could) (still |go on )(to )?send",
                    r"still (send|has data|have data)",
                    r"(仍|还)(可|能|可以|要)?(继续)?发",
                ),
            ),
            Idea(
                Text(
                    "the kernel sends the ACK, the application's close the FIN",
                    "ACK 由内核发出，FIN 由应用关闭引发",
                ),
                (
                    r"kernel (acknowledges|sends the ack|acks)",
                    r"内核[^.]*确认",
                    r"ack 由内核",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("after a FIN neither side may send data", "FIN 之后双方都不能再发数据"),
                (
                    r"(neither|no) side (may|can) send",
                    r"双方都不能再?发",
                ),
            ),
            Idea(
                Text("the kernel sends the second FIN by itself", "第二个 FIN 由内核自行发出"),
                (r"kernel sends the (second|other) fin", r"fin 由内核自行"),
            ),
        ),
        guess=Guess(
            Text(
                "The client has sent FIN. What can it still do?",
                "客户端已发出 FIN，它还能做什么？",
            ),
            (
                Text("nothing", "什么也不能"),
                Text("send", "发送"),
                Text("receive", "接收"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's segments between the two FINs.",
                "看两个 FIN 之间服务器发出的报文段。",
            ),
            Text(
                "Compare the time of the ACK, and of the server's FIN, with the server's calls.",
                "把 ACK 和服务器 FIN 的时间与服务器的调用相比较。",
            ),
        ),
        then=("TD12", "TD07"),
        sources=("RFC 9293 section 3.6.1", "RFC 9293 section 3.6"),
    ),
    Question(
        id="TD12",
        asks=Text(
            "close() versus shutdown(): what differs on the wire?", "close 和 shutdown 有什么区别？"
        ),
        answer=Text(
            "shutdown(SHUT_WR) sends FIN at once, whatever other descriptors exist, and reading goes on. "
            "close() drops one reference; only the last one sends FIN. "
            "Data that come after it draw a RST. shutdown(SHUT_RD) sends nothing.",
            "shutdown(SHUT_WR) 立即发 FIN，不看引用计数，之后仍可读。"
            "close() 只减一个引用，最后一个引用关闭才发 FIN；此后再收到数据会回 RST。"
            "shutdown(SHUT_RD) 不发任何报文。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="medium",
        core=True,
        runs=("half_close", "fd_shared_close", "api_no_packets", "send_after_peer_close"),
        prove=close_against_shutdown,
        values=(
            Ask(
                "octets",
                Text(
                    "Half-close: octets that the client reads after its own FIN",
                    "半关闭：客户端在自己的 FIN 之后读到多少字节",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "fin",
                Text(
                    "Shared descriptor: frame number of the server's FIN",
                    "共享描述符：服务器 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "cause",
                Text("Which call of the server made it leave?", "它由服务器的哪个调用引发？"),
                Unit.NAME,
            ),
            Ask(
                "rst",
                Text(
                    "Writing to a closed peer: frame number of the RST",
                    "向已关闭的对端写数据：RST 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("shutdown(SHUT_WR) sends FIN at once", "shutdown(SHUT_WR) 立即发 FIN"),
                (
                    r"(shutdown|shut_wr)[^.]* fin (at once|immediately)",
                    r"(shutdown|shut_wr)[^.]*立即发(送|出)? ?fin",
                ),
            ),
            Idea(
                Text(
                    "close() drops a reference; the last one sends FIN",
                    "close() 只减引用，最后一个引用才发 FIN",
                ),
                (
                    r"reference",
                    r"last (one|descriptor|copy)",
                    r"引用",
                    r"最后一个(描述符|引用)",
                ),
            ),
            Idea(
                Text("reading goes on after SHUT_WR", "SHUT_WR 之后仍可读"),
                (
                    r"reading (goes on|continues|is still possible)",
                    r"(can|may) still (read|receive)",
                    r"(仍|还)(可|能|可以)?(继续)?(读|接收)",
                ),
            ),
            Idea(
                Text("SHUT_RD sends nothing", "SHUT_RD 不发任何报文"),
                (
                    r"shut_rd\)? (sends|puts) (nothing|no)",
                    r"shut_rd\)? ?(什么也不发|不(会)?(发|产生))",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("every close() sends a FIN", "每次 close() 都会发 FIN"),
                (
                    r"(every|each|any) close(\(\))? sends",
                    r"每次 ?close(\(\))? ?(都|就)",
                ),
            ),
            Idea(
                Text("shutdown waits for the last descriptor", "shutdown 要等最后一个描述符"),
                (r"shutdown(\(\))? waits for", r"shutdown(\(\))? ?要?等"),
            ),
        ),
        guess=Guess(
            Text(
                "The server close()s one of three descriptors of a connection. What is sent?",
                "一条连接有三个描述符，服务器 close() 了其中一个。会发出什么？",
            ),
            (
                Text("a FIN", "一个 FIN"),
                Text("a RST", "一个 RST"),
                Text("nothing", "什么也不发"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the calls beside the wire: which frame follows which call?",
                "看线路旁的调用：哪个帧紧跟哪个调用？",
            ),
            Text(
                "Compare the time of each close() and shutdown() with the time of the FIN.",
                "把每次 close()、shutdown() 的时间与 FIN 的时间相比较。",
            ),
        ),
        then=("TD14",),
        sources=("shutdown(2)", "close(2)", "Stevens, UNP volume 1, section 6.6"),
    ),
)
