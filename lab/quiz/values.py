"""Values as people write them, in either script: read into what is compared.

``Connection reset by peer`` is ECONNRESET, and so are 104 and ConnectionResetError; TIME_WAIT is
TIME-WAIT; "0.2 s" and "200 毫秒" are the same span; "#７" is frame 7.
"""

from __future__ import annotations

import builtins
import errno
import os
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from itertools import chain

from lab.questions.base import Ask, Unit, Value
from lab.quiz.rubric import normalised
from lab.scenarios.script import FLAGS, in_order
from lab.tcp.model import State
from lab.text import Text


class Unreadable(ValueError):
    """A value that is not of the kind that was asked for; ``words`` say what was expected."""

    def __init__(self, words: Text) -> None:
        """``words``: for the learner."""
        super().__init__(words.en)
        self.words = words


WHOLE = Text("a whole number is expected: 7", "应为整数，例如 7")
AMOUNT = Text("an amount is expected: 17, 17 octets, 64 KiB", "应为数量，例如 17、17 字节、64 KiB")
TIME = Text("a time is expected: 42.7 ms, 0.2 s, 58 µs", "应为时间，例如 42.7 毫秒、0.2 s、58 µs")
STATES = Text("a TCP state is expected: TIME-WAIT", "应为 TCP 状态，例如 TIME-WAIT")
WORD = Text("a word is expected", "应为一个词")
OCTETS = Text("octets in hex are expected: e4 bd a0", "应为十六进制字节，例如 e4 bd a0")
ONE_OF = Text("one of these is expected: {known}", "应为以下之一：{known}")
ALL_OF = Text("each of these is expected once: {known}", "以下各项应各出现一次：{known}")
LONGEST = 10_000  # characters of a value that are read at all

_NUMERALS = {word: number for number, word in enumerate("零一二三四五六七八九十")} | {"两": 2}
_ENGLISH = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_NUMERALS |= {word: number for number, word in enumerate(_ENGLISH)} | {
    "none": 0,
    "没有": 0,
    "无": 0,
}
_AMOUNTS = {
    "": 1,
    **dict.fromkeys(("b", "byte", "bytes", "octet", "octets", "字节", "个字节"), 1),
    **dict.fromkeys(("kb", "k", "千字节"), 1000),
    **dict.fromkeys(("mb", "m", "兆字节"), 1_000_000),
    "kib": 1024,
    "mib": 1 << 20,
}
_TIMES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒", "秒钟"), 10**9),
    **dict.fromkeys(("", "ms", "msec", "millisecond", "milliseconds", "毫秒"), 10**6),
    **dict.fromkeys(("us", "μs", "microsecond", "microseconds", "微秒"), 10**3),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds", "纳秒"), 1),
    **dict.fromkeys(("min", "minute", "minutes", "分", "分钟"), 60 * 10**9),
    **dict.fromkeys(("h", "hour", "hours", "小时"), 3600 * 10**9),
}
_STATES = {str(state).replace("-", ""): str(state) for state in State} | {
    "SYNRECV": "SYN-RECEIVED",
    "SYNRCVD": "SYN-RECEIVED",
    "ESTAB": "ESTABLISHED",
    "CLOSE": "CLOSED",
}
_NUMBER = re.compile(r"([-+]?\d{1,30}(?:\.\d{1,30})?(?:e[-+]?\d{1,2})?) ?([^\d\s.]*( [a-z]+)?)")
_ABOUT = re.compile(r"^(?:[~≈]|about|ca\.?|大约|约|大概) *")
_MEASURE = re.compile(r"^第 ?| ?[个次帧段条号]$")  # around a Chinese number
_GROUPED = re.compile(r"(?<=\d)[,_' ](?=\d{3}(?!\d))")  # between the thousands
_FINE = ("", "ok", "0", "none", "success", "no error", "成功", "无错误", "没有错误")
_CHINESE_ERRORS = {
    "连接被拒绝": "ECONNREFUSED",
    "拒绝连接": "ECONNREFUSED",
    "连接被重置": "ECONNRESET",
    "连接被对端重置": "ECONNRESET",
    "连接超时": "ETIMEDOUT",
    "断开的管道": "EPIPE",
    "地址已在使用": "EADDRINUSE",
    "地址已被占用": "EADDRINUSE",
    "没有到主机的路由": "EHOSTUNREACH",
    "资源暂时不可用": "EAGAIN",
    "权限不够": "EACCES",
}


