"""``python -m lab.cli``: the command line without its console script."""

from lab.cli import entry

entry()
