"""TIME-WAIT meets a new SYN from the same port, which it lets in; and a forged RST, which kills it."""

from __future__ import annotations

import socket
import time

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import returned, sampled
from lab.scenarios.seen import segments
from lab.tcp.model import Connection
from lab.tcp.segments import CLIENT, SERVER
from lab.text import Text
from lab.topology import Host, Topology
from lab.units import SequenceNumber, short_span
from services import crafted, stage, waits

PORT = 12345
CLIENT_PORT = 40000
PAUSE = 0.3  # seconds: long enough for the witness to see what there is


def server(*, visits: int = 2) -> None:
    """Take connections, one after another, and close each of them first."""
    with socket.create_server(("", PORT)) as listener:
        for number in range(visits):
            connection, _ = listener.accept()
            with connection:
                connection.shutdown(socket.SHUT_WR)
                waits.acknowledged(connection)
                stage.say(f"fin_acknowledged_{number}")
                connection.recv(1024)  # b"": TIME-WAIT has begun
        stage.wait("client_done")


def client(server: str) -> None:
    """Connect twice from the same port."""
    for number in range(2):
        visit(server, number)
        time.sleep(PAUSE)
    stage.say("client_done")


def assassin(server: str) -> None:
    """Connect once; then forge a RST with just the number that the server's TIME-WAIT expects."""
    try:
        raw = crafted.RawTcp()
    except PermissionError as error:
        stage.unavailable("NET_RAW", error)
    with raw:
        address = visit(server, 0)
        last = None
        while heard := raw.receive(PAUSE):
            last = heard
        number = last.acknowledgment if last else 0  # RCV.NXT of the server
        raw.send(
            crafted.Segment(
                address, server, CLIENT_PORT, PORT, flags=crafted.RST, sequence=number, window=0
            )
        )
    time.sleep(PAUSE)
    stage.say("client_done")


def visit(server: str, number: int) -> str:
    """Connect from a fixed port, close after the server; returns the own address."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(("", CLIENT_PORT))
        connection.connect((server, PORT))
        connection.recv(1024)  # b""
        # Two CPUs may swap this ACK and the FIN behind it: a RST would end TIME-WAIT (RFC 1337).
        stage.wait(f"fin_acknowledged_{number}")
        address: str = connection.getsockname()[0]
        return address


def _last_number(evidence: Evidence, connection: Connection, side: int) -> SequenceNumber:
    """The number after the last that one end used: its FIN's."""
    sent = [one for one in segments(evidence, connection) if one.sender == "CS"[side]]
    end = max(one.sequence + one.length + ("FIN" in one.flags) for one in sent)
    return SequenceNumber((connection.isn[side] or 0) + end)


def _numbers_go_on(evidence: Evidence) -> Seen:
    """How far the new ISNs lie beyond the last numbers of the connection before."""
    connections = evidence.view.connections
    old, new = connections[0], connections[1]
    ahead = [
        SequenceNumber(new.isn[side] or 0) - _last_number(evidence, old, side)
        for side in (CLIENT, SERVER)
    ]
    words = Text("client's +{n}, server's +{m}", "客户端 +{n}，服务器 +{m}")
    kept = old.client == new.client and min(ahead) > 0
    frames = tuple(one.number for one in segments(evidence, new)[:2])
    return Seen(kept, words.fill(n=ahead[CLIENT], m=ahead[SERVER]), frames)


def _survives(evidence: Evidence) -> Seen:
    """Whether the server's end was still in TIME-WAIT when it was sampled after the RST."""
    kernel = evidence.kernel["server"]
    ends = [kernel.stays(life)[-1] for life in kernel.lives if life.peer]
    reset = segments(evidence, evidence.view.connections[0])[-1]
    longer = ends[0].until - reset.time
    told = Text("{state} for another {span}", "{state} 又持续了 {span}").fill(
        state=ends[0].state, span=short_span(max(longer, 0))
    )
    return Seen(ends[0].state == "TIME-WAIT" and longer > 0, told, (reset.number,))


VISIT = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1
    C>S ACK      seq 1  ack 1
    S>C FIN,ACK  seq 1  ack 1
    C>S ACK      seq 1  ack 2
    C>S FIN,ACK  seq 1  ack 2
    S>C ACK      seq 2  ack 2
    """
ASSASSINATION = f"""{VISIT}
    C>S RST      seq 2
    """


def _assassinated(rfc1337: int, promise: Promise) -> dict[str, object]:
    """A variant: the server's tcp_rfc1337, and what becomes of its TIME-WAIT."""
    server_host = Host("server", sysctls={"net.ipv4.tcp_rfc1337": f"{rfc1337}"})
    return {
        "topology": Topology((Host("client", capabilities=("NET_RAW",)), server_host)),
        "roles": {"server": server, "client": assassin},
        "options": {"server": {"visits": 1}},
        "scripts": (ASSASSINATION,),
        "promises": (promise,),
    }


SCENARIO = Scenario(
    id="time_wait_new_syn",
    title=Text("New SYN hits TIME-WAIT", "TIME-WAIT 收到新的 SYN"),
    group="time_wait",
    level=3,
    teaches=(
        Text(
            "TIME-WAIT does not keep a client out that comes back from the same port. A SYN with a higher"
            " number, or a newer timestamp, opens the connection anew at once",
            "客户端若从同一端口再次连接，TIME-WAIT 并不会将其拒之门外：SYN 的序号更大或时间戳更新，"
            "就立即重新建立连接",
        ),
        Text(
            "The new connection begins beyond the old one's numbers; Linux puts its own ISN "
            "65,537 beyond, so no old segment fits",
            "新连接的序号从旧连接之后开始；Linux 把自己的 ISN 设在其后 65,537 处，旧报文段不可能混入",
        ),
        Text(
            "A RST with exactly the number that TIME-WAIT expects ends it on Linux by default: "
            "TIME-WAIT assassination. With tcp_rfc1337=1 that RST is ignored",
            "默认情况下，序号恰好等于 TIME-WAIT 所期待值的 RST 会让 Linux 立即结束它，即"
            "“TIME-WAIT 暗杀”；设置 tcp_rfc1337=1 后，这样的 RST 会被忽略",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(VISIT, VISIT),
    promises=(
        returned(
            "connects_at_once",
            Text("connect() succeeds both times", "两次 connect() 都成功"),
            "client",
            "connect",
            "ok",
            "ok",
        ),
        Promise(
            "numbers_go_on",
            Text(
                "from the same port, with both ISNs beyond the old numbers",
                "端口相同，双方的 ISN 都在旧序号之后",
            ),
            _numbers_go_on,
        ),
        sampled(
            "time_wait_ends",
            Text(
                "the server's first socket leaves TIME-WAIT long before its 60 s",
                "服务器的第一个套接字远未满 60 秒便离开 TIME-WAIT",
            ),
            "server",
            "TIME-WAIT",
            "CLOSED",
        ),
    ),
    variants={
        "rst_assassination": _assassinated(
            0,
            sampled(
                "killed",
                Text("the RST ends TIME-WAIT", "RST 结束了 TIME-WAIT"),
                "server",
                "TIME-WAIT",
                "CLOSED",
            ),
        ),
        "rfc1337": _assassinated(
            1,
            Promise(
                "survives",
                Text("TIME-WAIT goes on in spite of the RST", "收到 RST 后 TIME-WAIT 仍然继续"),
                _survives,
            ),
        ),
    },
    sources=(
        "RFC 9293 section 3.6.1 (MAY-2)",
        "RFC 6191",
        "RFC 1337",
        "Linux ip-sysctl: tcp_rfc1337",
    ),
)
