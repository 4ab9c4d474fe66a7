"""What a capture holds that was not looked into: nothing is left out without a word."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.packets.frames import Capture
from lab.packets.link import DECODED
from lab.packets.pcapng_codes import DECRYPTION_SECRETS
from lab.text import Text

_FRAMES = Text(
    "link type {number} (frames: {count}, the first at octet {offset})",
    "链路类型 {number}（{count} 帧，首帧位于第 {offset} 字节）",
)
_BLOCKS = Text(
    "pcapng blocks of type {number} ({count}, the first at octet {offset})",
    "类型为 {number} 的 pcapng 块（{count} 个，首个位于第 {offset} 字节）",
)
_SECRETS = Text(
    "decryption secrets (blocks: {count}, the first at octet {offset})",
    "解密密钥（{count} 个块，首个位于第 {offset} 字节）",
)
_KEY_LOG = Text(
    "decryption secrets, TLS sessions: {sessions} (blocks: {count}, the first at octet {offset})",
    "{sessions} 个 TLS 会话的解密密钥（{count} 个块，首个位于第 {offset} 字节）",
)
_JOURNAL = Text(
    "entries of the systemd journal ({count}, the first at octet {offset})",
    "systemd 日志条目（{count} 条，首条位于第 {offset} 字节）",
)
JOURNAL = 9


def left_out(capture: Capture) -> tuple[Text, ...]:
    """What was not read, counted and with the offset of the first: each closed link type, each kind
    of pcapng block."""
    return (*_links(capture), *_blocks(capture))


def _links(capture: Capture) -> Iterator[Text]:
    link = np.array([one.link_type for one in capture.interfaces], np.int64)
    for number in dict.fromkeys(link.tolist()):
        if number not in DECODED:
            rows = np.flatnonzero((link == number)[capture.frames.interface])
            if len(rows):
                offset = f"{capture.frames.start[rows[0]]:,}"
                yield _FRAMES.fill(number=number, count=f"{len(rows):,}", offset=offset)


def _blocks(capture: Capture) -> Iterator[Text]:
    secrets = _KEY_LOG if capture.tls_sessions else _SECRETS
    for one in capture.skipped:
        words = {JOURNAL: _JOURNAL, DECRYPTION_SECRETS: secrets}.get(one.kind, _BLOCKS)
        yield words.fill(
            number=f"0x{one.kind:08x}",
            count=f"{one.count:,}",
            offset=f"{one.offset:,}",
            sessions=f"{capture.tls_sessions:,}",
        )
