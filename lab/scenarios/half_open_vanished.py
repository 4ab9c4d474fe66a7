"""The peer vanishes without a word: an idle connection never notices, one that sends does, late."""

from __future__ import annotations

import socket
import struct
import time
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.evidence.states import Life, Stay
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, goes_off, returned
from lab.scenarios.script import Segment
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import drop, packets, pure_ack
from services import stage

PORT = 12345
USER_TIMEOUT_MS = 1000
IDLE_MS = 1000
SHORTEST_RTO_MS = 200  # TCP_RTO_MIN of Linux
MILLISECOND = 1_000_000  # ns
TOLERANCE = 50  # ms: the kernel counts in ticks of up to 10


def server() -> None:
    """Accept, then hear nothing more, not even that the client has given up."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection:
        stage.say("accepted")
        stage.wait("client_gone")
        connection.settimeout(0.3)
        try:
            connection.recv(1024)
        except TimeoutError as error:
            print(error, flush=True)
        abort_on_close(connection)


def client(server: str, *, user_timeout_ms: int = 0) -> None:
    """Send to a peer that is no longer there, and wait for the answer."""
    with socket.create_connection((server, PORT)) as connection:
        # 0: no limit but that of tcp_retries2
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms)
        stage.wait("accepted")
        connection.sendall(b"hello")  # fine: the kernel has taken it
        try:
            connection.recv(1024)
        except TimeoutError as error:
            print(error, flush=True)
    stage.say("client_gone")


def idle_client(server: str) -> None:
    """Say nothing for a while; then abort, which the peer does not hear either."""
    with socket.create_connection((server, PORT)) as connection:
        stage.wait("accepted")
        time.sleep(IDLE_MS / 1000)
        abort_on_close(connection)
    stage.say("client_gone")


def abort_on_close(connection: socket.socket) -> None:
    """Let close() send RST and forget the connection: nobody is there to answer a FIN (socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _open(evidence: Evidence, host: str) -> tuple[Life, Stay]:
    """A host's end of the connection, and its time in ESTABLISHED."""
    kernel = evidence.kernel[host]
    stays = [(life, stay) for life in kernel.lives for stay in kernel.stays(life)]
    found = [(life, stay) for life, stay in stays if stay.state == "ESTABLISHED"]
    return found[0]


def _timeout_doubles(evidence: Evidence) -> Seen:
    """The retransmission timeout, as the client's kernel told it after each retransmission."""
    life, _ = _open(evidence, "client")
    waits = sorted({one.numbers["rto"] for one in life.moments if one.numbers.get("backoff")})  # µs
    kept = len(waits) >= 2 and all(later == 2 * earlier for earlier, later in pairwise(waits))
    return Seen(kept, same(" → ".join(short_span(1000 * wait) for wait in waits)))


def _outlived(evidence: Evidence) -> Seen:
    """Whether the server's end was still ESTABLISHED when the client's had gone."""
    gone = _open(evidence, "client")[0].ended
    if gone is None:
        return Seen(False, Text("the client's end is still there", "客户端一端仍然存在"))
    longer = _open(evidence, "server")[1].until - gone
    words = Text(
        "ESTABLISHED at the server for another {span}", "服务器一端的 ESTABLISHED 又持续了 {span}"
    )
    return Seen(longer > 0, words.fill(span=short_span(max(longer, 0))))


def _first_timeout(evidence: Evidence) -> Segment:
    """The first retransmission by timeout: Linux counts from it how long it has tried in vain."""
    sent = [one for one in segments(evidence, evidence.view.connections[0]) if one.length]
    return sent[2]  # after the data and its tail loss probe (RFC 8985 section 7)


def _perseveres(retries: int) -> Promise:
    """Promise that recv() does not fail before tcp_retries2 allows it to."""
    limit = SHORTEST_RTO_MS * (2 ** (retries + 1) - 1)

    def check(evidence: Evidence) -> Seen:
        first, failed = _first_timeout(evidence), called(evidence, "client", "recv")[0].after
        tried = (failed - first.time) // MILLISECOND
        told = Text("{ms:,} ms", "{ms:,} 毫秒").fill(ms=tried)
        return Seen(tried >= limit - TOLERANCE, told, (first.number,))

    words = Text(
        "it fails no sooner than {ms:,} ms after the first retransmission by timeout",
        "失败不早于首次超时重传之后 {ms:,} 毫秒",
    )
    return Promise("perseveres", words.fill(ms=limit), check)


def _cut_short(evidence: Evidence) -> Seen:
    """When the last timer was to go off, counted from the first retransmission by timeout."""
    life, _ = _open(evidence, "client")
    last = [one for one in life.moments if one.timer == "retransmission"][-1]
    return goes_off(last, _first_timeout(evidence), USER_TIMEOUT_MS)


def _no_timer(evidence: Evidence) -> Seen:
    """Whether both ends stayed ESTABLISHED while the client was idle, without a timer."""
    ends = [_open(evidence, host) for host in ("client", "server")]
    moments = [one for life, _ in ends for one in life.moments if one.state == "ESTABLISHED"]
    timers = sorted({one.timer for one in moments if one.timer})
    spans = [stay.until - stay.by for _, stay in ends]
    words = Text("for {spans}; timers: {timers}", "持续 {spans}；定时器：{timers}")
    told = words.fill(
        spans=" · ".join(map(short_span, spans)),
        timers=same(", ".join(timers)) if timers else Text("none", "无"),
    )
    least = IDLE_MS * MILLISECOND // 2  # certain is only what lies between two samples
    return Seen(not timers and min(spans) >= least, told)


def _client(sysctl: int) -> Topology:
    """A client's kernel with this tcp_retries2."""
    return Topology(
        (Host("client", sysctls={"net.ipv4.tcp_retries2": f"{sysctl}"}), Host("server"))
    )


OPEN = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK      seq 1      ack 1
    """
AGAIN = "C>S PSH,ACK  seq 1  +5  ack 1  lost"
SENT = f"""{OPEN}
    C>S PSH,ACK  seq 1  +5  ack 1  lost
    {AGAIN}  after 0.19..30 s
    {AGAIN}  after 0.19..30 s
    """
UNHEARD = "S>C RST,ACK  seq 1      ack 1  lost"  # the server's own end of it

OUTLIVES = Promise(
    "outlives",
    Text(
        "the server's end stays ESTABLISHED when the client's has gone",
        "客户端一端消失后，服务器一端仍处于 ESTABLISHED",
    ),
    _outlived,
)
FOUND_OUT = (
    returned(
        "sending_succeeds",
        Text("sendall() succeeds all the same", "sendall() 照样成功"),
        "client",
        "sendall",
        "ok",
    ),
    returned(
        "receiving_times_out",
        Text("recv() fails with ETIMEDOUT", "recv() 以 ETIMEDOUT 失败"),
        "client",
        "recv",
        "ETIMEDOUT",
    ),
    OUTLIVES,
)
DOUBLES = Promise(
    "timeout_doubles",
    Text(
        "the kernel's timeout doubles with each retransmission",
        "每次重传之后，内核的超时时间加倍",
    ),
    _timeout_doubles,
)
CUT_SHORT = Promise(
    "cut_short",
    Text(
        "the last timer ends one user timeout after the first retransmission by timeout",
        "最后一次定时在首次超时重传之后恰好一个用户超时的时刻到期",
    ),
    _cut_short,
)
NO_TIMER = Promise(
    "no_timer",
    Text(
        "both ends stay ESTABLISHED, and no timer runs at either",
        "两端都保持 ESTABLISHED，而且都没有定时器在运行",
    ),
    _no_timer,
)

SCENARIO = Scenario(
    id="half_open_vanished",
    title=Text("Peer vanished without a word", "对端悄然消失"),
    group="errors",
    level=2,
    core=True,
    teaches=(
        Text(
            "An idle connection sends nothing and runs no timer: if its peer vanishes, it stays "
            "ESTABLISHED for ever",
            "空闲的连接什么也不发送，也没有定时器：对端若消失，它会永远停留在 ESTABLISHED",
        ),
        Text(
            "Whoever sends finds out, but late: send() succeeds, the kernel repeats the data at "
            "doubling intervals, and only a later call fails, with ETIMEDOUT",
            "只有发送的一方才会发现，而且很晚：send() 成功返回，内核以加倍的间隔重传，"
            "直到之后的某次调用才以 ETIMEDOUT 失败",
        ),
        Text(
            "tcp_retries2 is a span, not a count. It is as long as so many doublings from 200 ms take: "
            "1.4 s for 2, 924.6 s for the default of 15. The first timer after it ends the connection",
            "tcp_retries2 限定的是时间而不是次数：从 200 ms 起翻倍这么多次所需的时间，"
            "取 2 为 1.4 s，默认值 15 为 924.6 s；此后第一次定时器到期，连接即告终止",
        ),
        Text(
            "TCP_USER_TIMEOUT sets the limit for one socket, in ms. Linux counts it from the first "
            "retransmission by timeout, and lets the last timer end right there",
            "TCP_USER_TIMEOUT 为单个套接字设定期限，单位毫秒；Linux 从首次超时重传算起，"
            "并让最后一次定时恰好在期限处到期",
        ),
        Text(
            "The end that stays behind is half-open: it knows nothing of the other's death. "
            "A keep-alive, or a heartbeat of the application, would find out",
            "留下来的一端处于半开（half-open）状态，对另一端的消失一无所知；"
            "keepalive 或应用层心跳才能发现",
        ),
    ),
    topology=_client(sysctl=2),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(packets(), after=pure_ack("client")),),
    scripts=(
        f"""{SENT}
        {AGAIN}  after 0.39..30 s
        {AGAIN}  optional  after 0.79..30 s
        {UNHEARD}
        """,
    ),
    promises=(*FOUND_OUT, DOUBLES, _perseveres(2)),
    variants={
        "idle": {
            "roles": {"server": server, "client": idle_client},
            "scripts": (
                f"""{OPEN}
                C>S RST,ACK  seq 1      ack 1  lost
                {UNHEARD}
                """,
            ),
            "promises": (NO_TIMER, OUTLIVES),
        },
        "user_timeout": {
            "topology": _client(sysctl=15),
            "options": {"client": {"user_timeout_ms": USER_TIMEOUT_MS}},
            "scripts": (
                f"""{SENT}
                {AGAIN}  optional  after 0.39..30 s
                {UNHEARD}
                """,
            ),
            "promises": (*FOUND_OUT, CUT_SHORT),
        },
        "retries2": {
            "topology": _client(sysctl=3),
            "scripts": (
                f"""{SENT}
                {AGAIN}  after 0.39..30 s
                {AGAIN}  after 0.79..30 s
                {AGAIN}  optional  after 1.59..30 s
                {UNHEARD}
                """,
            ),
            "promises": (*FOUND_OUT, DOUBLES, _perseveres(3)),
        },
    },
    sources=(
        "RFC 9293 section 3.5.1",
        "RFC 9293 section 3.8.3",
        "RFC 5482",
        "tcp(7) TCP_USER_TIMEOUT",
        "Linux ip-sysctl: tcp_retries2",
    ),
)
