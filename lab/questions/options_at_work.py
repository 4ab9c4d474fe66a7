"""Options after the handshake: how windows are scaled, holes named, round trips measured."""

from __future__ import annotations

from itertools import pairwise

from lab.packets.kinds import Flags
from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Right, Unit
from lab.questions.closing import HOSTS
from lab.questions.pieces import Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.tcp_options import SYN_ONLY, options, timestamps
from lab.text import Text
from lab.units import MODULUS, short_span

FIELD = 0xFFFF  # the largest window that 16 bits can say
SCALED, REFUSED = "window_scaling", "window_scaling:server_off"
HOLE, COOKIES = "fast_retransmit", "syn_flood_cookies:cookie_options"


def field_and_scale(runs: Runs) -> Proof:
    """The field times two to the power of its sender's scale; never in a SYN, never one-sided."""
    run, plain = runs[SCALED], runs[REFUSED]
    syn, synack, ack = run.opening()
    grown = run.one("S>C ACK", run.all("S>C ACK", after=ack)[-1:])
    shift = options(synack).window_scale or 0
    return Proof(
        (
            claim(
                grown.scaled == grown.window << shift and grown.window << shift > FIELD,
                Text(
                    "the SYN,ACK says scale {shift}: the server's field {field} in frame {n} means "
                    "{field} × 2^{shift} = {octets} octets, more than 16 bits can say",
                    "SYN,ACK 的扩大因子为 {shift}：第 {n} 帧中服务器的字段值 {field} 表示 "
                    "{field} × 2^{shift} = {octets} 字节，超过 16 位所能表示的范围",
                ).fill(shift=shift, field=grown.window, n=grown.number, octets=grown.scaled),
                synack,
                grown,
            ),
            _syn_is_not_scaled(syn, ack),
            *_one_side_only(plain),
        ),
        {
            "field": rights.count(grown.window, grown),
            "shift": rights.count(shift, synack),
            "octets": rights.window(grown),
        },
    )


def _syn_is_not_scaled(syn: Segment, ack: Segment) -> Claim:
    """The client's window twice: in the SYN as it is, in the ACK shifted, and rounded up."""
    shift = options(syn).window_scale or 0
    octets = ack.window << shift
    return claim(
        ack.window < syn.window and 0 <= octets - syn.window < 1 << shift,
        Text(
            "the SYN says {syn} octets, unscaled; the ACK says as much by {field} × 2^{shift} = {octets}",
            "SYN 直接写 {syn} 字节，不扩大；ACK 以 {field} × 2^{shift} = {octets} 表示同样大小",
        ).fill(syn=syn.window, field=ack.window, shift=shift, octets=octets),
        syn,
        ack,
    )


def _one_side_only(run: Run) -> tuple[Claim, Claim]:
    """The SYN offers the option, the SYN,ACK does not: then nobody scales."""
    syn, synack, ack = run.opening()
    return (
        claim(
            options(syn).window_scale is not None and options(synack).window_scale is None,
            Text(
                "in the other run the SYN offers scale {shift}, the SYN,ACK offers none",
                "在另一次运行中，SYN 提供因子 {shift}，SYN,ACK 不带该选项",
            ).fill(shift=options(syn).window_scale),
            syn,
            synack,
        ),
        claim(
            ack.window == syn.window == ack.scaled,
            Text(
                "so neither side scales: the ACK's field is {field} like the SYN's, in octets",
                "于是双方都不扩大：ACK 的字段值与 SYN 一样是 {field}，单位就是字节",
            ).fill(field=ack.window),
            syn,
            ack,
        ),
    )


