"""Statements to set right: what a program is told when the other end closes, resets or dies."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called
from lab.questions.resets import abort
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.socket_timeouts import three_timeouts
from lab.text import Text
from lab.units import short_span

KILLED, UNREAD = "process_killed", "process_killed:unread_data"


def answers_once(runs: Runs) -> Proof:
    """A server that reads once, and a client that sends for ever."""
    run = runs["send_after_peer_close"]
    second, third = run.call("client", "send", 1), run.call("client", "send", 2)
    reply, sent = run.one("S>C +", run.data("S")), run.data("C")
    more, rst, read = run.one("C>S +", sent[1:]), run.first("S>C RST"), run.call("client", "recv")
    meant = bytes.fromhex(read.call.data).decode("gbk", "replace")
    return Proof(
        (
            _one_read(run),
            claim(
                second.outcome == "ok" and rst.absolute == more.absolute_ack,
                Text(
                    "the second send() succeeds; its {n} octets (frame {f}) draw a RST, frame {r}",
                    "第二次 send() 成功；它的 {n} 字节（第 {f} 帧）引来 RST，即第 {r} 帧",
                ).fill(n=more.length, f=more.number, r=rst.number),
                second,
                more,
                rst,
            ),
            claim(
                third.outcome == "EPIPE" and third.before > rst.time,
                Text(
                    "the third send(), after the RST, fails with {error}",
                    "第三次 send() 在 RST 之后，以 {error} 失败",
                ).fill(error=third.outcome),
                rst,
                third,
            ),
            claim(
                reply.time < second.before
                and third.after < read.before
                and read.call.octets == reply.length,
                Text(
                    "the reply lay unread in the client's queue since frame {f}: {n} octets of GBK, {k} characters",
                    "应答自第 {f} 帧起一直留在客户端的接收队列中未读：GBK 编码 {n} 字节，{k} 个字符",
                ).fill(f=reply.number, n=reply.length, k=len(meant)),
                reply,
                second,
                third,
                read,
            ),
        ),
        {
            "rst": rights.frame(rst),
            "error": rights.error(third),
            "reply": rights.octets(reply.length, reply, characters=len(meant)),
        },
    )


def _one_read(run: Run) -> Claim:
    """The server reads, answers, and closes: nobody reads what comes later."""
    accepted, read = run.call("server", "accept"), run.call("server", "recv")
    closed = run.call("server", "close", where=lambda one: one.call.peer == accepted.call.peer)
    fin, reads = run.first("S>C FIN,ACK"), run.calls("server", "recv")
    return claim(
        len(reads) == 1 and read.after < closed.before < fin.time,
        Text(
            "the server calls recv() {k} time, answers and closes: FIN, frame {f}",
            "服务器只调用 {k} 次 recv()，应答后即关闭：FIN，第 {f} 帧",
        ).fill(k=len(reads), f=fin.number),
        read,
        closed,
        fin,
    )


def own_descriptor(runs: Runs) -> Proof:
    """The peer's close is an empty read; EBADF is one's own."""
    run = runs["eof_semantics:ebadf"]
    fin, empty = run.first("S>C FIN,ACK"), run.call("client", "recv")
    closed, failed = run.call("client", "close"), run.call("client", "recv", 1)
    during = run.packets(where=lambda one: failed.before <= one.time <= failed.after)
    return Proof(
        (
            claim(
                empty.outcome == "ok" and empty.call.octets == 0 and fin.time < empty.after,
                Text(
                    "the server's close comes as a FIN (frame {f}): recv() returns {n} octets, no error",
                    "服务器的关闭表现为 FIN（第 {f} 帧）：recv() 返回 {n} 字节，没有错误",
                ).fill(f=fin.number, n=empty.call.octets),
                fin,
                empty,
            ),
            claim(
                failed.outcome == "EBADF" and closed.after < failed.before,
                Text(
                    "only after the client's own close() of descriptor {fd} does recv() fail with {error}",
                    "客户端自己 close() 描述符 {fd} 之后，recv() 才以 {error} 失败",
                ).fill(fd=closed.call.fd, error=failed.outcome),
                closed,
                failed,
            ),
            claim(
                not during and failed.outcome != "ok",
                Text(
                    "that error is local: {n} frames pass during the call, which takes {span}",
                    "这个错误只在本地产生：调用用时 {span}，期间经过 {n} 帧",
                ).fill(n=len(during), span=short_span(failed.lasted)),
                failed,
                run.capture(),
            ),
        ),
        {
            "fin": rights.frame(fin),
            "empty": rights.octets(empty.call.octets or 0, empty),
            "error": rights.error(failed),
        },
    )


def nothing_raised(runs: Runs) -> Proof:
    """FIN: an empty read at once, as often as one asks. RST: an error."""
    run = runs["eof_busy_loop"]
    fin, reads = run.first("C>S FIN,ACK"), run.calls("server", "recv")
    empty = [one for one in reads if _empty(one)]
    first, last = (run.call("server", "recv", nth, where=_empty) for nth in (0, -1))
    spent = last.after - first.before
    own = Proof(
        (
            claim(
                fin.time < first.after and not _failed(run) and len(empty) > 1,
                Text(
                    "after the client's FIN (frame {f}) recv() returns 0 octets {n} times, without an error",
                    "客户端的 FIN（第 {f} 帧）之后，recv() 返回 0 字节共 {n} 次，没有错误",
                ).fill(f=fin.number, n=len(empty)),
                fin,
                *empty[:3],
            ),
            claim(
                0 < spent < 1_000_000_000 and not run.data("C")[1:],
                Text(
                    "they take {span} in all, and no data come: the loop spins",
                    "总共只用 {span}，期间没有数据到来：循环在空转",
                ).fill(span=short_span(spent)),
                first,
                last,
            ),
        ),
        {"fin": rights.frame(fin), "empty": rights.count(len(empty), first, last)},
    )
    return joined(own, part(abort(runs), (2,), "error"))


def _empty(read: Called) -> bool:
    return read.call.octets == 0


def _failed(run: Run) -> tuple[Called, ...]:
    """The calls of the server that raised something."""
    return tuple(one for one in run.calls("server") if one.outcome != "ok")


def hung_up_by_the_kernel(runs: Runs) -> Proof:
    """A process that is killed: FIN; with unread data: RST."""
    clean, unread = runs[KILLED], runs[UNREAD]
    fin, ended = clean.first("S>C FIN,ACK"), clean.call("client", "recv")
    wrote, failed = unread.call("client", "sendall"), unread.call("client", "recv")
    data, rst = unread.one("C>S +", unread.data("C")), unread.first("S>C RST,ACK")
    return Proof(
        (
            claim(
                ended.call.octets == 0
                and fin.time < ended.after
                and not clean.calls("server", "close"),
                Text(
                    "killed with nothing unread: no close(), yet a FIN comes (frame {f}); recv() returns {n}",
                    "被杀死时没有未读数据：没有 close()，却有 FIN（第 {f} 帧）；recv() 返回 {n}",
                ).fill(f=fin.number, n=ended.call.octets),
                fin,
                ended,
            ),
            claim(
                not unread.calls("server", "recv", "close") and rst.ack == data.end,
                Text(
                    "killed with {n} octets unread: the kernel, which took them all (ack {ack}), sends RST, frame {f}",
                    "被杀死时有 {n} 字节未读：内核虽已全部收下（ack {ack}），仍发出 RST，即第 {f} 帧",
                ).fill(n=data.length, ack=rst.ack, f=rst.number),
                data,
                rst,
            ),
            claim(
                wrote.outcome == "ok" and failed.outcome == "ECONNRESET",
                Text(
                    "sendall() had returned without an error; recv() fails with {error}",
                    "sendall() 早已成功返回；recv() 以 {error} 失败",
                ).fill(error=failed.outcome),
                wrote,
                failed,
            ),
        ),
        {"fin": rights.frame(fin), "rst": rights.frame(rst), "error": rights.error(failed)},
    )


def three_limits(runs: Runs) -> Proof:
    """Python's timeout, the kernel's, and TCP's own."""
    return part(three_timeouts(runs), (0, 1, 4), "kernel", "tcp", "probe")


