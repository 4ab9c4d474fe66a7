"""Promises that every run keeps, whatever its scenario: the recording is whole and undamaged.

A scenario that breaks one on purpose (a program that dies, checksums left to a network card) makes
a promise of its own with the same id, which takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lab.evidence.run import Evidence
from lab.packets.checksums import checksum_errors
from lab.scenarios.base import Promise, Seen
from lab.text import Text, same

AT_MOST = 20
"""Frame numbers given as proof of one promise."""


def _complete(evidence: Evidence) -> Seen:
    manifest = evidence.manifest
    missing = [
        tap.file for tap in manifest.taps if tap.file not in {v.file for v in evidence.views}
    ]
    if missing:
        return Seen(False, Text("missing: {files}", "缺少：{files}").fill(files=", ".join(missing)))
    if not manifest.complete:
        reason = manifest.reason or "the sniffer did not finish"
        return Seen(False, Text("cut short: {reason}", "中途结束：{reason}").fill(reason=reason))
    damaged = [view.file for view in evidence.views if view.capture.problems]
    if damaged:
        return Seen(
            False, Text("damaged: {files}", "已损坏：{files}").fill(files=", ".join(damaged))
        )
    frames = " + ".join(f"{len(view.capture.frames):,}" for view in evidence.views)
    return Seen(True, Text("{frames} frame[|s]", "{frames} 帧").fill(frames=frames))


def _nothing_dropped(evidence: Evidence) -> Seen:
    taps = evidence.manifest.taps
    counts = ", ".join(f"{tap.host} {tap.dropped:,}" for tap in taps)
    if not taps:
        return Seen(False, Text("no tap reported its counters", "没有任何抓包点报告计数器"))
    words = Text("the kernel's drop counters: {counts}", "内核丢弃计数器：{counts}")
    return Seen(evidence.manifest.dropped == 0, words.fill(counts=counts))


def _nothing_missing(evidence: Evidence) -> Seen:
    """Frames seen by the kernel and frames in the file are as many."""
    short = [
        f"{view.host}: {len(view.capture.frames):,} / {tap.frames:,}"
        for view in evidence.views
        for tap in evidence.manifest.taps
        if tap.file == view.file and tap.frames != len(view.capture.frames)
    ]
    if short:
        words = Text("in the file / recorded: {counts}", "文件中 / 已录制：{counts}")
        return Seen(False, words.fill(counts=", ".join(short)))
    return Seen(True, Text("every frame recorded is in its file", "录制的每一帧都在文件中"))


def _programs_ended(evidence: Evidence) -> Seen:
    """Every program of every host left with exit code 0."""
    codes = {host.name: host.exit_codes for host in evidence.manifest.hosts}
    said = [f"{name} {', '.join(map(str, each or ())) or '-'}" for name, each in codes.items()]
    words = Text("exit codes: {codes}", "退出码：{codes}").fill(codes="; ".join(said))
    return Seen(all(each is not None and not any(each) for each in codes.values()), words)


def _views_agree(evidence: Evidence) -> Seen:
    match = evidence.match
    if match is None:
        return Seen(False, Text("there is only one capture", "只有一份抓包文件"))
    first, second = (view.host for view in evidence.views[:2])
    counts = {"first": first, "second": second, "both": f"{len(match.first):,}"}
    if not len(match.only_first) and not len(match.only_second):
        words = Text(
            "{both} frame[|s] at {first} [is that|are those] at {second}",
            "{first} 的 {both} 帧与 {second} 的完全相同",
        )
        return Seen(True, words.fill(**counts))
    words = Text(
        "only at {first}: {one} frame[|s]; only at {second}: {two}",
        "仅见于 {first}：{one} 帧；仅见于 {second}：{two} 帧",
    )
    lost = {"one": f"{len(match.only_first):,}", "two": f"{len(match.only_second):,}"}
    return Seen(False, words.fill(**counts, **lost), _numbers(match.only_first + 1))


def _well_formed(evidence: Evidence) -> Seen:
    bad = [np.flatnonzero(view.capture.frames.malformed) + 1 for view in evidence.views]
    return _none(evidence, bad, Text("malformed frames", "畸形帧"))


def _checksums(evidence: Evidence) -> Seen:
    bad = [checksum_errors(view.capture) for view in evidence.views]
    return _none(evidence, bad, Text("wrong checksums", "校验和错误的帧"))


def _none(evidence: Evidence, bad: list[np.ndarray], what: Text) -> Seen:
    """Kept if no view has any; the frames given are the first view's."""
    if not any(len(numbers) for numbers in bad):
        return Seen(
            True,
            Text("no {what} in {frames} frame[|s]", "{frames} 帧中没有{what}").fill(
                what=what, frames=_total(evidence)
            ),
        )
    counts = ", ".join(
        f"{view.host} {len(n):,}" for view, n in zip(evidence.views, bad, strict=True)
    )
    return Seen(
        False,
        Text("{what}: {counts}", "{what}：{counts}").fill(what=what, counts=same(counts)),
        _numbers(bad[0]),
    )


def _total(evidence: Evidence) -> str:
    return f"{sum(len(view.capture.frames) for view in evidence.views):,}"


def _numbers(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)[:AT_MOST]


ALWAYS = (
    Promise("complete", Text("the recording is complete", "录制完整"), _complete),
    Promise(
        "no_drops", Text("the kernel dropped no frame", "内核没有丢弃任何帧"), _nothing_dropped
    ),
    Promise(
        "all_written", Text("every frame reached the disk", "每一帧都已写入磁盘"), _nothing_missing
    ),
    Promise(
        "views_agree", Text("both captures show the same frames", "两份抓包逐帧一致"), _views_agree
    ),
    Promise("programs", Text("every program ended well", "所有程序正常结束"), _programs_ended),
    Promise("well_formed", Text("no frame is malformed", "没有畸形帧"), _well_formed),
    Promise("checksums", Text("every checksum is right", "所有校验和正确"), _checksums),
)


def _wire_worked(evidence: Evidence) -> Seen:
    """Every rule touched a frame, and the wire itself lost none."""
    summary = evidence.wire.summary if evidence.wire else None
    if summary is None:
        return Seen(False, Text("the wire left no summary", "链路没有留下总结"))
    if summary.idle:
        words = Text("it never happened: {rule}", "从未发生：{rule}")
        return Seen(False, words.fill(rule=summary.idle[0].words))
    if summary.missed or summary.unfinished:
        words = Text("{n} frame[|s] [was|were] missed or unfinished", "{n} 帧被漏掉或不完整")
        return Seen(False, words.fill(n=summary.missed + summary.unfinished))
    said = [work.words for work in summary.rules]
    en = "; ".join(one.en.rstrip(".") for one in said)
    return Seen(True, Text(en, "；".join(one.zh.rstrip("。") for one in said)))


WIRE_WORKED = Promise(
    "wire_worked",
    Text("the wire did what its rules say", "链路按规则行事"),
    _wire_worked,
)
"""Promised by every scenario with rules."""
