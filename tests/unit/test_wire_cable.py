"""The cable: what becomes of each frame, and when."""

from __future__ import annotations

import pytest

from lab.errors import RuleImpossible
from lab.wire.rules import (
    ACK,
    FIN,
    SYN,
    arp,
    corrupt,
    data,
    delay,
    drop,
    duplicate,
    every,
    frames,
    onwards,
    pure_ack,
    rate,
    reorder,
    seen,
    span,
)
from lab.wire.rules import segment as segments
from lab.wire.touched import Deed, digest
from tests.builders import MILLISECOND
from tests.wire_frames import BROADCAST, Bench, between, datagram, segment, stream

SECOND = 1_000_000_000
FROM_SERVER = data(sender="server")


def test_without_rules_a_frame_goes_on_at_once_and_unchanged() -> None:
    frame = segment("client", "S")
    assert Bench().put("client", frame, at=7).out == [(7, "server", frame)]


# ------------------------------------------------------------------------------ drop


def test_the_frame_that_is_named_is_lost_and_no_other() -> None:
    bench = Bench(drop(FROM_SERVER, nth=3)).put("server", *stream("server", 5))
    assert bench.numbers == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("nth", "left"),
    [(span(2, 4), [1, 5, 6]), (onwards(3), [1, 2]), (every(3), [1, 2, 4, 5]), (None, [])],
)
def test_several_frames_can_be_named(nth: object, left: list[int]) -> None:
    rule = drop(FROM_SERVER, nth=nth) if nth else drop(FROM_SERVER)  # type: ignore[arg-type]
    assert Bench(rule).put("server", *stream("server", 6)).numbers == left


def test_a_rule_counts_what_was_sent_whatever_others_do_to_it() -> None:
    bench = Bench(drop(FROM_SERVER, nth=1), drop(FROM_SERVER, nth=2))
    assert bench.put("server", *stream("server", 3)).numbers == [3]


def test_frames_of_the_other_host_do_not_count() -> None:
    bench = Bench(drop(FROM_SERVER, nth=1)).put("client", *stream("client", 2))
    assert bench.put("server", *stream("server", 1)).numbers == [1, 2]


def test_each_connection_can_be_counted_by_itself() -> None:
    bench = Bench(drop(FROM_SERVER, nth=2, each_connection=True))
    for port in (40001, 40002):
        bench.put("server", *stream("server", 3, port=port))
    assert bench.numbers == [1, 1, 3, 3]


def test_first_transmissions_can_be_lost_and_their_repetitions_arrive() -> None:
    bench = Bench(drop(data(sender="server", repeated=False), nth=onwards(2)))
    sent = stream("server", 3)
    assert bench.put("server", *sent, *sent[1:]).numbers == [1, 2, 3]


