"""What a narrow link does to long packets: told by ICMP, kept silent, or cut into fragments."""

from __future__ import annotations

from lab.packets.frames import Protocol
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.pieces import Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

DISCOVERY, FRAGMENTS = "pmtud", "udp_fragment_loss"
SILENT, CLAMPED = "pmtud_blackhole", "pmtud_blackhole:clamp"
HEADERS = 20 + 20 + 12  # octets: IPv4, TCP, and its timestamps with two NOPs
TOO_LONG = (3, 4)  # ICMP type and code: fragmentation needed and DF set
REASSEMBLY = (11, 1)  # time exceeded: fragments waited in vain


def errors(run: Run, kind: tuple[int, int]) -> tuple[Packet, ...]:
    """ICMP messages of one type and code."""

    def fits(one: Packet) -> bool:
        icmp = one.frame.icmp
        return icmp is not None and (icmp.type, icmp.code) == kind

    return run.packets(where=fits)


def repeated(run: Run) -> dict[int, list[Segment]]:
    """The client's data by sequence number: where the octets begin that were sent more than once."""
    copies: dict[int, list[Segment]] = {}
    for one in run.data("C"):
        copies.setdefault(one.seq, []).append(one)
    return {seq: every for seq, every in copies.items() if len(every) > 1}


def never_cut(one: Packet) -> bool:
    return one.frame.ip is not None and one.frame.ip.dont_fragment


def packet_length(one: Packet) -> int:
    """Octets of its IP packet."""
    return one.frame.ip.length if one.frame.ip else 0


def router_tells(runs: Runs) -> Proof:
    """DF set, dropped, ICMP 3/4 names the MTU, the same octets again in shorter segments."""
    run = runs[DISCOVERY]
    told = errors(run, TOO_LONG)
    error = run.one("ICMP 3/4", told)
    icmp = error.frame.icmp
    mtu = icmp.rest & 0xFFFF if icmp else 0
    hosts = {one for host in run.evidence.manifest.hosts for one in host.addresses}
    long = run.one("lost segment", [one for one in run.data("C") if one.lost])
    again = run.first(
        "C>S [PSH],ACK", after=error, where=lambda one: one.seq == long.seq and one.length > 0
    )
    before, after = run.call("client", "getsockopt"), run.call("client", "getsockopt", -1)
    quoted = icmp.quoted if icmp else None
    return Proof(
        (
            claim(
                never_cut(long) and packet_length(long) > mtu,
                Text(
                    "a packet of {n} octets leaves with DF set and does not arrive",
                    "一个 {n} 字节的 IP 包带着 DF 发出，没有到达",
                ).fill(n=packet_length(long)),
                long,
                error,
            ),
            claim(
                mtu > 0
                and error.frame.ip is not None
                and error.frame.ip.source not in hosts
                and quoted is not None
                and quoted.source == long.frame.source,
                Text(
                    "router {who} answers with ICMP 3/4, quoting it: next MTU {mtu}",
                    "路由器 {who} 以 ICMP 3/4 应答并引用该包：下一跳 MTU 为 {mtu}",
                ).fill(who=error.frame.ip.source if error.frame.ip else "-", mtu=mtu),
                error,
                long,
            ),
            claim(
                again.length == mtu - HEADERS < long.length
                and packet_length(again) == mtu
                and not again.lost,
                Text(
                    "the same octets again, {n} at a time: {mtu} - {headers} = {n}; before it was {old}",
                    "同样的数据重发，每段 {n} 字节：{mtu} - {headers} = {n}；之前是 {old}",
                ).fill(n=again.length, mtu=mtu, headers=HEADERS, old=long.length),
                long,
                error,
                again,
            ),
            claim(
                (before.call.result, after.call.result) == (packet_length(long), mtu),
                Text(
                    "the client's kernel knew a path MTU of {old}, and knows {mtu} afterwards",
                    "客户端内核原先认为路径 MTU 是 {old}，之后是 {mtu}",
                ).fill(old=before.call.result, mtu=after.call.result),
                before,
                after,
                error,
            ),
        ),
        {
            "icmp": rights.frame(error, *told[1:]),
            "mtu": rights.octets(mtu, error),
            "smaller": rights.frame(again, instead=long),
        },
    )


