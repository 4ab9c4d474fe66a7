"""Thousands of connections: what is counted over all, what is looked at, and what says so."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lab.tcp.connections
from lab.cli import main
from lab.evidence import traits
from lab.evidence.build import alone, view
from lab.evidence.glance import Groups
from lab.evidence.run import Evidence
from lab.evidence.suspects import suspects
from lab.findings import checksum
from lab.findings.base import NOT_ALL, Finding, Severity, findings
from lab.packets.pcapng_writer import interface_description, packet_block, section_header
from lab.tcp.connections import Connections
from lab.tcp.model import Connection
from lab.workers import side_by_side
from tests.builders import MILLISECOND, Sent, conversation, mss, sent
from tests.handmade import ethernet, ipv4, tcp

REFUSED, RESENT, PLAIN = 700, 1200, 300
AT_MOST = 50
RARE = 5
"""Connections with a zero window: what thousands of others must not hide."""


def opened(port: int) -> Iterator[Sent]:
    yield sent(">", "S", options=mss(1460), ports=(port, 443))
    yield sent("<", "SA", ack=1, options=mss(1460), ports=(port, 443))
    yield sent(">", "A", seq=1, ack=1, ports=(port, 443))


def closed(port: int, seq: int) -> Iterator[Sent]:
    yield sent(">", "FA", seq=seq, ack=1, ports=(port, 443))
    yield sent("<", "FA", seq=1, ack=seq + 1, ports=(port, 443))
    yield sent(">", "A", seq=seq + 1, ack=2, ports=(port, 443))


def refused(port: int) -> Iterator[Sent]:
    yield sent(">", "S", ports=(port, 80))
    yield sent("<", "RA", ack=1, ports=(port, 80))


def talk(port: int, *, times: int = 1, window: int = 64240) -> Iterator[Sent]:
    """Ten octets, sent so often; the answer has this window."""
    yield from opened(port)
    for again in range(times):
        data = sent(">", "PA", seq=1, ack=1, length=10, ports=(port, 443))
        yield data if not again else Sent(**fields(data) | {"after": 300 * MILLISECOND})
    yield sent("<", "A", seq=1, ack=11, window=window, ports=(port, 443))
    yield from closed(port, 11)


def fields(segment: Sent) -> dict[str, object]:
    return {name: getattr(segment, name) for name in Sent.__slots__}


def thousands() -> Iterator[Sent]:
    for port in range(REFUSED):
        yield from refused(10_000 + port)
    for port in range(RESENT):
        yield from talk(20_000 + port, times=2)
    for port in range(RARE):
        yield from talk(30_000 + port, window=0)
    for port in range(PLAIN):
        yield from talk(40_000 + port)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = conversation(*thousands()).frames
    octets = frames.octets
    blocks = [section_header(), interface_description("eth0")]
    for time, start, size in zip(frames.time, frames.start, frames.captured, strict=True):
        blocks.append(packet_block(int(time), octets[start : start + size].tobytes()))
    path = tmp_path_factory.mktemp("many") / "many.pcapng"
    path.write_bytes(b"".join(blocks))
    return path


@pytest.fixture
def evidence(file: Path) -> Evidence:
    """Read anew, so that no connection of it has been made yet."""
    return alone(view("", file.name, file.read_bytes()))


def of(*segments: Sent) -> Evidence:
    told = conversation(*segments)
    return alone(view("", "few.pcapng", told.frames.octets.tobytes()))


def told_together(found: tuple[Finding, ...]) -> list[Finding]:
    """The findings that are not about one connection."""
    return [one for one in found if one.stream is None and one.id != NOT_ALL]


def test_what_was_left_out_is_said_first_with_the_figures(evidence: Evidence) -> None:
    first, *others = findings(evidence, at_most=AT_MOST)
    assert (first.id, first.severity) == (NOT_ALL, Severity.NOTE)
    odd, every = REFUSED + RESENT + RARE, REFUSED + RESENT + RARE + PLAIN
    assert f"in {odd:,} of {every:,} connections. {AT_MOST} of them" in first.words.en
    for words in (f"{RESENT:,} with retransmissions", f"{RARE} with a zero window", "700 refused"):
        assert words in first.words.en
    assert f"有重传 {RESENT:,}" in first.words.zh
    assert first.next is not None
    assert "--all" in first.next.en
    assert NOT_ALL not in {one.id for one in others}


def test_without_a_limit_every_connection_is_looked_at(evidence: Evidence) -> None:
    found = Counter(one.id for one in findings(evidence))
    assert NOT_ALL not in found
    assert found["retransmission"] + found["retransmission_timeout"] == RESENT
    assert found["zero_window"] == RARE


def test_what_is_told_of_many_together_is_the_same_with_a_limit(evidence: Evidence) -> None:
    limited, everything = findings(evidence, at_most=AT_MOST), findings(evidence)
    assert told_together(limited) == told_together(everything)
    assert {"refused"} <= {one.id for one in told_together(limited)}
    assert f"refused {REFUSED} connections" in " ".join(one.words.en for one in limited)


def test_what_is_told_of_one_is_told_without_a_limit_too(evidence: Evidence) -> None:
    limited, everything = findings(evidence, at_most=AT_MOST), findings(evidence)
    assert set(limited[1:]) < set(everything)


def test_a_rare_kind_is_not_crowded_out(evidence: Evidence) -> None:
    kinds = Counter(one.id for one in findings(evidence, at_most=AT_MOST))
    assert kinds["zero_window"] == RARE


def test_few_connections_are_all_looked_at(evidence: Evidence) -> None:
    few = of(*refused(1), *talk(2, times=2), *talk(3, window=0))
    assert findings(few, at_most=3) == findings(few)
    assert NOT_ALL in {one.id for one in findings(few, at_most=2)}
    odd = REFUSED + RESENT + RARE
    assert findings(evidence, at_most=odd) == findings(evidence)


def test_no_more_connections_are_made_than_are_looked_at(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = lab.tcp.connections._connection

    def counted(*arguments: object) -> Connection:
        made.append(1)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(lab.tcp.connections, "_connection", counted)
    findings(evidence, at_most=AT_MOST)
    assert len(made) == AT_MOST


def test_what_is_found_in_some_is_what_is_found_in_them_among_all(evidence: Evidence) -> None:
    only = np.array([0, REFUSED, REFUSED + 1])
    every = findings(evidence)
    wanted = {one for one in every if one.stream is None or one.stream in only}
    assert {*findings(evidence, only=only)} == wanted
    assert len(wanted) < len(every)


def test_threads_find_what_one_finds(evidence: Evidence) -> None:
    found = findings(evidence, at_most=AT_MOST, each=side_by_side)
    assert found == findings(evidence, at_most=AT_MOST)


def test_the_worst_are_those_with_most_segments_that_carry_a_flag() -> None:
    segments = [one for port in range(1, 9) for one in talk(port, times=1 + port)]
    assert [one.stream for one in suspects(of(*segments).view, 3).closely] == [5, 6, 7]


def test_few_very_long_connections_do_not_take_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traits, "LONG", 20)
    monkeypatch.setattr(traits, "SEGMENTS", 30)
    long = [one for port in range(1, 5) for one in talk(port, times=30 + port)]
    short = [one for port in range(5, 9) for one in talk(port, times=2)]
    chosen = [one.stream for one in suspects(of(*long, *short).view, 4).closely]
    assert chosen == [3, 4, 5, 6]  # of the long ones the worst, as it has more than enough


def test_ports_used_again_name_the_connection_before_even_if_it_was_not_looked_at() -> None:
    again = [Sent(**fields(one) | {"seq": 9000 + one.seq}) for one in refused(1)][:1]
    later = [Sent(**fields(one) | {"seq": 18000 + one.seq}) for one in refused(1)][:1]
    run = of(*refused(1), *again, *later)
    assert isinstance(run.view.connections, Connections)
    everything = [one for one in findings(run) if one.id == "port_reused"]
    assert [one.words.en.split()[4] for one in everything] == ["0", "1"]
    for limit in (1, 2):
        found = [one for one in findings(run, at_most=limit) if one.id == "port_reused"]
        assert found
        assert set(found) <= set(everything)


# ----------------------------------------------------------------------------------- in columns


def test_groups_are_those_that_a_dictionary_gives() -> None:
    chance = random.Random(5)
    one, other, value = (
        np.array([chance.randrange(4) for _ in range(200)], np.int64) for _ in range(3)
    )
    wanted = np.array([chance.random() < 0.05 for _ in range(200)], np.bool_)
    expected: dict[tuple[int, int], list[int]] = {}
    for at, key in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
        expected.setdefault(key, []).append(at)
    groups, members = Groups(one, other), list(expected.values())
    assert [groups.members(i).tolist() for i in range(len(groups.counts))] == members
    assert groups.different(value).tolist() == [len(set(value[m].tolist())) for m in members]
    assert groups.with_any(wanted).tolist() == [bool(wanted[m].any()) for m in members]
    large = [m for m in members if len(m) >= 13]
    assert [m.tolist() for m in groups.of_at_least(13)] == large
    assert 0 < len(large) < len(members)


# ------------------------------------------------------------------------------------ checksums


def damaged(frames: int, every: int) -> Evidence:
    """Segments of which some have a wrong checksum: one octet of the payload differs."""
    blocks = [section_header(), interface_description("eth0")]
    for number in range(1, frames + 1):
        octets = bytearray(ethernet(ipv4(tcp(b"payload", sequence=number), 6)))
        octets[-1] ^= number % every == 0
        blocks.append(packet_block(number * MILLISECOND, bytes(octets)))
    return alone(view("", "damaged.pcapng", b"".join(blocks)))


def test_many_frames_are_sampled_and_the_words_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksum, "SAMPLE", 100)
    run = damaged(1000, every=3)
    (every,), (some,) = checksum.find(run), checksum.sample(run)
    assert every.frames == tuple(range(3, 1001, 3))
    looked_at = [begin + i for begin in range(1, 1001, 200) for i in range(checksum.RUN)]
    assert some.frames == tuple(number for number in looked_at if number % 3 == 0)
    assert f"Of 100 frames looked at, a sample spread evenly: {len(some.frames)}" in some.words.en
    assert "100 帧样本" in some.words.zh


def test_few_frames_are_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    run = damaged(100, every=4)
    monkeypatch.setattr(checksum, "SAMPLE", 100)
    assert list(checksum.sample(run)) == list(checksum.find(run)) != []


# --------------------------------------------------------------------------------- lab explain


def explain(*words: str | Path) -> Result:
    variables = {"LAB_LANG": "en", "COLUMNS": "100"}
    result = CliRunner().invoke(main, ["explain", *map(str, words)], env=variables)
    assert result.exit_code == 0, result.output
    return result


def test_lab_explain_looks_at_the_worst_and_says_so(file: Path) -> None:
    assert "100 of them, among the worst" in " ".join(explain(file).stdout.split())


def test_asked_for_all_it_looks_at_all(file: Path) -> None:
    assert "among the worst" not in explain("--all", "--summary", file).stdout


def test_the_summary_for_programs_says_it_too(file: Path) -> None:
    record = json.loads(explain("--json", "--summary", file).stdout)
    assert record["findings"][0]["id"] == NOT_ALL


def test_one_object_a_connection_has_all_its_findings(file: Path) -> None:
    records = [json.loads(line) for line in explain("--json", file).stdout.splitlines()]
    with_finding = [one for one in records if one["findings"]]
    assert len(with_finding) == RESENT + RARE
