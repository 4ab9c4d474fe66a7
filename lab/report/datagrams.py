"""Describe the datagrams of one UDP exchange, and the ICMP errors that answer them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lab.evidence.run import View
from lab.packets.frames import ABSENT, Frames
from lab.packets.pairs import ends
from lab.report import phrases
from lab.report.events import FrameEvent
from lab.report.icmp import message_name
from lab.report.people import People
from lab.report.segments import payload_of
from lab.text import same
from lab.udp.model import Exchange


def describer(
    view: View, exchange: Exchange, who: People
) -> tuple[NDArray[np.int64], Callable[[int], FrameEvent]]:
    """Return the exchange's rows, errors included, and what makes an event of one."""
    frames, causes = view.capture.frames, dict(exchange.errors)
    errors = np.array([error - 1 for error in causes], np.int64)
    rows = np.sort(np.concatenate([exchange.rows, errors]))
    letters = who.initials(exchange.client, exchange.server)
    client_rows = exchange.rows[exchange.from_client]

    def describe(index: int) -> FrameEvent:
        row = int(rows[index])
        if row + 1 in causes:
            return _error(frames, row, causes[row + 1], exchange, letters)
        position = int(np.searchsorted(client_rows, row))
        sender = 0 if position < len(client_rows) and client_rows[position] == row else 1
        return _datagram(frames, row, letters[sender], letters[1 - sender])

    return rows, describe


def _datagram(frames: Frames, row: int, source: str, target: str) -> FrameEvent:
    length = int(frames.payload_length[row])
    size = phrases.octets(length, phrases.DATAGRAM)
    notes = (phrases.MALFORMED,) if frames.malformed[row] else ()
    return FrameEvent(
        int(frames.time[row]),
        row + 1,
        source,
        target,
        "UDP",
        octets=length,
        words=(*notes, size),
        payload=payload_of(frames, row),
    )


def _error(
    frames: Frames, row: int, cause: int, exchange: Exchange, letters: tuple[str, str]
) -> FrameEvent:
    sender, receiver = ends(frames, row)
    by_client = receiver.address == exchange.server.address
    source, target = letters if by_client else letters[::-1]
    if sender.address not in (exchange.client.address, exchange.server.address):
        source = "?"  # a router on the way
    meaning = (same(_icmp_name(frames, row)), phrases.ANSWERS.fill(frame=cause))
    return FrameEvent(int(frames.time[row]), row + 1, source, target, "ICMP", words=meaning)


def _icmp_name(frames: Frames, row: int) -> str:
    at = int(frames.transport[row])
    if at == ABSENT or at + 2 > len(frames.octets):
        return "ICMP"
    kind, code = frames.octets[at : at + 2].tolist()
    return message_name(int(frames.ip_version[row]), kind, code)