def names_the_hole(runs: Runs) -> Proof:
    """Duplicate ACKs say where the hole begins; their SACK blocks say where it ends."""
    run = runs[HOLE]
    lost = run.first("C>S [PSH],ACK +1448 lost")
    copies = run.all("S>C ACK", where=lambda one: bool(one.sack))
    first, last = run.one("SACK", copies), run.one("SACK", copies[-1:])
    again = run.first("C>S [PSH],ACK", after=lost, where=lambda one: one.seq == lost.seq)
    filled = run.first("S>C ACK", after=again, where=lambda one: one.ack > lost.seq)
    edges = [one.sack[0][1] for one in copies]
    return Proof(
        (
            claim(
                {one.ack for one in copies} == {lost.seq},
                Text(
                    "{n} duplicate ACKs all say {ack}: only where the hole begins",
                    "{n} 个重复 ACK 都是 {ack}：只说明缺口从哪里开始",
                ).fill(n=len(copies), ack=first.ack),
                lost,
                first,
                last,
            ),
            claim(
                {one.sack[0][0] for one in copies} == {lost.end},
                Text(
                    "the left edge of the SACK block is {left}, the first octet behind the hole: "
                    "{seq} + {length}",
                    "SACK 块的左边界为 {left}，即缺口之后的第一个字节：{seq} + {length}",
                ).fill(left=first.sack[0][0], seq=lost.seq, length=lost.length),
                lost,
                first,
                last,
            ),
            claim(
                all(a < b for a, b in pairwise(edges)) and len(edges) > 1,
                Text(
                    "its right edge grows with each segment that arrives: {edges}",
                    "右边界随每个到达的报文段增长：{edges}",
                ).fill(edges=", ".join(map(str, edges))),
                *copies[:6],
            ),
            claim(
                (again.seq, again.end) == (lost.seq, lost.end) and filled.ack == edges[-1],
                Text(
                    "one segment, {left} to {right}, fills just the hole; the next ACK jumps to {ack}",
                    "只重传一段，{left} 至 {right}，恰好填补缺口；下一个 ACK 直接跳到 {ack}",
                ).fill(left=again.seq, right=again.end, ack=filled.ack),
                lost,
                again,
                filled,
                last,
            ),
        ),
        {
            "hole": rights.sequence(lost),
            "left": _edge(first, 0),
            "right": _edge(first, 1),
            "length": rights.octets(lost.length, lost),
        },
    )


def _edge(segment: Segment, side: int) -> Right:
    """An edge of the first SACK block, absolute; relative is as good."""
    absolute = options(segment).sack[0][side]
    return Right((absolute,), (segment.cite,), relative=segment.sack[0][side])


def echoes(runs: Runs) -> Proof:
    """TSecr echoes TSval; TSval is a clock that never goes back; and it can carry other options."""
    run = runs[HOLE]
    data = run.one("data", run.data("C"))
    ack = run.first("S>C ACK", after=data, where=lambda one: one.ack == data.end)
    sent, (own, echoed) = timestamps(data)[0], timestamps(ack)
    return Proof(
        (
            claim(
                echoed == sent and ack.ack == data.end,
                Text(
                    "frame {a} has TSval {tsval}; its ACK, frame {b}, echoes TSecr {tsecr}; "
                    "the round trip took {span}",
                    "第 {a} 帧 TSval {tsval}；确认它的第 {b} 帧回显 TSecr {tsecr}；往返用时 {span}",
                ).fill(
                    a=data.number,
                    tsval=sent,
                    b=ack.number,
                    tsecr=echoed,
                    span=short_span(ack.time - data.time),
                ),
                data,
                ack,
            ),
            _clock(run),
            *(_never_back(run, sender) for sender in "CS"),
            _survive_cookies(runs[COOKIES]),
        ),
        {
            "tsval": rights.count(sent, data),
            "ack": rights.frame(ack),
            "own": rights.count(own, ack),
        },
    )


