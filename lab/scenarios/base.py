"""What a scenario is: who does what, and what must be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from lab.text import Text
from lab.topology import CLIENT_AND_SERVER, Topology

if TYPE_CHECKING:
    from lab.evidence.run import Evidence
    from lab.wire.rules import Rule


class Seen(Struct, frozen=True):
    """What a promise found: whether it was kept, in words, and the frames that show it."""

    kept: bool
    words: Text
    frames: tuple[int, ...] = ()  # numbers in the originator's capture
    late: bool = False  # not kept, as a program got the processor too late: another run will tell


class Promise(Struct, frozen=True):
    """One thing that must be seen in every run of a scenario: a relation, not a constant."""

    id: str
    words: Text
    check: Callable[[Evidence], Seen]


class Scenario(Struct, frozen=True, kw_only=True):
    """One experiment: what the hosts do, what the wire does, what must be seen, what it teaches.

    What a host does is either a function of the scenario's own file (``roles``: plain socket code,
    see lab/scenarios/programs.py) or a command line of programs under services/ (``programs``:
    joined by "&" they run side by side, by ";" one after another, as in a shell).
    """

    id: str
    title: Text
    group: str = "other"  # a key of GROUPS
    level: int = 1  # 1 first steps, 2 everyday, 3 depth
    core: bool = False
    teaches: tuple[Text, ...]
    topology: Topology = CLIENT_AND_SERVER
    roles: Mapping[str, Callable[..., None]] = {}
    options: Mapping[str, Mapping[str, object]] = {}  # of a role, by host
    programs: Mapping[str, tuple[str, ...]] = {}
    listens: Mapping[str, tuple[str, ...]] = {}  # "12345/tcp" by host: what others wait for
    rules: tuple[Rule, ...] = ()  # what the wire does to which frames
    scripts: tuple[str, ...] = ()  # the segments of each connection, in order of the streams
    promises: tuple[Promise, ...] = ()  # what a script cannot say
    background: bool = False  # frames of no exchange (ARP, fragments) matter: the ladder shows them
    variants: Mapping[str, Mapping[str, Any]] = {}  # by name: the fields that differ
    sources: tuple[str, ...] = ()

    def variant(self, name: str) -> Scenario:
        """The scenario with one variant's fields in the place of its own; KeyError if unknown."""
        return replace(self, id=f"{self.id}:{name}", variants={}, **self.variants[name])


GROUPS: Mapping[str, Text] = {
    "open_close": Text("Opening and closing", "建立与关闭"),
    "handshake": Text("Handshake under stress", "握手异常"),
    "errors": Text("Errors, resets, liveness", "错误、复位与保活"),
    "time_wait": Text("TIME-WAIT and ports", "TIME-WAIT 与端口"),
    "stream": Text("Byte stream and encodings", "字节流与编码"),
    "udp": Text("UDP and local sockets", "UDP 与本机套接字"),
    "loss": Text("Loss and recovery", "丢包与恢复"),
    "flow": Text("Flow control and small packets", "流量控制与小包"),
    "congestion": Text("Congestion control", "拥塞控制"),
    "mtu": Text("MTU, ARP, IPv6", "MTU、ARP、IPv6"),
    "tls": Text("TLS", "TLS"),
    "other": Text("Other mechanisms", "其他机制"),
    "security": Text("Security", "安全"),
    "servers": Text("Servers", "服务器模型"),
    "observability": Text("Observability", "可观测性"),
}
"""The groups of scenarios, in the order in which they are listed."""
