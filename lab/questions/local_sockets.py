"""What stays within a host: loopback addresses and AF_UNIX."""

from __future__ import annotations

from lab.packets.frames import Protocol
from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text

LOOPBACK, ANY, FOREIGN = "loopback_bind", "loopback_bind:any", "loopback_bind:foreign_address"
LOCAL = "af_unix_local"
TALK = (Protocol.TCP, Protocol.UDP)


def bound(one: Called) -> str:
    """The address that bind() was given."""
    match one.call.arguments:
        case [[str(address), *_], *_]:
            return address or "0.0.0.0"
    return ""


def from_loopback(one: Packet) -> bool:
    return bool(one.frame.source and one.frame.source.address.startswith("127."))


def talks(run: Run, host: str) -> tuple[Packet, ...]:
    """The TCP and UDP frames at a port."""
    return run.packets(host, lambda one: one.frame.protocol in TALK)


def three_addresses(runs: Runs) -> Proof:
    """127.0.0.1: this host; 0.0.0.0: all of them; another host's: none."""
    here, all_, other = runs[LOOPBACK], runs[ANY], runs[FOREIGN]
    syn, reset = here.first("C>S SYN"), here.first("S>C RST,ACK")
    refused, inside = here.call("client", "connect"), here.call("server", "connect")
    own, wild, strange = (run.call("server", "bind") for run in (here, all_, other))
    opened = all_.opening()
    visits = all_.call("client", "connect"), all_.call("server", "connect")
    accepted = here.call("server", "accept")
    return Proof(
        (
            claim(
                bound(own).startswith("127.")
                and refused.outcome == "ECONNREFUSED"
                and reset.ack == syn.end
                and inside.outcome == "ok",
                Text(
                    "bound to {address}: the other host's SYN gets RST, {error}; the host itself gets in",
                    "绑定 {address}：另一台主机的 SYN 得到 RST，{error}；本机可以连接",
                ).fill(address=bound(own), error=refused.outcome),
                own,
                syn,
                reset,
                refused,
                inside,
            ),
            claim(
                bound(wild) == "0.0.0.0"
                and all(one.outcome == "ok" for one in visits)
                and opened[1].ack == opened[0].end,
                Text(
                    "bound to {address}: SYN,ACK in frame {frame}; both connect() succeed",
                    "绑定 {address}：帧 {frame} 是 SYN,ACK；两次 connect() 都成功",
                ).fill(address=bound(wild), frame=opened[1].number),
                wild,
                *opened[:2],
                *visits,
            ),
            claim(
                strange.outcome == "EADDRNOTAVAIL",
                Text(
                    "bound to {address}, an address of no interface here: {error}",
                    "绑定本机网卡没有的地址 {address}：{error}",
                ).fill(address=bound(strange), error=strange.outcome),
                strange,
            ),
            claim(
                accepted.outcome == "ok"
                and not here.packets("server", from_loopback)
                and len(here.connections) == 1,
                Text(
                    "the host's own connection was accepted, yet no capture at its port has a frame of it",
                    "本机的连接已被 accept()，而在其端口抓包看不到它的任何一帧",
                ),
                accepted,
                here.capture("server"),
                here.capture("client"),
            ),
        ),
        {
            "rst": rights.frame(reset),
            "refused": rights.error(refused),
            "bind": rights.error(strange),
        },
    )


def nothing_on_the_wire(runs: Runs) -> Proof:
    """Octets are delivered, frames there are none."""
    run = runs[LOCAL]
    sent, read = run.calls("server", "sendall"), run.calls("server", "recv")
    total, arrived = (sum(one.call.octets or 0 for one in calls) for calls in (sent, read))
    frames = len(talks(run, "client")) + len(talks(run, "server"))
    every = run.calls("server", "socket", "bind", "listen", "accept", "connect")
    again = next((one for one in every if one.outcome == "EADDRINUSE"), run.call("server", "bind"))
    used = [run.call("server", name) for name in ("bind", "listen", "accept", "connect")]
    return Proof(
        (
            claim(
                total == arrived > 0,
                Text(
                    "{parts} = {n} octets are sent, and {n} are received",
                    "发送 {parts} = {n} 字节，收到 {n} 字节",
                ).fill(parts=" + ".join(str(one.call.octets) for one in sent), n=total),
                *sent,
                *(one for one in read if one.call.octets),
            ),
            claim(
                frames == 0 and arrived > 0,
                Text(
                    "neither port saw a TCP or UDP frame: {n}",
                    "两个端口都没有看到 TCP 或 UDP 帧：{n} 帧",
                ).fill(n=frames),
                run.capture("client"),
                run.capture("server"),
                *(one for one in read if one.call.octets),
            ),
            claim(
                all(one.outcome == "ok" and one.call.kind == "unix" for one in used),
                Text(
                    "the calls are those of TCP: bind(), listen(), accept(), connect()",
                    "调用与 TCP 相同：bind()、listen()、accept()、connect()",
                ),
                *used,
            ),
            claim(
                again.outcome == "EADDRINUSE" and again.call.arguments == used[0].call.arguments,
                Text(
                    "the name is a file: after close() it is still there, and bind() = {error}",
                    "名字是一个文件：close() 之后仍在，再次 bind() = {error}",
                ).fill(error=again.outcome),
                used[0],
                again,
            ),
        ),
        {
            "frames": rights.count(frames, run.capture("server"), run.capture("client")),
            "octets": rights.octets(arrived, *(one for one in read if one.call.octets)),
            "again": rights.error(again),
        },
    )


