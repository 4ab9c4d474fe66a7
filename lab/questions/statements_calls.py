"""Statements about what a program gets from its calls: values, and exceptions."""

from __future__ import annotations

from lab.questions import rights
from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.encodings import fault
from lab.questions.pieces import Called, Packet
from lab.questions.rights import claim
from lab.questions.runs import Runs
from lab.questions.sockets import port_of
from lab.questions.udp_datagrams import datagram
from lab.text import Text

DIES = "encoding_mismatch:server_dies"


def not_of_the_network(runs: Runs) -> Proof:
    """No socket call fails, and the server is gone."""
    run = runs[DIES]
    sent, read = run.one("C>S +", run.data("C")), run.call("server", "recv")
    after = [one for one in run.calls("server") if one.index >= read.index]
    again = run.call("client", "connect", 1)
    syn = run.first("C>S SYN", stream=1)
    reset = run.first("S>C RST,ACK", stream=1, after=syn)
    octets = bytes.fromhex(read.call.data)
    at = fault(octets)
    return Proof(
        (
            claim(
                octets == sent.frame.payload and at is not None,
                Text(
                    "recv() returned {n} octets without error; as UTF-8 they fail at octet {at}",
                    "recv() 正常返回 {n} 字节；按 UTF-8 解码，在第 {at} 个字节（从 0 数起）出错",
                ).fill(n=read.call.octets, at=at),
                read,
                sent,
            ),
            claim(
                all(one.outcome == "ok" for one in after)
                and [one.call.function for one in after] == ["recv", "close", "close"],
                Text(
                    "no socket call reports an error, yet after this recv() the server only closes: it ends",
                    "没有一次套接字调用报错，但这次 recv() 之后服务器只剩 close()：它退出了",
                ),
                *after,
            ),
            claim(
                again.outcome == "ECONNREFUSED" and reset.ack == syn.end,
                Text(
                    "the next client's SYN, frame {a}, gets RST, frame {b}: {error}",
                    "下一个客户端的 SYN（第 {a} 帧）得到 RST（第 {b} 帧）：{error}",
                ).fill(a=syn.number, b=reset.number, error=again.outcome),
                syn,
                reset,
                again,
            ),
        ),
        {
            "payload": rights.payload(sent),
            "reset": rights.frame(reset),
        },
    )


def data_and_address(runs: Runs) -> Proof:
    """Two values; the second is the pair that sendto() takes."""
    run = runs["udp_echo"]
    read, back = run.call("server", "recvfrom"), run.call("server", "sendto")
    asked, answer = datagram(run, 0), datagram(run, 1)
    values = read.call.result if isinstance(read.call.result, list) else []
    sender = _second(values)
    return Proof(
        (
            claim(
                len(values) == 2 and values[0] == read.call.octets == asked.length,
                Text(
                    "recvfrom() returned {n} values: {k} octets of data, and one address, {sender}",
                    "recvfrom() 返回 {n} 个值：{k} 字节数据，以及一个地址 {sender}",
                ).fill(n=len(values), k=read.call.octets, sender=sender),
                read,
                asked,
            ),
            claim(
                sender == _source(asked),
                Text(
                    "the address is itself a pair, host and port: those that frame {n} comes from",
                    "这个地址本身是一对值，即主机和端口：正是第 {n} 帧的来源",
                ).fill(n=asked.number),
                read,
                asked,
            ),
            claim(
                _second(back.call.arguments) == sender == _target(answer),
                Text(
                    "sendto() takes the same pair as one argument: the answer, frame {n}, goes to {sender}",
                    "sendto() 把这一对值当作一个参数：应答（第 {n} 帧）发往 {sender}",
                ).fill(n=answer.number, sender=sender),
                back,
                answer,
                read,
            ),
        ),
        {
            "port": rights.count(_port_in(read), read, asked),
            "answer": rights.frame(answer),
        },
    )


def _second(values: object) -> str:
    """The second of two values, as address:port."""
    match values:
        case [_, [str(address), int(port), *_]] | (_, [str(address), int(port), *_]):
            return f"{address}:{port}"
    return ""


def _port_in(read: Called) -> int:
    match read.call.result:
        case [_, address]:
            return port_of(address)
    return 0


def _source(one: Packet) -> str:
    return str(one.frame.source)


def _target(one: Packet) -> str:
    return str(one.frame.destination)


