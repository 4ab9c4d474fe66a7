"""What is unusual about connections, told from columns; the worst of each kind, where there are many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.tcp.columns import Ints, Mask
from lab.tcp.model import Analysis, Handshake, Teardown
from lab.tcp.table import Table
from lab.text import Text

WAYS: tuple[tuple[Handshake | Teardown, Text], ...] = (
    (Handshake.REFUSED, Text("refused", "被拒绝")),
    (Handshake.UNANSWERED, Text("unanswered", "SYN 无应答")),
    (Handshake.UNFINISHED, Text("with an unfinished handshake", "握手未完成")),
    (Handshake.NOT_SEEN, Text("opened before the capture began", "抓包开始前已建立")),
    (Handshake.SIMULTANEOUS, Text("opened by both ends at once", "双方同时打开")),
    (Teardown.RESET, Text("reset", "被 RST 复位")),
    (Teardown.UNFINISHED, Text("with an unfinished close", "关闭未完成")),
    (Teardown.SIMULTANEOUS, Text("closed by both ends at once", "双方同时关闭")),
)
LONG, SEGMENTS = 250, 10_000
"""Segments: what is a long connection, and how many of such are read, the worst whole in any case."""

FLAGS = {
    Analysis.RETRANSMISSION: Text("with retransmissions", "有重传"),
    Analysis.FAST_RETRANSMISSION: Text("with fast retransmissions", "有快速重传"),
    Analysis.SPURIOUS_RETRANSMISSION: Text("with spurious retransmissions", "有虚假重传"),
    Analysis.OUT_OF_ORDER: Text("with segments out of order", "有乱序报文段"),
    Analysis.LOST_SEGMENT: Text("with gaps before a segment", "报文段之前有缺口"),
    Analysis.ACK_LOST_SEGMENT: Text("with ACKs of segments not captured", "确认了未抓到的报文段"),
    Analysis.DUPLICATE_ACK: Text("with duplicate ACKs", "有重复 ACK"),
    Analysis.KEEP_ALIVE: Text("with keep-alives", "有保活探测"),
    Analysis.KEEP_ALIVE_ACK: Text("with keep-alives answered", "有保活应答"),
    Analysis.ZERO_WINDOW: Text("with a zero window", "出现零窗口"),
    Analysis.WINDOW_UPDATE: Text("with window updates", "有窗口更新"),
    Analysis.WINDOW_FULL: Text("with a window filled", "窗口被填满"),
    Analysis.ZERO_WINDOW_PROBE: Text("with zero window probes", "有零窗口探测"),
    Analysis.ZERO_WINDOW_PROBE_ACK: Text("with zero window probes answered", "有零窗口探测应答"),
    Analysis.REUSED_PORTS: Text("on ports used before", "端口被重复使用"),
}


def traits(columns: Table, numbers: Ints) -> Iterator[tuple[Text, Mask]]:
    """What may be unusual, and which of some connections have it; one connection may have several."""
    for way, words in WAYS:
        went = [one.handshake is way or one.teardown is way for one in columns.outcomes]
        yield words, np.array(went, np.bool_)[columns.outcome[numbers]]
    carried = columns.carried()[numbers]
    for flag, words in FLAGS.items():
        yield words, (carried & flag) != 0


def worst(columns: Table, numbers: Ints, at_most: int) -> Ints:
    """Those to look at if that is all there is time for: the worst with each trait, ascending.

    Worse is what has more segments with a flag; what is left of ``at_most`` goes to the worst of
    all. A common trait does not crowd out a rare one, nor a few very long connections the others.
    """
    order = np.argsort(-columns.flagged()[numbers], kind="stable")
    order = order[_affordable(columns.segments.counts()[numbers[order]])]
    masks = [mask[order] for _, mask in traits(columns, numbers) if mask.any()]
    share = at_most // max(len(masks), 1)
    picked = np.concatenate([order[:0], *(np.flatnonzero(mask)[:share] for mask in masks)])
    chosen = np.zeros(len(order), np.bool_)
    chosen[picked] = True
    chosen[np.flatnonzero(~chosen)[: at_most - int(chosen.sum())]] = True
    return np.sort(numbers[order[chosen]])


def _affordable(lengths: Ints) -> Mask:
    """All short ones, and of the long ones the first until their segments are enough."""
    long = np.where(lengths > LONG, lengths, 0)
    found: Mask = (long == 0) | (np.cumsum(long) - long < SEGMENTS)
    return found
