"""Who may listen on a port, and how many may wait there."""

from __future__ import annotations

from collections import Counter

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Slip, Unit
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.sockets import given, port_of
from lab.text import Text


def backlog(runs: Runs) -> Proof:
    """Three wait with a backlog of two; the rest is not heard."""
    run = runs["accept_queue_overflow"]
    listen, limit = run.call("server", "listen"), run.sysctl("server", "net.core.somaxconn")
    port = port_of(run.call("server", "bind").call.arguments[0])
    looks = run.listener("server", port).samples
    full = max(looks, key=lambda one: one.number("accept_queue"))
    connects = run.calls("client", "connect")
    inside = [one for one in connects if one.outcome == "ok"]
    late = [one for one in connects if one.outcome == "ETIMEDOUT"]
    deaf = [
        one
        for stream in run.connections
        for one in run.all("C>S SYN", stream=stream.stream)
        if not run.all(stream=stream.stream, where=lambda other: other.sender == "S")
    ]
    unheard = run.one("unanswered SYN", deaf)
    overflows = run.counter("server", "TcpExt.ListenOverflows")
    accepts = run.calls("server", "accept")
    waiting = full.number("accept_queue")
    return Proof(
        (
            claim(
                waiting == given(listen) + 1,
                Text(
                    "listen({n}): the accept queue holds {k} = {n} + 1 completed connections",
                    "listen({n})：全连接队列里有 {k} = {n} + 1 条已完成的连接",
                ).fill(n=given(listen), k=waiting),
                listen,
                full,
            ),
            claim(
                full.number("backlog") == min(given(listen), int(limit.value)),
                Text(
                    "its limit (Send-Q) is {b}: the smaller of {n} and somaxconn, {m}",
                    "队列上限（Send-Q）为 {b}：取 {n} 与 somaxconn（{m}）中较小者",
                ).fill(b=full.number("backlog"), n=given(listen), m=limit.value),
                listen,
                full,
                limit,
            ),
            claim(
                len(inside) == waiting and not accepts,
                Text(
                    "{n} connect() succeed, although the server calls accept() {m} times",
                    "{n} 次 connect() 成功，而服务器调用 accept() 的次数为 {m}",
                ).fill(n=len(inside), m=len(accepts)),
                *inside,
                full,
            ),
            claim(
                len(late) == len(connects) - len(inside) > 0 and overflows.value == len(deaf),
                Text(
                    "{n} later ones time out: {k} SYNs get no answer, and ListenOverflows grows by {v}",
                    "之后的 {n} 次超时：{k} 个 SYN 没有任何回应，ListenOverflows 增加 {v}",
                ).fill(n=len(late), k=len(deaf), v=overflows.value),
                *late,
                unheard,
                overflows,
            ),
        ),
        {
            "waiting": rights.count(waiting, full, slips=((Slip.OFF_BY_ONE, given(listen)),)),
            "limit": rights.count(full.number("backlog"), full),
            "unheard": rights.frame(unheard, *deaf),
            "overflows": rights.count(overflows.value, overflows),
        },
    )


