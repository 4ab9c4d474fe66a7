"""What is added to a run folder once it is over: findings, the account as text, comments in the captures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.analyze import load_run
from lab.capture.disk import write_whole, writing
from lab.capture.folder import read_octets
from lab.capture.tracing import await_kernel_log
from lab.evidence.run import Evidence, View
from lab.findings.base import findings
from lab.packets.annotate import annotate
from lab.report.account import account, judge
from lab.report.events import FrameEvent
from lab.report.findings_json import encode_findings
from lab.report.ladder import ladder
from lab.text import Language

REPORT_COLUMNS = 110


def save_account(folder: Path, language: Language) -> Evidence:
    """Write findings.json and report.txt and comment the key frames of the captures.

    Returns the evidence it was made from. Raises DiskFull and what `load_run` raises; the run
    itself is then as it was.
    """
    await_kernel_log(folder)
    evidence = load_run(folder)
    lines = account(evidence, judge(evidence), language, REPORT_COLUMNS)
    with writing(str(folder)):
        write_whole(folder / "findings.json", encode_findings(findings(evidence)))
        write_whole(folder / "report.txt", "".join(f"{line}\n" for line in lines).encode())
    names = {address: host.name for host in evidence.manifest.hosts for address in host.addresses}
    for view, comments in _comments(evidence, language):
        _annotate(folder / view.file, comments, names)
    return evidence


def _annotate(path: Path, comments: Mapping[int, list[str]], names: Mapping[str, str]) -> None:
    fresh = path.with_suffix(".annotated")
    with writing(path.name), fresh.open("wb") as file:
        for piece in annotate(read_octets(path), comments, names, ()):
            file.write(piece)
    fresh.replace(path)


def _comments(
    evidence: Evidence, language: Language
) -> Iterator[tuple[View, dict[int, list[str]]]]:
    """Words for the frames that open, close or stand out, by frame number, for each view."""
    events = [event for section in ladder(evidence).sections for event in section.events]
    keys = _key_frames(evidence.view)
    words = {
        event.number: ["; ".join(text.say(language) for text in event.words)]
        for event in events
        if isinstance(event, FrameEvent) and event.number in keys and event.words
    }
    yield evidence.view, words
    if evidence.match is not None:
        pairs = zip(evidence.match.first.tolist(), evidence.match.second.tolist(), strict=True)
        again = {second + 1: words[first + 1] for first, second in pairs if first + 1 in words}
        yield evidence.views[1], again


def _key_frames(view: View) -> set[int]:
    keys: set[int] = set()
    for one in view.connections:
        keys.update(one.handshake_frames, one.teardown_frames, one.flags)
    return keys
