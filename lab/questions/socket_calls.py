"""What recv(), send() and close() promise, and what they do not."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.sockets import given
from lab.questions.udp_datagrams import datagram
from lab.text import Text

STATES = {"01": "ESTABLISHED", "08": "CLOSE-WAIT"}  # the first octet of struct tcp_info, in hex


def at_most(runs: Runs) -> Proof:
    """recv(1024) returns what there is; recv(10) returns no more than ten."""
    run, split = runs["stream_coalesce"], runs["stream_coalesce:split"]
    sends, read = run.calls("client", "send"), run.call("server", "recv")
    fin, empty = run.first("S>C FIN,ACK"), run.call("client", "recv")
    message = split.call("client", "send")
    parts = [one for one in split.calls("server", "recv") if one.call.octets]
    got = read.call.octets or 0
    sizes = [one.call.octets or 0 for one in parts]
    return Proof(
        (
            claim(
                got == sum(one.call.octets or 0 for one in sends)
                and 0 < got < given(read)
                and all(got != one.call.octets for one in sends),
                Text(
                    "recv({asked}) returns {got} octets: {sum}, neither {asked} nor one message",
                    "recv({asked}) 返回 {got} 字节：{sum}，既不是 {asked}，也不是一条消息",
                ).fill(
                    asked=given(read),
                    got=got,
                    sum=" + ".join(str(one.call.octets) for one in sends),
                ),
                *sends,
                read,
            ),
            claim(
                all(size <= given(one) for size, one in zip(sizes, parts, strict=True))
                and sum(sizes) == message.call.octets
                and len(parts) > 1,
                Text(
                    "one send() of {n} octets takes {k} recv({asked}): {n} = {sum}",
                    "一次 send() 的 {n} 字节要 {k} 次 recv({asked})：{n} = {sum}",
                ).fill(
                    n=message.call.octets,
                    k=len(parts),
                    asked=given(parts[0]) if parts else 0,
                    sum=" + ".join(map(str, sizes)),
                ),
                message,
                *parts,
            ),
            claim(
                empty.call.octets == 0 and fin.time < empty.after and empty.outcome == "ok",
                Text(
                    "none at all means end of file: recv({asked}) returns 0 after the FIN, frame {n}",
                    "返回零字节表示流结束：recv({asked}) 在 FIN（第 {n} 帧）之后返回 0",
                ).fill(asked=given(empty), n=fin.number),
                fin,
                empty,
            ),
        ),
        {
            "got": rights.octets(got, read),
            "last": rights.octets(sizes[-1] if sizes else 0, *parts[-1:]),
            "fin": rights.frame(fin),
        },
    )


def empty_reads(runs: Runs) -> Proof:
    """An empty read, a timeout, a reset, and an empty datagram."""
    run, udp = runs["eof_semantics"], runs["eof_semantics:zero_datagram"]
    ended, late, reset = (run.call("client", "recv", nth) for nth in range(3))
    fin = run.first("S>C FIN,ACK")
    later = run.first("S>C FIN,ACK", stream=1)
    rst = run.first("S>C RST,ACK", stream=2)
    asked, read = datagram(udp, 0, "server"), udp.call("server", "recvfrom")
    frame = asked.frame
    length = frame.ip.length - frame.ip.size if frame.ip else 0
    return Proof(
        (
            claim(
                ended.call.octets == 0 and ended.outcome == "ok" and fin.time < ended.after,
                Text(
                    "the server's FIN (frame {n}) comes, and recv() returns 0 octets without an error",
                    "服务器的 FIN（第 {n} 帧）到达，recv() 返回 0 字节，没有错误",
                ).fill(n=fin.number),
                fin,
                ended,
            ),
            claim(
                late.outcome == "TimeoutError" and late.after < later.time,
                Text(
                    "no data yet is no empty read: recv() waits {ms} ms, then {error}; no FIN has come",
                    "暂时没有数据不会返回空：recv() 等待 {ms} 毫秒后得到 {error}，此时没有 FIN 到达",
                ).fill(ms=late.lasted // 1_000_000, error=late.outcome),
                late,
                later,
            ),
            claim(
                reset.outcome == "ECONNRESET" and rst.time < reset.after,
                Text(
                    "nor is a reset: after the RST (frame {n}) recv() fails with {error}",
                    "复位也不会返回空：RST（第 {n} 帧）之后 recv() 以 {error} 失败",
                ).fill(n=rst.number, error=reset.outcome),
                rst,
                reset,
            ),
            claim(
                length == 8
                and asked.length == 0
                and read.call.octets == 0
                and bool(read.call.peer),
                Text(
                    "UDP: a datagram of {n} octets is all header; recvfrom() returns {k} octets and the sender",
                    "UDP：{n} 字节的数据报只有首部；recvfrom() 返回 {k} 字节和发送方地址",
                ).fill(n=length, k=read.call.octets),
                asked,
                read,
            ),
        ),
        {
            "fin": rights.frame(fin),
            "rst": rights.frame(rst),
            "error": rights.error(reset),
            "length": rights.octets(length, asked),
        },
    )


def send_takes_a_part(runs: Runs) -> Proof:
    """A non-blocking send() takes what there is room for; nothing else is ever sent."""
    run = runs["send_buffer_truth"]
    small, send = run.call("client", "send"), run.call("client", "send", 1)
    ack = run.first("S>C [PSH],ACK", after=run.first("C>S PSH,ACK"))
    fin = run.first(stream=1, where=lambda one: one.sender == "C" and "FIN" in one.flags)
    end = run.first(stream=1, where=lambda one: one.sender == "S" and one.ack == fin.end)
    accepted = run.call("server", "accept", 1)
    reads = [
        one
        for one in run.calls("server", "recv")
        if one.before > accepted.before and one.call.octets
    ]
    reply, answer = run.call("server", "sendall"), run.one("S>C +", run.data("S"))
    offered, taken = given(send), send.call.octets or 0
    arrived = sum(one.call.octets or 0 for one in reads)
    return Proof(
        (
            claim(
                0 < taken < offered and send.outcome == "ok",
                Text(
                    "send() is offered {offered} octets, returns {taken}, without an error: {rest} are left",
                    "交给 send() {offered} 字节，返回 {taken}，没有错误：还剩 {rest} 字节",
                ).fill(offered=offered, taken=taken, rest=offered - taken),
                send,
            ),
            claim(
                end.ack == 1 + taken + 1 and arrived == taken,
                Text(
                    "the rest is never sent: the FIN is acknowledged with {ack} = 1 + {taken} + 1, and the server reads {n}",
                    "剩余部分从未发送：FIN 的确认号为 {ack} = 1 + {taken} + 1，服务器读到 {n}",
                ).fill(ack=end.ack, taken=taken, n=arrived),
                fin,
                end,
                *reads[:4],
            ),
            claim(
                small.call.octets == given(small) and small.after < ack.time,
                Text(
                    "where there is room send() takes all: {n} of {m} octets, {ms} ms before any ACK",
                    "空间足够时 send() 全部收下：{m} 字节中的 {n} 字节，比 ACK 早 {ms} 毫秒",
                ).fill(
                    n=small.call.octets,
                    m=given(small),
                    ms=(ack.time - small.after) // 1_000_000,
                ),
                small,
                ack,
            ),
            claim(
                reply.call.result is None and answer.length == given(reply),
                Text(
                    "sendall({n}) returns no number: it ends once all {k} octets are taken, or with an error",
                    "sendall({n}) 不返回个数：{k} 字节全部收下后才结束，否则抛出错误",
                ).fill(n=given(reply), k=answer.length),
                reply,
                answer,
            ),
        ),
        {
            "offered": rights.octets(offered, send),
            "taken": rights.octets(taken, send),
            "left": rights.octets(offered - taken, send),
            "ack": rights.sequence(end, ack=True),
        },
    )


def shared_descriptor(runs: Runs) -> Proof:
    """A child's close() sends nothing; the parent's shutdown() sends FIN although it holds two."""
    run = runs["fd_shared_close:fork"]
    shutdown = run.call("server", "shutdown")
    closes = [one for one in run.calls("server", "close") if one.call.peer]
    early = [one for one in closes if one.after < shutdown.before]
    child = early[0] if early else run.call("server", "close", 0)
    left = [one for one in closes if one.before > shutdown.after]
    fin = run.first("S>C FIN,ACK")
    between = run.all(after=child.before, before=shutdown.before)
    looks = [run.call("client", "getsockopt", nth) for nth in range(2)]
    states = [STATES.get(str(one.call.result), str(one.call.result)) for one in looks]
    return Proof(
        (
            claim(
                len(early) == 1
                and child.call.process != shutdown.call.process
                and not between
                and fin.time > child.after,
                Text(
                    "process {a} closes its descriptor; {n} segments pass in the {ms} ms until process {b} acts",
                    "进程 {a} 关闭其描述符；到进程 {b} 动作为止的 {ms} 毫秒内，经过 {n} 个报文段",
                ).fill(
                    a=child.call.process,
                    b=shutdown.call.process,
                    n=len(between),
                    ms=(shutdown.before - child.after) // 1_000_000,
                ),
                child,
                shutdown,
                run.capture(),
            ),
            claim(
                states == list(STATES.values())
                and child.after < looks[0].before
                and looks[0].after < fin.time < looks[1].before,
                Text(
                    "the client is in {a} after that close(), in {b} after the FIN",
                    "那次 close() 之后客户端处于 {a}，收到 FIN 之后处于 {b}",
                ).fill(a=states[0], b=states[1]),
                child,
                *looks,
                fin,
            ),
            claim(
                shutdown.before < fin.time and len(left) > 0,
                Text(
                    "shutdown() sends the FIN (frame {n}) at once, though {k} descriptors are still open",
                    "shutdown() 立即发出 FIN（第 {n} 帧），尽管还有 {k} 个描述符打开着",
                ).fill(n=fin.number, k=len(left)),
                shutdown,
                fin,
                *left,
            ),
        ),
        {
            "fin": rights.frame(fin),
            "cause": rights.name("shutdown", shutdown),
            "state": rights.state(states[0], looks[0]),
            "gap": rights.span(fin.time - child.after, child, fin),
        },
    )


QUESTIONS = (
    Question(
        id="SK05",
        asks=Text("What does recv(1024) promise?", "recv(1024) 保证什么？"),
        answer=Text(
            "At most 1024 octets, and at least one; none means that the peer has ended its stream. "
            "It may return less than one send() gave, or more than one send() together.",
            "最多返回 1024 字节，至少一个；返回空表示对端已结束发送。"
            "得到的可能少于一次 send() 的数据，也可能是几次 send() 合在一起。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="medium",
        core=True,
        runs=("stream_coalesce", "stream_coalesce:split"),
        prove=at_most,
        values=(
            Ask(
                "got",
                Text(
                    "stream_coalesce: octets that the server's recv(1024) returned",
                    "stream_coalesce：服务器 recv(1024) 返回的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "last",
                Text(
                    "stream_coalesce:split: octets of the last recv(10) with data",
                    "stream_coalesce:split：最后一次有数据的 recv(10) 返回的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "fin",
                Text(
                    "stream_coalesce: frame of the FIN behind the client's empty recv()",
                    "stream_coalesce：使客户端 recv() 返回空的 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("at most 1024 octets", "最多 1024 字节"),
                (r"at most|up to|no more than|maximum", r"最多|至多|不超过|上限"),
            ),
            Idea(
                Text(
                    "it may return less, or several sends together", "可能更少，也可能几次合在一起"
                ),
                (r"\bless\b|fewer|together|several", r"少于|更少|合在一起|几次"),
            ),
            Idea(
                Text("none means that the peer has ended its stream", "返回空表示对端已结束发送"),
                (r"(ended|closed|end of|eof|\bfin\b)", r"结束|关闭|eof|fin"),
            ),
        ),
        wrong=(
            Idea(
                Text("it waits until 1024 octets are there", "它会等到收满 1024 字节"),
                (r"(waits|blocks) until 1024", r"等到?(收满|满|凑够) ?1024"),
            ),
            Idea(
                Text("it returns exactly one message", "它恰好返回一条消息"),
                (r"exactly one message", r"恰好返回一条"),
            ),
        ),
        guess=Guess(
            Text(
                "Five messages of 5 octets wait in the receive buffer. What does recv(1024) return?",
                "接收缓冲区里有五条各 5 字节的消息。recv(1024) 返回多少？",
            ),
            (
                Text("5 octets", "5 字节"),
                Text("25 octets", "25 字节"),
                Text("nothing until 1024 are there", "收满 1024 字节之前不返回"),
            ),
            1,
        ),
        hints=(
            Text("Look at the reading calls of both runs.", "看两次运行中的读取调用。"),
            Text(
                "Compare the result of each with its argument and with what was sent.",
                "把每次结果与其参数以及发送的数据相比较。",
            ),
        ),
        then=("SK06", "BS01"),
        sources=("recv(2)", "RFC 9293 section 2.2"),
    ),
    Question(
        id="SK06",
        asks=Text(
            "recv returned an empty bytes object: what does it mean?", "recv 返回空意味着什么？"
        ),
        answer=Text(
            "TCP: the peer has sent FIN, and all its data have been read. It never means that no data are there yet. "
            "For UDP it is an empty datagram.",
            "TCP：对端已发送 FIN，而且数据已全部读完；它绝不表示暂时没有数据。对 UDP 来说，那是一个空的数据报。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="medium",
        runs=("eof_semantics", "eof_semantics:zero_datagram"),
        prove=empty_reads,
        values=(
            Ask(
                "fin",
                Text(
                    "Frame of the FIN behind the client's first empty read",
                    "使客户端第一次读到空的那个 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask("rst", Text("Frame of the RST", "RST 的帧号"), Unit.FRAME),
            Ask(
                "error",
                Text("How the client's recv() ends after the RST", "RST 之后客户端 recv() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "length",
                Text(
                    "zero_datagram: octets of the datagram, header included",
                    "zero_datagram：数据报连同首部的字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("the peer has sent FIN", "对端已发送 FIN"),
                (r"\bfin\b|end of (file|stream)|closed", r"fin|流(已)?结束|关闭"),
            ),
            Idea(
                Text("it never means no data yet", "绝不表示暂时没有数据"),
                (
                    r"(never|not) means?.*(no data|yet)|does not mean",
                    r"(绝不|不|并不)(表示|是|意味着?).*没有数据",
                ),
            ),
            Idea(
                Text("for UDP it is an empty datagram", "对 UDP 来说是空的数据报"),
                (r"empty (udp )?datagram|zero-length", r"空的?(数据报|报文)|零长度"),
            ),
        ),
        wrong=(
            Idea(
                Text("it means that no data have arrived yet", "它表示数据还没有到"),
                (r"means that no data have arrived", r"表示(数据还没|还没有数据)"),
            ),
            Idea(
                Text("it means that the connection was reset", "它表示连接被复位"),
                (r"(connection )?was reset", r"表示连接被(复位|重置)"),
            ),
        ),
        guess=Guess(
            Text(
                "The peer is silent, and the patience of recv() is 0.1 s. What happens?",
                "对端不说话，recv() 的时限为 0.1 秒。会怎样？",
            ),
            (
                Text("an empty bytes object", "返回空"),
                Text("TimeoutError", "TimeoutError"),
                Text("ECONNRESET", "ECONNRESET"),
            ),
            1,
        ),
        hints=(
            Text("Look at the client's three recv() calls.", "看客户端的三次 recv()。"),
            Text(
                "Compare the last frame of the server before each of them returns.",
                "比较每次返回之前服务器发来的最后一帧。",
            ),
        ),
        then=("SK05",),
        sources=("recv(2)", "RFC 9293 section 3.6", "RFC 768"),
    ),
    Question(
        id="SK07",
        asks=Text("send versus sendall?", "send 与 sendall 有什么区别？"),
        answer=Text(
            "send() may take only part of the data, and returns how much. The rest is the program's "
            "business. sendall() repeats until all is taken, or raises an error. Neither says that "
            "anything arrived.",
            "send() 可能只收下一部分，并返回收下的字节数，剩余部分要程序自己处理；"
            "sendall() 会反复发送，直到全部收下或出错为止。两者都不表示数据已经到达对方。",
        ),
        kind=Kind.COMPARE,
        level=1,
        interview="low",
        runs=("send_buffer_truth",),
        prove=send_takes_a_part,
        values=(
            Ask(
                "offered",
                Text("Octets offered to the last send()", "交给最后一次 send() 的字节数"),
                Unit.OCTETS,
            ),
            Ask("taken", Text("Octets that it took", "它收下的字节数"), Unit.OCTETS),
            Ask(
                "left", Text("Octets left to the program", "留给程序自己处理的字节数"), Unit.OCTETS
            ),
            Ask(
                "ack",
                Text(
                    "Second connection: the server's acknowledgment of the client's FIN",
                    "第二条连接：服务器对客户端 FIN 的确认号",
                ),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("send() may take only part", "send() 可能只收下一部分"),
                (r"\bpart\b|partial|fewer|less than", r"一部分|部分(数据)?|少于"),
            ),
            Idea(
                Text("it returns how much it took", "返回收下的字节数"),
                (r"returns (how|the number)", r"返回.{0,8}(字节数|个数|长度)"),
            ),
            Idea(
                Text("sendall() repeats until all is taken", "sendall() 反复发送直到全部收下"),
                (
                    r"sendall(\(\))? (repeats|loops|continues|sends).*(all|everything)",
                    r"sendall(\(\))?.*(全部|反复|循环)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("sendall() waits for the ACK", "sendall() 会等待 ACK"),
                (r"sendall(\(\))? waits for", r"sendall(\(\))? ?会等待"),
            ),
            Idea(
                Text("send() always takes everything", "send() 总会全部收下"),
                (r"send(\(\))? always", r"send(\(\))? ?总(是|会)"),
            ),
        ),
        guess=Guess(
            Text(
                "A non-blocking send() is offered 1,000,000 octets, with a send buffer of 16 KiB. What does it do?",
                "非阻塞 send() 要发送 1 000 000 字节，发送缓冲区为 16 KiB。会怎样？",
            ),
            (
                Text("it fails with EAGAIN", "以 EAGAIN 失败"),
                Text("it takes everything", "全部收下"),
                Text("it takes a part", "收下一部分"),
            ),
            2,
        ),
        hints=(
            Text("Look at the last send() of the client.", "看客户端的最后一次 send()。"),
            Text(
                "Compare its argument with its result, and with the ack of the FIN.",
                "把它的参数与结果以及对 FIN 的确认号相比较。",
            ),
        ),
        then=("SK09",),
        sources=("send(2)", "Python documentation, socket.sendall"),
    ),
    Question(
        id="SK13",
        asks=Text(
            "One of two processes closes the shared socket: what is sent?",
            "两个进程共享套接字，其中一个 close 会怎样？",
        ),
        answer=Text(
            "Nothing, until the last descriptor is closed: only then close() sends FIN. shutdown() acts "
            "on the connection itself. Its FIN leaves at once, however many descriptors are open.",
            "什么也不发送：最后一个描述符关闭时，close() 才发出 FIN。"
            "shutdown() 作用于连接本身，不论还有多少描述符打开，都立即发出 FIN。",
        ),
        kind=Kind.PREDICT,
        level=2,
        interview="low",
        runs=("fd_shared_close:fork",),
        prove=shared_descriptor,
        values=(
            Ask("fin", Text("Frame of the server's FIN", "服务器 FIN 的帧号"), Unit.FRAME),
            Ask("cause", Text("The server's call that sends it", "发出它的服务器调用"), Unit.NAME),
            Ask(
                "state",
                Text(
                    "State of the client after the child's close()",
                    "子进程 close() 之后客户端的状态",
                ),
                Unit.STATE,
            ),
            Ask(
                "gap",
                Text(
                    "Time from the return of the child's close() to the FIN",
                    "从子进程 close() 返回到 FIN 的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("nothing is sent by the first close()", "第一次 close() 什么也不发送"),
                (r"nothing|no (fin|segment)", r"(什么也|都)?不(会)?发"),
            ),
            Idea(
                Text(
                    "only the last descriptor's close() sends FIN", "最后一个描述符关闭时才发出 FIN"
                ),
                (r"last (descriptor|reference|one)", r"最后一个"),
            ),
            Idea(
                Text("shutdown() acts at once", "shutdown() 立即起作用"),
                (r"shutdown.*(at once|immediately)", r"shutdown.*立即"),
            ),
        ),
        wrong=(
            Idea(
                Text("each close() sends a FIN", "每次 close() 都发出 FIN"),
                (r"(each|every) close(\(\))? sends", r"每次 ?close(\(\))? ?都"),
            ),
            Idea(
                Text("shutdown() waits for the last descriptor", "shutdown() 要等最后一个描述符"),
                (r"shutdown(\(\))? waits", r"shutdown(\(\))? ?要等"),
            ),
        ),
        guess=Guess(
            Text(
                "A child closes the connection that its parent still holds. What does the peer see?",
                "子进程关闭了父进程仍持有的连接。对端看到什么？",
            ),
            (
                Text("a FIN", "一个 FIN"),
                Text("a RST", "一个 RST"),
                Text("nothing", "什么也没有"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's close() and shutdown() calls and their processes.",
                "看服务器的 close() 和 shutdown() 调用及其进程号。",
            ),
            Text(
                "Compare the time of each with the time of the FIN.",
                "把它们的时间与 FIN 的时间相比较。",
            ),
        ),
        then=("SV01",),
        sources=("close(2)", "shutdown(2)", "fork(2)"),
    ),
)
