"""One datagram for everybody, or for whoever joined: broadcast and multicast, and why TCP has none."""

from __future__ import annotations

import fcntl
import socket
import struct
from ipaddress import IPv4Address, IPv4Interface

import numpy as np

from lab.evidence.run import Evidence
from lab.packets.frames import Protocol
from lab.packets.rows import Frame, frame
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called, outcome, returned
from lab.text import Text, same
from services import stage, waits

PORT = 12345
EVERYBODY = "255.255.255.255"
GROUP = "239.1.2.3"  # of the range for use inside one organisation (RFC 2365)
MEMBERS, NOBODY, SUBNET, LIMITED = b"for members", b"for nobody", b"for the subnet", b"for all"
SIOCGIFNETMASK = 0x891B  # netdevice(7)
IGMP, V3_REPORT = 2, 0x22  # the IP protocol, and the message that tells what a host joined


def server() -> None:
    """Take what is for everybody; then join the group, and take what is for its members."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("", PORT))  # bound to one of its own addresses, it would get none of this
        receiver.recvfrom(1024)
        receiver.recvfrom(1024)
        stage.wait("nobody")
        before = waits.counter("IpExt.OutMcastPkts")
        join = socket.inet_aton(GROUP) + socket.inet_aton("0.0.0.0")
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, join)
        # the IGMP report leaves with a tick of the kernel
        waits.until(lambda: waits.counter("IpExt.OutMcastPkts") > before)
        stage.say("joined")
        receiver.recvfrom(1024)


def client(server: str) -> None:
    """Send to the subnet, to everybody, and to a group before and after somebody joined it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        broadcast = broadcast_address(sender, server)
        send(sender, SUBNET, broadcast)  # EACCES
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        send(sender, SUBNET, broadcast)
        send(sender, LIMITED, EVERYBODY)
        send(sender, NOBODY, GROUP)
        stage.say("nobody")
        stage.wait("joined")
        send(sender, MEMBERS, GROUP)
    for address in (broadcast, GROUP):
        with socket.socket() as connection:
            connection.connect_ex((address, PORT))  # ENETUNREACH: a connection has two ends


def send(sender: socket.socket, data: bytes, address: str) -> None:
    """Send a datagram, or print why not."""
    try:
        sender.sendto(data, (address, PORT))
    except OSError as error:
        print(f"{address}: {error.strerror}", flush=True)


def broadcast_address(handle: socket.socket, address: str) -> str:
    """The broadcast address of the subnet that this host and the address are in."""
    asked = fcntl.ioctl(handle, SIOCGIFNETMASK, struct.pack("256s", b"eth0"))
    mask = socket.inet_ntoa(asked[20:24])  # struct ifreq: a name, then a struct sockaddr_in
    return str(IPv4Interface(f"{address}/{mask}").network.broadcast_address)


def _datagrams(evidence: Evidence) -> list[Frame]:
    """The datagrams at the server's port, in order of time."""
    view = evidence.views[1]
    rows = sorted(int(row) for one in view.exchanges for row in one.rows)
    return [frame(view.capture, row) for row in rows]


def _link_addresses(evidence: Evidence) -> Seen:
    """Where each datagram goes on Ethernet follows from where it goes in IP; nobody is asked."""
    sent = [(one.ip.destination, one.link_destination) for one in _datagrams(evidence) if one.ip]
    kept = len(sent) == 4 and all(link == _ethernet(address) for address, link in sent)
    told = "; ".join(f"{address} → {link}" for address, link in dict(sent).items())
    numbers = tuple(int(row) + 1 for one in evidence.view.exchanges for row in one.rows)
    return Seen(kept, Text(told, told.replace("; ", "；")), numbers)


def _ethernet(address: str) -> str:
    """All ones for a broadcast; of a group, 23 bits behind 01:00:5e (RFC 1112 section 6.4)."""
    number = int(IPv4Address(address))
    if number >> 28 != 0b1110:
        return "ff:ff:ff:ff:ff:ff"
    return (0x01005E_000000 | number & 0x7FFFFF).to_bytes(6, "big").hex(":")


def _who_reads_what(evidence: Evidence) -> Seen:
    """All four frames reach the server's host; the one before the join stops at its kernel."""
    arrived = [one.payload for one in _datagrams(evidence)]
    read = [bytes.fromhex(call.data) for call in called(evidence, "server", "recvfrom")]
    kept = arrived == [SUBNET, LIMITED, NOBODY, MEMBERS] and read == [SUBNET, LIMITED, MEMBERS]
    words = Text("{a} datagram[|s] arrived; read: {r}", "到达 {a} 个数据报；读到：{r}")
    return Seen(kept, words.fill(a=len(arrived), r=", ".join(one.decode() for one in read)))