def test_a_chance_is_drawn_the_same_each_time() -> None:
    runs = [
        Bench(drop(data(), percent=30, seed=seed)).put("server", *stream("server", 200)).numbers
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_a_chance_of_thirty_percent_loses_about_that_many() -> None:
    bench = Bench(drop(data(), percent=30)).put("server", *stream("server", 250, 1))
    assert 50 <= len(bench.touched) <= 100


# ------------------------------------------------------------------------------ from when on


def test_after_a_frame_means_behind_it() -> None:
    bench = Bench(drop(frames(), after=seen(FROM_SERVER, 2)))
    assert bench.put("server", *stream("server", 4)).numbers == [1, 2]


def test_since_a_frame_includes_it() -> None:
    bench = Bench(drop(frames(), since=seen(FROM_SERVER, 2)))
    assert bench.put("server", *stream("server", 4)).numbers == [1]


def test_an_outage_ends_after_its_time() -> None:
    bench = Bench(drop(data(), since=seen(FROM_SERVER, 2, for_ms=2)))
    assert bench.put("server", *stream("server", 5)).numbers == [1, 4, 5]


def test_what_comes_before_the_moment_is_not_counted() -> None:
    rule = drop(pure_ack(sender="client"), nth=1, after=segments(FIN, sender="server"))
    ack, last = segment("client", "A", seq=1), segment("client", "A", seq=2)
    bench = Bench(rule).put("client", ack).put("server", segment("server", "FA"))
    assert bench.put("client", last).arrived[0] == ack
    assert [touched.digest for touched in bench.touched] == [digest(last)]


# ------------------------------------------------------------------------------ corrupt


@pytest.mark.parametrize(("octet", "where"), [(0, -10), (4, -6), (-1, -1)])
def test_one_bit_of_the_payload_is_turned_over(octet: int, where: int) -> None:
    (frame,) = stream("server", 1)
    (arrived,) = Bench(corrupt(data(), octet=octet, bit=7)).put("server", frame).arrived
    assert arrived[where] == frame[where] ^ 0x80
    assert sum(a != b for a, b in zip(arrived, frame, strict=True)) == 1


@pytest.mark.parametrize("octet", [10, -11])
def test_a_payload_without_that_octet_stays_as_it_is(octet: int) -> None:
    (frame,) = stream("server", 1)
    bench = Bench(corrupt(data(), octet=octet)).put("server", frame)
    assert (bench.arrived, bench.touched) == ([frame], [])


# ------------------------------------------------------------------------------ duplicate


def test_a_copy_arrives_besides_the_frame() -> None:
    bench = Bench(duplicate(FROM_SERVER, nth=2)).put("server", *stream("server", 3))
    assert bench.numbers == [1, 2, 2, 3]


def test_copies_can_come_later_and_be_many() -> None:
    bench = Bench(duplicate(data(), copies=2, after_ms=5)).put("server", *stream("server", 1))
    assert bench.times == [0, 5 * MILLISECOND, 10 * MILLISECOND]


# ------------------------------------------------------------------------------ reorder


@pytest.mark.parametrize(("behind", "order"), [(1, [1, 3, 2, 4, 5]), (3, [1, 3, 4, 5, 2])])
def test_later_frames_go_ahead(behind: int, order: list[int]) -> None:
    bench = Bench(reorder(FROM_SERVER, nth=2, behind=behind)).put("server", *stream("server", 5))
    assert bench.numbers == order


def test_only_frames_that_match_from_the_same_host_let_it_go() -> None:
    bench = Bench(reorder(data(), nth=1)).put("server", *stream("server", 1))
    bench.put("server", segment("server", "A")).put("client", *stream("client", 1))
    assert len(bench.out) == 2


def test_a_frame_that_is_lost_does_not_overtake() -> None:
    bench = Bench(reorder(data(), nth=1), drop(data(), nth=2))
    assert bench.put("server", *stream("server", 3)).numbers == [3, 1]


def test_nothing_is_held_longer_than_it_may_be() -> None:
    bench = Bench(reorder(data(), nth=1, at_most_ms=20)).put("server", *stream("server", 1))
    assert bench.cable.wakes == 20 * MILLISECOND
    assert bench.wake(20 * MILLISECOND).times == [20 * MILLISECOND]
    assert bench.cable.wakes is None


def test_a_held_frame_that_expired_goes_before_what_comes_later() -> None:
    first, second = stream("server", 2)
    bench = Bench(reorder(data(), nth=1, at_most_ms=20)).put("server", first)
    bench.put("server", second, at=30 * MILLISECOND)
    assert (bench.numbers, bench.times) == ([1, 2], [20 * MILLISECOND, 30 * MILLISECOND])


# ------------------------------------------------------------------------------ rate


def test_frames_leave_a_slow_link_one_after_another() -> None:
    sent = stream("server", 3, size=71)  # 125 octets: 1000 bits
    bench = Bench(rate(frames(), bits_per_second=1_000_000)).put("server", *sent, step=0)
    assert bench.times == [1 * MILLISECOND, 2 * MILLISECOND, 3 * MILLISECOND]


def test_an_idle_link_sends_at_once() -> None:
    sent = stream("server", 2, size=71)
    bench = Bench(rate(frames(), bits_per_second=1_000_000)).put("server", *sent, step=SECOND)
    assert bench.times == [MILLISECOND, SECOND + MILLISECOND]


def test_the_directions_of_a_link_do_not_wait_for_each_other() -> None:
    bench = Bench(rate(frames(), bits_per_second=1_000_000))
    bench.put("server", *stream("server", 1, size=71)).put("client", *stream("client", 1, size=71))
    assert bench.times == [MILLISECOND, MILLISECOND]


def test_a_full_queue_loses_what_comes_next() -> None:
    bench = Bench(rate(frames(), bits_per_second=1_000_000, queue=2))
    bench.put("server", *stream("server", 5, size=71), step=0)
    assert bench.numbers == [1, 2, 3]
    assert [touched.deed for touched in bench.touched] == [Deed.OVERFLOWED] * 2


def test_a_queue_drains_as_the_link_sends() -> None:
    bench = Bench(rate(frames(), bits_per_second=1_000_000, queue=1))
    bench.put("server", *stream("server", 6, size=71), step=MILLISECOND // 2)
    assert bench.numbers == [1, 2, 3, 5]  # sent at 0, 0.5 and 1 ms; 4 finds 3 waiting, 5 does not


def test_a_queue_may_be_counted_in_octets() -> None:
    bench = Bench(rate(frames(), bits_per_second=1_000_000, queue_octets=250))
    assert bench.put("server", *stream("server", 5, size=71), step=0).numbers == [1, 2, 3]


# ------------------------------------------------------------------------------ delay


def test_a_delay_moves_every_frame_by_the_same_time() -> None:
    bench = Bench(delay(frames(), ms=50)).put("server", *stream("server", 3))
    assert bench.times == [50 * MILLISECOND, 51 * MILLISECOND, 52 * MILLISECOND]


def test_a_frame_delayed_alone_arrives_behind_the_others() -> None:
    bench = Bench(delay(FROM_SERVER, nth=2, ms=1.5)).put("server", *stream("server", 4))
    assert bench.numbers == [1, 3, 2, 4]


def jittered(*, in_order: bool, seed: int = 7) -> Bench:
    rule = delay(frames(), ms=50, jitter_ms=10, in_order=in_order, seed=seed)
    return Bench(rule).put("server", *stream("server", 100))


def test_jitter_stays_within_its_bounds() -> None:
    spans = [touched.due - touched.time for touched in jittered(in_order=False).touched]
    assert 40 * MILLISECOND <= min(spans) < 42 * MILLISECOND
    assert 58 * MILLISECOND < max(spans) <= 60 * MILLISECOND


def test_jitter_keeps_the_order_unless_it_may_not() -> None:
    assert jittered(in_order=True).numbers == list(range(1, 101))
    assert jittered(in_order=False).numbers != list(range(1, 101))


def test_jitter_is_drawn_the_same_each_time() -> None:
    assert jittered(in_order=False).out == jittered(in_order=False).out
    assert jittered(in_order=False).out != jittered(in_order=False, seed=8).out


# ------------------------------------------------------------------------------ together


def test_the_order_in_which_rules_are_written_changes_nothing() -> None:
    rules = (
        delay(frames(), ms=50),
        rate(frames(), bits_per_second=1_000_000, queue=3),
        reorder(data(), nth=3),
        duplicate(data(), nth=2),
        corrupt(data(), nth=4),
        drop(data(), nth=5),
    )
    sent = stream("server", 9, size=71)
    runs = [Bench(*some).put("server", *sent, step=0) for some in (rules, rules[::-1])]
    assert runs[0].out == runs[1].out


def test_a_lost_frame_is_not_copied() -> None:
    bench = Bench(duplicate(data(), nth=1), drop(data(), nth=1))
    assert bench.put("server", *stream("server", 1)).out == []


def test_copies_wait_in_the_queue_too() -> None:
    bench = Bench(duplicate(data()), rate(frames(), bits_per_second=1_000_000))
    assert bench.put("server", *stream("server", 1, size=71)).times == [
        MILLISECOND,
        2 * MILLISECOND,
    ]


# ------------------------------------------------------------------------------ the switch


def receivers(bench: Bench) -> list[str]:
    return [to for _, to, _ in bench.out]


def test_a_broadcast_reaches_every_other_host() -> None:
    bench = Bench(hosts=("client", "server", "third"))
    bench.put("client", between("client", bytes(46), 0x88B5, to=BROADCAST))
    assert receivers(bench) == ["server", "third"]


def test_a_host_that_has_spoken_is_found_and_no_other_hears_it() -> None:
    bench = Bench(hosts=("client", "server", "third"))
    bench.put("server", segment("server", "SA")).put("client", segment("client", "A"))
    assert receivers(bench)[2:] == ["server"]


def test_a_frame_for_its_own_sender_goes_nowhere() -> None:
    bench = Bench().put("client", segment("client", "S"))
    assert bench.put("client", segment("server", "SA")[:12] + bytes(46)).out[1:] == []


# ------------------------------------------------------------------------------ what is written down


def test_a_lost_frame_is_written_down() -> None:
    frame = segment("server", "SA")
    (touched,) = Bench(drop(segments(SYN, ACK), nth=1)).put("server", frame, at=9).touched
    assert touched.words.en == "The first SYN,ACK is dropped."
    assert (touched.time, touched.rule, touched.deed) == (9, 0, Deed.DROPPED)
    assert (touched.sender, touched.receivers) == ("server", ("client",))
    assert (touched.digest, touched.lost) == (digest(frame), True)


def test_a_corrupted_frame_is_written_down_as_sent_and_as_it_arrives() -> None:
    bench = Bench(corrupt(data())).put("server", *stream("server", 1))
    (touched,) = bench.touched
    assert touched.digest == digest(stream("server", 1)[0])
    assert touched.arriving == digest(bench.arrived[0])


def test_a_frame_that_two_rules_touch_is_written_down_twice() -> None:
    bench = Bench(delay(data(), ms=1), duplicate(data())).put("server", *stream("server", 1))
    assert [(one.rule, one.deed) for one in bench.touched] == [
        (1, Deed.DUPLICATED),
        (0, Deed.DELAYED),
        (0, Deed.DELAYED),
    ]


def test_a_rule_that_met_no_frame_is_known() -> None:
    bench = Bench(drop(arp()), drop(data(), nth=1)).put("server", *stream("server", 2))
    assert [work.touched for work in bench.cable.work()] == [0, 1]


def test_a_slow_link_has_worked_when_it_carried_something() -> None:
    bench = Bench(rate(frames(), bits_per_second=10)).put("client", datagram("client"))
    assert [work.touched for work in bench.cable.work()] == [1]


def test_a_rule_about_a_host_that_is_not_there_is_refused() -> None:
    with pytest.raises(RuleImpossible, match="router"):
        Bench(drop(frames(), after=frames(sender="router")))
