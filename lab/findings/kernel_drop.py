"""Frames that reached a host and that its kernel refused, for the reason that it gives itself.

The reasons are those of the tracepoint kfree_skb (include/net/dropreason-core.h). A counter is
named only if it grew, which the kernel says on another way (/proc/net/snmp, netstat).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lab.evidence.run import Evidence
from lab.evidence.witnesses import Witnesses
from lab.findings.base import Finding, Severity
from lab.packets.frames import Protocol
from lab.text import Text

ONE = Text("{host}'s kernel dropped a frame: {reason}", "{host} 的内核丢弃了 1 帧：{reason}")
SEVERAL = Text(
    "{host}'s kernel dropped {count} frames: {reason}", "{host} 的内核丢弃了 {count} 帧：{reason}"
)
MEANT = Text("{dropped}, {meaning}.", "{dropped}，{meaning}。")
UNEXPLAINED = Text("{dropped}.", "{dropped}。")
COUNTED = Text(
    "{words} Its counter {counter} grew by {grew}.", "{words}计数器 {counter} 增加了 {grew}。"
)

MEANINGS = {
    "NO_SOCKET": Text("no socket was bound to that port", "该端口上没有套接字"),
    "SOCKET_RCVBUFF": Text("the receive buffer was full", "接收缓冲区已满"),
    "SOCKET_BACKLOG": Text("the socket's backlog was full", "套接字的积压队列已满"),
    "SOCKET_FILTER": Text("the socket's own filter refused it", "被套接字自身的过滤器拒绝"),
    "NETFILTER_DROP": Text("a firewall rule refused it", "被防火墙规则拒绝"),
    "IP_RPFILTER": Text(
        "no route leads back to its source", "没有返回其源地址的路由（反向路径过滤）"
    ),
    "IP_INADDRERRORS": Text("it was not addressed to this host", "目的地址不属于该主机"),
    "IP_CSUM": Text("the checksum of the IP header was wrong", "IP 首部校验和错误"),
    "TCP_CSUM": Text("the TCP checksum was wrong", "TCP 校验和错误"),
    "UDP_CSUM": Text("the UDP checksum was wrong", "UDP 校验和错误"),
    "ICMP_CSUM": Text("the ICMP checksum was wrong", "ICMP 校验和错误"),
    "FRAG_REASM_TIMEOUT": Text("the other fragments never came", "其余分片始终没有到达"),
    "TCP_LISTEN_OVERFLOW": Text("the accept queue was full", "全连接队列已满"),
    "TCP_FLAGS": Text("its flags do not fit the socket's state", "标志位与套接字的状态不符"),
    "TCP_INVALID_SYN": Text(
        "a SYN inside a connection, answered by a challenge ACK",
        "连接之中出现的 SYN，以挑战 ACK 应答",
    ),
    "TCP_INVALID_SEQUENCE": Text("it lay outside the window", "序列号落在窗口之外"),
    "TCP_OLD_SEQUENCE": Text("all of it lay before the window", "全部位于窗口之前"),
    "TCP_OLD_DATA": Text("its octets had been received before", "其中的字节先前已经收到"),
    "TCP_OVERWINDOW": Text("it went beyond the window", "超出了窗口"),
    "TCP_ZEROWINDOW": Text("the window was 0", "窗口为 0"),
    "TCP_RFC7323_PAWS": Text("its timestamp was too old", "时间戳过旧（PAWS）"),
    "TCP_OFOMERGE": Text("its octets were held already, out of order", "其中的字节已在乱序队列中"),
    "TCP_OFO_QUEUE_PRUNE": Text("memory for what is out of order ran out", "乱序队列的内存不足"),
    "TCP_ACK_UNSENT_DATA": Text("it acknowledged what was never sent", "确认了从未发送的数据"),
    "TCP_TOO_OLD_ACK": Text("its ACK was too old", "ACK 过旧"),
    "TCP_MINTTL": Text("its TTL was below the socket's minimum", "TTL 低于套接字要求的最小值"),
}
FULL = Text(
    "The program reads too slowly, or its buffer is too small: see `ss -m` on {host}, SO_RCVBUF and "
    "net.core.rmem_max.",
    "程序读取太慢，或缓冲区太小：在 {host} 上查看 `ss -m`、SO_RCVBUF 与 net.core.rmem_max。",
)
ACCEPT = Text(
    "`ss -ltn` on {host} shows the queue (Recv-Q) and its limit (Send-Q): call accept sooner, or raise "
    "listen's backlog and net.core.somaxconn.",
    "在 {host} 上用 `ss -ltn` 查看队列（Recv-Q）及其上限（Send-Q）：应更快地调用 accept，"
    "或增大 listen 的 backlog 与 net.core.somaxconn。",
)
RULES = Text(
    "Find the rule on {host}: `nft list ruleset` or `iptables -vnL` shows which counter grows.",
    "在 {host} 上找出该规则：`nft list ruleset` 或 `iptables -vnL` 可见哪条规则的计数在增长。",
)
NO_PROGRAM = Text(
    "`ss -lntu` on {host} shows which program is bound to which port and address.",
    "在 {host} 上用 `ss -lntu` 查看哪个程序绑定在哪个端口和地址上。",
)
DAMAGED = Text(
    "Look for failing hardware, or a device on the way that rewrites packets; the sender's own capture "
    "shows whether it sent them so.",
    "检查故障硬件，或途中改写数据包的设备；发送方自己的抓包可说明它发出时是否如此。",
)
OTHERWISE = Text(
    "A capture shows these frames though no program got them. Watch the reason on {host}: `perf trace -e "
    "skb:kfree_skb`, and `nstat`.",
    "抓包中有这些帧，程序却收不到。可在 {host} 上观察原因：`perf trace -e skb:kfree_skb` 与 `nstat`。",
)
NEXT = {
    "NO_SOCKET": NO_PROGRAM,
    "SOCKET_RCVBUFF": FULL,
    "SOCKET_BACKLOG": FULL,
    "TCP_ZEROWINDOW": FULL,
    "TCP_LISTEN_OVERFLOW": ACCEPT,
    "NETFILTER_DROP": RULES,
    "IP_CSUM": DAMAGED,
    "TCP_CSUM": DAMAGED,
    "UDP_CSUM": DAMAGED,
    "ICMP_CSUM": DAMAGED,
}
COUNTERS = {
    "SOCKET_BACKLOG": "TcpExt.TCPBacklogDrop",
    "IP_RPFILTER": "TcpExt.IPReversePathFilter",
    "IP_CSUM": "IpExt.InCsumErrors",
    "TCP_CSUM": "Tcp.InCsumErrors",
    "ICMP_CSUM": "Icmp.InCsumErrors",
    "FRAG_REASM_TIMEOUT": "Ip.ReasmTimeout",
    "TCP_LISTEN_OVERFLOW": "TcpExt.ListenOverflows",
    "TCP_INVALID_SYN": "TcpExt.TCPSYNChallenge",
    "TCP_ZEROWINDOW": "TcpExt.TCPZeroWindowDrop",
    "TCP_RFC7323_PAWS": "TcpExt.PAWSEstab",
    "TCP_OFO_QUEUE_PRUNE": "TcpExt.OfoPruned",
    "TCP_MINTTL": "TcpExt.TCPMinTTLDrop",
}
UDP_COUNTERS = {
    "NO_SOCKET": "Udp.NoPorts",
    "SOCKET_RCVBUFF": "Udp.RcvbufErrors",
    "UDP_CSUM": "Udp.InCsumErrors",
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """One finding a host and a reason, of TCP and of other protocols apart."""
    witnesses = Witnesses(evidence)
    for view, drops in witnesses.refused():
        alike = defaultdict[tuple[str, int], list[int]](list)
        for number, drop in sorted(drops.items()):
            alike[drop.reason, int(view.capture.frames.protocol[number - 1])].append(number)
        for (reason, protocol), numbers in alike.items():
            shown = (witnesses.first_number(view, number) for number in numbers)
            counter = UDP_COUNTERS if protocol == Protocol.UDP else COUNTERS
            words = _words(evidence, view.host, reason, len(numbers), counter.get(reason, ""))
            frames = tuple(number for number in shown if number)
            then = NEXT.get(reason, OTHERWISE).fill(host=view.host)
            yield Finding("kernel_drop", Severity.WARNING, words, frames, next=then)


def _words(evidence: Evidence, host: str, reason: str, count: int, counter: str) -> Text:
    dropped = (ONE if count == 1 else SEVERAL).fill(host=host, count=f"{count:,}", reason=reason)
    meaning = MEANINGS.get(reason)
    words = (MEANT if meaning else UNEXPLAINED).fill(dropped=dropped, meaning=meaning or "")
    kernel = evidence.kernel.get(host)
    grew = kernel.counters.get(counter, 0) if kernel else 0
    return COUNTED.fill(words=words, counter=counter, grew=f"{grew:,}") if grew else words
