"""Lost at the tail, late, doubled: what the sender does, and how a capture tells them apart."""

from __future__ import annotations

from itertools import pairwise

from lab.questions import rights
from lab.questions.base import Ask, Cite, Guess, Idea, Kind, Proof, Question, Right, Unit
from lab.questions.pieces import Packet, Segment
from lab.questions.retransmission import COPY, copies, doubled, overtaken
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.slow_start_and_after import REPEATED, lost_and_repeated
from lab.text import Text
from lab.units import MODULUS, short_span

UNDONE = ("TCPFullUndo", "TCPPartialUndo", "TCPDSACKUndo")


def dsack_of(run: Run, doubled: Segment) -> Segment:
    """The ACK whose first SACK block lies below its ACK number and names a segment."""
    block = (doubled.seq, doubled.end)
    return run.first(
        after=doubled,
        where=lambda one: one.sender == "S" and one.sack[:1] == (block,) and block[1] <= one.ack,
    )


def edge(run: Run, number: int, cite: Cite) -> Right:
    """A relative number of the client's as an answer, absolute or relative."""
    isn = run.opening()[0].absolute
    return Right(((isn + number) % MODULUS,), (cite,), relative=number)


def identity(one: Packet) -> int:
    """The identification in the IP header of a frame."""
    ip = one.frame.ip
    return ip.identification if ip else -1


def tail_lost(runs: Runs) -> Proof:
    """Nothing follows the last segment, so nothing asks for it: the sender probes."""
    run = runs["tail_loss_probe"]
    lost, probe = lost_and_repeated(run)
    acks = run.all(before=probe, where=lambda one: one.sender == "S" and one.ack > 1)
    last = run.one("ACK", acks[-1:])
    numbers = [one.ack for one in acks]
    syn, opened, _ = run.opening()
    trip = opened.time - syn.time
    kernel = [one.telling("cwnd") for one in run.socket("client").samples]
    begun, widest = kernel[0], max(kernel, key=lambda one: one.number("cwnd"))
    least = min(one.number("cwnd") for one in kernel)
    probes, timeouts = (
        run.counter("client", f"TcpExt.{name}") for name in ("TCPLossProbes", "TCPTimeouts")
    )
    return Proof(
        (
            claim(
                last.ack == lost.seq and all(a < b for a, b in pairwise(numbers)),
                Text(
                    "the last segment, seq {seq}, is lost; the ACKs grow up to {ack}, and none comes twice",
                    "最后一段 seq {seq} 丢失；确认号一直增长到 {ack}，没有一个重复",
                ).fill(seq=lost.seq, ack=last.ack),
                lost,
                *acks[-2:],
            ),
            claim(
                probe.seq == lost.seq
                and probe.length == lost.length
                and probe.time - last.time > trip,
                Text(
                    "after {span} of silence, {n:.1f} round trips of {trip}, it is sent again as a probe",
                    "沉默 {span}（{n:.1f} 个往返，每个 {trip}）之后，它作为探测重发",
                ).fill(
                    span=short_span(probe.time - last.time),
                    n=(probe.time - last.time) / max(trip, 1),
                    trip=short_span(trip),
                ),
                last,
                lost,
                probe,
                syn,
                opened,
            ),
            claim(
                probes.value == 1 and not timeouts.value,
                Text(
                    "the kernel counts {p} tail loss probe and {t} timeouts",
                    "内核计数：尾部丢失探测 {p} 次，超时 {t} 次",
                ).fill(p=probes.value, t=timeouts.value),
                probes,
                timeouts,
            ),
            claim(
                least >= begun.number("cwnd") > 0,
                Text(
                    "cwnd, {begun} at first and {most} at most, was never sampled below {least}: no reduction",
                    "cwnd 起初为 {begun}，最大 {most}，采样中从未低于 {least}：没有缩减",
                ).fill(begun=begun.number("cwnd"), most=widest.number("cwnd"), least=least),
                begun,
                widest,
            ),
        ),
        {
            "probe": rights.frame(probe, instead=lost),
            "last": rights.frame(last),
            "wait": rights.span(probe.time - last.time, last, probe),
        },
    )


