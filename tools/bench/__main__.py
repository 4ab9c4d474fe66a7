"""Run the benches named on the command line, or all of them: python -m tools.bench [NAME...]."""

from __future__ import annotations

import importlib
import sys

BENCHES = (
    "show",
    "analyze",
    "parts",
    "scenarios",
    "questions",
    "tour",
    "docker",
    "transfer",
    "page",
    "repeated",
)


def main() -> int:
    """Print each figure with its target; 1 if one was missed."""
    missed = 0
    for name in sys.argv[1:] or BENCHES:
        for figure in importlib.import_module(f"tools.bench.{name}").figures():
            missed += not figure.met
            print(figure.line(), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
