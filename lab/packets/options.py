"""TCP options (RFC 9293 section 3.1 and the documents named below), read one segment at a time."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from msgspec import Struct

END, NO_OPERATION, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
FAST_OPEN = 34
ALIGNED = bytes((NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10))
"""How timestamps begin where nothing else is sent along (RFC 7323 appendix A), as in most segments."""

_PAIR = struct.Struct(">II")


class Options(Struct, frozen=True):
    """The options of a segment; None or empty where it carries none."""

    mss: int | None = None  # RFC 9293 section 3.7.1
    window_scale: int | None = None  # RFC 7323: the shift as sent (more than 14 counts as 14)
    sack_permitted: bool = False  # RFC 2018
    sack: tuple[tuple[int, int], ...] = ()  # RFC 2018: (left edge, right edge), absolute
    timestamps: tuple[int, int] | None = None  # RFC 7323: (TSval, TSecr)
    fast_open: bytes | None = None  # RFC 7413: the cookie, b"" asks for one
    unknown: tuple[tuple[int, bytes], ...] = ()  # (kind, value)


def parse_options(octets: bytes) -> Options:
    """Parse what follows the fixed TCP header.

    A length that cannot be ends the parse: what came before it is returned. An option of a
    known kind and the wrong length is kept as unknown.
    """
    if len(octets) == len(ALIGNED) + _PAIR.size and octets.startswith(ALIGNED):
        return Options(timestamps=_PAIR.unpack_from(octets, len(ALIGNED)))
    known: dict[str, object] = {}
    unknown = []
    for kind, value in _each(octets):
        if (parsed := _known(kind, value)) is None:
            unknown.append((kind, value))
        else:
            known.update((parsed,))
    return Options(**known, unknown=tuple(unknown))  # type: ignore[arg-type]


def _each(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(octets) and octets[at] != END:
        if octets[at] == NO_OPERATION:
            at += 1
            continue
        length = octets[at + 1] if at + 1 < len(octets) else 0
        if length < 2 or at + length > len(octets):
            return
        yield octets[at], octets[at + 2 : at + length]
        at += length


def _known(kind: int, value: bytes) -> tuple[str, object] | None:
    match kind, len(value):
        case (2, 2):
            return "mss", int.from_bytes(value, "big")
        case (3, 1):
            return "window_scale", value[0]
        case (4, 0):
            return "sack_permitted", True
        case (5, size) if size % 8 == 0:
            return "sack", tuple(zip(*[iter(_words(value))] * 2, strict=True))
        case (8, 8):
            return "timestamps", tuple(_words(value))
        case (34, _):
            return "fast_open", value
    return None


def _words(value: bytes) -> list[int]:
    return [int.from_bytes(value[at : at + 4], "big") for at in range(0, len(value), 4)]
