"""The entrypoint of a host: make it ready, wait until its port is recorded, run its programs.

    python -m services.host NAME [--run FOLDER] -- PROGRAM [ARGUMENTS...] [";" | "&" PROGRAM...]

As in a shell, what follows "&" runs beside, what follows ";" afterwards: when the program has ended
and the kernel has finished closing its connections. How host and sniffer talk: services/README.md.

In order: turn offload off (services/offload.py), find the folder of the run, stay on one processor
(services/processor.py), give up root, announce the host, wait for the sniffer, run the programs
(services/programs.py), report, and stay until the run is over, so that this kernel can still answer
for them. SIGTERM or SIGINT ends all that early.

Exit code: of the first program that failed; 18 the host could not be made ready, 33 the sniffer
did not answer, 128 and the signal's number if stopped.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

from services.capabilities import keep_over_setuid
from services.listening import are_open
from services.offload import turn_off
from services.processor import stay_on_one
from services.programs import Programs, Waiting, is_settled, parse
from services.witness import Witness

NOT_READY, NO_SNIFFER = 18, 33
LONGEST_STAY = 60.0  # seconds after the report
LONGEST_START = 2.0  # seconds granted to the witness for its first sample
NOBODY = 65534
PR_SET_SECUREBITS, SECBIT_NOROOT = 28, 1
SIOCGIFCONF = 0x8912
IFREQ = struct.calcsize("16sP16x")  # octets of a struct ifreq: a name, and a union
Say = Callable[[str, str], None]


def main() -> NoReturn:
    """Do all that, in that order."""
    options = read_command_line()
    say = speaker(options.lang)
    waiting = Waiting()
    try:
        prepare(options.interface)
        link = options.run or options.captures / "current"
        run = find_run(link, options.patience, waiting)
        stay_on_one(run.name)
        if os.environ.get("LAB_PLAN") or not options.programs:
            follow_plan(run, options, waiting)
        user = give_up_root(run.parent, bool(options.capabilities))
        prepare_stage(run / "control" / "stage")
        with contextlib.ExitStack() as witnesses:
            if options.witness:
                witness = witnesses.enter_context(Witness(run, options.name, user))
            host = announce(run / "control", options.name, options.interface)
            addresses = ", ".join(host.addresses)
            say(
                f"Ready: {addresses}, port {host.port} of the switch, offload off.",
                f"就绪：{addresses}，交换机端口 {host.port}，offload 已关闭。",
            )
            wait_for_sniffer(run / "control", options.recorded, options.patience, waiting)
            say("The sniffer records this host's port.", "抓包程序已在录制本机的端口。")
            if options.witness:
                waiting.until(witness.is_ready, LONGEST_START)
            wait_for_others(run / "control", options.after, options.patience, waiting)
            sys.exit(run_programs(run, options, user, waiting, say, witnesses.close))
    except OSError as error:
        refuse(NOT_READY, f"{error.filename or 'the host'}: {error.strerror or error}")


def run_programs(
    run: Path,
    options: argparse.Namespace,
    user: int | None,
    waiting: Waiting,
    say: Say,
    end_witness: Callable[[], None],
) -> int:
    """Run the programs, write NAME.done, stay until the run is over; return the exit code."""
    control = run / "control"

    def is_over() -> bool:
        ends = ("end", "stage/unavailable")
        return any((control / end).exists() for end in ends) or not control.is_dir()

    def look() -> bool:
        """Between two looks at the programs: say once that they listen; ask for the end."""
        if not listening.exists() and are_open(options.listens) and control.is_dir():
            write_whole(listening, options.listens)
        return is_over()

    listening = control / f"{options.name}.listening"
    calls = run / f"{options.name}.calls.jsonl"
    with Programs(calls, user, waiting, options.capabilities) as programs:
        programs.run(parse(options.programs), look)
    end_witness()
    codes = programs.exit_codes
    with contextlib.suppress(FileNotFoundError):  # the folder has gone: nobody waits for this
        write_whole(control / f"{options.name}.done", {"exit_codes": codes})
    how = "closed" if is_settled() else "still closing"
    how_zh = "已全部关闭" if is_settled() else "仍在关闭"
    say(
        f"Programs ended, exit codes {codes}; connections {how}.",
        f"程序已结束，退出码 {codes}；连接{how_zh}。",
    )
    waiting.until(is_over, LONGEST_STAY)
    return programs.exit_code


# ---------------------------------------------------------------- making the host ready


def prepare(interface: str) -> None:
    """Turn offload off, or say why that cannot be done."""
    try:
        turn_off(interface)
    except PermissionError:
        refuse(NOT_READY, f"offload of {interface} stays on: keep cap_add: [NET_ADMIN]")
    except OSError as error:
        refuse(NOT_READY, f"offload of {interface} stays on: {error.strerror or error}")


def find_run(link: Path, patience: float, waiting: Waiting) -> Path:
    """Return the folder that the link points to, once that is a run still going on."""

    def is_on() -> bool:
        return link.is_dir() and not (link / "control" / "end").exists()

    if not waiting.until(is_on, patience):
        refuse(NO_SNIFFER, f"no run has begun for {patience:g} s: {link} leads nowhere")
    return link.resolve()


def give_up_root(captures: Path, has_powers: bool) -> int | None:
    """Become the owner of the captures; return the user the programs run as (None: as ourselves).

    ``has_powers``: some capabilities are kept, to be given to the programs.

    If the owner is root, this process stays root, with the few capabilities it was given, and the
    programs run as nobody; in a user namespace that has only root, as a root without power.
    """
    if os.geteuid() != 0:
        return None
    owner = captures.stat()
    if owner.st_uid == 0:
        if is_mapped(NOBODY):
            return NOBODY
        take_power_from_root()
        return None
    try:
        if has_powers:
            keep_over_setuid()
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)  # no longer root: every other capability has gone with it
    except PermissionError:
        refuse(NOT_READY, "root cannot be given up: keep cap_add: [SETUID, SETGID]")
    return None


def take_power_from_root() -> None:
    """Let programs that root starts begin without any capability (SECBIT_NOROOT, capabilities(7))."""
    ctypes.CDLL(None).prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0)


def is_mapped(user: int) -> bool:
    """Tell whether this user namespace has the user (user_namespaces(7))."""
    rows = (line.split() for line in Path("/proc/self/uid_map").read_text().splitlines())
    return any(int(first) <= user < int(first) + int(length) for first, _, length in rows)


# ---------------------------------------------------------------- talking to the sniffer


class Identity(NamedTuple):
    """NAME.host: who this is, and which port of the switch its cable is in."""

    name: str
    addresses: list[str]
    mac: str
    mtu: int
    port: int


def announce(control: Path, name: str, interface: str) -> Identity:
    """Write NAME.host, and return what it says."""
    device = Path("/sys/class/net", interface)
    host = Identity(
        name,
        [*ipv4_addresses(interface), *ipv6_addresses(interface)],
        (device / "address").read_text().strip(),
        int((device / "mtu").read_text()),
        int((device / "iflink").read_text()),
    )
    control.mkdir(exist_ok=True)
    write_whole(control / f"{name}.host", host._asdict())
    return host


def prepare_stage(stage: Path) -> None:
    """Make the folder through which programs wait for each other; any of their users may write."""
    with contextlib.suppress(FileExistsError):
        stage.mkdir(parents=True)
    with contextlib.suppress(PermissionError):  # another host's user made it
        stage.chmod(0o777)
    os.environ["LAB_STAGE"] = str(stage)


def follow_plan(run: Path, options: argparse.Namespace, waiting: Waiting) -> None:
    """Take programs, listens and after from the plan that lies in the run's folder."""
    file = run / "control" / "plan.json"
    if not waiting.until(file.exists, options.patience):
        refuse(NOT_READY, f"there is no plan of what to run: {file}")
    plan = json.loads(file.read_text())[options.name]
    options.programs = [
        str(run / word.removeprefix("run/")) if word.startswith("run/") else word
        for word in plan["programs"]
    ]
    options.listens, options.after = plan["listens"], plan["after"]
    options.recorded, options.capabilities = plan["recorded"], plan["capabilities"]


