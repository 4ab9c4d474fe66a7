"""TIME-WAIT: who gets it, what it is good for, and what may end it."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.closing import HOSTS, acknowledges
from lab.questions.pieces import Segment, Stayed
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.tcp_options import timestamps
from lab.questions.waiting_to_close import BY_CLIENT, LENGTH
from lab.text import Text
from lab.units import MODULUS, SequenceNumber, short_span

BY_SERVER = "time_wait_basics:server_side"
LAST_ACK_LOST = "time_wait_basics:last_ack_lost"


def whoever_closes_first(runs: Runs) -> Proof:
    """TIME-WAIT is where the first FIN came from; where two FINs crossed it is at both ends."""
    fins = {name: first_fin(runs[name]) for name in (BY_CLIENT, BY_SERVER)}
    return Proof(
        (
            _only_at(runs[BY_CLIENT], "client", "server"),
            _only_at(runs[BY_SERVER], "server", "client"),
            _at_both(runs["close_simultaneous"]),
        ),
        {
            "client_side": rights.frame(fins[BY_CLIENT]),
            "server_side": rights.frame(fins[BY_SERVER]),
            "host": rights.name("server", *in_time_wait(runs[BY_SERVER], "server")),
        },
    )


def first_fin(run: Run) -> Segment:
    """The first FIN of a run's first connection: its sender closes actively."""
    return run.first(where=lambda one: "FIN" in one.flags)


def in_time_wait(run: Run, host: str) -> tuple[Stayed, ...]:
    """The stays in TIME-WAIT that a host's kernel told of."""
    sockets = run.sockets(host, lambda life: life.peer is not None)
    return tuple(one.stay("TIME-WAIT") for one in sockets if "TIME-WAIT" in one.states)


def _only_at(run: Run, closer: str, other: str) -> Claim:
    fin, gone = first_fin(run), run.socket(other).stay("CLOSED")
    kept = run.socket(closer).stay("TIME-WAIT")
    alone = in_time_wait(run, closer) == (kept,) and not in_time_wait(run, other)
    return claim(
        alone and fin.sender == closer[0].upper(),
        Text(
            "frame {n}, the first FIN, is the {closer}'s: TIME-WAIT is at the {closer}, "
            "and the {other}'s socket is gone",
            "首个 FIN（第 {n} 帧）由{closer}发出：TIME-WAIT 在{closer}，{other}的套接字已消失",
        ).fill(n=fin.number, closer=HOSTS[closer], other=HOSTS[other]),
        fin,
        kept,
        gone,
    )


def _at_both(run: Run) -> Claim:
    ours, theirs = run.first("C>S FIN,ACK"), run.first("S>C FIN,ACK")
    kept = tuple(run.socket(host).stay("TIME-WAIT") for host in ("client", "server"))
    return claim(
        not acknowledges(ours, theirs) and not acknowledges(theirs, ours),
        Text(
            "when the FINs cross (frames {a}, {b}) both ends have closed first, and both get it",
            "两个 FIN 交错时（第 {a}、{b} 帧），双方都算先关闭，双方都有 TIME-WAIT",
        ).fill(a=ours.number, b=theirs.number),
        ours,
        theirs,
        *kept,
    )


def last_ack_again(runs: Runs) -> Proof:
    """TIME-WAIT answers the repeated FIN; and new numbers begin where old segments cannot fit."""
    run = runs[LAST_ACK_LOST]
    fin = run.first("S>C FIN,ACK")
    lost = run.first("C>S ACK lost", after=fin)
    again = run.first("S>C FIN,ACK", after=lost)
    answer = run.first("C>S ACK", after=again)
    kept, closed = run.socket("client").stay("TIME-WAIT"), run.call("client", "close")
    waiting, gone = (run.socket("server").stay(state) for state in ("LAST-ACK", "CLOSED"))
    return Proof(
        (
            claim(
                again.absolute == fin.absolute and lost.time < again.time,
                Text(
                    "the last ACK is lost: after {span} the server repeats its FIN, seq {seq}",
                    "最后一个 ACK 丢失：{span} 后服务器重传 FIN，seq {seq}",
                ).fill(span=short_span(again.time - fin.time), seq=again.absolute),
                fin,
                lost,
                again,
            ),
            claim(
                kept.by < again.time and closed.after < again.time and acknowledges(answer, again),
                Text(
                    "the client's program has closed, but its kernel is in TIME-WAIT: "
                    "it acknowledges {ack} = {seq} + 1 once more",
                    "客户端程序早已关闭，内核却在 TIME-WAIT 中：再次确认 {ack} = {seq} + 1",
                ).fill(ack=answer.absolute_ack, seq=again.absolute),
                kept,
                closed,
                again,
                answer,
            ),
            claim(
                waiting.by < again.time and gone.by > answer.time,
                Text(
                    "only that takes the server from LAST-ACK, where it was for {span}, to CLOSED",
                    "服务器停在 LAST-ACK 达 {span}，直到这时才 CLOSED",
                ).fill(span=short_span(waiting.lasted)),
                waiting,
                answer,
                gone,
            ),
            _beyond(runs["time_wait_new_syn"]),
        ),
        {
            "fin": rights.frame(again, instead=fin),
            "ack": rights.frame(answer, instead=lost),
            "span": rights.span(again.time - fin.time, fin, again),
        },
    )


