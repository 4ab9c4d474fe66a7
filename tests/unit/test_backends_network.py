"""A topology as addresses, commands and sysctls: planned without touching the machine."""

from __future__ import annotations

from lab.backends.network import Network, Node, addresses, network_of
from lab.topology import CLIENT_AND_SERVER, ROUTED, Host, Router, Topology


def node(network: Network, name: str) -> Node:
    return next(one for one in network.nodes if one.name == name)


def planned(topology: Topology = CLIENT_AND_SERVER, *, ipv6: bool = True) -> Network:
    return network_of(topology, ipv6=ipv6)


def test_hosts_of_a_segment_count_from_2() -> None:
    assert addresses(CLIENT_AND_SERVER) == {
        "client": ("10.77.1.2", "fd77:1::2"),
        "server": ("10.77.1.3", "fd77:1::3"),
    }


def test_a_router_is_number_1_of_each_segment() -> None:
    commands = node(planned(ROUTED), "router").commands
    assert "address add 10.77.1.1/24 broadcast + dev eth1" in commands
    assert "address add 10.77.2.1/24 broadcast + dev eth2" in commands


def test_hosts_have_a_default_route_only_by_a_router() -> None:
    routes = [line for line in node(planned(ROUTED), "server").commands if "default" in line]
    assert routes == ["route add default via 10.77.2.1", "route add default via fd77:2::1"]
    assert not any("default" in line for line in node(planned(), "server").commands)


def test_each_segment_has_a_switch() -> None:
    lines = planned(ROUTED).switch
    assert sum("type bridge" in line for line in lines) == 2
    assert "link set server master switch2 up" in lines


def test_a_hosts_port_carries_its_name() -> None:
    assert any(
        line.startswith("link add name client ") and line.endswith("netns {client}")
        for line in planned().switch
    )


def test_a_routers_port_may_be_narrower_than_the_segment() -> None:
    narrow = Topology(ROUTED.hosts, routers=(Router(mtus={2: 1300}),))
    (line,) = (line for line in planned(narrow).switch if "name router2 " in line)
    assert "name router2 mtu 1500" in line
    assert "name eth2 mtu 1300" in line


def test_mac_addresses_are_local_unicast_and_differ() -> None:
    found = [
        word
        for line in planned(ROUTED).switch
        for word in line.split()
        if word.count(":") == 5 and len(word) == 17
    ]
    assert len(found) == len(set(found)) == 10
    assert all(int(mac[:2], 16) & 3 == 2 for mac in found)


def test_a_plain_name_means_ipv4() -> None:
    names = planned().names.splitlines()
    assert "10.77.1.3 server" in names
    assert "fd77:1::3 ip6-server" in names


def test_without_ipv6_nothing_speaks_of_it() -> None:
    network = planned(ROUTED, ipv6=False)
    lines = (network.names, *(line for one in network.nodes for line in one.commands))
    assert not any("fd77" in line or "::" in line for line in lines)


def test_what_a_host_asks_for_comes_with_it() -> None:
    asking = Host("client", addresses=("10.77.1.100/24",), sysctls={"net.ipv4.tcp_retries2": "3"})
    found = node(planned(Topology((asking,))), "client")
    assert "address add 10.77.1.100/24 dev eth0" in found.commands
    assert found.sysctls == {"net.ipv4.tcp_retries2": "3"}


def test_only_routers_forward() -> None:
    network = planned(ROUTED)
    forwards = {one.name: one.defaults["net.ipv4.ip_forward"] for one in network.nodes}
    assert forwards == {"client": "0", "server": "0", "router": "1"}
