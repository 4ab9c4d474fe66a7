"""A host that has no cable yet: wait until it is plugged in, configure it, then be the host.

    python -m services.cabled "address add 10.77.1.2/24 dev eth0" ... -- NAME [OPTIONS of services.host]

The words before "--" are lines of ip(8)'s batch mode; each interface that they name is waited for.
Without words after "--" it is a router: it says "up" and only has to be there.

A container of the Docker engine starts this ahead of any run, with a network namespace that nothing
has happened in; the engine plugs it in when a scenario is to be played (lab/backends/labs.py).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from typing import NoReturn

from services import host

RTMGRP_LINK = 1  # rtnetlink(7): news of interfaces


def main() -> NoReturn:
    """Wait, configure, turn into what the command line says; exit code 18 if `ip` refused."""
    cut = sys.argv.index("--")
    lines, words = sys.argv[1:cut], sys.argv[cut + 1 :]
    wait_for(interfaces_of(lines))
    configure(lines)
    if words:
        sys.argv[1:] = words
        host.main()
    print("up", flush=True)
    while True:
        signal.pause()


def interfaces_of(lines: Iterable[str]) -> set[str]:
    """The interfaces that lines of ip(8) speak of: whatever follows ``dev``."""
    words = (line.split() for line in lines)
    return {each[at + 1] for each in words for at, word in enumerate(each) if word == "dev"}


def wait_for(interfaces: set[str]) -> None:
    """Sleep until all of them are there; the kernel's news of interfaces wake us."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
        news.bind((0, RTMGRP_LINK))
        while not all(os.path.exists(f"/sys/class/net/{name}") for name in interfaces):
            news.recv(1 << 16)


def configure(lines: Iterable[str]) -> None:
    """Have ip(8) do what the lines say; refuse to be a host if it cannot."""
    batch = "\n".join(lines)
    done = subprocess.run(
        ["ip", "-batch", "-"], input=batch, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        host.refuse(host.NOT_READY, f"ip: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
