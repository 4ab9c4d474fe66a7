"""One port of the switch, recorded into one pcapng file as its host's own view."""

from __future__ import annotations

import os
import select
import struct
import time
from contextlib import suppress
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab import __version__
from lab.capture.disk import writing
from lab.capture.ring import PACKET_OUTGOING, RawFrame, Ring
from lab.errors import RecordingError
from lab.evidence.manifest import TapRecord
from lab.packets.kinds import Direction
from lab.packets.pcapng_codes import ENHANCED_PACKET
from lab.packets.pcapng_writer import (
    interface_description,
    interface_statistics,
    packet_blocks,
    section_header,
)

if TYPE_CHECKING:  # scapy: 70 ms
    from lab.capture.scapy_socket import RingSocket

LINK_TYPES: Final = {1: 1, 772: 1, 0xFFFE: 101}
"""ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_NONE as LINKTYPE_ETHERNET and LINKTYPE_RAW."""

INBOUND, OUTBOUND = int(Direction.INBOUND), int(Direction.OUTBOUND)

_TURN = 16  # blocks
_SETTLING = 0.5  # s: at most this long for the ring to hand over what it holds


class Tap:
    """Records from its making on. Directions are the host's: what its port sends is inbound to it.

    Raises CaptureForbidden, DiskFull, and OSError (ENODEV, ENXIO) if the port is not in this
    network namespace. All blocks are written whole: a killed recorder leaves a file that opens.

    ``ring`` is one made ahead, not yet plugged in.
    """

    def __init__(self, host: str, interface: int, path: Path, ring: Ring | None = None) -> None:
        self.host, self.path = host, path
        self.frames = 0  # in the file
        self.failure: RecordingError | None = None  # of the disk: nothing more is written
        self.socket: RingSocket | None = None  # the ring for scapy, once that is loaded
        self.ring = ring or Ring()
        try:
            self.ring.plug(interface)
        except BaseException:
            self.ring.close()
            raise
        self.ring.start()
        self._ended = 0
        self._started = time.time_ns()  # what came in since the ring opened is kept too
        try:
            self._file, self._size = _create(path), 0
        except BaseException:
            self.ring.close()
            raise
        try:
            self._append(self._preamble())
        except BaseException:
            path.unlink()  # without its preamble it would not open
            self.close()
            raise

    def _preamble(self) -> bytes:
        application, system = f"lab {__version__}", f"Linux {os.uname().release}"
        return section_header(application=application, system=system) + interface_description(
            self.port,
            description=f"{self.host}'s port on the switch; inbound = towards the {self.host}",
            link_type=LINK_TYPES.get(self.ring.hardware_type, 1),
        )

    @property
    def port(self) -> str:
        """The interface's name."""
        return self.ring.name

    @property
    def gone(self) -> bool:
        """Whether the port has left: its host is dead, or was cut off."""
        return self.ring.gone

    def fileno(self) -> int:
        """To poll: readable when `drain` would find something."""
        return self.ring.fileno()

    def drain(self) -> int:
        """Write what the kernel has handed over; returns the number of frames. Raises DiskFull.

        It takes a few blocks at most, so that one busy port does not starve another.
        """
        before = self.frames
        for frames in islice(self.ring.blocks(), _TURN):
            if self.failure is None:
                self._append(packet_blocks(map(_as_the_host_sees, frames)))
                self.frames += len(frames)
        return self.frames - before

    def stop(self) -> None:
        """Record no more."""
        if not self._ended:
            self._ended = time.time_ns()
            self.ring.stop()

    def finish(self) -> TapRecord:
        """Record no more, write the last frames and the kernel's counters, and close."""
        try:
            return self.end()
        finally:
            self.close()

    def end(self) -> TapRecord:
        """The same, but without closing, which takes the kernel 20 ms.

        A full disk does not raise here: `failure` has it, and what was written whole stays.
        """
        self.stop()
        with suppress(RecordingError):
            self._settle()
            if self.failure is None:
                self._append(self._counters())
        seen, dropped = self.ring.statistics()
        return TapRecord(
            host=self.host,
            file=self.path.name,
            interface=self.port,
            started=self._started,
            ended=self._ended,
            frames=self.frames,
            seen=seen,
            dropped=dropped,
        )

    def close(self) -> None:
        """Let ring and file go as they are; a second call does nothing."""
        self.ring.close()
        self._file.close()

    def _counters(self) -> bytes:
        seen, dropped = self.ring.statistics()
        return interface_statistics(0, time.time_ns(), received=seen, dropped=dropped)

    def _settle(self) -> None:
        poller = select.poll()
        poller.register(self, select.POLLIN)
        end = time.monotonic() + _SETTLING
        while not self.ring.settled and time.monotonic() < end:
            poller.poll(5)
            self.drain()

    def _append(self, blocks: bytes) -> None:
        """Write blocks; if the disk fails, keep those that are whole and raise RecordingError."""
        done = 0
        try:
            with writing(self.path.name):
                while done < len(blocks):
                    done += self._file.write(blocks[done:])
        except RecordingError as error:
            self.failure = error
            packets, kept = _whole(blocks, done)
            self.frames += packets
            with suppress(OSError):
                self._file.truncate(self._size + kept)
            raise
        self._size += len(blocks)


def _as_the_host_sees(frame: RawFrame) -> tuple[int, int, int, memoryview | bytes]:
    when, length, packet_type, octets = frame
    return when, length, INBOUND if packet_type == PACKET_OUTGOING else OUTBOUND, octets


def _create(path: Path) -> FileIO:
    with writing(path.name):
        return FileIO(path, "x")


def _whole(blocks: bytes, written: int) -> tuple[int, int]:
    """Of the octets written: how many packet blocks are whole, and where the last block ends."""
    packets = at = 0
    while at + 8 <= written:
        kind, length = struct.unpack_from("<II", blocks, at)
        if at + length > written:
            break
        packets, at = packets + (kind == ENHANCED_PACKET), at + length
    return packets, at
