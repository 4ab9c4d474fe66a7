"""Tables as Apache Parquet and Apache Arrow files, written by pyarrow, an extra of the package."""

from __future__ import annotations

import importlib
from typing import IO, Any

import numpy as np

from lab.errors import PackageMissing
from lab.report.tables.base import Cells, Column, Sort, Table

ROWS = 1 << 17
"""Rows of a group (Parquet) or batch (Arrow): what a reader takes in at once."""


class ArrowFile:
    """A Parquet or Arrow file that grows table by table. Raises PackageMissing at once."""

    def __init__(self, sink: IO[bytes], columns: tuple[Column, ...], form: str) -> None:
        """``form``: "parquet", or "arrow" (the IPC stream format, which needs no seeking)."""
        self.arrow = _package("pyarrow", form)
        types = _types(self.arrow)
        fields = [
            self.arrow.field(
                one.name,
                types[one.sort],
                metadata={"meaning": one.meaning.en, "meaning_zh": one.meaning.zh},
            )
            for one in columns
        ]
        self.schema = self.arrow.schema(fields)
        if form == "parquet":
            parquet = _package("pyarrow.parquet", form)
            self.writer = parquet.ParquetWriter(sink, self.schema, compression="zstd")
        else:
            self.writer = _package("pyarrow.ipc", form).new_stream(sink, self.schema)

    def write(self, table: Table) -> None:
        """Add the rows of a table."""
        arrays = [self._array(table.cells[one.name], one.sort) for one in table.columns]
        whole = self.arrow.Table.from_arrays(arrays, schema=self.schema)
        self.writer.write_table(whole, ROWS)

    def close(self) -> None:
        """Write what stands at the end of a file."""
        self.writer.close()

    def _array(self, cells: Cells, sort: Sort) -> Any:
        arrow, kind = self.arrow, _types(self.arrow)[sort]
        if not isinstance(cells.values, np.ndarray):
            return arrow.array([list(numbers) for numbers in cells.values], kind)
        mask = None if cells.valid is None else ~cells.valid
        if sort is Sort.TEXT:
            codes = arrow.array(cells.values.astype(np.int32), mask=mask)
            return arrow.DictionaryArray.from_arrays(codes, list(cells.words)).cast(kind)
        if sort is Sort.TIME:
            return arrow.array(cells.values, arrow.int64(), mask=mask).cast(kind)
        return arrow.array(cells.values, kind, mask=mask)


def _types(arrow: Any) -> dict[Sort, Any]:
    return {
        Sort.INTEGER: arrow.int64(),
        Sort.REAL: arrow.float64(),
        Sort.BOOLEAN: arrow.bool_(),
        Sort.TIME: arrow.timestamp("ns", tz="UTC"),
        Sort.TEXT: arrow.string(),
        Sort.INTEGERS: arrow.list_(arrow.int64()),
    }


def _package(name: str, form: str) -> Any:
    """Import when it is needed; typed as anything, so that it is not needed to check the types."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PackageMissing(what=f"--format {form}", package="pyarrow", extra="export") from error
