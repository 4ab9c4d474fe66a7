"""What listens is known from the kernel, by sock_diag and by its tables alike."""

from __future__ import annotations

import socket

from services.listening import are_open, open_ports
from services.sockdiag import SockDiag


def test_a_listening_tcp_port_and_a_bound_udp_port_are_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(type=socket.SOCK_DGRAM) as bound,
    ):
        bound.bind(("127.0.0.1", 0))
        assert are_open([f"{listener.getsockname()[1]}/tcp", f"{bound.getsockname()[1]}/udp"])


def test_a_port_that_is_bound_but_does_not_listen_is_not_open() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert not are_open([f"{bound.getsockname()[1]}/tcp"])


def test_both_ways_of_asking_find_the_same_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, SockDiag() as diag:
        port = f"{listener.getsockname()[1]}/tcp"
        assert (port in set(diag.open_ports()), port in set(open_ports())) == (True, True)
