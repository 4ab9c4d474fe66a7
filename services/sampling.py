"""One sample of a namespace's sockets compared with the one before; its counters and sysctls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from services.sockdiag import Reading, SockDiag

SYSCTLS = (
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_default",
    "net.ipv4.icmp_ratelimit",
    "net.ipv4.ip_default_ttl",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ipfrag_high_thresh",
    "net.ipv4.ipfrag_time",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_early_retrans",
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_fastopen",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_invalid_ratelimit",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_no_metrics_save",
    "net.ipv4.tcp_orphan_retries",
    "net.ipv4.tcp_recovery",
    "net.ipv4.tcp_retries1",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_rfc1337",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_rto_min_us",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_wmem",
    "net.unix.max_dgram_qlen",
)
Line = dict[str, Any]  # what json writes; the fields: lab/evidence/states.py


class Sampler:
    """Compares each sample with the one before."""

    def __init__(self) -> None:
        self.count = 0
        self.before = self.after = 0
        self._diag = SockDiag()
        self._known: dict[int, Reading] = {}

    def sample(self) -> list[Line]:
        """Take one; return a line for each socket that appeared, changed or vanished.

        A change came after ``since``, when the sample before began, and by ``time``, when this
        one had ended: the uncertainty of its time.
        """
        since = self.before
        self.before = time.time_ns()
        now = {reading.cookie: reading for reading in self._diag.sockets()}
        self.after = time.time_ns()
        self.count += 1
        times = {"time": self.after, "before": self.before, "since": since}
        lines = [line | times for line in changes(self._known, now)]
        self._known = now
        return lines


def changes(old: dict[int, Reading], new: dict[int, Reading]) -> Iterator[Line]:
    """Yield what differs between two samples, each given by the sockets' cookies."""
    for cookie in old.keys() - new.keys():
        yield identity("vanished", old[cookie])
    for cookie, reading in new.items():
        before = old.get(cookie)
        if before is None:
            user, inode = reading.owner
            numbers = dict(zip(reading.names, reading.numbers, strict=True))
            owner = {"uid": user, "inode": inode}
            yield identity("appeared", reading) | details(reading, numbers) | owner
        elif reading.differs(before):
            yield identity("changed", reading) | details(reading, changed_numbers(before, reading))


def changed_numbers(before: Reading, now: Reading) -> dict[str, int]:
    """The numbers that are not what they were; all of them if others are told than before."""
    pairs = zip(now.names, now.numbers, strict=True)
    if before.names != now.names:
        return dict(pairs)
    return {name: new for (name, new), old in zip(pairs, before.numbers, strict=True) if new != old}


def identity(event: str, reading: Reading) -> Line:
    return {
        "event": event,
        "socket": reading.cookie,
        "protocol": reading.protocol,
        "state": reading.state,
        "local": reading.local,
        "peer": reading.peer,
    }


def details(reading: Reading, numbers: dict[str, int]) -> Line:
    return {"timer": reading.timer, "expires": reading.expires, "numbers": numbers}


# ---------------------------------------------------------------- what else the kernel counts


def counters() -> dict[str, int]:
    """The namespace's counters by name: ``Tcp.RetransSegs``, ``TcpExt.ListenOverflows``."""
    found: dict[str, int] = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        with open(path) as file:
            rows = [line.split() for line in file]
        for (table, *names), (_, *values) in zip(rows[::2], rows[1::2], strict=True):
            for name, value in zip(names, values, strict=True):
                found[table.replace(":", f".{name}")] = int(value)
    return found


def sysctls() -> dict[str, str]:
    """The values of the sysctls that matter here; those this kernel does not have are left out."""
    found = {}
    for name in SYSCTLS:
        try:
            with open(f"/proc/sys/{name.replace('.', '/')}") as file:
                found[name] = " ".join(file.read().split())
        except OSError:
            continue
    return found