QUESTIONS = (
    Question(
        id="E7",
        asks=Text(
            "Is it true that a server is safe if it catches IOError around each connection?",
            "服务器对每条连接只要捕获 IOError 就安全了，对吗？",
        ),
        answer=Text(
            "No. Text in another encoding makes decode() raise UnicodeDecodeError. "
            "That is a ValueError, not an OSError, so the handler is skipped and the server dies. "
            "Here one GBK message ends it: the next client is refused.",
            "不对。对方编码不同，decode() 就会抛出 UnicodeDecodeError。"
            "它属于 ValueError 而不是 OSError，处理程序捕获不到，服务器随之退出。"
            "这里一条 GBK 消息就让它退出：下一个客户端被拒绝。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(DIES,),
        prove=not_of_the_network,
        values=(
            Ask(
                "payload",
                Text("The octets that end the server, in hex", "使服务器退出的字节（十六进制）"),
                Unit.HEX,
            ),
            Ask(
                "reset",
                Text("Frame that refuses the next client", "拒绝下一个客户端的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("decode() raises UnicodeDecodeError", "decode() 抛出 UnicodeDecodeError"),
                (r"unicodedecodeerror",),
            ),
            Idea(
                Text("it is a ValueError and no OSError", "它属于 ValueError，不是 OSError"),
                (r"valueerror", r"not an (os|io)error", r"不是 ?(os|io)error"),
            ),
            Idea(
                Text("the whole server ends", "整个服务器退出"),
                (r"server (dies|ends|exits|crashes|is gone)", r"服务器[^.]{0,4}(退出|崩溃|终止)"),
            ),
        ),
        wrong=(
            Idea(
                Text("only this connection fails", "只有这一条连接失败"),
                (r"only (this|that|the one) connection fails", r"只有这一?条连接失败"),
            ),
            Idea(
                Text("recv() reports the wrong encoding", "recv() 会报告编码错误"),
                (r"recv(\(\))? reports", r"recv(\(\))? ?会报告"),
            ),
        ),
        guess=Guess(
            Text(
                "The server decodes GBK as UTF-8 inside try/except OSError. What happens?",
                "服务器在 try/except OSError 中把 GBK 按 UTF-8 解码，会怎样？",
            ),
            (
                Text("it logs the error and serves the next", "记录错误，继续服务下一个"),
                Text("it ends", "服务器退出"),
                Text("recv() fails", "recv() 失败"),
            ),
            1,
        ),
        hints=(
            Text("Look at the server's last calls.", "看服务器最后的几次调用。"),
            Text(
                "Compare what the first client's SYN got with what the second's got.",
                "比较两个客户端的 SYN 各得到什么应答。",
            ),
        ),
        claim=Text("except IOError is enough", "捕获 IOError 就够了"),
        truth=Text(
            "UnicodeDecodeError is a ValueError: it passed the handler and ended the server",
            "UnicodeDecodeError 属于 ValueError：它绕过处理程序，使服务器退出",
        ),
        seen_in=("S0",),
        then=("EN01",),
        sources=("Python: UnicodeDecodeError", "RFC 3629 section 3"),
    ),
    Question(
        id="E23",
        asks=Text(
            "Is it true that recvfrom() returns data, IP address and port?",
            "recvfrom() 返回 (数据, IP, 端口) 三个值，对吗？",
        ),
        answer=Text(
            "No, in Python it returns two values: the data and one address. "
            "For AF_INET the address is itself a tuple, host and port. sendto() takes that tuple as it is.",
            "不对。Python 中它返回两个值：数据和一个地址。"
            "对 AF_INET，这个地址本身是元组 (主机, 端口)，可以原样交给 sendto()。",
        ),
        kind=Kind.DEBUNK,
        level=1,
        runs=("udp_echo",),
        instead="tour",
        prove=data_and_address,
        values=(
            Ask(
                "port",
                Text(
                    "Port in the address that the server's recvfrom() returns",
                    "服务器 recvfrom() 所返回地址中的端口",
                ),
                Unit.COUNT,
            ),
            Ask(
                "answer",
                Text("Frame that goes to that address", "发往该地址的帧号"),
                Unit.FRAME,
            ),
        ),
        ideas=(
            Idea(
                Text("it returns two values: data and address", "返回两个值：数据和地址"),
                (r"two values", r"\(?data, addr(ess)?\)?", r"两个值", r"二元组"),
            ),
            Idea(
                Text("the address is a tuple of host and port", "地址是主机与端口的元组"),
                (r"tuple", r"pair", r"元组"),
            ),
        ),
        wrong=(
            Idea(Text("it returns three values", "它返回三个值"), (r"three values", r"三个值")),
        ),
        guess=Guess(
            Text("How many values does recvfrom() return?", "recvfrom() 返回几个值？"),
            (Text("one", "一个"), Text("two", "两个"), Text("three", "三个")),
            1,
        ),
        hints=(
            Text("Look at the result of the server's recvfrom().", "看服务器 recvfrom() 的结果。"),
            Text(
                "Compare it with the source of the datagram and the argument of sendto().",
                "把它与数据报的来源、sendto() 的参数相比较。",
            ),
        ),
        claim=Text("recvfrom() returns (data, ip, port)", "recvfrom() 返回 (数据, ip, 端口)"),
        truth=Text(
            "It returned the data and one address, which is a pair",
            "它返回数据和一个地址，地址本身是一对值",
        ),
        seen_in=("S1",),
        then=("SE06",),
        sources=("Python: socket.recvfrom", "recvfrom(2)"),
    ),
)
