"""Two vantage points: what became of frames between them, and whose label was wrong."""

from __future__ import annotations

from lab.evidence.account import account
from lab.evidence.merge import merge, same_traffic
from lab.evidence.run import Evidence, View
from lab.findings.base import Finding, findings
from lab.tcp.connections import connections
from lab.udp.exchanges import exchanges
from tests.builders import EPOCH, MILLISECOND, capture, mss
from tests.handmade import CLIENT, SERVER, ethernet, ipv4, tcp

MS = MILLISECOND
SYN, ACK, PSH = 2, 16, 8
Frame = tuple[int, bytes]


def frame(
    back: bool,
    flags: int,
    seq: int,
    ack: int = 0,
    data: int = 0,
    *,
    number: int = 0,
    ttl: int = 64,
    options: bytes = b"",
) -> bytes:
    ends = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    ports = (80, 40000) if back else (40000, 80)
    body = tcp(
        bytes(data),
        flags,
        sequence=seq,
        acknowledgment=ack,
        ports=ports,
        ends=ends,
        options=options,
    )
    packet = ipv4(body, 6, source=ends[0], destination=ends[1], identification=number, ttl=ttl)
    return ethernet(packet)


def view(file: str, frames: list[Frame]) -> View:
    told = capture([(EPOCH + time, octets) for time, octets in sorted(frames)])
    return View("", file, told, tuple(connections(told)), tuple(exchanges(told)))


HANDSHAKE = [
    frame(False, SYN, 99, number=1),
    frame(True, SYN | ACK, 499, 100, number=2),
    frame(False, ACK, 100, 500, number=3),
]
PARTS = [frame(False, ACK, 100 + 100 * n, 500, 100, number=10 + n) for n in range(4)]
ACKED = frame(True, ACK, 500, 500, number=90)


def both(client: list[Frame], server: list[Frame], *, late: int = MS, ahead: int = 0) -> Evidence:
    """An exchange with its handshake and a last ACK; ``ahead``: of the second clock, ns."""
    back = [(2 * MS, HANDSHAKE[1]), (50 * MS, ACKED)]
    forth = [(0, HANDSHAKE[0]), (4 * MS, HANDSHAKE[2])]
    near = forth + [(time + late, octets) for time, octets in back] + client
    far = [(time + late + ahead, octets) for time, octets in forth]
    far += [(time + ahead, octets) for time, octets in back] + server
    return merge(view("near.pcap", near), view("far.pcap", far))


def sent(*order: int, start: int = 6 * MS) -> list[Frame]:
    return [(start + k * MS // 10, PARTS[n]) for k, n in enumerate(order)]


def found(evidence: Evidence) -> dict[str, Finding]:
    return {one.id: one for one in findings(evidence)}


ARRIVED = sent(0, 1, 2, 3, start=8 * MS)


def test_what_arrives_as_it_was_sent_is_no_finding() -> None:
    told = found(both(sent(0, 1, 2, 3), ARRIVED))
    assert set(told) <= {"mss_missing"}


def test_a_frame_that_never_arrives_was_lost_between() -> None:
    one = found(both(sent(0, 1, 2, 3), sent(0, 2, 3, start=8 * MS)))["lost_between"]
    assert one.frames == (5,)
    assert "near.pcap and far.pcap: 1 frame, of 6" in one.words.en


def test_what_was_overtaken_is_no_retransmission_whatever_one_end_thinks() -> None:
    told = found(both(sent(0, 1, 2, 3), [*sent(0, 2, 3, start=8 * MS), (20 * MS, PARTS[1])]))
    assert told["reordered"].frames == (5,)
    assert "lost_between" not in told
    correction = told["label_corrected"]
    assert correction.frames == (5,)
    assert "#7 looks like a retransmission" in correction.words.en
    assert "overtaken on the way" in correction.words.en


def test_what_was_sent_again_is_no_reordering_whatever_the_other_end_thinks() -> None:
    asked = frame(True, ACK, 500, 200, number=60)
    again = frame(False, ACK, 200, 500, 100, number=50)
    client = [*sent(0, 1, 2, 3), (10 * MS, asked), (10 * MS + 1, again)]
    server = [*sent(0, 2, 3, start=8 * MS), (9 * MS, asked), (11 * MS, again)]
    told = found(both(client, server))
    assert told["lost_between"].frames == (5,)
    assert "looks like out-of-order; both captures prove: it was sent again" in (
        told["label_corrected"].words.en
    )


def test_a_frame_that_arrives_twice_was_doubled_between() -> None:
    told = found(both(sent(0, 1, 2, 3), [*ARRIVED, (12 * MS, PARTS[3])]))
    assert "1 frame from near.pcap to far.pcap arrived more than once" in (
        told["doubled_between"].words.en
    )
    assert "doubled on the way" in told["label_corrected"].words.en


def test_a_frame_that_its_sender_never_sent_was_put_in() -> None:
    forged = frame(False, 4, 500, number=77)
    told = found(both(sent(0, 1, 2, 3), [*ARRIVED, (12 * MS, forged)]))
    assert "1 frame reached far.pcap in near.pcap's name" in told["injected"].words.en


def test_one_way_times_are_quantiles_by_direction() -> None:
    told = account(both(sent(0, 1, 2, 3), ARRIVED))
    assert told is not None
    assert told.forth.delay is not None
    assert told.back.delay is not None
    assert (told.forth.delay.least, told.forth.delay.most) == (MS, 2 * MS)
    assert told.back.delay.median == MS
    assert told.offset == 0


def test_clocks_that_differ_are_told_and_taken_out() -> None:
    ahead = -500 * MS
    server = [(time + ahead, octets) for time, octets in ARRIVED]
    evidence = both(sent(0, 1, 2, 3), server, ahead=ahead)
    told = account(evidence)
    assert told is not None
    assert told.offset == ahead
    assert told.forth.delay is not None
    assert told.forth.delay.least == MS
    assert "about 500 ms" in found(evidence)["clocks_differ"].words.en


def test_an_mss_that_was_lowered_on_the_way() -> None:
    near, far = (frame(False, SYN, 99, number=1, options=mss(size)) for size in (1460, 1300))
    reply = frame(True, SYN | ACK, 499, 100, number=2, options=mss(1460))
    told = found(
        merge(
            view("near.pcap", [(0, near), (3 * MS, reply)]),
            view("far.pcap", [(MS, far), (2 * MS, reply)]),
        )
    )
    assert "from 1460 to 1300" in told["mss_clamped"].words.en
    assert "lost_between" not in told


def test_what_is_tcp_in_one_capture_only_has_no_label_to_correct() -> None:
    evidence = both(sent(0, 1, 2, 3, 3), ARRIVED)
    blind = View("", "far.pcap", evidence.views[1].capture, (), ())
    told = Evidence(evidence.manifest, (evidence.view, blind), match=evidence.match)
    assert "label_corrected" not in found(told)


def test_captures_of_other_traffic_have_nothing_in_common() -> None:
    one, other = (view("x.pcap", [(0, frame(False, SYN, n, number=n))]) for n in (1, 2))
    evidence = merge(one, other)
    assert evidence.match is not None
    assert not same_traffic(evidence.match)
    assert found(evidence).keys() <= {"unanswered"}


def test_a_single_capture_has_no_account() -> None:
    one = view("x.pcap", [(0, HANDSHAKE[0])])
    assert account(Evidence(both([], []).manifest, (one,))) is None