def nobody_tells(runs: Runs) -> Proof:
    """What is short passes, what is full is repeated in vain; a smaller MSS cures it."""
    run, cured = runs[SILENT], runs[CLAMPED]
    copies = repeated(run)
    every = next((many for many in copies.values() if all(one.lost for one in many)), [])
    tries = run.one("segment repeated in vain", every)
    passed = run.first(
        "C>S [PSH],ACK", after=tries, where=lambda one: one.seq > tries.seq and one.length > 0
    )
    sacks = run.all(after=passed, where=lambda one: one.sender == "S" and bool(one.sack))
    sack = run.one("SACK", sacks)
    blocks = {block for one in sacks for block in one.sack}
    icmp = run.packets(where=lambda one: one.frame.protocol is Protocol.ICMP)
    acks = run.all(after=tries, where=lambda one: one.sender == "S")
    near, far = syn_at(cured, "client"), syn_at(cured, "server")
    data = cured.data("C")
    longest = max(data, key=lambda one: one.length)
    return Proof(
        (
            claim(
                len(every) > 2 and len({one.length for one in every}) == 1,
                Text(
                    "the segment with seq {seq}, {n} octets, is sent {times} times and always lost",
                    "seq {seq}、{n} 字节的报文段发了 {times} 次，每次都丢失",
                ).fill(seq=tries.seq, n=tries.length, times=len(every)),
                *every[:6],
            ),
            claim(
                passed.length < tries.length
                and sack.ack == tries.seq
                and blocks == {(passed.seq, passed.end)},
                Text(
                    "a shorter one of {n} octets passes: SACK {left}-{right}, while ack stays {ack}",
                    "较短的 {n} 字节报文段通过了：SACK {left}-{right}，而 ack 停在 {ack}",
                ).fill(n=passed.length, left=passed.seq, right=passed.end, ack=sack.ack),
                passed,
                sack,
            ),
            claim(
                not icmp and all(one.ack <= tries.seq for one in acks),
                Text(
                    "nobody says why: {n} ICMP messages; no ACK goes beyond {ack}",
                    "没有任何说明：ICMP 报文 {n} 条；没有 ACK 超过 {ack}",
                ).fill(n=len(icmp), ack=tries.seq),
                run.capture(),
            ),
            claim(
                mss(far) < mss(near)
                and longest.length == mss(far) - 12
                and not repeated(cured)
                and not any(one.lost for one in data),
                Text(
                    "with the MSS clamped from {near} to {far}, segments carry at most "
                    "{far} - 12 = {n} octets, and none is repeated",
                    "MSS 由 {near} 改为 {far} 之后，报文段最长 {far} - 12 = {n} 字节，无一重传",
                ).fill(near=mss(near), far=mss(far), n=longest.length),
                near,
                far,
                longest,
            ),
        ),
        {
            "repeated": rights.frame(every[1], *every[2:], instead=every[0]),
            "sack": rights.frame(sack, *sacks[1:]),
            "longest": rights.octets(longest.length, longest),
        },
    )


def syn_at(run: Run, host: str) -> Packet:
    """The client's SYN as a port saw it."""
    return run.packet(
        "SYN", lambda one: one.frame.tcp is not None and one.frame.tcp.flags.name == "SYN", host
    )


def mss(one: Packet) -> int:
    return one.frame.tcp.options.mss or 0 if one.frame.tcp else 0


