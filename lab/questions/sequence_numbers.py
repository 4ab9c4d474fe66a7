"""What sequence and acknowledgment numbers count, and how tools show them."""

from __future__ import annotations

from msgspec.structs import replace

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Slip, Unit
from lab.questions.pieces import Segment
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.text import Text
from lab.units import MODULUS, short_span

LINK_HEADER = 14  # octets of Ethernet


def octets_are_counted(runs: Runs) -> Proof:
    """seq names the first octet, ack the next one expected; SYN and FIN count one each."""
    run = runs["tcp_lifecycle"]
    syn, _, ack = run.opening()
    data = run.first("C>S PSH,ACK", after=ack)
    acked = run.first("S>C [PSH],ACK", after=data)
    fin = run.first("C>S FIN,ACK", after=acked)
    ended = run.first("S>C [FIN],ACK", after=fin)
    characters = len(data.frame.payload.decode(errors="replace"))
    by_characters = (Slip.CHARACTERS, (data.absolute + characters) % MODULUS)
    sum_of_it = rights.sequence(acked, ack=True)
    return Proof(
        (
            claim(
                data.absolute == syn.absolute_end,
                Text(
                    "the first octet of data, in #{n}, is number {seq} = {x} + 1: the SYN counted one",
                    "首个数据字节在 #{n} 中，序号 {seq} = {x} + 1：SYN 占一个",
                ).fill(n=data.number, seq=data.absolute, x=syn.absolute),
                syn,
                data,
            ),
            claim(
                acked.absolute_ack == data.absolute_end,
                Text(
                    "#{n} expects octet {ack} next: {seq} + {octets}, the octets of #{m}",
                    "#{n} 期望的下一字节是 {ack}：{seq} + {octets}，即 #{m} 的字节数",
                ).fill(
                    n=acked.number,
                    ack=acked.absolute_ack,
                    seq=data.absolute,
                    octets=data.length,
                    m=data.number,
                ),
                data,
                acked,
            ),
            claim(
                ended.absolute_ack == fin.absolute_end,
                Text(
                    "FIN #{n} counts one as well: seq {seq}, acknowledged by #{m} with {ack} = {seq} + 1",
                    "FIN #{n} 也占一个：seq {seq}，#{m} 以 {ack} = {seq} + 1 确认",
                ).fill(n=fin.number, seq=fin.absolute, m=ended.number, ack=ended.absolute_ack),
                fin,
                ended,
            ),
        ),
        {
            "seq": rights.sequence(data),
            "octets": rights.octets(data.length, data, characters=characters),
            "ack": replace(sum_of_it, slips=(by_characters,)),
        },
    )


def relative_numbers(runs: Runs) -> Proof:
    """Octets 4 to 7 of the header are the number; 0 is what is left when the ISN is taken off."""
    run = runs["tcp_lifecycle"]
    syn, synack, ack = run.opening()
    data = run.first("C>S PSH,ACK", after=ack)
    mine = _header(syn)[4:8].hex()
    acked = _header(synack)[8:12].hex()
    return Proof(
        (
            claim(
                int(acked, 16) == (int(mine, 16) + 1) % MODULUS,
                Text(
                    "octets 4 to 7 of the TCP header of #{a}: {mine} = {x}. Octets 8 to 11 of #{b} "
                    "acknowledge {acked} = {x} + 1",
                    "#{a} 的 TCP 首部第 4～7 字节是 {mine} = {x}；#{b} 的第 8～11 字节确认 {acked} = {x} + 1",
                ).fill(a=syn.number, mine=mine, x=syn.absolute, b=synack.number, acked=acked),
                syn,
                synack,
            ),
            claim(
                syn.seq == synack.seq == 0 and syn.absolute != synack.absolute,
                Text(
                    "#{a} and #{b} are both shown with seq 0, and on the wire have {x} and {y}",
                    "#{a} 与 #{b} 都显示为 seq 0，线路上却分别是 {x} 与 {y}",
                ).fill(a=syn.number, b=synack.number, x=syn.absolute, y=synack.absolute),
                syn,
                synack,
            ),
            claim(
                data.seq == (data.absolute - syn.absolute) % MODULUS == 1,
                Text(
                    "data #{n}, shown with seq {seq}, have {absolute} on the wire: {absolute} - {x} = {seq}",
                    "数据 #{n} 显示为 seq {seq}，线路上是 {absolute}：{absolute} - {x} = {seq}",
                ).fill(n=data.number, seq=data.seq, absolute=data.absolute, x=syn.absolute),
                syn,
                data,
            ),
        ),
        {
            "octets": rights.name(mine, syn),
            "isn": rights.sequence(syn),
        },
    )


