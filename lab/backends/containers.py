"""What the containers of a lab are made of, as the Docker Engine API wants to hear it.

    switch    no network but its own, with the bridges; may see the machine's processes, to find a
              host by its pid and plug it in
    host      no network until it is plugged in; one a host of the topology, and one a router
    sniffer   in the switch's network: records the hosts' ports
    wire      in the switch's network, if the scenario has rules: carries frames between the ports

Docker's own networks would do for a client and a server. But their bridges belong to the machine,
whose firewall sees each bridged frame where br_netfilter is loaded (Docker loads it): an `internal`
network then drops spoofed, multicast and routed packets, connection tracking puts fragments together,
and each lab takes a subnet away. Here the network is the one of the namespaces engine, of the same
plan (network.py), with the same addresses, and with no way out: nothing joins it to the machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from lab.backends.network import Network, Node
from lab.plan import WIRE
from lab.scenarios.base import Scenario
from lab.topology import Topology

CHECKOUT = "com.docker.compose.project.working_dir"
"""The label that says whose a container is: compose's own, on those of the engine as well."""
LAB, NODE, RECIPE, ROLE = "lab.number", "lab.node", "lab.recipe", "lab.role"
SWITCH, SNIFFER = "switch", "sniffer"
FOLDER = ".docker"
"""Below captures/: a folder a lab, by its number."""

_PYTHON = ["python3", "-m"]
_SETTINGS = "/proc/sys"
_KEPT = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sysrq-trigger")]  # read-only, as ever
_OTHER_SETTINGS = [
    f"{_SETTINGS}/{name}" for name in ("abi", "debug", "dev", "fs", "kernel", "user", "vm")
]

_ALLOWED = {"net.ipv4.tcp_congestion_control": "net.ipv4.tcp_allowed_congestion_control"}
_AHEAD = {
    SNIFFER: ["lab.cli.sniff", "lab.capture.recorder", "lab.report.narrator", "lab.report.account"],
    WIRE: ["lab.cli.wire", "lab.wire.relay", "lab.wire.words"],
}
"""What takes long to import."""

Config = dict[str, Any]
"""The body of POST /containers/create."""


class Place(Struct, frozen=True):
    """Where containers belong: the lab with this number of this checkout."""

    root: Path
    project: str
    number: int
    image: str
    language: str

    @property
    def folder(self) -> str:
        """Where the plan of a run lies, and the link to its folder, below captures/."""
        return f"{FOLDER}/{self.number}"

    @property
    def run(self) -> str:
        """The link that leads to the run's folder, as containers see it."""
        return f"/captures/{self.folder}/run"

    def container(self, node: str, role: str, command: Iterable[str], **host: object) -> Config:
        """The least that any of them needs; ``host`` is added to its HostConfig."""
        config: Config = {
            "Image": self.image,
            "Cmd": list(command),
            "Env": [f"LAB_LANG={self.language}"],
            "HostConfig": {
                "Init": True,
                "ReadonlyRootfs": True,
                "Tmpfs": {"/tmp": "mode=1777"},  # noqa: S108  for sockets with names
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges:true"],
                "Binds": [f"{self.root}/captures:/captures:z"],
                **host,
            },
            "Labels": {
                ROLE: role,
                CHECKOUT: str(self.root),
                LAB: str(self.number),
                NODE: node,
            },
        }
        digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
        config["Labels"][RECIPE] = digest
        return config

    def name_of(self, node: str) -> str:
        """What a container is called."""
        return f"{self.project}-{self.number}-{node}"


_OF_NODES = ["NET_ADMIN", "SETUID", "SETGID", "KILL"]
"""NET_ADMIN: addresses, offload off. The others: programs run without any privilege."""
_UNCONFINED = ["no-new-privileges:true", "apparmor=unconfined"]
"""Docker's AppArmor profile keeps /proc/sys shut, and one container from another's namespace."""


def switch(place: Place) -> Config:
    """It only has to be there; ends at once when told to.

    It holds what any node may hold: ip(8) opens /proc/PID/ns/net to plug a node in, which takes all
    the capabilities of that process (ptrace(2), "Ptrace access mode checking").
    """
    config = place.container(
        SWITCH,
        SWITCH,
        ["sleep", "infinity"],
        Init=False,
        NetworkMode="none",
        PidMode="host",
        CapAdd=[*_OF_NODES, "NET_RAW"],
        SecurityOpt=_UNCONFINED,
    )
    return config | {"StopSignal": "SIGKILL"}


