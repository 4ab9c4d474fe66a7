"""What an engine gives to the hosts of a topology: names, ways, settings, powers; and nothing else."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from lab.analyze import load_run
from lab.backends.base import Engine, Line
from lab.errors import EngineFailed, NotAvailable
from lab.run import play
from lab.scenarios.base import Scenario
from lab.text import same
from lab.topology import CLIENT_AND_SERVER, ROUTED, Host, Router, Topology
from lab.wire.matches import datagram
from lab.wire.rules import drop
from tests.checkout import Checkout, read_until
from tests.integration import engine_roles as role

Heard = dict[str, list[str]]
"""What the programs said, by host."""
UDP, TCP = {"server": (f"{role.PORT}/udp",)}, {"server": (f"{role.PORT}/tcp",)}
SIOCGIFADDR = 0x8915  # netdevice(7)
THREE = Topology((Host("client"), Host("server"), Host("attacker")))


@pytest.fixture(scope="module")
def hear(engine: Engine, own: Checkout) -> Callable[..., Heard]:
    """Play a few roles, named after their hosts; what they said."""

    def hear(
        topology: Topology = CLIENT_AND_SERVER,
        *,
        options: object = None,
        listens: object = None,
        rules: object = (),
        **roles: Callable[..., None],
    ) -> Heard:
        lines: list[Line] = []

        trial = Scenario(
            id="trial",
            title=same("trial"),
            teaches=(),
            topology=topology,
            roles=roles,
            options=options or {},
            listens=listens or {},
            rules=rules,
        )
        folder = play(engine, trial, own.captures, lambda words: None, lines.append)
        hosts = load_run(folder).manifest.hosts
        printed = "\n".join(f"{line.source}: {line.words}" for line in lines)
        assert not any(code for host in hosts for code in host.exit_codes or (1,)), printed
        heard: Heard = defaultdict(list)
        for line in lines:
            if line.words.startswith("> "):
                heard[line.source].append(line.words.removeprefix("> "))
        return heard

    return hear


# ---------------------------------------------------------------- names and ways


def test_hosts_of_two_segments_meet_through_the_router(hear: Callable[..., Heard]) -> None:
    heard = hear(ROUTED, listens=UDP, client=role.ask, server=role.answer_one)
    assert heard == {"client": ["heard"], "server": ["10.77.1.2 63"]}


def test_the_way_behind_the_router_may_be_narrower(hear: Callable[..., Heard]) -> None:
    narrow = Topology(ROUTED.hosts, routers=(Router(mtus={2: 1300}),))
    heard = hear(narrow, listens=UDP, client=role.learn_the_path_mtu, server=role.answer_one)
    assert heard["client"] == ["1300"]


def test_a_third_host_is_a_host_like_the_others(hear: Callable[..., Heard]) -> None:
    heard = hear(
        THREE, listens=UDP, client=role.stay_out, server=role.answer_one, attacker=role.ask
    )
    assert heard == {"attacker": ["heard"], "server": ["10.77.1.4 64"]}


def test_the_wire_joins_the_ports_of_all_hosts(hear: Callable[..., Heard]) -> None:
    heard = hear(
        THREE,
        listens=UDP,
        rules=(drop(datagram(sender="attacker"), nth=1),),
        client=role.stay_out,
        server=role.answer_one,
        attacker=role.ask_until_heard,
    )
    assert heard["attacker"] == ["heard"]


def test_a_host_may_have_further_addresses(hear: Callable[..., Heard]) -> None:
    two = Topology((Host("client", addresses=("10.77.1.100/24",)), Host("server")))
    options = {"client": {"source": "10.77.1.100"}}
    heard = hear(two, options=options, listens=UDP, client=role.ask, server=role.answer_one)
    assert heard["server"] == ["10.77.1.100 64"]


def test_a_host_that_cannot_be_made_is_an_error_that_names_it(hear: Callable[..., Heard]) -> None:
    wrong = Topology((Host("client"), Host("server", addresses=("nonsense",))))
    with pytest.raises(EngineFailed, match="server"):
        hear(wrong, client=role.stay_out, server=role.stay_out)


# ---------------------------------------------------------------- settings and powers


def test_a_sysctl_is_of_one_host_only(hear: Callable[..., Heard]) -> None:
    impatient = Host("server", sysctls={"net.ipv4.tcp_retries2": "3"})
    topology = Topology((Host("client"), impatient))
    heard = hear(topology, client=role.tell_setting, server=role.tell_setting)
    assert heard["server"] == ["3"]
    assert heard["client"] != ["3"]


def test_without_its_sysctl_a_scenario_is_not_available(hear: Callable[..., Heard]) -> None:
    asking = Host("client", sysctls={"net.ipv4.tcp_nonsense": "1"})
    with pytest.raises(NotAvailable) as refused:
        hear(Topology((asking, Host("server"))), client=role.stay_out, server=role.stay_out)
    assert refused.value.details["capability"] == "sysctl net.ipv4.tcp_nonsense=1"
    assert refused.value.details["reason"]


@pytest.mark.parametrize("powers", [(), ("NET_RAW",), ("NET_ADMIN",), ("NET_RAW", "NET_ADMIN")])
def test_programs_have_the_powers_that_the_topology_says(
    hear: Callable[..., Heard], powers: tuple[str, ...]
) -> None:
    topology = Topology((Host("client"), Host("server", capabilities=powers)))
    heard = hear(topology, client=role.use_powers, server=role.use_powers)
    granted = {line.removesuffix(" yes") for line in heard["server"] if line.endswith(" yes")}
    assert granted == set(powers)
    assert heard["client"] == ["NET_RAW no", "NET_ADMIN no"]


def test_programs_with_net_admin_change_the_settings_of_their_own_host(
    hear: Callable[..., Heard],
) -> None:
    topology = Topology((Host("client"), Host("server", capabilities=("NET_ADMIN",))))
    heard = hear(topology, client=role.tell_setting, server=role.change_setting)
    assert heard["server"] == ["7"]
    assert heard["client"] != ["7"]


# ---------------------------------------------------------------- the fence


@pytest.fixture
def outside() -> Iterator[list[tuple[str, int]]]:
    """This machine, by each of its addresses and with somebody who listens; and somewhere else."""
    with socket.create_server(("", 0)) as listener:
        port = listener.getsockname()[1]
        yield [*((address, port) for address in addresses()), role.FAR_AWAY]


def addresses() -> Iterator[str]:
    """The IPv4 addresses of this machine, those of the loopback left out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without any
                request = struct.pack("16s16x", name.encode())
                address = socket.inet_ntoa(fcntl.ioctl(asking, SIOCGIFADDR, request)[20:24])
                if not address.startswith("127."):
                    yield address


