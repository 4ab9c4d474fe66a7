"""The ports that the wire joins: taken from the bridge, and given back.

The wire is made so that it cannot reach anything but the lab. It takes only veth ports of one bridge
of its own network namespace, it sends nothing but what one of them received, and it sends that only
out of another of them.
"""

from __future__ import annotations

import errno
import mmap
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, NamedTuple

from lab.errors import CaptureForbidden, WireForbidden
from lab.text import Text
from lab.wire.netlink import Link, read_link, set_isolated

# linux/if_packet.h, linux/if_ether.h: the standard library names only some of them
SOL_PACKET: Final = 263
PACKET_RX_RING: Final = 5
PACKET_STATISTICS: Final = 6
PACKET_VERSION: Final = 10
PACKET_IGNORE_OUTGOING: Final = 23
PACKET_OUTGOING: Final = 4
TPACKET_V2: Final = 1
ETH_P_ALL: Final = 0x0003
TP_STATUS_KERNEL: Final = 0
TP_STATUS_USER: Final = 1 << 0
TP_STATUS_CSUMNOTREADY: Final = 1 << 3
TP_STATUS_VLAN_VALID: Final = 1 << 4

# struct tpacket_req: block size and count, frame size and count
_RING: Final = struct.Struct("=4I")
# struct tpacket2_hdr: status, length, snaplen, mac, net, seconds, nanoseconds, VLAN TCI and TPID;
# then struct sockaddr_ll, of which only the packet type counts here
_FRAME: Final = struct.Struct("=IIIHHIIHH14xB")
_STATISTICS: Final = struct.Struct("=II")

_MEMORY: Final = 16 << 20  # octets a port: about 8000 frames may wait
_BLOCK: Final = 1 << 17
_ROOM: Final = 128  # octets of a slot before the frame, and of its link header
_SECOND: Final = 1_000_000_000


class Arrival(NamedTuple):
    """A frame that a host sent."""

    time: int  # ns since 1970-01-01 UTC: the kernel's own stamp
    host: str
    octets: bytes
    unfinished: bool  # its checksum, or cutting it into segments, was left to hardware


