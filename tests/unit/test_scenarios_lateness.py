"""What was sent again only because the wire was late breaks no promise; any other copy does."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lab.evidence.build import evidence
from lab.evidence.run import Evidence
from lab.report.beside import beside
from lab.scenarios import find
from lab.scenarios.seen import side_by_side
from lab.text import Language, same
from lab.wire.touched import Deed, Touched, digest
from tests.handmade import ACK, CLIENT, PSH, SERVER, SYN
from tests.tour_run import MILLISECOND, START, Wire, manifest

SCRIPT = """
    C>S SYN
    S>C SYN,ACK
    C>S ACK
    C>S PSH,ACK  seq 1  +5
    S>C ACK             ack 6
"""
LEFT, COPIED = 10, 210  # ms: when the data is sent, and sent again


class Sent:
    """Segments with the times (ms) at which they left the one port and came to the other."""

    def __init__(self, *, opened: bool = True) -> None:
        self.wire, self.times = Wire(), list[tuple[float, float | None]]()
        if opened:
            self.segment(CLIENT, SYN, 99, 0, 0, 1)
            self.segment(SERVER, SYN | ACK, 499, 100, 1, 2)
            self.segment(CLIENT, ACK, 100, 500, 2, 3)

    def segment(
        self,
        sender: str,
        flags: int,
        sequence: int,
        ack: int,
        left: float,
        came: float | None,
        payload: bytes = b"",
    ) -> None:
        """``came``: None if it never did."""
        self.wire.tcp(0, sender, flags, sequence, ack, payload)
        self.times.append((left, came))

    def data(self, left: float, came: float | None) -> None:
        self.segment(CLIENT, PSH | ACK, 100, 500, left, came, b"hello")

    def ack(self, left: float, came: float | None) -> None:
        self.segment(SERVER, ACK, 500, 105, left, came)

    def at(self, host: str) -> bytes:
        """The file of a host's port."""
        found = Wire()
        for (_, octets, by_client), (left, came) in zip(self.wire.frames, self.times, strict=True):
            time = left if by_client == (host == CLIENT) else came
            if time is not None:
                found.frames.append((round(time * 1000), octets, by_client))
        return found.pcapng()

    def recorded(self, *touched: Touched) -> Evidence:
        files = {"client.pcapng": self.at(CLIENT), "server.pcapng": self.at(SERVER)}
        log = msgspec.json.Encoder().encode_lines(touched)
        return evidence(manifest(len(self.times)), files, {}, log)

    def delayed(self, index: int, *, due: float) -> Touched:
        """The line of a log that says when a frame should have come (ms), by a rule."""
        name = digest(self.wire.frames[index][1])
        return Touched(
            time=START + int(self.times[index][0] * MILLISECOND),
            rule=0,
            words=same("a rule"),
            deed=Deed.DELAYED,
            sender="client",
            receivers=("server",),
            digest=name,
            arriving=name,
            due=START + int(due * MILLISECOND),
        )


def marks(found: Evidence, script: str = SCRIPT) -> str:
    return "".join(row.mark for row in side_by_side(found, script, 0))


def late_data() -> Sent:
    """The data comes after its copy was sent, and draws an ACK, as the copy does."""
    sent = Sent()
    sent.data(LEFT, 300)
    sent.data(COPIED, 301)
    sent.ack(300.1, 302)
    sent.ack(301.1, 303)
    return sent


def sent_again(*acks: tuple[float, float | None], came: float | None = 11) -> Sent:
    """The data, its copy, and ACKs."""
    sent = Sent()
    sent.data(LEFT, came)
    sent.data(COPIED, COPIED + 1)
    for left, arrived in acks:
        sent.ack(left, arrived)
    return sent


def test_the_copy_of_a_late_segment_and_the_ack_it_draws_break_no_promise() -> None:
    assert marks(late_data().recorded()) == "====+=+"


def test_so_does_the_copy_of_one_whose_ack_is_late() -> None:
    sent = sent_again((11.1, 250), (COPIED + 1.1, 251))
    assert marks(sent.recorded()) == "====+=+"


def test_the_copy_of_a_late_syn_draws_another_syn_ack_and_that_an_ack() -> None:
    sent = Sent(opened=False)
    sent.segment(CLIENT, SYN, 99, 0, 0, 1200)
    sent.segment(CLIENT, SYN, 99, 0, 1000, 1201)
    sent.segment(SERVER, SYN | ACK, 499, 100, 1200.1, 1210)
    sent.segment(SERVER, SYN | ACK, 499, 100, 1201.1, 1211)
    sent.segment(CLIENT, ACK, 100, 500, 1210.1, 1220)
    sent.segment(CLIENT, ACK, 100, 500, 1211.1, 1221)
    opening = "C>S SYN\nS>C SYN,ACK\nC>S ACK"
    assert sorted(marks(sent.recorded(), opening)) == sorted("===+++")


def test_each_copy_draws_one_ack_and_no_more() -> None:
    sent = sent_again((11.1, 250), (COPIED + 1.1, 251), (COPIED + 1.2, 252))
    assert sorted(marks(sent.recorded())) == sorted("====+=+!")


def test_a_copy_of_what_was_lost_is_no_fault_of_a_late_wire() -> None:
    lost = SCRIPT.replace("seq 1  +5", "seq 1  +5  lost")
    assert "!" in marks(sent_again((COPIED + 1.1, 250), came=None).recorded(), lost)


def test_a_copy_sent_though_the_wire_was_in_time_is_not_excused() -> None:
    assert "!" in marks(sent_again((COPIED + 1.1, COPIED + 2)).recorded())


def test_a_segment_that_a_rule_delays_is_not_late() -> None:
    sent = late_data()
    assert "!" in marks(sent.recorded(sent.delayed(3, due=300)))


def test_a_segment_that_a_rule_delays_may_be_later_than_that() -> None:
    sent = late_data()
    assert "!" not in marks(sent.recorded(sent.delayed(3, due=60)))


def test_without_a_wire_between_the_ports_nothing_is_excused() -> None:
    sent = late_data()
    files = {"client.pcapng": sent.at(CLIENT), "server.pcapng": sent.at(SERVER)}
    assert "!" in marks(evidence(manifest(7), files, {}))


def test_a_spurious_segment_that_the_script_promises_is_no_other_than_promised() -> None:
    promised = SCRIPT.replace("    S>C ACK    ", "    C>S PSH,ACK  seq 1  +5\n    S>C ACK    ")
    assert marks(late_data().recorded(), promised) == "=====" + "=+"


def timed(late: float) -> str:
    """Two segments of the server, 200 ms apart, of which the second is late; then the client's."""
    sent = Sent()
    sent.segment(SERVER, PSH | ACK, 500, 100, 10, 11, b"hello")
    sent.segment(SERVER, PSH | ACK, 500, 100, 210, 211 + late, b"hello")
    sent.segment(CLIENT, ACK, 100, 505, 212 + late, 213 + late)
    script = (
        SCRIPT.partition("    C>S PSH")[0]
        + """
        S>C PSH,ACK  +5
        S>C PSH,ACK  +5  after 190..220 ms
        C>S ACK          after 0..5 ms
    """
    )
    return marks(sent.recorded(), script)


def test_between_two_segments_of_one_sender_a_late_wire_does_not_count() -> None:
    assert timed(0) == timed(400) == "======"


def said(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line.startswith("+"))


def test_the_table_says_why_it_is_in_excess() -> None:
    scenario = msgspec.structs.replace(find("tcp_lifecycle"), scripts=(SCRIPT,))
    assert "wire was late" in said(beside(scenario, late_data().recorded(), Language.EN))
