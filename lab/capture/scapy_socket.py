"""A scapy capture socket over the ring: scapy's sniff and filters, the ring's speed.

scapy is GPL-2.0-only; this module and tests are the only places of the lab that import it, and
of it only what a capture socket needs.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from scapy import VERSION
from scapy.config import conf
from scapy.data import ARPHRD_TO_DLT, MTU
from scapy.supersocket import SuperSocket
from scapy.utils import EDecimal

from lab.capture.ring import FILTER_PROGRAM, RawFrame, Ring

SCAPY_VERSION: str = VERSION


class RingSocket(SuperSocket):  # type: ignore[misc]
    """Frames of one interface, both directions, for ``sniff(opened_socket=…)``.

    ``interface`` may be a ring that records already. ``filter`` is a capture filter in libpcap's
    language. Raises what `Ring` raises, and scapy's Scapy_Exception for a filter that does not
    compile. At the end of the interface `recv` raises EOFError, which ends scapy's loop.
    """

    desc = "TPACKET_V3 receive ring"
    nonblocking_socket = False

    def __init__(self, interface: int | Ring, filter: str | None = None, **ring: Any) -> None:  # noqa: A002
        self.outs = None  # it only listens
        records = isinstance(interface, Ring)
        self.ring: Ring = interface if isinstance(interface, Ring) else Ring(interface, **ring)
        self.ins = self.ring
        self.iface = self.ring.name
        self._waiting: deque[RawFrame] = deque()
        self._gone = False
        if filter:
            _attach(self.ring, filter)
        if not records:
            self.ring.start()

    def recv_raw(self, x: int = MTU) -> tuple[Any, bytes | None, EDecimal | None]:
        """The next frame: its class, its first x octets, its time in seconds to the nanosecond.

        Three times None when there is none yet.
        """
        if not self._waiting:
            self._refill()
        if not self._waiting:
            return None, None, None
        frame = self._waiting.popleft()
        layer = conf.l2types.num2layer.get(self.ring.hardware_type, conf.raw_layer)
        return layer, bytes(frame.octets[:x]), EDecimal(frame.time) / 1_000_000_000

    @property
    def _has_news(self) -> bool:
        """What poll cannot know: frames taken already, or the end, which it reports only once."""
        return self._gone or bool(self._waiting)

    def _refill(self) -> None:
        self._gone = self.ring.gone  # asked first: what came before the end is still read
        for frames in self.ring.blocks():  # one block, copied: its octets are the ring's own
            self._waiting.extend([frame._replace(octets=bytes(frame.octets)) for frame in frames])
            break
        if self._gone and not self._waiting and self.ring.settled:
            raise EOFError(f"{self.iface} is gone")

    def send(self, x: Any) -> int:
        """Refused: this socket only listens."""
        raise OSError(f"{self.desc}: cannot send")

    @staticmethod
    def select(sockets: list[SuperSocket], remain: float | None = None) -> list[SuperSocket]:
        """Those that have something to read; frames already taken from the ring count."""
        ready = [one for one in sockets if isinstance(one, RingSocket) and one._has_news]
        rest = [one for one in sockets if one not in ready]
        return [*ready, *SuperSocket.select(rest, 0 if ready else remain)]

    def close(self) -> None:
        """Give the ring back."""
        self.closed = True
        if ring := getattr(self, "ring", None):
            ring.close()


def _attach(ring: Ring, expression: str) -> None:
    from scapy.arch.common import compile_filter, free_filter  # needs libpcap: only on demand

    program = compile_filter(expression, linktype=ARPHRD_TO_DLT.get(ring.hardware_type, 1))
    try:
        import ctypes

        address = ctypes.cast(program.bf_insns, ctypes.c_void_p).value
        ring.attach_filter(FILTER_PROGRAM.pack(program.bf_len, address))
    finally:
        free_filter(program)
