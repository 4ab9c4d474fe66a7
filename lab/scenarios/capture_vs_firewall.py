"""Dropped by a firewall, before or behind the place where a capture looks."""

from __future__ import annotations

import socket
import subprocess
from contextlib import suppress

from lab.evidence.run import Evidence, View
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, returned
from lab.tcp.model import Analysis
from lab.text import Text
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import datagram, drop
from services import stage

PORT = 12345  # TCP
PORTS = BY_CLIENT, BY_WIRE, BY_SERVER, ARRIVES = 5001, 5002, 5003, 5004  # UDP
FIRST, SECOND = b"first", b"second"
RTO = 195_000_000  # ns: Linux waits 200 ms at least; a tick less is granted

# nft(8); numgen counts the segments with PSH, which here are those with data, from 0.
CLIENT_RULES = f"""
table inet lab {{
    chain output {{
        type filter hook output priority 0
        udp dport {BY_CLIENT} drop
        tcp flags & psh == psh numgen inc mod 1000000 == 0 drop
    }}
}}
"""
SERVER_RULES = f"""
table inet lab {{
    chain input {{
        type filter hook input priority 0
        udp dport {BY_SERVER} drop
        tcp flags & psh == psh numgen inc mod 1000000 == 1 drop
    }}
}}
"""


def client(server: str) -> None:
    """Send four datagrams and two segments; drop the first of each on its way out."""
    with Firewall(CLIENT_RULES), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for port in PORTS:
            with suppress(PermissionError):  # the kernel says so: sendto() itself fails
                sender.sendto(str(port).encode(), (server, port))
        with socket.create_connection((server, PORT)) as connection:
            connection.sendall(FIRST)  # of this the kernel says nothing: it only tries again
            stage.wait("first_read")
            connection.sendall(SECOND)
            connection.recv(1024)  # b"": the server has read both


def server() -> None:
    """Read what comes through; drop one datagram and the second segment on their way in."""
    with Firewall(SERVER_RULES), socket.create_server(("", PORT)) as listener:
        *others, last = (receiver(port) for port in PORTS)
        with last:
            last.recv(64)
        for one in others:
            with one, suppress(BlockingIOError):  # what was sent before is not here: it never comes
                one.recv(64, socket.MSG_DONTWAIT)
        connection, _ = listener.accept()
        with connection:
            connection.recv(len(FIRST), socket.MSG_WAITALL)
            stage.say("first_read")
            connection.recv(len(SECOND), socket.MSG_WAITALL)


def receiver(port: int) -> socket.socket:
    """Open a UDP socket."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("", port))
    return opened


class Firewall:
    """Rules of this host alone, for as long as they are wanted."""

    def __init__(self, rules: str) -> None:
        self.rules = rules

    def __enter__(self) -> None:
        nft(self.rules)

    def __exit__(self, *_: object) -> None:
        nft("delete table inet lab")


def nft(commands: str) -> None:
    """Have nft(8) carry them out, all or none."""
    try:
        subprocess.run(
            ["nft", "-f", "-"], input=commands, check=True, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        stage.unavailable("nft", error)
    except subprocess.CalledProcessError as error:
        stage.unavailable("nftables", error.stderr.partition("\n")[0])


def _datagram(
    name: str, words: Text, port: int, *, at_client: bool, at_server: bool, read: bool
) -> Promise:
    """Where the datagram to a port was seen, and whether the server's program read it."""

    def check(evidence: Evidence) -> Seen:
        calls = called(evidence, "server", "recv")
        by_port = {call.local[1]: not call.error for call in calls if isinstance(call.local, list)}
        seen = (_has(evidence.view, port), _has(evidence.views[1], port), by_port[port])
        told = SEEN.fill(client=YES_NO[seen[0]], server=YES_NO[seen[1]], read=YES_NO[seen[2]])
        return Seen(seen == (at_client, at_server, read), told)

    return Promise(name, words, check)


YES_NO = Text("no", "否"), Text("yes", "是")
SEEN = Text(
    "at the client's port: {client}; at the server's: {server}; read: {read}",
    "客户端端口：{client}；服务器端口：{server}；程序读到：{read}",
)


def _has(view: View, port: int) -> bool:
    return any(one.server.port == port for one in view.exchanges)


def _first_copy_missing(evidence: Evidence) -> Seen:
    """The first data frame comes an RTO after the call, and nothing marks it as a repetition."""
    (call,) = (one for one in called(evidence, "client", "sendall") if one.octets == len(FIRST))
    rows = _copies(evidence.view, sequence=1)
    frames = evidence.view.capture.frames
    connection = evidence.view.connections[0]
    waited = int(frames.time[rows[0]]) - call.before
    told = Text("seen once, {span} after the call", "只见一次，在调用之后 {span}")
    flags = connection.flags.get(rows[0] + 1, Analysis(0))
    kept = len(rows) == 1 and waited >= RTO and not flags & Analysis.RETRANSMISSION
    return Seen(kept, told.fill(span=short_span(waited)), (rows[0] + 1,))