def _beyond(run: Run) -> Claim:
    """Where the same ports are used again at once, both ends begin beyond their old numbers."""
    synack, syn = run.first("S>C SYN,ACK", stream=1), run.first("C>S SYN", stream=1)
    ends = run.first("C>S FIN,ACK"), run.first("S>C FIN,ACK")
    client, server = (_ahead(new, old) for new, old in zip((syn, synack), ends, strict=True))
    return claim(
        min(client, server) > 0 and run.connection(0).client == run.connection(1).client,
        Text(
            "old segments must not fit: when the ports are used again early, "
            "the ends begin {c} and {s} numbers beyond the old ones",
            "旧报文段不得混入：同一对端口提前重用时，双方的序号分别比旧序号大 {c} 和 {s}",
        ).fill(c=client, s=server),
        *ends,
        syn,
        synack,
    )


def _ahead(syn: Segment, fin: Segment) -> int:
    """How far a new ISN lies beyond the number after an old FIN, modulo 2^32."""
    return SequenceNumber(syn.absolute) - fin.absolute_end


def new_syn(runs: Runs) -> Proof:
    """A SYN with newer numbers replaces the socket in TIME-WAIT."""
    run = runs["time_wait_new_syn"]
    first, fin = run.first("C>S SYN"), run.first("C>S FIN,ACK")
    syn, synack = run.first("C>S SYN", stream=1), run.first("S>C SYN,ACK", stream=1)
    server = run.socket("server")
    kept, gone = server.stay("TIME-WAIT"), server.stay("CLOSED")
    (newer, _), (older, _) = timestamps(syn), timestamps(fin)
    ahead = _ahead(syn, fin)
    same_ends = run.connection(0).client == run.connection(1).client
    return Proof(
        (
            claim(
                same_ends and kept.by < syn.time < gone.by and gone.by - kept.by < LENGTH,
                Text(
                    "the SYN comes from the same port when the server has been in TIME-WAIT for {span}; "
                    "that socket is gone with it",
                    "服务器进入 TIME-WAIT {span} 之后，SYN 从同一端口到来；该套接字随即消失",
                ).fill(span=short_span(syn.time - kept.by)),
                kept,
                syn,
                gone,
            ),
            claim(
                ahead > 0,
                Text(
                    "its number is newer: {new} − {old} = {ahead} (modulo 2^32)",
                    "它的序号更新：{new} − {old} = {ahead}（模 2^32）",
                ).fill(new=syn.absolute, old=fin.absolute_end, ahead=ahead),
                fin,
                syn,
            ),
            claim(
                0 < (newer - older) % MODULUS < MODULUS // 2,
                Text(
                    "its timestamp is newer too: {new} − {old} = {ahead}",
                    "它的时间戳也更新：{new} − {old} = {ahead}",
                ).fill(new=newer, old=older, ahead=(newer - older) % MODULUS),
                fin,
                syn,
            ),
            claim(
                synack.absolute_ack == syn.absolute_end and run.all("C>S SYN", stream=1) == (syn,),
                Text(
                    "SYN,ACK with ack {ack} = {seq} + 1 follows after {span}; the SYN was sent once",
                    "{span} 后即回 SYN,ACK，ack {ack} = {seq} + 1；SYN 只发了一次",
                ).fill(
                    ack=synack.absolute_ack,
                    seq=syn.absolute,
                    span=short_span(synack.time - syn.time),
                ),
                syn,
                synack,
            ),
        ),
        {
            "first": rights.count(first.absolute, first),
            "second": rights.count(syn.absolute, syn),
            "synack": rights.frame(synack),
        },
    )


