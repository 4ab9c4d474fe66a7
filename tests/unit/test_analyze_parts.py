"""A capture that does not fit into memory is analysed in parts; what is said of it stays the same."""

from __future__ import annotations

import errno
import os
import re
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab import bounds
from lab.bounds import free_memory, in_bounds
from lab.capture.folder import read_octets
from lab.cli import main
from lab.cli._options import _octets
from lab.errors import LabError, MatchTooLarge, NotWritten
from lab.evidence.build import Octets, alone, view
from lab.findings.base import findings
from lab.packets import scratch
from lab.packets.scratch import Scratch, mapped_with, scratch_of
from lab.report import records
from lab.report.overview import overview
from lab.report.tables.making import tables
from lab.tcp.parts import A_SEGMENT
from tests.handmade import ethernet, ipv4, pcap, tcp
from tests.three_connections import as_pcap
from tests.tour_run import Wire, greeting, tour
from tools.bench.figure import peak
from tools.bench.traffic import KINDS, write

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
EVERY = 20
"""Of so many files of the corpus one is read."""
FEW = 7
"""Segments in a part, about."""
MB = 1 << 20


def in_parts(file: Path, together: int = FEW) -> Octets:
    """The octets of a file with a scratch so small that there are many parts."""
    small = Scratch(bounds._fresh, 0)
    small.work, small.stretch = together * A_SEGMENT, 1 << 14
    with file.open("rb") as opened:
        return mapped_with(small, opened)


def told(octets: Octets, at_most: int | None) -> dict[str, Any]:
    """All that is said of a capture, as programs get it."""
    evidence = alone(view("", "file", octets))
    found = findings(evidence, at_most=at_most)
    return {
        "connections": [*records.connections(evidence.view)],
        "findings": [records.finding(one) for one in found],
        "overview": overview(evidence.view),
        "problems": evidence.view.capture.problems,
        "comments": evidence.view.capture.comments,
        "tables": [
            [[*rows(table, name)] for name in table.cells]
            for table in tables(evidence, ("segments", "connections"))
        ],
    }


def rows(table: Any, name: str) -> list[Any]:
    cells = table.cells[name]
    valid = None if cells.valid is None else cells.valid.tolist()
    return [*map(str, cells.values), *(cells.words or ()), valid]


def same(file: Path, at_most: int | None = None) -> bool:
    return told(in_parts(file), at_most) == told(file.read_bytes(), at_most)


def greetings() -> Wire:
    wire = tour()
    for number in range(40):
        greeting(wire, number * 200_000, 20_000 + number % 30, segments=number % 5)
    return wire


FILES: dict[str, Callable[[], bytes]] = {
    "pcap": lambda: as_pcap(greetings()),
    "pcapng": lambda: greetings().pcapng(),
    "cut": lambda: as_pcap(greetings())[:-9],
    "damaged": lambda: as_pcap(greetings())[:4000] + b"\xff" * 64 + as_pcap(greetings())[4064:],
    "fragments": lambda: pcap([_fragment(number) for number in range(9)], cut=58),
    "empty": lambda: as_pcap(Wire()),
}


def _fragment(number: int) -> bytes:
    """The first of a segment's fragments."""
    return ethernet(ipv4(tcp(bytes(100), sequence=number * 500), 6, fragment=0x2000))


@pytest.mark.parametrize("kind", FILES)
def test_in_parts_the_same_is_said_of_a_capture(kind: str, tmp_path: Path) -> None:
    file = tmp_path / kind
    file.write_bytes(FILES[kind]())
    assert same(file)


