"""Write pcapng (draft-ietf-opsawg-pcapng): each function returns the octets of one block.

Times are ns since 1970-01-01 UTC: interfaces are described with if_tsresol 9. Blocks are
little-endian unless ``order`` is ">".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from lab.packets.kinds import Direction
from lab.packets.pcapng_codes import (
    BYTE_ORDER_MAGIC,
    COMMENT,
    DECRYPTION_SECRETS,
    END,
    ENHANCED_PACKET,
    EPB_FLAGS,
    IF_DESCRIPTION,
    IF_FILTER,
    IF_NAME,
    IF_TSRESOL,
    INTERFACE_DESCRIPTION,
    INTERFACE_STATISTICS,
    ISB_ENDTIME,
    ISB_FILTERACCEPT,
    ISB_IFDROP,
    ISB_IFRECV,
    ISB_STARTTIME,
    NAME_RESOLUTION,
    SECTION_HEADER,
    TLS_KEY_LOG,
)

NANOSECONDS = 9  # if_tsresol: ticks of 10^-9 s

_HARDWARE, _SYSTEM, _APPLICATION = 2, 3, 4
_IPV4_RECORD, _IPV6_RECORD = 1, 2
_LONGEST = 0xFFFF  # of an option's value: its length field has 16 bits

Options = Iterable[tuple[int, bytes]]


def section_header(
    *, hardware: str = "", system: str = "", application: str = "", comments: Sequence[str] = ()
) -> bytes:
    """Begin a file: where, on what and by what it was recorded, and words about all of it."""
    words = [(_HARDWARE, hardware), (_SYSTEM, system), (_APPLICATION, application)]
    body = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
    options = [(COMMENT, _text(words)) for words in comments]
    options += [(code, _text(value)) for code, value in words if value]
    return _block(SECTION_HEADER, body, options)


def interface_description(
    name: str,
    *,
    description: str = "",
    link_type: int = 1,
    snap_length: int = 0,
    capture_filter: str = "",
) -> bytes:
    """Describe an interface; packet blocks name it by its position among these, from 0."""
    options = [(IF_NAME, _text(name)), (IF_TSRESOL, bytes([NANOSECONDS]))]
    if description:
        options.append((IF_DESCRIPTION, _text(description)))
    if capture_filter:  # the first octet says that a filter expression follows
        options.append((IF_FILTER, b"\0" + _text(capture_filter)[: _LONGEST - 1]))
    return _block(INTERFACE_DESCRIPTION, struct.pack("<HxxI", link_type, snap_length), options)


_HEADER = struct.Struct("<7I").pack
_TRAILERS = tuple(struct.Struct(f"<{padding}xHHIII").pack for padding in range(4))


def packet_block(
    time: int,
    frame: bytes | bytearray | memoryview,
    direction: int = Direction.UNKNOWN,
    interface: int = 0,
    length: int | None = None,
) -> bytes:
    """One frame. ``length`` is its length on the wire, where the snap length cut it.

    It carries no option but the direction flags; `packet_blocks` is faster for many.
    """
    captured = len(frame)
    padding = -captured & 3
    size = 44 + captured + padding
    high, low = time >> 32, time & 0xFFFFFFFF
    wire = captured if length is None else length
    head = _HEADER(ENHANCED_PACKET, size, interface, high, low, captured, wire)
    return b"".join((head, frame, _TRAILERS[padding](EPB_FLAGS, 4, direction, END, size)))


def packet_blocks(
    frames: Iterable[tuple[int, int, int, bytes | bytearray | memoryview]], interface: int = 0
) -> bytes:
    """Many frames at once, each as (time, length on the wire, direction, octets).

    Made for a capture loop: about half a microsecond a frame.
    """
    parts: list[bytes | bytearray | memoryview] = []
    for time, length, direction, frame in frames:
        captured = len(frame)
        padding = -captured & 3
        size = 44 + captured + padding
        high, low = time >> 32, time & 0xFFFFFFFF
        parts += (
            _HEADER(ENHANCED_PACKET, size, interface, high, low, captured, length),
            frame,
            _TRAILERS[padding](EPB_FLAGS, 4, direction, END, size),
        )
    return b"".join(parts)


def with_comments(block: bytes | memoryview, comments: Iterable[str], order: str = "<") -> bytes:
    """Return a packet block with comments added after its other options."""
    kind, captured = _word(block, 0, order), _word(block, 20, order)
    data = 28 + captured + (-captured & 3)
    kept = _without_end(block[data:-4], order)
    body = bytes(block[8:data]) + kept
    return _block(kind, body, [(COMMENT, _text(words)) for words in comments], order)


def name_resolution(names: Mapping[str, str], order: str = "<") -> bytes:
    """Give addresses names: {"172.18.0.2": "server"}; readers then show the names."""
    body = b""
    for address, name in names.items():
        packed = ip_address(address).packed
        kind = _IPV4_RECORD if len(packed) == 4 else _IPV6_RECORD
        body += _option(kind, packed + name.encode()[: _LONGEST - 17] + b"\0", order)
    return _block(NAME_RESOLUTION, body + bytes(4), (), order)


def interface_statistics(
    interface: int,
    time: int,
    *,
    start: int | None = None,
    end: int | None = None,
    received: int | None = None,
    dropped: int | None = None,
    accepted: int | None = None,
    order: str = "<",
) -> bytes:
    """Say how a recording went: its times, what the kernel saw, accepted by filter, dropped."""
    times = [(ISB_STARTTIME, start), (ISB_ENDTIME, end)]
    counters = [(ISB_IFRECV, received), (ISB_IFDROP, dropped), (ISB_FILTERACCEPT, accepted)]
    options = [(code, _ticks(value, order)) for code, value in times if value is not None]
    options += [
        (code, struct.pack(order + "Q", value)) for code, value in counters if value is not None
    ]
    body = struct.pack(order + "I", interface) + _ticks(time, order)
    return _block(INTERFACE_STATISTICS, body, options, order)


def decryption_secrets(secrets: bytes, kind: int = TLS_KEY_LOG) -> bytes:
    """Add the keys of encrypted traffic; it must stand before the frames that need them."""
    return _block(DECRYPTION_SECRETS, struct.pack("<II", kind, len(secrets)) + _padded(secrets), ())


# ----------------------------------------------------------------------------- parts


def _block(kind: int, body: bytes, options: Options, order: str = "<") -> bytes:
    listed = b"".join(_option(code, value, order) for code, value in options)
    if listed:
        listed += struct.pack(order + "HH", END, 0)
    size = 12 + len(body) + len(listed)
    head, tail = struct.pack(order + "II", kind, size), struct.pack(order + "I", size)
    return b"".join((head, body, listed, tail))


def _option(code: int, value: bytes, order: str) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + _padded(value)


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) & 3)


def _text(words: str) -> bytes:
    """UTF-8, cut at a character's end if longer than an option can be."""
    return words.encode(errors="replace")[:_LONGEST].decode(errors="ignore").encode()


def _ticks(time: int, order: str) -> bytes:
    return struct.pack(order + "II", time >> 32, time & 0xFFFFFFFF)


def _word(block: bytes | memoryview, at: int, order: str) -> int:
    return int(struct.unpack_from(order + "I", block, at)[0])


def _without_end(options: bytes | memoryview, order: str) -> bytes:
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, at)
        size = 4 + length + (-length & 3)
        if code == END or at + size > len(options):
            break
        at += size
    return bytes(options[:at])
