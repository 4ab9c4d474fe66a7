"""Segments larger than any link carries, with checksums that are wrong: a capture before the card."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import Evidence
from lab.findings import checksum
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text
from lab.topology import Host, Topology
from services import offload, stage

PORT = 12345
SIZE = 14480  # octets: ten full segments with timestamps, as much as the initial window lets go


def server() -> None:
    """Read everything."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(SIZE, socket.MSG_WAITALL)


def client(server: str, *, offloaded: bool = True) -> None:
    """Send all at once, leaving segmentation and checksums to the network card (ethtool(8))."""
    with ExitStack() as settings:
        if offloaded:
            try:
                settings.enter_context(offload.turned_on("eth0"))
            except OSError as error:
                stage.unavailable("segmentation offload", error)
        with socket.create_connection((server, PORT)) as connection:
            connection.sendall(bytes(SIZE))
            connection.recv(1024)  # b""


def _data(evidence: Evidence) -> NDArray[np.int64]:
    """Rows of the client's segments with data, at its own port."""
    connection = evidence.view.connections[0]
    rows = connection.rows[connection.from_client]
    return rows[evidence.view.capture.frames.payload_length[rows] > 0]


def _sizes(evidence: Evidence) -> tuple[list[int], int, Text]:
    """The lengths of those segments, the MSS that the server announced, and both in words."""
    lengths = evidence.view.capture.frames.payload_length[_data(evidence)].tolist()
    mss = evidence.view.connections[0].mss[1] or 0
    words = Text("{lengths} octets; MSS {mss}", "{lengths} 字节；MSS {mss}")
    return lengths, mss, words.fill(lengths=" + ".join(map(str, lengths)), mss=mss)


def _too_long(evidence: Evidence) -> Seen:
    lengths, mss, words = _sizes(evidence)
    return Seen(sum(lengths) == SIZE and max(lengths) > mss > 0, words, _numbers(evidence))


def _as_on_a_wire(evidence: Evidence) -> Seen:
    lengths, mss, words = _sizes(evidence)
    return Seen(sum(lengths) == SIZE and max(lengths) <= mss, words, _numbers(evidence))


def _numbers(evidence: Evidence) -> tuple[int, ...]:
    return tuple((_data(evidence) + 1).tolist())


def _unfinished(evidence: Evidence) -> Seen:
    """All that the client sent has the sum of the pseudo-header and no more; nothing else is wrong."""
    connection = evidence.view.connections[0]
    sent = tuple((connection.rows[connection.from_client] + 1).tolist())
    found = {one.id: one for one in checksum.find(evidence)}
    wrong = found["offload"].frames
    words = Text("{n} of {sent} frames sent", "发出 {sent} 帧，其中 {n} 帧").fill(
        n=len(wrong), sent=len(sent)
    )
    return Seen(set(found) == {"offload"} and wrong == sent, words, wrong)


def _arrived(evidence: Evidence) -> Seen:
    octets = sum(call.octets or 0 for call in called(evidence, "server", "recv"))
    return Seen(octets == SIZE, Text("{n} octets read", "读到 {n} 字节").fill(n=octets))


SCRIPT = """
    C>S SYN      seq 0
    S>C SYN,ACK  seq 0  ack 1
    C>S ACK      seq 1  ack 1
    ...
    C>S FIN,ACK
    S>C ACK             ack 14482
    """
ARRIVED = Promise(
    "arrived",
    Text("the server reads every octet all the same", "服务器照样读到了每一个字节"),
    _arrived,
)

SCENARIO = Scenario(
    id="offload_capture",
    title=Text("Impossible packets", "看似不可能的报文"),
    group="observability",
    level=2,
    teaches=(
        Text(
            "With segmentation offload the kernel hands the card one segment of many times the MSS. A "
            "capture is taken before the card cuts it, and shows what no link could carry",
            "启用分段卸载后，内核把数倍于 MSS 的大段一次交给网卡；"
            "抓包发生在网卡切分之前，因此会看到任何链路都无法承载的报文",
        ),
        Text(
            "With checksum offload the kernel writes the sum of the pseudo-header and leaves the rest to "
            "the card. In the sender's own capture every segment it sent looks damaged",
            "启用校验和卸载后，内核只写入伪首部的和，其余交给网卡完成："
            "在发送方自己的抓包里，发出的每个报文段都像是损坏的",
        ),
        Text(
            "Between virtual hosts there is no card, so nothing is ever cut or completed. The other end "
            "receives the very same giant, and its kernel trusts it",
            "虚拟主机之间没有真正的网卡，既不会切分，也不会补全：对端收到的就是这个大段，内核也予以信任",
        ),
        Text(
            "So look at lengths and checksums only with offload off, or on the wire itself. The lab turns"
            " it off at every host (ethtool -K eth0 tx off tso off gso off gro off)",
            "因此，要看长度和校验和，须先关闭卸载，或在线路上抓包；"
            "实验室在每台主机上都已关闭（ethtool -K eth0 tx off tso off gso off gro off）",
        ),
    ),
    topology=Topology((Host("client", capabilities=("NET_ADMIN",)), Host("server"))),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(SCRIPT,),
    promises=(
        Promise(
            "too_long",
            Text("some segments are longer than the MSS", "有的报文段比 MSS 还长"),
            _too_long,
        ),
        Promise(
            "checksums",
            Text(
                "what the client sent has unfinished checksums, all else right ones",
                "客户端发出的校验和都没有算完，其余的都正确",
            ),
            _unfinished,
        ),
        ARRIVED,
    ),
    variants={
        "off": {
            "options": {"client": {"offloaded": False}},
            "promises": (
                Promise(
                    "true_segments",
                    Text("no segment is longer than the MSS", "没有比 MSS 更长的报文段"),
                    _as_on_a_wire,
                ),
                ARRIVED,
            ),
        }
    },
    sources=("ethtool(8) -K", "Linux segmentation-offloads", "RFC 9293 section 3.7.1"),
)
