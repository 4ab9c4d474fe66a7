"""The way through the questions: stages, each about some scenarios, and what to ask next."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from lab.questions.base import Question
from lab.quiz.progress import Progress, due
from lab.text import Text

ENOUGH = 4  # questions of a stage to pass before those that build on it are offered


class Stage(Struct, frozen=True):
    """One stage; ``after``: the number of the stage that comes before it."""

    title: Text
    scenarios: tuple[str, ...]
    after: int | None = None


STAGES = (
    Stage(Text("Reading a ladder", "读懂时序图"), ("api_no_packets", "tcp_lifecycle", "udp_echo")),
    Stage(
        Text("Open and close", "建立与关闭"),
        (
            "close_four_segments",
            "close_three_segments",
            "rst_refused",
            "loopback_bind",
            "time_wait_basics",
            "time_wait_restart",
        ),
    ),
    Stage(
        Text("Stream, datagram, encoding", "字节流、数据报、编码"),
        (
            "stream_coalesce",
            "stale_echo",
            "multibyte_split",
            "encoding_mismatch",
            "udp_truncation",
            "udp_port_unreachable",
            "framing_protocols",
        ),
    ),
    Stage(
        Text("Handshake failures", "握手失败"),
        (
            "syn_blackhole",
            "synack_lost",
            "third_ack_lost",
            "data_before_accept",
            "accept_queue_overflow",
        ),
        after=1,
    ),
    Stage(
        Text("Endings and errors", "结束与错误"),
        (
            "half_close",
            "rst_unread_data",
            "abort_linger0",
            "send_after_peer_close",
            "process_killed",
            "half_open_vanished",
            "keepalive_dead_peer",
            "close_wait_leak",
        ),
        after=1,
    ),
    Stage(
        Text("Loss and flow", "丢包与流量控制"),
        (
            "data_loss_rto",
            "fast_retransmit",
            "zero_window",
            "nagle_delack",
            "mss_negotiation",
            "pmtud",
        ),
        after=3,
    ),
    Stage(
        Text("Performance and depth", "性能与深入"),
        (
            "slow_start",
            "cc_compare",
            "reordering",
            "duplicate_segment",
            "window_scaling",
            "tls13_handshake",
            "tcp_fast_open",
            "seq_wrap",
        ),
        after=5,
    ),
    Stage(
        Text("Security and tools", "安全与工具"),
        (
            "syn_flood_cookies",
            "rst_injection",
            "syn_scan",
            "capture_vs_firewall",
            "offload_capture",
        ),
        after=4,
    ),
)


def stage_of(question: Question) -> int:
    """The number of the latest stage that a question needs; the last for other scenarios."""
    names = {name.partition(":")[0] for name in question.runs}
    numbers = [number for number, stage in enumerate(STAGES) if names & set(stage.scenarios)]
    return max(numbers, default=len(STAGES) - 1)


def is_open(number: int, progress: Progress, questions: Sequence[Question]) -> bool:
    """Whether enough of the stage before was passed."""
    after = STAGES[number].after
    if after is None:
        return True
    there = {one.id for one in questions if stage_of(one) == after}
    return len(there & progress.passed()) >= min(ENOUGH, len(there))


def upcoming(
    progress: Progress, questions: Sequence[Question], now: int
) -> list[tuple[str, Question]]:
    """What to ask next, with why ("review", "new"): what is due first, then what is new.

    New questions come stage by stage, easy and core ones first; those of closed stages last.
    """
    tried = {one.question for one in progress.attempts}
    gradable = [one for one in questions if one.values]
    fresh = [one for one in gradable if one.id not in tried]
    fresh.sort(
        key=lambda one: (
            not is_open(stage_of(one), progress, questions),
            stage_of(one),
            one.level,
            not one.core,
        )
    )
    reviews = [("review", one) for one in due(progress, gradable, now)]
    return reviews + [("new", one) for one in fresh]
