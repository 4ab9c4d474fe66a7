"""Timestamp client over UDP (seed program S2-P6): ask, wait, ask again if no answer comes.

The original waited for ever (one lost datagram, and it hung) and took whoever answered for the
server it had asked. Here a timer and further tries do what UDP does not, and the sender of an
answer is compared with the server asked (RFC 8085, sections 3.3 and 5).
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable

PORT = 21567
MESSAGE = "Hello, I am Client"
Say = Callable[[str, str], None]
Address = tuple[str, int]


def main() -> None:
    """Ask once; a failure is one line and exit code 1."""
    options = read_command_line()
    where = f"{options.host}:{options.port}"
    try:
        # The name is looked up first, so that no DNS query falls into the exchange.
        server = (socket.gethostbyname(options.host), options.port)
        reply = ask(server, options, speaker(options.lang))
    except OSError as error:
        raise SystemExit(f"UDP client to {where}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if reply is None:
        # Perhaps no socket is bound there and the host said so (ICMP port unreachable); the
        # kernel does not tell a UDP socket that is not connected.
        raise SystemExit(f"UDP client to {where}: no answer to {options.retries + 1} datagrams")


def ask(server: Address, options: argparse.Namespace, say: Say) -> bytes | None:
    """Send the message, up to ``retries`` times more; return the answer, None if none came."""
    octets = options.message.encode("utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(options.retries + 1):
            client.sendto(octets, server)  # the first packet of all; the kernel picks our port
            say(
                f"Sent {len(octets)} octets: {options.message}",
                f"已发送 {len(octets)} 字节：{options.message}",
            )
            reply = wait_for_answer(client, server, options.timeout, say)
            if reply is not None:
                return reply
            say(f"No answer in {options.timeout:g} s.", f"{options.timeout:g} 秒内没有应答。")
    return None  # closing the socket sent nothing: UDP says no goodbye


def wait_for_answer(
    client: socket.socket, server: Address, timeout: float, say: Say
) -> bytes | None:
    """Return the server's datagram if it comes within ``timeout`` seconds; ignore strangers."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        client.settimeout(left)
        try:
            reply, sender = client.recvfrom(1024)
        except TimeoutError:
            break
        if sender == server:
            text = reply.decode("utf-8", errors="backslashreplace")
            say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
            return reply
        # Whoever can reach our port may send to it; only the one we asked is believed.
        stranger = f"{sender[0]}:{sender[1]}"
        say(f"Ignored a datagram from {stranger}.", f"忽略来自 {stranger} 的数据报。")
    return None


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, timeout, retries, lang."""
    parser = argparse.ArgumentParser(description="A UDP client that asks for a stamped echo.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--timeout", type=float, default=1.0, metavar="SECONDS", help="default: %(default)s")
    option("--retries", type=int, default=3, metavar="N", help="default: %(default)s")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
