"""Simultaneous close: each end sends its FIN before it has seen the other's."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.tcp.model import Teardown
from lab.text import Text, same
from lab.wire.rules import delay, packets
from services import stage

PORT = 12345
ONE_WAY_MS = 100  # both FINs are on their way for so long: time enough for them to cross


def server() -> None:
    """Accept, and close at once."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        stage.say("accepted")
        connection.close()


def client(server: str) -> None:
    """Connect, and close when the server does."""
    with socket.create_connection((server, PORT)):
        stage.wait("accepted")


def _crossed(evidence: Evidence) -> Seen:
    """At either port the host's own FIN comes before the other's."""
    found = [view.connections[0].teardown for view in evidence.views]
    frames = evidence.view.connections[0].teardown_frames
    return Seen(set(found) == {Teardown.SIMULTANEOUS}, same(", ".join(found)), frames)


SCENARIO = Scenario(
    id="close_simultaneous",
    title=Text("Simultaneous close", "同时关闭"),
    group="open_close",
    level=3,
    teaches=(
        Text(
            "Both ends send FIN before either has seen the other's: from FIN-WAIT-1 "
            "each goes to CLOSING, not to FIN-WAIT-2",
            "双方都在看到对方的 FIN 之前发出了自己的 FIN：都由 FIN-WAIT-1 进入 CLOSING，"
            "而不是 FIN-WAIT-2",
        ),
        Text(
            "Both ends have closed actively, so both end in TIME-WAIT",
            "双方都是主动关闭，因此都以 TIME-WAIT 结束",
        ),
        Text(
            "It takes FINs that cross on the way: the longer the path, the likelier",
            "前提是两个 FIN 在途中交错：路径时延越长，越容易发生",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    rules=(delay(packets(), ms=ONE_WAY_MS),),
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S FIN,ACK  seq 1  ack 1
        S>C FIN,ACK  seq 1  ack 1
        C>S ACK      seq 2  ack 2
        S>C ACK      seq 2  ack 2
        """,
    ),
    promises=(
        Promise(
            "the_fins_cross",
            Text(
                "at both ports the host's own FIN comes before the other's",
                "在两端的端口上，本机的 FIN 都先于对方的 FIN",
            ),
            _crossed,
        ),
    ),
    variants={"with_delay": {}},  # what is played without a variant: no loss is needed
    sources=("RFC 9293 section 3.6 figure 13", "RFC 9293 section 3.3.2"),
)
