"""Socket calls for the ladder: which exchange each belongs to, and how it is written.

Calls are written as strace writes them: ``recv(4096) = 25 "…"``, ``connect(10.0.0.2:80) = ECONNREFUSED``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from lab.evidence.calls import Call
from lab.evidence.sightings import Sighting
from lab.packets.addresses import Endpoint
from lab.report.glyphs import quote, safe

SHOWN = 48
"""Octets of a call's data that are shown."""

LONGEST_LINE = 100
"""Characters of a program's line that are shown."""


class Span(Struct, frozen=True):
    """What attribution needs to know of a connection or exchange: who, and when."""

    ends: tuple[Endpoint, Endpoint]
    first: int  # ns
    last: int


def spans(some: Iterable[Sighting]) -> list[Span]:
    """What attribution needs to know of some exchanges."""
    return [Span((one.talk.client, one.talk.server), *one.span) for one in some]


def attribute(calls: Sequence[Call], spans: Sequence[Span]) -> list[int | None]:
    """For each call of one host, the index of the span it belongs to; None if to none.

    A call that names no address (socket, setsockopt) goes where the next call, else the last one,
    on the same descriptor went.
    """
    by_port = _by_port(spans)
    owners = [_owner(call, spans, by_port) for call in calls]
    _inherit(calls, owners, range(len(calls) - 1, -1, -1))
    _inherit(calls, owners, range(len(calls)))
    return owners


def _by_port(spans: Sequence[Span]) -> dict[int, list[int]]:
    ports: dict[int, list[int]] = {}
    for index, span in enumerate(spans):
        for port in {end.port for end in span.ends}:
            ports.setdefault(port, []).append(index)
    return ports


def _owner(call: Call, spans: Sequence[Span], by_port: dict[int, list[int]]) -> int | None:
    local, peer = _on_wire(_endpoint(call.local)), _on_wire(peer_of(call))
    if local is None or not local.port:
        local = None
    known = [by_port.get(end.port, []) for end in (local, peer) if end]
    if not known:
        return None
    fits = [i for i in min(known, key=len) if _fits(spans[i], local, peer)]
    still_open = [i for i in fits if spans[i].last >= call.before]
    return still_open[0] if still_open else fits[-1] if fits else None


def _fits(span: Span, local: Endpoint | None, peer: Endpoint | None) -> bool:
    """Whether one end is the caller's (a bound address may be a wildcard) and the other its peer."""
    return any(
        (local is None or local.port == own.port) and (peer is None or peer == other)
        for own, other in (span.ends, span.ends[::-1])
    )


def _inherit(calls: Sequence[Call], owners: list[int | None], order: Iterable[int]) -> None:
    seen: dict[tuple[int, int], int | None] = {}
    for index in order:
        key = (calls[index].process, calls[index].fd)
        if owners[index] is None:
            owners[index] = seen.get(key)
        seen[key] = owners[index]


def peer_of(call: Call) -> Endpoint | None:
    """The other end as far as the call tells: its peer, a result's address, an argument's."""
    places = (call.peer, call.result, *_parts(call.result), *call.arguments)
    return next((found for place in places if (found := _endpoint(place))), None)


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, (list, tuple)):
        yield from value


def _endpoint(value: object) -> Endpoint | None:
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        return None
    address, port = value[:2]
    if isinstance(address, str) and isinstance(port, int):
        return Endpoint(address, port)
    return None


def _on_wire(end: Endpoint | None) -> Endpoint | None:
    """What frames show of a socket's address: of ::ffff:a.b.c.d, the IPv4 address."""
    return end and Endpoint(end.address.removeprefix("::ffff:"), end.port)


# ---------------------------------------------------------------- how a call is written

_SENDS = ("send", "sendall", "sendto", "sendmsg", "sendfile", "write")


def asked(call: Call) -> str:
    """The call as it was made: ``connect(172.18.0.3:12345)``, ``sendall("hi", 2)``."""
    arguments = [_value(argument) for argument in call.arguments]
    if call.function in _SENDS and call.octets is not None and arguments:
        arguments[0] = f"{_data(call)}, {call.octets}" if call.data else arguments[0]
    return f"{safe(call.function)}({', '.join(arguments)})"


def answered(call: Call) -> str:
    """What it came to: ``0``, ``25 "…"``, ``ECONNREFUSED``."""
    if call.error:
        return safe(call.error)
    if call.octets is not None and call.function not in _SENDS:
        address = _endpoint(list(_parts(call.result))[-1:] and list(_parts(call.result))[-1])
        data = f"{call.octets} {_data(call)}" if call.octets else _nothing(call)
        return f"{data} from {address}" if address else data
    return "0" if call.result is None else _value(call.result)


def _nothing(call: Call) -> str:
    """A recv that returns no octets: of a stream, its end; of a datagram, an empty one."""
    return "0 (end of file)" if call.kind == "tcp" else "0"


def _data(call: Call) -> str:
    try:
        octets = bytes.fromhex(call.data)
    except ValueError:
        return safe(call.data)
    return quote(octets[:SHOWN], call.octets)


def _value(value: object) -> str:
    endpoint = _endpoint(value)
    if endpoint:
        return safe(str(endpoint))
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_value(part) for part in value)})"
    return safe(str(value)) if value is not None else "None"


def place(call: Call) -> str:
    """Where in its program the call was made: ``client.py:31``; empty if that is not known."""
    return f"{safe(PurePosixPath(call.program).name)}:{call.line}" if call.line else ""


def source(call: Call) -> str:
    """What stands there: ``client.connect((host, 12345))``; empty if it was not recorded."""
    cut = "…" if len(call.source) > LONGEST_LINE else ""
    return safe(call.source[:LONGEST_LINE]) + cut
