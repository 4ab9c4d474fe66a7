"""Messages stick together: TCP keeps the order of octets, not the borders between sends."""

from __future__ import annotations

import socket
from collections.abc import Callable

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.tcp.model import Connection
from lab.text import Text
from lab.udp.model import Exchange
from lab.wire.rules import delay, packets
from services import waits

PORT = 12345
MESSAGES = (b"one, ", b"two, ", b"six, ", b"ten, ", b"done.")
TOTAL = 25  # octets of all of them


def server(*, size: int = 1024) -> None:
    """Be busy until everything has arrived, then read it, so many octets at most at a time."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            waits.until(lambda: waits.unread(connection) >= TOTAL)
            left = TOTAL
            while left:
                left -= len(connection.recv(size))


def client(server: str, *, together: bool = False) -> None:
    """Send the messages, one call each or all in one, and wait for the other side to close."""
    with socket.create_connection((server, PORT)) as connection:
        for message in (b"".join(MESSAGES),) if together else MESSAGES:
            connection.send(message)
        connection.recv(1024)  # b""


def udp_server() -> None:
    """Receive five datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))
        for _ in MESSAGES:
            receiver.recvfrom(1024)


def udp_client(server: str) -> None:
    """Send each message as a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for message in MESSAGES:
            sender.sendto(message, (server, PORT))


def _octets(evidence: Evidence, host: str, function: str) -> list[int]:
    """What each call of this name sent or received, but for an end of file."""
    calls = (call for call in evidence.calls[host] if call.function == function)
    return [call.octets for call in calls if call.octets]


def _counts(
    sent: list[int], received: list[int], sends: str = "send", receives: str = "recv"
) -> Callable[[Evidence], Seen]:
    """A check of what the calls sent and received; how many frames carried it is told beside it."""

    def check(evidence: Evidence) -> Seen:
        seen = _octets(evidence, "client", sends), _octets(evidence, "server", receives)
        lengths = evidence.view.capture.frames.payload_length
        flows: list[Connection | Exchange] = [*evidence.view.connections, *evidence.view.exchanges]
        rows = [int(row) for one in flows for row in one.rows if lengths[row]]
        words = Text(
            "{sends} {sent}, {frames} frame[|s] with data, {receives} {received}",
            "{sends} {sent}，{frames} 个带数据的帧，{receives} {received}",
        ).fill(sends=sends, sent=seen[0], frames=len(rows), receives=receives, received=seen[1])
        return Seen(seen == (sent, received), words, tuple(row + 1 for row in rows))

    return check


STUCK = Promise(
    "five_sends_one_recv",
    Text(
        "five send() of 5 octets are read by one recv()", "五次 send() 各 5 字节，一次 recv() 读完"
    ),
    _counts([5] * 5, [TOTAL]),
)
SPLIT = Promise(
    "one_send_three_recvs",
    Text(
        "one send() of 25 octets is read by three recv(10)",
        "一次 send() 的 25 字节，要三次 recv(10) 才读完",
    ),
    _counts([TOTAL], [10, 10, 5]),
)
KEPT_APART = Promise(
    "five_datagrams",
    Text(
        "five sendto() are five frames and five recvfrom()",
        "五次 sendto() 就是五个帧、五次 recvfrom()",
    ),
    _counts([5] * 5, [5] * 5, "sendto", "recvfrom"),
)
CLOSE = """
        S>C FIN,ACK  seq 1   ack 26
        ...
        C>S FIN,ACK  seq 26  ack 2
        S>C ACK      seq 2   ack 27
"""
OPEN = """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
"""

SCENARIO = Scenario(
    id="stream_coalesce",
    title=Text("Messages stick together", "粘包"),
    group="stream",
    core=True,
    teaches=(
        Text(
            "TCP has no message borders: five sends may be one recv, and one send may need several",
            "TCP 没有消息边界：五次 send 可能被一次 recv 读完，一次 send 也可能要多次 recv",
        ),
        Text(
            "The numbers of sends, of segments and of recvs are three different numbers",
            "send 的次数、报文段的个数、recv 的次数，是三个互不相干的数",
        ),
        Text(
            "Who needs messages marks them: a length before each, or a delimiter between them",
            "需要消息就得自己划界：在每条消息前写明长度，或用分隔符隔开",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(f"{OPEN}C>S PSH,ACK  seq 1  +5\n...{CLOSE}",),
    promises=(STUCK,),
    variants={
        "nagle": {
            "title": Text(
                "Nagle gathers what was sent piecemeal", "Nagle 算法把零散的数据攒在一起"
            ),
            "rules": (delay(packets(), ms=50),),
            "scripts": (
                f"""{OPEN}
                C>S PSH,ACK  seq 1  +5
                S>C ACK             ack 6
                C>S PSH,ACK  seq 6  +20
                ...
                {CLOSE}""",
            ),
        },
        "split": {
            "title": Text("One message, several reads", "一条消息分几次读"),
            "options": {"server": {"size": 10}, "client": {"together": True}},
            "scripts": (f"{OPEN}C>S PSH,ACK  seq 1  +25\n...{CLOSE}",),
            "promises": (SPLIT,),
        },
        "udp": {
            "title": Text("UDP keeps messages apart", "UDP 保留消息边界"),
            "roles": {"server": udp_server, "client": udp_client},
            "listens": {"server": (f"{PORT}/udp",)},
            "scripts": (),
            "promises": (KEPT_APART,),
        },
    },
    sources=("RFC 9293 section 2.2", "RFC 9293 section 3.7.4", "recv(2)"),
)
