"""Read a capture file: pcap or pcapng, of either byte order, whole, cut short or damaged."""

from __future__ import annotations

from mmap import mmap

import numpy as np

from lab.errors import NotACapture
from lab.packets.compressed import unpacked
from lab.packets.decode import decode
from lab.packets.frames import Capture
from lab.packets.pcap import pcap_order, read_pcap
from lab.packets.pcapng_codes import SECTION_HEADER
from lab.packets.pcapng_packets import read_pcapng
from lab.packets.records import Records
from lab.text import Text

_NOTHING = Text("nothing", "空内容")


def read_capture(octets: bytes | memoryview | mmap, *, name: str = "") -> Capture:
    """Read the octets of a capture file into columns.

    The columns look into ``octets``, which is not copied unless it is compressed. What cannot be
    read (a record that is cut off, a length that cannot be) ends the reading and is reported in
    ``problems``. Raises `NotACapture` (naming ``name``) if the file starts like no capture,
    `DecoderMissing` if it cannot be unpacked, and nothing else.
    """
    view, damage = unpacked(memoryview(octets).cast("B"), name)
    records = _records(view, name)
    return Capture(
        frames=decode(np.frombuffer(view, np.uint8), records),
        interfaces=records.interfaces,
        comments=records.comments,
        problems=damage + records.problems,
        file_format=records.file_format,
        skipped=records.skipped,
    )


def _records(view: memoryview, name: str) -> Records:
    if (order := pcap_order(view)) is not None:
        return read_pcap(view, order)
    if bytes(view[:4]) == SECTION_HEADER.to_bytes(4, "big"):
        return read_pcapng(view)
    raise NotACapture(file=name, start=bytes(view[:8]).hex(" ") or _NOTHING)