def reuse(runs: Runs) -> Proof:
    """SO_REUSEADDR: a bind beside TIME-WAIT, one listener. SO_REUSEPORT: several listeners."""
    restart, balance = runs["time_wait_restart"], runs["reuseport_balance"]
    fin = restart.first("S>C FIN,ACK")
    theirs = restart.first("C>S FIN,ACK", after=fin)
    wait = restart.socket("server").stay("TIME-WAIT")
    without, with_it, twice = (restart.call("server", "bind", nth) for nth in (1, 2, 3))
    option = restart.call("server", "setsockopt", 1)
    binds = balance.calls("server", "bind")
    shared, alone = binds[:-1], balance.call("server", "bind", -1)
    accepts = [one for one in balance.calls("server", "accept") if one.outcome == "ok"]
    shares = Counter(one.call.fd for one in accepts)
    firsts = [next(one for one in accepts if one.call.fd == fd) for fd in shares]
    most = max(shares.values(), default=0)
    busiest = [one for one in firsts if shares[one.call.fd] == most]
    split = " + ".join(str(share) for share in shares.values())
    return Proof(
        (
            claim(
                theirs.time < without.before < wait.until
                and without.outcome == "EADDRINUSE"
                and with_it.outcome == "ok"
                and without.after < option.before < with_it.before,
                Text(
                    "the server sent FIN first and is in TIME-WAIT: bind() gives {error}, with SO_REUSEADDR it succeeds",
                    "服务器先发 FIN，处于 TIME-WAIT：bind() 得到 {error}，设置 SO_REUSEADDR 后成功",
                ).fill(error=without.outcome),
                fin,
                theirs,
                wait,
                without,
                option,
                with_it,
            ),
            claim(
                twice.outcome == "EADDRINUSE" and twice.before > with_it.after,
                Text(
                    "one listener only: while it listens, another bind() with SO_REUSEADDR gives {error}",
                    "只能有一个监听者：它监听期间，另一个设置了 SO_REUSEADDR 的 bind() 得到 {error}",
                ).fill(error=twice.outcome),
                with_it,
                twice,
            ),
            claim(
                len(shared) > 1
                and all(one.outcome == "ok" for one in shared)
                and alone.outcome == "EADDRINUSE"
                and len({port_of(one.call.arguments[0]) for one in binds}) == 1,
                Text(
                    "SO_REUSEPORT: {n} sockets bind port {port}; one more without it gets {error}",
                    "SO_REUSEPORT：{n} 个套接字绑定端口 {port}；没有设置的下一个得到 {error}",
                ).fill(n=len(shared), port=port_of(alone.call.arguments[0]), error=alone.outcome),
                *shared,
                alone,
            ),
            claim(
                len(shares) > 1
                and sum(shares.values()) == len(balance.connections)
                and len({one.server for one in balance.connections}) == 1,
                Text(
                    "the kernel distributes: {split} = {n} connections, all to one port",
                    "由内核分配：{split} = {n} 条连接，都到同一端口",
                ).fill(split=split, n=len(balance.connections)),
                *firsts,
                balance.capture(),
            ),
        ),
        {
            "restart": rights.error(without),
            "second": rights.error(twice),
            "listeners": rights.count(len(shared), *shared),
            "busiest": rights.count(most, *busiest),
        },
    )


