"""Statements about TCP's header and its guarantee."""

from __future__ import annotations

from ipaddress import IPv4Address

from lab.packets.checksums import internet_checksum
from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.pieces import Packet, Segment
from lab.questions.resets import refusal
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.tcp_options import TCP_HEADER, options_length, timestamps
from lab.text import Text, same

TCP = 6  # IP protocol number
WORD = 2  # octets that the checksum adds at a time


# ---------------------------------------------------------------- the header


def header(segment: Segment) -> int:
    """Octets of its TCP header, by the length fields."""
    return TCP_HEADER + options_length(segment)


def offset(one: Packet) -> int:
    """Octets of its TCP header, as the Data Offset field says: 4 times its 4 bits."""
    segment = _segment(one)
    return 4 * (segment[12] >> 4) if len(segment) > 12 else 0


def _segment(one: Packet) -> bytes:
    """The octets behind the IP header."""
    frame, ip = one.frame, one.frame.ip
    link = len(frame.octets) - (ip.length if ip else 0)
    return frame.octets[link + ip.size :] if ip else b""


def twenty_and_more(runs: Runs) -> Proof:
    """40 in a SYN, 32 with timestamps, 20 without any option."""
    run, refused = runs["tcp_lifecycle"], runs["rst_refused"]
    syn, synack, _ = run.opening()
    rest = [one for one in run.segments() if "SYN" not in one.flags]
    data, rst = run.one("C>S +", run.data("C")), refusal(refused)[1]
    return Proof(
        (
            _measured(syn, Text("the SYN", "SYN")),
            claim(
                {header(one) for one in rest} == {offset(data)} and all(map(timestamps, rest)),
                Text(
                    "all {n} segments after the two with SYN have {k} = {fixed} + {more}: timestamps in each",
                    "两个 SYN 之后的 {n} 个报文段首部都是 {k} = {fixed} + {more} 字节：各带时间戳",
                ).fill(
                    n=len(rest), k=offset(data), fixed=TCP_HEADER, more=offset(data) - TCP_HEADER
                ),
                data,
                run.capture(),
            ),
            claim(
                header(rst) == offset(rst) == TCP_HEADER,
                Text(
                    "a RST to a closed port has no options: {n} octets",
                    "关闭端口回的 RST 不带选项：{n} 字节",
                ).fill(n=header(rst)),
                rst,
            ),
        ),
        {
            "syn": rights.octets(header(syn), syn, synack),
            "data": rights.octets(header(data), data),
            "rst": rights.octets(header(rst), rst),
        },
    )


def _measured(segment: Segment, what: Text) -> Claim:
    ip, size = segment.frame.ip, header(segment)
    words = Text(
        "{what}: {a} - {b} - {c} = {n} octets of TCP header; its Data Offset says 4 x {d} = {n}",
        "{what}：{a} - {b} - {c} = {n} 字节 TCP 首部；其数据偏移字段为 4 × {d} = {n}",
    ).fill(
        what=what,
        a=ip.length if ip else 0,
        b=ip.size if ip else 0,
        c=segment.length,
        n=size,
        d=offset(segment) // 4,
    )
    return claim(TCP_HEADER < size == offset(segment) <= 15 * 4, words, segment)


# ---------------------------------------------------------------- the guarantee


def no_guarantee(runs: Runs) -> Proof:
    """Another text has the same checksum; and what was acknowledged is thrown away."""
    run = runs["rst_unread_data"]
    data = run.one("C>S +", run.data("C"))
    wrote, failed = run.call("client", "sendall"), run.call("client", "recv")
    acked = run.first("S>C [RST],[PSH],ACK", after=data)  # RST,ACK where close() was quicker
    reset, closed = run.first("S>C RST,ACK", after=data), run.call("server", "close")
    read = sum(one.call.octets or 0 for one in run.calls("server", "recv"))
    return Proof(
        (
            _same_sum(data),
            claim(
                acked.ack == data.end and wrote.call.octets == data.length and not read,
                Text(
                    "sendall() took {n} octets, the server's kernel acknowledged {m}, its program read {r}",
                    "sendall() 写入 {n} 字节，服务器内核确认了 {m} 字节，程序读到 {r} 字节",
                ).fill(n=wrote.call.octets, m=acked.ack - 1, r=read),
                wrote,
                data,
                acked,
                closed,
            ),
            claim(
                failed.outcome == "ECONNRESET" and closed.before < reset.time < failed.after,
                Text(
                    "close() sends RST, frame {n}: recv() = {error}, and the data is gone",
                    "close() 引来 RST（第 {n} 帧），连接终止：recv() = {error}，数据就此丢失",
                ).fill(n=reset.number, error=failed.outcome),
                closed,
                reset,
                failed,
            ),
        ),
        {
            "checksum": rights.name(_checksum(data).hex(), data),
            "reset": rights.frame(reset),
        },
    )


