"""What the TLS records of a connection are, as far as an observer without keys can tell.

RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 6066 section 3 (server name). TLS 1.3 gives every
encrypted record the type of application data: handshake, alert and data look alike.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from lab.text import Text, same

HEADER = 5  # octets: type, version, length
LARGEST = (1 << 14) + 2048  # octets of a record (RFC 5246 section 6.2.3)
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO = 1, 2
SERVER_NAME, SUPPORTED_VERSIONS = 0, 43  # extensions
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"} | {
    TLS_1_3: "TLS 1.3"
}
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a ServerHello that is a HelloRetryRequest (RFC 8446 section 4.1.3)."""

MESSAGES = {
    0: "HelloRequest",
    CLIENT_HELLO: "ClientHello",
    SERVER_HELLO: "ServerHello",
    4: "NewSessionTicket",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
}
ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}
FOR = Text("{message} for {name}", "{message}，服务器名 {name}")
AGREED = Text("{message}: {version}", "{message}：{version}")
FOR_SHOW = Text(
    "ChangeCipherSpec (in TLS 1.3 for middleboxes only)",
    "ChangeCipherSpec（TLS 1.3 中仅为兼容中间设备）",
)
HIDDEN = Text(
    "encrypted record (TLS 1.3: handshake, alert and data look alike)",
    "加密记录（TLS 1.3：握手、警报与应用数据看上去一样）",
)
HIDDEN_TOO = Text("encrypted record", "加密记录")
DATA = Text("application data, encrypted", "应用数据（已加密）")
SEALED = Text("handshake message, encrypted", "握手消息（已加密）")
SEALED_ALERT = Text("alert, encrypted", "警报（已加密）")
ALERT_SENT = Text("alert {name}", "警报 {name}")
TIMES = Text("{times} × {words}", "{times} 个{words}")
CONTINUED = Text("rest of a handshake message", "握手消息的后续部分")


class Record(Struct, frozen=True):
    """One record; offsets count from the beginning of its direction's stream."""

    begin: int
    end: int  # by its length: the stream may end before
    words: Text


def is_tls(stream: bytes) -> bool:
    """Whether a client's stream begins as TLS: with a ClientHello."""
    return len(stream) > HEADER and (stream[0], stream[1], stream[5]) == (HANDSHAKE, 3, 1)


def version_of(server: bytes) -> int:
    """The version that the ServerHello at the beginning of a stream agrees to; 0: there is none."""
    kind, content = _first(server)
    if kind != HANDSHAKE or content[:1] != bytes([SERVER_HELLO]):
        return 0
    try:
        chosen = _extensions(content, 4).get(SUPPORTED_VERSIONS, content[4:6])
        return int.from_bytes(chosen, "big")
    except (IndexError, struct.error):
        return 0


def records(stream: bytes, version: int) -> tuple[Record, ...]:
    """Cut one direction into records; what follows an impossible header is left out."""
    found = []
    reader = _Reader(version)
    at = 0
    while at + HEADER <= len(stream):
        kind, major, _, length = struct.unpack_from(">BBBH", stream, at)
        if not (
            CHANGE_CIPHER_SPEC <= kind <= APPLICATION_DATA and major == 3 and length <= LARGEST
        ):
            break
        content = stream[at + HEADER : at + HEADER + length]
        found.append(Record(at, at + HEADER + length, reader.words(kind, content, length)))
        at += HEADER + length
    return tuple(found)


def told(found: Sequence[Record], begin: int, end: int) -> Iterator[Text]:
    """Name the records that begin in a part of the stream, equal ones in a row together."""
    first, last = (bisect_left(found, at, key=lambda one: one.begin) for at in (begin, end))
    for words, run in groupby(one.words for one in found[first:last]):
        times = len(list(run))
        yield words if times == 1 else TIMES.fill(times=times, words=words)


class _Reader(Struct):
    """What one side has sent so far."""

    version: int
    sealed: bool = False  # it has changed to its keys
    hidden: bool = False  # it has sent a record that does not show what it is
    missing: int = 0  # octets of a handshake message that is not complete

    def words(self, kind: int, content: bytes, length: int) -> Text:
        if kind == CHANGE_CIPHER_SPEC:
            if self.version == TLS_1_3:
                return FOR_SHOW
            self.sealed = True
            return same("ChangeCipherSpec")
        if kind == APPLICATION_DATA:
            return DATA if self.version != TLS_1_3 else self._hidden()
        if kind == ALERT:
            clear = not self.sealed and len(content) == 2
            name = ALERTS.get(content[1], str(content[1])) if clear else ""
            return ALERT_SENT.fill(name=name) if name else SEALED_ALERT
        return SEALED if self.sealed else self._handshake(content, length)

    def _hidden(self) -> Text:
        """Explained the first time only."""
        words = HIDDEN_TOO if self.hidden else HIDDEN
        self.hidden = True
        return words

    def _handshake(self, content: bytes, length: int) -> Text:
        at, names = self.missing, list[Text]()
        while at + 4 <= len(content):
            size = int.from_bytes(content[at + 1 : at + 4], "big")
            names.append(_message(content[at : at + 4 + size]))
            at += 4 + size
        self.missing = max(at - length, 0)
        return (
            Text(", ".join(n.en for n in names), "，".join(n.zh for n in names))
            if names
            else CONTINUED
        )


def _message(message: bytes) -> Text:
    """Name one handshake message, with what is most worth knowing of the two hellos."""
    kind = message[0]
    name = MESSAGES.get(kind, f"handshake type {kind}")
    if kind == CLIENT_HELLO:
        host = _server_name(message)
        return FOR.fill(message=name, name=host) if host else same(name)
    if kind == SERVER_HELLO:
        name = "HelloRetryRequest" if message[6:38] == RETRY else name
        version = version_of(struct.pack(">BHH", HANDSHAKE, TLS_1_2, len(message)) + message)
        return AGREED.fill(message=name, version=VERSIONS.get(version, f"{version:#06x}"))
    return same(name)


def _server_name(hello: bytes) -> str:
    """The first host name of the extension; "" if there is none, or it is not ASCII."""
    try:
        listed = _extensions(hello, 4).get(SERVER_NAME, b"")
        size = int.from_bytes(listed[3:5], "big")
        name = listed[5 : 5 + size].decode("ascii")
    except (IndexError, struct.error, UnicodeDecodeError):
        return ""
    return name if name.isprintable() else ""


def _extensions(hello: bytes, at: int) -> dict[int, bytes]:
    """The extensions of a ClientHello or ServerHello whose body begins at ``at``."""
    is_client = hello[0] == CLIENT_HELLO
    at += 34  # version, random
    at += 1 + hello[at]  # session ID
    at += 2 + struct.unpack_from(">H", hello, at)[0] if is_client else 2  # cipher suites, or one
    at += 1 + hello[at] if is_client else 1  # compression
    (size,) = struct.unpack_from(">H", hello, at) if at + 2 <= len(hello) else (0,)
    at, end = at + 2, min(at + 2 + size, len(hello))
    found = {}
    while at + 4 <= end:
        kind, length = struct.unpack_from(">HH", hello, at)
        found[kind] = hello[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _first(stream: bytes) -> tuple[int, bytes]:
    """Type and content of the first record."""
    if len(stream) < HEADER:
        return 0, b""
    length = int.from_bytes(stream[3:5], "big")
    return stream[0], stream[HEADER : HEADER + length]