def _clock(run: Run) -> Claim:
    """TSval counts time: about a tick a millisecond on Linux."""
    ours = run.all(where=lambda one: one.sender == "C")
    first, last = run.one("SYN", ours), run.one("FIN", ours[-1:])
    ticks = (timestamps(last)[0] - timestamps(first)[0]) % MODULUS
    elapsed = last.time - first.time
    return claim(
        abs(ticks * 1_000_000 - elapsed) < elapsed // 5,
        Text(
            "TSval is a clock of about 1 ms: {ticks} ticks in {span}",
            "TSval 是约 1 毫秒一跳的时钟：{span} 内走了 {ticks} 跳",
        ).fill(ticks=ticks, span=short_span(elapsed)),
        first,
        last,
    )


def _never_back(run: Run, sender: str) -> Claim:
    sent = run.all(where=lambda one: one.sender == sender)
    stamps = [timestamps(one)[0] for one in sent]
    steps = [(b - a) % MODULUS for a, b in pairwise(stamps)]
    return claim(
        len(steps) > 1 and max(steps) < MODULUS // 2,
        Text(
            "in {n} segments of the {who} it never goes back; PAWS drops a segment whose TSval does",
            "{who}的 {n} 个报文段中它从不倒退；TSval 倒退的报文段会被 PAWS 丢弃",
        ).fill(n=len(sent), who=HOSTS["client" if sender == "C" else "server"]),
        *sent[:2],
        *sent[-2:],
    )


def _survive_cookies(run: Run) -> Claim:
    """A SYN cookie remembers nothing: the granted options come back in the timestamp, or not at all."""
    with_stamps = run.first("S>C SYN,ACK")
    without = run.packet("SYN,ACK", _is_synack, "legacy")
    kept, lost = _granted(with_stamps), _granted(without)
    return claim(
        len(kept) == len(SYN_ONLY)
        and lost == [SYN_ONLY["mss"]]
        and not options(without).timestamps,
        Text(
            "SYN cookies: with timestamps the SYN,ACK grants {kept}; without them only {lost}",
            "SYN Cookie：有时间戳时 SYN,ACK 答应 {kept}；没有时只有 {lost}",
        ).fill(kept=", ".join(kept), lost=", ".join(lost)),
        with_stamps,
        without,
    )


def _is_synack(one: Packet) -> bool:
    tcp = one.frame.tcp
    return tcp is not None and tcp.flags & (Flags.SYN | Flags.ACK) == Flags.SYN | Flags.ACK


def _granted(synack: Packet) -> list[str]:
    told = options(synack)
    return [words for name, words in SYN_ONLY.items() if getattr(told, name) not in (None, False)]


