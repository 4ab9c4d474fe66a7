"""Multipath TCP is agreed upon by an option; where a middlebox takes it out, plain TCP remains."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, counted, outcome
from lab.text import Text, same
from lab.wire.rules import MULTIPATH, SYN, segment, strip
from services import stage

PORT = 12345
HELLO = b"hello"
SOL_MPTCP, MPTCP_INFO = 284, 1  # linux/mptcp.h; Python has no names for them
CAPABLE, DATA_SEQUENCE = 0, 2  # subtypes of the option (RFC 8684 section 3)
DATA_FIN = 0x10  # flag of DATA_SEQUENCE
KEY = 8  # octets


def server() -> None:
    """Send back what comes: all calls are those of TCP."""
    with multipath_socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.listen()
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(1024))
            connection.recv(1024)  # b""


def client(server: str) -> None:
    """Say hello and read it back; then ask the kernel what it really was."""
    with multipath_socket() as connection:
        connection.connect((server, PORT))
        connection.sendall(HELLO)
        connection.recv(1024)
        try:
            connection.getsockopt(SOL_MPTCP, MPTCP_INFO, 64)
        except OSError as error:  # EOPNOTSUPP: it fell back
            print(f"this is plain TCP: {error.strerror}", flush=True)


def multipath_socket() -> socket.socket:
    """A TCP socket in all but its protocol number."""
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
    except OSError as error:
        stage.unavailable("Multipath TCP", error)


def _segments(view: View) -> list[Frame]:
    """The segments of the connection, as one port saw them."""
    return [frame(view.capture, int(row)) for row in view.connections[0].rows]


def _option(one: Frame) -> bytes:
    """What a segment's Multipath TCP option holds behind kind and length; b"": it has none."""
    unknown = one.tcp.options.unknown if one.tcp else ()
    return next((value for kind, value in unknown if kind == MULTIPATH), b"")


def _subtype(one: Frame) -> int | None:
    option = _option(one)
    return option[0] >> 4 if option else None


def _keys_change_hands(evidence: Evidence) -> Seen:
    """No key in the SYN, the server's in the SYN,ACK, both in the ACK, and again with the data."""
    every = _segments(evidence.view)
    first = every[:3] + [one for one in every if one.payload_length][:1]
    keys = [_option(one)[2:][: 2 * KEY] for one in first]  # behind subtype and flags
    both = keys[2][:KEY] + keys[1]
    kept = keys == [b"", keys[1], both, both] and len(keys[1]) == KEY
    kept &= all(_subtype(one) == CAPABLE for one in first)
    words = Text("the option has {n} octets", "选项长度依次为 {n} 字节")
    told = words.fill(n=", ".join(str(2 + len(_option(one))) for one in first))
    return Seen(kept, told, tuple(one.number for one in first))


def _data_is_numbered_twice(evidence: Evidence) -> Seen:
    """Every segment after the first data places it in the sequence space of the whole."""
    every = _segments(evidence.view)
    data = [at for at, one in enumerate(every) if one.payload_length]
    later = every[data[0] + 1 :]
    numbered = [one for one in later if _subtype(one) == DATA_SEQUENCE]
    words = Text("DSS in {n} of {all} segments", "{all} 个报文段中 {n} 个带 DSS")
    told = words.fill(n=len(numbered), all=len(later))
    return Seen(numbered == later != [], told, tuple(one.number for one in numbered))


def _ends_before_it_closes(evidence: Evidence) -> Seen:
    """Each end says DATA_FIN for the whole before FIN for this path."""
    every = _segments(evidence.view)
    ends = [one for one in every if _subtype(one) == DATA_SEQUENCE and _option(one)[1] & DATA_FIN]
    fins = [one for one in every if one.tcp and one.tcp.flags & Flags.FIN]
    first = {one.source: one.number for one in reversed(ends)}
    pairs = [(first[fin.source], fin.number) for fin in fins]
    kept = len(pairs) == 2 and all(end < fin for end, fin in pairs)
    told = ", ".join(f"DATA_FIN #{end}, FIN #{fin}" for end, fin in sorted(pairs))
    return Seen(kept, same(told), tuple(sorted(number for pair in pairs for number in pair)))


def _arrives_without(evidence: Evidence) -> Seen:
    """The SYN at the client's port and at the server's: the same but for one option."""
    sent, arrived = (_segments(view)[0] for view in evidence.views)
    if sent.tcp is None or arrived.tcp is None:
        return Seen(False, same("-"))
    ours, theirs = sent.tcp.options, arrived.tcp.options
    others = [
        (one.mss, one.window_scale, one.sack_permitted, one.timestamps) for one in (ours, theirs)
    ]
    kept = bool(_option(sent)) and theirs.unknown == () and others[0] == others[1]
    words = Text(
        "sent with {s} octets of it, arrived with {a}", "发出时带 {s} 字节，到达时带 {a} 字节"
    )
    told = words.fill(s=2 + len(_option(sent)), a=len(_option(arrived)))
    return Seen(kept, told, (sent.number,))


def _plain_from_then_on(evidence: Evidence) -> Seen:
    """No other segment, at either port, carries the option."""
    every = _segments(evidence.view)[1:] + _segments(evidence.views[1])
    carrying = [one.number for one in every if _option(one)]
    words = Text("{n} of {all} segments carry it", "{all} 个报文段中 {n} 个带有该选项")
    return Seen(not carrying, words.fill(n=len(carrying), all=len(every)), tuple(carrying))