def _joining_is_told(evidence: Evidence) -> Seen:
    """An IGMP report that names the group lies between the datagram for nobody and the last."""
    capture = evidence.view.capture
    others = np.flatnonzero(capture.frames.protocol == Protocol.OTHER)
    found = [frame(capture, int(row)) for row in others]
    reports = [one for one in found if _reports(one)]
    rows = sorted(int(row) for one in evidence.view.exchanges for row in one.rows)
    between = [one for one in reports if rows[2] + 1 < one.number < rows[3] + 1]
    words = Text("IGMPv3 report to {to}", "发往 {to} 的 IGMPv3 报告")
    to = ", ".join(one.ip.destination for one in between if one.ip)
    return Seen(bool(between), words.fill(to=to or "-"), tuple(one.number for one in between))


def _reports(one: Frame) -> bool:
    """Whether a frame is an IGMPv3 report of the group (RFC 3376 section 4.2)."""
    if one.ip is None or one.ip.protocol != IGMP:
        return False
    message = one.octets[14 + one.ip.size :]
    return message[0] == V3_REPORT and IPv4Address(GROUP).packed in message


def _tcp_cannot(evidence: Evidence) -> Seen:
    """connect() fails at once, and no segment leaves."""
    outcomes = [outcome(call) for call in called(evidence, "client", "connect_ex")]
    kept = outcomes == ["ENETUNREACH"] * 2 and not evidence.view.connections
    return Seen(kept, same(f"connect_ex: {', '.join(outcomes)}"))


SCENARIO = Scenario(
    id="udp_broadcast_multicast",
    title=Text("Broadcast and multicast", "广播与组播"),
    group="udp",
    level=2,
    teaches=(
        Text(
            "A broadcast must be asked for: without SO_BROADCAST sendto() fails with EACCES",
            "广播必须明确申请：没有设置 SO_BROADCAST，sendto() 以 EACCES 失败",
        ),
        Text(
            "The destination is known without ARP: ff:ff:ff:ff:ff:ff for everybody; 01:00:5e and the "
            "group's low 23 bits for its members, so 32 groups share each address",
            "目的 MAC 地址无需 ARP 询问：广播用 ff:ff:ff:ff:ff:ff；组播用 01:00:5e 加组地址的低 23 位，"
            "因此每 32 个组共用一个 MAC 地址",
        ),
        Text(
            "Joining a group makes the kernel report it by IGMP, for routers and switches. Datagrams for "
            "a group that no program joined end in the kernel",
            "加入组播组时，内核会发出 IGMP 报告，供路由器和交换机使用；"
            "没有程序加入的组，发给它的数据报到内核为止",
        ),
        Text(
            "TCP has neither: a connection lies between two ends, and connect() says ENETUNREACH",
            "TCP 两者都不支持：连接只存在于两端之间，connect() 返回 ENETUNREACH",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/udp",)},
    promises=(
        returned(
            "asked_for",
            Text(
                "sendto() to the subnet fails with EACCES, and succeeds with SO_BROADCAST",
                "向子网广播以 EACCES 失败，设置 SO_BROADCAST 后成功",
            ),
            *("client", "sendto", "EACCES", "ok", "ok", "ok", "ok"),
        ),
        Promise(
            "link_addresses",
            Text(
                "the Ethernet address follows from the IP address",
                "以太网目的地址由 IP 目的地址直接得出",
            ),
            _link_addresses,
        ),
        Promise(
            "who_reads_what",
            Text(
                "the program reads both broadcasts, and of the group what comes after it joined",
                "程序读到两个广播，以及加入之后发给该组的数据报",
            ),
            _who_reads_what,
        ),
        Promise(
            "joining_is_told",
            Text("joining sends an IGMP report of the group", "加入时发出该组的 IGMP 报告"),
            _joining_is_told,
        ),
        Promise(
            "tcp_cannot",
            Text(
                "TCP connects to neither, and sends nothing", "TCP 无法连接二者，也不发送任何报文段"
            ),
            _tcp_cannot,
        ),
    ),
    background=True,
    sources=(
        "ip(7) IP_ADD_MEMBERSHIP",
        "socket(7) SO_BROADCAST",
        "RFC 1112 section 6.4",
        "RFC 3376 section 4.2",
    ),
)
