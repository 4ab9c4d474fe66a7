"""Whether the sockets that a host promises are there, by the word of its kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from services.sockdiag import SockDiag

LISTEN = "0A"  # of a TCP socket; a bound UDP socket stands in its table as it is


def are_open(promised: Iterable[str]) -> bool:
    """Tell whether all of ``promised`` ("12345/tcp", "21567/udp") accept what comes."""
    try:
        with SockDiag() as diag:
            there = set(diag.open_ports())
    except OSError:  # a kernel without sock_diag: the same from proc(5), at ten times the cost
        there = set(open_ports())
    return all(port in there for port in promised)


def open_ports() -> Iterator[str]:
    """Yield every listening TCP port and every bound UDP port of this network namespace."""
    for protocol in ("tcp", "udp"):
        for family in ("", "6"):
            for local, state in rows(Path("/proc/net", protocol + family)):
                if protocol == "udp" or state == LISTEN:
                    yield f"{int(local.rpartition(':')[2], 16)}/{protocol}"


def rows(table: Path) -> Iterator[tuple[str, str]]:
    """Yield (local address, state) of each socket of a table; nothing where it is missing."""
    try:
        lines = table.read_text().splitlines()[1:]
    except FileNotFoundError:  # a kernel without IPv6
        return
    for line in lines:
        _, local, _, state, *_ = line.split()
        yield local, state
