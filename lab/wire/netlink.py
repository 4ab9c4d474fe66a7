"""What the kernel knows of a network interface, and whether a bridge may forward from it.

Two rtnetlink requests (rtnetlink(7), linux/if_link.h), so that neither ip(8) nor bridge(8) is needed:
the second is ``ip link set dev PORT type bridge_slave isolated on|off``.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_GET_LINK, _NEW_LINK, _ERROR = 18, 16, 2
_REQUEST, _ACKNOWLEDGE = 1, 4
_ADDRESS, _NAME, _MTU, _MASTER, _LINK_INFO = 1, 3, 4, 10, 18
_KIND, _SLAVE_KIND, _SLAVE_DATA = 1, 4, 5  # within IFLA_LINKINFO
_ISOLATED = 33  # IFLA_BRPORT_ISOLATED, within the data of a bridge's slave; since Linux 4.18
_NESTED = 0x8000

_HEADER: Final = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_LINK: Final = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_ATTRIBUTE: Final = struct.Struct("=HH")  # struct nlattr: length, type


class Link(Struct, frozen=True):
    """A network interface."""

    index: int
    name: str
    kind: str  # "veth", "bridge", …; "" for hardware
    mac: bytes
    mtu: int
    master: int = 0  # interface index of what it belongs to
    slave_kind: str = ""  # "bridge": it is a bridge's port
    isolated: bool | None = None  # None: no port of a bridge, or a kernel that cannot isolate


def read_link(index: int) -> Link:
    """Ask for an interface of this network namespace. Raises OSError (ENODEV): there is none."""
    answer = _ask(_GET_LINK, _LINK.pack(0, 0, index, 0, 0))
    found = dict(_attributes(answer[_LINK.size :]))
    info = dict(_attributes(found.get(_LINK_INFO, b"")))
    port = dict(_attributes(info.get(_SLAVE_DATA, b"")))
    isolated = port.get(_ISOLATED)
    return Link(
        index=index,
        name=_word(found[_NAME]),
        kind=_word(info.get(_KIND, b"")),
        mac=found.get(_ADDRESS, b""),
        mtu=_number(found.get(_MTU, b"")),
        master=_number(found.get(_MASTER, b"")),
        slave_kind=_word(info.get(_SLAVE_KIND, b"")),
        isolated=None if isolated is None else bool(isolated[0]),
    )


def set_isolated(index: int, isolated: bool) -> None:
    """Let a bridge forward nothing between this port and other isolated ones, or everything again.

    Raises OSError: EPERM without NET_ADMIN, ENODEV if it is gone.
    """
    data = _attribute(_SLAVE_DATA | _NESTED, _attribute(_ISOLATED, bytes([isolated])))
    info = _attribute(_SLAVE_KIND, b"bridge\0") + data
    _ask(_NEW_LINK, _LINK.pack(0, 0, index, 0, 0) + _attribute(_LINK_INFO | _NESTED, info))


def _ask(kind: int, body: bytes) -> bytes:
    """Send one request; the body of the answer, b"" for a mere acknowledgment."""
    flags = _REQUEST | (_ACKNOWLEDGE if kind == _NEW_LINK else 0)
    head = _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(head + body)
        answer = netlink.recv(1 << 16)
    length, answered, *_ = _HEADER.unpack_from(answer)
    body = answer[_HEADER.size : length]
    if answered != _ERROR:
        return body
    (number,) = struct.unpack_from("=i", body)
    if number:
        raise OSError(-number, os.strerror(-number))
    return b""


def _attribute(kind: int, value: bytes) -> bytes:
    size = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(size, kind) + value + bytes(-size % 4)


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(octets):
        size, kind = _ATTRIBUTE.unpack_from(octets, at)
        yield kind & ~_NESTED, octets[at + _ATTRIBUTE.size : at + size]
        at += max(size + -size % 4, _ATTRIBUTE.size)


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, sys.byteorder)


def _word(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode()
