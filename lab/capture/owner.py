"""Recording as whoever owns the captures, with CAP_NET_RAW and no other capability.

capabilities(7), prctl(2), capset(2). Docker starts the sniffer as root; its files should still
belong to the user who started the lab, and root's powers are not needed to record.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lab.errors import RecordingError

CAP_NET_RAW: Final = 13
PR_SET_KEEPCAPS: Final = 8
PR_CAPBSET_DROP: Final = 24
CAPABILITY_VERSION_3: Final = 0x20080522
LAST_CAPABILITY: Final = 63  # the kernel refuses the numbers it does not know

_libc = ctypes.CDLL(None, use_errno=True)


def become_owner(captures: Path) -> None:
    """If root, become the owner of ``captures`` (of its nearest parent that exists), keep NET_RAW.

    Needs CAP_SETUID and CAP_SETGID when that owner is not root. Capabilities belong to threads:
    call it before any is started. Does nothing for other users. Raises RecordingError if the
    kernel does not allow the change.
    """
    if os.geteuid() != 0:
        return
    owner = next(path for path in (captures, *captures.absolute().parents) if path.exists()).stat()
    _drop_bounding()
    if owner.st_uid != 0:
        _switch(owner.st_uid, owner.st_gid, captures)
    if not _keep({CAP_NET_RAW}):  # it was never given
        _keep(())


def _switch(user: int, group: int, captures: Path) -> None:
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)  # else leaving uid 0 clears the permitted set
    try:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except OSError as error:
        detail = f"cannot become the owner of {captures} (user {user}): {error.strerror}"
        raise RecordingError(detail=detail) from error


def _drop_bounding() -> None:
    """What a later exec could regain; without CAP_SETPCAP the set stays, and nothing is lost."""
    for capability in range(LAST_CAPABILITY + 1):
        if capability != CAP_NET_RAW:
            _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _keep(capabilities: Iterable[int]) -> bool:
    """Make these the whole effective and permitted set; False if they are not all permitted."""
    mask = sum(1 << capability for capability in capabilities)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    return bool(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)) == 0)
