"""TLS 1.3 on TCP: what a round trip buys, and what an observer still reads."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from itertools import groupby, takewhile
from pathlib import Path

from msgspec import Struct

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.units import short_span
from services import stage
from services.tcp.tls.server import make_certificate

PORT = 12346
NAME = "greeting.example"
REQUEST, REPLY = b"what is the secret?", b"forty-two, but tell nobody"
HEADER = 5  # octets before each record: its kind, a version, its length (RFC 8446 section 5.1)
ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23  # kinds of records
CLIENT_HELLO, SERVER_HELLO = 1, 2  # types of handshake messages
CHOSE_1_3 = bytes.fromhex("002b 0002 0304")  # in a ServerHello: supported_versions, of 2 octets
ALERT_SIZE, NONCE, TAG = 2, 8, 16  # octets: an alert, and what a cipher adds; AES-GCM 1.2 a nonce
READY = ("C", APPLICATION_DATA)  # from this record on the client need not wait to send data


def server(*, version: str = "TLSv1_3") -> None:
    """Make a certificate, hand it to the client, answer one request over TLS."""
    context = make_context(version)
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()  # TCP is ready, TLS has not begun
    with context.wrap_socket(connection, server_side=True) as secured:
        secured.recv(1024)
        secured.sendall(REPLY)
        secured.recv(1024)  # b"": the client's close_notify
        secured.unwrap().recv(1024)  # our close_notify; and over plain TCP b"": the client's FIN


def make_context(version: str) -> ssl.SSLContext:
    """Return a server's context of one version of TLS, with a new certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder, "key.pem")
        try:
            make_certificate(NAME, published(), key)
        except SystemExit as error:
            stage.unavailable("a certificate for TLS", error)
        context.load_cert_chain(published(), key)
    return context


def published() -> Path:
    """Where the certificate lies, which both hosts can read; its key never gets there."""
    return Path(os.environ["LAB_STAGE"], "certificate.pem")


def client(server: str, *, version: str = "TLSv1_3") -> None:
    """Check the certificate and the name in it; ask, and believe only the right answer."""
    context = ssl.create_default_context(cafile=published())
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    connection = socket.create_connection((server, PORT))
    with context.wrap_socket(connection, server_hostname=NAME) as secured:
        secured.sendall(REQUEST)
        if secured.recv(1024) != REPLY:
            raise SystemExit("another reply")
        secured.unwrap()  # close_notify, and the server's in return


class Record(Struct, frozen=True):
    """One TLS record; in clear is only its header (RFC 8446 section 5.1)."""

    sender: str  # "C" or "S"
    kind: int
    body: bytes
    frame: int  # number of the frame in which it begins


def _records(evidence: Evidence, sender: str) -> list[Record]:
    """The records that one side sent."""
    octets, frames = _stream(evidence, sender)
    found, at = [], 0
    while at + HEADER <= len(octets):
        end = at + HEADER + int.from_bytes(octets[at + 3 : at + HEADER])
        found.append(Record(sender, octets[at], octets[at + HEADER : end], frames[at]))
        at = end
    return found


def _stream(evidence: Evidence, sender: str) -> tuple[bytes, list[int]]:
    """All octets that one side sent, each once, and for each the frame that carried it."""
    octets, frames = b"", list[int]()
    for one in segments(evidence, evidence.view.connections[0]):
        if one.sender == sender and one.length and one.sequence == len(octets) + 1:
            octets += frame(evidence.view.capture, one.number - 1).payload
            frames += [one.number] * one.length
    return octets, frames


def _hellos(evidence: Evidence) -> tuple[Record, Record]:
    """ClientHello and ServerHello; LookupError if a side sent nothing."""
    return _records(evidence, "C")[0], _records(evidence, "S")[0]


def _speaks(version: str) -> Promise:
    """Promise the version that the ServerHello chose."""

    def check(evidence: Evidence) -> Seen:
        asked, chosen = _hellos(evidence)
        hellos = (asked.kind, asked.body[0], chosen.kind, chosen.body[0])
        seen = "1.3" if CHOSE_1_3 in chosen.body else "1.2"
        kept = hellos == (HANDSHAKE, CLIENT_HELLO, HANDSHAKE, SERVER_HELLO) and seen == version
        return Seen(kept, same(f"TLS {seen}"), (asked.frame, chosen.frame))

    words = Text(
        "after the TCP handshake come ClientHello and ServerHello, and agree on TLS {version}",
        "TCP 握手之后是 ClientHello 和 ServerHello，商定 TLS {version}",
    )
    return Promise("version", words.fill(version=version), check)


