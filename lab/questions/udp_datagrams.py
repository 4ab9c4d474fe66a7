"""What UDP leaves out, and what a datagram is: compared with TCP, boundaries, truncation, ports."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Datagram, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

MSG_TRUNC = 0x20  # linux/socket.h, in the flags that recvmsg() returns


def datagrams(run: Run, host: str = "") -> tuple[Datagram, ...]:
    """All datagrams at one port, whatever exchange they belong to, in order of their frames."""
    view = next(one for one in run.evidence.views if host in ("", one.host))
    found = (one for stream in range(len(view.exchanges)) for one in run.datagrams(stream, host))
    return tuple(sorted(found, key=lambda one: one.number))


def datagram(run: Run, nth: int, host: str = "") -> Datagram:
    """The nth of all datagrams at one port, counted from 0."""
    return run.one(f"UDP datagram {nth}", datagrams(run, host)[nth:])


def _header(packet: Packet) -> tuple[int, int, int, int]:
    """Octets: of the packet by its length field, of IP's header, of the payload, of TCP's or UDP's header."""
    frame = packet.frame
    total, size = (frame.ip.length, frame.ip.size) if frame.ip else (0, 0)
    return total, size, frame.payload_length, total - size - frame.payload_length


def _before(run: Run, data: Packet) -> tuple[Packet, ...]:
    """The IP packets that passed the port before this one (both protocols need ARP, too)."""

    def passed(one: Packet) -> bool:
        return one.time < data.time and one.frame.ip is not None and not one.is_unasked

    return run.packets(where=passed)


def tcp_against_udp(runs: Runs) -> Proof:
    """One question and its answer over each protocol: what is sent besides."""
    tcp, udp = runs["tcp_lifecycle"], runs["udp_echo"]
    asked = tcp.one("C>S +", tcp.data("C"))
    acked = tcp.first("S>C [PSH],ACK", after=asked)
    question, answer = datagram(udp, 0), datagram(udp, 1)
    opening, at_once, every = _before(tcp, asked), _before(udp, question), tcp.segments()
    total, size, payload, header = _header(asked)
    udp_total, udp_size, udp_payload, udp_header = _header(question)
    carrying = [one for one in every if one.length]
    return Proof(
        (
            claim(
                len(opening) == 3 and not at_once and question.length > 0,
                Text(
                    "TCP sends {n} segments before the first octet of data; UDP sends {m} packets before it",
                    "TCP 在第一个数据字节之前发送 {n} 个报文段；UDP 在此之前发送 {m} 个包",
                ).fill(n=len(opening), m=len(at_once)),
                *opening,
                question,
            ),
            claim(
                20 <= header <= 60 and udp_header == 8,
                Text(
                    "TCP header: {a} - {b} - {c} = {d} octets; UDP header: {e} - {f} - {g} = {h} octets",
                    "TCP 首部：{a} - {b} - {c} = {d} 字节；UDP 首部：{e} - {f} - {g} = {h} 字节",
                ).fill(
                    **dict(zip("abcd", (total, size, payload, header), strict=True)),
                    **dict(
                        zip("efgh", (udp_total, udp_size, udp_payload, udp_header), strict=True)
                    ),
                ),
                asked,
                question,
            ),
            claim(
                acked.ack == asked.seq + asked.length
                and [one.length > 0 for one in datagrams(udp)] == [True, True],
                Text(
                    "TCP acknowledges seq {seq} + {n} octets with {ack}; UDP has no such packet: each carries data",
                    "TCP 以 {ack} 确认 seq {seq} 起的 {n} 字节；UDP 没有确认包，每个数据报都带数据",
                ).fill(seq=asked.seq, n=asked.length, ack=acked.ack),
                asked,
                acked,
                question,
                answer,
            ),
            claim(
                len(every) > len(carrying) == 2 == len(datagrams(udp)),
                Text(
                    "one question and its answer: {n} segments over TCP, {k} of them with data; {m} datagrams over UDP",
                    "一问一答：TCP 共 {n} 个报文段，其中 {k} 个带数据；UDP 共 {m} 个数据报",
                ).fill(n=len(every), k=len(carrying), m=len(datagrams(udp))),
                tcp.capture(),
                question,
                answer,
            ),
        ),
        {
            "tcp_before": rights.count(len(opening), *opening),
            "udp_before": rights.count(len(at_once), question),
            "tcp_total": rights.count(len(every), tcp.capture()),
            "udp_total": rights.count(len(datagrams(udp)), question, answer),
        },
    )


