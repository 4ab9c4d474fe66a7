"""The kernel's events against the frames."""

from __future__ import annotations

import msgspec
import pytest

from lab.evidence.events import (
    Began,
    Drop,
    Ended,
    ResetSent,
    Retransmission,
    StateChange,
    decode_events,
)
from lab.evidence.testimony import (
    Comparison,
    about,
    compare_resets,
    compare_retransmissions,
    dropped_frames,
    of_one_socket,
    traced_stays,
)
from lab.packets.frames import Capture
from lab.tcp.connections import connections
from lab.tcp.model import Connection
from lab.tcp.segments import CLIENT, SERVER, Segment, segments
from tests.builders import EPOCH, MILLISECOND, OPEN, Sent, conversation, sent

FIRST = EPOCH + MILLISECOND  # when the SYN passed
SENT_AGAIN = (
    sent(">", "PA", seq=1, ack=1, length=10),
    sent(">", "PA", seq=1, ack=1, length=10, after=250 * MILLISECOND),
)
AGAIN = FIRST + 253 * MILLISECOND


def seen(*extra: Sent) -> tuple[Capture, Connection, list[Segment]]:
    capture = conversation(*OPEN, *extra)
    (connection,) = connections(capture)
    read = segments(capture.frames, connection.rows, connection.from_client)
    return capture, connection, read


def ends(connection: Connection) -> tuple[tuple[str, int], tuple[str, int]]:
    client, server = connection.client, connection.server
    return (client.address, client.port), (server.address, server.port)


def repeated(connection: Connection, time: int, error: int = 0) -> Retransmission:
    local, peer = ends(connection)
    return Retransmission(time=time, local=local, peer=peer, state="ESTABLISHED", error=error)


def test_events_are_read_in_order_of_time_whatever_their_order_in_the_file() -> None:
    events = (Began(time=1, uncertainty=9), repeated(seen()[1], 2), Ended(time=3))
    octets = b"".join(msgspec.json.encode(event) + b"\n" for event in events[::-1])
    assert decode_events(octets) == events


def test_a_last_event_that_was_cut_off_is_left_out() -> None:
    whole = msgspec.json.encode(Ended(time=3)) + b"\n"
    assert decode_events(whole + whole[:-9]) == (Ended(time=3),)


def test_a_damaged_event_is_an_error() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_events(b'{"event":"tcp_send_reset"}\n')


def test_each_end_has_its_own_events() -> None:
    _, connection, _ = seen()
    local, peer = ends(connection)
    here = StateChange(time=FIRST, local=local, peer=peer, before="CLOSED", after="SYN-SENT")
    there = StateChange(time=FIRST, local=peer, peer=local, before="LISTEN", after="SYN-RECEIVED")
    assert about([there, here], StateChange, connection, FIRST, FIRST) == ((here,), (there,))


def test_an_event_of_another_time_is_another_connections() -> None:
    _, connection, _ = seen()
    late = repeated(connection, FIRST + 1000 * MILLISECOND)
    assert about([late], Retransmission, connection, FIRST, FIRST + MILLISECOND) == ((), ())


def test_a_flagged_frame_that_the_kernel_repeated_is_agreed_on() -> None:
    _, connection, read = seen(*SENT_AGAIN)
    event = repeated(connection, AGAIN - 10_000)
    assert compare_retransmissions(connection, read, CLIENT, [event]) == Comparison(
        both=((5, AGAIN - 10_000),), frames_only=(), events_only=()
    )


def test_a_flagged_frame_that_the_kernel_did_not_repeat_is_told() -> None:
    _, connection, read = seen(*SENT_AGAIN)
    found = compare_retransmissions(connection, read, CLIENT, [])
    assert (found.frames_only, found.agree) == ((5,), False)


def test_a_repetition_that_never_reached_this_port_is_told() -> None:
    _, connection, read = seen()
    found = compare_retransmissions(connection, read, CLIENT, [repeated(connection, AGAIN)])
    assert (found.events_only, found.agree) == ((AGAIN,), False)


def test_a_repetition_that_could_not_be_sent_is_no_frame() -> None:
    _, connection, read = seen()
    failed = repeated(connection, AGAIN, error=-105)
    assert compare_retransmissions(connection, read, CLIENT, [failed]).agree