QUESTIONS = (
    Question(
        id="TD04",
        asks=Text("Which end enters TIME-WAIT?", "哪一端会进入 TIME-WAIT？"),
        answer=Text(
            "The end that closes first, by sending the first FIN; client or server makes no difference. "
            "In a simultaneous close both ends enter it.",
            "主动关闭的一方，即先发 FIN 者，与客户端或服务器的身份无关。同时关闭时双方都会进入。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        interview="high",
        core=True,
        runs=(BY_CLIENT, BY_SERVER, "close_simultaneous"),
        prove=whoever_closes_first,
        values=(
            Ask(
                "client_side",
                Text(
                    "Client closes first: frame number of the first FIN",
                    "客户端先关闭：第一个 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "server_side",
                Text(
                    "Server closes first: frame number of the first FIN",
                    "服务器先关闭：第一个 FIN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "host",
                Text(
                    "Host that is in TIME-WAIT in that second run (client or server)",
                    "第二次运行中处于 TIME-WAIT 的主机（client 或 server）",
                ),
                Unit.NAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "the end that closes first, which sends the first FIN",
                    "先关闭、先发 FIN 的一方",
                ),
                (
                    r"closes? first",
                    r"first (to close|fin)",
                    r"active(ly)? clos",
                    r"(主动|先)(关闭|发 ?fin|发送 ?fin)",
                ),
            ),
            Idea(
                Text("client or server makes no difference", "与客户端或服务器的身份无关"),
                (
                    r"client or server",
                    r"either (end|side|of them)",
                    r"(no|not a) matter (of )?(client|who)",
                    r"(不论|无论|不管)[^.]*(客户端|服务)",
                    r"身份无关",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("only the client enters TIME-WAIT", "只有客户端才有 TIME-WAIT"),
                (
                    r"(only|always) the client",
                    r"is a client state",
                    r"(只有|总是)客户端",
                ),
            ),
            Idea(
                Text("the passive side enters TIME-WAIT", "被动方进入 TIME-WAIT"),
                (
                    r"passive (side|end|closer) (enters|is in|goes)",
                    r"被动(关闭)?(的一)?方[^.,]*进入 ?time",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server sends the first FIN. Where will TIME-WAIT be?",
                "服务器先发 FIN，TIME-WAIT 会在哪一端？",
            ),
            (
                Text("at the client", "客户端"),
                Text("at the server", "服务器"),
                Text("at both", "双方"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the two state lanes after the last segment.",
                "看最后一个报文段之后两侧的状态栏。",
            ),
            Text("Compare who sends the first FIN in each run.", "比较各次运行中谁先发出 FIN。"),
        ),
        claim=Text("TIME-WAIT is a client state", "只有客户端才有 TIME-WAIT"),
        truth=Text(
            "When the server closes first it is at the server, and there alone",
            "服务器先关闭时，它只出现在服务器一端",
        ),
        then=("TD05", "TD11"),
        sources=("RFC 9293 section 3.6.1", "RFC 9293 section 3.3.2"),
    ),
    Question(
        id="TD05",
        asks=Text(
            "Why is there TIME-WAIT, and why 2 MSL?", "为什么需要 TIME-WAIT，为什么是 2MSL？"
        ),
        answer=Text(
            "First, somebody must acknowledge a retransmitted FIN if the last ACK is lost. "
            "Second, old segments must die before the four-tuple is used again. "
            "2 MSL is time for the last ACK to arrive or die, and for a repeated FIN to come back.",
            "一是最后的 ACK 丢失时，要有人再次确认对方重传的 FIN。"
            "二是让本四元组的旧报文段在网络中消失，避免混入新连接。"
            "2MSL 足够最后的 ACK 到达或消失，并让重传的 FIN 返回。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=(LAST_ACK_LOST, "time_wait_new_syn"),
        prove=last_ack_again,
        values=(
            Ask("fin", Text("Frame number of the repeated FIN", "重传的 FIN 的帧号"), Unit.FRAME),
            Ask(
                "ack",
                Text("Frame number of the ACK that answers it", "回应它的 ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "span",
                Text(
                    "Time between the server's FIN and its repetition",
                    "服务器的 FIN 与其重传之间的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "the last ACK may be lost: a repeated FIN is acknowledged again",
                    "最后的 ACK 可能丢失：再次确认重传的 FIN",
                ),
                (
                    r"(repeated|retransmitted|resent) fin",
                    r"last ack (is|gets|may be|might be) lost",
                    r"重(传|发)的? ?fin",
                    r"最后(的|一个) ?ack[^.]*丢失",
                ),
            ),
            Idea(
                Text(
                    "old segments die before the four-tuple is used again",
                    "旧报文段在四元组重用之前消失",
                ),
                (
                    r"old (segments|duplicates|packets)",
                    r"(delayed|stray) (segments|duplicates)",
                    r"旧(的)?(连接的)?(报文|数据|分组)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("TIME-WAIT waits for the program to close", "TIME-WAIT 是在等程序关闭"),
                (
                    r"waits? for the (program|application)",
                    r"等(待)?(程序|应用)[^.]*(关闭|close)",
                ),
            ),
            Idea(
                Text("the last ACK is retransmitted by itself", "最后的 ACK 会自行重传"),
                (
                    r"ack is (retransmitted|repeated|resent) by (itself|a timer)",
                    r"ack 会(自行|自动|超时)重传",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The last ACK is lost. Who sends the next segment?",
                "最后一个 ACK 丢失。下一个报文段由谁发出？",
            ),
            (
                Text("the client: its ACK again", "客户端：再发一次 ACK"),
                Text("the server: its FIN again", "服务器：再发一次 FIN"),
                Text("nobody", "谁也不发"),
            ),
            1,
        ),
        hints=(
            Text("Look at what follows the lost segment.", "看丢失的报文段之后发生了什么。"),
            Text(
                "Compare the seq of the server's two FINs, and the client's state at the second.",
                "比较服务器两个 FIN 的 seq，以及第二个到来时客户端的状态。",
            ),
        ),
        then=("TD06", "TD16"),
        sources=("RFC 9293 section 3.4.1", "RFC 9293 section 3.6.1", "RFC 6191"),
    ),
    Question(
        id="TD13",
        asks=Text(
            "A SYN arrives for a four-tuple in TIME-WAIT: what happens?",
            "TIME-WAIT 状态收到 SYN 会怎样？",
        ),
        answer=Text(
            "If its sequence number or its timestamp is newer than the old connection's, "
            "the connection is opened anew at once. Otherwise the SYN is only answered with an ACK.",
            "若其序号或时间戳比旧连接的更新，就立即重新建立连接；否则只回一个 ACK。",
        ),
        kind=Kind.PREDICT,
        level=3,
        interview="medium",
        runs=("time_wait_new_syn",),
        prove=new_syn,
        values=(
            Ask(
                "first",
                Text("Sequence number of the first SYN, absolute", "第一个 SYN 的绝对序列号"),
                Unit.SEQUENCE,
            ),
            Ask(
                "second",
                Text("Sequence number of the second SYN, absolute", "第二个 SYN 的绝对序列号"),
                Unit.SEQUENCE,
            ),
            Ask(
                "synack",
                Text("Frame number of the answer to the second SYN", "对第二个 SYN 的应答的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the sequence number or the timestamp is newer", "序号或时间戳更新"),
                (
                    r"(sequence number|isn|seq)[^.]*(newer|higher|larger|greater|beyond)",
                    r"timestamp[^.]*newer",
                    r"(序号|时间戳)[^.]*(更新|更大|大于)",
                ),
            ),
            Idea(
                Text("the connection is opened anew at once", "立即重新建立连接"),
                (
                    r"(opened|open|reopened|accepted|established|let in)( anew| again)?( at once)?",
                    r"(重新)?(建立|打开|接受)(新)?连接",
                ),
            ),
            Idea(
                Text("otherwise an ACK is the answer", "否则回一个 ACK"),
                (r"otherwise[^.]*\back\b", r"\bchallenge ack\b", r"否则[^.]*ack"),
            ),
        ),
        wrong=(
            Idea(
                Text("the SYN is refused until 60 s are over", "60 秒内 SYN 都被拒绝"),
                (
                    r"syn is (always )?(refused|dropped|rejected|ignored)",
                    r"syn ?(都|一律|总是)?(被|会被)(拒绝|丢弃|忽略)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The client comes back 0.3 s later, from the same port. What answers its SYN?",
                "0.3 秒后客户端从同一端口再次连接，它的 SYN 得到什么应答？",
            ),
            (
                Text("a RST", "RST"),
                Text("nothing for 60 s", "60 秒内没有应答"),
                Text("SYN,ACK at once", "立即得到 SYN,ACK"),
            ),
            2,
        ),
        hints=(
            Text("Look at the second connection's first two frames.", "看第二条连接的前两帧。"),
            Text(
                "Compare the second SYN's number with the last of the first connection, absolute.",
                "用绝对序号，把第二个 SYN 的序号与第一条连接的最后序号相比较。",
            ),
        ),
        claim=Text(
            "TIME-WAIT keeps new connections out for 60 s", "TIME-WAIT 会在 60 秒内拒绝新连接"
        ),
        truth=Text(
            "A SYN with newer numbers was answered with SYN,ACK at once",
            "序号更新的 SYN 立即得到 SYN,ACK",
        ),
        then=("TD05",),
        sources=("RFC 9293 section 3.6.1 (MAY-2)", "RFC 6191"),
    ),
)