def _reads(run: Run, function: str) -> tuple[Called, ...]:
    """The server's calls that got data."""
    return tuple(one for one in run.calls("server", function) if one.call.octets)


def boundaries(runs: Runs) -> Proof:
    """The same five messages over TCP and over UDP: calls there, frames, calls here."""
    tcp, udp = runs["stream_coalesce"], runs["stream_coalesce:udp"]
    sends, segments, reads = tcp.calls("client", "send"), tcp.data("C"), _reads(tcp, "recv")
    sent, frames, got = udp.calls("client", "sendto"), datagrams(udp), _reads(udp, "recvfrom")
    read = tcp.call("server", "recv")
    octets = sum(one.call.octets or 0 for one in sends)
    texts = tuple(one.call.data for one in sent)
    ends = sorted({one.seq + one.length for one in segments})
    return Proof(
        (
            claim(
                len(sends) != len(reads) == 1 and read.call.octets == octets,
                Text(
                    "TCP: {n} send() of {octets} octets in all are read by {k} recv()",
                    "TCP：{n} 次 send() 共 {octets} 字节，{k} 次 recv() 一次读完",
                ).fill(n=len(sends), octets=octets, k=len(reads)),
                *sends,
                read,
            ),
            claim(
                bool(ends) and ends[-1] == octets + 1 and segments[0].seq == 1,
                Text(
                    "TCP numbers octets: {m} segments cover seq 1 to {last}, and no number says where a message ends",
                    "TCP 只给字节编号：{m} 个报文段覆盖 seq 1 到 {last}，没有编号表示消息边界",
                ).fill(m=len(segments), last=octets),
                *segments,
            ),
            claim(
                len(sent) == len(frames) == len(got) > 1,
                Text(
                    "UDP: {n} sendto(), {m} datagrams, {k} recvfrom()",
                    "UDP：{n} 次 sendto()，{m} 个数据报，{k} 次 recvfrom()",
                ).fill(n=len(sent), m=len(frames), k=len(got)),
                *frames,
            ),
            claim(
                tuple(one.frame.payload.hex() for one in frames) == texts
                and tuple(one.call.data for one in got) == texts,
                Text(
                    "each recvfrom() returns just the octets of one sendto()",
                    "每次 recvfrom() 返回的恰好是一次 sendto() 的字节",
                ),
                *frames,
                *got,
            ),
        ),
        {
            "tcp_segments": rights.count(len(segments), *segments),
            "tcp_reads": rights.count(len(reads), read),
            "udp_frames": rights.count(len(frames), *frames),
            "udp_reads": rights.count(len(got), *got),
        },
    )


def _flags(call: Called) -> int:
    """The flags among what recvmsg() returned."""
    match call.call.result:
        case [_, _, int(flags), _]:
            return flags
    return 0