def _waits_for(trips: int) -> Promise:
    """Promise how many flights of the server the client waits for before it may send data."""

    def check(evidence: Evidence) -> Seen:
        both = sorted(
            _records(evidence, "C") + _records(evidence, "S"), key=lambda record: record.frame
        )
        before = list(takewhile(lambda one: (one.sender, one.kind) != READY, both))
        flights = [name for name, _ in groupby(one.sender for one in before)]
        frames = tuple(dict.fromkeys(one.frame for one in both[: len(before) + 1]))
        words = Text("flights of the server: {n}", "服务器的应答轮次：{n}")
        kept = flights.count("S") == trips and len(before) < len(both)
        return Seen(kept, words.fill(n=flights.count("S")), frames)

    words = Text(
        "round trips of TLS before the client may send data: {trips}",
        "客户端可以发送数据之前，TLS 所用的往返次数：{trips}",
    )
    return Promise("round_trips", words.fill(trips=trips), check)


def _name_in_clear(evidence: Evidence) -> Seen:
    asked, _ = _hellos(evidence)
    at = asked.body.find(NAME.encode())
    words = Text(
        "{name} at octet {at} of the ClientHello", "{name} 位于 ClientHello 的第 {at} 字节"
    )
    return Seen(at > 0, words.fill(name=NAME, at=at), (asked.frame,))


def _certificate(*, readable: bool) -> Promise:
    """Promise whether the name in the server's certificate can be read on the wire."""

    def check(evidence: Evidence) -> Seen:
        octets, frames = _stream(evidence, "S")
        at = octets.find(NAME.encode())
        words = Text("{name} in {n} octets: {seen}", "{n} 字节中是否有 {name}：{seen}")
        seen = Text("readable", "可读") if at >= 0 else Text("not to be found", "找不到")
        told = words.fill(name=NAME, n=len(octets), seen=seen)
        return Seen((at >= 0) == readable and bool(octets), told, (frames[max(at, 0)],))

    words = (
        Text("the server's certificate can be read on the wire", "服务器证书在网络上可以读到")
        if readable
        else Text(
            "the server's certificate cannot be read: it is encrypted",
            "服务器证书读不到：它已加密",
        )
    )
    return Promise("certificate", words, check)


def _secret(evidence: Evidence) -> Seen:
    """The client has checked the reply (or its exit code tells): it was there, but not in clear."""
    octets = [_stream(evidence, sender)[0] for sender in "CS"]
    found = [word for word in (REQUEST, REPLY) if any(word in one for one in octets)]
    words = Text("{n} octets, {found} texts in them", "{n} 字节，其中找到 {found} 段明文")
    return Seen(not found and all(octets), words.fill(n=sum(map(len, octets)), found=len(found)))


def _goodbye(kind: int, *sizes: int) -> Promise:
    """Promise that the last record of each side is an alert, of that kind and one of the sizes."""

    def check(evidence: Evidence) -> Seen:
        last = [_records(evidence, sender)[-1] for sender in "CS"]
        words = Text("records of {a} and {b} octets", "{a} 字节与 {b} 字节的记录")
        told = words.fill(a=HEADER + len(last[0].body), b=HEADER + len(last[1].body))
        kept = all(one.kind == kind and len(one.body) in sizes for one in last)
        return Seen(kept, told, tuple(one.frame for one in last))

    words = Text(
        "each side ends with close_notify, encrypted as all data, before any FIN",
        "双方都先发 close_notify（与数据一样加密），之后才有 FIN",
    )
    return Promise("close_notify", words, check)


