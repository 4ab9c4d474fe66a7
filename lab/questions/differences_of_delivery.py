"""The differences of TCP and UDP that the seeds list: what arrives, in which order and pieces, how fast."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.congestion_signals import no_control
from lab.questions.differences import header
from lab.questions.pieces import Datagram
from lab.questions.retransmission import moved, overtaken, repetitions
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.slow_start_and_after import initial_window
from lab.questions.statements_stream import once_to_the_program, repaired
from lab.questions.udp_datagrams import boundaries, datagram
from lab.questions.udp_limits import receiver_too_slow
from lab.text import Text, same
from lab.units import short_span

REPAIRED, UNREAD, LATE, DOUBLED = (
    "data_loss_rto",
    "rst_unread_data",
    "reordering",
    "duplicate_segment",
)
OVERFLOW, ECHO = "udp_receive_overflow", "udp_echo"
FIELDS = 8  # octets of UDP's header: four numbers of 16 bits


def stream_and_datagrams(runs: Runs) -> Proof:
    """Five messages: one recv() over TCP, five recvfrom() over UDP."""
    return part(boundaries(runs), (0, 1, 2, 3), "tcp_reads", "udp_frames", "udp_reads")


def lost_and_repaired(runs: Runs) -> Proof:
    """TCP repeats, UDP loses; but what TCP has acknowledged need not have been read."""
    last = repetitions(runs[REPAIRED])[-1]
    return joined(
        Proof((repaired(runs[REPAIRED]),), {"arrives": rights.frame(last)}),
        part(receiver_too_slow(runs), (1, 4), "read", "lost"),
        Proof((_acknowledged_in_vain(runs[UNREAD]),)),
    )


def _acknowledged_in_vain(run: Run) -> Claim:
    data = run.one("C>S +", run.data("C"))
    ack, rst = run.first("S>C ACK", after=data), run.first("S>C RST,ACK", after=data)
    closed, reads = run.call("server", "close"), run.calls("server", "recv")
    return claim(
        ack.ack == data.end and not reads and ack.time < closed.before < rst.time,
        Text(
            "yet TCP is no promise: {n} octets are acknowledged (frame {a}), close() without a recv() resets (frame {r})",
            "但 TCP 也不是承诺：{n} 字节得到确认（第 {a} 帧），未曾 recv() 就 close()，连接被复位（第 {r} 帧）",
        ).fill(n=data.length, a=ack.number, r=rst.number),
        data,
        ack,
        closed,
        rst,
    )


def restored_order(runs: Runs) -> Proof:
    """TCP holds back what came too early; UDP's header has no number to order by."""
    run, one = runs[LATE], datagram(runs[ECHO], 0)
    late, early = overtaken(run)
    return Proof(
        (_overtaken(run), _held_back(run), no_number(one)),
        {
            "overtaken": rights.frame(late),
            "early": rights.frame(early),
            "fields": rights.octets(header(one), one),
        },
    )


def _overtaken(run: Run) -> Claim:
    late, early = overtaken(run)
    behind = (run.arrival(late) or 0) - (run.arrival(early) or 0)
    return claim(
        late.time < early.time and behind > 0,
        Text(
            "TCP: frame {a} is sent before frame {b}, and arrives {span} after it",
            "TCP：第 {a} 帧先于第 {b} 帧发出，却比它晚到 {span}",
        ).fill(a=late.number, b=early.number, span=short_span(behind)),
        late,
        early,
    )


def _held_back(run: Run) -> Claim:
    late, early = overtaken(run)
    waiting = run.all("S>C ACK", after=early, where=lambda one: one.ack == late.seq)
    jump = run.first("S>C ACK", after=late, where=lambda one: one.ack > late.seq)
    sent, read = moved(run)
    return claim(
        len(waiting) > 1 and jump.ack >= early.end and sent == read,
        Text(
            "the ACKs stay at {seq} ({n} of them), then jump to {ack}: what came early was held back; {read} of {sent} octets are read",
            "ACK 停在 {seq}（共 {n} 个），随后跳到 {ack}：先到的被暂存；程序读到 {sent} 字节中的 {read} 字节",
        ).fill(seq=late.seq, n=len(waiting), ack=jump.ack, read=read, sent=sent),
        late,
        *waiting[:2],
        jump,
    )


