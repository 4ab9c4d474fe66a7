"""The receive ring on real interfaces: every frame, of this interface only, as the kernel saw it."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from select import POLLIN, poll

import pytest
from capture_network import frame as numbered
from capture_network import ip, number, own_network, send, take, veth

from lab.capture.ring import PACKET_OUTGOING, Ring

pytestmark = pytest.mark.root

BURST = 25_000


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
def port() -> int:
    """The interface index of ``near``, whose other end is ``far``."""
    return veth("far", "near")


@pytest.fixture
def ring(port: int) -> Iterator[Ring]:
    with closing(Ring(port)) as opened:
        opened.start()
        yield opened


def test_a_burst_arrives_whole_and_in_order(ring: Ring) -> None:
    send("far", *map(numbered, range(BURST)))
    assert [number(one.octets) for one in take(ring, BURST)] == list(range(BURST))


def test_a_burst_that_fits_the_ring_drops_nothing(ring: Ring) -> None:
    send("far", *map(numbered, range(BURST)))
    assert ring.statistics() == (BURST, 0)


def test_octets_are_those_that_were_sent(ring: Ring) -> None:
    sent = numbered(7)[:14] + bytes(range(256)) * 5
    send("far", sent)
    assert take(ring, 1)[0].octets == sent


def test_the_length_on_the_wire_is_given(ring: Ring) -> None:
    send("far", numbered(size=1514))
    assert take(ring, 1)[0].length == 1514


def test_the_time_is_when_the_kernel_saw_the_frame(ring: Ring) -> None:
    before = time.time_ns()
    send("far", numbered())
    after = time.time_ns()
    assert before <= take(ring, 1)[0].time <= after


def test_times_have_nanoseconds(ring: Ring) -> None:
    send("far", *map(numbered, range(50)))
    assert any(one.time % 1000 for one in take(ring, 50))


def test_both_directions_are_received_and_told_apart(ring: Ring) -> None:
    send("far", numbered(1))
    send("near", numbered(2))
    kinds = {number(one.octets): one.packet_type for one in take(ring, 2)}
    assert (kinds[1] == PACKET_OUTGOING, kinds[2] == PACKET_OUTGOING) == (False, True)


def test_a_vlan_tag_that_the_kernel_took_off_is_put_back(ring: Ring) -> None:
    tagged = numbered()[:12] + bytes.fromhex("8100 600a") + numbered(9)[12:]
    send("far", tagged)
    assert take(ring, 1)[0][1:] == (len(tagged), 3, tagged)  # 3: PACKET_OTHERHOST


def test_nothing_is_received_before_the_start(port: int) -> None:
    with closing(Ring(port)) as opened:
        send("far", numbered(1))
        opened.start()
        send("far", numbered(2))
        assert [number(one.octets) for one in take(opened, 1)] == [2]


def test_nothing_of_another_interface_is_received(ring: Ring) -> None:
    veth("other", "another")
    send("other", numbered(1))
    send("far", numbered(2))
    assert [number(one.octets) for one in take(ring, 1)] == [2]
    assert ring.statistics().seen == 1


def test_nothing_is_received_after_the_stop(ring: Ring) -> None:
    send("far", numbered(1))
    ring.stop()
    send("far", numbered(2))
    assert [number(one.octets) for one in take(ring, 1)] == [1]
    assert ring.settled
    assert ring.statistics().seen == 1


def test_a_ring_is_settled_only_when_all_it_kept_was_taken(ring: Ring) -> None:
    send("far", numbered(1))
    assert not ring.settled
    take(ring, 1)
    assert ring.settled


def test_a_ring_that_overflows_says_how_much_it_dropped(port: int) -> None:
    with closing(Ring(port, block_size=4096, blocks=2)) as small:
        small.start()
        send("far", *map(numbered, range(500)))
        seen, dropped = small.statistics()
        assert (seen, dropped > 0) == (500, True)
        assert len(take(small, 500 - dropped)) == 500 - dropped
        assert small.settled


def test_a_small_ring_goes_round_many_times(port: int) -> None:
    with closing(Ring(port, block_size=4096, blocks=4)) as small:
        small.start()
        taken = []
        for first in range(0, 2000, 20):
            send("far", *map(numbered, range(first, first + 20)))
            taken += [number(one.octets) for one in take(small, 20)]
        assert taken == list(range(2000))


def test_an_interface_that_was_removed_is_noticed(ring: Ring) -> None:
    assert not ring.gone
    ip("link del near")
    assert poll_once(ring)
    assert ring.gone


def test_after_the_removal_poll_waits_again(ring: Ring) -> None:
    ip("link del near")
    assert ring.gone
    assert not poll_once(ring, seconds=0)


def test_frames_from_before_the_removal_can_be_taken(ring: Ring) -> None:
    send("far", numbered(3))
    ip("link del near")
    assert ring.gone
    assert [number(one.octets) for one in take(ring, 1)] == [3]


def test_an_interface_that_is_only_down_is_not_gone(ring: Ring) -> None:
    ip("link set near down")
    assert not ring.gone
    ip("link set near up")
    send("far", numbered(4))
    assert [number(one.octets) for one in take(ring, 1)] == [4]


def test_an_interface_that_is_not_here_cannot_be_opened() -> None:
    with pytest.raises(OSError, match="No such device") as caught:
        Ring(4711)
    assert caught.value.errno in {errno.ENXIO, errno.ENODEV}


def test_closing_twice_does_no_harm(port: int) -> None:
    opened = Ring(port)
    opened.close()
    opened.close()


def test_without_net_raw_capturing_is_forbidden() -> None:
    program = "from lab.capture.ring import open_socket; open_socket()"
    command = ["setpriv", "--bounding-set=-net_raw", sys.executable, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "CaptureForbidden" in said.stderr


def test_net_raw_alone_is_enough(port: int) -> None:
    program = f"from lab.capture.ring import Ring; Ring({port}).start()"
    command = ["setpriv", "--bounding-set=-all,+net_raw", sys.executable, "-c", program]
    assert subprocess.run(command, check=False).returncode == 0


def poll_once(ring: Ring, seconds: float = 10) -> bool:
    waiting = poll()
    waiting.register(ring, POLLIN)
    return bool(waiting.poll(seconds * 1000))


def test_the_port_is_named_as_the_kernel_names_it(ring: Ring) -> None:
    assert (ring.name, ring.hardware_type) == ("near", socket.ntohs(0x0100))  # ARPHRD_ETHER
