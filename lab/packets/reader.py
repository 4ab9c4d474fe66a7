"""Read a capture file: pcap or pcapng, of either byte order, whole, cut short or damaged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from mmap import mmap

import numpy as np

from lab.errors import NotACapture
from lab.packets.compressed import unpacked
from lab.packets.decode import decode
from lab.packets.each import Each, Stage, one_by_one, tell
from lab.packets.frames import Capture
from lab.packets.magic import described
from lab.packets.pages import fetch
from lab.packets.pcap import SMALL, pcap_order, read_pcap
from lab.packets.pcapng_codes import SECTION_HEADER
from lab.packets.pcapng_packets import read_pcapng
from lab.packets.records import Records
from lab.packets.scratch import scratch_of


def read_capture(
    octets: bytes | memoryview | mmap, *, name: str = "", each: Each = one_by_one
) -> Capture:
    """Read the octets of a capture file into columns.

    The columns look into ``octets``, which is not copied unless it is compressed. What cannot be
    read (a record that is cut off, a length that cannot be) ends the reading and is reported in
    ``problems``. Raises `NotACapture` (naming ``name``) if the file starts like no capture,
    `DecoderMissing` if it cannot be unpacked, and nothing else. ``each``: see `lab.packets.each`.
    """
    view, damage = unpacked(memoryview(octets).cast("B"), name)
    records = _records(view, name, each)
    return Capture(
        frames=decode(np.frombuffer(view, np.uint8), records, each),
        interfaces=records.interfaces,
        comments=records.comments,
        problems=damage + records.problems,
        file_format=records.file_format,
        skipped=records.skipped,
        tls_sessions=records.tls_sessions,
    )


def _records(view: memoryview, name: str, each: Each) -> Records:
    if (order := pcap_order(view)) is not None:
        return _fetched(view, each, lambda: read_pcap(view, order, each))
    if bytes(view[:4]) == SECTION_HEADER.to_bytes(4, "big"):
        return _fetched(view, each, lambda: read_pcapng(view, each))
    start = bytes(view[:8]).hex(" ") or "-"
    raise NotACapture(file=name, start=start, kind=described(view))


def _fetched(view: memoryview, each: Each, read: Callable[[], Records]) -> Records:
    """Find the records; of a large file, while its pages are fetched, if they may stay."""
    if len(view) < SMALL or scratch_of(view):
        return read()
    found: list[Records] = []
    told = partial(tell, each, Stage.FETCHED)
    deque(each(_do, (lambda: fetch(view, told), lambda: found.append(read()))), maxlen=0)
    return found[0]


def _do(task: Callable[[], None]) -> None:
    task()
