"""What a program is told of a RST: which call fails, with which error, and what it can still read."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.resets import drawn_by
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.servers import first_data
from lab.text import Text
from lab.units import short_span


def two_errors(runs: Runs) -> Proof:
    """ECONNRESET for who waits, EPIPE for who writes on."""
    unread, closed, half = (
        runs[name] for name in ("rst_unread_data", "send_after_peer_close", "half_close")
    )
    rst, read = unread.first("S>C RST,ACK"), unread.call("client", "recv")
    fin, other = closed.first("S>C FIN,ACK"), closed.first("S>C RST")
    data = drawn_by(closed, other)
    first, second = closed.call("client", "send", 1), closed.call("client", "send", 2)
    shut, late = half.first("C>S FIN,ACK"), half.call("client", "send")
    return Proof(
        (
            claim(
                read.outcome == "ECONNRESET" and read.after > rst.time,
                Text(
                    "a RST on an open connection: the recv() that returns {later} after it fails with {error}",
                    "连接正常时收到 RST：{later} 后返回的 recv() 以 {error} 失败",
                ).fill(later=short_span(read.after - rst.time), error=read.outcome),
                rst,
                read,
            ),
            claim(
                fin.time < data.time < other.time and first.call.octets == data.length,
                Text(
                    "the first send() after the peer's FIN succeeds with {n} octets, and draws a RST",
                    "对端 FIN 之后第一次 send() 成功（{n} 字节），并引来 RST",
                ).fill(n=data.length),
                fin,
                first,
                data,
                other,
            ),
            claim(
                second.outcome == "EPIPE" and second.before > other.time,
                Text(
                    "the next send(), after the RST, fails with {error}",
                    "RST 之后的下一次 send() 以 {error} 失败",
                ).fill(error=second.outcome),
                other,
                second,
            ),
            claim(
                late.outcome == "EPIPE" and not half.data("C")[1:] and late.after > shut.time,
                Text(
                    "after one's own shutdown(SHUT_WR), send() fails with {error} at once: no segment, no RST",
                    "自己 shutdown(SHUT_WR) 之后，send() 立即以 {error} 失败：没有报文段，也没有 RST",
                ).fill(error=late.outcome),
                shut,
                late,
            ),
        ),
        {
            "rst": rights.frame(rst),
            "read": rights.error(read),
            "draws": rights.frame(data),
            "send": rights.error(second),
        },
    )


def survives(runs: Runs) -> Proof:
    """The data that arrived before the RST, the reads that came after it."""
    run = runs["abort_linger0:queued_data"]
    data, rst = first_data(run, "C", 0), run.first("C>S RST,ACK")
    read, failed = run.call("server", "recv", 0), run.call("server", "recv", 1)
    arrived = run.arrival(rst) or rst.time
    return Proof(
        (
            claim(
                data.time < rst.time and rst.seq == data.end,
                Text(
                    "{n} octets arrive, then the RST {gap} behind them, at seq {seq}",
                    "先到 {n} 字节，{gap} 后到 RST，seq 为 {seq}",
                ).fill(n=data.length, gap=short_span(rst.time - data.time), seq=rst.seq),
                data,
                rst,
            ),
            claim(
                read.call.octets == data.length and read.before > arrived,
                Text(
                    "a recv() that begins {later} after the RST still returns all {n} octets",
                    "RST 到达 {later} 之后才开始的 recv() 仍返回全部 {n} 字节",
                ).fill(later=short_span(read.before - arrived), n=read.call.octets),
                rst,
                read,
            ),
            claim(
                failed.outcome == "ECONNRESET" and failed.before > read.after,
                Text("only the next recv() fails: {error}", "之后的 recv() 才失败：{error}").fill(
                    error=failed.outcome
                ),
                read,
                failed,
            ),
        ),
        {
            "first": rights.octets(read.call.octets or 0, read),
            "second": rights.error(failed),
            "rst": rights.frame(rst),
        },
    )


QUESTIONS = (
    Question(
        id="ER02",
        asks=Text(
            "ECONNRESET and EPIPE: when does each occur?", "ECONNRESET 和 EPIPE 分别何时出现？"
        ),
        answer=Text(
            "ECONNRESET: a RST came while the connection was up, and a read or write tells of it. "
            "EPIPE: writing when the local side knows it cannot. That is after its own SHUT_WR, or after a RST "
            "that followed the peer's FIN. SIGPIPE comes with it; Python ignores that signal.",
            "连接正常时收到 RST，读写得到 ECONNRESET。对端已关闭后，第一次写仍成功并引来 RST，再写得到 EPIPE；"
            "自己 SHUT_WR 之后写也是 EPIPE。同时会触发 SIGPIPE，Python 默认忽略它。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=("rst_unread_data", "send_after_peer_close", "half_close"),
        prove=two_errors,
        values=(
            Ask(
                "rst",
                Text("Close with unread data: frame of the RST", "有未读数据时关闭：RST 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "read",
                Text("How the client's recv() ends there", "此时客户端 recv() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "draws",
                Text(
                    "Writing to a closed peer: frame that draws the RST",
                    "向已关闭的对端写：引来 RST 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "send",
                Text("How the send() after that RST ends", "该 RST 之后 send() 的结果"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("ECONNRESET: a RST arrived", "ECONNRESET：收到了 RST"),
                (r"econnreset.*\brst\b", r"\brst\b.*econnreset"),
            ),
            Idea(
                Text(
                    "EPIPE: writing after one knows that it cannot work", "EPIPE：明知写不了仍然写"
                ),
                (r"epipe.*(writ|send)", r"(再|仍然|之后)写.*epipe", r"epipe.*写"),
            ),
            Idea(
                Text("EPIPE comes with SIGPIPE", "EPIPE 同时触发 SIGPIPE"),
                (r"sigpipe",),
            ),
        ),
        wrong=(
            Idea(
                Text("the first write after the peer's close fails", "对端关闭后第一次写就失败"),
                (r"first (write|send).*fails", r"第一次写就(会)?失败"),
            ),
        ),
        guess=Guess(
            Text(
                "The peer has closed, its FIN is here. What does the next send() do?",
                "对端已关闭，FIN 已到。下一次 send() 会怎样？",
            ),
            (
                Text("fail with EPIPE", "以 EPIPE 失败"),
                Text("fail with ECONNRESET", "以 ECONNRESET 失败"),
                Text("succeed", "成功"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's send() and recv() calls around each RST.",
                "看每个 RST 前后客户端的 send() 与 recv()。",
            ),
            Text(
                "Compare the time of each call with that of FIN and RST.",
                "把每次调用的时间与 FIN、RST 的时间相比较。",
            ),
        ),
        then=("ER03", "ER12"),
        sources=("send(2) EPIPE", "recv(2)", "signal(7) SIGPIPE"),
    ),
    Question(
        id="ER12",
        asks=Text(
            "Does RST destroy data that has already arrived but was not read?",
            "RST 会丢弃对端已到达但未读的数据吗？",
        ),
        answer=Text(
            "Not on Linux: queued data can still be read, and then comes ECONNRESET. Data that had not arrived "
            "is lost. The RFC lets the receiver discard its queue.",
            "在 Linux 上不会：已到达的数据仍可读出，之后才是 ECONNRESET。尚未到达的数据则丢失。"
            "RFC 允许接收方丢弃队列中的数据。",
        ),
        kind=Kind.PREDICT,
        level=3,
        interview="medium",
        runs=("abort_linger0:queued_data",),
        prove=survives,
        values=(
            Ask(
                "first",
                Text(
                    "Octets that the first recv() after the RST returns",
                    "RST 之后第一次 recv() 返回的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask("second", Text("How the second recv() ends", "第二次 recv() 的结果"), Unit.ERROR),
            Ask("rst", Text("Frame of the RST", "RST 的帧号"), Unit.FRAME),
        ),
        ideas=(
            Idea(
                Text("what arrived can still be read", "已到达的数据仍可读出"),
                (r"still be read", r"(can|may) be read", r"(仍|还)可?(能|以)?读出?"),
            ),
            Idea(
                Text("then comes ECONNRESET", "之后是 ECONNRESET"),
                (r"econnreset|connection reset", r"连接被(对端)?重置"),
            ),
        ),
        wrong=(
            Idea(
                Text("the RST deletes the receive buffer", "RST 会清空接收缓冲区"),
                (
                    r"rst (deletes|empties|clears|destroys)",
                    r"rst ?会(清空|删除|丢弃)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Ten octets arrive, then a RST; only then the program reads. What does it get?",
                "先到十个字节，再到 RST，程序此时才读。会读到什么？",
            ),
            (
                Text("the ten octets, then ECONNRESET", "先是十个字节，再是 ECONNRESET"),
                Text("ECONNRESET at once", "立即 ECONNRESET"),
                Text("the end of the stream", "流的结束"),
            ),
            0,
        ),
        hints=(
            Text("Look at the server's two recv() calls.", "看服务器的两次 recv()。"),
            Text(
                "Compare their times with the arrival of the RST.",
                "把它们的时间与 RST 到达的时间相比较。",
            ),
        ),
        then=("ER05",),
        sources=("RFC 9293 section 3.10.7.4", "recv(2)"),
    ),
)
