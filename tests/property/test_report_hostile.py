"""Whatever a capture holds, it is told, exported and annotated without a traceback."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LabError
from lab.evidence.build import alone, talks, view
from lab.findings.base import findings
from lab.packets.reader import read_capture
from lab.report.closeup import closeup
from lab.report.commented import commented, comments
from lab.report.explanation import explain
from lab.report.tables import csv_form
from lab.report.tables.making import COLUMNS, tables
from lab.text import Language
from tests.three_connections import as_pcap, traffic

ORIGINALS = (traffic().pcapng(), as_pcap(traffic()))
CHANGES = st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ORIGINALS), CHANGES, st.integers(0, 2500))
def test_a_damaged_capture_is_told_as_far_as_it_can_be_read(
    original: bytes, changes: list[tuple[int, int]], end: int
) -> None:
    octets = bytearray(original)
    for place, value in changes:
        octets[place % len(octets)] = value
    try:
        seen = view("", "damaged", bytes(octets[: len(octets) - end // 5]))
    except LabError:
        return
    evidence = alone(seen)
    found = findings(evidence)
    for language in Language:
        assert [*explain(evidence, language, 80, found=found)]
        for talk in talks(seen):
            assert [*closeup(evidence, talk, found, language, 80)]
    rows = {
        made.name: b"".join(csv_form.lines(made)).count(b"\n") for made in tables(evidence, COLUMNS)
    }
    assert rows["connections"] == len(talks(seen))
    assert rows["segments"] == sum(len(talk.rows) for talk in talks(seen))
    again = read_capture(b"".join(commented(seen.capture, comments(found, Language.EN))))
    assert again.frames.time.tolist() == seen.capture.frames.time.tolist()
