"""Losses during the close: who repeats what, and in which state it waits."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.closing import HOSTS, acknowledges
from lab.questions.kernel_socket import Socket
from lab.questions.pieces import Sampled, Segment, Stayed
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span

FIRST_FIN, ITS_ACK, SECOND_FIN = "fin_lost", "fin_lost:fin_ack", "fin_lost:second_fin"
REPEATED = Text(
    "frame {n} repeats the FIN after {span}, seq {seq} again; "
    "kernel: loss probes {probes}, timeouts {timeouts}",
    "第 {n} 帧在 {span} 后重传该 FIN，seq 仍为 {seq}；内核计数：丢失探测 {probes} 次，超时 {timeouts} 次",
)


def ack_lost(runs: Runs) -> Proof:
    """The server does not repeat its ACK; the client repeats its FIN, and is told that it had come."""
    run = runs[ITS_ACK]
    fin = run.first("C>S FIN,ACK")
    lost = run.first("S>C ACK lost", after=fin)
    again = run.first("C>S FIN,ACK", after=lost)
    answer = run.first("S>C ACK", after=again)
    waiting, further = _stay_and_next(run.socket("client"), "FIN-WAIT-1")
    return Proof(
        (
            repeated(run, fin, again, "client"),
            claim(
                not run.all(after=lost, before=again) and acknowledges(lost, fin),
                Text(
                    "for {span} after its lost ACK the server sends nothing: an ACK has no timer",
                    "ACK 丢失后 {span} 内服务器什么也没发：ACK 没有重传定时器",
                ).fill(span=short_span(again.time - lost.time)),
                fin,
                lost,
                again,
            ),
            claim(
                waiting.by < again.time and further.by > answer.time,
                Text(
                    "the client was in FIN-WAIT-1 all that time ({span} for certain), "
                    "and was seen in {next} only after the second ACK",
                    "这段时间客户端一直处于 FIN-WAIT-1（至少 {span}），第二个 ACK 之后才出现 {next}",
                ).fill(span=short_span(waiting.lasted), next=further.state),
                waiting,
                again,
                answer,
                further,
            ),
            claim(
                answer.sack[:1] == ((fin.seq, fin.end),),
                Text(
                    "that ACK reports the duplicate: SACK block {left}–{right}, "
                    "just the number of the FIN, {seq}",
                    "该 ACK 报告了重复：SACK 块 {left}–{right}，正是 FIN 的序号 {seq}",
                ).fill(left=fin.seq, right=fin.end, seq=fin.seq),
                fin,
                answer,
            ),
        ),
        {
            "fin": rights.frame(again, instead=fin),
            "ack": rights.frame(answer),
            "span": rights.span(again.time - fin.time, fin, again),
        },
    )


def _stay_and_next(socket: Socket, state: str) -> tuple[Stayed, Stayed]:
    """A socket's stay in a state, and what it was seen in next; Missing if it stayed to the end."""
    stay = socket.stay(state)
    later = socket.stays[socket.stays.index(stay) + 1 :]
    return stay, later[0] if later else socket.stay("CLOSED")


def repeated(run: Run, fin: Segment, again: Segment, host: str) -> Claim:
    """Claim that a FIN was sent again, by a timer of its sender."""
    probes = run.counter(host, "TcpExt.TCPLossProbes")
    timeouts = run.counter(host, "TcpExt.TCPTimeouts")
    return claim(
        again.absolute == fin.absolute and probes.value + timeouts.value > 0,
        REPEATED.fill(
            n=again.number,
            span=short_span(again.time - fin.time),
            seq=again.absolute,
            probes=probes.value,
            timeouts=timeouts.value,
        ),
        fin,
        again,
        probes,
        timeouts,
    )


