"""TCP carries a stream of octets: where messages begin and end is the application's business."""

from __future__ import annotations

from collections.abc import Sequence

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.servers import call_of
from lab.text import Text
from lab.units import short_span


def received(run: Run, host: str, *functions: str) -> list[Called]:
    """The calls of a host that brought octets."""
    return [one for one in run.calls(host, *(functions or ("recv",))) if one.call.octets]


def sizes(calls: Sequence[Called]) -> list[int]:
    """How many octets each call sent or received."""
    return [one.call.octets or 0 for one in calls]


def data_of(calls: Sequence[Called]) -> bytes:
    """The octets of some calls, one after another (of each, the first 64)."""
    return b"".join(bytes.fromhex(one.call.data) for one in calls)


def carrying(run: Run, host: str = "") -> tuple[Packet, ...]:
    """All frames of a capture that carry application data."""
    return run.packets(host, lambda one: bool(one.frame.source and one.frame.payload_length))


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


# ---------------------------------------------------------------- no borders


def stuck_together(runs: Runs) -> Proof:
    """Several sends, several segments, one recv(); and one send, several recv()."""
    run, split = runs["stream_coalesce"], runs["stream_coalesce:split"]
    sends, reads, sent = run.calls("client", "send"), received(run, "server"), run.data("C")
    whole, pieces = split.calls("client", "send"), received(split, "server")
    read, last = call_of(run, "recv", 0), run.one("data", sent[::-1])
    return Proof(
        (
            claim(
                len(sends) > len(reads) == 1 and data_of(sends) == data_of(reads),
                Text(
                    "{n} send() of {each} octets are read by {m} recv(): {total} octets, in order",
                    "{n} 次 send()（{each} 字节）由 {m} 次 recv() 读出，共 {total} 字节，顺序不变",
                ).fill(
                    n=len(sends), m=len(reads), each=_list(sizes(sends)), total=sum(sizes(reads))
                ),
                *sends,
                *reads,
            ),
            claim(
                len(sent) > 1 and last.time < read.before,
                Text(
                    "{n} separate segments arrived, the last {ahead} before recv(): the network joined nothing",
                    "到达的是 {n} 个分开的报文段，最后一个比 recv() 早 {ahead}：网络没有合并任何东西",
                ).fill(n=len(sent), ahead=short_span(read.before - last.time)),
                *sent,
                read,
            ),
            claim(
                len(whole) == 1 < len(pieces) and data_of(whole) == data_of(pieces),
                Text(
                    "the other way round, {n} send() of {total} octets takes {m} recv(): {each}",
                    "反过来，{n} 次 send() 的 {total} 字节要 {m} 次 recv() 才读完：{each}",
                ).fill(
                    n=len(whole), total=sum(sizes(whole)), m=len(pieces), each=_list(sizes(pieces))
                ),
                *whole,
                *pieces,
            ),
        ),
        {
            "sends": rights.count(len(sends), *sends),
            "segments": rights.count(len(sent), *sent),
            "reads": rights.count(len(reads), *reads),
            "last": rights.frame(last),
        },
    )


def invisible_sends(runs: Runs) -> Proof:
    """The same sends cut otherwise, and a receiver that cannot tell."""
    gathered, plain, corked = (
        runs[name] for name in ("stream_coalesce:nagle", "nagle_delack", "nagle_delack:cork")
    )
    sends, held = gathered.calls("client", "send"), gathered.data("C")
    writes, others = (run.calls("client", "sendall") for run in (plain, corked))
    many, few = plain.data("C"), corked.data("C")
    reads, same_reads = received(plain, "server"), received(corked, "server")
    return Proof(
        (
            claim(
                sum(sizes(sends)) == sum(one.length for one in held) and len(sends) > len(held),
                Text(
                    "{n} send() of {sizes} octets left in {m} segments of {cut}: Nagle gathered the rest",
                    "{n} 次 send()（{sizes} 字节）以 {m} 个报文段发出（{cut} 字节）：Nagle 把后面的攒在一起",
                ).fill(
                    n=len(sends),
                    sizes=_list(sizes(sends)),
                    m=len(held),
                    cut=_list([one.length for one in held]),
                ),
                *sends,
                *held,
            ),
            claim(
                sizes(writes) == sizes(others) and len(many) != len(few),
                Text(
                    "the same {n} calls make {many} segments, and only {few} with TCP_CORK",
                    "同样的 {n} 次调用产生 {many} 个报文段，使用 TCP_CORK 则只有 {few} 个",
                ).fill(n=len(writes), many=len(many), few=len(few)),
                *writes[:2],
                *many[:2],
                *few[:1],
            ),
            claim(
                sizes(reads) == sizes(same_reads) and data_of(reads) == data_of(same_reads),
                Text(
                    "the receiver reads the same in both: {n} recv() of {size} octets",
                    "两种情况下接收方读到的完全一样：{n} 次 recv()，每次 {size} 字节",
                ).fill(n=len(reads), size=reads[0].call.octets if reads else 0),
                *reads[:2],
                *same_reads[:2],
            ),
        ),
        {
            "gathered": rights.count(len(held), *held),
            "plain": rights.count(len(many), *many),
            "corked": rights.count(len(few), *few),
        },
    )


STREAM = Idea(
    Text("TCP is a byte stream without message borders", "TCP 是字节流，没有消息边界"),
    (r"byte stream", r"stream of (bytes|octets)", r"no message (borders|boundaries)", r"字节流"),
)

