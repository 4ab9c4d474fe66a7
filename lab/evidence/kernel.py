"""What one host's kernel said of itself during a run: its sockets, its sysctls, its counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lab.evidence.states import (
    Counters,
    Life,
    Line,
    Stay,
    Sysctls,
    decode_states,
    last_sample,
    lives,
    sockets_of,
    stays,
)
from lab.tcp.model import Connection

FOR_EVER = (1 << 63) - 1


class Kernel(Struct, frozen=True):
    """NAME.states.jsonl of one host, put together. Times are ns since 1970-01-01 UTC."""

    lives: tuple[Life, ...] = ()  # its sockets, in order of their first sample
    counters: Mapping[str, int] = {}  # growth in the run: "TcpExt.ListenOverflows"
    sysctls: Mapping[str, str] = {}  # at the start
    last: int = 0  # of the samples; 0: there were none

    def stays(self, life: Life) -> tuple[Stay, ...]:
        """The states of one socket with their times, in order."""
        return stays(life, self.last)

    def states(
        self, connection: Connection, side: int, span: tuple[int, int] = (0, FOR_EVER)
    ) -> tuple[str, ...]:
        """The states in which one end of a connection was sampled, in order; CLOSED at the end if
        it vanished. A state shorter than the pause between two samples may be missing.

        Args:
            connection: of a capture.
            side: CLIENT or SERVER.
            span: ns, its first and last frame: tells connections with equal ports apart.

        Raises LookupError if this host was not seen to have that socket.
        """
        life = sockets_of(connection, self.lives, *span)[side]
        if life is None:
            raise LookupError(connection.client, connection.server)
        return tuple(stay.state for stay in self.stays(life))


def decode_kernel(octets: bytes) -> Kernel:
    """Read a NAME.states.jsonl; raises `msgspec.MsgspecError` for one that is none."""
    lines: Sequence[Line] = decode_states(octets)
    counted = [line.values for line in lines if isinstance(line, Counters)]
    set_to = [line.values for line in lines if isinstance(line, Sysctls)]
    return Kernel(
        lives=lives(lines),
        counters=counted[-1] if counted else {},
        sysctls=set_to[0] if set_to else {},
        last=last_sample(lines),
    )
