"""How large a datagram can be, how many receivers it can have, and how many a receiver can take."""

from __future__ import annotations

import struct

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Right, Slip, Unit
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.udp_datagrams import datagram, datagrams
from lab.text import Text

IP_HEADER, UDP_HEADER = 20, 8  # octets
LARGEST_PACKET = 0xFFFF  # IPv4's length field has 16 bits
UDP, IGMP = 17, 2  # IP protocol numbers
BROADCAST = "ff:ff:ff:ff:ff:ff"
LOW_23_BITS = 0x7FFFFF


def _fragments(run: Run, size: int) -> tuple[Packet, ...]:
    """The IP packets of the datagram with so many octets, in order."""

    def is_udp(one: Packet) -> bool:
        ip = one.frame.ip
        return ip is not None and ip.protocol == UDP

    by_id: dict[int, list[Packet]] = {}
    for one in run.packets(where=is_udp):
        by_id.setdefault(one.frame.ip.identification if one.frame.ip else 0, []).append(one)
    fit = [group for group in by_id.values() if sum(map(_carried, group)) == UDP_HEADER + size]
    run.one(f"datagram of {size} octets", [group[0] for group in fit])
    return tuple(fit[0])


def _carried(packet: Packet) -> int:
    """Octets behind the IP header."""
    ip = packet.frame.ip
    return ip.length - ip.size if ip else 0


def _offset(packet: Packet) -> int:
    ip = packet.frame.ip
    return ip.fragment_offset if ip else 0


def _asked(call: Called) -> int:
    """The octets that a send() was given."""
    given = call.call.arguments[0] if call.call.arguments else 0
    return given if isinstance(given, int) else 0


def size_limits(runs: Runs) -> Proof:
    """The largest datagram, the largest unfragmented one, and one in three pieces."""
    run = runs["udp_size_limits"]
    largest, beyond, fits, above, split = (run.call("client", "send", nth) for nth in range(5))
    big = _fragments(run, _asked(largest))
    whole = run.one("packet", _fragments(run, _asked(fits)))
    pieces = _fragments(run, _asked(split))
    read = run.call("server", "recvfrom", 2)
    ip, last, ports = whole.frame.ip, big[-1], [one.frame.source is not None for one in pieces]
    return Proof(
        (
            claim(
                largest.outcome == "ok"
                and beyond.outcome == "EMSGSIZE"
                and _asked(beyond) == _asked(largest) + 1
                and _asked(largest) + IP_HEADER + UDP_HEADER == LARGEST_PACKET,
                Text(
                    "send({a}) succeeds, send({b}) fails: {error}; {a} + 8 + 20 = {sum}, all that 16 bits can say",
                    "send({a}) 成功，send({b}) 失败：{error}；{a} + 8 + 20 = {sum}，已是 16 位的最大值",
                ).fill(
                    a=_asked(largest), b=_asked(beyond), error=beyond.outcome, sum=LARGEST_PACKET
                ),
                largest,
                beyond,
            ),
            claim(
                _offset(last) + _carried(last) == _asked(largest) + UDP_HEADER,
                Text(
                    "it travels as {n} fragments; the last begins at {at} and has {k}: {at} + {k} = {a} + 8 octets",
                    "它分成 {n} 个分片；最后一片从 {at} 开始，长 {k}：{at} + {k} = {a} + 8 字节",
                ).fill(n=len(big), at=_offset(last), k=_carried(last), a=_asked(largest)),
                big[0],
                last,
            ),
            claim(
                fits.outcome == "ok"
                and above.outcome == "EMSGSIZE"
                and _asked(above) == _asked(fits) + 1
                and ip is not None
                and ip.dont_fragment
                and ip.length == _asked(fits) + UDP_HEADER + IP_HEADER,
                Text(
                    "unfragmented (DF): send({a}) makes one packet of {sum} octets, {a} + 8 + 20; send({b}): {error}",
                    "不许分片（DF）：send({a}) 产生一个 {sum} 字节的包，{a} + 8 + 20；send({b})：{error}",
                ).fill(
                    a=_asked(fits),
                    b=_asked(above),
                    error=above.outcome,
                    sum=ip.length if ip else 0,
                ),
                fits,
                whole,
                above,
            ),
            claim(
                ports == [True] + [False] * (len(pieces) - 1)
                and len(pieces) == 3
                and read.call.octets == _asked(split),
                Text(
                    "{size} octets: {n} fragments ({sum} = {size} + 8), ports in the first only; recvfrom() gets {got}",
                    "{size} 字节：{n} 个分片（{sum} = {size} + 8），只有第一片带端口；recvfrom() 得到 {got}",
                ).fill(
                    size=_asked(split),
                    n=len(pieces),
                    sum=" + ".join(str(_carried(one)) for one in pieces),
                    got=read.call.octets,
                ),
                split,
                *pieces,
                read,
            ),
        ),
        {
            "count": rights.count(len(pieces), *pieces),
            "last": rights.frame(pieces[-1]),
            "offset": rights.octets(_offset(pieces[-1]), pieces[-1]),
            "fits": rights.count(
                _asked(fits), fits, slips=((Slip.HEADERS, ip.length if ip else 0),)
            ),
        },
    )


