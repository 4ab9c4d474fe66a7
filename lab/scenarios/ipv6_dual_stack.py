"""One listener for both versions of IP: the same TCP behind another header."""

from __future__ import annotations

import socket

import numpy as np

from lab.evidence.calls import Call
from lab.evidence.run import Evidence
from lab.packets.frames import Protocol
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, returned
from lab.text import Text, same
from lab.topology import DEFAULT_MTU
from services import stage

PORT = 12345
MAPPED = "::ffff:"  # before an IPv4 address on an IPv6 socket
TCP_HEADER = 20  # octets, options not counted
SOLICITATION, ADVERTISEMENT = 135, 136  # ICMPv6: who has, and I do (RFC 4861)


def server(*, ipv4_too: bool = True) -> None:
    """Listen on the IPv6 wildcard; tell each client the address that it has here."""
    try:
        listener = socket.create_server(
            ("::", PORT), family=socket.AF_INET6, dualstack_ipv6=ipv4_too
        )  # without dualstack_ipv6 it sets IPV6_V6ONLY
    except (OSError, ValueError) as error:
        stage.unavailable("IPv6", error)
    with listener:
        for _ in range(2 if ipv4_too else 1):
            connection, (address, *_) = listener.accept()
            with connection:
                connection.sendall(address.encode())
                connection.recv(1024)  # b""


def client(server: str) -> None:
    """Connect over IPv4, then over IPv6, and print what the server says."""
    for address in (server, ipv6_address("ip6-server")):
        try:
            with socket.create_connection((address, PORT)) as connection:
                print(connection.recv(1024).decode(), flush=True)
        except ConnectionRefusedError as error:
            print(f"{address}: {error.strerror}", flush=True)


def ipv6_address(name: str) -> str:
    """The IPv6 address of a host; a lab without IPv6 knows none."""
    try:
        return str(socket.getaddrinfo(name, PORT, socket.AF_INET6)[0][4][0])
    except OSError as error:
        stage.unavailable("IPv6 between the hosts", error)


def _syns(evidence: Evidence) -> list[Frame]:
    """The first segment of each connection: over IPv4, over IPv6."""
    capture = evidence.view.capture
    return [frame(capture, int(one.rows[0])) for one in evidence.view.connections]


def _who_it_is(evidence: Evidence) -> Seen:
    """accept() gives IPv6 addresses only; on the wire the first connection is IPv4 all the same."""
    peers = [_peer(call) for call in called(evidence, "server", "accept")]
    ends = [one.client.address for one in evidence.view.connections]
    versions = [syn.ip.version for syn in _syns(evidence) if syn.ip]
    kept = (peers, versions) == ([MAPPED + ends[0], ends[1]], [4, 6])
    words = Text("accept: {p}; on the wire: {w}", "accept：{p}；线路上：{w}")
    told = words.fill(p=", ".join(peers), w=", ".join(ends))
    return Seen(kept, told, tuple(syn.number for syn in _syns(evidence)))


def _peer(call: Call) -> str:
    """The address that accept() gave."""
    match call.result:
        case [_, [str(address), *_]]:
            return address
    return "-"


def _headers(evidence: Evidence) -> Seen:
    """IPv6's header is 20 octets longer, and so much less fits into a segment."""
    sizes = [syn.ip.size for syn in _syns(evidence) if syn.ip]
    announced = [one.mss for one in evidence.view.connections]
    wanted = [(DEFAULT_MTU - size - TCP_HEADER,) * 2 for size in sizes]
    told = ", ".join(
        f"mss {mss} = {DEFAULT_MTU} - {size} - {TCP_HEADER}"
        for (mss, _), size in zip(announced, sizes, strict=True)
    )
    frames = tuple(n for one in evidence.view.connections for n in one.handshake_frames[:2])
    return Seen((sizes, announced) == ([20, 40], wanted), same(told), frames)


