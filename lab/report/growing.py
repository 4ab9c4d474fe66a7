"""Read a pcapng file that is still being written, piece by piece."""

from __future__ import annotations

from lab.packets.frames import Capture
from lab.packets.pcapng import section_order
from lab.packets.pcapng_codes import ENHANCED_PACKET, INTERFACE_DESCRIPTION, SECTION_HEADER
from lab.packets.reader import read_capture


class Growing:
    """Takes the new octets of a file as they come and gives the new frames, each once."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.frames = 0  # given so far
        self._head = b""  # section header and interfaces: needed to read any later piece
        self._rest = b""  # the beginning of a block that is not yet whole

    def grow(self, octets: bytes) -> Capture | None:
        """Return the frames that became whole, as a capture of their own; None if there are none.

        The first of them has number ``self.frames + 1 - len(capture.frames)`` after the call.
        Raises NotACapture if the file is not pcapng.
        """
        octets = self._rest + octets
        end, has_frames = self._whole(octets)
        piece, self._rest = octets[:end], octets[end:]
        if not has_frames:
            return None
        headless = piece[:4] != SECTION_HEADER.to_bytes(4, "big")
        capture = read_capture(self._head + piece if headless else piece)
        self.frames += len(capture.frames)
        return capture

    def _whole(self, octets: bytes) -> tuple[int, bool]:
        """How many octets are whole blocks, and whether packets are among them; heads are kept."""
        order, at, packets = "little", 0, False
        if self._head:
            order = "little" if section_order(memoryview(self._head), 0) == "<" else "big"
        while at + 12 <= len(octets):
            kind = int.from_bytes(octets[at : at + 4], "little")
            if kind == SECTION_HEADER:
                order = "little" if section_order(memoryview(octets), at) == "<" else "big"
                self._head = b""
            kind = int.from_bytes(octets[at : at + 4], order)  # type: ignore[arg-type]
            length = int.from_bytes(octets[at + 4 : at + 8], order)  # type: ignore[arg-type]
            if length < 12 or at + length > len(octets):
                break
            if kind in (SECTION_HEADER, INTERFACE_DESCRIPTION):
                self._head += octets[at : at + length]
            packets |= kind == ENHANCED_PACKET
            at += length
        return at, packets
