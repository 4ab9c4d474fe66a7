"""What containers print, line by line, as it comes; what they are told; when each of them has left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

from docker import APIClient
from docker.errors import DockerException
from docker.utils.socket import frames_iter
from msgspec import Struct

from lab.backends.base import Line


class Life(Struct, frozen=True):
    """A container from one start to its end."""

    container: str
    pid: int
    started: str


class Left(Struct, frozen=True):
    """A container prints no more: it has ended."""

    source: str


class Outputs:
    """Several containers heard as one, from now on; a thread each, so that none waits for another."""

    def __init__(self, client: APIClient, lives: Mapping[str, Life]) -> None:
        self._heard: SimpleQueue[Line | Left] = SimpleQueue()
        params = dict.fromkeys(("stdin", "stdout", "stderr", "stream"), 1)
        self._streams = {
            name: client.attach_socket(life.container, params) for name, life in lives.items()
        }
        for source, stream in self._streams.items():
            Thread(target=self._hear, args=(source, stream), daemon=True).start()

    def tell(self, source: str, line: str) -> None:
        """Have one of them read a line."""
        stream = self._streams[source]
        getattr(stream, "_sock", stream).sendall(f"{line}\n".encode())

    def next(self, seconds: float | None = None) -> Line | Left:
        """What comes next; raises queue.Empty if nothing does within so many seconds."""
        return self._heard.get(timeout=seconds)

    def _hear(self, source: str, stream: Any) -> None:
        rest = b""
        with suppress(DockerException, OSError):  # an engine that goes away ends the output
            for octets in pieces(stream):
                *lines, rest = (rest + octets).split(b"\n")
                for line in lines:
                    self._heard.put(_line(source, line))
        if rest:
            self._heard.put(_line(source, rest))
        self._heard.put(Left(source))


def pieces(stream: Any) -> Iterator[bytes]:
    """What comes out of a container's or a command's stream, until it ends; closes it then."""
    try:
        for _, octets in frames_iter(stream, tty=False):  # type: ignore[no-untyped-call]
            yield octets
    finally:
        stream._response.close()  # the SDK leaves the connection open


def _line(source: str, octets: bytes) -> Line:
    return Line(source, octets.decode(errors="replace").rstrip("\r"))