@pytest.mark.parametrize("topology", [CLIENT_AND_SERVER, ROUTED], ids=["plain", "routed"])
def test_there_is_no_way_out(
    hear: Callable[..., Heard], outside: list[tuple[str, int]], topology: Topology
) -> None:
    options = {"client": {"places": outside}}
    heard = hear(topology, options=options, client=role.try_to_leave, server=role.stay_out)
    tried = [f"{address} {kind} no" for address, _ in outside for kind in ("tcp", "udp")]
    assert heard["client"] == tried


# ---------------------------------------------------------------- one run after another


def test_nothing_of_a_run_reaches_the_next(hear: Callable[..., Heard]) -> None:
    hear(listens=TCP, client=role.leave_traces, server=role.accept_one)
    heard = hear(client=role.look_for_traces, server=role.look_for_traces)
    assert heard == {"client": ["0 0 0"], "server": ["0 0 0"]}


def test_two_runs_at_once_do_not_meet(hear: Callable[..., Heard]) -> None:
    def once(_: int) -> Heard:
        return hear(listens=UDP, client=role.ask, server=role.answer_one)

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(once, range(2)))
    assert both == [{"client": ["heard"], "server": ["10.77.1.2 64"]}] * 2


def test_what_a_killed_runner_leaves_is_in_nobodys_way(
    hear: Callable[..., Heard], engine: Engine, own: Checkout
) -> None:
    with own.starting("run", "syn_blackhole", "--engine", engine.name) as process:
        read_until(process, "handshake 1 of 3")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    heard = hear(listens=UDP, client=role.ask, server=role.answer_one)
    assert heard["client"] == ["heard"]
    assert not list(own.captures.glob(".*.partial"))


def test_down_takes_what_a_killed_runner_left(
    hear: Callable[..., Heard], engine: Engine, own: Checkout
) -> None:
    with own.starting("run", "syn_blackhole", "--engine", engine.name) as process:
        read_until(process, "handshake 1 of 3")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    engine.down()
    again = engine.down()
    assert (again.containers, again.networks) == (0, 0)