def _reports(run: Run, group: str) -> tuple[Packet, ...]:
    """The IGMP reports that name a group (RFC 3376 section 4.2)."""
    wanted = bytes(int(part) for part in group.split("."))

    def names(one: Packet) -> bool:
        ip = one.frame.ip
        return ip is not None and ip.protocol == IGMP and one.frame.octets.endswith(wanted)

    return run.packets(where=names)


def _address(packet: Packet) -> str:
    ip = packet.frame.ip
    return ip.destination if ip else ""


def _source(packet: Packet) -> str:
    ip = packet.frame.ip
    return ip.source if ip else ""


def _low_bits(address: str) -> str:
    """01:00:5e and the low 23 bits of an IPv4 address (RFC 1112 section 6.4)."""
    number = int.from_bytes(bytes(int(part) for part in address.split(".") if part), "big")
    return (0x01005E_000000 | number & LOW_23_BITS).to_bytes(6, "big").hex(":")


def for_many(runs: Runs) -> Proof:
    """Broadcast and multicast on Ethernet, and what has to be done before."""
    run = runs["udp_broadcast_multicast"]
    subnet, everybody, nobody, members = (datagram(run, nth) for nth in range(4))
    refused, allowed = run.call("client", "sendto", 0), run.call("client", "sendto", 1)
    option, join = run.call("client", "setsockopt"), run.call("server", "setsockopt")
    group = _address(members)
    report = run.one("IGMP report", [one for one in _reports(run, group) if one.time > join.before])
    reads = run.calls("server", "recvfrom")
    got = [one.call.data for one in reads]
    tried = run.calls("client", "connect_ex")
    return Proof(
        (
            claim(
                refused.outcome == "EACCES"
                and allowed.outcome == "ok"
                and refused.after < option.before < allowed.before,
                Text(
                    "sendto() to the broadcast address fails: {error}; once SO_BROADCAST is set it returns {n}",
                    "向广播地址 sendto() 失败：{error}；设置 SO_BROADCAST 之后返回 {n}",
                ).fill(error=refused.outcome, n=allowed.call.octets),
                refused,
                option,
                allowed,
            ),
            claim(
                {one.frame.link_destination for one in (subnet, everybody)} == {BROADCAST},
                Text(
                    "broadcast: {a} and {b} both go to {link}",
                    "广播：{a} 和 {b} 都发往 {link}",
                ).fill(a=_address(subnet), b=_address(everybody), link=BROADCAST),
                subnet,
                everybody,
            ),
            claim(
                members.frame.link_destination == _low_bits(group)
                and nobody.frame.link_destination == members.frame.link_destination,
                Text(
                    "multicast: {group} goes to {link}: 01:00:5e and the group's low 23 bits",
                    "组播：{group} 发往 {link}：01:00:5e 加上组地址的低 23 位",
                ).fill(group=group, link=members.frame.link_destination),
                nobody,
                members,
            ),
            claim(
                join.before < report.time < members.time
                and nobody.frame.payload.hex() not in got
                and members.frame.payload.hex() in got,
                Text(
                    "after joining, an IGMP report names {group} (frame {n}); the program gets frame {m}, not frame {k} before",
                    "加入后发出针对 {group} 的 IGMP 报告（第 {n} 帧）；程序收到第 {m} 帧，收不到更早的第 {k} 帧",
                ).fill(group=group, n=report.number, m=members.number, k=nobody.number),
                join,
                report,
                nobody,
                members,
                *reads,
            ),
            claim(
                [one.outcome for one in tried] == ["ENETUNREACH"] * 2 and not run.connections,
                Text(
                    "TCP connects to neither: {errors}, and {n} segments are sent",
                    "TCP 两者都连不上：{errors}，发送的报文段为 {n} 个",
                ).fill(
                    errors=", ".join(one.outcome for one in tried),
                    n=sum(len(run.segments(one.stream)) for one in run.connections),
                ),
                *tried,
                run.capture(),
            ),
        ),
        {
            "broadcast": _link(subnet),
            "multicast": _link(members),
            "report": rights.frame(report, *_reports(run, group)),
            "error": rights.error(refused),
        },
    )


