"""What SYN segments announce: MSS, window scale, SACK, timestamps; and what it means afterwards."""

from __future__ import annotations

from lab.packets.options import Options
from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.closing import HOSTS
from lab.questions.pieces import Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

TCP_HEADER = 20  # octets, without options
LOWERED = "mss_negotiation:maxseg"
SYN_ONLY = {"mss": "MSS", "window_scale": "window scale", "sack_permitted": "SACK-permitted"}
REASSEMBLY = (11, 1)  # ICMP type and code: fragments waited in vain
NO_OPTION = Text("frame {n} of {host} lacks {what}", "{host} 的第 {n} 帧没有 {what}")


def options(piece: Packet) -> Options:
    """The options of a segment; raises Missing for what is none."""
    tcp = piece.frame.tcp
    if tcp is None:
        raise Missing(NO_OPTION.fill(n=piece.number, host=piece.host, what="TCP"))
    return tcp.options


def timestamps(piece: Packet) -> tuple[int, int]:
    """TSval and TSecr; raises Missing where there are none."""
    found = options(piece).timestamps
    if found is None:
        raise Missing(NO_OPTION.fill(n=piece.number, host=piece.host, what="TSval"))
    return found


def mss(piece: Packet) -> int:
    """The MSS that a SYN announces; raises Missing where it announces none."""
    found = options(piece).mss
    if found is None:
        raise Missing(NO_OPTION.fill(n=piece.number, host=piece.host, what="MSS"))
    return found


def options_length(segment: Segment) -> int:
    """Octets of options in a segment's header, by the length fields of its IP header."""
    ip = segment.frame.ip
    return ip.length - ip.size - TCP_HEADER - segment.length if ip else 0


def only_in_syn(runs: Runs) -> Proof:
    """Three options are in the two SYN segments and in no other; timestamps are in all."""
    run = runs["mss_negotiation"]
    syn, synack, _ = run.opening()
    every = run.segments()
    carrying = {what: [one for one in every if _has(one, what)] for what in SYN_ONLY}
    stamped = [one for one in every if options(one).timestamps]
    return Proof(
        (
            _announces(syn),
            _announces(synack),
            claim(
                all(found == [syn, synack] for found in carrying.values()),
                Text(
                    "of {n} segments only frames {a} and {b}, the two with SYN, "
                    "carry MSS, window scale and SACK-permitted",
                    "{n} 个报文段中，只有带 SYN 的第 {a}、{b} 帧携带 MSS、窗口扩大因子和 SACK-permitted",
                ).fill(n=len(every), a=syn.number, b=synack.number),
                syn,
                synack,
                run.capture(),
            ),
            claim(
                len(stamped) == len(every),
                Text("all {n} segments carry timestamps", "全部 {n} 个报文段都带时间戳").fill(
                    n=len(stamped)
                ),
                run.capture(),
                every[-1],
            ),
        ),
        {
            "tsval": rights.count(timestamps(syn)[0], syn),
            "shift": rights.count(options(synack).window_scale or 0, synack),
            "with_mss": rights.count(len(carrying["mss"]), *carrying["mss"]),
            "everywhere": rights.name("timestamps", syn, every[-1]),
        },
    )


def _has(segment: Segment, what: str) -> bool:
    return getattr(options(segment), what) not in (None, False)


def _announces(segment: Segment) -> Claim:
    told = options(segment)
    return claim(
        None not in (told.mss, told.window_scale, told.timestamps) and told.sack_permitted,
        Text(
            "{flags} (frame {n}): MSS {mss}, window scale {scale}, SACK-permitted, TSval {tsval}",
            "{flags}（第 {n} 帧）：MSS {mss}，窗口扩大因子 {scale}，SACK-permitted，TSval {tsval}",
        ).fill(
            flags=",".join(flag for flag in ("SYN", "ACK") if flag in segment.flags),
            n=segment.number,
            mss=told.mss,
            scale=told.window_scale,
            tsval=timestamps(segment)[0],
        ),
        segment,
    )