def _header(one: Segment) -> bytes:
    """The octets of a frame from its TCP header on (Ethernet and IPv4 go before)."""
    octets = one.frame.octets
    return octets[LINK_HEADER + octets[LINK_HEADER] % 16 * 4 :]


def what_consumes(runs: Runs) -> Proof:
    """A pure ACK has the number of the data behind it, and is not repeated when it is lost."""
    run, other = runs["tcp_lifecycle"], runs["third_ack_lost"]
    syn, _, ack = run.opening()
    data = run.first("C>S PSH,ACK", after=ack)
    following = run.first("C>S [PSH],ACK", after=data)
    fin = run.first("C>S FIN,ACK", after=following)
    last = run.first("C>S ACK", after=fin)
    lost = other.first("C>S ACK lost")
    again = other.first("S>C SYN,ACK", after=lost)
    between = other.all(after=lost, before=again, where=lambda one: one.sender == "C")
    return Proof(
        (
            claim(
                ack.absolute == data.absolute and not ack.length,
                Text(
                    "the pure ACK #{a} and the data #{b} have the same seq, {seq}: the ACK took no number",
                    "纯 ACK #{a} 与数据 #{b} 的 seq 相同，都是 {seq}：ACK 不占序号",
                ).fill(a=ack.number, b=data.number, seq=data.absolute),
                ack,
                data,
            ),
            claim(
                following.absolute == data.absolute_end,
                Text(
                    "data take numbers: after {octets} octets the client's next, #{n}, begins at {next} = "
                    "{seq} + {octets}",
                    "数据占用序号：{octets} 字节之后，客户端的 #{n} 从 {next} = {seq} + {octets} 继续",
                ).fill(
                    octets=data.length,
                    n=following.number,
                    next=following.absolute,
                    seq=data.absolute,
                ),
                data,
                following,
            ),
            claim(
                ack.absolute == syn.absolute_end and last.absolute == fin.absolute_end,
                Text(
                    "SYN and FIN take one each: {x} + 1 = {a} in #{n}, {f} + 1 = {b} in #{m}",
                    "SYN 与 FIN 各占一个：#{n} 中 {x} + 1 = {a}，#{m} 中 {f} + 1 = {b}",
                ).fill(
                    x=syn.absolute,
                    a=ack.absolute,
                    n=ack.number,
                    f=fin.absolute,
                    b=last.absolute,
                    m=last.number,
                ),
                syn,
                ack,
                fin,
                last,
            ),
            claim(
                not between and again.time - lost.time > 500_000_000,
                Text(
                    "third segment lost: for {span} the client sends nothing; it is the server that "
                    "repeats its SYN,ACK, #{n}",
                    "第三个报文段丢失：客户端在 {span} 内什么也没发，是服务器重发 SYN,ACK #{n}",
                ).fill(span=short_span(again.time - lost.time), n=again.number),
                lost,
                again,
                other.capture(),
            ),
        ),
        {
            "ack": rights.frame(ack),
            "data": rights.frame(data),
            "repeated": rights.frame(again),
        },
    )