def test_a_reset_that_its_kernel_sent_is_agreed_on() -> None:
    _, connection, read = seen(sent("<", "R", seq=1))
    local, peer = ends(connection)
    event = ResetSent(time=read[-1].time, local=peer, peer=local, reason="NO_SOCKET")
    assert compare_resets(read, SERVER, [event]).both == ((4, read[-1].time),)


def test_a_reset_that_no_kernel_sent_was_forged() -> None:
    _, _, read = seen(sent("<", "R", seq=1))
    assert compare_resets(read, SERVER, []).frames_only == (4,)


def changed(*states: str) -> list[StateChange]:
    """Changes of one pair of ends, given as "BEFORE>AFTER"."""
    _, connection, _ = seen()
    local, peer = ends(connection)
    pairs = [state.split(">") for state in states]
    return [
        StateChange(
            time=FIRST + n * MILLISECOND, local=local, peer=peer, before=before, after=after
        )
        for n, (before, after) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("states", "one"),
    [
        ([], True),
        (["SYN-SENT>ESTABLISHED", "ESTABLISHED>CLOSED"], True),
        (["SYN-SENT>CLOSED", "SYN-SENT>ESTABLISHED"], True),
        (["SYN-SENT>ESTABLISHED", "SYN-SENT>ESTABLISHED"], False),
        (["ESTABLISHED>FIN-WAIT-1", "ESTABLISHED>CLOSE-WAIT"], False),
        (["ESTABLISHED>CLOSED", "FIN-WAIT-1>FIN-WAIT-2"], False),
    ],
    ids=["nothing", "a life", "one after another", "both open", "both close", "one is gone"],
)
def test_two_sockets_with_the_same_ends_are_told_from_one(states: list[str], one: bool) -> None:
    assert of_one_socket(changed(*states)) == one


def test_changes_become_stays() -> None:
    changes = changed("SYN-SENT>ESTABLISHED", "ESTABLISHED>CLOSED")
    told = traced_stays(changes, FIRST + 9 * MILLISECOND)
    assert [(stay.state, stay.by, stay.until) for stay in told] == [
        ("SYN-SENT", FIRST, FIRST),
        ("ESTABLISHED", FIRST, FIRST + MILLISECOND),
        ("CLOSED", FIRST + MILLISECOND, FIRST + 9 * MILLISECOND),
    ]


def test_a_closed_that_may_be_time_wait_is_no_stay() -> None:
    told = traced_stays(changed("FIN-WAIT-1>FIN-WAIT-2", "FIN-WAIT-2>CLOSED"), FIRST)
    assert [stay.state for stay in told] == ["FIN-WAIT-1", "FIN-WAIT-2"]


def drop(capture: Capture, row: int, length: int | None = None, alike: int = 1) -> Drop:
    passed = int(capture.frames.time[row]) - 3_000
    size = int(capture.frames.length[row]) if length is None else length
    return Drop(
        time=passed + 20_000, reason="NETFILTER_DROP", location="nft_do_chain", protocol=2048,
        port="port", passed=passed, length=size, alike=alike,
    )  # fmt: skip


def test_a_drop_is_found_again_as_the_frame_that_passed_then() -> None:
    capture, _, _ = seen(*SENT_AGAIN)
    dropped = drop(capture, 3)
    assert dropped_frames([dropped], capture, "port") == {4: dropped}


def test_a_drop_at_another_port_is_no_frame_of_this_one() -> None:
    capture, _, _ = seen()
    assert dropped_frames([drop(capture, 0)], capture, "other") == {}


def test_a_drop_of_another_length_is_no_frame_of_that_time() -> None:
    capture, _, _ = seen()
    assert dropped_frames([drop(capture, 0, length=9)], capture, "port") == {}


def test_a_drop_that_another_labs_frame_may_explain_is_no_frame() -> None:
    capture, _, _ = seen()
    assert dropped_frames([drop(capture, 0, alike=9)], capture, "port") == {}


def test_two_drops_of_frames_alike_are_two_frames() -> None:
    first = sent(">", "A", seq=1, ack=1, after=20_000)
    capture, _, _ = seen(first, first)
    drops = [drop(capture, 3, alike=3), drop(capture, 4, alike=3)]
    assert list(dropped_frames(drops, capture, "port")) == [4, 5]


def test_a_frame_that_its_receiver_took_was_not_dropped() -> None:
    capture, _, _ = seen()
    taken = msgspec.structs.replace(drop(capture, 0), reason="TCP_RESET")
    assert dropped_frames([taken], capture, "port") == {}
