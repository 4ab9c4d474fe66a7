"""Sixteen bits for a window of megabytes: both SYNs say by how much every later one is shifted."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.rows import Tcp, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text, same
from lab.topology import Host, Topology

PORT = 12345
SIZE = 4_000  # octets: a few segments, after which the server's window grows
LARGEST_FIELD = 0xFFFF
WISH = 1 << 20  # octets of receive buffer
NEVER = {"net.ipv4.tcp_window_scaling": "0"}


def server() -> None:
    """Read everything."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(SIZE, socket.MSG_WAITALL)
            connection.recv(1024)  # b""


def client(server: str, *, buffer_before: int = 0, buffer_after: int = 0) -> None:
    """Send 4000 octets, with the kernel's own receive buffer or one of a fixed size."""
    with socket.socket() as connection:
        if buffer_before:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_before)
        connection.connect((server, PORT))
        if buffer_after:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_after)
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        connection.sendall(bytes(SIZE))


def _opening(evidence: Evidence) -> tuple[tuple[Tcp, Tcp, Tcp], tuple[int, ...]]:
    """The headers of SYN, SYN,ACK and ACK, and their frames; LookupError if it did not open."""
    numbers = evidence.view.connections[0].handshake_frames
    frames = [frame(evidence.view.capture, number - 1) for number in numbers]
    headers = [one.tcp for one in frames if one.tcp]
    return (headers[0], headers[1], headers[2]), numbers


def _offered(client: bool, server: bool) -> Promise:
    """Promise which SYNs carry the option."""

    def check(evidence: Evidence) -> Seen:
        (syn, syn_ack, _), numbers = _opening(evidence)
        shifts = [one.options.window_scale for one in (syn, syn_ack)]
        told = ", ".join("-" if shift is None else f"wscale {shift}" for shift in shifts)
        kept = [shift is not None for shift in shifts] == [client, server]
        words = Text("SYN, SYN,ACK: {told}", "SYN、SYN,ACK：{told}").fill(told=told)
        return Seen(kept, words, numbers[:2])

    yes, no = Text("carries", "带有"), Text("does not carry", "不带")
    words = Text(
        "the SYN {c} the option, the SYN,ACK {s} it",
        "SYN {c}该选项，SYN,ACK {s}该选项",
    )
    return Promise("offered", words.fill(c=yes if client else no, s=yes if server else no), check)


def _smallest(octets: int) -> int:
    """The smallest shift with which 16 bits can say so much; 14 is the largest there is."""
    return next((s for s in range(14) if octets >> s <= LARGEST_FIELD), 14)


def _room_for_the_largest(evidence: Evidence) -> Seen:
    """A buffer that may grow is given a shift for the largest that it may become."""
    sysctls = evidence.kernel["server"].sysctls
    largest = max(int(sysctls["net.ipv4.tcp_rmem"].split()[2]), int(sysctls["net.core.rmem_max"]))
    (_, syn_ack, _), numbers = _opening(evidence)
    shift = syn_ack.options.window_scale
    words = Text("{n:,} octets, wscale {s}", "{n:,} 字节，wscale {s}")
    return Seen(shift == _smallest(largest), words.fill(n=largest, s=shift), numbers[1:2])


