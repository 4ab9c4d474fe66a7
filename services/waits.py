"""What a program asks its own kernel, and how it waits for the answer that it needs.

    waits.acknowledged(connection)       # the peer's kernel has all that was sent, the FIN too
    waits.reset(connection)              # a RST has come
    waits.until(lambda: waits.sockets("SYN-RECEIVED") == 0)

Nothing of it is on the wire or in the call log, and nothing waits for a fixed time.
"""

from __future__ import annotations

import fcntl
import select
import socket
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from services.sampling import counters
from services.sockdiag import STATES

POLL = 0.002  # seconds between two looks
LONGEST_WAIT = 30.0  # seconds


def until(condition: Callable[[], object], seconds: float = LONGEST_WAIT) -> None:
    """Wait until a condition holds; raises TimeoutError if it does not in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"in vain, for {seconds:g} s")
        time.sleep(POLL)


def acknowledged(connection: socket.socket) -> None:
    """Wait until the peer's kernel has acknowledged all that was sent."""
    until(lambda: not unacknowledged(connection))


def reset(connection: socket.socket) -> None:
    """Wait until the kernel has heard a RST, or has closed both directions; read nothing."""
    event(connection, select.POLLHUP)


def event(connection: socket.socket, events: int) -> None:
    """Wait until the kernel tells of one of these events (poll(2)); read nothing.

    POLLERR and POLLHUP are always told.
    """
    poll = select.poll()
    poll.register(connection, events)
    if not poll.poll(LONGEST_WAIT * 1000):
        raise TimeoutError(f"in vain, for {LONGEST_WAIT:g} s")


def unacknowledged(connection: socket.socket) -> int:
    """How many octets were sent and not yet acknowledged; a FIN counts as one (SIOCOUTQ, tcp(7))."""
    return _asked(connection, termios.TIOCOUTQ)


def unread(connection: socket.socket) -> int:
    """How many octets wait in the receive buffer (FIONREAD, tcp(7))."""
    return _asked(connection, termios.FIONREAD)


def _asked(connection: socket.socket, question: int) -> int:
    return int.from_bytes(fcntl.ioctl(connection, question, bytes(4)), sys.byteorder)


def sockets(*states: str) -> int:
    """How many IPv4 connections of this host are in one of these states (/proc/net/tcp)."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(STATES[int(row.split()[3], 16)] in states for row in rows)


def counter(name: str) -> int:
    """A counter of this host's kernel, "Tcp.InSegs"; 0 if it has none of that name."""
    return counters().get(name, 0)
