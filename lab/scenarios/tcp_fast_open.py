"""TCP Fast Open: the first visit gets a cookie, the second sends its data along with the SYN."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.options import Options
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, counted
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.wire.rules import drop, pure_ack
from services import stage

PORT = 12345
FIRST_PORT, SECOND_PORT = 40001, 40002  # the client's
REQUEST, REPLY = b"hello 1+1", b"2"
BOTH_WAYS = {"net.ipv4.tcp_fastopen": "3"}  # 1: clients may, 2: servers may
STATES = {"01": "ESTABLISHED", "03": "SYN-RECEIVED"}  # the first octet of struct tcp_info, in hex


def server() -> None:
    """Answer twice; look each time at the connection's state when the request has been read."""
    with socket.socket() as listener:
        try:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)  # so many half open
        except OSError as error:
            stage.unavailable("TCP_FASTOPEN", error)
        listener.bind(("", PORT))
        listener.listen()
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
                connection.sendall(REPLY)
                connection.recv(1024)  # b""


def client(server: str) -> None:
    """Ask twice: one call that opens the connection and sends."""
    for port in (FIRST_PORT, SECOND_PORT):
        with socket.socket() as connection:
            connection.bind(("", port))
            connection.sendto(REQUEST, socket.MSG_FASTOPEN, (server, PORT))
            connection.recv(1024)


def _opening(evidence: Evidence, stream: int) -> tuple[Options, Options, tuple[int, ...]]:
    """The options of a connection's SYN and SYN,ACK, and the numbers of their frames."""
    view = evidence.view
    syn, answer = (frame(view.capture, int(row)) for row in view.connections[stream].rows[:2])
    if syn.tcp is None or answer.tcp is None:
        raise LookupError(stream)
    return syn.tcp.options, answer.tcp.options, (syn.number, answer.number)


def _cookie(evidence: Evidence) -> Seen:
    """The first SYN asks for a cookie, its SYN,ACK brings one, and the second SYN has just this."""
    asked, given, first = _opening(evidence, 0)
    shown, _, second = _opening(evidence, 1)
    kept = asked.fast_open == b"" and bool(given.fast_open) and shown.fast_open == given.fast_open
    words = Text("cookie {given}, then {shown}", "cookie {given}，随后出示 {shown}")
    told = words.fill(given=(given.fast_open or b"").hex(), shown=(shown.fast_open or b"").hex())
    return Seen(kept, told, (*first, second[0]))


def _read_early(evidence: Evidence) -> Seen:
    """The server reads the second request before anything but the client's SYN is at its port."""
    view = evidence.views[1]
    connection = view.connections[1]
    rows = connection.rows[connection.from_client].tolist()
    second = int(view.capture.frames.time[rows[1]])
    read = [call for call in called(evidence, "server", "recv") if call.octets][1]
    words = Text("{ms:.3f} ms before it", "早 {ms:.3f} 毫秒")
    return Seen(read.after < second, words.fill(ms=(second - read.after) / 1e6))


def _states(evidence: Evidence) -> Seen:
    looks = [str(call.result) for call in called(evidence, "server", "getsockopt")]
    seen = [STATES.get(look, look) for look in looks]
    return Seen(seen == ["ESTABLISHED", "SYN-RECEIVED"], same(", ".join(seen)))