def _reply_waits(evidence: Evidence) -> Seen:
    """When the reply leaves, all that the server sent before it has been acknowledged."""
    seen = segments(evidence, evidence.view.connections[0])
    reply = _records(evidence, "S")[-2].frame
    sent = {one.number: one for one in seen}[reply]
    before = [one for one in seen if one.sender == "C" and one.time < sent.time]
    ticket = [one for one in seen if one.sender == "S" and one.length and one.time < sent.time][-1]
    words = Text(
        "the reply left {span} after the ticket before it", "应答在前一张会话票据之后 {span} 才发出"
    )
    kept = max(one.acknowledgment for one in before) == sent.sequence
    told = words.fill(span=short_span(sent.time - ticket.time))
    return Seen(kept, told, (ticket.number, before[-1].number, reply))


SCRIPT = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S [PSH],ACK  seq 1  ack 1
    ...
    C>S FIN,ACK
    S>C ACK              optional
    S>C FIN,ACK
    C>S ACK
"""

NAME_IN_CLEAR = Promise(
    "name_in_clear",
    Text(
        "the name of the server asked for is readable in the ClientHello",
        "ClientHello 中可以读到所访问的服务器名",
    ),
    _name_in_clear,
)
SECRET = Promise(
    "secret",
    Text("neither request nor reply is on the wire in clear", "请求和应答都没有以明文出现"),
    _secret,
)

SCENARIO = Scenario(
    id="tls13_handshake",
    title=Text("TLS 1.3 on TCP", "TCP 之上的 TLS 1.3"),
    group="tls",
    level=2,
    core=True,
    teaches=(
        Text(
            "First TCP opens, then TLS takes one round trip of its own; data goes with the client's "
            "Finished or right behind it",
            "先由 TCP 建立连接，TLS 再用一个往返；数据紧随客户端的 Finished 发出",
        ),
        Text(
            "An observer still sees addresses, ports, sizes, times, and in the ClientHello the "
            "server's name; the certificate is encrypted in TLS 1.3",
            "旁观者仍能看到地址、端口、长度和时间，以及 ClientHello 里的服务器名；"
            "TLS 1.3 的证书是加密的",
        ),
        Text(
            "close_notify says that the stream ends here; a FIN alone might be somebody cutting it short",
            "close_notify 表明数据到此结束；只有 FIN，则可能是有人中途截断",
        ),
        Text(
            "The server's session tickets are small segments. Nagle's algorithm may hold a short reply "
            "until the client's delayed ACK of them, about 40 ms; TCP_NODELAY avoids that",
            "服务器发出的会话票据是小报文段：Nagle 算法会扣住随后的短应答，直到客户端的延迟确认到来，"
            "约 40 毫秒；TCP_NODELAY 可避免",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(SCRIPT,),
    promises=(
        _speaks("1.3"),
        _waits_for(1),
        NAME_IN_CLEAR,
        _certificate(readable=False),
        SECRET,
        Promise(
            "reply_waits",
            Text(
                "the reply leaves only when the session ticket before it has been acknowledged",
                "前一张会话票据得到确认之后，应答才发出",
            ),
            _reply_waits,
        ),
        _goodbye(APPLICATION_DATA, ALERT_SIZE + 1 + TAG),
    ),
    variants={
        "tls12": {
            "title": Text("TLS 1.2: a round trip more", "TLS 1.2：多一个往返"),
            "teaches": (
                Text(
                    "TLS 1.2 takes two round trips before data, TLS 1.3 one",
                    "TLS 1.2 要两个往返才能发送数据，TLS 1.3 只要一个",
                ),
                Text(
                    "In TLS 1.2 anybody on the way can read the server's certificate",
                    "在 TLS 1.2 中，途中任何人都能读到服务器证书",
                ),
            ),
            "options": {host: {"version": "TLSv1_2"} for host in ("client", "server")},
            "promises": (
                _speaks("1.2"),
                _waits_for(2),
                NAME_IN_CLEAR,
                _certificate(readable=True),
                SECRET,
                _goodbye(ALERT, ALERT_SIZE + TAG, NONCE + ALERT_SIZE + TAG),
            ),
        }
    },
    sources=(
        "RFC 8446 section 2",
        "RFC 8446 section 6.1 (close_notify)",
        "RFC 6066 section 3 (server name)",
        "RFC 5246 section 7.3 (TLS 1.2)",
    ),
)