QUESTIONS = (
    Question(
        id="SQ01",
        asks=Text(
            "What do sequence and acknowledgment numbers count?",
            "序列号和确认号各表示什么？",
        ),
        answer=Text(
            "Octets, not segments. seq is the number of the first octet in the segment. ack is the next "
            "octet that is expected. SYN and FIN count one each.",
            "按字节编号，而不是按报文段。seq 是本段首字节的序号，ack 是期望收到的下一字节。"
            "SYN、FIN 各占一个序号。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="medium",
        core=True,
        runs=("tcp_lifecycle",),
        instead="tour",
        prove=octets_are_counted,
        values=(
            Ask(
                "seq", Text("seq of the client's first data", "客户端首段数据的 seq"), Unit.SEQUENCE
            ),
            Ask("octets", Text("Octets in it", "其中的字节数"), Unit.OCTETS),
            Ask(
                "ack",
                Text("ack of the segment that acknowledges it", "确认它的报文段的 ack"),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("octets are counted, not segments", "按字节编号，不按报文段"),
                (r"octets|bytes", r"字节"),
            ),
            Idea(
                Text("seq numbers the first octet of the segment", "seq 是本段首字节的序号"),
                (r"first (octet|byte)", r"(首|第一)个?字节"),
            ),
            Idea(
                Text("ack is the next octet expected", "ack 是期望的下一字节"),
                (
                    r"next[^.]{0,20}expect",
                    r"expect[^.]{0,20}next",
                    r"期望[^.]{0,6}下一",
                    r"下一[^.]{0,8}期望",
                ),
            ),
            Idea(
                Text("SYN and FIN count one each", "SYN、FIN 各占一个"),
                (r"syn[^.]{0,20}(one|1)", r"syn[^.]{0,12}(一|1)个?"),
            ),
        ),
        wrong=(
            Idea(
                Text("the ack is the last octet received", "ack 是已收到的最后一个字节"),
                (r"last (octet|byte) (that was )?received", r"(已)?收到的最后一个?字节"),
            ),
            Idea(
                Text("each segment counts one", "每个报文段占一个序号"),
                (r"each segment (counts|takes|is) one", r"每个?(报文)?段占一"),
            ),
        ),
        guess=Guess(
            Text(
                "A segment has seq 1 and 17 octets. What is its ack?",
                "某报文段 seq 为 1，共 17 字节。它的 ack 是多少？",
            ),
            (Text("2", "2"), Text("17", "17"), Text("18", "18")),
            2,
        ),
        hints=(
            Text("Look at the first segment with data.", "看第一个带数据的报文段。"),
            Text(
                "Compare its seq plus its length with the ack that follows.",
                "把它的 seq 加长度与随后的 ack 相比较。",
            ),
        ),
        then=("SQ03", "SQ04"),
        sources=("RFC 9293 section 3.4",),
    ),
    Question(
        id="SQ02",
        asks=Text(
            "Why does Wireshark show sequence number 0 for a SYN?",
            "为什么抓包里 SYN 的 Seq 显示为 0？",
        ),
        answer=Text(
            "It shows relative numbers: the tool subtracts the ISN. The real value is in octets 4 to 7 "
            "of the TCP header.",
            "显示的是相对序号：工具减去了 ISN。真正的值在 TCP 首部的第 4～7 字节。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="medium",
        runs=("tcp_lifecycle",),
        instead="tour",
        prove=relative_numbers,
        values=(
            Ask(
                "octets",
                Text(
                    "Octets 4 to 7 of the TCP header of the SYN, in hex",
                    "SYN 的 TCP 首部第 4～7 字节，以十六进制表示",
                ),
                Unit.HEX,
            ),
            Ask(
                "isn",
                Text("The same as a decimal number", "同一个值，以十进制表示"),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("relative numbers: the ISN is subtracted", "相对序号：减去了 ISN"),
                (r"relative", r"subtract", r"相对|减去"),
            ),
            Idea(
                Text(
                    "the real value is in the TCP header",
                    "真正的值在 TCP 首部",
                ),
                (
                    r"(real|true|actual|absolute)[^.]{0,30}header",
                    r"octets? 4",
                    r"bytes? 4",
                    r"首部|报头|头部",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the SYN really carries 0", "SYN 里真的是 0"),
                (
                    r"(really|actually) (carries|has|is|sends) 0",
                    r"真的(就)?(是|为) ?0",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "SYN and SYN,ACK are both shown with seq 0. On the wire they are:",
                "SYN 与 SYN,ACK 都显示为 seq 0。线路上它们：",
            ),
            (Text("equal", "相等"), Text("different", "不同"), Text("both 0", "都是 0")),
            1,
        ),
        hints=(
            Text(
                "Look at the octets of the SYN: Ethernet 14, IPv4 20, then TCP.",
                "看 SYN 的各个字节：以太网 14，IPv4 20，然后是 TCP。",
            ),
            Text(
                "Compare octets 4 to 7 of the SYN with octets 8 to 11 of the SYN,ACK.",
                "把 SYN 的第 4～7 字节与 SYN,ACK 的第 8～11 字节相比较。",
            ),
        ),
        then=("HS13",),
        sources=(
            "RFC 9293 section 3.1",
            "Wireshark User's Guide, TCP analysis: relative sequence numbers",
        ),
    ),
    Question(
        id="SQ03",
        asks=Text(
            "Which segments consume sequence space and which are never retransmitted?",
            "哪些报文段占用序号？哪些不会被重传？",
        ),
        answer=Text(
            "Data, SYN and FIN consume sequence numbers and are retransmitted until acknowledged. "
            "Pure ACKs, window updates and RST consume none and are not retransmitted.",
            "数据、SYN 与 FIN 占用序号，未被确认就会重传。纯 ACK、窗口更新与 RST 不占序号，也不会重传。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("tcp_lifecycle", "third_ack_lost"),
        prove=what_consumes,
        values=(
            Ask(
                "ack",
                Text(
                    "Ordinary run: frame of the client's first pure ACK",
                    "普通连接：客户端第一个纯 ACK 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "data",
                Text(
                    "Ordinary run: frame of the data with the same seq",
                    "普通连接：与它 seq 相同的数据的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "repeated",
                Text(
                    "Third segment lost: first frame that is repeated",
                    "第三个报文段丢失：首个重传的帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("data, SYN and FIN consume numbers", "数据、SYN 与 FIN 占用序号"),
                (
                    r"syn[^.]{0,20}fin[^.]{0,30}(consume|take|use|count|occup)",
                    r"(syn|fin)[^.]{0,20}(占|消耗)",
                ),
            ),
            Idea(
                Text("pure ACKs consume none", "纯 ACK 不占序号"),
                (
                    r"acks?[^.]{0,40}(consume|take|use|occup)\w* (none|no)",
                    r"acks?[^.]{0,20}(do|does) not (consume|take|use)",
                    r"ack[^.]{0,20}不(占|消耗)",
                ),
            ),
            Idea(
                Text("pure ACKs are not retransmitted", "纯 ACK 不会重传"),
                (
                    r"(not|never)( be)? (retransmitted|repeated|resent)",
                    r"(不会|不|从不)(被)?重传",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("a lost ACK is retransmitted by its sender", "丢失的 ACK 会由发送方重传"),
                (
                    r"lost ack is (retransmitted|repeated|resent)",
                    r"丢失的 ?ack ?(会|要)(由|被)",
                ),
            ),
            Idea(
                Text("every segment consumes a number", "每个报文段都占序号"),
                (r"every segment (consumes|takes|uses)", r"每个?(报文)?段都(要)?占"),
            ),
        ),
        guess=Guess(
            Text(
                "A pure ACK has seq 1. What seq do the data behind it have?",
                "某纯 ACK 的 seq 为 1。紧随其后的数据 seq 是多少？",
            ),
            (Text("1", "1"), Text("2", "2"), Text("0", "0")),
            0,
        ),
        hints=(
            Text(
                "Look at the client's segments only, one after the other.",
                "只看客户端的报文段，逐个往下看。",
            ),
            Text(
                "Compare each seq with the one before it, plus what that one carried.",
                "把每个 seq 与前一个 seq 加上其所带内容相比较。",
            ),
        ),
        then=("HS08",),
        sources=("RFC 9293 section 3.4",),
    ),
)