SCENARIO = Scenario(
    id="tcp_fast_open",
    title=Text("TCP Fast Open", "TCP 快速打开"),
    group="handshake",
    level=3,
    teaches=(
        Text(
            "On the first visit the SYN asks for a cookie and the SYN,ACK brings it: proof that this "
            "address is really the client's",
            "首次访问时，SYN 请求 cookie，SYN,ACK 带回 cookie：它证明该地址确实属于这个客户端",
        ),
        Text(
            "On the second visit the SYN carries cookie and data; the SYN,ACK acknowledges both, "
            "ISN + 10 here",
            "再次访问时，SYN 同时携带 cookie 与数据；SYN,ACK 一并确认，这里是 ISN + 10",
        ),
        Text(
            "The server's program reads and answers in SYN-RECEIVED, before the handshake is over. One "
            "round trip is saved, and here it does not even matter that the third segment is lost",
            "服务器程序在 SYN-RECEIVED 状态就能读取并应答，不必等握手结束：节省一个往返；"
            "这里第三个报文段丢失了也不受影响",
        ),
        Text(
            "A repeated SYN may deliver its data twice, so it suits only requests that may be repeated",
            "SYN 若重复到达，其中的数据可能被处理两次，因此只适合可以重复执行的请求",
        ),
        Text(
            "Both ends must opt in: net.ipv4.tcp_fastopen, MSG_FASTOPEN at the client, TCP_FASTOPEN "
            "on the listener",
            "两端都须显式启用：net.ipv4.tcp_fastopen，客户端用 MSG_FASTOPEN，监听套接字用 TCP_FASTOPEN",
        ),
    ),
    topology=Topology((Host("client", sysctls=BOTH_WAYS), Host("server", sysctls=BOTH_WAYS))),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(pure_ack("client", source_port=SECOND_PORT), nth=1),),
    scripts=(
        """
        C>S SYN      seq 0   +0
        S>C SYN,ACK  seq 0       ack 1
        C>S PSH,ACK  seq 1   +9  ack 1
        S>C ACK      seq 1       ack 10  optional
        S>C PSH,ACK  seq 1   +1  ack 10
        C>S ACK      seq 10      ack 2   optional
        C>S FIN,ACK  seq 10      ack 2
        ...
        """,
        """
        C>S SYN      seq 0   +9
        S>C SYN,ACK  seq 0       ack 10
        C>S ACK      seq 10      ack 1   lost
        S>C PSH,ACK  seq 1   +1  ack 10
        C>S ACK      seq 10      ack 2   optional
        C>S FIN,ACK  seq 10      ack 2
        S>C ACK      seq 2       ack 11  optional
        S>C FIN,ACK  seq 2       ack 11
        C>S ACK      seq 11      ack 3
        """,
    ),
    promises=(
        Promise(
            "the_same_cookie",
            Text(
                "the first SYN asks for a cookie, the SYN,ACK brings it, the second SYN shows it",
                "第一个 SYN 请求 cookie，SYN,ACK 带回，第二个 SYN 出示同一个 cookie",
            ),
            _cookie,
        ),
        Promise(
            "read_before_the_handshake_ends",
            Text(
                "the server reads the second request before it gets any ACK from the client",
                "服务器尚未收到客户端的任何 ACK，就已读到第二个请求",
            ),
            _read_early,
        ),
        Promise(
            "read_in_syn_received",
            Text(
                "the first request is read in ESTABLISHED, the second in SYN-RECEIVED",
                "读到第一个请求时处于 ESTABLISHED，读到第二个时处于 SYN-RECEIVED",
            ),
            _states,
        ),
        counted(
            "cookie_asked_for",
            Text("the server's kernel: one cookie was asked for", "服务器内核：有一次请求 cookie"),
            "server",
            "TcpExt.TCPFastOpenCookieReqd",
            at_most=1,
        ),
        counted(
            "data_in_a_syn_taken",
            Text(
                "the server's kernel: one SYN with data was taken",
                "服务器内核：接受了一个带数据的 SYN",
            ),
            "server",
            "TcpExt.TCPFastOpenPassive",
            at_most=1,
        ),
        counted(
            "data_in_a_syn_sent",
            Text(
                "the client's kernel: one SYN with data was acknowledged",
                "客户端内核：有一个带数据的 SYN 得到确认",
            ),
            "client",
            "TcpExt.TCPFastOpenActive",
            at_most=1,
        ),
    ),
    sources=("RFC 7413", "tcp(7) TCP_FASTOPEN", "Linux ip-sysctl: tcp_fastopen"),
)
