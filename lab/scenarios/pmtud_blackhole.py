"""A path MTU black hole: what is too long for a link vanishes, and nobody tells the sender."""

from __future__ import annotations

import socket
from itertools import pairwise

from lab.evidence.run import Evidence
from lab.packets.frames import Protocol
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome, returned
from lab.scenarios.script import Segment
from lab.scenarios.seen import segments
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import clamp, data, drop
from services import stage

PORT = 12345
REQUEST, REPLY = b"ping", b"pong"
SIZE = 4000  # octets: more than two full segments
NARROW = 1300  # octets: the longest IP packet that passes the link
LONGEST = NARROW - 20 - 20 - 12  # octets of data in it: less IPv4, TCP and the timestamps
CLAMPED = NARROW - 20 - 20  # octets: the MSS of such a packet, options not counted
PROBING = {
    "net.ipv4.tcp_mtu_probing": "1",
    "net.ipv4.tcp_retries1": "1",  # not 3: a black hole is suspected after 0.6 s, not 3 s
}


def server() -> None:
    """Answer a small message, then read what there is once the client has given up."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            stage.wait("given_up")
            try:
                connection.recv(SIZE, socket.MSG_DONTWAIT)
            except BlockingIOError as error:
                print(error, flush=True)


def patient_server() -> None:
    """Answer a small message, then a large one, however long it takes."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(REPLY)
            connection.recv(SIZE, socket.MSG_WAITALL)
            connection.sendall(REPLY)