QUESTIONS = (
    Question(
        id="OP04",
        asks=Text(
            "How do window scale and the 16-bit window field combine?",
            "窗口扩大因子如何与 16 位窗口字段配合？",
        ),
        answer=Text(
            "The true window is the field × 2^scale, by the scale of that segment's sender. "
            "The field in SYN and SYN,ACK is unscaled. "
            "Both sides must offer the option, else nobody scales.",
            "真实窗口 = 字段值 × 2^因子，用的是该报文段发送者的因子。"
            "SYN 与 SYN,ACK 中的字段不扩大。双方都提供该选项才生效，否则都不扩大。",
        ),
        kind=Kind.COMPUTE,
        level=3,
        interview="medium",
        runs=(SCALED, REFUSED),
        prove=field_and_scale,
        values=(
            Ask(
                "field",
                Text(
                    "Window field of the server's last pure ACK",
                    "服务器最后一个纯 ACK 的窗口字段值",
                ),
                Unit.COUNT,
            ),
            Ask("shift", Text("The server's window scale", "服务器的窗口扩大因子"), Unit.COUNT),
            Ask(
                "octets",
                Text("The window that this ACK announces", "该 ACK 通告的窗口大小"),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("true window = field × 2^scale", "真实窗口 = 字段值 × 2^因子"),
                (
                    r"field ?(x|×|\*|<<|shifted|times|multiplied)",
                    r"字段(值)? ?(x|×|\*|<<|左移|乘)",
                    r"2\^",
                    r"<<",
                ),
            ),
            Idea(
                Text(
                    "the windows in SYN and SYN,ACK are unscaled", "SYN 与 SYN,ACK 中的窗口不扩大"
                ),
                (
                    r"syn[^.]*(unscaled|not scaled|never scaled)",
                    r"syn[^.]*(不|从不|未)(扩大|缩放|左移)",
                ),
            ),
            Idea(
                Text("both sides must offer it", "双方都提供该选项才生效"),
                (
                    r"both (sides|ends|syns?)",
                    r"双方都",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("one side alone can scale", "只要一方提供就能扩大"),
                (
                    r"one (side|end) alone can",
                    r"(只要|只需)一(方|端)",
                ),
            ),
            Idea(
                Text("the window in the SYN is scaled too", "SYN 中的窗口也要扩大"),
                (
                    r"syn is scaled",
                    r"syn 中的窗口也",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The SYN offers window scale, the SYN,ACK does not. What does the client do?",
                "SYN 提供窗口扩大，SYN,ACK 没有。客户端会怎样？",
            ),
            (
                Text("it scales its own windows", "扩大自己的窗口"),
                Text("it scales nothing", "都不扩大"),
                Text("it resets the connection", "复位连接"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the options of both SYNs, then at the window field of a later ACK.",
                "看两个 SYN 的选项，再看之后某个 ACK 的窗口字段。",
            ),
            Text(
                "Compare the client's field in the SYN with that in the third segment.",
                "比较客户端 SYN 中与第三个报文段中的字段值。",
            ),
        ),
        then=("OP01",),
        sources=("RFC 7323 section 2", "RFC 7323 section 2.2"),
    ),
    Question(
        id="OP05",
        asks=Text("What does SACK add to duplicate ACKs?", "SACK 比重复 ACK 多提供了什么信息？"),
        answer=Text(
            "A duplicate ACK only says where the hole begins. "
            "SACK names the blocks received above the hole, so only the missing data is repeated. "
            "With timestamps in use a segment has room for 3 blocks.",
            "重复 ACK 只说明缺口从哪里开始；SACK 指明缺口之后已收到的数据块，"
            "因此只需重传缺失的部分。使用时间戳时，一个报文段最多容纳 3 个块。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        interview="medium",
        runs=(HOLE,),
        prove=names_the_hole,
        values=(
            Ask(
                "hole",
                Text("Sequence number of the lost segment", "丢失的报文段的序列号"),
                Unit.SEQUENCE,
            ),
            Ask(
                "left",
                Text("Left edge of the first SACK block", "第一个 SACK 块的左边界"),
                Unit.SEQUENCE,
            ),
            Ask(
                "right",
                Text("Right edge of the first SACK block", "第一个 SACK 块的右边界"),
                Unit.SEQUENCE,
            ),
            Ask("length", Text("Octets in the hole", "缺口的字节数"), Unit.OCTETS),
        ),
        ideas=(
            Idea(
                Text(
                    "SACK names the blocks received above the hole",
                    "SACK 指明缺口之后已收到的数据块",
                ),
                (
                    r"blocks?[^.]* (received|arrived)",
                    r"(received|arrived)[^.]* blocks?",
                    r"(names|tells|reports)[^.]*(received|arrived)",
                    r"已(经)?收到的",
                ),
            ),
            Idea(
                Text("only the missing data is repeated", "只需重传缺失的部分"),
                (
                    r"only (the )?(missing|lost|hole)",
                    r"只(需|要|用)?重(传|发)[^.,]*(缺|丢)",
                ),
            ),
            Idea(
                Text(
                    "a duplicate ACK only says where the hole begins",
                    "重复 ACK 只说明缺口从哪里开始",
                ),
                (
                    r"where the (hole|gap) (begins|starts)",
                    r"(缺口|空洞)从哪里开始|(缺口|空洞)的?(起点|开始)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("SACK replaces the ACK number", "SACK 取代了确认号"),
                (
                    r"sack replaces",
                    r"sack ?(取代|代替)",
                ),
            ),
            Idea(
                Text("everything after the hole is sent again", "缺口之后的数据全部重传"),
                (
                    r"everything (after|behind|above) the (hole|gap) is (sent|retransmitted|repeated)",
                    r"之后的(数据)?(全部|都要?)重(传|发)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "One of ten segments is lost. How many are sent again?",
                "十个报文段中丢了一个，会重传几个？",
            ),
            (
                Text("one", "一个"),
                Text("all behind the hole", "缺口之后的全部"),
                Text("all ten", "全部十个"),
            ),
            0,
        ),
        hints=(
            Text("Look at the SACK option of the duplicate ACKs.", "看重复 ACK 的 SACK 选项。"),
            Text(
                "Compare the block's left edge with the lost segment's seq plus its length.",
                "把块的左边界与丢失报文段的 seq 加长度相比较。",
            ),
        ),
        then=("OP06",),
        sources=("RFC 2018 section 3", "RFC 6675"),
    ),
    Question(
        id="OP06",
        asks=Text("What are TCP timestamps for?", "TCP 时间戳选项的作用是什么？"),
        answer=Text(
            "They measure the round trip on every ACK: TSecr echoes TSval. "
            "They protect against wrapped sequence numbers (PAWS), as TSval never goes back. "
            "TIME-WAIT reuse and SYN cookies, which save options in them, rely on them too.",
            "一是每个 ACK 都可测量往返时间：TSecr 回显 TSval。"
            "二是防止序号回绕（PAWS）：TSval 从不倒退。"
            "此外，TIME-WAIT 端口的重用和 SYN Cookie 保存选项也依靠它。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        runs=(HOLE, COOKIES),
        prove=echoes,
        values=(
            Ask(
                "tsval",
                Text(
                    "Segment lost: TSval of the client's first data segment",
                    "丢段运行：客户端第一个数据段的 TSval",
                ),
                Unit.COUNT,
            ),
            Ask(
                "ack",
                Text("Frame number of the ACK for it", "确认它的 ACK 的帧号"),
                Unit.FRAME,
            ),
            Ask("own", Text("TSval of that ACK", "该 ACK 自己的 TSval"), Unit.COUNT),
        ),
        ideas=(
            Idea(
                Text("they measure the round trip", "测量往返时间"),
                (r"round[- ]trip", r"\brtt", r"往返"),
            ),
            Idea(
                Text("TSecr echoes TSval", "TSecr 回显 TSval"),
                (r"tsecr", r"echo", r"回显"),
            ),
            Idea(
                Text(
                    "they protect against wrapped sequence numbers (PAWS)", "防止序号回绕（PAWS）"
                ),
                (r"wrap", r"\bpaws\b", r"回绕"),
            ),
        ),
        wrong=(
            Idea(
                Text("timestamps need synchronised clocks", "时间戳要求双方时钟同步"),
                (
                    r"(need|require)s? (synchroni[sz]ed|the same) clocks?",
                    r"时钟(必须)?(同步|一致)",
                ),
            ),
            Idea(
                Text("TSval is the time of day", "TSval 就是当前时刻"),
                (
                    r"tsval is the (time of day|wall clock|date)",
                    r"tsval ?(就是|是)当前时(刻|间)",
                ),
            ),
        ),
        guess=Guess(
            Text("What will TSecr of an ACK be?", "ACK 的 TSecr 会是什么？"),
            (
                Text("the receiver's clock", "接收方的时钟"),
                Text("the TSval of the segment it answers", "它所应答的报文段的 TSval"),
                Text("the round-trip time", "往返时间"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the timestamps option of a data segment and of its ACK.",
                "看一个数据段及其 ACK 的时间戳选项。",
            ),
            Text(
                "Compare TSval of the one with TSecr of the other.",
                "把前者的 TSval 与后者的 TSecr 相比较。",
            ),
        ),
        then=("TD09",),
        sources=("RFC 7323 sections 3 to 5", "RFC 4987", "RFC 6191"),
    ),
)
