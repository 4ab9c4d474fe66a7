"""lab export: tables that other programs read back as they are."""

from __future__ import annotations

import csv
import importlib
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from lab.cli import main
from lab.evidence.build import alone, view
from lab.findings.base import findings
from lab.report.tables.making import COLUMNS
from lab.tcp.numbers import numbers
from tests.three_connections import traffic
from tests.tour_run import Wire, greeting

NAMES = ("segments", "connections", "findings")


def mixed() -> Wire:
    """Three TCP connections and a UDP exchange."""
    wire = traffic()
    wire.udp(700_000, "10.0.0.1", b"ping")
    wire.udp(700_100, "10.0.0.2", b"pong!")
    return wire


VIEW = view("", "mixed.pcapng", mixed().pcapng())


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(mixed().pcapng())
    return path


def export(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, words)], env={"LAB_LANG": "en"})


def table(name: str, *words: str | Path) -> list[dict[str, str]]:
    """One table on standard output, as csv reads it."""
    result = export("--table", name, *words)
    assert result.exit_code == 0
    return [*csv.DictReader(io.StringIO(result.stdout))]


@pytest.mark.parametrize("name", NAMES)
def test_every_column_is_documented_and_written(capture: Path, name: str) -> None:
    written = export("--table", name, capture).stdout.splitlines()[0].split(",")
    assert written == [column.name for column in COLUMNS[name]]
    told = export("--columns", "--table", name).stdout.splitlines()
    assert [line.split()[0] for line in told if line[2:3].strip()][-len(written) :] == written


def test_a_row_a_segment_or_datagram_in_order_of_the_frames(capture: Path) -> None:
    rows = table("segments", capture)
    assert [int(row["frame"]) for row in rows] == [*range(1, 21)]
    assert [row["protocol"] for row in rows] == ["tcp"] * 18 + ["udp"] * 2


def test_a_segment_as_it_is_written(capture: Path) -> None:
    row = table("segments", capture)[14]
    expected = {
        "file": str(capture), "host": "", "frame": "15", "time": "2025-12-17T19:33:20.500000000Z",
        "protocol": "tcp", "stream": "1", "from_client": "true",
        "source": "10.0.0.1", "source_port": "41001",
        "destination": "10.0.0.2", "destination_port": "443",
        "length": "59", "payload": "5", "flags": "PSH,ACK",
        "sequence": "5001", "relative_sequence": "1",
        "acknowledgment": "9001", "relative_acknowledgment": "1",
        "window_field": "502", "window": str(502 << 7), "in_flight": "5",
        "analysis": "retransmission", "duplicate_ack": "",
    }  # fmt: skip
    assert row == expected


def test_a_datagram_has_no_tcp_numbers(capture: Path) -> None:
    row = table("segments", capture)[-1]
    assert (row["payload"], row["from_client"]) == ("5", "false")
    assert [row[name] for name in ("flags", "sequence", "window", "in_flight")] == [""] * 4


@pytest.mark.parametrize("connection", VIEW.connections, ids=lambda one: f"tcp {one.stream}")
def test_numbers_are_those_of_the_ladder(capture: Path, connection: Any) -> None:
    known = numbers(VIEW.capture.frames, connection)
    rows = [row for row in table("segments", capture) if row["stream"] == str(connection.stream)]
    rows = [row for row in rows if row["protocol"] == "tcp"]
    assert [int(row["relative_sequence"]) for row in rows] == known.sequence.tolist()
    assert [int(row["in_flight"]) for row in rows] == known.flight.tolist()
    assert [int(row["relative_acknowledgment"] or 0) for row in rows] == (
        known.acknowledgment.tolist()
    )
    assert [int(row["window"]) if row["window"] else None for row in rows] == [*known.window]


def test_a_row_a_connection_or_exchange(capture: Path) -> None:
    rows = table("connections", capture)
    assert [(row["protocol"], row["conn_state"], row["retransmission"]) for row in rows] == [
        ("tcp", "SF", "0"),
        ("tcp", "S1", "1"),
        ("tcp", "REJ", "0"),
        ("udp", "SF", ""),
    ]
    assert [row["client_octets"] for row in rows] == ["17", "5", "0", "4"]


