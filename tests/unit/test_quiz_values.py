"""Values are read in any spelling that people use; what cannot be read says what was expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.questions.base import Ask, Unit
from lab.quiz.values import Unreadable, read
from lab.text import same

CHOICES = (("close", same("close()")), ("shutdown", same("shutdown()")), ("nothing", same("-")))


def asked(unit: Unit) -> Ask:
    return Ask("x", same("?"), unit, CHOICES if unit in (Unit.ORDER, Unit.CHOICE) else ())


@pytest.mark.parametrize(
    ("unit", "typed", "value"),
    [
        (Unit.FRAME, "#7", 7),
        (Unit.FRAME, "第７帧", 7),
        (Unit.FRAME, "frame 12", 12),
        (Unit.FRAME, 7.0, 7),
        (Unit.FRAME, "no. 7", 7),
        (Unit.FRAME, "Frame 7.", 7),
        (Unit.FRAME, "007", 7),
        (Unit.COUNT, "三个", 3),
        (Unit.COUNT, "2,470个", 2470),
        (Unit.COUNT, "三", 3),
        (Unit.COUNT, "seven", 7),
        (Unit.COUNT, "3 个", 3),
        (Unit.SEQUENCE, "2,470,701,470", 2470701470),
        (Unit.SEQUENCE, "0x1F", 31),
        (Unit.OCTETS, "17 bytes", 17),
        (Unit.OCTETS, "１７字节", 17),
        (Unit.OCTETS, "64 KiB", 65536),
        (Unit.OCTETS, "1.5 kB", 1500),
        (Unit.SPAN, "42.7 ms", 42_700_000),
        (Unit.SPAN, "约 0.2 秒", 200_000_000),
        (Unit.SPAN, "58 µs", 58_000),
        (Unit.SPAN, 200, 200_000_000),
        (Unit.SPAN, "about 200 ms", 200_000_000),
        (Unit.SPAN, "0,200 s", 200_000_000),
        (Unit.SPAN, "2 小时", 7200 * 10**9),
        (Unit.STATE, "TIME_WAIT", "TIME-WAIT"),
        (Unit.STATE, "time-wait", "TIME-WAIT"),
        (Unit.STATE, "SYN RECV", "SYN-RECEIVED"),
        (Unit.STATE, "FIN_WAIT2", "FIN-WAIT-2"),
        (Unit.STATE, "ESTAB", "ESTABLISHED"),
        (Unit.ERROR, "ECONNRESET", "ECONNRESET"),
        (Unit.ERROR, 104, "ECONNRESET"),
        (Unit.ERROR, "Connection reset by peer", "ECONNRESET"),
        (Unit.ERROR, "[Errno 104] Connection reset by peer", "ECONNRESET"),
        (Unit.ERROR, "ConnectionResetError: [Errno 104] …", "ECONNRESET"),
        (Unit.ERROR, "连接被重置", "ECONNRESET"),
        (Unit.ERROR, "EWOULDBLOCK", "EAGAIN"),
        (Unit.ERROR, "没有错误", "ok"),
        (Unit.ERROR, "error: ECONNRESET", "ECONNRESET"),
        (Unit.ERROR, "errno=104", "ECONNRESET"),
        (Unit.ERROR, "errno.ECONNRESET", "ECONNRESET"),
        (Unit.ERROR, "EAGAIN/EWOULDBLOCK", "EAGAIN"),
        (Unit.ERROR, "OSError (ENETUNREACH)", "ENETUNREACH"),
        (Unit.ERROR, "WSAECONNRESET", "ECONNRESET"),
        (Unit.ERROR, "it raised a BrokenPipeError", "EPIPE"),
        (Unit.ERROR, "No route to host", "EHOSTUNREACH"),
        (Unit.NAME, "ACK + SYN", "syn,ack"),
        (Unit.NAME, "connect()", "connect"),
        (Unit.NAME, "[SYN, ACK]", "syn,ack"),
        (Unit.NAME, ["SYN", "ACK"], "syn,ack"),
        (Unit.NAME, "SYN-ACK", "syn,ack"),
        (Unit.NAME, "sock.close()", "close"),
        (Unit.NAME, "ECT(0)", "ect(0)"),
        (Unit.NAME, "the client", "client"),
        (Unit.NAME, "服务器", "server"),
        (Unit.NAME, "01-00-5E-00-00-FB", "01:00:5e:00:00:fb"),
        (Unit.HEX, "0xE4 BD:a0", "e4bda0"),
        (Unit.CHOICE, "2", "shutdown"),
        (Unit.CHOICE, "Close()", "close"),
        (Unit.ORDER, "close -> nothing → shutdown", ("close", "nothing", "shutdown")),
        (Unit.ORDER, ["3", "1", "2"], ("nothing", "close", "shutdown")),
        (Unit.ORDER, "close --> nothing => shutdown", ("close", "nothing", "shutdown")),
        (Unit.ORDER, "2, 1, 3", ("shutdown", "close", "nothing")),
    ],
)
def test_a_value_is_read_as_it_is_written(unit: Unit, typed: object, value: object) -> None:
    assert read(asked(unit), typed) == value


@pytest.mark.parametrize(
    ("unit", "typed"),
    [
        (Unit.FRAME, "7.5"),
        (Unit.FRAME, [7]),
        (Unit.FRAME, True),
        (Unit.FRAME, None),
        (Unit.COUNT, "9" * 50),
        (Unit.SPAN, "1e999"),
        (Unit.SPAN, "200 apples"),
        (Unit.OCTETS, {"a": 1}),
        (Unit.STATE, "WAITING"),
        (Unit.FRAME, "7 or 8"),
        (Unit.FRAME, "no.7.5"),
        (Unit.ERROR, "not ECONNRESET"),
        (Unit.HEX, "abc"),
        (Unit.CHOICE, "4"),
        (Unit.ORDER, "close close nothing"),
    ],
)
def test_what_is_no_such_value_says_what_was_expected(unit: Unit, typed: object) -> None:
    with pytest.raises(Unreadable) as caught:
        read(asked(unit), typed)
    assert caught.value.words.en
    assert caught.value.words.zh


def test_an_ipv6_address_is_the_same_in_every_spelling() -> None:
    spellings = ("::FFFF:10.77.1.2", "::ffff:a4d:102", "0:0:0:0:0:ffff:0a4d:0102")
    assert len({read(asked(Unit.NAME), one) for one in spellings}) == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(unit=st.sampled_from(Unit), typed=ANYTHING)
def test_anything_at_all_is_read_or_refused(unit: Unit, typed: object) -> None:
    try:
        value = read(asked(unit), typed)
    except Unreadable:
        return
    assert isinstance(value, int | str | tuple)
