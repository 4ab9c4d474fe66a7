"""What IPv6 changes below TCP, and how one socket serves both versions."""

from __future__ import annotations

from collections.abc import Sequence

from lab.packets.frames import Protocol
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

BOTH, ONLY = "ipv6_dual_stack", "ipv6_dual_stack:v6only"
OLD, NEW = 0, 1  # connections: over IPv4, over IPv6
SOLICITATION, ADVERTISEMENT = 135, 136  # ICMPv6 (RFC 4861)
MAPPED = "::ffff:"
OPTIONS = ("mss", "window_scale", "sack_permitted", "timestamps")


def neighbour(run: Run, kind: int, before: Packet) -> Packet:
    """The first ICMPv6 message of a type; it must come before a SYN."""
    return run.packet(
        f"ICMPv6 {kind}",
        lambda one: (
            one.frame.icmp is not None
            and one.frame.protocol is Protocol.ICMPV6
            and one.frame.icmp.type == kind
            and one.time < before.time
        ),
    )


def header(one: Packet) -> int:
    """Octets of its IP header."""
    return one.frame.ip.size if one.frame.ip else 0


def version(one: Packet) -> int:
    return one.frame.ip.version if one.frame.ip else 0


def source(one: Packet) -> str:
    return one.frame.ip.source if one.frame.ip else ""


def mss(one: Packet) -> int:
    return one.frame.tcp.options.mss or 0 if one.frame.tcp else 0


def options(one: Segment) -> tuple[str, ...]:
    """Which options a segment carries."""
    tcp = one.frame.tcp
    return tuple(
        name for name in OPTIONS if tcp and getattr(tcp.options, name) not in (None, False)
    )


def below_tcp(runs: Runs) -> Proof:
    """A longer header, a smaller MSS, ICMPv6 instead of ARP; the same TCP."""
    run = runs[BOTH]
    old, new = run.opening(OLD), run.opening(NEW)
    first, second = old[0], new[0]
    ask, answer = neighbour(run, SOLICITATION, second), neighbour(run, ADVERTISEMENT, second)
    arp = run.packet("ARP request", lambda one: one.frame.arp is not None)
    mtu = mss(first) + header(first) + 20
    kinds = [options(one) for one in (first, second)]
    return Proof(
        (
            claim(
                mss(second) + header(second) + 20 == mtu and header(second) - header(first) == 20,
                Text(
                    "IPv6: MSS {new} = {mtu} - {long} - 20; IPv4: {old} = {mtu} - {short} - 20",
                    "IPv6：MSS {new} = {mtu} - {long} - 20；IPv4：{old} = {mtu} - {short} - 20",
                ).fill(
                    new=mss(second),
                    old=mss(first),
                    mtu=mtu,
                    long=header(second),
                    short=header(first),
                ),
                first,
                second,
            ),
            claim(
                arp.time < first.time < ask.time < answer.time < second.time
                and arp.frame.link_destination == "ff:ff:ff:ff:ff:ff"
                and ask.frame.link_destination.startswith("33:33:ff"),
                Text(
                    "before the IPv4 SYN an ARP broadcast; before the IPv6 SYN ICMPv6 135 to {group}, "
                    "answered by 136",
                    "IPv4 的 SYN 之前是 ARP 广播；IPv6 的 SYN 之前是发往 {group} 的 ICMPv6 135，由 136 应答",
                ).fill(group=ask.frame.link_destination),
                arp,
                first,
                ask,
                answer,
                second,
            ),
            claim(
                [one.flags for one in old] == [one.flags for one in new] and kinds[0] == kinds[1],
                Text(
                    "TCP is the same: the three segments, and in the SYN the options {names}",
                    "TCP 没有变化：同样的三个报文段，SYN 中同样的选项 {names}",
                ).fill(names=", ".join(kinds[1])),
                *old,
                *new,
            ),
        ),
        {
            "mss": rights.octets(mss(second), second),
            "ask": rights.frame(ask),
            "answer": rights.frame(answer),
        },
    )


def peer(one: Called) -> str:
    """The address that accept() gave."""
    match one.call.result:
        case [_, [str(address), *_]]:
            return address
    return ""


