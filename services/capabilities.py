"""Starting a program as another user who keeps a few capabilities, and none but those.

A capability survives execve(2) of a plain program only in the ambient set, and setuid(2) only if
PR_SET_KEEPCAPS asks for it (capabilities(7), "Ambient"). They count in the network namespace of this
host alone: with NET_RAW its programs may craft packets, with NET_ADMIN change its own settings.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterable

NUMBERS = {"NET_ADMIN": 12, "NET_RAW": 13}
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def keep_over_setuid() -> None:
    """Let this process keep what it is permitted when it leaves uid 0."""
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)


def becoming(user: int | None, names: Iterable[str]) -> Callable[[], None]:
    """Return what a child calls before it turns into a program: it becomes that user (None: stays
    who it is) with just these capabilities. It raises PermissionError if they are not permitted.
    """
    numbers = [NUMBERS[name] for name in names]

    def become() -> None:
        keep_over_setuid()
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        set_all(numbers)
        for number in numbers:
            check(_libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0))

    return become


def set_all(numbers: Iterable[int]) -> None:
    """Make these the whole effective, permitted and inheritable set (capset(2))."""
    mask = sum(1 << number for number in numbers)
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    check(_libc.capset(header, struct.pack("=6I", mask, mask, mask, 0, 0, 0)))


def check(result: int) -> None:
    if result != 0:
        raise PermissionError(ctypes.get_errno(), "a capability is not permitted")
