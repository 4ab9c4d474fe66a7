"""``lab down``: remove what the lab made."""

from __future__ import annotations

from contextlib import suppress

import click

from lab.cli import _options
from lab.cli import _spoken as spoken
from lab.text import Language, Text

REMOVED = Text(
    "removed {containers} container[|s] and {networks} network[|s] of this checkout",
    "已删除本目录的 {containers} 个容器和 {networks} 个网络",
)
IMAGES = Text("removed {images} image[|s]", "已删除 {images} 个镜像")
NOTHING = Text("nothing of this checkout's lab was there", "本目录的实验室没有留下任何东西")
KEPT = Text(
    "captures/ and the image stay (make clean removes the image)",
    "captures/ 与镜像保留（make clean 可删除镜像）",
)


@spoken.command(
    help=Text(
        "Remove the containers and the network of this checkout's lab, found by label; nothing else.",
        "删除本目录实验室的容器与网络（按标签查找），其余一概不动。",
    )
)
@spoken.option(
    "--images",
    is_flag=True,
    help=Text("Remove the lab's images too.", "连同实验室的镜像一起删除。"),
)
@_options.language
def command(images: bool, language: Language) -> None:
    from lab.backends.docker import DockerEngine
    from lab.backends.namespaces import NamespacesEngine
    from lab.errors import DockerMissing
    from lab.run import checkout

    removed = NamespacesEngine(checkout()).down()
    with suppress(DockerMissing):  # then nothing of Docker's is there
        removed += DockerEngine(checkout()).down(images=images)
    if removed.containers or removed.networks:
        click.echo(
            REMOVED.fill(containers=removed.containers, networks=removed.networks).say(language)
        )
    elif not removed.images:
        click.echo(NOTHING.say(language))
    click.echo(IMAGES.fill(images=removed.images).say(language) if images else KEPT.say(language))
