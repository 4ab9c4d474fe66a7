"""Capture files compressed with gzip (RFC 1952) or Zstandard (RFC 8878), of any number of members.

What can be unpacked is read, as far as it goes; never more than a limit, however much a small
file claims to hold.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from lab.errors import DecoderMissing
from lab.packets.kinds import Damage, Problem
from lab.text import Text

LIMIT = 1 << 31
"""Octets that are unpacked at most: they are kept in memory, where a plain file is not."""

_STEP = 4096
"""Octets unpacked at a time: no more than about 128 MiB can come of them in either format."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WINDOW = 1 << 27  # octets that a Zstandard frame may refer back to, as its own tool allows


class _Stream(Protocol):
    """One member being unpacked, as zlib and zstandard both offer it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: memoryview, /) -> bytes: ...


def unpacked(
    octets: memoryview, name: str, limit: int = LIMIT
) -> tuple[memoryview, tuple[Problem, ...]]:
    """Unpack a file if it is compressed: (its octets, what was wrong).

    Raises `DecoderMissing` (naming ``name``) if a package is needed that is not installed.
    """
    if _format(octets) is None:
        return octets, ()
    found, at = bytearray(), 0
    while (begin := _format(octets[at:])) is not None:
        stream = begin(name)
        try:
            while not stream.eof and at < len(octets) and len(found) <= limit:
                found += stream.decompress(octets[at : at + _STEP])
                at += min(_STEP, len(octets) - at)
        except _errors() as error:
            return memoryview(found), (_damaged(len(found), at, error),)
        if len(found) > limit:
            return memoryview(found)[:limit], (_too_much(limit),)
        if not stream.eof:
            return memoryview(found), (_cut(len(found), at),)
        at -= len(stream.unused_data)
    return memoryview(found), _rest(octets[at:], len(found), at)


def _format(octets: memoryview) -> Callable[[str], _Stream] | None:
    start = bytes(octets[:4])
    if start.startswith(_GZIP):
        return lambda name: zlib.decompressobj(wbits=31)
    return _zstandard if start == _ZSTD else None


def _zstandard(name: str) -> _Stream:
    try:
        zstandard = import_module("zstandard")
    except ImportError as error:
        raise DecoderMissing(file=name, package="zstandard") from error
    stream: _Stream = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    return stream


def _errors() -> tuple[type[Exception], ...]:
    """What a damaged member raises, in either format."""
    try:
        return zlib.error, import_module("zstandard").ZstdError
    except ImportError:
        return (zlib.error,)


def _damaged(offset: int, at: int, error: Exception) -> Problem:
    claim = Text(
        "the compressed data is wrong near octet {at} of the file ({error})",
        "压缩数据在文件第 {at} 字节附近有误（{error}）",
    )
    return Problem(Damage.IMPOSSIBLE, offset, claim.fill(at=at, error=error))


def _cut(offset: int, at: int) -> Problem:
    claim = Text(
        "the compressed data ends at octet {at} of the file, before its end is marked",
        "压缩数据在文件第 {at} 字节处中断，没有结束标记",
    )
    return Problem(Damage.TRUNCATED, offset, claim.fill(at=at))


def _too_much(limit: int) -> Problem:
    claim = Text(
        "the file holds more than {limit} octets when unpacked; unpack it to have all of it read",
        "文件解压后超过 {limit} 字节；请先自行解压，以便读取全部内容",
    )
    return Problem(Damage.IMPOSSIBLE, limit, claim.fill(limit=limit))


def _rest(octets: memoryview, offset: int, at: int) -> tuple[Problem, ...]:
    """Zeros after the last member are padding; anything else was not read."""
    if not any(octets[: 1 << 16]):
        return ()
    claim = Text(
        "what follows the compressed data, from octet {at} of the file on, is not compressed data",
        "文件第 {at} 字节起，压缩数据之后的内容不是压缩数据",
    )
    return (Problem(Damage.IMPOSSIBLE, offset, claim.fill(at=at)),)
