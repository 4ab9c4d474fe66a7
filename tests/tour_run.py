"""A tour that never happened: frames, calls and counters with fixed times, for golden texts.

Made from tests.handmade, so that what the report says is compared with what is known to be there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from lab.evidence.build import evidence
from lab.evidence.manifest import HostRecord, Manifest, TapRecord
from lab.evidence.run import Evidence
from lab.packets import pcapng_writer as writer
from tests import handmade
from tests.handmade import ACK, CLIENT, FIN, PSH, SERVER, SYN

START = 1_766_000_000_000_000_000  # ns: 2025-12-17T19:33:20Z
MICROSECOND = 1000
MILLISECOND = 1_000_000
RST = 0x04
SYN_OPTIONS = bytes.fromhex("020405b40101040201030307")  # MSS 1460, SACK permitted, scale 7
REQUEST, REPLY = "你好,服务器!".encode(), "服务器已收到消息!".encode()


@dataclass
class Wire:
    """Frames as they passed the client's port: (time in µs, octets, sent by the client)."""

    frames: list[tuple[int, bytes, bool]] = field(default_factory=list)

    def tcp(
        self,
        time: int,
        sender: str,
        flags: int,
        sequence: int,
        acknowledgment: int = 0,
        payload: bytes = b"",
        *,
        ports: tuple[int, int] = (41234, 12345),
        window: int = 502,
    ) -> None:
        """One segment between client and server; ``ports`` are the client's and the server's."""
        by_client = sender == CLIENT
        options = SYN_OPTIONS if flags & SYN else b""
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        segment = handmade.tcp(
            payload,
            flags,
            sequence=sequence % (1 << 32),
            acknowledgment=acknowledgment % (1 << 32),
            options=options,
            window=64240 if flags & SYN else window,
            ports=ports if by_client else ports[::-1],
            ends=ends,
        )
        packet = handmade.ipv4(
            segment, 6, source=ends[0], destination=ends[1], identification=len(self.frames)
        )
        self.frames.append((time, handmade.ethernet(packet), by_client))

    def udp(
        self, time: int, sender: str, payload: bytes, ports: tuple[int, int] = (52000, 21567)
    ) -> None:
        """One datagram; ``ports`` are the client's and the server's."""
        by_client = sender == CLIENT
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        datagram = handmade.udp(payload, ports=ports if by_client else ports[::-1], ends=ends)
        packet = handmade.ipv4(
            datagram, 17, source=ends[0], destination=ends[1], identification=len(self.frames)
        )
        self.frames.append((time, handmade.ethernet(packet), by_client))

    def arp(self, time: int) -> None:
        """The client asks for the server's link address."""
        self.frames.append((time, handmade.ethernet(handmade.arp(), 0x0806), True))

    def unreachable(self, time: int, quoted: bytes) -> None:
        """The server says that nothing listens where the quoted packet went."""
        packet = handmade.ipv4(handmade.icmp(3, 3, quoted), 1, source=SERVER, destination=CLIENT)
        self.frames.append((time, handmade.ethernet(packet), False))

    def pcapng(self, *, shift: int = 0, name: str = "veth1", dropped: int = 0) -> bytes:
        """The file of a tap; ``shift`` is how much later (ns) it saw what came from the client."""
        blocks = [writer.section_header(), writer.interface_description(name)]
        shifted = [
            (START + time * MICROSECOND + (shift if by_client else -shift), by_client, octets)
            for time, octets, by_client in self.frames
        ]
        for time, by_client, octets in sorted(shifted, key=lambda item: item[0]):
            blocks.append(writer.packet_block(time, octets, 1 if by_client else 2))
        counters = {"received": len(self.frames) + dropped, "dropped": dropped}
        blocks.append(writer.interface_statistics(0, START, **counters))
        return b"".join(blocks)


def greeting(wire: Wire, at: int, port: int, *, segments: int) -> None:
    """One greeting, closed in so many segments; ``at`` is the time of its SYN, µs."""
    ports, c, s = (port, 12345), 1_000_000_000 + port, 4_294_967_290
    wire.tcp(at, CLIENT, SYN, c, ports=ports)
    wire.tcp(at + 58, SERVER, SYN | ACK, s, c + 1, ports=ports)
    wire.tcp(at + 70, CLIENT, ACK, c + 1, s + 1, ports=ports)
    wire.tcp(at + 260, CLIENT, PSH | ACK, c + 1, s + 1, REQUEST, ports=ports)
    wire.tcp(at + 290, SERVER, ACK, s + 1, c + 18, ports=ports)
    wire.tcp(at + 700, SERVER, PSH | ACK, s + 1, c + 18, REPLY, ports=ports)
    wire.tcp(at + 712, CLIENT, ACK, c + 18, s + 26, ports=ports)
    wire.tcp(at + 900, CLIENT, FIN | ACK, c + 18, s + 26, ports=ports)
    if segments == 4:
        wire.tcp(at + 41_000, SERVER, ACK, s + 26, c + 19, ports=ports)
        at += 100_000
    wire.tcp(at + 950, SERVER, FIN | ACK, s + 26, c + 19, ports=ports)
    wire.tcp(at + 962, CLIENT, ACK, c + 19, s + 27, ports=ports)


