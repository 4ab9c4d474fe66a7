"""Tables in memory: documented columns, each with its cells as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lab.text import Text


class Sort(StrEnum):
    """What a column holds; a cell of any sort may be empty."""

    INTEGER = "integer"  # signed, 64 bits
    REAL = "real"  # 64 bits
    BOOLEAN = "boolean"
    TIME = "time"  # ns since 1970-01-01 UTC
    TEXT = "text"
    INTEGERS = "integers"  # a list of them


class Column(Struct, frozen=True):
    """One column: its name, what it holds, what that means."""

    name: str
    sort: Sort
    meaning: Text


class Cells(Struct, frozen=True):
    """The values of one column, one entry a row.

    Of texts, ``values`` are indices into ``words``; of lists of integers, it is a list of tuples.
    """

    values: NDArray[Any] | list[tuple[int, ...]]
    valid: NDArray[np.bool_] | None = None  # False: empty; None: no cell is
    words: tuple[str, ...] = ()


class Table(Struct, frozen=True):
    """Columns in order, with their cells by name; all have as many rows."""

    name: str
    columns: tuple[Column, ...]
    cells: Mapping[str, Cells]

    def __len__(self) -> int:
        return len(self.cells[self.columns[0].name].values)


FILE = Column("file", Sort.TEXT, Text("capture file", "抓包文件"))
HOST = Column(
    "host",
    Sort.TEXT,
    Text("whose port it was taken at; empty: not known", "在哪台主机的端口抓取；空：未知"),
)
PROTOCOL = Column("protocol", Sort.TEXT, Text("tcp or udp", "tcp 或 udp"))
STREAM = Column(
    "stream",
    Sort.INTEGER,
    Text(
        "number as Wireshark's tcp.stream or udp.stream",
        "编号，同 Wireshark 的 tcp.stream 或 udp.stream",
    ),
)


def repeated(word: str, rows: int) -> Cells:
    """The same text in every row."""
    return Cells(np.zeros(rows, np.int32), words=(word,))


def texts(values: Iterable[str | None]) -> Cells:
    """Texts, each distinct one held once; None is empty."""
    places: dict[str, int] = {}
    codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
    return coded(np.array(codes, np.int32), tuple(places))


def coded(codes: NDArray[Any], words: Sequence[str]) -> Cells:
    """Texts as indices into ``words``; -1 is empty."""
    valid = codes >= 0
    return Cells(codes, None if valid.all() else valid, tuple(words) or ("",))


def integers(values: Iterable[int | None]) -> Cells:
    """Whole numbers; None is empty."""
    return _numbers([*values], np.int64)


def reals(values: Iterable[float | None]) -> Cells:
    """Numbers with fractions; None is empty."""
    return _numbers([*values], np.float64)


def _numbers(values: Sequence[float | None], kind: type) -> Cells:
    valid = np.array([value is not None for value in values], np.bool_)
    filled: NDArray[Any] = np.array([0 if value is None else value for value in values], kind)
    return Cells(filled, None if valid.all() else valid)
