"""kernel.jsonl: what tracepoints told of a lab's addresses, as `lab.capture.tracing` writes it.

A tracepoint names no network namespace: a line may be of another lab with the same addresses.
`lab.evidence.testimony` says which of them are about the frames of a run.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Address: TypeAlias = tuple[str, int]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that a kernel did. Times are ns since 1970-01-01 UTC, exact to about 1 µs."""

    time: int


class Began(Event, frozen=True, kw_only=True, tag="began"):
    """Tracing began: of what was before, nothing is told."""

    uncertainty: int  # ns: of the kernel's clock mapped to CLOCK_REALTIME
    ports: tuple[str, ...] = ()  # of the switch; "veth*" is any that begins so
    missing: tuple[str, ...] = ()  # tracepoints that this kernel does not have


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """Tracing ended."""

    addresses: tuple[str, ...] = ()  # of the hosts
    drift: int = 0  # ns by which CLOCK_REALTIME was stepped meanwhile
    lost: int = 0  # events that the kernel's buffer had no room for
    untold: int = 0  # drops that could not be tied to the lab


class StateChange(Event, frozen=True, kw_only=True, tag="inet_sock_set_state"):
    """A socket changed its state. TIME-WAIT and SYN-RECEIVED proper are mini-sockets, which this
    tracepoint does not see: an end that waits is CLOSED here."""

    local: Address
    peer: Address
    before: str  # RFC 9293's words
    after: str


class Congestion(Event, frozen=True, kw_only=True, tag="tcp_cong_state_set"):
    """A socket's congestion control changed over, or was told again to be where it is: what makes
    it send again."""

    local: Address
    peer: Address
    state: str  # the kernel's word: Open, Disorder, CWR, Recovery, Loss


class Retransmission(Event, frozen=True, kw_only=True, tag="tcp_retransmit_skb"):
    """A segment was sent again: after a timeout, after duplicate ACKs, or as a probe of the tail."""

    local: Address
    peer: Address
    state: str = "SYN-RECEIVED"  # of the SYN,ACK of a connection that is still half open
    error: int = 0  # negative errno: it was not sent after all


class ResetSent(Event, frozen=True, kw_only=True, tag="tcp_send_reset"):
    """A RST was sent, by a socket or for want of one."""

    local: Address
    peer: Address
    state: str = ""  # "": there was no socket
    reason: str = ""  # NO_SOCKET, TCP_ABORT_ON_CLOSE, …; "": this kernel gives none


class ResetReceived(Event, frozen=True, kw_only=True, tag="tcp_receive_reset"):
    """A socket took a RST."""

    local: Address
    peer: Address


class Drop(Event, frozen=True, kw_only=True, tag="kfree_skb"):
    """A kernel threw a frame away that had just left the switch through one of its ports."""

    reason: str  # the kernel's name for it: NETFILTER_DROP, NO_SOCKET, TCP_OVERWINDOW, …
    location: str  # the function that did
    protocol: int  # EtherType
    port: str  # of the switch: the frame was on its way to the host behind it
    passed: int  # ns, when it left
    length: int  # octets of the frame
    alike: int = 1  # frames as long as this one that left through a port of this name around then


Addressed: TypeAlias = StateChange | Congestion | Retransmission | ResetSent | ResetReceived
"""What names both ends; the local one is whose kernel tells it."""

Told: TypeAlias = Began | Ended | Addressed | Drop


def decode_events(octets: bytes) -> tuple[Told, ...]:
    """Read the file, in order of time.

    A last line that was cut off is left out; any other line that is not one of these raises
    `msgspec.MsgspecError`.
    """
    decoder = msgspec.json.Decoder(Told)
    told = [decoder.decode(line) for line in octets.split(b"\n")[:-1] if line]
    return tuple(sorted(told, key=lambda event: event.time))
