"""The command line: one command a file, imported only when it is used.

A module of this package whose name does not begin with an underscore is a command; it offers it
as ``command``.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import TYPE_CHECKING, Any

from lab.cli._numpy import prepare

if TYPE_CHECKING:  # click: what a run needs is started before that
    from lab.backends.begun import Begun
    from lab.cli._group import main as main


INTERRUPTED = 130
"""Exit code of `lab.errors.Interrupted`, which is not yet loaded where this is needed."""
SHARED = 0.0005
"""Seconds until a thread hands over the interpreter: work is shared, and threads wait for each other."""


def __getattr__(name: str) -> Any:
    """``main``, the whole command, for whoever has it already in a process of his own."""
    if name != "main":
        raise AttributeError(name)
    from lab.cli._group import main

    return main


def entry() -> None:
    """The console script, for commands that are over soon.

    Few collections while modules load, none at the end: all that is there ends with the process.
    """
    gc.set_threshold(1_000_000)
    sys.setswitchinterval(SHARED)
    try:
        ahead = _keeper(sys.argv[1:])
        atexit.register(gc.freeze)
        prepare()
        from lab.cli._group import main
    except KeyboardInterrupt:  # while it loads: nothing has begun
        sys.exit(INTERRUPTED)
    main(obj=ahead)


def _keeper(words: list[str]) -> Begun | None:
    """A keeper of namespaces that gets ready while the command loads; None: it is not asked for.

    One that turns out not to be wanted ends with this process.
    """
    asked = {*words[1:], f"--engine={os.environ.get('LAB_ENGINE')}"}
    plays = words[:1] in (["run"], ["up"]) and "--all" not in asked
    if not plays or asked.isdisjoint({"namespaces", "--engine=namespaces"}):
        return None
    from lab.backends.begun import fork
    from lab.checkout import checkout

    return fork(checkout())
