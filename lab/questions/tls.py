"""TLS on TCP: round trips, what an observer still reads, how a session ends."""

from __future__ import annotations

from itertools import groupby, takewhile

from msgspec import Struct

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Missing, Proof, Question, Slip, Unit
from lab.questions.pieces import Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

NEW, OLD = "tls13_handshake", "tls13_handshake:tls12"
HEADER = 5  # octets before each record (RFC 8446 section 5.1)
ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23
NAME = b"greeting.example"
REQUEST = b"what is the secret?"
TAG, INNER_TYPE = 16, 1  # octets that TLS 1.3 adds to what it encrypts
HELLO = Ask(
    "hello", Text("TLS 1.3: frame of the ClientHello", "TLS 1.3：ClientHello 的帧号"), Unit.FRAME
)


class Record(Struct, frozen=True):
    """One TLS record; in clear is only its header."""

    sender: str  # "C" or "S"
    kind: int
    body: bytes
    begin: int  # relative sequence number of its header
    segment: Segment  # in which it begins

    @property
    def end(self) -> int:
        """The sequence number behind it."""
        return self.begin + HEADER + len(self.body)


def records(run: Run, sender: str) -> tuple[Record, ...]:
    """The records that one side sent, in order; raises Missing if there is none."""
    octets, carriers = stream(run, sender)
    found, at = [], 0
    while at + HEADER <= len(octets):
        end = at + HEADER + int.from_bytes(octets[at + 3 : at + HEADER])
        found.append(Record(sender, octets[at], octets[at + HEADER : end], at + 1, carriers[at]))
        at = end
    if not found:
        raise Missing(Text("no TLS record of {s}", "没有 {s} 的 TLS 记录").fill(s=sender))
    return tuple(found)


def stream(run: Run, sender: str) -> tuple[bytes, list[Segment]]:
    """All octets of one side, each once, and for each the segment that carried it."""
    octets, carriers = b"", list[Segment]()
    for one in run.data(sender):
        if one.seq == len(octets) + 1 and not (one.lost or one.forged):
            octets += one.frame.payload
            carriers += [one] * one.length
    return octets, carriers


def flights(run: Run) -> list[list[Record]]:
    """The records up to the client's first that is encrypted data, by who speaks in turn."""
    both = sorted((*records(run, "C"), *records(run, "S")), key=lambda one: one.segment.time)
    handshake = takewhile(lambda one: (one.sender, one.kind) != ("C", APPLICATION_DATA), both)
    return [list(group) for _, group in groupby(handshake, key=lambda one: one.sender)]


def server_flights(run: Run) -> list[list[Record]]:
    """Those of the server; raises Missing if there is none."""
    found = [flight for flight in flights(run) if flight[0].sender == "S"]
    if not found:
        raise Missing(Text("no flight of the server", "没有服务器的应答"))
    return found


def data_records(run: Run) -> tuple[Record, ...]:
    """The client's encrypted records; in TLS 1.3 the first of them is its Finished."""
    return tuple(one for one in records(run, "C") if one.kind == APPLICATION_DATA)


def at(whole: tuple[Record, ...], index: int) -> Record:
    """One of these; Missing where there are too few."""
    if not -len(whole) <= index < len(whole):
        raise Missing(Text("too few TLS records", "TLS 记录太少"))
    return whole[index]


def round_trips(runs: Runs) -> Proof:
    """TCP first; then one round trip of TLS 1.3, two of TLS 1.2."""
    new, old = runs[NEW], runs[OLD]
    _, synack, ack = new.opening()
    hello = records(new, "C")[0]
    finished, request = at(data_records(new), 0), at(data_records(new), 1)
    once, twice = server_flights(new), server_flights(old)
    shown = [flight[0].segment for flight in once]
    old_data = at(data_records(old), 0)
    waited = [flight[0].segment for flight in twice]
    return Proof(
        (
            claim(
                hello.kind == HANDSHAKE
                and hello.begin == 1
                and hello.segment.time > ack.time > synack.time,
                Text(
                    "the ClientHello, frame {hello}, comes after TCP's third segment, frame {ack}",
                    "ClientHello（帧 {hello}）在 TCP 的第三个报文段（帧 {ack}）之后",
                ).fill(hello=hello.segment.number, ack=ack.number),
                synack,
                ack,
                hello.segment,
            ),
            claim(
                len(once) == 1 and hello.segment.time < shown[0].time < finished.segment.time,
                Text(
                    "TLS 1.3: the client's Finished waits for {n} flight of the server: {n} round trip",
                    "TLS 1.3：客户端的 Finished 只等服务器的 {n} 轮应答：{n} 个往返",
                ).fill(n=len(once)),
                hello.segment,
                *shown,
                finished.segment,
            ),
            claim(
                request.begin == finished.end and request.segment.time >= finished.segment.time,
                Text(
                    "the request begins at seq {seq}, right behind the Finished",
                    "请求从 seq {seq} 开始，紧接在 Finished 之后",
                ).fill(seq=request.begin),
                finished.segment,
                request.segment,
            ),
            claim(
                len(twice) == len(once) + 1 and waited[-1].time < old_data.segment.time,
                Text(
                    "TLS 1.2: data waits for {n} flights; with TCP that is 1 + {n} = {sum} round trips, "
                    "against 1 + {m} = {less}",
                    "TLS 1.2：数据要等 {n} 轮应答；连同 TCP 共 1 + {n} = {sum} 个往返，"
                    "而 TLS 1.3 为 1 + {m} = {less}",
                ).fill(n=len(twice), sum=1 + len(twice), m=len(once), less=1 + len(once)),
                *waited,
                old_data.segment,
            ),
        ),
        {
            "hello": rights.frame(hello.segment),
            "data": rights.frame(request.segment),
            "last": rights.frame(waited[-1], *(one.segment for one in twice[-1][1:])),
        },
    )


