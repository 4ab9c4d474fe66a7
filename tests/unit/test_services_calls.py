"""What the call log tells of each family of calls."""

from __future__ import annotations

import socket
import struct

from services import calls


def test_socket_options_are_named() -> None:
    told = calls.option((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), None, True)
    assert told.arguments == ["SOL_SOCKET", "SO_REUSEADDR", 1]


def test_an_option_of_one_level_is_not_named_after_another() -> None:
    told = calls.option((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), None, True)
    assert told.arguments == ["IPPROTO_TCP", "TCP_NODELAY", 1]


def test_an_option_that_python_has_no_name_for_is_named() -> None:
    told = calls.option((socket.IPPROTO_TCP, 19, 1), None, True)
    assert told.arguments == ["IPPROTO_TCP", "TCP_REPAIR", 1]


def test_an_option_that_nobody_knows_keeps_its_numbers() -> None:
    assert calls.option((7777, 1, 2), None, True).arguments == [7777, 1, 2]


def test_linger_is_told_by_its_fields() -> None:
    octets = struct.pack("ii", 1, 0)
    told = calls.option((socket.SOL_SOCKET, socket.SO_LINGER, octets), None, True)
    assert told.arguments == ["SOL_SOCKET", "SO_LINGER", [1, "0 s"]]


def test_a_limit_to_waiting_is_told_in_seconds() -> None:
    octets = struct.pack("ll", 1, 250_000)
    told = calls.option((socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16), octets, True)
    assert told.result == "1.25 s"


def test_a_number_in_a_structure_is_told_as_a_number() -> None:
    told = calls.option((socket.IPPROTO_TCP, 21, bytes(4)), None, True)
    assert told.arguments == ["IPPROTO_TCP", "TCP_QUEUE_SEQ", 0]


def test_a_name_among_the_options_is_told_as_text() -> None:
    told = calls.option((socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno\0\0"), None, True)
    assert told.arguments[-1] == "reno"


def test_a_group_is_told_by_its_address() -> None:
    octets = socket.inet_aton("239.1.2.3") + socket.inet_aton("0.0.0.0")
    told = calls.option((socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, octets), None, True)
    assert told.arguments[-1] == ["239.1.2.3", "0.0.0.0"]


def test_a_structure_of_the_wrong_size_is_told_in_hex() -> None:
    told = calls.option((socket.SOL_SOCKET, socket.SO_LINGER, b"\1"), None, True)
    assert told.arguments == ["SOL_SOCKET", "SO_LINGER", "01"]


def test_a_structure_that_is_not_known_is_told_in_hex() -> None:
    told = calls.option((socket.IPPROTO_TCP, socket.TCP_INFO, 2), b"\1\0", True)
    assert told.result == "0100"


def test_protocols_are_named_but_not_the_default() -> None:
    told = [
        calls.creation((socket.AF_INET, socket.SOCK_STREAM, number), 3, True).arguments[-1]
        for number in (0, 6, 262)
    ]
    assert told == [0, "IPPROTO_TCP", "IPPROTO_MPTCP"]


def test_flags_are_named() -> None:
    assert calls.recv((10, socket.MSG_PEEK), b"abc", True).arguments == [10, "MSG_PEEK"]


def test_directions_of_shutdown_are_named() -> None:
    assert calls.shutdown((socket.SHUT_WR,), None, True).arguments == ["SHUT_WR"]


def test_data_stands_as_its_length() -> None:
    told = calls.send((b"hello",), None, True)
    assert (told.arguments, told.octets, told.data) == ([5], 5, b"hello".hex())


def test_of_a_partial_send_only_what_went_is_shown() -> None:
    told = calls.send((b"hello",), 2, True)
    assert (told.arguments, told.octets, told.data) == ([5], 2, b"he".hex())


def test_nobody_knows_how_much_a_failed_sendall_sent() -> None:
    assert calls.send((b"hello",), None, False).octets is None


def test_at_most_64_octets_are_shown() -> None:
    assert calls.recv((100_000,), bytes(100_000), True).data == "00" * 64


def test_a_buffer_of_wider_items_counts_in_octets() -> None:
    told = calls.send((memoryview(bytes(8)).cast("I"),), 8, True)
    assert told.arguments == [8]


def test_sendto_names_the_other_end() -> None:
    told = calls.send((b"hi", socket.MSG_DONTWAIT, ("192.0.2.1", 9)), 2, True)
    assert told.peer == ["192.0.2.1", 9]
    assert told.arguments == [2, "MSG_DONTWAIT", ["192.0.2.1", 9]]


def test_recvfrom_names_the_sender() -> None:
    told = calls.recvfrom((1024,), (b"hi", ("192.0.2.1", 9)), True)
    assert (told.result, told.peer) == ([2, ["192.0.2.1", 9]], ["192.0.2.1", 9])


def test_gathered_buffers_are_one_piece_of_data() -> None:
    told = calls.sendmsg(([b"ab", b"cd"],), 4, True)
    assert (told.arguments, told.octets, told.data) == ([4], 4, b"abcd".hex())


def test_scattered_buffers_are_one_piece_of_data() -> None:
    told = calls.recvmsg_into(([bytearray(b"ab"), bytearray(b"c.")],), (3, [], 0, None), True)
    assert (told.octets, told.data) == (3, b"abc".hex())


def test_an_address_without_a_port_is_none_yet() -> None:
    assert calls.address(("0.0.0.0", 0)) is None


def test_an_ipv6_address_is_told_with_its_port() -> None:
    assert calls.address(("2001:db8::1", 80, 0, 0)) == ["2001:db8::1", 80]


def test_an_abstract_unix_name_is_written_with_an_at_sign() -> None:
    assert calls.address(b"\0lab") == "@lab"