def small_buffer(runs: Runs) -> Proof:
    """Ten octets arrive, four are read, and the next call reads the next datagram."""
    run = runs["udp_truncation"]
    first, second = datagram(run, 0, "server"), datagram(run, 1, "server")
    fourth = datagram(run, 3, "server")
    read, after = run.call("server", "recvfrom", 0), run.call("server", "recvfrom", 1)
    told, length = run.call("server", "recvmsg"), run.call("server", "recv_into")
    got, size = read.call.octets or 0, len(bytes.fromhex(after.call.data))
    return Proof(
        (
            claim(
                read.outcome == "ok"
                and 0 < got < first.length
                and first.frame.payload.hex().startswith(read.call.data),
                Text(
                    "{n} octets arrive, recvfrom() returns {got} without an error: {n} - {got} = {rest} are missing",
                    "到达 {n} 字节，recvfrom() 返回 {got} 字节且不报错：缺少 {n} - {got} = {rest} 字节",
                ).fill(n=first.length, got=got, rest=first.length - got),
                first,
                read,
            ),
            claim(
                bytes.fromhex(after.call.data) == second.frame.payload[:size]
                and bytes.fromhex(after.call.data) != first.frame.payload[got : got + size],
                Text(
                    "the next recvfrom() returns the next datagram's octets {data}, not the rest of the first, {rest}",
                    "下一次 recvfrom() 返回下一个数据报的字节 {data}，而不是第一个剩下的 {rest}",
                ).fill(
                    data=after.call.data, rest=first.frame.payload[got : got + size].hex() or "-"
                ),
                first,
                second,
                after,
            ),
            claim(
                bool(_flags(told) & MSG_TRUNC),
                Text(
                    "recvmsg() tells of it: its flags are {flags:#x}, and {bit:#x} is MSG_TRUNC",
                    "recvmsg() 会告知：返回的标志为 {flags:#x}，其中 {bit:#x} 即 MSG_TRUNC",
                ).fill(flags=_flags(told), bit=MSG_TRUNC),
                told,
            ),
            claim(
                length.call.result == fourth.length,
                Text(
                    "with MSG_TRUNC as an argument the call returns the true length, {n}",
                    "以 MSG_TRUNC 为参数，调用返回真实长度 {n}",
                ).fill(n=length.call.result),
                fourth,
                length,
            ),
        ),
        {
            "sent": rights.octets(first.length, first),
            "got": rights.octets(got, read),
            "second": rights.frame(datagram(run, 1)),
        },
    )


def same_port_number(runs: Runs) -> Proof:
    """One number as a UDP port and as a TCP port of the same host."""
    run = runs["open_simultaneous"]
    over_udp, syn = datagram(run, 0), run.first("C>S SYN")
    binds = run.calls("server", "bind")
    by_kind = {one.call.kind: one for one in binds}
    bound = [one.call.local for one in by_kind.values()]
    udp, tcp = over_udp.frame, syn.frame
    ports = [one.destination.port if one.destination else 0 for one in (udp, tcp)]
    numbers = [one.ip.protocol if one.ip else 0 for one in (udp, tcp)]
    read = run.call("server", "recvfrom")
    return Proof(
        (
            claim(
                set(by_kind) == {"udp", "tcp"}
                and bound[0] == bound[1] == ["0.0.0.0", ports[0]]
                and all(one.outcome == "ok" for one in binds),
                Text(
                    "the server binds {port} for UDP, then for TCP; both bind() succeed",
                    "服务器先后为 UDP 和 TCP 绑定 {port}，两次 bind() 都成功",
                ).fill(port=ports[0]),
                *binds,
            ),
            claim(
                ports[0] == ports[1] and numbers == [17, 6],
                Text(
                    "both packets go to port {port}; IP's protocol field is {u} in one, {t} in the other",
                    "两个包都发往端口 {port}；IP 的协议字段一个是 {u}，另一个是 {t}",
                ).fill(port=ports[1], u=numbers[0], t=numbers[1]),
                over_udp,
                syn,
            ),
            claim(
                read.call.kind == "udp"
                and read.outcome == "ok"
                and over_udp.time < read.after < syn.time,
                Text(
                    "the datagram goes to the UDP socket: recvfrom() returns before the SYN is sent",
                    "数据报交给 UDP 套接字：recvfrom() 在 SYN 发出之前返回",
                ),
                over_udp,
                read,
                syn,
            ),
        ),
        {
            "udp": rights.frame(over_udp),
            "tcp": rights.frame(syn, *(one for one in run.all() if one.sender == "C")),
            "port": rights.count(ports[0], over_udp, syn),
        },
    )


