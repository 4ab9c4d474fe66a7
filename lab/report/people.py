"""Who is who: the hosts of a run by their names, the ends of a foreign capture by their roles."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from lab.evidence.manifest import Manifest
from lab.evidence.sightings import Sighting
from lab.packets.addresses import Endpoint
from lab.report.glyphs import safe
from lab.tcp.model import Connection
from lab.text import Text, same

CLIENT = Text("client", "客户端")
SERVER = Text("server", "服务器")


class People(Struct, frozen=True):
    """Names and letters by address; ends that no host claims are called by their roles."""

    names: Mapping[str, str]  # address -> host
    letters: Mapping[str, str]  # host -> letter

    @property
    def legend(self) -> dict[str, Text]:
        """Who each letter stands for."""
        return {letter: same(host) for host, letter in self.letters.items()}

    def name(self, end: Endpoint, *, is_client: bool) -> Text:
        """What an end is called: its host's name, else its role."""
        host = self.names.get(end.address)
        return same(host) if host else CLIENT if is_client else SERVER

    def letter(self, end: Endpoint, *, is_client: bool) -> str:
        """The letter of an end in the ladder."""
        host = self.names.get(end.address)
        return self.letters[host] if host else "C" if is_client else "S"

    def of(self, host: str) -> str:
        """The letter of a host."""
        return self.letters.get(host, host[:1].upper())

    def port(self, seen: Sighting) -> str:
        """The letter of the host whose port numbers an exchange; "": the originator's."""
        return self.of(seen.elsewhere) if seen.elsewhere else ""

    def number(self, seen: Sighting) -> str:
        """``0``; ``0S`` for the first exchange that only the server's port saw."""
        return f"{seen.talk.stream}{self.port(seen)}"

    def key(self, seen: Sighting) -> str:
        """``tcp0``, ``udp0S``; as `lab.report.events.Section`."""
        protocol = "tcp" if isinstance(seen.talk, Connection) else "udp"
        return f"{protocol}{self.number(seen)}"

    def pair(self, client: Endpoint, server: Endpoint) -> tuple[Text, Text]:
        return self.name(client, is_client=True), self.name(server, is_client=False)

    def initials(self, client: Endpoint, server: Endpoint) -> tuple[str, str]:
        return self.letter(client, is_client=True), self.letter(server, is_client=False)


def people(manifest: Manifest) -> People:
    """Take the hosts of a run; two hosts of one initial are told apart by more of their names."""
    names = {address: safe(host.name) for host in manifest.hosts for address in host.addresses}
    letters: dict[str, str] = {}
    for host in dict.fromkeys(names.values()):
        short = (host[:length].upper() for length in range(1, len(host) + 1))
        letters[host] = next((text for text in short if text not in letters.values()), host)
    return People(names, letters)
