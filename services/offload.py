"""Turn an interface's offloads off, so that what is captured is what a wire would carry.

With transmit checksum offload the kernel leaves checksums unfinished, and with segmentation
offload it hands down "segments" far larger than the MSS, for hardware to complete; between virtual
interfaces no hardware ever does. These are the ioctls behind ``ethtool -K eth0 tx off tso off gso
off gro off`` (SIOCETHTOOL, linux/ethtool.h); they need CAP_NET_ADMIN. They change this host only.
"""

from __future__ import annotations

import _socket
import ctypes
import fcntl
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

SIOCETHTOOL = 0x8946
# Each feature has a command that reads it; the command that sets it is one higher.
FEATURES = {"tso": 0x1E, "gso": 0x23, "gro": 0x2B, "tx": 0x16}


def read_offload(interface: str) -> dict[str, bool]:
    """Return which of tso, gso, gro and tx (checksums) are on. Raises OSError: no such interface."""
    return {name: bool(_ethtool(interface, command)) for name, command in FEATURES.items()}


def turn_off(interface: str) -> None:
    """Turn all of them off and check that they are. Raises OSError: not permitted, no interface."""
    _turn(interface, on=False)


@contextmanager
def turned_on(interface: str) -> Iterator[None]:
    """Turn all of them on for a while, as a host outside the lab has them. Raises OSError."""
    try:
        _turn(interface, on=True)
        yield
    finally:
        _turn(interface, on=False)


def _turn(interface: str, *, on: bool) -> None:
    """Change those that are otherwise; checksums come on first and go off last: tso rests on them."""
    now = read_offload(interface)
    for name in reversed(FEATURES) if on else FEATURES:
        if now[name] != on:
            _ethtool(interface, FEATURES[name] + 1, int(on))
    unmoved = [name for name, state in read_offload(interface).items() if state != on]
    if unmoved:
        raise OSError(f"{interface} keeps {', '.join(unmoved)} {'off' if on else 'on'}")


def _ethtool(interface: str, command: int, value: int = 0) -> int:
    """Make one ioctl with a ``struct ethtool_value`` (two 32-bit words) and return its second word."""
    words = (ctypes.c_uint32 * 2)(command, value)
    request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(words))  # struct ifreq
    # The plain type: `services.record` tells of a program's own sockets, and this is none of them.
    with closing(_socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as handle:
        fcntl.ioctl(handle, SIOCETHTOOL, request)
    return words[1]


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "eth0"
    print(name, {key: "on" if on else "off" for key, on in read_offload(name).items()})
