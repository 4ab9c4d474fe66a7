"""A port scan: three SYNs made by hand, and what each answer gives away."""

from __future__ import annotations

import socket
from contextlib import suppress

from lab.evidence.run import Evidence
from lab.packets.frames import Flags
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, returned
from lab.text import Text, same
from lab.topology import Host, Topology
from lab.units import short_span
from lab.wire.rules import SYN, drop, segment
from services import crafted, stage

OPEN, CLOSED, FILTERED = PORTS = 12345, 12346, 12347
SOURCE = 40000  # the port that the scanner claims to have; no socket of its kernel has it
SILENCE = 1.0  # seconds without an answer after which a port counts as filtered


def server() -> None:
    """Listen on one port; once the scan is over, see whom accept() has."""
    with socket.create_server(("", OPEN)) as listener:
        stage.wait("scanned")
        listener.setblocking(False)
        with suppress(BlockingIOError):  # nobody: that handshake was never completed
            listener.accept()


def client(client: str, server: str) -> None:
    """Send one SYN to each port, and name the port by what comes back."""
    with crafted.RawTcp() as raw:
        for port in PORTS:
            raw.send(crafted.Segment(client, server, SOURCE, port, crafted.SYN, sequence=port))
            print(port, verdict(raw.receive(SILENCE)), flush=True)
    stage.say("scanned")


def verdict(answer: crafted.Segment | None) -> str:
    """What a scanner concludes from the answer to its SYN."""
    if answer is None:
        return "filtered"
    return "closed" if answer.flags & crafted.RST else "open"


def _one_call_a_syn(evidence: Evidence) -> Seen:
    """Of the segments that left the client's port, one more than its program sent."""
    frames = evidence.view.capture.frames
    sent = [int(row) for one in evidence.view.connections for row in one.rows[one.from_client]]
    resets = [row for row in sent if frames.flags[row] == Flags.RST]
    calls = len(called(evidence, "client", "sendto"))
    if len(resets) != 1:
        return Seen(False, same(f"RST: {len(resets)}"))
    gap = int(frames.time[resets[0]] - frames.time[evidence.view.connections[0].rows[1]])
    words = Text(
        "{calls} call[|s], {sent} segment[|s]; the RST left {gap} after the SYN,ACK",
        "调用 {calls} 次，报文段 {sent} 个；RST 在 SYN,ACK 之后 {gap} 发出",
    )
    told = words.fill(calls=calls, sent=len(sent), gap=short_span(gap))
    return Seen(calls == len(PORTS) == len(sent) - 1, told, (resets[0] + 1,))


SCENARIO = Scenario(
    id="syn_scan",
    title=Text("Port scan: open, closed, filtered", "端口扫描：开放、关闭、被过滤"),
    group="security",
    level=2,
    teaches=(
        Text(
            "There are three answers to a SYN. SYN,ACK means open, RST means closed, silence means that "
            "something on the way drops it (or a firewall sends an ICMP error)",
            "SYN 会得到三种回应：SYN,ACK 表示开放，RST 表示关闭，"
            "没有回应则表示途中被丢弃（防火墙也可能回一个 ICMP 差错）",
        ),
        Text(
            "The scanner's own kernel knows nothing of that SYN. It answers the SYN,ACK with a RST, as "
            "for any segment of a connection that it does not have",
            "扫描者自己的内核并不知道发出过这个 SYN：它像对待任何不属于已知连接的报文段那样，"
            "以 RST 回应 SYN,ACK",
        ),
        Text(
            "The server's program notices nothing: accept() never sees a handshake that was not completed",
            "服务器程序毫无察觉：未完成的握手，accept() 永远看不到",
        ),
        Text(
            "A capture shows crafted segments like any others, whoever made them",
            "抓包看到的手工报文段与其他报文段没有两样，无论出自谁手",
        ),
    ),
    topology=Topology((Host("client", capabilities=("NET_RAW",)), Host("server"))),
    roles={"server": server, "client": client},
    listens={"server": (f"{OPEN}/tcp",)},
    rules=(drop(segment(SYN, destination_port=FILTERED)),),
    scripts=(
        """
        C>S SYN      seq 0
        S>C SYN,ACK  seq 0  ack 1
        C>S RST      seq 1
        """,
        """
        C>S SYN      seq 0
        S>C RST,ACK         ack 1
        """,
        """
        C>S SYN      seq 0  lost
        """,
    ),
    promises=(
        Promise(
            "kernel_resets",
            Text(
                "the program sends three SYNs; the RST is its kernel's own",
                "程序只发出三个 SYN；RST 是内核自行发出的",
            ),
            _one_call_a_syn,
        ),
        returned(
            "answers",
            Text(
                "two answers, then silence",
                "两次收到回应，一次没有回应",
            ),
            "client",
            "recv",
            "ok",
            "ok",
            "TimeoutError",
        ),
        returned(
            "unnoticed",
            Text("the server's accept() has nobody", "服务器的 accept() 没有等到任何连接"),
            "server",
            "accept",
            "EAGAIN",
        ),
    ),
    sources=("RFC 9293 section 3.5.2", "RFC 9293 section 3.10.7", "raw(7)"),
)
