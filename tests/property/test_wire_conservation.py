"""Whatever crosses the wire: nothing is lost, altered or invented but by a rule that says so."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lab.wire.rules import (
    MULTIPATH,
    Count,
    Match,
    Rule,
    clamp,
    corrupt,
    data,
    datagram,
    delay,
    drop,
    duplicate,
    every,
    frames,
    onwards,
    rate,
    reorder,
    span,
    strip,
)
from lab.wire.touched import Deed, digest
from tests.wire_frames import Bench, between, segment
from tests.wire_frames import datagram as sent_datagram

MATCHES = st.sampled_from([frames(), frames(sender="client"), data(), data("server"), datagram()])
COUNTS = st.sampled_from([Count(), Count(1, 1), span(2, 4), onwards(3), every(2)])
FOREVER = 1 << 62


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    match: Match = draw(MATCHES)
    nth = draw(COUNTS)
    kinds = ["drop", "strip", "clamp", "corrupt", "duplicate", "reorder", "rate", "delay"]
    make = draw(st.sampled_from(kinds))
    if make == "drop":
        return drop(match, nth=nth, percent=draw(st.sampled_from([50, 100])))
    if make == "strip":
        return strip(match, nth=nth, option=MULTIPATH)
    if make == "clamp":
        return clamp(match, nth=nth, mss=536)
    if make == "corrupt":
        return corrupt(match, nth=nth)
    if make == "duplicate":
        return duplicate(match, nth=nth, copies=draw(st.integers(1, 3)))
    if make == "reorder":
        return reorder(match, nth=nth, behind=draw(st.integers(1, 3)))
    if make == "rate":
        return rate(match, bits_per_second=100_000, queue=draw(st.integers(0, 5)))
    return delay(match, nth=nth, ms=5, jitter_ms=3, in_order=draw(st.booleans()))


@st.composite
def traffic(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    """Frames that are all different."""
    sent = []
    for number in range(draw(st.integers(1, 30))):
        sender = draw(st.sampled_from(["client", "server"]))
        payload = b"%6d" % number
        kind = draw(st.sampled_from(["segment", "datagram", "other"]))
        if kind == "segment":
            sent.append((sender, segment(sender, "PA", payload, seq=number * 6)))
        elif kind == "datagram":
            sent.append((sender, sent_datagram(sender, payload)))
        else:
            sent.append((sender, between(sender, payload, 0x88B5)))
    return sent


def carried(plan: list[Rule], sent: list[tuple[str, bytes]], step: int) -> Bench:
    bench = Bench(*plan)
    for k, (sender, frame) in enumerate(sent):
        bench.put(sender, frame, at=k * step)
    return bench.wake(FOREVER)


STEPS = st.sampled_from([0, 1000, 1_000_000])
PLANS = st.lists(rules(), max_size=4)
LOSSES = {Deed.DROPPED, Deed.OVERFLOWED}


def serial(frame: bytes) -> int:
    """Which frame of the traffic it is: the end of its payload, which no rule here turns over."""
    return int(frame[-2:])


@given(plan=PLANS, sent=traffic(), step=STEPS)
def test_every_frame_is_accounted_for(
    plan: list[Rule], sent: list[tuple[str, bytes]], step: int
) -> None:
    bench = carried(plan, sent, step)
    names = {digest(frame): serial(frame) for _, frame in sent}
    expected = Counter(names.values())
    for touched in bench.touched:
        expected[names[touched.digest]] -= touched.deed in LOSSES
        if touched.deed is Deed.DUPLICATED:
            expected[names[touched.digest]] += plan[touched.rule].action.copies  # type: ignore[union-attr]
    assert Counter(serial(octets) for _, _, octets in bench.out) == +expected


@given(plan=PLANS, sent=traffic(), step=STEPS)
def test_only_frames_that_are_written_down_as_corrupted_are_altered(
    plan: list[Rule], sent: list[tuple[str, bytes]], step: int
) -> None:
    bench = carried(plan, sent, step)
    corrupted = {touched.digest for touched in bench.touched if touched.deed is Deed.CORRUPTED}
    whole = {frame for _, frame in sent if digest(frame) not in corrupted}
    spared = {serial(frame) for frame in whole}
    assert {octets for _, _, octets in bench.out if serial(octets) in spared} <= whole


@given(plan=PLANS, sent=traffic(), step=STEPS)
def test_nothing_arrives_before_it_was_sent(
    plan: list[Rule], sent: list[tuple[str, bytes]], step: int
) -> None:
    bench = carried(plan, sent, step)
    when = {serial(frame): k * step for k, (_, frame) in enumerate(sent)}
    assert all(at >= when[serial(octets)] for at, _, octets in bench.out)


@given(plan=PLANS, sent=traffic(), step=STEPS)
def test_the_same_frames_at_the_same_times_meet_the_same_fate(
    plan: list[Rule], sent: list[tuple[str, bytes]], step: int
) -> None:
    first, second = carried(plan, sent, step), carried(plan, sent, step)
    assert (first.out, first.touched) == (second.out, second.touched)


@given(payload=st.binary(max_size=120), kind=st.sampled_from([0x0800, 0x86DD, 0x0806, 0x8100]))
def test_any_octets_are_carried_as_they_are(payload: bytes, kind: int) -> None:
    frame = between("client", payload, kind)
    assert Bench(drop(data(), nth=1000)).put("client", frame).arrived == [frame]


@given(tail=st.binary(max_size=60), cut=st.integers(14, 58))
def test_a_segment_with_a_damaged_end_is_carried_as_it_is(tail: bytes, cut: int) -> None:
    frame = segment("client", "PA", b"hello")[:cut] + tail
    assert Bench(drop(frames(), nth=2)).put("client", frame).arrived == [frame]
