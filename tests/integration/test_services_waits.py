"""What a program asks its own kernel: real sockets on loopback."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import pytest

from services import waits

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    with near, far:
        yield near, far


def test_until_returns_when_the_condition_holds() -> None:
    answers = iter([False, False, True])
    waits.until(lambda: next(answers))
    assert next(answers, None) is None


def test_until_gives_up() -> None:
    with pytest.raises(TimeoutError):
        waits.until(lambda: False, seconds=0.01)


def test_what_lies_unread_is_counted(pair: Pair) -> None:
    near, far = pair
    near.sendall(b"hello")
    waits.until(lambda: waits.unread(far) == 5)
    far.recv(2)
    assert waits.unread(far) == 3


def test_all_is_acknowledged_in_the_end(pair: Pair) -> None:
    near, _ = pair
    near.sendall(b"hello")
    near.shutdown(socket.SHUT_WR)
    waits.acknowledged(near)
    assert waits.unacknowledged(near) == 0


def test_what_the_peer_cannot_take_is_not_acknowledged(pair: Pair) -> None:
    near, _ = pair
    near.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            near.send(bytes(1 << 20))
    assert waits.unacknowledged(near) > 0


def test_a_reset_is_heard_without_reading(pair: Pair) -> None:
    near, far = pair
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    waits.reset(near)
    with pytest.raises(ConnectionResetError):
        near.recv(1)


def test_a_fin_is_heard_without_reading(pair: Pair) -> None:
    near, far = pair
    far.shutdown(socket.SHUT_WR)
    waits.event(near, select.POLLRDHUP)
    assert near.recv(1) == b""


def test_sockets_are_counted_by_state(pair: Pair) -> None:
    assert waits.sockets("ESTABLISHED") >= 2
    assert waits.sockets() == 0


def test_a_counter_grows(pair: Pair) -> None:
    before = waits.counter("Tcp.OutSegs")
    pair[0].sendall(b"hello")
    waits.until(lambda: waits.counter("Tcp.OutSegs") > before)


def test_a_counter_that_does_not_exist_is_zero() -> None:
    assert waits.counter("Tcp.NoSuchThing") == 0