def _room_for_the_buffer(evidence: Evidence) -> Seen:
    """Linux announces half of a fixed buffer at most: the rest is for what each packet costs."""
    buffer = called(evidence, "client", "getsockopt")[0].result
    (syn, _, _), numbers = _opening(evidence)
    shift = syn.options.window_scale
    kept = isinstance(buffer, int) and shift == _smallest(buffer // 2)
    words = Text("SO_RCVBUF {n:,} octets, wscale {s}", "SO_RCVBUF {n:,} 字节，wscale {s}")
    return Seen(kept, words.fill(n=buffer, s=shift), numbers[:1])


def _more_than_the_syn_could(evidence: Evidence) -> Seen:
    """The whole window is open from the start; the SYN has no scale yet, and says what it can."""
    buffer = called(evidence, "client", "getsockopt")[0].result
    (syn, _, ack), numbers = _opening(evidence)
    true = ack.window << (evidence.view.connections[0].scale[0] or 0)
    kept = isinstance(buffer, int) and syn.window == LARGEST_FIELD < true <= buffer
    words = Text("SYN {a:,} octets, ACK {t:,}", "SYN {a:,} 字节，ACK {t:,} 字节")
    return Seen(kept, words.fill(a=syn.window, t=true), (numbers[0], numbers[2]))


def _same_as_the_server(evidence: Evidence) -> Seen:
    (syn, syn_ack, _), numbers = _opening(evidence)
    shifts = [one.options.window_scale for one in (syn, syn_ack)]
    told = same(", ".join(f"wscale {shift}" for shift in shifts))
    return Seen(shifts[0] == shifts[1] is not None, told, numbers[:2])


def _syn_is_not_scaled(evidence: Evidence) -> Seen:
    """The same window twice: as it is in the SYN, shifted (and rounded up) in the ACK."""
    (syn, _, ack), numbers = _opening(evidence)
    shift = evidence.view.connections[0].scale[0] or 0
    true = ack.window << shift
    kept = abs(true - syn.window) < 1 << shift
    words = Text(
        "SYN {a} octets; ACK {f} × 2^{s} = {t}", "SYN {a} 字节；ACK {f} × 2^{s} = {t} 字节"
    )
    told = words.fill(a=syn.window, f=ack.window, s=shift, t=true)
    return Seen(kept, told, (numbers[0], numbers[2]))


def _largest_window(evidence: Evidence) -> tuple[int, int]:
    """The largest window that the server announces once the connection is open, and its frame."""
    connection, windows = evidence.view.connections[0], evidence.view.capture.frames.window
    rows = connection.rows[~connection.from_client][1:]
    shift = connection.scale[1] or 0
    return sorted((int(windows[row]) << shift, int(row) + 1) for row in rows)[-1]


def _beyond_sixteen_bits(evidence: Evidence) -> Seen:
    octets, number = _largest_window(evidence)
    words = Text("up to {n:,} octets", "最大 {n:,} 字节")
    return Seen(octets > LARGEST_FIELD, words.fill(n=octets), (number,))


def _within_sixteen_bits(evidence: Evidence) -> Seen:
    """Neither side shifts anything: the fields are octets, and no window can be larger."""
    octets, number = _largest_window(evidence)
    scales = evidence.view.connections[0].scale
    words = Text("up to {n:,} octets", "最大 {n:,} 字节")
    return Seen(octets <= LARGEST_FIELD and scales == (0, 0), words.fill(n=octets), (number,))


SYN_IS_NOT_SCALED = Promise(
    "syn_is_not_scaled",
    Text(
        "the SYN says the window in octets, the ACK the same one by its scale",
        "SYN 中的窗口以字节计，ACK 按扩大因子表示同一窗口",
    ),
    _syn_is_not_scaled,
)
BEYOND = Promise(
    "beyond_sixteen_bits",
    Text(
        "the server announces a window larger than the field could say",
        "服务器通告的窗口超过该字段本身所能表示的范围",
    ),
    _beyond_sixteen_bits,
)
WITHIN = Promise(
    "within_sixteen_bits",
    Text(
        "neither side scales: no window exceeds 65535 octets",
        "双方都不扩大窗口：任何窗口都不超过 65535 字节",
    ),
    _within_sixteen_bits,
)

SCENARIO = Scenario(
    id="window_scaling",
    title=Text("Window scaling", "窗口扩大选项"),
    group="flow",
    level=2,
    teaches=(
        Text(
            "The window field has 16 bits. An option in the SYN says by how many bits its sender will "
            "shift every later one, so the true window is field × 2^scale",
            "窗口字段只有 16 位；SYN 中的选项说明发送者此后把窗口左移多少位，真实窗口 = 字段值 × 2^因子",
        ),
        Text(
            "The windows in the SYNs themselves are never scaled",
            "SYN 与 SYN,ACK 本身的窗口从不扩大",
        ),
        Text(
            "It counts only if both SYNs carry it, and cannot change afterwards: a capture without "
            "the handshake cannot tell how large a window is",
            "只有两个 SYN 都带该选项才生效，之后不能更改：抓包若缺少握手过程，便无从得知窗口究竟多大",
        ),
        Text(
            "Linux chooses the scale for the largest buffer that the socket may grow to; with "
            "SO_RCVBUF set before connect(), for that size",
            "Linux 按套接字缓冲区可能增长到的最大值选择因子；若在 connect() 之前设置 SO_RCVBUF，则按该大小选择",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1
        C>S ACK      seq 1  ack 1
        ...
        C>S FIN,ACK  seq 4001  ack 1
        S>C ACK                ack 4002  optional
        S>C FIN,ACK  seq 1     ack 4002
        C>S ACK                ack 2
        """,
    ),
    promises=(
        _offered(client=True, server=True),
        SYN_IS_NOT_SCALED,
        Promise(
            "room_for_the_largest",
            Text(
                "the server's scale suits the largest receive buffer its host allows",
                "服务器的因子与本机允许的最大接收缓冲区相称",
            ),
            _room_for_the_largest,
        ),
        BEYOND,
    ),
    variants={
        "buffer": {
            "title": Text("Window scaling with a fixed buffer", "固定缓冲区下的窗口扩大"),
            "options": {"client": {"buffer_before": WISH}},
            "promises": (
                _offered(client=True, server=True),
                Promise(
                    "room_for_the_buffer",
                    Text(
                        "the client's scale suits the buffer that it set before connect()",
                        "客户端的因子与它在 connect() 之前设置的缓冲区相称",
                    ),
                    _room_for_the_buffer,
                ),
                Promise(
                    "more_than_the_syn_could",
                    Text(
                        "the SYN says 65535 octets, the most it can; the ACK says the true window",
                        "SYN 只能说到上限 65535 字节；随后的 ACK 才给出真实窗口",
                    ),
                    _more_than_the_syn_could,
                ),
            ),
        },
        "too_late": {
            "title": Text("A buffer fixed after the handshake", "握手之后才固定缓冲区"),
            "options": {"client": {"buffer_after": WISH}},
            "promises": (
                Promise(
                    "no_change",
                    Text(
                        "set after connect(), SO_RCVBUF leaves the scale as it was: the server's",
                        "connect() 之后设置的 SO_RCVBUF 不影响因子：仍与服务器相同",
                    ),
                    _same_as_the_server,
                ),
                SYN_IS_NOT_SCALED,
            ),
        },
        "client_off": {
            "title": Text("A client without window scaling", "客户端关闭窗口扩大"),
            "topology": Topology((Host("client", sysctls=NEVER), Host("server"))),
            "promises": (_offered(client=False, server=False), SYN_IS_NOT_SCALED, WITHIN),
        },
        "server_off": {
            "title": Text("A server without window scaling", "服务器关闭窗口扩大"),
            "topology": Topology((Host("client"), Host("server", sysctls=NEVER))),
            "promises": (_offered(client=True, server=False), SYN_IS_NOT_SCALED, WITHIN),
        },
    },
    sources=("RFC 7323 section 2", "tcp(7) tcp_window_scaling", "socket(7) SO_RCVBUF"),
)
