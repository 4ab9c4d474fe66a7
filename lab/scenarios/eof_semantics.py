"""What an empty read means, and what it does not: end of stream, timeout and reset."""

from __future__ import annotations

import select
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same

PORT, UDP_PORT = 12345, 21567
REQUEST = b"anybody?"  # 8 octets


def server() -> None:
    """Answer nobody: close after reading, stay silent, close without reading."""
    with socket.create_server(("", PORT)) as listener:
        with listener.accept()[0] as connection:
            connection.recv(1024)
        with listener.accept()[0] as connection:
            while connection.recv(1024):
                pass  # silent for as long as the client is there
        with listener.accept()[0] as connection:
            select.select([connection], [], [])


def client(server: str) -> None:
    """Ask three times; have patience without end, for 0.1 s, and without end."""
    for patience in (None, 0.1, None):
        with socket.create_connection((server, PORT)) as connection:
            connection.sendall(REQUEST)
            connection.settimeout(patience)
            try:
                print(connection.recv(1024), flush=True)
            except (TimeoutError, ConnectionResetError) as error:
                print(repr(error), flush=True)


def server_once() -> None:
    """Read a request, and close."""
    with socket.create_server(("", PORT)) as listener, listener.accept()[0] as connection:
        connection.recv(1024)


def client_after_close(server: str) -> None:
    """Ask, read to the end of the stream, close, and read again."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(REQUEST)
        connection.recv(1024)
    try:
        connection.recv(1024)
    except OSError as error:
        print(error, flush=True)


def udp_server() -> None:
    """Answer an empty datagram with an empty datagram."""
    with socket.socket(type=socket.SOCK_DGRAM) as endpoint:
        endpoint.bind(("", UDP_PORT))
        data, address = endpoint.recvfrom(1024)
        endpoint.sendto(data, address)


def udp_client(server: str) -> None:
    """Send an empty datagram, and wait for the answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as endpoint:
        endpoint.sendto(b"", (server, UDP_PORT))
        print(endpoint.recvfrom(1024), flush=True)


def _received(evidence: Evidence) -> list[str]:
    """What each recv() of the client gave: a number of octets, or an error."""
    reads = [call for call in evidence.calls["client"] if call.function == "recv"]
    return [call.error or str(call.octets) for call in reads]


def _three_outcomes(evidence: Evidence) -> Seen:
    received = _received(evidence)
    kept = received == ["0", "TimeoutError", "ECONNRESET"]
    return Seen(kept, same(f"recv: {', '.join(received)}"))


def _bad_descriptor(evidence: Evidence) -> Seen:
    received = _received(evidence)
    return Seen(received == ["0", "EBADF"], same(f"recv: {', '.join(received)}"))


def _real_message(evidence: Evidence) -> Seen:
    """Both hosts got 0 octets, and with them the address of the sender."""
    reads = [
        next((call for call in evidence.calls[host] if call.function == "recvfrom"), None)
        for host in ("server", "client")
    ]
    kept = all(read is not None and read.octets == 0 and read.peer for read in reads)
    shown = ", ".join(f"{read.octets} ← {_place(read.peer)}" for read in reads if read)
    return Seen(kept, same(f"recvfrom: {shown}"))


def _place(peer: object) -> str:
    return ":".join(map(str, peer)) if isinstance(peer, list) else "?"


def _empty_datagrams(evidence: Evidence) -> Seen:
    rows = [int(row) for one in evidence.view.exchanges for row in one.rows]
    lengths = evidence.view.capture.frames.payload_length[rows].tolist()
    words = Text("datagrams of {what} octets", "数据报的长度：{what} 字节")
    return Seen(
        lengths == [0, 0],
        words.fill(what=", ".join(map(str, lengths))),
        tuple(row + 1 for row in rows),
    )


END_OF_STREAM = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S PSH,ACK  seq 1  +8
    S>C ACK      seq 1      ack 9   optional
    S>C FIN,ACK  seq 1      ack 9
    C>S ACK      seq 9      ack 2   optional
    C>S FIN,ACK  seq 9      ack 2
    S>C ACK      seq 2      ack 10
    """

SCENARIO = Scenario(
    id="eof_semantics",
    title=Text("Meanings of an empty read", "空读的含义"),
    group="errors",
    teaches=(
        Text(
            'recv() returns b"" when the peer has finished sending; it is not an empty message',
            'recv() 返回 b"" 表示对端已结束发送，并不是收到了一条空消息',
        ),
        Text(
            "End of stream, timeout and reset are three outcomes: "
            "a FIN came, nothing came, a RST came",
            "流结束、超时与复位是三种不同的结果：收到了 FIN、什么也没收到、收到了 RST",
        ),
        Text(
            'In UDP an empty datagram is a real message: recvfrom() gives b"" and its sender',
            'UDP 的空数据报是真实的消息：recvfrom() 返回 b"" 以及发送方地址',
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        END_OF_STREAM,
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +8
        S>C ACK      seq 1      ack 9   optional
        C>S FIN,ACK  seq 9      ack 1
        S>C ACK      seq 1      ack 10  optional
        S>C FIN,ACK  seq 1      ack 10
        C>S ACK      seq 10     ack 2
        """,
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +8
        S>C ACK      seq 1      ack 9   optional
        S>C RST,ACK  seq 1      ack 9
        """,
    ),
    promises=(
        Promise(
            "three_outcomes",
            Text(
                'the client\'s recv() returns b"", then times out, then fails with ECONNRESET',
                '客户端的 recv() 依次返回 b""、超时、以 ECONNRESET 失败',
            ),
            _three_outcomes,
        ),
    ),
    variants={
        "ebadf": {
            "roles": {"server": server_once, "client": client_after_close},
            "scripts": (END_OF_STREAM,),
            "promises": (
                Promise(
                    "reading_after_close_fails",
                    Text(
                        "recv() after the client's own close() fails locally with EBADF",
                        "客户端自己 close() 之后，recv() 在本地以 EBADF 失败",
                    ),
                    _bad_descriptor,
                ),
            ),
        },
        "zero_datagram": {
            "roles": {"server": udp_server, "client": udp_client},
            "listens": {"server": (f"{UDP_PORT}/udp",)},
            "scripts": (),
            "promises": (
                Promise(
                    "an_empty_datagram_arrives",
                    Text(
                        'recvfrom() returns b"" and the address of the sender',
                        'recvfrom() 返回 b"" 和发送方的地址',
                    ),
                    _real_message,
                ),
                Promise(
                    "datagrams_without_data",
                    Text("two datagrams, both without data", "两个数据报，均不携带数据"),
                    _empty_datagrams,
                ),
            ),
        },
    },
    sources=("recv(2)", "RFC 9293 section 3.10.4", "RFC 768"),
)
