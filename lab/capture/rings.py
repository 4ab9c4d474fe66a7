"""Rings made ahead, in the background: each takes the kernel 10 ms, most of which it only waits."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from socket import socket
from threading import Thread

from lab.capture.ring import Ring, open_socket


class Rings:
    """So many rings, not yet plugged in. Those that nobody takes are given back by `close`.

    Raises CaptureForbidden.
    """

    def __init__(self, count: int) -> None:
        self._made: SimpleQueue[Ring | Exception] = SimpleQueue()
        sockets = [open_socket() for _ in range(count)]
        self._threads = [Thread(target=self._make, args=(one,), daemon=True) for one in sockets]
        for thread in self._threads:
            thread.start()

    def take(self) -> Ring:
        """The next one, as soon as it is made; raises what `Ring` raises."""
        made = self._made.get()
        if isinstance(made, Exception):
            raise made
        return made

    def close(self) -> None:
        """Give back what was not taken."""
        for thread in self._threads:
            thread.join()
        with suppress(Empty):
            while True:
                made = self._made.get_nowait()
                if isinstance(made, Ring):
                    made.close()

    def _make(self, opened: socket) -> None:
        try:
            self._made.put(Ring(opened=opened))
        except Exception as error:
            self._made.put(error)
