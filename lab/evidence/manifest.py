"""run.json: what was run, by whom, on what, and whether the recording is whole."""

from __future__ import annotations

import msgspec

FORMAT = 1


class HostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A host as it announced itself before its program started."""

    name: str
    addresses: tuple[str, ...]
    mac: str = ""
    mtu: int = 0
    exit_codes: tuple[int, ...] | None = None  # of its programs; None: never reported


class TapRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One capture file: where it was taken and the kernel's own counters."""

    host: str
    file: str
    interface: str  # the port's name on the switch
    started: int = 0  # ns since 1970: from here on every frame is in the file
    ended: int = 0
    frames: int = 0  # written to the file
    seen: int = 0  # PACKET_STATISTICS tp_packets: delivered or dropped
    dropped: int = 0  # PACKET_STATISTICS tp_drops


class Unavailable(msgspec.Struct, frozen=True, kw_only=True):
    """What the run found missing in this kernel or engine, and what the probe was told."""

    capability: str
    reason: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of run.json. Times are ns since 1970-01-01 UTC."""

    format: int = FORMAT
    scenario: str
    engine: str
    started: int
    ended: int = 0
    complete: bool = False
    reason: str = ""  # why it is not complete, in English
    unavailable: Unavailable | None = None  # why it could not show what it is about
    hosts: tuple[HostRecord, ...] = ()
    taps: tuple[TapRecord, ...] = ()
    versions: dict[str, str] = {}

    @property
    def dropped(self) -> int:
        """Frames the kernel could not keep, over all taps."""
        return sum(tap.dropped for tap in self.taps)


def decode_manifest(octets: bytes) -> Manifest:
    """Read run.json; raises `msgspec.MsgspecError` if it is not one."""
    return msgspec.json.decode(octets, type=Manifest)


def encode_manifest(manifest: Manifest) -> bytes:
    """Write run.json, indented for readers."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
