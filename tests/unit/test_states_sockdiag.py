"""What the kernel's answer to a dump holds, on kernels old and new."""

from __future__ import annotations

import socket
import struct

import pytest

from services.sockdiag import SOCKET, Reading, address_text, info_layout, reading

STATE_ESTABLISHED, STATE_LISTEN = 1, 10
LOCAL, PEER = b"\x0a\0\0\1".ljust(16, b"\0"), b"\x0a\0\0\2".ljust(16, b"\0")


def message(state: int, *attributes: bytes, queues: tuple[int, int] = (0, 0)) -> bytes:
    ports = (40000).to_bytes(2, "big"), (80).to_bytes(2, "big")
    head = SOCKET.pack(
        socket.AF_INET, state, 1, 2, *ports, LOCAL, PEER, 0, 77, 204, *queues, 1000, 5
    )
    return head + b"".join(attributes)


def attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content.ljust(-len(content) % 4, b"\0")


def numbers(found: Reading) -> dict[str, int]:
    return dict(zip(found.names, found.numbers, strict=True))


def test_a_connection_is_read_with_its_ends_and_its_timer() -> None:
    found = reading("tcp", message(STATE_ESTABLISHED))
    assert (found.local, found.peer) == (("10.0.0.1", 40000), ("10.0.0.2", 80))
    assert (found.state, found.timer, found.expires) == ("ESTABLISHED", "retransmission", 204)
    assert (found.cookie, found.owner) == (77, (1000, 5))


def test_the_queues_of_a_listener_are_its_accept_queue_and_its_backlog() -> None:
    found = reading("tcp", message(STATE_LISTEN, queues=(3, 128)))
    assert numbers(found) == {"accept_queue": 3, "backlog": 128}


def test_numbers_are_read_where_struct_tcp_info_has_them() -> None:
    information = bytearray(248)
    struct.pack_into("=I", information, 80, 10)
    struct.pack_into("=Q", information, 120, 1 << 40)
    found = numbers(reading("tcp", message(STATE_ESTABLISHED, attribute(2, bytes(information)))))
    assert (found["cwnd"], found["bytes_acked"]) == (10, 1 << 40)


@pytest.mark.parametrize(("length", "last"), [(104, "total_retrans"), (232, "snd_wnd")])
def test_an_older_kernels_shorter_struct_ends_the_list(length: int, last: str) -> None:
    layout, names = info_layout(length)
    assert names[-1] == last
    assert layout.size <= length


def test_a_cut_attribute_is_no_attribute() -> None:
    whole = message(STATE_ESTABLISHED)
    assert reading("tcp", whole + b"\x01\0\x02\0") == reading("tcp", whole)


def test_an_ipv4_mapped_address_is_written_as_on_the_wire() -> None:
    mapped = bytes(10) + b"\xff\xff\x0a\0\0\1"
    assert address_text(socket.AF_INET6, mapped) == "10.0.0.1"
