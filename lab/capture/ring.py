"""A receive ring shared with the kernel: frames taken block by block, none lost silently.

TPACKET_V3 on an AF_PACKET socket (packet(7); Documentation/networking/packet_mmap.rst). The kernel
fills blocks of frames in memory that both sides see and hands over a block when it is full or when
``retire_ms`` have passed since its first frame. It needs CAP_NET_RAW and nothing else.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from lab.errors import CaptureForbidden

# linux/if_packet.h, asm-generic/socket.h: the standard library names only some of them.
SOL_PACKET: Final = 263
PACKET_ADD_MEMBERSHIP: Final = 1
PACKET_RX_RING: Final = 5
PACKET_STATISTICS: Final = 6
PACKET_VERSION: Final = 10
PACKET_MR_PROMISC: Final = 1
PACKET_OUTGOING: Final = 4
TPACKET_V3: Final = 2
SO_ATTACH_FILTER: Final = 26
ETH_P_ALL: Final = 0x0003
ETH_P_8021Q: Final = 0x8100

TP_STATUS_KERNEL: Final = 0
TP_STATUS_USER: Final = 1 << 0
TP_STATUS_VLAN_VALID: Final = 1 << 4
TP_STATUS_VLAN_TPID_VALID: Final = 1 << 6

# struct tpacket_req3: block size and count, frame size and count, retire time (ms), private, features
RING_REQUEST: Final = struct.Struct("=7I")
# struct tpacket_block_desc: …, status, number of packets, offset of the first one
BLOCK: Final = struct.Struct("=8xIII")
# struct tpacket3_hdr: next, seconds, nanoseconds, snaplen, length, status, mac, …, VLAN TCI and TPID;
# then struct sockaddr_ll, of which only the packet type counts here
FRAME: Final = struct.Struct("=6IH6xIH20xB")
# struct packet_mreq: interface, type, address length, address
MEMBERSHIP: Final = struct.Struct("=iHH8x")
# struct tpacket_stats_v3: packets (kept or dropped), drops, times the ring froze
STATISTICS: Final = struct.Struct("=3I")
# struct sock_fprog and struct sock_filter: BPF_RET | BPF_K, 0 keeps nothing of any frame
FILTER_PROGRAM: Final = struct.Struct("@HP")
KEEP_NOTHING: Final = struct.pack("=HBBI", 0x06, 0, 0, 0)

FRAME_SIZE: Final = 2048  # TPACKET_V3 packs frames tightly: this only has to divide the block
SECOND: Final = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)


class RawFrame(NamedTuple):
    """One frame as the kernel saw it."""

    time: int  # ns since 1970-01-01 UTC, taken by the kernel
    length: int  # octets on the wire
    packet_type: int  # sll_pkttype of packet(7): PACKET_HOST, PACKET_OUTGOING, …
    octets: memoryview | bytes  # what was kept of it, from the link-layer header on


class Statistics(NamedTuple):
    """The kernel's own counters since the ring was opened."""

    seen: int  # frames, kept or dropped
    dropped: int  # frames for which the ring had no room