QUESTIONS = (
    Question(
        id="SK04",
        asks=Text("What does the backlog of listen() mean?", "listen 的 backlog 参数是什么意思？"),
        answer=Text(
            "The upper bound of completed connections that wait for accept(), capped by somaxconn; "
            "Linux admits one more. It is no limit on clients: accepted connections leave the queue.",
            "已完成握手、等待 accept 的连接数上限，受 somaxconn 限制，Linux 还会多容纳一个。"
            "它不是客户端数量的上限：被 accept 取走的连接就离开了队列。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        interview="high",
        core=True,
        runs=("accept_queue_overflow",),
        prove=backlog,
        values=(
            Ask(
                "waiting",
                Text(
                    "Connections in the accept queue when it is full",
                    "全连接队列满时其中的连接数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "limit",
                Text("The listener's backlog (Send-Q)", "监听套接字的 backlog（Send-Q）"),
                Unit.COUNT,
            ),
            Ask(
                "unheard",
                Text("Frame of an unanswered SYN", "任一未获回应的 SYN 的帧号"),
                Unit.FRAME,
            ),
            Ask(
                "overflows",
                Text("By how much ListenOverflows grows", "ListenOverflows 增加的数量"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "completed connections that wait for accept()", "已完成握手、等待 accept 的连接"
                ),
                (
                    r"(completed|established) connections.*(wait|accept)",
                    r"accept queue",
                    r"等待 ?accept",
                    r"(全连接|accept) ?队列",
                ),
            ),
            Idea(Text("capped by somaxconn", "受 somaxconn 限制"), (r"somaxconn",)),
            Idea(
                Text("no limit on clients", "不是客户端数量的上限"),
                (
                    r"(no|not a|not the) (limit|number|bound|maximum)",
                    r"(不是|并非).{0,4}(客户端|连接)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("listen(5) allows at most five clients", "listen(5) 表示最多 5 个客户端"),
                (r"at most five clients", r"最多 ?(5|五) ?个客户端"),
            ),
            Idea(
                Text("the late client is refused with RST", "迟到的客户端会被 RST 拒绝"),
                (r"refused with (a |an )?rst", r"被 ?rst ?拒绝"),
            ),
        ),
        guess=Guess(
            Text(
                "listen(2), and nobody accepts. How many connect() succeed?",
                "listen(2)，且没有 accept。有几次 connect() 成功？",
            ),
            (Text("two", "两次"), Text("three", "三次"), Text("any number", "不限")),
            1,
        ),
        hints=(
            Text(
                "Look at the listener's numbers in the server's state lane.",
                "看服务器状态栏中监听套接字的数值。",
            ),
            Text(
                "Compare the queue's length with the argument of listen().",
                "把队列长度与 listen() 的参数相比较。",
            ),
        ),
        claim=Text("listen(5) allows at most five clients", "listen(5) 表示最多 5 个客户端"),
        truth=Text(
            "It bounds those that wait: listen(2) holds three, and accept() makes room for more",
            "它限制的只是等待者：listen(2) 容纳三个，accept() 取走后又有空位",
        ),
        then=("SK01",),
        sources=("listen(2)", "tcp(7)"),
    ),
    Question(
        id="SK08",
        asks=Text("SO_REUSEADDR versus SO_REUSEPORT?", "SO_REUSEADDR 和 SO_REUSEPORT 的区别？"),
        answer=Text(
            "SO_REUSEADDR lets bind() succeed although old connections are in TIME-WAIT; still only one may listen. "
            "SO_REUSEPORT lets several sockets listen on one port, if all of them set it; "
            "the kernel distributes the connections.",
            "SO_REUSEADDR 允许在旧连接处于 TIME-WAIT 时重新 bind，但仍只能有一个监听者；"
            "SO_REUSEPORT 允许多个套接字同时监听同一端口（都须设置该选项），由内核分配连接。",
        ),
        kind=Kind.COMPARE,
        level=2,
        interview="high",
        core=True,
        runs=("time_wait_restart", "reuseport_balance"),
        prove=reuse,
        values=(
            Ask(
                "restart",
                Text(
                    "time_wait_restart: how bind() ends without the option",
                    "time_wait_restart：不设该选项时 bind() 的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "second",
                Text(
                    "time_wait_restart: how the last bind() ends, with SO_REUSEADDR",
                    "time_wait_restart：最后一次设置了 SO_REUSEADDR 的 bind() 的结果",
                ),
                Unit.ERROR,
            ),
            Ask(
                "listeners",
                Text(
                    "reuseport_balance: sockets that share the port",
                    "reuseport_balance：共享端口的套接字个数",
                ),
                Unit.COUNT,
            ),
            Ask(
                "busiest",
                Text(
                    "reuseport_balance: connections of the listener that got most",
                    "reuseport_balance：得到连接最多的监听者的连接数",
                ),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text(
                    "SO_REUSEADDR binds beside TIME-WAIT", "SO_REUSEADDR 允许在 TIME-WAIT 时 bind"
                ),
                (r"time[-_ ]wait",),
            ),
            Idea(
                Text(
                    "with SO_REUSEADDR still only one may listen", "SO_REUSEADDR 仍只能有一个监听者"
                ),
                (
                    r"only one (may|can|socket|listener)|one listener|not (allow )?two",
                    r"(只能|仅)有?一个.{0,4}监听|不能有?(两|多)个",
                ),
            ),
            Idea(
                Text(
                    "SO_REUSEPORT lets several listen on one port",
                    "SO_REUSEPORT 允许多个套接字监听同一端口",
                ),
                (
                    r"(several|many|multiple) (live )?(sockets|listeners|processes|listen)",
                    r"多个(套接字|进程|监听)",
                ),
            ),
            Idea(
                Text("the kernel distributes the connections", "内核分配连接"),
                (
                    r"kernel (distributes|balances|spreads|picks)|load[- ]balanc",
                    r"内核(负责)?(分配|分发|均衡|选)|负载(均衡|分担)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("SO_REUSEADDR allows two listeners", "SO_REUSEADDR 允许两个监听者"),
                (r"so_reuseaddr (allows|lets) (two|several|many)", r"so_reuseaddr ?允许(两|多)个"),
            ),
            Idea(
                Text("SO_REUSEADDR ends TIME-WAIT early", "SO_REUSEADDR 会提前结束 TIME-WAIT"),
                (r"(ends|shortens|skips) time[-_ ]wait", r"(提前)?(结束|缩短|跳过) ?time[-_ ]wait"),
            ),
        ),
        guess=Guess(
            Text(
                "A server listens with SO_REUSEADDR. A second one with SO_REUSEADDR binds the port. What happens?",
                "服务器以 SO_REUSEADDR 监听。第二个也以 SO_REUSEADDR 绑定该端口，会怎样？",
            ),
            (
                Text("both listen, and share the clients", "两个都监听，分担客户端"),
                Text("the first one is displaced", "第一个被挤掉"),
                Text("EADDRINUSE", "EADDRINUSE"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's bind() calls in both runs.",
                "看两次运行中服务器的 bind() 调用。",
            ),
            Text(
                "Compare the option set before each bind() with its result; count accept() by listener.",
                "比较每次 bind() 之前设置的选项和结果；按监听者统计 accept() 次数。",
            ),
        ),
        then=("TD07", "SK12"),
        sources=("socket(7) SO_REUSEADDR, SO_REUSEPORT", "RFC 9293 section 3.6.1"),
    ),
)
