"""The runs that a proof looks at, and how it finds its pieces in them.

Segments are picked by a line of the language that scenarios' scripts are written in
(`lab.scenarios.script`): ``run.first("S>C SYN,ACK", after=syn)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from lab.evidence.kernel import FOR_EVER, Kernel
from lab.evidence.run import Evidence, View
from lab.evidence.states import Life, sockets_of
from lab.packets.rows import frame
from lab.questions.base import NO_SUCH, Missing
from lab.questions.kernel_socket import Socket
from lab.questions.pieces import (
    Called,
    Counted,
    Datagram,
    Packet,
    Segment,
    Set,
    Whole,
)
from lab.scenarios import script, seen
from lab.tcp.model import Connection
from lab.tcp.numbers import numbers
from lab.text import Text, same

SIDES = {"C": 0, "S": 1}
P = TypeVar("P", bound=Packet)


class Runs(Mapping[str, "Run"]):
    """The runs at hand, by the scenario that was played."""

    def __init__(self, played: Mapping[str, Evidence]) -> None:
        """Nothing is read of a run before it is asked for."""
        self._played = played
        self._made: dict[str, Run] = {}

    def __getitem__(self, name: str) -> Run:
        """One run; raises Missing if it was not played."""
        if name not in self._played:
            raise Missing(NO_SUCH.fill(run=name, what=Text("evidence", "证据")))
        return self._made.setdefault(name, Run(name, self._played[name]))

    def __iter__(self) -> Iterable[str]:  # type: ignore[override]
        return iter(self._played)

    def __len__(self) -> int:
        return len(self._played)


class Run:
    """One run. What is looked for and not there raises `Missing`."""

    def __init__(self, name: str, evidence: Evidence) -> None:
        """``name``: of the scenario, with its variant."""
        self.name, self.evidence = name, evidence
        self._segments: dict[int, tuple[Segment, ...]] = {}

    # ------------------------------------------------------------ frames

    def packets(
        self, host: str = "", where: Callable[[Packet], bool] = lambda _: True
    ) -> tuple[Packet, ...]:
        """All frames of one port, the originator's unless a host is named."""
        view = self._view(host)
        every = (self._packet(view, row) for row in range(len(view.capture.frames)))
        return tuple(one for one in every if where(one))

    def packet(self, what: str, where: Callable[[Packet], bool], host: str = "") -> Packet:
        """The first frame that fits; ``what`` names it where there is none: "ICMP error"."""
        return self.one(what, self.packets(host, where))

    def capture(self, host: str = "") -> Whole:
        """A whole capture, to be cited for what is not in it."""
        view = self._view(host)
        return Whole(run=self.name, host=view.host, frames=len(view.capture.frames))

    @property
    def originator(self) -> str:
        """The host that began, whose frame numbers are shown."""
        return self.evidence.view.host

    # ------------------------------------------------------------ segments

    @property
    def connections(self) -> Sequence[Connection]:
        """Of the originator's capture, in order of their first segment."""
        return self.evidence.view.connections

    def connection(self, stream: int = 0) -> Connection:
        """One of them."""
        if not 0 <= stream < len(self.connections):
            raise self._missing(same(f"TCP connection {stream}"))
        return self.connections[stream]

    def stream_to(self, port: int, nth: int = 0) -> int:
        """The number of the nth connection to a server's port."""
        fit = [one.stream for one in self.connections if one.server.port == port]
        if nth >= len(fit):
            raise self._missing(same(f"TCP connection {nth} > {port}"))
        return fit[nth]

    def segments(self, stream: int = 0) -> tuple[Segment, ...]:
        """All of a connection's, as both ports saw them together, in order of time."""
        if stream not in self._segments:
            self._segments[stream] = tuple(self._read(self.connection(stream)))
        return self._segments[stream]

    def all(
        self,
        line: str = "",
        *,
        stream: int = 0,
        after: Packet | int | None = None,
        before: Packet | int | None = None,
        where: Callable[[Segment], bool] = lambda _: True,
    ) -> tuple[Segment, ...]:
        """The segments that a script's line describes ("C>S [PSH],ACK +17"; "": any), and no others.

        Args:
            line: see `lab.scenarios.script`; without ``lost`` or ``forged`` it means those that arrived.
            stream: which connection.
            after, before: a frame, or ns since 1970: only what came later, or earlier, than it.
            where: what the line cannot say.
        """
        (asked,) = script.parse(line) if line else (None,)
        least, most = _time(after, 0), _time(before, FOR_EVER)
        return tuple(
            one
            for one in self.segments(stream)
            if least < one.time < most
            and (asked is None or asked.describes(_as_script(one)))
            and where(one)
        )

    def first(
        self,
        line: str = "",
        *,
        stream: int = 0,
        after: Packet | int | None = None,
        before: Packet | int | None = None,
        where: Callable[[Segment], bool] = lambda _: True,
    ) -> Segment:
        """The first of `all`."""
        fit = self.all(line, stream=stream, after=after, before=before, where=where)
        return self.one(line or "segment", fit)

    def opening(self, stream: int = 0) -> tuple[Segment, Segment, Segment]:
        """The three segments of a handshake that went well."""
        syn = self.first("C>S SYN", stream=stream)
        answer = self.first("S>C SYN,ACK", stream=stream, after=syn)
        return syn, answer, self.first("C>S [PSH],ACK", stream=stream, after=answer)

    def data(self, sender: str, stream: int = 0) -> tuple[Segment, ...]:
        """All segments of one end ("C", "S") that carry octets, repeated ones too."""
        return self.all(stream=stream, where=lambda one: one.sender == sender and one.length > 0)

    def arrival(self, packet: Packet) -> int | None:
        """When a frame of the first port passed the second, ns; None: it did not."""
        match = self.evidence.match
        if match is None or packet.host != self.originator:
            return None
        found = (match.first == packet.number - 1).nonzero()[0]
        if not len(found):
            return None
        there = self.evidence.views[1].capture.frames
        return int(there.time[match.second[found[0]]])

    def twin(self, host: str, number: int) -> int | None:
        """The number of a frame in the capture of the other end; None: it is not there."""
        match = self.evidence.match
        if match is None or host not in (view.host for view in self.evidence.views[:2]):
            return None
        ours = (match.first, match.second)
        here, there = ours if host == self.originator else ours[::-1]
        found = (here == number - 1).nonzero()[0]
        return int(there[found[0]]) + 1 if len(found) else None

    # ------------------------------------------------------------ datagrams

    def datagrams(self, stream: int = 0, host: str = "") -> tuple[Datagram, ...]:
        """All of a UDP exchange (numbered as in udp.stream), seen at one port."""
        view = self._view(host)
        if not 0 <= stream < len(view.exchanges):
            raise self._missing(same(f"UDP exchange {stream}"))
        talk = view.exchanges[stream]
        alone = seen.only_here(self.evidence, talk) if view is self.evidence.view else None
        return tuple(
            Datagram(
                run=self.name,
                host=view.host,
                number=row + 1,
                time=int(view.capture.frames.time[row]),
                read=partial(frame, view.capture, row),
                stream=stream,
                sender="C" if talk.from_client[i] else "S",
                length=int(view.capture.frames.payload_length[row]),
                lost=bool(alone is not None and alone[i]),
            )
            for i, row in enumerate(talk.rows.tolist())
        )

    # ------------------------------------------------------------ calls

    def calls(self, host: str, *functions: str) -> tuple[Called, ...]:
        """The calls that a host's programs made, in order of time; all, or of some functions."""
        log = self.evidence.calls.get(host, ())
        return tuple(
            Called(run=self.name, host=host, index=index, call=call)
            for index, call in enumerate(log)
            if not functions or call.function in functions
        )

    def call(
        self,
        host: str,
        function: str,
        nth: int = 0,
        *,
        where: Callable[[Called], bool] = lambda _: True,
    ) -> Called:
        """The nth call of a function, of those that fit; -1 for the last."""
        calls = [one for one in self.calls(host, function) if where(one)]
        if not -len(calls) <= nth < len(calls):
            raise self._missing(same(f"{host}: {function}()"))
        return calls[nth]

    # ------------------------------------------------------------ the kernel

    def kernel(self, host: str) -> Kernel:
        """All that a host's kernel said."""
        if host not in self.evidence.kernel:
            raise self._missing(same(f"{host}.states.jsonl"))
        return self.evidence.kernel[host]

    def socket(self, host: str, stream: int = 0) -> Socket:
        """The socket of a host that had an end of a connection."""
        connection = self.connection(stream)
        ends = sockets_of(connection, self.kernel(host).lives, *self.evidence.span(connection))
        life = next((one for one in ends if one is not None), None)
        if life is None:
            raise self._missing(same(f"{host}: TCP {stream}"))
        return Socket(self.name, host, life, self.kernel(host))

    def sockets(self, host: str, where: Callable[[Life], bool]) -> tuple[Socket, ...]:
        """A host's sockets that fit, in order of their first sample."""
        kernel = self.kernel(host)
        fit = (life for life in kernel.lives if where(life))
        return tuple(Socket(self.name, host, life, kernel) for life in fit)

    def listener(self, host: str, port: int) -> Socket:
        """The socket that listens at a port."""
        fit = self.sockets(
            host, lambda life: life.moments[0].state == "LISTEN" and life.local[1] == port
        )
        if not fit:
            raise self._missing(same(f"{host}: LISTEN {port}"))
        return fit[0]

    def counter(self, host: str, name: str) -> Counted:
        """By how much a counter grew; one that the kernel does not have has not grown."""
        value = self.kernel(host).counters.get(name, 0)
        return Counted(run=self.name, host=host, name=name, value=value)

    def sysctl(self, host: str, name: str) -> Set:
        """A sysctl's value at the start, if it is one of those that are written down."""
        sysctls = self.kernel(host).sysctls
        if name not in sysctls:
            raise self._missing(same(f"{host}: {name}"))
        return Set(run=self.name, host=host, name=name, value=sysctls[name])

    # ------------------------------------------------------------ inside

    def one(self, what: str, fit: Sequence[P]) -> P:
        """The first of what was found; raises Missing, naming ``what``."""
        if not fit:
            raise self._missing(same(what))
        return fit[0]

    def _missing(self, what: Text) -> Missing:
        return Missing(NO_SUCH.fill(run=self.name, what=what))

    def _view(self, host: str) -> View:
        for view in self.evidence.views:
            if host in ("", view.host):
                return view
        raise self._missing(same(f"{host}.pcapng"))

    def _packet(self, view: View, row: int) -> Packet:
        return Packet(
            run=self.name,
            host=view.host,
            number=row + 1,
            time=int(view.capture.frames.time[row]),
            read=partial(frame, view.capture, row),
        )

    def _read(self, connection: Connection) -> Iterable[Segment]:
        scaled = dict(zip((connection.rows + 1).tolist(), self._windows(connection), strict=True))
        for one in seen.segments(self.evidence, connection):
            view, row = self._view(one.host), one.frame - 1
            frames = view.capture.frames
            yield Segment(
                run=self.name,
                host=one.host,
                number=one.frame,
                time=one.time,
                read=partial(frame, view.capture, row),
                stream=connection.stream,
                sender=one.sender,
                flags=one.flags,
                seq=one.sequence,
                length=one.length,
                ack=one.acknowledgment,
                window=one.window,
                scaled=scaled.get(one.number),
                absolute=int(frames.sequence[row]),
                absolute_ack=int(frames.acknowledgment[row]),
                sack=one.sack,
                lost=one.lost,
                forged=one.forged,
            )

    def _windows(self, connection: Connection) -> tuple[int | None, ...]:
        return numbers(self.evidence.view.capture.frames, connection).window


def _time(moment: Packet | int | None, otherwise: int) -> int:
    if moment is None:
        return otherwise
    return moment if isinstance(moment, int) else moment.time


def _as_script(one: Segment) -> script.Segment:
    return script.Segment(
        number=one.number,
        time=one.time,
        sender=one.sender,
        flags=one.flags,
        sequence=one.seq,
        length=one.length,
        acknowledgment=one.ack,
        lost=one.lost,
        forged=one.forged,
        window=one.window,
        sack=one.sack,
    )
