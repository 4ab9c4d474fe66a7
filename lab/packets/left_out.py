"""What a capture holds that was not looked into: nothing is left out without a word."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.packets.frames import Capture
from lab.packets.link import DECODED
from lab.text import Text

_LINK = Text(
    "link type {number} is not decoded ({frames} frames)", "链路类型 {number} 未解码（{frames} 帧）"
)
_BLOCK = Text(
    "pcapng blocks of type {number} are not read ({count} of them)",
    "类型为 {number} 的 pcapng 块未读取（{count} 个）",
)
_SECRETS = Text(
    "decryption secrets are kept, not used ({count} blocks)",
    "解密密钥予以保留，但未使用（{count} 个块）",
)
_JOURNAL = Text(
    "entries of the systemd journal are not read ({count} of them)",
    "systemd 日志条目未读取（{count} 条）",
)
_KNOWN = {9: _JOURNAL, 10: _SECRETS}


def left_out(capture: Capture) -> tuple[Text, ...]:
    """A sentence for each link type and each kind of pcapng block that was not read."""
    return (*_links(capture), *_blocks(capture))


def _links(capture: Capture) -> Iterator[Text]:
    frames = np.bincount(capture.frames.interface, minlength=len(capture.interfaces)).tolist()
    closed: dict[int, int] = {}
    for interface, count in zip(capture.interfaces, frames, strict=True):
        if count and interface.link_type not in DECODED:
            closed[interface.link_type] = closed.get(interface.link_type, 0) + count
    for number, count in closed.items():
        yield _LINK.fill(number=number, frames=count)


def _blocks(capture: Capture) -> Iterator[Text]:
    for number, count in capture.skipped:
        yield _KNOWN.get(number, _BLOCK).fill(number=f"0x{number:08x}", count=count)
