"""Numbers as people read them: relative to the ISN, windows scaled, octets counted once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.packets.frames import Flags, Frames
from lab.tcp.model import Connection
from lab.tcp.segments import CLIENT, HALF, MODULUS, SERVER, Segment, distance


class Numbers(Struct, frozen=True):
    """One entry a row of the connection. Relative numbers count from the ISN, which is 0."""

    sequence: NDArray[np.int64]  # relative
    acknowledgment: NDArray[np.int64]  # relative; 0 where ACK is not set
    window: tuple[int | None, ...]  # octets; None where the scale is not known
    length: NDArray[np.int64]  # octets of payload
    flight: NDArray[np.int64]  # octets the sender has sent and not yet seen acknowledged


def numbers(frames: Frames, connection: Connection) -> Numbers:
    """Compute what is shown of each of a connection's rows.

    An ISN that was not seen is taken to be the number before the first one seen, as Wireshark does.
    """
    rows, side = connection.rows, np.where(connection.from_client, CLIENT, SERVER)
    flags = frames.flags[rows]
    sequence = frames.sequence[rows].astype(np.int64)
    acknowledgment = frames.acknowledgment[rows].astype(np.int64)
    acks = (flags & Flags.ACK) != 0
    base = np.array(_bases(connection, side, sequence, acknowledgment, acks))
    relative = (sequence - base[side]) % MODULUS
    relative_ack = np.where(acks, (acknowledgment - base[1 - side]) % MODULUS, 0)
    length = frames.payload_length[rows].astype(np.int64)
    return Numbers(
        sequence=relative,
        acknowledgment=relative_ack,
        window=_windows(connection, side, flags, frames.window[rows]),
        length=length,
        flight=_flight(side, relative + length + _consumed(flags), relative_ack, acks),
    )


def _consumed(flags: NDArray[np.uint16]) -> NDArray[np.int64]:
    """SYN and FIN each consume one sequence number."""
    syn, fin = (flags & Flags.SYN) != 0, (flags & Flags.FIN) != 0
    consumed: NDArray[np.int64] = syn.astype(np.int64) + fin
    return consumed


def _bases(
    connection: Connection,
    side: NDArray[np.int64],
    sequence: NDArray[np.int64],
    acknowledgment: NDArray[np.int64],
    acks: NDArray[np.bool_],
) -> list[int]:
    """The number that each side counts from."""
    bases = []
    for end, isn in enumerate(connection.isn):
        sent = sequence[side == end]
        acked = acknowledgment[(side != end) & acks]
        first = sent[0] if len(sent) else acked[0] if len(acked) else 1
        bases.append(isn if isn is not None else (int(first) - 1) % MODULUS)
    return bases


def _windows(
    connection: Connection,
    side: NDArray[np.int64],
    flags: NDArray[np.uint16],
    window: NDArray[np.uint16],
) -> tuple[int | None, ...]:
    """The window of a SYN is never scaled (RFC 7323 section 2.2)."""
    columns = zip(side.tolist(), ((flags & Flags.SYN) != 0).tolist(), window.tolist(), strict=True)
    return tuple(
        value if syn else None if (shift := connection.scale[end]) is None else value << shift
        for end, syn, value in columns
    )


def _flight(
    side: NDArray[np.int64],
    end: NDArray[np.int64],
    acknowledgment: NDArray[np.int64],
    acks: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """SND.NXT - SND.UNA of each row's sender after it, as the vantage point saw both."""
    flight = np.zeros(len(side), dtype=np.int64)
    for sender in (CLIENT, SERVER):
        mine = side == sender
        sent = np.maximum.accumulate(np.where(mine, end, 0))
        acked = np.maximum.accumulate(np.where(~mine & acks, acknowledgment, 0))
        known = np.maximum(acked, 1)  # before the first ACK: from the octet after the SYN
        flight[mine] = np.maximum(sent - known, 0)[mine]
    return flight


def stream_octets(parts: Iterable[Segment], side: int, isn: Sequence[int | None]) -> int:
    """Payload that one side sent, each octet of sequence space once.

    A keep-alive's octet before the first of the stream is not counted, nor what a RST carries.
    """
    spans = [
        (p.sequence + p.syn, p.length) for p in parts if p.side == side and p.length and not p.rst
    ]
    if not spans:
        return 0
    start = np.array([s % MODULUS for s, _ in spans], dtype=np.int64)
    steps = (np.diff(start) + HALF) % MODULUS - HALF
    start = np.concatenate([[0], np.cumsum(steps)])
    end = start + np.array([length for _, length in spans])
    base = isn[side]
    if base is not None:
        start = np.maximum(start, distance(base + 1, spans[0][0]))
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    covered = np.concatenate([[start[0]], np.maximum.accumulate(end)[:-1]])
    return int(np.maximum(end - np.maximum(start, covered), 0).sum())