def tour() -> Wire:
    """The frames of a whole tour."""
    wire = Wire()
    wire.arp(-300)
    greeting(wire, 0, 41234, segments=4)
    greeting(wire, 150_000, 41235, segments=3)
    wire.udp(200_000, CLIENT, "你好".encode())
    wire.udp(200_210, SERVER, "[2025-12-17 19:33:20] 你好".encode())
    return wire


def call(host: str, before: int, after: int, name: str, **told: object) -> dict[str, object]:
    """A line of a call log; times in µs from the first SYN."""
    kind = told.pop("kind", "tcp")
    folder = {"tcp": "services/tcp/greeting", "udp": "services/udp/timestamp"}[str(kind)]
    return {
        "before": START + before * MICROSECOND,
        "after": START + after * MICROSECOND,
        "call": name,
        "program": f"{folder}/{host}.py",
        "fd": 3,
        "kind": kind,
        **told,
    }


def greeting_calls(at: int, port: int) -> list[dict[str, object]]:
    """What the client calls in one greeting."""
    mine, peer = [CLIENT, port], [SERVER, 12345]
    ends = {"local": mine, "peer": peer}
    return [
        call(
            "client",
            at - 90,
            at - 80,
            "socket",
            arguments=["AF_INET", "SOCK_STREAM", 0],
            result=3,
            line=40,
        ),
        call("client", at - 21, at + 81, "connect", arguments=[peer], line=42, **ends),
        call(
            "client",
            at + 240,
            at + 275,
            "sendall",
            arguments=[17],
            octets=17,
            data=REQUEST.hex(),
            line=45,
            **ends,
        ),
        call(
            "client",
            at + 300,
            at + 730,
            "recv",
            arguments=[1024],
            result=25,
            octets=25,
            data=REPLY.hex(),
            line=48,
            **ends,
        ),
        call("client", at + 880, at + 910, "close", line=53, **ends),
    ]


def server_calls() -> list[dict[str, object]]:
    """What the server calls for the first greeting."""
    mine, peer = [SERVER, 12345], [CLIENT, 41234]
    ends = {"local": mine, "peer": peer, "fd": 4}
    return [
        call(
            "server",
            -9000,
            -8990,
            "bind",
            arguments=[["0.0.0.0", 12345]],
            local=["0.0.0.0", 12345],
            line=30,
        ),
        call("server", -8980, -8970, "listen", arguments=[5], local=["0.0.0.0", 12345], line=31),
        call("server", -8960, 85, "accept", result=[4, peer], local=mine, peer=peer, line=35),
        call(
            "server",
            95,
            280,
            "recv",
            arguments=[1024],
            result=17,
            octets=17,
            data=REQUEST.hex(),
            line=37,
            **ends,
        ),
        call(
            "server",
            680,
            715,
            "sendall",
            arguments=[25],
            octets=25,
            data=REPLY.hex(),
            line=39,
            **ends,
        ),
        call("server", 730, 905, "recv", arguments=[1024], result=0, octets=0, line=41, **ends),
        call("server", 100_930, 100_960, "close", line=43, **ends),
    ]


def datagram_calls() -> list[dict[str, object]]:
    """What the client calls in the UDP exchange."""
    peer, mine = [SERVER, 21567], ["0.0.0.0", 52000]
    told = {"kind": "udp", "local": mine, "peer": peer, "fd": 5}
    data = "[2025-12-17 19:33:20] 你好".encode()
    return [
        call(
            "client",
            199_980,
            200_010,
            "sendto",
            arguments=[6, peer],
            octets=6,
            data="你好".encode().hex(),
            result=6,
            **told,
        ),
        call(
            "client",
            200_030,
            200_240,
            "recvfrom",
            arguments=[2048],
            result=[len(data), peer],
            octets=len(data),
            data=data.hex(),
            **told,
        ),
    ]


def logs() -> dict[str, bytes]:
    """The call logs of both hosts."""
    client = [*greeting_calls(0, 41234), *greeting_calls(150_000, 41235), *datagram_calls()]
    return {
        host: b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        for host, lines in (("client", client), ("server", server_calls()))
    }


def manifest(frames: int, *, dropped: int = 0, complete: bool = True) -> Manifest:
    """run.json of a tour in which both taps recorded so many frames."""
    taps = tuple(
        TapRecord(
            host=host,
            file=f"{host}.pcapng",
            interface=f"veth{host}",
            frames=frames,
            seen=frames + dropped,
            dropped=dropped,
        )
        for host in ("server", "client")
    )
    hosts = (
        HostRecord(name="server", addresses=(SERVER,), exit_codes=(0, 0)),
        HostRecord(name="client", addresses=(CLIENT,), exit_codes=(0, 0, 0)),
    )
    return Manifest(
        scenario="tour", engine="docker", started=START, ended=START + 300 * MILLISECOND, complete=complete,
        reason="" if complete else "the server was killed", hosts=hosts, taps=taps,
    )  # fmt: skip


def files(wire: Wire) -> dict[str, bytes]:
    """What both taps recorded of a wire."""
    return {
        "client.pcapng": wire.pcapng(name="vethclient"),
        "server.pcapng": wire.pcapng(name="vethserver", shift=4 * MICROSECOND),
    }


def tour_evidence(wire: Wire | None = None, *, dropped: int = 0) -> Evidence:
    """The evidence of a whole tour."""
    wire = wire or tour()
    return evidence(manifest(len(wire.frames), dropped=dropped), files(wire), logs())
