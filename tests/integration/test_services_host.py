"""A host's entrypoint, in network namespaces joined by a cable; the test plays the sniffer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from lab.evidence.calls import decode_calls

ROOT = Path(__file__).parents[2]
NOBODY = 65534
SERVER = "services/tcp/greeting/server.py"
CLIENT = "services/tcp/greeting/client.py"

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: makes network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs ip (Debian: iproute2)"),
]

FOR_EVER = """
import socket
with socket.socket(type=socket.SOCK_DGRAM) as it:
    it.bind(("127.0.0.1", 0))
    try:
        print("waiting", flush=True)
        it.recv(1)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""
WHO_AM_I = """
import os, socket
status = open("/proc/self/status").read()
capabilities = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff")]
print("who", os.getuid(), os.getgid(), os.getgroups(), int(capabilities[0], 16), flush=True)
socket.socket().close()
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for an event; a test that waits 20 s for it has failed."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter that an ordinary user may run: this one may lie in root's own folder."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run([candidate, "-c", "import json"], user=NOBODY, check=True)
        except (PermissionError, FileNotFoundError):
            continue
        return candidate
    pytest.skip("needs a Python that an ordinary user may run")


@pytest.fixture
def namespaces() -> Iterator[dict[str, str]]:
    """Two network namespaces, eth0 to eth0: client 10.9.8.1, server 10.9.8.2."""
    tag = uuid4().hex[:8]
    names = {"client": f"client-{tag}", "server": f"server-{tag}"}
    with ExitStack() as cleanup:
        for name in names.values():
            ip("netns", "add", name)
            cleanup.callback(ip, "netns", "del", name)
        cable = ["type", "veth", "peer", "name", "eth0", "netns", names["server"]]
        ip("-n", names["client"], "link", "add", "eth0", *cable)
        for number, name in enumerate(names.values(), 1):
            ip("-n", name, "address", "add", f"10.9.8.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "eth0", "up")
        yield names


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may enter, with the services and a run inside."""
    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        place = Path(name)
        place.chmod(0o755)
        shutil.copytree(ROOT / "services", place / "services", ignore=lambda *_: ["__pycache__"])
        (place / "for_ever.py").write_text(FOR_EVER)
        (place / "who_am_i.py").write_text(WHO_AM_I)
        (place / "captures").mkdir()
        yield place


