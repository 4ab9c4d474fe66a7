"""Calls that put nothing on the wire: they change what one kernel knows, and no other hears of it."""

from __future__ import annotations

import socket

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome
from lab.text import Text, same
from services import stage, waits

PORT = 12345
LATE = b"you there?"  # 10 octets, for an end that has shut down its reading


def server() -> None:
    """Ask for a connection in vain; later take one, and send to an end that wants to read no more."""
    with socket.create_server(("", PORT)) as listener:  # socket, setsockopt, bind, listen
        listener.setblocking(False)
        try:
            listener.accept()
        except BlockingIOError as error:
            print(error, flush=True)
        stage.say("asked_in_vain")
        listener.setblocking(True)
        connection, _ = listener.accept()
        with connection:
            stage.wait("all_quiet")
            connection.sendall(LATE)
            waits.acknowledged(connection)
            stage.say("acknowledged")
            connection.recv(1024)  # b""


def client(server: str) -> None:
    """Make every quiet call there is without a connection, then with one."""
    with socket.socket() as unconnected:
        unconnected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        unconnected.bind(("", 0))  # the kernel picks a free port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect((server, PORT))  # UDP: the peer is remembered here, and only here
    stage.wait("asked_in_vain")
    with socket.create_connection((server, PORT)) as connection:
        connection.shutdown(socket.SHUT_RD)
        connection.send(b"")
        connection.recv(1024)  # b"": what SHUT_RD promised
        stage.say("all_quiet")
        stage.wait("acknowledged")
        connection.recv(1024)


def _connect(evidence: Evidence) -> Call:
    """The client's connect() of TCP: the first call that has to send something."""
    return next(call for call in called(evidence, "client", "connect") if call.kind == "tcp")


def _packets(evidence: Evidence, since: int, until: int) -> int:
    """How many IPv4 packets passed either port in a span of time (ns)."""
    columns = [view.capture.frames for view in evidence.views]
    return sum(
        int(((one.ip_version == 4) & (since <= one.time) & (one.time <= until)).sum())
        for one in columns
    )


def _quiet(calls: tuple[Call, ...], packets: int, expected: set[str]) -> Seen:
    """Whether calls of all these functions were made, and nothing was sent meanwhile."""
    words = Text(
        "{n} call[|s], {packets} packet[|s]: {names}", "{n} 次调用，{packets} 个包：{names}"
    )
    names = dict.fromkeys(call.function for call in calls)
    told = words.fill(n=len(calls), packets=packets, names=", ".join(names))
    return Seen(expected <= names.keys() and not packets, told)


def _quiet_alone(evidence: Evidence) -> Seen:
    """Until TCP's connect() no packet has passed, whatever both programs have called."""
    until = _connect(evidence).before
    calls = tuple(
        call
        for host in ("server", "client")
        for call in called(evidence, host)
        if call.after < until
    )
    expected = {"socket", "setsockopt", "bind", "listen", "accept", "connect", "close"}
    return _quiet(calls, _packets(evidence, 0, until), expected)


def _quiet_connected(evidence: Evidence) -> Seen:
    """On the open connection: from shutdown(SHUT_RD) until recv() has returned."""
    since = called(evidence, "client", "shutdown")[0].before
    until = called(evidence, "client", "recv")[0].after
    calls = tuple(call for call in called(evidence, "client") if since <= call.before < until)
    return _quiet(calls, _packets(evidence, since, until), {"shutdown", "send", "recv"})


def _port_chosen(evidence: Evidence) -> Seen:
    """bind() was asked for port 0, and the socket has another one afterwards."""
    bind = called(evidence, "client", "bind")[0]
    (_, asked), (_, given) = (_address(one) for one in (bind.arguments[0], bind.local))
    words = Text("asked for {asked}, got {given}", "请求 {asked}，得到 {given}")
    return Seen(asked == 0 < given, words.fill(asked=asked, given=given))


