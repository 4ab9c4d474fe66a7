"""The same ports at both ends, and still two connections: it takes both endpoints to name one."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import OK, called, returned
from lab.text import Text
from lab.topology import Host, Topology
from services import stage

PORT, NEXT_PORT = 5500, 5501
LOCAL_PORT = 40123
SECOND = "10.77.1.100"  # a further address of the client's interface


def server() -> None:
    """Listen on two ports; take three connections, then read what each of them says."""
    with socket.create_server(("", PORT)) as first, socket.create_server(("", NEXT_PORT)) as next_:
        connections = [listener.accept()[0] for listener in (first, first, next_)]
        stage.say("all_open")
        for connection in connections:
            connection.recv(1024)
        for connection in connections:
            connection.recv(1024)  # b""
            connection.close()


def client(server: str, client: str) -> None:
    """Connect three times from one port; each connection says what its four-tuple is."""
    connections = [
        connect((client, LOCAL_PORT), (server, PORT)),
        connect((SECOND, LOCAL_PORT), (server, PORT)),
        connect((client, LOCAL_PORT), (server, NEXT_PORT)),
    ]
    try:
        connect((client, LOCAL_PORT), (server, PORT))  # the first one's four-tuple again
    except OSError as error:
        print(error, flush=True)
    stage.wait("all_open")
    for connection in connections:
        connection.sendall(f"{connection.getsockname()} {connection.getpeername()}".encode())
        connection.close()


def connect(local: tuple[str, int], peer: tuple[str, int]) -> socket.socket:
    """Open a connection from a port that others may use too."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        connection.bind(local)
    except OSError as error:
        stage.unavailable(f"{local[0]} as an address of the client", error)
    connection.connect(peer)
    return connection


def _same_ports(evidence: Evidence) -> Seen:
    """The first two connections differ in the client's address only, the third in a port only."""
    connections = evidence.view.connections
    one, other, third = connections[0], connections[1], connections[2]
    kept = (
        one.server == other.server
        and one.client.port == other.client.port
        and one.client.address != other.client.address
        and one.client == third.client
        and one.server.address == third.server.address
        and one.server.port != third.server.port
    )
    tuples = [f"{each.client} → {each.server}" for each in (one, other, third)]
    frames = tuple(each.handshake_frames[0] for each in (one, other, third))
    return Seen(kept, Text("; ".join(tuples), "；".join(tuples)), frames)


def _open_together(evidence: Evidence) -> Seen:
    """The last handshake is complete before the first FIN of all."""
    connections = evidence.view.connections
    opened = max(one.handshake_frames[-1] for one in connections)
    closing = min(one.teardown_frames[0] for one in connections)
    words = Text(
        "open at #{opened}, first FIN #{closing}", "#{opened} 时全部建立，首个 FIN 为 #{closing}"
    )
    return Seen(opened < closing, words.fill(opened=opened, closing=closing), (opened, closing))


def _sorted_out(evidence: Evidence) -> Seen:
    """What each accepted socket reads names the ends that this very socket has."""
    reads = [call for call in called(evidence, "server", "recv") if call.octets]
    kept = [_names(call.peer, call.local) == bytes.fromhex(call.data).decode() for call in reads]
    locals_ = dict.fromkeys(str(call.local) for call in reads)
    words = Text("{n} sockets, each read its own", "{n} 个套接字，各自读到属于自己的数据")
    return Seen(kept == [True] * 3 and len(locals_) == 2, words.fill(n=sum(kept)))


def _names(*ends: object) -> str:
    """The ends as the client's program writes them."""
    return " ".join(str(tuple(end)) for end in ends if isinstance(end, list))


SCENARIO = Scenario(
    id="four_tuple",
    title=Text("Same ports, two connections", "端口相同的两条连接"),
    group="open_close",
    level=2,
    teaches=(
        Text(
            "A connection is named by both endpoints: two addresses and two ports. If one of the four "
            "differs, it is another connection",
            "标识一条连接的是两端的端点，即两个地址加两个端口；四者之一不同，就是另一条连接",
        ),
        Text(
            "accept() takes no new port: all accepted sockets share the listener's, and the kernel "
            "sorts segments by the whole four-tuple",
            "accept() 不会占用新端口：所有已接受的套接字都使用监听端口，内核按完整的四元组分发报文段",
        ),
        Text(
            "So 65 535 is no limit of a server's port: it limits the connections from one address "
            "to one server port",
            "因此 65 535 并不是服务器一个端口的连接上限：它限制的是同一客户端地址到同一服务器端口的连接数",
        ),
        Text(
            "The same four-tuple twice is refused by the own kernel, without a packet: EADDRNOTAVAIL",
            "同一个四元组不能用两次：本机内核直接拒绝，不发任何报文：EADDRNOTAVAIL",
        ),
        Text(
            "An address belongs to an interface, not to a device: this client has two on one interface",
            "地址属于接口，而不属于设备：这台客户端在同一个接口上就有两个地址",
        ),
    ),
    topology=Topology((Host("client", addresses=(f"{SECOND}/24",)), Host("server"))),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp", f"{NEXT_PORT}/tcp")},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1
        ...
        """,
    )
    * 3,
    promises=(
        Promise(
            "one_of_four_differs",
            Text(
                "two connections differ in the client's address only, two in the server's port only",
                "有两条连接只有客户端地址不同，另有两条只有服务器端口不同",
            ),
            _same_ports,
        ),
        Promise(
            "all_at_the_same_time",
            Text("all three are open at the same time", "三条连接同时处于建立状态"),
            _open_together,
        ),
        Promise(
            "nothing_gets_mixed_up",
            Text(
                "each accepted socket reads what was sent on its own four-tuple",
                "每个已接受的套接字只读到自己四元组上的数据",
            ),
            _sorted_out,
        ),
        returned(
            "not_the_same_four",
            Text(
                "connect() with the first four-tuple again fails with EADDRNOTAVAIL",
                "以第一个四元组再次 connect() 以 EADDRNOTAVAIL 失败",
            ),
            "client",
            "connect",
            OK,
            OK,
            OK,
            "EADDRNOTAVAIL",
        ),
    ),
    sources=("RFC 9293 section 3.4", "RFC 9293 section 4 (connection, socket)", "connect(2)"),
)
