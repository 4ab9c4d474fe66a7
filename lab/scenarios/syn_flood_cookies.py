"""A SYN flood from addresses that do not exist: what it fills, and how cookies do without it."""

from __future__ import annotations

import socket
import subprocess

from lab.evidence.run import Evidence, View
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import counted, returned
from lab.tcp.model import Connection, State
from lab.text import Text, same
from lab.topology import Host, Topology
from services import crafted, stage, waits

PORT = 12345
FLOOD = 100  # SYNs
SPOOFED = "198.51.100.0/24"  # for documentation (RFC 5737): nobody has these addresses
PREFIX = "198.51.100."
BACKLOG = 4
PATIENCE_MS = 1500  # of the honest client


def attacker(server: str) -> None:
    """Send a SYN from each of many addresses, and never look at the answers."""
    with crafted.RawTcp() as raw:
        for number in range(1, FLOOD + 1):
            source = f"{PREFIX}{number}"
            raw.send(crafted.Segment(source, server, 1024 + number, PORT, crafted.SYN))
    stage.say("flooded")


def server(attacker: str, *, backlog: int = BACKLOG) -> None:
    """Listen while the flood comes; then see whether accept() has the honest client."""
    lead_away(SPOOFED, attacker)
    received, repeated = waits.counter("Tcp.InSegs"), waits.counter("Tcp.RetransSegs")
    with socket.create_server(("", PORT), backlog=backlog) as listener:
        stage.wait("flooded")
        waits.until(lambda: waits.counter("Tcp.InSegs") - received >= FLOOD)
        stage.say("full")
        stage.wait("knocked")
        greet(listener)
        # each that the kernel remembers is answered again after 1 s
        waits.until(
            lambda: waits.counter("Tcp.RetransSegs") - repeated >= waits.sockets("SYN-RECEIVED")
        )


def greet(listener: socket.socket) -> None:
    """Take the connection that waits to be accepted, if there is one, and read it to its end."""
    listener.setblocking(False)
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        print("accept: nobody", flush=True)
        return
    with connection:
        while connection.recv(1024):
            pass


def client(server: str) -> None:
    """Connect, as anybody would, once the flood is there; give up after a while."""
    stage.wait("full")
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_MS)
        try:
            connection.connect((server, PORT))
            connection.sendall(b"hello")
        except TimeoutError as error:
            print(error, flush=True)
    stage.say("knocked")


def lead_away(network: str, gateway: str) -> None:
    """Route a network to a host that is not a router: what is sent there vanishes."""
    try:
        command = ["ip", "route", "replace", network, "via", gateway]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        stage.unavailable("ip", error)
    except subprocess.CalledProcessError as error:
        stage.unavailable(" ".join(command), error.stderr.partition("\n")[0])


def patient_server() -> None:
    """Serve two clients, one after the other."""
    with socket.create_server(("", PORT)) as listener:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)


def modern(server: str) -> None:
    """Connect with timestamps, as Linux does unless told otherwise."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(b"hello")
    stage.say("served")


def legacy(server: str) -> None:
    """Connect without timestamps."""
    stage.wait("served")
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(b"hello")


ALL_ANSWERED = Text(
    "every SYN is answered; only those that the kernel remembers are answered again",
    "每个 SYN 都得到应答；只有内核记住的才会再次应答",
)
SOME_ANSWERED = Text(
    "only the SYNs that the kernel remembers are answered, and answered again",
    "只有内核记住的 SYN 得到应答，并且会再次应答",
)
REMEMBERED = Text(
    "the kernel remembers {room} of them, or one more, in SYN-RECEIVED",
    "内核只记住其中 {room} 个（或多一个），处于 SYN-RECEIVED",
)
ELSEWHERE = Text("the client's port sees nothing of the flood", "客户端的端口看不到这场洪泛")


def _port(evidence: Evidence, host: str) -> View:
    """What a host's own port saw."""
    return next(view for view in evidence.views if view.host == host)


def _spoofed(view: View) -> list[Connection]:
    return [one for one in view.connections if one.client.address.startswith(PREFIX)]