def no_number(one: Datagram) -> Claim:
    """All that UDP's header holds: two ports, a length, a checksum."""
    frame = one.frame
    begin = len(frame.octets) - one.length - FIELDS
    fields = [int.from_bytes(frame.octets[at : at + 2]) for at in range(begin, begin + FIELDS, 2)]
    ports = [end.port if end else -1 for end in (frame.source, frame.destination)]
    return claim(
        header(one) == FIELDS and [*ports, FIELDS + one.length] == fields[:3],
        Text(
            "UDP: the header is {fields}: two ports, {n} + {k} octets, a checksum; no number to order by",
            "UDP：首部为 {fields}：两个端口、长度 {n} + {k} 字节、校验和；没有可供排序的编号",
        ).fill(fields=same(", ".join(map(str, fields))), n=FIELDS, k=one.length),
        one,
    )


def regulated_or_not(runs: Runs) -> Proof:
    """UDP sends what it is given; TCP waits for an ACK after ten segments."""
    return joined(
        part(no_control(runs), (0, 1, 2), "sent", "refused"),
        part(initial_window(runs), (0, 2), "count"),
    )


def in_order_and_once(runs: Runs) -> Proof:
    """Late and doubled over TCP: put right. Dropped over UDP: gone."""
    late, _ = overtaken(runs[LATE])
    told = part(once_to_the_program(runs), (0, 1), "copy")
    restored = Proof(
        (_overtaken(runs[LATE]), _held_back(runs[LATE])), {"overtaken": rights.frame(late)}
    )
    return joined(told, restored, part(receiver_too_slow(runs), (1, 4), "lost"))


