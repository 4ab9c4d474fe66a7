"""A character cut in two: recv() counts octets and knows nothing of characters."""

from __future__ import annotations

import codecs
import socket

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same

PORT = 12345
MESSAGE = "你好，网络实验室"  # 8 characters, 24 octets of UTF-8
SIZE = 10  # octets a read: three characters and a third of the fourth


def server() -> None:
    """Read ten octets at a time; decode each read by itself, and as part of the whole."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            while chunk := connection.recv(SIZE):
                try:
                    print(chunk.decode(), flush=True)
                except UnicodeDecodeError as error:
                    print(error, flush=True)
                connection.sendall(decoder.decode(chunk).encode())  # only whole characters


def client(server: str) -> None:
    """Send the text in one piece, half-close, and read what comes back."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(MESSAGE.encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass


def _data(evidence: Evidence, function: str) -> list[bytes]:
    """What each of the server's calls of this name sent or received, but for an end of file."""
    calls = (call for call in evidence.calls["server"] if call.function == function)
    return [bytes.fromhex(call.data) for call in calls if call.octets]


def _fault(octets: bytes) -> str:
    """What the decoder says to these octets alone; "" if they are text."""
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        return error.reason
    return ""


def _cut(evidence: Evidence) -> Seen:
    reads = _data(evidence, "recv")
    kept = [len(read) for read in reads] == [10, 10, 4] and all(_fault(read) for read in reads)
    return Seen(kept, same("; ".join(f"{len(read)}: {_fault(read) or 'ok'}" for read in reads)))


def _whole(evidence: Evidence) -> Seen:
    sent = _data(evidence, "sendall")
    texts = [one.decode("utf-8", "replace") for one in sent]
    kept = not any(map(_fault, sent)) and "".join(texts) == MESSAGE
    return Seen(kept, same(" + ".join(texts)))


SCENARIO = Scenario(
    id="multibyte_split",
    title=Text("A character cut in two", "多字节字符被截断"),
    group="stream",
    core=True,
    teaches=(
        Text(
            "recv(10) may end inside a character: most Chinese characters take three octets in UTF-8",
            "recv(10) 可能停在一个字符中间：大多数汉字在 UTF-8 中占三个字节",
        ),
        Text(
            "Decoding each read by itself fails; an incremental decoder keeps the rest for the next",
            "对每次读到的字节单独解码会失败；增量解码器则把剩下的字节留到下一次",
        ),
        Text(
            "A message that happens to be cut between characters hides the fault",
            "若恰好在字符边界处断开，这个错误就不会暴露",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +24
        ...
        C>S ACK              ack 26
        """,
    ),
    promises=(
        Promise(
            "every_read_is_cut",
            Text(
                "24 octets are read as 10, 10 and 4, and none of the three is text by itself",
                "24 字节分为 10、10、4 三次读出，每一次单独都不成文字",
            ),
            _cut,
        ),
        Promise(
            "decoded_incrementally",
            Text(
                "decoded incrementally, the text is whole: only whole characters are sent back",
                "增量解码得到完整的文本：送回的都是完整的字符",
            ),
            _whole,
        ),
    ),
    sources=("RFC 3629 section 3", "Python: codecs.IncrementalDecoder"),
)
