"""From a capture's columns to its TCP connections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lab.packets.frames import Capture, Flags, Frames
from lab.packets.pairs import ends
from lab.tcp.closing import closing
from lab.tcp.completeness import completeness
from lab.tcp.flags import Verdicts, analyse
from lab.tcp.model import Analysis, Connection, Handshake
from lab.tcp.numbers import stream_octets
from lab.tcp.opening import initial_numbers, initial_rtt, opening
from lab.tcp.segments import CLIENT, SERVER, Segment, has_whole_header, segments
from lab.tcp.states import resets, walk
from lab.tcp.streams import Stream, streams
from lab.tcp.zeek import likely_flipped, summary

NEVER_OPENED = (Handshake.REFUSED, Handshake.UNANSWERED)


def connections(capture: Capture) -> tuple[Connection, ...]:
    """Every TCP connection of a capture, analysed, in order of its first segment."""
    frames = capture.frames
    return tuple(_connection(frames, i, stream) for i, stream in enumerate(streams(frames)))


def _connection(frames: Frames, number: int, stream: Stream) -> Connection:
    sender, receiver = ends(frames, int(stream.rows[0]))
    ports = sender.port, receiver.port
    client_first = _client_sent_first(frames.flags[stream.rows], stream.forward, ports)
    from_client = stream.forward if client_first else ~stream.forward
    parts = segments(frames, stream.rows, from_client)
    sound = has_whole_header(frames, stream.rows)
    steps = tuple(walk(parts))
    opened = opening(parts)
    closed = closing(parts, resets(steps), opened=opened.kind not in NEVER_OPENED)
    scale, rtt = window_shifts(parts), initial_rtt(parts)
    judged = (part for part, good in zip(parts, sound, strict=True) if good)
    verdicts = _marked(analyse(judged, scale, rtt), parts[0].frame, reused=stream.reused)
    isn = initial_numbers(parts)
    conn_state, history = summary(parts, ports)
    return Connection(
        stream=number,
        client=sender if client_first else receiver,
        server=receiver if client_first else sender,
        rows=stream.rows,
        from_client=from_client,
        isn=isn,
        scale=scale,
        mss=announced_mss(parts),
        handshake=opened.kind,
        handshake_frames=opened.frames,
        teardown=closed.kind,
        teardown_frames=closed.frames,
        states=steps[-1].states,
        conn_state=conn_state,
        history=history,
        completeness=completeness(parts),
        octets=(stream_octets(parts, CLIENT, isn), stream_octets(parts, SERVER, isn)),
        rtt=rtt[1] if rtt else None,
        flags=verdicts.flags,
        duplicate_acks=verdicts.duplicate_acks,
    )


def _client_sent_first(
    parts_flags: NDArray[np.uint16], forward: NDArray[np.bool_], ports: tuple[int, int]
) -> bool:
    """Whether the first segment's sender is the originator, as far as the capture tells.

    That is who sent a SYN, or got a SYN,ACK; else the ports decide, as they do for Zeek.
    """
    kind = parts_flags & (Flags.SYN | Flags.ACK)
    for value, sense in ((Flags.SYN, True), (Flags.SYN | Flags.ACK, False)):
        found = np.flatnonzero(kind == value)
        if len(found):
            return bool(forward[found[0]]) is sense
    return not likely_flipped(int(parts_flags[0]), ports)


def _marked(verdicts: Verdicts, frame: int, *, reused: bool) -> Verdicts:
    """Add the flag that the split of streams has found."""
    if not reused:
        return verdicts
    found = verdicts.flags.get(frame, Analysis(0)) | Analysis.REUSED_PORTS
    return Verdicts({**verdicts.flags, frame: found}, verdicts.duplicate_acks)


def window_shifts(parts: Sequence[Segment]) -> tuple[int | None, int | None]:
    """The shift in force for each side's windows: only if both SYNs offer it (RFC 7323 2.2)."""
    offered = [_from_syn(parts, side, "window_scale") for side in (CLIENT, SERVER)]
    seen = {part.side for part in parts if part.syn}
    if len(seen) == 2 and None in offered:
        offered = [0, 0]
    client, server = ((offered[side] or 0) if side in seen else None for side in (CLIENT, SERVER))
    return client, server


def announced_mss(parts: Sequence[Segment]) -> tuple[int | None, int | None]:
    """The MSS in each side's SYN; None where there was none."""
    return _from_syn(parts, CLIENT, "mss"), _from_syn(parts, SERVER, "mss")


def _from_syn(parts: Sequence[Segment], side: int, option: str) -> int | None:
    for part in parts:
        if part.syn and part.side == side and part.options is not None:
            value: int | None = getattr(part.options, option)
            if value is not None:
                return value
    return None
