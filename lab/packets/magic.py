"""What a file is that is no capture the lab reads, by how it begins."""

from __future__ import annotations

from lab.text import Text, same

MAGICS: tuple[tuple[bytes, Text], ...] = (
    (b"\x7fELF", Text("a program or library (ELF)", "程序或库（ELF）")),
    (b"\x1f\x8b", Text("gzip inside what was compressed", "压缩数据里的又一层 gzip")),
    (b"\x28\xb5\x2f\xfd", Text("zstd inside what was compressed", "压缩数据里的又一层 zstd")),
    (b"\xfd7zXZ\0", Text("an xz file; unpack it first", "xz 压缩文件，请先解压")),
    (b"BZh", Text("a bzip2 file; unpack it first", "bzip2 压缩文件，请先解压")),
    (b"\x04\x22\x4d\x18", Text("an lz4 file; unpack it first", "lz4 压缩文件，请先解压")),
    (b"PK\x03\x04", Text("a zip file; unpack it first", "zip 压缩文件，请先解压")),
    (b"7z\xbc\xaf\x27\x1c", Text("a 7z file; unpack it first", "7z 压缩文件，请先解压")),
    (b"snoop\0\0\0", Text("a capture of Solaris's snoop", "Solaris snoop 的抓包文件")),
    (b"GMBU", Text("a capture of Microsoft's Network Monitor", "微软 Network Monitor 的抓包文件")),
    (b"RTSS", Text("a capture of Microsoft's Network Monitor", "微软 Network Monitor 的抓包文件")),
    (b"TRSNIFF data", Text("a capture of NetXray's Sniffer", "Sniffer 的抓包文件")),
    (b"btsnoop\0", Text("a log of Bluetooth (btsnoop)", "蓝牙日志（btsnoop）")),
    (b"%PDF", same("PDF")),
    (b"\x89PNG", same("PNG")),
    (b"{", same("JSON")),
)
TEXT = Text("text", "文本")
ZEROS = Text("zeros: perhaps never written", "全为零：可能从未写入")
UNKNOWN = Text("of no format known here", "格式未知")
EMPTY = Text("nothing", "空内容")
LONGEST = 4
"""Octets of a character in UTF-8."""
LOOKED_AT = 256
"""Octets."""


def described(octets: memoryview) -> Text:
    """A file's first octets in words."""
    begin = bytes(octets[:LOOKED_AT])
    for magic, words in MAGICS:
        if begin.startswith(magic):
            return words
    if not begin:
        return EMPTY
    if not any(begin):
        return ZEROS
    return TEXT if _is_text(begin) else UNKNOWN


def _is_text(begin: bytes) -> bool:
    """UTF-8 without control characters; the last character may be cut off."""
    words = begin.decode(errors="ignore")
    whole = len(begin) - len(words.encode()) < LONGEST
    return whole and all(one.isprintable() or one in "\t\n\r\f" for one in words)
