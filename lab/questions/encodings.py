"""Characters and octets: the network carries octets, the ends must agree on what they mean."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.byte_stream import data_of, received, sizes
from lab.questions.pieces import Called
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.servers import first_data
from lab.text import Text

STRICT, MISREAD = "encoding_mismatch", "encoding_mismatch:utf8_as_gbk"


def fault(octets: bytes, encoding: str = "utf-8") -> int | None:
    """Where octets are no text of an encoding; None: they are."""
    try:
        octets.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def text(octets: bytes, encoding: str) -> str:
    """What octets say in an encoding, U+FFFD where they say nothing."""
    return octets.decode(encoding, "replace")


def carried(run: Run) -> tuple[bytes, bool]:
    """What the client's data segment carries, and whether it is just what was sent and received."""
    payload = first_data(run, "C", 0).frame.payload
    sent, got = data_of(run.calls("client", "sendall")), data_of(received(run, "server"))
    return payload, payload == sent == got


def report(run: Run) -> tuple[str, bool]:
    """Where the client's octets fail as UTF-8, and whether the server's answer says the same."""
    octets, reply = (first_data(run, end, 0).frame.payload for end in ("C", "S"))
    at = fault(octets)
    told = "-" if at is None else f"octet {octets[at]:#x} at {at}"
    return told, text(reply, "utf-8").startswith(told)


def wrong_decoder(runs: Runs) -> Proof:
    """GBK on the wire, UTF-8 in the server's head."""
    run = runs[STRICT]
    sent, reply = first_data(run, "C", 0), first_data(run, "S", 0)
    octets, intact = carried(run)
    calls = run.calls("client", "sendall")
    at, meant = fault(octets), text(octets, "gbk")
    told, reported = report(run)
    return Proof(
        (
            claim(
                intact,
                Text(
                    "{n} octets were sent, carried and received alike: {hex}",
                    "发出、传送、收到的是同样的 {n} 个字节：{hex}",
                ).fill(n=len(octets), hex=octets.hex(" ")),
                *calls,
                sent,
                *received(run, "server"),
            ),
            claim(
                len(octets) == 2 * len(meant) and meant == text(data_of(calls), "gbk"),
                Text(
                    'read as GBK they are "{meant}": {chars} characters of 2 octets = {n}',
                    "按 GBK 解码是 “{meant}”：{chars} 个字，每字 2 字节，共 {n} 字节",
                ).fill(meant=meant, chars=len(meant), n=len(octets)),
                *calls,
                sent,
            ),
            claim(
                reported,
                Text(
                    'read as UTF-8 they fail at octet {at}; the server says so: "{told}"',
                    "按 UTF-8 解码，在第 {at} 个字节（从 0 数起）出错；服务器报告：“{told}”",
                ).fill(at=at, told=told),
                sent,
                reply,
            ),
        ),
        {
            "payload": rights.payload(sent),
            "octets": rights.octets(len(octets), sent, characters=len(meant)),
            "offset": rights.count(at or 0, sent),
        },
    )


