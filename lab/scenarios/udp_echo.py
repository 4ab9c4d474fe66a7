"""UDP request and reply: two datagrams, and nothing before, between or after them."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.wire.rules import datagram, drop

PORT = 21567
TYPED = ("hello", "again", "exit", "too late")


def server(*, datagrams: int = 1) -> None:
    """Answer each datagram with the time before its text."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))
        for _ in range(datagrams):
            data, sender = receiver.recvfrom(1024)
            receiver.sendto(f"[{time.ctime()}] ".encode() + data, sender)


def client(server: str, *, words: Sequence[str] = ("hello",), patience: float = 10.0) -> None:
    """Send each word up to "exit", and wait for its answer, though not for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(patience)
        for word in words:
            if word == "exit":
                break
            sender.sendto(word.encode(), (server, PORT))
            try:
                sender.recvfrom(1024)
            except TimeoutError:
                print("no answer", flush=True)


def _two_datagrams(evidence: Evidence) -> Seen:
    """One each way; the second is the first with a time before it."""
    capture = evidence.view.capture
    rows = [int(row) for one in evidence.view.exchanges for row in one.rows]
    texts = [frame(capture, row).payload for row in rows]
    kept = len(texts) == 2 and texts[1].startswith(b"[") and texts[1].endswith(b"] " + texts[0])
    shown = " → ".join(repr(text.decode("utf-8", "replace")) for text in texts)
    return Seen(kept, same(shown or "0"), tuple(row + 1 for row in rows))


def _headers(evidence: Evidence) -> Seen:
    """The length field of each datagram counts its own eight octets (RFC 768)."""
    frames = evidence.view.capture.frames
    rows = [int(row) for one in evidence.view.exchanges for row in one.rows]
    starts = [int(frames.transport[row]) + 4 for row in rows]
    fields = [int.from_bytes(frames.octets[at : at + 2].tobytes(), "big") for at in starts]
    payloads = [int(frames.payload_length[row]) for row in rows]
    kept = bool(rows) and fields == [8 + length for length in payloads]
    sums = ", ".join(f"{field} = 8 + {n}" for field, n in zip(fields, payloads, strict=True))
    return Seen(kept, same(sums), tuple(row + 1 for row in rows))


def _ephemeral_port(evidence: Evidence) -> Seen:
    """The client never calls bind(): the kernel picks a port when it first sends."""
    calls = {call.function: call for call in evidence.calls["client"]}
    ports = [one.client.port for one in evidence.view.exchanges]
    local = calls["sendto"].local
    kept = "bind" not in calls and calls["socket"].local is None
    kept = kept and isinstance(local, list) and local[1:] == ports
    words = Text(
        "after socket(): none; after sendto(): {port}", "socket() 之后：无；sendto() 之后：{port}"
    )
    return Seen(kept, words.fill(port=", ".join(map(str, ports))))


def _unanswered(evidence: Evidence) -> Seen:
    """Both sendto() succeed, and recvfrom() times out all the same."""
    sent = [
        call.error for host in evidence.calls.values() for call in host if call.function == "sendto"
    ]
    waited = [call.error for call in evidence.calls["client"] if call.function == "recvfrom"]
    words = Text("sendto: {sent}; recvfrom: {waited}", "sendto：{sent}；recvfrom：{waited}")
    outcomes = ", ".join(error or "ok" for error in sent)
    return Seen(
        sent == ["", ""] and waited == ["TimeoutError"],
        words.fill(sent=outcomes, waited=", ".join(waited)),
    )


def _exit_is_not_sent(evidence: Evidence) -> Seen:
    """What comes before the word is sent and answered; the word itself is for the program."""
    sent = [bytes.fromhex(call.data).decode() for call in evidence.calls["client"] if call.data]
    words = [word for word in sent if not word.startswith("[")]
    datagrams = [one.datagrams for one in evidence.view.exchanges]
    told = Text("sent: {words}", "已发送：{words}").fill(words=", ".join(words))
    return Seen(words == ["hello", "again"] and datagrams == [(2, 2)], told)


HEADERS = Promise(
    "length_counts_the_header",
    Text("UDP's length field counts header and data", "UDP 的长度字段包含首部与数据"),
    _headers,
)
EPHEMERAL = Promise(
    "ephemeral_port",
    Text("sendto() gives the client its port", "客户端的端口在 sendto() 时才由内核选定"),
    _ephemeral_port,
)

SCENARIO = Scenario(
    id="udp_echo",
    title=Text("UDP request and reply", "UDP 请求与应答"),
    group="udp",
    core=True,
    teaches=(
        Text(
            "No handshake and no close: two datagrams are the whole exchange",
            "没有握手，也没有挥手：两个数据报就是全部交互",
        ),
        Text(
            "Without bind() the kernel picks an ephemeral port when the first datagram is sent",
            "不调用 bind() 时，发送第一个数据报的那一刻内核才选定临时端口",
        ),
        Text(
            "The header is eight octets: two ports, a length that counts the header too, a checksum",
            "首部只有 8 字节：两个端口、包含首部在内的长度、校验和",
        ),
        Text(
            "A lost datagram is nobody's error: without a timeout recvfrom() would wait for ever",
            "数据报丢失不会报错：不设超时，recvfrom() 会永远等下去",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/udp",)},
    promises=(
        Promise(
            "two_datagrams",
            Text(
                "one datagram asks, one answers with the time before the text",
                "一个数据报提问，一个数据报在原文前加上时间作答",
            ),
            _two_datagrams,
        ),
        HEADERS,
        EPHEMERAL,
    ),
    variants={
        "lost_reply": {
            "title": Text("UDP: the reply is lost", "UDP：应答丢失"),
            "rules": (drop(datagram(sender="server")),),
            "options": {"client": {"patience": 0.3}},
            "promises": (
                Promise(
                    "nobody_is_told",
                    Text(
                        "each sendto() succeeds, yet recvfrom() times out",
                        "两次 sendto() 都成功，recvfrom() 却超时",
                    ),
                    _unanswered,
                ),
                EPHEMERAL,
            ),
        },
        "exit_word": {
            "title": Text("UDP: the word exit ends the sender", "UDP：输入 exit 结束发送方"),
            "options": {"server": {"datagrams": 2}, "client": {"words": TYPED}},
            "promises": (
                Promise(
                    "exit_is_not_sent",
                    Text(
                        "the word exit ends the client and leaves no frame: the server cannot know",
                        "exit 结束客户端而不产生任何帧：服务器无从得知",
                    ),
                    _exit_is_not_sent,
                ),
                HEADERS,
                EPHEMERAL,
            ),
        },
    },
    sources=("RFC 768", "udp(7)"),
)