def nodes(place: Place, topology: Topology, network: Network) -> dict[str, Config]:
    """The hosts and routers of a topology, by name; each waits for its cable (services/cabled.py)."""
    powers = {host.name: host.capabilities for host in topology.hosts}
    names = _names(network)
    return {node.name: _node(place, node, powers.get(node.name), names) for node in network.nodes}


def _node(place: Place, node: Node, powers: tuple[str, ...] | None, names: list[str]) -> Config:
    """``powers``: what the programs of a host are given; a router has None, and runs none."""
    words = [] if powers is None else [node.name, "--run", place.run]
    config = place.container(
        node.name,
        "router" if powers is None else "host",
        [*_PYTHON, "services.cabled", *node.commands, "--", *words],
        NetworkMode="none",
        CapAdd=sorted({*_OF_NODES, *(powers or ())}),
        Sysctls=_known(node) | dict(node.sysctls),
        ExtraHosts=names,
        **(_OWN_SETTINGS if "NET_ADMIN" in (powers or ()) else {}),
    )
    return config | {"Hostname": node.name}


_OWN_SETTINGS: Mapping[str, object] = {
    "ReadonlyPaths": [*_KEPT, *_OTHER_SETTINGS],  # leaves /proc/sys/net, its own, to be written
    "SecurityOpt": _UNCONFINED,
}
"""For a host whose programs may change what is its own: Docker keeps all of /proc/sys shut."""


def tools(place: Place, scenario: Scenario, switch_id: str) -> dict[str, Config]:
    """The sniffer, and the wire where it is needed; on standby until they get their orders."""
    beside = f"container:{switch_id}"
    found = {SNIFFER: _tool(place, SNIFFER, SNIFFER, beside, ["NET_RAW", "SETUID", "SETGID"])}
    if scenario.rules:
        powers = ["NET_ADMIN", "NET_RAW", "CHOWN", "DAC_OVERRIDE", "SYS_NICE"]
        found[WIRE] = _tool(place, WIRE, "relay", beside, powers)
    return found


def _tool(place: Place, node: str, role: str, beside: str, powers: list[str]) -> Config:
    command = [*_PYTHON, "lab.backends.standby", *_AHEAD[node]]
    config = place.container(node, role, command, NetworkMode=beside, CapAdd=powers)
    return config | {"OpenStdin": True, "StdinOnce": True}


def orders(place: Place, scenario: Scenario, *, quiet: bool) -> dict[str, list[str]]:
    """What the tools are told when a run begins: a module and its command line.

    ``quiet``: the sniffer tells no frame.
    """
    hosts = [word for name in scenario.topology.names for word in ("--host", name)]
    sniff = ["lab.capture.sniffer"] if quiet else ["lab.cli", "sniff", "--no-report"]
    sniff += ["--engine", "docker", "--scenario", scenario.id, *hosts]
    plan = f"/captures/{place.folder}/plan"
    return {
        SNIFFER: [*sniff, "--captures", "/captures", "--plan", plan, "--ready", place.run],
        WIRE: ["lab.cli", "wire", "--run", place.run, *hosts],
    }


def _names(network: Network) -> list[str]:
    """``/etc/hosts`` of the network as "NAME:ADDRESS"; Docker itself adds those of the loopback."""
    rows = (line.split() for line in network.names.splitlines())
    return [f"{name}:{address}" for address, name in rows if "localhost" not in name]


def _known(node: Node) -> dict[str, str]:
    """The defaults that this kernel lets a namespace have: others keep a container from starting."""
    speaks_ipv6 = any("::" in line for line in node.commands)
    return {
        name: value
        for name, value in node.defaults.items()
        if (speaks_ipv6 or not name.startswith("net.ipv6.")) and _is_allowed(name, value)
    }


def _is_allowed(name: str, value: str) -> bool:
    """Whether a value is among those that the machine allows, where it keeps a list of them."""
    listed = Path(_SETTINGS, *_ALLOWED.get(name, "").split("."))
    return not listed.is_file() or value in listed.read_text().split()