QUESTIONS = (
    Question(
        id="NW08",
        asks=Text(
            "127.0.0.1, 0.0.0.0 and the interface address: what differs for a server?",
            "127.0.0.1、0.0.0.0 与网卡地址对服务器有何区别？",
        ),
        answer=Text(
            "127.0.0.1 accepts connections from the same host only. 0.0.0.0 listens on all local "
            "addresses. A specific address listens on that one only, and must be the host's own.",
            "127.0.0.1 只接受本机连接；0.0.0.0 监听本机的所有地址；具体地址只监听该地址，且必须是本机的地址。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="low",
        core=True,
        runs=(LOOPBACK, ANY, FOREIGN),
        prove=three_addresses,
        values=(
            Ask(
                "rst",
                Text(
                    "Bound to 127.0.0.1: frame that refuses the other host",
                    "绑定 127.0.0.1：拒绝另一台主机的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "refused",
                Text(
                    "Bound to 127.0.0.1: result of the other host's connect()",
                    "绑定 127.0.0.1：另一台主机 connect() 的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "bind",
                Text("Foreign address: result of bind()", "绑定外来地址：bind() 的结果"),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("127.0.0.1: the same host only", "127.0.0.1：只接受本机"),
                (
                    r"(127\.0\.0\.1|loopback)[^;]*(same|own|this|local) host",
                    r"(127\.0\.0\.1|环回)[^;]*本机",
                ),
            ),
            Idea(
                Text("0.0.0.0: all local addresses", "0.0.0.0：本机的所有地址"),
                (r"0\.0\.0\.0[^;]*(all|every|any)", r"0\.0\.0\.0[^;]*(所有|全部|任意)"),
            ),
            Idea(
                Text("a specific address: that one only", "具体地址：只监听该地址"),
                (
                    r"(specific|interface)[^;]*only",
                    r"that (one|address) only",
                    r"(具体|网卡)地址[^;]*(只|仅)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text(
                    "0.0.0.0 is an address that clients connect to",
                    "0.0.0.0 是客户端要连接的地址",
                ),
                (r"0\.0\.0\.0 is an address that", r"0\.0\.0\.0 ?是客户端要?连接的"),
            ),
            Idea(
                Text("127.0.0.1 can be reached from the LAN", "127.0.0.1 可以从局域网访问"),
                (r"127\.0\.0\.1 can be reached", r"127\.0\.0\.1 ?可以从(局域网|外部)"),
            ),
        ),
        guess=Guess(
            Text(
                "A server listens on 127.0.0.1. What does another host's connect() get?",
                "服务器监听 127.0.0.1，另一台主机的 connect() 会得到什么？",
            ),
            (
                Text("ECONNREFUSED", "ECONNREFUSED"),
                Text("a timeout", "超时"),
                Text("a connection", "一条连接"),
            ),
            0,
        ),
        hints=(
            Text("Look at the argument of each bind().", "看每个 bind() 的参数。"),
            Text(
                "Compare what answers the SYN in the first two runs.",
                "比较前两次运行中 SYN 得到的应答。",
            ),
        ),
        then=("ER01",),
        sources=("ip(7)", "bind(2)"),
    ),
    Question(
        id="NW09",
        asks=Text(
            "Which traffic of AF_UNIX sockets is in the capture?", "AF_UNIX 的通信能抓到包吗？"
        ),
        answer=Text(
            "None. AF_UNIX data never enters the network stack: there are no packets, addresses or "
            "ports, though the calls are those of TCP.",
            "抓不到。AF_UNIX 的数据从不进入网络协议栈：没有报文、地址和端口，尽管调用与 TCP 相同。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="low",
        runs=(LOCAL,),
        prove=nothing_on_the_wire,
        values=(
            Ask(
                "frames",
                Text("TCP and UDP frames in both captures", "两处抓包中 TCP 与 UDP 帧的总数"),
                Unit.COUNT,
            ),
            Ask(
                "octets",
                Text("Octets delivered by recv()", "recv() 交付的总字节数"),
                Unit.OCTETS,
            ),
            Ask(
                "again",
                Text(
                    "Result of bind() to the same path after close()",
                    "close() 之后再次 bind() 同一路径的结果",
                ),
                Unit.ERROR,
            ),
        ),
        ideas=(
            Idea(
                Text("none of it is captured", "抓不到"),
                (r"\bnone\b", r"no (packet|frame)s?", r"抓不到", r"没有报文"),
            ),
            Idea(
                Text("it never enters the network stack", "数据从不进入网络协议栈"),
                (
                    r"never enters the (network|protocol)",
                    r"stays? (in|within) the kernel",
                    r"不(进入|经过)[^.]*(协议栈|网络)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("it goes over the loopback interface", "它走环回接口"),
                (r"goes over (the )?loopback", r"(走|经过)环回"),
            ),
            Idea(
                Text("it is shown as TCP to 127.0.0.1", "它显示为到 127.0.0.1 的 TCP"),
                (r"(shown|seen) as tcp", r"显示为.*tcp"),
            ),
        ),
        guess=Guess(
            Text(
                "Two processes talk over AF_UNIX. How many frames does a capture show?",
                "两个进程经 AF_UNIX 通信，抓包能看到几帧？",
            ),
            (
                Text("as many as over TCP", "与 TCP 一样多"),
                Text("one for each send()", "每次 send() 一帧"),
                Text("none", "一帧也没有"),
            ),
            2,
        ),
        hints=(
            Text("Look at the calls, then at the wire lane.", "先看调用，再看线路一栏。"),
            Text("Compare octets sent with frames seen.", "比较发送的字节数与看到的帧数。"),
        ),
        then=("NW08",),
        sources=("unix(7)",),
    ),
)
