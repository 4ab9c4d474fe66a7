"""A capture once more, as pcapng, with the findings as comments of the frames that show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.findings.base import Finding
from lab.packets import pcapng_writer as writer
from lab.packets.annotate import annotate
from lab.packets.frames import Capture
from lab.packets.pcapng_codes import SECTION_HEADER
from lab.report.explanation import SEVERITIES
from lab.text import Language, Text

FOUND = Text("{severity}: {words} [{id}]", "{severity}：{words}［{id}］")
NEXT = Text("{found} → {next}", "{found} → {next}")

PIECE = 1 << 20
"""Octets gathered before they are handed on."""


def comments(found: Sequence[Finding], language: Language) -> dict[int, list[str]]:
    """The words for each frame, by its number; what concerns the whole file stands at the first."""
    words: dict[int, list[str]] = {}
    for one in found:
        text = FOUND.fill(severity=SEVERITIES[one.severity], words=one.words, id=one.id)
        if one.next:
            text = NEXT.fill(found=text, next=one.next)
        for number in one.frames or (1,):
            words.setdefault(number, []).append(text.say(language))
    return words


def commented(capture: Capture, words: Mapping[int, Sequence[str]]) -> Iterator[bytes]:
    """Yield the file, piece by piece, with ``words`` added to those frames.

    A pcapng file keeps every block and option it has; any other becomes pcapng, with the times,
    lengths, directions and interfaces that were read. Frames in simple packet blocks, which hold
    no options, stay without comment.
    """
    octets = capture.frames.octets
    if len(capture.frames) and octets[:4].tobytes() == SECTION_HEADER.to_bytes(4, "big"):
        yield from annotate(octets.data, words, {}, ())
    else:
        yield from _converted(capture, words)


def _converted(capture: Capture, words: Mapping[int, Sequence[str]]) -> Iterator[bytes]:
    frames = capture.frames
    yield writer.section_header()
    for one in capture.interfaces:
        yield writer.interface_description(
            one.name,
            description=one.description,
            link_type=one.link_type & 0xFFFF,  # what else a damaged pcap's field says, no block can
            snap_length=one.snap_length,
        )
    octets, pieces, size = frames.octets.data, [], 0
    columns = zip(
        frames.time.tolist(),
        frames.start.tolist(),
        frames.captured.tolist(),
        frames.direction.tolist(),
        frames.interface.tolist(),
        frames.length.tolist(),
        strict=True,
    )
    for number, (time, start, captured, direction, interface, length) in enumerate(columns, 1):
        frame = octets[start : start + captured]
        block = writer.packet_block(time, frame, direction, interface, length)
        if added := words.get(number):
            block = writer.with_comments(block, added)
        pieces.append(block)
        size += len(block)
        if size > PIECE:
            yield b"".join(pieces)
            pieces, size = [], 0
    yield b"".join(pieces)