def what_is_left_to_see(runs: Runs) -> Proof:
    """The name in the ClientHello, sizes; no content; the certificate in TLS 1.2 only."""
    new, old = runs[NEW], runs[OLD]
    hello = records(new, "C")[0].segment
    request = at(data_records(new), 1)
    offset = hello.frame.payload.find(NAME)
    octets, _ = stream(new, "S")
    shown, carriers = stream(old, "S")
    place = shown.find(NAME)
    if place < 0:
        raise Missing(Text("no certificate in clear", "没有明文证书"))
    size = len(request.body) - TAG - INNER_TYPE
    headers = hello.frame.length - hello.frame.payload_length
    return Proof(
        (
            claim(
                offset > 0,
                Text(
                    "the server's name {name} is readable at octet {offset} of the ClientHello's segment",
                    "服务器名 {name} 在 ClientHello 报文段数据的第 {offset} 字节处可读",
                ).fill(name=NAME.decode(), offset=offset),
                hello,
            ),
            claim(
                size == len(REQUEST) and REQUEST not in stream(new, "C")[0],
                Text(
                    "the request is not readable, but its size is: a record of {all} octets "
                    "less {tag} and {type} is {n}",
                    "请求读不到，长度却看得出：记录 {all} 字节减去 {tag} 再减去 {type}，等于 {n}",
                ).fill(all=len(request.body), tag=TAG, type=INNER_TYPE, n=size),
                request.segment,
            ),
            claim(
                len(octets) > len(NAME) and NAME not in octets and place >= 0,
                Text(
                    "the certificate's name is in none of the {n} octets of the TLS 1.3 server; "
                    "in TLS 1.2 frame {frame} shows it",
                    "TLS 1.3 服务器发出的 {n} 字节中找不到证书里的名字；TLS 1.2 中帧 {frame} 就能看到",
                ).fill(n=len(octets), frame=carriers[place].number),
                carriers[place],
                records(new, "S")[0].segment,
            ),
        ),
        {
            "hello": rights.frame(hello),
            "offset": rights.count(offset, hello, slips=((Slip.HEADERS, offset + headers),)),
            "certificate": rights.frame(carriers[place]),
        },
    )


def two_farewells(runs: Runs) -> Proof:
    """close_notify ends the data, FIN the connection."""
    new, old = runs[NEW], runs[OLD]
    ours, theirs = records(new, "C")[-1], records(new, "S")[-1]
    our_fin, their_fin = (
        new.first(f"{way} FIN,ACK", where=lambda one: not one.length) for way in ("C>S", "S>C")
    )
    plain = records(old, "C")[-1]
    sizes = {"n": ours.end - ours.begin, "seq": ours.end, "frame": ours.segment.number}
    return Proof(
        (
            claim(
                ours.end == our_fin.seq and ours.segment.time < our_fin.time,
                Text(
                    "the client's last record, {n} octets in frame {frame}, ends at seq {seq}; "
                    "its FIN has seq {seq}",
                    "客户端最后一条记录（{n} 字节，帧 {frame}）止于 seq {seq}；其 FIN 的 seq 正是 {seq}",
                ).fill(**sizes),
                ours.segment,
                our_fin,
            ),
            claim(
                theirs.end == their_fin.seq
                and theirs.segment.time < their_fin.time
                and len(theirs.body) == len(ours.body),
                Text(
                    "the server's ends the same way: {n} octets, then FIN at seq {seq}",
                    "服务器也一样：{n} 字节，随后是 seq {seq} 的 FIN",
                ).fill(n=theirs.end - theirs.begin, seq=their_fin.seq),
                theirs.segment,
                their_fin,
            ),
            claim(
                (ours.kind, len(ours.body)) == (APPLICATION_DATA, 2 + INNER_TYPE + TAG)
                and plain.kind == ALERT,
                Text(
                    "it is an alert of 2 octets, encrypted: 5 + 2 + {type} + {tag} = {n}; "
                    "TLS 1.2 shows its type in clear, {kind}",
                    "这是加密的 2 字节告警：5 + 2 + {type} + {tag} = {n}；TLS 1.2 则明文显示类型 {kind}",
                ).fill(type=INNER_TYPE, tag=TAG, n=ours.end - ours.begin, kind=plain.kind),
                ours.segment,
                plain.segment,
            ),
        ),
        {
            "alert": rights.frame(ours.segment),
            "fin": rights.frame(our_fin),
            "size": rights.octets(ours.end - ours.begin, ours.segment),
        },
    )


