"""The network of a run on the namespaces engine: a topology as addresses, `ip` commands, sysctls.

Segment S is 10.77.S.0/24 and fd77:S::/64 on the bridge ``switchS`` of the switch's namespace. Its
router has the number 1 there, the hosts count from 2 (or `Topology.first_host`): 10.77.1.2. These
namespaces have no way out, so the addresses cannot clash with any of the machine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from msgspec import Struct

from lab.topology import Host, Router, Topology

# A new namespace takes over some settings of the machine: here they are the same everywhere. Ports
# below 1024 need no privilege, as in Docker's containers. Congestion control and buffers are what
# Linux brings along. IPv6 is usable at once (no duplicate address detection) and keeps silent unless it is used.
_OF_ALL = {
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.tcp_congestion_control": "cubic",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.router_solicitations": "0",
    "net.ipv6.conf.default.addr_gen_mode": "1",  # no link-local address
    "net.ipv6.conf.default.mldv2_unsolicited_report_interval": "1",  # ms: over before any tap
}
_FORWARDING = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")


class Node(Struct, frozen=True):
    """What makes a namespace a host or a router, in the order in which it is done."""

    name: str
    defaults: Mapping[str, str]  # sysctls before it has an interface; unknown ones are passed over
    commands: tuple[str, ...]  # lines of `ip -batch`, run inside
    sysctls: Mapping[str, str]  # what the topology asks for; unknown ones are an error


class Network(Struct, frozen=True):
    """The whole network, ready to be built."""

    nodes: tuple[Node, ...] = ()
    switch: tuple[
        str, ...
    ] = ()  # lines of `ip -batch` for the switch; "{client}" is that node's pid
    names: str = ""  # /etc/hosts of every node


class Interface(Struct, frozen=True):
    """Where a node is plugged in; ``port`` is the other end of its cable, on the switch."""

    name: str
    port: str
    segment: int
    number: int
    mtu: int

    @property
    def ipv4(self) -> str:
        return f"10.77.{self.segment}.{self.number}"

    @property
    def ipv6(self) -> str:
        return f"fd77:{self.segment:x}::{self.number:x}"

    def mac(self, end: int) -> str:
        """The stable address of one end of the cable: 0 at the node, 1 at the switch."""
        return f"02:77:00:{end:02x}:{self.segment:02x}:{self.number:02x}"


def network_of(topology: Topology, *, ipv6: bool) -> Network:
    """Plan the network; ``ipv6`` says whether this kernel has it."""
    places = dict(_places(topology))
    segments = sorted({host.segment for host in topology.hosts})
    links = [line for name, plugs in places.items() for line in _links(name, plugs, topology.mtu)]
    return Network(
        nodes=(
            *(_host(host, places[host.name][0], topology, ipv6) for host in topology.hosts),
            *(_router(router, places[router.name], ipv6) for router in topology.routers),
        ),
        switch=(*chain.from_iterable(_switch(segment) for segment in segments), *links),
        names="".join(_names(places, ipv6)),
    )


def addresses(topology: Topology) -> dict[str, tuple[str, str]]:
    """The IPv4 and IPv6 address of each node (of a router: in its first segment)."""
    return {name: (plugs[0].ipv4, plugs[0].ipv6) for name, plugs in _places(topology)}


def _places(topology: Topology) -> Iterator[tuple[str, list[Interface]]]:
    for number, host in enumerate(topology.hosts, topology.first_host):
        name, segment = host.name, host.segment
        yield name, [Interface("eth0", name, segment, number, topology.mtu)]
    segments = sorted({host.segment for host in topology.hosts})
    for router in topology.routers:
        yield (
            router.name,
            [
                Interface(
                    f"eth{segment}",
                    f"{router.name}{segment}",
                    segment,
                    1,
                    router.mtus.get(segment, topology.mtu),
                )
                for segment in segments
            ],
        )


def _switch(segment: int) -> Iterator[str]:
    """A bridge that forwards from its first moment and never speaks itself."""
    quiet = "forward_delay 0 stp_state 0 mcast_snooping 0"
    yield f"link add switch{segment} address 02:77:00:02:{segment:02x}:00 type bridge {quiet}"
    yield f"link set switch{segment} up"


def _links(name: str, plugs: list[Interface], mtu: int) -> Iterator[str]:
    for plug in plugs:
        inner = f"name {plug.name} mtu {plug.mtu} address {plug.mac(0)} netns {{{name}}}"
        outer = f"name {plug.port} mtu {mtu} address {plug.mac(1)}"
        yield f"link add {outer} type veth peer {inner}"
        yield f"link set {plug.port} master switch{plug.segment} up"


def _host(host: Host, plug: Interface, topology: Topology, ipv6: bool) -> Node:
    further = (f"address add {address} dev eth0" for address in host.addresses)
    # No default route without a router; what is for everybody needs one all the same.
    routes = [f"route add {net} dev eth0" for net in ("224.0.0.0/4", "255.255.255.255/32")]
    if topology.routers:
        router = Interface("", "", plug.segment, 1, 0)
        gateways = (router.ipv4, router.ipv6) if ipv6 else (router.ipv4,)
        routes += [f"route add default via {gateway}" for gateway in gateways]
    commands = ("link set lo up", *_configure(plug, ipv6), *further, *routes)
    return Node(host.name, _defaults(forwarding=False), commands, host.sysctls)


def _router(router: Router, plugs: list[Interface], ipv6: bool) -> Node:
    inside = chain.from_iterable(_configure(plug, ipv6) for plug in plugs)
    commands = ("link set lo up", *inside)
    return Node(router.name, _defaults(forwarding=True), commands, router.sysctls)


def _defaults(*, forwarding: bool) -> dict[str, str]:
    """Forwarding first: changing it resets others."""
    return dict.fromkeys(_FORWARDING, str(int(forwarding))) | _OF_ALL


def _configure(plug: Interface, ipv6: bool) -> Iterator[str]:
    yield f"address add {plug.ipv4}/24 broadcast + dev {plug.name}"
    if ipv6:
        yield f"address add {plug.ipv6}/64 dev {plug.name} nodad"
    yield f"link set {plug.name} up"


def _names(places: Mapping[str, list[Interface]], ipv6: bool) -> Iterator[str]:
    """A plain name means IPv4, as it does in Docker's network; IPv6 is asked for: ip6-server."""
    yield "127.0.0.1 localhost\n"
    if ipv6:
        yield "::1 ip6-localhost\n"
    for name, (plug, *_) in places.items():
        yield f"{plug.ipv4} {name}\n"
        if ipv6:
            yield f"{plug.ipv6} ip6-{name}\n"