def _seen_and_not_answered(evidence: Evidence) -> Seen:
    """Both copies are at both ports: the first one did arrive, yet an RTO later it is sent again."""
    rows, arrived = (_copies(view, sequence=1 + len(FIRST)) for view in evidence.views)
    times = evidence.view.capture.frames.time[rows]
    waited = int(times[-1] - times[0])
    told = Text(
        "copies at the client {client}, at the server {server}; {span} between them",
        "副本：客户端 {client} 个，服务器 {server} 个；相隔 {span}",
    )
    words = told.fill(client=len(rows), server=len(arrived), span=short_span(waited))
    kept = len(rows) == len(arrived) == 2 and waited >= RTO
    return Seen(kept, words, tuple(row + 1 for row in rows))


def _copies(view: View, sequence: int) -> list[int]:
    """Rows of the client's segments with data that begin with this relative number."""
    connection, frames = view.connections[0], view.capture.frames
    isn = connection.isn[0] or 0
    return [
        int(row)
        for row in connection.rows[connection.from_client]
        if frames.payload_length[row] and (int(frames.sequence[row]) - isn) % 2**32 == sequence
    ]


SCENARIO = Scenario(
    id="capture_vs_firewall",
    title=Text("Where the capture looks", "抓包点与防火墙"),
    group="observability",
    level=2,
    core=True,
    teaches=(
        Text(
            "On its way in, a packet passes the capture first and the firewall afterwards. What the "
            "firewall drops is in the capture, and nobody answers it",
            "入方向：报文先经过抓包点，再经过防火墙；被防火墙丢弃的报文抓得到，只是没有应答",
        ),
        Text(
            "On its way out it passes the firewall first: what is dropped there was never sent, "
            "and no capture shows it",
            "出方向：报文先经过防火墙；在这里被丢弃的报文根本没有发出，任何抓包都看不到",
        ),
        Text(
            "A drop on the way out is told to UDP at once: sendto() fails with EPERM. Of TCP the program "
            "hears nothing; its kernel tries again after about 200 ms, and the capture calls that the first",
            "出方向的丢弃会立即告知 UDP：sendto() 以 EPERM 失败。TCP 程序则毫不知情，"
            "内核约 200 毫秒后再试，而在抓包里那就是第一次发送",
        ),
        Text(
            "Two captures tell where a packet died. In neither: before the sender's card; in the first "
            "alone: on the way; in both and never read: inside the receiver",
            "两处抓包即可判断报文消失在哪里：两处都没有，在发送方网卡之前；"
            "只有第一处有，在途中；两处都有而程序没读到，在接收方内部",
        ),
    ),
    topology=Topology(
        (
            Host("client", capabilities=("NET_ADMIN",)),
            Host("server", capabilities=("NET_ADMIN",)),
        )
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp", *(f"{port}/udp" for port in PORTS))},
    rules=(drop(datagram(destination_port=BY_WIRE)),),
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0     ack 1
        C>S ACK      seq 1     ack 1
        C>S PSH,ACK  seq 1 +5  ack 1
        S>C ACK      seq 1     ack 6   optional
        C>S PSH,ACK  seq 6 +6  ack 1
        S>C ACK      seq 1     ack 6   optional
        C>S PSH,ACK  seq 6 +6  ack 1
        S>C ACK      seq 1     ack 12  optional
        ...
        """,
    ),
    promises=(
        returned(
            "told",
            Text(
                "sendto() fails with EPERM where the client's own firewall drops",
                "被客户端自己的防火墙丢弃时，sendto() 以 EPERM 失败",
            ),
            "client",
            "sendto",
            "EPERM",
            *("ok", "ok", "ok"),
        ),
        _datagram(
            "out",
            Text("dropped on its way out: in no capture", "出方向丢弃：哪里都抓不到"),
            BY_CLIENT,
            at_client=False,
            at_server=False,
            read=False,
        ),
        _datagram(
            "between",
            Text("dropped between: in the sender's alone", "途中丢弃：只有发送方抓得到"),
            BY_WIRE,
            at_client=True,
            at_server=False,
            read=False,
        ),
        _datagram(
            "in",
            Text(
                "dropped on its way in: in both, never read", "入方向丢弃：两处都抓到，程序读不到"
            ),
            BY_SERVER,
            at_client=True,
            at_server=True,
            read=False,
        ),
        _datagram(
            "arrives",
            Text("not dropped: in both, and read", "未被丢弃：两处都抓到，程序也读到"),
            ARRIVES,
            at_client=True,
            at_server=True,
            read=True,
        ),
        Promise(
            "invisible_copy",
            Text(
                "of the TCP segment dropped on its way out only the second try is seen",
                "出方向被丢弃的 TCP 报文段，只看得到第二次尝试",
            ),
            _first_copy_missing,
        ),
        Promise(
            "visible_copy",
            Text(
                "of the one dropped on its way in both copies are in both captures",
                "入方向被丢弃的 TCP 报文段，两个副本在两处都抓得到",
            ),
            _seen_and_not_answered,
        ),
    ),
    sources=("nft(8) Hooks", "packet(7)", "send(2) EPERM"),
)