class Ring:
    """A ring on one interface; nothing is received before `start`.

    One that is made without an interface is plugged in later: the kernel takes 10 ms to make a ring,
    most of which it waits (synchronize_net), and no time to plug it in. Its socket may be ``opened``
    already.

    It takes up 32 MiB. A block is handed over after ``retire_ms`` however little is in it, so their
    number also says how long thin traffic may go unread: 1.28 s.

    Raises CaptureForbidden without CAP_NET_RAW, and OSError (ENODEV or ENXIO) if the interface is
    not in this network namespace.
    """

    def __init__(
        self,
        interface: int | None = None,
        *,
        block_size: int = 1 << 18,
        blocks: int = 128,
        retire_ms: int = 10,
        opened: socket.socket | None = None,
    ) -> None:
        self._socket = opened or open_socket()
        try:
            if interface is not None:
                self.plug(interface)
            self._ask(block_size, blocks, retire_ms)
            self._memory = mmap.mmap(self._socket.fileno(), block_size * blocks)
        except BaseException:
            self._socket.close()
            raise
        self._octets = memoryview(self._memory)
        self._status = self._octets.cast("I")  # indexed by 4 octets
        self._block_size = block_size
        self._at = 0  # offset of the block the kernel hands over next
        self._seen = self._dropped = 0
        self.delivered = 0  # frames handed to the caller

    def plug(self, interface: int) -> None:
        """Tie it to an interface; raises OSError (ENODEV, ENXIO) if that is not here."""
        # Protocol 0: it still receives nothing.
        self._socket.bind((socket.if_indextoname(interface), 0))
        bound = self._socket.getsockname()
        self.name, self.hardware_type, self._interface = str(bound[0]), int(bound[3]), interface

    def _ask(self, block_size: int, blocks: int, retire_ms: int) -> None:
        frames = block_size // FRAME_SIZE * blocks
        request = RING_REQUEST.pack(block_size, blocks, FRAME_SIZE, frames, retire_ms, 0, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        # By way of ctypes: other threads go on while the kernel waits.
        if _libc.setsockopt(self.fileno(), SOL_PACKET, PACKET_RX_RING, request, len(request)):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def attach_filter(self, program: bytes | bytearray) -> None:
        """Attach a BPF program given as the octets of a ``struct sock_fprog``."""
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    def start(self) -> None:
        """Receive from now on: every frame of this interface, both directions, and of no other."""
        member = MEMBERSHIP.pack(self._interface, PACKET_MR_PROMISC, 0)
        with suppress(OSError):  # a port of a bridge is promiscuous anyway
            self._socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, member)
        self._socket.bind((self.name, ETH_P_ALL))

    def stop(self) -> None:
        """Receive no more; what the ring holds stays readable until `settled`."""
        instruction = ctypes.create_string_buffer(KEEP_NOTHING)
        self.attach_filter(FILTER_PROGRAM.pack(1, ctypes.addressof(instruction)))

    def fileno(self) -> int:
        """The socket: it polls readable when the kernel has handed over a block."""
        return self._socket.fileno()

    def blocks(self) -> Iterator[list[RawFrame]]:
        """Take what the kernel has handed over, a list a block; ends when there is no more.

        The octets of its frames stay valid until the next block is asked for.
        """
        while self._status[(self._at + 8) >> 2] & TP_STATUS_USER:
            frames = self._take()
            self.delivered += len(frames)
            try:
                yield frames
            finally:
                self._status[(self._at + 8) >> 2] = TP_STATUS_KERNEL
                self._at = (self._at + self._block_size) % len(self._memory)

    def _take(self) -> list[RawFrame]:
        memory, unpack, frame = self._octets, FRAME.unpack_from, tuple.__new__
        _, count, first = BLOCK.unpack_from(memory, self._at)
        at = self._at + first
        frames = []
        for _ in range(count):
            step, secs, nanos, kept, length, status, mac, tci, tpid, kind = unpack(memory, at)
            start = at + mac
            octets: memoryview | bytes = memory[start : start + kept]
            if status & TP_STATUS_VLAN_VALID:
                octets, length = _tagged(octets, status, tci, tpid), length + 4
            frames.append(frame(RawFrame, (secs * SECOND + nanos, length, kind, octets)))
            at += step
        return frames

    def statistics(self) -> Statistics:
        """Frames seen and dropped since the ring was opened."""
        counters = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size)
        seen, dropped, _ = STATISTICS.unpack(counters)  # reading sets the kernel's to zero
        self._seen += seen
        self._dropped += dropped
        return Statistics(self._seen, self._dropped)

    @property
    def settled(self) -> bool:
        """Whether every frame that the kernel kept so far has been handed to the caller."""
        seen, dropped = self.statistics()
        return self.delivered >= seen - dropped

    @property
    def gone(self) -> bool:
        """Whether the interface has left this network namespace; what was received stays."""
        # Reading the pending ENETDOWN clears it: poll would report it for ever.
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return not self._socket.getsockname()[0]

    def close(self) -> None:
        """Give ring and socket back; a second call does nothing."""
        self._status.release()
        self._octets.release()
        with suppress(BufferError):  # frames that the caller kept hold the memory until they go
            self._memory.close()
        self._socket.close()


def open_socket() -> socket.socket:
    """A capture socket that receives nothing yet; raises CaptureForbidden."""
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise CaptureForbidden from error


def _tagged(octets: memoryview | bytes, status: int, tci: int, tpid: int) -> bytes:
    """Put back the 802.1Q tag that the kernel keeps beside the frame."""
    if not status & TP_STATUS_VLAN_TPID_VALID:
        tpid = ETH_P_8021Q
    return b"".join((octets[:12], struct.pack("!HH", tpid, tci), octets[12:]))
