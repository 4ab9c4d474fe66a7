"""Before the first SYN, and at each hop: who is asked, and whose MAC address is in the frame."""

from __future__ import annotations

from itertools import pairwise

from lab.packets.frames import Flags
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

NEAR, FAR = "arp_first", "arp_first:gateway"
EVERYBODY = "ff:ff:ff:ff:ff:ff"
REQUEST, REPLY = 1, 2  # operations of ARP


def arps(run: Run, operation: int) -> tuple[Packet, ...]:
    """The client's questions, or the answers to them, at its own port."""
    return run.packets(
        where=lambda one: one.frame.arp is not None and one.frame.arp.operation == operation
    )


def syns(run: Run, host: str = "") -> tuple[Packet, ...]:
    """The SYNs that passed a port."""
    return run.packets(host, is_syn)


def is_syn(one: Packet) -> bool:
    tcp = one.frame.tcp
    return tcp is not None and tcp.flags & (Flags.SYN | Flags.ACK) == Flags.SYN


def opening(run: Run) -> tuple[Packet, Packet, Packet]:
    """The first question, its answer, the first SYN."""
    return (
        run.one("ARP request", arps(run, REQUEST)),
        run.one("ARP reply", arps(run, REPLY)),
        run.one("SYN", syns(run)),
    )


def target(one: Packet) -> str:
    """The address that an ARP request asks for."""
    return one.frame.arp.target if one.frame.arp else ""


def destination(one: Packet) -> str:
    """The address that its IP header is for."""
    return one.frame.ip.destination if one.frame.ip else ""


def learned(reply: Packet) -> str:
    """The MAC address that an ARP reply tells."""
    return reply.frame.arp.sender_link if reply.frame.arp else ""


def ask_first(runs: Runs) -> Proof:
    """A broadcast question, a unicast answer, the SYN; beyond the subnet the router is asked for."""
    near, far = runs[NEAR], runs[FAR]
    ask, reply, syn = opening(near)
    far_ask, far_reply, far_syn = opening(far)
    asks, every = arps(near, REQUEST), syns(near)
    counts = [
        sum(before < one.number < after for one in asks)
        for before, after in pairwise([0, *(one.number for one in every)])
    ]
    span = (syn.time - ask.time) // 1000
    return Proof(
        (
            claim(
                ask.time < reply.time < syn.time
                and ask.frame.link_destination == EVERYBODY
                and target(ask) == destination(syn),
                Text(
                    "frame {n} asks everybody for {who}; the SYN leaves {span} µs later",
                    "帧 {n} 向所有主机询问 {who}；{span} 微秒之后 SYN 才发出",
                ).fill(n=ask.number, who=target(ask), span=span),
                ask,
                reply,
                syn,
            ),
            claim(
                reply.frame.link_destination == ask.frame.link_source
                and learned(reply) == syn.frame.link_destination,
                Text(
                    "the answer, unicast, tells {mac}; the SYN goes to that MAC address",
                    "应答是单播，告知 {mac}；SYN 就发往这个 MAC 地址",
                ).fill(mac=learned(reply)),
                ask,
                reply,
                syn,
            ),
            claim(
                target(far_ask) != destination(far_syn)
                and learned(far_reply) == far_syn.frame.link_destination,
                Text(
                    "to {server} in another subnet: the gateway {asked} is asked for, never the server",
                    "发往另一子网的 {server} 时，询问的是网关 {asked}，而不是服务器",
                ).fill(server=destination(far_syn), asked=target(far_ask)),
                far_ask,
                far_reply,
                far_syn,
            ),
            claim(
                counts == [1, 0, 1],
                Text(
                    "questions before each of three SYNs: {counts}; the answer is kept until it is forgotten",
                    "三个 SYN 之前的询问次数：{counts}；应答会一直记着，直到被清除",
                ).fill(counts=", ".join(map(str, counts))),
                *asks[:2],
                *every,
            ),
        ),
        {
            "request": rights.frame(ask),
            "syn": rights.frame(syn),
            "gateway": rights.name(target(far_ask), far_ask),
        },
    )


