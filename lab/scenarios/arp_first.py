"""Before the first packet to a neighbour somebody must ask for its MAC address."""

from __future__ import annotations

import fcntl
import socket
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np

from lab.evidence.run import Evidence, View
from lab.packets.frames import Flags, Protocol
from lab.packets.headers import Arp
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.topology import CLIENT_AND_SERVER, ROUTED, Host, Topology
from lab.units import short_span

PORT = 12345
SIOCDARP = 0x8953  # arp(7)
EVERYBODY, NOBODY_YET = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
REQUEST, REPLY = 1, 2  # operations of ARP


def server() -> None:
    """Take three connections, one after another."""
    with socket.create_server(("", PORT)) as listener:
        for _ in range(3):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)  # b""


def client(server: str) -> None:
    """Connect to a stranger, to a neighbour that is known, and again once it was forgotten."""
    forget_neighbours()  # a fresh host knows nobody
    for forgetful in (False, True, False):
        with socket.create_connection((server, PORT)) as connection:
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1024)  # b"": nothing of this connection comes after it
        if forgetful:
            forget_neighbours()


def forget_neighbours() -> None:
    """Empty the neighbour table, as `ip neighbour flush` does; needs NET_ADMIN."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for line in Path("/proc/net/arp").read_text().splitlines()[1:]:
            address = socket.inet_aton(line.split()[0])
            entry = struct.pack("HH4s8x16xi16x16s", socket.AF_INET, 0, address, 0, b"eth0")
            fcntl.ioctl(handle, SIOCDARP, entry)  # struct arpreq


def _arps(view: View) -> list[tuple[Frame, Arp]]:
    """The ARP messages of a view, in order of time."""
    rows = np.flatnonzero(view.capture.frames.protocol == Protocol.ARP)
    found = [frame(view.capture, int(row)) for row in rows]
    return [(one, one.arp) for one in found if one.arp]


def _questions(view: View) -> list[tuple[Frame, Arp]]:
    return [(one, arp) for one, arp in _arps(view) if arp.operation == REQUEST]


def _syns(view: View) -> list[Frame]:
    """The SYNs of a view, in order of time."""
    flags = view.capture.frames.flags
    rows = np.flatnonzero((flags & (Flags.SYN | Flags.ACK)) == Flags.SYN)
    return [frame(view.capture, int(row)) for row in rows]


def _server(evidence: Evidence) -> str:
    """The address that the SYNs go to."""
    return evidence.view.connections[0].server.address


def _ask_answer_syn(evidence: Evidence) -> Seen:
    """To everybody: who has it? To who asked: I do. Only then the SYN, to the address learned."""
    (ask, question), (answer, reply) = (_arps(evidence.view)[at] for at in (0, 1))
    syn = _syns(evidence.view)[0]
    kept = (
        ask.number < answer.number < syn.number
        and (question.operation, ask.link_destination) == (REQUEST, EVERYBODY)
        and (question.sender_link, question.target_link) == (ask.link_source, NOBODY_YET)
        and (reply.operation, answer.link_destination) == (REPLY, ask.link_source)
        and (reply.sender, reply.sender_link) == (question.target, syn.link_destination)
    )
    words = Text(
        "who has {ip}? {mac}; the SYN leaves {span} after the question",
        "谁是 {ip}？{mac}；提问 {span} 之后 SYN 发出",
    )
    span = short_span(syn.time - ask.time)
    told = words.fill(ip=question.target, mac=reply.sender_link, span=span)
    return Seen(kept, told, (ask.number, answer.number, syn.number))


def _asks_for_the_server(evidence: Evidence) -> Seen:
    asked = {arp.target for _, arp in _questions(evidence.view)}
    words, frames = _who_is_asked_for(evidence)
    return Seen(asked == {_server(evidence)}, words, frames)


def _asks_for_the_gateway(evidence: Evidence) -> Seen:
    asked = {arp.target for _, arp in _questions(evidence.view)}
    words, frames = _who_is_asked_for(evidence)
    return Seen(len(asked) == 1 and _server(evidence) not in asked, words, frames)


def _who_is_asked_for(evidence: Evidence) -> tuple[Text, tuple[int, ...]]:
    questions = _questions(evidence.view)
    asked = ", ".join(sorted({arp.target for _, arp in questions}))
    words = Text("SYN to {server}, question about {asked}", "SYN 发往 {server}，询问的是 {asked}")
    frames = tuple(one.number for one, _ in questions)
    return words.fill(server=_server(evidence), asked=asked), frames


def _asks_only_when_it_must(evidence: Evidence) -> Seen:
    """One question before the first connection, none before the second, one before the third."""
    questions = [one.number for one, _ in _questions(evidence.view)]
    syns = [syn.number for syn in _syns(evidence.view)]
    counts = [sum(a < n < b for n in questions) for a, b in pairwise([0, *syns])]
    words = Text("questions before each SYN: {n}", "每个 SYN 之前的询问次数：{n}")
    told = words.fill(n=", ".join(map(str, counts)))
    return Seen(counts == [1, 0, 1] and len(questions) == 2, told, tuple(questions))


def _server_never_asks(evidence: Evidence) -> Seen:
    """A question tells who asks: the server answers it, and its SYN,ACK needs no question back."""
    asked = _questions(evidence.views[1])
    back = [one for one, arp in asked if arp.sender == _server(evidence)]
    words = Text(
        "at the server's port {n} questions, {b} of them its own",
        "服务器端口上有 {n} 次询问，其中自己发出 {b} 次",
    )
    return Seen(bool(asked) and not back, words.fill(n=len(asked), b=len(back)))


def _new_addresses_each_hop(evidence: Evidence) -> Seen:
    """The first SYN on both sides of the router: IP keeps its addresses, Ethernet does not."""
    near, far = (_syns(view)[0] for view in evidence.views)
    if near.ip is None or far.ip is None:
        return Seen(False, same("-"))
    links = {near.link_source, near.link_destination, far.link_source, far.link_destination}
    kept = (
        (near.source, near.destination, near.tcp) == (far.source, far.destination, far.tcp)
        and len(links) == 4
        and far.ip.ttl == near.ip.ttl - 1
    )
    macs = "; ".join(f"{one.link_source} → {one.link_destination}" for one in (near, far))
    words = Text("{macs}; TTL {a}, then {b}", "{macs}；TTL 先 {a} 后 {b}")
    return Seen(kept, words.fill(macs=macs, a=near.ip.ttl, b=far.ip.ttl), (near.number,))


ASK_ANSWER_SYN = Promise(
    "ask_answer_syn",
    Text(
        "a question to everybody, an answer to who asked, then the SYN to the address learned",
        "向所有主机提问，只向提问者作答，随后 SYN 发往得知的 MAC 地址",
    ),
    _ask_answer_syn,
)
ONLY_WHEN_IT_MUST = Promise(
    "only_when_it_must",
    Text(
        "the second connection asks nobody; the third, after the table was emptied, asks again",
        "第二个连接无需询问；清空邻居表之后，第三个连接再次询问",
    ),
    _asks_only_when_it_must,
)
SERVER_NEVER_ASKS = Promise(
    "server_never_asks",
    Text(
        "the server asks nobody: the question has told it who is there",
        "服务器不必询问：收到的询问已说明对方是谁",
    ),
    _server_never_asks,
)
FORGETFUL = Host("client", capabilities=("NET_ADMIN",))
CONNECTION = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1
    C>S ACK      seq 1  ack 1
    C>S FIN,ACK  seq 1  ack 1
    S>C ACK      seq 1  ack 2  optional
    S>C FIN,ACK  seq 1  ack 2
    C>S ACK      seq 2  ack 2
    """

