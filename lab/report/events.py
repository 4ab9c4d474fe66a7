"""What a ladder is made of: events on one clock, in sections, one section an exchange."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from lab.tcp.model import State
from lab.text import Text


class FrameEvent(Struct, frozen=True, gc=False):
    """A frame as it passed the originator's port."""

    time: int  # ns since 1970-01-01 UTC
    number: int  # in the originator's capture, as Wireshark counts
    source: str  # letter of the sender
    target: str
    flags: str  # "SYN,ACK"; "UDP", "ICMP"
    sequence: int | None = None  # relative unless absolute numbers were asked for
    octets: int = 0  # payload
    acknowledgment: int | None = None
    window: int | None = None  # scaled, where the scale is known
    scaled: bool = True
    words: tuple[Text, ...] = ()
    payload: bytes = b""  # its beginning
    states: tuple[tuple[str, State], ...] = ()  # that this frame led to, by letter of the end
    confirmed: tuple[str, ...] = ()  # letters of the ends whose kernel was in that state
    elsewhere: str = (
        ""  # letter of the host whose capture numbers it, if it is not the originator's
    )

    @property
    def label(self) -> str:
        """``#4``; ``#4S`` for number 4 of the server's capture."""
        return f"#{self.number}{self.elsewhere}"


class CallEvent(Struct, frozen=True):
    """A socket call: its entry, its return, or both at once if nothing happened between."""

    time: int
    host: str  # letter
    phase: str  # "call", "ret" or ""
    words: str
    place: str = ""  # "client.py:31"
    times: int = 1  # so often in a row, with the same outcome
    source: str = ""  # the line there, where it was recorded


class GapEvent(Struct, frozen=True):
    """Events of a long run of data that are not shown."""

    time: int
    segments: int  # with payload
    acknowledgments: int  # without
    octets: int
    calls: int = 0


Event = FrameEvent | CallEvent | GapEvent


class Section(Struct, frozen=True):
    """One connection, one UDP exchange, or what belongs to none."""

    protocol: str  # "tcp", "udp"; "": outside the exchanges
    stream: int  # -1: outside the exchanges
    title: Text
    summary: tuple[Text, ...]
    start: int  # time of its first frame, ns: the zero of its clock
    events: tuple[Event, ...]
    elsewhere: str = ""  # letter of the host at whose port it was seen, if not the originator's

    @property
    def key(self) -> str:
        """``tcp0``; ``udp0S`` for exchange 0 of the server's capture; ``rest``."""
        return f"{self.protocol}{self.stream}{self.elsewhere}" if self.protocol else "rest"


class Ladder(Struct, frozen=True):
    """A whole capture: sections in order of their first frame, and what belongs to none."""

    sections: tuple[Section, ...]
    background: Mapping[str, int]  # protocol -> frames outside all sections
    letters: Mapping[str, Text]  # letter -> who it stands for
    hidden: int = 0  # sections left out
