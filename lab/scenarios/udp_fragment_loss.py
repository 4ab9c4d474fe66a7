"""One fragment is lost: the others wait for it in vain, and the whole datagram is gone."""

from __future__ import annotations

import socket

import numpy as np

from lab.evidence.run import Evidence, View
from lab.packets.frames import Protocol
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, counted, outcome
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import drop, fragment
from services import stage

PORT = 12345
SIZE = 4_000  # octets: three packets
OFFSETS = (0, 1_480, 2_960)  # of the fragments, in octets; 1480 is the most behind an IP header
PATIENCE = 1  # seconds for which fragments wait for the others; Linux's own value is 30
IP_RECVERR = 11  # linux/in.h; Python has no name for it
TIME_EXCEEDED, OF_REASSEMBLY = 11, 1  # ICMP type and code


def server() -> None:
    """Look for the datagram once the client's host has heard that it is lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))
        stage.wait("told")
        try:
            receiver.recvfrom(SIZE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            print("nothing to read", flush=True)


def client(server: str) -> None:
    """Send a datagram; once the host was told of its loss, ask whether the socket was, too."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as witness,
    ):
        sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)  # "tell me of every ICMP error"
        sender.sendto(bytes(SIZE), (server, PORT))  # 4000: it has left, that is all this says
        while witness.recv(SIZE)[20] != TIME_EXCEEDED:  # behind the IP header: the ICMP type
            pass
        try:
            sender.recvfrom(SIZE, socket.MSG_DONTWAIT)
        except BlockingIOError:  # no error either
            print("the socket was told nothing", flush=True)
        stage.say("told")


def _fragments(view: View) -> list[Frame]:
    """The packets of a view that are part of a datagram, not all of it."""
    capture = view.capture
    wanted = np.isin(capture.frames.protocol, (Protocol.UDP, Protocol.FRAGMENT))
    return [frame(capture, int(row)) for row in np.flatnonzero(wanted)]


def _offsets(view: View) -> tuple[int, ...]:
    return tuple(one.ip.fragment_offset for one in _fragments(view) if one.ip)


def _three_leave_two_arrive(evidence: Evidence) -> Seen:
    sent, arrived = (_offsets(view) for view in evidence.views)
    names = {one.ip.identification for one in _fragments(evidence.view) if one.ip}
    kept = sent == OFFSETS and arrived == OFFSETS[::2] and len(names) == 1
    words = Text("offsets sent {s}; arrived {a}", "发出的偏移 {s}；到达的偏移 {a}")
    told = words.fill(s=", ".join(map(str, sent)), a=", ".join(map(str, arrived)))
    return Seen(kept, told, tuple(one.number for one in _fragments(evidence.view)))


def _only_the_first_has_ports(evidence: Evidence) -> Seen:
    """Whoever looks at a later fragment alone, a firewall say, cannot tell where it goes."""
    ports = [one.destination.port if one.destination else 0 for one in _fragments(evidence.view)]
    told = ", ".join(str(port or "-") for port in ports)
    frames = tuple(one.number for one in _fragments(evidence.view)[:1])
    return Seen(ports == [PORT, 0, 0], same(told), frames)


def _time_exceeded(evidence: Evidence) -> Seen:
    """ICMP 11/1 comes when the fragments have waited, and quotes the one with the UDP header."""
    capture = evidence.view.capture
    rows = np.flatnonzero(capture.frames.protocol == Protocol.ICMP)
    first = _fragments(evidence.view)[0]
    for answer in (frame(capture, int(row)) for row in rows):
        waited, icmp = answer.time - first.time, answer.icmp
        if icmp and icmp.quoted and (icmp.type, icmp.code) == (TIME_EXCEEDED, OF_REASSEMBLY):
            kept = waited >= PATIENCE * 1_000_000_000 and icmp.quoted.source == first.source
            words = Text("ICMP 11/1 after {span}", "{span} 之后收到 ICMP 11/1")
            return Seen(kept, words.fill(span=short_span(waited)), (first.number, answer.number))
    return Seen(False, Text("no ICMP 11/1", "没有 ICMP 11/1"))