SCENARIO = Scenario(
    id="arp_first",
    title=Text("ARP before SYN", "SYN 之前的 ARP"),
    group="mtu",
    teaches=(
        Text(
            "IP addresses lead to the right subnet, MAC addresses to the right host in it. The first "
            "packet to a new neighbour waits until ARP has found out the neighbour's",
            "IP 地址决定去往哪个子网，MAC 地址决定交给子网中的哪台主机："
            "发往新邻居的第一个包要等 ARP 问出对方的 MAC 地址",
        ),
        Text(
            "The question is a broadcast and carries the asker's own addresses, so the answer can be "
            "unicast and nobody has to ask back",
            "询问是广播，并带有提问者自己的地址，因此应答可以单播，对方也不必反过来询问",
        ),
        Text(
            "The answer goes into the neighbour table: the next connection asks nobody",
            "应答记入邻居表：下一个连接无需再问",
        ),
        Text(
            "For a host in another subnet it is the router that is asked for, never the host. The packet "
            "keeps its IP addresses and gets new MAC addresses at each hop",
            "目的主机在另一个子网时，询问的是路由器而不是该主机：IP 地址一路不变，MAC 地址每一跳都更换",
        ),
    ),
    topology=Topology((FORGETFUL, CLIENT_AND_SERVER.hosts[1])),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(CONNECTION,),  # of the first one; the others differ in nothing
    promises=(
        ASK_ANSWER_SYN,
        Promise(
            "asks_for_the_server",
            Text("the client asks for the server itself", "客户端询问的就是服务器本身"),
            _asks_for_the_server,
        ),
        ONLY_WHEN_IT_MUST,
        SERVER_NEVER_ASKS,
    ),
    variants={
        "gateway": {
            "title": Text("ARP for a gateway", "ARP 询问网关"),
            "topology": Topology((FORGETFUL, ROUTED.hosts[1]), routers=ROUTED.routers),
            "scripts": (),  # a segment is another frame beyond the router
            "promises": (
                ASK_ANSWER_SYN,
                Promise(
                    "asks_for_the_gateway",
                    Text(
                        "the client asks for its router, never for the server",
                        "客户端询问的是路由器，从不询问服务器",
                    ),
                    _asks_for_the_gateway,
                ),
                ONLY_WHEN_IT_MUST,
                SERVER_NEVER_ASKS,
                Promise(
                    "views_agree",
                    Text(
                        "beyond the router it is the same segment, with other MAC addresses",
                        "越过路由器仍是同一报文段，只是 MAC 地址不同",
                    ),
                    _new_addresses_each_hop,
                ),
            ),
        },
    },
    background=True,
    sources=("RFC 826", "RFC 1122 section 2.3.2", "arp(7)"),
)