def cut_character(runs: Runs) -> Proof:
    """17 octets of UTF-8; and 24 that recv(10) cuts inside a character."""
    greeting, split = runs["tcp_lifecycle"], runs["multibyte_split"]
    hello = first_data(greeting, "C", 0)
    spoken, words = greeting.calls("client", "sendall"), text(hello.frame.payload, "utf-8")
    wide = sum(ord(one) > 127 for one in words)
    reads = received(split, "server")
    first, cut = _first_cut(split)
    said = [bytes.fromhex(one.call.data) for one in split.calls("server", "sendall")]
    sent = first_data(split, "C", 0)
    return Proof(
        (
            claim(
                3 * wide + len(words) - wide == hello.length
                and hello.frame.payload == data_of(spoken),
                Text(
                    '"{words}" is {chars} characters: {wide} x 3 + {ascii} x 1 = {n} octets of UTF-8',
                    "“{words}” 有 {chars} 个字符：{wide} × 3 + {ascii} × 1 = UTF-8 的 {n} 字节",
                ).fill(
                    words=words,
                    chars=len(words),
                    wide=wide,
                    ascii=len(words) - wide,
                    n=hello.length,
                ),
                *spoken,
                hello,
            ),
            claim(
                sum(sizes(reads)) == sent.length and bool(cut),
                Text(
                    "{total} octets are read as {sizes}; the first read ends with {cut}, part of a character",
                    "{total} 字节分 {sizes} 读出；第一次读取以 {cut} 结尾，只是某个字符的一部分",
                ).fill(
                    total=sent.length,
                    sizes=" + ".join(map(str, sizes(reads))),
                    cut=cut.hex(" "),
                ),
                sent,
                *reads,
            ),
            claim(
                bool(said)
                and b"".join(said) == sent.frame.payload
                and all(fault(one) is None for one in said),
                Text(
                    "decoded incrementally no character is lost: {sizes} octets come back, each read whole",
                    "增量解码不丢失任何字符：送回 {sizes} 字节，每次都是完整的字符",
                ).fill(sizes=" + ".join(str(len(one)) for one in said)),
                sent,
                *split.calls("server", "sendall"),
            ),
        ),
        {
            "utf8": rights.octets(hello.length, hello, characters=len(words)),
            "gbk": rights.octets(len(words.encode("gbk", "replace")), hello, characters=len(words)),
            "cut": rights.name(cut.hex(), first),
        },
    )


def _first_cut(run: Run) -> tuple[Called, bytes]:
    """The first read, and the octets at its end that are no whole character."""
    read = run.call("server", "recv")
    octets = bytes.fromhex(read.call.data)
    at = fault(octets)
    return read, b"" if at is None else octets[at:]


def silent_error(runs: Runs) -> Proof:
    """UTF-8 taken for GBK: other characters, and nobody complains."""
    run, strict = runs[MISREAD], runs[STRICT]
    sent, reply = first_data(run, "C", 0), first_data(run, "S", 0)
    octets, intact = carried(run)
    meant, understood = text(octets, "utf-8"), text(octets, "gbk")
    told, reported = report(strict)
    return Proof(
        (
            claim(
                intact and fault(octets) is None,
                Text(
                    '{n} octets arrive as they were sent; as UTF-8 they say "{meant}"',
                    "{n} 个字节原样到达；按 UTF-8 是 “{meant}”",
                ).fill(n=len(octets), meant=meant),
                sent,
                *received(run, "server"),
            ),
            claim(
                fault(octets, "gbk") is None
                and understood != meant
                and text(reply.frame.payload, "utf-8") == understood,
                Text(
                    'read as GBK they say "{got}": {m} characters in place of {n}, and no error',
                    "按 GBK 解码却是 “{got}”：{n} 个字变成 {m} 个，没有任何报错",
                ).fill(got=understood, n=len(meant), m=len(understood)),
                sent,
                reply,
            ),
            claim(
                reported,
                Text(
                    'the other way round, GBK read as UTF-8, the server reports it: "{told}"',
                    "反过来，GBK 按 UTF-8 解码，服务器会报错：“{told}”",
                ).fill(told=told),
                first_data(strict, "C", 0),
                first_data(strict, "S", 0),
            ),
        ),
        {
            "meant": rights.name(meant, sent),
            "understood": rights.name(understood, reply),
            "count": rights.count(len(understood), reply),
            "reply": rights.frame(reply),
        },
    )


