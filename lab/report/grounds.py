"""What a statement rests on: the learner's own run, a standard, or the kernel that played the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from lab.questions.base import Claim, Source
from lab.text import Text


class Ground(StrEnum):
    """Why a statement is believed."""

    RUN = "run"  # frames and calls show it
    STANDARD = "standard"  # an RFC says it
    KERNEL = "kernel"  # this kernel says it, or its manual: another version may differ
    OTHER = "other"  # a book, a program's manual


RELEASE = Text("this kernel ({release})", "本机内核（{release}）")
MARKS = {
    Ground.RUN: Text("your run", "你的运行"),
    Ground.STANDARD: Text("standard", "标准"),
    Ground.KERNEL: Text("this kernel", "本机内核"),
    Ground.OTHER: Text("also", "另见"),
}
TESTIMONY = {Source.SOCKET, Source.COUNTER, Source.SYSCTL}
"""What a kernel says of itself; all else was seen from outside."""

STANDARDS = re.compile("RFC |draft-")
KERNELS = re.compile(r"Linux |ip-sysctl|\w+\([27]\)")
"""Documents of Linux, and the sections of its manual on system calls and protocols."""


def mark(ground: Ground, kernel: str) -> Text:
    """The mark of a ground; ``kernel``: its release, "" if unknown."""
    if ground is Ground.KERNEL and kernel:
        return RELEASE.fill(release=kernel)
    return MARKS[ground]


def of_claim(claim: Claim) -> tuple[Ground, ...]:
    """What a claim of a proof rests on."""
    sources = {cite.source for cite in claim.cites}
    told = [Ground.KERNEL] if sources & TESTIMONY else []
    seen = [Ground.RUN] if sources - TESTIMONY or not told else []
    return (*seen, *told)


def of_sources(sources: Sequence[str]) -> Iterator[tuple[Ground, tuple[str, ...]]]:
    """A question's sources, ground by ground."""
    for ground in (Ground.STANDARD, Ground.KERNEL, Ground.OTHER):
        if found := tuple(one for one in sources if _kind(one) is ground):
            yield ground, found


def _kind(source: str) -> Ground:
    if STANDARDS.match(source):
        return Ground.STANDARD
    return Ground.KERNEL if KERNELS.match(source) else Ground.OTHER
