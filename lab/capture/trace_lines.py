"""Lines of a trace_pipe to events of the lab: the part of tracing that touches nothing.

The kernel's text is read rather than its binary records, because the text is what ftrace keeps
stable: fields are found by their names, and names are the kernel's own.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import msgspec

from lab.evidence.events import (
    Address,
    Addressed,
    Congestion,
    Drop,
    ResetReceived,
    ResetSent,
    Retransmission,
    StateChange,
    Told,
)

Fields = Mapping[str, str]

# "    python3-28863   [001] ..s1.  5144.640361: kfree_skb: skbaddr=… reason: NO_SOCKET"
LINE = re.compile(r"\[\d+\] +\S+ +(\d+)\.(\d{6}): (\w+): (.*)")
LOST = re.compile(r"CPU:\d+ \[LOST (\d+) EVENTS\]")
FIELD = re.compile(r"(\w+)(?:=|: )(\S+)")
SOON = 10_000_000  # ns from a frame's leaving the switch to its being dropped
NEAR = 1_000_000  # ns between two frames that a capture might confuse

# Reasons to drop what a host sends, or a copy that somebody listens to: no frame that it received.
ELSEWHERE = frozenset(
    {
        "BPF_CGROUP_EGRESS",
        "IP_OUTNOROUTES",
        "NEIGH_CREATEFAIL",
        "NEIGH_DEAD",
        "NEIGH_FAILED",
        "NEIGH_HH_FILLFAIL",
        "NEIGH_QUEUEFULL",
        "NO_TX_TARGET",
        "PACKET_SOCK_ERROR",
        "QDISC_CONGESTED",
        "QDISC_DROP",
        "QDISC_OVERLIMIT",
        "TC_EGRESS",
        "UNIX_DISCONNECT",
        "UNIX_SKIP_OOB",
    }
)

# tcp_ca_state of the kernel (include/uapi/linux/tcp.h)
CONGESTION = ("Open", "Disorder", "CWR", "Recovery", "Loss")

# As RFC 9293 writes them.
STATES = {
    "TCP_ESTABLISHED": "ESTABLISHED",
    "TCP_SYN_SENT": "SYN-SENT",
    "TCP_SYN_RECV": "SYN-RECEIVED",
    "TCP_NEW_SYN_RECV": "SYN-RECEIVED",
    "TCP_FIN_WAIT1": "FIN-WAIT-1",
    "TCP_FIN_WAIT2": "FIN-WAIT-2",
    "TCP_TIME_WAIT": "TIME-WAIT",
    "TCP_CLOSE": "CLOSED",
    "TCP_CLOSE_WAIT": "CLOSE-WAIT",
    "TCP_LAST_ACK": "LAST-ACK",
    "TCP_LISTEN": "LISTEN",
    "TCP_CLOSING": "CLOSING",
}


class Passing(msgspec.Struct, frozen=True):
    """A frame that left the switch."""

    time: int
    port: str
    length: int


class TraceReader:
    """Reads line after line. Only events of ``addresses`` are told, and of drops only those of
    frames that left the switch through one of its traced ports a moment before."""

    def __init__(self, offset: int) -> None:
        """``offset``: ns from the trace's clock to CLOCK_REALTIME."""
        self.addresses: set[str] = set()  # of the lab's hosts, as they become known
        self.lost = 0  # events that the kernel's buffer had no room for
        self.untold = 0  # drops that could not be tied to the lab
        self._offset = offset
        self._passing: dict[str, Passing] = {}  # by the buffer's address, which is soon used again
        self._received: dict[str, Passing] = {}  # the same, once the host has them
        self._passed: deque[Passing] = deque()  # what a drop may have to be told from
        self._drops: deque[Drop] = deque()  # until it is known what passed next
        self._readers: Mapping[str, Callable[[int, Fields], Addressed | None]] = {
            "inet_sock_set_state": self._state_change,
            "tcp_cong_state_set": self._congestion,
            "tcp_retransmit_skb": self._retransmission,
            "tcp_retransmit_synack": self._retransmission,
            "tcp_send_reset": self._reset_sent,
            "tcp_receive_reset": self._reset_received,
            "net_dev_queue": self._pass,
            "netif_receive_skb": self._receive,
            "kfree_skb": self._drop,
        }

    def read(self, line: str) -> Iterator[Told]:
        """The events that a line settles; most lines tell of nothing of the lab's."""
        if match := LINE.search(line):
            seconds, micros, event, rest = match.groups()
            if reader := self._readers.get(event):
                time = int(seconds) * 1_000_000_000 + int(micros) * 1000 + self._offset
                yield from self._settled(time)
                told = reader(time, dict(FIELD.findall(rest)))
                if told and self._is_ours(told):
                    yield told
        elif match := LOST.search(line):
            self.lost += int(match[1])

    def rest(self) -> Iterator[Told]:
        """What the end of the trace settles."""
        yield from self._settled(None)

    def _state_change(self, time: int, fields: Fields) -> Addressed | None:
        if fields.get("protocol") != "IPPROTO_TCP":
            return None
        before, after = state(fields["oldstate"]), state(fields["newstate"])
        local, peer = ends(fields)
        return StateChange(time=time, local=local, peer=peer, before=before, after=after)

    def _retransmission(self, time: int, fields: Fields) -> Addressed:
        local, peer = ends(fields)
        stated = state(fields.get("state", "TCP_NEW_SYN_RECV"))
        error = int(fields.get("err", "0"))
        return Retransmission(time=time, local=local, peer=peer, state=stated, error=error)

    def _reset_sent(self, time: int, fields: Fields) -> Addressed:
        local, peer = ends(fields)
        reason, stated = fields.get("reason", ""), state(fields.get("state", ""))
        return ResetSent(time=time, local=local, peer=peer, state=stated, reason=reason)

    def _reset_received(self, time: int, fields: Fields) -> Addressed:
        local, peer = ends(fields)
        return ResetReceived(time=time, local=local, peer=peer)

    def _congestion(self, time: int, fields: Fields) -> Addressed:
        local, peer = ends(fields)
        stated = CONGESTION[int(fields["cong_state"])]
        return Congestion(time=time, local=local, peer=peer, state=stated)

    def _pass(self, time: int, fields: Fields) -> None:
        passing = Passing(time, fields["dev"], int(fields["len"]))
        self._passing[fields["skbaddr"]] = passing
        self._passed.append(passing)

    def _receive(self, time: int, fields: Fields) -> None:
        """What was received after it had passed is the frame; whatever comes later in the same
        buffer is another."""
        address = fields["skbaddr"]
        if passing := self._passing.pop(address, None):
            self._received[address] = passing
        else:
            self._received.pop(address, None)

    def _drop(self, time: int, fields: Fields) -> None:
        passing = self._received.pop(fields["skbaddr"], None)
        if passing is None or time - passing.time > SOON or fields["reason"] in ELSEWHERE:
            self.untold += 1
            return
        drop = Drop(
            time=time,
            reason=fields["reason"],
            location=fields["location"].partition("+")[0],
            protocol=int(fields["protocol"]),
            port=passing.port,
            passed=passing.time,
            length=passing.length,
        )
        self._drops.append(drop)

    def _settled(self, now: int | None) -> Iterator[Drop]:
        """The drops that nothing yet to come can be confused with."""
        while self._drops and (now is None or self._drops[0].passed + NEAR < now):
            drop = self._drops.popleft()
            yield msgspec.structs.replace(drop, alike=sum(map(_alike(drop), self._passed)))
        while now and self._passed and self._passed[0].time + NEAR + SOON + NEAR < now:
            self._passed.popleft()

    def _is_ours(self, told: Addressed) -> bool:
        return not self.addresses.isdisjoint((told.local[0], told.peer[0]))


