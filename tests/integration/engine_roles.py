"""What hosts do in the tests of the engines: plain programs, whose own words begin with "> "."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PORT = 4000
FAR_AWAY = ("192.0.2.1", 9)  # of no network at all (RFC 5737)
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_RECVTTL, IP_MTU = 10, 2, 12, 14  # ip(7), linux/in.h
OWN_SETTING = "/proc/sys/net/ipv4/tcp_retries2"
TCP_REPAIR = 19  # linux/tcp.h


def say(*words: object) -> None:
    """Print a line that the test looks for."""
    sys.stdout.write(" ".join(map(str, (">", *words))) + "\n")
    sys.stdout.flush()


def stay_out() -> None:
    """Do nothing."""


def answer_one() -> None:
    """Say from where a datagram came and with which TTL; answer it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        sock.bind(("", PORT))
        _, ((_, _, ttl), *_), _, peer = sock.recvmsg(100, 100)
        say(peer[0], int.from_bytes(ttl, sys.byteorder))
        sock.sendto(b"heard", peer)


def ask(server: str, *, source: str = "") -> None:
    """Send a datagram and wait for the answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(10)
        sock.sendto(b"do you hear me?", (server, PORT))
        say(sock.recv(100).decode())


def ask_until_heard(server: str) -> None:
    """Ask again if no answer comes; say how often it took."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        for times in range(1, 60):
            sock.sendto(b"do you hear me?", (server, PORT))
            with suppress(TimeoutError):
                sock.recv(100)
                say("heard" if times > 1 else "heard at once")
                return


def learn_the_path_mtu(server: str) -> None:
    """Have the router say how much it passes on, then send what it does pass on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        sock.settimeout(10)
        sock.connect((server, PORT))
        sock.send(bytes(1400))
        with suppress(OSError):  # EMSGSIZE: ICMP, fragmentation needed
            sock.recv(100)
        say(sock.getsockopt(socket.IPPROTO_IP, IP_MTU))
        sock.send(b"do you hear me?")
        sock.recv(100)


def tell_setting() -> None:
    """Say what this host's TCP thinks of retries."""
    say(Path(OWN_SETTING).read_text().strip())


def use_powers() -> None:
    """Try what takes NET_RAW and what takes NET_ADMIN (socket(7))."""
    say("NET_RAW", outcome(open_raw))
    say("NET_ADMIN", outcome(repair))


def open_raw() -> None:
    """Open a socket that takes NET_RAW."""
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()


def repair() -> None:
    """Set an option that takes NET_ADMIN in the socket's own namespace."""
    with socket.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)


def change_setting() -> None:
    """Change it, and say what it is."""
    Path(OWN_SETTING).write_text("7")
    tell_setting()


def outcome(doing: Callable[[], object]) -> str:
    """Whether something succeeds."""
    try:
        doing()
    except OSError:
        return "no"
    return "yes"


def try_to_leave(*, places: list[tuple[str, int]]) -> None:
    """Try to reach addresses outside of the lab, by both protocols."""
    for address, port in places:
        say(address, "tcp", outcome(lambda place=(address, port): call(place)))  # type: ignore[misc]
        say(address, "udp", outcome(lambda place=(address, port): send(place)))  # type: ignore[misc]


def call(place: tuple[str, int]) -> None:
    """Connect by TCP."""
    socket.create_connection(place, timeout=2).close()


def send(place: tuple[str, int]) -> None:
    """Send a datagram; whatever comes back is an answer, even an error by ICMP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect(place)
        sock.send(b"?")
        with suppress(ConnectionRefusedError):
            sock.recv(1)


def leave_traces(server: str) -> None:
    """End with a TIME-WAIT, a neighbour, and counters that have grown."""
    socket.create_connection((server, PORT)).close()


def accept_one() -> None:
    """Take one connection and wait for its end."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1)


def look_for_traces() -> None:
    """Say how many sockets, neighbours and opened connections there are before anything happens."""
    sockets = Path("/proc/net/tcp").read_text().splitlines()[1:]
    neighbours = Path("/proc/net/arp").read_text().splitlines()[1:]
    rows = Path("/proc/net/snmp").read_text().splitlines()
    names, values = (row.split() for row in rows if row.startswith("Tcp:"))
    say(len(sockets), len(neighbours), values[names.index("ActiveOpens")])