def _flood(*, cookies: bool, room: int = BACKLOG) -> tuple[Promise, ...]:
    """What becomes of the flood; ``room``: requests that fit, or one more (it depends on the kernel)."""
    fit = (room, room + 1)

    def on_the_wire(evidence: Evidence) -> Seen:
        connections = _spoofed(_port(evidence, "server"))
        answers = [len(one.rows) - int(one.from_client.sum()) for one in connections]
        once, again = sum(map(bool, answers)), sum(number > 1 for number in answers)
        words = Text(
            "{syns} SYN[|s], {once} answered, {again} of them again",
            "SYN {syns} 个，应答 {once} 个，其中再次应答 {again} 个",
        )
        kept = len(answers) == FLOOD and once == (FLOOD if cookies else again) and again in fit
        return Seen(kept, words.fill(syns=len(answers), once=once, again=again))

    def in_the_kernel(evidence: Evidence) -> Seen:
        sockets = evidence.kernel["server"].lives
        requests = [one for one in sockets if one.peer and one.peer[0].startswith(PREFIX)]
        states = {moment.state for one in requests for moment in one.moments}
        words = Text("{n} in {states}", "{n} 个，状态 {states}")
        told = words.fill(n=len(requests), states=", ".join(sorted(states)))
        return Seen(len(requests) in fit and states == {State.SYN_RECEIVED}, told)

    def at_the_client(evidence: Evidence) -> Seen:
        words = Text("{n} frame[|s] at the client", "客户端 {n} 帧")
        seen = words.fill(n=len(evidence.view.capture.frames))
        return Seen(not _spoofed(evidence.view), seen)

    return (
        Promise("answers", ALL_ANSWERED if cookies else SOME_ANSWERED, on_the_wire),
        Promise("remembered", REMEMBERED.fill(room=room), in_the_kernel),
        Promise("views_agree", ELSEWHERE, at_the_client),
    )


def _options_of(evidence: Evidence, host: str, row: int) -> set[str]:
    """The options of the first or second segment of a host's connection."""
    view = _port(evidence, host)
    tcp = frame(view.capture, int(view.connections[0].rows[row])).tcp
    options = tcp.options if tcp else None
    names = ("mss", "window_scale", "sack_permitted", "timestamps")
    return {name for name in names if getattr(options, name) not in (None, False)}


def _kept_in_timestamps(evidence: Evidence) -> Seen:
    asked, told = _options_of(evidence, "client", 0), _options_of(evidence, "client", 1)
    frames = evidence.view.connections[0].handshake_frames[:2]
    return Seen(asked == told and len(told) == 4, same(", ".join(sorted(told))), frames)


def _only_mss(evidence: Evidence) -> Seen:
    asked, told = _options_of(evidence, "legacy", 0), _options_of(evidence, "legacy", 1)
    words = Text("asked: {asked}; answered: {told}", "请求：{asked}；应答：{told}")
    asked_for = {"mss", "window_scale", "sack_permitted"}
    filled = words.fill(asked=", ".join(sorted(asked)), told=", ".join(sorted(told)))
    return Seen(asked == asked_for and told == {"mss"}, filled)


def _apart(evidence: Evidence) -> Seen:
    counts = [len(_port(evidence, host).connections) for host in ("client", "legacy", "server")]
    return Seen(counts == [1, 1, 2], same(", ".join(map(str, counts))))


def _under_attack(*, cookies: int) -> Topology:
    """Three hosts: a server with or without cookies, and an attacker that forwards nothing."""
    sysctls = {
        "net.ipv4.tcp_syncookies": str(cookies),
        "net.ipv4.tcp_max_syn_backlog": "32",
    }
    return Topology(
        (
            Host("client"),
            Host("server", sysctls=sysctls, capabilities=("NET_ADMIN",)),
            Host("attacker", sysctls={"net.ipv4.ip_forward": "0"}, capabilities=("NET_RAW",)),
        )
    )


ALWAYS_COOKIES = Topology(
    (
        Host("client"),
        Host("server", sysctls={"net.ipv4.tcp_syncookies": "2"}),
        Host("legacy", sysctls={"net.ipv4.tcp_timestamps": "0"}),
    )
)
UNHEARD = """
    C>S SYN  seq 0
    C>S SYN  seq 0  after 0.95..1.5 s
    """
