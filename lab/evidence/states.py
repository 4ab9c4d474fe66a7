"""*.states.jsonl: what a host's kernel said of each socket, as `services.witness` writes it.

Sampling sees a socket only now and then. So nothing here has one time: a change came after
``since``, when the sample before began, and by ``time``, when the sample that shows it had ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec

from lab.packets.addresses import Endpoint
from lab.tcp.model import Connection, State

Address: TypeAlias = tuple[str, int]
ALWAYS = 0  # as ``since``: it was there when sampling began


class Sample(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """One socket that differs from the sample before. Times are ns since 1970-01-01 UTC."""

    time: int  # the sample had ended
    before: int  # the sample began
    since: int  # the sample before began; ALWAYS: there was none
    socket: int  # the kernel's cookie, the same from SYN-RECEIVED to TIME-WAIT
    protocol: str  # "tcp", "udp"
    state: str  # RFC 9293's word, of UDP "connected" or "unconnected"; vanished: the last one
    local: Address
    peer: Address | None = None


class Told(Sample, frozen=True, kw_only=True):
    """A sample with numbers. The timer's kind: "retransmission", "keep-alive", "time-wait",
    "zero window probe"; "": none. It goes off ``expires`` ms after the sample."""

    timer: str = ""
    expires: int = 0
    numbers: dict[str, int] = {}  # see NUMBERS


class Appeared(Told, frozen=True, kw_only=True, tag="appeared"):
    """A socket that the sample before did not show, with all its numbers."""

    uid: int = 0
    inode: int = 0  # 0: no process holds it (SYN-RECEIVED, orphans, TIME-WAIT)


class Changed(Told, frozen=True, kw_only=True, tag="changed"):
    """Another state, timer or number; only the numbers that changed."""


class Vanished(Sample, frozen=True, kw_only=True, tag="vanished"):
    """A socket that is no longer there: CLOSED."""


class Sysctls(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="sysctls"):
    """The values of some of the namespace's sysctls, at the start."""

    time: int
    values: dict[str, str]


class Counters(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="counters"):
    """How the namespace's counters grew (/proc/net/snmp, netstat): "Tcp.RetransSegs"."""

    time: int
    values: dict[str, int]
    samples: int = 0
    cpu: int = 0  # ns that the sampling took


Line: TypeAlias = Appeared | Changed | Vanished | Sysctls | Counters

NUMBERS = {
    "accept_queue": "a listener: connections that wait for accept()",
    "backlog": "a listener: how many may wait",
    "recv_q": "octets received and not yet read; of UDP with their overhead",
    "send_q": "octets sent and not yet acknowledged",
    "drops": "frames that this socket refused",
    "retransmits": "timeouts of the segment now in flight; SYN-RECEIVED: SYN,ACKs sent again",
    "ca_state": "Open 0, Disorder 1, CWR 2, Recovery 3, Loss 4",
    "probes": "unanswered zero window or keep-alive probes",
    "backoff": "doublings of the timer",
    "rto": "µs",
    "rtt": "smoothed, µs",
    "rttvar": "µs",
    "min_rtt": "µs",
    "cwnd": "segments",
    "ssthresh": "segments; 2147483647: none yet",
    "unacked": "segments in flight",
    "sacked": "segments",
    "lost": "segments taken for lost",
    "retrans": "segments sent again and in flight",
    "total_retrans": "segments sent again, ever",
    "snd_mss": "octets",
    "rcv_mss": "octets, estimated",
    "pmtu": "octets",
    "snd_wnd": "octets, announced by the peer",
    "rcv_wnd": "octets, announced to the peer",
    "rcv_space": "octets, for tuning the receive buffer",
    "bytes_sent": "octets, repeated ones too",
    "bytes_retrans": "octets sent again",
    "bytes_acked": "octets; the SYN and the FIN count as one each",
    "bytes_received": "octets; the FIN counts as one",
    "notsent_bytes": "octets that wait to be sent",
    "delivery_rate": "octets a second, the latest estimate",
    "dsack_dups": "duplicates that the peer reported",
    "reord_seen": "reorderings seen",
    "rcv_ooopack": "segments received out of order",
}


def decode_states(octets: bytes) -> tuple[Line, ...]:
    """Read a file of states, in its own order, which is that of time.

    A last line that was cut off (its writer was killed) is left out; any other line that is not
    one of these raises `msgspec.MsgspecError`.
    """
    decoder = msgspec.json.Decoder(Line)
    return tuple(decoder.decode(line) for line in octets.split(b"\n")[:-1] if line)


class Moment(msgspec.Struct, frozen=True):
    """A socket at one sample: the state and all numbers known, those that did not change too."""

    since: int
    before: int
    time: int
    state: str
    timer: str
    expires: int
    numbers: dict[str, int]


class Stay(msgspec.Struct, frozen=True):
    """How long a socket was in one state. It came between ``since`` and ``by``, and was there at
    least until ``until``: from ``by`` to ``until`` it is certain."""

    state: str
    since: int
    by: int
    until: int


