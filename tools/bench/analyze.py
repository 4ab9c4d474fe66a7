"""``lab explain`` on captures of a million packets, against other analyzers that are installed.

Whole processes, warm cache, in turns; every analyzer writes to a pipe that is thrown away.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.bench.figure import Figure, alternate, quietly
from tools.bench.traffic import KINDS, write

MILLION = 1_000_000
TIMES = 5
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
    """Packets a second, the ratio to each peer, and that twice as many take twice as long."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            yield from _of_kind(kind, Path(folder))


def _of_kind(kind: str, folder: Path) -> Iterator[Figure]:
    file, twice = folder / f"{kind}.pcap", folder / f"{kind}-twice.pcap"
    packets, more = (_make(kind, MILLION * i, path) for i, path in ((1, file), (2, twice)))
    peers = [peer for peer in PEERS if shutil.which(peer[0][0])]
    ours, long, *theirs = alternate(
        TIMES, _lab(file), _lab(twice), *(_peer(words, file, folder) for words, _ in peers)
    )
    detail = f"{packets / ours / MILLION:.2f} M packets a second"
    wanted = packets / AT_LEAST
    yield Figure(f"lab explain, {kind} / {wanted:.2f} s", ours / wanted, 1.0, detail)
    grown = (long / ours) / (more / packets)
    yield Figure(f"lab explain, {kind}: growth", grown, 1.1, f"{long:.2f} s for {more:,}")
    for (words, factor), seconds in zip(peers, theirs, strict=True):
        peer = f"{packets / seconds / MILLION:.2f} M packets a second"
        yield Figure(f"lab explain / {words[0]}, {kind}", ours / seconds, 1 / factor, peer)


def _make(kind: str, packets: int, path: Path) -> int:
    made = KINDS[kind](packets)
    write(path, made)
    return len(made.time)


def _lab(file: Path) -> Callable[[], None]:
    return partial(quietly, ".venv/bin/lab", "explain", str(file))


def _peer(words: tuple[str, ...], file: Path, folder: Path) -> Callable[[], None]:
    return partial(quietly, *(word.format(file=file, folder=folder) for word in words))
