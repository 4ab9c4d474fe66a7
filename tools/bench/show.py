"""``lab show`` on a saved tour, against importing numpy alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from tools.bench.figure import Figure, alternate, quietly

TIMES = 9


def figures() -> Iterator[Figure]:
    """Under twice the time of ``python -c "import numpy"``."""
    show, numpy = alternate(
        TIMES,
        partial(quietly, ".venv/bin/lab", "show", "captures/samples/tour"),
        partial(quietly, sys.executable, "-c", "import numpy"),
    )
    detail = f"{show * 1000:.0f} ms, import numpy {numpy * 1000:.0f} ms"
    yield Figure("lab show / import numpy", show / numpy, 2.0, detail)