QUESTIONS = (
    Question(
        id="UD01",
        asks=Text("TCP versus UDP: name the differences.", "TCP 和 UDP 有什么区别？"),
        answer=Text(
            "TCP opens a connection first; UDP sends at once. TCP numbers octets, acknowledges and repeats them, "
            "in order; UDP promises neither delivery nor order. TCP is a byte stream with flow and congestion "
            "control; UDP keeps datagrams apart and has neither. Headers: TCP 20 to 60 octets, UDP 8. "
            "Only UDP can broadcast and multicast.",
            "TCP 先建立连接，UDP 直接发送。TCP 给字节编号、确认并重传，可靠且有序；UDP 不保证送达，也不保证顺序。"
            "TCP 面向字节流，有流量控制和拥塞控制；UDP 面向报文，两者都没有。"
            "TCP 首部 20 至 60 字节，UDP 首部 8 字节。只有 UDP 支持广播和组播。",
        ),
        kind=Kind.COMPARE,
        level=1,
        interview="high",
        core=True,
        runs=("tcp_lifecycle", "udp_echo"),
        prove=tcp_against_udp,
        values=(
            Ask(
                "tcp_before",
                Text(
                    "Segments that TCP sends before the first octet of data",
                    "TCP 在第一个数据字节之前发送的报文段数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "udp_before",
                Text(
                    "IP packets between the two hosts before UDP's first octet of data",
                    "UDP 的第一个数据字节之前，两台主机之间的 IP 包数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "tcp_total",
                Text("Segments of the TCP connection in all", "整条 TCP 连接的报文段总数"),
                Unit.COUNT,
            ),
            Ask(
                "udp_total",
                Text("Datagrams of the UDP exchange in all", "整个 UDP 交互的数据报总数"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP opens a connection, UDP sends at once", "TCP 先建立连接，UDP 直接发送"),
                (r"connection", r"handshake", r"建立连接", r"面向连接", r"握手"),
            ),
            Idea(
                Text("TCP is reliable: it acknowledges and repeats", "TCP 可靠：有确认和重传"),
                (r"acknowledg", r"reliab", r"retransmi", r"可靠", r"重传"),
            ),
            Idea(
                Text("a byte stream against separate datagrams", "字节流与报文之别"),
                (r"(byte|octet)[ -]?stream", r"boundar", r"字节流", r"面向报文"),
            ),
            Idea(
                Text(
                    "UDP's header has 8 octets, TCP's 20 to 60",
                    "UDP 首部 8 字节，TCP 首部 20 至 60 字节",
                ),
                (r"udp:? 8\b", r"\b8[- ](octets|bytes?)", r"has 8", r"8 ?(个)?字节"),
            ),
            Idea(
                Text("only TCP has flow and congestion control", "只有 TCP 有流量控制和拥塞控制"),
                (r"congestion", r"flow control", r"拥塞", r"流量控制"),
            ),
        ),
        wrong=(
            Idea(
                Text("UDP acknowledges its datagrams", "UDP 会确认收到的数据报"),
                (r"udp (also )?acknowledges", r"udp ?(也)?会确认"),
            ),
            Idea(
                Text("UDP begins with a handshake", "UDP 也要先握手"),
                (r"udp (begins with|needs|has) a handshake", r"udp ?(也要|需要|也有)(先)?握手"),
            ),
        ),
        guess=Guess(
            Text(
                "How many packets does UDP send before its first octet of data?",
                "UDP 在发送第一个数据字节之前，会先发送几个包？",
            ),
            (
                Text("three, as TCP does", "三个，与 TCP 一样"),
                Text("one", "一个"),
                Text("none", "一个也没有"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the wire lane of both runs, ARP aside.", "看两次运行的线路一栏，ARP 不计。"
            ),
            Text(
                "Compare which frames carry data and which do not.",
                "比较哪些帧带数据，哪些不带。",
            ),
        ),
        then=("UD02", "UD07"),
        sources=("RFC 768", "RFC 9293 section 2.2", "RFC 8085 section 3"),
    ),
    Question(
        id="UD02",
        asks=Text(
            "Why does UDP keep message boundaries and TCP not?",
            "为什么 UDP 面向报文、TCP 面向字节流？",
        ),
        answer=Text(
            "One sendto() is one datagram and one recvfrom(): the boundary travels in the packet. "
            "TCP only numbers octets; it may merge or cut what send() was given. "
            "The receiver gets them in order, but must find the ends of messages itself.",
            "UDP 一次 sendto() 就是一个数据报，对应一次 recvfrom()，边界随报文一起传送。"
            "TCP 只给字节编号，可以任意合并或拆分 send() 的数据；字节有序，但消息边界要由应用自己划分。",
        ),
        kind=Kind.COMPARE,
        level=1,
        interview="high",
        core=True,
        runs=("stream_coalesce", "stream_coalesce:udp"),
        prove=boundaries,
        values=(
            Ask(
                "tcp_segments",
                Text("TCP: segments that carry data", "TCP：带数据的报文段数"),
                Unit.COUNT,
            ),
            Ask(
                "tcp_reads",
                Text(
                    "TCP: recv() of the server that return data",
                    "TCP：服务器读到数据的 recv() 次数",
                ),
                Unit.COUNT,
            ),
            Ask("udp_frames", Text("UDP: datagrams", "UDP：数据报个数"), Unit.COUNT),
            Ask(
                "udp_reads",
                Text(
                    "UDP: recvfrom() of the server that return data",
                    "UDP：服务器读到数据的 recvfrom() 次数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "UDP: one sendto() is one datagram and one recvfrom()",
                    "UDP：一次 sendto() 对应一个数据报和一次 recvfrom()",
                ),
                (
                    r"one (sendto|send|datagram).*one",
                    r"一次 ?sendto.*一(个|次)",
                    r"一个(数据报|报文).*一次",
                ),
            ),
            Idea(
                Text("TCP numbers octets, not messages", "TCP 给字节编号，而不是给消息编号"),
                (r"numbers (only )?(octets|bytes)", r"字节编号", r"按字节编"),
            ),
            Idea(
                Text("TCP may merge or cut what was sent", "TCP 可以合并或拆分所发送的数据"),
                (r"merge|cut|split|coalesce", r"合并|拆分|粘"),
            ),
        ),
        wrong=(
            Idea(
                Text("each send() becomes one segment", "每次 send() 对应一个报文段"),
                (
                    r"(each|every) send(\(\))? (becomes|is) one segment",
                    r"每次 ?send(\(\))? ?对应一个",
                ),
            ),
            Idea(
                Text("PSH marks the end of a message", "PSH 标记消息的结束"),
                (r"psh marks the (end|boundary)", r"psh ?(标记|表示)(消息|报文)"),
            ),
        ),
        guess=Guess(
            Text(
                "A client sends five messages of 5 octets. How many recv(1024) read them, when the server reads late?",
                "客户端发送五条各 5 字节的消息。服务器晚些才读，要几次 recv(1024)？",
            ),
            (
                Text("five over TCP and over UDP", "TCP 和 UDP 都是五次"),
                Text("one over TCP, five over UDP", "TCP 一次，UDP 五次"),
                Text("one over TCP and over UDP", "TCP 和 UDP 都是一次"),
            ),
            1,
        ),
        hints=(
            Text("Look at the server's reading calls.", "看服务器的读取调用。"),
            Text(
                "Compare the number of sends, of frames with data, and of reads, in both runs.",
                "在两次运行中，比较发送次数、带数据的帧数和读取次数。",
            ),
        ),
        then=("BS01", "UD03"),
        sources=("RFC 768", "RFC 9293 section 2.2", "recv(2)"),
    ),
    Question(
        id="UD03",
        asks=Text(
            "What happens when recv is given a buffer smaller than the datagram?",
            "接收缓冲小于数据报会怎样？",
        ),
        answer=Text(
            "The call returns what fits; the rest is discarded, without an error. "
            "The next call gets the next datagram. recvmsg() tells of it by the flag MSG_TRUNC.",
            "调用只返回放得下的部分，其余的被丢弃，而且不报错。下一次调用得到的是下一个数据报。"
            "recvmsg() 会以 MSG_TRUNC 标志告知。",
        ),
        kind=Kind.PREDICT,
        level=1,
        interview="medium",
        runs=("udp_truncation",),
        prove=small_buffer,
        values=(
            Ask("sent", Text("Octets of the first datagram", "第一个数据报的字节数"), Unit.OCTETS),
            Ask(
                "got",
                Text("Octets that the first recvfrom() returned", "第一次 recvfrom() 返回的字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "second",
                Text(
                    "Frame of the datagram that the second recvfrom() read, in the client's capture",
                    "第二次 recvfrom() 读到的数据报的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the rest is discarded", "其余部分被丢弃"),
                (r"discarded|thrown away|is lost|dropped", r"丢弃|丢失"),
            ),
            Idea(
                Text("the next call gets the next datagram", "下一次调用得到下一个数据报"),
                (r"next (datagram|message|packet)", r"下一个(数据报|报文)"),
            ),
            Idea(
                Text("MSG_TRUNC tells of it", "MSG_TRUNC 会告知截断"),
                (r"msg_trunc",),
            ),
        ),
        wrong=(
            Idea(
                Text("the next recv returns the rest", "剩余部分下次还能读到"),
                (
                    r"(next|later|second) (recv|call|read)\S* (returns|gets|reads) the rest",
                    r"剩(余|下)的?(部分|数据)?下(一)?次(还能|可以|再)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "Ten octets arrive, and recvfrom(4) reads four. What does the next recvfrom(4) return?",
                "到达 10 字节，recvfrom(4) 读了四个。下一次 recvfrom(4) 返回什么？",
            ),
            (
                Text("the next four octets of the same datagram", "同一数据报接下来的四个字节"),
                Text("an error", "一个错误"),
                Text("the start of the next datagram", "下一个数据报的开头"),
            ),
            2,
        ),
        hints=(
            Text("Look at the server's calls and their results.", "看服务器的调用及其结果。"),
            Text(
                "Compare the octets that each call returned with the payload of each datagram.",
                "把每次调用返回的字节与各个数据报的净荷相比较。",
            ),
        ),
        claim=Text("The rest comes with the next recv", "剩余部分下次还能读到"),
        truth=Text(
            "That is what TCP does; of a datagram the rest is gone",
            "那是 TCP 的行为；数据报中没读到的部分就此丢弃",
        ),
        then=("UD04",),
        sources=("recv(2) MSG_TRUNC", "udp(7)"),
    ),
    Question(
        id="UD09",
        asks=Text(
            "Can TCP and UDP use the same port at once?", "TCP 和 UDP 可以使用同一个端口吗？"
        ),
        answer=Text(
            "Yes. IP's protocol number (6 for TCP, 17 for UDP) selects the protocol first. "
            "Each has a port space of its own, so a bind() of one never clashes with the other.",
            "可以。IP 首部的协议号（TCP 为 6，UDP 为 17）先区分协议，"
            "两者的端口空间相互独立，因此 bind() 互不冲突。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="medium",
        core=True,
        runs=("open_simultaneous",),
        prove=same_port_number,
        values=(
            Ask(
                "udp",
                Text("Frame of a datagram to that port", "发往该端口的数据报的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "tcp",
                Text("Frame of a segment to that port", "发往该端口的报文段的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "port",
                Text("The server's port that both go to", "两者所发往的服务器端口"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("IP's protocol number selects the protocol", "IP 的协议号区分协议"),
                (r"protocol (number|field)", r"协议(号|字段)"),
            ),
            Idea(
                Text("each protocol has its own port space", "两者的端口空间相互独立"),
                (
                    r"port (space|number)s? of (its|their) own",
                    r"own port",
                    r"(separate|independent) port",
                    r"相互独立|各自独立|互不(冲突|影响)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the second bind fails with EADDRINUSE", "第二次 bind 会以 EADDRINUSE 失败"),
                (r"eaddrinuse", r"bind(\(\))? ?(会)?失败"),
            ),
        ),
        guess=Guess(
            Text(
                "A program binds one port for UDP, then for TCP. What does the second bind() say?",
                "程序先为 UDP、再为 TCP 绑定同一端口。第二次 bind() 的结果是什么？",
            ),
            (
                Text("it succeeds", "成功"),
                Text("EADDRINUSE", "EADDRINUSE"),
                Text("it succeeds only with SO_REUSEADDR", "设置 SO_REUSEADDR 才成功"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the server's bind() calls and the first frames to its port.",
                "看服务器的 bind() 调用，以及最先发往其端口的帧。",
            ),
            Text(
                "Compare the protocol field in the IP headers of both frames.",
                "比较两帧 IP 首部中的协议字段。",
            ),
        ),
        then=("SK01",),
        sources=("RFC 9293 section 3.1", "RFC 6335 section 3", "RFC 768"),
    ),
)
