"""Path MTU discovery: a router that cannot forward a full segment says how large one may be."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence, View
from lab.packets.frames import Protocol
from lab.packets.rows import Frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, counted, frames
from lab.tcp.segments import Segment, distance, segments
from lab.text import Text, same
from lab.topology import Host, Router, Topology

PORT = 12345
SIZE = 4000  # octets: more than two full segments
WIDE, NARROW = 1500, 1300  # octets: the MTU of all links, and of the one that leads to the server
HEADERS = 20 + 20 + 12  # octets: IPv4, TCP, and its timestamps with two NOPs
IP_MTU = 14  # ip(7): the path's MTU as the kernel knows it
UNREACHABLE, TOO_LONG = 3, 4  # ICMP type and code: fragmentation needed and DF set


def server() -> None:
    """Read all 4000 octets."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(SIZE, socket.MSG_WAITALL)


def client(server: str) -> None:
    """Send 4000 octets, and ask the kernel before and after for the path's MTU."""
    with socket.create_connection((server, PORT)) as connection:
        connection.getsockopt(socket.IPPROTO_IP, IP_MTU)
        connection.sendall(bytes(SIZE))
        connection.recv(1024)  # b"": the server has everything
        connection.getsockopt(socket.IPPROTO_IP, IP_MTU)


def _data(view: View) -> list[Frame]:
    """The segments with data; only the client sends any."""
    return [one for one in frames(view) if one.tcp and one.payload_length]


def _errors(view: View) -> list[Frame]:
    return [
        one
        for one in frames(view)
        if one.icmp and (one.icmp.type, one.icmp.code) == (UNREACHABLE, TOO_LONG)
    ]


def _not_to_be_cut(evidence: Evidence) -> Seen:
    sent = _data(evidence.view)
    held = [one for one in sent if one.ip and one.ip.dont_fragment]
    words = Text("{n} of {all} segments with data", "{all} 个带数据的报文段中有 {n} 个")
    told = words.fill(n=len(held), all=len(sent))
    return Seen(held == sent != [], told, tuple(one.number for one in held))


def _router_tells(evidence: Evidence) -> Seen:
    """Each error comes from neither host, quotes the client's segment, and names the next MTU."""
    hosts = {address for host in evidence.manifest.hosts for address in host.addresses}
    errors = _errors(evidence.view)
    told = [
        (one.ip.source, one.icmp.rest & 0xFFFF, one.icmp.quoted.protocol)
        for one in errors
        if one.ip and one.icmp and one.icmp.quoted
    ]
    kept = bool(told) and len(told) == len(errors)
    kept &= all(
        (mtu, quoted) == (NARROW, Protocol.TCP) and source not in hosts
        for source, mtu, quoted in told
    )
    words = same(" · ".join(f"{source}: mtu {mtu}" for source, mtu, _ in told))
    return Seen(kept, words, tuple(one.number for one in errors))


def _shorter_when_repeated(evidence: Evidence) -> Seen:
    """Full segments of the first link at first, of the narrow one when the octets are sent again."""
    connection = evidence.view.connections[0]
    every = segments(evidence.view.capture.frames, connection.rows, connection.from_client)
    sent = [one for one in every if one.length]
    new: list[Segment] = []
    again: list[Segment] = []
    until = sent[0].sequence
    for one in sent:
        (again if distance(one.sequence, until) < 0 else new).append(one)
        until = max(until, one.end, key=lambda number: distance(number, sent[0].sequence))
    longest = [max((one.length for one in part), default=0) for part in (new, again)]
    words = Text("{new} octets, then {again}", "先 {new} 字节，后 {again} 字节")
    told = words.fill(new=longest[0], again=longest[1])
    frames = tuple(one.frame for one in sent if one.length in longest)
    return Seen(longest == [WIDE - HEADERS, NARROW - HEADERS], told, frames)


