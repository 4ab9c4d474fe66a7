"""Connection refused: a SYN to a port nobody listens on is answered by a RST."""

from __future__ import annotations

import socket
import subprocess

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import frames, is_unasked, returned
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.wire.rules import delay, packets
from services import stage

PORT, OTHER = 12345, 12346
FIREWALL = """
table inet firewall {{
    chain input {{
        type filter hook input priority 0;
        {rules}
    }}
}}
"""
RESET = {PORT: "tcp reset"}
ICMP = {PORT: "icmp port-unreachable", OTHER: "icmp admin-prohibited"}
UNREACHABLE, PORT_CODE, PROHIBITED_CODE = 3, 3, 13  # ICMP type and codes (RFC 1812)

SYN_ONLY = """
    C>S SYN  seq 0
    C>S SYN  seq 0  optional
"""


def server() -> None:
    """Be there, and listen on nothing."""


def client(server: str) -> None:
    """Try to connect; the refusal is the result."""
    try:
        socket.create_connection((server, PORT)).close()
    except ConnectionRefusedError as error:
        print(error, flush=True)


def late_server() -> None:
    """Listen only once the client has been refused."""
    stage.wait("refused")
    with socket.create_server(("", PORT)) as listener:
        stage.say("listening")
        connection, _ = listener.accept()
        connection.close()


def early_client(server: str) -> None:
    """Come too early, and then again."""
    try:
        socket.create_connection((server, PORT)).close()
    except ConnectionRefusedError as error:
        print(error, flush=True)
    stage.say("refused")
    stage.wait("listening")
    with socket.create_connection((server, PORT)) as connection:
        connection.recv(1024)  # b""


def firewalled_server(*, answers: dict[str, str]) -> None:
    """Listen on each port, behind a packet filter that rejects what comes for it."""
    rules = "\n".join(f"tcp dport {port} reject with {how}" for port, how in answers.items())
    filter_packets(FIREWALL.format(rules=rules))
    listeners = [socket.create_server(("", int(port))) for port in answers]
    stage.say("listening")
    stage.wait("rejected")
    for listener in listeners:
        listener.close()


def filter_packets(rules: str) -> None:
    """Give rules to this host's packet filter, nft(8)."""
    try:
        subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"").decode().strip() or error
        stage.unavailable("a packet filter that rejects (nft)", reason)


def rejected_client(server: str, *, ports: list[int]) -> None:
    """Try each port; what comes back instead is the result."""
    stage.wait("listening")
    for port in ports:
        try:
            socket.create_connection((server, port)).close()
        except OSError as error:
            print(error, flush=True)
    stage.say("rejected")


def _icmp_codes(evidence: Evidence) -> Seen:
    seen = [one for one in frames(evidence.view) if not is_unasked(one)]
    errors = [(one.number, one.icmp) for one in seen if one.icmp]
    codes = [(icmp.type, icmp.code) for _, icmp in errors]
    words = same(", ".join(f"ICMP {kind}/{code}" for kind, code in codes))
    kept = [*dict.fromkeys(codes)] == [(UNREACHABLE, PORT_CODE), (UNREACHABLE, PROHIBITED_CODE)]
    return Seen(kept, words, tuple(number for number, _ in errors))


def _firewalled(answers: dict[int, str]) -> dict[str, object]:
    """The fields of a variant in which the server's own packet filter answers."""
    return {
        "roles": {"server": firewalled_server, "client": rejected_client},
        "options": {"server": {"answers": answers}, "client": {"ports": list(answers)}},
        "topology": Topology((Host("client"), Host("server", capabilities=("NET_ADMIN",)))),
    }


REFUSED = returned(
    "connect_is_refused",
    Text("connect() fails with ECONNREFUSED", "connect() 以 ECONNREFUSED 失败"),
    "client",
    "connect",
    "ECONNREFUSED",
)


SCENARIO = Scenario(
    id="rst_refused",
    title=Text("Connection refused", "连接被拒绝"),
    group="handshake",
    core=True,
    teaches=(
        Text(
            "No listener: RST,ACK with sequence number 0 and ack = ISN + 1; connect fails at once",
            "没有监听者：RST,ACK 的序号为 0，ack = ISN + 1；connect 立即失败",
        ),
        Text("A refusal is an answer; a timeout is silence", "拒绝是一种应答；超时则是沉默"),
        Text(
            "A client that starts before its server is refused at once; nothing waits for the "
            "server, so the client has to try again",
            "客户端先于服务器启动，会立即被拒绝；没有谁会替它等待服务器，只能自己重试",
        ),
        Text(
            "A packet filter can refuse too, though a program listens: with a RST that looks like the "
            "kernel's own, or with ICMP. The latter connect() reports as ECONNREFUSED (port unreachable) "
            "or EHOSTUNREACH (administratively prohibited)",
            "即使有程序在监听，包过滤也可以拒绝：发出与内核自己的毫无二致的 RST，或以 ICMP 应答，"
            "connect() 随之报告 ECONNREFUSED（端口不可达）或 EHOSTUNREACH（管理性禁止）",
        ),
    ),
    roles={"server": server, "client": client},
    scripts=(
        """
        C>S SYN      seq 0
        S>C RST,ACK         ack 1  after 0..200 ms
        """,
    ),
    promises=(REFUSED,),
    variants={
        "before_server": {
            "roles": {"server": late_server, "client": early_client},
            "scripts": (
                """
                C>S SYN      seq 0
                S>C RST,ACK         ack 1
                """,
                """
                C>S SYN      seq 0
                S>C SYN,ACK  seq 0  ack 1
                C>S ACK      seq 1  ack 1
                S>C FIN,ACK  seq 1  ack 1
                C>S ACK      seq 1  ack 2  optional
                C>S FIN,ACK  seq 1  ack 2
                S>C ACK      seq 2  ack 2
                """,
            ),
            "promises": (
                returned(
                    "refused_then_open",
                    Text(
                        "connect() is refused before the server listens, and succeeds after",
                        "服务器监听之前 connect() 被拒绝，之后成功",
                    ),
                    "client",
                    "connect",
                    "ECONNREFUSED",
                    "ok",
                ),
            ),
        },
        "firewall_reset": _firewalled(RESET),
        "firewall_icmp": {
            **_firewalled(ICMP),
            # An ICMP error that finds the socket locked, as connect() does, is only noted, and the
            # next SYN draws another: here it comes when connect() sleeps.
            "rules": (delay(packets(), ms=20),),
            "scripts": (SYN_ONLY, SYN_ONLY),
            "promises": (
                Promise(
                    "icmp_answers",
                    Text(
                        "ICMP answers: port unreachable, then administratively prohibited",
                        "ICMP 应答：先是端口不可达，后是管理性禁止",
                    ),
                    _icmp_codes,
                ),
                returned(
                    "two_errors",
                    Text(
                        "connect() fails with ECONNREFUSED, then with EHOSTUNREACH",
                        "connect() 先以 ECONNREFUSED、后以 EHOSTUNREACH 失败",
                    ),
                    "client",
                    "connect",
                    "ECONNREFUSED",
                    "EHOSTUNREACH",
                ),
            ),
        },
    },
    background=True,
    sources=("RFC 9293 section 3.5.2", "RFC 1122 section 4.2.3.9", "connect(2)", "nft(8) reject"),
)
