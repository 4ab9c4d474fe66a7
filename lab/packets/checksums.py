"""Internet checksums (RFC 1071): of one header, and of all frames at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import ABSENT, Capture, Frames, Protocol
from lab.packets.network import ICMPV6, TCP, UDP
from lab.packets.parts import where

_ONES = 0xFFFF
_CHUNK = 1 << 22
"""Octets of the file that are widened to sums at a time."""

WORD = 4
"""Octets summed at a time: 2^16 is 1 modulo 65535, so any multiple of 2 gives the same."""

_PSEUDO = {Protocol.TCP: TCP, Protocol.UDP: UDP, Protocol.ICMPV6: ICMPV6, Protocol.ICMP: 0}
"""Protocol numbers for the pseudo-header; ICMP's checksum covers none (0 marks that)."""


def internet_checksum(octets: bytes) -> int:
    """The ones' complement of the ones' complement sum of 16-bit words; 0 over correct data."""
    number = int.from_bytes(octets + bytes(len(octets) % 2), "big")
    if number == 0:
        return _ONES
    return _ONES - (number % _ONES or _ONES)  # 2^16 = 1 modulo 65535: the remainder is the sum


def checksum_errors(capture: Capture) -> NDArray[np.int64]:
    """Numbers of the frames whose IPv4, TCP, UDP or ICMP checksum is wrong, ascending.

    Left out because their checksum cannot be judged: frames cut by the snap length, fragments,
    IPv6 packets with extension headers, UDP over IPv4 without a checksum (0), and malformed
    frames.
    """
    return where(capture.frames, _wrong) + 1


def _wrong(frames: Frames) -> NDArray[np.bool_]:
    wrong = np.zeros(len(frames), np.bool_)
    _network(frames, wrong)
    _transport(frames, wrong)
    return wrong


def _network(frames: Frames, wrong: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero((frames.ip_version == 4) & (frames.network != ABSENT))
    begin = frames.network[rows]
    end = begin + (frames.octets[begin] & 0x0F).astype(np.int64) * 4
    held = end <= _cut(frames)[rows]
    rows, begin, end = rows[held], begin[held], end[held]
    wrong[rows] = _sums(frames.octets, begin, end) % _ONES != 0


def _transport(frames: Frames, wrong: NDArray[np.bool_]) -> None:
    for protocol, number in _PSEUDO.items():
        rows = np.flatnonzero((frames.protocol == protocol) & (frames.payload != ABSENT))
        begin, end = frames.transport[rows], (frames.payload + frames.payload_length)[rows]
        judged = _judged(frames, rows, end)
        rows, begin, end = rows[judged], begin[judged], end[judged]
        total = _sums(frames.octets, begin, end) % _ONES
        if number:
            total += (end - begin).astype(np.uint64) + np.uint64(number)
            for column in (frames.source, frames.destination):
                total += (column[rows] % _ONES).sum(axis=1)
        wrong[rows] |= total % _ONES != 0


def _judged(frames: Frames, rows: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
    octets, network, transport = frames.octets, frames.network[rows], frames.transport[rows]
    whole = (end <= _cut(frames)[rows]) & ~frames.malformed[rows]
    fragment = (octets[network + 6] & 0x3F) | octets[network + 7]  # IPv4: more, or an offset
    four = frames.ip_version[rows] == 4
    plain = np.where(four, fragment == 0, transport == network + 40)
    at = np.where(transport + 7 < len(octets), transport, 0)
    unset = (octets[at + 6] == 0) & (octets[at + 7] == 0)
    none = four & (frames.protocol[rows] == Protocol.UDP) & unset
    judged: NDArray[np.bool_] = whole & plain & ~none
    return judged


def _cut(frames: Frames) -> NDArray[np.int64]:
    return frames.start + frames.captured


def _sums(
    octets: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Sum the big-endian 16-bit words of each range, modulo 65535; ranges ascend, none overlap."""
    sums = np.zeros(len(begin), np.uint64)
    words = (end - begin) // WORD
    for place in range(WORD):
        rows = np.flatnonzero((begin % WORD == place) & (words > 0))
        for part in _parts(rows, begin):
            sums[part] = _word_sums(octets, begin[part], words[part])
    for place in range(WORD - 1):  # what no whole word holds
        at = begin + words * WORD + place
        rows = np.flatnonzero(at < end)
        sums[rows] += octets[at[rows]].astype(np.uint64) << np.uint64(8 * (1 - place % 2))
    return sums


def _parts(rows: NDArray[np.int64], begin: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Split rows so that each part spans little of the file."""
    if not len(rows):
        return
    chunk = begin[rows] // _CHUNK
    yield from np.split(rows, np.flatnonzero(np.diff(chunk)) + 1)


def _word_sums(
    octets: NDArray[np.uint8], begin: NDArray[np.int64], words: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Sum each range of one part of the file; all begin whole words apart."""
    first, last = int(begin[0]), int(begin[-1] + WORD * words[-1])
    values = octets[first:last].view(f">u{WORD}").astype(np.uint64)
    edges = np.empty(2 * len(begin), np.int64)
    edges[0::2] = (begin - first) // WORD
    edges[1::2] = edges[0::2] + words
    edges = edges[:-1]  # the last range reaches to the end
    sums: NDArray[np.uint64] = np.add.reduceat(values, edges)[0::2]
    return sums