QUESTIONS = (
    Question(
        id="TL01",
        asks=Text(
            "In what order do the TCP and TLS handshakes run, and how many round trips pass before data?",
            "TCP 握手和 TLS 握手的先后次序如何？发送数据之前要几个往返？",
        ),
        answer=Text(
            "TCP first, one round trip; then TLS 1.3, one more. Data goes with the client's Finished or "
            "after it. TLS 1.2 takes two round trips of its own.",
            "先 TCP，1 个往返；再 TLS 1.3，1 个往返，应用数据随客户端的 Finished 或在其后发送。"
            "TLS 1.2 自身就要 2 个往返。",
        ),
        kind=Kind.LOCATE,
        level=2,
        interview="high",
        core=True,
        runs=(NEW, OLD),
        prove=round_trips,
        values=(
            HELLO,
            Ask(
                "data",
                Text(
                    "TLS 1.3: frame of the client's request, the record after its Finished",
                    "TLS 1.3：客户端请求（Finished 之后的那条记录）的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "last",
                Text(
                    "TLS 1.2: frame of the server's last flight before the request",
                    "TLS 1.2：请求之前服务器最后一轮应答的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("TCP first, then TLS", "先 TCP，再 TLS"),
                (r"tcp[^.]*first", r"first tcp", r"tcp.*then tls", r"先 ?tcp"),
            ),
            Idea(
                Text("TLS 1.3 takes one round trip", "TLS 1.3 要 1 个往返"),
                (
                    r"tls 1\.3[^.]*(one|1[ -]?rtt|1 round)",
                    r"tls 1\.3[^.]*(1 ?个往返|一个往返|1[ -]?rtt)",
                ),
            ),
            Idea(
                Text(
                    "data goes with the client's Finished or after it",
                    "数据随客户端的 Finished 或在其后发送",
                ),
                (r"data[^.]*finished", r"数据[^.]*finished"),
            ),
            Idea(
                Text("TLS 1.2 takes two round trips", "TLS 1.2 要 2 个往返"),
                (
                    r"tls 1\.2[^.]*(two|2[ -]?rtt|2 round)",
                    r"tls 1\.2[^.]*(2 ?个往返|两个往返|2[ -]?rtt)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("TLS runs before the TCP handshake", "TLS 在 TCP 握手之前进行"),
                (r"tls[^.;]*before[^.;]*tcp", r"tls ?在 ?tcp ?握手之前", r"先 ?tls"),
            ),
            Idea(
                Text("the TLS handshake is TCP's third segment", "TLS 握手就是 TCP 的第三次握手"),
                (r"tls handshake is (the )?tcp", r"tls ?握手就是 ?tcp"),
            ),
        ),
        guess=Guess(
            Text(
                "From the SYN on: how many round trips until a TLS 1.3 client may send its request?",
                "从 SYN 算起，TLS 1.3 客户端要几个往返才能发出请求？",
            ),
            (Text("one", "一个"), Text("two", "两个"), Text("three", "三个")),
            1,
        ),
        hints=(
            Text(
                "Find the first segment with data after the handshake, and who sends the next one.",
                "找到握手之后第一个带数据的报文段，看下一个由谁发出。",
            ),
            Text(
                "Count in both runs how often the client waits for the server before its request.",
                "数一数两次运行中，客户端在发出请求之前等待服务器几次。",
            ),
        ),
        then=("TL02", "TL03"),
        sources=("RFC 8446 section 2", "RFC 5246 section 7.3"),
    ),
    Question(
        id="TL02",
        asks=Text("What can an observer still see with TLS 1.3?", "TLS 1.3 下旁观者还能看到什么？"),
        answer=Text(
            "Addresses, ports, sizes and timing, and the server's name in the ClientHello. "
            "The content is hidden, and so is the certificate, which TLS 1.2 sent in clear.",
            "地址、端口、长度与时间，以及 ClientHello 中的服务器名。内容看不到，证书也看不到；"
            "TLS 1.2 的证书则是明文。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=(NEW, OLD),
        prove=what_is_left_to_see,
        values=(
            HELLO,
            Ask(
                "offset",
                Text(
                    "TLS 1.3: offset of the server's name in that segment's data (first octet: 0)",
                    "TLS 1.3：服务器名在该报文段数据中的偏移（首字节为 0）",
                ),
                Unit.COUNT,
            ),
            Ask(
                "certificate",
                Text(
                    "TLS 1.2: frame in which the certificate can be read",
                    "TLS 1.2：可以读到证书的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("addresses and ports", "地址与端口"),
                (r"address", r"\bport", r"地址", r"端口"),
            ),
            Idea(
                Text("sizes and timing", "长度与时间"),
                (r"size", r"length", r"timing", r"长度", r"大小", r"时间"),
            ),
            Idea(
                Text("the server's name in the ClientHello", "ClientHello 中的服务器名"),
                (r"server'?s? name", r"\bsni\b", r"服务器名", r"主机名|域名"),
            ),
            Idea(
                Text("not the certificate: it is hidden", "证书看不到"),
                (
                    r"(hidden|not|no|encrypted)[^.]*certificate",
                    r"certificate[^.]*(hidden|encrypted|not)",
                    r"证书[^.;]*(看不到|读不到|加密)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("nothing can be seen, all is encrypted", "什么都看不到，全部加密"),
                (r"nothing (can|could) be seen", r"什么都看不到"),
            ),
        ),
        guess=Guess(
            Text(
                "Which of these can be read on the wire with TLS 1.3?",
                "使用 TLS 1.3 时，下列哪一项在网络上可以读到？",
            ),
            (
                Text("the server's certificate", "服务器的证书"),
                Text("the request", "请求的内容"),
                Text("the server's name", "服务器的名字"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the octets of the first segment with data.",
                "看第一个带数据的报文段的字节。",
            ),
            Text(
                "Compare the server's first flight in the two runs: which can you read?",
                "比较两次运行中服务器的第一轮应答：哪一个读得懂？",
            ),
        ),
        then=("TL01",),
        sources=("RFC 8446 section 4.4", "RFC 6066 section 3"),
    ),
    Question(
        id="TL03",
        asks=Text(
            "Why does a TLS close differ from a TCP close?", "TLS 的关闭与 TCP 的关闭有何不同？"
        ),
        answer=Text(
            "TLS sends close_notify, an encrypted alert, before the FIN; it proves that the end was "
            "intended. A bare FIN is not authenticated: it may be truncation by somebody else.",
            "TLS 在 FIN 之前发送 close_notify，这是一条加密的告警，证明结束是有意的。"
            "单独的 FIN 没有经过认证，可能是被人截断。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="low",
        runs=(NEW, OLD),
        prove=two_farewells,
        values=(
            Ask(
                "alert",
                Text(
                    "TLS 1.3: frame of the client's close_notify",
                    "TLS 1.3：客户端 close_notify 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "fin",
                Text("TLS 1.3: frame of the client's FIN", "TLS 1.3：客户端 FIN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "size",
                Text(
                    "TLS 1.3: octets of the close_notify record, its header included",
                    "TLS 1.3：close_notify 记录的字节数（含记录头）",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("close_notify comes before the FIN", "close_notify 在 FIN 之前"),
                (r"close[_ -]?notify", r"关闭通知"),
            ),
            Idea(
                Text("it is an encrypted alert", "它是一条加密的告警"),
                (r"encrypted alert", r"alert[^.]*encrypted", r"加密的?(告警|警报|alert)"),
            ),
            Idea(
                Text("a bare FIN may be truncation", "单独的 FIN 可能是截断"),
                (r"truncat", r"cut (it )?short", r"截断"),
            ),
        ),
        wrong=(
            Idea(
                Text("a FIN alone ends a TLS session safely", "只有 FIN 也能安全地结束 TLS 会话"),
                (r"fin alone ends", r"只有 ?fin ?也能"),
            ),
            Idea(
                Text("TLS closes without a FIN", "TLS 关闭时不发 FIN"),
                (r"without (a |any )?fin", r"不(用|发|需要) ?fin"),
            ),
        ),
        guess=Guess(
            Text(
                "What is the client's last segment with data?",
                "客户端最后一个带数据的报文段是什么？",
            ),
            (
                Text("its request", "它的请求"),
                Text("a record of 24 octets", "一条 24 字节的记录"),
                Text("a record in clear", "一条明文记录"),
            ),
            1,
        ),
        hints=(
            Text("Look at the segment just before each FIN.", "看每个 FIN 之前的那个报文段。"),
            Text(
                "Compare the record type of that segment in the two runs.",
                "比较两次运行中该报文段的记录类型。",
            ),
        ),
        then=("TL01",),
        sources=("RFC 8446 section 6.1",),
    ),
)