def _nothing_delivered(evidence: Evidence) -> Seen:
    """Both programs find neither data nor an error, though the client's host has the report."""
    client = [outcome(call) for call in called(evidence, "client", "sendto", "recvfrom")]
    server = [outcome(call) for call in called(evidence, "server", "recvfrom")]
    words = Text(
        "client: sendto, recvfrom: {c}; server: recvfrom: {s}",
        "客户端 sendto、recvfrom：{c}；服务器 recvfrom：{s}",
    )
    kept = (client, server) == (["ok", "EAGAIN"], ["EAGAIN"])
    return Seen(kept, words.fill(c=", ".join(client), s=", ".join(server)))


SCENARIO = Scenario(
    id="udp_fragment_loss",
    title=Text("One fragment lost", "丢失一个分片"),
    group="udp",
    level=3,
    teaches=(
        Text(
            "A datagram of 4000 octets travels as three fragments; only the first has the UDP header",
            "4000 字节的数据报分成三个分片传送，只有第一个带 UDP 首部",
        ),
        Text(
            "IP does not repeat fragments. One that is lost takes the whole datagram with it, so a loss "
            "of 1 % costs almost 3 % of such datagrams",
            "IP 不会重传分片：丢一个就丢掉整个数据报，1% 的丢包率会使这样的数据报损失近 3%",
        ),
        Text(
            "The receiver's kernel keeps the others for a while (Linux: 30 s, here 1 s). Then it gives up"
            " and says so: ICMP time exceeded, code 1",
            "接收方内核把其余分片保留一段时间（Linux 默认 30 秒，这里为 1 秒），然后放弃，"
            "并以 ICMP 超时（code 1）告知",
        ),
        Text(
            "Neither program learns of it: Linux passes this ICMP error on to no UDP socket, not even "
            "with IP_RECVERR. Whoever needs the data must notice by a timeout that no answer comes",
            "两端程序都不会得知：Linux 不把这种 ICMP 差错交给 UDP 套接字，设置 IP_RECVERR 也不例外；"
            "需要数据的一方只能靠超时发现没有应答",
        ),
    ),
    topology=Topology(
        (
            Host("client", capabilities=("NET_RAW",)),  # to see the ICMP message arrive
            Host("server", sysctls={"net.ipv4.ipfrag_time": str(PATIENCE)}),
        )
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/udp",)},
    rules=(drop(fragment("client", offset=OFFSETS[1])),),
    promises=(
        Promise(
            "three_leave_two_arrive",
            Text(
                "three fragments of one packet leave, the middle one does not arrive",
                "同一个包的三个分片发出，中间一个没有到达",
            ),
            _three_leave_two_arrive,
        ),
        Promise(
            "only_the_first_has_ports",
            Text("only the first fragment tells the ports", "只有第一个分片带有端口号"),
            _only_the_first_has_ports,
        ),
        Promise(
            "time_exceeded",
            Text(
                "the server reports it after the time that fragments may wait, not before",
                "等满分片保留时间后服务器才报告，不会提前",
            ),
            _time_exceeded,
        ),
        Promise(
            "nothing_delivered",
            Text(
                "nothing is delivered, and neither program gets an error",
                "没有交付任何数据，两端程序也都没有得到错误",
            ),
            _nothing_delivered,
        ),
        counted(
            "given_up",
            Text("the server's kernel gives up one packet", "服务器内核放弃了一个包"),
            *("server", "Ip.ReasmTimeout", 1, 1),
        ),
    ),
    background=True,
    sources=("RFC 791 section 3.2", "RFC 792", "RFC 8900", "ip(7) IP_RECVERR, ipfrag_time"),
)
