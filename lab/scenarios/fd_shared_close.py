"""close() on one of several descriptors of a connection: no FIN before the last one is gone."""

from __future__ import annotations

import os
import socket

from lab.evidence.run import Evidence
from lab.packets.frames import Flags
from lab.scenarios.base import Promise, Scenario, Seen
from lab.scenarios.checks import called
from lab.text import Text, same
from services import stage

PORT = 12345
STATES = {"01": "ESTABLISHED", "08": "CLOSE-WAIT"}  # the first octet of struct tcp_info, in hex


def server(*, fork: bool = False) -> None:
    """Close one descriptor of the connection; later shut the connection down through another."""
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
    with connection, connection.dup() as other:
        close_a_copy(connection, fork=fork)
        stage.say("closed_one")
        stage.wait("looked")
        other.shutdown(socket.SHUT_WR)  # FIN, although two descriptors are open
        connection.recv(1024)  # b""


def close_a_copy(connection: socket.socket, *, fork: bool) -> None:
    """Close a duplicate; or let a child close what it got, which its parent has forgotten to."""
    if not fork:
        connection.dup().close()
    elif os.fork():
        os.wait()
    else:
        connection.close()
        os._exit(0)


def client(server: str) -> None:
    """Look at the state of the connection after the close() and after the shutdown()."""
    with socket.create_connection((server, PORT)) as connection:
        stage.wait("closed_one")
        look(connection)
        stage.say("looked")
        connection.recv(1024)  # b""
        look(connection)


def look(connection: socket.socket) -> None:
    """Ask the kernel for the connection's state (tcp(7) TCP_INFO, its first octet)."""
    print("state", *connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1), flush=True)


def _fin_waits(evidence: Evidence) -> Seen:
    """The server's first FIN passes its port after shutdown() was called; close() came earlier."""
    closed = called(evidence, "server", "close")
    shut = called(evidence, "server", "shutdown")[0]
    before = [call for call in closed if call.peer and call.after < shut.before]
    frames, connection = evidence.views[1].capture.frames, evidence.views[1].connections[0]
    ours = connection.rows[~connection.from_client]
    fin = int(frames.time[ours[(frames.flags[ours] & Flags.FIN) != 0][0]])
    words = Text(
        "close() {early:.1f} ms before the FIN, shutdown() {late:.3f} ms before it",
        "close() 比 FIN 早 {early:.1f} 毫秒，shutdown() 比 FIN 早 {late:.3f} 毫秒",
    )
    early = (fin - before[0].after) / 1e6 if before else 0.0
    return Seen(
        len(before) == 1 and shut.before < fin,
        words.fill(early=early, late=(fin - shut.before) / 1e6),
        connection.teardown_frames[:1],
    )


def _states(evidence: Evidence) -> Seen:
    looks = [str(call.result) for call in called(evidence, "client", "getsockopt")]
    seen = [STATES.get(look, look) for look in looks]
    return Seen(seen == list(STATES.values()), same(", ".join(seen)))


SCENARIO = Scenario(
    id="fd_shared_close",
    title=Text("Close of a shared descriptor", "共享描述符的关闭"),
    group="open_close",
    level=2,
    teaches=(
        Text(
            "dup() and fork() give one connection several descriptors; close() takes one away, "
            "and only the last one sends FIN",
            "dup() 与 fork() 让同一条连接拥有多个描述符；close() 只去掉其中一个，"
            "关闭最后一个时才发送 FIN",
        ),
        Text(
            "shutdown() acts on the connection itself: FIN leaves at once, however many descriptors "
            "are open",
            "shutdown() 作用于连接本身：不论还有多少描述符打开，都会立即发出 FIN",
        ),
        Text(
            "A forking server whose parent forgets close() sends no FIN when its child is done. The "
            "client waits for an end of file that does not come (variant fork)",
            "多进程服务器的父进程若忘记 close()，子进程处理完毕后也不会发出 FIN："
            "客户端一直等不到文件结束（变体 fork）",
        ),
    ),
    roles={"server": server, "client": client},
    listens={"server": (f"{PORT}/tcp",)},
    scripts=(
        """
        C>S SYN
        S>C SYN,ACK
        C>S ACK
        S>C FIN,ACK  seq 1  ack 1
        C>S ACK      seq 1  ack 2  optional
        C>S FIN,ACK  seq 1  ack 2
        S>C ACK      seq 2  ack 2
        """,
    ),
    promises=(
        Promise(
            "the_fin_waits_for_shutdown",
            Text(
                "close() of one descriptor sends nothing, shutdown() sends FIN with two still open",
                "close() 一个描述符不发送任何报文；还有两个打开时，shutdown() 发出 FIN",
            ),
            _fin_waits,
        ),
        Promise(
            "the_client_sees_the_second_only",
            Text(
                "the client is in ESTABLISHED after the close(), in CLOSE-WAIT after the shutdown()",
                "close() 之后客户端仍处于 ESTABLISHED，shutdown() 之后才进入 CLOSE-WAIT",
            ),
            _states,
        ),
    ),
    variants={"fork": {"options": {"server": {"fork": True}}}},
    sources=("close(2)", "shutdown(2)", "fork(2)", "Stevens, UNP volume 1, sections 4.8 and 4.9"),
)