def _link(packet: Packet) -> Right:
    """Where a frame goes on Ethernet, however it is written."""
    link = packet.frame.link_destination
    return rights.name(link, packet, others=(link.replace(":", "-"), link.replace(":", "")))


def _refused(call: Called) -> int:
    """How many datagrams the socket had refused: SO_RXQ_OVFL, beside what recvmsg() returned."""
    match call.call.result:
        case [_, [[_, _, str(counter)]], *_]:
            return int(struct.unpack("I", bytes.fromhex(counter))[0])
    return -1


def receiver_too_slow(runs: Runs) -> Proof:
    """Every datagram reaches the host, few reach the program, and a counter has the rest."""
    run = runs["udp_receive_overflow"]
    sends = [one for one in run.calls("client", "sendto") if one.outcome == "ok"]
    arrived = datagrams(run, "server")
    reads = [one for one in run.calls("server", "recv", "recvmsg") if one.call.octets]
    last = run.call("server", "recvmsg", -1)
    lost = run.counter("server", "Udp.RcvbufErrors")
    taken = run.counter("server", "Udp.InDatagrams")
    texts = [one.frame.payload.hex() for one in arrived]
    kept = [one.call.data for one in reads if one.call.function == "recv"]
    sender = _source(datagram(run, 0))
    back = run.packets(where=lambda one: _source(one) not in ("", sender) and not one.is_unasked)
    return Proof(
        (
            claim(
                len(sends) == len(arrived) == len(run.calls("client", "sendto")),
                Text(
                    "{n} sendto() succeed, and {m} datagrams pass the port of the server's host: the network loses none",
                    "{n} 次 sendto() 成功，{m} 个数据报到达服务器主机的端口：网络一个也没丢",
                ).fill(n=len(sends), m=len(arrived)),
                run.capture("server"),
                *sends[:1],
                *sends[-1:],
            ),
            claim(
                len(reads) + lost.value == len(arrived) and lost.value > 0,
                Text(
                    "{k} are read, and Udp.RcvbufErrors grows by {e}: {k} + {e} = {n}",
                    "读到 {k} 个，Udp.RcvbufErrors 增加 {e}：{k} + {e} = {n}",
                ).fill(k=len(reads), e=lost.value, n=len(arrived)),
                lost,
                run.capture("server"),
                *reads[-1:],
            ),
            claim(
                _refused(last) == lost.value and taken.value == len(reads),
                Text(
                    "the socket counts the same: SO_RXQ_OVFL beside the last datagram says {t}",
                    "套接字的计数相同：最后一个数据报旁的 SO_RXQ_OVFL 为 {t}",
                ).fill(t=_refused(last)),
                last,
                lost,
                taken,
            ),
            claim(
                0 < len(kept) < len(texts)
                and all(text.startswith(one) for one, text in zip(kept, texts, strict=False)),
                Text(
                    "what is kept are the first {n} that arrived: a full buffer refuses what comes later",
                    "保留下来的是最先到达的 {n} 个：缓冲区满后，后来的被丢弃",
                ).fill(n=len(kept)),
                *arrived[:2],
                *reads[:2],
            ),
            claim(
                not back,
                Text(
                    "the sender is not told: {n} packets come back, ICMP or other",
                    "发送方得不到通知：返回的包（ICMP 或其他）为 {n} 个",
                ).fill(n=len(back)),
                run.capture(),
            ),
        ),
        {
            "sent": rights.count(len(sends), run.capture("server")),
            "read": rights.count(len(reads), *reads[-1:], taken),
            "lost": rights.count(lost.value, lost),
        },
    )


