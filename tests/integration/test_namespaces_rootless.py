"""The namespaces engine for an ordinary user, and what it says where the kernel forbids it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.backends import kernel
from lab.errors import EngineFailed, NamespacesForbidden, NotAvailable
from lab.text import Language
from tests.checkout import Checkout
from tests.namespaces import NOBODY, packages, python_for_all

pytestmark = pytest.mark.root

PLAY = """
import sys
from pathlib import Path
from lab import scenarios
from lab.backends.namespaces import NamespacesEngine
from lab.errors import LabError
from lab.run import play

root = Path(sys.argv[1])
try:
    play(NamespacesEngine(root, "en"), scenarios.find("tour"), root / "captures", print,
         lambda line: print(line.words))
except LabError as error:
    print(*error.lines("en"), sep="\\n")
    sys.exit(error.exit_code)
"""
POWERS = """
print(*(line for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm"))))
"""


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout that belongs to an ordinary user."""
    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        Path(name).chmod(0o755)
        made = Checkout.make(Path(name) / "checkout")
        os.chown(made.captures, NOBODY, NOBODY)
        yield made


@pytest.fixture(scope="module")
def python() -> str:
    return python_for_all() or pytest.skip("needs a Python that an ordinary user may run")


def play(
    checkout: Checkout, python: str, *wrap: str, user: int | None = None
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(checkout.root), packages()))
    return subprocess.run(
        [*wrap, python, "-B", "-c", PLAY, str(checkout.root)],
        cwd=checkout.root,
        env={**os.environ, "PYTHONPATH": path, "HOME": "/nonexistent"},
        user=user,
        group=user,
        extra_groups=None if user is None else (),
        capture_output=True,
        text=True,
    )


def owners_in(checkout: Checkout) -> set[int]:
    written = (checkout.captures / "latest", checkout.newest, *checkout.newest.iterdir())
    return {path.lstat().st_uid for path in written}


def test_an_ordinary_user_plays_the_tour(checkout: Checkout, python: str) -> None:
    said = play(checkout, python, user=NOBODY)
    assert said.returncode == 0, said.stdout + said.stderr
    assert not checkout.newest.name.endswith(".incomplete")


def test_what_lands_in_captures_belongs_to_that_user(checkout: Checkout, python: str) -> None:
    play(checkout, python, user=NOBODY)
    assert owners_in(checkout) == {NOBODY}
    assert (checkout.newest / "server.calls.jsonl").exists()


def test_programs_have_no_power_though_they_are_root_there(checkout: Checkout, python: str) -> None:
    checkout.edit("services/tcp/greeting/client.py", lambda text: text + POWERS)
    said = play(checkout, python, user=NOBODY)
    assert said.stdout.count("CapEff:\t0000000000000000") == 2


def test_root_plays_for_the_owner_of_the_captures(checkout: Checkout, python: str) -> None:
    said = play(checkout, python)
    assert said.returncode == 0, said.stdout + said.stderr
    assert owners_in(checkout) == {NOBODY}


def test_roots_own_checkout_that_nobody_may_read_works_too(tmp_path: Path) -> None:
    made = Checkout.make(tmp_path / "checkout")
    assert kernel.needs_user_namespace(made.root, made.captures)
    said = play(made, sys.executable)
    assert said.returncode == 0, said.stdout + said.stderr


# ---------------------------------------------------------------- where the kernel forbids it

# In a user namespace of its own, a test may set the limits of what is made below it.
LIMIT = 'echo 0 > /proc/sys/user/{name} && exec {then} "$@"'
WITHOUT_POWER = "setpriv --inh-caps=-all --bounding-set=-all"


@pytest.mark.parametrize(
    ("name", "then"),
    [("max_user_namespaces", WITHOUT_POWER), ("max_net_namespaces", "env")],
    ids=["no user namespaces for a user", "no network namespaces for root"],
)
def test_a_limit_of_the_kernel_is_named_with_its_cure(tmp_path: Path, name: str, then: str) -> None:
    made = Checkout.make(tmp_path / "checkout")
    limited = ("unshare", "--user", "--map-root-user", "sh", "-c")
    said = play(made, sys.executable, *limited, LIMIT.format(name=name, then=then), "sh")
    assert said.returncode == EngineFailed.exit_code, said.stdout + said.stderr
    assert f"sudo sysctl -w user.{name}=15000" in said.stdout


def test_without_the_ip_tool_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    with pytest.raises(NamespacesForbidden) as caught:
        kernel.find_ip()
    assert "apt install iproute2" in caught.value.lines(Language.EN)[-1]


def test_a_missing_module_is_named_with_its_cure() -> None:
    refused = kernel.refusal("ip (switch)", "Error: Unknown device type.")
    assert "modprobe -a veth bridge" in refused.lines(Language.EN)[-1]
    assert "modprobe -a veth bridge" in refused.lines(Language.ZH)[-1]


def test_any_other_failure_is_told_as_it_is() -> None:
    refused = kernel.refusal("ip (client)", "no such command")
    assert type(refused) is EngineFailed
    assert "ip (client): no such command" in refused.lines(Language.EN)[0]


def test_a_sysctl_that_is_not_there_makes_a_scenario_not_available() -> None:
    refused = kernel.refusal("client: sysctl net.ipv4.no_such=1", "No such file or directory")
    assert isinstance(refused, NotAvailable)
    assert "sysctl net.ipv4.no_such=1 (No such file" in refused.lines(Language.EN)[0]
