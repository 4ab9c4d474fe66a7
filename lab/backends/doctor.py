"""``lab doctor``: everything the Docker engine needs, a line each, with cause and remedy."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException

from lab.backends.base import Check
from lab.backends.compose import find_compose
from lab.backends.image import BASE, builder, image_of, is_present
from lab.backends.tracepoints import tracepoints
from lab.errors import LabError
from lab.text import Text, same
from lab.topology import DEFAULT_MTU

CAP_NET_RAW = 13
POOLS = 31
"""Networks that Docker's default address pools hold: 15 of 172.17-31/16 and 16 of 192.168.0/20."""


def checks(root: Path, connect: Callable[[], DockerClient]) -> Iterator[Check]:
    """Look at engine, compose, builder, images, capabilities, namespaces, MTU and subnets."""
    client, engine = _engine(connect)
    yield engine
    yield _compose(root)
    yield _builder()
    if client is not None:
        yield _image(client, root)
    yield _capability()
    yield _namespaces()
    yield tracepoints()
    yield _mtu()
    if client is not None:
        yield _subnets(client)


def _engine(connect: Callable[[], DockerClient]) -> tuple[DockerClient | None, Check]:
    name = Text("engine", "引擎")
    try:
        client = connect()
        version = client.version()
    except LabError as error:
        return None, _failed(name, error)
    return client, Check(
        name, True, same(f"Docker Engine {version['Version']}, API {version['ApiVersion']}")
    )


def _compose(root: Path) -> Check:
    try:
        compose = find_compose(root, "doctor")
    except LabError as error:
        return _failed(same("compose"), error)
    return Check(same("compose"), True, same(f"{' '.join(compose.command)} {compose.version()}"))


def _failed(name: Text, error: LabError) -> Check:
    remedy = error.remedy.fill(**error.details) if error.remedy else None
    return Check(name, False, error.what.fill(**error.details), remedy)


def _builder() -> Check:
    kind = builder()
    found = "BuildKit (buildx)" if kind == "BuildKit" else "classic (no buildx)"
    return Check(Text("builder", "构建器"), True, same(found))


def _image(client: DockerClient, root: Path) -> Check:
    name, image = Text("image", "镜像"), image_of(root)
    if is_present(client, image):
        return Check(name, True, same(image))
    words = Text(
        "{image} is not built yet; base {base}: {here}", "{image} 尚未构建；基础镜像 {base}:{here}"
    )
    here = Text("present", "已有") if is_present(client, BASE) else Text("not here", "没有")
    found = words.fill(image=image, base=BASE, here=here)
    return Check(name, True, found, Text("'make up' builds it", "'make up' 会构建它"))


def _capability() -> Check:
    """NET_RAW on the host: only runs outside containers need it (capabilities(7))."""
    status = Path("/proc/self/status").read_text()
    effective = int(
        next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), 16
    )
    if effective >> CAP_NET_RAW & 1:
        found = Text("NET_RAW is held here too", "本机进程也拥有 NET_RAW")
    else:
        found = Text(
            "NET_RAW is not held here; the sniffer's container has it",
            "本机进程没有 NET_RAW；抓包容器自己拥有",
        )
    return Check(Text("capabilities", "权能"), True, found)


def _namespaces() -> Check:
    tried = subprocess.run(["unshare", "-Urn", "true"], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        found = Text("user and network namespaces can be made", "可以创建用户与网络命名空间")
    else:
        found = Text(
            "user namespaces are closed ({why}); Docker needs none",
            "用户命名空间不可用（{why}）；Docker 不需要它",
        )
        found = found.fill(why=tried.stderr.strip())
    return Check(Text("namespaces", "命名空间"), True, found)


def _mtu() -> Check:
    """The hosts' wire is pinned to 1500; a bridge default of 65535 would hide segmentation."""
    default = Path("/sys/class/net/docker0/mtu")
    found = Text(
        "the lab's wire is pinned to {lab}; docker0 has {bridge}",
        "实验室的链路固定为 {lab};docker0 为 {bridge}",
    )
    bridge = default.read_text().strip() if default.exists() else "-"
    return Check(same("MTU"), True, found.fill(lab=DEFAULT_MTU, bridge=bridge))


def _subnets(client: DockerClient) -> Check:
    name = Text("subnets", "子网")
    try:
        taken = list(_taken(client))
    except DockerException as error:
        return Check(name, False, same(str(error)))
    found = Text(
        "{n} Docker networks, of about {all} that fit", "{n} 个 Docker 网络，约可容纳 {all} 个"
    )
    remedy = Text(
        "docker network prune removes unused ones", "docker network prune 可删除不用的网络"
    )
    clash = _clash(taken)
    if clash:
        words = Text("Docker's {a} overlaps {b}", "Docker 的 {a} 与 {b} 重叠").fill(
            a=clash[0], b=clash[1]
        )
        return Check(name, False, words, remedy)
    return Check(
        name,
        len(taken) < POOLS,
        found.fill(n=len(taken), all=POOLS),
        remedy if len(taken) >= POOLS else None,
    )


def _taken(client: DockerClient) -> Iterator[ipaddress.IPv4Network]:
    for network in client.networks.list(filters={"driver": "bridge"}):
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or ():
            if ":" not in pool["Subnet"]:
                yield ipaddress.IPv4Network(pool["Subnet"])


def _clash(taken: list[ipaddress.IPv4Network]) -> tuple[object, object] | None:
    """A Docker subnet that overlaps a route of the machine (a VPN, say)."""
    for network in taken:
        for route in _routes():
            if route.overlaps(network) and route != network:
                return network, route
    return None


def _routes() -> Iterator[ipaddress.IPv4Network]:
    """The machine's IPv4 routes but the default one (/proc/net/route is in host byte order)."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        octets = bytes.fromhex(destination)[::-1], bytes.fromhex(mask)[::-1]
        if any(octets[1]):
            yield ipaddress.IPv4Network((octets[0], str(ipaddress.IPv4Address(octets[1]))))
