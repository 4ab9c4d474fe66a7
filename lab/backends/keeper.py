"""Holds the namespaces of one run: makes them, starts what runs in them, ends all of it.

begun.py starts it and hands over the plan; the end of stdin means "stop". What happens is told on
stdout in lines of words parted by tabs: "built NANOSECONDS", "left NAME CODE", "lost NAME" (it left, and the
run goes no further), "run FOLDER", "failed STEP REASON". The first program at the switch is the
sniffer. The whole run waits for the start of this program, so it imports few and small modules, and
nothing of the lab. What several programs need it may be told to import: whatever is to run as
``python -m MODULE`` is then a fork of it, and not an interpreter that starts and imports that again.

    process          namespaces (namespaces(7))        life
    keeper           the machine's; a user namespace   waits for the first process
    first process    pid, mount, network: the switch   ends with its stdin, or when all have left
    a host           pid, mount, network, UTS          its first process becomes services.host
    the sniffer ...  those of the switch

A pid namespace ends with its first process, and with its processes ends every other namespace: a
host that is killed leaves no program behind, and a killed keeper leaves nothing at all.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import sys
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

PRIVATE = "/dev/shm"  # a file system of the run's own  # noqa: S108
RUN = f"{PRIVATE}/run"  # a link to the run's folder, made by the sniffer
URGENT = -10
"""Niceness (setpriority(2)) of all that takes part in a run: what else the machine does hardly shifts its times."""
LEAVE_WITHIN = 2.0  # seconds to save what there is, once told to stop
REPORT = 1

_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A step that the kernel, or `ip`, refused."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(step, reason)
        self.step, self.reason = step, reason

    def tell(self, where: str = "") -> None:
        """Report it."""
        tell("failed", where + self.step, self.reason)


def main(plan: dict[str, Any]) -> NoReturn:
    """Enter new namespaces, and stay for as long as their first process does."""
    began = time.monotonic_ns()
    with suppress(OSError):  # only root may
        os.setpriority(os.PRIO_PROCESS, 0, URGENT)
    try:
        enter(user=plan["user"])
    except Failed as failure:
        failure.tell()
        os._exit(1)
    first = os.fork()
    if first == 0:
        keep(plan, began)
    _, status = os.waitpid(first, 0)
    os._exit(0 if status == 0 else 1)


def enter(*, user: bool) -> None:
    """Leave the machine's namespaces; in a user namespace this user is root (user_namespaces(7))."""
    me, group = os.geteuid(), os.getegid()
    if user:
        call("unshare user namespace", _libc.unshare, CLONE_NEWUSER)
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"0 {me} 1")
        write("/proc/self/gid_map", f"0 {group} 1")
    call("unshare namespaces", _libc.unshare, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)


