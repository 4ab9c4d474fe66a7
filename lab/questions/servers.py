"""How one server serves many clients: in turn, by threads, on a shared port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lab.questions import rights
from lab.questions.base import Ask, Claim, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.pieces import Called, Segment
from lab.questions.rights import claim
from lab.questions.runs import Run, Runs
from lab.text import Text
from lab.units import short_span

ALONE, THREADED = 12345, 12346  # ports: one client at a time; a thread for each


def port_of(address: object) -> int:
    """The port of an address as a call log writes it; 0 if it is none."""
    port = address[-1] if isinstance(address, list) and address else 0
    return port if isinstance(port, int) else 0


def first_data(run: Run, sender: str, stream: int) -> Segment:
    """The first segment with octets that one end sends."""
    return run.first(stream=stream, where=lambda one: one.sender == sender and one.length > 0)


def call_of(run: Run, function: str, stream: int, nth: int = 0) -> Called:
    """The server's nth call of a function for one connection."""
    port = run.connection(stream).client.port
    return run.call("server", function, nth, where=lambda one: port_of(one.call.peer) == port)


def many_clients(runs: Runs) -> Proof:
    """The second client of three servers: alone, a thread each, readiness."""
    run, ready = runs["concurrency_models"], runs["concurrency_models:selectors"]
    queued, threaded = run.stream_to(ALONE, 1), run.stream_to(THREADED, 1)
    asked, answered = first_data(run, "C", queued), first_data(run, "S", queued)
    quick, served = first_data(run, "C", threaded), first_data(run, "S", threaded)
    return Proof(
        (
            _one_at_a_time(run, asked, answered),
            _thread_each(run, quick, served),
            _same_exchange(asked, answered, quick, served),
            one_thread(ready),
        ),
        {
            "answer": rights.frame(answered),
            "waited": rights.span(answered.time - asked.time, asked, answered),
            "threaded": rights.span(served.time - quick.time, quick, served),
        },
    )


def _one_at_a_time(run: Run, asked: Segment, answered: Segment) -> Claim:
    left = run.first("C>S FIN,ACK", stream=run.stream_to(ALONE))
    accepted = call_of(run, "accept", asked.stream)
    acked = _acknowledged(run, asked)
    words = Text(
        "one at a time: the second client's data are acknowledged after {ack}, answered after {wait}, "
        "when the first has left",
        "逐个服务：第二个客户端的数据 {ack} 后得到确认，第一个离开之后才得到应答，共等了 {wait}",
    ).fill(ack=short_span(acked.time - asked.time), wait=short_span(answered.time - asked.time))
    kept = acked.time < left.time < accepted.after < answered.time
    return claim(kept, words, asked, acked, left, accepted, answered)


def _thread_each(run: Run, asked: Segment, answered: Segment) -> Claim:
    slow = first_data(run, "C", run.stream_to(THREADED))
    words = Text(
        "a thread each: the second client is answered after {wait}, the first has not yet said a word",
        "每客户端一个线程：第二个客户端 {wait} 后得到应答，此时第一个还一言未发",
    ).fill(wait=short_span(answered.time - asked.time))
    return claim(answered.time < slow.time, words, asked, answered, slow)


def _same_exchange(*segments: Segment) -> Claim:
    queued, threaded = (
        [(one.flags, one.seq, one.length, one.ack) for one in pair]
        for pair in (segments[:2], segments[2:])
    )
    words = Text(
        "both servers exchange the same segments with it: {ask} octets asked, {answer} answered",
        "两种服务器与它交换的报文段相同：请求 {ask} 字节，应答 {answer} 字节",
    ).fill(ask=segments[0].length, answer=segments[1].length)
    return claim(queued == threaded, words, *segments)


def one_thread(run: Run) -> Claim:
    """Readiness: one thread, and no recv() that waits."""
    greetings = [first_data(run, "C", stream) for stream in (0, 1)]
    reads = [call_of(run, "recv", stream) for stream in (0, 1)]
    threads = {(one.call.process, one.call.thread) for one in reads}
    in_time = all(
        (run.arrival(greeting) or read.before) < read.before
        for greeting, read in zip(greetings, reads, strict=True)
    )
    words = Text(
        "readiness: {n} thread reads both connections, and calls each recv() only when octets are there",
        "就绪通知：{n} 个线程读取两条连接，数据到了才调用 recv()",
    ).fill(n=len(threads))
    return claim(in_time and len(threads) == 1, words, *greetings, *reads)


