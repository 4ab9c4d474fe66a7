"""*.calls.jsonl: one line a socket call, as `services.record` writes it."""

from __future__ import annotations

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True, rename={"function": "call"}):
    """One socket call of one program. Times are ns since 1970-01-01 UTC, before and after."""

    before: int
    after: int
    function: str  # "connect", "sendall", "recv", …
    program: str  # path of the program, relative to the repository
    fd: int  # the descriptor, -1 once closed
    kind: str = ""  # "tcp", "udp", "unix"
    arguments: tuple[object, ...] = ()  # data is given by its length, see octets and data
    result: object = None  # data is given by its length
    error: str = ""  # "" or the name of the errno, else of the exception: "ECONNREFUSED"
    octets: int | None = None  # how much was sent or received; None: not a data call
    data: str = ""  # the first 64 octets of it, in hex
    local: object = None  # [address, port] or a path, after the call
    peer: object = None
    process: int = 0
    thread: int = 0
    line: int = 0  # in the program
    source: str = ""  # what stood there; "": not recorded


def decode_calls(octets: bytes) -> tuple[Call, ...]:
    """Read a call log, in order of the time before the call.

    A last line that was cut off (its writer was killed) is left out; any other line that is
    not a call raises `msgspec.MsgspecError`.
    """
    lines = octets.split(b"\n")
    decoder = msgspec.json.Decoder(Call)
    whole = [decoder.decode(line) for line in lines[:-1] if line]
    return tuple(sorted(whole, key=lambda call: call.before))
