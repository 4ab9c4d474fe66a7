"""One frame as a value, made on demand for what is shown; analysis reads the columns instead."""

from __future__ import annotations

import struct

from msgspec import Struct

from lab.packets.addresses import Endpoint, address_text
from lab.packets.frames import ABSENT, Capture, Direction, Flags, Frames, Protocol
from lab.packets.headers import Arp, Icmp, Ip, link_addresses, parse_arp, parse_icmp, parse_ip
from lab.packets.options import Options, parse_options

_HEADER_AT_MOST = 1 << 16


class Tcp(Struct, frozen=True):
    """A TCP header; numbers are absolute."""

    sequence: int
    acknowledgment: int
    flags: Flags
    window: int  # the field, unscaled
    urgent: int
    checksum: int
    options: Options


class Frame(Struct, frozen=True):
    """One frame, layer by layer; a layer it does not have, or that was cut off, is None."""

    number: int  # from 1
    time: int  # ns since 1970-01-01 UTC
    interface: int
    direction: Direction
    length: int  # octets on the wire
    octets: bytes  # those that were captured
    malformed: bool
    protocol: Protocol
    link_source: str  # "" where the link layer has no such address
    link_destination: str
    ip: Ip | None
    source: Endpoint | None  # None unless it is TCP or UDP
    destination: Endpoint | None
    tcp: Tcp | None
    icmp: Icmp | None
    arp: Arp | None
    payload: bytes  # what was captured of it
    payload_length: int  # octets on the wire


def frame(capture: Capture, index: int) -> Frame:
    """Read the frame at ``index`` of the columns (its number less one). Raises IndexError."""
    frames = capture.frames
    index = range(len(frames))[index]
    interface, start = int(frames.interface[index]), int(frames.start[index])
    octets = frames.octets[start : start + int(frames.captured[index])].tobytes()
    protocol = Protocol(int(frames.protocol[index]))
    link_source, link_destination = link_addresses(capture.interfaces[interface].link_type, octets)
    source, destination = _endpoints(frames, index, protocol)
    network = _after(frames.network[index], start, octets)
    transport = _header(frames, int(frames.transport[index]), start + len(octets))
    payload = _after(frames.payload[index], start, octets)
    length = int(frames.payload_length[index])
    return Frame(
        number=index + 1,
        time=int(frames.time[index]),
        interface=interface,
        direction=Direction(int(frames.direction[index])),
        length=int(frames.length[index]),
        octets=octets,
        malformed=bool(frames.malformed[index]),
        protocol=protocol,
        link_source=link_source,
        link_destination=link_destination,
        ip=parse_ip(network) if frames.ip_version[index] else None,
        source=source,
        destination=destination,
        tcp=_tcp(frames, index, transport) if protocol is Protocol.TCP else None,
        icmp=parse_icmp(protocol, transport),
        arp=parse_arp(network) if protocol is Protocol.ARP else None,
        payload=payload[:length],
        payload_length=length,
    )


def _after(offset: int, start: int, octets: bytes) -> bytes:
    return b"" if offset == ABSENT else octets[int(offset) - start :]


def _header(frames: Frames, offset: int, end: int) -> bytes:
    """The octets from the transport header on; of a segment in fragments, just its header's."""
    return b"" if offset == ABSENT else frames.octets[offset:end][:_HEADER_AT_MOST].tobytes()


def _endpoints(
    frames: Frames, index: int, protocol: Protocol
) -> tuple[Endpoint, Endpoint] | tuple[None, None]:
    if protocol not in {Protocol.TCP, Protocol.UDP}:
        return None, None
    source, destination = frames.source[index], frames.destination[index]
    return (
        Endpoint(address_text(int(source[0]), int(source[1])), int(frames.source_port[index])),
        Endpoint(
            address_text(int(destination[0]), int(destination[1])),
            int(frames.destination_port[index]),
        ),
    )


def _tcp(frames: Frames, index: int, header: bytes) -> Tcp:
    checksum, urgent = struct.unpack_from(">HH", header, 16)
    return Tcp(
        sequence=int(frames.sequence[index]),
        acknowledgment=int(frames.acknowledgment[index]),
        flags=Flags(int(frames.flags[index])),
        window=int(frames.window[index]),
        urgent=urgent,
        checksum=checksum,
        options=parse_options(header[20 : header[12] // 16 * 4]),
    )
