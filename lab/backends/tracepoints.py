"""Whether this user may read the kernel's tracepoints, which make a run's evidence richer.

A run without them is as good, so this is no reason to say that an engine cannot run.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.backends.base import Check
from lab.text import Text

CAP_SYS_ADMIN = 21
MOUNT_POINTS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
WHOLE_MAP = "0 0 4294967295"  # of /proc/self/uid_map: the first user namespace

_NAME = Text("tracepoints", "跟踪点")
_READ = Text(
    "the kernel says why it drops a frame and sends again",
    "可读取：内核会说明为何丢帧、为何重传",
)
_NOT_READ = Text("not read ({why}); runs go without", "不可读取（{why}）；运行时略去")
_NO_KERNEL = Text("this kernel was built without them", "此内核编译时未启用")
_NO_ROOT = Text("only root may", "仅 root 可读取")
_AS_ROOT = Text("run the lab as root to have them: sudo", "如需要，请以 root 运行实验室：sudo")
_OTHER_KERNEL = Text(
    "use a kernel with CONFIG_FTRACE and CONFIG_EVENT_TRACING",
    "请换用启用了 CONFIG_FTRACE 与 CONFIG_EVENT_TRACING 的内核",
)


def tracepoints() -> Check:
    """One line of ``lab doctor``."""
    if any(os.access(path / "instances", os.W_OK) for path in MOUNT_POINTS):
        return Check(_NAME, True, _READ)
    if "tracefs" not in Path("/proc/filesystems").read_text().split():
        return Check(_NAME, True, _NOT_READ.fill(why=_NO_KERNEL), _OTHER_KERNEL)
    if not _may_mount():
        return Check(_NAME, True, _NOT_READ.fill(why=_NO_ROOT), _AS_ROOT)
    return Check(_NAME, True, _READ)


def _may_mount() -> bool:
    """Root, and in no user namespace: tracefs belongs to the machine (user_namespaces(7))."""
    status = Path("/proc/self/status").read_text()
    powers = int(status.partition("CapEff:")[2].split()[0], 16)
    users = " ".join(Path("/proc/self/uid_map").read_text().split())
    return bool(powers >> CAP_SYS_ADMIN & 1) and users == WHOLE_MAP
