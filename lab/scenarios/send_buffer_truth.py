"""What send() promises: that the kernel has a copy, no more."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.wire.rules import data, drop, span
from services import stage, waits

PORT = 12345
REQUEST, REPLY = b"hello", b"ok"
OFFERED = 1_000_000  # octets


def server() -> None:
    """Answer the first client; read all that the second sends, once it has sent."""
    with socket.create_server(("", PORT)) as listener:
        with listener.accept()[0] as connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(1024)  # b""
        with listener.accept()[0] as connection:
            stage.wait("offered")
            while connection.recv(1 << 20):
                pass


def client(server: str) -> None:
    """Send into a path that is cut; then offer more than the send buffer holds."""
    with socket.create_connection((server, PORT)) as connection:
        connection.send(REQUEST)
        print("Send-Q", waits.unacknowledged(connection), flush=True)
        connection.recv(1024)
        print("Send-Q", waits.unacknowledged(connection), flush=True)
    with socket.create_connection((server, PORT)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        connection.setblocking(False)
        taken = connection.send(bytes(OFFERED))
        print(taken, "of", OFFERED, "octets taken", flush=True)
        stage.say("offered")


def _returns_before_the_ack(evidence: Evidence) -> Seen:
    """send() returned all 5 octets before the server acknowledged any of them."""
    sent = next(call for call in evidence.calls["client"] if call.function == "send")
    connection, frames = evidence.view.connections[0], evidence.view.capture.frames
    answers = [
        int(row)
        for row, from_client in zip(connection.rows, connection.from_client, strict=True)
        if not from_client and frames.time[row] > sent.before
    ]
    if not answers:
        return Seen(False, Text("nothing came back", "没有任何回应"))
    early = int(frames.time[answers[0]]) - sent.after
    words = Text("send = {n}, {ms} ms before the ACK", "send = {n}，比 ACK 早 {ms} 毫秒")
    told = words.fill(n=sent.result, ms=early // 1_000_000)
    return Seen(sent.result == len(REQUEST) and early > 0, told, (answers[0] + 1,))


def _takes_a_part(evidence: Evidence) -> Seen:
    """The second send() took a part, and just that part arrived."""
    sends = [call.octets or 0 for call in evidence.calls["client"] if call.function == "send"]
    reads = [call.octets or 0 for call in evidence.calls["server"] if call.function == "recv"]
    taken, arrived = sends[-1], sum(reads) - len(REQUEST)
    return Seen(0 < taken < OFFERED and arrived == taken, same(f"{OFFERED} → {taken} → {arrived}"))


SCENARIO = Scenario(
    id="send_buffer_truth",
    title=Text("What send() promises", "send 返回意味着什么"),
    group="errors",
    core=True,
    teaches=(
        Text(
            "send() returns once the kernel has a copy; whether anything arrived it does not say",
            "数据一旦复制到内核，send() 就返回；它并不说明对方是否收到",
        ),
        Text(
            "Octets not yet acknowledged stay in Send-Q, and the kernel repeats them by itself",
            "尚未被确认的字节留在 Send-Q 中，由内核自行重传",
        ),
        Text(
            "A non-blocking send() takes what the kernel has room for: "
            "its result may be less than was offered",
            "非阻塞的 send() 只收下内核当时放得下的部分：返回值可能小于所给的长度",
        ),
        Text(
            "SO_SNDBUF is no exact limit: Linux doubles it, counts its own overhead, and looks "
            "only before it begins a new buffer",
            "SO_SNDBUF 不是精确的上限：Linux 会将其加倍，把自身开销计算在内，"
            "而且只在启用新的缓冲块之前检查",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(data(sender="client"), nth=span(1, 2)),),
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +5  ack 1  lost
        C>S PSH,ACK  seq 1  +5  ack 1  lost
        C>S PSH,ACK  seq 1  +5  ack 1
        S>C ACK      seq 1      ack 6  optional
        S>C PSH,ACK  seq 1  +2  ack 6
        C>S ACK      seq 6      ack 3  optional
        C>S FIN,ACK  seq 6      ack 3
        S>C ACK      seq 3      ack 7  optional
        S>C FIN,ACK  seq 3      ack 7
        C>S ACK      seq 7      ack 4
        """,
    ),
    promises=(
        Promise(
            "send_does_not_wait",
            Text(
                "send() returns 5 while the path is cut, before any ACK",
                "路径中断时 send() 照样返回 5，早于任何 ACK",
            ),
            _returns_before_the_ack,
        ),
        Promise(
            "send_takes_a_part",
            Text(
                "of 1,000,000 octets offered a part is taken, and that part arrives",
                "给出 1 000 000 字节，内核只收下一部分，而这一部分全部到达",
            ),
            _takes_a_part,
        ),
    ),
    sources=("send(2)", "tcp(7) SIOCOUTQ", "socket(7) SO_SNDBUF", "RFC 9293 section 3.9.1"),
)
