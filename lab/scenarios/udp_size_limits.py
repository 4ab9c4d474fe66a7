"""How large a datagram can be: what UDP can say, what one packet holds, and what lies between."""

from __future__ import annotations

import socket
from itertools import pairwise

import numpy as np

from lab.evidence.run import Evidence
from lab.packets.frames import Protocol
from lab.packets.headers import Ip
from lab.packets.rows import frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, returned
from lab.text import Text, same
from lab.topology import DEFAULT_MTU
from services import stage

PORT = 12345
LARGEST = 65_535 - 20 - 8  # octets: what an IPv4 packet holds behind its header and UDP's
FITS = 1_500 - 20 - 8  # octets: one packet on this link
ARRIVE = (LARGEST, FITS, 4_000)
IP_MTU_DISCOVER, PMTUDISC_WANT, PMTUDISC_DO = 10, 1, 2  # linux/in.h; Python has no names for them


def server() -> None:
    """Read three datagrams, whatever their size."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))
        for number in range(3):
            receiver.recvfrom(LARGEST)
            stage.say(f"read_{number}")


def client(server: str) -> None:
    """Send the largest datagram, the largest packet, something between, and one more of each."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((server, PORT))
        send(sender, LARGEST)  # fragments
        stage.wait("read_0")
        send(sender, LARGEST + 1)  # EMSGSIZE: the length field has 16 bits
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)  # never fragment
        send(sender, FITS)
        stage.wait("read_1")
        send(sender, FITS + 1)  # EMSGSIZE: larger than the MTU
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_WANT)  # the default
        send(sender, 4_000)  # fragments, and nobody is told
        stage.wait("read_2")


def send(sender: socket.socket, size: int) -> None:
    """Send one datagram, or print why not."""
    try:
        sender.send(bytes(size))
    except OSError as error:
        print(f"{size} octets: {error.strerror}", flush=True)


def _packets(evidence: Evidence) -> list[tuple[int, Ip]]:
    """Every IP packet of the datagrams, with its frame's number."""
    capture = evidence.view.capture
    wanted = np.isin(capture.frames.protocol, (Protocol.UDP, Protocol.FRAGMENT))
    told = [(int(row) + 1, frame(capture, int(row)).ip) for row in np.flatnonzero(wanted)]
    return [(number, ip) for number, ip in told if ip]


def _fragments(evidence: Evidence) -> Seen:
    """Packets by datagram: as many as its octets and the UDP header need, none above the MTU."""
    packets = _packets(evidence)
    starts = [at for at, (_, ip) in enumerate(packets) if not ip.fragment_offset]
    counts = [after - at for at, after in pairwise([*starts, len(packets)])]
    piece = DEFAULT_MTU - 20  # octets behind the IP header; a multiple of 8
    needed = [-(-(8 + size) // piece) for size in ARRIVE]
    largest = max((ip.length for _, ip in packets), default=0)
    words = Text("{n} packets, the largest of {l} octets", "分别为 {n} 个 IP 包，最大 {l} 字节")
    told = words.fill(n=", ".join(map(str, counts)), l=largest)
    return Seen(counts == needed and largest <= DEFAULT_MTU, told, tuple(n for n, _ in packets))


def _only_first_has_ports(evidence: Evidence) -> Seen:
    """The UDP header is data to IP: it travels in the fragment at offset 0, and nowhere else."""
    frames = evidence.view.capture.frames
    packets = _packets(evidence)
    first = [number for number, ip in packets if not ip.fragment_offset]
    has_ports = [n for n, _ in packets if frames.protocol[n - 1] == Protocol.UDP]
    words = Text("{n} of {all} packets", "{all} 个包中的 {n} 个")
    told = words.fill(n=len(has_ports), all=len(packets))
    return Seen(first == has_ports and len(first) == len(ARRIVE), told, tuple(first))


def _may_not_be_split(evidence: Evidence) -> Seen:
    """DF forbids routers to fragment: it is set on a packet that was sent whole, on no fragment."""
    packets = _packets(evidence)
    whole = [n for n, ip in packets if not ip.more_fragments and not ip.fragment_offset]
    held = [n for n, ip in packets if ip.dont_fragment]
    words = Text(
        "DF on {n} of {all} packets, {w} of which was sent whole",
        "{all} 个包中 {n} 个带有 DF，完整发送的有 {w} 个",
    )
    told = words.fill(n=len(held), all=len(packets), w=len(whole))
    return Seen(held == whole != [], told, tuple(held))


def _arrive_whole(evidence: Evidence) -> Seen:
    """Each recvfrom() gives one datagram, put together again by the server's kernel."""
    sizes = [call.octets for call in called(evidence, "server", "recvfrom")]
    return Seen(sizes == list(ARRIVE), same(f"recvfrom: {', '.join(map(str, sizes))}"))


SCENARIO = Scenario(
    id="udp_size_limits",
    title=Text("Largest datagram", "数据报大小上限"),
    group="udp",
    level=2,
    teaches=(
        Text(
            "Over IPv4 a datagram carries at most 65507 octets: 65535, the most a packet's length can "
            "say, less 20 of IP and 8 of UDP. One more is EMSGSIZE",
            "IPv4 上一个数据报至多携带 65507 字节：IP 包总长度字段的上限 65535，减去 IP 首部 20 字节"
            "和 UDP 首部 8 字节；再多 1 字节就是 EMSGSIZE",
        ),
        Text(
            "What exceeds the MTU is cut into IP fragments by the sender's kernel: send() says "
            "nothing, and 65507 octets become 45 packets",
            "超过 MTU 的数据报由发送方内核切成 IP 分片：send() 毫无表示，65507 字节变成 45 个包",
        ),
        Text(
            "A socket that forbids fragments (IP_PMTUDISC_DO) gets EMSGSIZE above 1472 octets "
            "instead: the MTU of 1500 less the same 28",
            "禁止分片的套接字（IP_PMTUDISC_DO）超过 1472 字节便得到 EMSGSIZE：MTU 1500 同样减去 28",
        ),
        Text(
            "EMSGSIZE comes from the own kernel, before anything is sent",
            "EMSGSIZE 由本机内核给出，此时什么都还没有发出",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/udp",)},
    promises=(
        returned(
            "limits",
            Text(
                "65507 octets can be sent and 65508 not; unfragmented, 1472 and not 1473",
                "65507 字节可以发送，65508 不行；不许分片时，1472 可以，1473 不行",
            ),
            "client",
            "send",
            *("ok", "EMSGSIZE", "ok", "EMSGSIZE", "ok"),
        ),
        Promise(
            "fragments",
            Text(
                "as many packets as the octets need, none above the MTU, none for what failed",
                "包数恰好容纳这些字节，没有超过 MTU 的，失败的发送不产生任何包",
            ),
            _fragments,
        ),
        Promise(
            "only_first_has_ports",
            Text(
                "of each datagram's packets only the first has the UDP header",
                "每个数据报的各个包中，只有第一个带 UDP 首部",
            ),
            _only_first_has_ports,
        ),
        Promise(
            "df",
            Text(
                "a packet sent whole carries DF; a fragment does not",
                "完整发送的包带有 DF，分片不带",
            ),
            _may_not_be_split,
        ),
        Promise(
            "arrive_whole",
            Text(
                "every recvfrom() returns a whole datagram",
                "每次 recvfrom() 都返回完整的数据报",
            ),
            _arrive_whole,
        ),
    ),
    sources=("RFC 768", "RFC 791 section 3.1", "ip(7) IP_MTU_DISCOVER", "udp(7)"),
)
