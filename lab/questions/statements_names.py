"""Statements about names and numbers: a protocol's name, ports, addresses and what they stand for."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.local_sockets import bound
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.sockets import port_of
from lab.questions.statements_addresses import address_of
from lab.text import Text

LIMITED, FREE = "privileged_port", "privileged_port:no_limit"
LIMIT = "net.ipv4.ip_unprivileged_port_start"
RANGE = "net.ipv4.ip_local_port_range"
DYNAMIC = 49152  # RFC 6335 section 6: where the Dynamic Ports begin


def source(one: Packet) -> str:
    return one.frame.ip.source if one.frame.ip else ""


# ---------------------------------------------------------------- an address and a device


def one_card_two_addresses(runs: Runs) -> Proof:
    """Two SYNs of one interface, from two addresses; the peer sees two."""
    run = runs["four_tuple"]
    first, second = (run.first("C>S SYN", stream=stream) for stream in (0, 1))
    accepts = [run.call("server", "accept", nth) for nth in (0, 1)]
    binds = [run.call("client", "bind", nth) for nth in (0, 1)]
    peers = [address_of(one.call.peer) for one in accepts]
    link = first.frame.link_source
    return Proof(
        (
            claim(
                second.frame.link_source == link and source(first) != source(second),
                Text(
                    "frames {a} and {b} come from one interface, {link}, and from two addresses: {x} and {y}",
                    "第 {a}、{b} 帧来自同一个接口 {link}，却有两个源地址：{x} 和 {y}",
                ).fill(
                    a=first.number, b=second.number, link=link, x=source(first), y=source(second)
                ),
                first,
                second,
            ),
            claim(
                len({one.call.process for one in binds}) == 1
                and [bound(one) for one in binds] == [source(first), source(second)]
                and all(one.outcome == "ok" for one in binds),
                Text(
                    "one program of this host binds both, {x} and {y}: the kernel owns either",
                    "这台主机上的同一个程序先后绑定 {x} 和 {y}：内核两个地址都有",
                ).fill(x=bound(binds[0]), y=bound(binds[1])),
                *binds,
                first,
                second,
            ),
            claim(
                peers == [source(first), source(second)] and peers[0] != peers[1],
                Text(
                    "the server's program has two peers, {x} and {y}: nothing in them says that it is one host",
                    "服务器程序得到两个对端：{x} 和 {y}；地址本身看不出是同一台主机",
                ).fill(x=peers[0], y=peers[1]),
                *accepts,
            ),
        ),
        {
            "link": rights.name(link, first, second),
            "second": rights.frame(second),
        },
    )


# ---------------------------------------------------------------- ports


def a_setting_decides(runs: Runs) -> Proof:
    """EACCES below the limit, none where it is 0; and where the kernel takes ports from."""
    limited, free = runs[LIMITED], runs[FREE]
    binds = limited.calls("server", "bind")
    denied = [one for one in binds if one.outcome == "EACCES"]
    port = free.call("client", "connect").call.local
    return Proof(
        (_limit(limited, binds), _no_limit(free), _automatic(free)),
        {
            "denied": rights.count(len(denied), *denied),
            "port": rights.count(port_of(port), free.first("C>S SYN")),
        },
    )


def _asked(bind: Called) -> int:
    return port_of(bind.call.arguments[0]) if bind.call.arguments else 0


def _limit(run: Run, binds: tuple[Called, ...]) -> Claim:
    limit = run.sysctl("server", LIMIT)
    wanted = ["EACCES" if _asked(one) < int(limit.value) else "ok" for one in binds]
    told = ", ".join(f"{one.call.kind} {_asked(one)} {one.outcome}" for one in binds)
    words = Text("limit {limit}: {told}", "界限为 {limit}：{told}").fill(
        limit=limit.value, told=told
    )
    kept = [one.outcome for one in binds] == wanted and set(wanted) == {"EACCES", "ok"}
    return claim(kept, words, limit, *binds)


def _no_limit(run: Run) -> Claim:
    limit, bind = run.sysctl("server", LIMIT), run.call("server", "bind")
    syn, synack, _ = run.opening()
    port = port_of(bind.call.arguments[0])
    words = Text(
        "limit {limit}: bind() to port {port} succeeds, and the server answers there, frame {n}",
        "界限为 {limit}：bind() 到端口 {port} 成功，服务器在此应答（第 {n} 帧）",
    ).fill(limit=limit.value, port=port, n=synack.number)
    kept = int(limit.value) <= port < 1024 and bind.outcome == "ok" and synack.ack == syn.end
    return claim(kept, words, limit, bind, syn, synack)


def _automatic(run: Run) -> Claim:
    connect, syn, ports = (
        run.call("client", "connect"),
        run.first("C>S SYN"),
        run.sysctl("client", RANGE),
    )
    low, high = map(int, ports.value.split())
    port = syn.frame.source.port if syn.frame.source else 0
    words = Text(
        "the client's own port, {port}, is the kernel's choice from {low} to {high}, a range that begins before {dynamic}",
        "客户端自己的端口 {port} 由内核从 {low} 至 {high} 中选取，该范围在 {dynamic} 之前就开始",
    ).fill(port=port, low=low, high=high, dynamic=DYNAMIC)
    kept = low <= port <= high and port == port_of(connect.call.local) and low < DYNAMIC
    return claim(kept and not run.calls("client", "bind"), words, connect, syn, ports)


QUESTIONS = (
    Question(
        id="E4",
        asks=Text(
            "Is it true that an IP address uniquely identifies a device?",
            "IP 地址唯一标识网络中的每台设备，对吗？",
        ),
        answer=Text(
            "No, it names an interface, and one interface may have several. "
            "Here one host opens connections from two addresses. "
            "Private addresses are used again in every other network.",
            "不对。地址标识的是接口，一个接口还可以有多个地址。"
            "这里同一台主机用两个地址建立连接。"
            "私有地址则在各个网络中重复使用。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("four_tuple",),
        prove=one_card_two_addresses,
        values=(
            Ask(
                "link",
                Text("MAC address that both SYNs come from", "两个 SYN 共同的源 MAC 地址"),
                Unit.NAME,
            ),
            Ask(
                "second",
                Text("Frame of the SYN from the second address", "来自第二个地址的 SYN 的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("an address names an interface", "地址标识的是接口"),
                (r"interface", r"接口", r"网卡"),
            ),
            Idea(
                Text("one host may have several addresses", "一台主机可以有多个地址"),
                (
                    r"(several|two|many|more than one)( ip)?( addresses)?",
                    r"(多|两|几)个( ?ip ?)?地址",
                ),
            ),
            Idea(
                Text("private addresses are used again", "私有地址重复使用"),
                (r"private", r"rfc ?1918", r"私有"),
            ),
        ),
        wrong=(
            Idea(
                Text("a host has exactly one address", "一台主机只有一个地址"),
                (r"(exactly|only) one (ip )?address", r"只(能)?有一个( ?ip ?)?地址"),
            ),
        ),
        guess=Guess(
            Text(
                "Two connections come from two addresses. From how many hosts?",
                "两条连接来自两个地址，来自几台主机？",
            ),
            (
                Text("from two", "两台"),
                Text("one or two: addresses do not tell", "一台或两台：看地址无法断定"),
            ),
            1,
        ),
        hints=(
            Text("Look at the Ethernet headers of the SYNs.", "看各个 SYN 的以太网首部。"),
            Text(
                "Compare source MAC and source IP address of the first two.",
                "比较前两个 SYN 的源 MAC 地址与源 IP 地址。",
            ),
        ),
        claim=Text("An IP address identifies a device", "IP 地址唯一标识设备"),
        truth=Text(
            "It identifies an interface: one card sent SYNs from two addresses",
            "它标识接口：同一块网卡用两个地址发出了 SYN",
        ),
        seen_in=("S0",),
        then=("SK01",),
        sources=("RFC 1918 section 3", "RFC 4291 section 2"),
    ),
    Question(
        id="E14",
        asks=Text(
            "Is it true that UDP stands for User Data Protocol?",
            "UDP 是 User Data Protocol 的缩写，对吗？",
        ),
        answer=Text(
            "No: it is the User Datagram Protocol. The datagram, one message in one packet, is its very point.",
            "不对，是 User Datagram Protocol，即用户数据报协议。“数据报”（一条消息一个包）正是它的要点。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        ideas=(
            Idea(
                Text("User Datagram Protocol", "用户数据报协议（User Datagram Protocol）"),
                (r"user datagram protocol", r"用户数据报"),
            ),
        ),
        claim=Text("UDP means User Data Protocol", "UDP 即 User Data Protocol"),
        truth=Text(
            "RFC 768 has the title User Datagram Protocol",
            "RFC 768 的标题就是 User Datagram Protocol",
        ),
        seen_in=("S1",),
        then=("UD01",),
        sources=("RFC 768",),
    ),
    Question(
        id="E15",
        asks=Text(
            "Is it true that ports 0 to 1023 are closed to programmers, and 1024 to 65535 are dynamic?",
            "0 到 1023 的端口程序员不能用，1024 到 65535 是动态端口，对吗？",
        ),
        answer=Text(
            "No. IANA divides them into system (0-1023), user (1024-49151) and dynamic ports (49152-65535). "
            "Binding below 1024 takes a privilege; on Linux ip_unprivileged_port_start moves that border. "
            "Linux takes automatic ports from 32768 to 60999.",
            "不对。IANA 分为系统端口（0-1023）、用户端口（1024-49151）和动态端口（49152-65535）。"
            "绑定 1024 以下的端口需要特权；Linux 上这条界限由 ip_unprivileged_port_start 设定。"
            "Linux 自动分配的端口取自 32768 至 60999。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(LIMITED, FREE),
        prove=a_setting_decides,
        values=(
            Ask(
                "denied",
                Text("Limit 1024: bind() calls that fail", "界限为 1024：失败的 bind() 次数"),
                Unit.COUNT,
            ),
            Ask(
                "port",
                Text(
                    "Limit 0: port that the kernel chose for the client",
                    "界限为 0：内核为客户端选取的端口",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("ports below 1024 take a privilege", "1024 以下的端口需要特权"),
                (r"privilege", r"cap_net_bind_service", r"\broot\b", r"特权"),
            ),
            Idea(
                Text(
                    "ip_unprivileged_port_start moves the border",
                    "界限由 ip_unprivileged_port_start 设定",
                ),
                (r"ip_unprivileged_port_start", r"sysctl"),
            ),
            Idea(
                Text(
                    "dynamic ports are 49152 to 65535, on Linux 32768 to 60999",
                    "动态端口为 49152 至 65535，Linux 取 32768 至 60999",
                ),
                (r"49152", r"32768"),
            ),
        ),
        wrong=(
            Idea(
                Text("no program can use port 80", "程序不能使用 80 端口"),
                (r"no program can use", r"程序不能使用"),
            ),
            Idea(
                Text("the border of 1024 is fixed", "1024 的界限是固定的"),
                (r"(border|limit)( of 1024)? is fixed", r"界限是固定"),
            ),
        ),
        guess=Guess(
            Text(
                "ip_unprivileged_port_start is 0. An ordinary user binds port 1000. What happens?",
                "ip_unprivileged_port_start 为 0，普通用户绑定端口 1000，会怎样？",
            ),
            (
                Text("EACCES", "EACCES"),
                Text("EADDRINUSE", "EADDRINUSE"),
                Text("it succeeds", "成功"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's bind() calls, and the client's source port.",
                "看服务器的 bind() 调用，以及客户端的源端口。",
            ),
            Text(
                "Compare the ports and results with the sysctl of each run.",
                "把端口与结果同每次运行的 sysctl 相比较。",
            ),
        ),
        claim=Text(
            "Programmers cannot use 0-1023; 1024-65535 are dynamic",
            "0-1023 程序员不能用，1024-65535 是动态端口",
        ),
        truth=Text(
            "A privilege, or a sysctl, opens the low ones; the dynamic ones begin at 49152",
            "有特权或改 sysctl 就能用低端口；动态端口从 49152 开始",
        ),
        seen_in=("S1",),
        then=("ER10",),
        sources=("RFC 6335 section 6", "ip(7)", "Linux ip-sysctl: ip_unprivileged_port_start"),
    ),
    Question(
        id="E16",
        asks=Text(
            "Is it true that InterNIC manages the public IP addresses?",
            "公网 IP 地址由 InterNIC 管理，对吗？",
        ),
        answer=Text(
            "Not any more. IANA, a part of ICANN, gives blocks to five regional registries. "
            "These pass them on to providers.",
            "早已不是。IANA（属 ICANN）把地址块分给五个地区注册机构（RIR），再由它们分给运营商。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        ideas=(
            Idea(Text("IANA, a part of ICANN", "IANA（属 ICANN）"), (r"\biana\b", r"icann")),
            Idea(
                Text("regional registries", "地区注册机构（RIR）"),
                (r"regional", r"\brirs?\b", r"apnic|ripe|arin", r"地区"),
            ),
        ),
        claim=Text("InterNIC manages public addresses", "公网地址由 InterNIC 管理"),
        truth=Text("IANA does, through the regional registries", "由 IANA 通过各地区注册机构分配"),
        seen_in=("S1",),
        sources=("RFC 7020 section 2",),
    ),
    Question(
        id="E17",
        asks=Text(
            "Is it true that hosts with private addresses cannot reach the Internet?",
            "使用私有地址的主机不能访问互联网，对吗？",
        ),
        answer=Text(
            "No. Private addresses are not routed on the Internet, but NAT at the border replaces them. "
            "So such hosts do get out; from outside nobody can open a connection to them unaided.",
            "不对。互联网上不路由私有地址，但边界上的 NAT 会把它替换掉。"
            "所以主机可以访问外网；反之，外面不能直接向它建立连接。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        ideas=(
            Idea(
                Text("private addresses are not routed", "私有地址不被路由"),
                (r"not (be )?routed", r"不(被|会)?路由"),
            ),
            Idea(Text("NAT replaces them", "NAT 把它替换掉"), (r"\bnat\b", r"地址转换")),
        ),
        claim=Text("Private addresses cannot reach the Internet", "私有地址不能访问互联网"),
        truth=Text(
            "They are not routed, but they get there through NAT",
            "私有地址不被路由，但可经 NAT 访问外网",
        ),
        seen_in=("S1",),
        then=("E5",),
        sources=("RFC 1918 section 3", "RFC 3022 section 2"),
    ),
)
