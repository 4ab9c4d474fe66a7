"""UTF-8 against GBK: the octets arrive unharmed, and are read as something else."""

from __future__ import annotations

import socket
from collections.abc import Callable

from lab.evidence.run import Evidence
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text, same
from services import stage

PORT = 12345
MESSAGE = "收到消息"  # 8 octets in GBK, 12 in UTF-8


def server(*, reads_as: str = "utf-8") -> None:
    """Decode what arrives, and send back, as UTF-8, what was understood."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            data = connection.recv(1024)
            try:
                understood = data.decode(reads_as)
            except UnicodeDecodeError as error:
                understood = f"octet {data[error.start]:#x} at {error.start}: {error.reason}"
            connection.sendall(understood.encode())


def client(server: str, *, writes_as: str = "gbk") -> None:
    """Send the text, read what the server made of it."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(MESSAGE.encode(writes_as))
        while connection.recv(1024):
            pass


def careless_server() -> None:
    """Serve for ever, prepared for whatever a network can do; a text is not of the network."""
    try:
        with socket.create_server(("", PORT)) as listener:
            while True:
                connection, _ = listener.accept()
                with connection:
                    try:
                        print(connection.recv(1024).decode(), flush=True)
                    except OSError as error:  # UnicodeDecodeError is a ValueError
                        print(error, flush=True)
    finally:
        stage.say("server_is_gone")


def returning_client(server: str) -> None:
    """Send the text in GBK, then come back with a harmless one."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(MESSAGE.encode("gbk"))
        connection.recv(1024)  # b""
    stage.wait("server_is_gone")
    try:
        socket.create_connection((server, PORT)).close()
    except ConnectionRefusedError as error:
        print(error, flush=True)


def _understood(writes_as: str, reads_as: str, answer: str) -> Callable[[Evidence], Seen]:
    """A check that exactly the octets sent were received, and what the server made of them."""

    def check(evidence: Evidence) -> Seen:
        sent, received = _data(evidence, "client", "sendall"), _data(evidence, "server", "recv")
        back = _data(evidence, "server", "sendall").decode()
        kept = sent == received == MESSAGE.encode(writes_as) and back.startswith(answer)
        return Seen(kept, same(f"{writes_as} {sent.hex(' ')} → {reads_as}: {back}"))

    return check


def _data(evidence: Evidence, host: str, function: str) -> bytes:
    calls = (call for call in evidence.calls[host] if call.function == function)
    return b"".join(bytes.fromhex(call.data) for call in calls)


def _server_died(evidence: Evidence) -> Seen:
    """The server's program ends with an exception, and the next client is refused."""
    codes = [one.exit_codes for one in evidence.manifest.hosts if one.name == "server"]
    connects = [call.error for call in evidence.calls["client"] if call.function == "connect"]
    words = Text("exit codes {codes}; connect: {errors}", "退出码 {codes}；connect：{errors}")
    told = ", ".join(error or "ok" for error in connects)
    kept = codes == [(1,)] and connects == ["", "ECONNREFUSED"]
    return Seen(kept, words.fill(codes=", ".join(map(str, codes[0] or ())), errors=told))


def _script(octets: int) -> str:
    return f"""
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +{octets}
        ...
        """


STRICT = Promise(
    "strict_error",
    Text(
        "the octets sent are those received; as UTF-8 they fail at the very first",
        "发出与收到的字节完全相同；按 UTF-8 解码，第一个字节就出错",
    ),
    _understood("gbk", "utf-8", "octet 0xca at 0: "),
)
MOJIBAKE = Promise(
    "silent_mojibake",
    Text(
        "the octets sent are those received; as GBK they are other characters, without any error",
        "发出与收到的字节完全相同；按 GBK 解码得到别的字，没有任何错误",
    ),
    _understood("utf-8", "gbk", MESSAGE.encode().decode("gbk")),
)
DIED = Promise(
    "programs",
    Text(
        "one message ends the server: the next connect() fails with ECONNREFUSED",
        "一条消息就让服务器退出：下一次 connect() 以 ECONNREFUSED 失败",
    ),
    _server_died,
)

SCENARIO = Scenario(
    id="encoding_mismatch",
    title=Text("UTF-8 against GBK", "编码不一致：UTF-8 与 GBK"),
    group="stream",
    core=True,
    teaches=(
        Text(
            "TCP carries octets, and carries them unharmed: only their reading differs",
            "TCP 传送的是字节，而且分毫不差：差别只在如何解读",
        ),
        Text(
            "GBK read as UTF-8 nearly always fails at once: UTF-8 has strict rules",
            "把 GBK 当作 UTF-8 解码几乎总会立即报错：UTF-8 的规则很严格",
        ),
        Text(
            "UTF-8 read as GBK often passes and yields mojibake: no error is no proof",
            "把 UTF-8 当作 GBK 解码往往不报错，却得到乱码：没有报错不等于正确",
        ),
        Text(
            "UnicodeDecodeError is a ValueError: a server that expects only OSError ends of it",
            "UnicodeDecodeError 属于 ValueError：只捕获 OSError 的服务器会因此退出",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(_script(8),),
    promises=(STRICT,),
    variants={
        "utf8_as_gbk": {
            "title": Text("UTF-8 read as GBK", "把 UTF-8 当作 GBK"),
            "options": {"server": {"reads_as": "gbk"}, "client": {"writes_as": "utf-8"}},
            "scripts": (_script(12),),
            "promises": (MOJIBAKE,),
        },
        "server_dies": {
            "title": Text("A text that ends the server", "一条让服务器退出的文本"),
            "roles": {"server": careless_server, "client": returning_client},
            "scripts": (
                _script(8),
                """
                C>S SYN      seq 0
                S>C RST,ACK         ack 1
                """,
            ),
            "promises": (DIED,),
        },
    },
    sources=("RFC 3629 section 3", "Python: UnicodeDecodeError"),
)
