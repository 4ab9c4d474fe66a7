"""Keeping the hosts of a run, and the wire between them, on one processor; the wire goes first.

A cable between namespaces (veth(4)) keeps the frames that one processor sends in order, but not those
of two: a program that moves to another between two segments could have the second overtake the first.
"""

from __future__ import annotations

import os
from contextlib import suppress


def stay_on_one(run: str) -> None:
    """Stay on the processor that LAB_CPU names, else on one drawn by the run's name."""
    allowed = sorted(os.sched_getaffinity(0))
    number = int(os.environ.get("LAB_CPU") or sum(run.encode()))
    os.sched_setaffinity(0, {allowed[number % len(allowed)]})


def go_first() -> None:
    """Get the processor whenever there is something to do, where the kernel lets this process ask.

    For the wire: frames that wait for it would make hosts send again what is not lost (sched(7)).
    """
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