QUESTIONS = (
    Question(
        id="E25",
        asks=Text(
            "A server reads once, answers and closes. Is it true that its client can send for ever?",
            "服务器只读一次，应答后关闭。客户端可以一直发送下去，对吗？",
        ),
        answer=Text(
            "No. The second send() succeeds, but nobody reads it: the server's kernel answers with RST. "
            "The third fails with EPIPE. The reply lies unread in the client's queue all the time.",
            "不对。第二次 send() 虽然成功，却没有人读：服务器的内核以 RST 回应。"
            "第三次以 EPIPE 失败。而应答一直留在客户端的接收队列中未读。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("send_after_peer_close",),
        prove=answers_once,
        values=(
            Ask("rst", Text("Frame of the RST", "RST 的帧号"), Unit.FRAME),
            Ask("error", Text("How the third send() ends", "第三次 send() 的结果"), Unit.ERROR),
            Ask("reply", Text("Octets of the unread reply", "未读应答的字节数"), Unit.OCTETS),
        ),
        ideas=(
            Idea(
                Text("the second message draws a RST", "第二条消息引来 RST"),
                (r"\brst\b", r"\breset", r"复位"),
            ),
            Idea(
                Text("the third send() fails with EPIPE", "第三次 send() 以 EPIPE 失败"),
                (r"epipe", r"broken ?pipe"),
            ),
            Idea(
                Text("the reply stays unread", "应答一直未读"),
                (r"unread", r"(never|not) read", r"未读", r"没有?(被)?读"),
            ),
        ),
        wrong=(
            Idea(
                Text("the second send() fails at once", "第二次 send() 立即失败"),
                (
                    r"second (send\(\) |message )?fails",
                    r"第二次 ?send\(\) ?(立即|马上|就)?(会)?失败",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server has closed. What will the client's next send() do?",
                "服务器已关闭。客户端的下一次 send() 会怎样？",
            ),
            (
                Text("succeed", "成功"),
                Text("fail with EPIPE", "以 EPIPE 失败"),
                Text("block", "阻塞"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at what follows the server's FIN, and at the client's three send() calls.",
                "看服务器的 FIN 之后发生了什么，以及客户端的三次 send()。",
            ),
            Text(
                "Compare the times of the send() calls with that of the RST.",
                "把各次 send() 的时间与 RST 的时间相比较。",
            ),
        ),
        claim=Text(
            "The client sends in an endless loop, and it works", "客户端在循环中不停发送，一切正常"
        ),
        truth=Text(
            "One message is answered; the second draws RST, the third fails with EPIPE",
            "只有第一条得到应答；第二条引来 RST，第三条以 EPIPE 失败",
        ),
        seen_in=("S1",),
        then=("ER02", "ER04"),
        sources=("RFC 9293 section 3.6.1", "send(2) EPIPE"),
    ),
    Question(
        id="E31",
        asks=Text(
            'Is it true that "Bad file descriptor" means that the server has closed the connection?',
            "出现 “Bad file descriptor” 说明服务器关闭了连接，对吗？",
        ),
        answer=Text(
            "No. EBADF is local: the program uses a descriptor that it has closed itself. "
            'A peer that closes shows as an empty read, b"". Later it may be ECONNRESET or EPIPE.',
            "不对。EBADF 是本地错误：程序使用了自己已经关闭的描述符。"
            '对端关闭表现为空读，即 b""；之后才可能是 ECONNRESET 或 EPIPE。',
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("eof_semantics:ebadf",),
        prove=own_descriptor,
        values=(
            Ask("fin", Text("Frame of the server's FIN", "服务器的 FIN 的帧号"), Unit.FRAME),
            Ask(
                "empty",
                Text("Octets that the first recv() returns", "第一次 recv() 返回的字节数"),
                Unit.OCTETS,
            ),
            Ask("error", Text("How the second recv() ends", "第二次 recv() 的结果"), Unit.ERROR),
        ),
        ideas=(
            Idea(
                Text(
                    "EBADF: the own program has closed the descriptor",
                    "EBADF：程序自己关闭了描述符",
                ),
                (
                    r"closed (it )?itself",
                    r"\blocal\b",
                    r"own (program|close)",
                    r"自己(已经?)?关闭",
                    r"本地",
                ),
            ),
            Idea(
                Text("the peer's close shows as an empty read", "对端关闭表现为空读"),
                (r"empty read", r'b""', r"(zero|0|no) octets", r"空读", r"返回(空|0|零)"),
            ),
        ),
        wrong=(
            Idea(
                Text("EBADF comes from the network", "EBADF 来自网络"),
                (
                    r"ebadf (comes from|is sent by|is told by) the (network|peer|server)",
                    r"ebadf ?(来自|由)(网络|对端|服务器)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server closes. What will recv() do first?",
                "服务器关闭连接。recv() 首先会怎样？",
            ),
            (
                Text("fail with EBADF", "以 EBADF 失败"),
                Text("fail with ECONNRESET", "以 ECONNRESET 失败"),
                Text("return no octets", "返回零字节"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the client's calls from the first recv() on.",
                "从第一次 recv() 起看客户端的调用。",
            ),
            Text(
                "Compare the frames before the first recv() with those before the second.",
                "比较两次 recv() 之前各有哪些帧。",
            ),
        ),
        claim=Text(
            "Bad file descriptor: the server has closed the connection",
            "Bad file descriptor 表示服务器关闭了连接",
        ),
        truth=Text(
            "It is an error of the own program; no packet can cause it",
            "这是自己程序的错误；没有任何报文会引起它",
        ),
        seen_in=("S2",),
        then=("SK06",),
        sources=("close(2)", "errno(3)", "recv(2)"),
    ),
    Question(
        id="E42",
        asks=Text(
            "Is it true that a client's close raises an exception in the server?",
            "客户端关闭连接会使服务器抛出异常，对吗？",
        ),
        answer=Text(
            'No. An orderly close is no error: recv() returns b"" at once, as often as it is asked. '
            "A loop that waits for an exception spins for ever. Only a RST raises ECONNRESET.",
            '不对。正常关闭不是错误：recv() 立即返回 b""，问多少次都一样。'
            "等待异常的循环会一直空转。只有 RST 才会引发 ECONNRESET。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("eof_busy_loop", "abort_linger0"),
        prove=nothing_raised,
        values=(
            Ask(
                "fin",
                Text("Loop: frame of the client's FIN", "循环：客户端的 FIN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "empty",
                Text("Loop: empty reads of the server", "循环：服务器空读的次数"),
                Unit.COUNT,
            ),
            Ask(
                "error",
                Text(
                    "abort_linger0: how the server's recv() ends",
                    "abort_linger0：服务器 recv() 的结果",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text('recv() returns b"", without an error', 'recv() 返回 b""，没有错误'),
                (r'b""', r"empty read", r"(zero|0|no) octets", r"空读", r"返回(空|0|零)"),
            ),
            Idea(
                Text("only a RST raises an error", "只有 RST 会引发错误"),
                (r"only a (rst|reset)", r"(rst|reset) raises", r"只有 ?(rst|复位)"),
            ),
            Idea(
                Text("a loop that does not look for it spins", "不检查它的循环会空转"),
                (r"spin", r"endless", r"空转", r"死循环"),
            ),
        ),
        wrong=(
            Idea(
                Text("the FIN raises an exception", "FIN 会引发异常"),
                (r"fin raises an? (exception|error)", r"fin ?会?(引发|抛出)异常"),
            ),
        ),
        guess=Guess(
            Text(
                "The client closes; the server calls recv() again and again. What will happen?",
                "客户端关闭；服务器反复调用 recv()，会怎样？",
            ),
            (
                Text("an exception", "抛出异常"),
                Text("it blocks", "阻塞"),
                Text("it returns at once, empty", "立即返回空"),
            ),
            2,
        ),
        hints=(
            Text("Look at the server's calls after the FIN.", "看 FIN 之后服务器的调用。"),
            Text(
                "Compare how recv() ends after a FIN and after a RST.",
                "比较 recv() 在 FIN 之后与 RST 之后的结果。",
            ),
        ),
        claim=Text(
            "When a client closes, the server's call raises", "客户端一关闭，服务器的调用就抛出异常"
        ),
        truth=Text(
            'FIN gives b"" for ever; only RST raises', 'FIN 之后永远是 b""；只有 RST 才抛出异常'
        ),
        seen_in=("S4",),
        then=("SK06", "E31"),
        sources=("recv(2)", "RFC 9293 section 3.6"),
    ),
    Question(
        id="E44",
        asks=Text(
            "Is it true that ending a program always hangs up cleanly?",
            "程序一结束，连接总会干净地挂断，对吗？",
        ),
        answer=Text(
            "Not always. At exit the kernel closes the descriptors, even of a process that is killed. "
            "It sends FIN if all data were read, but RST if any are unread.",
            "不一定。进程结束时由内核关闭描述符，被杀死时也一样。数据都已读完则发 FIN，还有未读数据则发 RST。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(KILLED, UNREAD),
        prove=hung_up_by_the_kernel,
        values=(
            Ask(
                "fin",
                Text("Nothing unread: frame of the FIN", "没有未读数据：FIN 的帧号"),
                Unit.FRAME,
            ),
            Ask("rst", Text("Data unread: frame of the RST", "有未读数据：RST 的帧号"), Unit.FRAME),
            Ask(
                "error",
                Text(
                    "Data unread: how the client's recv() ends", "有未读数据：客户端 recv() 的结果"
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("the kernel closes the descriptors", "由内核关闭描述符"),
                (r"kernel closes", r"内核(会|来|负责)?关闭"),
            ),
            Idea(
                Text("RST if data are unread", "有未读数据则发 RST"),
                (r"rst if", r"unread[^.]{0,20}rst", r"未读[^.]{0,8}rst"),
            ),
        ),
        wrong=(
            Idea(
                Text("a killed process sends nothing", "被杀死的进程什么也不发"),
                (r"killed process sends nothing", r"被杀死的进程(什么也|不会)"),
            ),
        ),
        guess=Guess(
            Text(
                "A server is killed; octets that it never read are in its buffer. What is sent?",
                "服务器被杀死，缓冲区中还有未读的字节。会发出什么？",
            ),
            (Text("FIN", "FIN"), Text("RST", "RST"), Text("nothing", "什么也不发")),
            1,
        ),
        hints=(
            Text(
                "Look at the last segment of the server in both runs.",
                "看两次运行中服务器的最后一个报文段。",
            ),
            Text("Compare what the client had sent before it.", "比较在此之前客户端发送过什么。"),
        ),
        claim=Text("Closing the program is hanging up", "关掉程序就等于挂断电话"),
        truth=Text(
            "The kernel hangs up: politely with FIN, or with RST if data are unread",
            "挂断的是内核：礼貌地发 FIN，若有未读数据则发 RST",
        ),
        seen_in=("S4",),
        then=("ER06", "ER02"),
        sources=("RFC 9293 section 3.6.1", "RFC 2525 section 2.17", "_exit(2)"),
    ),
    Question(
        id="E46",
        asks=Text(
            "Is it true that settimeout() sets the socket's own blocking limit, SO_RCVTIMEO?",
            "settimeout() 设置的就是套接字自身的阻塞时限 SO_RCVTIMEO，对吗？",
        ),
        answer=Text(
            "No. Python makes the descriptor non-blocking, polls, and raises a TimeoutError of its own, "
            "without an errno. SO_RCVTIMEO is the kernel's limit and gives EAGAIN. "
            "When TCP itself gives up it is ETIMEDOUT.",
            "不对。Python 把描述符设为非阻塞，再用 poll 等待，到时抛出自己的 TimeoutError，没有 errno。"
            "SO_RCVTIMEO 是内核的时限，得到 EAGAIN。TCP 自己放弃时则是 ETIMEDOUT。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("recv_timeouts",),
        prove=three_limits,
        values=(
            Ask(
                "kernel",
                Text("How recv() ends with SO_RCVTIMEO", "设置 SO_RCVTIMEO 时 recv() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "tcp",
                Text("How recv() ends when TCP gives up", "TCP 放弃连接时 recv() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "probe",
                Text("Frame of the lost probe before that", "在此之前丢失的探测报文的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "settimeout() is Python's own: non-blocking and poll",
                    "settimeout() 是 Python 自己的：非阻塞加 poll",
                ),
                (r"python", r"non-?blocking", r"poll", r"非阻塞"),
            ),
            Idea(
                Text("SO_RCVTIMEO gives EAGAIN", "SO_RCVTIMEO 得到 EAGAIN"),
                (r"eagain",),
            ),
            Idea(
                Text("ETIMEDOUT means that TCP gave up", "ETIMEDOUT 表示 TCP 放弃了连接"),
                (r"etimedout", r"gives? up", r"放弃"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "a timeout of settimeout() ends the connection", "settimeout() 超时会结束连接"
                ),
                (
                    r"timeout[^.]{0,25}(ends|closes|resets) the connection",
                    r"超时会?(结束|关闭|断开)连接",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "SO_RCVTIMEO is 0.2 s, and nothing comes. How will recv() end?",
                "SO_RCVTIMEO 为 0.2 秒，没有数据到来。recv() 的结果是什么？",
            ),
            (
                Text("ETIMEDOUT", "ETIMEDOUT"),
                Text("EAGAIN", "EAGAIN"),
                Text("an empty read", "空读"),
            ),
            1,
        ),
        hints=(
            Text("Look at the client's failing recv() calls.", "看客户端失败的各次 recv()。"),
            Text(
                "Compare the error of each with the call that was made just before it.",
                "把每次的错误与紧挨在它之前的调用相比较。",
            ),
        ),
        claim=Text(
            "settimeout() sets SO_RCVTIMEO of the socket", "settimeout() 设置套接字的 SO_RCVTIMEO"
        ),
        truth=Text(
            "Three limits, three errors: Python's without an errno, EAGAIN, ETIMEDOUT",
            "三种时限，三种错误：Python 的没有 errno，另外两种是 EAGAIN 与 ETIMEDOUT",
        ),
        seen_in=("S2",),
        then=("SK10",),
        sources=("socket(7) SO_RCVTIMEO", "Python documentation, socket.settimeout"),
    ),
)
