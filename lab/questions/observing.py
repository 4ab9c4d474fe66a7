"""What a capture shows, and what it does not."""

from __future__ import annotations

import struct

from lab.packets.checksums import checksum_errors
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Unit
from lab.questions.pieces import Called, Packet, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

FIREWALL, DROPS = "capture_vs_firewall", "capture_drops"
OFFLOADED, PLAIN = "offload_capture", "offload_capture:off"
RTO = 190_000_000  # ns: Linux waits 200 ms at least
SHOWN = 64  # octets of a frame that a call log has


def blocked(run: Run) -> Called:
    """The sendto() that the client's own firewall stopped."""
    fit = [one for one in run.calls("client", "sendto") if one.outcome == "EPERM"]
    return fit[0] if fit else run.call("client", "sendto EPERM")


def port_asked(one: Called) -> int:
    """The port that sendto() was given."""
    match one.call.arguments:
        case [*_, [_, int(port)]]:
            return port
    return 0


def to_port(run: Run, host: str, port: int) -> tuple[Packet, ...]:
    """The datagrams to a port of the server, as a host's port saw them."""
    return run.packets(
        host,
        lambda one: (
            one.frame.tcp is None
            and one.frame.destination is not None
            and one.frame.destination.port == port
        ),
    )


def unread(run: Run) -> tuple[Packet, Called]:
    """A datagram that arrived at the server, and the call that did not get it."""
    for call in run.calls("server", "recv"):
        local = call.call.local
        port = local[1] if isinstance(local, list) and call.outcome == "EAGAIN" else 0
        if arrived := to_port(run, "server", port):
            return arrived[0], call
    raise Missing(Text("no datagram that was not read", "没有未被读取的数据报"))