def read(ask: Ask, given: object) -> Value:
    """Read what a learner gave for an asked value; raises Unreadable, saying what was expected."""
    if isinstance(given, bool) or given is None:
        raise Unreadable(_expected(ask))
    if ask.unit is Unit.ORDER:
        return _order(ask, given)
    if ask.unit is Unit.NAME and isinstance(given, list | tuple):  # [SYN, ACK]
        given = ",".join(map(str, given))
    if not isinstance(given, str | int | float):
        raise Unreadable(_expected(ask))
    text = normalised(str(given)[:LONGEST])
    if ask.unit is Unit.CHOICE:
        return _choice(ask, text)
    return _READERS[ask.unit](text)


def _expected(ask: Ask) -> Text:
    known = ", ".join(name for name, _ in ask.choices)
    words = {
        Unit.OCTETS: AMOUNT,
        Unit.SPAN: TIME,
        Unit.STATE: STATES,
        Unit.ERROR: WORD,
        Unit.NAME: WORD,
        Unit.HEX: OCTETS,
        Unit.CHOICE: ONE_OF.fill(known=known),
        Unit.ORDER: ALL_OF.fill(known=known),
    }
    return words.get(ask.unit, WHOLE)


# ---------------------------------------------------------------- numbers


def _whole(text: str) -> int:
    """A whole number, whatever stands around it: "#7", "no. 7", "第 7 帧", "2,470,701,470"."""
    word = _MEASURE.sub("", text)
    if word in _NUMERALS:
        return _NUMERALS[word]
    plain = _GROUPED.sub("", text).rstrip(". ")
    if found := re.fullmatch(r"\D*?(0x[0-9a-f]+)\D*", plain):
        return int(found[1], 16)
    before = r"(?:[^\d.-]|(?<=[^\W\d])\.)*"  # of dots only the one of an abbreviation
    found = re.fullmatch(before + r"(-?\d{1,30})(?:\.0+)?\s*[^\d.]*", plain)
    if found is None:
        raise Unreadable(WHOLE)
    return int(found[1])


def _scaled(units: dict[str, int], expected: Text) -> Callable[[str], int]:
    def scale(text: str) -> int:
        if text in _NUMERALS:
            return _NUMERALS[text] * units[""]
        plain = re.sub(r"^0,(?=\d)", "0.", _ABOUT.sub("", text))  # as much of Europe writes it
        plain = re.sub(r"(?<=\d)[,_](?=\d{3})", "", plain)
        found = _NUMBER.fullmatch(plain)
        unit = found[2].strip().rstrip(".") if found else ""
        if found is None or unit not in units:
            raise Unreadable(expected)
        return round(float(found[1]) * units[unit])

    return scale


# ---------------------------------------------------------------- names


def _state(text: str) -> str:
    name = re.sub(r"[\s_-]", "", text).upper().removeprefix("TCP")
    if name not in _STATES:
        raise Unreadable(STATES)
    return _STATES[name]


def _error(text: str) -> str:
    """The errno's name, by its name, number, message or Python's exception; others as they are."""
    text = text.strip("\"'`. ")
    if text in _FINE:
        return "ok"
    if found := re.search(r"\[?errno[\s:=]*(\d+)\]?|^(\d+)$", text):
        return errno.errorcode.get(int(found[1] or found[2]), text.upper())
    if _NEGATED.match(text):
        raise Unreadable(WORD)
    for words, name in chain(_MESSAGES.items(), _CHINESE_ERRORS.items()):
        if words in text:
            return name
    return _named(text, _NAMES) or _named(text, _EXCEPTIONS) or re.split(r"[\s:(]", text)[0].upper()


def _named(text: str, known: Mapping[str, str]) -> str | None:
    """The one known name among the words; None if there is none, or more than one."""
    words = (word.removeprefix("wsa") for word in re.findall(r"\w+", text, re.ASCII))
    found = {known[word] for word in words if word in known}
    return found.pop() if len(found) == 1 else None