def _hello_comes_back(info: str) -> Promise:
    """Promise that every call goes as with TCP, and what asking for MPTCP_INFO comes to."""

    def check(evidence: Evidence) -> Seen:
        calls = called(evidence, "client", "connect", "sendall", "recv", "getsockopt")
        kept = [outcome(call) for call in calls] == ["ok", "ok", "ok", info]
        kept = kept and calls[2].data == HELLO.hex()
        return Seen(kept, same(", ".join(f"{call.function}: {outcome(call)}" for call in calls)))

    words = Text(
        "connect(), sendall() and recv() succeed; getsockopt(MPTCP_INFO): {info}",
        "connect()、sendall()、recv() 全部成功；getsockopt(MPTCP_INFO)：{info}",
    )
    return Promise("hello_comes_back", words.fill(info=info), check)


SCENARIO = Scenario(
    id="mptcp_capable",
    title=Text("Multipath TCP", "多路径 TCP"),
    group="other",
    level=3,
    teaches=(
        Text(
            "Multipath TCP is TCP with an option, MP_CAPABLE. In the SYN it asks, in the SYN,ACK it "
            "brings the server's key, in the ACK both keys. Further paths will prove with them that they "
            "belong here",
            "多路径 TCP 就是带一个选项的 TCP：SYN 中的 MP_CAPABLE 提出请求，SYN,ACK 带来服务器的密钥，"
            "ACK 带上双方密钥；以后加入的路径凭这些密钥证明自己属于该连接",
        ),
        Text(
            "Data is then numbered twice: by TCP on its path, and by the option (DSS) in the whole, so "
            "that paths can be put together. DATA_FIN ends the whole, FIN only the path",
            "数据有两套序号：路径上由 TCP 编号，整体由 DSS 选项编号，各路径的数据因此能拼在一起；"
            "DATA_FIN 结束整体，FIN 只结束一条路径",
        ),
        Text(
            "Programs change one word, the protocol of socket(): IPPROTO_MPTCP",
            "程序只需改一处，即 socket() 的协议参数：IPPROTO_MPTCP",
        ),
        Text(
            "A middlebox that takes the option out does no harm. Both ends go on with plain TCP, and only"
            " who asks the kernel learns of it",
            "即使中间设备去掉该选项也无妨：双方退回普通 TCP，只有向内核查询才会知道",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0     ack 1
        C>S ACK      seq 1     ack 1
        C>S PSH,ACK  seq 1 +5  ack 1
        S>C ACK      seq 1     ack 6  optional
        S>C PSH,ACK  seq 1 +5  ack 6
        ...
        C>S FIN,ACK  seq 6     ack 6
        ...
        """,
    ),
    promises=(
        Promise(
            "keys_change_hands",
            Text(
                "MP_CAPABLE brings no key, the server's, both, and both with the first data",
                "MP_CAPABLE 依次携带：无密钥、服务器的密钥、双方密钥、首个数据段中再次带双方密钥",
            ),
            _keys_change_hands,
        ),
        Promise(
            "data_is_numbered_twice",
            Text("every later segment carries a DSS", "此后每个报文段都带 DSS"),
            _data_is_numbered_twice,
        ),
        Promise(
            "ends_before_it_closes",
            Text("each end's DATA_FIN comes before its FIN", "每一方都先发 DATA_FIN，再发 FIN"),
            _ends_before_it_closes,
        ),
        _hello_comes_back("ok"),
        counted(
            "kernel_counts",
            Text(
                "the server's kernel accepted it as Multipath TCP",
                "服务器内核按多路径 TCP 接受了它",
            ),
            *("server", "MPTcpExt.MPCapableACKRX", 1, 1),
        ),
    ),
    variants={
        "fallback": {
            "title": Text("Multipath TCP falls back", "多路径 TCP 回退"),
            "rules": (strip(segment(SYN), option=MULTIPATH),),
            "scripts": (
                # the SYN that was sent is not, octet for octet, the one that arrived
                """
                ...
                S>C SYN,ACK  seq 0     ack 1
                C>S ACK      seq 1     ack 1
                C>S PSH,ACK  seq 1 +5  ack 1
                S>C ACK      seq 1     ack 6  optional
                S>C PSH,ACK  seq 1 +5  ack 6
                C>S ACK      seq 6     ack 6  optional
                C>S FIN,ACK  seq 6     ack 6
                S>C ACK      seq 6     ack 7  optional
                S>C FIN,ACK  seq 6     ack 7
                C>S ACK      seq 7     ack 7
                """,
            ),
            "promises": (
                Promise(
                    "arrives_without",
                    Text(
                        "the SYN loses the option on its way, and nothing else",
                        "SYN 在途中只失去了这个选项",
                    ),
                    _arrives_without,
                ),
                Promise(
                    "plain_from_then_on",
                    Text("no other segment carries it", "其他报文段都不带该选项"),
                    _plain_from_then_on,
                ),
                _hello_comes_back("ENOTSUP"),
                counted(
                    "kernel_counts",
                    Text("the client's kernel counts one fallback", "客户端内核记下一次回退"),
                    *("client", "MPTcpExt.MPCapableFallbackSYNACK", 1, 1),
                ),
            ),
        },
    },
    sources=("RFC 8684 sections 3.1, 3.3 and 3.7", "socket(2)"),
)