def new_addresses_each_hop(runs: Runs) -> Proof:
    """MAC addresses are of one hop, IP addresses of the whole way."""
    run = runs[FAR]
    _, reply, near = opening(run)
    far = run.one("SYN", syns(run, "server"))
    macs = {one.name: one.mac for one in run.evidence.manifest.hosts}
    hops = [one.frame.ip.ttl if one.frame.ip else 0 for one in (near, far)]
    own = near.frame.tcp, far.frame.tcp
    return Proof(
        (
            claim(
                near.frame.link_destination == learned(reply) != macs["server"],
                Text(
                    "at the client the SYN goes to {mac}, the router's MAC address; the server's is {other}",
                    "在客户端，SYN 发往路由器的 MAC 地址 {mac}；服务器的是 {other}",
                ).fill(mac=near.frame.link_destination, other=macs["server"]),
                reply,
                near,
            ),
            claim(
                far.frame.link_destination == macs["server"]
                and far.frame.link_source not in macs.values(),
                Text(
                    "at the server it comes from {source}, the router's other side, to {mac}",
                    "在服务器，它来自路由器另一侧的 {source}，发往 {mac}",
                ).fill(source=far.frame.link_source, mac=far.frame.link_destination),
                far,
            ),
            claim(
                destination(near) == destination(far)
                and near.frame.source == far.frame.source
                and own[0] == own[1],
                Text(
                    "IP addresses, ports and numbers are the same on both sides: to {server}",
                    "两侧的 IP 地址、端口和序号完全相同：都发往 {server}",
                ).fill(server=destination(near)),
                near,
                far,
            ),
            claim(
                hops[0] - hops[1] == 1,
                Text(
                    "TTL {near} at the client, {far} at the server: one router, {near} - 1 = {far}",
                    "TTL 在客户端是 {near}，在服务器是 {far}：经过一个路由器，{near} - 1 = {far}",
                ).fill(near=hops[0], far=hops[1]),
                near,
                far,
            ),
        ),
        {
            "near": rights.name(near.frame.link_destination, near),
            "far": rights.name(far.frame.link_destination, far),
            "near_ttl": rights.count(hops[0], near),
            "far_ttl": rights.count(hops[1], far),
        },
    )