def fins_lost(runs: Runs) -> Proof:
    """Whoever sent the FIN waits for its ACK with the timer on, and sends it again."""
    first, second = runs[FIRST_FIN], runs[SECOND_FIN]
    lost, late = first.first("C>S FIN,ACK lost"), second.first("S>C FIN,ACK lost")
    again = first.first("C>S FIN,ACK", after=lost)
    late_again = second.first("S>C FIN,ACK", after=late)
    return Proof(
        (
            _waits(first, "client", "FIN-WAIT-1", lost, again),
            repeated(first, lost, again, "client"),
            _waits(second, "server", "LAST-ACK", late, late_again),
            repeated(second, late, late_again, "server"),
        ),
        {
            "first_lost": rights.frame(lost, instead=again),
            "first_again": rights.frame(again, instead=lost),
            "second_lost": rights.frame(late),
            "second_again": rights.frame(late_again),
        },
    )


def _waits(run: Run, host: str, state: str, lost: Segment, again: Segment) -> Claim:
    socket = run.socket(host)
    stay = socket.stay(state)
    sample = socket.sample(state, lambda one: one.state == state)
    other = "server" if host == "client" else "client"
    return claim(
        lost.host == host and stay.by < again.time and _retransmits(sample),
        Text(
            "frame {n} of the {host}'s capture, a FIN, is missing in the {other}'s: the {host} waits in {state}, "
            "retransmission timer on ({left} ms left)",
            "{host}抓包的第 {n} 帧（FIN）在{other}的抓包中没有：{host}停在 {state}，重传定时器在运行（还剩 {left} 毫秒）",
        ).fill(
            n=lost.number,
            host=HOSTS[host],
            other=HOSTS[other],
            state=state,
            left=sample.moment.expires,
        ),
        lost,
        sample,
        stay,
        again,
        run.capture(other),
    )


def _retransmits(sample: Sampled) -> bool:
    return sample.moment.timer == "retransmission" and sample.number("send_q") > 0