def one_lost_all_lost(runs: Runs) -> Proof:
    """Three fragments, one lost: nothing is delivered."""
    run = runs[FRAGMENTS]
    sent, arrived = fragments(run, "client"), fragments(run, "server")
    if len(sent) < 3:
        raise Missing(Text("too few fragments", "分片太少"))
    offsets = [offset(one) for one in sent]
    lost = run.one(
        "lost fragment", [one for one in sent if offset(one) not in map(offset, arrived)]
    )
    error = run.one("ICMP 11/1", errors(run, REASSEMBLY))
    icmp = error.frame.icmp
    waited = error.time - sent[0].time
    patience = run.sysctl("server", "net.ipv4.ipfrag_time")
    reads = run.call("server", "recvfrom"), run.call("client", "recvfrom")
    called = run.call("client", "sendto")
    total = sum(packet_length(one) - 20 for one in sent)
    return Proof(
        (
            claim(
                [one.frame.destination is not None for one in sent] == [True, False, False]
                and offsets
                == [
                    0,
                    packet_length(sent[0]) - 20,
                    sum(packet_length(one) - 20 for one in sent[:2]),
                ],
                Text(
                    "three fragments at offsets {offsets}; only the first has a UDP header, and ports",
                    "三个分片，偏移 {offsets}；只有第一个带 UDP 首部和端口",
                ).fill(offsets=", ".join(map(str, offsets))),
                *sent[:3],
            ),
            claim(
                len(arrived) == len(sent) - 1
                and called.call.octets == total - 8
                and {name_of(one) for one in (*sent, *arrived)} == {name_of(lost)},
                Text(
                    "the fragment at offset {offset} is lost, the other {n} arrive",
                    "偏移 {offset} 的分片丢失，其余 {n} 个到达",
                ).fill(offset=offset(lost), n=len(arrived)),
                lost,
                *arrived,
                called,
            ),
            claim(
                icmp is not None
                and icmp.quoted is not None
                and icmp.quoted.source == sent[0].frame.source
                and waited >= int(patience.value) * 10**9,
                Text(
                    "the others wait {ms} ms for it, then the server reports ICMP 11/1, reassembly time exceeded",
                    "其余分片等了 {ms} 毫秒，随后服务器报告 ICMP 11/1（重组超时）",
                ).fill(ms=waited // 1_000_000),
                sent[0],
                error,
                patience,
            ),
            claim(
                {one.outcome for one in reads} == {"EAGAIN"} and called.outcome == "ok",
                Text(
                    "sendto() took {n} octets; neither program reads data or an error: {error}",
                    "sendto() 收下 {n} 字节；两端程序都读不到数据或错误：{error}",
                ).fill(n=called.call.octets, error=reads[0].outcome),
                called,
                *reads,
            ),
        ),
        {
            "lost": rights.frame(lost),
            "offset": rights.octets(offset(lost), lost),
            "icmp": rights.frame(error),
            "waited": rights.span(waited, sent[0], error),
        },
    )


def fragments(run: Run, host: str) -> tuple[Packet, ...]:
    """The packets of the datagram that passed a port."""
    parts = (Protocol.UDP, Protocol.FRAGMENT)
    return run.packets(host, lambda one: one.frame.protocol in parts)


def offset(one: Packet) -> int:
    return one.frame.ip.fragment_offset if one.frame.ip else -1


def name_of(one: Packet) -> int:
    """What its IP header calls the packet that it is part of."""
    return one.frame.ip.identification if one.frame.ip else -1


QUESTIONS = (
    Question(
        id="NW03",
        asks=Text("How does path MTU discovery work?", "路径 MTU 发现如何工作？"),
        answer=Text(
            "TCP sends with DF set. A router that cannot forward such a packet drops it and answers "
            "with ICMP type 3 code 4, which names its MTU. The sender then makes its segments smaller.",
            "TCP 发送时设置 DF；无法转发的路由器丢弃该包，并以 ICMP 类型 3 代码 4 应答，给出 MTU；"
            "发送方随即缩小报文段。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=(DISCOVERY,),
        prove=router_tells,
        values=(
            Ask(
                "icmp",
                Text("Frame of the router's ICMP error", "路由器 ICMP 差错的帧号"),
                Unit.FRAME,
            ),
            Ask("mtu", Text("MTU that it names", "其中给出的 MTU"), Unit.OCTETS),
            Ask(
                "smaller",
                Text(
                    "First frame that sends the first octets again, in a smaller segment",
                    "以更小的报文段重发最前面数据的第一帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("packets are sent with DF set", "发送时设置 DF"),
                (r"\bdf\b", r"don'?t fragment", r"不(许|得|允许)分片"),
            ),
            Idea(
                Text(
                    "the router answers with ICMP type 3 code 4", "路由器以 ICMP 类型 3 代码 4 应答"
                ),
                (r"icmp", r"fragmentation needed"),
            ),
            Idea(
                Text("it names its MTU", "其中给出 MTU"),
                (
                    r"names? (its|the) mtu",
                    r"with (its|the) mtu",
                    r"给出[^.]*mtu",
                    r"(带有|携带)[^.]*mtu",
                ),
            ),
            Idea(
                Text("the sender makes segments smaller", "发送方缩小报文段"),
                (r"smaller", r"shrink", r"缩小", r"(更|变)小"),
            ),
        ),
        wrong=(
            Idea(
                Text("the router cuts the packet up", "路由器会把包分片"),
                (r"router (cuts|fragments) (the|it)", r"路由器会(把包)?分片"),
            ),
            Idea(
                Text("the MSS option names the path's MTU", "MSS 选项给出的就是路径 MTU"),
                (r"mss option (names|gives|is)", r"mss ?选项(给出|就是)"),
            ),
        ),
        guess=Guess(
            Text(
                "A full segment meets a narrower link. Who tells the sender?",
                "满长的报文段遇到更窄的链路，谁来通知发送方？",
            ),
            (
                Text("the server", "服务器"),
                Text("nobody", "没有人"),
                Text("the router", "路由器"),
            ),
            2,
        ),
        hints=(
            Text("Look for a frame that comes from neither host.", "找一个不是来自两台主机的帧。"),
            Text(
                "Compare the lengths of the segments before and after it.",
                "比较它前后报文段的长度。",
            ),
        ),
        then=("NW04",),
        sources=("RFC 1191", "RFC 8201"),
    ),
    Question(
        id="NW04",
        asks=Text(
            "A connection opens but large transfers hang: what is it and what cures it?",
            "连接能建立但大数据卡住，是什么原因？如何解决？",
        ),
        answer=Text(
            "A path MTU black hole: full segments are dropped and the ICMP error that would say so is "
            "filtered. Cures: allow ICMP 3/4, clamp the MSS, lower the MTU, or let TCP probe "
            "(tcp_mtu_probing).",
            "这是 PMTU 黑洞：满长的报文段被丢弃，而本应告知的 ICMP 差错被过滤。"
            "解决办法：放行 ICMP 3/4，钳制 MSS，调小 MTU，或启用探测 tcp_mtu_probing。",
        ),
        kind=Kind.DIAGNOSE,
        level=3,
        interview="medium",
        runs=(SILENT, CLAMPED),
        prove=nobody_tells,
        values=(
            Ask(
                "repeated",
                Text(
                    "Black hole: a frame that repeats the first full segment",
                    "黑洞：重发第一个满长报文段的一帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "sack",
                Text(
                    "Black hole: frame of an ACK whose SACK shows what passed",
                    "黑洞：用 SACK 表明有数据通过的 ACK 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "longest",
                Text(
                    "MSS clamped: octets of data in the longest segment",
                    "钳制 MSS：最长报文段的数据字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("a path MTU black hole", "PMTU 黑洞"),
                (r"black ?hole", r"黑洞"),
            ),
            Idea(
                Text("the ICMP error is filtered", "ICMP 差错被过滤"),
                (r"icmp[^.]*(filtered|blocked|dropped|lost)", r"icmp[^.]*(过滤|屏蔽|拦截)"),
            ),
            Idea(
                Text("clamp the MSS", "钳制 MSS"),
                (r"clamp[^.]*mss", r"mss[ -]clamp", r"钳制 ?mss", r"(调小|修改|限制) ?mss"),
            ),
            Idea(
                Text("or let TCP probe, or allow ICMP", "或启用探测，或放行 ICMP"),
                (r"prob(e|ing)", r"allow icmp", r"探测", r"放行 ?icmp"),
            ),
        ),
        wrong=(
            Idea(
                Text("the receiver's window is full", "接收方的窗口已满"),
                (r"(receiver'?s )?window is (full|zero)", r"窗口已?满", r"零窗口"),
            ),
            Idea(
                Text("the server is overloaded", "服务器过载"),
                (r"overloaded", r"过载"),
            ),
        ),
        guess=Guess(
            Text(
                "Only full segments vanish on the way, in silence. How does the transfer end?",
                "只有满长的报文段在途中无声消失，传输会怎样结束？",
            ),
            (
                Text("slowly but completely", "很慢，但能完成"),
                Text("with ETIMEDOUT, if at all", "最多等到 ETIMEDOUT"),
                Text("with ECONNREFUSED", "得到 ECONNREFUSED"),
            ),
            1,
        ),
        hints=(
            Text("Look at the lengths of the segments that are lost.", "看丢失报文段的长度。"),
            Text(
                "Compare them with the length of the one that the SACK confirms.",
                "与 SACK 确认的那个报文段的长度相比较。",
            ),
        ),
        then=("NW03",),
        sources=("RFC 2923", "RFC 4821"),
    ),
    Question(
        id="NW05",
        asks=Text("Why is IP fragmentation harmful?", "IP 分片有什么坏处？"),
        answer=Text(
            "One lost fragment loses the whole datagram. Only the first fragment has ports, so "
            "firewalls drop the others. Reassembly costs memory and time.",
            "丢一个分片就丢掉整个数据报。只有第一个分片带端口，防火墙常丢弃其余分片。重组要占用内存和时间。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=(FRAGMENTS,),
        prove=one_lost_all_lost,
        values=(
            Ask(
                "lost",
                Text(
                    "Frame of the fragment that is lost (client's capture)",
                    "丢失的分片的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask("offset", Text("Its fragment offset in octets", "它的片偏移（字节）"), Unit.OCTETS),
            Ask(
                "icmp",
                Text(
                    "Frame that reports the loss (client's capture)", "报告丢失的帧号（客户端抓包）"
                ),
                Unit.FRAME,
            ),
            Ask(
                "waited",
                Text("Time from the first fragment to that report", "从第一个分片到该报告的时间"),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("one lost fragment loses all", "丢一个分片就丢掉整个数据报"),
                (
                    r"one lost[^.]*(whole|all|entire)",
                    r"los(s|ing)[^.]*fragment[^.]*(whole|all|entire)",
                    r"丢[^.]*(一个|任一)?分片[^.]*(整个|全部)",
                ),
            ),
            Idea(
                Text("only the first has ports", "只有第一个分片带端口"),
                (r"(only )?the first[^.]*(port|header)", r"第一个[^.]*(端口|首部)"),
            ),
            Idea(
                Text("reassembly costs memory", "重组要占用内存"),
                (r"reassembl[^.]*(memory|time|cost)", r"重组[^.]*(内存|时间|开销)"),
            ),
        ),
        wrong=(
            Idea(
                Text("IP repeats a lost fragment", "IP 会重传丢失的分片"),
                (r"ip (repeats|retransmits|resends)", r"ip ?会(重传|重发)"),
            ),
            Idea(
                Text("the rest of the datagram is delivered", "数据报的其余部分照样交付"),
                (r"rest of the datagram is delivered", r"其余部分(照样|仍然?)?交付"),
            ),
        ),
        guess=Guess(
            Text(
                "Of three fragments the middle one is lost. What does the receiver's program get?",
                "三个分片丢了中间一个，接收方程序得到什么？",
            ),
            (
                Text("nothing", "什么也没有"),
                Text("two thirds of the datagram", "三分之二的数据报"),
                Text("an error", "一个错误"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the IP headers of the fragments in both captures.",
                "看两处抓包中各分片的 IP 首部。",
            ),
            Text("Compare which offsets left with which arrived.", "比较发出的偏移与到达的偏移。"),
        ),
        then=("UD04", "NW03"),
        sources=("RFC 8900", "RFC 791 section 3.2"),
    ),
)
