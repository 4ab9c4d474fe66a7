"""What the call log tells of each family of calls."""

from __future__ import annotations

import socket

from services import calls


def test_socket_options_are_named() -> None:
    told = calls.option((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), None, True)
    assert told.arguments == ["SOL_SOCKET", "SO_REUSEADDR", 1]


def test_an_option_of_one_level_is_not_named_after_another() -> None:
    told = calls.option((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), None, True)
    assert told.arguments == ["IPPROTO_TCP", "TCP_NODELAY", 1]


def test_a_structured_option_is_told_in_hex() -> None:
    told = calls.option((socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"), None, True)
    assert told.arguments == ["SOL_SOCKET", "SO_LINGER", "0100000000000000"]


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
