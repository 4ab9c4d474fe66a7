"""Socket calls: which exchange they belong to, and how they are written."""

from __future__ import annotations

from lab.evidence.calls import Call
from lab.packets.addresses import Endpoint
from lab.report.calls import LONGEST_LINE, Span, answered, asked, attribute, place, source

CLIENT, SERVER = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 80)
FIRST = Span((CLIENT, SERVER), 100, 200)
SECOND = Span((Endpoint("10.0.0.1", 40001), SERVER), 300, 400)


def made(function: str, before: int = 0, after: int = 1, fd: int = 3, **told: object) -> Call:
    return Call(function=function, before=before, after=after, program="a/b.py", fd=fd, **told)  # type: ignore[arg-type]


def test_a_connected_socket_belongs_to_its_endpoints() -> None:
    call = made("recv", local=["10.0.0.1", 40001], peer=["10.0.0.2", 80])
    assert attribute([call], [FIRST, SECOND]) == [1]


def test_a_call_without_address_goes_where_its_descriptor_goes_next() -> None:
    calls = [made("socket"), made("connect", local=["10.0.0.1", 40001], peer=["10.0.0.2", 80])]
    assert attribute(calls, [FIRST, SECOND]) == [1, 1]


def test_listen_belongs_to_the_first_connection_that_comes_after_it() -> None:
    call = made("listen", before=250, local=["0.0.0.0", 80])
    assert attribute([call], [FIRST, SECOND]) == [1]


def test_a_refused_connect_belongs_to_the_peer_it_asked_for() -> None:
    call = made("connect", before=99, arguments=(["10.0.0.2", 80],), error="ECONNREFUSED")
    assert attribute([call], [FIRST, SECOND]) == [0]


def test_ports_used_again_are_told_apart_by_time() -> None:
    again = Span(FIRST.ends, 500, 600)
    call = made("recv", before=450, local=["10.0.0.1", 40000], peer=["10.0.0.2", 80])
    assert attribute([call], [FIRST, again]) == [1]


def test_a_call_to_somewhere_else_belongs_to_none() -> None:
    call = made("connect", local=["10.0.0.1", 5], peer=["10.9.9.9", 443])
    assert attribute([call], [FIRST]) == [None]


def test_a_send_shows_its_data_and_their_length() -> None:
    assert asked(made("sendall", arguments=(2,), octets=2, data="6869")) == 'sendall("hi", 2)'


def test_a_recv_shows_what_it_got() -> None:
    assert answered(made("recv", arguments=(9,), result=2, octets=2, data="6869")) == '2 "hi"'


def test_a_recvfrom_shows_from_whom() -> None:
    call = made("recvfrom", result=[2, ["10.0.0.2", 53]], octets=2, data="6869", kind="udp")
    assert answered(call) == '2 "hi" from 10.0.0.2:53'


def test_the_end_of_a_stream_is_named() -> None:
    assert answered(made("recv", result=0, octets=0, kind="tcp")) == "0 (end of file)"


def test_an_empty_datagram_is_no_end_of_file() -> None:
    assert answered(made("recv", result=0, octets=0, kind="udp")) == "0"


def test_an_error_is_named() -> None:
    assert answered(made("connect", error="ECONNREFUSED")) == "ECONNREFUSED"


def test_addresses_are_written_as_endpoints() -> None:
    assert asked(made("connect", arguments=(["fd00::2", 80],))) == "connect([fd00::2]:80)"


def test_arguments_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in asked(made("connect", arguments=("\x1b[2J",)))


def test_the_line_of_the_program_is_given() -> None:
    assert place(made("close", line=7)) == "b.py:7"


def test_an_ipv4_address_in_an_ipv6_socket_is_shown_as_the_program_saw_it() -> None:
    call = made("accept", result=[4, ["::ffff:10.0.0.1", 40001]])
    assert answered(call) == "(4, [::ffff:10.0.0.1]:40001)"


def test_an_ipv4_address_in_an_ipv6_socket_is_that_of_the_frames() -> None:
    call = made("recv", local=["::ffff:10.0.0.2", 80], peer=["::ffff:10.0.0.1", 40001])
    assert attribute([call], [FIRST, SECOND]) == [1]


def test_the_line_of_the_program_is_said_as_it_stood_there() -> None:
    assert source(made("recv", source="octets = connection.recv(1024)")) == (
        "octets = connection.recv(1024)"
    )


def test_a_long_line_of_the_program_is_cut() -> None:
    assert source(made("recv", source="x" * 500)) == "x" * LONGEST_LINE + "…"


def test_control_characters_in_a_line_of_the_program_are_spelt_out() -> None:
    assert "\x1b" not in source(made("recv", source="\x1b[31m"))


def test_a_log_without_lines_of_the_program_says_nothing() -> None:
    assert source(made("recv")) == ""
