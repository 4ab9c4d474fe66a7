"""Who takes part in a run, and where the taps are: hosts, switches, and routers between them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

DEFAULT_MTU = 1500
FIRST_HOST = 2  # the last number of the first host's address; the router has 1


class Host(Struct, frozen=True):
    """A machine of the lab; its port on the switch is where its capture is taken."""

    name: str
    segment: int = 1  # the switch it is plugged into; a router joins segments
    addresses: tuple[str, ...] = ()  # further ones, "10.77.1.100/24"
    sysctls: Mapping[str, str] = {}  # of its network namespace: "net.ipv4.tcp_retries2": "3"
    capabilities: tuple[str, ...] = ()  # of its programs: "NET_RAW", "NET_ADMIN"


class Router(Struct, frozen=True):
    """Forwards between all segments, with a port in each; it runs no programs and has no tap."""

    name: str = "router"
    mtus: Mapping[int, int] = {}  # of its port in a segment, where not the topology's
    sysctls: Mapping[str, str] = {}


class Topology(Struct, frozen=True):
    """Hosts joined by a switch a segment. The first host is the originator in every ladder."""

    hosts: tuple[Host, ...]
    mtu: int = DEFAULT_MTU
    routers: tuple[Router, ...] = ()
    first_host: int = FIRST_HOST  # the others count on from it

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(host.name for host in self.hosts)


CLIENT_AND_SERVER = Topology((Host("client"), Host("server")))
ROUTED = Topology((Host("client"), Host("server", segment=2)), routers=(Router(),))
