"""A program that waits to be told what to be: ``python -m lab.backends.standby MODULE...``

It imports the modules, waits for a line on stdin, a JSON list like ["lab.cli", "sniff", ...], and runs
that module with those words. So a container that was started ahead begins a run at once (labs.py).
"""

from __future__ import annotations

import gc
import importlib
import json
import runpy
import sys


def main() -> None:
    """Import, wait, run; do nothing if stdin ends without a word."""
    gc.set_threshold(50_000)  # few collections while modules load
    for module in sys.argv[1:]:
        importlib.import_module(module)
    if line := sys.stdin.readline():
        sys.argv = json.loads(line)
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
