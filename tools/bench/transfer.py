"""20 MB over the lab's bridge at full speed: what the sniffer kept, beside tcpdump on the same port."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.checkout import LONGEST, Checkout, read_until
from tools.bench.figure import Figure

OCTETS = 20_000_000
SCENARIO = """
from lab.scenarios.base import Scenario
from lab.text import same

SCENARIO = Scenario(
    id="bulk",
    title=same("bulk"),
    teaches=(),
    programs={{
        "server": ("services/tcp/bulk/server.py",),
        "client": ("services/tcp/bulk/client.py", "server", "--octets", "{octets}", "--delay", "1"),
    }},
    listens={{"server": ("5001/tcp",)}},
)
"""


def figures() -> Iterator[Figure]:
    """Nothing dropped, and no frame fewer than tcpdump has (it may leave the last ones in its ring)."""
    with tempfile.TemporaryDirectory() as name:
        lab = Checkout.make(Path(name, "lab"))
        add_bulk(lab, OCTETS)
        try:
            counted = _transfer(lab, Path(name, "tcpdump.pcap"))
        finally:
            lab.lab("down")
        run = json.loads((lab.newest / "run.json").read_text())
        ours = _count(lab.newest / "client.pcapng")
        took = _span(lab.newest / "client.pcapng")
    rate = f"{ours} frames in {took:.3f} s, tcpdump {counted}"
    yield Figure("frames missing against tcpdump", max(counted - ours, 0), 0, rate)
    dropped = sum(tap["dropped"] for tap in run["taps"])
    yield Figure(
        "frames dropped at both ports", dropped, 0, f"{sum(t['frames'] for t in run['taps'])} kept"
    )


def add_bulk(lab: Checkout, octets: int) -> None:
    """Give a checkout the scenario "bulk": one download of so many octets."""
    (lab.root / "lab/scenarios/bulk.py").write_text(SCENARIO.format(octets=octets))


def _transfer(lab: Checkout, file: Path) -> int:
    """Run the lab with tcpdump at the client's port; returns tcpdump's count of TCP frames."""
    with lab.starting("run", "bulk", "--engine", "docker") as process:
        said = read_until(process, "recording client.pcapng")
        port = said.split()[-1]
        tcpdump = subprocess.Popen(
            ["tcpdump", "-i", port, "-B", "65536", "-w", str(file), "tcp"],
            stderr=subprocess.PIPE,
            text=True,
        )
        process.communicate(timeout=LONGEST)
        tcpdump.send_signal(signal.SIGINT)
        tcpdump.communicate(timeout=LONGEST)
    return _count(file)


def _count(file: Path) -> int:
    said = subprocess.run(
        ["tcpdump", "-r", str(file), "--count", "tcp"], capture_output=True, text=True, check=True
    )
    return int(said.stdout.split()[0])


def _span(file: Path) -> float:
    said = subprocess.run(
        ["tcpdump", "-r", str(file), "-tt", "-nn", "tcp"],
        capture_output=True,
        text=True,
        check=True,
    )
    times = [float(line.split()[0]) for line in said.stdout.splitlines()]
    return times[-1] - times[0]
