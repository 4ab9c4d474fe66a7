"""Statements about the address that a server is bound to."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.local_sockets import ANY, FOREIGN, LOOPBACK, bound, from_loopback
from lab.questions.pieces import Called
from lab.questions.resets import refusal
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text


def address_of(end: object) -> str:
    """The address of [address, port]; "" if it is no such thing."""
    match end:
        case [str(address), int(), *_]:
            return address
    return ""


# ---------------------------------------------------------------- where a server listens


def gets_in(run: Run, visit: Called) -> Claim:
    """Bound to every address, a server answers the other host's SYN."""
    bind = run.call("server", "bind")
    syn, synack, _ = run.opening()
    words = Text(
        "bound to {address}: the other host's SYN gets SYN,ACK, frame {n}",
        "绑定 {address}：另一台主机的 SYN 得到 SYN,ACK，即第 {n} 帧",
    ).fill(address=bound(bind), n=synack.number)
    kept = bound(bind) == "0.0.0.0" and synack.ack == syn.end and visit.outcome == "ok"
    return claim(kept, words, bind, syn, synack, visit)


def shut_out(run: Run) -> Claim:
    """Where nobody listens a SYN is answered with RST."""
    (syn, reset), connect = refusal(run), run.call("client", "connect")
    words = Text(
        "the other host's SYN, frame {a}, is answered with RST, frame {b}: connect() = {error}",
        "另一台主机的 SYN（第 {a} 帧）得到 RST（第 {b} 帧）：connect() = {error}",
    ).fill(a=syn.number, b=reset.number, error=connect.outcome)
    kept = reset.ack == syn.end and connect.outcome == "ECONNREFUSED"
    return claim(kept, words, syn, reset, connect)


def not_ours(runs: Runs) -> Proof:
    """An address that is on none of the host's interfaces cannot be bound."""
    run, wild = runs[FOREIGN], runs[ANY]
    bind = run.call("server", "bind")
    listening = run.calls("server", "listen")
    return Proof(
        (
            claim(
                bind.outcome == "EADDRNOTAVAIL" and not listening,
                Text(
                    "bind() to {address}, which no interface of the host has: {error}; it never listens",
                    "bind() 到本机没有的地址 {address}：{error}；服务器未能监听",
                ).fill(address=bound(bind), error=bind.outcome),
                bind,
            ),
            shut_out(run),
            gets_in(wild, wild.call("client", "connect")),
        ),
        {"error": rights.error(bind), "rst": rights.frame(refusal(run)[1])},
    )


def nobody_else(runs: Runs) -> Proof:
    """A server on 127.0.0.1 serves its own host, unseen; to others the port is closed."""
    run = runs[LOOPBACK]
    bind, inside = run.call("server", "bind"), run.call("server", "connect")
    accepted, outside = run.call("server", "accept"), run.call("client", "connect")
    return Proof(
        (
            claim(
                bound(bind).startswith("127.") and inside.outcome == accepted.outcome == "ok",
                Text(
                    "bound to {address}: the server's own host gets in, from {peer}",
                    "绑定 {address}：服务器本机可以连上，来自 {peer}",
                ).fill(address=bound(bind), peer=address_of(accepted.call.peer)),
                bind,
                inside,
                accepted,
            ),
            shut_out(run),
            claim(
                not run.packets("server", from_loopback) and len(run.connections) == 1,
                Text(
                    "on the wire there is {n} connection, the refused one: loopback never gets there",
                    "线路上只有 {n} 条连接，就是被拒绝的那条：环回流量不上线路",
                ).fill(n=len(run.connections)),
                run.capture("server"),
                run.capture(),
            ),
        ),
        {"error": rights.error(outside), "rst": rights.frame(refusal(run)[1])},
    )


def every_address(runs: Runs) -> Proof:
    """One listener at "", two accepted sockets, two local addresses."""
    run = runs[ANY]
    bind, visits = run.call("server", "bind"), [run.call("server", "accept", n) for n in (0, 1)]
    calls = run.call("server", "connect"), run.call("client", "connect")
    ends = [address_of(one.call.local) for one in visits]
    aims = [bound(one) for one in calls]
    outer = run.opening()[0]
    called = outer.frame.ip.destination if outer.frame.ip else ""
    return Proof(
        (
            claim(
                bind.call.arguments[0] == ["", _port(bind)]
                and address_of(bind.call.local) == "0.0.0.0",
                Text(
                    'bind(("", {port})): getsockname() then says {address}, INADDR_ANY',
                    'bind(("", {port})) 之后，getsockname() 给出 {address}，即 INADDR_ANY',
                ).fill(port=_port(bind), address=address_of(bind.call.local)),
                bind,
            ),
            claim(
                sorted(ends) == sorted(aims) and len(set(ends)) == 2,
                Text(
                    "its two accepted sockets have two local addresses, {a} and {b}: those that were called",
                    "它的两个已接受套接字有两个本地地址：{a} 和 {b}，正是对方所连接的地址",
                ).fill(a=ends[0], b=ends[1]),
                *visits,
                *calls,
            ),
            claim(
                called in ends and called != address_of(bind.call.local),
                Text(
                    "no packet is for {any}: the SYN, frame {n}, goes to {address}",
                    "没有发往 {any} 的包：SYN（第 {n} 帧）的目的地址是 {address}",
                ).fill(any=address_of(bind.call.local), n=outer.number, address=called),
                outer,
                *visits,
            ),
        ),
        {
            "inner": rights.name(ends[0], visits[0]),
            "outer": rights.name(ends[1], visits[1]),
        },
    )


