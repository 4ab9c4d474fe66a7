"""Lines of a trace_pipe to events of the lab: the part of tracing that touches nothing.

The kernel's text is read rather than its binary records, because the text is what ftrace keeps
stable: fields are found by their names, and names are the kernel's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from lab.evidence.events import (
    Address,
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


class TraceReader:
    """Reads line after line. Only events of the given addresses are told, and of drops only those
    of frames that left the switch through one of its traced ports a moment before."""

    def __init__(self, addresses: Collection[str], offset: int) -> None:
        """``offset``: ns from the trace's clock to CLOCK_REALTIME."""
        self.lost = 0  # events that the kernel's buffer had no room for
        self.untold = 0  # drops that could not be tied to the lab
        self._addresses = frozenset(addresses)
        self._offset = offset
        self._passing: dict[str, tuple[int, str, int]] = {}  # skb: time, port, length
        self._readers: Mapping[str, Callable[[int, Fields], Told | None]] = {
            "inet_sock_set_state": self._state_change,
            "tcp_retransmit_skb": self._retransmission,
            "tcp_retransmit_synack": self._retransmission,
            "tcp_send_reset": self._reset_sent,
            "tcp_receive_reset": self._reset_received,
            "net_dev_queue": self._pass,
            "kfree_skb": self._drop,
        }

    def read(self, line: str) -> Told | None:
        """The event that a line tells of; None: nothing of the lab's."""
        if match := LINE.search(line):
            seconds, micros, event, rest = match.groups()
            if reader := self._readers.get(event):
                time = int(seconds) * 1_000_000_000 + int(micros) * 1000 + self._offset
                return reader(time, dict(FIELD.findall(rest)))
        elif match := LOST.search(line):
            self.lost += int(match[1])
        return None

    def _state_change(self, time: int, fields: Fields) -> Told | None:
        if fields.get("protocol") != "IPPROTO_TCP" or not self._is_ours(fields):
            return None
        before, after = state(fields["oldstate"]), state(fields["newstate"])
        local, peer = ends(fields)
        return StateChange(time=time, local=local, peer=peer, before=before, after=after)

    def _retransmission(self, time: int, fields: Fields) -> Told | None:
        if not self._is_ours(fields):
            return None
        local, peer = ends(fields)
        stated = state(fields.get("state", "TCP_NEW_SYN_RECV"))
        error = int(fields.get("err", "0"))
        return Retransmission(time=time, local=local, peer=peer, state=stated, error=error)

    def _reset_sent(self, time: int, fields: Fields) -> Told | None:
        if not self._is_ours(fields):
            return None
        local, peer = ends(fields)
        reason, stated = fields.get("reason", ""), state(fields.get("state", ""))
        return ResetSent(time=time, local=local, peer=peer, state=stated, reason=reason)

    def _reset_received(self, time: int, fields: Fields) -> Told | None:
        if not self._is_ours(fields):
            return None
        local, peer = ends(fields)
        return ResetReceived(time=time, local=local, peer=peer)

    def _pass(self, time: int, fields: Fields) -> None:
        self._passing[fields["skbaddr"]] = time, fields["dev"], int(fields["len"])

    def _drop(self, time: int, fields: Fields) -> Told | None:
        passed, port, length = self._passing.pop(fields["skbaddr"], (0, "", 0))
        if time - passed > SOON:
            self.untold += 1
            return None
        return Drop(
            time=time,
            reason=fields["reason"],
            location=fields["location"].partition("+")[0],
            protocol=int(fields["protocol"]),
            port=port,
            passed=passed,
            length=length,
        )

    def _is_ours(self, fields: Fields) -> bool:
        return any(address in self._addresses for address, _ in ends(fields))


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