def _kernel_learns(evidence: Evidence) -> Seen:
    known = [call.result for call in called(evidence, "client", "getsockopt")]
    return Seen(known == [WIDE, NARROW], same(f"IP_MTU: {' → '.join(map(str, known))}"))


def _only_the_long_are_lost(evidence: Evidence) -> Seen:
    """A router changes link addresses and TTL, so the two captures are compared from TCP on."""
    near, far = ({_tcp_of(one): one for one in frames(view) if one.tcp} for view in evidence.views)
    lost = [one for octets, one in near.items() if octets not in far]
    long = [one for one in near.values() if one.ip and one.ip.length > NARROW]
    words = Text("lost on the way: packets of {n} octets", "途中丢失：长 {n} 字节的 IP 包")
    told = words.fill(n=", ".join(str(one.ip.length) for one in lost if one.ip))
    kept = lost == long != [] and far.keys() <= near.keys()
    return Seen(kept, told, tuple(one.number for one in lost))


def _tcp_of(one: Frame) -> bytes:
    """A packet from its TCP header on."""
    return one.octets[-(one.ip.length - one.ip.size) :] if one.ip else b""


SCENARIO = Scenario(
    id="pmtud",
    title=Text("Path MTU discovery", "路径 MTU 发现"),
    group="mtu",
    level=2,
    core=True,
    teaches=(
        Text(
            "The MSS speaks for the two ends only: both announce 1460, though a link between them "
            "takes packets of 1300 octets",
            "MSS 只代表两端：双方都通告 1460，而途中某段链路只能通过 1300 字节的 IP 包",
        ),
        Text(
            "TCP sets DF, so the router may not cut the packet up. It drops it and answers with ICMP type"
            " 3 code 4, which names the MTU of the next link",
            "TCP 设置 DF，路由器不得分片，只能丢弃，并以 ICMP 类型 3 代码 4 应答，"
            "其中给出下一段链路的 MTU",
        ),
        Text(
            "The sender cuts the same octets anew, into smaller segments, within one round trip: "
            "no timer has to run out, and no program notices",
            "发送方在一个往返之内把同样的数据重新切成更小的报文段：不必等待定时器，程序也毫无察觉",
        ),
        Text(
            "The kernel remembers the path's MTU for that destination (10 minutes): later "
            "connections begin with it",
            "内核会为该目的地址记住路径 MTU（10 分钟），之后的连接一开始就采用它",
        ),
    ),
    topology=Topology(
        (Host("client"), Host("server", segment=2)), mtu=WIDE, routers=(Router(mtus={2: NARROW}),)
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    promises=(
        Promise(
            "not_to_be_cut",
            Text("every segment with data has DF set", "每个带数据的报文段都设置了 DF"),
            _not_to_be_cut,
        ),
        Promise(
            "router_tells",
            Text(
                "the router answers: fragmentation needed, next MTU {n}",
                "路由器应答：需要分片，下一跳 MTU 为 {n}",
            ).fill(n=NARROW),
            _router_tells,
        ),
        Promise(
            "shorter_when_repeated",
            Text(
                "the longest segments fill the first link; sent again, they fill the narrow one",
                "最长的报文段起初填满第一段链路，重发时改为填满窄链路",
            ),
            _shorter_when_repeated,
        ),
        Promise(
            "kernel_learns",
            Text(
                "the client's kernel knows the path's MTU afterwards",
                "此后客户端内核知道了路径 MTU",
            ),
            _kernel_learns,
        ),
        counted(
            "no_timeout",
            Text("no retransmission timer runs out", "没有重传定时器超时"),
            "client",
            "TcpExt.TCPTimeouts",
            0,
            0,
        ),
        Promise(
            "views_agree",
            Text(
                "the server's port misses the packets that are too long, and no others",
                "服务器端口缺少的正是过长的 IP 包，别无其他",
            ),
            _only_the_long_are_lost,
        ),
    ),
    background=True,
    sources=("RFC 1191", "RFC 8201 (IPv6)", "RFC 9293 section 3.7.1", "ip(7) IP_MTU"),
)