HEARD = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0     ack 1
    C>S ACK      seq 1     ack 1
    C>S PSH,ACK  seq 1 +5  ack 1
    ...
    """
SHUT_OUT = returned(
    "shut_out",
    Text("the honest client's connect() times out", "正常客户端的 connect() 超时"),
    "client",
    "connect",
    "ETIMEDOUT",
)
LET_IN = returned(
    "let_in",
    Text("the honest client gets in", "正常客户端得以接入"),
    "server",
    "accept",
    "ok",
)

COUNTED = (
    counted(
        "cookies_sent",
        Text("all others are answered with a cookie", "其余的都以 Cookie 应答"),
        "server",
        "TcpExt.SyncookiesSent",
        at_least=FLOOD - BACKLOG,
    ),
    counted(
        "cookie_returned",
        Text("one cookie comes back, the honest client's", "只有正常客户端带回了 Cookie"),
        "server",
        "TcpExt.SyncookiesRecv",
        at_most=1,
    ),
)
SCENARIO = Scenario(
    id="syn_flood_cookies",
    title=Text("SYN flood and cookies", "SYN 洪泛与 SYN Cookie"),
    group="security",
    level=3,
    core=True,
    teaches=(
        Text(
            "Each SYN that is answered costs the server memory until its third segment comes. A flood "
            "from addresses that do not exist fills that queue, and its bound is the listen backlog",
            "每应答一个 SYN，服务器都要占用内存，直到第三次握手到来；"
            "来自不存在地址的洪泛会填满这个队列，其上限就是 listen 的 backlog",
        ),
        Text(
            "Then an honest SYN is dropped like any other, in silence: "
            "a handful of segments is enough, no bandwidth is needed",
            "此后正常的 SYN 也同样被悄悄丢弃：几个报文段就够了，并不需要多大带宽",
        ),
        Text(
            "With SYN cookies nothing is remembered. The server's ISN is a keyed hash of addresses, ports"
            " and time, and the ACK that brings it back opens the connection",
            "启用 SYN Cookie 后，服务器什么都不必记住：ISN 由地址、端口和时间经带密钥的散列算出，"
            "带回它的 ACK 即可建立连接",
        ),
        Text(
            "What cookies cost: a SYN,ACK that nobody remembers is never repeated, and options survive "
            "only inside the timestamp. So Linux uses them only once the queue is full",
            "Cookie 的代价：没有记录的 SYN,ACK 不会重发，各选项也只能借时间戳保存下来；"
            "因此 Linux 只在队列已满时才启用",
        ),
    ),
    topology=_under_attack(cookies=0),
    roles={"server": server, "client": client, "attacker": attacker},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(UNHEARD,),
    promises=(
        *_flood(cookies=False),
        SHUT_OUT,
        counted(
            "drops",
            Text("the kernel counts what it dropped", "内核对丢弃的 SYN 计数"),
            "server",
            "TcpExt.TCPReqQFullDrop",
            at_least=FLOOD - BACKLOG - 1,
        ),
    ),
    variants={
        "three_quarters": {
            "options": {"server": {"backlog": 64}},
            "promises": (*_flood(cookies=False, room=24), SHUT_OUT),
            "teaches": (
                Text(
                    "Without cookies Linux keeps the last quarter of tcp_max_syn_backlog for peers that "
                    "it has known before. Of 32 a flood gets 24 and one more, however long the backlog",
                    "不用 Cookie 时，Linux 将 tcp_max_syn_backlog 的最后四分之一留给曾经通信过的对端："
                    "上限为 32 时，无论 backlog 多大，洪泛只能占到 24 个再多一个",
                ),
            ),
        },
        "cookies": {
            "topology": _under_attack(cookies=1),
            "scripts": (HEARD,),
            "promises": (*_flood(cookies=True), LET_IN, *COUNTED),
        },
        "cookie_options": {
            "topology": ALWAYS_COOKIES,
            "roles": {"server": patient_server, "client": modern, "legacy": legacy},
            "scripts": (HEARD,),
            "promises": (
                Promise(
                    "survive",
                    Text(
                        "with timestamps the SYN,ACK grants all that the SYN asked for",
                        "有时间戳时，SYN,ACK 答应了 SYN 请求的全部选项",
                    ),
                    _kept_in_timestamps,
                ),
                Promise(
                    "lost",
                    Text(
                        "without, it carries its MSS and nothing else",
                        "没有时间戳时，SYN,ACK 只带 MSS",
                    ),
                    _only_mss,
                ),
                Promise(
                    "views_agree",
                    Text("the two clients do not see each other", "两个客户端互相看不到对方"),
                    _apart,
                ),
                counted(
                    "all_cookies",
                    Text(
                        "both were opened by a cookie (tcp_syncookies = 2)",
                        "两条连接都由 Cookie 建立（tcp_syncookies = 2）",
                    ),
                    "server",
                    "TcpExt.SyncookiesRecv",
                    at_least=2,
                    at_most=2,
                ),
            ),
        },
    },
    sources=("RFC 4987", "RFC 9293 section 3.10.7.2", "Linux ip-sysctl: tcp_syncookies"),
)