@pytest.mark.parametrize("at_most", [None, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_in_parts_the_same_is_said_of_traffic(
    kind: str, at_most: int | None, tmp_path: Path
) -> None:
    write(tmp_path / kind, KINDS[kind](3000))
    assert same(tmp_path / kind, at_most)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of foreign captures is not here")
def test_in_parts_the_same_is_said_of_foreign_captures() -> None:
    every = (file for file in CORPUS.rglob("*cap*") if file.is_file())
    files = sorted(file for file in every if 0 < file.stat().st_size < MB // 4)
    different = [file.name for file in files[::EVERY] if _readable(file) and not same(file)]
    assert different == []


def _readable(file: Path) -> bool:
    try:
        view("", "", file.read_bytes())
    except LabError:
        return False
    return True


def test_there_are_many_parts(tmp_path: Path) -> None:
    write(tmp_path / "file", KINDS["short"](1000))
    octets = in_parts(tmp_path / "file")
    len(view("", "", octets).connections)
    held = scratch_of(octets)
    assert held is not None
    assert held.parts > 50


def test_what_is_computed_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "columns"))
    (tmp_path / "columns").mkdir()
    (tmp_path / "file").write_bytes(FILES["pcap"]())
    told(in_parts(tmp_path / "file"), None)
    assert [*(tmp_path / "columns").iterdir()] == []


# ---------------------------------------------------------------- the bound


def of_many_frames(file: Path) -> None:
    write(file, KINDS["short"](250_000))


def of_many_octets(file: Path) -> None:
    """Frames that hold zeros, which take no room on the disk."""
    size, count = 200_000, 1400
    head = struct.pack("<4I", 1_700_000_000, 0, size, size)
    with file.open("wb") as opened:
        opened.write(as_pcap(greetings()))
        for _ in range(count):
            opened.write(head)
            opened.seek(size, 1)
        opened.truncate()


@pytest.mark.parametrize("made", [of_many_frames, of_many_octets])
def test_the_bound_is_kept_where_it_would_not_be_otherwise(
    made: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "large.pcap"
    made(file)
    explain = (sys.executable, "-m", "lab.cli", "explain", str(file))
    assert peak(*explain, "--memory", "128M") <= 128 * MB < peak(*explain, "--memory", "64G")


def test_a_capture_that_fits_is_read_as_it_is(tmp_path: Path) -> None:
    of_many_frames(file := tmp_path / "file")
    octets = read_octets(file)
    with in_bounds(octets, file, 64 * 1024 * MB) as held:
        assert held is octets


def test_two_captures_are_matched_only_where_both_fit(tmp_path: Path) -> None:
    for name in ("near", "far"):
        write(tmp_path / name, KINDS["short"](20_000))
    words = ["explain", "--lang", "en", "--summary", "--merge", str(tmp_path / "near")]
    refused = CliRunner().invoke(main, [*words, str(tmp_path / "far"), "--memory", "110M"])
    assert refused.exit_code == MatchTooLarge.exit_code
    assert (told := re.search(r"takes about (\d+) MiB", refused.output))
    explain = (sys.executable, "-m", "lab.cli", *words, str(tmp_path / "far"))
    assert peak(*explain, "--memory", f"{told[1]}M") <= int(told[1]) * MB


def test_free_memory_is_what_system_and_cgroup_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 3000 kB\n")
    monkeypatch.setattr(bounds, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(bounds, "CGROUP", tmp_path)
    assert free_memory() == 3000 << 10
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("500\n")
    assert free_memory() == 3000 << 10
    (tmp_path / "memory.max").write_text("2000\n")
    assert free_memory() == 1500


def test_a_full_disk_is_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    of_many_frames(file := tmp_path / "file")
    monkeypatch.setattr(os, "posix_fallocate", full)
    result = CliRunner().invoke(main, ["explain", "--memory", "1M", str(file)])
    assert result.exit_code == NotWritten.exit_code
    assert "No space left on device" in result.output


def test_the_account_says_in_how_many_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(file := tmp_path / "file", KINDS["short"](8000))
    monkeypatch.setattr(scratch, "LEAST", 1000 * A_SEGMENT)
    words = ["explain", "--summary", "--lang", "en", "--memory", "1M", str(file)]
    assert "Analysed in 9 parts" in CliRunner().invoke(main, words).output


@pytest.mark.parametrize(("size", "octets"), [("512M", 512 * MB), ("1.5G", 1536 * MB), ("9", 9)])
def test_a_size_is_read(size: str, octets: int) -> None:
    assert _octets(None, None, size) == octets  # type: ignore[arg-type]


def test_what_is_no_size_is_said() -> None:
    result = CliRunner().invoke(main, ["explain", "--memory", "much", "file"])
    assert (result.exit_code, "'much' is no size" in result.output) == (2, True)