def keep(plan: dict[str, Any], began: int) -> NoReturn:
    """Be the first process: build, start, wait."""
    code = 1
    try:
        call("prctl", _libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        lab = Lab(plan)
        try:
            lab.build(began)
        except Failed as failure:
            failure.tell()
            lab.stop()
        else:
            code = 0
        lab.wait()
    except Failed as failure:
        failure.tell()
    except BaseException as error:
        tell("failed", "keeper", repr(error))
    os._exit(code)


class Lab:
    """What lives in the namespaces. Its first process is pid 1: whoever is left dies with it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.names: dict[int, str] = {}  # of processes that run, by pid
        nodes = {node["name"] for node in plan["nodes"]}
        self.at_switch = [name for name in plan["programs"] if name not in nodes]
        self.deadline: float | None = None
        self.stopping = False
        self.woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def build(self, began: int) -> None:
        """Furnish the namespaces, start everything; what needs no host starts before there is one."""
        furnish(self.plan["names"], self.plan["files"])
        self._be_found()
        for family in ("all", "default"):
            set_value(f"net.ipv6.conf.{family}.disable_ipv6", "1", needed=False)
        for name in self.at_switch:
            pid = os.fork()
            if pid == 0:
                self._become(name)
            self.names[pid] = name
        self._hosts()
        tell("built", time.monotonic_ns() - began)

    def _be_found(self) -> None:
        """Lock one octet of the captures folder: whoever wants to end this run sees our pid there."""
        try:
            self.lock = os.open(self.plan["captures"], os.O_RDONLY)
            fcntl.lockf(self.lock, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, self.plan["mark"])
        except OSError:  # no folder, or no locks on this file system
            return

    def _hosts(self) -> None:
        """Make all hosts at once; they meet twice: when they can be plugged in, and when they are."""
        here = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        nodes, (ready, is_ready), (go, start) = self.plan["nodes"], os.pipe(), os.pipe()
        pids = {}
        for node in nodes:
            call("unshare pid namespace", _libc.unshare, CLONE_NEWPID)
            pid = os.fork()
            if pid == 0:
                os.close(start)
                self._be(node, is_ready, go)
            call("setns", _libc.setns, here, CLONE_NEWPID)
            self.names[pid], pids[node["name"]] = node["name"], pid
        meet(ready, len(nodes))
        batch(self.plan["ip"], "switch", [line.format_map(pids) for line in self.plan["switch"]])
        os.close(start)
        meet(ready, len(nodes))
        for descriptor in (here, ready, is_ready, go):
            os.close(descriptor)

    def _be(self, node: dict[str, Any], is_ready: int, go: int) -> NoReturn:
        """Become a host, or a router, which only has to be there."""
        try:
            furnish_host(node["name"])
            for name, value in node["defaults"].items():
                set_value(name, value, needed=False)
            os.write(is_ready, b".")
            os.read(go, 1)
            batch(self.plan["ip"], node["name"], node["commands"])
            for name, value in node["sysctls"].items():
                set_value(name, value, needed=True)
            os.write(is_ready, b".")
            if node["name"] in self.plan["programs"]:
                self._become(node["name"])
            while True:
                signal.pause()
        except Failed as failure:
            failure.tell(f"{node['name']}: ")
            os.write(is_ready, b"!")
            os._exit(1)

    def _become(self, name: str) -> NoReturn:
        """Turn into a program of the plan."""
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor in (2, 1):
            os.dup2(self.plan["outputs"][name], descriptor)
        signal.set_wakeup_fd(-1)
        words = self.plan["programs"][name]
        if self.plan["forks"] and words[1:2] == ["-m"]:
            become(words)
        try:
            os.execv(words[0], words)
        except OSError as error:
            os.write(2, f"{words[0]}: {error.strerror}\n".encode())
        os._exit(127)

    def wait(self) -> None:
        """Stay until all have left, or as long as there is patience with those that should."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(self.woken, select.POLLIN)
        self._reap()
        while self._busy():
            left = None if self.deadline is None else max(0, self.deadline - time.monotonic())
            events = poll.poll(None if left is None else left * 1000)
            if not events:
                return
            for descriptor, _ in events:
                word = os.read(descriptor, 64)
                if not word:
                    poll.unregister(descriptor)
                if not word or signal.SIGTERM in word:
                    self.stop()
            self._reap()

    def _busy(self) -> bool:
        """Whether a program still runs; once told to stop, only those at the switch matter."""
        awaited = self.at_switch if self.stopping else self.plan["programs"]
        return any(name in awaited for name in self.names.values())

    def stop(self) -> None:
        """Tell those at the switch to save what they have; the hosts end with this process."""
        self.stopping = True
        self._limit(LEAVE_WITHIN)
        for pid, name in self.names.items():
            if name in self.at_switch:
                os.kill(pid, signal.SIGTERM)

    def _limit(self, seconds: float) -> None:
        if self.deadline is None:
            self.deadline = time.monotonic() + seconds

    def _reap(self) -> None:
        """Tell of those that have left."""
        while self.names:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = self.names.pop(pid, None)
            if name is not None:
                code = os.waitstatus_to_exitcode(status)
                self._consider(name, 128 - code if code < 0 else code)

    def _consider(self, name: str, code: int) -> None:
        """Without the sniffer there is no run; nor without anybody else as long as it goes on."""
        if self.at_switch[:1] == [name]:
            if os.path.exists(RUN):
                tell("run", os.readlink(RUN))
            self._limit(0 if code else LEAVE_WITHIN)  # hosts may wait for it, in vain
        elif self.at_switch and self._is_missed(name, code) and not is_published():
            tell("lost", name)
            self.stop()
        tell("left", name, code)

    def _is_missed(self, name: str, code: int) -> bool:
        """Whether nobody would notice; of a host it knows the sniffer sees the port vanish.

        Also true of what leaves while the run is published: ask for that afterwards.
        """
        return code != 0 if name in self.at_switch else not is_announced(name)


def become(words: list[str]) -> NoReturn:
    """Turn into ``python -m MODULE ...`` without a new interpreter; tidy up as exec(2) would."""
    from functools import partial
    from runpy import run_module

    from services.record import exit_code, show_as

    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    show_as(words)
    sys.argv = words[2:]
    sys.modules.pop(words[2], None)  # it is run, whether or not it was loaded for others
    code = exit_code(partial(run_module, words[2], run_name="__main__", alter_sys=True))
    sys.stdout.flush()
    os._exit(code)


def is_announced(host: str) -> bool:
    """Tell whether the host has said to the sniffer who it is."""
    return os.path.exists(f"{RUN}/control/{host}.host")


def is_published() -> bool:
    """Tell whether the sniffer is done with the run: it has no more to say to anybody."""
    return os.path.lexists(RUN) and not os.path.exists(f"{RUN}/control")


def furnish(names: str, files: dict[str, str]) -> None:
    """Mount what belongs to these namespaces: processes, host names, and a few files of the run."""
    call("make mounts private", _libc.mount, None, b"/", None, MS_REC | MS_PRIVATE, None)
    mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", PRIVATE, MS_NOSUID | MS_NODEV, b"mode=1777")
    mask = os.umask(0o022)  # everybody may read these
    # Nobody outside is asked for names: there is no way there.
    for file, words in (("/etc/hosts", names), ("/etc/nsswitch.conf", "hosts: files\n")):
        if os.path.exists(file):
            own = f"{PRIVATE}/{os.path.basename(file)}"
            write(own, words)
            call(f"bind {file}", _libc.mount, own.encode(), file.encode(), None, MS_BIND, None)
    for file, words in files.items():
        os.makedirs(os.path.dirname(file), exist_ok=True)
        write(file, words)
    os.umask(mask)


def furnish_host(name: str) -> None:
    """Give a host its network, its name, and the two file systems that show what is its own."""
    call("unshare host", _libc.unshare, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS)
    call("sethostname", _libc.sethostname, name.encode(), len(name.encode()))
    mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def mount(kind: str, place: str, flags: int, data: bytes | None = None) -> None:
    call(f"mount {place}", _libc.mount, kind.encode(), place.encode(), kind.encode(), flags, data)


def set_value(name: str, value: str, *, needed: bool) -> None:
    """Set a sysctl of this network namespace."""
    try:
        write(f"/proc/sys/{name.replace('.', '/')}", value)
    except Failed as failure:
        if needed:
            raise Failed(f"sysctl {name}={value}", failure.reason) from failure


def batch(ip: str, where: str, lines: list[str]) -> None:
    """Run ip(8) on several lines."""
    said, given = os.memfd_create("said"), os.memfd_create("given")
    os.write(given, "\n".join(lines).encode())
    os.lseek(given, 0, os.SEEK_SET)
    moves = [(os.POSIX_SPAWN_DUP2, given, 0), *((os.POSIX_SPAWN_DUP2, said, n) for n in (1, 2))]
    try:
        pid = os.posix_spawn(ip, [ip, "-batch", "-"], os.environ, file_actions=moves)
    except OSError as error:
        raise Failed(f"ip ({where})", str(error)) from error
    if os.waitpid(pid, 0)[1] != 0:
        os.lseek(said, 0, os.SEEK_SET)
        raise Failed(f"ip ({where})", " / ".join(os.read(said, 4096).decode().split("\n")[:2]))
    os.close(said)
    os.close(given)


def meet(ready: int, count: int) -> None:
    """Wait for a word of each host; one that failed has said why."""
    for _ in range(count):
        if os.read(ready, 1) != b".":
            raise Failed("hosts", "one could not be made")


def call(step: str, function: Any, *arguments: object) -> None:
    """Make a system call; Failed if it does not succeed."""
    if function(*arguments) != 0:
        raise Failed(step, os.strerror(ctypes.get_errno()))


def write(path: str, words: str) -> None:
    try:
        with open(path, "w") as file:
            file.write(words)
    except OSError as error:
        raise Failed(f"write {path}", str(error.strerror)) from error


def tell(*words: object) -> None:
    os.write(REPORT, "\t".join(map(str, words)).encode() + b"\n")
