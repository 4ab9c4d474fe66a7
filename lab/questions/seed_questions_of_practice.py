"""The interview questions on programming that the seeds name: pseudo-code, many clients, options."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.connect_errors import reachable
from lab.questions.framing import framed
from lab.questions.pieces import Called
from lab.questions.resets import abort
from lab.questions.rights import claim, joined, part
from lab.questions.runs import Run, Runs
from lab.questions.servers import many_clients
from lab.questions.sockets import given, returned
from lab.questions.time_wait_ports import restart
from lab.text import Text, same
from lab.units import short_span

SERVING, TALKING = "concurrency_models:sequential", "stale_echo"
LIVELY, ROOMY = "keepalive_dead_peer", "window_scaling:buffer"
VALUE = 2  # the position of the value among the arguments of setsockopt()
SERVER = {
    "socket": same("listener = socket()"),
    "bind": same("listener.bind(address)"),
    "listen": same("listener.listen()"),
    "clients": Text("for each client:", "对每个客户端循环："),
    "accept": same("    connection = listener.accept()"),
    "messages": Text("    until the stream ends:", "    循环，直到流结束："),
    "talk": Text(
        "        connection.recv(), connection.send()",
        "        connection.recv()、connection.send()",
    ),
    "close": same("    connection.close()"),
    "stop": same("listener.close()"),
}
CLIENT = {
    "socket": same("connection = socket()"),
    "connect": same("connection.connect(address)"),
    "messages": Text("while there is something to say:", "只要还有话要说就循环："),
    "talk": Text(
        "    connection.send(), connection.recv()", "    connection.send()、connection.recv()"
    ),
    "close": same("connection.close()"),
}


def pseudo_code(runs: Runs) -> Proof:
    """The lines of a server and of a client, in the order in which they were run."""
    serving, talking = runs[SERVING], runs[TALKING]
    server, client = _server_lines(serving), _client_lines(talking)
    accepts, sends = serving.calls("server", "accept"), talking.calls("client", "sendall")
    return Proof(
        (
            _sequence(
                Text("server", "服务器"),
                server,
                serving.call("server", "sendall"),
                tuple(SERVER),
            ),
            _loop_of_clients(serving),
            _loop_of_messages(talking),
            _sequence(
                Text("client", "客户端"),
                client,
                talking.call("client", "recv"),
                tuple(CLIENT),
            ),
        ),
        {
            "server": rights.order(tuple(server), *server.values()),
            "client": rights.order(tuple(client), *client.values()),
            "accepts": rights.count(len(accepts), *accepts),
            "sends": rights.count(len(sends), *sends),
        },
    )


def _in_time(lines: dict[str, Called]) -> dict[str, Called]:
    """The lines as they were first reached; a loop is reached just before what it repeats."""
    return dict(sorted(lines.items(), key=lambda line: line[1].before))


def _server_lines(run: Run) -> dict[str, Called]:
    made, accepted = run.call("server", "socket"), run.call("server", "accept")
    read = run.call("server", "recv")
    closed = run.call("server", "close", where=lambda one: one.call.fd == _new(accepted))
    stopped = run.call("server", "close", where=lambda one: one.call.fd == made.call.fd)
    lines = {
        "socket": made,
        "bind": run.call("server", "bind"),
        "listen": run.call("server", "listen"),
        "clients": accepted,
        "accept": accepted,
        "messages": read,
        "talk": read,
        "close": closed,
        "stop": stopped,
    }
    return _in_time(lines)


def _client_lines(run: Run) -> dict[str, Called]:
    sent = run.call("client", "sendall")
    lines = {
        "socket": run.call("client", "socket"),
        "connect": run.call("client", "connect"),
        "messages": sent,
        "talk": sent,
        "close": run.call("client", "close"),
    }
    return _in_time(lines)


def _new(accepted: Called) -> int:
    """The descriptor that accept() returned; -1 if it failed."""
    result = accepted.call.result
    return result[0] if isinstance(result, list) and isinstance(result[0], int) else -1


def _sequence(
    who: Text, lines: dict[str, Called], answered: Called, wanted: tuple[str, ...]
) -> Claim:
    """``answered``: the second call of the line that both sends and receives."""
    every = {one.index: one for one in (*lines.values(), answered)}
    calls = [every[index] for index in sorted(every)]
    words = Text("{who}: {calls}", "{who}：{calls}").fill(
        who=who, calls=" → ".join(f"{one.call.function}({one.call.fd})" for one in calls)
    )
    talks = lines["talk"].before < answered.before < lines["close"].before
    return claim(tuple(lines) == wanted and talks, words, *calls)


def _loop_of_clients(run: Run) -> Claim:
    first, second = run.call("server", "accept"), run.call("server", "accept", 1)
    closed = run.call("server", "close", where=lambda one: one.call.fd == _new(first))
    return claim(
        first.call.fd == second.call.fd and first.after < closed.after <= second.before,
        Text(
            "a loop over clients: accept() on descriptor {fd} again, once close({old}) has ended the first",
            "按客户端循环：close({old}) 结束第一个之后，再次对描述符 {fd} 调用 accept()",
        ).fill(fd=first.call.fd, old=closed.call.fd),
        first,
        closed,
        second,
    )


def _loop_of_messages(run: Run) -> Claim:
    accepted, reads = run.call("server", "accept"), run.calls("server", "recv")
    last = run.call("server", "recv", -1)
    octets = [one.call.octets or 0 for one in reads]
    return claim(
        len(octets) > 2
        and octets[-1] == 0 < min(octets[:-1])
        and all(one.call.fd == _new(accepted) for one in reads),
        Text(
            "a loop over messages: recv() on one connection gives {octets}; the empty read ends it",
            "按消息循环：同一连接上的 recv() 依次得到 {octets}；空读结束循环",
        ).fill(octets=", ".join(map(str, octets))),
        accepted,
        *reads[:4],
        last,
    )


def _choices(lines: dict[str, Text]) -> tuple[tuple[str, Text], ...]:
    """Lines to be put in order, as a dictionary has them."""
    return tuple((name, lines[name]) for name in sorted(lines))


def many(runs: Runs) -> Proof:
    """Many clients: a thread each, or readiness. Many messages: mark their ends, and loop."""
    return joined(
        part(many_clients(runs), (0, 1, 3), "waited", "threaded"),
        part(framed(runs), (1, 2), "segments", "reads"),
    )


def below_and_above(runs: Runs) -> Proof:
    """The host answers at the IP level in every run; TCP fails in another way in each."""
    return part(reachable(runs), (0, 1, 2, 3), "rst", "syns", "lost")


def four_options(runs: Runs) -> Proof:
    """What each option changes: a bind, probes, a window, a RST."""
    return joined(
        part(restart(runs), (1, 2)),
        _probed(runs[LIVELY]),
        _buffered(runs[ROOMY]),
        part(abort(runs), (0, 1), "rst"),
    )


def _probed(run: Run) -> Proof:
    option = run.call("client", "setsockopt")
    ack = run.opening()[2]
    probe = run.first("C>S ACK", after=ack)
    words = Text(
        "keep-alive: after {span} of silence an empty segment with seq {seq} = {next} - 1 is sent",
        "保活：静默 {span} 之后发出一个空报文段，seq {seq} = {next} - 1",
    ).fill(span=short_span(probe.time - ack.time), seq=probe.absolute, next=ack.absolute)
    kept = "SO_KEEPALIVE" in option.call.arguments and probe.seq == ack.seq - 1
    return Proof(
        (claim(kept and not probe.length, words, option, ack, probe),),
        {"probe": rights.frame(probe)},
    )


def _buffered(run: Run) -> Proof:
    wish, told = run.call("client", "setsockopt"), run.call("client", "getsockopt")
    most, ack = run.sysctl("client", "net.core.rmem_max"), run.opening()[2]
    granted = min(given(wish, VALUE), int(most.value))
    words = Text(
        "SO_RCVBUF {n}: the kernel reserves {got} = 2 × {granted}, and announces a window of {window}",
        "SO_RCVBUF {n}：内核预留 {got} = 2 × {granted}，通告的窗口为 {window}",
    ).fill(n=given(wish, VALUE), got=returned(told), granted=granted, window=ack.scaled)
    kept = returned(told) == 2 * granted and 0 < (ack.scaled or 0) <= returned(told)
    return Proof(
        (claim(kept, words, wish, told, most, ack),),
        {"window": rights.window(ack)},
    )


QUESTIONS = (
    Question(
        id="Q4",
        asks=Text(
            "Write the pseudo-code of a TCP server (nine lines) and of its client (five lines).",
            "写出 TCP 服务器（九行）及其客户端（五行）的伪代码。",
        ),
        answer=Text(
            "Server: socket, bind, listen; in a loop over clients accept; "
            "in a loop over messages recv and send. Close the connection, and at the end the listener. "
            "Client: socket, connect; in a loop send and recv; close.",
            "服务器：socket、bind、listen；按客户端循环 accept；再按消息循环 recv、send；关闭连接；最后关闭监听套接字。"
            "客户端：socket、connect；循环 send、recv；close。",
        ),
        kind=Kind.ORDER,
        level=1,
        interview="high",
        runs=(SERVING, TALKING),
        prove=pseudo_code,
        values=(
            Ask(
                "server",
                Text("The nine lines of the server in order", "服务器的九行，按顺序"),
                Unit.ORDER,
                _choices(SERVER),
            ),
            Ask(
                "client",
                Text("The five lines of the client in order", "客户端的五行，按顺序"),
                Unit.ORDER,
                _choices(CLIENT),
            ),
            Ask(
                "accepts",
                Text(
                    "concurrency_models:sequential: how often accept() is called",
                    "concurrency_models:sequential：accept() 调用了几次",
                ),
                Unit.COUNT,
            ),
            Ask(
                "sends",
                Text(
                    "stale_echo: how often the client calls sendall()",
                    "stale_echo：客户端调用了几次 sendall()",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "server: socket, bind, listen, accept", "服务器：socket, bind, listen, accept"
                ),
                (r"socket.{1,6}bind.{1,6}listen.{1,30}accept",),
            ),
            Idea(
                Text(
                    "client: socket, connect, send, recv, close",
                    "客户端：socket, connect, send, recv, close",
                ),
                (r"socket.{1,6}connect",),
            ),
            Idea(
                Text("a loop over clients, and one over messages", "按客户端循环，再按消息循环"),
                (r"loop", r"while|for each", r"循环"),
            ),
        ),
        wrong=(
            Idea(
                Text("the client calls bind and listen", "客户端调用 bind 与 listen"),
                (r"client calls (bind|listen|accept)", r"客户端调用 ?(bind|listen|accept)"),
            ),
        ),
        guess=Guess(
            Text(
                "Which line of the server will be the first to send a packet?",
                "服务器的哪一行会最先引起发送报文？",
            ),
            (
                same("bind"),
                same("listen"),
                Text("recv and send", "recv 与 send"),
            ),
            2,
        ),
        hints=(
            Text("Look at the call lanes of both hosts.", "看两台主机的调用栏。"),
            Text(
                "Compare the descriptors: which calls come again on the same one?",
                "比较描述符：哪些调用在同一个描述符上再次出现？",
            ),
        ),
        seen_in=("S2", "S4"),
        then=("SK03", "SV01"),
        sources=("Stevens, UNP volume 1, 3rd ed., chapter 4", "accept(2)", "connect(2)"),
    ),
    Question(
        id="Q6",
        asks=Text(
            "How does a server serve many messages and many clients?",
            "服务器如何处理多条消息、多个客户端？",
        ),
        answer=Text(
            "Many messages: read in a loop until the stream ends, and mark where each message ends. "
            "Many clients: accept in a loop, with a thread or a process each, or one thread with readiness. "
            "One at a time, the second client waits until the first has left.",
            "多条消息：循环读取直到流结束，并标明每条消息在哪里结束。"
            "多个客户端：循环 accept，每个客户端一个线程或进程，或用单线程加就绪通知。"
            "若逐个服务，第二个客户端要等第一个离开。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        runs=(
            "concurrency_models",
            "concurrency_models:selectors",
            "framing_protocols",
            "framing_protocols:hasty",
        ),
        prove=many,
        values=(
            Ask(
                "waited",
                Text(
                    "One at a time: from the second client's data to their answer",
                    "逐个服务：第二个客户端从发出数据到得到应答的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "threaded",
                Text(
                    "A thread each (port 12346): from the second client's data to their answer",
                    "每客户端一个线程（端口 12346）：第二个客户端从发出数据到得到应答的时间",
                ),
                Unit.SPAN,
            ),
            Ask(
                "segments",
                Text(
                    "framing_protocols, second connection: segments with data from the client",
                    "framing_protocols，第二条连接：客户端带数据的报文段数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "reads",
                Text(
                    "There: recv() calls of the server that returned octets",
                    "同一连接：服务器读到字节的 recv() 次数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(Text("loops: accept, and recv", "循环 accept 与 recv"), (r"\bloop", r"循环")),
            Idea(
                Text(
                    "a thread or a process each, or readiness",
                    "每个客户端一个线程或进程，或就绪通知",
                ),
                (
                    r"thread",
                    r"process",
                    r"readiness|select|epoll|asyncio",
                    r"线程",
                    r"进程",
                    r"就绪",
                ),
            ),
            Idea(
                Text("mark where a message ends", "标明消息在哪里结束"),
                (
                    r"where (each|a|the) message ends",
                    r"length|delimiter|fram",
                    r"在哪里结束",
                    r"长度|分隔|定界",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("each client needs a port of its own", "每个客户端需要单独的端口"),
                (r"client needs a port", r"客户端(都)?需要(单独|独立|不同)的端口"),
            ),
        ),
        guess=Guess(
            Text(
                "A server takes one client at a time and is busy. What will the second client notice?",
                "服务器一次只服务一个客户端，正忙着。第二个客户端会看到什么？",
            ),
            (
                Text("connected, but no answer", "连得上，但没有应答"),
                same("ECONNREFUSED"),
                Text("connect() does not return", "connect() 不返回"),
            ),
            0,
        ),
        hints=(
            Text("Look at the second connection to each port.", "看到每个端口的第二条连接。"),
            Text(
                "Compare the octets of each recv() with the messages.",
                "把每次 recv() 的字节数与各条消息相比较。",
            ),
        ),
        seen_in=("S4",),
        then=("SV01", "SV02", "BS02"),
        sources=("Stevens, UNP volume 1, 3rd ed., chapter 30", "RFC 9293 section 2.2"),
    ),
    Question(
        id="Q7",
        asks=Text(
            "ping works: does a TCP connection always work too?",
            "ping 得通，TCP 就一定连得上吗？",
        ),
        answer=Text(
            "No. ping proves only that IP reaches the host. "
            "The port may be closed, or the server bound to 127.0.0.1: RST. "
            "A firewall may drop the SYN, or the accept queue may be full: silence. "
            "In a PMTU black hole the connection opens, then stalls.",
            "不一定。ping 只说明 IP 层可达。端口可能关闭，或服务器只绑定了 127.0.0.1：得到 RST。"
            "防火墙可能丢弃 SYN，或全连接队列已满：没有回应。遇到 PMTU 黑洞时，能连上但大数据卡住。",
        ),
        kind=Kind.DIAGNOSE,
        level=2,
        interview="medium",
        runs=("loopback_bind", "syn_blackhole", "accept_queue_overflow", "pmtud_blackhole"),
        prove=below_and_above,
        values=(
            Ask(
                "rst",
                Text("loopback_bind: frame of the RST", "loopback_bind：RST 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "syns",
                Text("syn_blackhole: SYNs without an answer", "syn_blackhole：没有回应的 SYN 个数"),
                Unit.COUNT,
            ),
            Ask(
                "lost",
                Text(
                    "pmtud_blackhole: first frame with data that is lost",
                    "pmtud_blackhole：第一个丢失的数据帧",
                ),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("ping shows only that IP reaches the host", "ping 只说明 IP 层可达"),
                (r"only that ip", r"ip (level|layer|reaches)", r"icmp", r"ip ?层"),
            ),
            Idea(
                Text("the port is closed: RST", "端口关闭：RST"),
                (r"\brst\b", r"closed", r"refused", r"关闭", r"拒绝"),
            ),
            Idea(
                Text(
                    "silence: a firewall, or a full accept queue",
                    "没有回应：防火墙，或全连接队列已满",
                ),
                (r"firewall", r"accept queue", r"防火墙", r"队列"),
            ),
        ),
        wrong=(
            Idea(
                Text("ping tests the port", "ping 能检测端口"),
                (
                    r"ping (tests|checks|proves) (the|that the) port",
                    r"ping ?(能|会|可以)?(检测|测试)端口",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "The server listens on 127.0.0.1 only. What will another host's connect() get?",
                "服务器只监听 127.0.0.1。另一台主机的 connect() 会得到什么？",
            ),
            (
                same("ETIMEDOUT"),
                same("ECONNREFUSED"),
                Text("a connection", "一条连接"),
            ),
            1,
        ),
        hints=(
            Text("Look at what answers the SYN in each run.", "看每次运行中是什么回应了 SYN。"),
            Text(
                "Compare the errors of connect() and recv().", "比较 connect() 与 recv() 的错误。"
            ),
        ),
        claim=Text("ping works, so TCP connects", "ping 得通，TCP 就连得上"),
        truth=Text(
            "Four runs in which the host is reachable and TCP fails, each in another way",
            "四次运行中主机都可达，而 TCP 各以不同的方式失败",
        ),
        seen_in=("S0",),
        then=("ER09", "ER01"),
        sources=("RFC 792", "RFC 9293 section 3.5.2", "RFC 2923"),
    ),
    Question(
        id="Q8",
        asks=Text(
            "SO_REUSEADDR, keep-alive, buffers, linger: what does each option do?",
            "SO_REUSEADDR、保活、缓冲区、linger：各选项起什么作用？",
        ),
        answer=Text(
            "SO_REUSEADDR lets bind() succeed beside old connections in TIME-WAIT. "
            "SO_KEEPALIVE sends probes after long silence. "
            "SO_RCVBUF limits the receive window, and Linux doubles its value; SO_SNDBUF limits what send() takes. "
            "SO_LINGER with 0 s makes close() send RST.",
            "SO_REUSEADDR 使 bind() 在旧连接处于 TIME-WAIT 时也能成功。SO_KEEPALIVE 在长时间静默后发送探测。"
            "SO_RCVBUF 限制接收窗口，Linux 会把值加倍；SO_SNDBUF 限制 send() 收下的数据量。"
            "SO_LINGER 设为 0 秒使 close() 发送 RST。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=(
            "time_wait_restart",
            "time_wait_restart:first_without",
            LIVELY,
            ROOMY,
            "abort_linger0",
        ),
        prove=four_options,
        values=(
            Ask(
                "probe",
                Text(
                    "keepalive_dead_peer: frame of the first probe",
                    "keepalive_dead_peer：首个探测报文的帧号",
                ),
                Unit.FRAME,
            ),
            Ask(
                "window",
                Text(
                    "window_scaling:buffer: window of the third segment, in octets",
                    "window_scaling:buffer：第三个报文段的窗口（字节）",
                ),
                Unit.OCTETS,
            ),
            Ask(
                "rst",
                Text("abort_linger0: frame of the RST", "abort_linger0：RST 的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "SO_REUSEADDR: bind() despite TIME-WAIT",
                    "SO_REUSEADDR：不顾 TIME-WAIT 而 bind()",
                ),
                (r"time[-_ ]wait",),
            ),
            Idea(
                Text("keep-alive: probes after silence", "保活：静默之后发送探测"),
                (r"probe", r"探测"),
            ),
            Idea(
                Text("the receive buffer limits the window", "接收缓冲区限制窗口"),
                (r"window", r"窗口"),
            ),
            Idea(
                Text("linger with 0 s: RST", "linger 设为 0 秒：RST"),
                (r"\brst\b", r"复位"),
            ),
        ),
        wrong=(
            Idea(
                Text("keep-alive is on by default", "保活默认开启"),
                (r"keep-?alive is on by default", r"保活默认(是)?(开启|打开)"),
            ),
            Idea(
                Text(
                    "SO_REUSEADDR lets two servers listen on one port",
                    "SO_REUSEADDR 允许两个服务器监听同一端口",
                ),
                (r"reuseaddr lets two", r"reuseaddr ?允许两个"),
            ),
        ),
        guess=Guess(
            Text(
                "SO_RCVBUF is set to n. What will getsockopt() say on Linux?",
                "SO_RCVBUF 设为 n。在 Linux 上 getsockopt() 会返回多少？",
            ),
            (same("n"), same("n / 2"), same("2 n")),
            2,
        ),
        hints=(
            Text(
                "Look at the setsockopt() calls and what follows each.",
                "看各个 setsockopt() 及其后果。",
            ),
            Text(
                "Compare the numbers of the option with those on the wire.",
                "把选项的数值与线路上的数值相比较。",
            ),
        ),
        seen_in=("S2",),
        then=("SK08", "ER07", "SK09", "ER05"),
        sources=("socket(7)", "tcp(7)", "RFC 9293 section 3.8.4"),
    ),
)
