"""What a segment's options, its ECN marks and its urgent pointer say, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lab.packets.frames import ABSENT, Flags, Frames
from lab.packets.options import Options, parse_options
from lab.text import Text, same

SYN, ACK, URG = int(Flags.SYN), int(Flags.ACK), int(Flags.URG)
ECE, CWR, AE = int(Flags.ECE), int(Flags.CWR), int(Flags.AE)
"""Plain numbers: a long run asks often."""

FIXED_HEADER = 20
URGENT_POINTER = 18  # its offset in the header (RFC 9293 section 3.1)
MULTIPATH = 30  # the option's kind (RFC 8684 section 3)

ASKS_COOKIE = Text("asks for a Fast Open cookie", "请求 Fast Open cookie")
GIVES_COOKIE = Text("gives a Fast Open cookie of {n} octet[|s]", "下发 {n} 字节的 Fast Open cookie")
SHOWS_COOKIE = Text(
    "shows its Fast Open cookie of {n} octet[|s]", "出示 {n} 字节的 Fast Open cookie"
)
URGENT = Text(
    "urgent pointer {n}: the octet before that place is urgent",
    "紧急指针 {n}：该位置之前的一个字节为紧急数据",
)

# RFC 3168: the IP header's two bits, and the flags with which they are agreed on and answered
ECT = {1: "ECT(1)", 2: "ECT(0)"}
MARKED = Text("CE: a queue on the way signals congestion", "CE：途中的队列发出拥塞信号")
ECN_ASKED = Text("asks for ECN", "请求使用 ECN")
ECN_AGREED = Text("agrees to ECN", "同意使用 ECN")
ACCURATE_ASKED = Text("asks for accurate ECN", "请求使用精确 ECN（AccECN）")
ECHO = Text("ECE: a CE mark has arrived", "ECE：收到了 CE 标记")
REDUCED = Text("CWR: has reduced its congestion window", "CWR：已减小拥塞窗口")

# RFC 8684 section 3, by the option's subtype
MULTIPATH_NAMES = {
    0: "MP_CAPABLE",
    1: "MP_JOIN",
    2: "DSS",
    3: "ADD_ADDR",
    4: "REMOVE_ADDR",
    5: "MP_PRIO",
    6: "MP_FAIL",
    7: "MP_FASTCLOSE",
    8: "MP_TCPRST",
}
CAPABLE, DSS = 0, 2
DATA_FIN = 0x10  # flag of DSS
ASKS_MULTIPATH = Text("MP_CAPABLE: asks for Multipath TCP", "MP_CAPABLE：请求使用多路径 TCP")
ONE_KEY = Text("MP_CAPABLE: agrees, with its key", "MP_CAPABLE：同意，并附上自己的密钥")
BOTH_KEYS = Text("MP_CAPABLE: both keys", "MP_CAPABLE：双方的密钥")
ENDS_ALL = Text("DATA_FIN: ends the stream over all paths", "DATA_FIN：结束跨所有路径的整个数据流")
DATA_ACK = Text("DSS: Data ACK, over all paths", "DSS：跨所有路径的 Data ACK")


def options_of(frames: Frames, row: int) -> Options:
    """The options of one segment; none if they were not captured."""
    begin, end = int(frames.transport[row]) + FIXED_HEADER, int(frames.payload[row])
    if frames.transport[row] == ABSENT or end <= begin:
        return Options()
    return parse_options(frames.octets[begin:end].tobytes())


def of_opening(options: Options, flags: int) -> Iterator[Text]:
    """The options of a SYN: what is announced, asked for, and agreed to."""
    named = {"mss": options.mss, "ws": options.window_scale}
    words = [f"{name} {value}" for name, value in named.items() if value is not None]
    words += ["sack"] * options.sack_permitted + ["ts"] * (options.timestamps is not None)
    if words:
        yield same(" ".join(words))
    if options.fast_open is not None:
        size = len(options.fast_open)
        cookie = GIVES_COOKIE if flags & ACK else SHOWS_COOKIE
        yield cookie.fill(n=size) if size else ASKS_COOKIE


def of_multipath(options: Options, *, alone: bool) -> Text | None:
    """The Multipath TCP option; None if there is none, or nothing but what goes with all data.

    ``alone``: the segment is there for its options only, it carries and acknowledges nothing.
    """
    value = next((value for kind, value in options.unknown if kind == MULTIPATH and value), None)
    if value is None:
        return None
    subtype = value[0] >> 4
    if subtype == CAPABLE:
        return ASKS_MULTIPATH if len(value) < 10 else ONE_KEY if len(value) < 18 else BOTH_KEYS
    if subtype == DSS and len(value) > 1:
        return ENDS_ALL if value[1] & DATA_FIN else DATA_ACK if alone else None
    return same(MULTIPATH_NAMES.get(subtype, f"Multipath TCP, subtype {subtype}"))


def of_ecn(frames: Frames, row: int, flags: int, *, accurate: bool) -> Iterator[Text]:
    """Explicit congestion notification: the marks of the IP header, and the flags that go with them.

    ``accurate``: the connection asked for accurate ECN (RFC 9768), whose flags are a counter.
    """
    mark = _mark(frames, row)
    if mark == 3:
        yield MARKED
    elif mark:
        yield same(ECT[mark])
    ece, cwr = bool(flags & ECE), bool(flags & CWR)
    if flags & SYN:
        if ece and cwr and not flags & ACK:
            yield ACCURATE_ASKED if flags & AE else ECN_ASKED
        elif ece and not cwr and not flags & AE:
            yield ECN_AGREED
    elif not accurate:
        yield from [ECHO] * ece + [REDUCED] * cwr


def _mark(frames: Frames, row: int) -> int:
    """The two ECN bits of the IP header (RFC 3168 section 5)."""
    at = int(frames.network[row])
    if at == ABSENT:
        return 0
    octet = int(frames.octets[at + 1])
    return octet & 3 if frames.ip_version[row] == 4 else octet >> 4 & 3


def of_urgent(frames: Frames, row: int, flags: int) -> Iterator[Text]:
    """The urgent pointer, as it is implemented: it points behind the urgent octet (RFC 6093)."""
    at = int(frames.transport[row])
    if flags & URG and at != ABSENT:
        field = frames.octets[at + URGENT_POINTER : at + URGENT_POINTER + 2]
        yield URGENT.fill(n=int.from_bytes(field.tobytes(), "big"))
