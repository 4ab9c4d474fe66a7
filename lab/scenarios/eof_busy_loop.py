"""End of file ignored: recv() returns b"" at once, again and again, and the loop spins."""

from __future__ import annotations

import socket

from lab.evidence.run import Evidence
from lab.packets.frames import Flags
from lab.scenarios.base import Promise, Scenario, Seen
from lab.text import Text
from lab.units import short_span

PORT = 1001
MESSAGE = b"hello"
TURNS = 25  # of the loop, before the lab ends it; left alone it would spin for ever


def server() -> None:
    """Echo and wait for an exception that says that the client is gone: it never comes."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        with connection:
            try:
                for _ in range(TURNS):  # stands for: while True
                    connection.sendall(connection.recv(10))
            except OSError as error:
                print(error, flush=True)


def client(server: str) -> None:
    """Say hello, half-close, read to the end."""
    with socket.create_connection((server, PORT)) as connection:
        connection.sendall(MESSAGE)
        connection.shutdown(socket.SHUT_WR)  # FIN
        while connection.recv(1024):
            pass


def _spins(evidence: Evidence) -> Seen:
    """After the data every recv() returns 0 octets and every sendall() sends none, without error."""
    loop = [call for call in evidence.calls["server"] if call.function in ("recv", "sendall")]
    octets = [call.octets for call in loop if call.function == "recv"]
    errors = [call for call in loop if call.error]
    empty = [call for call in loop if call.octets == 0]
    took = short_span(empty[-1].after - empty[0].before) if empty else "0"
    words = Text("{n} empty reads in {took}, no error", "{took} 内空读 {n} 次，没有错误")
    kept = octets == [len(MESSAGE)] + [0] * (TURNS - 1) and not errors
    return Seen(kept, words.fill(n=octets.count(0), took=took))


def _one_fin(evidence: Evidence) -> Seen:
    """One FIN of the client is behind it all, and no frame carries the empty sends."""
    one, frames = evidence.view.connections[0], evidence.view.capture.frames
    rows = [int(row) for row in one.rows]
    fins = [i for i, row in enumerate(rows) if frames.flags[row] & Flags.FIN and one.from_client[i]]
    data = [row for row in rows if frames.payload_length[row]]
    words = Text(
        "FINs of the client: {fins}; segments with data: {n}",
        "客户端的 FIN：{fins} 个；带数据的报文段：{n} 个",
    )
    numbers = tuple(sorted(row + 1 for row in (*data, *(rows[i] for i in fins))))
    kept = len(fins) == 1 and len(data) == 2
    return Seen(kept, words.fill(fins=len(fins), n=len(data)), numbers)


SCENARIO = Scenario(
    id="eof_busy_loop",
    title=Text("End of file ignored", "忽略 EOF 的死循环"),
    group="stream",
    level=2,
    core=True,
    teaches=(
        Text(
            'An orderly close raises nothing: recv() returns b"" at once, as often as it is asked',
            '正常关闭不会引发异常：此后每次 recv() 都立即返回 b""',
        ),
        Text(
            "A loop that does not look for the empty read spins: all of a CPU, and not one frame",
            "不检查空读的循环会空转：占满一个 CPU，却不产生任何帧",
        ),
        Text(
            "The connection stays in CLOSE-WAIT for as long as the program does not close it",
            "只要程序不关闭，连接就一直停留在 CLOSE-WAIT",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        C>S PSH,ACK  seq 1  +5
        S>C ACK             ack 6  optional
        ...
        C>S FIN,ACK  seq 6
        ...
        S>C FIN,ACK  seq 6  ack 7
        C>S ACK      seq 7  ack 7
        """,
    ),
    promises=(
        Promise(
            "reads_nothing_for_ever",
            Text(
                "each recv() after the FIN returns 0 octets", "FIN 之后的每次 recv() 都返回 0 字节"
            ),
            _spins,
        ),
        Promise(
            "no_frame_tells",
            Text("the spinning makes no frame", "空转不产生任何帧"),
            _one_fin,
        ),
    ),
    sources=("recv(2)", "RFC 9293 section 3.6"),
)