def test_a_row_a_finding(capture: Path) -> None:
    found = findings(alone(VIEW))
    rows = table("findings", capture)
    assert [row["finding"] for row in rows] == [one.id for one in found]
    assert [row["words_zh"] for row in rows] == [one.words.zh for one in found]
    assert [row["frames"] for row in rows] == [" ".join(map(str, one.frames)) for one in found]


def test_a_filter_narrows_every_table(capture: Path) -> None:
    rows = {name: table(name, "--filter", "port 443", capture) for name in NAMES}
    assert {row["stream"] for row in rows["segments"]} == {"1"}
    assert [row["stream"] for row in rows["connections"]] == ["1"]
    assert {row["stream"] for row in rows["findings"]} <= {"1", ""}


def test_several_files_go_into_one_table(capture: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pcapng"
    wire = Wire()
    greeting(wire, 0, 50000, segments=3)
    other.write_bytes(wire.pcapng())
    rows = table("connections", capture, other)
    assert [row["file"] for row in rows] == [str(capture)] * 4 + [str(other)]


def test_all_tables_are_written_into_a_folder(capture: Path, tmp_path: Path) -> None:
    result = export("-o", tmp_path / "new" / "tables", capture)
    assert sorted(path.name for path in (tmp_path / "new" / "tables").iterdir()) == [
        "connections.csv", "findings.csv", "segments.csv",
    ]  # fmt: skip
    assert "segments.csv: 20 rows" in result.stderr


def test_all_tables_at_once_need_a_folder(capture: Path) -> None:
    assert export(capture).exit_code == 2


def test_a_bad_file_does_not_hide_the_others(capture: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("nonsense")
    result = export("--table", "connections", bad, capture)
    assert (result.exit_code, len(result.stdout.splitlines())) == (20, 5)


def test_an_export_of_nothing_leaves_what_was_there(tmp_path: Path) -> None:
    bad, old = tmp_path / "bad", tmp_path / "out" / "segments.csv"
    bad.write_text("nonsense")
    old.parent.mkdir()
    old.write_text("before")
    assert export("-o", old.parent, bad).exit_code == 20
    assert [(path, path.read_text()) for path in old.parent.iterdir()] == [(old, "before")]


def test_without_pyarrow_the_remedy_is_named(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    result = export("--format", "parquet", "-o", tmp_path / "out", capture)
    assert (result.exit_code, "tcp-udp-lab[export]" in result.stderr) == (50, True)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("name", NAMES)
def test_parquet_and_arrow_hold_what_csv_holds(
    capture: Path, tmp_path: Path, name: str, form: str
) -> None:
    arrow = pytest.importorskip("pyarrow")
    assert export("--format", form, "-o", tmp_path, capture).exit_code == 0
    path = str(tmp_path / f"{name}.{form}")
    if form == "parquet":
        back = importlib.import_module("pyarrow.parquet").read_table(path)
    else:
        back = importlib.import_module("pyarrow.ipc").open_stream(path).read_all()
    times = [i for i, kind in enumerate(back.schema.types) if arrow.types.is_timestamp(kind)]
    for i in times:  # Python's times end at microseconds
        back = back.set_column(i, back.schema.names[i], back.column(i).cast(arrow.int64()))
    rows = [{key: _written(value) for key, value in row.items()} for row in back.to_pylist()]
    expected = table(name, capture)
    for row in expected:
        row.update({key: _nanoseconds(row[key]) for key in ("time", "begin") if key in row})
    assert rows == expected


def _written(value: object) -> str:
    """A value as csv writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _nanoseconds(time: str) -> str:
    assert datetime.fromisoformat(time[:26]).year == 2025
    return str(np.datetime64(time.removesuffix("Z"), "ns").astype(np.int64))