def wait_for_sniffer(control: Path, names: list[str], patience: float, waiting: Waiting) -> None:
    """Wait for NAME.recording of each host: from then on every frame is in every capture."""
    for name in names:
        if not waiting.until((control / f"{name}.recording").exists, patience):
            refuse(NO_SNIFFER, f"the sniffer has not answered for {patience:g} s: is it running?")


def wait_for_others(control: Path, names: list[str], patience: float, waiting: Waiting) -> None:
    """Wait until the other hosts listen, so that no SYN meets a port not yet open."""
    for name in names:
        if not waiting.until(partial(has_begun, control, name), patience):
            refuse(NO_SNIFFER, f"host {name} has not listened for {patience:g} s")


def has_begun(control: Path, name: str) -> bool:
    """Tell whether another host listens; or has given up, so that it never will."""
    return any((control / f"{name}.{word}").exists() for word in ("listening", "done"))


def ipv4_addresses(interface: str) -> Iterator[str]:
    """Yield all IPv4 addresses of the interface (SIOCGIFCONF, netdevice(7))."""
    table = array.array("B", bytes(64 * IFREQ))
    request = struct.pack("iP", len(table), table.buffer_info()[0])  # struct ifconf
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        filled = struct.unpack_from("i", fcntl.ioctl(handle, SIOCGIFCONF, request))[0]
    for row in (table[start : start + IFREQ].tobytes() for start in range(0, filled, IFREQ)):
        label = row[:16].split(b"\0")[0].decode()
        if label.split(":")[0] == interface:
            yield socket.inet_ntoa(row[20:24])  # of the struct sockaddr_in at 16


