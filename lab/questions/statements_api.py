"""Statements to set right: families, names, ports, and what a library hides."""

from __future__ import annotations

from lab.packets.rows import Frame
from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.local_sockets import nothing_on_the_wire
from lab.questions.pieces import Called
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.servers import first_data
from lab.questions.socket_calls import at_most
from lab.questions.sockets import port_of
from lab.text import Text
from lab.units import short_span

BORDER = "net.ipv4.ip_unprivileged_port_start"
LIMITED, UNLIMITED = "privileged_port", "privileged_port:no_limit"
LISTED = ("AF_UNIX", "AF_NETLINK", "AF_INET")  # all that the statement knows


def _family(made: Called) -> str:
    return str(made.call.arguments[0]) if made.call.arguments else ""


def _version(frame: Frame) -> int:
    return frame.ip.version if frame.ip else 0


def more_families(runs: Runs) -> Proof:
    """Sockets of two families that are not on the list, at work."""
    run = runs["ipv6_dual_stack"]
    six = run.call("client", "socket", where=lambda one: _family(one) == "AF_INET6")
    syn = run.first("C>S SYN", stream=run.stream_to(run.connection().server.port, 1))
    packet = claim(
        six.outcome == "ok" and _family(six) not in LISTED and _version(syn.frame) == 6,
        Text(
            "socket({family}) works: the SYN in frame {f} is IP version {v}",
            "socket({family}) 可用：第 {f} 帧的 SYN 是 IP 版本 {v}",
        ).fill(family=_family(six), f=syn.number, v=_version(syn.frame)),
        six,
        syn,
    )
    below, place = _below_ip(runs["capture_drops"])
    return Proof(
        (packet, below),
        {
            "syn": rights.frame(syn),
            "family": rights.name(_family(place), place),
        },
    )


def _below_ip(run: Run) -> tuple[Claim, Called]:
    """A socket that is bound to an interface, not to an address; and the call that made it."""
    bound = run.call("server", "bind", where=lambda one: one.call.kind == "")
    made = run.call("server", "socket", where=lambda one: one.call.kind == "")
    name = bound.call.arguments[0]
    where = name[0] if isinstance(name, list) else name
    words = Text(
        "socket({family}) works: it is bound to interface {where}, and has no port",
        "socket({family}) 可用：它绑定的是网络接口 {where}，没有端口",
    ).fill(family=_family(made), where=where)
    kept = made.call.fd == bound.call.fd and made.outcome == bound.outcome == "ok"
    return claim(kept and _family(made) not in LISTED, words, made, bound), made


def only_a_name(runs: Runs) -> Proof:
    """A path that outlives its socket, and a name that is no path."""
    run = runs["af_unix_local:abstract"]
    bound, again = run.call("server", "bind"), run.call("server", "bind", 1)
    read, strange = run.call("server", "recv"), run.call("client", "connect")
    name = bound.call.arguments[0]
    own = (
        claim(
            str(name).startswith("\0") and again.outcome == "ok" and bool(read.call.octets),
            Text(
                "a name that begins with a zero octet: {n} octets pass, and it is free at once, no file is left",
                "以零字节开头的名字：照样传送 {n} 字节，关闭后立即可用，不留文件",
            ).fill(n=read.call.octets),
            bound,
            read,
            again,
        ),
        claim(
            strange.outcome == "ECONNREFUSED",
            Text(
                "on the other host nobody has that name: connect() = {error}",
                "另一台主机上没有这个名字：connect() = {error}",
            ).fill(error=strange.outcome),
            strange,
        ),
    )
    told = part(nothing_on_the_wire(runs), (0, 3), "octets", "again")
    return joined(told, Proof(own, {"strange": rights.error(strange)}))


def a_border_that_is_set(runs: Runs) -> Proof:
    """Below the border it takes a privilege; the border is a sysctl; port 0 is a wish."""
    run, free, quiet = runs[LIMITED], runs[UNLIMITED], runs["api_no_packets"]
    low, high = (run.call("server", "bind", nth) for nth in (1, 2))
    border, none = run.sysctl("server", BORDER), free.sysctl("server", BORDER)
    open_, wish = free.call("server", "bind"), quiet.call("client", "bind")
    asked, given = _asked(wish), port_of(wish.call.local)
    return Proof(
        (
            claim(
                (low.outcome, high.outcome) == ("EACCES", "ok")
                and _asked(low) < int(border.value) <= _asked(high),
                Text(
                    "an ordinary user: bind() to port {low} gives {error}, to port {high} ok; the border is {border}",
                    "普通用户：bind() 端口 {low} 得到 {error}，端口 {high} 成功；界限为 {border}",
                ).fill(low=_asked(low), error=low.outcome, high=_asked(high), border=border.value),
                low,
                high,
                border,
            ),
            claim(
                open_.outcome == "ok" and int(none.value) <= _asked(open_) < int(border.value),
                Text(
                    "with the border at {border} the same user binds port {port}",
                    "界限设为 {border} 时，同一用户可以绑定端口 {port}",
                ).fill(border=none.value, port=_asked(open_)),
                none,
                open_,
            ),
            claim(
                asked == 0 < given,
                Text(
                    "port {asked} in bind() means: choose one for me; the kernel gives {given}",
                    "bind() 的端口 {asked} 表示由内核选择：得到 {given}",
                ).fill(asked=asked, given=given),
                wish,
            ),
        ),
        {"error": rights.error(low), "given": rights.count(given, wish)},
    )


