"""Answers one message late: what recv(10) leaves behind is read as the next answer."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import waits

PORT = 1001
SIZE = 10  # octets that client and server read at most
FIRST, SECOND = b"what time is it, please?", b"thank you!"  # 24 and 10 octets


def server() -> None:
    """Echo, ten octets at a time, until the client has nothing more to say."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(SIZE):
                connection.sendall(data)


def client(server: str) -> None:
    """Ask twice, and take one recv(10) for the whole answer each time."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(FIRST)
        connection.recv(SIZE)
        # the rest of the echo is here, unread
        waits.until(lambda: waits.unread(connection) >= len(FIRST) - SIZE)
        connection.sendall(SECOND)
        connection.recv(SIZE)  # not the answer to the second question
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass


def silent_client(server: str) -> None:
    """Ask nothing at all, and wait for an answer, though not for ever."""
    with socket.create_connection((server, PORT)) as connection:
        connection.settimeout(0.3)
        connection.send(b"")
        try:
            connection.recv(SIZE)
        except TimeoutError:
            print("no answer", flush=True)


def _one_late(evidence: Evidence) -> Seen:
    """The second recv(10) returns octets 10 to 19 of the first echo."""
    calls = [call for call in evidence.calls["client"] if call.function == "recv"]
    answers = [bytes.fromhex(call.data) for call in calls[:2]]
    told = ", ".join(repr(answer.decode("utf-8", "replace")) for answer in answers)
    return Seen(answers == [FIRST[:SIZE], FIRST[SIZE : 2 * SIZE]], same(told))


def _nothing_sent(evidence: Evidence) -> Seen:
    """send(b"") returns 0 and makes no frame; client and server are both left in recv()."""
    calls = [call for call in evidence.calls["client"] if call.function in ("send", "recv")]
    lengths = evidence.view.capture.frames.payload_length
    frames = [int(row) for one in evidence.view.connections for row in one.rows if lengths[row]]
    seen = [(call.function, call.octets, call.error) for call in calls]
    words = Text(
        "{calls}; {frames} segment[|s] with data", "{calls}；带数据的报文段 {frames} 个"
    ).fill(
        calls=", ".join(f"{name}: {error or octets}" for name, octets, error in seen),
        frames=len(frames),
    )
    return Seen(seen == [("send", 0, ""), ("recv", None, "TimeoutError")] and not frames, words)


SCENARIO = Scenario(
    id="stale_echo",
    title=Text("Answers one message late", "应答错位"),
    group="stream",
    level=2,
    core=True,
    teaches=(
        Text(
            "recv(10) of a 24-octet answer leaves 14 octets: they answer the next question",
            "24 字节的应答只用 recv(10) 读一次，会剩下 14 字节：它们成了下一个问题的答案",
        ),
        Text(
            "Once out of step, such a conversation stays so: nothing in the stream marks an answer",
            "一旦错位，之后便一直错位：字节流中没有任何东西标明一条应答的起止",
        ),
        Text(
            'send(b"") sends nothing: no segment leaves, and both sides wait in recv()',
            'send(b"") 什么也不发送：没有报文段发出，双方都在 recv() 中等待',
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1   +24
        S>C ACK              ack 25  optional
        S>C PSH,ACK  seq 1   +10
        ...
        C>S PSH,ACK  seq 25  +10
        ...
        C>S FIN,ACK  seq 35
        ...
        C>S ACK      seq 36  ack 36
        """,
    ),
    promises=(
        Promise(
            "second_answer_is_the_first",
            Text(
                "the second recv(10) returns more of the first answer",
                "第二次 recv(10) 读到的仍是第一条应答",
            ),
            _one_late,
        ),
    ),
    variants={
        "empty": {
            "title": Text("An empty message is no message", "空消息不是消息"),
            "roles": {"server": server, "client": silent_client},
            "scripts": (
                """
                C>S SYN
                S>C SYN,ACK
                C>S ACK
                C>S FIN,ACK  seq 1
                S>C ACK              ack 2  optional
                S>C FIN,ACK  seq 1
                C>S ACK      seq 2   ack 2
                """,
            ),
            "promises": (
                Promise(
                    "empty_send",
                    Text(
                        'send(b"") succeeds, and nothing goes out: recv() waits in vain',
                        'send(b"") 成功，却没有任何数据发出：recv() 空等一场',
                    ),
                    _nothing_sent,
                ),
            ),
        },
    },
    sources=("RFC 9293 section 2.2", "recv(2)"),
)