class Port:
    """The port of one host on the switch, from the inside: what the host sends is received here.

    Frames wait in a ring in memory that the kernel shares (TPACKET_V2: one at a time, at once): a
    receive buffer would be too small where net.core.rmem_max is.

    Raises CaptureForbidden without NET_RAW, OSError if the port has gone.
    """

    def __init__(self, host: str, link: Link) -> None:
        self.host, self.link = host, link
        self._slot = 1 << (link.mtu + _ROOM).bit_length()  # a power of two divides the block
        self._at = 0  # offset of the slot that is filled next
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError as error:
            raise CaptureForbidden from error
        try:
            self._prepare()
        except BaseException:
            self._socket.close()
            raise

    def _prepare(self) -> None:
        # PACKET_QDISC_BYPASS would be a little faster, but what is sent so no capture sees.
        set_option = self._socket.setsockopt
        with suppress(OSError):  # before Linux 4.20 `receive` leaves them out
            set_option(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        request = _RING.pack(_BLOCK, _MEMORY // _BLOCK, self._slot, _MEMORY // self._slot)
        set_option(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        set_option(SOL_PACKET, PACKET_RX_RING, request)
        self._memory = mmap.mmap(self._socket.fileno(), _MEMORY)
        self._octets = memoryview(self._memory)
        self._status = self._octets.cast("I")  # indexed by 4 octets
        self._socket.bind((self.link.name, ETH_P_ALL))

    def fileno(self) -> int:
        """To poll."""
        return self._socket.fileno()

    def receive(self, most: int) -> Iterator[Arrival]:
        """The frames that wait, so many at most."""
        if not self._status[self._at >> 2] & TP_STATUS_USER:
            # Readable without a frame: the port went down. Asking for the error clears it.
            self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        for _ in range(most):
            at = self._at
            if not self._status[at >> 2] & TP_STATUS_USER:
                return
            arrival = self._take(at)
            self._status[at >> 2] = TP_STATUS_KERNEL
            self._at = (at + self._slot) % len(self._memory)
            if arrival:
                yield arrival

    def _take(self, at: int) -> Arrival | None:
        header = _FRAME.unpack_from(self._octets, at)
        status, length, kept, mac, _, seconds, nanoseconds, tci, tpid, kind = header
        if kind == PACKET_OUTGOING:
            return None
        octets = bytes(self._octets[at + mac : at + mac + kept])
        if status & TP_STATUS_VLAN_VALID:  # the kernel keeps the tag beside the frame
            octets = octets[:12] + struct.pack("!HH", tpid or 0x8100, tci) + octets[12:]
        unfinished = bool(status & TP_STATUS_CSUMNOTREADY) or kept < length
        return Arrival(seconds * _SECOND + nanoseconds, self.host, octets, unfinished)

    def send(self, octets: bytes) -> None:
        """Send a frame to the host. Raises OSError: it is too large for the port, or that is down."""
        self._socket.send(octets)

    @property
    def missed(self) -> int:
        """Frames that the kernel dropped since this was last asked, because too many waited."""
        counters = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        missed: int = _STATISTICS.unpack(counters)[1]
        return missed

    def close(self) -> None:
        """Receive no more; give the ring back."""
        self._status.release()
        self._octets.release()
        self._memory.close()
        self._socket.close()


@contextmanager
def taken(ports: Mapping[str, int]) -> Iterator[tuple[tuple[Port, ...], bytes]]:
    """Take these ports (interface indices by host) from their bridge for as long as it lasts.

    Gives the open ports and the bridge's own MAC address. Raises WireForbidden for ports that are
    not the lab's, or without NET_ADMIN; CaptureForbidden without NET_RAW.
    """
    links = checked_links(ports)
    bridge = read_link(links[0].master)
    with ExitStack() as stack:
        for link in links:
            stack.enter_context(_isolated(link))
        opened = []
        for host, link in zip(ports, links, strict=True):
            opened.append(Port(host, link))
            stack.callback(opened[-1].close)
        yield tuple(opened), bridge.mac


def checked_links(ports: Mapping[str, int]) -> tuple[Link, ...]:
    """Look at ports before they are touched; raises WireForbidden, saying what is wrong."""
    if len(set(ports.values())) < 2 or len(set(ports.values())) < len(ports):
        raise _forbidden("it joins two ports or more, each once", "它连接两个以上互不相同的端口")
    links = tuple(_checked_link(host, index) for host, index in ports.items())
    if len({link.master for link in links}) > 1:
        raise _forbidden("the ports belong to different bridges", "这些端口属于不同的网桥")
    return links


def _checked_link(host: str, index: int) -> Link:
    try:
        link = read_link(index)
    except OSError as error:
        raise _forbidden(
            "interface {index} of the {host} is not in this network namespace",
            "{host} 的接口 {index} 不在本网络命名空间中",
            host=host,
            index=index,
        ) from error
    if link.kind != "veth":
        raise _forbidden(
            "{name} is no veth: what lies behind it may not be the lab",
            "{name} 不是 veth，其后可能不属于实验室",
            name=link.name,
        )
    if link.slave_kind != "bridge":
        raise _forbidden("{name} is no port of a bridge", "{name} 不是网桥的端口", name=link.name)
    if link.isolated is None:
        raise _forbidden(
            "this kernel cannot isolate ports of a bridge (it takes Linux 4.18)",
            "此内核不能隔离网桥端口（需要 Linux 4.18）",
        )
    return link


@contextmanager
def _isolated(link: Link) -> Iterator[None]:
    """Keep the bridge from forwarding between isolated ports; as it was before, afterwards."""
    if link.isolated:
        yield
        return
    try:
        set_isolated(link.index, True)
    except OSError as error:
        words = "{name} cannot be isolated: {detail}", "无法隔离 {name}：{detail}"
        raise _forbidden(*words, name=link.name, detail=os.strerror(error.errno or 0)) from error
    try:
        yield
    finally:
        try:
            set_isolated(link.index, False)
        except OSError as error:
            if error.errno != errno.ENODEV:  # its host is gone, and it with it
                raise


def _forbidden(en: str, zh: str, **values: object) -> WireForbidden:
    return WireForbidden(detail=Text(en, zh).fill(**values))
