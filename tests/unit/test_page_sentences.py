"""The drawer's first line: one plain sentence for every kind of frame, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from lab.evidence.build import alone, view
from lab.evidence.run import Evidence
from lab.packets.rows import frame
from lab.page.build import scene
from lab.page.details import Teller
from lab.page.geometry import Arrow
from lab.page.scene import Act, FrameRow, frames_of
from lab.page.sentences import sentence
from lab.report import fates, testimony
from lab.report.people import people
from lab.text import Text
from tests import handmade
from tests.handmade import ACK, CLIENT, FIN, PSH, SERVER, SYN
from tests.three_connections import traffic
from tests.tour_run import RST, Wire

MOST_WORDS = 25
C, S = 5000, 9000  # ISNs


def opened() -> Wire:
    """Frames 1 to 3."""
    wire = Wire()
    wire.tcp(0, CLIENT, SYN, C)
    wire.tcp(10, SERVER, SYN | ACK, S, C + 1)
    wire.tcp(20, CLIENT, ACK, C + 1, S + 1)
    return wire


def given(*segments: tuple[int, str, int, int, int, bytes, int]) -> Wire:
    """A connection, opened, with these segments from frame 4 on: (time, sender, flags, number and
    ACK number relative, payload, window)."""
    wire = opened()
    for time, sender, flags, sequence, answer, payload, window in segments:
        own, other = (C, S) if sender == CLIENT else (S, C)
        wire.tcp(time, sender, flags, own + sequence, other + answer, payload, window=window)
    return wire


def evidence(wire: Wire) -> Evidence:
    return alone(view("", "handmade", wire.pcapng()))


def found(wire: Wire, number: int) -> tuple[Evidence, Act, FrameRow]:
    seen = evidence(wire)
    for act in scene(seen).acts:
        for row in frames_of(act.rows):
            if row.event.number == number:
                return seen, act, row
    raise AssertionError(number)


def told(seen: Evidence, act: Act, row: FrameRow) -> Text:
    one = frame(seen.view.capture, row.event.number - 1)
    return sentence(row, act, lambda: one, people(seen.manifest))


def says(wire: Wire, number: int) -> Text:
    return told(*found(wire, number))


DATA = (100, CLIENT, PSH | ACK, 1, 1, bytes(17), 502)
ANSWER = (200, SERVER, ACK, 1, 18, b"", 331)


@pytest.mark.parametrize(
    ("number", "en", "zh"),
    [
        (
            1,
            "The client asks to open a connection (numbered from 5000) and is ready for 64,240 octets.",
            "客户端请求建立连接（序号从 5000 开始），还能接收 64,240 字节。",
        ),
        (
            2,
            "The server agrees to open the connection (numbered from 9000) and is ready for 64,240 octets.",
            "服务器同意建立连接（序号从 9000 开始），还能接收 64,240 字节。",
        ),
        (
            3,
            "The client completes the handshake, acknowledges the SYN and is ready for 64,256 octets.",
            "客户端完成三次握手，确认对方的 SYN，还能接收 64,256 字节。",
        ),
        (4, "The client sends 17 octets (1 to 17).", "客户端发送 17 字节（1 至 17）。"),
        (
            5,
            "The server acknowledges 17 octets and is ready for 42,368 more.",
            "服务器确认 17 字节，还能再接收 42,368 字节。",
        ),
    ],
)
def test_a_healthy_exchange_is_told_with_its_own_numbers(number: int, en: str, zh: str) -> None:
    assert says(given(DATA, ANSWER), number) == Text(en, zh)


CLOSING = given(
    DATA,
    (200, CLIENT, FIN | ACK, 18, 1, b"", 502),
    (300, SERVER, FIN | ACK, 1, 19, b"", 502),
    (400, CLIENT, ACK, 19, 2, b"", 502),
)


@pytest.mark.parametrize(
    ("number", "en"),
    [
        (5, "The client has sent 17 octets in all and closes its direction."),
        (
            6,
            "The server acknowledges 17 octets and the FIN, has sent no data and closes its direction.",
        ),
        (7, "The client acknowledges the FIN."),
    ],
)
def test_a_close_tells_how_much_each_end_has_sent(number: int, en: str) -> None:
    assert says(CLOSING, number).en == en


AHEAD = (300, CLIENT, PSH | ACK, 101, 1, bytes(100), 502)
TROUBLE: dict[str, tuple[Wire, int, str]] = {
    "data again": (
        given(DATA, (500_000, *DATA[1:])),
        5,
        "The client sends 17 octets again (1 to 17).",
    ),
    "data again, needlessly": (
        given(DATA, ANSWER, (500_000, *DATA[1:])),
        6,
        "The client sends 17 octets again (1 to 17), though they were acknowledged.",
    ),
    "out of order": (
        given(
            (295, SERVER, PSH | ACK, 1, 1, bytes(9), 502),
            AHEAD,
            (310, CLIENT, PSH | ACK, 1, 1, bytes(100), 502),
        ),
        6,
        "The client sends 100 octets (1 to 100), which come after later ones.",
    ),
    "duplicate ACK": (
        given(DATA, ANSWER, AHEAD, (400, *ANSWER[1:])),
        7,
        "The server repeats that it waits for number 18 (duplicate ACK 1) "
        "and is ready for 42,368 octets.",
    ),
    "zero window": (
        given(DATA, (200, SERVER, ACK, 1, 18, b"", 0)),
        5,
        "The server acknowledges 17 octets and can take no more.",
    ),
    "window update": (
        given(DATA, (200, SERVER, ACK, 1, 18, b"", 0), (300, SERVER, ACK, 1, 18, b"", 10)),
        6,
        "The server announces a new window and is ready for 1,280 octets.",
    ),
    "zero window probe": (
        given(
            DATA,
            (200, SERVER, ACK, 1, 18, b"", 0),
            (400_000, CLIENT, ACK, 17, 1, b"", 502),
        ),
        6,
        "The client asks whether the server has room again.",
    ),
    "answer to the probe": (
        given(
            DATA,
            (200, SERVER, ACK, 1, 18, b"", 0),
            (400_000, CLIENT, ACK, 17, 1, b"", 502),
            (400_010, SERVER, ACK, 1, 18, b"", 0),
        ),
        7,
        "The server acknowledges nothing new and can take no more.",
    ),
    "keep-alive": (
        given(DATA, ANSWER, (9_000_000, CLIENT, ACK, 17, 1, b"", 502)),
        6,
        "The client asks whether the server is still there.",
    ),
    "answer to the keep-alive": (
        given(DATA, ANSWER, (9_000_000, CLIENT, ACK, 17, 1, b"", 502), (9_000_010, *ANSWER[1:])),
        7,
        "The server answers that it is still there and is ready for 42,368 octets.",
    ),
    "data that fills the window": (
        given(
            (100, SERVER, ACK, 1, 1, b"", 1),
            (200, CLIENT, PSH | ACK, 1, 1, bytes(128), 502),
        ),
        5,
        "The client sends 128 octets (1 to 128) and fills the window of the server.",
    ),
    "FIN again": (
        given(
            (100, CLIENT, FIN | ACK, 1, 1, b"", 502),
            (500_000, CLIENT, FIN | ACK, 1, 1, b"", 502),
        ),
        5,
        "The client sends its FIN again.",
    ),
    "reset": (
        given(DATA, (200, SERVER, RST, 1, 18, b"", 0)),
        5,
        "The server aborts the connection.",
    ),
    "refused": (
        traffic(),
        18,
        "The server refuses the connection: nothing listens on port 81.",
    ),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_segment_in_trouble_is_told_in_plain_words(kind: str) -> None:
    wire, number, en = TROUBLE[kind]
    assert says(wire, number).en == en


# ---------------------------------------------------------------- other protocols


def unanswered() -> Wire:
    """A datagram of 17 octets, refused by ICMP; an empty one; ARP; a later fragment; a cut header."""
    wire = Wire()
    wire.udp(0, CLIENT, bytes(17))
    wire.unreachable(10, wire.frames[0][1][14:])
    wire.udp(20, CLIENT, b"")
    wire.arp(30)
    part = handmade.ipv4(bytes(8), 17, fragment=185, identification=7)
    wire.frames.append((40, handmade.ethernet(part), True))
    wire.frames.append((50, handmade.ethernet(handmade.ipv4(bytes(8), 6)), True))
    return wire


@pytest.mark.parametrize(
    ("number", "en"),
    [
        (1, "The client sends a datagram of 17 octets to the server."),
        (2, "The server answers #1 with ICMP port unreachable."),
        (3, "The client sends an empty datagram to the server."),
        (4, f"{CLIENT} asks who has {SERVER}."),
        (5, f"{CLIENT} sends octets 1480 to 1487 of packet 7, as a fragment."),
        (
            6,
            f"{CLIENT} sends a frame of 42 octets whose headers contradict themselves or are cut.",
        ),
    ],
)
def test_what_is_not_tcp_has_its_sentence_too(number: int, en: str) -> None:
    assert says(unanswered(), number).en == en


# ---------------------------------------------------------------- what became of it


def _lost(row: FrameRow) -> FrameRow:
    return replace(row, arrow=replace(row.arrow, lost=True))


def _doubled(row: FrameRow) -> FrameRow:
    arrow: Arrow = replace(row.arrow, forked=((9.0, 9.0),))
    return replace(row, arrow=arrow)


def _dropped(row: FrameRow) -> FrameRow:
    return _saying(row, testimony.DROPPED.fill(who="server", reason="NO_SOCKET"))


def _forged(row: FrameRow) -> FrameRow:
    return _saying(row, fates.FORGED.fill(who="client"))


def _saying(row: FrameRow, words: Text) -> FrameRow:
    return replace(row, event=replace(row.event, words=(words,)))


@pytest.mark.parametrize(
    ("fate", "en", "zh"),
    [
        (
            _lost,
            "The client sends 17 octets (1 to 17), but the frame is lost.",
            "客户端发送 17 字节（1 至 17），但该帧在途中丢失。",
        ),
        (
            _doubled,
            "The client sends 17 octets (1 to 17), and the frame is doubled on the way.",
            "客户端发送 17 字节（1 至 17），该帧在途中被复制。",
        ),
        (
            _dropped,
            "The client sends 17 octets (1 to 17), but the receiver drops it.",
            "客户端发送 17 字节（1 至 17），但接收方的内核将其丢弃。",
        ),
        (
            _forged,
            "Somebody, posing as the client, sends 17 octets (1 to 17).",
            "有人冒充客户端，发送 17 字节（1 至 17）。",
        ),
    ],
)
def test_what_became_of_a_frame_ends_its_sentence(
    fate: Callable[[FrameRow], FrameRow], en: str, zh: str
) -> None:
    seen, act, row = found(given(DATA), 4)
    assert told(seen, act, fate(row)) == Text(en, zh)


def test_no_sentence_is_long() -> None:
    wires = [wire for wire, _, _ in TROUBLE.values()]
    for wire in (*wires, CLOSING, unanswered()):
        seen = evidence(wire)
        for act in scene(seen).acts:
            for row in frames_of(act.rows):
                assert len(told(seen, act, row).en.split()) <= MOST_WORDS


def test_the_drawer_begins_with_the_sentence_and_does_not_repeat_the_size() -> None:
    seen, act, row = found(given(DATA), 4)
    teller = Teller(seen, scene(seen), everything=True)
    (detail,) = teller.details(act, [row]).values()
    assert isinstance(detail, dict)
    assert [en for en, _ in detail["says"]] == ["The client sends 17 octets (1 to 17)."]
