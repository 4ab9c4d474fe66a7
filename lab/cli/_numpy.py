"""What NumPy is told, by its environment, before it is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

MODALIAS = "/sys/devices/system/cpu/modalias"
"""What the processor is, and its features by their numbers in Linux's cpufeatures.h."""
AMD, AVX512 = "ven0002", ",0130,"


def prepare() -> None:
    """Set what `settings` says, except where the user has said otherwise."""
    modalias = ""
    with suppress(OSError), open(MODALIAS, encoding="ascii") as file:
        modalias = file.read()
    for name, value in settings(modalias).items():
        os.environ.setdefault(name, value)


def settings(modalias: str) -> Mapping[str, str]:
    """Environment variables for a processor.

    Linear algebra is never used here; starting threads for it is half of NumPy's import. Huge
    pages cost more than they save where memory is used once, and a hypervisor has taken back those
    that were free. And NumPy's sorts for AVX-512 store compressed vectors, which AMD's processors
    do slowly: on a Zen 4 the sorts for AVX2 take a fifth of the time.
    """
    found = {"OPENBLAS_NUM_THREADS": "1", "NUMPY_MADVISE_HUGEPAGE": "0"}
    if AMD in modalias and AVX512 in modalias:
        found["NPY_DISABLE_CPU_FEATURES"] = "X86_V4"
    return found