def needless(runs: Runs) -> Proof:
    """A late segment is repeated in vain; DSACK says so, and the reduction is taken back."""
    run, double = runs["reordering"], runs["duplicate_segment"]
    late, _ = overtaken(run)
    again = run.first(after=late, where=lambda one: (one.sender, one.seq) == ("C", late.seq))
    told = dsack_of(run, late)
    left, right = told.sack[0]
    received = run.counter("client", "TcpExt.TCPDSACKRecv")
    undone = [run.counter("client", f"TcpExt.{name}") for name in UNDONE]
    took = [one for one in undone if one.value]
    one, there = doubled(double)
    other = dsack_of(double, one)
    return Proof(
        (
            claim(
                not late.lost
                and again.seq == late.seq
                and len(copies(run, "server", late.absolute)) == 2,
                Text(
                    "reordering: seq {seq} was only late; it is sent again after {span}, and arrives twice",
                    "reordering：seq {seq} 只是迟到；{span} 后被重传，于是到达两次",
                ).fill(seq=late.seq, span=short_span(again.time - late.time)),
                late,
                again,
            ),
            claim(
                right <= told.ack and (left, right) == (again.seq, again.end),
                Text(
                    "the DSACK {left}:{right} lies below ack {ack} and names just these octets",
                    "DSACK {left}:{right} 位于 ack {ack} 之下，正好指明这些字节",
                ).fill(left=left, right=right, ack=told.ack),
                told,
                again,
            ),
            claim(
                received.value > 0 and len(took) > 0,
                Text(
                    "the sender's kernel counts {n} DSACK and takes its reduction back: {undone}",
                    "发送方内核记下 {n} 个 DSACK，并撤销窗口的缩减：{undone}",
                ).fill(
                    n=received.value,
                    undone=", ".join(f"{each.name.split('.')[1]} +{each.value}" for each in took),
                ),
                received,
                *took,
            ),
            claim(
                other.sack[0] == (one.seq, one.end) and len(there) > 1,
                Text(
                    "duplicate_segment: {left}:{right} below ack {ack}; the network had doubled it, and it arrived {n} times",
                    "duplicate_segment：{left}:{right} 位于 ack {ack} 之下；网络复制了它，到达 {n} 次",
                ).fill(left=one.seq, right=one.end, ack=other.ack, n=len(there)),
                other,
                *there,
            ),
        ),
        {
            "dsack": rights.frame(told),
            "left": edge(run, left, told.cite),
            "right": edge(run, right, told.cite),
            "needless": rights.frame(again, instead=late),
        },
    )


def told_apart(runs: Runs) -> Proof:
    """Count the copies at both ends; look at the order and at the IP identification."""
    lossy, mixed, double = runs["fast_retransmit"], runs["reordering"], runs["duplicate_segment"]
    lost, again = lost_and_repeated(lossy)
    sent, came = (copies(lossy, host, lost.absolute) for host in ("client", "server"))
    slow, fast = overtaken(mixed)
    slow_came = copies(mixed, "server", slow.absolute)
    fast_came = copies(mixed, "server", fast.absolute)
    one, there = doubled(double)
    once = copies(double, "client", one.absolute)
    marks = [identity(each) for each in there]
    return Proof(
        (
            claim(
                len(sent) == len(came) + 1,
                Text(
                    "retransmission: seq {seq} makes {a} frames in the sender's capture, {b} in the receiver's",
                    "重传：seq {seq} 在发送方抓包中出现 {a} 次，在接收方 {b} 次",
                ).fill(seq=lost.seq, a=len(sent), b=len(came)),
                *sent,
                *came,
            ),
            claim(
                slow.number < fast.number and slow_came[0].number > fast_came[0].number,
                Text(
                    "reordering: frame {a} before {b} at the sender, but {c} after {d} at the receiver",
                    "乱序：在发送方第 {a} 帧先于第 {b} 帧，在接收方第 {c} 帧却晚于第 {d} 帧",
                ).fill(
                    a=slow.number,
                    b=fast.number,
                    c=slow_came[0].number,
                    d=fast_came[0].number,
                ),
                slow,
                fast,
                slow_came[0],
                fast_came[0],
            ),
            claim(
                len(there) == len(once) + 1,
                Text(
                    "duplication: seq {seq} makes {a} frame in the sender's capture, {b} in the receiver's",
                    "重复：seq {seq} 在发送方抓包中出现 {a} 次，在接收方 {b} 次",
                ).fill(seq=one.seq, a=len(once), b=len(there)),
                one,
                *there,
            ),
            claim(
                len(set(marks)) == len(marks) - 1 and identity(lost) != identity(again),
                Text(
                    "the network's copy has the same IP identification {same:#06x}; a retransmission a new one: {a:#06x}, {b:#06x}",
                    "网络复制的副本 IP 标识相同（{same:#06x}）；重传则使用新的标识：{a:#06x}、{b:#06x}",
                ).fill(same=identity(one), a=identity(lost), b=identity(again)),
                *there,
                lost,
                again,
            ),
        ),
        {
            "repeated": rights.frame(again, instead=lost),
            "late": rights.frame(slow_came[0]),
            "copy": rights.frame(there[-1]),
            "mark": rights.name(f"{identity(one):04x}", one),
        },
    )