def _asked_before(evidence: Evidence) -> Seen:
    """ARP is a protocol of its own, asked of everybody; IPv6 asks by ICMPv6, and a multicast group."""
    capture = evidence.view.capture
    rows = np.flatnonzero(np.isin(capture.frames.protocol, (Protocol.ARP, Protocol.ICMPV6)))
    found = [frame(capture, int(row)) for row in rows]
    first = {one.icmp.type if one.icmp else None: one for one in reversed(found)}
    arp, ask, answer = first[None], first[SOLICITATION], first[ADVERTISEMENT]
    old, new = _syns(evidence)[:2]
    kept = (
        (arp.number < old.number and ask.number < answer.number < new.number)
        and arp.link_destination == "ff:ff:ff:ff:ff:ff"
        and ask.link_destination == _group_of(new.destination.address if new.destination else "")
    )
    words = Text("ARP to {a}; ICMPv6 to {i}", "ARP 发往 {a}；ICMPv6 发往 {i}")
    told = words.fill(a=arp.link_destination, i=ask.link_destination)
    return Seen(kept, told, (arp.number, ask.number, answer.number))


def _group_of(address: str) -> str:
    """The Ethernet address at which a node is asked for: its low 24 bits behind 33:33:ff."""
    return (b"\x33\x33\xff" + socket.inet_pton(socket.AF_INET6, address)[-3:]).hex(":")


TALK = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1
    C>S ACK      seq 1  ack 1
    S>C PSH,ACK  seq 1  ack 1
    C>S ACK      seq 1         optional
    C>S FIN,ACK  seq 1
    S>C ACK             ack 2  optional
    S>C FIN,ACK         ack 2
    C>S ACK      seq 2
    """
REFUSED = """
    C>S SYN      seq 0
    S>C RST,ACK         ack 1
    """

SCENARIO = Scenario(
    id="ipv6_dual_stack",
    title=Text("IPv6 and dual stack", "IPv6 与双栈"),
    group="mtu",
    level=2,
    teaches=(
        Text(
            "TCP is the same over IPv6. Only the header below it has 40 octets instead of 20, so the MSS "
            "on Ethernet is 1440 instead of 1460",
            "TCP 在 IPv6 上没有变化：只是下层首部由 20 字节变成 40 字节，因此以太网上的 MSS 是 1440 而非 1460",
        ),
        Text(
            "A listener on :: takes IPv4 connections too, unless IPV6_V6ONLY is set. Its program sees "
            "such a client as ::ffff:a.b.c.d, an address that never is on the wire",
            "监听 :: 的套接字也接受 IPv4 连接，除非设置了 IPV6_V6ONLY；"
            "程序看到的这类客户端地址写作 ::ffff:a.b.c.d，该地址从不出现在线路上",
        ),
        Text(
            "Neighbours are found by ICMPv6 instead of ARP: the question goes to a multicast group "
            "of few hosts, not to everybody",
            "寻找邻居用 ICMPv6 而非 ARP：询问发往只含少数主机的组播组，而不是所有主机",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(TALK, TALK),
    promises=(
        Promise(
            "who_it_is",
            Text(
                "the IPv4 client appears as an IPv4-mapped address, the IPv6 client as it is",
                "IPv4 客户端以 IPv4 映射地址出现，IPv6 客户端保持原样",
            ),
            _who_it_is,
        ),
        Promise(
            "headers",
            Text(
                "each MSS is the MTU less the headers of its version of IP",
                "MSS 等于 MTU 减去相应版本的 IP 首部与 TCP 首部",
            ),
            _headers,
        ),
        Promise(
            "asked_before",
            Text(
                "before each SYN the server's MAC address is asked for: of everybody, of a group",
                "每个 SYN 之前先询问服务器的 MAC 地址：前者问所有主机，后者只问一个组",
            ),
            _asked_before,
        ),
    ),
    variants={
        "v6only": {
            "title": Text("IPv6 only", "仅限 IPv6"),
            "options": {"server": {"ipv4_too": False}},
            "scripts": (REFUSED, TALK),
            "promises": (
                returned(
                    "ipv4_refused",
                    Text(
                        "with IPV6_V6ONLY the IPv4 client is refused, the IPv6 client is not",
                        "设置 IPV6_V6ONLY 后，IPv4 客户端被拒绝，IPv6 客户端不受影响",
                    ),
                    *("client", "connect", "ECONNREFUSED", "ok"),
                ),
            ),
        },
    },
    background=True,
    sources=("RFC 8200", "RFC 4291 section 2.5.5.2", "RFC 4861 section 7.2", "ipv6(7) IPV6_V6ONLY"),
)
