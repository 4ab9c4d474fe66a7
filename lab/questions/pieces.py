"""Pieces of evidence as proofs handle them: each can be cited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from lab.evidence.calls import Call
from lab.evidence.states import Moment
from lab.packets.rows import Frame
from lab.questions.base import Cite, Source
from lab.scenarios.checks import is_unasked
from lab.scenarios.script import in_order
from lab.units import MODULUS, short_span


class Packet(Struct, frozen=True, kw_only=True):
    """A frame of any kind. ``host`` and ``number``: at whose port, which frame of that capture."""

    run: str
    host: str
    number: int
    time: int  # ns since 1970-01-01 UTC
    read: Callable[[], Frame]  # all of its layers

    @property
    def frame(self) -> Frame:
        """The frame, layer by layer, with absolute numbers."""
        return self.read()

    @property
    def is_unasked(self) -> bool:
        """Whether it may be IPv6's own: see `lab.scenarios.checks`."""
        return is_unasked(self.frame)

    @property
    def words(self) -> str:
        """What it is, in a line."""
        frame = self.frame
        ends = frame.source, frame.destination
        if all(ends):
            return f"{frame.protocol.name} {ends[0]} > {ends[1]} {frame.payload_length} octets"
        return f"{frame.protocol.name} {frame.length} octets"

    @property
    def cite(self) -> Cite:
        return Cite(self.run, Source.FRAME, self.host, (self.number,), self.words)


class Segment(Packet, frozen=True, kw_only=True):
    """A segment of a TCP connection. ``seq`` and ``ack`` count from the ISN, which is 0."""

    stream: int
    sender: str  # "C" or "S": the client's end or the server's
    flags: frozenset[str]
    seq: int
    length: int  # octets of payload
    ack: int
    window: int  # the field, unscaled
    scaled: int | None  # octets; None where the scale is not known
    absolute: int  # the sequence number as on the wire
    absolute_ack: int
    sack: tuple[tuple[int, int], ...]  # relative
    lost: bool  # its sender's port saw it, the other did not
    forged: bool  # only its receiver's port saw it

    @property
    def end(self) -> int:
        """The sequence number after it: SYN and FIN each consume one."""
        return self.seq + self.length + ("SYN" in self.flags) + ("FIN" in self.flags)

    @property
    def absolute_end(self) -> int:
        """The same as on the wire: what acknowledges all of it."""
        return (self.absolute + self.end - self.seq) % MODULUS

    @property
    def words(self) -> str:
        way = "C>S" if self.sender == "C" else "S>C"
        said = [way, in_order(self.flags), f"seq {self.seq}"]
        said += [f"+{self.length}"] if self.length else []
        said += [f"ack {self.ack}"] if "ACK" in self.flags else []
        said += [f"win {self.window}"]
        said += ["lost"] if self.lost else ["forged"] if self.forged else []
        return " ".join(said)


class Datagram(Packet, frozen=True, kw_only=True):
    """A datagram of a UDP exchange."""

    stream: int
    sender: str  # "C": who sent the first one; "S"
    length: int  # octets of payload
    lost: bool

    @property
    def words(self) -> str:
        way = "C>S" if self.sender == "C" else "S>C"
        return f"{way} UDP {self.length} octets" + (" lost" if self.lost else "")


class Called(Struct, frozen=True, kw_only=True):
    """A socket call; ``call`` is the whole record. Times are ns since 1970-01-01 UTC."""

    run: str
    host: str
    index: int  # in the host's log
    call: Call

    @property
    def before(self) -> int:
        return self.call.before

    @property
    def after(self) -> int:
        return self.call.after

    @property
    def lasted(self) -> int:
        """ns from entry to return."""
        return self.call.after - self.call.before

    @property
    def outcome(self) -> str:
        """``ok``, or the name of the error: "ECONNREFUSED"."""
        return self.call.error or "ok"

    @property
    def words(self) -> str:
        """As the kernel has it, which returns 0 where Python returns None; and how long it took."""
        call = self.call
        returned = call.result if call.octets is None else call.octets
        said = call.error or (0 if returned is None else returned)
        return f"{call.function}() = {said} ({short_span(self.lasted)})"

    @property
    def cite(self) -> Cite:
        return Cite(self.run, Source.CALL, self.host, (self.index,), self.words)


class Stayed(Struct, frozen=True, kw_only=True):
    """A socket's stay in one state: it came between ``since`` and ``by`` (ns), and was certainly
    there from ``by`` to ``until``. CLOSED once it has vanished."""

    run: str
    host: str
    socket: int
    index: int
    state: str
    since: int
    by: int
    until: int

    @property
    def lasted(self) -> int:
        """ns for which that is certain."""
        return self.until - self.by

    @property
    def cite(self) -> Cite:
        return Cite(self.run, Source.SOCKET, self.host, (self.socket, self.index), self.state)


class Sampled(Struct, frozen=True, kw_only=True):
    """A socket at one sample: ``moment`` has state, timer and the kernel's numbers."""

    run: str
    host: str
    socket: int
    index: int
    moment: Moment
    told: tuple[str, ...] = ()  # numbers that its line says in place of the timer

    def telling(self, *names: str) -> Sampled:
        """The same, cited with some of its numbers."""
        return replace(self, told=names)

    def number(self, name: str) -> int:
        """One of `lab.evidence.states.NUMBERS`; 0 where the kernel gave none."""
        return self.moment.numbers.get(name, 0)

    @property
    def state(self) -> str:
        return self.moment.state

    @property
    def cite(self) -> Cite:
        moment = self.moment
        timer = f" timer {moment.timer} {moment.expires} ms" if moment.timer else ""
        numbers = "".join(f" {name} {self.number(name)}" for name in self.told)
        words = f"{moment.state}{numbers or timer}"
        return Cite(self.run, Source.SOCKET, self.host, (self.socket, self.index), words)


class Counted(Struct, frozen=True, kw_only=True):
    """By how much a counter of a host's kernel grew in the run."""

    run: str
    host: str
    name: str  # "TcpExt.ListenOverflows"
    value: int

    @property
    def cite(self) -> Cite:
        words = f"{self.name} +{self.value}"
        return Cite(self.run, Source.COUNTER, self.host, (self.name,), words)


class Set(Struct, frozen=True, kw_only=True):
    """A sysctl of a host at the start of the run."""

    run: str
    host: str
    name: str
    value: str

    @property
    def cite(self) -> Cite:
        words = f"{self.name} = {self.value}"
        return Cite(self.run, Source.SYSCTL, self.host, (self.name,), words)


class Whole(Struct, frozen=True, kw_only=True):
    """The whole capture of a host's port: what proves that something did not happen."""

    run: str
    host: str
    frames: int

    @property
    def cite(self) -> Cite:
        words = f"all {self.frames} frames"
        return Cite(self.run, Source.CAPTURE, self.host, (), words)


Piece: TypeAlias = Packet | Segment | Datagram | Called | Stayed | Sampled | Counted | Set | Whole
"""Whatever can be cited."""