QUESTIONS = (
    Question(
        id="NW01",
        asks=Text(
            "What happens before the first SYN on a LAN?", "局域网中第一个 SYN 之前发生了什么？"
        ),
        answer=Text(
            "ARP: a broadcast request asks for the MAC address of the next hop, which is the gateway "
            "for another subnet. A unicast reply tells it. Only then does the SYN leave.",
            "先用 ARP：广播请求询问下一跳的 MAC 地址，跨网段时下一跳是网关；对方以单播应答，此后 SYN 才发出。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="medium",
        core=True,
        runs=(NEAR, FAR),
        prove=ask_first,
        values=(
            Ask(
                "request",
                Text("Same subnet: frame of the ARP request", "同一子网：ARP 请求的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "syn",
                Text("Same subnet: frame of the first SYN", "同一子网：第一个 SYN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "gateway",
                Text(
                    "Other subnet: address that the client asks for", "另一子网：客户端询问的地址"
                ),
                Unit.NAME,
            ),
        ),
        ideas=(
            Idea(Text("ARP comes first", "先用 ARP"), (r"\barp\b",)),
            Idea(
                Text("a broadcast request", "广播请求"),
                (r"broadcast", r"asks everybody", r"广播"),
            ),
            Idea(
                Text("a unicast reply", "单播应答"),
                (r"unicast", r"单播"),
            ),
            Idea(
                Text("the gateway, for another subnet", "跨网段时是网关"),
                (r"gateway", r"router", r"网关", r"路由器"),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "for another subnet the server's own MAC address is asked for",
                    "跨网段时询问服务器自己的 MAC 地址",
                ),
                (r"server'?s own mac", r"询问服务器自己的 ?mac"),
            ),
            Idea(
                Text("ARP runs before every packet", "每个包之前都要 ARP"),
                (r"before every packet", r"每个包之前"),
            ),
        ),
        guess=Guess(
            Text(
                "The server is in another subnet. Whose MAC address does the client ask for?",
                "服务器在另一个子网，客户端询问谁的 MAC 地址？",
            ),
            (
                Text("the server's", "服务器的"),
                Text("the router's", "路由器的"),
                Text("nobody's", "谁也不问"),
            ),
            1,
        ),
        hints=(
            Text("Look at the frames before the first SYN.", "看第一个 SYN 之前的帧。"),
            Text(
                "Compare the address that is asked for with the SYN's IP destination.",
                "把询问的地址与 SYN 的 IP 目的地址相比较。",
            ),
        ),
        then=("NW02", "NW06"),
        sources=("RFC 826", "RFC 1122 section 2.3.2"),
    ),
    Question(
        id="NW02",
        asks=Text(
            "The SYN goes to a server behind a router: whose MAC address is in the frame?",
            "发往路由器之后的服务器的 SYN，以太网帧的目的 MAC 是谁的？",
        ),
        answer=Text(
            "The router's; the IP destination is the server's. MAC addresses change at each hop, IP "
            "addresses do not, and the TTL is one lower.",
            "是路由器的，IP 目的地址才是服务器的。MAC 地址逐跳改变，IP 地址不变，TTL 减一。",
        ),
        kind=Kind.LOCATE,
        level=1,
        interview="medium",
        runs=(FAR,),
        prove=new_addresses_each_hop,
        values=(
            Ask(
                "near",
                Text(
                    "Destination MAC address of the first SYN at the client's port",
                    "第一个 SYN 在客户端端口的目的 MAC 地址",
                ),
                Unit.NAME,
            ),
            Ask(
                "far",
                Text("The same at the server's port", "它在服务器端口的目的 MAC 地址"),
                Unit.NAME,
            ),
            Ask(
                "near_ttl", Text("Its TTL at the client's port", "它在客户端端口的 TTL"), Unit.COUNT
            ),
            Ask(
                "far_ttl", Text("Its TTL at the server's port", "它在服务器端口的 TTL"), Unit.COUNT
            ),
        ),
        ideas=(
            Idea(
                Text("the frame goes to the router's MAC address", "帧发往路由器的 MAC 地址"),
                (r"router", r"gateway", r"路由器", r"网关"),
            ),
            Idea(
                Text("MAC addresses change at each hop", "MAC 地址逐跳改变"),
                (
                    r"mac addresses change",
                    r"new mac",
                    r"mac[^.]*(per|each|every) hop",
                    r"mac ?(地址)?逐跳",
                ),
            ),
            Idea(
                Text("IP addresses do not change", "IP 地址不变"),
                (
                    r"ip (addresses|destination)[^.]*(do not|same|server)",
                    r"ip ?(目的)?地址[^.]*不变",
                ),
            ),
            Idea(Text("the TTL is one lower", "TTL 减一"), (r"ttl[^.]*(one|1)", r"ttl ?减")),
        ),
        wrong=(
            Idea(
                Text("it carries the server's MAC address", "帧里是服务器的 MAC 地址"),
                (
                    r"carries the server'?s mac",
                    r"(帧里|目的 ?mac)[^.]*是服务器的",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "How many of the SYN's two MAC addresses are the same on both sides of the router?",
                "SYN 的两个 MAC 地址中，有几个在路由器两侧相同？",
            ),
            (Text("both", "两个"), Text("one", "一个"), Text("none", "一个也没有")),
            2,
        ),
        hints=(
            Text(
                "Open the Ethernet header of the SYN in both captures.",
                "在两处抓包中展开 SYN 的以太网首部。",
            ),
            Text("Compare addresses and TTL of the two copies.", "比较两份 SYN 的地址与 TTL。"),
        ),
        then=("NW01",),
        sources=("RFC 1122 section 2.3.2", "RFC 791 section 3.2"),
    ),
)
