"""A base image from Debian packages, for machines that no registry answers."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker import DockerClient

from lab.backends.base import Say
from lab.errors import BaseImageMissing
from lab.text import Text

_STEP = re.compile(r"^I: (?P<step>(?:downloading|extracting|installing|creating) .+?)\.*$")
_ANSWERS_IN = "20"  # seconds that apt waits for a mirror


def bootstrap(client: DockerClient, image: str, say: Say) -> None:
    """Make ``image`` (``debian:SUITE-slim``) with mmdebstrap and import it under that name.

    Raises BaseImageMissing.
    """
    repository, tag = image.split(":")
    with tempfile.TemporaryDirectory(prefix="lab-base-") as name, mmdebstrap(image) as command:
        tar = Path(name, "base.tar")
        install(command, tar, image, own_mirror(), say)
        say(Text("importing it into Docker", "导入 Docker"))
        client.api.import_image(src=str(tar), repository=repository, tag=tag)


def install(command: list[str], tar: Path, image: str, mirror: list[str], say: Say) -> None:
    """Install the smallest Debian of the image's suite into a tar file. Raises BaseImageMissing."""
    suite = image.partition(":")[2].removesuffix("-slim")
    options = ["--variant=minbase", "--include=ca-certificates"]
    options += [f'--aptopt=Acquire::{kind}::Timeout "{_ANSWERS_IN}"' for kind in ("http", "https")]
    with subprocess.Popen(
        [*command, *options, suite, str(tar), *mirror],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        words = list(_told(process, suite, say))
    if process.returncode != 0:
        errors = [line for line in words if line.startswith("E:")] or words
        raise BaseImageMissing(image=image, detail=" / ".join(errors[-2:]))


def _told(process: subprocess.Popen[str], suite: str, say: Say) -> Iterator[str]:
    """What mmdebstrap says, line by line; its steps are passed on."""
    assert process.stderr is not None
    for line in process.stderr:
        yield line.strip()
        if step := _STEP.match(line.strip()):
            say(Text(f"  Debian {suite}: {step['step']}", f"  Debian {suite}：{step['step']}"))


@contextmanager
def mmdebstrap(image: str) -> Iterator[list[str]]:
    """How to call mmdebstrap; a Debian machine without it gets it in a temporary folder."""
    if path := shutil.which("mmdebstrap"):
        yield [path]
        return
    with tempfile.TemporaryDirectory(prefix="lab-mmdebstrap-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # apt downloads as a user of its own
        if not _unpacked("mmdebstrap", folder):
            advice = "mmdebstrap is not installed (Debian: sudo apt install mmdebstrap)"
            raise BaseImageMissing(image=image, detail=advice)
        yield ["perl", str(folder / "usr/bin/mmdebstrap")]


def _unpacked(package: str, folder: Path) -> bool:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return False
    subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, check=False)
    files = list(folder.glob("*.deb"))
    unpack = ["dpkg-deb", "-x", *map(str, files), str(folder)]
    return bool(files) and subprocess.run(unpack, capture_output=True, check=False).returncode == 0


def own_mirror() -> list[str]:
    """The Debian mirror that this machine itself uses; [] leaves the choice to mmdebstrap."""
    if not shutil.which("apt-get"):
        return []
    wanted = ["$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Component: main"]
    command = ["apt-get", "indextargets", "--format", *wanted]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    plain = [line for line in said.stdout.splitlines() if "security" not in line]
    return plain[:1]
