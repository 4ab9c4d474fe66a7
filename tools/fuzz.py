"""Read damaged captures by the ten thousand: never an exception, a hang, or memory without bound.

    python -m tools.fuzz [mutants] [first seed]

A mutant is a capture with a few octets changed, lengths replaced, parts cut out, repeated or
moved; the same seed makes the same mutants. One that does harm is kept as fuzz-SEED.pcap.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from lab.errors import CaptureFileError
from lab.evidence.build import alone, view
from lab.packets.checksums import checksum_errors
from lab.packets.left_out import left_out
from lab.packets.rows import frame

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (ROOT / "captures" / "samples", ROOT.parent / "shared" / "corpus")
LARGEST_SOURCE = 64 * 1024  # octets: small files say as much, sooner
SECONDS, MEMORY = 20, 4 << 30  # that one mutant may take
SHOWN = 50  # frames looked at one by one
BATCH = 250

EXTREMES = (0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def main(arguments: list[str]) -> int:
    """Run; returns how the process should end."""
    count = int(arguments[0]) if arguments else 100_000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    batches = [
        range(at, min(at + BATCH, first + count)) for at in range(first, first + count, BATCH)
    ]
    told: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count(), initializer=_bounded) as workers:
        for done, outcome in enumerate(workers.map(_batch, batches), 1):
            told.update(outcome)
            print(f"\r{done * BATCH:>8,} mutants", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for outcome, times in told.most_common():
        print(f"{times:>8,}  {outcome}")
    return 1 if any(outcome.startswith("HARM") for outcome in told) else 0


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _too_long)


def _too_long(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"not done after {SECONDS} s")


def _batch(seeds: range) -> Counter[str]:
    return Counter(_outcome(seed) for seed in seeds)


def _outcome(seed: int) -> str:
    octets = mutant(seed)
    signal.alarm(SECONDS)
    try:
        return examine(octets)
    except Exception:
        Path(f"fuzz-{seed}.pcap").write_bytes(octets)
        return f"HARM by seed {seed}: {traceback.format_exc().splitlines()[-1]}"
    finally:
        signal.alarm(0)


def examine(octets: bytes) -> str:
    """Read and analyse a file, look at all that can be looked at; say how it went in one word."""
    try:
        found = view("", "mutant", octets)
    except CaptureFileError as error:
        return type(error).__name__
    alone(found)
    capture = found.capture
    checksum_errors(capture)
    left_out(capture)
    for index in range(min(SHOWN, len(capture.frames))):
        frame(capture, index)
    return "damaged" if capture.problems else "read to the end"


# ---------------------------------------------------------------------------- mutants


@cache
def sources() -> tuple[bytes, ...]:
    """Captures to begin from: the lab's own, and foreign ones where they are at hand."""
    files = (path for folder in SOURCES for path in sorted(folder.rglob("*.[pc]*ap*")))
    small = [path for path in files if path.is_file() and path.stat().st_size <= LARGEST_SOURCE]
    return tuple(path.read_bytes() for path in small)


def mutant(seed: int) -> bytes:
    """The mutant of this seed."""
    dice = random.Random(seed)
    octets = bytearray(dice.choice(sources()))
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        if octets:
            dice.choice(_CHANGES)(octets, dice)
    return bytes(octets)


def _flip(octets: bytearray, dice: random.Random) -> None:
    octets[dice.randrange(len(octets))] ^= 1 << dice.randrange(8)


def _extreme(octets: bytearray, dice: random.Random) -> None:
    size, at = dice.choice((1, 2, 4)), dice.randrange(len(octets))
    value = dice.choice(EXTREMES) & (1 << 8 * size) - 1
    octets[at : at + size] = value.to_bytes(size, dice.choice(("big", "little")))


def _cut(octets: bytearray, dice: random.Random) -> None:
    del octets[dice.randrange(len(octets)) :]


def _part(octets: bytearray, dice: random.Random) -> slice:
    begin = dice.randrange(len(octets))
    return slice(begin, begin + dice.choice((1, 4, 16, 100, 2000)))


def _remove(octets: bytearray, dice: random.Random) -> None:
    del octets[_part(octets, dice)]


def _repeat(octets: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(octets))
    octets[at:at] = octets[_part(octets, dice)] * dice.choice((1, 2, 50))


def _overwrite(octets: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(octets))
    part = octets[_part(octets, dice)]
    octets[at : at + len(part)] = part


def _noise(octets: bytearray, dice: random.Random) -> None:
    part = _part(octets, dice)
    octets[part] = dice.randbytes(len(octets[part]))


_CHANGES = (_flip, _flip, _extreme, _extreme, _extreme, _cut, _remove, _repeat, _overwrite, _noise)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
