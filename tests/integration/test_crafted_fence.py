"""A host that tries to send a spoofed segment out of the lab cannot, though it has a way there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.topology import CLIENT_AND_SERVER
from tests.namespaces import run_in

pytestmark = pytest.mark.root

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = "203.0.113.9"  # for documentation (RFC 5737)
ATTACK = f"""
import select, socket, subprocess, sys
sys.path.insert(0, {str(ROOT)!r})
from services import crafted
with socket.socket(type=socket.SOCK_DGRAM) as asking:  # until the server looks
    while not select.select([asking], [], [], 0.01)[0]:
        asking.sendto(b"ready?", ("10.77.1.3", 7))
subprocess.run(["ip", "route", "add", "default", "via", "10.77.1.3"], check=True)
def spoofed(destination):
    return crafted.Segment("198.51.100.7", destination, 1024, 7, crafted.SYN)
with crafted.RawTcp() as raw:
    try:
        raw.send(spoofed({OUTSIDE!r}))
    except crafted.OutsideTheLab as error:
        print(error)
    if {{plainly}}:
        raw.socket.sendto(crafted.packet(spoofed({OUTSIDE!r})), ({OUTSIDE!r}, 0))
    raw.send(spoofed("10.77.1.3"))
"""
LISTEN = """
import socket
with (
    socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as tap,
    socket.socket(type=socket.SOCK_DGRAM) as answering,
):
    answering.bind(("", 7))
    answering.sendto(b"ready", answering.recvfrom(64)[1])
    destination = ""
    while destination != "10.77.1.3":
        packet = tap.recv(2048)
        if packet[9] == socket.IPPROTO_TCP:
            destination = socket.inet_ntoa(packet[16:20])
            print(destination)
"""


def _attack(folder: Path, *, plainly: bool) -> tuple[str, list[str]]:
    """What the attacker printed, and the destinations of all that reached the server."""
    programs = {"client": ATTACK.format(plainly=plainly), "server": LISTEN}
    printed, _ = run_in(folder, CLIENT_AND_SERVER, programs)
    return printed["client"], printed["server"].split()


def test_a_spoofed_segment_for_elsewhere_is_refused_and_never_sent(tmp_path: Path) -> None:
    said, arrived = _attack(tmp_path, plainly=False)
    assert f"{OUTSIDE} is outside the networks of this host" in said
    assert "10.77.1.0/24" in said
    assert arrived == ["10.77.1.3"]


def test_nothing_but_the_refusal_holds_it_back(tmp_path: Path) -> None:
    _, arrived = _attack(tmp_path, plainly=True)
    assert arrived == [OUTSIDE, "10.77.1.3"]
