"""What is worth telling of a socket call: one function a family of calls.

Each is given the call's arguments, its result, and whether it succeeded. Data stands as its
length; the first octets of it go apart, in hex.
"""

from __future__ import annotations

import enum
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from services import options

SHOWN = 64  # octets of data kept of each call
Arguments = tuple[Any, ...]


class Account(NamedTuple):
    """One call, as values that JSON can hold."""

    arguments: list[object]
    result: object = None
    octets: int | None = None  # sent or received; None: not a data call, or nobody knows
    data: str = ""
    peer: object = None  # the other end, where the call itself names it


Describe = Callable[[Arguments, Any, bool], Account]


# ---------------------------------------------------------------- values

FAMILIES = {int(family): family.name for family in socket.AddressFamily}
KINDS = {int(kind): kind.name for kind in socket.SocketKind}
PROTOCOLS = {
    (int(family), number): name
    for family in (socket.AF_INET, socket.AF_INET6)
    for name, number in (
        ("IPPROTO_ICMP", 1),
        ("IPPROTO_TCP", 6),
        ("IPPROTO_UDP", 17),
        ("IPPROTO_ICMPV6", 58),
        ("IPPROTO_MPTCP", 262),
    )
}
DIRECTIONS = ("SHUT_RD", "SHUT_WR", "SHUT_RDWR")


def plain(value: object) -> object:
    """Return what JSON can hold: names for flags, hex for octets, lists for tuples."""
    if value is None or type(value) in (int, str, bool, float):
        return value
    if isinstance(value, enum.Enum):
        return value.name or int(value.value)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return str(value)


def address(name: object) -> object:
    """Return [address, port], the path of a Unix socket ("@…" if abstract), None if it has none."""
    if isinstance(name, tuple):
        return list(name[:2]) if name[1] else None
    if isinstance(name, bytes):
        return "@" + name[1:].decode(errors="replace")
    return name or None


def _octets(data: Any) -> bytes | bytearray | memoryview:
    return data if isinstance(data, (bytes, bytearray)) else memoryview(data).cast("B")


def _hex(data: Any, size: int = SHOWN) -> str:
    return bytes(_octets(data)[: min(size, SHOWN)]).hex()


def _list(args: Arguments) -> list[object]:
    return [plain(value) for value in args]


# ---------------------------------------------------------------- calls without data


def creation(args: Arguments, result: Any, ok: bool) -> Account:
    family, kind, protocol = args
    named = PROTOCOLS.get((family, protocol), protocol)
    return Account([FAMILIES.get(family, family), KINDS.get(kind, kind), named], result)


def simple(args: Arguments, result: Any, ok: bool) -> Account:
    return Account(_list(args), plain(result))


def connect(args: Arguments, result: Any, ok: bool) -> Account:
    return Account(_list(args), plain(result), peer=address(args[0]))


def accept(args: Arguments, result: Any, ok: bool) -> Account:
    return Account([], [result[0].fileno(), plain(result[1])] if ok else None)


def option(args: Arguments, result: Any, ok: bool) -> Account:
    """setsockopt and getsockopt; a structure that is known is told by its fields."""
    level, name = options.names(*args[:2])
    told = [_fields(name, one) for one in (*args[2:], result)]
    return Account([level, name, *told[:-1]], told[-1])


def _fields(option: int | str, value: object) -> object:
    told = options.value(option, value)
    return plain(value) if told is None else told


def shutdown(args: Arguments, result: Any, ok: bool) -> Account:
    return Account([DIRECTIONS[args[0]]])


# ---------------------------------------------------------------- calls that send


def send(args: Arguments, result: Any, ok: bool) -> Account:
    """send, sendall, sendto. How much a failed sendall sent, nobody knows: octets is None."""
    data, *rest = args
    size = len(_octets(data))
    sent = (size if result is None else result) if ok else None
    peer = address(rest[-1]) if rest and not isinstance(rest[-1], int) else None
    return Account([size, *map(plain, rest)], result, sent, _hex(data, sent or size), peer)


def sendmsg(args: Arguments, result: Any, ok: bool) -> Account:
    buffers, *rest = args
    size = sum(len(_octets(buffer)) for buffer in buffers)
    start = b"".join(bytes(_octets(buffer)[:SHOWN]) for buffer in buffers)
    peer = address(rest[2]) if len(rest) > 2 else None
    return Account([size, *map(plain, rest)], result, result, _hex(start, result or size), peer)


# ---------------------------------------------------------------- calls that receive


def recv(args: Arguments, result: Any, ok: bool) -> Account:
    if not ok:
        return Account(_list(args))
    return Account(_list(args), len(result), len(result), _hex(result))


def recvfrom(args: Arguments, result: Any, ok: bool) -> Account:
    """recvfrom and recvmsg: data first, the sender's address last."""
    if not ok:
        return Account(_list(args))
    data, *rest, sender = result
    told = [len(data), *map(plain, rest), plain(sender)]
    return Account(_list(args), told, len(data), _hex(data), address(sender))


def recv_into(args: Arguments, result: Any, ok: bool) -> Account:
    """recv_into, recvfrom_into: the octets are in the caller's buffer."""
    buffer, *rest = args
    arguments = [len(_octets(buffer)), *map(plain, rest)]
    if not ok:
        return Account(arguments)
    size, sender = result if isinstance(result, tuple) else (result, None)
    return Account(arguments, plain(result), size, _hex(buffer, size), address(sender))


def recvmsg_into(args: Arguments, result: Any, ok: bool) -> Account:
    buffers, *rest = args
    arguments = [sum(len(_octets(buffer)) for buffer in buffers), *map(plain, rest)]
    if not ok:
        return Account(arguments)
    start = b"".join(bytes(_octets(buffer)[:SHOWN]) for buffer in buffers)
    return Account(arguments, plain(result), result[0], _hex(start, result[0]), address(result[3]))


CALLS: dict[str, Describe] = {
    "accept": accept,
    "bind": simple,
    "connect": connect,
    "connect_ex": connect,
    "detach": simple,
    "getsockopt": option,
    "listen": simple,
    "recv": recv,
    "recv_into": recv_into,
    "recvfrom": recvfrom,
    "recvfrom_into": recv_into,
    "recvmsg": recvfrom,
    "recvmsg_into": recvmsg_into,
    "send": send,
    "sendall": send,
    "sendmsg": sendmsg,
    "sendto": send,
    "setblocking": simple,
    "setsockopt": option,
    "settimeout": simple,
    "shutdown": shutdown,
}
