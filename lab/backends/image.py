"""The lab's image: which one fits this checkout, and how it comes to be.

Its tag is a digest of all that goes into it, so a changed program is never run from a stale image
and two checkouts never overwrite each other's.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, ImageNotFound

from lab.backends.base import Say
from lab.backends.bootstrap import bootstrap
from lab.errors import BaseImageMissing, BuildFailed
from lab.text import Text

BASE = "debian:trixie-slim"
NAME = "tcp-udp-lab"
PLAIN_TAG = f"{NAME}:local"
"""The name that a plain `docker compose up` looks for."""

_CONTENTS = ("services", "lab", "requirements/image.lock", ".dockerignore")
_CA_VARIABLES = (
    "LAB_CA_BUNDLE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
)
_SYSTEM_CA = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_PASSED_ON = ("PIP_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy")
_STEP = re.compile(r"^(?:Step|#\d+ \[[^]]*?)\s*(\d+/\d+)\]?\s*:?\s+((?:RUN|COPY) .*)$")


def image_of(root: Path) -> str:
    """The image that holds exactly this checkout's programs."""
    digest = hashlib.sha256(BASE.encode())
    for path in sorted(_files(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"{NAME}:{digest.hexdigest()[:12]}"


def ensure_image(client: DockerClient, root: Path, say: Say) -> str:
    """Return the image of this checkout, built if it is not there yet."""
    image = image_of(root)
    if not is_present(client, image):
        ensure_base(client, say)
        _bring_certificates(root, os.environ)
        say(
            Text(
                f"building the image {image} (a minute the first time)",
                f"构建镜像 {image}（首次约一分钟）",
            )
        )
        _build(client, root, image, say)
        client.images.get(image).tag(PLAIN_TAG)
        _remove_older(client, root, image)
    return image


def checkout_label(root: Path) -> str:
    """The label that tells whose image it is."""
    return f"lab.checkout={hashlib.sha256(str(root).encode()).hexdigest()[:12]}"


def _remove_older(client: DockerClient, root: Path, image: str) -> None:
    """Remove this checkout's images of earlier programs, unless a container still has them."""
    for older in client.images.list(filters={"label": checkout_label(root)}):
        if image not in older.tags:
            with suppress(APIError):
                client.images.remove(str(older.id))


def ensure_base(client: DockerClient, say: Say) -> None:
    """Have the base image: present, else pulled, else made from Debian packages."""
    if is_present(client, BASE):
        return
    say(Text(f"pulling the base image {BASE}", f"拉取基础镜像 {BASE}"))
    repository, tag = BASE.split(":")
    try:
        client.images.pull(repository, tag)
    except APIError as error:
        reason = str(error.explanation or error)
        say(Text(f"no registry gave it: {reason}", f"镜像仓库未能提供：{reason}"))
        say(Text("making it from Debian packages (15 s)", "改用 Debian 软件包制作（约 15 秒）"))
        _bootstrap(client, say)


def builder() -> str:
    """Which builder there is: "BuildKit" or "classic"."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return "BuildKit"
    return "classic"


def _bootstrap(client: DockerClient, say: Say) -> None:
    try:
        bootstrap(client, BASE, say)
    except (OSError, APIError) as error:
        raise BaseImageMissing(image=BASE, detail=str(error)) from error


def is_present(client: DockerClient, image: str) -> bool:
    """Whether the engine holds an image of this name."""
    try:
        client.images.get(image)
    except ImageNotFound:
        return False
    return True


def _files(root: Path) -> Iterator[Path]:
    for name in _CONTENTS:
        path = root / name
        found = path.rglob("*") if path.is_dir() else [path]
        yield from (file for file in found if file.is_file() and "__pycache__" not in file.parts)


def _bring_certificates(root: Path, environment: Mapping[str, str]) -> None:
    """Lay the machine's CA bundle where the Dockerfile looks for it (git ignores it there)."""
    named = [environment[name] for name in _CA_VARIABLES if environment.get(name)]
    for bundle in map(Path, (*named, *_SYSTEM_CA)):
        if bundle.is_file():
            shutil.copyfile(bundle, root / "requirements" / "ca-certificates.crt")
            return


def _build(client: DockerClient, root: Path, image: str, say: Say) -> None:
    lines: list[str] = []
    by = _build_with_buildkit if builder() == "BuildKit" else _build_classic
    for line in by(client, root, image):
        lines.append(line)
        if step := _STEP.match(line):
            words = step[2].split("&&")[0].strip()[:80]
            say(Text(f"  step {step[1]}  {words}", f"  步骤 {step[1]}  {words}"))
    if not is_present(client, image):
        raise BuildFailed(detail=_last_words(lines))


def _last_words(lines: list[str]) -> str:
    said = [line.strip() for line in lines if line.strip()]
    wrong = [line for line in said if "error" in line.lower() or line.startswith("E:")]
    return " / ".join((wrong or said)[-3:])


def _build_classic(client: DockerClient, root: Path, image: str) -> Iterator[str]:
    stream = client.api.build(
        path=str(root),
        dockerfile="services/Dockerfile",
        tag=image,
        labels=dict([checkout_label(root).split("=")]),
        buildargs=_passed_on(),
        decode=True,
        rm=True,
    )
    for message in stream:
        yield from str(message.get("stream") or message.get("error") or "").splitlines()


def _build_with_buildkit(_: DockerClient, root: Path, image: str) -> Iterator[str]:
    arguments = [word for item in _passed_on().items() for word in ("--build-arg", "=".join(item))]
    command = ["docker", "build", "--progress=plain", "-f", "services/Dockerfile", "-t", image]
    command += ["--label", checkout_label(root)]
    with subprocess.Popen(
        [*command, *arguments, "."],
        cwd=root,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield from process.stdout


def _passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}


def remove_images(client: DockerClient) -> int:
    """Remove every image of the lab, by its label."""
    images = client.images.list(filters={"label": "lab.role=image"})
    for image in images:
        client.images.remove(str(image.id), force=True)
    return len(images)
