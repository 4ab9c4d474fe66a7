"""Errors of bind() and connect() that name an address: in use, not here, forbidden, out of reach."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.questions.servers import port_of
from lab.text import Text
from lab.units import short_span

UNREACHABLE = 3  # ICMP type
PORT_CODE, PROHIBITED_CODE = 3, 13  # RFC 792, RFC 1812 section 5.2.7.1
REQUEST = 1  # ARP operation


# ---------------------------------------------------------------- local errors


def local_errors(runs: Runs) -> Proof:
    """Errors that need no answer from anybody."""
    restart, foreign = runs["time_wait_restart"], runs["loopback_bind:foreign_address"]
    ports, low = runs["time_wait_exhaustion"], runs["privileged_port"]
    used, absent = _failed(restart, "server", "bind"), _failed(foreign, "server", "bind")
    spent, denied = _failed(ports, "client", "connect"), _failed(low, "server", "bind")
    return Proof(
        (
            _in_use(restart, used),
            claim(
                absent.outcome == "EADDRNOTAVAIL",
                Text(
                    "{error}: bind() to {address}, which the host does not have",
                    "{error}：bind() 到本机没有的地址 {address}",
                ).fill(error=absent.outcome, address=_address(absent)),
                absent,
            ),
            _used_up(ports, spent),
            _privileged(low, denied),
        ),
        {
            "used": rights.error(used),
            "absent": rights.error(absent),
            "spent": rights.error(spent),
            "denied": rights.error(denied),
        },
    )


def _failed(run: Run, host: str, function: str) -> Called:
    return run.call(host, function, where=lambda one: bool(one.call.error))


def _address(one: Called) -> str:
    address = one.call.arguments[0] if one.call.arguments else None
    return str(address[0]) if isinstance(address, list) and address else ""


def _in_use(run: Run, used: Called) -> Claim:
    waiting = run.socket("server").stay("TIME-WAIT")
    again = run.call("server", "bind", where=lambda one: one.before > used.before)
    words = Text(
        "{error}: bind() while the old connection is in TIME-WAIT; with SO_REUSEADDR: {ok}",
        "{error}：旧连接仍处于 TIME-WAIT 时 bind()；设置 SO_REUSEADDR 后：{ok}",
    ).fill(error=used.outcome, ok=again.outcome)
    kept = (used.outcome, again.outcome) == ("EADDRINUSE", "ok") and waiting.until > used.after
    return claim(kept, words, waiting, used, again)


def _used_up(run: Run, spent: Called) -> Claim:
    opened = [one for one in run.calls("client", "connect") if not one.call.error]
    words = Text(
        "{error}: connect() with no local port left; {n} other calls made the {m} SYNs that were sent",
        "{error}：connect() 时本地端口已用尽；发出的 {m} 个 SYN 来自另外 {n} 次调用",
    ).fill(error=spent.outcome, n=len(opened), m=len(run.connections))
    kept = spent.outcome == "EADDRNOTAVAIL" and len(opened) == len(run.connections)
    return claim(kept, words, spent, *opened)


def _privileged(run: Run, denied: Called) -> Claim:
    limit = run.sysctl("server", "net.ipv4.ip_unprivileged_port_start")
    port, seen = port_of(denied.call.arguments[0]), len(run.connections)
    words = Text(
        "{error}: bind() to port {port} < {limit} without the privilege; connections on the wire: {n}",
        "{error}：无特权 bind() 到端口 {port} < {limit}；网络上的连接：{n} 条",
    ).fill(error=denied.outcome, port=port, limit=limit.value, n=seen)
    kept = denied.outcome == "EACCES" and 0 < port < int(limit.value) and not seen
    return claim(kept, words, denied, limit, run.capture("server"))


# ---------------------------------------------------------------- unreachable


def unreachable(runs: Runs) -> Proof:
    """Nobody at the address, and a filter that says no."""
    absent, firewall = runs["syn_blackhole:no_host"], runs["rst_refused:firewall_icmp"]
    failed = absent.call("client", "connect")
    requests = absent.packets(where=lambda one: _asks_for(one, _address(failed)))
    first = absent.one("ARP request", requests)
    prohibited = _icmp(firewall, PROHIBITED_CODE)
    return Proof(
        (
            claim(
                failed.outcome == "EHOSTUNREACH"
                and len(requests) > 1
                and failed.after > first.time,
                Text(
                    "nobody at {address}: {n} ARP requests, then {error} {span} after the first",
                    "{address} 没有主机：{n} 个 ARP 请求，首个请求之后 {span} 得到 {error}",
                ).fill(
                    address=_address(failed),
                    n=len(requests),
                    error=failed.outcome,
                    span=short_span(failed.after - first.time),
                ),
                *requests,
                failed,
            ),
            claim(
                not absent.connections,
                Text(
                    "not one SYN left: {n} TCP connections in the capture",
                    "一个 SYN 也没有发出：抓包中的 TCP 连接为 {n} 条",
                ).fill(n=len(absent.connections)),
                absent.capture(),
            ),
            _icmp_claim(firewall, PROHIBITED_CODE, "EHOSTUNREACH"),
            _icmp_claim(firewall, PORT_CODE, "ECONNREFUSED"),
        ),
        {
            "requests": rights.count(len(requests), *requests),
            "wait": rights.span(failed.lasted, failed),
            "icmp": rights.frame(prohibited[0], *prohibited[1:]),
            "error": rights.error(_to(firewall, prohibited[0])),
        },
    )


def _asks_for(one: Packet, address: str) -> bool:
    arp = one.frame.arp
    return arp is not None and arp.operation == REQUEST and arp.target == address


def _icmp(run: Run, code: int) -> tuple[Packet, ...]:
    """The ICMP errors of a code; Missing if there is none."""

    def fits(one: Packet) -> bool:
        icmp = one.frame.icmp
        return icmp is not None and (icmp.type, icmp.code) == (UNREACHABLE, code)

    return (run.packet(f"ICMP {UNREACHABLE}/{code}", fits), *run.packets(where=fits)[1:])


def _to(run: Run, error: Packet) -> Called:
    """The connect() to the port that an ICMP error quotes."""
    icmp = error.frame.icmp
    port = icmp.quoted.destination.port if icmp and icmp.quoted else 0
    return run.call(
        "client",
        "connect",
        where=lambda one: bool(one.call.arguments) and port_of(one.call.arguments[0]) == port,
    )


def _icmp_claim(run: Run, code: int, error: str) -> Claim:
    answer = _icmp(run, code)[0]
    failed = _to(run, answer)
    words = Text(
        "ICMP {type}/{code} quotes the SYN to port {port}; that connect() fails with {error}",
        "ICMP {type}/{code} 引用了发往端口 {port} 的 SYN；该 connect() 以 {error} 失败",
    ).fill(
        type=UNREACHABLE,
        code=code,
        port=port_of(failed.call.arguments[0]),
        error=failed.outcome,
    )
    return claim(failed.outcome == error and failed.after > answer.time, words, answer, failed)


QUESTIONS = (
    Question(
        id="ER10",
        asks=Text(
            "EADDRINUSE, EADDRNOTAVAIL, EACCES at bind or connect: what does each say?",
            "bind/connect 的 EADDRINUSE、EADDRNOTAVAIL、EACCES 各表示什么？",
        ),
        answer=Text(
            "EADDRINUSE: the address is in use, by a listener or by TIME-WAIT. EADDRNOTAVAIL: the address is "
            "not on this host, or the ephemeral ports are used up. EACCES: a privileged port, or broadcast "
            "without permission. All three are local: nothing is sent.",
            "EADDRINUSE：地址已被监听者或 TIME-WAIT 占用。EADDRNOTAVAIL：地址不属于本机，或临时端口耗尽。"
            "EACCES：特权端口，或未经许可的广播。三者都是本地错误，不发出任何报文。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        runs=(
            "time_wait_restart",
            "loopback_bind:foreign_address",
            "time_wait_exhaustion",
            "privileged_port",
        ),
        prove=local_errors,
        values=tuple(
            Ask(name, Text(f"Error: {en}", f"错误：{zh}"), Unit.ERROR)
            for name, en, zh in (
                ("used", "restart without SO_REUSEADDR", "未设 SO_REUSEADDR 就重启"),
                ("absent", "bind() to an address of no host", "bind() 到不存在的地址"),
                ("spent", "connect() when the ports are used up", "端口耗尽后 connect()"),
                ("denied", "bind() to port 1000", "bind() 到端口 1000"),
            )
        ),
        ideas=(
            Idea(
                Text(
                    "EADDRINUSE: in use, TIME-WAIT or a listener",
                    "EADDRINUSE：被 TIME-WAIT 或监听者占用",
                ),
                (r"eaddrinuse.*(in use|time-wait|listener)", r"eaddrinuse.*(占用|time-wait)"),
            ),
            Idea(
                Text(
                    "EADDRNOTAVAIL: not this host's address, or no port left",
                    "EADDRNOTAVAIL：不是本机地址，或没有端口可用",
                ),
                (r"eaddrnotavail.*(not|port)", r"eaddrnotavail.*(本机|端口)"),
            ),
            Idea(
                Text("EACCES: a privileged port", "EACCES：特权端口"),
                (r"eacces.*(privileg|below|permission)", r"eacces.*(特权|权限|许可)"),
            ),
        ),
        wrong=(
            Idea(
                Text("EADDRINUSE comes from the peer", "EADDRINUSE 是对端返回的"),
                (r"eaddrinuse comes from the (peer|server)", r"eaddrinuse ?是对端"),
            ),
        ),
        guess=Guess(
            Text(
                "All local ports towards one server are in TIME-WAIT. What does connect() report?",
                "通往某服务器的本地端口全部处于 TIME-WAIT，connect() 报告什么？",
            ),
            (
                Text("EADDRINUSE", "EADDRINUSE"),
                Text("ECONNREFUSED", "ECONNREFUSED"),
                Text("EADDRNOTAVAIL", "EADDRNOTAVAIL"),
            ),
            2,
        ),
        hints=(
            Text("Look at the calls that fail, not at the wire.", "看失败的调用，而不是线路。"),
            Text(
                "Compare each with the state of the socket or the address that it names.",
                "与它所涉及的套接字状态或地址相比较。",
            ),
        ),
        then=("ER11",),
        sources=("bind(2)", "connect(2)", "ip(7)"),
    ),
    Question(
        id="ER11",
        asks=Text(
            "EHOSTUNREACH and ENETUNREACH: where do they come from?",
            "EHOSTUNREACH 和 ENETUNREACH 从何而来？",
        ),
        answer=Text(
            "ENETUNREACH: this host has no route, or ICMP says that the network is unreachable. "
            "EHOSTUNREACH: ARP failed for about 3 s, or ICMP said host unreachable or administratively "
            "prohibited.",
            "ENETUNREACH：本机没有路由，或 ICMP 报告网络不可达。EHOSTUNREACH：ARP 约 3 秒无人应答，"
            "或 ICMP 报告主机不可达、管理性禁止。",
        ),
        kind=Kind.DIAGNOSE,
        level=3,
        runs=("syn_blackhole:no_host", "rst_refused:firewall_icmp"),
        prove=unreachable,
        values=(
            Ask(
                "requests",
                Text("Nobody at the address: ARP requests", "地址上没有主机：ARP 请求数"),
                Unit.COUNT,
            ),
            Ask(
                "wait",
                Text("How long that connect() takes", "此时 connect() 所用的时间"),
                Unit.SPAN,
            ),
            Ask(
                "icmp",
                Text(
                    "Firewall: frame of the ICMP error with code 13",
                    "防火墙：代码为 13 的 ICMP 差错的帧号",
                ),
                Unit.FRAME,
            ),
            Ask("error", Text("Error of that connect()", "相应 connect() 的错误"), Unit.ERROR),
        ),
        ideas=(
            Idea(
                Text("ENETUNREACH: no route", "ENETUNREACH：没有路由"),
                (r"no route", r"没有路由|无路由"),
            ),
            Idea(
                Text("EHOSTUNREACH: ARP is not answered", "EHOSTUNREACH：ARP 无人应答"),
                (r"\barp\b",),
            ),
            Idea(
                Text("or an ICMP error says so", "或 ICMP 差错如此报告"),
                (r"\bicmp\b",),
            ),
        ),
        wrong=(
            Idea(
                Text("EHOSTUNREACH means that the port is closed", "EHOSTUNREACH 说明端口未监听"),
                (r"ehostunreach means that the port", r"ehostunreach ?(说明|表示)端口"),
            ),
        ),
        guess=Guess(
            Text(
                "connect() to a neighbour that does not exist. Which frames leave?",
                "connect() 到同网段不存在的主机，会发出哪些帧？",
            ),
            (
                Text("SYNs", "SYN"),
                Text("ARP requests, then a SYN", "先 ARP 请求，再 SYN"),
                Text("ARP requests only", "只有 ARP 请求"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the frames outside the exchanges: ARP and ICMP.",
                "看交换之外的帧：ARP 与 ICMP。",
            ),
            Text(
                "Compare the port that the ICMP error quotes with that of each connect().",
                "把 ICMP 差错所引用的端口与每次 connect() 的端口相比较。",
            ),
        ),
        then=("ER01",),
        sources=("connect(2)", "RFC 792", "RFC 1812 section 5.2.7.1"),
    ),
)
