"""What happens to one frame on its way: a stage a rule, each with the memory that its action needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any, Final, Generic, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from lab.text import Text
from lab.wire.options import clamped, stripped
from lab.wire.rules import Action, Clamp, Corrupt, Delay, Drop, Duplicate, Rate, Reorder, Strip
from lab.wire.sight import Sight
from lab.wire.touched import Deed, Touched, digest

SECOND: Final = 1_000_000_000


class Parcel(Struct):
    """A frame on its way through the stages."""

    octets: bytes
    time: int  # ns: when it reaches the next stage
    sent: bytes  # as its sender sent it
    sent_at: int  # ns
    sight: Sight
    receivers: tuple[str, ...]


class Duty(NamedTuple):
    """A rule as far as a stage must know it."""

    rule: int  # its index
    words: Text
    seed: int
    log: list[Touched]  # where it writes down what it did


A = TypeVar("A", bound=Action)
Stages = Sequence["Stage[Any]"]


class Stage(Generic[A]):
    """One rule at work on the frames that it names."""

    def __init__(self, duty: Duty, action: A) -> None:
        self.duty, self._action = duty, action
        self.touched = 0  # frames

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        """The parcels that go on to the next stage, now; ``rest`` are those still before it."""
        raise NotImplementedError

    def _rewritten(self, parcel: Parcel, deed: Deed, octets: bytes | None) -> list[Parcel]:
        """The parcel with other octets, which is written down; as it is where there are none."""
        if octets is None:
            return [parcel]
        altered = replace(parcel, octets=octets)
        self._touch(parcel, deed, altered)
        return [altered]

    def _touch(self, parcel: Parcel, deed: Deed, arriving: Parcel | None) -> None:
        """Write down what was done to a frame; ``arriving``: as it goes on, None if it is lost."""
        sent = arrives = digest(parcel.sent)
        if arriving and arriving.octets is not parcel.sent:
            arrives = digest(arriving.octets)
        self.touched += 1
        self.duty.log.append(
            Touched(
                time=parcel.sent_at,
                rule=self.duty.rule,
                words=self.duty.words,
                deed=deed,
                sender=parcel.sight.sender,
                receivers=parcel.receivers,
                digest=sent,
                arriving=arrives if arriving else "",
                due=arriving.time if arriving else 0,
            )
        )


class Dropping(Stage[Drop]):
    """Nothing goes on."""

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        self._touch(parcel, Deed.DROPPED, None)
        return []


class Stripping(Stage[Strip]):
    """It goes on without the option, if it has it."""

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        return self._rewritten(
            parcel, Deed.STRIPPED, stripped(parcel.octets, parcel.sight, self._action.option)
        )


class Clamping(Stage[Clamp]):
    """It goes on with a lower MSS, if it announces a higher one."""

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        return self._rewritten(
            parcel, Deed.CLAMPED, clamped(parcel.octets, parcel.sight, self._action.mss)
        )


class Corrupting(Stage[Corrupt]):
    """A bit of the payload is turned over, if it has that octet."""

    def __init__(self, duty: Duty, action: Corrupt) -> None:
        super().__init__(duty, action)
        self._octet, self._mask = action.octet, 1 << action.bit

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        begin, end = parcel.sight.begin, parcel.sight.end
        at = self._octet + (begin if self._octet >= 0 else end)
        if not begin <= at < end:
            return [parcel]
        octets = bytearray(parcel.octets)
        octets[at] ^= self._mask
        return self._rewritten(parcel, Deed.CORRUPTED, bytes(octets))


class Duplicating(Stage[Duplicate]):
    """Copies go on behind it."""

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        spans = range(1, self._action.copies + 1)
        copies = [replace(parcel, time=parcel.time + k * self._action.after) for k in spans]
        self._touch(parcel, Deed.DUPLICATED, copies[-1])
        return [parcel, *copies]


class _Held(Struct):
    parcel: Parcel
    rest: Stages
    ahead: int  # how many are still to overtake it
    until: int  # ns


class Holding(Stage[Reorder]):
    """It waits until others have gone ahead of it, or for as long as it may."""

    def __init__(self, duty: Duty, action: Reorder) -> None:
        super().__init__(duty, action)
        self._held: list[_Held] = []

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        until = parcel.time + self._action.at_most
        self._held.append(_Held(parcel, rest, self._action.behind, until))
        return []

    @property
    def wakes(self) -> int | None:
        """When the first of them has waited long enough, in ns."""
        return min((held.until for held in self._held), default=None)

    def overtaken(self, sender: str, now: int) -> list[tuple[Parcel, Stages]]:
        """A matching frame of this host went ahead: who may follow it."""
        for held in self._held:
            held.ahead -= held.parcel.sight.sender == sender
        return [self._release(held, now) for held in self._held.copy() if held.ahead <= 0]

    def expired(self, now: int) -> list[tuple[Parcel, Stages]]:
        """Who has waited long enough by now."""
        free = [held for held in self._held if held.until <= now]
        return [self._release(held, held.until) for held in free]

    def _release(self, held: _Held, now: int) -> tuple[Parcel, Stages]:
        self._held.remove(held)
        held.parcel.time = now
        self._touch(held.parcel, Deed.REORDERED, held.parcel)
        return held.parcel, held.rest


class _Waiting(NamedTuple):
    leaves: int  # ns: when its first bit leaves the queue
    octets: int


class _Link:
    """One direction of a slow link."""

    def __init__(self, action: Rate) -> None:
        self._action = action
        self._free = 0  # ns: when the link has sent all that it took
        self._queue: deque[_Waiting] = deque()
        self._octets = 0  # that wait

    def take(self, octets: int, now: int) -> int | None:
        """When the last bit of this frame has been sent; None if the queue has no room."""
        while self._queue and self._queue[0].leaves <= now:
            self._octets -= self._queue.popleft().octets
        starts = max(now, self._free)
        if starts > now:
            if not self._room(octets):
                return None
            self._queue.append(_Waiting(starts, octets))
            self._octets += octets
        self._free = starts - (-octets * 8 * SECOND // self._action.bits_per_second)
        return self._free

    def _room(self, octets: int) -> bool:
        frames, most = self._action.queue, self._action.queue_octets
        if frames is not None and len(self._queue) >= frames:
            return False
        return most is None or self._octets + octets <= most


class Slowing(Stage[Rate]):
    """A slow link in each direction. It counts all that pass, and writes down what is lost."""

    def __init__(self, duty: Duty, action: Rate) -> None:
        super().__init__(duty, action)
        self._links: dict[str, _Link] = {}

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        sender = parcel.sight.sender
        link = self._links.get(sender)
        if link is None:
            link = self._links[sender] = _Link(self._action)
        sent = link.take(len(parcel.octets), parcel.time)
        if sent is None:
            self._touch(parcel, Deed.OVERFLOWED, None)
            return []
        self.touched += 1
        parcel.time = sent
        return [parcel]


class Delaying(Stage[Delay]):
    """It arrives later; with jitter, never ahead of the one before it unless the rule allows."""

    def __init__(self, duty: Duty, action: Delay) -> None:
        super().__init__(duty, action)
        self._draw = Random(f"jitter {duty.seed}").random  # noqa: S311
        self._latest: dict[str, int] = {}

    def pass_on(self, parcel: Parcel, rest: Stages) -> list[Parcel]:
        due = parcel.time + self._action.span
        if self._action.jitter:
            due += round((2 * self._draw() - 1) * self._action.jitter)
            if self._action.in_order:
                sender = parcel.sight.sender
                due = self._latest[sender] = max(due, self._latest.get(sender, 0))
        parcel.time = due
        self._touch(parcel, Deed.DELAYED, parcel)
        return [parcel]


WORKERS: Final[dict[type, type[Stage[Any]]]] = {
    Drop: Dropping,
    Strip: Stripping,
    Clamp: Clamping,
    Corrupt: Corrupting,
    Duplicate: Duplicating,
    Reorder: Holding,
    Rate: Slowing,
    Delay: Delaying,
}