QUESTIONS = (
    Question(
        id="D4",
        asks=Text(
            "TCP is a stream, UDP sends datagrams: what does the receiver notice?",
            "TCP 是字节流，UDP 是数据报：接收方能看出什么不同？",
        ),
        answer=Text(
            "Over UDP each recvfrom() returns just one datagram, with its boundaries. "
            "Over TCP one recv() may return several messages, or a part of one. "
            "TCP numbers octets; no number says where a message ends.",
            "UDP 的每次 recvfrom() 恰好返回一个数据报，边界不变。TCP 的一次 recv() 可能返回几条消息，也可能只是一部分。"
            "TCP 给字节编号，没有编号表示消息的结束。",
        ),
        kind=Kind.COMPARE,
        level=1,
        interview="high",
        runs=("stream_coalesce", "stream_coalesce:udp"),
        prove=stream_and_datagrams,
        values=(
            Ask(
                "tcp_reads",
                Text(
                    "TCP: recv() calls that returned the five messages",
                    "TCP：读出五条消息的 recv() 次数",
                ),
                Unit.COUNT,
            ),
            Ask("udp_frames", Text("UDP: datagrams", "UDP：数据报个数"), Unit.COUNT),
            Ask(
                "udp_reads",
                Text(
                    "UDP: recvfrom() calls that returned data",
                    "UDP：返回数据的 recvfrom() 次数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("one recvfrom() for each datagram", "每次 recvfrom() 一个数据报"),
                (r"(one|each) (recvfrom|datagram)", r"boundar", r"一个数据报", r"边界"),
            ),
            Idea(
                Text("one recv() may return several messages", "一次 recv() 可能返回几条消息"),
                (r"several messages", r"part of (one|a message)", r"(几|多)条消息", r"一部分"),
            ),
            Idea(
                Text("TCP numbers octets, not messages", "TCP 给字节编号，而不是消息"),
                (r"numbers (octets|bytes)", r"(octet|byte)s?, not messages", r"给字节编号"),
            ),
        ),
        wrong=(
            Idea(
                Text("TCP keeps message boundaries", "TCP 保留消息边界"),
                (r"\btcp keeps (message|the) boundar", r"tcp ?(会)?保留消息边界"),
            ),
        ),
        guess=Guess(
            Text(
                "Five messages wait at both servers. How many calls will read them?",
                "两个服务器上各有五条消息在等。要几次调用才能读完？",
            ),
            (
                Text("TCP 5, UDP 5", "TCP 5 次，UDP 5 次"),
                Text("TCP 1, UDP 1", "TCP 1 次，UDP 1 次"),
                Text("TCP 1, UDP 5", "TCP 1 次，UDP 5 次"),
            ),
            2,
        ),
        hints=(
            Text("Look at the server's receiving calls.", "看服务器的接收调用。"),
            Text(
                "Compare their octets with those of the client's sending calls.",
                "把它们的字节数与客户端发送调用的相比较。",
            ),
        ),
        claim=Text("Sticky packets are a fault of TCP", "粘包是 TCP 的缺陷"),
        truth=Text(
            "A stream has no messages that could stick together",
            "字节流中本来就没有消息，谈不上粘在一起",
        ),
        seen_in=("S1",),
        then=("BS01", "UD02"),
        sources=("RFC 9293 section 2.2", "RFC 768"),
    ),
    Question(
        id="D5",
        asks=Text(
            "TCP guarantees that data arrive and are correct, UDP may lose them: is that so?",
            "TCP 保证数据送达且正确，UDP 可能丢失：是这样吗？",
        ),
        answer=Text(
            "Nearly. TCP repeats what is lost, until it is acknowledged or TCP gives up; UDP does not. "
            "But a 16-bit checksum detects most errors, not all. "
            "And a reset loses what was acknowledged and not yet read.",
            "差不多。TCP 会重传丢失的数据，直到得到确认或放弃；UDP 不会。"
            "但 16 位校验和只能检出大多数错误，不是全部。而且复位会使已确认、尚未读取的数据丢失。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        runs=(REPAIRED, OVERFLOW, UNREAD),
        prove=lost_and_repaired,
        values=(
            Ask(
                "arrives",
                Text(
                    "data_loss_rto: frame of the repetition that arrives",
                    "data_loss_rto：最终送达的那次重传的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "read",
                Text(
                    "udp_receive_overflow: datagrams that the program read",
                    "udp_receive_overflow：程序读到的数据报数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "lost",
                Text(
                    "udp_receive_overflow: datagrams that the server's kernel dropped",
                    "udp_receive_overflow：服务器内核丢弃的数据报数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP repeats until it is acknowledged", "TCP 重传直到得到确认"),
                (r"repeat", r"retransmi", r"resend", r"重传"),
            ),
            Idea(
                Text("the checksum detects most errors, not all", "校验和检出大多数错误，不是全部"),
                (r"checksum", r"校验和"),
            ),
            Idea(
                Text("a reset loses unread data", "复位会丢失未读数据"),
                (r"reset", r"\brst\b", r"复位"),
            ),
        ),
        wrong=(
            Idea(
                Text("acknowledged means read by the program", "得到确认就是程序已读取"),
                (r"acknowledged means", r"(得到)?确认就(是|说明|表示)"),
            ),
        ),
        guess=Guess(
            Text(
                "11 octets are acknowledged. Does that mean that the program has read them?",
                "11 字节得到了确认。这说明程序读过它们吗？",
            ),
            (Text("yes", "是"), Text("no", "否")),
            1,
        ),
        hints=(
            Text(
                "Look at what was sent, what was acknowledged, what was read.",
                "看发送了什么、确认了什么、读取了什么。",
            ),
            Text(
                "Compare the counter RcvbufErrors with what came back to the sender.",
                "把计数器 RcvbufErrors 与返回给发送方的报文相比较。",
            ),
        ),
        claim=Text("TCP guarantees correctness", "TCP 保证数据正确"),
        truth=Text(
            "It detects and repeats; a weak checksum and a reset set limits to that",
            "它检测并重传；但校验和较弱，复位也会丢数据",
        ),
        seen_in=("S1",),
        then=("RT01", "RT08", "UD10"),
        sources=("RFC 9293 section 3.1", "RFC 9293 section 3.8", "RFC 768"),
    ),
    Question(
        id="D6",
        asks=Text("TCP keeps the order, UDP does not: how?", "TCP 保证顺序，UDP 不保证：靠什么？"),
        answer=Text(
            "By sequence numbers. What comes too early is held back until the gap is filled; "
            "the ACKs stay at the gap. UDP's header has no number at all. "
            "The order holds within one connection only.",
            "靠序列号。先到的数据被暂存，直到缺口补上；其间 ACK 停在缺口处。UDP 首部没有任何编号。"
            "顺序只在同一条连接之内成立。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        runs=(LATE, ECHO),
        prove=restored_order,
        values=(
            Ask(
                "overtaken",
                Text(
                    "reordering: frame of the segment that is overtaken (client's capture)",
                    "reordering：被超过的报文段的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "early",
                Text(
                    "reordering: frame of the segment sent after it (client's capture)",
                    "reordering：紧随其后发出的报文段的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "fields",
                Text("udp_echo: octets of the UDP header", "udp_echo：UDP 首部的字节数"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(Text("by sequence numbers", "靠序列号"), (r"sequence number", r"序列号|序号")),
            Idea(
                Text("what comes early is held back", "先到的被暂存"),
                (r"held back", r"(buffer|queue)", r"暂存", r"缓存"),
            ),
            Idea(
                Text("UDP's header has no number", "UDP 首部没有编号"),
                (
                    r"udp[^.]{0,20}no (sequence )?number",
                    r"udp[^.]{0,8}没有[^.]{0,4}(编号|序号|序列号)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the network keeps the order", "网络会保持顺序"),
                (r"network (keeps|preserves) the order", r"网络会?(保持|保证)顺序"),
            ),
        ),
        guess=Guess(
            Text(
                "A segment is overtaken by seven others. What will the ACKs say meanwhile?",
                "一个报文段被后面七个超过。其间 ACK 会确认到哪里？",
            ),
            (
                Text("up to the highest octet that came", "确认到已到达的最高字节"),
                Text("up to the gap, again and again", "一再确认到缺口处"),
                Text("nothing is acknowledged", "不发送 ACK"),
            ),
            1,
        ),
        hints=(
            Text("Look at the ACKs that come several times.", "看重复出现的 ACK。"),
            Text(
                "Compare the order of the data in the two captures.", "比较两份抓包中数据的次序。"
            ),
        ),
        claim=Text("TCP segments arrive in order", "TCP 报文段按序到达"),
        truth=Text(
            "They may arrive in any order; only recv() is in order",
            "到达次序可以任意；按序的只是 recv()",
        ),
        seen_in=("S1",),
        then=("RT07", "D10"),
        sources=("RFC 9293 section 3.4", "RFC 768"),
    ),
    Question(
        id="D8",
        asks=Text(
            "UDP's rate is not regulated, TCP's is: what does that mean on the wire?",
            "UDP 的速率不受调节，TCP 的受调节：在线路上表现如何？",
        ),
        answer=Text(
            "UDP sends as fast as the program calls sendto(), and nothing comes back. "
            "TCP begins with ten segments, then waits for an ACK. "
            "Applications over UDP are required to regulate themselves (RFC 8085).",
            "程序调用 sendto() 有多快，UDP 就发多快，也没有任何报文返回。TCP 起初只发十个报文段，然后等待 ACK。"
            "使用 UDP 的应用必须自行控制速率（RFC 8085）。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="medium",
        runs=(OVERFLOW, "slow_start"),
        prove=regulated_or_not,
        values=(
            Ask(
                "sent",
                Text(
                    "udp_receive_overflow: datagrams sent", "udp_receive_overflow：发送的数据报数"
                ),
                Unit.COUNT,
            ),
            Ask(
                "refused",
                Text(
                    "udp_receive_overflow: datagrams that the receiver's kernel refused",
                    "udp_receive_overflow：接收方内核拒收的数据报数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "count",
                Text(
                    "slow_start: data segments that leave before the first ACK of data",
                    "slow_start：首个数据 ACK 之前发出的数据报文段数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("nothing comes back to slow UDP down", "没有返回的报文使 UDP 减速"),
                (
                    r"nothing (comes back|slows)",
                    r"as fast as",
                    r"没有(任何)?(返回|报文返回|反馈)",
                    r"多快",
                ),
            ),
            Idea(
                Text("TCP waits for an ACK after some segments", "TCP 发几个报文段后等待 ACK"),
                (r"wait[^.]{0,12}ack", r"congestion window|cwnd", r"等待 ?ack", r"拥塞窗口"),
            ),
            Idea(
                Text("the application must regulate itself", "应用必须自行控制速率"),
                (r"applications?[^.]{0,40}(regulate|control|limit)", r"应用(程序)?必须?自行"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP slows down after a loss", "UDP 丢包后会减速"),
                (r"udp slows down", r"udp[^.]{0,6}会?(自动)?减速"),
            ),
        ),
        guess=Guess(
            Text(
                "40 datagrams are sent to a receiver that does not read. How many sendto() fail?",
                "向不读取的接收方发送 40 个数据报。有几次 sendto() 会失败？",
            ),
            (Text("none", "一次也没有"), Text("about 30", "30 次左右"), Text("all", "全部")),
            0,
        ),
        hints=(
            Text(
                "Look at the times of the sendto() calls and of the segments.",
                "看各次 sendto() 与各报文段的时间。",
            ),
            Text(
                "Compare what comes back to the sender in both runs.",
                "比较两次运行中返回给发送方的报文。",
            ),
        ),
        claim=Text(
            "UDP is limited by application, computer and bandwidth only",
            "UDP 只受应用、计算机与带宽限制",
        ),
        truth=Text(
            "Also by the receiver's buffer, silently; and it has to regulate itself",
            "还受接收方缓冲区限制，而且悄无声息；应用也必须自行控制速率",
        ),
        seen_in=("S1",),
        then=("CC07", "CC02"),
        sources=("RFC 8085 section 3.1", "RFC 5681", "udp(7)"),
    ),
    Question(
        id="D10",
        asks=Text(
            "TCP: in order, reliable, without duplicates; UDP: none of these. Show it.",
            "TCP 有序、可靠、不重复，UDP 则都没有：用实验说明。",
        ),
        answer=Text(
            "Over TCP a late segment is waited for, and a copy is discarded and reported by DSACK. "
            "The program reads each octet once, in order. "
            "Over UDP what the kernel drops is gone, and the sender is told nothing.",
            "TCP 会等待迟到的报文段；副本被丢弃，并以 DSACK 报告。程序按顺序读到每个字节，各一次。"
            "UDP 中内核丢弃的数据报就此消失，发送方得不到任何通知。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="medium",
        runs=(DOUBLED, LATE, OVERFLOW),
        prove=in_order_and_once,
        values=(
            Ask(
                "copy",
                Text(
                    "duplicate_segment: frame of the second copy (server's capture)",
                    "duplicate_segment：第二份副本的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "overtaken",
                Text(
                    "reordering: frame of the segment that is overtaken (client's capture)",
                    "reordering：被超过的报文段的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "lost",
                Text(
                    "udp_receive_overflow: datagrams that the server's kernel dropped",
                    "udp_receive_overflow：服务器内核丢弃的数据报数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP waits for the late segment: order", "TCP 等待迟到的报文段：有序"),
                (r"late segment", r"in order", r"迟到", r"按顺序|有序"),
            ),
            Idea(
                Text("a copy is discarded", "副本被丢弃"),
                (r"discard", r"(copy|duplicate)[^.]{0,15}(dropped|thrown)", r"副本[^.]{0,4}丢弃"),
            ),
            Idea(
                Text("over UDP what is dropped is gone", "UDP 中丢弃的就此消失"),
                (r"udp[^.]{0,40}gone", r"told nothing", r"就此消失", r"得不到任何通知"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP discards duplicates", "UDP 会去除重复"),
                (r"udp discards duplicates", r"udp ?会?(去除|丢弃)重复"),
            ),
        ),
        guess=Guess(
            Text(
                "The network doubles a TCP segment. What will the sender be told?",
                "网络复制了一个 TCP 报文段。发送方会得知什么？",
            ),
            (
                Text("nothing", "什么也不会"),
                Text("that it came twice, by DSACK", "它到达了两次，由 DSACK 告知"),
                Text("an error", "一个错误"),
            ),
            1,
        ),
        hints=(
            Text("Look at both captures of each run.", "看每次运行的两份抓包。"),
            Text(
                "Compare what arrived with what the programs read.", "把到达的与程序读到的相比较。"
            ),
        ),
        claim=Text("With TCP nothing comes late or twice", "使用 TCP，不会迟到，也不会重复"),
        truth=Text(
            "On the wire both happen; the kernel hides it from the program",
            "线路上两者都会发生；内核对程序隐藏了它们",
        ),
        seen_in=("S2",),
        then=("RT01", "E48"),
        sources=("RFC 9293 section 3.4", "RFC 2883", "RFC 768"),
    ),
)
