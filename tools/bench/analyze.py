"""``lab explain`` on captures of a million packets, against other analyzers that are installed.

Whole processes, warm cache, in turns; every analyzer writes to a pipe that is thrown away.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.bench.figure import Figure, alternate, peak, quietly
from tools.bench.traffic import KINDS, write

MILLION = 1_000_000
TIMES, MANY_TIMES = 5, 3
LAB = (".venv/bin/lab", "explain")
AT_LEAST = 1_700_000
"""Packets a second: 1.5 times what the fastest of tcptrace, Argus and Suricata reached."""

TSHARK = (
    "tshark",
    "-r",
    "{file}",
    "-T",
    "fields",
    "-e",
    "frame.number",
    "-e",
    "_ws.expert.message",
)
PEERS: tuple[tuple[tuple[str, ...], float], ...] = (  # command, how many times as fast to be
    (TSHARK, 15.0),
    (("tcptrace", "-n", "-l", "{file}"), 1.5),
    (("argus", "-r", "{file}", "-w", "/dev/null"), 1.5),
    (("suricata", "-r", "{file}", "-l", "{folder}", "--runmode", "autofp"), 1.5),
)


def figures() -> Iterator[Figure]:
    """Packets a second, the ratio to each peer, memory, and that time grows as the packets do."""
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            yield from _of_kind(kind, Path(folder))


def _of_kind(kind: str, folder: Path) -> Iterator[Figure]:
    file = folder / f"{kind}.pcap"
    packets = _make(kind, MILLION, file)
    peers = [peer for peer in PEERS if shutil.which(peer[0][0])]
    ours, *theirs = alternate(
        TIMES, _lab(file), *(_peer(words, file, folder) for words, _ in peers)
    )
    detail = f"{packets / ours / MILLION:.2f} M packets a second"
    wanted = packets / AT_LEAST
    yield Figure(f"lab explain, {kind} / {wanted:.2f} s", ours / wanted, 1.0, detail)
    for (words, factor), seconds in zip(peers, theirs, strict=True):
        peer = f"{packets / seconds / MILLION:.2f} M packets a second"
        yield Figure(f"lab explain / {words[0]}, {kind}", ours / seconds, 1 / factor, peer)
    yield _memory(kind, file)
    yield _growth(kind, folder, file, packets)


def _memory(kind: str, file: Path) -> Figure:
    used, size = peak(*LAB, str(file)), file.stat().st_size
    detail = f"{used / MILLION:,.0f} MB for {size / MILLION:,.0f} MB"
    return Figure(f"lab explain, {kind}: memory / file", used / size, 1.5, detail)


def _growth(kind: str, folder: Path, file: Path, packets: int) -> Figure:
    """Ten thousand take the start and little more; from there on ten times as many take ten times as long."""
    few, many = folder / "few.pcap", folder / "many.pcap"
    _make(kind, MILLION // 100, few)
    more = _make(kind, 10 * MILLION, many)
    start, ours, long = alternate(MANY_TIMES, *(_lab(one) for one in (few, file, many)))
    grown = (long - start) / (ours - start) / (more / packets)
    used = peak(*LAB, str(many))
    detail = (
        f"{start:.2f} s for {MILLION // 100:,}, {ours:.2f} s for {packets:,}, "
        f"{long:.2f} s and {used / MILLION:,.0f} MB for {more:,}"
    )
    return Figure(f"lab explain, {kind}: growth", grown, 1.1, detail)


def _make(kind: str, packets: int, path: Path) -> int:
    made = KINDS[kind](packets)
    write(path, made)
    return len(made.time)


def _lab(file: Path) -> Callable[[], None]:
    return partial(quietly, *LAB, str(file))


def _peer(words: tuple[str, ...], file: Path, folder: Path) -> Callable[[], None]:
    return partial(quietly, *(word.format(file=file, folder=folder) for word in words))
