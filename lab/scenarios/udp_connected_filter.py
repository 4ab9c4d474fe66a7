"""Connected UDP: connect() sends nothing, but lets in one peer only."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from lab.udp.model import Exchange

PORT = 12345
FORGED, GENUINE = b"forged", b"genuine"


def server() -> None:
    """Answer from a stranger's port first, and only then from the one that was asked."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        receiver.bind(("", PORT))
        _, client = receiver.recvfrom(1024)
        stranger.sendto(FORGED, client)
        receiver.sendto(GENUINE, client)


def connected_client(server: str) -> None:
    """Ask a peer that is fixed, and take what comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect((server, PORT))  # no packet
        asker.send(b"who are you?")
        asker.recv(1024)


def open_client(server: str) -> None:
    """Ask without connect(): whoever knows the port may answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.sendto(b"who are you?", (server, PORT))
        asker.recvfrom(1024)
        asker.recvfrom(1024)


def _received(evidence: Evidence) -> list[bytes]:
    calls = (call for call in evidence.calls["client"] if call.function.startswith("recv"))
    return [bytes.fromhex(call.data) for call in calls]


def _stranger(evidence: Evidence) -> Exchange | None:
    """The exchange that the stranger began: it does not go to or from the port asked."""
    found = (
        one for one in evidence.view.exchanges if PORT not in (one.client.port, one.server.port)
    )
    return next(found, None)


def _turned_away(evidence: Evidence) -> Seen:
    """The forged answer reaches the client's host, whose kernel answers it with ICMP 3/3."""
    one = _stranger(evidence)
    if one is None:
        return Seen(False, Text("no stranger was seen", "没有看到陌生人"))
    messages = [frame(evidence.view.capture, answer - 1).icmp for answer, _ in one.errors]
    kinds = [(message.type, message.code) for message in messages if message]
    kept = kinds == [(3, 3)] and _received(evidence) == [GENUINE]
    numbers = tuple(number for pair in one.errors for number in pair[::-1])
    told = ", ".join(f"ICMP {kind}/{code}" for kind, code in kinds)
    return Seen(kept, _told(evidence, told), numbers)


def _let_in(evidence: Evidence) -> Seen:
    """Both answers are read, whichever comes first, and no ICMP message is sent."""
    one = _stranger(evidence)
    kept = one is not None and not one.errors
    kept = kept and sorted(_received(evidence)) == [FORGED, GENUINE]
    return Seen(kept, _told(evidence, ""))


def _told(evidence: Evidence, icmp: str) -> Text:
    texts = [repr(one.decode("utf-8", "replace")) for one in _received(evidence)]
    return Text("received: {what}", "收到：{what}").fill(
        what=same(", ".join([*texts, icmp] if icmp else texts))
    )


SCENARIO = Scenario(
    id="udp_connected_filter",
    title=Text("Connected UDP", "已连接的 UDP"),
    group="udp",
    level=2,
    teaches=(
        Text(
            "Over UDP connect() sends nothing: it fixes the peer's address and port",
            "在 UDP 中，connect() 不发送任何数据：只是固定对端的地址与端口",
        ),
        Text(
            "To anybody else the port then looks closed: ICMP port unreachable",
            "在其他人看来，这个端口从此如同关闭：ICMP 端口不可达",
        ),
        Text(
            "An unconnected socket takes anybody's datagram: look at the sender that recvfrom() gives",
            "未连接的套接字来者不拒：应检查 recvfrom() 给出的发送方",
        ),
    ),
    roles={"server": server, "client": connected_client},
    listens={"server": (f"{PORT}/udp",)},
    promises=(
        Promise(
            "stranger_is_turned_away",
            Text(
                "connected: the forged answer is turned away with ICMP, the genuine one is read",
                "已连接：伪造的应答被 ICMP 拒之门外，读到的是真正的应答",
            ),
            _turned_away,
        ),
    ),
    variants={
        "unconnected": {
            "title": Text("Unconnected UDP takes anybody's answer", "未连接的 UDP 来者不拒"),
            "roles": {"server": server, "client": open_client},
            "promises": (
                Promise(
                    "stranger_is_let_in",
                    Text(
                        "unconnected: the forged answer is read like the genuine one",
                        "未连接：伪造的应答与真正的应答一样被读到",
                    ),
                    _let_in,
                ),
            ),
        },
    },
    sources=("udp(7)", "connect(2)", "RFC 8085 section 5"),
)
