"""What the SYNs of one connection offer: window scale and MSS."""

from __future__ import annotations

from collections.abc import Sequence

from lab.tcp.segments import CLIENT, SERVER, Segment


def window_shifts(parts: Sequence[Segment]) -> tuple[int | None, int | None]:
    """The shift in force for each side's windows: only if both SYNs offer it (RFC 7323 2.2).

    None where that side's SYN was not seen, or its options were cut off.
    """
    offered = [_from_syn(parts, side, "window_scale") for side in (CLIENT, SERVER)]
    if any(offered[part.side] is None for part in parts if part.syn and part.whole):
        return 0, 0
    return offered[CLIENT], offered[SERVER]


def announced_mss(parts: Sequence[Segment]) -> tuple[int | None, int | None]:
    """The MSS in each side's SYN; None where there was none."""
    return _from_syn(parts, CLIENT, "mss"), _from_syn(parts, SERVER, "mss")


def _from_syn(parts: Sequence[Segment], side: int, option: str) -> int | None:
    for part in parts:
        if part.syn and part.side == side and part.options is not None:
            value: int | None = getattr(part.options, option)
            if value is not None:
                return value
    return None
