"""Where the lab lies on this machine."""

from __future__ import annotations

from pathlib import Path


def checkout() -> Path:
    """The folder that holds compose.yaml: the one this package was installed from, else here."""
    source = Path(__file__).resolve().parent.parent
    return source if (source / "compose.yaml").is_file() else Path.cwd()