def _same_sum(data: Segment) -> Claim:
    """A sum does not see in which order its words come."""
    segment, at = _segment(data), header(data)
    if data.length < 2 * WORD:
        raise Missing(same(f"#{data.number}: {data.length} < {2 * WORD}"))
    first, second = segment[at : at + WORD], segment[at + WORD : at + 2 * WORD]
    other = segment[:at] + second + first + segment[at + 2 * WORD :]
    words = Text(
        'checksum {sum} of frame {n} fits its data "{sent}", and "{other}" just as well: two 16-bit words exchanged',
        "第 {n} 帧的校验和 {sum} 与数据 “{sent}” 相符；对调两个 16 位字成为 “{other}”，也同样相符",
    ).fill(
        sum=f"0x{_checksum(data).hex()}",
        n=data.number,
        sent=segment[at:].decode("ascii", "replace"),
        other=other[at:].decode("ascii", "replace"),
    )
    sums = [internet_checksum(_pseudo(data) + one) for one in (segment, other)]
    return claim(sums == [0, 0] and other != segment, words, data)


def _pseudo(one: Packet) -> bytes:
    """The pseudo-header that TCP's checksum covers as well (RFC 9293 section 3.1)."""
    ip = one.frame.ip
    if ip is None or ip.version != 4:
        raise Missing(same(f"#{one.number}: IPv4"))
    ends = IPv4Address(ip.source).packed + IPv4Address(ip.destination).packed
    return ends + bytes((0, TCP)) + len(_segment(one)).to_bytes(2, "big")


def _checksum(one: Packet) -> bytes:
    return _segment(one)[16:18]


