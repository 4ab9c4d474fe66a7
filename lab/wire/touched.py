"""What the wire writes down: each frame that a rule touched, and at the end what it carried.

One JSON object a line, in ``wire.jsonl`` of the run folder; times are ns since 1970-01-01 UTC, on
the clock that the captures use.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from lab.text import Text


class Deed(StrEnum):
    """What was done to a frame."""

    DROPPED = "dropped"
    STRIPPED = "stripped"  # of a TCP option
    CLAMPED = "clamped"  # to a lower MSS
    OVERFLOWED = "overflowed"  # lost because the queue of a slow link was full
    CORRUPTED = "corrupted"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    DELAYED = "delayed"


class Touched(Struct, frozen=True, kw_only=True, tag="touched"):
    """One frame that one rule did something to."""

    time: int  # when the sender's port saw it, by the kernel: captures agree within microseconds
    rule: int  # index of the rule, from 0
    words: Text  # the rule, as a sentence
    deed: Deed
    sender: str  # hosts
    receivers: tuple[str, ...]
    digest: str  # of the frame as it was sent, see `digest`
    arriving: str = ""  # digest of the frame as it goes on; "": it does not
    due: int = 0  # when it goes on; 0: it does not

    @property
    def lost(self) -> bool:
        return not self.arriving


class Work(Struct, frozen=True):
    """What became of one rule."""

    words: Text
    touched: int  # frames


class Summary(Struct, frozen=True, kw_only=True, tag="summary"):
    """The last line: the wire was taken down in order."""

    time: int
    carried: int  # frames that hosts sent
    delivered: int  # frames that went on, copies included
    under_way: int  # frames still delayed when the wire was taken down
    missed: int  # frames that the kernel dropped before the wire could take them
    unfinished: int  # frames whose checksum or size was left to hardware: offload is on at a host
    rules: tuple[Work, ...]

    @property
    def idle(self) -> tuple[Work, ...]:
        """The rules that never touched a frame: what they stand for did not happen."""
        return tuple(work for work in self.rules if not work.touched)


def digest(octets: bytes | memoryview) -> str:
    """Name a frame by its octets, from the Ethernet header on: BLAKE2b, 8 octets, in hex."""
    from hashlib import blake2b  # 4 ms that only runs with a wire need

    return blake2b(octets, digest_size=8).hexdigest()
