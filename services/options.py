"""Socket options by their names, those that Python has no names for too, and what they are set to.

Numbers from linux/socket.h, linux/in.h, linux/in6.h, linux/tcp.h, linux/udp.h and linux/mptcp.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

_NO_NAMES: dict[str, dict[str, int]] = {
    "SOL_SOCKET": {
        "SO_PASSCRED": 16,
        "SO_TIMESTAMP": 29,
        "SO_RXQ_OVFL": 40,
        "SO_PEEK_OFF": 42,
        "SO_BUSY_POLL": 46,
        "SO_INCOMING_CPU": 49,
        "SO_ZEROCOPY": 60,
        "SO_TXTIME": 61,
    },
    "IPPROTO_IP": {
        "IP_PKTINFO": 8,
        "IP_MTU_DISCOVER": 10,
        "IP_RECVERR": 11,
        "IP_RECVTTL": 12,
        "IP_MTU": 14,
        "IP_FREEBIND": 15,
        "IP_MINTTL": 21,
        "IP_MULTICAST_ALL": 49,
    },
    "IPPROTO_IPV6": {
        "IPV6_MTU_DISCOVER": 23,
        "IPV6_MTU": 24,
        "IPV6_RECVERR": 25,
        "IPV6_MINHOPCOUNT": 73,
        "IPV6_FREEBIND": 78,
    },
    "IPPROTO_TCP": {
        "TCP_MD5SIG": 14,
        "TCP_USER_TIMEOUT": 18,
        "TCP_REPAIR": 19,
        "TCP_REPAIR_QUEUE": 20,
        "TCP_QUEUE_SEQ": 21,
        "TCP_REPAIR_OPTIONS": 22,
        "TCP_FASTOPEN": 23,
        "TCP_TIMESTAMP": 24,
        "TCP_NOTSENT_LOWAT": 25,
        "TCP_CC_INFO": 26,
        "TCP_SAVE_SYN": 27,
        "TCP_SAVED_SYN": 28,
        "TCP_REPAIR_WINDOW": 29,
        "TCP_FASTOPEN_CONNECT": 30,
        "TCP_ULP": 31,
        "TCP_FASTOPEN_KEY": 33,
        "TCP_FASTOPEN_NO_COOKIE": 34,
        "TCP_ZEROCOPY_RECEIVE": 35,
        "TCP_INQ": 36,
        "TCP_TX_DELAY": 37,
    },
    "IPPROTO_UDP": {"UDP_CORK": 1, "UDP_SEGMENT": 103, "UDP_GRO": 104},
    "SOL_MPTCP": {"MPTCP_INFO": 1, "MPTCP_TCPINFO": 2, "MPTCP_SUBFLOW_ADDRS": 3},
}
_PREFIXES = {
    "SO_": "SOL_SOCKET",
    "IP_": "IPPROTO_IP",
    "IPV6_": "IPPROTO_IPV6",
    "TCP_": "IPPROTO_TCP",
}
_IN_PYTHON = ("SOL_SOCKET", "IPPROTO_IP", "IPPROTO_IPV6", "IPPROTO_TCP", "IPPROTO_UDP")
_NUMBERS = {name: int(getattr(socket, name)) for name in _IN_PYTHON} | {"SOL_MPTCP": 284}

LEVELS = {number: name for name, number in _NUMBERS.items()}
OPTIONS = {
    (_NUMBERS[level], number): name
    for level, options in _NO_NAMES.items()
    for name, number in options.items()
} | {
    (_NUMBERS[level], int(getattr(socket, name))): name
    for prefix, level in _PREFIXES.items()
    for name in dir(socket)
    if name.startswith(prefix) and not name.startswith(("SO_VM_", "SO_J1939_"))  # same numbers
}
"""The name of an option by the numbers of its level and of itself."""


def names(level: int, option: int) -> tuple[int | str, int | str]:
    """What ``level`` and ``option`` are called; the number of what has no name here."""
    return LEVELS.get(level, level), OPTIONS.get((level, option), option)


def value(option: int | str, told: object) -> object:
    """Write what an option is set to as its fields say it; None if it has no such fields.

    SO_LINGER is a struct linger, SO_RCVTIMEO and SO_SNDTIMEO are a struct timeval (socket(7)).
    """
    read = _VALUES.get(str(option))
    if read is None or not isinstance(told, (bytes, bytearray)):
        return None
    try:
        return read(bytes(told))
    except (struct.error, UnicodeDecodeError):
        return None


def _linger(octets: bytes) -> object:
    on, seconds = struct.unpack("ii", octets)
    return [on, f"{seconds} s"]


def _span(octets: bytes) -> object:
    seconds, microseconds = struct.unpack("ll", octets)
    return f"{seconds + microseconds / 1e6:g} s"


def _text(octets: bytes) -> object:
    return octets.rstrip(b"\0").decode()


def _number(octets: bytes) -> object:
    return struct.unpack("I", octets)[0]


def _membership(octets: bytes) -> object:
    """struct ip_mreq: the group, and the address of the interface (ip(7))."""
    group, interface = struct.unpack_from("4s4s", octets)
    return [socket.inet_ntoa(group), socket.inet_ntoa(interface)]


_VALUES: dict[str, Callable[[bytes], object]] = {
    "SO_LINGER": _linger,
    "SO_RCVTIMEO": _span,
    "SO_SNDTIMEO": _span,
    "SO_BINDTODEVICE": _text,
    "TCP_CONGESTION": _text,
    "TCP_ULP": _text,
    "TCP_QUEUE_SEQ": _number,
    "IP_ADD_MEMBERSHIP": _membership,
    "IP_DROP_MEMBERSHIP": _membership,
}
