"""How far the reading of a capture is: every stage is told of, and the share never falls."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import analyze
from lab.analyze import STAGES, load_file
from lab.packets import decode, pages, pcap, pcapng_packets
from lab.packets.each import Stage, Watched, one_by_one
from lab.packets.reader import read_capture
from lab.tcp import analysis
from lab.tcp.connections import connections
from tests.three_connections import as_pcap
from tests.tour_run import Wire, greeting

GREETINGS = 2200


def many() -> Wire:
    """Above the size from which a file's pages are fetched ahead."""
    wire = Wire()
    for number in range(GREETINGS):
        greeting(wire, number * 200_000, 20_000 + number, segments=4)
    return wire


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, wire = tmp_path_factory.mktemp("many"), many()
    found = {name: folder / f"many.{name}" for name in ("pcap", "pcapng")}
    found["pcap"].write_bytes(as_pcap(wire))
    found["pcapng"].write_bytes(wire.pcapng())
    return found


@pytest.fixture(autouse=True)
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "AT_ONCE", 1 << 19)
    monkeypatch.setattr(pcap, "TOGETHER", 4096)
    monkeypatch.setattr(pcapng_packets, "TOGETHER", 4096)
    monkeypatch.setattr(decode, "BLOCK", 4096)
    monkeypatch.setattr(analysis, "TOGETHER", 512)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_every_stage_is_told_of_in_several_shares(files: dict[str, Path], kind: str) -> None:
    told: dict[Stage, set[float]] = {stage: set() for stage in Stage}
    each = Watched(one_by_one, lambda stage, share: told[stage].add(share))
    capture = read_capture(files[kind].read_bytes(), each=each)
    len(connections(capture, each))
    few = {stage: shares for stage, shares in told.items() if len(shares) < 3}
    assert few == {}
    assert all(0 <= share <= 1 for shares in told.values() for share in shares)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_the_share_rises_to_one(
    files: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyze, "side_by_side", one_by_one)
    shares: list[float] = []
    load_file(files[kind], shares.append)
    after = [share for share in shares if share >= STAGES[Stage.DECODED][0]]
    assert after == sorted(after)
    assert shares[-1] == 1


def test_the_stages_follow_each_other_without_a_gap() -> None:
    begins, ends = zip(*(STAGES[stage] for stage in Stage), strict=True)
    assert (0.0, *ends) == (*begins, 1.0)


def test_a_file_is_read_the_same_whether_or_not_anyone_listens(files: dict[str, Path]) -> None:
    heard, unheard = load_file(files["pcap"], lambda _: None), load_file(files["pcap"])
    assert [str(one) for one in heard.connections] == [str(one) for one in unheard.connections]
