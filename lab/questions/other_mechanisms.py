"""Multipath TCP and urgent data."""

from __future__ import annotations

from lab.packets.frames import Flags
from lab.packets.rows import Frame
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

MULTIPATH, FALLBACK = "mptcp_capable", "mptcp_capable:fallback"
URGENT, INLINE = "urgent_data", "urgent_data:inline"
KIND = 30  # of the option (RFC 8684 section 3)
CAPABLE, MAPPING = 0, 2  # its subtypes
KEY = 8  # octets


def option(one: Packet) -> bytes:
    """What a segment's Multipath TCP option holds behind kind and length; b"": it has none."""
    unknown = one.frame.tcp.options.unknown if one.frame.tcp else ()
    return next((value for kind, value in unknown if kind == KIND), b"")


def size(one: Packet) -> int:
    """Octets of that option, kind and length included; 0: it has none."""
    return 2 + len(option(one)) if option(one) else 0


def subtype(one: Packet) -> int | None:
    return option(one)[0] >> 4 if option(one) else None


def keys(one: Packet) -> bytes:
    """The keys in MP_CAPABLE, behind subtype and flags."""
    return option(one)[2:][: 2 * KEY]


def keys_change_hands(runs: Runs) -> Proof:
    """No key, the server's, both; later a mapping; without the option plain TCP."""
    run, plain = runs[MULTIPATH], runs[FALLBACK]
    syn, synack, ack = run.opening()
    data = run.one("segment with data", run.data("C"))
    later = run.all(after=data)
    mapped = [one for one in later if subtype(one) == MAPPING]
    sent = syn_at(plain, "client")
    arrived = syn_at(plain, "server")
    back = plain.first("S>C SYN,ACK")
    asked, told = (one.call("client", "getsockopt") for one in (run, plain))
    sizes = [size(one) for one in (syn, synack, ack)]
    return Proof(
        (
            claim(
                [subtype(one) for one in (syn, synack, ack)] == [CAPABLE] * 3
                and [len(keys(one)) for one in (syn, synack)] == [0, KEY],
                Text(
                    "option kind 30, MP_CAPABLE, is in all three segments: {a}, {b}, {c} octets",
                    "三个报文段都带选项 30（MP_CAPABLE）：{a}、{b}、{c} 字节",
                ).fill(a=sizes[0], b=sizes[1], c=sizes[2]),
                syn,
                synack,
                ack,
            ),
            claim(
                len(keys(ack)) == 2 * KEY and keys(ack)[KEY:] == keys(synack) != b"",
                Text(
                    "SYN,ACK brings the server's key {key}…; the ACK repeats it behind the client's",
                    "SYN,ACK 带来服务器的密钥 {key}…；ACK 在客户端密钥之后重复了它",
                ).fill(key=keys(synack)[:4].hex()),
                synack,
                ack,
            ),
            claim(
                len(mapped) == len(later) > 0,
                Text(
                    "each of the {n} segments after the first data carries a DSS, "
                    "which places its octets in the whole",
                    "首个数据段之后的 {n} 个报文段都带 DSS，说明数据在整体中的位置",
                ).fill(n=len(mapped)),
                *later[:6],
            ),
            claim(
                size(sent) > 0 == size(arrived) == size(back)
                and (asked.outcome, told.outcome != "ok") == ("ok", True),
                Text(
                    "taken out on the way ({sent} octets sent, {arrived} arrived), plain TCP remains: "
                    "MPTCP_INFO = {error}",
                    "途中被去掉（发出 {sent} 字节，到达 {arrived}），只剩普通 TCP：MPTCP_INFO = {error}",
                ).fill(sent=size(sent), arrived=size(arrived), error=told.outcome),
                sent,
                arrived,
                back,
                asked,
                told,
            ),
        ),
        {
            "syn": rights.octets(sizes[0], syn),
            "synack": rights.octets(sizes[1], synack),
            "ack": rights.octets(sizes[2], ack),
            "key": rights.name(keys(synack).hex(), synack),
        },
    )


def syn_at(run: Run, host: str) -> Packet:
    """The client's SYN as a port saw it."""
    return run.packet("SYN", lambda one: flags_of(one.frame) == Flags.SYN, host)


def flags_of(one: Frame) -> Flags:
    return one.tcp.flags if one.tcp else Flags(0)


def read(one: Called) -> bytes:
    return bytes.fromhex(one.call.data)


