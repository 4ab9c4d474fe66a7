"""The embedded engine: Linux network namespaces, made in a moment by any user; no Docker, no image.

network.py says what is in them, keeper.py makes and holds them, kernel.py knows what this machine
allows. Whatever becomes of this process, its keeper sees the end of a pipe and ends with everything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.backends import kernel
from lab.backends.base import Check, Line, Removed, Say
from lab.backends.begun import MODULES, Begun
from lab.backends.keeping import Keepers, Outcome, Show
from lab.backends.network import Network, network_of
from lab.backends.tracepoints import tracepoints
from lab.backends.unseen import SNIFFER, Unseen, judge_sniffer, last_words
from lab.errors import EngineFailed, LabError, NamespacesForbidden
from lab.plan import WIRE, write_plan
from lab.scenarios.base import Scenario
from lab.text import Text, same
from lab.topology import CLIENT_AND_SERVER

RUN = "/dev/shm/run"  # the run's folder, a link that the sniffer makes  # noqa: S108
PLAN = "/dev/shm/plan"  # noqa: S108
_LEFT = Text(
    "{name} gave up (exit code {code}): {words}",
    "{name} 已放弃（退出码 {code}）：{words}",
)


@dataclass
class NamespacesEngine:
    """One checkout's lab in network namespaces of this machine."""

    root: Path
    language: str = ""
    ahead: Begun | None = None  # a keeper that was forked before this process had threads
    name: str = "namespaces"
    side_by_side: int = 3

    @cached_property
    def _keepers(self) -> Keepers:
        return Keepers(self.root, self.language, MODULES, self.ahead)

    def check(self) -> Iterator[Check]:
        """Look at the ip tool, then make the parts of a network, and let them go again."""
        try:
            yield Check(Text("ip tool", "ip 工具"), True, same(kernel.find_ip()))
        except NamespacesForbidden as error:
            yield _failed(Text("ip tool", "ip 工具"), error)
            return
        for name, network in _PARTS:
            outcome = self._keepers.keep(network, {}, lambda line: None)
            yield _checked(name, outcome)
        yield tracepoints()

    def prepare(self, say: Say) -> None:
        """There is no image to make; raises NamespacesForbidden without the ip tool."""
        kernel.find_ip()

    def run(self, scenario: Scenario, show: Callable[[Line], None] | None = None) -> Path | None:
        """Play one scenario until all have left; its folder.

        Raises NamespacesForbidden, EngineFailed (a host could not be made, or gave up before it
        announced itself) and SnifferFailed.
        """
        network = network_of(scenario.topology, ipv6=kernel.has_ipv6())
        (self.root / "captures").mkdir(exist_ok=True)
        programs = self._programs(scenario, quiet=show is None)
        show = show or Unseen()
        outcome = self._keepers.keep(network, programs, show, _plan(scenario))
        if outcome.failed:
            raise kernel.refusal(*outcome.failed)
        _judge(outcome, show)
        return Path(outcome.folder) if outcome.folder else None

    def stop(self) -> None:
        self._keepers.stop()

    def down(self, *, images: bool = False) -> Removed:
        """End what runs in this checkout, whoever started it; returns when it is gone."""
        self.stop()
        keepers = set(kernel.lock_holders(self.root / "captures"))
        return Removed(networks=sum(kernel.end(keeper) for keeper in keepers))

    def _programs(self, scenario: Scenario, *, quiet: bool) -> dict[str, list[str]]:
        """The sniffer, which runs at the switch, and each host's entrypoint; all start at once.

        What order matters they keep themselves, by the files of the run (services/README.md).
        """
        host = [sys.executable, "-m", "services.host", "--run", RUN]
        hosts = {name: [*host, name] for name in scenario.topology.names}
        wire = {WIRE: self._wire(scenario)} if scenario.rules else {}
        return {SNIFFER: self._sniffer(scenario, quiet=quiet)} | wire | hosts

    def _sniffer(self, scenario: Scenario, *, quiet: bool) -> list[str]:
        folders = ["--captures", str(self.root / "captures"), "--plan", PLAN, "--ready", RUN]
        words = [*folders, "--scenario", scenario.id, "--engine", self.name]
        hosts = [word for name in scenario.topology.names for word in ("--host", name)]
        report = [] if quiet else ["--report"]
        return [sys.executable, "-m", "lab.capture.sniffer", *words, *hosts, *report]

    def _wire(self, scenario: Scenario) -> list[str]:
        names = [word for name in scenario.topology.names for word in ("--host", name)]
        return [sys.executable, "-m", "lab.cli", "wire", "--run", RUN, *names]


def _plan(scenario: Scenario) -> dict[str, str]:
    """The plan that the sniffer puts into the run's folder, for the hosts to follow."""
    with TemporaryDirectory() as name:
        write_plan(scenario, Path(name))
        return {f"{PLAN}/{path.name}": path.read_text() for path in Path(name).iterdir()}


def _judge(outcome: Outcome, show: Show) -> None:
    """Raise what went wrong, unless the run's own folder tells it."""
    judge_sniffer(outcome.codes.get(SNIFFER, 0), show)
    if outcome.lost and not outcome.stopped:
        name = outcome.lost
        words = last_words(show, name)
        raise EngineFailed(detail=_LEFT.fill(name=name, code=outcome.codes[name], words=words))


_PARTS = (
    (Text("namespaces", "命名空间"), Network()),
    (same("veth"), Network(switch=("link add one type veth peer name other",))),
    (same("bridge"), Network(switch=("link add one type bridge",))),
    (Text("a lab", "一个实验室"), network_of(CLIENT_AND_SERVER, ipv6=kernel.has_ipv6())),
)


def _checked(name: Text, outcome: Outcome) -> Check:
    if outcome.failed:
        return _failed(name, kernel.refusal(*outcome.failed))
    made = Text("made in {ms:.0f} ms", "{ms:.0f} 毫秒建成")
    return Check(name, True, made.fill(ms=outcome.built / 1e6))


def _failed(name: Text, error: LabError) -> Check:
    remedy = error.remedy.fill(**error.details) if error.remedy else None
    return Check(name, False, error.what.fill(**error.details), remedy)
