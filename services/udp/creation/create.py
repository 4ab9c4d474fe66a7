"""Create a UDP socket and close it (seed program S1-P2): no packet at all.

A UDP socket has no address before bind or the first sendto, and sends nothing when it is closed:
its last datagram is not marked in any way.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

Say = Callable[[str, str], None]


def main() -> None:
    """Create, tell what the kernel gave, close."""
    parser = argparse.ArgumentParser(description="Create a UDP socket and close it.")
    default = os.environ.get("LAB_LANG", "en")
    parser.add_argument("--lang", choices=("en", "zh"), default=default)
    say = speaker(parser.parse_args().lang)
    created = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # IPv4, datagrams: UDP
    number = created.fileno()
    say(f"Created: descriptor {number}, no packet.", f"已创建：描述符 {number}，没有报文。")
    created.close()
    say("Closed: no packet either.", "已关闭：同样没有报文。")


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