def choice(run: Run) -> Called:
    """The last time that the server set IPV6_V6ONLY."""
    set_ = [one for one in run.calls("server", "setsockopt") if "IPV6_V6ONLY" in one.call.arguments]
    return set_[-1] if set_ else run.call("server", "setsockopt IPV6_V6ONLY")


def value(one: Called) -> object:
    arguments: Sequence[object] = one.call.arguments
    return arguments[-1]


def serves_both(runs: Runs) -> Proof:
    """IPV6_V6ONLY decides; IPv4 peers appear mapped, their frames are IPv4."""
    both, only = runs[BOTH], runs[ONLY]
    syn, other = both.opening(OLD)[0], both.opening(NEW)[0]
    mapped, plain = both.call("server", "accept", 0), both.call("server", "accept", 1)
    open_, shut = choice(both), choice(only)
    refused, taken = only.call("client", "connect", 0), only.call("client", "connect", 1)
    reset = only.first("S>C RST,ACK", stream=OLD)
    return Proof(
        (
            claim(
                peer(mapped) == MAPPED + source(syn) and version(syn) == 4,
                Text(
                    "accept() names the first client {peer}; its SYN is IPv{version}, from {source}",
                    "accept() 给出第一个客户端 {peer}；它的 SYN 是 IPv{version}，来自 {source}",
                ).fill(peer=peer(mapped), version=version(syn), source=source(syn)),
                syn,
                mapped,
            ),
            claim(
                peer(plain) == source(other) and version(other) == 6,
                Text(
                    "the second client is {peer}, as in its IPv6 frames",
                    "第二个客户端是 {peer}，与它的 IPv6 帧一致",
                ).fill(peer=peer(plain)),
                other,
                plain,
            ),
            claim(
                (value(open_), value(shut)) == (0, 1)
                and refused.outcome == "ECONNREFUSED"
                and taken.outcome == "ok"
                and reset.time < refused.after,
                Text(
                    "that was IPV6_V6ONLY = {open}; with {shut}, connect() over IPv4 = {error}, over IPv6 ok",
                    "以上是 IPV6_V6ONLY = {open}；设为 {shut} 时，经 IPv4 的 connect() = {error}，经 IPv6 则成功",
                ).fill(open=value(open_), shut=value(shut), error=refused.outcome),
                open_,
                shut,
                reset,
                refused,
                taken,
            ),
        ),
        {
            "peer": rights.name(peer(mapped), mapped),
            "syn": rights.frame(syn),
            "error": rights.error(refused),
        },
    )


