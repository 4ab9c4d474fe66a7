"""Counters of a kernel that tell why two runs differ: moved in the one, at rest in the other.

How far a counter moved varies with timing, so only whether it did is compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.report.difference.model import RUNS, About, Told
from lab.text import Text

TELLING = (
    "Icmp.InDestUnreachs",
    "Ip.FragFails",
    "Ip.ReasmFails",
    "Tcp.AttemptFails",
    "Tcp.EstabResets",
    "Tcp.OutRsts",
    "Tcp.RetransSegs",
    "TcpExt.EmbryonicRsts",
    "TcpExt.ListenDrops",
    "TcpExt.ListenOverflows",
    "TcpExt.PAWSEstab",
    "TcpExt.SyncookiesFailed",
    "TcpExt.SyncookiesRecv",
    "TcpExt.SyncookiesSent",
    "TcpExt.TCPAbortOnClose",
    "TcpExt.TCPAbortOnData",
    "TcpExt.TCPAbortOnLinger",
    "TcpExt.TCPAbortOnTimeout",
    "TcpExt.TCPChallengeACK",
    "TcpExt.TCPDSACKRecv",
    "TcpExt.TCPFastOpenActive",
    "TcpExt.TCPFastRetrans",
    "TcpExt.TCPKeepAlive",
    "TcpExt.TCPLossProbes",
    "TcpExt.TCPRenoRecovery",
    "TcpExt.TCPReqQFullDrop",
    "TcpExt.TCPSackRecovery",
    "TcpExt.TCPTimeouts",
    "TcpExt.TCPToZeroWindowAdv",
    "TcpExt.TW",
    "Udp.NoPorts",
    "Udp.RcvbufErrors",
)
"""The names of /proc/net/snmp and /proc/net/netstat (Linux Documentation/networking/snmp_counter)."""

MOVED = Text(
    "{host}: the kernel's {counter} moved only in {run} (+{growth})",
    "{host}：内核计数器 {counter} 只在 {run} 中增加（+{growth}）",
)


def counters(left: Evidence, right: Evidence) -> Iterator[Told]:
    """Yield a line for each telling counter that moved in one run only."""
    for host in sorted(left.kernel.keys() & right.kernel.keys()):
        both = left.kernel[host].counters, right.kernel[host].counters
        for counter in TELLING:
            growth = [of_one.get(counter, 0) for of_one in both]
            if bool(growth[0]) != bool(growth[1]):
                run = RUNS[0] if growth[0] else RUNS[1]
                words = MOVED.fill(host=host, counter=counter, run=run, growth=max(growth))
                yield Told(About.COUNTERS, words)
