"""What a filter chooses from: TCP connections and UDP exchanges alike."""

from __future__ import annotations

from lab.tcp.model import Connection
from lab.udp.model import Exchange

Talk = Connection | Exchange


def protocol(talk: Talk) -> str:
    """``tcp`` or ``udp``."""
    return "tcp" if isinstance(talk, Connection) else "udp"
