"""How runs on the namespaces engine end: well, early, by force; and that nothing is left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from lab.analyze import load_file
from lab.backends.base import Line
from lab.backends.keeping import Keepers
from lab.backends.kernel import lock_holders
from lab.backends.namespaces import NamespacesEngine
from lab.backends.network import Network
from lab.errors import EngineFailed, SnifferFailed
from lab.topology import CLIENT_AND_SERVER
from tests.checkout import Checkout, read_until
from tests.namespaces import all_gone, children, descendants, eventually, named, run_in, scenario

pytestmark = pytest.mark.root

# The server works for half a minute after the client's FIN: time to do something to the run.
SLOW = {
    "server": "services/tcp/greeting/server.py --work 30",
    "client": "services/tcp/greeting/client.py server",
}
QUICK = SLOW | {"server": "services/tcp/greeting/server.py --work 0"}
WORKING = "Working for 30 s"  # the server, once it has seen the FIN

WAITS = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.mkfifo("/dev/shm/waiting")
os.close(os.open("/dev/shm/waiting", os.O_WRONLY))
print(signal.sigwait({signal.SIGTERM}))
"""
FAILS = """
import os, time
while not os.path.exists("/dev/shm/waiting"):
    time.sleep(0.002)
open("/dev/shm/waiting").read()
raise SystemExit(3)
"""

RUNNER = """
import sys
from pathlib import Path
from lab.backends.namespaces import NamespacesEngine
from lab.errors import LabError
from lab.run import play
from tests.namespaces import scenario

root, programs = Path(sys.argv[1]), {programs}
try:
    play(NamespacesEngine(root, "en"), scenario(programs), root / "captures", print,
         lambda line: print(line.words, flush=True))
except LabError as error:
    sys.exit(error.exit_code)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.make(tmp_path / "checkout")


@pytest.fixture
def engine(checkout: Checkout) -> NamespacesEngine:
    return NamespacesEngine(checkout.root, "en")


@contextmanager
def another(checkout: Checkout) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that plays the slow greeting, as far as the client's FIN."""
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER.format(programs=SLOW), str(checkout.root)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        read_until(runner, WORKING)
        yield runner
    finally:
        runner.kill()
        runner.communicate()


def reason(checkout: Checkout) -> str:
    """Why the newest run is not complete."""
    return str(json.loads((checkout.newest / "run.json").read_text())["reason"])


# ---------------------------------------------------------------- ended from outside


def test_a_killed_runner_leaves_no_process(checkout: Checkout) -> None:
    with another(checkout) as runner:
        everyone = descendants(runner.pid)
        runner.kill()
        assert len(everyone) >= 6  # keeper, first process, sniffer, two hosts, a program
        eventually(lambda: all_gone(everyone))


def test_a_killed_runners_capture_is_saved_and_opens(checkout: Checkout) -> None:
    with another(checkout) as runner:
        everyone = descendants(runner.pid)
        runner.kill()
        eventually(lambda: all_gone(everyone))
    assert reason(checkout) == "interrupted"
    assert len(load_file(checkout.newest / "client.pcapng").capture.frames) > 3


def test_a_killed_keeper_leaves_no_process(checkout: Checkout) -> None:
    with another(checkout) as runner:
        (keeper,) = children(runner.pid)
        everyone = descendants(runner.pid)
        os.kill(keeper, signal.SIGKILL)
        eventually(lambda: all_gone(everyone))


def test_a_killed_host_leaves_an_incomplete_run(checkout: Checkout) -> None:
    with another(checkout) as runner:
        os.kill(named(descendants(runner.pid), "services.host", "server"), signal.SIGKILL)
        runner.wait()
    assert reason(checkout).startswith("the port of host server vanished")


def test_a_killed_host_takes_its_programs_along(checkout: Checkout) -> None:
    with another(checkout) as runner:
        everyone = descendants(runner.pid)
        program = named(everyone, "services.record", "services/tcp/greeting/server.py")
        os.kill(named(everyone, "services.host", "server"), signal.SIGKILL)
        eventually(lambda: all_gone({program}))


def test_ctrl_c_cleans_up_and_keeps_the_capture(checkout: Checkout) -> None:
    with another(checkout) as runner:
        everyone = descendants(runner.pid)
        runner.send_signal(signal.SIGINT)
        runner.communicate(timeout=20)
    assert runner.returncode == 130
    assert all_gone(everyone)
    assert len(load_file(checkout.newest / "client.pcapng").capture.frames) > 3


def test_down_ends_a_run_that_another_process_started(checkout: Checkout) -> None:
    with another(checkout) as runner:
        (first,) = lock_holders(checkout.captures)
        removed = NamespacesEngine(checkout.root).down()
        assert all_gone({first})
        runner.wait()
    assert removed.networks == 1
    assert list(lock_holders(checkout.captures)) == []


