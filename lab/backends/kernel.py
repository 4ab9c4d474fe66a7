"""What this machine's kernel lets this user do with namespaces: looked at, with the cure of what it refuses."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import signal
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab.errors import EngineFailed, LabError, NamespacesForbidden, NotAvailable
from lab.text import Text

CAP_SYS_ADMIN = 21
_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, pid (fcntl(2))
_END_WITHIN = 5.0  # seconds

# Settings that keep users from making namespaces: the value that does, and the one that does not.
_LOCKS = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
    ("user.max_net_namespaces", "0", "15000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)
_UNLOCK = Text(
    "{name}={now} keeps users from it: sudo sysctl -w {name}={then}; or run the lab as root.",
    "{name}={now} 禁止了普通用户这样做：sudo sysctl -w {name}={then}；或以 root 运行实验室。",
)
_MODULES = Text(
    "Load the kernel's modules: sudo modprobe -a veth bridge.",
    "请加载内核模块：sudo modprobe -a veth bridge。",
)
_CONTAINER = Text(
    "Inside a container: give it CAP_SYS_ADMIN and an open /proc and /sys (docker run --privileged), or use the Docker engine.",
    "若在容器之内：请给它 CAP_SYS_ADMIN 以及未被遮蔽的 /proc 与 /sys（docker run --privileged），或改用 Docker 引擎。",
)
_NO_IP = Text(
    "Install it (Debian: sudo apt install iproute2).",
    "请安装（Debian：sudo apt install iproute2）。",
)
_WITHOUT_IP = Text("the ip tool is not installed", "没有安装 ip 工具")
_SYSCTL = re.compile(r"\w+: (sysctl .+)")  # what a topology asks of one of its nodes
_NO_SUCH_DEVICE = ("Unknown device type", "Operation not supported", "not supported")


def find_ip() -> str:
    """Where ip(8) is, also for users without sbin on their PATH; raises NamespacesForbidden."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    if found := shutil.which("ip", path=path):
        return found
    raise NamespacesForbidden(detail=_WITHOUT_IP, cure=_NO_IP)


def has_ipv6() -> bool:
    """Whether this kernel speaks IPv6."""
    return Path("/proc/net/if_inet6").exists()


def needs_user_namespace(root: Path, captures: Path) -> bool:
    """Whether the lab must be root in a user namespace of its own.

    For who may not make the others, that is the way to them. Who may (root) goes without, but for
    one case: programs of root's captures run as nobody, who must be able to read them.
    """
    if not _holds(CAP_SYS_ADMIN):
        return True
    of_root = not captures.exists() or captures.stat().st_uid == 0
    return of_root and not (_is_open(root) and _is_open(Path(sys.executable)))


def _holds(capability: int) -> bool:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(line.split()[1], 16) >> capability & 1)


def _is_open(path: Path) -> bool:
    """Whether everybody may go there and read."""
    real = path.resolve()
    through = all(one.stat().st_mode & stat.S_IXOTH for one in (real, *real.parents))
    return through and bool(real.stat().st_mode & stat.S_IROTH)


def refusal(step: str, reason: str) -> LabError:
    """Turn a step that the kernel or `ip` refused into an error, with its cure where one is known."""
    if found := _SYSCTL.fullmatch(step):
        return NotAvailable(capability=found[1], reason=reason)
    cure = _cure(step, reason)
    if cure is None:
        return EngineFailed(detail=f"{step}: {reason}")
    return NamespacesForbidden(detail=f"{step}: {reason}", cure=cure)


def _cure(step: str, reason: str) -> Text | None:
    if step.startswith("ip (switch)") and any(words in reason for words in _NO_SUCH_DEVICE):
        return _MODULES
    if not step.startswith(("unshare", "write /proc/self", "mount", "make mounts", "setns")):
        return None
    for name, closed, opened in _LOCKS:
        if name.startswith("kernel.") and _holds(CAP_SYS_ADMIN):
            continue  # these are for users only
        with suppress(OSError):
            if Path("/proc/sys", *name.split(".")).read_text().strip() == closed:
                return _UNLOCK.fill(name=name, now=closed, then=opened)
    return _CONTAINER


# ---------------------------------------------------------------- keepers that are there


def lock_holders(folder: Path) -> Iterator[int]:
    """The processes that hold a POSIX lock on the folder: the kernel's own word, never stale."""
    with suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            start = 0
            while True:
                asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, 0, 0)
                kind, _, begin, length, pid = _FLOCK.unpack(
                    fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
                )
                if kind == fcntl.F_UNLCK:
                    return
                yield pid
                start = begin + length
        finally:
            os.close(descriptor)


def end(process: int) -> bool:
    """Have a process end, and wait until it has; False if it had gone already."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return False
    try:
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            if gone.poll(_END_WITHIN * 1000):
                break
    finally:
        os.close(handle)
    return True