def _acknowledged(run: Run, data: Segment) -> Segment:
    """The first segment that acknowledges all of the client's data."""
    return run.first(
        stream=data.stream, after=data, where=lambda one: one.sender == "S" and one.ack >= data.end
    )


def busy_server(runs: Runs) -> Proof:
    """connect() and data need the kernel only; the answer needs the program."""
    run, deaf = runs["concurrency_models"], runs["data_before_accept"]
    stream = run.stream_to(ALONE, 1)
    port = run.connection(stream).client.port
    connected = run.call("client", "connect", where=lambda one: port_of(one.call.local) == port)
    accepted, asked = call_of(run, "accept", stream), first_data(run, "C", stream)
    acked, answered = _acknowledged(run, asked), first_data(run, "S", stream)
    waited = run.call("client", "recv", where=lambda one: port_of(one.call.local) == port)
    sent = first_data(deaf, "C", 0)
    heard = _acknowledged(deaf, sent)
    return Proof(
        (
            claim(
                not connected.call.error and connected.after < accepted.after,
                Text(
                    "the second client's connect() returns {lead} before the server's accept() does",
                    "第二个客户端的 connect() 比服务器的 accept() 早 {lead} 返回",
                ).fill(lead=short_span(accepted.after - connected.after)),
                connected,
                accepted,
            ),
            claim(
                acked.time < accepted.after and acked.ack == 1 + asked.length,
                Text(
                    "its {n} octets are acknowledged ({n} + 1 = {ack}) before any program has accepted it",
                    "它的 {n} 字节在任何程序 accept 之前就得到确认（{n} + 1 = {ack}）",
                ).fill(n=asked.length, ack=acked.ack),
                asked,
                acked,
                accepted,
            ),
            claim(
                waited.outcome == "TimeoutError" and answered.time > waited.after,
                Text(
                    "it waits {wait} in recv() in vain; no octet comes from the server in that time",
                    "它在 recv() 中白等 {wait}，期间服务器没有发来一个字节",
                ).fill(wait=short_span(waited.lasted)),
                waited,
                answered,
            ),
            claim(
                not deaf.calls("server", "accept") and heard.ack == sent.end,
                Text(
                    "even a server that never calls accept() has {n} octets acknowledged, by its kernel",
                    "即使服务器从不调用 accept()，其内核照样确认 {n} 字节",
                ).fill(n=sent.length),
                sent,
                heard,
            ),
        ),
        {
            "ack": rights.frame(acked),
            "wait": rights.span(answered.time - asked.time, asked, answered),
        },
    )


def shared_port(runs: Runs) -> Proof:
    """Which listener got whom: by descriptor, in the order in which they listen."""
    run = runs["reuseport_balance"]
    binds = run.calls("server", "bind")
    listeners = [one for one in binds if not one.call.error]
    visits = run.calls("server", "accept")
    counts = Counter(one.call.fd for one in visits)
    shares = [counts[one.call.fd] for one in listeners]
    told = " + ".join(map(str, shares))
    firsts = [next((v for v in visits if v.call.fd == one.call.fd), one) for one in listeners]
    return Proof(
        (
            claim(
                [one.outcome for one in binds] == [*["ok"] * 3, "EADDRINUSE"],
                Text(
                    "{n} sockets bind one port with SO_REUSEPORT; one more without it gets {error}",
                    "{n} 个套接字凭 SO_REUSEPORT 绑定同一端口；再来一个未设置的，得到 {error}",
                ).fill(n=len(listeners), error=binds[-1].outcome if binds else ""),
                *binds,
            ),
            claim(
                sum(shares) == len(run.connections) == len(visits) and len(counts) > 1,
                Text(
                    "{told} = {all}: every connection came to one of them, not all to the same",
                    "{told} = {all}：每条连接归其中一个监听者，并非都归同一个",
                ).fill(told=told, all=len(run.connections)),
                *firsts,
            ),
            _by_hash(visits),
        ),
        {
            name: rights.count(share, bind)
            for name, share, bind in zip(
                ("first", "second", "third"), shares, listeners, strict=False
            )
        },
    )


def _visitor(accepted: Called) -> int:
    """The client's port; the visitor may have left before accept(), so what it returned tells."""
    result = accepted.call.result
    return port_of(result[-1]) if isinstance(result, list) and result else 0


