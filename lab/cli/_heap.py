"""The memory of a process that ends soon: what it frees it keeps, for it will need it again."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of mallopt(3)."""


def keep() -> None:
    """Have malloc give nothing back to the system, where it is the GNU C library's.

    Large arrays are else mapped and unmapped one by one, and each page is cleared again when it is
    first touched, which takes longer than most arithmetic; on some virtual machines much longer.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)
