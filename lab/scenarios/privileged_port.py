"""Ports below 1024: who may bind them is a setting of the network namespace."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome
from lab.text import Text, same
from lab.topology import Host, Topology

PORT = 1000
LIMIT = "net.ipv4.ip_unprivileged_port_start"


def server() -> None:
    """Try ports on both sides of the border, for TCP and for UDP, as an ordinary user."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for port in (PORT, 1023, 1024):
            with socket.socket(socket.AF_INET, kind) as sock:
                try:
                    sock.bind(("", port))
                except PermissionError as error:
                    print(f"port {port}: {error}", flush=True)


def lawful_server() -> None:
    """Serve one client on port 1000, as the same ordinary user."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)  # b"": the client has closed


def client(server: str) -> None:
    """Connect to port 1000 and close."""
    socket.create_connection((server, PORT)).close()


def _topology(limit: int) -> Topology:
    """Client and server, the server's namespace with this limit."""
    return Topology((Host("client"), Host("server", sysctls={LIMIT: str(limit)})))


def _limit_decides(limit: int) -> Promise:
    """Promise that bind() fails with EACCES below this limit, and only there."""

    def check(evidence: Evidence) -> Seen:
        binds = called(evidence, "server", "bind")
        seen = [(_port(call.arguments), outcome(call)) for call in binds]
        wanted = [(port, "EACCES" if port < limit else "ok") for port, _ in seen]
        told = ", ".join(f"{port} {result}" for port, result in seen)
        return Seen(bool(seen) and seen == wanted, same(told))

    words = Text(
        "with {name} = {limit}, bind() fails with EACCES on lower ports, and only there",
        "{name} = {limit} 时，只有低于它的端口，bind() 才以 EACCES 失败",
    )
    return Promise("limit_decides", words.fill(name=LIMIT, limit=limit), check)


def _port(arguments: tuple[object, ...]) -> int:
    address = arguments[0] if arguments else None
    return int(address[1]) if isinstance(address, list) else 0


def _both_outcomes(evidence: Evidence) -> Seen:
    """The setting is not simply off, and not simply in the way."""
    results = sorted({outcome(call) for call in called(evidence, "server", "bind")})
    return Seen(results == ["EACCES", "ok"], same(", ".join(results)))


def _no_frame(evidence: Evidence) -> Seen:
    frames = sum(len(view.connections) + len(view.exchanges) for view in evidence.views)
    words = Text("connections and exchanges: {n}", "{n} 个连接与交互")
    return Seen(not frames, words.fill(n=frames))


SCENARIO = Scenario(
    id="privileged_port",
    title=Text("Ports below 1024", "特权端口"),
    group="errors",
    teaches=(
        Text(
            "An ordinary user cannot bind a port below 1024, TCP or UDP: EACCES; it takes "
            "CAP_NET_BIND_SERVICE",
            "普通用户无法绑定 1024 以下的端口，TCP 和 UDP 都是如此：EACCES；"
            "绑定需要 CAP_NET_BIND_SERVICE",
        ),
        Text(
            "1024 is no law of nature: on Linux the border is net.ipv4.ip_unprivileged_port_start, "
            "one for each network namespace",
            "1024 并非铁律：在 Linux 上，界限是 net.ipv4.ip_unprivileged_port_start，"
            "每个网络命名空间各有一个",
        ),
        Text(
            "Many container runtimes set it to 0: what works in a container may fail outside",
            "许多容器运行时把它设为 0：容器里能用，到了外面却可能失败",
        ),
        Text(
            "The border guards bind() only: anybody may connect to such a port",
            "这道界限只管 bind()：连接到这样的端口，人人都可以",
        ),
    ),
    topology=_topology(1024),
    roles={"server": server},
    promises=(
        _limit_decides(1024),
        Promise(
            "both_outcomes",
            Text("some of these ports are forbidden, some are not", "有的端口不许绑定，有的可以"),
            _both_outcomes,
        ),
        Promise(
            "nothing_on_the_wire",
            Text("nothing of it is on the wire", "网络上什么都没有发生"),
            _no_frame,
        ),
    ),
    variants={
        "no_limit": {
            "title": Text("No privileged ports at all", "没有特权端口"),
            "topology": _topology(0),
            "roles": {"server": lawful_server, "client": client},
            "listens": {"server": (f"{PORT}/tcp",)},
            "scripts": (
                """
                C>S SYN
                S>C SYN,ACK
                C>S ACK
                C>S FIN,ACK  seq 1  ack 1
                S>C ACK      seq 1  ack 2  optional
                S>C FIN,ACK  seq 1  ack 2
                C>S ACK      seq 2  ack 2
                """,
            ),
            "promises": (_limit_decides(0),),
        }
    },
    sources=(
        "ip(7)",
        "capabilities(7) CAP_NET_BIND_SERVICE",
        "Linux: ip-sysctl ip_unprivileged_port_start",
        "RFC 6335 section 6",
    ),
)