def client(server: str, *, patience_ms: int = 2500) -> None:
    """Send a small message, then a large one; 0: wait for its answer as long as the kernel does."""
    with socket.create_connection((server, PORT)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
        connection.sendall(REQUEST)
        connection.recv(1024)
        connection.sendall(bytes(SIZE))
        try:
            connection.recv(1024)
        except TimeoutError as error:
            print(error, flush=True)
    stage.say("given_up")


def _data(evidence: Evidence) -> list[Segment]:
    """The client's segments with data."""
    sent = segments(evidence, evidence.view.connections[0])
    return [one for one in sent if one.sender == "C" and one.length]


def _length_decides(evidence: Evidence) -> Seen:
    sent = _data(evidence)
    lost = [one for one in sent if one.lost]
    longest = max((one.length for one in sent if not one.lost), default=0)
    words = Text(
        "{n} lost, of {least} octets or more; the longest that arrived: {longest}",
        "丢失 {n} 个，长度均不小于 {least} 字节；到达的最长为 {longest} 字节",
    )
    least = min((one.length for one in lost), default=0)
    kept = 0 < longest <= LONGEST < least
    told = words.fill(n=len(lost), least=least, longest=longest)
    return Seen(kept, told, tuple(one.number for one in lost))


def _nobody_tells(evidence: Evidence) -> Seen:
    protocols = evidence.view.capture.frames.protocol
    told = int((protocols == Protocol.ICMP).sum())
    return Seen(not told, Text("{n} ICMP messages", "{n} 条 ICMP 报文").fill(n=told))


def _nothing_read(evidence: Evidence) -> Seen:
    """The last segment is there, behind a gap: no octet of the 4000 may be read."""
    (*_, last) = called(evidence, "server", "recv")
    return Seen(outcome(last) == "EAGAIN", same(f"recv: {outcome(last)}"))


def _everything_read(evidence: Evidence) -> Seen:
    (*_, last) = called(evidence, "server", "recv")
    words = Text("{n} octets read", "读到 {n} 字节")
    return Seen(last.octets == SIZE, words.fill(n=last.octets))


def _smaller_after_timeouts(evidence: Evidence) -> Seen:
    """The first octets are sent again as they were, and at last in a segment that is short enough."""
    first = [one for one in _data(evidence) if one.sequence == 1 + len(REQUEST)]
    words = same(" → ".join(str(one.length) for one in first))
    passed = [one for one in first if not one.lost]
    kept = len(first) > 2 and passed == first[-1:] and first[-1].length <= LONGEST
    return Seen(kept, words, tuple(one.number for one in first))


def _waits_double(evidence: Evidence) -> Seen:
    """From the second repetition on: the first is a fast retransmission, the others are timeouts."""
    first = [one for one in _data(evidence) if one.sequence == 1 + len(REQUEST)]
    waits = [later.time - earlier.time for earlier, later in pairwise(first)]
    ratios = [later / earlier for earlier, later in pairwise(waits[1:])]
    kept = len(first) > 3 and all(1.4 < ratio < 2.8 for ratio in ratios)
    frames = tuple(one.number for one in first)
    return Seen(kept, same(", ".join(map(short_span, waits))), frames)


def _announced_less(evidence: Evidence) -> Seen:
    """What each SYN said when it left, and when it arrived."""
    near, far = (view.connections[0].mss for view in evidence.views)
    sent, arrived = (near[0], far[1]), (far[0], near[1])
    words = Text("mss {sent} sent, {arrived} arrived", "发出 mss {sent}，到达时为 {arrived}")
    told = words.fill(sent=sent, arrived=arrived)
    return Seen(set(arrived) == {CLAMPED} and min(map(int, filter(None, sent))) > CLAMPED, told)


def _fits(evidence: Evidence) -> Seen:
    sent = _data(evidence)
    longest = max(one.length for one in sent)
    words = Text("at most {n} octets of data", "数据最长 {n} 字节").fill(n=longest)
    frames = tuple(one.number for one in sent if one.length == longest)
    return Seen(longest == LONGEST, words, frames)


EVERYTHING_READ = Promise(
    "everything_read",
    Text("the server reads all 4000 octets", "服务器读到全部 4000 字节"),
    _everything_read,
)
CURED = {
    "roles": {"server": patient_server, "client": client},
    "options": {"client": {"patience_ms": 0}},
}

SCENARIO = Scenario(
    id="pmtud_blackhole",
    title=Text("Path MTU black hole", "PMTU 黑洞"),
    group="mtu",
    level=3,
    teaches=(
        Text(
            "The connection opens and small messages pass, but full segments vanish: "
            "a page that never loads, a login that hangs after the password",
            "连接能建立，小消息也能通过，满长的报文段却消失不见：网页一直打不开，输入密码后登录卡住",
        ),
        Text(
            "Somewhere a link is narrower than both ends believe, and the ICMP message that would "
            "say so never comes: filtered, or never sent",
            "途中有一段链路比两端以为的更窄，而本该说明这一点的 ICMP 报文没有来：被过滤，或根本没有发出",
        ),
        Text(
            "To the sender it looks like loss, so it repeats the same octets, just as long, at "
            "growing intervals, and every copy is lost again",
            "在发送方看来这就是丢包，于是以越来越长的间隔重发同样长的报文段，每一次都再次丢失",
        ),
        Text(
            "Cure at the sender: tcp_mtu_probing=1 takes repeated timeouts for a black hole, after about "
            "3 s (tcp_retries1). It goes on with segments of 1024 octets (tcp_base_mss)",
            "发送方的对策：tcp_mtu_probing=1 把反复超时（约 3 秒，由 tcp_retries1 决定）视为黑洞，"
            "改用 1024 字节的报文段（tcp_base_mss）",
        ),
        Text(
            "Cure on the way: a router lowers the MSS in both SYNs to what the link takes (MSS clamping)."
            " Then no segment is ever too long",
            "途中的对策：路由器把双方 SYN 中的 MSS 改小到链路可承受的值（MSS 钳制），"
            "此后不再有过长的报文段",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(drop(data(at_least=LONGEST + 1)),),
    scripts=(
        """
        ...
        C>S PSH,ACK    seq 1     +4     ack 1
        S>C ACK                         ack 5  optional
        S>C PSH,ACK    seq 1     +4     ack 5
        C>S ACK        seq 5            ack 5  optional
        C>S [PSH],ACK  seq 5     +1448  lost
        C>S [PSH],ACK  seq 1453  +1448  lost
        C>S PSH,ACK    seq 2901  +1104
        ...
        S>C ACK                         ack 5  sack 2901:4005
        ...
        S>C FIN,ACK    seq 5            ack 5
        C>S RST        seq 5
        """,
    ),
    promises=(
        Promise(
            "length_decides",
            Text("what is too long is lost, what is shorter arrives", "过长的丢失，较短的到达"),
            _length_decides,
        ),
        Promise(
            "nobody_tells",
            Text("no ICMP message says why", "没有 ICMP 报文说明原因"),
            _nobody_tells,
        ),
        Promise(
            "waits_double",
            Text(
                "from the second repetition on, each wait doubles",
                "从第二次重发起，等待时间逐次加倍",
            ),
            _waits_double,
        ),
        Promise(
            "nothing_read",
            Text(
                "what arrived lies behind a gap: the server can read none of it",
                "到达的数据位于缺口之后：服务器一个字节也读不到",
            ),
            _nothing_read,
        ),
        returned(
            "client_gives_up",
            Text(
                "the client reads the small answer, then gives up: ETIMEDOUT",
                "客户端读到小消息的应答，随后放弃：ETIMEDOUT",
            ),
            "client",
            "recv",
            "ok",
            "ETIMEDOUT",
        ),
    ),
    variants={
        "mtu_probing": {
            **CURED,
            "topology": Topology((Host("client", sysctls=PROBING), Host("server"))),
            "scripts": (),
            "promises": (
                Promise(
                    "smaller_after_timeouts",
                    Text(
                        "the same octets are sent again and lost, until a segment is short enough",
                        "同样的数据反复重发、反复丢失，直到报文段足够短",
                    ),
                    _smaller_after_timeouts,
                ),
                EVERYTHING_READ,
            ),
        },
        # The narrow link is not there: it would have nothing to lose, and that is what is promised.
        "clamp": {
            **CURED,
            "rules": (clamp(mss=CLAMPED),),
            "scripts": (
                """
                ...
                C>S [PSH],ACK  seq 5     +1248
                C>S [PSH],ACK  seq 1253  +1248
                C>S [PSH],ACK  seq 2501  +1248
                C>S PSH,ACK    seq 3749  +256
                ...
                """,
            ),
            "promises": (
                Promise(
                    "announced_less",
                    Text(
                        "both SYNs arrive with a smaller MSS than they left with",
                        "两个 SYN 到达时的 MSS 都小于发出时",
                    ),
                    _announced_less,
                ),
                Promise(
                    "fits",
                    Text(
                        "the longest segment is just what the link would take",
                        "最长的报文段恰好是链路所能通过的长度",
                    ),
                    _fits,
                ),
                EVERYTHING_READ,
            ),
        },
    },
    sources=(
        "RFC 2923",
        "RFC 4821",
        "RFC 8899",
        "ip-sysctl tcp_mtu_probing, tcp_base_mss, tcp_retries1",
    ),
)