def _alike(drop: Drop) -> Callable[[Passing], bool]:
    """Whether a frame, the dropped one too, could be taken for the dropped one."""
    return lambda one: (
        (one.port, one.length) == (drop.port, drop.length) and abs(one.time - drop.passed) <= NEAR
    )


def state(word: str) -> str:
    """The RFC's word for a state; "" where there was no socket."""
    return STATES.get(word, "")


def ends(fields: Fields) -> tuple[Address, Address]:
    """Both ends' addresses and ports: "src=10.0.0.1:80", or saddr, sport and their like."""
    if "src" in fields:
        return endpoint(fields["src"]), endpoint(fields["dest"])
    version = "v6" if fields["saddr"] == "0.0.0.0" and fields.get("family") == "AF_INET6" else ""
    return (
        (unmapped(fields["saddr" + version]), int(fields["sport"])),
        (unmapped(fields["daddr" + version]), int(fields["dport"])),
    )


def endpoint(text: str) -> Address:
    """Read "10.0.0.1:80" or "[fe80::1]:80"."""
    address, _, port = text.rpartition(":")
    return unmapped(address.strip("[]")), int(port)


def unmapped(address: str) -> str:
    """An IPv4-mapped IPv6 address as the IPv4 address that is on the wire."""
    return address.removeprefix("::ffff:") if "." in address else address
