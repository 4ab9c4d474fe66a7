"""What containers are made of: no more power than each needs, and the same for the same topology."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.backends.containers import RECIPE, Config, Place, nodes, orders, switch, tools
from lab.backends.machines import refusal
from lab.backends.network import network_of
from lab.errors import EngineFailed, NotAvailable
from lab.scenarios.base import Scenario
from lab.text import same
from lab.topology import CLIENT_AND_SERVER, ROUTED, Host, Topology
from lab.wire.matches import segment
from lab.wire.rules import drop

PLACE = Place(Path("/lab"), "lab1", 1, "image", "en")


def made(topology: Topology = CLIENT_AND_SERVER, *, ipv6: bool = True) -> dict[str, Config]:
    return nodes(PLACE, topology, network_of(topology, ipv6=ipv6))


def trial(topology: Topology, *, rules: bool = False) -> Scenario:
    return Scenario(
        id="trial",
        title=same("trial"),
        teaches=(),
        topology=topology,
        rules=(drop(segment()),) if rules else (),
    )


def beside(topology: Topology, *, rules: bool = False) -> dict[str, Config]:
    return tools(PLACE, trial(topology, rules=rules), "0123")


def host_config(config: Config) -> Mapping[str, Any]:
    found: Mapping[str, Any] = config["HostConfig"]
    return found


EVERY = [switch(PLACE), *made(ROUTED).values(), *beside(ROUTED, rules=True).values()]


@pytest.mark.parametrize("config", EVERY, ids=lambda config: config["Labels"]["lab.node"])
def test_a_container_has_only_the_powers_it_names(config: Config) -> None:
    host = host_config(config)
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"] is True
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert "Privileged" not in host


@pytest.mark.parametrize("config", EVERY, ids=lambda config: config["Labels"]["lab.node"])
def test_no_container_has_a_network_of_docker(config: Config) -> None:
    assert host_config(config)["NetworkMode"] in ("none", "container:0123")


def test_only_who_asks_for_powers_has_more() -> None:
    armed = made(Topology((Host("client"), Host("attacker", capabilities=("NET_RAW",)))))
    more = {*host_config(armed["attacker"])["CapAdd"]} - {*host_config(armed["client"])["CapAdd"]}
    assert more == {"NET_RAW"}


def test_only_who_has_net_admin_may_write_settings() -> None:
    armed = made(Topology((Host("client"), Host("server", capabilities=("NET_ADMIN",)))))
    assert "ReadonlyPaths" not in host_config(armed["client"])
    shut = host_config(armed["server"])["ReadonlyPaths"]
    assert "/proc/sys/kernel" in shut
    assert not {"/proc/sys", "/proc/sys/net"} & {*shut}


def test_a_sysctl_makes_another_container_of_its_host_alone() -> None:
    patient = Topology((Host("client"), Host("server", sysctls={"net.ipv4.tcp_retries2": "3"})))
    before, after = made(), made(patient)
    recipes = [
        {name: one["Labels"][RECIPE] for name, one in all_.items()} for all_ in (before, after)
    ]
    assert recipes[0]["client"] == recipes[1]["client"]
    assert recipes[0]["server"] != recipes[1]["server"]
    assert host_config(after["server"])["Sysctls"]["net.ipv4.tcp_retries2"] == "3"


def test_without_ipv6_no_sysctl_of_it_keeps_a_container_from_starting() -> None:
    names = [name for one in made(ipv6=False).values() for name in host_config(one)["Sysctls"]]
    assert names
    assert not any(name.startswith("net.ipv6.") for name in names)


def test_hosts_know_each_other_by_name() -> None:
    assert {"client:10.77.1.2", "server:10.77.2.3", "ip6-server:fd77:2::3"} <= {
        *host_config(made(ROUTED)["client"])["ExtraHosts"]
    }


def test_a_router_forwards_and_runs_no_program() -> None:
    router = made(ROUTED)["router"]
    assert host_config(router)["Sysctls"]["net.ipv4.ip_forward"] == "1"
    assert router["Cmd"][-1] == "--"


def test_the_wire_comes_where_there_are_rules() -> None:
    assert "wire" not in beside(ROUTED)
    assert "wire" in beside(ROUTED, rules=True)


def test_sniffer_and_wire_are_the_same_for_every_scenario() -> None:
    """They get their orders when a run begins: another scenario needs no other container."""
    assert beside(ROUTED, rules=True) == beside(CLIENT_AND_SERVER, rules=True)


@pytest.mark.parametrize("tool", ["sniffer", "wire"])
def test_orders_name_all_hosts(tool: str) -> None:
    three = Topology((Host("client"), Host("server"), Host("attacker")))
    words = orders(PLACE, trial(three), quiet=False)[tool]
    assert [words[at + 1] for at, word in enumerate(words) if word == "--host"] == [*three.names]


@pytest.mark.parametrize(
    "said",
    [
        "invalid argument: sysctl 'net.x.y' is not allowed",
        "runc: write sysctl key net.x.y: open /proc/sys/net/x/y: no such file or directory: unknown",
    ],
)
def test_a_sysctl_that_is_refused_makes_a_scenario_not_available(said: str) -> None:
    error = refusal(said, {"HostConfig": {"Sysctls": {"net.x.y": "1"}}})
    assert isinstance(error, NotAvailable)
    assert error.details["capability"] == "sysctl net.x.y=1"


def test_any_other_refusal_is_the_engines_own() -> None:
    assert isinstance(refusal("no space left", {"HostConfig": {"Sysctls": {}}}), EngineFailed)