def _asked(bind: Called) -> int:
    return port_of(bind.call.arguments[0]) if bind.call.arguments else 0


def read_is_no_message(runs: Runs) -> Proof:
    """asyncio reads what is there, as recv() does; and one write may take three reads."""
    run = runs["concurrency_models:asyncio"]
    read = run.call("server", "recv")
    stream = next(
        (one.stream for one in run.connections if one.client.port == port_of(read.call.peer)), -1
    )
    data, size = first_data(run, "C", stream), _wanted(read)
    own = claim(
        read.call.octets == data.length < size,
        Text(
            "asyncio asks for up to {size} octets and gets {n}: just those of frame {f}, {span} after they came",
            "asyncio 最多要 {size} 字节，得到 {n}：正是第 {f} 帧的那些，到达 {span} 之后读取",
        ).fill(
            size=size, n=read.call.octets, f=data.number, span=short_span(read.after - data.time)
        ),
        read,
        data,
    )
    told = part(at_most(runs), (0, 1), "got", "last")
    return joined(Proof((own,), {"read": rights.octets(read.call.octets or 0, read)}), told)


def _wanted(read: Called) -> int:
    size = read.call.arguments[0] if read.call.arguments else 0
    return size if isinstance(size, int) else 0


QUESTIONS = (
    Question(
        id="E26",
        asks=Text(
            "Is it true that Python supports AF_UNIX, AF_NETLINK and AF_INET only?",
            "Python 只支持 AF_UNIX、AF_NETLINK 和 AF_INET，对吗？",
        ),
        answer=Text(
            "No. AF_INET6 and AF_PACKET work here, and there are more: AF_VSOCK, AF_CAN, AF_ALG, AF_BLUETOOTH. "
            "Which there are depends on the operating system.",
            "不对。这里就用到了 AF_INET6 和 AF_PACKET；此外还有 AF_VSOCK、AF_CAN、AF_ALG、AF_BLUETOOTH 等。"
            "有哪些可用，取决于操作系统。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("ipv6_dual_stack", "capture_drops"),
        prove=more_families,
        values=(
            Ask(
                "syn",
                Text(
                    "ipv6_dual_stack: frame of the SYN over IPv6",
                    "ipv6_dual_stack：经 IPv6 的 SYN 的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "family",
                Text(
                    "capture_drops: family of the server's first socket",
                    "capture_drops：服务器第一个套接字的地址族",
                ),
                Unit.NAME,
            ),
        ),
        ideas=(
            Idea(
                Text("AF_INET6 and AF_PACKET, for example", "例如 AF_INET6 和 AF_PACKET"),
                (r"af_inet6", r"af_packet", r"ipv6"),
            ),
            Idea(
                Text("it depends on the operating system", "取决于操作系统"),
                (r"depends on", r"operating system", r"取决于", r"操作系统"),
            ),
        ),
        wrong=(
            Idea(
                Text("IPv6 needs another library", "IPv6 需要别的库"),
                (r"ipv6 needs (another|an extra)", r"ipv6 ?需要(别的|其他|额外)"),
            ),
        ),
        guess=Guess(
            Text(
                "What will a socket be bound to that belongs to no IP address at all?",
                "一个与 IP 地址无关的套接字会绑定到什么？",
            ),
            (
                Text("nothing: there is no such socket", "没有这样的套接字"),
                Text("port 0", "端口 0"),
                Text("a network interface", "一个网络接口"),
            ),
            2,
        ),
        hints=(
            Text("Look at the arguments of the socket() calls.", "看各个 socket() 调用的参数。"),
            Text(
                "Compare the IP version of the connections in ipv6_dual_stack.",
                "比较 ipv6_dual_stack 中各条连接的 IP 版本。",
            ),
        ),
        claim=Text("Python knows three address families", "Python 只认识三种地址族"),
        truth=Text(
            "It offers what the operating system has; Linux has dozens",
            "操作系统有什么，它就提供什么；Linux 有几十种",
        ),
        seen_in=("S2",),
        then=("SK02", "NW07"),
        sources=("Python documentation, socket: Socket families", "address_families(7)"),
    ),
    Question(
        id="E27",
        asks=Text(
            "Is it true that AF_UNIX sockets are files, whose data the file system keeps?",
            "AF_UNIX 套接字就是文件，数据由文件系统保存，对吗？",
        ),
        answer=Text(
            "Not quite. Only the name may be a path; the data stay in the kernel's memory. "
            "An abstract name has no file at all, and goes with its socket. A path outlives it.",
            "不完全对。只有名字可以是路径，数据始终在内核内存中。"
            "抽象名字根本没有文件，随套接字一起消失；路径则会留下来。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("af_unix_local", "af_unix_local:abstract"),
        prove=only_a_name,
        values=(
            Ask(
                "octets",
                Text(
                    "af_unix_local: octets delivered by recv()",
                    "af_unix_local：recv() 送达的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "again",
                Text(
                    "af_unix_local: result of bind() to the same path after close()",
                    "af_unix_local：close() 之后再次 bind() 同一路径的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "strange",
                Text(
                    "af_unix_local:abstract: result of connect() on the other host",
                    "af_unix_local:abstract：另一台主机上 connect() 的结果",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("only the name may be a path", "只有名字可以是路径"),
                (
                    r"only the name",
                    r"name[^.]{0,20}(path|file)",
                    r"只有名字",
                    r"名字[^.]{0,8}(路径|文件)",
                ),
            ),
            Idea(
                Text("the data stay in the kernel", "数据始终在内核中"),
                (r"kernel", r"内核"),
            ),
            Idea(
                Text("an abstract name has no file", "抽象名字没有文件"),
                (r"abstract", r"抽象"),
            ),
        ),
        wrong=(
            Idea(
                Text("the data are written to the file", "数据被写入该文件"),
                (r"data are written to (the|a) file", r"数据(会)?被?写入(该|这个)?文件"),
            ),
        ),
        guess=Guess(
            Text(
                "A listener on a path is closed. What will bind() to the same path do?",
                "关闭监听某路径的套接字之后，再 bind() 同一路径会怎样？",
            ),
            (
                Text("fail: EADDRINUSE", "失败：EADDRINUSE"),
                Text("succeed", "成功"),
                Text("fail: EACCES", "失败：EACCES"),
            ),
            0,
        ),
        hints=(
            Text("Look at the arguments of bind() in both runs.", "看两次运行中 bind() 的参数。"),
            Text(
                "Compare how the second bind() ends with a path and with an abstract name.",
                "比较路径与抽象名字时第二次 bind() 的结果。",
            ),
        ),
        claim=Text("AF_UNIX is file based", "AF_UNIX 基于文件"),
        truth=Text(
            "A path is only where to find the socket; no octet of data goes there",
            "路径只用来找到套接字，数据一个字节也不经过那里",
        ),
        seen_in=("S2",),
        then=("NW09",),
        sources=("unix(7)",),
    ),
    Question(
        id="E29",
        asks=Text(
            "Is it true that the ports below 1024 are reserved by the system?",
            "1024 以下的端口都由系统保留，不能使用，对吗？",
        ),
        answer=Text(
            "Not quite. On Linux bind() below ip_unprivileged_port_start needs a privilege; "
            "1024 is only the default of this sysctl. Anybody may connect to such ports. "
            "Port 0 in bind() means: choose one for me.",
            "不完全对。在 Linux 上，bind() 到低于 ip_unprivileged_port_start 的端口需要特权；1024 只是该 sysctl 的默认值。"
            "连接这些端口则人人可以。bind() 端口 0 表示由内核选择一个。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=(LIMITED, UNLIMITED, "api_no_packets"),
        prove=a_border_that_is_set,
        values=(
            Ask(
                "error",
                Text(
                    "privileged_port: how bind() to port 1023 ends",
                    "privileged_port：bind() 端口 1023 的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "given",
                Text(
                    "api_no_packets: port that the client's bind() to port 0 was given",
                    "api_no_packets：客户端 bind() 端口 0 时得到的端口",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("binding them needs a privilege", "绑定它们需要特权"),
                (r"privilege", r"\broot\b", r"cap_net_bind", r"特权", r"权限"),
            ),
            Idea(
                Text("the border is a sysctl", "界限是一个 sysctl"),
                (r"sysctl", r"ip_unprivileged_port_start", r"(can|may) be (set|changed)"),
            ),
            Idea(
                Text("port 0: the kernel chooses one", "端口 0：由内核选择"),
                (r"port 0", r"端口 ?0"),
            ),
        ),
        wrong=(
            Idea(
                Text("no program can use them", "任何程序都不能使用它们"),
                (r"no program (can|may)", r"任何程序都(不能|无法)"),
            ),
        ),
        guess=Guess(
            Text(
                "ip_unprivileged_port_start is 0. What will an ordinary user's bind() to port 1000 do?",
                "ip_unprivileged_port_start 为 0。普通用户 bind() 端口 1000 会怎样？",
            ),
            (
                Text("fail: EACCES", "失败：EACCES"),
                Text("get another port", "得到另一个端口"),
                Text("succeed", "成功"),
            ),
            2,
        ),
        hints=(
            Text("Look at the bind() calls and their results.", "看各次 bind() 及其结果。"),
            Text(
                "Compare the sysctl of the server in the two runs of privileged_port.",
                "比较两次 privileged_port 运行中服务器的 sysctl。",
            ),
        ),
        claim=Text("Ports below 1024 belong to the system", "1024 以下的端口归系统所有"),
        truth=Text(
            "They need a privilege to bind, and where that begins is a setting",
            "绑定它们需要特权，而界限从哪里开始可以设置",
        ),
        seen_in=("S2",),
        then=("ER10",),
        sources=("ip(7)", "Linux ip-sysctl: ip_unprivileged_port_start", "RFC 6335 section 6"),
    ),
    Question(
        id="E47",
        asks=Text(
            "Is it true that an asyncio server is done once it has read, written and closed the writer?",
            "asyncio 服务器读一次、写一次、close 掉 writer 就完事了，对吗？",
        ),
        answer=Text(
            "No. read(1024) returns what is there, which may be a part of a message, or several. "
            "So read in a loop until the message is complete. "
            "close() only begins the closing: await wait_closed() to see it done.",
            "不对。read(1024) 返回已经到达的数据，可能只是一条消息的一部分，也可能是几条。"
            "所以要循环读取，直到消息完整。close() 只是开始关闭：要 await wait_closed() 才知道已经完成。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("concurrency_models:asyncio", "stream_coalesce", "stream_coalesce:split"),
        prove=read_is_no_message,
        values=(
            Ask(
                "read",
                Text(
                    "asyncio: octets that the server's first recv() returned",
                    "asyncio：服务器第一次 recv() 返回的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "got",
                Text(
                    "stream_coalesce: octets that the server's recv(1024) returned",
                    "stream_coalesce：服务器 recv(1024) 返回的字节数",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "last",
                Text(
                    "stream_coalesce:split: octets of the last recv(10) with data",
                    "stream_coalesce:split：最后一次有数据的 recv(10) 返回的字节数",
                ),
                Unit.OCTETS,
            ),
        ),
        ideas=(
            Idea(
                Text("a read may return a part of a message", "一次读取可能只得到消息的一部分"),
                (r"part of (a|the) message", r"partial", r"what is there", r"一部分"),
            ),
            Idea(
                Text("read in a loop until it is complete", "循环读取直到完整"),
                (r"\bloop", r"until", r"循环", r"直到"),
            ),
            Idea(
                Text("await wait_closed()", "要 await wait_closed()"),
                (r"wait_closed",),
            ),
        ),
        wrong=(
            Idea(
                Text("read(1024) waits for 1024 octets", "read(1024) 会等满 1024 字节"),
                (r"read\(1024\) waits for", r"read\(1024\) ?会?等(待|满|到)"),
            ),
        ),
        guess=Guess(
            Text(
                "17 octets have come. What will read(1024) do?",
                "到达了 17 字节。read(1024) 会怎样？",
            ),
            (
                Text("return 17 octets", "返回 17 字节"),
                Text("wait for 1024", "等满 1024 字节"),
                Text("fail", "失败"),
            ),
            0,
        ),
        hints=(
            Text(
                "Look at the argument and the result of the server's recv() calls.",
                "看服务器各次 recv() 的参数与结果。",
            ),
            Text(
                "Compare them with the octets that one send() gave.",
                "把它们与一次 send() 的字节数相比较。",
            ),
        ),
        claim=Text("Read, write, writer.close(): done", "读、写、writer.close()：完成"),
        truth=Text(
            "One read is no message, and close() is not yet closed",
            "一次读取不等于一条消息，close() 也不等于已关闭",
        ),
        seen_in=("S0",),
        then=("BS02", "SV06"),
        sources=("Python documentation, asyncio: StreamReader.read, StreamWriter.wait_closed",),
    ),
)