QUESTIONS = (
    Question(
        id="EN01",
        asks=Text(
            "Client sends GBK, server decodes UTF-8: what is on the wire and what fails?",
            "客户端发 GBK，服务端按 UTF-8 解码会怎样？",
        ),
        answer=Text(
            "The octets arrive intact: the network does not know encodings. Decoding fails at the receiver, "
            "here with UnicodeDecodeError at octet 0.",
            "字节完好到达：网络不关心编码。出错的是接收端的解码，此处在第 0 个字节报 UnicodeDecodeError。",
        ),
        kind=Kind.DIAGNOSE,
        level=1,
        core=True,
        runs=(STRICT,),
        prove=wrong_decoder,
        values=(
            Ask(
                "payload",
                Text("The octets that the client sends, in hex", "客户端发出的字节（十六进制）"),
                Unit.HEX,
            ),
            Ask("octets", Text("How many they are", "共多少字节"), Unit.OCTETS),
            Ask(
                "offset",
                Text(
                    "Offset at which decoding as UTF-8 fails",
                    "按 UTF-8 解码出错的位置（从 0 数起）",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("the octets arrive intact", "字节完好到达"),
                (r"(octets|bytes).*(intact|unharmed|unchanged)", r"字节.*(完好|不变|原样|无损)"),
            ),
            Idea(
                Text("the decoding fails", "解码出错"),
                (
                    r"decod(ing|e|er).*(fail|error)",
                    r"unicodedecodeerror",
                    r"解码.*(出错|失败|报错)",
                ),
            ),
            Idea(
                Text("the network does not know encodings", "网络不关心编码"),
                (
                    r"(network|tcp).*(does not|doesn't|not) (know|care)",
                    r"(网络|tcp).*(不关心|不知道|不理解)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("TCP converts the encoding", "TCP 会转换编码"),
                (r"(tcp|network) (converts|translates)", r"(tcp|网络) ?会?转换"),
            ),
            Idea(
                Text("the data are damaged on the way", "数据在途中损坏"),
                (r"damaged|corrupted", r"途中(被)?损坏"),
            ),
        ),
        guess=Guess(
            Text(
                "A text in GBK, decoded as UTF-8: what happens?",
                "把 GBK 文本按 UTF-8 解码，会怎样？",
            ),
            (
                Text("TCP reports a checksum error", "TCP 报告校验和错误"),
                Text("other characters appear", "出现别的字"),
                Text("decoding fails at the first octet", "第一个字节就解码失败"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the payload of the client's segment with data, and at the server's answer.",
                "看客户端数据报文段的净荷，以及服务器的应答。",
            ),
            Text(
                "Compare the octets sent, captured and received; then decode them yourself.",
                "比较发出、抓到、收到的字节，再自己解码。",
            ),
        ),
        then=("EN03", "EN02"),
        sources=("RFC 3629 section 3", "Python: codecs, UnicodeDecodeError"),
    ),
    Question(
        id="EN02",
        asks=Text(
            "How many octets does a text of five Chinese and two ASCII characters take, and why does "
            "recv(10) matter?",
            "「你好,服务器!」占多少字节？recv(10) 会出什么问题？",
        ),
        answer=Text(
            "17 in UTF-8: 3 for each of five Chinese characters, 1 for each of two ASCII ones. 12 in GBK. "
            "recv may cut inside a character; an incremental decoder keeps the rest for the next read.",
            "UTF-8 为 17 字节：5 个汉字各 3 字节，2 个 ASCII 字符各 1 字节。GBK 为 12 字节。"
            "recv 可能把一个字符切断；增量解码会把剩余字节留到下一次。",
        ),
        kind=Kind.COMPUTE,
        level=1,
        core=True,
        runs=("tcp_lifecycle", "multibyte_split"),
        prove=cut_character,
        values=(
            Ask(
                "utf8",
                Text(
                    "Octets that the client sends in tcp_lifecycle",
                    "tcp_lifecycle 中客户端发送的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "gbk",
                Text("Octets that the same text takes in GBK", "同一文本在 GBK 中的字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "cut",
                Text(
                    "multibyte_split: the broken octets at the end of the first recv(), in hex",
                    "multibyte_split：第一次 recv() 末尾不成字符的字节（十六进制）",
                ),
                Unit.HEX,
            ),
        ),
        ideas=(
            Idea(
                Text("3 octets for a Chinese character in UTF-8", "UTF-8 中每个汉字 3 字节"),
                (r"\b(3|three)\b (octets )?for", r"(每个|各) ?(汉字 ?)?(占 ?)?(3|三) ?个?字节"),
            ),
            Idea(
                Text("recv may cut inside a character", "recv 可能切断字符"),
                (r"cut", r"split", r"切断|截断|切开"),
            ),
            Idea(
                Text("use an incremental decoder", "应使用增量解码"),
                (r"incremental", r"增量解码"),
            ),
        ),
        wrong=(
            Idea(
                Text("one octet is one character", "一个字节就是一个字符"),
                (r"one (octet|byte) is one character", r"一个字节就是一个字符"),
            ),
            Idea(
                Text("recv(10) returns ten characters", "recv(10) 返回十个字符"),
                (r"returns (ten|10) characters", r"返回(十|10) ?个字符"),
            ),
        ),
        guess=Guess(
            Text(
                "A text of 7 characters, two of them ASCII. How many octets in UTF-8?",
                "7 个字符的文本，其中 2 个是 ASCII，UTF-8 占多少字节？",
            ),
            (Text("7", "7"), Text("17", "17"), Text("21", "21")),
            1,
        ),
        hints=(
            Text(
                "Look at the length of the client's segment with data, and at the server's recv() calls.",
                "看客户端数据报文段的长度，以及服务器的 recv()。",
            ),
            Text(
                "Compare octets with characters; the first octet of a character tells how many follow.",
                "比较字节与字符；字符的首字节表明后面还有几个字节。",
            ),
        ),
        then=("EN01", "BS02"),
        sources=("RFC 3629 section 3", "Python: codecs.IncrementalDecoder"),
    ),
    Question(
        id="EN03",
        asks=Text(
            "UTF-8 text decoded as GBK gives no error: why is that worse?",
            "UTF-8 按 GBK 解码不报错，为什么更糟？",
        ),
        answer=Text(
            "Wrong characters are stored and passed on in silence, and nobody notices. A strict decoder would "
            "have failed at once. So the protocol must state the encoding.",
            "错误的字会被悄悄保存和传递，没有人察觉；若是严格解码，早就报错了。因此协议应当规定编码。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        runs=(MISREAD, STRICT),
        prove=silent_error,
        values=(
            Ask("meant", Text("The text that was sent", "发出的文本"), Unit.NAME),
            Ask("understood", Text("The text that the server read", "服务器读出的文本"), Unit.NAME),
            Ask("count", Text("Its number of characters", "它的字数"), Unit.COUNT),
            Ask(
                "reply",
                Text(
                    "Frame in which the server sends it back (UTF-8 read as GBK)",
                    "服务器送回它的帧（UTF-8 按 GBK 解码的运行）",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("wrong characters pass in silence", "错误的字悄悄通过"),
                (
                    r"silen(ce|t)",
                    r"(nobody|no one) notices",
                    r"悄悄",
                    r"没有人?察觉",
                ),
            ),
            Idea(
                Text("an error would have been noticed", "报错才会被发现"),
                (
                    r"error would",
                    r"(failed|fails) at once",
                    r"报错",
                ),
            ),
            Idea(
                Text("the protocol must state the encoding", "协议应规定编码"),
                (
                    r"(state|specify|agree on|declare) (the |an )?encoding",
                    r"(规定|约定|声明|指明)编码",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("no error means that the text is right", "没有报错就说明文本正确"),
                (r"no error means", r"没有?报错就(说明|表示|等于)"),
            ),
        ),
        guess=Guess(
            Text(
                "Twelve octets of UTF-8 are decoded as GBK. What is the result?",
                "12 字节的 UTF-8 按 GBK 解码，结果如何？",
            ),
            (
                Text("an error", "报错"),
                Text("six other characters", "六个别的字"),
                Text("four question marks", "四个问号"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the client's data and at the server's answer, which is UTF-8.",
                "看客户端的数据和服务器的应答；应答用 UTF-8。",
            ),
            Text(
                "Compare both texts, and whether either end reported an error.",
                "比较两个文本，以及是否有一端报错。",
            ),
        ),
        then=("EN01",),
        sources=("Python: codecs", "RFC 3629 section 3"),
    ),
)