QUESTIONS = (
    Question(
        id="UD04",
        asks=Text("How large can a UDP datagram be?", "一个 UDP 数据报最大多大？"),
        answer=Text(
            "Over IPv4 65507 octets of payload: 65535 less 20 for IP and 8 for UDP; beyond that send() fails "
            "with EMSGSIZE. Above the MTU it is fragmented, and one lost fragment loses it all. "
            "To avoid that, stay at or below the path MTU less 28.",
            "IPv4 上净荷最大 65507 字节，即 65535 减去 IP 的 20 和 UDP 的 8；再大 send() 返回 EMSGSIZE。"
            "超过 MTU 就要分片，丢一个分片等于丢失整个数据报。要避免分片，净荷不应超过路径 MTU 减 28。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="medium",
        runs=("udp_size_limits",),
        prove=size_limits,
        values=(
            Ask(
                "count",
                Text("Fragments of the datagram of 4000 octets", "4000 字节数据报的分片数"),
                Unit.COUNT,
            ),
            Ask("last", Text("Frame of its last fragment", "其最后一个分片的帧号"), Unit.FRAME),
            Ask(
                "offset",
                Text("Fragment offset of that frame, in octets", "该帧的分片偏移量（字节）"),
                Unit.OCTETS,
            ),
            Ask(
                "fits",
                Text(
                    "Payload of the largest datagram that was sent unfragmented",
                    "不分片发送的最大数据报的净荷长度",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("65507 octets over IPv4", "IPv4 上最大 65507 字节"),
                (r"65[ ,]?507", r"65[ ,]?535 (less|minus|-) ?28"),
            ),
            Idea(Text("EMSGSIZE beyond that", "再大返回 EMSGSIZE"), (r"emsgsize",)),
            Idea(
                Text("above the MTU it is fragmented", "超过 MTU 就要分片"),
                (r"fragment", r"分片"),
            ),
            Idea(
                Text("at most the MTU less 28 to avoid that", "不分片时不超过 MTU 减 28"),
                (r"mtu (less|minus|-) ?28", r"mtu ?(减|-) ?28", r"1[ ,]?472"),
            ),
        ),
        wrong=(
            Idea(
                Text("a datagram is at most the MTU", "数据报最大不超过 MTU"),
                (r"(at most|limited to) the mtu\b(?! less)", r"最大不超过 ?mtu"),
            ),
            Idea(
                Text("UDP cuts large data into segments", "UDP 会把大的数据分段"),
                (r"udp (cuts|splits|segments)", r"udp ?会.*分段"),
            ),
        ),
        guess=Guess(
            Text(
                "A program sends 4000 octets in one datagram. How many frames are that (MTU 1500)?",
                "程序用一个数据报发送 4000 字节。会有几帧（MTU 为 1500）？",
            ),
            (
                Text("one of 4042 octets", "一帧，4042 字节"),
                Text("three", "三帧"),
                Text("none: EMSGSIZE", "没有：EMSGSIZE"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the client's five send() calls and the frames after each.",
                "看客户端的五次 send()，以及每次之后的帧。",
            ),
            Text(
                "Compare offset plus length of a fragment with the offset of the next.",
                "把一个分片的偏移加长度与下一个分片的偏移相比较。",
            ),
        ),
        then=("UD10",),
        sources=("RFC 768", "RFC 791 section 3.1", "RFC 8085 section 3.2", "ip(7) IP_MTU_DISCOVER"),
    ),
    Question(
        id="UD08",
        asks=Text(
            "Broadcast and multicast: what appears on the wire?", "广播和组播在链路上是什么样？"
        ),
        answer=Text(
            "Broadcast goes to ff:ff:ff:ff:ff:ff and needs SO_BROADCAST. Multicast goes to 01:00:5e "
            "plus the group's low 23 bits; receivers announce themselves with IGMP. TCP can do neither.",
            "广播帧发往 ff:ff:ff:ff:ff:ff，需要设置 SO_BROADCAST。"
            "组播帧发往 01:00:5e 加组地址的低 23 位，接收者用 IGMP 报告加入。TCP 两者都不支持。",
        ),
        kind=Kind.LOCATE,
        level=2,
        interview="low",
        runs=("udp_broadcast_multicast",),
        prove=for_many,
        values=(
            Ask(
                "broadcast",
                Text(
                    "Ethernet destination of the broadcast datagrams", "广播数据报的以太网目的地址"
                ),
                Unit.NAME,
            ),
            Ask(
                "multicast",
                Text(
                    "Ethernet destination of the multicast datagrams", "组播数据报的以太网目的地址"
                ),
                Unit.NAME,
            ),
            Ask("report", Text("Frame of the IGMP report", "IGMP 报告的帧号"), Unit.FRAME),
            Ask(
                "error",
                Text("How the client's first sendto() ends", "客户端第一次 sendto() 的结果"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("broadcast goes to ff:ff:ff:ff:ff:ff", "广播发往 ff:ff:ff:ff:ff:ff"),
                (r"ff:ff", r"all ones", r"全 ?(1|f)"),
            ),
            Idea(Text("it needs SO_BROADCAST", "需要 SO_BROADCAST"), (r"so_broadcast",)),
            Idea(
                Text("01:00:5e and the low 23 bits of the group", "01:00:5e 加组地址的低 23 位"),
                (r"01:00:5e", r"23"),
            ),
            Idea(Text("IGMP announces the receivers", "接收者用 IGMP 报告加入"), (r"igmp",)),
        ),
        wrong=(
            Idea(
                Text("TCP can multicast", "TCP 支持组播"),
                (r"tcp (can|supports) (also )?(multicast|broadcast)", r"tcp ?(也)?支持(组播|广播)"),
            ),
            Idea(
                Text("ARP finds the group's address", "用 ARP 查询组播地址"),
                (r"arp (finds|resolves|asks)", r"用 ?arp ?(查询|解析)"),
            ),
        ),
        guess=Guess(
            Text(
                "Where on Ethernet does a datagram for 239.1.2.3 go?",
                "发往 239.1.2.3 的数据报，以太网目的地址是什么？",
            ),
            (
                Text("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"),
                Text("the address that ARP finds", "ARP 查到的地址"),
                Text("01:00:5e:01:02:03", "01:00:5e:01:02:03"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the Ethernet headers, and at the frames that are no UDP.",
                "看以太网首部，以及不是 UDP 的帧。",
            ),
            Text(
                "Compare the last three octets of the group with those of the Ethernet address.",
                "把组地址的后三个字节与以太网地址的后三个字节相比较。",
            ),
        ),
        then=("UD01",),
        sources=("RFC 1112 section 6.4", "RFC 3376 section 4.2", "ip(7)", "socket(7) SO_BROADCAST"),
    ),
    Question(
        id="UD10",
        asks=Text(
            "Does UDP deliver in order, and why may the receiver lose datagrams on a perfect network?",
            "UDP 保证顺序吗？网络完好时 UDP 为什么也会丢？",
        ),
        answer=Text(
            "UDP promises no order. It has no flow control either: when the program reads too slowly, "
            "the receive buffer fills up. The kernel then drops what comes, silently; "
            "only a counter (RcvbufErrors) tells of it.",
            "UDP 不保证顺序，也没有流量控制：程序读得太慢，接收缓冲区就会填满，"
            "此后到达的数据报被内核悄悄丢弃，只有计数器 RcvbufErrors 有记录。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="low",
        runs=("udp_receive_overflow",),
        prove=receiver_too_slow,
        values=(
            Ask("sent", Text("Datagrams that were sent", "发送的数据报个数"), Unit.COUNT),
            Ask(
                "read", Text("Datagrams that the program read", "程序读到的数据报个数"), Unit.COUNT
            ),
            Ask(
                "lost",
                Text("Datagrams that the server's kernel dropped", "服务器内核丢弃的数据报个数"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("UDP promises no order", "UDP 不保证顺序"),
                (r"no (guarantee of |promise of )?order", r"not.* order", r"不保证(有序|顺序)"),
            ),
            Idea(
                Text("the receive buffer is full", "接收缓冲区满了"),
                (r"buffer", r"缓冲"),
            ),
            Idea(
                Text("the kernel drops what comes, silently", "内核悄悄丢弃后来的数据报"),
                (
                    r"silent|without (a word|an error)|nobody is told",
                    r"悄悄|不(会)?(通知|报错)|得不到通知",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "sendto() blocks until the receiver has room",
                    "接收方没有空间时 sendto() 会阻塞",
                ),
                (r"sendto(\(\))? (blocks|waits)", r"sendto(\(\))? ?会(阻塞|等待)"),
            ),
            Idea(
                Text("datagrams are lost only in the network", "数据报只会在网络中丢失"),
                (r"lost only in the network|only the network", r"只会?在网络中丢"),
            ),
        ),
        guess=Guess(
            Text(
                "41 datagrams reach a host whose program reads too late. What does the sender notice?",
                "41 个数据报到达主机，但程序读得太晚。发送方会察觉什么？",
            ),
            (
                Text("sendto() blocks", "sendto() 阻塞"),
                Text("an ICMP message for each that is dropped", "每丢一个收到一个 ICMP 报文"),
                Text("nothing", "什么也察觉不到"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's capture, its calls and its counters.",
                "看服务器的抓包、调用和计数器。",
            ),
            Text(
                "Compare frames at its port, calls that returned data, and Udp.RcvbufErrors.",
                "比较其端口的帧数、读到数据的调用次数和 Udp.RcvbufErrors。",
            ),
        ),
        then=("UD07",),
        sources=("udp(7)", "RFC 8085 section 3.1", "socket(7) SO_RXQ_OVFL"),
    ),
)