def no_fragments(runs: Runs) -> Proof:
    """TCP cuts its data to fit; a UDP datagram that IP had to cut dies with one fragment."""
    run, udp = runs["mss_negotiation"], runs["udp_fragment_loss"]
    syn, data = run.first("S>C SYN,ACK"), run.data("C")
    fragments = udp.packets(where=_is_fragment)
    lost = udp.one("lost fragment", [one for one in fragments if udp.arrival(one) is None])
    report = udp.packet("ICMP 11/1", _is_report)
    receive = udp.call("server", "recvfrom")
    sent = udp.call("client", "sendto")
    longest = _longest(run, "C")
    return Proof(
        (
            claim(
                len(data) > 1 and not any(map(_is_fragment, run.packets())),
                Text(
                    "{total} octets of TCP went in {n} segments, and no packet is a fragment",
                    "TCP 的 {total} 字节分为 {n} 个报文段，没有一个包是分片",
                ).fill(total=sum(one.length for one in data), n=len(data)),
                *data,
                run.capture(),
            ),
            claim(
                longest.length == mss(syn) - options_length(longest),
                Text(
                    "the longest carries {n} = {mss} − {options}: the MSS less its options",
                    "最长的一段携带 {n} = {mss} − {options} 字节：MSS 减去选项",
                ).fill(n=longest.length, mss=mss(syn), options=options_length(longest)),
                syn,
                longest,
            ),
            claim(
                len(fragments) > 2 and receive.outcome == "EAGAIN",
                Text(
                    "of {n} fragments of a UDP datagram one, frame {lost}, is lost: "
                    "recvfrom() finds nothing ({outcome})",
                    "UDP 数据报的 {n} 个分片中丢失一个（第 {lost} 帧）：recvfrom() 什么也没收到（{outcome}）",
                ).fill(n=len(fragments), lost=lost.number, outcome=receive.outcome),
                *fragments,
                receive,
            ),
            claim(
                report.time > lost.time and sent.call.octets == _datagram(fragments),
                Text(
                    "IP repeats none of them: the server gives up all {n} octets, "
                    "ICMP time exceeded (frame {icmp})",
                    "IP 不重传：服务器放弃全部 {n} 字节，并报告 ICMP 超时（第 {icmp} 帧）",
                ).fill(n=sent.call.octets, icmp=report.number),
                sent,
                report,
                *fragments,
            ),
        ),
        {
            "mss": rights.octets(mss(syn), syn),
            "icmp": rights.frame(report),
            "lost": rights.frame(lost),
            "fragments": rights.count(len(fragments), *fragments),
        },
    )


def _is_fragment(one: Packet) -> bool:
    ip = one.frame.ip
    return ip is not None and (ip.more_fragments or ip.fragment_offset > 0)


def _is_report(one: Packet) -> bool:
    icmp = one.frame.icmp
    return icmp is not None and (icmp.type, icmp.code) == REASSEMBLY


def _datagram(fragments: tuple[Packet, ...]) -> int:
    """Octets of payload of a UDP datagram, by its fragments."""
    headers = [one.frame.ip for one in fragments]
    return sum(ip.length - ip.size for ip in headers if ip) - 8  # the UDP header


def announced_not_agreed(runs: Runs) -> Proof:
    """Each end announces its own MSS; the sender keeps to the smaller, less its options."""
    usual, lowered = runs["mss_negotiation"], runs[LOWERED]
    syn, synack, _ = lowered.opening()
    theirs = _longest(usual, "C")
    return Proof(
        (
            claim(
                mss(syn) != mss(synack),
                Text(
                    "SYN announces {a}, SYN,ACK {b}: the second is no answer to the first",
                    "SYN 通告 {a}，SYN,ACK 通告 {b}：后者并不是对前者的答复",
                ).fill(a=mss(syn), b=mss(synack)),
                syn,
                synack,
            ),
            *(_keeps_to_the_smaller(lowered, end) for end in "SC"),
            _keeps_to_the_smaller(usual, "C"),
            _fills_the_packet(usual, theirs),
        ),
        {
            "client": rights.octets(mss(syn), syn),
            "server": rights.octets(mss(synack), synack),
            "options": rights.octets(options_length(theirs), theirs),
            "longest": rights.octets(theirs.length, theirs),
        },
    )


