"""Which engine plays a scenario: the one asked for, else Docker where it answers."""

from __future__ import annotations

from pathlib import Path

from lab.backends.base import Engine, Say
from lab.backends.begun import Begun
from lab.errors import DockerForbidden, DockerMissing, NamespacesForbidden
from lab.text import Text

INSTEAD = Text(
    "no Docker engine answers: using network namespaces (--engine docker insists)",
    "没有 Docker 引擎应答：改用网络命名空间（--engine docker 可强制使用 Docker）",
)


def choose(name: str, root: Path, language: str, say: Say, ahead: Begun | None = None) -> Engine:
    """The engine of that name; "auto" is Docker, or namespaces where no Docker answers.

    ``ahead``: a keeper for the latter that waits for its orders already.
    """
    if name in ("auto", "docker"):
        from lab.backends.docker import DockerEngine

        docker = DockerEngine(root, language)
        try:
            _ = docker.client
        except (DockerMissing, DockerForbidden):
            if name == "docker":
                raise
            say(INSTEAD)
        else:
            return docker
    from lab.backends.namespaces import NamespacesEngine

    return NamespacesEngine(root, language, ahead)


def quickest(name: str, root: Path, language: str, say: Say) -> Engine:
    """The engine of that name; "auto" is namespaces, which start at once, else Docker."""
    if name == "auto":
        from lab.backends.namespaces import NamespacesEngine

        engine = NamespacesEngine(root, language)
        try:
            engine.prepare(say)
        except NamespacesForbidden:
            return choose("docker", root, language, say)
        return engine
    return choose(name, root, language, say)