QUESTIONS = (
    Question(
        id="RT04",
        asks=Text(
            "The last segment is lost: why does fast retransmit not help?",
            "最后一个报文段丢失为什么不会触发快速重传？",
        ),
        answer=Text(
            "Nothing follows it, so there is no duplicate ACK. "
            "Linux sends a tail loss probe (TLP) after two round trips or more; otherwise the RTO repairs it. "
            "A probe is no timeout: cwnd stays.",
            "它之后没有别的数据，因此不会有重复 ACK。"
            "Linux 在两个往返或更久之后发送尾部丢失探测（TLP）；否则只能靠 RTO 修复。"
            "探测不算超时，cwnd 保持不变。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        interview="medium",
        runs=("tail_loss_probe",),
        prove=tail_lost,
        values=(
            Ask("probe", Text("Frame of the probe", "探测的帧号"), Unit.FRAME),
            Ask(
                "last",
                Text("Frame of the last ACK before it", "它之前最后一个 ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask("wait", Text("Time between these two", "两者相隔的时间"), Unit.SPAN),
        ),
        ideas=(
            Idea(
                Text("nothing follows, so no duplicate ACK", "之后没有数据，不会有重复 ACK"),
                (
                    r"no dup|nothing follows|without dup",
                    r"(没有|不会有|无).{0,6}重复|之后没有",
                ),
            ),
            Idea(
                Text("Linux sends a tail loss probe", "Linux 发送尾部丢失探测"),
                (r"tail[- ]loss[- ]prob|tlp", r"尾部丢(失|包)探测"),
            ),
            Idea(
                Text("otherwise the RTO repairs it", "否则靠 RTO 修复"),
                (r"(?<![a-z])rto(?![a-z])|time-?out repairs", r"超时重传"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the receiver sends duplicate ACKs for the last segment",
                    "接收方会为最后一段发送重复 ACK",
                ),
                (
                    r"receiver sends (three )?duplicate acks",
                    r"接收方会.{0,8}发送.{0,4}重复 ?ack",
                ),
            ),
            Idea(
                Text("the probe reduces cwnd to one", "探测使 cwnd 降为 1"),
                (r"probe (reduces|sets|resets)", r"探测(会)?使 ?cwnd ?(降|变)为"),
            ),
        ),
        guess=Guess(
            Text(
                "The last of ten segments is lost. What brings it back?",
                "十个报文段中最后一个丢失，靠什么补上？",
            ),
            (
                Text("three duplicate ACKs", "三个重复 ACK"),
                Text("the application sends it again", "应用程序重新发送"),
                Text("a probe of the kernel", "内核的探测"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the silence behind the server's last ACK of data.",
                "看服务器最后一个数据 ACK 之后的沉默。",
            ),
            Text(
                "Compare the ACK numbers with each other, then the counters TCPLossProbes and TCPTimeouts.",
                "比较各个确认号，再看计数器 TCPLossProbes 与 TCPTimeouts。",
            ),
        ),
        then=("CC04",),
        sources=("RFC 8985 section 7", "ip-sysctl tcp_early_retrans"),
    ),
    Question(
        id="RT05",
        asks=Text(
            "How does the sender learn that a retransmission was unnecessary?",
            "发送方如何得知重传是多余的？",
        ),
        answer=Text(
            "By DSACK: the receiver reports the octets that came twice in a SACK block below its ACK number. "
            "A timestamp that is echoed and older than the repetition tells it even sooner. "
            "Linux then takes the reduction of its window back.",
            "靠 DSACK：接收方用位于 ACK 号之下的 SACK 块报告重复收到的字节。"
            "回显的时间戳若早于重传时刻，发送方还能更早得知。"
            "Linux 随即撤销对窗口的缩减。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        interview="medium",
        runs=("reordering", "duplicate_segment"),
        prove=needless,
        values=(
            Ask(
                "dsack",
                Text("reordering: frame of the DSACK", "reordering：DSACK 的帧号"),
                Unit.FRAME,
            ),
            Ask("left", Text("Left edge of its first block", "其第一个块的左边界"), Unit.SEQUENCE),
            Ask("right", Text("Right edge of that block", "该块的右边界"), Unit.SEQUENCE),
            Ask(
                "needless",
                Text(
                    "reordering: frame of the retransmission that was not needed",
                    "reordering：多余的那次重传的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(Text("DSACK", "DSACK"), (r"d-?sack|duplicate sack",)),
            Idea(
                Text("a block below the ACK number", "位于 ACK 号之下的块"),
                (
                    r"block.{0,24}(below|under|less than|before).{0,24}ack",
                    r"(ack ?号|确认号).{0,4}(之下|以下|之前).{0,12}块",
                ),
            ),
            Idea(
                Text("the reduction of the window is taken back", "撤销对窗口的缩减"),
                (
                    r"(take|taken|takes|undo|undoes|undone|restore).{0,48}(back|reduction|window|cwnd)",
                    r"撤销|恢复.{0,6}(窗口|cwnd)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the sender cannot know it", "发送方无从得知"),
                (r"sender (cannot|can not|can't|never) (know|learn)", r"发送方无从得知"),
            ),
            Idea(
                Text("the receiver sends a RST", "接收方发送 RST"),
                (r"sends? an? rst", r"发送 ?rst"),
            ),
        ),
        guess=Guess(
            Text(
                "A segment comes twice. What does the receiver's kernel do?",
                "一个报文段到达两次，接收方内核会怎样？",
            ),
            (
                Text("it discards the copy silently", "默默丢弃"),
                Text("it resets the connection", "复位连接"),
                Text("it answers at once, and names the octets", "立即应答，并指明这些字节"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the SACK blocks of the server's last ACKs.",
                "看服务器最后几个 ACK 的 SACK 块。",
            ),
            Text(
                "Compare the right edge of the first block with the ACK number of the same segment.",
                "把第一个块的右边界与同一报文段的确认号相比较。",
            ),
        ),
        then=("RT07",),
        sources=("RFC 2883 section 4", "RFC 3522", "RFC 5682"),
    ),
    Question(
        id="RT07",
        asks=Text(
            "How do you tell retransmission, reordering and duplication apart in a capture?",
            "如何在抓包中区分重传、乱序和重复？",
        ),
        answer=Text(
            "Compare the captures of both ends. "
            "A retransmission of a lost segment is twice at the sender, once at the receiver. "
            "Reordering shows in the order of arrival: sent earlier, seen later at the receiver; it may be repeated in vain. "
            "Duplication is once at the sender, twice at the receiver, with the same IP identification.",
            "比较两端的抓包。"
            "丢失后的重传：发送方两次，接收方一次。"
            "乱序要看到达次序：先发出，在接收方却晚到，还可能被多余地重传。"
            "网络重复：发送方一次，接收方两次，而且 IP 标识相同。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        runs=("fast_retransmit", "reordering", "duplicate_segment"),
        prove=told_apart,
        values=(
            REPEATED,
            Ask(
                "late",
                Text(
                    "reordering: frame in the server's capture with which the late segment arrives",
                    "reordering：迟到的报文段在服务器抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            COPY,
            Ask(
                "mark",
                Text(
                    "duplicate_segment: IP identification of the doubled segment, 4 hex digits",
                    "duplicate_segment：被复制的报文段的 IP 标识（4 位十六进制）",
                ),
                Unit.HEX,
            ),
        ),
        ideas=(
            Idea(
                Text("compare the captures of both ends", "比较两端的抓包"),
                (r"both (ends|sides|captures|hosts)|two captures", r"(两|双)(端|方|侧).{0,4}抓包"),
            ),
            Idea(
                Text("retransmission: twice at the sender", "重传：发送方两次"),
                (r"(twice|two|2).{0,20}sender", r"发送方.{0,6}(两|2)次"),
            ),
            Idea(
                Text("reordering: late at the receiver", "乱序：在接收方晚到"),
                (r"(late|later|order).{0,30}(receiver|arriv)", r"(晚|迟)到|到达次序"),
            ),
            Idea(
                Text("duplication: twice at the receiver", "重复：接收方两次"),
                (r"(twice|two|2).{0,20}receiver", r"接收方.{0,6}(两|2)次"),
            ),
            Idea(
                Text("the IP identification tells a copy", "IP 标识可识别副本"),
                (r"ip id|identification", r"ip ?标识"),
            ),
        ),
        wrong=(
            Idea(
                Text("one capture is enough to be certain", "一份抓包就足以断定"),
                (r"(one|single) capture is (always )?enough", r"一份抓包就(足以|够)"),
            ),
        ),
        guess=Guess(
            Text(
                "The network doubles a segment. How often is it in the sender's own capture?",
                "网络复制了一个报文段。它在发送方自己的抓包中出现几次？",
            ),
            (
                Text("once", "一次"),
                Text("twice", "两次"),
                Text("not at all", "不出现"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look for the same sequence number in client.pcapng and in server.pcapng.",
                "在 client.pcapng 与 server.pcapng 中查找同一序号。",
            ),
            Text(
                "Compare how often it is there, in which order, and the IP identification.",
                "比较出现的次数、次序，以及 IP 标识。",
            ),
        ),
        then=("RT05",),
        sources=("Wireshark User's Guide, TCP Analysis", "RFC 6864"),
    ),
)