def firewall(runs: Runs) -> Proof:
    """In: capture, then firewall. Out: firewall, then capture."""
    run = runs[FIREWALL]
    stopped = blocked(run)
    arrived, nothing = unread(run)
    port = port_asked(stopped)
    data = run.data("C")
    first = run.one("segment with data", data)
    called = run.call("client", "sendall")
    again = [one for one in data if one.seq != first.seq]
    original, copy = _two(again)
    there = [run.twin(one.host, one.number) for one in (original, copy)]
    waited = first.time - called.before
    return Proof(
        (
            claim(
                nothing.outcome == "EAGAIN" and nothing.before > arrived.time,
                Text(
                    "inbound: frame {n} of the server's capture is the datagram, yet recv() = {error}",
                    "入方向：服务器抓包的帧 {n} 就是该数据报，而 recv() = {error}",
                ).fill(n=arrived.number, error=nothing.outcome),
                arrived,
                nothing,
            ),
            claim(
                port > 0 and not to_port(run, "client", port) and not to_port(run, "server", port),
                Text(
                    "outbound: sendto() to port {port} = {error}, and no capture has that datagram",
                    "出方向：发往端口 {port} 的 sendto() = {error}，任何抓包里都没有该数据报",
                ).fill(port=port, error=stopped.outcome),
                stopped,
                run.capture("client"),
            ),
            claim(
                None not in there
                and original.seq == copy.seq
                and copy.time - original.time > RTO
                and not original.lost,
                Text(
                    "inbound TCP: seq {seq} is in both captures, unanswered; {ms} ms later it comes again",
                    "入方向的 TCP：seq {seq} 两处都抓到，却没有应答；{ms} 毫秒后重发",
                ).fill(seq=original.seq, ms=(copy.time - original.time) // 1_000_000),
                original,
                copy,
            ),
            claim(
                waited > RTO and len([one for one in data if one.seq == first.seq]) == 1,
                Text(
                    "outbound TCP: the first frame with data comes {ms} ms after sendall(): "
                    "what was tried before is in no capture",
                    "出方向的 TCP：sendall() 之后 {ms} 毫秒才出现首个数据帧，此前的尝试任何抓包都看不到",
                ).fill(ms=waited // 1_000_000),
                called,
                first,
            ),
        ),
        {
            "frame": rights.frame(arrived),
            "error": rights.error(stopped),
            "again": rights.frame(copy, instead=original),
            "waited": rights.span(waited, called, first),
        },
    )


def _two(segments: list[Segment]) -> tuple[Segment, Segment]:
    if len(segments) < 2:
        raise Missing(Text("no repeated segment", "没有重发的报文段"))
    return segments[0], segments[1]


def before_the_card(runs: Runs) -> Proof:
    """Longer than the MSS, checksum unfinished; with offload off neither."""
    run, plain = runs[OFFLOADED], runs[PLAIN]
    data = run.data("C")
    longest = run.one("segment with data", sorted(data, key=lambda one: -one.length))
    synack, back = run.first("S>C SYN,ACK"), run.first("S>C ACK", after=longest)
    told = synack.frame.tcp
    mss = told.options.mss or 0 if told else 0
    wrong, sent = bad_checksums(run), [one for one in run.segments() if one.sender == "C"]
    usual = max(one.length for one in plain.data("C"))
    full = plain.one("data", [one for one in plain.data("C") if one.length == usual])
    read = run.call("server", "recv")
    return Proof(
        (
            claim(
                longest.length > mss > 0,
                Text(
                    "frame {n} carries {length} octets, though the MSS is {mss}",
                    "帧 {n} 带 {length} 字节数据，而 MSS 只有 {mss}",
                ).fill(n=longest.number, length=longest.length, mss=mss),
                synack,
                longest,
            ),
            claim(
                {one.number for one in sent} <= wrong and back.number not in wrong,
                Text(
                    "the checksums of all {n} frames that the client sent are wrong; "
                    "that of a received one, frame {back}, is right",
                    "客户端发出的 {n} 帧校验和全错；收到的帧（如帧 {back}）则正确",
                ).fill(n=len(sent), back=back.number),
                longest,
                back,
            ),
            claim(
                read.call.octets == sum(one.length for one in data),
                Text(
                    "nothing is damaged: the server reads all {n} octets",
                    "数据并未损坏：服务器读到全部 {n} 字节",
                ).fill(n=read.call.octets),
                read,
                *data[:4],
            ),
            claim(
                usual <= mss and not bad_checksums(plain),
                Text(
                    "with offload off the longest carries {n} octets, and no checksum is wrong",
                    "关闭卸载后，最长的带 {n} 字节，没有一个校验和出错",
                ).fill(n=usual),
                full,
            ),
        ),
        {
            "length": rights.octets(longest.length, longest),
            "mss": rights.octets(mss, synack),
            "wrong": rights.frame(longest, *sent),
        },
    )


def bad_checksums(run: Run) -> set[int]:
    """Numbers of the frames of the originator's capture whose checksum is wrong."""
    return {int(number) for number in checksum_errors(run.evidence.view.capture)}


def holes(runs: Runs) -> Proof:
    """What was acknowledged was sent, whatever a capture lacks; its drops are counted."""
    run = runs[DROPS]
    reads = [one for one in run.calls("server", "recv") if one.call.kind != "tcp"]
    kept = [bytes.fromhex(one.call.data) for one in reads if one.outcome == "ok"]
    told = run.call("server", "getsockopt")
    passed, dropped = statistics(told)
    lacking = [one for one in run.data("C") if one.frame.octets[:SHOWN] not in kept]
    hole = run.one("segment that the program's capture lacks", lacking)
    acks = [one for one in run.segments() if one.sender == "S" and one.ack >= hole.end]
    ack = run.one("ACK beyond the hole", acks)
    copies = [one for one in run.data("C") if one.seq == hole.seq]
    read = next((one for one in run.calls("server", "recv") if one.call.kind == "tcp"), told)
    return Proof(
        (
            claim(
                dropped == passed - len(kept) > 0 and dropped >= len(lacking),
                Text(
                    "the program's own capture: {passed} frames passed, {kept} kept, "
                    "PACKET_STATISTICS says {dropped} dropped",
                    "程序自己的抓包：经过 {passed} 帧，留下 {kept} 帧，PACKET_STATISTICS 记下丢弃 {dropped} 帧",
                ).fill(passed=passed, kept=len(kept), dropped=dropped),
                told,
            ),
            claim(
                ack.ack >= hole.end and len(copies) == 1 and not hole.lost,
                Text(
                    "it lacks seq {seq} +{n} (frame {frame}); frame {ack} acknowledges {end}: it was sent, once",
                    "其中缺少 seq {seq} +{n}（帧 {frame}）；帧 {ack} 确认到 {end}：它发出过，而且只发一次",
                ).fill(seq=hole.seq, n=hole.length, frame=hole.number, ack=ack.number, end=ack.ack),
                hole,
                ack,
            ),
            claim(
                read.call.octets == sum(one.length for one in run.data("C")),
                Text(
                    "the program read all {n} octets, those of the hole among them",
                    "程序读到全部 {n} 字节，缺口中的也在内",
                ).fill(n=read.call.octets),
                read,
                hole,
            ),
        ),
        {
            "hole": rights.frame(hole),
            "ack": rights.frame(ack),
            "dropped": rights.count(dropped, told),
        },
    )


def statistics(told: Called) -> tuple[int, int]:
    """PACKET_STATISTICS (packet(7)): frames that passed, and of those the ones dropped."""
    octets = bytes.fromhex(str(told.call.result)) if isinstance(told.call.result, str) else b""
    return struct.unpack("II", octets) if len(octets) == 8 else (0, 0)


QUESTIONS = (
    Question(
        id="OB02",
        asks=Text(
            "A firewall drops the packet, yet tcpdump shows it: why?",
            "防火墙丢弃了包，为什么 tcpdump 还能看到？",
        ),
        answer=Text(
            "Inbound, the capture comes before the firewall; outbound, after it. So a packet dropped on "
            "its way in is in the capture, and one dropped on its way out is not.",
            "入方向抓包点在防火墙之前，出方向在防火墙之后：入站被丢弃的包仍可见，出站被丢弃的包不可见。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        core=True,
        runs=(FIREWALL,),
        prove=firewall,
        values=(
            Ask(
                "frame",
                Text(
                    "Frame of the datagram that arrived and was never read (server's capture)",
                    "已到达却从未被读取的数据报的帧号（服务器抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "error",
                Text(
                    "Result of sendto() for the datagram that is in no capture",
                    "任何抓包都看不到的那个数据报，其 sendto() 的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "again",
                Text(
                    "Frame that repeats the TCP segment dropped on its way in (client's capture)",
                    "重发入方向被丢弃的 TCP 报文段的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "waited",
                Text(
                    "Time from the first sendall() to the first frame with data",
                    "从首次 sendall() 到首个数据帧的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "inbound the capture comes before the firewall",
                    "入方向抓包点在防火墙之前",
                ),
                (
                    r"inbound[^.;]*before",
                    r"way in[^.;]*captur",
                    r"入(方向|站)[^.;]*(之前|可见|看得?到)",
                ),
            ),
            Idea(
                Text("outbound it comes after the firewall", "出方向在防火墙之后"),
                (
                    r"outbound[^.]*after",
                    r"way out[^.;]*not",
                    r"出(方向|站)[^.;]*(之后|不可见|看不到)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("a packet in the capture reached the program", "抓包里有就说明程序收到了"),
                (r"reached the program", r"说明程序(已经)?收到"),
            ),
            Idea(
                Text("tcpdump always sits behind the firewall", "tcpdump 总在防火墙之后"),
                (r"always[^.]*behind the firewall", r"总(是)?在防火墙之后"),
            ),
        ),
        guess=Guess(
            Text(
                "The server's firewall drops a datagram on its way in. Where is it captured?",
                "服务器的防火墙丢弃入站数据报，哪里能抓到它？",
            ),
            (
                Text("at both ports", "两个端口都能"),
                Text("at the client's port only", "只有客户端端口"),
                Text("nowhere", "哪里都抓不到"),
            ),
            0,
        ),
        hints=(
            Text("Look for each datagram in both captures.", "在两处抓包中寻找每个数据报。"),
            Text(
                "Compare the captures with what sendto() and recv() returned.",
                "把抓包与 sendto()、recv() 的返回相比较。",
            ),
        ),
        then=("OB04",),
        sources=("packet(7)", "nft(8) hooks"),
    ),
    Question(
        id="OB03",
        asks=Text(
            "Why does a capture show 7 kB segments or wrong checksums?",
            "为什么抓到 7 KB 的报文段或错误的校验和？",
        ),
        answer=Text(
            "Segmentation and checksum offload: the capture sees packets before the network card, real "
            "or virtual, cuts them and fills the checksum in. Nothing is damaged.",
            "这是分段卸载与校验和卸载：抓包发生在（虚拟）网卡切分报文、填写校验和之前，数据并未损坏。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="low",
        runs=(OFFLOADED, PLAIN),
        prove=before_the_card,
        values=(
            Ask(
                "length",
                Text(
                    "Offload on: octets of data in the longest segment",
                    "启用卸载：最长报文段的数据字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "mss",
                Text("MSS that the server announced", "服务器通告的 MSS"),
                Unit.OCTETS,
            ),
            Ask(
                "wrong",
                Text(
                    "Offload on: a frame with a wrong checksum (client's capture)",
                    "启用卸载：一个校验和错误的帧（客户端抓包）",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("segmentation and checksum offload", "分段卸载与校验和卸载"),
                (r"offload", r"卸载", r"\btso\b"),
            ),
            Idea(
                Text(
                    "the capture sees packets before the card",
                    "抓包发生在网卡处理之前",
                ),
                (r"before[^.]*card", r"before[^.]*nic\b", r"网卡[^.]*之前"),
            ),
        ),
        wrong=(
            Idea(
                Text("the segments were damaged on the way", "报文段在途中损坏"),
                (r"damaged on the way", r"(途中|传输中)损坏"),
            ),
            Idea(
                Text("the link carries jumbo frames", "链路使用巨型帧"),
                (r"jumbo", r"巨型帧"),
            ),
        ),
        guess=Guess(
            Text(
                "Offload is on at the sender. What does its own capture show?",
                "发送方启用了卸载，它自己的抓包会显示什么？",
            ),
            (
                Text(
                    "segments of at most the MSS, checksums right",
                    "不超过 MSS 的报文段，校验和正确",
                ),
                Text(
                    "segments of at most the MSS, checksums wrong",
                    "不超过 MSS 的报文段，校验和错误",
                ),
                Text(
                    "segments longer than the MSS, checksums wrong", "超过 MSS 的报文段，校验和错误"
                ),
            ),
            2,
        ),
        hints=(
            Text("Look at the lengths of the client's segments.", "看客户端报文段的长度。"),
            Text(
                "Compare them with the MSS, and both runs with each other.",
                "与 MSS 相比较，再把两次运行相比较。",
            ),
        ),
        then=("OB04",),
        sources=("ethtool(8) -K", "Linux segmentation-offloads"),
    ),
    Question(
        id="OB04",
        asks=Text(
            "A frame is missing in the capture: how do you prove it was sent?",
            "抓包缺了一帧，如何证明它其实发送过？",
        ),
        answer=Text(
            "A later ACK or SACK covers it, and it was not sent again: so it was sent and arrived. "
            "The capture's own drop counter is not zero.",
            "之后的 ACK 或 SACK 覆盖了它，且没有重传，说明它发出过并已到达；抓包自身的丢弃计数不为零。",
        ),
        kind=Kind.DIAGNOSE,
        level=3,
        interview="low",
        runs=(DROPS,),
        prove=holes,
        values=(
            Ask(
                "hole",
                Text(
                    "First frame with data that the program's own capture lacks (client's capture)",
                    "程序自己的抓包缺少的第一个数据帧（客户端抓包中的帧号）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "ack",
                Text(
                    "First frame whose ACK covers it (client's capture)",
                    "第一个确认它的帧（客户端抓包中的帧号）",
                ),
                Unit.FRAME,
            ),
            Ask(
                "dropped",
                Text(
                    "Frames that PACKET_STATISTICS counts as dropped",
                    "PACKET_STATISTICS 记下的丢弃帧数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("a later ACK or SACK covers it", "之后的 ACK 或 SACK 覆盖了它"),
                (r"s?ack[^.]*cover", r"acknowledged", r"s?ack[^.]*(覆盖|确认)"),
            ),
            Idea(
                Text("the capture's drop counter is not zero", "抓包的丢弃计数不为零"),
                (r"drop(ped|s)? (by kernel|counter)", r"counter", r"丢弃(计)?数", r"计数"),
            ),
        ),
        wrong=(
            Idea(
                Text("what is not in the capture was never sent", "抓包里没有就是没有发送"),
                (r"was never sent", r"就是没有发送"),
            ),
        ),
        guess=Guess(
            Text(
                "A sniffer's buffer is full. What happens to the frame that comes next?",
                "抓包程序的缓冲区满了，下一帧会怎样？",
            ),
            (
                Text("it is dropped and sent again", "被丢弃，随后重发"),
                Text("it arrives, and the capture lacks it", "照常到达，只是抓包里没有"),
                Text("it waits for the sniffer", "等待抓包程序"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's recv() calls on its packet socket, and at getsockopt().",
                "看服务器在 packet 套接字上的 recv() 调用以及 getsockopt()。",
            ),
            Text(
                "Compare the frames it kept with the lab's own capture.",
                "把它留下的帧与实验室自己的抓包相比较。",
            ),
        ),
        then=("OB02",),
        sources=("packet(7) PACKET_STATISTICS", "tcpdump(8)"),
    ),
)