def ipv6_addresses(interface: str) -> Iterator[str]:
    """Yield all IPv6 addresses of the interface, link-local ones too (/proc/net/if_inet6)."""
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            octets, *_, name = line.split()
            if name == interface:
                yield socket.inet_ntop(socket.AF_INET6, bytes.fromhex(octets))


def write_whole(file: Path, content: object) -> None:
    """Write JSON under another name, then rename: whoever sees the file sees all of it."""
    draft = file.with_name(f".{file.name}")
    draft.write_text(json.dumps(content) + "\n")
    draft.rename(file)


# ---------------------------------------------------------------- words


def read_command_line() -> argparse.Namespace:
    """Return the options, and as ``programs`` all words after "--"."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        description="Make this host ready, wait for the sniffer, run programs.",
        usage="%(prog)s NAME [options] -- PROGRAM [ARGUMENTS...] [';' | '&' PROGRAM...]",
    )
    option = parser.add_argument
    option("name", help="the host's name in the run: client, server")
    option(
        "--run",
        type=Path,
        help="the run's folder, or a link that will lead there (default: CAPTURES/current)",
    )
    option("--captures", type=Path, default=Path("/captures"), help="default: %(default)s")
    option("--interface", default="eth0", help="default: %(default)s")
    option("--patience", type=float, default=30.0, metavar="SECONDS", help="default: %(default)s")
    option("--listens", action="append", default=[], metavar="PORT/PROTOCOL", help="12345/tcp")
    option("--after", action="append", default=[], metavar="HOST", help="start once it listens")
    option("--no-witness", dest="witness", action="store_false", help="do not sample its sockets")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    options = parser.parse_args(words[:cut])
    options.programs = words[cut + 1 :]
    options.recorded = [options.name]  # a plan names the other hosts too
    options.capabilities = []
    return options


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


def refuse(code: int, message: str) -> NoReturn:
    """End with one line and an exit code."""
    print(f"host: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