def _port(call: Called) -> int:
    match call.call.arguments:
        case [[_, int(port), *_], *_]:
            return port
    return 0


RST = Ask("rst", Text("Frame that refuses the other host", "拒绝另一台主机的帧号"), Unit.FRAME)

QUESTIONS = (
    Question(
        id="E5",
        asks=Text(
            "Is it true that a deployed server should bind the public IP address?",
            "部署时，服务器应当绑定公网 IP 地址，对吗？",
        ),
        answer=Text(
            "Only if the host itself has that address. Behind NAT it belongs to the router. "
            "bind() then fails with EADDRNOTAVAIL and nobody listens. "
            "Bind an address of the host, or the wildcard 0.0.0.0.",
            "只有当这个地址就在本机上时才行。在 NAT 之后，公网地址属于路由器。"
            "此时 bind() 以 EADDRNOTAVAIL 失败，根本没有监听。"
            "应绑定本机的地址，或通配地址 0.0.0.0。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(FOREIGN, ANY),
        prove=not_ours,
        values=(
            Ask(
                "error",
                Text("Foreign address: result of bind()", "外来地址：bind() 的结果"),
                Unit.ERROR,
            ),
            Ask(
                "rst",
                Text(
                    "Foreign address: frame that refuses the client",
                    "外来地址：拒绝客户端的帧号",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("the host itself must have the address", "地址必须在本机上"),
                (
                    r"host( itself)? (must )?(has|have|own)",
                    r"address of the host",
                    r"(在|是)?本机(的|上)",
                ),
            ),
            Idea(
                Text("bind() fails with EADDRNOTAVAIL", "bind() 以 EADDRNOTAVAIL 失败"),
                (r"eaddrnotavail", r"cannot assign requested address"),
            ),
            Idea(
                Text("bind the wildcard 0.0.0.0 instead", "改为绑定通配地址 0.0.0.0"),
                (r"0\.0\.0\.0", r"wildcard", r"inaddr_any", r"通配"),
            ),
        ),
        wrong=(
            Idea(
                Text("bind() accepts any address", "bind() 可以绑定任意地址"),
                (r"bind(\(\))? (accepts|takes) any", r"bind(\(\))? ?可以绑定任意"),
            ),
        ),
        guess=Guess(
            Text(
                "bind() is given an address that is on no interface here. What happens?",
                "bind() 的地址不在本机任何接口上，会怎样？",
            ),
            (
                Text("it succeeds, and nobody can connect", "成功，但没有人能连上"),
                Text("it fails at once", "立即失败"),
                Text("the kernel asks the network", "内核向网络查询"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the server's first calls in both runs.", "看两次运行中服务器最初的调用。"
            ),
            Text(
                "Compare the argument of bind(), and what answers the client's SYN.",
                "比较 bind() 的参数，以及对客户端 SYN 的应答。",
            ),
        ),
        claim=Text("In deployment bind the public IP address", "部署时绑定公网 IP"),
        truth=Text(
            "An address that the host does not have cannot be bound: EADDRNOTAVAIL",
            "本机没有的地址无法绑定：EADDRNOTAVAIL",
        ),
        seen_in=("S0",),
        then=("NW08", "ER10"),
        sources=("bind(2)", "ip(7)", "RFC 3022 section 2"),
    ),
    Question(
        id="E6",
        asks=Text(
            "Is it true that a server on 127.0.0.1 can be reached from other machines once it runs?",
            "绑定 127.0.0.1 的服务器启动后，别的机器就能连上，对吗？",
        ),
        answer=Text(
            "No. A listener on 127.0.0.1 serves its own host only. "
            "To every other host the port is closed: its SYN gets RST, and connect() fails with ECONNREFUSED.",
            "不对。监听在 127.0.0.1 上的服务器只为本机服务。"
            "对其他主机而言端口是关闭的：SYN 得到 RST，connect() 以 ECONNREFUSED 失败。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=(LOOPBACK,),
        prove=nobody_else,
        values=(
            RST,
            Ask(
                "error",
                Text("How the other host's connect() ends", "另一台主机 connect() 的结果"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("it serves its own host only", "它只为本机服务"),
                (r"(own|same|this|local) host", r"本机"),
            ),
            Idea(
                Text("other hosts get RST: ECONNREFUSED", "其他主机得到 RST：ECONNREFUSED"),
                (r"\brst\b", r"econnrefused", r"refused", r"拒绝"),
            ),
        ),
        wrong=(
            Idea(
                Text("other hosts time out", "其他主机会超时"),
                (r"(hosts?|connect(\(\))?) times? out", r"会超时"),
            ),
            Idea(
                Text("127.0.0.1 can be reached from the LAN", "127.0.0.1 可以从局域网访问"),
                (r"127\.0\.0\.1 can be reached", r"127\.0\.0\.1 ?可以从"),
            ),
        ),
        guess=Guess(
            Text(
                "The server listens on 127.0.0.1. What does another host's SYN get?",
                "服务器监听 127.0.0.1。另一台主机的 SYN 会得到什么？",
            ),
            (Text("SYN,ACK", "SYN,ACK"), Text("RST", "RST"), Text("nothing", "没有任何应答")),
            1,
        ),
        hints=(
            Text("Look at the argument of the server's bind().", "看服务器 bind() 的参数。"),
            Text(
                "Compare the two connect() calls: the server's own and the client's.",
                "比较两次 connect()：服务器自己的和客户端的。",
            ),
        ),
        claim=Text(
            "A server on 127.0.0.1 works across machines once it is started",
            "绑定 127.0.0.1 的服务器启动后即可跨机器访问",
        ),
        truth=Text(
            "It is closed to all other hosts: their SYN is answered with RST",
            "对其他主机它是关闭的：其 SYN 得到 RST",
        ),
        seen_in=("S0",),
        then=("NW08", "ER09"),
        sources=("ip(7)", "RFC 1122 section 3.2.1.3"),
    ),
    Question(
        id="E22",
        asks=Text(
            'Is it true that "" in bind() means the local IP address?',
            "bind() 里的空字符串 '' 表示本机 IP，对吗？",
        ),
        answer=Text(
            "Not one address: it means every local IPv4 address, INADDR_ANY or 0.0.0.0. "
            "Which one was called shows only in the accepted socket. "
            "Here one listener is reached at two addresses.",
            "不是某一个地址，而是本机的所有 IPv4 地址，即 INADDR_ANY（0.0.0.0）。"
            "对方连的是哪一个，要看已接受的套接字。"
            "这里同一个监听套接字从两个地址都能连上。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=(ANY,),
        prove=every_address,
        values=(
            Ask(
                "inner",
                Text("Local address of the first accepted socket", "第一个已接受套接字的本地地址"),
                Unit.NAME,
            ),
            Ask(
                "outer",
                Text("Local address of the second accepted socket", "第二个已接受套接字的本地地址"),
                Unit.NAME,
            ),
        ),
        ideas=(
            Idea(
                Text("it means every local address", "它表示本机的所有地址"),
                (
                    r"(every|all|any) (local|own|of the host)",
                    r"(所有|全部|任意)(的|一个)?( ?ipv4 ?)?地址",
                ),
            ),
            Idea(
                Text("its name is INADDR_ANY, 0.0.0.0", "即 INADDR_ANY，0.0.0.0"),
                (r"inaddr_any", r"0\.0\.0\.0"),
            ),
        ),
        wrong=(
            Idea(
                Text('"" means 127.0.0.1 only', "'' 只表示 127.0.0.1"),
                (r"means 127\.0\.0\.1", r"只?表示 ?127\.0\.0\.1"),
            ),
        ),
        guess=Guess(
            Text(
                'A server binds "". At which addresses can it be reached?',
                "服务器绑定 ''。从哪些地址可以连上它？",
            ),
            (
                Text("at 127.0.0.1 only", "只有 127.0.0.1"),
                Text("at the first interface's only", "只有第一块网卡的地址"),
                Text("at all addresses of the host", "本机的所有地址"),
            ),
            2,
        ),
        hints=(
            Text("Look at the server's accept() calls.", "看服务器的 accept() 调用。"),
            Text(
                "Compare the local address of each accepted socket with the listener's.",
                "把每个已接受套接字的本地地址与监听套接字的相比较。",
            ),
        ),
        claim=Text('"" means the local IP address', "'' 表示本机 IP"),
        truth=Text(
            "It means all of them: one listener accepted at two addresses",
            "它表示全部地址：同一个监听套接字在两个地址上接受了连接",
        ),
        seen_in=("S1",),
        then=("NW08",),
        sources=("ip(7) INADDR_ANY", "Python: socket, socket families"),
    ),
)
