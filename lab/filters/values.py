"""The kinds of value that a field can be compared with, each read from one word."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from msgspec import Struct

from lab.text import Text

NUMBER = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([a-zµ]*)", re.IGNORECASE)
SPANS = {"": 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1, "min": 60 * 10**9}
SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


class Kind(Struct, frozen=True):
    """How a word becomes a value. ``read`` raises ValueError for a word that is none."""

    read: Callable[[str], Any]
    expected: Text
    is_ordered: bool = True  # has <, > and ranges


class Network(Struct, frozen=True):
    """Some addresses; equal to each address in it."""

    first: int
    last: int
    version: int

    def holds(self, address: str) -> bool:
        """Whether an address, written as text, is one of them."""
        parsed = _address(address)
        return parsed.version == self.version and self.first <= int(parsed) <= self.last


@lru_cache(1 << 16)
def _address(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text)


def _network(word: str) -> Network:
    block = ip_network(word.strip("[]"), strict=False)
    return Network(int(block.network_address), int(block.broadcast_address), block.version)


def _scaled(word: str, units: dict[str, int]) -> int | float:
    match = NUMBER.fullmatch(word)
    if match is None or (unit := match[2].lower()) not in units:
        raise ValueError(word)
    number = float(match[1]) * units[unit]
    return int(number) if number.is_integer() else number


def _date(word: str) -> int:
    """Nanoseconds of an ISO 8601 time, which has UTC unless it says otherwise."""
    when = datetime.fromisoformat(word)
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 10**6 + since.microseconds) * 1000


def canonical(word: str) -> str:
    """One spelling for ``SYN-SENT``, ``syn_sent`` and ``Syn Sent``."""
    return re.sub(r"[\s_-]+", "-", word.strip()).casefold()


ADDRESSES = Kind(
    _network,
    Text("an address, or a network such as 10.0.0.0/8", "地址，或 10.0.0.0/8 这样的网段"),
    is_ordered=False,
)
COUNTS = Kind(
    lambda word: _scaled(word, SIZES),
    Text("a number (1500, 64k, 1Mi)", "数字（1500、64k、1Mi）"),
)
TIMES = Kind(
    lambda word: _scaled(word, SPANS),
    Text(
        "a time in seconds, or with a unit (1.5, 200ms, 30us)",
        "以秒计的时间，或带单位（1.5、200ms、30us）",
    ),
)
DATES = Kind(
    _date,
    Text(
        "a date and time such as 2025-12-17T19:33:20 (UTC)",
        "日期时间，如 2025-12-17T19:33:20（UTC）",
    ),
)
WORDS = Kind(canonical, Text("a word", "一个词"), is_ordered=False)
LETTERS = Kind(str, Text("letters", "字母"), is_ordered=False)