_NEGATED = re.compile(r"(?:not|never)\b|不是|并非|没有 ?e")
_NAMES = {name.casefold(): name for name in errno.errorcode.values()} | {"ewouldblock": "EAGAIN"}
_MESSAGES = {os.strerror(code).casefold(): name for code, name in errno.errorcode.items()}
_EXCEPTIONS = {
    "connectionrefusederror": "ECONNREFUSED",
    "connectionreseterror": "ECONNRESET",
    "brokenpipeerror": "EPIPE",
    "blockingioerror": "EAGAIN",
    "permissionerror": "EACCES",
} | {
    name.casefold(): name
    for name, value in vars(builtins).items()
    if isinstance(value, type)
    and issubclass(value, Exception)
    and not issubclass(value, ConnectionError | BlockingIOError | PermissionError)
}


def _name(text: str) -> str:
    """A name without case and spaces; of flags, hosts, calls and addresses one spelling each."""
    plain = text.strip("\"'`. ")
    bits = [bit for bit in re.split(r"[][<>\s,+&/|-]+", plain.upper()) if bit]
    if bits and all(bit in FLAGS for bit in bits):
        return in_order(bits).casefold()
    if call := re.fullmatch(r"(?:\w+\.)*(\w+)\(\)", plain):  # "sock.close()"
        return call[1]
    plain = re.sub(r"\s", "", plain.removeprefix("the "))
    if re.fullmatch(r"[0-9a-f]{2}(?:-[0-9a-f]{2}){5}", plain):
        return plain.replace("-", ":")
    return _HOSTS.get(plain) or _address(plain)


def _address(text: str) -> str:
    """An IP address in its shortest spelling; anything else as it is."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text


_HOSTS = {
    **dict.fromkeys(("客户端", "客户机", "客户"), "client"),
    **dict.fromkeys(("服务器", "服务端", "服务器端"), "server"),
}


def _hex(text: str) -> str:
    plain = re.sub(r"0x|\\x|[\s:,-]", "", text)
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", plain):
        raise Unreadable(OCTETS)
    return plain


def _choice(ask: Ask, text: str) -> str:
    """By id, by its number in the list, or by its words."""
    ids = [name for name, _ in ask.choices]
    for name, words in ask.choices:
        if text in (normalised(name), normalised(words.en), normalised(words.zh)):
            return name
    if text.isdigit() and 1 <= int(text) <= len(ids):
        return ids[int(text) - 1]
    raise Unreadable(ONE_OF.fill(known=", ".join(ids)))


def _order(ask: Ask, given: object) -> tuple[str, ...]:
    known = ", ".join(name for name, _ in ask.choices)
    if isinstance(given, str):
        separated = re.split(r"\s*(?:[-=]*>|→|,|;)\s*", normalised(given[:LONGEST]))
        parts: Sequence[object] = separated if len(separated) > 1 else normalised(given).split()
    elif isinstance(given, list | tuple):
        parts = given
    else:
        raise Unreadable(ALL_OF.fill(known=known))
    ids = tuple(_choice(ask, normalised(str(part))) for part in parts)
    if len(ids) != len(set(ids)):
        raise Unreadable(ALL_OF.fill(known=known))
    return ids


_READERS: dict[Unit, Callable[[str], Value]] = {
    Unit.FRAME: _whole,
    Unit.SEQUENCE: _whole,
    Unit.COUNT: _whole,
    Unit.OCTETS: _scaled(_AMOUNTS, AMOUNT),
    Unit.SPAN: _scaled(_TIMES, TIME),
    Unit.STATE: _state,
    Unit.ERROR: _error,
    Unit.NAME: _name,
    Unit.HEX: _hex,
}


def written(unit: Unit, value: Value) -> str:
    """A value as it is shown."""
    from lab.units import short_span

    if isinstance(value, tuple):
        return " → ".join(value)
    if unit is Unit.SPAN and isinstance(value, int):
        return short_span(value)
    return f"#{value}" if unit is Unit.FRAME else str(value)
