"""Where a RST comes from, and how its numbers are chosen."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

MODULUS = 1 << 32


def drawn_by(run: Run, rst: Segment) -> Segment:
    """The last segment of the other end before a RST: what it answers."""
    sent = run.all(before=rst, where=lambda one: one.sender != rst.sender)
    return run.one("segment before the RST", sent[::-1])


def refusal(run: Run) -> tuple[Segment, Segment]:
    """The SYN to a closed port, and the RST."""
    syn = run.first("C>S SYN")
    return syn, run.first("S>C RST,ACK", after=syn)


def answers_syn(run: Run) -> Claim:
    """Nothing to take a number from: 0, and the SYN acknowledged."""
    syn, rst = refusal(run)
    words = Text(
        "closed port: the SYN has no ACK, so the RST,ACK has seq {seq} and ack {ack} = {isn} + 0 + 1",
        "端口未监听：SYN 不带 ACK，故 RST,ACK 的 seq 为 {seq}，ack {ack} = {isn} + 0 + 1",
    ).fill(seq=rst.absolute, ack=rst.absolute_ack, isn=syn.absolute)
    kept = rst.absolute == 0 and rst.absolute_ack == (syn.absolute + 1) % MODULUS
    return claim(kept and "ACK" not in syn.flags, words, syn, rst)


def answers_data(run: Run, cause: Text) -> Claim:
    """The peer said what it expects: that number, and no ACK."""
    rst = run.first("S>C RST")
    data = drawn_by(run, rst)
    words = Text(
        "{cause}: the data carry ack {ack}, so the RST has seq {seq} and no ACK",
        "{cause}：数据带有 ack {ack}，故 RST 的 seq 为 {seq}，不带 ACK",
    ).fill(cause=cause, ack=data.absolute_ack, seq=rst.absolute)
    kept = data.length > 0 and rst.absolute == data.absolute_ack and "ACK" not in rst.flags
    return claim(kept, words, data, rst)


# ---------------------------------------------------------------- causes


def causes(runs: Runs) -> Proof:
    """Six ways to a RST, each with its own numbers."""
    refused, unread, abort = (
        runs[name] for name in ("rst_refused", "rst_unread_data", "abort_linger0")
    )
    closed, reboot, waiting = (
        runs[name] for name in ("send_after_peer_close", "half_open_reboot", "data_before_accept")
    )
    return Proof(
        (
            answers_syn(refused),
            _unread(unread),
            _linger(abort),
            answers_data(
                closed, Text("data for a socket that was closed", "数据发给已关闭的套接字")
            ),
            answers_data(reboot, Text("data for a peer that restarted", "数据发给重启过的对端")),
            _never_accepted(waiting),
        ),
        {
            "refused": rights.frame(refusal(refused)[1]),
            "unread": rights.frame(unread.first("S>C RST,ACK")),
            "abort": rights.frame(abort.first("C>S RST,ACK")),
            "reboot": rights.frame(reboot.first("S>C RST")),
        },
    )


def _unread(run: Run) -> Claim:
    _, synack, _ = run.opening()
    rst = run.first("S>C RST,ACK")
    data, read = drawn_by(run, rst), run.calls("server", "recv")
    words = Text(
        "{n} octets never read at close(): RST,ACK with its own next seq {seq}, although ack {ack} took them",
        "close() 时有 {n} 字节未读：RST,ACK 用自己的下一个序号 {seq}，而 ack {ack} 已确认这些数据",
    ).fill(n=data.length, seq=rst.absolute, ack=rst.absolute_ack)
    kept = not read and rst.absolute == (synack.absolute + 1) % MODULUS and rst.ack == data.end
    return claim(kept and data.length > 0, words, synack, data, rst)


def _linger(run: Run) -> Claim:
    _, _, ack = run.opening()
    rst, option = run.first("C>S RST,ACK"), _linger_option(run)
    words = Text(
        "SO_LINGER with 0 s: close() sends RST,ACK in the place of FIN, with the seq {seq} that is next",
        "SO_LINGER 为 0 秒：close() 以 RST,ACK 代替 FIN，seq 为下一个序号 {seq}",
    ).fill(seq=rst.absolute)
    kept = rst.absolute == ack.absolute and not run.all(where=lambda one: "FIN" in one.flags)
    return claim(kept and option.before < rst.time, words, option, ack, rst)


def _linger_option(run: Run) -> Called:
    return run.call("client", "setsockopt", where=lambda one: "SO_LINGER" in one.call.arguments)


def _never_accepted(run: Run) -> Claim:
    rst, closed = run.first("S>C RST,ACK"), run.call("server", "close")
    data = drawn_by(run, rst)
    words = Text(
        "the listener is closed, nobody has accepted: RST,ACK, though {n} octets are acknowledged (ack {ack})",
        "监听套接字关闭，连接尚未被 accept：RST,ACK，虽然 {n} 字节已被确认（ack {ack}）",
    ).fill(n=data.length, ack=rst.absolute_ack)
    kept = closed.before < rst.time and rst.ack == data.end and not run.calls("server", "accept")
    return claim(kept, words, data, closed, rst)


# ---------------------------------------------------------------- numbers


def numbers(runs: Runs) -> Proof:
    """The two rules of RFC 9293 section 3.5.2."""
    refused, closed = runs["rst_refused"], runs["send_after_peer_close"]
    _, rst = refusal(refused)
    other = closed.first("S>C RST")
    fin = closed.first("S>C FIN,ACK")
    return Proof(
        (
            answers_syn(refused),
            answers_data(closed, Text("closed socket", "已关闭的套接字")),
            claim(
                other.absolute == (fin.absolute + fin.length + 1) % MODULUS,
                Text(
                    "that seq, {seq}, is just what the client expects after the FIN: {fin} + 1, so it believes it",
                    "该 seq {seq} 正是客户端在 FIN 之后期待的序号：{fin} + 1，因此会接受它",
                ).fill(seq=other.absolute, fin=fin.absolute + fin.length),
                fin,
                other,
            ),
        ),
        {
            "to_syn": rights.frame(rst),
            "ack": rights.sequence(rst, ack=True),
            "to_data": rights.frame(other),
            "seq": rights.sequence(other),
        },
    )


# ---------------------------------------------------------------- abort


def abort(runs: Runs) -> Proof:
    """One RST, no FIN, no TIME-WAIT, an error at the peer."""
    run = runs["abort_linger0"]
    option, closed = _linger_option(run), run.call("client", "close")
    rst, read = run.first("C>S RST,ACK"), run.call("server", "recv")
    fins = run.all(where=lambda one: "FIN" in one.flags)
    waiting = [
        stay
        for host in ("client", "server")
        for socket in run.sockets(host, lambda life: life.peer is not None)
        for stay in socket.stays
        if stay.state == "TIME-WAIT"
    ]
    return Proof(
        (
            claim(
                option.after < closed.before < rst.time,
                Text(
                    "after SO_LINGER with 0 s, close() sends frame {n}: {flags}",
                    "SO_LINGER 设为 0 秒后，close() 发出第 {n} 帧：{flags}",
                ).fill(n=rst.number, flags="RST,ACK"),
                option,
                closed,
                rst,
            ),
            claim(
                not fins and not waiting,
                Text(
                    "{n} FIN in the capture, {m} sockets in TIME-WAIT at either end: no guard against old segments",
                    "抓包中 FIN 有 {n} 个，两端处于 TIME-WAIT 的套接字有 {m} 个：不再防范旧报文段",
                ).fill(n=len(fins), m=len(waiting)),
                run.capture(),
            ),
            claim(
                read.outcome == "ECONNRESET" and read.after > rst.time,
                Text("the peer's recv() fails with {error}", "对端的 recv() 以 {error} 失败").fill(
                    error=read.outcome
                ),
                read,
                rst,
            ),
        ),
        {
            "rst": rights.frame(rst),
            "fins": rights.count(len(fins), run.capture()),
            "error": rights.error(read),
            "seq": rights.sequence(rst),
        },
    )


NO_ACK_RULE = Idea(
    Text("it takes its seq from the ACK field, and has no ACK", "序号取自对方的确认号，不带 ACK"),
    (
        r"seq (is|=|from|equals)?.*(that|the) ack",
        r"seq from the ack",
        r"(seq|序号) ?(就是|取自|等于)?.*确认号",
    ),
)
ZERO_RULE = Idea(
    Text("otherwise seq 0, and ack covers the segment", "否则 seq 为 0，ack 覆盖收到的报文段"),
    (r"seq (is )?0", r"seq ?(为|=|是) ?0", r"序号为 ?0"),
)

QUESTIONS = (
    Question(
        id="ER03",
        asks=Text("List the causes of RST you can produce.", "哪些情况会产生 RST？"),
        answer=Text(
            "A closed port; close with unread data; SO_LINGER 0; data to a connection that no longer exists; a "
            "listener closed with connections pending. Also accept-queue overflow with "
            "tcp_abort_on_overflow, and forged segments.",
            "端口未监听；关闭时有未读数据；SO_LINGER 为 0；向已不存在的连接发数据；监听套接字关闭时仍有未接受的连接。"
            "此外还有全连接队列溢出且 tcp_abort_on_overflow 为 1；伪造的报文段。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=(
            "rst_refused",
            "rst_unread_data",
            "abort_linger0",
            "send_after_peer_close",
            "half_open_reboot",
            "data_before_accept",
        ),
        prove=causes,
        values=tuple(
            Ask(name, Text(f"Frame of the RST: {en}", f"RST 的帧号：{zh}"), Unit.FRAME)
            for name, en, zh in (
                ("refused", "closed port", "端口未监听"),
                ("unread", "close with unread data", "关闭时有未读数据"),
                ("abort", "SO_LINGER 0", "SO_LINGER 为 0"),
                ("reboot", "peer restarted", "对端重启"),
            )
        ),
        ideas=(
            Idea(
                Text("a closed port", "端口未监听"),
                (r"(closed|unused) port|no(body|thing)? listen", r"未监听|没有监听"),
            ),
            Idea(
                Text("close with unread data", "关闭时有未读数据"),
                (r"unread", r"未读"),
            ),
            Idea(
                Text("SO_LINGER 0", "SO_LINGER 为 0"),
                (r"linger", r"强制关闭"),
            ),
            Idea(
                Text("data to a connection that no longer exists", "向已不存在的连接发数据"),
                (r"no longer exist", r"(vanished|unknown|dead) connection", r"不存在的连接"),
            ),
        ),
        wrong=(
            Idea(
                Text("a lost segment causes a RST", "丢包会引发 RST"),
                (r"lost segment causes", r"丢包会?(引发|导致|产生)"),
            ),
        ),
        guess=Guess(
            Text(
                "A program closes a socket without having read what arrived. What does the peer get?",
                "程序没有读取已到达的数据就关闭套接字，对端会收到什么？",
            ),
            (Text("FIN", "FIN"), Text("nothing", "什么也没有"), Text("RST", "RST")),
            2,
        ),
        hints=(
            Text("In each run, look for the flag RST.", "在每次运行中寻找 RST 标志。"),
            Text(
                "Compare it with the segment just before and with the calls around it.",
                "与它前一个报文段以及前后的调用相比较。",
            ),
        ),
        then=("ER04", "ER02"),
        sources=("RFC 9293 section 3.5.2", "RFC 9293 section 3.6.1", "socket(7) SO_LINGER"),
    ),
    Question(
        id="ER04",
        asks=Text(
            "How are sequence and acknowledgment number of a RST chosen?",
            "RST 的序号和确认号如何确定？",
        ),
        answer=Text(
            "If the incoming segment had ACK: seq is that ack, and the RST has no ACK. Otherwise seq is 0 and "
            "ack = its seq + its length, where SYN counts one.",
            "收到的报文段带 ACK：RST 的序号就是它的确认号，不带 ACK。否则 seq 为 0，ack = 其序号 + 长度，SYN 计一。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("rst_refused", "send_after_peer_close"),
        prove=numbers,
        values=(
            Ask("to_syn", Text("Frame of the RST to a SYN", "回应 SYN 的 RST 帧号"), Unit.FRAME),
            Ask("ack", Text("Its acknowledgment number", "它的确认号"), Unit.SEQUENCE),
            Ask("to_data", Text("Frame of the RST to data", "回应数据的 RST 帧号"), Unit.FRAME),
            Ask("seq", Text("Its sequence number", "它的序号"), Unit.SEQUENCE),
        ),
        ideas=(NO_ACK_RULE, ZERO_RULE),
        wrong=(
            Idea(
                Text("the numbers of a RST are random", "RST 的序号是随机的"),
                (r"random", r"随机"),
            ),
            Idea(
                Text("a RST always has ACK set", "RST 总是带 ACK"),
                (r"rst always", r"rst ?总是"),
            ),
        ),
        guess=Guess(
            Text(
                "Data with ack 14 come to a socket that is gone. What does the RST carry?",
                "ack 为 14 的数据到达已不存在的套接字，RST 携带什么？",
            ),
            (
                Text("seq 14, no ACK", "seq 14，不带 ACK"),
                Text("seq 0, ACK", "seq 0，带 ACK"),
                Text("any number", "任意序号"),
            ),
            0,
        ),
        hints=(
            Text("Look at both RSTs, absolute numbers shown.", "显示绝对序号，看这两个 RST。"),
            Text(
                "Compare each with seq and ack of the segment that it answers.",
                "与它所回应的报文段的 seq 和 ack 相比较。",
            ),
        ),
        then=("ER03",),
        sources=("RFC 9293 section 3.5.2",),
    ),
    Question(
        id="ER05",
        asks=Text(
            "What does SO_LINGER with timeout 0 do, and why not use it against TIME-WAIT?",
            "SO_LINGER 设为 0 会怎样？为何不应用来消除 TIME-WAIT？",
        ),
        answer=Text(
            "close sends RST instead of FIN, and unsent data is dropped. The peer gets ECONNRESET. "
            "Neither end enters TIME-WAIT, so nothing guards the next connection against old segments.",
            "close 发送 RST 而不是 FIN，未发送的数据被丢弃，对端得到 ECONNRESET。两端都不进入 TIME-WAIT，"
            "也就失去了它的保护：旧报文段可能混入新连接。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("abort_linger0",),
        prove=abort,
        values=(
            Ask("rst", Text("Frame of the RST", "RST 的帧号"), Unit.FRAME),
            Ask("fins", Text("FIN segments in the capture", "抓包中 FIN 报文段的数目"), Unit.COUNT),
            Ask("error", Text("How the peer's recv() ends", "对端 recv() 的结果"), Unit.ERROR),
            Ask("seq", Text("Sequence number of the RST", "RST 的序号"), Unit.SEQUENCE),
        ),
        ideas=(
            Idea(
                Text("close sends RST instead of FIN", "close 发送 RST 而不是 FIN"),
                (r"\brst\b",),
            ),
            Idea(
                Text("the peer gets ECONNRESET", "对端得到 ECONNRESET"),
                (r"econnreset|connection reset", r"连接被(对端)?重置"),
            ),
            Idea(
                Text("the protection of TIME-WAIT is lost", "失去 TIME-WAIT 的保护"),
                (
                    r"(protection|guard).*(lost|against|no)",
                    r"old segments",
                    r"(失去|不再).*保护",
                    r"旧报文段",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("it is the right cure for TIME-WAIT", "这是消除 TIME-WAIT 的正确办法"),
                (r"(right|good|best) (cure|way|remedy)", r"(正确|好|最佳)的?(办法|方法|做法)"),
            ),
        ),
        guess=Guess(
            Text(
                "SO_LINGER with 0 s, then close(). What does the peer see?",
                "SO_LINGER 设为 0 秒后 close()，对端看到什么？",
            ),
            (
                Text("FIN, a little later", "稍后到来的 FIN"),
                Text("RST at once", "立即到来的 RST"),
                Text("nothing", "什么也没有"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the frames after the handshake and at the state lanes.",
                "看握手之后的帧和两侧的状态栏。",
            ),
            Text(
                "Compare with an ordinary close: which segments and which state are missing?",
                "与正常关闭相比较：少了哪些报文段、哪个状态？",
            ),
        ),
        then=("ER12", "ER03"),
        sources=("socket(7) SO_LINGER", "RFC 1337", "RFC 9293 section 3.10.5"),
    ),
)
