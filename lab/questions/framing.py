"""Where a message ends: framing, and what goes wrong without it."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.byte_stream import carrying, data_of, received, sizes
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.servers import call_of, first_data, port_of
from lab.text import Text
from lab.units import short_span

HEADER = 2  # octets of the length before a message


# ---------------------------------------------------------------- framing


def framed(runs: Runs) -> Proof:
    """The length before each message finds it again, if the reader loops."""
    run, hasty = runs["framing_protocols"], runs["framing_protocols:hasty"]
    whole, cut = run.data("C", 0), run.data("C", 1)
    header = first_data(run, "C", 0).frame.payload[:HEADER]
    size = int.from_bytes(header)
    answers = [
        [
            one
            for one in run.calls("server", "sendall")
            if port_of(one.call.peer) == run.connection(i).client.port
        ]
        for i in (0, 1)
    ]
    messages = [data_of([one]) for one in answers[0]]
    reads = [
        one
        for one in received(run, "server")
        if port_of(one.call.peer) == run.connection(1).client.port
    ]
    misread = [data_of([one]) for one in hasty.calls("server", "sendall")]
    first = call_of(hasty, "recv", 0)
    return Proof(
        (
            claim(
                messages[:1] == [header + first_data(run, "C", 0).frame.payload[HEADER:][:size]],
                Text(
                    "the first {n} octets, {hex}, say that {size} octets follow; the server read just that",
                    "前 {n} 个字节 {hex} 表明后面有 {size} 字节；服务器读到的正是这些",
                ).fill(n=HEADER, hex=header.hex(" "), size=size),
                *whole[:1],
                *answers[0][:1],
            ),
            claim(
                len(whole) == 1 < len(cut) and messages == [data_of([one]) for one in answers[1]],
                Text(
                    "cut into {n} segment or into {m}: the server finds the same {k} messages",
                    "无论是 {n} 个报文段还是 {m} 个，服务器都还原出同样的 {k} 条消息",
                ).fill(n=len(whole), m=len(cut), k=len(messages)),
                *whole,
                *answers[0],
                *answers[1],
            ),
            claim(
                sum(sizes(reads)) == sum(one.length for one in cut) and len(reads) > len(messages),
                Text(
                    "to find {k} messages in the second, it took {n} recv(): read until all is there",
                    "为在第二条连接中还原 {k} 条消息，用了 {n} 次 recv()：要循环读取直到收齐",
                ).fill(k=len(messages), n=len(reads)),
                *reads[:4],
            ),
            claim(
                (first.call.octets or 0) < HEADER and misread != messages,
                Text(
                    "without the loop, a recv({n}) that returns {got} is taken for a length: {k} messages, all wrong",
                    "不循环时，recv({n}) 只返回 {got} 字节也被当成长度：得到 {k} 条错误的消息",
                ).fill(n=HEADER, got=first.call.octets, k=len(misread)),
                first,
                *hasty.calls("server", "sendall"),
            ),
        ),
        {
            "header": rights.payload(first_data(run, "C", 0), 0, HEADER),
            "segments": rights.count(len(cut), *cut),
            "reads": rights.count(len(reads), *reads[:6]),
        },
    )


# ---------------------------------------------------------------- one late, none at all


def one_late(runs: Runs) -> Proof:
    """Where in the stream of answers each recv() of the client begins."""
    run = runs["stale_echo"]
    questions = [one for one in run.calls("client", "sendall") if one.call.octets]
    length = questions[0].call.octets or 0 if questions else 0
    first, second = (run.call("client", "recv", nth) for nth in (0, 1))
    begin = first.call.octets or 0
    end = begin + (second.call.octets or 0)
    asked = run.first("C>S [PSH],ACK", where=lambda one: one.seq == 1 + length and one.length > 0)
    stale = run.first(
        where=lambda one: one.sender == "S" and one.seq == 1 + begin and one.length > 0
    )
    late = run.first(where=lambda one: one.sender == "S" and one.seq <= 1 + length < one.end)
    return Proof(
        (
            claim(
                0 < begin < length,
                Text(
                    "the first recv() returns octets 0 to {last} of an answer of {length}: {left} are left",
                    "第一次 recv() 返回 {length} 字节应答中的第 0 至 {last} 字节，还剩 {left} 字节",
                ).fill(last=begin - 1, length=length, left=length - begin),
                questions[0] if questions else first,
                first,
            ),
            claim(
                end <= length and data_of([second]) == data_of(questions[:1])[begin:end],
                Text(
                    "the second returns octets {begin} to {last}: still of the first answer ({end} <= {length})",
                    "第二次返回第 {begin} 至 {last} 字节：仍属于第一条应答（{end} ≤ {length}）",
                ).fill(begin=begin, last=end - 1, end=end, length=length),
                second,
                *questions[:1],
            ),
            claim(
                stale.time < asked.time < late.time,
                Text(
                    "these octets came {early} before the second question left; its own echo came {later} after",
                    "这些字节在第二个问题发出前 {early} 就已到达；它自己的回显在其后 {later} 才到",
                ).fill(
                    early=short_span(asked.time - stale.time),
                    later=short_span(late.time - asked.time),
                ),
                stale,
                asked,
                late,
            ),
        ),
        {
            "begin": rights.count(begin, second),
            "left": rights.octets(length - begin, first),
            "belongs": rights.name("first" if end <= length else "second", second),
            "echo": rights.frame(late),
        },
    )


def nothing_sent(runs: Runs) -> Proof:
    """send(b"") returns 0 and makes no segment; both ends wait."""
    run = runs["stale_echo:empty"]
    sent, waited = run.call("client", "send"), run.call("client", "recv")
    read, fin = run.call("server", "recv"), run.first("C>S FIN,ACK")
    filled = carrying(run)
    return Proof(
        (
            claim(
                sent.call.octets == 0 and not sent.call.error,
                Text(
                    'send(b"") returns {n}, without an error',
                    'send(b"") 返回 {n}，没有报错',
                ).fill(n=sent.call.octets),
                sent,
            ),
            claim(
                not filled,
                Text(
                    "{n} segments with data in the whole capture",
                    "整个抓包中带数据的报文段：{n} 个",
                ).fill(n=len(filled)),
                run.capture(),
            ),
            claim(
                waited.outcome == "TimeoutError" and read.before < waited.after < read.after,
                Text(
                    "the client waits {ours} in recv() in vain, the server {theirs} in its own",
                    "客户端在 recv() 中白等 {ours}，服务器在自己的 recv() 中等了 {theirs}",
                ).fill(ours=short_span(waited.lasted), theirs=short_span(read.lasted)),
                waited,
                read,
            ),
            claim(
                read.call.octets == 0 and read.after > fin.time > waited.after,
                Text(
                    "only the client's FIN frees the server: its recv() returns {n}, the end of the stream",
                    "直到客户端的 FIN 到来，服务器的 recv() 才返回 {n}，即流的结束",
                ).fill(n=read.call.octets),
                fin,
                read,
            ),
        ),
        {
            "segments": rights.count(len(filled), run.capture()),
            "returned": rights.octets(sent.call.octets or 0, sent),
            "frees": rights.frame(fin),
        },
    )


QUESTIONS = (
    Question(
        id="BS02",
        asks=Text("How do you frame messages on TCP?", "如何解决粘包与拆包？"),
        answer=Text(
            "With a length prefix, a delimiter, a fixed size, or a format that describes itself. The reader "
            "must loop until the message is complete.",
            "用长度前缀、分隔符、定长或自描述格式来定界；接收方必须循环读取，直到收齐一条消息。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        core=True,
        runs=("framing_protocols", "framing_protocols:hasty"),
        prove=framed,
        values=(
            Ask(
                "header",
                Text(
                    "The two header octets of the first message, in hex",
                    "第一条消息的两个首部字节（十六进制）",
                ),
                Unit.HEX,
            ),
            Ask(
                "segments",
                Text(
                    "Second connection: segments with data from the client",
                    "第二条连接：客户端带数据的报文段数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "reads",
                Text(
                    "Second connection: recv() calls of the server that returned octets",
                    "第二条连接：服务器读到字节的 recv() 次数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("a length before the message", "消息前写明长度"),
                (r"length (prefix|before|field)", r"长度前缀", r"写明长度", r"长度字段"),
            ),
            Idea(
                Text("or a delimiter, or a fixed size", "或用分隔符、定长"),
                (r"delimiter|separator|newline|fixed (size|length)", r"分隔符|定长|固定长度"),
            ),
            Idea(
                Text("read in a loop until it is complete", "循环读取直到收齐"),
                (r"loop", r"until .*(complete|all|there)", r"循环", r"直到收齐"),
            ),
        ),
        wrong=(
            Idea(
                Text("one recv() returns one message", "一次 recv() 得到一条消息"),
                (
                    r"one recv(\(\))? returns (exactly )?one message",
                    r"一次 ?recv(\(\))? ?得到一条消息",
                ),
            ),
            Idea(
                Text("TCP_NODELAY frames the messages", "设置 TCP_NODELAY 就能定界"),
                (r"nodelay (frames|separates|solves)", r"tcp_nodelay ?(就能|即可|可以)(定界|解决)"),
            ),
        ),
        guess=Guess(
            Text(
                "A length field of two octets arrives one octet at a time. What must the reader do?",
                "两个字节的长度字段逐字节到达，接收方该怎么做？",
            ),
            (
                Text("use TCP_NODELAY", "设置 TCP_NODELAY"),
                Text("nothing: recv(2) waits for both", "什么也不用做：recv(2) 会等齐两个"),
                Text("call recv() again until both are there", "再次调用 recv()，直到两个都到"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the payload of the first segment with data, and at the server's recv() calls.",
                "看第一个数据报文段的净荷，以及服务器的 recv()。",
            ),
            Text(
                "Compare the two connections: same octets, other cuts.",
                "比较两条连接：字节相同，切法不同。",
            ),
        ),
        then=("BS03", "FC05"),
        sources=("UNIX Network Programming vol. 1, 3rd ed., section 3.9", "recv(2)"),
    ),
    Question(
        id="BS03",
        asks=Text(
            "Why does an echo client with recv(10) answer one message late?",
            "为什么用 recv(10) 的回显客户端，应答会错位一条？",
        ),
        answer=Text(
            "recv(10) leaves the rest of a longer echo in the receive buffer. The next recv(10) returns that "
            "rest, not the new answer: the stream does not mark where an answer ends.",
            "回显超过 10 字节时，recv(10) 会把剩余部分留在接收缓冲区。下一次 recv(10) 读到的是剩余部分，"
            "而不是新的应答：字节流不标明应答在哪里结束。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        runs=("stale_echo",),
        prove=one_late,
        values=(
            Ask(
                "begin",
                Text(
                    "Offset, in all answers, of the first octet that the second recv() returns",
                    "第二次 recv() 返回的首字节在全部应答中的偏移",
                ),
                Unit.COUNT,
            ),
            Ask(
                "left",
                Text(
                    "Octets of the first answer left after the first recv()",
                    "第一次 recv() 之后，第一条应答还剩的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "belongs",
                Text(
                    "Which message do the second recv()'s octets belong to?",
                    "第二次 recv() 的字节属于哪条消息？",
                ),
                Unit.CHOICE,
                (
                    ("first", Text("the first message", "第一条消息")),
                    ("second", Text("the second message", "第二条消息")),
                ),
            ),
            Ask(
                "echo",
                Text("Frame that echoes the second message", "回显第二条消息的帧"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the rest stays in the receive buffer", "剩余部分留在接收缓冲区"),
                (r"leaves the rest", r"rest (stays|remains|is left)", r"(剩余|剩下)"),
            ),
            Idea(
                Text("the next recv() returns the rest first", "下一次 recv() 先返回剩余部分"),
                (
                    r"next recv\S* returns (that|the) rest",
                    r"下一次 ?recv\S* ?(先)?(读到|返回)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the server answers too late", "服务器应答得太晚"),
                (r"server (answers|is) (too )?(late|slow)", r"服务器(应答得)?太(晚|慢)"),
            ),
            Idea(
                Text("the segments arrive out of order", "报文段乱序到达"),
                (r"out of order", r"乱序"),
            ),
        ),
        guess=Guess(
            Text(
                "The echo of 24 octets was read with one recv(10). What will the next recv(10) return?",
                "24 字节的回显只用一次 recv(10) 读取。下一次 recv(10) 会返回什么？",
            ),
            (
                Text("more of the same echo", "同一条回显的后续部分"),
                Text("the echo of the next message", "下一条消息的回显"),
                Text("an error", "错误"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the data of the client's first two recv() calls.",
                "看客户端前两次 recv() 的数据。",
            ),
            Text(
                "Add up the octets read, and compare the sum with the length of the first message.",
                "把读到的字节数相加，与第一条消息的长度相比较。",
            ),
        ),
        then=("BS02",),
        sources=("recv(2)", "RFC 9293 section 2.2"),
    ),
    Question(
        id="BS04",
        asks=Text(
            "Why does sending an empty message hang both sides?", "发送空消息为什么会卡死双方？"
        ),
        answer=Text(
            'send(b"") returns 0 and makes no segment. So the peer\'s recv waits for ever, and so does the '
            "sender, for an answer.",
            'send(b"") 返回 0，不产生报文段。于是对端的 recv 一直等待，发送方也一直等不到应答。',
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        runs=("stale_echo:empty",),
        prove=nothing_sent,
        values=(
            Ask(
                "segments",
                Text("Segments with data in the capture", "抓包中带数据的报文段数"),
                Unit.COUNT,
            ),
            Ask("returned", Text('What send(b"") returns', 'send(b"") 的返回值'), Unit.OCTETS),
            Ask(
                "frees",
                Text("Frame that ends the server's recv()", "使服务器的 recv() 返回的帧"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("an empty send makes no segment", "空的 send 不产生报文段"),
                (r"no (segment|packet|frame)", r"(不|没有)(产生|发出).*(报文|数据)"),
            ),
            Idea(
                Text("so both wait in recv for ever", "于是双方都在 recv 中一直等待"),
                (r"wait", r"blocks?", r"等待", r"阻塞"),
            ),
        ),
        wrong=(
            Idea(
                Text("an empty segment is sent", "会发出一个空报文段"),
                (r"(an|one) empty segment is sent", r"发出一个空(的)?报文"),
            ),
            Idea(
                Text("the peer's recv() returns an empty message", "对端 recv() 会收到空消息"),
                (r"returns an empty message", r"收到空消息"),
            ),
        ),
        guess=Guess(
            Text('How many segments does send(b"") make?', 'send(b"") 会产生几个报文段？'),
            (
                Text("one, without data", "一个，不带数据"),
                Text("one with FIN", "一个 FIN"),
                Text("none", "没有"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the wire between the client's send() and its recv().",
                "看客户端 send() 与 recv() 之间的线路一栏。",
            ),
            Text(
                "Compare when the server's recv() returns with the frames just before.",
                "把服务器 recv() 返回的时间与此前的帧相比较。",
            ),
        ),
        then=("BS02",),
        sources=("send(2)", "recv(2)"),
    ),
)