def _longest(run: Run, sender: str) -> Segment:
    run.one("data", run.data(sender))
    return max(run.data(sender), key=lambda one: one.length)


def _keeps_to_the_smaller(run: Run, sender: str) -> Claim:
    syn, synack, _ = run.opening()
    longest = _longest(run, sender)
    smaller = min(mss(syn), mss(synack))
    return claim(
        longest.length == smaller - options_length(longest),
        Text(
            "{mss} and {other} announced: the {who}'s longest segment carries "
            "{n} = {smaller} − {options} octets, for {options} are options",
            "通告 {mss} 与 {other}：{who}最长的报文段携带 {n} = {smaller} − {options} 字节，因为选项占 {options} 字节",
        ).fill(
            mss=mss(syn),
            other=mss(synack),
            who=HOSTS["client" if sender == "C" else "server"],
            n=longest.length,
            smaller=smaller,
            options=options_length(longest),
        ),
        syn,
        synack,
        longest,
    )


def _fills_the_packet(run: Run, longest: Segment) -> Claim:
    synack = run.first("S>C SYN,ACK")
    ip = longest.frame.ip
    size, length = (ip.size, ip.length) if ip else (0, 0)
    return claim(
        length == mss(synack) + size + TCP_HEADER,
        Text(
            "its packet has {length} = {mss} + {size} + 20 octets: "
            "the MSS leaves out both headers, but not the options",
            "它所在的包有 {length} = {mss} + {size} + 20 字节：MSS 不含两个首部，却含选项",
        ).fill(length=length, mss=mss(synack), size=size),
        synack,
        longest,
    )


