"""Statements about the close: how many packets, who begins, what the first FIN forbids."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.closing import QUICK, SLOW, acknowledges, crossing, three_or_four
from lab.questions.half_closed import data_between_fins
from lab.questions.pieces import Segment
from lab.questions.resets import abort
from lab.questions.rights import claim, part
from lab.questions.runs import Run, Runs
from lab.questions.time_wait import first_fin
from lab.text import Text
from lab.units import short_span

BY_SERVER, CROSSING, ABORT = (
    "tcp_lifecycle:server_closes_first",
    "close_simultaneous",
    "abort_linger0",
)


def steps_and_segments(runs: Runs) -> Proof:
    """Four steps in three segments, if the second end closes soon."""
    return part(three_or_four(runs), (0, 1, 2), "merged", "alone")


def anybody_first(runs: Runs) -> Proof:
    """The server begins; both begin; nobody sends a FIN."""
    crossed, aborted = part(crossing(runs), (2, 3)), part(abort(runs), (0, 1), "rst")
    fin = first_fin(runs[BY_SERVER])
    return Proof(
        (_server_first(runs[BY_SERVER], fin), *crossed.claims, *aborted.claims),
        {"fin": rights.frame(fin), **aborted.key},
    )


def _server_first(run: Run, fin: Segment) -> Claim:
    other = run.first("C>S FIN,ACK")
    words = Text(
        "server_closes_first: the first FIN, frame {a}, is the server's; the client's comes {span} later",
        "server_closes_first：首个 FIN（第 {a} 帧）由服务器发出；客户端的 FIN 晚 {span}",
    ).fill(a=fin.number, span=short_span(other.time - fin.time))
    kept = fin.sender == "S" and fin.time < other.time and acknowledges(other, fin)
    return claim(kept, words, fin, other)


def still_sending(runs: Runs) -> Proof:
    """Between the two FINs the server sends; its FIN comes with its close()."""
    return part(data_between_fins(runs), (0, 1, 2), "data", "fin2")


QUESTIONS = (
    Question(
        id="E8",
        asks=Text(
            "Is it true that closing a connection takes four packets?",
            "关闭连接要用四个包（四次挥手），对吗？",
        ),
        answer=Text(
            "It takes four steps, but not always four packets. "
            "If the passive side closes before its delayed ACK is due, ACK and FIN share one segment. "
            "Here a close after 20 ms took three segments, one after 100 ms took four.",
            "是四个步骤，但不一定是四个报文段。"
            "被动方若在延迟确认到期前就关闭，ACK 与 FIN 便合并为一个报文段。"
            "这里 20 毫秒后关闭用了三段，100 毫秒后关闭用了四段。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(QUICK, SLOW),
        prove=steps_and_segments,
        values=(
            Ask(
                "merged",
                Text(
                    "Close after 20 ms: frame that is ACK and FIN in one",
                    "20 毫秒后关闭：兼作 ACK 与 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "alone",
                Text(
                    "Close after 100 ms: frame of the ACK that comes alone",
                    "100 毫秒后关闭：单独到来的 ACK 的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("four steps, not four packets", "四个步骤，不一定是四个报文段"),
                (r"four steps", r"not always four", r"四个步骤", r"不一定是?四"),
            ),
            Idea(
                Text("ACK and FIN share one segment", "ACK 与 FIN 合并为一个报文段"),
                (
                    r"ack and (the )?fin (can |may )?(share|merge|travel together|are one|go in one)",
                    r"ack (与|和) ?fin ?(可以)?(便|就)?(合并|合在|同在)",
                ),
            ),
            Idea(
                Text("the delayed ACK decides", "取决于延迟确认"),
                (r"delayed[- ]ack", r"延迟确认", r"延迟 ?ack"),
            ),
        ),
        wrong=(
            Idea(
                Text("a close always takes four packets", "关闭总是要四个包"),
                (r"(?<!not )always takes four", r"总是要?四"),
            ),
        ),
        guess=Guess(
            Text(
                "The server closes as soon as it reads the end. How many segments does the close take?",
                "服务器读到结束就立即关闭。挥手用几个报文段？",
            ),
            (Text("two", "两个"), Text("three", "三个"), Text("four", "四个")),
            1,
        ),
        hints=(
            Text(
                "Look at what the server sends after the client's FIN, in both runs.",
                "看两次运行中服务器在客户端的 FIN 之后发了什么。",
            ),
            Text(
                "Compare the flags of its first segment after that FIN.",
                "比较该 FIN 之后它的第一个报文段的标志。",
            ),
        ),
        claim=Text("The close takes four packets", "挥手是四个包"),
        truth=Text(
            "Four steps: a quick close needed three segments, a slow one four",
            "四个步骤：及时关闭只用三个报文段，拖延则是四个",
        ),
        seen_in=("S0", "S1", "S3"),
        then=("TD02", "TD01"),
        sources=("RFC 9293 section 3.6", "RFC 9293 section 3.8.6.3"),
    ),
    Question(
        id="E9",
        asks=Text(
            "Is it true that the first FIN comes from host A, the client, when it has finished sending?",
            "第一个 FIN 由主机 A（客户端）在发完数据后发出，对吗？",
        ),
        answer=Text(
            "Not always. Either end may close first, and here a server does. "
            "Both may close at once: then the FINs cross, and both ends pass through CLOSING. "
            "A RST ends a connection without any FIN.",
            "不一定。任何一端都可以先关闭，这里就有服务器先关闭的。"
            "双方也可以同时关闭：FIN 互相交错，两端都经过 CLOSING。"
            "RST 则不需要 FIN 就终止连接。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(BY_SERVER, CROSSING, ABORT),
        prove=anybody_first,
        values=(
            Ask(
                "fin",
                Text(
                    "server_closes_first: frame of the first FIN",
                    "server_closes_first：首个 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "rst",
                Text(
                    "abort_linger0: frame that ends the connection",
                    "abort_linger0：终止连接的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("either end may close first", "任何一端都可以先关闭"),
                (
                    r"(either|any) (end|side)",
                    r"server (may |can )?closes? first",
                    r"任(何)?一(端|方)",
                    r"服务器[^.]{0,4}先关闭",
                ),
            ),
            Idea(
                Text("both may close at once: CLOSING", "双方可以同时关闭：CLOSING"),
                (r"\bclosing\b", r"(at once|same time|simultaneous)", r"同时关闭"),
            ),
            Idea(
                Text("a RST ends it without FIN", "RST 不需要 FIN 就终止连接"),
                (r"\brst\b", r"\breset", r"复位"),
            ),
        ),
        wrong=(
            Idea(
                Text("only the client may close first", "只有客户端可以先关闭"),
                (r"only the client may", r"只有客户端(可以|能)"),
            ),
        ),
        guess=Guess(
            Text(
                "Both programs call close() at the same moment. What do the FINs do?",
                "双方程序同时调用 close()，两个 FIN 会怎样？",
            ),
            (
                Text("the server's waits for the client's", "服务器的 FIN 等客户端的"),
                Text("they collide, and RST follows", "互相冲突，随后是 RST"),
                Text("they cross on the way", "在途中交错"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the first FIN of each run, if there is one.",
                "看每次运行的首个 FIN（若有）。",
            ),
            Text(
                "Compare its sender, and what it acknowledges.",
                "比较它由谁发出，又确认了什么。",
            ),
        ),
        claim=Text("Host A closes first, when it has sent everything", "主机 A 发完数据后先关闭"),
        truth=Text(
            "A server closed first, two FINs crossed, and a RST needed none",
            "有服务器先关闭的，有两个 FIN 交错的，也有 RST 不用 FIN 的",
        ),
        seen_in=("S1",),
        then=("TD11", "TD04"),
        sources=("RFC 9293 section 3.6 figure 13", "RFC 9293 section 3.5.3"),
    ),
    Question(
        id="E10",
        asks=Text(
            "After A's FIN, B confirms that this direction closes and sends its own FIN. "
            "Is it true that B's FIN follows at once?",
            "A 发出 FIN 后，B 确认这一方向关闭，接着就发出自己的 FIN，对吗？",
        ),
        answer=Text(
            "No. B's kernel acknowledges the FIN by itself. B may still send for as long as it likes: "
            "that is a half-close. B's FIN leaves only when B's application closes.",
            "不对。确认 FIN 的是 B 的内核。B 仍可继续发送，想发多久就发多久，这叫半关闭。"
            "只有 B 的应用程序关闭时，它的 FIN 才会发出。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("half_close",),
        prove=still_sending,
        values=(
            Ask(
                "data",
                Text("Frame with data between the two FINs", "两个 FIN 之间的数据帧号"),
                Unit.FRAME,
            ),
            Ask("fin2", Text("Frame of the server's FIN", "服务器 FIN 的帧号"), Unit.FRAME),
        ),
        ideas=(
            Idea(
                Text("B may still send: a half-close", "B 仍可继续发送：半关闭"),
                (
                    r"still send",
                    r"go on sending",
                    r"half[- ]clos",
                    r"仍(可|能)(以)?(继续)?发",
                    r"半关闭",
                ),
            ),
            Idea(
                Text(
                    "B's FIN leaves when its application closes",
                    "B 的 FIN 要等其应用程序关闭才发出",
                ),
                (
                    r"application (calls )?close",
                    r"when[^.]{0,24}close",
                    r"应用(程序)?[^.]{0,4}关闭",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("B's FIN follows at once", "B 的 FIN 随即发出"),
                (r"fin follows at once", r"fin ?(随即|马上|立即)发出"),
            ),
            Idea(
                Text("A can no longer receive", "A 不能再接收数据"),
                (r"can(not)? no longer receive", r"不能再接收"),
            ),
        ),
        guess=Guess(
            Text(
                "The server has read end of stream, and has an answer to send. Can it?",
                "服务器已读到流结束，还有回复要发。能发吗？",
            ),
            (
                Text("yes, the client still reads it", "能，客户端仍会读到"),
                Text("no, it gets EPIPE", "不能，得到 EPIPE"),
                Text("yes, but a RST comes back", "能，但会收到 RST"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the server's segments between the two FINs.",
                "看两个 FIN 之间服务器发出的报文段。",
            ),
            Text(
                "Compare the time of its ACK, and of its FIN, with its close().",
                "把它的 ACK、FIN 的时间与 close() 相比较。",
            ),
        ),
        claim=Text(
            "B's reply confirms that the direction closes, then B sends FIN",
            "B 的应答确认该方向关闭，然后 B 发 FIN",
        ),
        truth=Text(
            "The server sent data after the FIN; its own came with its close()",
            "服务器在 FIN 之后还发了数据；它自己的 FIN 随 close() 才发出",
        ),
        seen_in=("S1",),
        then=("TD03", "TD12"),
        sources=("RFC 9293 section 3.6.1",),
    ),
)
