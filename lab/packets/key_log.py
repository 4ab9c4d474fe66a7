"""The TLS sessions whose secrets a pcapng holds; the secrets themselves are not looked at.

A decryption secrets block holds a key log, as programs write it for SSLKEYLOGFILE: a label, the
client's random, a secret, one such line for each of a session's secrets.
"""

from __future__ import annotations

import re
import struct

from lab.packets.pcapng_codes import TLS_KEY_LOG

_LINE = re.compile(rb"^[A-Z0-9_]+ ([0-9a-fA-F]{64}) [0-9a-fA-F]+[ \t]*\r?$", re.MULTILINE)


def tls_sessions(order: str, body: bytes | memoryview) -> set[bytes]:
    """The client randoms that the body of a decryption secrets block names; never raises."""
    if len(body) < 8:
        return set()
    kind, length = struct.unpack_from(order + "II", body)
    if kind != TLS_KEY_LOG:
        return set()
    return {random.lower() for random in _LINE.findall(bytes(body[8 : 8 + length]))}