QUESTIONS = (
    Question(
        id="OP01",
        asks=Text(
            "Which options travel in the SYN segments, and why only there?",
            "SYN 报文携带哪些 TCP 选项？为什么只在握手时出现？",
        ),
        answer=Text(
            "MSS, window scale, SACK-permitted and timestamps; perhaps Fast Open or MPTCP. "
            "MSS, scale and SACK describe the whole connection and are fixed by the handshake. "
            "Timestamps are agreed there too, but then travel in every segment.",
            "MSS、窗口扩大因子、SACK-permitted、时间戳，也可能有 Fast Open 或 MPTCP。"
            "前三者描述整个连接，在握手时确定，之后不再出现。"
            "时间戳也在握手时商定，随后出现在每个报文段中。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="medium",
        core=True,
        runs=("mss_negotiation",),
        prove=only_in_syn,
        values=(
            Ask("tsval", Text("TSval of the SYN", "SYN 的 TSval"), Unit.COUNT),
            Ask(
                "shift",
                Text("Window scale (shift) of the SYN,ACK", "SYN,ACK 的窗口扩大因子（移位数）"),
                Unit.COUNT,
            ),
            Ask(
                "with_mss",
                Text("How many segments carry an MSS option", "携带 MSS 选项的报文段个数"),
                Unit.COUNT,
            ),
            Ask(
                "everywhere",
                Text("Which option is in every segment?", "哪个选项出现在每个报文段中？"),
                Unit.CHOICE,
                (
                    ("mss", Text("MSS", "MSS")),
                    ("scale", Text("window scale", "窗口扩大因子")),
                    ("timestamps", Text("timestamps", "时间戳")),
                    ("sack", Text("SACK-permitted", "SACK-permitted")),
                ),
            ),
        ),
        ideas=(
            Idea(Text("MSS", "MSS"), (r"\bmss\b",)),
            Idea(
                Text("window scale", "窗口扩大因子"),
                (r"(window )?scal(e|ing)", r"窗口(扩大|缩放)"),
            ),
            Idea(Text("SACK-permitted", "SACK-permitted"), (r"\bsack",)),
            Idea(
                Text("timestamps, in every segment", "时间戳，出现在每个报文段"),
                (r"timestamp", r"时间戳"),
            ),
            Idea(
                Text(
                    "they describe the whole connection: fixed by the handshake",
                    "它们描述整个连接：在握手时确定",
                ),
                (
                    r"whole connection",
                    r"(fixed|settled|agreed|set) (by|in|during|at) the (handshake|syn)",
                    r"整(个|条)连接",
                    r"握手时(确定|商定|协商)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the MSS option travels in every segment", "MSS 选项出现在每个报文段中"),
                (
                    r"mss (option )?(travels|is) in (every|each|all)",
                    r"mss ?(选项)?(出现)?在(每个|所有)",
                ),
            ),
            Idea(
                Text(
                    "window scale can change during the connection", "窗口扩大因子可在连接中途更改"
                ),
                (
                    r"scale can (be )?chang",
                    r"因子(可以?|能)(在)?[^.]*(更改|改变)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Which option will a data segment in the middle carry?",
                "中间的数据段会携带哪个选项？",
            ),
            (
                Text("MSS", "MSS"),
                Text("timestamps", "时间戳"),
                Text("window scale", "窗口扩大因子"),
                Text("none", "没有选项"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the option list of the first two frames, then of any later one.",
                "看前两帧的选项列表，再看之后任意一帧的。",
            ),
            Text(
                "Compare which kinds are missing from the third segment on.",
                "比较从第三个报文段起少了哪些选项。",
            ),
        ),
        then=("OP03", "OP04"),
        sources=("RFC 9293 section 3.2", "RFC 7323 section 2", "RFC 2018 section 2"),
    ),
    Question(
        id="OP02",
        asks=Text(
            "IP can fragment, so why does TCP need an MSS?",
            "既然 IP 层会分片，为什么 TCP 还需要 MSS？",
        ),
        answer=Text(
            "One lost fragment costs the whole datagram, and IP does not retransmit. "
            "By its MSS TCP cuts the data into segments that need no fragments. "
            "Then only the lost segment has to be sent again.",
            "分片任丢一片，整个数据报就作废，而 IP 不会重传。"
            "TCP 按 MSS 切分数据，避免分片；这样只需重传丢失的那一段。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="high",
        core=True,
        runs=("mss_negotiation", "udp_fragment_loss"),
        prove=no_fragments,
        values=(
            Ask(
                "mss",
                Text("TCP run: MSS that the server announces", "TCP 运行：服务器通告的 MSS"),
                Unit.OCTETS,
            ),
            Ask(
                "fragments",
                Text(
                    "UDP run: number of fragments that the client sends",
                    "UDP 运行：客户端发出的分片数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "lost",
                Text(
                    "UDP run: frame number of the lost fragment, in the client's capture",
                    "UDP 运行：丢失的分片在客户端抓包中的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "icmp",
                Text("UDP run: frame number of the ICMP error", "UDP 运行：ICMP 差错的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("a lost fragment costs the whole datagram", "丢一个分片，整个数据报作废"),
                (
                    r"(whole|entire|all of the) (datagram|packet)",
                    r"整(个|份)?(数据报|报文|包)",
                ),
            ),
            Idea(
                Text("IP does not retransmit", "IP 不会重传"),
                (
                    r"ip (does not|doesn't|never|cannot) (retransmit|repeat|resend)",
                    r"ip ?(层)?(不会|不|没有)重(传|发)",
                ),
            ),
            Idea(
                Text("segments of at most the MSS avoid fragments", "按 MSS 切分可避免分片"),
                (
                    r"(no|without|avoids?|need no) fragment",
                    r"(避免|不需要|无需|不会)(ip ?)?分片",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("IP retransmits a lost fragment", "IP 会重传丢失的分片"),
                (
                    r"ip (retransmits|repeats|resends)",
                    r"ip ?(层)?会重(传|发)",
                ),
            ),
            Idea(
                Text("the received fragments are delivered", "已收到的分片会交付给应用"),
                (
                    r"(received|other|remaining) fragments are delivered",
                    r"(收到|其余)的分片(仍|也)?(会)?交付",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A UDP datagram travels in three fragments; the middle one is lost. What is received?",
                "一个 UDP 数据报分成三个分片，中间一个丢失。接收方得到什么？",
            ),
            (
                Text("nothing", "什么也没有"),
                Text("the first part", "前一部分"),
                Text("both other parts", "其余两部分"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the IP headers: flag MF and fragment offset.",
                "看 IP 首部：MF 标志与分片偏移。",
            ),
            Text(
                "Compare what left the client with what reached the server, in the UDP run.",
                "在 UDP 运行中，比较客户端发出的与服务器收到的。",
            ),
        ),
        then=("OP03",),
        sources=("RFC 9293 section 3.7", "RFC 8900", "RFC 791 section 3.2"),
    ),
    Question(
        id="OP03",
        asks=Text(
            "Is the MSS negotiated? Why do data segments carry 1448 and not 1460 octets?",
            "MSS 是协商出来的吗？为什么数据段是 1448 而不是 1460 字节？",
        ),
        answer=Text(
            "It is not negotiated: each side announces its own limit, and the two may differ. "
            "A sender keeps to the minimum of the announcement and its own limit. "
            "Options count as data: timestamps take 12 octets of every segment, 1460 − 12 = 1448.",
            "不是协商：双方各自通告自己的上限，两个值可以不同。"
            "发送方取对方通告值与自身上限中的较小者。"
            "选项占用数据空间：时间戳每段占 12 字节，1460 − 12 = 1448。",
        ),
        kind=Kind.COMPUTE,
        level=2,
        interview="medium",
        runs=("mss_negotiation", LOWERED),
        prove=announced_not_agreed,
        values=(
            Ask(
                "client",
                Text(
                    "Client with TCP_MAXSEG: MSS in its SYN",
                    "设置 TCP_MAXSEG 的客户端：SYN 中的 MSS",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "server",
                Text("MSS in the SYN,ACK that answers it", "应答它的 SYN,ACK 中的 MSS"),
                Unit.OCTETS,
            ),
            Ask(
                "options",
                Text(
                    "Without TCP_MAXSEG: octets of options in a data segment",
                    "未设 TCP_MAXSEG：数据段中选项的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "longest",
                Text(
                    "Without TCP_MAXSEG: octets of data in the longest segment",
                    "未设 TCP_MAXSEG：最长报文段的数据字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("each side announces its own limit", "双方各自通告自己的上限"),
                (
                    r"(each|either|every) (side|end|host) (announces|tells|declares)",
                    r"not (really )?negotiated",
                    r"(各自|分别)(通告|声明)",
                    r"不是协商",
                ),
            ),
            Idea(
                Text("the sender keeps to the minimum", "发送方取较小者"),
                (r"minimum|smaller|lower of", r"(较小|最小)"),
            ),
            Idea(
                Text("timestamps take 12 octets: 1448", "时间戳占 12 字节：1448"),
                (r"\b12\b", r"占 ?12", r"twelve"),
            ),
        ),
        wrong=(
            Idea(
                Text("both sides agree on one common value", "双方协商出同一个值"),
                (
                    r"agree on (one|a|the same) (common )?(value|mss)",
                    r"协商(出|为|成)(一个)?(同一|相同|共同)",
                ),
            ),
            Idea(
                Text("the MSS includes the TCP header", "MSS 包含 TCP 首部"),
                (
                    r"mss (includes|contains|counts) the (tcp|ip) header",
                    r"mss ?(包含|包括)(了)? ?(tcp|ip) ?(首部|头)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The client announces 600, the server 1460. How long are the server's segments at most?",
                "客户端通告 600，服务器通告 1460。服务器的报文段最多携带多少数据？",
            ),
            (
                Text("1460 octets", "1460 字节"),
                Text("1448 octets", "1448 字节"),
                Text("600 octets", "600 字节"),
                Text("588 octets", "588 字节"),
            ),
            3,
        ),
        hints=(
            Text(
                "Look at the MSS options of SYN and SYN,ACK, and at the longest data segment.",
                "看 SYN 与 SYN,ACK 的 MSS 选项，以及最长的数据段。",
            ),
            Text(
                "Compare the TCP header's length with 20: the rest are options.",
                "把 TCP 首部长度与 20 相比较：多出的就是选项。",
            ),
        ),
        claim=Text("Both sides negotiate one common MSS", "双方协商出一个共同的 MSS"),
        truth=Text(
            "The SYN announced 600 and the SYN,ACK 1460; each keeps its own",
            "SYN 通告 600，SYN,ACK 通告 1460；各说各的",
        ),
        then=("OP02",),
        sources=("RFC 9293 section 3.7.1", "RFC 6691"),
    ),
)