class Life(msgspec.Struct, frozen=True):
    """One socket from its first sample to its last."""

    socket: int
    protocol: str
    local: Address
    peer: Address | None
    moments: tuple[Moment, ...]
    end: Vanished | None  # None: it was there when sampling ended

    @property
    def began(self) -> int:
        """The earliest time it can have appeared; ALWAYS: it was there before."""
        return self.moments[0].since

    @property
    def ended(self) -> int | None:
        """The latest time it can have vanished; None: it did not."""
        return self.end.time if self.end else None

    def history(self, number: str) -> tuple[tuple[int, int], ...]:
        """(time, value) at each moment in which the number is known."""
        return tuple((m.time, m.numbers[number]) for m in self.moments if number in m.numbers)


def lives(lines: Iterable[Line]) -> tuple[Life, ...]:
    """Follow each socket through the samples of one host, in order of their first sample."""
    found: dict[int, list[Sample]] = {}
    for line in lines:
        if isinstance(line, Appeared):
            found[line.socket] = [line]
        elif isinstance(line, Sample) and line.socket in found:
            found[line.socket].append(line)
    return tuple(map(_life, found.values()))


def _life(samples: Sequence[Sample]) -> Life:
    told = [sample for sample in samples if isinstance(sample, Told)]
    numbers: dict[str, int] = {}
    moments = []
    for one in told:
        numbers = numbers | one.numbers
        times = (one.since, one.before, one.time)
        moments.append(Moment(*times, one.state, one.timer, one.expires, numbers))
    last = samples[-1]
    end = last if isinstance(last, Vanished) else None
    return Life(last.socket, last.protocol, told[-1].local, told[-1].peer, tuple(moments), end)


def stays(life: Life, last: int) -> tuple[Stay, ...]:
    """The states of one socket in order, CLOSED at the end if it vanished.

    Args:
        life: of one socket.
        last: ns, when the last sample of all was taken; until then a state that is not seen to
            change is certain.
    """
    firsts = [
        (moment.state, moment.since, moment.time)
        for before, moment in zip((None, *life.moments), life.moments, strict=False)
        if before is None or before.state != moment.state
    ]
    if life.end:
        firsts.append((State.CLOSED, life.end.since, life.end.time))
    untils = [since for _, since, _ in firsts[1:]] + [last]
    return tuple(
        Stay(state, since, by, max(by, until))
        for (state, since, by), until in zip(firsts, untils, strict=True)
    )


def last_sample(lines: Sequence[Line]) -> int:
    """The time up to which a host was sampled: of its last line. 0: it never was."""
    return max((line.time for line in lines), default=0)


# ---------------------------------------------------------------- sockets and the wire


def sockets_of(
    connection: Connection, lives: Sequence[Life], began: int, ended: int
) -> tuple[Life | None, Life | None]:
    """The sockets of one connection's ends: client's, server's; None: not among these lives.

    Args:
        connection: of a capture.
        lives: of one host, or of several; a host tells of its own sockets only.
        began, ended: ns, the connection's first and last frame: they tell two connections
            with the same addresses and ports apart.
    """
    client, server = _address(connection.client), _address(connection.server)
    return (
        _nearest(lives, client, server, began, ended),
        _nearest(lives, server, client, began, ended),
    )


def _nearest(
    lives: Sequence[Life], local: Address, peer: Address, began: int, ended: int
) -> Life | None:
    """The socket with these ends whose life overlaps a span most."""

    def overlap(life: Life) -> int:
        until = life.ended or ended
        return min(until, ended) - max(life.began, began)

    there = (life for life in lives if life.protocol == "tcp" and life.local == local)
    fit = [life for life in there if life.peer == peer and overlap(life) >= 0]
    return max(fit, key=overlap, default=None)


def listener_of(endpoint: Endpoint, lives: Sequence[Life], time: int) -> Life | None:
    """The listening socket that takes connections to an endpoint at a time (ns)."""
    wildcards = ("0.0.0.0", "::", endpoint.address)
    for life in lives:
        listens = life.protocol == "tcp" and life.moments[0].state == State.LISTEN
        there = life.began <= time <= (life.ended or time)
        if listens and there and life.local[1] == endpoint.port and life.local[0] in wildcards:
            return life
    return None


class Disagreement(msgspec.Struct, frozen=True):
    """The wire says one state, the kernel another, over the same span of time."""

    inferred: str
    stay: Stay
    since: int
    until: int


def disagreements(
    kernel: Sequence[Stay], inferred: Sequence[tuple[int, str]], margin: int = 1_000_000
) -> tuple[Disagreement, ...]:
    """Check the states inferred from segments against those that the kernel was certainly in.

    Args:
        kernel: the stays of one end's socket.
        inferred: (ns, state) of that end, from its first segment on, as `lab.tcp.states.walk`
            gives them with the frames' times; the last one counts without end.
        margin: ns by which a frame may pass the port before its receiver acts on it, or after
            its sender did.
    """
    found = []
    ends = [time for time, _ in inferred[1:]] + [max((stay.until for stay in kernel), default=0)]
    for (begin, state), end in zip(inferred, ends, strict=True):
        for stay in kernel:
            since, until = max(begin + margin, stay.by), min(end - margin, stay.until)
            if since < until and stay.state != state:
                found.append(Disagreement(state, stay, since, until))
    return tuple(found)


def _address(endpoint: Endpoint) -> Address:
    return endpoint.address, endpoint.port
