"""What is added to a run folder once it is over: findings, the account as text, comments in the captures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.capture.disk import writing
from lab.capture.folder import read_octets
from lab.evidence.run import Evidence, View
from lab.findings.base import findings
from lab.packets.annotate import annotate
from lab.report.account import account
from lab.report.events import FrameEvent
from lab.report.findings_json import encode_findings
from lab.report.ladder import ladder
from lab.report.verdict import Verdict
from lab.text import Language

REPORT_COLUMNS = 110


def save_account(
    folder: Path, evidence: Evidence, judged: Verdict | None, language: Language
) -> None:
    """Write findings.json, report.txt and report.html and comment the key frames of the captures.

    Whatever is written belongs to the owner of the folder. Raises DiskFull; the run itself is then
    as it was.
    """
    lines = account(evidence, judged, language, REPORT_COLUMNS)
    found = findings(evidence)
    _write(folder / "findings.json", [encode_findings(found)])
    _write(folder / "report.txt", (f"{line}\n".encode() for line in lines))
    names = {address: host.name for host in evidence.manifest.hosts for address in host.addresses}
    for view, comments in _comments(evidence, language):
        capture = folder / view.file
        _write(capture, annotate(read_octets(capture), comments, names, ()))
    from lab.page import report  # the templates' engine: after the run has been told of

    page = report(folder.name, evidence, judged, language, found)
    _write(folder / "report.html", [page.encode()])


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """Replace a file whole."""
    fresh, owner = path.with_name(f".{path.name}.fresh"), path.parent.stat()
    try:
        with writing(path.name), fresh.open("wb") as file:
            file.writelines(pieces)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


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