def test_down_leaves_other_checkouts_alone(checkout: Checkout, tmp_path: Path) -> None:
    with another(checkout):
        assert NamespacesEngine(tmp_path).down().networks == 0
        assert len(list(lock_holders(checkout.captures))) == 1


def test_stop_ends_a_run_and_keeps_its_capture(
    checkout: Checkout, engine: NamespacesEngine
) -> None:
    closing = Event()

    def show(line: Line) -> None:
        if WORKING in line.words:
            closing.set()

    run = Thread(target=engine.run, args=(scenario(SLOW), show))
    run.start()
    assert closing.wait(20)
    engine.stop()
    run.join(20)
    assert not run.is_alive()
    assert reason(checkout) == "interrupted"


def test_stop_and_down_without_a_run_do_nothing(engine: NamespacesEngine) -> None:
    engine.stop()
    assert engine.down().networks == 0


# ---------------------------------------------------------------- again, and at once


def test_many_networks_in_a_row_leave_no_descriptor_and_no_child(tmp_path: Path) -> None:
    def count() -> tuple[int, set[int]]:
        return len(os.listdir("/proc/self/fd")), children(os.getpid())

    run_in(tmp_path, CLIENT_AND_SERVER, {"client": ""})
    before = count()
    for _ in range(10):
        run_in(tmp_path, CLIENT_AND_SERVER, {"client": "", "server": ""})
    assert count() == before


def test_two_runs_at_once_in_one_checkout(engine: NamespacesEngine) -> None:
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(engine.run, scenario(QUICK), lambda line: None) for _ in range(2)]
        folders = {run.result(60) for run in runs}
    assert len(folders) == 2
    assert all(
        folder and json.loads((folder / "run.json").read_text())["complete"] for folder in folders
    )


# ---------------------------------------------------------------- what goes wrong inside


def test_a_host_that_gives_up_ends_the_run_at_once(
    checkout: Checkout, engine: NamespacesEngine
) -> None:
    checkout.edit("services/host.py", lambda text: "raise SystemExit(18)\n" + text[:0])
    with pytest.raises(EngineFailed, match=r"(client|server) gave up \(exit code 18\)"):
        engine.run(scenario(QUICK), lambda line: None)


def test_a_sniffer_that_cannot_record_is_told_with_its_code(
    checkout: Checkout, engine: NamespacesEngine
) -> None:
    break_sniffer(checkout)
    said: list[Line] = []
    with pytest.raises(SnifferFailed, match="its own words are above") as caught:
        engine.run(scenario(QUICK), said.append)
    assert caught.value.exit_code == 34
    assert any(line.source == "sniffer" and "trial" in line.words for line in said)


def test_where_nobody_watches_the_error_says_why_the_sniffer_cannot_record(
    checkout: Checkout, engine: NamespacesEngine
) -> None:
    break_sniffer(checkout)
    with pytest.raises(SnifferFailed, match=r"The sniffer cannot write: trial") as caught:
        engine.run(scenario(QUICK))
    assert "above" not in str(caught.value)


def break_sniffer(checkout: Checkout) -> None:
    """Have it give up as it begins."""
    gives_up = "from lab.errors import RecordingError; raise RecordingError(detail='trial')"
    checkout.edit(
        "lab/capture/sniffer.py",
        lambda text: text.replace("become_owner(task.captures)\n", f"{gives_up}\n"),
    )


def test_a_sniffer_that_fails_takes_the_hosts_along(tmp_path: Path) -> None:
    programs = {"sniffer": "raise SystemExit(3)", "client": "import time; time.sleep(60)"}
    _, outcome = run_in(tmp_path, CLIENT_AND_SERVER, programs)
    assert outcome.codes == {"sniffer": 3}


def test_when_another_at_the_switch_fails_the_sniffer_is_told_to_stop(tmp_path: Path) -> None:
    printed, outcome = run_in(tmp_path, CLIENT_AND_SERVER, {"sniffer": WAITS, "wire": FAILS})
    assert (outcome.lost, printed["sniffer"]) == ("wire", "15\n")


def test_what_ip_refuses_is_told(tmp_path: Path) -> None:
    network = Network(switch=("link add name one type no_such_kind",))
    outcome = Keepers(tmp_path, "").keep(network, {}, lambda line: None)
    assert outcome.failed is not None
    assert outcome.failed[0] == "ip (switch)"


def test_a_program_that_is_not_there_leaves_with_127(tmp_path: Path) -> None:
    said: list[Line] = []
    outcome = Keepers(tmp_path, "").keep(Network(), {"nobody": ["/no/such"]}, said.append)
    assert outcome.codes == {"nobody": 127}
    assert said == [Line("nobody", "/no/such: No such file or directory")]