def _address(told: object) -> tuple[str, int]:
    """An address as the call log has it; nothing is port 0."""
    address, port = told if isinstance(told, list) else ("", 0)
    return str(address), int(port)


def _nobody_to_accept(evidence: Evidence) -> Seen:
    first = called(evidence, "server", "accept")[0]
    return Seen(outcome(first) == "EAGAIN", same(f"accept: {outcome(first)}"))


def _still_readable(evidence: Evidence) -> Seen:
    octets = [call.octets for call in called(evidence, "client", "recv")]
    return Seen(octets == [0, len(LATE)], same(f"recv: {', '.join(map(str, octets))}"))


SCENARIO = Scenario(
    id="api_no_packets",
    title=Text("Calls that put nothing on the wire", "不产生任何报文的调用"),
    group="open_close",
    teaches=(
        Text(
            "socket(), bind(), listen(), accept() and setsockopt() only tell the own kernel something; "
            "of all calls that open a connection, connect() alone sends",
            "socket()、bind()、listen()、accept()、setsockopt() 只是告知本机内核；"
            "建立连接的各个调用中，只有 connect() 会发出报文",
        ),
        Text(
            "connect() on a UDP socket sends nothing either: it stores the peer's address",
            "对 UDP 套接字调用 connect() 同样不发送任何报文：只是记下对端地址",
        ),
        Text(
            "bind() to port 0 lets the kernel choose a free port",
            "bind() 到端口 0，由内核挑选一个空闲端口",
        ),
        Text(
            "shutdown(SHUT_RD) does not tell the peer: TCP has no segment for it. On Linux what arrives "
            "later is still acknowledged, and can even be read",
            "shutdown(SHUT_RD) 不会通知对端：TCP 没有这样的报文段。"
            "在 Linux 上，之后到达的数据仍会被确认，甚至还能读出",
        ),
        Text(
            'send(b"") on TCP sends nothing: a byte stream has no empty message',
            'TCP 上的 send(b"") 什么也不发：字节流中没有“空消息”',
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0       ack 1
        C>S ACK      seq 1       ack 1
        S>C PSH,ACK  seq 1  +10  ack 1
        C>S ACK      seq 1       ack 11
        C>S FIN,ACK  seq 1       ack 11
        S>C ACK      seq 11      ack 2   optional
        S>C FIN,ACK  seq 11      ack 2
        C>S ACK      seq 2       ack 12
        """,
    ),
    promises=(
        Promise(
            "quiet_without_a_connection",
            Text(
                "no packet at either port before the client connects by TCP",
                "客户端以 TCP 建立连接之前，两端口均没有任何包",
            ),
            _quiet_alone,
        ),
        Promise(
            "accept_finds_nobody",
            Text(
                "accept() without a client: EAGAIN on a non-blocking listener",
                "没有客户端时 accept()：非阻塞的监听套接字返回 EAGAIN",
            ),
            _nobody_to_accept,
        ),
        Promise(
            "the_kernel_picks_the_port",
            Text("bind() to port 0 gives another port", "bind() 到端口 0 得到另一个端口"),
            _port_chosen,
        ),
        Promise(
            "quiet_with_a_connection",
            Text(
                'shutdown(SHUT_RD), send(b"") and recv() send nothing on an open connection',
                '在已建立的连接上，shutdown(SHUT_RD)、send(b"")、recv() 不发送任何报文',
            ),
            _quiet_connected,
        ),
        Promise(
            "shut_rd_throws_nothing_away",
            Text(
                "after SHUT_RD recv() returns 0 at once, and later the 10 octets that came since",
                "SHUT_RD 之后 recv() 立即返回 0；后来到达的 10 字节仍能读出",
            ),
            _still_readable,
        ),
    ),
    sources=("shutdown(2)", "bind(2)", "ip(7)", "udp(7)", "RFC 9293 section 3.9.1"),
)