def one_octet_apart(runs: Runs) -> Proof:
    """The pointer marks a place; the interface takes one octet out, unless told not to."""
    run, inline = runs[URGENT], runs[INLINE]
    marked = run.one("segment with URG", [one for one in run.data("C") if "URG" in one.flags])
    pointer = marked.frame.tcp.urgent if marked.frame.tcp else 0
    stream = b"".join(one.frame.payload for one in run.data("C"))
    before, apart, after = three_reads(run)
    plain, refused, rest = three_reads(inline)
    end = marked.seq + pointer - 1  # octets of the stream up to the mark
    return Proof(
        (
            claim(
                pointer == marked.length > 0 and stream[end - 1 : end] == read(apart),
                Text(
                    "frame {n} has URG; its urgent pointer {pointer} leads behind its last octet, {octet}",
                    "帧 {n} 带 URG；紧急指针 {pointer} 指向它最后一个字节 {octet} 之后",
                ).fill(n=marked.number, pointer=pointer, octet=stream[end - 1 : end].decode()),
                marked,
                apart,
            ),
            claim(
                read(before) + read(apart) + read(after) == stream
                and len(read(apart)) == 1
                and read(before) == stream[: end - 1],
                Text(
                    "recv() stops at the mark, {before}; MSG_OOB gives {apart}; the next recv() {after}",
                    "recv() 停在标记处：{before}；MSG_OOB 得到 {apart}；再次 recv() 得到 {after}",
                ).fill(
                    before=read(before).decode(),
                    apart=read(apart).decode(),
                    after=read(after).decode(),
                ),
                marked,
                before,
                apart,
                after,
            ),
            claim(
                refused.outcome == "EINVAL" and read(plain) + read(rest) == stream,
                Text(
                    "with SO_OOBINLINE the octet stays in the stream, {all}, and MSG_OOB = {error}",
                    "设置 SO_OOBINLINE 后该字节留在流中：{all}，MSG_OOB = {error}",
                ).fill(all=(read(plain) + read(rest)).decode(), error=refused.outcome),
                plain,
                refused,
                rest,
            ),
        ),
        {
            "frame": rights.frame(marked),
            "pointer": rights.count(pointer, marked),
            "apart": rights.name(read(apart).decode("utf-8", "replace"), apart),
            "before": rights.octets(len(read(before)), before),
        },
    )


def three_reads(run: Run) -> tuple[Called, Called, Called]:
    """Up to the mark, with MSG_OOB, and what follows."""
    calls = run.calls("server", "recv")
    if len(calls) < 3:
        raise Missing(Text("too few recv()", "recv() 太少"))
    return calls[0], calls[1], calls[2]


