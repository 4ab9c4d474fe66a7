"""A server bound to 127.0.0.1: it runs, it listens, and nobody else can reach it."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import stage

PORT = 12345
FOREIGN = "192.0.2.1"  # TEST-NET-1 (RFC 5737): no host has it


def server(*, address: str = "127.0.0.1", visitors: int = 1) -> None:
    """Listen at an address, visit oneself, and stay until the client has tried too."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, PORT))
        except OSError as error:
            print(error, flush=True)
            return
        listener.listen()
        socket.create_connection(("127.0.0.1", PORT)).close()
        for _ in range(visitors):
            with listener.accept()[0] as connection:
                connection.recv(1024)  # b""
        stage.wait("tried")


def client(server: str) -> None:
    """Connect from another host."""
    try:
        socket.create_connection((server, PORT)).close()
    except ConnectionRefusedError as error:
        print(error, flush=True)
    stage.say("tried")


def _result(evidence: Evidence, host: str, function: str) -> str:
    """What a host's calls gave: 0, or an error."""
    calls = [call for call in evidence.calls[host] if call.function == function]
    return ", ".join(call.error or "0" for call in calls)


def _refused(evidence: Evidence) -> Seen:
    result = _result(evidence, "client", "connect")
    return Seen(result == "ECONNREFUSED", same(f"connect: {result}"))


def _connected(evidence: Evidence) -> Seen:
    result = _result(evidence, "client", "connect")
    return Seen(result == "0", same(f"connect: {result}"))


def _reaches_itself(evidence: Evidence) -> Seen:
    result = _result(evidence, "server", "connect")
    return Seen(result == "0", same(f"connect: {result}"))


def _not_available(evidence: Evidence) -> Seen:
    result = _result(evidence, "server", "bind")
    return Seen(result == "EADDRNOTAVAIL", same(f"bind: {result}"))


REFUSED = Promise(
    "the_other_host_is_refused",
    Text(
        "connect() from the other host fails with ECONNREFUSED",
        "从另一台主机 connect() 以 ECONNREFUSED 失败",
    ),
    _refused,
)
REACHES_ITSELF = Promise(
    "the_server_reaches_itself",
    Text(
        "connect() to 127.0.0.1 at the server itself succeeds",
        "在服务器本机 connect() 到 127.0.0.1 成功",
    ),
    _reaches_itself,
)

SCENARIO = Scenario(
    id="loopback_bind",
    title=Text("Bound to the wrong address", "绑定地址不对"),
    group="errors",
    core=True,
    teaches=(
        Text(
            "127.0.0.1 is reachable only from the same network namespace: "
            "to every other host the port is closed",
            "127.0.0.1 只能从同一网络命名空间访问：在其他主机看来，该端口是关闭的",
        ),
        Text(
            '"" (0.0.0.0) binds every local address; an address of another host gives EADDRNOTAVAIL',
            "空串（0.0.0.0）绑定本机的所有地址；绑定其他主机的地址则得到 EADDRNOTAVAIL",
        ),
        Text(
            "What goes over loopback never reaches the cable: no capture at the port shows it",
            "环回流量不会到达网线：在端口上抓包看不到它",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN      seq 0
        S>C RST,ACK         ack 1
        """,
    ),
    promises=(REFUSED, REACHES_ITSELF),
    variants={
        "any": {
            "options": {"server": {"address": "", "visitors": 2}},
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
            "promises": (
                Promise(
                    "the_other_host_gets_in",
                    Text("connect() from the other host succeeds", "从另一台主机 connect() 成功"),
                    _connected,
                ),
                REACHES_ITSELF,
            ),
        },
        "foreign_address": {
            "options": {"server": {"address": FOREIGN}},
            "listens": {},
            "promises": (
                Promise(
                    "binding_fails",
                    Text(
                        "bind() to an address that the host does not have: EADDRNOTAVAIL",
                        "bind() 到本机没有的地址：EADDRNOTAVAIL",
                    ),
                    _not_available,
                ),
                REFUSED,
            ),
        },
    },
    background=True,
    sources=("bind(2)", "ip(7)", "RFC 1122 section 3.2.1.3"),
)
