"""What accept() has to do with the handshake, and what it has not."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.text import Text
from lab.units import short_span


def without_accept(runs: Runs) -> Proof:
    """The kernel opens, acknowledges data and resets, and nobody has called accept()."""
    run = runs["data_before_accept"]
    syn, synack, ack = run.opening()
    data = run.first("C>S PSH,ACK", after=ack)
    acked = run.first("S>C ACK", after=data)
    reset = run.first("S>C RST,ACK", after=acked)
    listen, connect = run.call("server", "listen"), run.call("client", "connect")
    left, ended = run.call("server", "close"), run.call("client", "recv")
    nobody = not run.calls("server", "accept")
    return Proof(
        (
            claim(
                nobody and listen.after < syn.time and synack.time < connect.after,
                Text(
                    "the server has called listen(), never accept(); its kernel answers SYN #{a} with "
                    "#{b}, and the client's connect() returns",
                    "服务器调用过 listen()，从未调用 accept()；内核以 #{b} 应答 SYN #{a}，"
                    "客户端的 connect() 返回",
                ).fill(a=syn.number, b=synack.number),
                listen,
                syn,
                synack,
                connect,
            ),
            claim(
                nobody and acked.absolute_ack == data.absolute_end,
                Text(
                    "the {octets} octets of #{a} are acknowledged by #{b} all the same: "
                    "{ack} = {seq} + {octets}",
                    "#{a} 的 {octets} 字节照样由 #{b} 确认：{ack} = {seq} + {octets}",
                ).fill(
                    octets=data.length,
                    a=data.number,
                    b=acked.number,
                    ack=acked.absolute_ack,
                    seq=data.absolute,
                ),
                data,
                acked,
            ),
            claim(
                left.before < reset.time and ended.outcome == "ECONNRESET",
                Text(
                    "there was a connection to lose: as the listener is closed, #{n} resets it, and the "
                    "client's recv() fails with ECONNRESET",
                    "连接确实存在：关闭监听套接字时 #{n} 将它复位，客户端的 recv() 以 ECONNRESET 失败",
                ).fill(n=reset.number),
                left,
                reset,
                ended,
            ),
        ),
        {
            "acked": rights.frame(acked),
            "ack": rights.sequence(acked, ack=True),
            "error": rights.error(ended),
        },
    )


def deferred(runs: Runs) -> Proof:
    """A third segment without data is ignored; the data bring the connection to accept()."""
    run = runs["deferred_accept"]
    _, _, third = run.opening()
    data = run.first("C>S PSH,ACK", after=third)
    early, accepted = run.call("server", "accept", 0), run.call("server", "accept", 1)
    connect, waiting = run.call("client", "connect"), run.socket("server").stay("SYN-RECEIVED")
    ignored = run.counter("server", "TcpExt.TCPDeferAcceptDrop")
    since = third.time
    return Proof(
        (
            claim(
                connect.after < early.before and early.outcome == "EAGAIN" and early.before > since,
                Text(
                    "{span} after the third segment, #{n}, and with connect() returned, accept() "
                    "finds nobody (EAGAIN)",
                    "第三个报文段 #{n} 之后 {span}，connect() 早已返回，accept() 却取不到连接（EAGAIN）",
                ).fill(span=short_span(early.before - since), n=third.number),
                third,
                connect,
                early,
            ),
            claim(
                not third.length and ignored.value > 0 and waiting.until > since,
                Text(
                    "the kernel has ignored that ACK (TCPDeferAcceptDrop +{n}): {span} later the "
                    "server is still in SYN-RECEIVED",
                    "内核忽略了这个 ACK（TCPDeferAcceptDrop +{n}）：{span} 之后服务器仍处于 SYN-RECEIVED",
                ).fill(n=ignored.value, span=short_span(waiting.until - since)),
                third,
                ignored,
                waiting,
            ),
            claim(
                accepted.outcome == "ok" and data.length > 0 and accepted.after > data.time,
                Text(
                    "accept() returns only with the data: #{n}, {octets} octets, {span} after the "
                    "third segment",
                    "数据到达时 accept() 才返回：#{n}，{octets} 字节，在第三个报文段之后 {span}",
                ).fill(n=data.number, octets=data.length, span=short_span(data.time - since)),
                data,
                accepted,
            ),
        ),
        {
            "third": rights.frame(third),
            "data": rights.frame(data),
            "accepted": rights.span(accepted.after - since, third, accepted),
        },
    )


QUESTIONS = (
    Question(
        id="HS09",
        asks=Text(
            "At which step of the handshake does accept() return? Can a connection exist without it?",
            "accept 发生在三次握手的哪一步？没有 accept 能建立连接吗？",
        ),
        answer=Text(
            "accept() plays no part in the handshake. It takes an established connection from the "
            "queue. Connections exist without it, and even their data are acknowledged by the kernel.",
            "accept 不参与握手，只是从全连接队列取出已建立的连接。"
            "没有 accept 也能建立连接，数据甚至已被内核确认。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="medium",
        core=True,
        runs=("data_before_accept",),
        prove=without_accept,
        values=(
            Ask(
                "acked",
                Text("Frame that acknowledges the data", "确认数据的帧"),
                Unit.FRAME,
            ),
            Ask("ack", Text("Its acknowledgment number", "该帧的确认号"), Unit.SEQUENCE),
            Ask(
                "error",
                Text(
                    "How the client's recv() ends when the listener closes",
                    "监听套接字关闭时，客户端的 recv() 如何结束",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("accept() plays no part in the handshake", "accept 不参与握手"),
                (
                    r"(no|not)[^.]{0,12} part (in|of) the handshake",
                    r"after the handshake",
                    r"不参与[^.]{0,4}握手",
                    r"握手(完成|结束)?(之)?后",
                ),
            ),
            Idea(
                Text(
                    "it takes an established connection from the queue",
                    "从全连接队列取出已建立的连接",
                ),
                (r"queue", r"队列"),
            ),
            Idea(
                Text("data are acknowledged without it", "没有 accept，数据也已被确认"),
                (
                    r"data[^.]{0,30}acknowledged",
                    r"acknowledges?[^.]{0,20}data",
                    r"数据[^.]{0,8}确认",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "accept() performs the second step of the handshake",
                    "accept 完成第二次握手",
                ),
                (
                    r"accept(\(\))? (performs|does|sends|is) the (first|second|third)",
                    r"accept(\(\))? ?(完成|执行|发出|发送)(了)?第[一二三]",
                ),
            ),
            Idea(
                Text(
                    "without accept() no connection can exist",
                    "没有 accept 就不能建立连接",
                ),
                (
                    r"without accept(\(\))?,? no connection",
                    r"没有 ?accept(\(\))? ?就?(不能|无法)建立",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server listens and never calls accept(). What becomes of the client's data?",
                "服务器只 listen，从不 accept。客户端发送的数据会怎样？",
            ),
            (
                Text("connect() already fails", "connect() 就已失败"),
                Text("they are acknowledged", "得到确认"),
                Text("they are repeated until accept()", "不断重传，直到 accept()"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's calls: which are there, and which is not?",
                "看服务器的调用：有哪些，缺哪个？",
            ),
            Text(
                "Compare the ack of the frame behind the data with the data's seq plus length.",
                "把数据之后那一帧的 ack 与数据的 seq 加长度相比较。",
            ),
        ),
        claim=Text("accept() performs the second step of the handshake", "accept 完成第二次握手"),
        truth=Text(
            "The kernel answers the SYN by itself, and acknowledges data that no program has asked for",
            "内核自行应答 SYN，也会确认还没有程序来取的数据",
        ),
        then=("HS11",),
        sources=("accept(2)", "listen(2)"),
    ),
    Question(
        id="HS16",
        asks=Text(
            "Can the server avoid being woken before the request arrives?",
            "服务端能否等到请求数据到达才 accept？",
        ),
        answer=Text(
            "Yes, with TCP_DEFER_ACCEPT. The bare third ACK is ignored, and the request stays in "
            "SYN-RECEIVED until data come. Then accept() returns with the data at hand.",
            "能，用 TCP_DEFER_ACCEPT。内核忽略不带数据的第三个 ACK，请求停在 SYN-RECEIVED，直到数据到来。"
            "此时 accept() 才返回，数据已在手边。",
        ),
        kind=Kind.PREDICT,
        level=3,
        runs=("deferred_accept",),
        prove=deferred,
        values=(
            Ask(
                "third",
                Text("Frame of the third segment", "第三个报文段的帧号"),
                Unit.FRAME,
            ),
            Ask("data", Text("Frame of the first data", "首段数据的帧号"), Unit.FRAME),
            Ask(
                "accepted",
                Text(
                    "Time from the third segment until accept() returns a connection",
                    "从第三个报文段到 accept() 取得连接的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("the option TCP_DEFER_ACCEPT", "选项 TCP_DEFER_ACCEPT"),
                (r"defer[_ ]?accept", r"deferred accept", r"延迟 ?accept"),
            ),
            Idea(
                Text("the bare third ACK is ignored", "忽略不带数据的第三个 ACK"),
                (
                    r"ack[^.]{0,20}(ignored|dropped)",
                    r"ignores?[^.]{0,20}ack",
                    r"(忽略|丢弃)[^.]{0,12}ack",
                ),
            ),
            Idea(
                Text(
                    "the request stays in SYN-RECEIVED until data come",
                    "请求停在 SYN-RECEIVED，直到数据到来",
                ),
                (r"syn[-_ ](received|recv|rcvd)",),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the client's connect() blocks until it sends data",
                    "客户端的 connect() 会阻塞到发送数据为止",
                ),
                (r"connect(\(\))? blocks until", r"connect(\(\))? ?会?(一直)?阻塞到"),
            ),
        ),
        guess=Guess(
            Text(
                "The third segment has arrived without data. What does accept() give?",
                "第三个报文段已到达，不带数据。accept() 会得到什么？",
            ),
            (
                Text("the connection", "这条连接"),
                Text("nobody yet", "还没有连接"),
                Text("an error: the connection is reset", "错误：连接被复位"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's two calls of accept(), and at its state lane.",
                "看服务器的两次 accept() 调用，以及它的状态栏。",
            ),
            Text(
                "Compare the end of the second accept() with the time of the first data.",
                "把第二次 accept() 结束的时刻与首段数据的时刻相比较。",
            ),
        ),
        then=("HS09",),
        sources=("tcp(7) TCP_DEFER_ACCEPT",),
    ),
)