QUESTIONS = (
    Question(
        id="E20",
        asks=Text("Is it true that TCP's header has 20 octets?", "TCP 首部是 20 字节，对吗？"),
        answer=Text(
            "That is the least: it has 20 to 60 octets, and Data Offset says how many. "
            "Here the SYN has 40. With timestamps every other segment has 32; a RST without options has 20.",
            "那只是最小值：首部为 20 至 60 字节，由数据偏移字段给出。"
            "这里 SYN 有 40 字节；启用时间戳后，其余各段是 32 字节；不带选项的 RST 才是 20 字节。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("tcp_lifecycle", "rst_refused"),
        prove=twenty_and_more,
        values=(
            Ask(
                "syn", Text("Octets of TCP header in the SYN", "SYN 的 TCP 首部字节数"), Unit.OCTETS
            ),
            Ask(
                "data",
                Text("Octets of TCP header in a segment with data", "数据段的 TCP 首部字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "rst",
                Text(
                    "rst_refused: octets of TCP header in the RST",
                    "rst_refused：RST 的 TCP 首部字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("20 to 60 octets", "20 至 60 字节"),
                (r"20 ?(to|-|–|and) ?60", r"20 ?(至|到|~) ?60", r"\b60\b"),
            ),
            Idea(
                Text("timestamps make it 32", "有时间戳时为 32"),
                (r"timestamp", r"时间戳"),
            ),
            Idea(
                Text("Data Offset gives the length", "长度由数据偏移字段给出"),
                (r"data offset", r"header length", r"数据偏移", r"首部长度字段"),
            ),
        ),
        wrong=(
            Idea(
                Text("every segment has a header of 20 octets", "每个报文段的首部都是 20 字节"),
                (r"every segment has a header of 20", r"每个报文段的首部都是 ?20"),
            ),
        ),
        guess=Guess(
            Text(
                "How long is the TCP header of an ordinary data segment on Linux?",
                "Linux 上普通数据段的 TCP 首部有多长？",
            ),
            (
                Text("20 octets", "20 字节"),
                Text("32 octets", "32 字节"),
                Text("60 octets", "60 字节"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the Data Offset (header length) of each segment.",
                "看每个报文段的数据偏移（首部长度）字段。",
            ),
            Text(
                "Compare IP length - IP header - data with 20; the rest is options.",
                "用 IP 总长 - IP 首部 - 数据，再与 20 相比较；多出的是选项。",
            ),
        ),
        claim=Text("TCP's header has 20 octets", "TCP 首部 20 字节"),
        truth=Text(
            "20 is the least: 40 in the SYN, 32 with timestamps",
            "20 是最小值：SYN 为 40，带时间戳为 32",
        ),
        seen_in=("S1",),
        then=("OP01", "UD01"),
        sources=("RFC 9293 section 3.1", "RFC 7323 section 3.2"),
    ),
    Question(
        id="E21",
        asks=Text(
            "Is it true that TCP guarantees that the data is correct?",
            "TCP 能保证数据正确无误，对吗？",
        ),
        answer=Text(
            "No. A 16-bit checksum detects most corruption, and TCP retransmits what is damaged or lost. "
            "But it is only a sum: two words exchanged go unnoticed. "
            "And a RST discards even data that was acknowledged.",
            "不能。16 位校验和能发现大多数差错，损坏或丢失的会重传。"
            "但它只是求和：对调两个 16 位字就发现不了。"
            "而且 RST 连已确认的数据也会丢弃。",
        ),
        kind=Kind.DEBUNK,
        level=3,
        runs=("rst_unread_data",),
        prove=no_guarantee,
        values=(
            Ask(
                "checksum",
                Text(
                    "TCP checksum of the segment with data, in hex",
                    "数据段的 TCP 校验和（十六进制）",
                ),
                Unit.HEX,
            ),
            Ask(
                "reset",
                Text("Frame after which the data is lost", "使数据丢失的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("a 16-bit checksum detects most corruption", "16 位校验和能发现大多数差错"),
                (r"checksum", r"校验和"),
            ),
            Idea(
                Text("a RST discards data that was acknowledged", "RST 会丢弃已确认的数据"),
                (r"(rst|reset)[^.]*(discard|los[te]|drop)", r"(rst|复位)[^.]*丢(弃|失)"),
            ),
        ),
        wrong=(
            Idea(
                Text("the checksum finds every error", "校验和能发现一切差错"),
                (r"finds every error", r"发现一切(差错|错误)"),
            ),
            Idea(
                Text("acknowledged data has been read", "已确认的数据必定被程序读到"),
                (r"acknowledged data has been read", r"已?确认的数据必定"),
            ),
        ),
        guess=Guess(
            Text(
                "Two 16-bit words of a segment change places on the way. Does the checksum show it?",
                "报文段中的两个 16 位字在途中对调，校验和能发现吗？",
            ),
            (Text("yes", "能"), Text("no", "不能"), Text("only with timestamps", "有时间戳才能")),
            1,
        ),
        hints=(
            Text(
                "Look at the checksum of the segment with data, and at the last segment.",
                "看数据段的校验和，以及最后一个报文段。",
            ),
            Text(
                "Compare what was acknowledged with what the server's program read.",
                "把得到确认的字节数与服务器程序读到的相比较。",
            ),
        ),
        claim=Text("TCP guarantees correct data", "TCP 保证数据正确"),
        truth=Text(
            "It detects most errors and repeats; no more, and across a reset nothing",
            "它发现大多数差错并重传，仅此而已；一旦复位就毫无保证",
        ),
        seen_in=("S1",),
        then=("RT08",),
        sources=(
            "RFC 9293 section 3.1",
            "RFC 1071 section 1",
            "Stone and Partridge 2000: When the CRC and TCP Checksum Disagree",
        ),
    ),
)
