"""Data and the handshake: which segments may carry them, and how soon they may leave."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Segment
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.text import Text
from lab.units import short_span

SYN_RECEIVED = "03"  # the first octet of struct tcp_info, in hex (linux/tcp_states.h)


def data_in_the_handshake(runs: Runs) -> Proof:
    """The third segment carries data; a Fast Open SYN does, and they are delivered at once."""
    plain, fast = runs["third_ack_with_data"], runs["tcp_fast_open"]
    syn, synack, third = plain.opening()
    visit = fast.first("C>S SYN", stream=1)
    answer = fast.first("S>C SYN,ACK", stream=1, after=visit)
    arrived = fast.first("C>S ACK", stream=1)
    read = fast.call("server", "recv", 2)  # the request, the end of it, the second request
    state = fast.call("server", "getsockopt", 1)
    return Proof(
        (
            claim(
                third.length > 0 and third.absolute_ack == synack.absolute_end,
                Text(
                    "the third segment, #{n}, carries {octets} octets and acknowledges the server's ISN: "
                    "ack {ack} = {y} + 1",
                    "第三个报文段 #{n} 携带 {octets} 字节，同时确认服务器的 ISN：ack {ack} = {y} + 1",
                ).fill(
                    n=third.number,
                    octets=third.length,
                    ack=third.absolute_ack,
                    y=synack.absolute,
                ),
                synack,
                third,
            ),
            claim(
                third.absolute == syn.absolute_end,
                Text(
                    "its first octet is number {seq} = {x} + 1, right behind the SYN",
                    "其首字节的序号是 {seq} = {x} + 1，紧接在 SYN 之后",
                ).fill(seq=third.absolute, x=syn.absolute),
                syn,
                third,
            ),
            claim(
                visit.length > 0 and answer.absolute_ack == visit.absolute_end,
                Text(
                    "Fast Open: SYN #{n} carries {octets} octets, and SYN,ACK #{m} acknowledges both: "
                    "{ack} = {x} + 1 + {octets}",
                    "Fast Open：SYN #{n} 携带 {octets} 字节，SYN,ACK #{m} 一并确认：{ack} = {x} + 1 + {octets}",
                ).fill(
                    n=visit.number,
                    m=answer.number,
                    octets=visit.length,
                    ack=answer.absolute_ack,
                    x=visit.absolute,
                ),
                visit,
                answer,
            ),
            claim(
                read.call.octets == visit.length
                and read.after < arrived.time
                and state.call.result == SYN_RECEIVED,
                Text(
                    "the server's program has read them {early} before any ACK of the client's "
                    "gets through, in SYN-RECEIVED",
                    "服务器程序在 SYN-RECEIVED 状态就读到了它们，比客户端的任何 ACK 送达都早 {early}",
                ).fill(early=short_span(arrived.time - read.after)),
                read,
                state,
                arrived,
            ),
        ),
        {
            "third": rights.frame(third),
            "octets": rights.octets(third.length, third),
            "ack": rights.sequence(answer, ack=True),
        },
    )


def fast_open(runs: Runs) -> Proof:
    """A cookie at the first visit; at the second the request is in the SYN."""
    run = runs["tcp_fast_open"]
    asked, given, request = run.opening(0)
    shown = run.first("C>S SYN", stream=1)
    answer = run.first("S>C SYN,ACK", stream=1, after=shown)
    reply = run.first("S>C PSH,ACK", stream=1)
    arrived = run.first("C>S ACK", stream=1)
    replied = run.call("server", "sendall", 1)
    cookie = _cookie(given)
    return Proof(
        (
            claim(
                _cookie(asked) == b"" and bool(cookie),
                Text(
                    "first visit: SYN #{n} has option 34 without a cookie, SYN,ACK #{m} brings {cookie}",
                    "首次访问：SYN #{n} 的选项 34 不带 cookie，SYN,ACK #{m} 带回 {cookie}",
                ).fill(n=asked.number, m=given.number, cookie=_hex(cookie)),
                asked,
                given,
            ),
            claim(
                bool(cookie) and _cookie(shown) == cookie and shown.length == request.length > 0,
                Text(
                    "second visit: SYN #{n} shows the same cookie and already has the {octets} octets "
                    "that at first had to wait for #{m}",
                    "再次访问：SYN #{n} 出示同一个 cookie，并已带上 {octets} 字节，而首次要等到 #{m}",
                ).fill(n=shown.number, octets=shown.length, m=request.number),
                given,
                request,
                shown,
            ),
            claim(
                answer.absolute_ack == shown.absolute_end,
                Text(
                    "SYN,ACK #{n} acknowledges {ack} = {x} + 1 + {octets}: the SYN and its data",
                    "SYN,ACK #{n} 确认 {ack} = {x} + 1 + {octets}：SYN 及其数据",
                ).fill(
                    n=answer.number, ack=answer.absolute_ack, x=shown.absolute, octets=shown.length
                ),
                shown,
                answer,
            ),
            claim(
                replied.before < arrived.time and reply.time < arrived.time,
                Text(
                    "the server has replied, #{n}, before any ACK of the client's gets through, #{m}: "
                    "one round trip is saved",
                    "服务器的回复 #{n} 早于客户端送达的第一个 ACK #{m}：节省一个往返",
                ).fill(n=reply.number, m=arrived.number),
                replied,
                reply,
                arrived,
            ),
        ),
        {
            "cookie": rights.name(_hex(cookie), given, shown),
            "synack": rights.frame(answer),
            "ack": rights.sequence(answer, ack=True),
        },
    )


def _cookie(one: Segment) -> bytes | None:
    """Option 34 of a segment: b"" asks for a cookie, None: it has no such option."""
    tcp = one.frame.tcp
    return tcp.options.fast_open if tcp else None


def _hex(cookie: bytes | None) -> str:
    return (cookie or b"").hex()


def one_round_trip(runs: Runs) -> Proof:
    """connect() returns with the SYN,ACK; the request leaves then."""
    run = runs["slow_start"]
    syn, synack, ack = run.opening()
    data = run.first("C>S [PSH],ACK", where=lambda one: one.length > 0)
    connect = run.call("client", "connect")
    trip, lasted = synack.time - syn.time, connect.lasted
    there = run.arrival(data) or 0
    return Proof(
        (
            claim(
                connect.before < syn.time < synack.time < connect.after and lasted < 2 * trip,
                Text(
                    "connect() blocks for {lasted}; from SYN #{a} to SYN,ACK #{b} it is {trip}: "
                    "{share:.2f} round trips",
                    "connect() 阻塞 {lasted}；从 SYN #{a} 到 SYN,ACK #{b} 为 {trip}：{share:.2f} 个往返",
                ).fill(
                    lasted=short_span(lasted),
                    a=syn.number,
                    b=synack.number,
                    trip=short_span(trip),
                    share=lasted / trip,
                ),
                connect,
                syn,
                synack,
            ),
            claim(
                ack.time < data.time < synack.time + trip,
                Text(
                    "the third segment, #{a}, and the first data, #{b}, leave {wait} after the SYN,ACK: "
                    "nothing more is waited for",
                    "第三个报文段 #{a} 与首段数据 #{b} 在 SYN,ACK 之后 {wait} 就发出，无须再等",
                ).fill(a=ack.number, b=data.number, wait=short_span(data.time - synack.time)),
                synack,
                ack,
                data,
            ),
            claim(
                1.25 * trip < there - syn.time < 2.5 * trip,
                Text(
                    "the first data reach the server's port {span} after the SYN left: "
                    "{share:.2f} round trips",
                    "首段数据在 SYN 发出 {span} 后到达服务器端口：{share:.2f} 个往返",
                ).fill(span=short_span(there - syn.time), share=(there - syn.time) / trip),
                syn,
                synack,
                data,
            ),
        ),
        {
            "lasted": rights.span(lasted, connect),
            "synack": rights.frame(synack),
            "data": rights.frame(data),
        },
    )


QUESTIONS = (
    Question(
        id="HS05",
        asks=Text("Can the handshake segments carry data?", "三次握手的过程中可以携带数据吗？"),
        answer=Text(
            "The third segment can, in ordinary TCP. A SYN may carry data too. But the receiver must "
            "not deliver them before the handshake is complete. With TCP Fast Open they are "
            "delivered at once.",
            "普通 TCP 中，第三个报文段就可以携带数据。SYN 也可以携带数据，"
            "但握手完成之前不得交付给应用。使用 TCP Fast Open 时才会立即交付。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        interview="high",
        core=True,
        runs=("third_ack_with_data", "tcp_fast_open"),
        prove=data_in_the_handshake,
        values=(
            Ask(
                "third",
                Text("Ordinary TCP: frame of the third segment", "普通 TCP：第三个报文段的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "octets",
                Text("Octets of data that it carries", "它携带的数据字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "ack",
                Text(
                    "Fast Open, second visit: ack that proves that the SYN's data were accepted",
                    "Fast Open 再次访问：证明 SYN 中数据已被接受的 ack",
                ),
                Unit.SEQUENCE,
            ),
        ),
        ideas=(
            Idea(
                Text("the third segment can carry data", "第三个报文段可以携带数据"),
                (
                    r"third[^.]{0,30} (can|may|carr)",
                    r"第三(个|次|段)[^.]{0,12}可以",
                ),
            ),
            Idea(
                Text(
                    "data of a SYN must not be delivered before the handshake is complete",
                    "SYN 中的数据在握手完成之前不得交付",
                ),
                (
                    r"not (be )?deliver[^.]{0,30}(before|until)",
                    r"(前|完成后)[^.]{0,8}(不得|不能|不可以?|才能)交付",
                ),
            ),
            Idea(
                Text("TCP Fast Open delivers them at once", "TCP Fast Open 立即交付"),
                (r"fast ?open", r"\btfo\b", r"快速打开"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the first two segments can never carry data",
                    "前两次握手绝不能携带数据",
                ),
                (
                    r"(never|cannot|can not|can't) carry data",
                    r"(前两(次|个|段)|syn)[^.]{0,8}(绝?不能|不可以|不允许)(携带|带)",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A Fast Open SYN carries 9 octets. What will the SYN,ACK acknowledge?",
                "Fast Open 的 SYN 携带 9 字节。SYN,ACK 会确认到哪里？",
            ),
            (
                Text("ISN + 1: the SYN alone", "ISN + 1：只确认 SYN"),
                Text("ISN + 9: the data alone", "ISN + 9：只确认数据"),
                Text("ISN + 10: both", "ISN + 10：两者都确认"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the length of each of the first three segments.",
                "看前三个报文段各自的长度。",
            ),
            Text(
                "Compare the ack of the SYN,ACK with the SYN's seq, plus 1, plus its length.",
                "把 SYN,ACK 的 ack 与 SYN 的 seq 加 1 再加其长度相比较。",
            ),
        ),
        claim=Text("The first two segments can never carry data", "前两次握手不能携带数据"),
        truth=Text(
            "RFC 9293 allows data in a SYN if they are not delivered early; with Fast Open the SYN,ACK "
            "acknowledges them",
            "RFC 9293 允许 SYN 携带数据，只是不得提前交付；使用 Fast Open 时，SYN,ACK 会确认这些数据",
        ),
        then=("HS14",),
        sources=("RFC 9293 section 3.5", "RFC 7413 section 2"),
    ),
    Question(
        id="HS14",
        asks=Text(
            "How does TCP Fast Open save a round trip?",
            "TCP Fast Open 如何节省一个往返？",
        ),
        answer=Text(
            "The first connection fetches a cookie. A later SYN carries the cookie and the data. "
            "The server may deliver them and reply before the handshake ends.",
            "首次连接取得 cookie。之后的 SYN 同时携带 cookie 与数据。"
            "服务器在握手结束之前就可以交付数据并作出应答。",
        ),
        kind=Kind.EXPLAIN,
        level=3,
        runs=("tcp_fast_open",),
        prove=fast_open,
        values=(
            Ask(
                "cookie",
                Text("The cookie, in hex", "cookie，以十六进制表示"),
                Unit.HEX,
            ),
            Ask(
                "synack",
                Text(
                    "Frame that acknowledges the data of a SYN",
                    "确认 SYN 中数据的帧",
                ),
                Unit.FRAME,
            ),
            Ask("ack", Text("Its acknowledgment number", "该帧的确认号"), Unit.SEQUENCE),
        ),
        ideas=(
            Idea(
                Text("the first connection fetches a cookie", "首次连接取得 cookie"),
                (r"first[^.]{0,40}cookie", r"首次[^.]{0,12}cookie", r"第一次[^.]{0,12}cookie"),
            ),
            Idea(
                Text(
                    "a later SYN carries cookie and data",
                    "之后的 SYN 携带 cookie 与数据",
                ),
                (r"syn[^.]{0,20}carr[^.]{0,30}data", r"syn[^.]{0,20}携带[^.]{0,16}数据"),
            ),
            Idea(
                Text(
                    "the server replies before the handshake ends",
                    "服务器在握手结束之前就应答",
                ),
                (
                    r"before the handshake (ends|is)",
                    r"before the (third|final)",
                    r"握手(结束|完成)(之)?前",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "the very first connection already saves a round trip",
                    "第一次连接就能节省往返",
                ),
                (
                    r"(very )?first connection (already )?saves",
                    r"(第一次|首次)连接就能?节省",
                ),
            ),
            Idea(
                Text("the third segment is no longer sent", "第三个报文段不再发送"),
                (
                    r"third (segment|ack) is (no longer|not) sent",
                    r"不(再|用)发送第三",
                    r"第三[^.]{0,8}不(再|用|必)发送",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The third segment of the second visit is lost. What becomes of the reply?",
                "再次访问时第三个报文段丢失。回复会怎样？",
            ),
            (
                Text("it waits for a repetition", "等待重传之后才发出"),
                Text("it is sent all the same", "照常发出"),
                Text("it never comes: RST", "不会发出，而是 RST"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at option 34 of both SYNs, and at the lengths.",
                "看两个 SYN 的选项 34，以及它们的长度。",
            ),
            Text(
                "Compare the ack of each SYN,ACK with the seq of its SYN.",
                "把每个 SYN,ACK 的 ack 与其 SYN 的 seq 相比较。",
            ),
        ),
        then=("HS15",),
        sources=("RFC 7413", "tcp(7) TCP_FASTOPEN"),
    ),
    Question(
        id="HS15",
        asks=Text(
            "How long does connect() block, in round trips?",
            "connect 阻塞多久（以往返时间计）？",
        ),
        answer=Text(
            "One round trip: it returns when the SYN,ACK arrives. The first data can leave at once, "
            "with the third segment or right behind it. So the request reaches the server 1.5 round "
            "trips after the start.",
            "一个往返：SYN,ACK 到达时 connect 就返回。首段数据可以立即发出，随第三个报文段或紧跟其后。"
            "因此请求在开始后 1.5 个往返到达服务器。",
        ),
        kind=Kind.COMPUTE,
        level=1,
        interview="medium",
        runs=("slow_start",),
        prove=one_round_trip,
        values=(
            Ask("lasted", Text("How long connect() blocks", "connect() 阻塞多久"), Unit.SPAN),
            Ask(
                "synack",
                Text("Frame that lets it return", "使它返回的帧"),
                Unit.FRAME,
            ),
            Ask(
                "data",
                Text("Frame of the client's first data", "客户端首段数据的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("one round trip", "一个往返"),
                (r"\b(one|1|a single) (round[- ]trip|rtt)", r"(一|1) ?个? ?(往返|rtt)"),
            ),
            Idea(
                Text(
                    "it returns when the SYN,ACK arrives",
                    "SYN,ACK 到达时返回",
                ),
                (
                    r"returns? (when|as soon as|once|with|on)[^.]{0,30}syn[ ,+/-]*ack",
                    r"syn[ ,+/-]*ack ?(到达|之?后|一到)",
                    r"收到 ?syn[ ,+/-]*ack",
                ),
            ),
            Idea(
                Text("data can leave at once", "数据可以立即发出"),
                (r"(data|request)[^.]{0,30}(at once|immediately)", r"(立即|马上|立刻)(发|送)"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "data may be sent only after 1.5 round trips",
                    "要 1.5 个往返之后才能发送数据",
                ),
                (
                    r"(sent|send|leave) (only )?after 1\.5",
                    r"1\.5 ?个?(往返|rtt)(之)?后才能?发",
                ),
            ),
            Idea(
                Text("connect() waits for accept()", "connect() 要等待 accept()"),
                (r"waits? for (the server's )?accept", r"要?等待?(服务器)?(的)? ?accept"),
            ),
        ),
        guess=Guess(
            Text(
                "The link delays each frame by 50 ms. How long will connect() block?",
                "链路使每一帧延迟 50 毫秒。connect() 会阻塞多久？",
            ),
            (
                Text("50 ms", "50 毫秒"),
                Text("100 ms", "100 毫秒"),
                Text("150 ms", "150 毫秒"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the client's call of connect(), and at the first three frames.",
                "看客户端的 connect() 调用，以及前三帧。",
            ),
            Text(
                "Compare the end of the call with the times of SYN,ACK and of the first data.",
                "把调用结束的时刻与 SYN,ACK 及首段数据的时刻相比较。",
            ),
        ),
        claim=Text(
            "The handshake costs 1.5 round trips before data may be sent",
            "三次握手要 1.5 个往返之后才能发数据",
        ),
        truth=Text(
            "connect() returns after one round trip, and the data leave then",
            "connect() 一个往返后就返回，数据随即发出",
        ),
        then=("HS14",),
        sources=("RFC 9293 section 3.5", "connect(2)"),
    ),
)
