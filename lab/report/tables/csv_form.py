"""Tables as CSV (RFC 4180): a header, lines ended by LF, an empty field for an empty cell.

Times are ISO 8601 in UTC with nanoseconds, booleans ``true`` and ``false``; the numbers of a list
are separated by spaces.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np

from lab.report.tables.base import Cells, Column, Sort, Table

AT_ONCE = 1 << 16
"""Rows written together."""


def header(columns: tuple[Column, ...]) -> bytes:
    """The first line."""
    return (",".join(column.name for column in columns) + "\n").encode()


def lines(table: Table) -> Iterator[bytes]:
    """Yield the rows of a table, many at a time."""
    for begin in range(0, len(table), AT_ONCE):
        rows = slice(begin, begin + AT_ONCE)
        columns = [_fields(table.cells[one.name], one.sort, rows) for one in table.columns]
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
        yield text.getvalue().encode(errors="surrogateescape")


def _fields(cells: Cells, sort: Sort, rows: slice) -> list[Any]:
    """The cells of some rows as csv wants them: None for an empty one."""
    values = cells.values[rows]
    if not isinstance(values, np.ndarray):
        return [" ".join(map(str, numbers)) for numbers in values]
    if sort is Sort.TEXT:
        written: list[Any] = [cells.words[code] for code in values.tolist()]
    elif sort is Sort.TIME:
        written = [f"{time}Z" for time in np.datetime_as_string(values.view("M8[ns]")).tolist()]
    elif sort is Sort.BOOLEAN:
        written = np.where(values, "true", "false").tolist()
    else:
        written = values.tolist()
    if cells.valid is None:
        return written
    pairs = zip(written, cells.valid[rows].tolist(), strict=True)
    return [value if valid else None for value, valid in pairs]
