"""Write down how a program waits for many sockets at once: select, poll and epoll.

These calls are not made on a socket, so recording sockets never see them. `watch` puts objects in
their place that make the real call and write one line; `selectors`, and what is built on it, uses
them too. What the lab's own helpers (services.waits and others) wait for is not the program's.

A wait that found one socket ready bears that socket's addresses, so that it can be told with the
connection; one that found several, or none, bears none.
"""

from __future__ import annotations

import errno
import os
import select
import selectors
import sys
import threading
from collections.abc import Callable, Iterable
from time import time_ns
from typing import Any, Protocol

from services import calls

EVENTS = ("IN", "PRI", "OUT", "ERR", "HUP", "RDHUP")
"""Of poll(2) and epoll(7); on Linux their numbers are the same."""

Ends = Callable[[int], tuple[str, object, object]]
"""(descriptor) -> kind, local and peer address of its socket; empty if it is none."""


class Log(Protocol):
    """Where lines go."""

    program: str

    def write(self, fields: dict[str, object]) -> None:
        """Append one line."""

    def line_of_program(self, depth: int) -> int:
        """Return the line of the program that led here."""


def watch(log: Log, ends: Ends) -> None:
    """Have every wait of this process written down from now on."""
    note = _Note(log, ends)
    select.select = _select(select.select, note)
    select.poll = _waiter(select.poll, "poll", note)  # type: ignore[misc]
    select.epoll = _waiter(select.epoll, "epoll_wait", note)  # type: ignore[misc]
    selectors.SelectSelector._select = staticmethod(select.select)  # type: ignore[attr-defined]
    selectors.PollSelector._selector_cls = select.poll  # type: ignore[attr-defined]
    selectors.EpollSelector._selector_cls = select.epoll  # type: ignore[attr-defined]


def _select(real: Any, note: _Note) -> Any:
    def call(*args: Any) -> Any:
        asked = [list(one) if isinstance(one, Iterable) else one for one in args]  # read only once
        told = [_descriptors(one) if isinstance(one, list) else one for one in asked]
        return note("select", -1, told, lambda: real(*asked), _of_select)

    return call


def _waiter(real: Any, name: str, note: _Note) -> Any:
    """Return a class of poll or epoll objects: all but their waiting is the real one's."""

    class Waiter:
        __slots__ = ("__weakref__", "_real")

        def __init__(self, *args: Any, **named: Any) -> None:
            self._real = real(*args, **named)

        @classmethod
        def fromfd(cls, fd: int) -> Any:
            made = cls.__new__(cls)
            made._real = real.fromfd(fd)
            return made

        def __getattr__(self, attribute: str) -> Any:
            return getattr(self._real, attribute)

        def __enter__(self) -> Any:
            self._real.__enter__()
            return self

        def __exit__(self, *leaving: object) -> None:
            self._real.__exit__(*leaving)

        def poll(self, *args: Any, **named: Any) -> Any:
            is_open = name == "epoll_wait" and not self._real.closed
            descriptor = self._real.fileno() if is_open else -1
            told = [*args, *named.values()]
            return note(name, descriptor, told, lambda: self._real.poll(*args, **named), _of_poll)

    Waiter.__name__ = Waiter.__qualname__ = real.__name__
    return Waiter


class _Note:
    """Makes a wait and writes it down, whether it returns or raises."""

    def __init__(self, log: Log, ends: Ends) -> None:
        self.log, self.ends = log, ends

    def __call__(
        self, name: str, descriptor: int, told: list[object], wait: Any, ready: Any
    ) -> Any:
        if str(sys._getframe(2).f_globals.get("__name__")).startswith("services."):
            return wait()
        before = time_ns()
        try:
            result = wait()
        except BaseException as error:
            number = error.errno if isinstance(error, OSError) else None
            said = errno.errorcode.get(number or 0, type(error).__name__)
            self.write(name, descriptor, told, (before, time_ns()), None, said)
            raise
        self.write(name, descriptor, told, (before, time_ns()), ready(result), "")
        return result

    def write(
        self,
        name: str,
        descriptor: int,
        told: list[object],
        times: tuple[int, int],
        found: list[Found] | None,
        error: str,
    ) -> None:
        only = {one[0] for one in found or ()}
        kind, local, peer = self.ends(only.pop()) if len(only) == 1 else ("", None, None)
        self.log.write(
            {
                "before": times[0],
                "after": times[1],
                "call": name,
                "program": self.log.program,
                "fd": descriptor,
                "kind": kind,
                "arguments": calls.plain(told),
                "result": found,
                "error": error,
                "octets": None,
                "data": "",
                "local": local,
                "peer": peer,
                "process": os.getpid(),
                "thread": threading.get_native_id(),
                "line": self.log.line_of_program(3),
            }
        )


Found = tuple[int, str]
"""A descriptor, and what it is ready for: "IN|HUP"."""


def _of_poll(result: list[tuple[int, int]]) -> list[Found]:
    return [(descriptor, _names(events)) for descriptor, events in result]


def _of_select(result: tuple[list[Any], list[Any], list[Any]]) -> list[Found]:
    ways = zip(map(_descriptors, result), ("read", "write", "except"), strict=True)
    return [(descriptor, way) for descriptors, way in ways for descriptor in descriptors]


def _names(events: int) -> str:
    return "|".join(name for name in EVENTS if events & getattr(select, f"EPOLL{name}"))


def _descriptors(things: list[Any]) -> list[int]:
    return [one if isinstance(one, int) else _fileno(one) for one in things]


def _fileno(thing: Any) -> int:
    return int(thing.fileno()) if hasattr(thing, "fileno") else -1