QUESTIONS = (
    Question(
        id="BS01",
        asks=Text(
            'What is "sticking" of packets, and is it a TCP bug?', "什么是粘包？是 TCP 的问题吗？"
        ),
        answer=Text(
            "Several messages are returned by one recv, or one message by several. That is no bug: TCP is a "
            "byte stream without message borders. The application must mark where a message ends.",
            "多条消息被一次 recv 读出，或一条消息被多次读出。这不是 TCP 的缺陷：TCP 是字节流，没有消息边界，"
            "要由应用自己定界。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        interview="high",
        core=True,
        runs=("stream_coalesce", "stream_coalesce:split"),
        prove=stuck_together,
        values=(
            Ask("sends", Text("Calls of send()", "send() 的次数"), Unit.COUNT),
            Ask(
                "segments",
                Text("Segments with data from the client", "客户端带数据的报文段数"),
                Unit.COUNT,
            ),
            Ask(
                "reads",
                Text("Calls of recv() that returned them", "读出它们的 recv() 次数"),
                Unit.COUNT,
            ),
            Ask(
                "last",
                Text("Frame of the last of these segments", "其中最后一个报文段的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            STREAM,
            Idea(
                Text(
                    "several messages in one recv, or one in several",
                    "多条消息一次读出，或一条分多次",
                ),
                (r"several messages", r"one recv", r"一次 ?recv", r"一次读出"),
            ),
            Idea(
                Text("the application must mark the messages", "要由应用定界"),
                (r"application (must|has to|should)", r"(由|靠)应用", r"定界"),
            ),
        ),
        wrong=(
            Idea(
                Text("Nagle's algorithm is the cause", "粘包是 Nagle 算法造成的"),
                (
                    r"nagle('s algorithm)? (is|causes)",
                    r"(because of|caused by) nagle",
                    r"nagle ?(算法)?(造成|引起|导致)",
                ),
            ),
            Idea(
                Text("it is a bug of TCP", "这是 TCP 的缺陷"),
                (r"(?<!no )(?<!not )\ba (bug|flaw) of tcp", r"(?<!不)是 ?tcp ?的(缺陷|问题|bug)"),
            ),
        ),
        guess=Guess(
            Text(
                "Five messages are sent, and all are there before the server reads. How many recv(1024)?",
                "发送五条消息，服务器读取前已全部到达。recv(1024) 要几次？",
            ),
            (Text("five", "五次"), Text("one", "一次"), Text("none can be read", "读不出来")),
            1,
        ),
        hints=(
            Text(
                "Look at the client's send() calls and the server's recv() calls.",
                "看客户端的 send() 和服务器的 recv()。",
            ),
            Text(
                "Count calls and segments separately; compare the octets only.",
                "分别数调用次数和报文段数，只比较字节。",
            ),
        ),
        claim=Text(
            "Packets are merged by the network; Nagle is the cause", "粘包是 Nagle 造成的，关掉就好"
        ),
        truth=Text(
            "The segments arrive separately, and one recv() still returns all of their octets",
            "报文段是分开到达的，一次 recv() 仍把所有字节读出",
        ),
        then=("BS02", "BS05"),
        sources=("RFC 9293 section 2.2", "recv(2)"),
    ),
    Question(
        id="BS05",
        asks=Text(
            "Can the receiver see how many send calls were made?",
            "接收方能看出发送方调用了几次 send 吗？",
        ),
        answer=Text(
            "No. How the octets are cut into segments depends on MSS, Nagle, window and retransmission. "
            "The receiver gets a byte stream and no count of calls.",
            "不能。字节如何切成报文段，取决于 MSS、Nagle 算法、窗口和重传。接收方得到的只是字节流，"
            "其中没有调用次数。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        runs=("stream_coalesce:nagle", "nagle_delack", "nagle_delack:cork"),
        prove=invisible_sends,
        values=(
            Ask(
                "gathered",
                Text(
                    "Five send() over a slow path: segments with data",
                    "慢速路径上的五次 send()：带数据的报文段数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "plain",
                Text(
                    "Twelve sendall(), no option set: the client's segments with data",
                    "十二次 sendall()，不设选项：客户端带数据的报文段数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "corked",
                Text(
                    "Twelve sendall() with TCP_CORK: the client's segments with data",
                    "十二次 sendall()，使用 TCP_CORK：客户端带数据的报文段数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(Text("no, it cannot", "不能"), (r"\bno\b", r"cannot", r"不能|看不出")),
            Idea(
                Text("MSS, Nagle, window and retransmission cut", "MSS、Nagle、窗口、重传决定切分"),
                (r"\bmss\b|nagle|window|retransmi", r"窗口|重传"),
            ),
            STREAM,
        ),
        wrong=(
            Idea(
                Text("each send() makes one segment", "每次 send() 产生一个报文段"),
                (
                    r"(each|every|one) send(\(\))? (makes|is|gives) (one|a) (segment|packet)",
                    r"每次 ?send(\(\))? ?产生一个(报文段|包)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Five send() of 5 octets, 100 ms round trip, Nagle on. How many segments?",
                "五次 send() 各 5 字节，往返 100 毫秒，启用 Nagle，会有几个报文段？",
            ),
            (Text("five", "五个"), Text("two", "两个"), Text("one", "一个")),
            1,
        ),
        hints=(
            Text(
                "Look at the client's calls and at its segments with data.",
                "看客户端的调用和带数据的报文段。",
            ),
            Text(
                "Compare the runs: same calls, other segments; then the server's recv() calls.",
                "比较各次运行：调用相同，报文段不同；再看服务器的 recv()。",
            ),
        ),
        then=("BS01",),
        sources=("RFC 9293 section 3.7", "RFC 896", "tcp(7) TCP_CORK"),
    ),
)