def _by_hash(visits: Sequence[Called]) -> Claim:
    """Each port of the client visited twice: the same four-tuple, the same listener."""
    homes: dict[int, list[int]] = {}
    for one in visits:
        homes.setdefault(_visitor(one), []).append(one.call.fd)
    same_home = sum(len(fds) == 2 and len(set(fds)) == 1 for fds in homes.values())
    pair = [one for one in visits if _visitor(one) == _visitor(visits[0])]
    words = Text(
        "{n} of {all} client ports came twice to the same listener: a hash decides, not whose turn it is",
        "{all} 个客户端端口中有 {n} 个两次都到同一监听者：由散列决定，而非轮流",
    ).fill(n=same_home, all=len(homes))
    return claim(bool(homes) and same_home == len(homes), words, *pair)


QUESTIONS = (
    Question(
        id="SV01",
        asks=Text("How can a server handle many clients?", "服务器如何同时服务多个客户端？"),
        answer=Text(
            "One after another in a loop. A thread or a process for each client. Or one thread that the "
            "kernel tells which socket is ready: select, poll, epoll, asyncio. The segments are the same. "
            "What differs is how long a client waits for its answer.",
            "循环中逐个服务；每个客户端一个线程或进程；或者单线程，由内核告知哪个套接字就绪"
            "（select、poll、epoll、asyncio）。报文段相同，差别在于客户端等待应答的时间。",
        ),
        kind=Kind.EXPLAIN,
        level=1,
        interview="high",
        core=True,
        runs=("concurrency_models", "concurrency_models:selectors"),
        prove=many_clients,
        values=(
            Ask(
                "answer",
                Text(
                    "One at a time (port 12345): frame that answers the second client",
                    "逐个服务（端口 12345）：应答第二个客户端的帧",
                ),
                Unit.FRAME,
            ),
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
        ),
        ideas=(
            Idea(
                Text("a thread or a process for each client", "每个客户端一个线程或进程"),
                (r"\bthread", r"\bprocess(es)?\b", r"\bfork", r"线程", r"进程"),
            ),
            Idea(
                Text(
                    "readiness: select, poll, epoll, asyncio",
                    "就绪通知：select、poll、epoll、asyncio",
                ),
                (r"select|epoll|\bpoll\b|asyncio|readiness|multiplex", r"多路复用|协程|就绪"),
            ),
            Idea(
                Text("the segments are the same, the waiting differs", "报文段相同，等待时间不同"),
                (
                    r"segments are the same",
                    r"wait(s|ing)?\b.*(differ|longer|for its answer)",
                    r"报文段?相同",
                    r"等待.*(不同|差别)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("each client gets a port of its own", "每个客户端要占用一个服务器端口"),
                (
                    r"(each|every) (client|connection) (gets|needs|has) (a|its own) (new )?port",
                    r"每个(客户端|连接)(要|都要|需要)?占用?一个(新|服务器)?端口",
                ),
            ),
        ),
        guess=Guess(
            Text(
                "A server serves one client at a time. A second one connects and sends data.",
                "服务器一次只服务一个客户端。第二个客户端连接并发送数据，会怎样？",
            ),
            (
                Text("its connect() fails", "connect() 失败"),
                Text("its connect() waits", "connect() 一直等待"),
                Text(
                    "connected and acknowledged, but without an answer",
                    "连接成功，数据得到确认，但没有应答",
                ),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the second connection to port 12345, and at the second to port 12346.",
                "看端口 12345 的第二条连接和端口 12346 的第二条连接。",
            ),
            Text(
                "Compare the time of the client's 17 octets with that of the server's 25 octets.",
                "比较客户端的 17 字节与服务器的 25 字节各自的时间。",
            ),
        ),
        then=("SV02", "SV03"),
        sources=("UNIX Network Programming vol. 1, 3rd ed., chapter 30", "listen(2)"),
    ),
    Question(
        id="SV02",
        asks=Text(
            "A sequential server is busy: what does the second client experience?",
            "单线程服务器忙时，第二个客户端会怎样？",
        ),
        answer=Text(
            "Its connect() succeeds and its data is acknowledged: the kernel does both. No answer comes "
            "until the program gets round to accept().",
            "connect() 照常成功，数据也得到确认，这些都由内核完成；但在程序调用 accept() 之前等不到应答。",
        ),
        kind=Kind.PREDICT,
        level=1,
        interview="medium",
        runs=("concurrency_models", "data_before_accept"),
        prove=busy_server,
        values=(
            Ask(
                "ack",
                Text(
                    "Second connection to port 12345: frame that acknowledges the unanswered data",
                    "端口 12345 的第二条连接：确认未获应答数据的帧",
                ),
                Unit.FRAME,
            ),
            Ask(
                "wait",
                Text(
                    "From these data to their answer",
                    "从发出这些数据到得到应答的时间",
                ),
                Unit.SPAN,
            ),
        ),
        ideas=(
            Idea(
                Text("connect() succeeds", "connect() 成功"),
                (
                    r"connect(\(\))? (succeeds|returns)",
                    r"connect(\(\))? ?(照常|照样|仍|会|也)?成功",
                ),
            ),
            Idea(
                Text("its data is acknowledged by the kernel", "内核确认它的数据"),
                (r"acknowledged", r"kernel.*ack", r"得到确认", r"内核.*确认"),
            ),
            Idea(
                Text("no answer comes for now", "暂时没有应答"),
                (r"no answer", r"not answered", r"没有应答", r"等不到应答"),
            ),
        ),
        wrong=(
            Idea(
                Text("the second client cannot connect", "第二个客户端连不上"),
                (r"cannot connect", r"connect(\(\))? (fails|is refused)", r"连不上", r"连接被拒绝"),
            ),
        ),
        guess=Guess(
            Text(
                "The server has not called accept() for it. Who acknowledges the client's data?",
                "服务器尚未为它调用 accept()，由谁来确认客户端的数据？",
            ),
            (
                Text("nobody, until accept()", "accept() 之前没有谁确认"),
                Text("the server's kernel", "服务器的内核"),
                Text("the server's program", "服务器程序"),
            ),
            1,
        ),
        hints=(
            Text(
                "Look at the second connection to port 12345 and at the server's accept() calls.",
                "看端口 12345 的第二条连接，以及服务器的 accept() 调用。",
            ),
            Text(
                "Compare the time of the ACK with the time at which accept() returned this client.",
                "把 ACK 的时间与 accept() 返回该客户端的时间相比较。",
            ),
        ),
        claim=Text("The second client cannot connect", "第二个客户端连不上"),
        truth=Text(
            "Its connect() returns hundreds of milliseconds before the server's accept()",
            "它的 connect() 比服务器的 accept() 早几百毫秒返回",
        ),
        then=("SV01",),
        sources=("listen(2)", "accept(2)"),
    ),
    Question(
        id="SV05",
        asks=Text("How does SO_REUSEPORT spread connections?", "SO_REUSEPORT 如何分配连接？"),
        answer=Text(
            "A hash of the four-tuple picks the listener. Many connections spread roughly evenly, few do not; "
            "load plays no part.",
            "由四元组的散列选择监听者。连接多时大致均匀，连接少时并不均匀，也不考虑负载。",
        ),
        kind=Kind.EXPLAIN,
        level=2,
        interview="medium",
        runs=("reuseport_balance",),
        prove=shared_port,
        values=tuple(
            Ask(
                name,
                Text(
                    f"Connections that the {name} listener accepted",
                    f"第{number}个监听者接受的连接数",
                ),
                Unit.COUNT,
            )
            for name, number in (("first", "一"), ("second", "二"), ("third", "三"))
        ),
        ideas=(
            Idea(
                Text("a hash of the four-tuple decides", "由四元组的散列决定"),
                (r"hash", r"散列|哈希"),
            ),
            Idea(
                Text("it does not look at the load", "不考虑负载"),
                (
                    r"load plays no",
                    r"not (look at |by |consider )?(the )?load",
                    r"(不考虑|不看|与)负载",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("the listeners take turns", "各监听者轮流得到连接"),
                (r"take turns", r"round[- ]robin", r"轮流得到", r"轮询分配"),
            ),
        ),
        guess=Guess(
            Text(
                "30 connections, three listeners on one port. How many does each get?",
                "30 条连接，三个监听者共用一个端口，各得多少？",
            ),
            (
                Text("10 each", "各 10 条"),
                Text("all go to the first", "全归第一个"),
                Text("shares that differ from run to run", "份额不等，每次运行都不同"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the server's accept() calls: the descriptor is the listener.",
                "看服务器的 accept() 调用：描述符就是监听者。",
            ),
            Text(
                "Count them by descriptor; the lowest one listened first.",
                "按描述符计数；最小的描述符最先监听。",
            ),
        ),
        then=("SV01",),
        sources=("socket(7) SO_REUSEPORT",),
    ),
)
