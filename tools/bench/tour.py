"""From ``lab up`` to the verdict, against the same containers that only run the programs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.backends.compose import find_compose
from lab.backends.image import PLAIN_TAG
from tests.checkout import Checkout
from tools.bench.figure import Figure, alternate, quietly

TIMES = 5

BARE = f"""
services:
  sniffer: {{image: "{PLAIN_TAG}", network_mode: host, init: true, command: ["true"]}}
  server:
    image: {PLAIN_TAG}
    init: true
    depends_on: [sniffer]
    command: [sh, -c, "python3 services/tcp/greeting/server.py --work 0.1 0 & python3 services/udp/timestamp/server.py --count 1; wait"]
  client:
    image: {PLAIN_TAG}
    init: true
    depends_on: [server]
    command: [sh, -c, "sleep 0.1; python3 services/tcp/greeting/client.py server && python3 services/tcp/greeting/client.py server && python3 services/udp/timestamp/client.py server"]
"""
"""No healthcheck, no recording, no limits. Nothing waits here, so the client gives the server 0.1 s."""


def figures() -> Iterator[Figure]:
    """At most 1.5 times; each side takes its containers down again, outside of the measure."""
    with tempfile.TemporaryDirectory() as name:
        lab = Checkout.make(Path(name, "lab"))
        bare = Path(name, "bare")
        bare.mkdir()
        (bare / "compose.yaml").write_text(BARE)
        compose = find_compose(bare, "labbare").command
        try:
            up, alone = alternate(
                TIMES,
                lambda: quietly(
                    *lab.command("up", "--engine", "docker"), cwd=lab.root, env=lab.environment()
                ),
                lambda: quietly(*compose, "-p", "labbare", "up", cwd=bare),
            )
            down, _ = alternate(
                1, lambda: quietly(*lab.command("down"), cwd=lab.root, env=lab.environment()), int
            )
        finally:
            lab.lab("down")
            quietly(*compose, "-p", "labbare", "down", "-t", "0", cwd=bare)
    yield Figure("lab up / bare compose up", up / alone, 1.5, f"{up:.2f} s, bare {alone:.2f} s")
    yield Figure("lab down (seconds)", down, 2.0, "")
