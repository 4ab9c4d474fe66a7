"""The columns while they are being filled, and how headers are fetched for many frames at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from lab.packets.distinct import distinct
from lab.packets.frames import ABSENT, NO_ROWS, Frames
from lab.packets.records import Records
from lab.packets.scratch import zeros

Rows = NDArray[np.int64]
"""Indices of frames."""

DEEPEST = 16
"""How many headers of one kind may follow each other: tags, tunnels, extension headers."""


OFFSETS = ("cut", "end", "network", "transport", "payload")
"""The columns of a draft that are offsets in the file."""


class Pieces(NamedTuple):
    """Fragments of IP packets: where their data begins and which part of a packet it is."""

    rows: Rows
    at: NDArray[np.int64]
    number: NDArray[np.uint8]  # protocol number
    offset: NDArray[np.int64]  # octets
    more: NDArray[np.bool_]
    identification: NDArray[np.unsignedinteger]
    sound: NDArray[np.bool_]  # the packet claims no more than its frame has

    def where(self, mask: NDArray[np.bool_]) -> Pieces:
        """Keep those that the mask names."""
        return Pieces(
            self.rows[mask],
            self.at[mask],
            self.number[mask],
            self.offset[mask],
            self.more[mask],
            self.identification[mask],
            self.sound[mask],
        )


class Draft(Struct):
    """The columns of `Frames` being filled, layer by layer; not shared with anyone."""

    octets: NDArray[np.uint8]
    cut: NDArray[np.int64]  # offset where the captured octets of the frame end
    end: NDArray[np.int64]  # offset where the innermost packet decoded ends on the wire
    direction: NDArray[np.uint8]
    protocol: NDArray[np.uint8]
    ip_version: NDArray[np.uint8]
    network: NDArray[np.int64]
    transport: NDArray[np.int64]
    payload: NDArray[np.int64]
    payload_length: NDArray[np.int32]
    source: NDArray[np.uint64]
    destination: NDArray[np.uint64]
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]
    sequence: NDArray[np.uint32]
    acknowledgment: NDArray[np.uint32]
    flags: NDArray[np.uint16]
    window: NDArray[np.uint16]
    malformed: NDArray[np.bool_]
    pieces: list[Pieces] = field(default_factory=list)  # not yet looked at
    unmeasured: list[Rows] = field(default_factory=list)  # see `Frames`

    def fits(self, rows: Rows, at: NDArray[np.int64], size: NDArray[np.int64] | int) -> Any:
        """Mask of the rows whose header of ``size`` octets at ``at`` was captured.

        A header that the packet itself has no room for makes the frame malformed; one that
        only the snap length cut off does not.
        """
        end = at + size
        room = end <= self.end[rows]
        if not room.all():
            self.malformed[rows[~room]] = True
        return room & (end <= self.cut[rows])

    def fitting(
        self, rows: Rows, at: NDArray[np.int64], size: NDArray[np.int64] | int
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Keep the rows whose header `fits`."""
        fits = self.fits(rows, at, size)
        return (rows, at) if fits.all() else (rows[fits], at[fits])

    def forget(self, rows: Rows) -> None:
        """Take back what was read above the network layer."""
        if not len(rows):
            return
        self.transport[rows] = self.payload[rows] = ABSENT
        for numbers in (self.payload_length, self.source_port, self.destination_port):
            numbers[rows] = 0
        for fields in (self.sequence, self.acknowledgment, self.flags, self.window):
            fields[rows] = 0

    def word(self, at: NDArray[np.int64]) -> NDArray[np.uint16]:
        """Fetch the 16-bit numbers at these offsets, in network order."""
        if not len(at):
            return np.zeros(0, np.uint16)
        every = np.ndarray((len(self.octets) - 1,), ">u2", self.octets, strides=(1,))
        return every[at].astype(np.uint16)

    def headers(self, layout: np.dtype[np.void], at: NDArray[np.int64]) -> NDArray[np.void]:
        """Fetch the headers at these offsets; all must lie inside the file."""
        if not len(at):
            return np.zeros(0, layout)
        # Windows that overlap, one an octet: indexing them copies a header at a time, and the
        # file is neither copied nor read as a whole. Plain void items are copied fastest.
        count = len(self.octets) - layout.itemsize + 1
        windows = np.ndarray((count,), f"V{layout.itemsize}", self.octets, strides=(1,))
        found: NDArray[np.void] = windows[at].view(layout)
        return found


def new_draft(octets: NDArray[np.uint8], records: Records) -> Draft:
    """Columns in which nothing is decoded yet: to be begun, block by block, by `begin`."""
    count = len(records.start)
    kinds: dict[str, type[np.generic]] = dict.fromkeys(OFFSETS, np.int64)
    kinds |= dict.fromkeys(("protocol", "ip_version"), np.uint8)
    kinds |= dict.fromkeys(("source_port", "destination_port", "flags", "window"), np.uint16)
    kinds |= {"payload_length": np.int32, "sequence": np.uint32, "acknowledgment": np.uint32}
    kinds |= {"malformed": np.bool_, "direction": np.uint8}
    columns: dict[str, Any] = {name: zeros(octets, count, kinds[name]) for name in kinds}
    source, destination = (zeros(octets, 2 * count, np.uint64).reshape(2, -1).T for _ in range(2))
    return Draft(octets=octets, source=source, destination=destination, **columns)


def begin(draft: Draft, records: Records, some: slice) -> None:
    """Set what is not 0 in frames of which nothing is decoded yet."""
    start, captured = records.start[some], records.captured[some]
    draft.cut[some] = start + captured
    draft.end[some] = start + np.maximum(records.length[some], captured)
    draft.direction[some] = records.direction[some]
    draft.network[some] = draft.transport[some] = draft.payload[some] = ABSENT


def finished(draft: Draft, records: Records) -> Frames:
    """Close the draft."""
    return Frames(
        octets=draft.octets,
        time=records.time,
        interface=records.interface,
        direction=draft.direction,
        start=records.start,
        captured=records.captured,
        length=records.length,
        protocol=draft.protocol,
        ip_version=draft.ip_version,
        network=draft.network,
        transport=draft.transport,
        payload=draft.payload,
        payload_length=draft.payload_length,
        source=draft.source,
        destination=draft.destination,
        source_port=draft.source_port,
        destination_port=draft.destination_port,
        sequence=draft.sequence,
        acknowledgment=draft.acknowledgment,
        flags=draft.flags,
        window=draft.window,
        malformed=draft.malformed,
        fragments=distinct(np.concatenate([NO_ROWS, *(piece.rows for piece in draft.pieces)])),
        unmeasured=distinct(np.concatenate([NO_ROWS, *draft.unmeasured])),
    )
