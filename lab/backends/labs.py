"""Labs of containers that stay up: each plays one run at a time, in hosts that nothing has touched.

A container plays one run from its start to its end: its program waits for the cable, plays, leaves.
Then the same container is started again and waits for the next. Its new network namespace is what
makes it fresh: nothing of the run before is there, no TIME-WAIT, neighbour, TCP metric or firewall
rule, without anybody having to think of them all. Starting is what takes Docker long (a third of a
second a container), so hosts are started when a run is over, not when the next one begins. What has
been played is noted by the times at which containers were started: whatever becomes of this
process, the next one sees which hosts are fresh, and starts again those that are not.

    captures/.docker/N/     of the lab with this number
        lock                held by whoever plays in it
        plan/               of the run
        run                 a link to the run's folder, made by the sniffer
        played              when containers were started that a run has used up
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from queue import Empty
from typing import IO

from docker import APIClient
from msgspec import Struct

from lab.backends import kernel
from lab.backends.base import Line
from lab.backends.containers import FOLDER, SNIFFER, SWITCH, Place, nodes, orders, switch, tools
from lab.backends.machines import LEAVE_WITHIN, Machines, Renewal
from lab.backends.network import Network, network_of
from lab.backends.outputs import Left, Life, Outputs
from lab.backends.unseen import Unseen, judge_sniffer
from lab.errors import EngineFailed
from lab.plan import write_plan
from lab.scenarios.base import Scenario
from lab.text import Text

_LAST_WORDS = 1.0  # seconds that hosts have for them once the sniffer has left
_UP_WITHIN = 10.0  # seconds that a router has to come up
_LEFT = Text(
    "{name} ended before the run had begun (exit code {code}): {words}",
    "{name} 在运行开始之前就已退出（退出码 {code}）：{words}",
)
_NOT_UP = Text("{name} has not come up: {words}", "{name} 未能启动：{words}")

Show = Callable[[Line], None]


class Crew(Struct, frozen=True):
    """Who takes part in a run."""

    network: Network
    switch: Life
    hosts: dict[str, Life]
    routers: dict[str, Life]
    tools: dict[str, Life]  # the sniffer and the wire, on standby

    @property
    def nodes(self) -> dict[str, Life]:
        """All who are plugged in."""
        return self.hosts | self.routers

    @property
    def everybody(self) -> dict[str, Life]:
        """All who play one run in their life."""
        return self.nodes | self.tools


class Lab:
    """One lab. Only one run is in it at a time (`free_number`)."""

    def __init__(self, client: APIClient, place: Place) -> None:
        self._client, self._place = client, place
        self._captures = place.root / "captures"
        self._folder = self._captures / FOLDER / str(place.number)
        self._renewal: Renewal | None = None

    def play(self, scenario: Scenario, show: Show | None) -> Path | None:
        """Play a scenario to its end; the folder of the run, if there is one.

        Raises EngineError, and NotAvailable for a sysctl that a host cannot have.
        """
        if self._renewal:
            self._renewal.end()
        machines = Machines(self._client, self._place, self._folder / "played")
        crew = self._assemble(machines, scenario)
        write_plan(scenario, self._folder / "plan")
        (self._folder / "run").unlink(missing_ok=True)  # nobody is to find an earlier one
        machines.note(crew.everybody.values())
        outputs = Outputs(self._client, crew.hosts | crew.tools)
        coming = Outputs(self._client, crew.routers)
        machines.plug(crew.switch, crew.nodes, crew.network.switch)
        _await(crew.routers, coming)
        words = orders(self._place, scenario, quiet=show is None)
        for tool in crew.tools:
            outputs.tell(tool, json.dumps(words[tool]))
        show = show or Unseen()
        last = self._follow(crew, outputs, show)
        self._judge(crew, last, show)
        self._renewal = Renewal(self._client, crew.everybody.values())
        if isinstance(show, Unseen):
            self._renewal.begin()
        else:  # who watched is told of it first: starting containers keeps all processors busy
            atexit.register(self._renew, self._renewal)
        return self._run()

    def _renew(self, renewal: Renewal) -> None:
        """Have hosts started anew, unless somebody else plays here by now: he has seen to it."""
        with suppress(OSError), _lock(self._folder):
            renewal.begin()

    def _assemble(self, machines: Machines, scenario: Scenario) -> Crew:
        """Have everybody there whom the scenario needs; its nodes wait for their cables."""
        hub = machines.live(SWITCH, switch(self._place))
        network = network_of(scenario.topology, ipv6=kernel.has_ipv6())
        needed = tools(self._place, scenario, hub.container)
        recipes = nodes(self._place, scenario.topology, network) | needed
        with ThreadPoolExecutor() as pool:
            living = pool.map(machines.fresh, recipes, recipes.values())
            lives = dict(zip(recipes, living, strict=True))
        return Crew(
            network,
            hub,
            hosts={name: lives[name] for name in scenario.topology.names},
            routers={router.name: lives[router.name] for router in scenario.topology.routers},
            tools={name: lives[name] for name in needed},
        )

    def _follow(self, crew: Crew, outputs: Outputs, show: Show) -> Line | None:
        """Hand on what is printed until all have left, or the sniffer has and a while has passed.

        Returns the last words of who ended before the run had begun, if anybody did.
        """
        there, last, missed = {*crew.tools, *crew.hosts}, dict[str, Line](), ""
        with suppress(Empty):
            while there:
                match outputs.next(None if SNIFFER in there else _LAST_WORDS):
                    case Line() as line:
                        last[line.source] = line
                        show(line)
                    case Left(name):
                        there.discard(name)
                        if not missed and self._is_missed(name, crew):
                            missed = name
                            self._client.stop(crew.tools[SNIFFER].container, timeout=LEAVE_WITHIN)
        return last.get(missed, Line(missed, "")) if missed else None

    def _is_missed(self, name: str, crew: Crew) -> bool:
        """Whether the run cannot go on; of a host it knows the sniffer sees the port vanish."""
        run = self._run()
        if name == SNIFFER or (run is not None and not (run / "control").exists()):
            return False  # it is over
        if name in crew.tools:
            return self._code(crew.tools[name]) != 0
        return run is None or not (run / "control" / f"{name}.host").exists()

    def _judge(self, crew: Crew, last: Line | None, show: Show) -> None:
        """Raise what went wrong, unless the run's own folder tells it."""
        judge_sniffer(self._code(crew.tools[SNIFFER]), show)
        if last:
            code = self._code(crew.everybody[last.source])
            raise EngineFailed(detail=_LEFT.fill(name=last.source, code=code, words=last.words))

    def _code(self, life: Life) -> int:
        return int(self._client.wait(life.container)["StatusCode"])

    def _run(self) -> Path | None:
        """The run's folder, by the sniffer's link; it may have been renamed since."""
        try:
            return self._captures / Path(os.readlink(self._folder / "run")).name
        except FileNotFoundError:
            return None


def _await(routers: Iterable[str], coming: Outputs) -> None:
    """Wait until each router has said that it is up: nobody sends anything before."""
    down = set(routers)
    while down:
        try:
            word = coming.next(_UP_WITHIN)
        except Empty:
            raise EngineFailed(detail=_NOT_UP.fill(name=min(down), words="")) from None
        if word != Line(word.source, "up"):  # it says why it is not, or has left without a word
            raise EngineFailed(
                detail=_NOT_UP.fill(name=word.source, words=getattr(word, "words", ""))
            )
        down.discard(word.source)


@contextmanager
def free_number(captures: Path) -> Iterator[int]:
    """The lowest number of a lab in which nobody plays; nobody else gets it meanwhile."""
    for number in count(1):
        folder = captures / FOLDER / str(number)
        _make(folder, captures)
        try:
            lock = _lock(folder)
        except BlockingIOError:
            continue
        with lock:
            yield number
        return


def _lock(folder: Path) -> IO[str]:
    """Nobody else plays in this lab until it is closed; raises OSError if somebody does, or it is gone."""
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _make(folder: Path, captures: Path) -> None:
    """The sniffer, which becomes the owner of captures/, must be able to write there."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        owner = captures.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
