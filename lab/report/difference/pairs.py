"""The pairs of scenarios that teach by contrast: one thing differs, and all that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from lab.report.glyphs import pad, width
from lab.text import Language, Text


class Contrast(Struct, frozen=True):
    """Two runs worth laying side by side, as `lab diff` takes them: SCENARIO[:VARIANT][@HOST]."""

    left: str
    right: str
    words: Text


CONTRASTS = (
    Contrast(
        "close_three_segments",
        "close_four_segments",
        Text("A close in three segments, and in four", "三次挥手与四次挥手"),
    ),
    Contrast(
        "rst_refused",
        "syn_blackhole",
        Text("A refusal, and silence", "连接被拒绝与没有回应"),
    ),
    Contrast(
        "close_four_segments",
        "abort_linger0",
        Text("An end by FIN, and by RST", "以 FIN 结束与以 RST 结束"),
    ),
    Contrast(
        "nagle_delack",
        "nagle_delack:nodelay",
        Text("Nagle's algorithm on, and off", "开启与关闭 Nagle 算法"),
    ),
    Contrast(
        "fast_retransmit",
        "fast_retransmit:no_sack",
        Text("SACK on, and off", "开启与关闭 SACK"),
    ),
    Contrast(
        "syn_flood_cookies:cookies",
        "syn_flood_cookies",
        Text("SYN cookies on, and off", "开启与关闭 SYN cookie"),
    ),
    Contrast(
        "udp_connected_filter",
        "udp_connected_filter:unconnected",
        Text("UDP connected, and unconnected", "已连接与未连接的 UDP"),
    ),
    Contrast(
        "data_loss_rto:single@client",
        "data_loss_rto:single@server",
        Text(
            "One loss, captured at the sender, and at the receiver",
            "同一次丢失，分别在发送方与接收方抓包",
        ),
    ),
)


def draw_contrasts(pairs: Sequence[Contrast], language: Language) -> Iterator[str]:
    """Yield a line a pair, as it is typed, and what it contrasts."""
    typed = [f"lab diff {one.left} {one.right}" for one in pairs]
    column = max(map(width, typed))
    for line, one in zip(typed, pairs, strict=True):
        yield f"{pad(line, column)}  {one.words.say(language)}"