QUESTIONS = (
    Question(
        id="NW06",
        asks=Text("What changes for TCP with IPv6?", "IPv6 对 TCP 有什么影响？"),
        answer=Text(
            "TCP itself is unchanged. The IP header has 40 octets, so the MSS on Ethernet is 1440. "
            "Neighbour discovery replaces ARP, and routers never fragment.",
            "TCP 本身不变。IP 首部为 40 字节，因此以太网上的 MSS 是 1440；邻居发现取代 ARP；路由器从不分片。",
        ),
        kind=Kind.COMPUTE,
        level=1,
        interview="medium",
        runs=(BOTH,),
        prove=below_tcp,
        values=(
            Ask(
                "mss",
                Text("MSS in the SYN over IPv6", "IPv6 连接的 SYN 中的 MSS"),
                Unit.OCTETS,
            ),
            Ask(
                "ask",
                Text(
                    "Frame that asks for the server's MAC address over IPv6",
                    "IPv6 中询问服务器 MAC 地址的帧号",
                ),
                Unit.FRAME,
            ),
            Ask("answer", Text("Frame that answers it", "应答它的帧号"), Unit.FRAME),
        ),
        ideas=(
            Idea(
                Text("TCP itself is unchanged", "TCP 本身不变"),
                (
                    r"tcp (itself )?(is|stays|remains) (unchanged|the same)",
                    r"tcp ?(本身)?(不变|没有变化)",
                ),
            ),
            Idea(
                Text("the header has 40 octets", "首部为 40 字节"),
                (r"40 (octet|byte)", r"40 ?字节"),
            ),
            Idea(Text("the MSS is 1440", "MSS 是 1440"), (r"1440",)),
            Idea(
                Text("neighbour discovery instead of ARP", "邻居发现取代 ARP"),
                (
                    r"neighbou?r (discovery|solicitation)",
                    r"icmpv6",
                    r"\bndp?\b",
                    r"邻居(发现|请求)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("IPv6 uses ARP", "IPv6 使用 ARP"),
                (r"ipv6 (also )?uses arp", r"ipv6 ?(也|仍)?(使)?用 ?arp"),
            ),
            Idea(
                Text("the MSS stays 1460", "MSS 仍是 1460"),
                (r"mss (stays|is still|remains) 1460", r"mss ?(仍是|还是|不变)[^.]*1460"),
            ),
        ),
        guess=Guess(
            Text(
                "Over IPv4 the SYN announces MSS 1460. What over IPv6?",
                "IPv4 的 SYN 通告 MSS 1460，IPv6 的呢？",
            ),
            (Text("1460", "1460"), Text("1420", "1420"), Text("1440", "1440")),
            2,
        ),
        hints=(
            Text(
                "Look at the two SYNs and at the frames before each.",
                "看两个 SYN，以及各自之前的帧。",
            ),
            Text("Compare IP header length and MSS of the two.", "比较两者的 IP 首部长度与 MSS。"),
        ),
        then=("NW07",),
        sources=("RFC 8200", "RFC 4861"),
    ),
    Question(
        id="NW07",
        asks=Text(
            "How can one IPv6 socket serve IPv4 clients?", "一个 IPv6 套接字如何服务 IPv4 客户端？"
        ),
        answer=Text(
            "By dual stack, with IPV6_V6ONLY set to 0 before bind(). IPv4 peers then appear as "
            "::ffff:a.b.c.d, while their frames stay IPv4.",
            "使用双栈：bind() 之前把 IPV6_V6ONLY 设为 0。IPv4 对端显示为 ::ffff:a.b.c.d，而帧仍是 IPv4。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="low",
        runs=(BOTH, ONLY),
        prove=serves_both,
        values=(
            Ask(
                "peer",
                Text(
                    "Dual stack: address that accept() gives for the IPv4 client",
                    "双栈：accept() 给出的 IPv4 客户端地址",
                ),
                Unit.NAME,
            ),
            Ask(
                "syn",
                Text("Dual stack: frame of that client's SYN", "双栈：该客户端 SYN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "error",
                Text(
                    "IPV6_V6ONLY = 1: result of connect() over IPv4",
                    "IPV6_V6ONLY = 1：经 IPv4 的 connect() 的结果",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("IPV6_V6ONLY is 0", "IPV6_V6ONLY 设为 0"),
                (r"v6only", r"dual[ -]?stack", r"双栈"),
            ),
            Idea(
                Text("IPv4 peers appear as ::ffff:a.b.c.d", "IPv4 对端显示为 ::ffff:a.b.c.d"),
                (r"::ffff:", r"mapped", r"映射"),
            ),
            Idea(
                Text("the frames stay IPv4", "帧仍是 IPv4"),
                (r"(frames|packets)[^.]*ipv4", r"(帧|报文|线路上)[^.]*ipv4"),
            ),
        ),
        wrong=(
            Idea(
                Text("IPv4 is translated into IPv6 packets", "IPv4 会被转换成 IPv6 报文"),
                (r"translated into ipv6", r"(转换|翻译)(成|为) ?ipv6"),
            ),
        ),
        guess=Guess(
            Text(
                "An IPv4 client reaches a listener on ::. What is on the wire?",
                "IPv4 客户端连到监听 :: 的服务器，线路上是什么？",
            ),
            (
                Text("IPv6 with a ::ffff: address", "带 ::ffff: 地址的 IPv6"),
                Text("IPv4", "IPv4"),
                Text("IPv4 inside IPv6", "封装在 IPv6 里的 IPv4"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the address that accept() returns, and at the SYN.",
                "看 accept() 返回的地址，再看 SYN。",
            ),
            Text(
                "Compare the server's setsockopt() calls in the two runs.",
                "比较两次运行中服务器的 setsockopt() 调用。",
            ),
        ),
        then=("NW06",),
        sources=("RFC 4291 section 2.5.5.2", "ipv6(7) IPV6_V6ONLY"),
    ),
)