QUESTIONS = (
    Question(
        id="TD15",
        asks=Text(
            "If the ACK of the first FIN is lost, who repeats what?",
            "第二次挥手的 ACK 丢失会怎样？",
        ),
        answer=Text(
            "The sender of the FIN repeats its FIN when its timer expires, here after about 0.2 s. "
            "On Linux that is first a loss probe, later the RTO. "
            "An ACK is never repeated by itself. "
            "A FIN,ACK of the passive side that comes first repairs it too.",
            "FIN 的发送方在定时器到期后重传 FIN，这里约为 0.2 秒；Linux 先用丢失探测，之后才是 RTO。"
            "ACK 本身从不重传。若对端的 FIN,ACK 先到，也能修复。",
        ),
        kind=Kind.PREDICT,
        level=2,
        interview="high",
        core=True,
        runs=(ITS_ACK,),
        prove=ack_lost,
        values=(
            Ask("fin", Text("Frame number of the repeated FIN", "重传的 FIN 的帧号"), Unit.FRAME),
            Ask(
                "ack",
                Text("Frame number of the ACK that it draws", "它所引出的 ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "span",
                Text("Time between the two FINs of the client", "客户端两个 FIN 之间的时间"),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("the sender of the FIN repeats its FIN", "FIN 的发送方重传 FIN"),
                (
                    r"(repeats|retransmits|resends)( its| the)? fin",
                    r"fin is (repeated|retransmitted|resent|sent again)",
                    r"重(传|发) ?fin",
                ),
            ),
            Idea(
                Text("an ACK is never repeated by itself", "ACK 本身从不重传"),
                (
                    r"acks? (is|are) (never|not) (repeated|retransmitted|resent)",
                    r"(never|not) (repeat|retransmit)[^.]* acks?",
                    r"ack ?(本身|自己)?(从不|不会|不)(自行)?重(传|发)",
                ),
            ),
            Idea(
                Text("a timer of the sender starts it", "由发送方的定时器触发"),
                (r"\btimer\b", r"\brto\b", r"timeout", r"定时器", r"超时"),
            ),
        ),
        wrong=(
            Idea(
                Text("the ACK is repeated after a timeout", "ACK 超时后会重传"),
                (
                    r"(repeats|retransmits|resends) (its|the) ack",
                    r"ack is (repeated|retransmitted|resent) after",
                    r"(?<!不会)(?<!从不)重(传|发)(该|这个|它的) ?ack",
                    r"ack ?(超时后)会重(传|发)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The ACK of the client's FIN is lost. What is the next segment?",
                "对客户端 FIN 的确认丢失。下一个报文段是什么？",
            ),
            (
                Text("the ACK again", "再发一次 ACK"),
                Text("the FIN again", "再发一次 FIN"),
                Text("a RST", "RST"),
            ),
            1,
        ),
        hints=(
            Text("Look at what follows the lost ACK.", "看丢失的 ACK 之后发生了什么。"),
            Text(
                "Compare the seq of the client's two FINs, and the time between them.",
                "比较客户端两个 FIN 的 seq 及其间隔。",
            ),
        ),
        then=("TD16",),
        sources=("RFC 9293 section 3.8.1", "RFC 8985 section 7", "RFC 2883"),
    ),
    Question(
        id="TD16",
        asks=Text(
            "What happens if the first FIN is lost, and what if the second is?",
            "第一次挥手（FIN）丢失会怎样？第三次挥手丢失呢？",
        ),
        answer=Text(
            "Its sender repeats it. The active closer waits in FIN-WAIT-1, the passive one in LAST-ACK. "
            "Both go on with back-off up to a limit, for orphans tcp_orphan_retries.",
            "由各自的发送方重传：主动方停在 FIN-WAIT-1，被动方停在 LAST-ACK。"
            "双方都按退避重传直至上限；孤儿连接的上限是 tcp_orphan_retries。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=(FIRST_FIN, SECOND_FIN),
        prove=fins_lost,
        values=(
            Ask(
                "first_lost",
                Text(
                    "First FIN lost: its frame in the client's capture",
                    "第一个 FIN 丢失：它在客户端抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "first_again",
                Text("Its repetition, in the client's capture", "其重传在客户端抓包中的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "second_lost",
                Text(
                    "Second FIN lost: its frame in the server's capture",
                    "第二个 FIN 丢失：它在服务器抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "second_again",
                Text(
                    "Its repetition, in the client's capture",
                    "第二个 FIN 的重传在客户端抓包中的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the sender of the FIN repeats it", "由 FIN 的发送方重传"),
                (
                    r"sender (repeats|retransmits|resends)",
                    r"(repeats|retransmits|resends) (it|its fin|the fin)",
                    r"发送方[^.]*重(传|发)",
                    r"重(传|发) ?fin",
                ),
            ),
            Idea(
                Text("the active closer waits in FIN-WAIT-1", "主动方停在 FIN-WAIT-1"),
                (r"fin[-_ ]?wait[-_ ]?1",),
            ),
            Idea(
                Text("the passive one waits in LAST-ACK", "被动方停在 LAST-ACK"),
                (r"last[-_ ]?ack",),
            ),
        ),
        wrong=(
            Idea(
                Text("the receiver asks for the lost FIN again", "接收方会要求重发丢失的 FIN"),
                (
                    r"receiver (asks|requests)",
                    r"接收方(会)?(要求|请求)",
                ),
            ),
            Idea(
                Text("a FIN is never repeated", "FIN 不会重传"),
                (
                    r"fin is (never|not) (repeated|retransmitted|resent)",
                    r"fin ?(从不|不会|不)重(传|发)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server's FIN, the second, is lost. In which state does the server wait?",
                "服务器的 FIN（第二个）丢失。服务器停在哪个状态？",
            ),
            (
                Text("CLOSE-WAIT", "CLOSE-WAIT"),
                Text("LAST-ACK", "LAST-ACK"),
                Text("FIN-WAIT-1", "FIN-WAIT-1"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look for the frame that is in only one of the two captures.",
                "找出只出现在其中一份抓包里的帧。",
            ),
            Text(
                "Compare its seq with that of the next FIN from the same end.",
                "把它的 seq 与同一端下一个 FIN 的 seq 相比较。",
            ),
        ),
        then=("TD05",),
        sources=(
            "RFC 9293 section 3.6",
            "RFC 9293 section 3.8.1",
            "Linux ip-sysctl: tcp_orphan_retries",
        ),
    ),
)