class Stage:
    """Starts hosts, and answers them as the sniffer would."""

    def __init__(self, place: Path, namespaces: dict[str, str], python: str) -> None:
        self.place = place
        self.namespaces = namespaces
        self.python = python
        self.captures = place / "captures"
        self.run = self.captures / "run"
        self.control = self.run / "control"
        self.hosts: list[subprocess.Popen[str]] = []

    def begin(self, owner: int = 0) -> None:
        """Make the run's folder and let ``current`` point to it."""
        self.control.mkdir(parents=True)
        (self.captures / "current").symlink_to("run")
        for folder in (self.captures, self.run, self.control):
            os.chown(folder, owner, owner)

    def host(self, name: str, *words: str, wrap: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        captures = ["--captures", str(self.captures), "--lang", "en"]
        entry = [self.python, "-B", "-m", "services.host", name, *captures, *words]
        host = subprocess.Popen(
            ["ip", "netns", "exec", self.namespaces[name], *wrap, *entry],
            cwd=self.place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.hosts.append(host)
        return host

    def say(self, word: str) -> None:
        (self.control / word).touch()

    def await_word(self, word: str) -> dict[str, object]:
        eventually((self.control / word).exists)
        said: dict[str, object] = json.loads((self.control / word).read_text())
        return said

    def play(self, name: str, *words: str, wrap: tuple[str, ...] = ()) -> tuple[str, int]:
        """A whole run of one host: what it printed, and its exit code."""
        host = self.host(name, "--", *words, wrap=wrap)
        self.await_word(f"{name}.host")
        self.say(f"{name}.recording")
        self.await_word(f"{name}.done")
        self.say("end")
        printed = host.communicate(timeout=20)[0]
        return printed, host.returncode

    def await_line(self, host: subprocess.Popen[str], words: str, count: int = 1) -> None:
        """Read what a host prints until that has come; a host that keeps silent is ended."""
        assert host.stdout is not None
        silence = threading.Timer(20, host.terminate)
        silence.start()
        seen: list[str] = []
        while count and (line := host.stdout.readline()):
            seen.append(line)
            count -= words in line
        silence.cancel()
        assert count == 0, seen

    def end(self) -> None:
        for host in self.hosts:
            host.terminate()
            host.communicate(timeout=20)


@pytest.fixture
def stage(place: Path, namespaces: dict[str, str], python: str) -> Iterator[Stage]:
    stage = Stage(place, namespaces, python)
    yield stage
    stage.end()


def announced(stage: Stage) -> dict[str, object]:
    stage.begin()
    stage.host("client", "--", "who_am_i.py")
    return stage.await_word("client.host")


# ---------------------------------------------------------------- before the programs


def test_offload_is_off_once_a_host_has_announced_itself(stage: Stage) -> None:
    announced(stage)
    words = ["ip", "netns", "exec", stage.namespaces["client"], stage.python]
    told = subprocess.run(
        [*words, "-m", "services.offload"], cwd=stage.place, capture_output=True, text=True
    )
    assert told.stdout == "eth0 {'tso': 'off', 'gso': 'off', 'gro': 'off', 'tx': 'off'}\n"


def test_a_host_announces_its_addresses_ipv4_first(stage: Stage) -> None:
    addresses = announced(stage)["addresses"]
    assert isinstance(addresses, list)
    assert addresses[0] == "10.9.8.1"
    assert all(":" in address for address in addresses[1:])


def test_a_host_announces_the_port_at_the_other_end_of_its_cable(stage: Stage) -> None:
    told = announced(stage)
    words = ["ip", "-n", stage.namespaces["server"], "-j", "link", "show", "eth0"]
    (other_end,) = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert told["port"] == other_end["ifindex"]


def test_a_host_announces_its_name_mac_and_mtu(stage: Stage) -> None:
    told = announced(stage)
    words = ["ip", "-n", stage.namespaces["client"], "-j", "link", "show", "eth0"]
    (own_end,) = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert (told["name"], told["mac"], told["mtu"]) == ("client", own_end["address"], 1500)


def test_no_call_is_made_before_the_sniffer_records(stage: Stage) -> None:
    announced(stage)
    marked = time.time_ns()
    stage.say("client.recording")
    stage.await_word("client.done")
    (first, *_) = decode_calls((stage.run / "client.calls.jsonl").read_bytes())
    assert first.before > marked


def test_a_host_waits_for_a_run_that_is_still_on(stage: Stage) -> None:
    stage.begin()
    stage.say("end")  # left behind by a run before
    host = stage.host("client", "--patience", "0.1", "--", "who_am_i.py")
    assert "no run has begun" in host.communicate(timeout=20)[0]
    assert host.returncode == 33


def test_a_sniffer_that_does_not_answer_is_exit_code_33(stage: Stage) -> None:
    stage.begin()
    host = stage.host("client", "--patience", "0.1", "--", "who_am_i.py")
    assert "the sniffer has not answered" in host.communicate(timeout=20)[0]
    assert host.returncode == 33


def test_a_host_that_may_not_turn_offload_off_says_what_it_lacks(stage: Stage) -> None:
    stage.begin()
    wrap = ("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin")
    host = stage.host("client", "--", "who_am_i.py", wrap=wrap)
    assert "cap_add: [NET_ADMIN]" in host.communicate(timeout=20)[0]
    assert host.returncode == 18


# ---------------------------------------------------------------- whom the programs run as

CONTAINER = (
    "setpriv",
    "--no-new-privs",
    "--bounding-set",
    "-all,+net_admin,+setuid,+setgid,+kill",
    "--inh-caps",
    "-all",
)


def test_captures_of_a_user_make_the_programs_that_users(stage: Stage) -> None:
    stage.begin(owner=4321)
    printed, code = stage.play("client", "who_am_i.py", wrap=CONTAINER)
    assert "who 4321 4321 [] 0\n" in printed
    assert code == 0


def test_what_a_host_writes_belongs_to_the_owner_of_the_captures(stage: Stage) -> None:
    stage.begin(owner=4321)
    stage.play("client", "who_am_i.py", wrap=CONTAINER)
    files = [stage.run / "client.calls.jsonl", *stage.control.glob("client.[hd]*")]
    assert {file.stat().st_uid for file in files} == {4321}
    assert len(files) == 3


def test_captures_of_root_make_the_programs_nobodys(stage: Stage) -> None:
    stage.begin(owner=0)
    printed, _ = stage.play("client", "who_am_i.py", wrap=CONTAINER)
    assert f"who {NOBODY} {NOBODY} [] 0\n" in printed


# ---------------------------------------------------------------- the programs


def test_the_greeting_between_two_hosts(stage: Stage) -> None:
    stage.begin()
    server = stage.host("server", "--", SERVER, "--work", "0.1", "0")
    stage.await_word("server.host")
    stage.say("server.recording")
    stage.await_line(server, "listens")
    greeting = (CLIENT, "10.9.8.2")
    printed, code = stage.play("client", *greeting, ";", *greeting)
    assert (printed.count("Received 25 octets"), code) == (2, 0)
    assert stage.await_word("server.done") == {"exit_codes": [0]}
    assert stage.await_word("client.done") == {"exit_codes": [0, 0]}


def test_the_second_program_waits_until_the_first_connection_has_closed(stage: Stage) -> None:
    stage.begin()
    server = stage.host("server", "--", SERVER, "--work", "0.3", "0")
    stage.await_word("server.host")
    stage.say("server.recording")
    stage.await_line(server, "listens")
    stage.play("client", CLIENT, "10.9.8.2", ";", CLIENT, "10.9.8.2")
    eventually(lambda: server.poll() is not None)
    served = decode_calls((stage.run / "server.calls.jsonl").read_bytes())
    asked = decode_calls((stage.run / "client.calls.jsonl").read_bytes())
    first_close = next(call for call in served if call.function == "close")
    second_connect = [call for call in asked if call.function == "connect"][1]
    assert second_connect.before > first_close.before


def test_programs_side_by_side_share_the_log(stage: Stage) -> None:
    stage.begin()
    stage.play("client", "who_am_i.py", "&", "who_am_i.py")
    calls = decode_calls((stage.run / "client.calls.jsonl").read_bytes())
    assert len({call.process for call in calls}) == 2


def test_every_exit_code_is_reported_and_the_first_failure_is_the_hosts(stage: Stage) -> None:
    stage.begin()
    for code in (0, 3, 4):
        (stage.place / f"exit_{code}.py").write_text(f"raise SystemExit({code})")
    _, code = stage.play("client", "exit_0.py", ";", "exit_3.py", "&", "exit_4.py")
    assert stage.await_word("client.done") == {"exit_codes": [0, 3, 4]}
    assert code == 3


def test_a_server_that_never_ends_is_ended_by_the_end_of_the_run(stage: Stage) -> None:
    stage.begin()
    host = stage.host("server", "--", "for_ever.py")
    stage.await_word("server.host")
    stage.say("server.recording")
    stage.await_line(host, "waiting")
    stage.say("end")
    assert "stopped\n" in host.communicate(timeout=20)[0]
    assert (host.returncode, stage.await_word("server.done")) == (0, {"exit_codes": [0]})


def test_a_run_whose_folder_is_renamed_is_over(stage: Stage) -> None:
    stage.begin()
    host = stage.host("client", "--", "who_am_i.py")
    stage.await_word("client.host")
    stage.say("client.recording")
    stage.await_word("client.done")
    stage.run.rename(stage.captures / "finished")
    host.communicate(timeout=20)
    assert host.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_host_and_programs_at_once(stage: Stage, number: signal.Signals) -> None:
    stage.begin()
    host = stage.host("server", "--", "for_ever.py", "&", "for_ever.py")
    stage.await_word("server.host")
    stage.say("server.recording")
    stage.await_line(host, "waiting", count=2)
    asked = time.monotonic()
    host.send_signal(number)
    printed = host.communicate(timeout=20)[0]
    assert time.monotonic() - asked < 2
    assert (printed.count("stopped"), host.returncode) == (2, 128 + number)


def test_a_program_that_ignores_every_signal_is_killed(stage: Stage) -> None:
    (stage.place / "stubborn.py").write_text(
        "import signal, time\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "print('waiting', flush=True)\n"
        "while True:\n"
        "    time.sleep(60)\n"
    )
    stage.begin()
    host = stage.host("server", "--", "stubborn.py")
    stage.await_word("server.host")
    stage.say("server.recording")
    stage.await_line(host, "waiting")
    stage.say("end")
    assert stage.await_word("server.done") == {"exit_codes": [137]}
    host.communicate(timeout=20)