QUESTIONS = (
    Question(
        id="MX01",
        asks=Text("What is multipath TCP and how is it negotiated?", "什么是 MPTCP？如何协商？"),
        answer=Text(
            "One connection over several paths. MP_CAPABLE is in the SYN, with the server's key in the "
            "SYN,ACK and both keys in the ACK. DSS then maps data into the whole. Where the option is "
            "taken out, both fall back to plain TCP.",
            "一条连接同时使用多条路径。SYN 带 MP_CAPABLE，SYN,ACK 带服务器的密钥，ACK 带双方密钥；"
            "此后 DSS 把数据映射到整体。选项被去掉时退回普通 TCP。",
        ),
        kind=Kind.LOCATE,
        level=3,
        interview="low",
        runs=(MULTIPATH, FALLBACK),
        prove=keys_change_hands,
        values=(
            Ask(
                "syn",
                Text("Octets of option kind 30 in the SYN", "SYN 中选项 30 的字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "synack",
                Text("Octets of option kind 30 in the SYN,ACK", "SYN,ACK 中选项 30 的字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "ack",
                Text("Octets of option kind 30 in the ACK", "ACK 中选项 30 的字节数"),
                Unit.OCTETS,
            ),
            Ask("key", Text("The server's key", "服务器的密钥"), Unit.HEX),
        ),
        ideas=(
            Idea(
                Text("one connection over several paths", "一条连接使用多条路径"),
                (r"(several|multiple|many) paths", r"多(条|个)?路径"),
            ),
            Idea(Text("MP_CAPABLE in the SYN", "SYN 带 MP_CAPABLE"), (r"mp_?capable",)),
            Idea(
                Text("keys in the SYN,ACK and the ACK", "SYN,ACK 与 ACK 带密钥"),
                (r"\bkeys?\b", r"密钥"),
            ),
            Idea(
                Text("without the option: fall back to plain TCP", "没有选项时退回普通 TCP"),
                (r"fall(s|ing)? ?back", r"plain tcp", r"退回", r"回退"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the connection fails if a middlebox removes it", "中间设备去掉选项后连接失败"
                ),
                (r"connection fails", r"连接(就)?失败"),
            ),
            Idea(
                Text("programs need another API", "程序需要另一套接口"),
                (r"another api", r"另一套接口"),
            ),
        ),
        guess=Guess(
            Text(
                "A middlebox removes the option from the SYN. What happens?",
                "中间设备从 SYN 中去掉该选项，会怎样？",
            ),
            (
                Text("connect() fails", "connect() 失败"),
                Text("plain TCP is used", "使用普通 TCP"),
                Text("the SYN is sent again with it", "带着它重发 SYN"),
            ),
            1,
        ),
        hints=(
            Text("Open the options of the first three segments.", "展开前三个报文段的选项。"),
            Text(
                "Compare the lengths of option kind 30, and its last octets.",
                "比较选项 30 的长度以及末尾的字节。",
            ),
        ),
        then=("OP01",),
        sources=("RFC 8684 sections 3.1, 3.3 and 3.7",),
    ),
    Question(
        id="MX02",
        asks=Text(
            "What does urgent data do and why avoid it?", "紧急数据是什么？为什么不建议使用？"
        ),
        answer=Text(
            "URG and the urgent pointer mark a place in the stream; nothing overtakes anything. The "
            "sockets API delivers one byte apart, with MSG_OOB. Implementations disagree and "
            "middleboxes clear it, so new programs avoid it.",
            "URG 与紧急指针只在字节流中标记一个位置，数据并不会超前。套接字接口用 MSG_OOB 单独交付一个字节；"
            "各实现不一致，中间设备还会清除它，因此新程序不应使用。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        interview="low",
        runs=(URGENT, INLINE),
        prove=one_octet_apart,
        values=(
            Ask("frame", Text("Frame with URG", "带 URG 的帧号"), Unit.FRAME),
            Ask("pointer", Text("Its urgent pointer", "它的紧急指针"), Unit.COUNT),
            Ask(
                "apart",
                Text("Character that recv(MSG_OOB) returns", "recv(MSG_OOB) 返回的字符"),
                Unit.NAME,
            ),
            Ask(
                "before",
                Text(
                    "Octets that the first plain recv() returns", "第一次普通 recv() 返回的字节数"
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("it marks a place in the stream", "在字节流中标记一个位置"),
                (
                    r"mark[^.]*(place|position|point)",
                    r"(points|pointer)[^.]*place",
                    r"标记[^.]*位置",
                ),
            ),
            Idea(
                Text("the API delivers one byte apart", "接口单独交付一个字节"),
                (r"(one|single) (byte|octet)", r"(单独|一个)[^.]*字节"),
            ),
            Idea(
                Text("implementations disagree", "各实现不一致"),
                (r"(implementations|systems) (disagree|differ)", r"(实现|系统)[^.]*不(一致|同)"),
            ),
        ),
        wrong=(
            Idea(
                Text("urgent data overtakes the data before it", "紧急数据会超过前面的数据先到"),
                (r"urgent data overtakes", r"overtakes the data", r"(超过|先于)前面的数据"),
            ),
            Idea(
                Text("it travels on a channel of its own", "它走单独的通道"),
                (r"channel of its own", r"separate channel", r"单独的通道"),
            ),
        ),
        guess=Guess(
            Text(
                "XY! is sent with MSG_OOB. What does recv(MSG_OOB) return?",
                "用 MSG_OOB 发送 XY!，recv(MSG_OOB) 返回什么？",
            ),
            (Text("XY!", "XY!"), Text("X", "X"), Text("!", "!")),
            2,
        ),
        hints=(
            Text(
                "Look for the URG flag, and at the server's recv() calls.",
                "找 URG 标志，再看服务器的 recv() 调用。",
            ),
            Text(
                "Compare the octets of the stream with what each recv() returned.",
                "把流中的字节与每次 recv() 的返回相比较。",
            ),
        ),
        sources=("RFC 6093", "RFC 9293 section 3.8.5"),
    ),
)
