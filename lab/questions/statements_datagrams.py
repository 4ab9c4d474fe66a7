"""Statements about datagrams: whether they are split, how fast they may come, and to which address."""

from __future__ import annotations

from lab.questions.base import Ask, Guess, Idea, Kind, Proof, Question, Unit
from lab.questions.path_mtu import FRAGMENTS, one_lost_all_lost
from lab.questions.rights import part
from lab.questions.runs import Runs
from lab.questions.udp_errors import closed_port
from lab.questions.udp_limits import receiver_too_slow
from lab.text import Text


def ip_splits(runs: Runs) -> Proof:
    """One sendto(), three fragments, one lost, nothing delivered."""
    return part(one_lost_all_lost(runs), (0, 1, 3), "lost", "offset")


def buffer_limits(runs: Runs) -> Proof:
    """The network takes everything, the receiver's buffer does not."""
    return part(receiver_too_slow(runs), (0, 1, 4), "read", "lost")


def wrong_address(runs: Runs) -> Proof:
    """A datagram to where no socket is bound comes back as ICMP; the sender waits in vain."""
    return part(closed_port(runs), (0, 3), "icmp", "port")


QUESTIONS = (
    Question(
        id="E18",
        asks=Text(
            "Is it true that with UDP a message is neither split nor merged?",
            "UDP 的消息既不会被拆分也不会被合并，对吗？",
        ),
        answer=Text(
            "UDP itself does neither. But IP splits a datagram that is longer than the MTU into fragments. "
            "One lost fragment loses the whole datagram; the program gets all of it or nothing.",
            "UDP 自己确实不拆也不并。但数据报若超过 MTU，IP 会把它分片。"
            "丢一个分片就丢掉整个数据报；程序要么得到全部，要么什么也得不到。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=(FRAGMENTS,),
        prove=ip_splits,
        values=(
            Ask(
                "lost",
                Text(
                    "Frame of the fragment that is lost (client's capture)",
                    "丢失的分片的帧号（客户端抓包）",
                ),
                Unit.FRAME,
            ),
            Ask("offset", Text("Its fragment offset in octets", "它的片偏移（字节）"), Unit.OCTETS),
        ),
        ideas=(
            Idea(
                Text("IP splits what is longer than the MTU", "超过 MTU 的由 IP 分片"),
                (r"\bip (splits|fragments|cuts)", r"\bmtu\b", r"ip ?(层)?(会)?[^.]{0,4}分片"),
            ),
            Idea(
                Text("one lost fragment loses the whole datagram", "丢一个分片就丢掉整个数据报"),
                (
                    r"(los(t|s|es|ing))[^.]*(whole|all|entire)",
                    r"丢[^.]*分片[^.]*(整个|全部)",
                ),
            ),
        ),
        wrong=(
            Idea(
                Text("a large datagram travels in one packet", "大数据报装在一个包里传送"),
                (r"travels in one packet", r"(装)?在一个包里传"),
            ),
            Idea(
                Text("the lost fragment is repeated", "丢失的分片会重传"),
                (r"fragment is (repeated|sent again)", r"分片会重(传|发)"),
            ),
        ),
        guess=Guess(
            Text(
                "One sendto() with more octets than the MTU. How many packets leave?",
                "一次 sendto() 的数据超过 MTU，会发出几个包？",
            ),
            (
                Text("one", "一个"),
                Text("none: it fails", "没有：调用失败"),
                Text("several: IP fragments it", "多个：由 IP 分片"),
            ),
            2,
        ),
        hints=(
            Text(
                "Look at the IP headers in both captures: identification and offset.",
                "看两处抓包的 IP 首部：标识与片偏移。",
            ),
            Text("Compare which offsets left with which arrived.", "比较发出的偏移与到达的偏移。"),
        ),
        claim=Text("UDP neither splits nor merges", "UDP 不拆分也不合并"),
        truth=Text(
            "UDP does not, IP does: three fragments left, and the loss of one cost all",
            "UDP 不会，IP 会：发出了三个分片，丢一个就全部作废",
        ),
        seen_in=("S1",),
        then=("NW05", "UD04"),
        sources=("RFC 768", "RFC 791 section 3.2", "RFC 8900 section 3"),
    ),
    Question(
        id="E19",
        asks=Text(
            "Is it true that only the application, the computer and the bandwidth limit the rate of UDP?",
            "UDP 的速率只受应用程序、计算机和带宽限制，对吗？",
        ),
        answer=Text(
            "No. The receiver's socket buffer limits what gets through: when it is full, "
            "the kernel drops datagrams silently. And RFC 8085 asks applications to control congestion.",
            "不对。接收方的套接字缓冲区决定能收下多少：缓冲区满了，内核就悄悄丢弃数据报。"
            "而且按 RFC 8085，应用程序应当自己做拥塞控制。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("udp_receive_overflow",),
        prove=buffer_limits,
        values=(
            Ask("read", Text("Datagrams that were read", "被读取的数据报个数"), Unit.COUNT),
            Ask(
                "lost",
                Text("Datagrams that the full buffer refused", "因缓冲区满而被丢弃的个数"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("the receiver's buffer is a limit", "接收方的缓冲区是一个限制"),
                (r"buffer", r"缓冲"),
            ),
            Idea(
                Text("the kernel drops datagrams silently", "内核悄悄丢弃数据报"),
                (r"silent", r"without (a|any) (word|error)", r"悄悄", r"不(会)?(报错|通知)"),
            ),
            Idea(
                Text("applications should control congestion", "应用程序应当做拥塞控制"),
                (r"congestion", r"拥塞"),
            ),
        ),
        wrong=(
            Idea(
                Text("the sender is told of the losses", "发送方会得知丢失"),
                (r"sender is told", r"发送方会得知"),
            ),
        ),
        guess=Guess(
            Text(
                "The network loses nothing, the receiver reads too late. What does sendto() do?",
                "网络一个不丢，接收方读得太晚。sendto() 会怎样？",
            ),
            (
                Text("it blocks", "阻塞"),
                Text("it succeeds every time", "每次都成功"),
                Text("it fails with ENOBUFS", "以 ENOBUFS 失败"),
            ),
            1,
        ),
        hints=(
            Text("Look at the server's capture and its counters.", "看服务器的抓包和计数器。"),
            Text(
                "Compare the frames at its port with the calls that returned data.",
                "比较其端口的帧数与读到数据的调用次数。",
            ),
        ),
        claim=Text(
            "Only application, computer and bandwidth limit UDP",
            "UDP 只受应用、计算机和带宽限制",
        ),
        truth=Text(
            "All datagrams arrived; many were dropped at the full receive buffer",
            "数据报全部到达，却有许多因接收缓冲区已满而被丢弃",
        ),
        seen_in=("S1",),
        then=("UD10", "CC07"),
        sources=("udp(7)", "RFC 8085 section 3.1"),
    ),
    Question(
        id="E24",
        asks=Text(
            "A UDP receiver is bound to 127.0.0.1:8080. "
            "Is it true that a sender reaches it at the host's LAN address?",
            "UDP 接收方绑定 127.0.0.1:8080，发送方发往该主机的局域网地址就能送达，对吗？",
        ),
        answer=Text(
            "No. A datagram goes to a socket that is bound to its destination address or to the wildcard. "
            "Here no socket holds the port at that address: the host answers with ICMP port unreachable. "
            "The unconnected sender is not even told.",
            "不对。数据报只交给绑定在其目的地址或通配地址上的套接字。"
            "这里该地址的端口没有套接字，主机回以 ICMP 端口不可达。"
            "未连接的发送方甚至得不到通知。",
        ),
        kind=Kind.DEBUNK,
        level=2,
        runs=("udp_port_unreachable",),
        prove=wrong_address,
        values=(
            Ask("icmp", Text("Frame of an ICMP message", "任一 ICMP 报文的帧号"), Unit.FRAME),
            Ask(
                "port",
                Text("Source port that the first one quotes", "第一个 ICMP 报文所引用的源端口"),
                Unit.COUNT,
            ),
        ),
        ideas=(
            Idea(
                Text("no socket is bound to that address", "没有套接字绑定该地址"),
                (r"no socket", r"not bound", r"没有套接字", r"没有绑定"),
            ),
            Idea(
                Text("ICMP port unreachable comes back", "返回 ICMP 端口不可达"),
                (r"icmp", r"port unreachable", r"端口不可达"),
            ),
        ),
        wrong=(
            Idea(
                Text("the datagram is delivered all the same", "数据报照样送达"),
                (r"delivered all the same", r"照样送达"),
            ),
            Idea(
                Text("sendto() fails at once", "sendto() 立即失败"),
                (r"sendto(\(\))? fails", r"sendto(\(\))? ?(会)?立即失败"),
            ),
        ),
        guess=Guess(
            Text(
                "No socket holds the port that a datagram is sent to. What comes back?",
                "数据报发往的端口没有套接字，会返回什么？",
            ),
            (Text("RST", "RST"), Text("nothing", "什么也没有"), Text("ICMP", "ICMP 报文")),
            2,
        ),
        hints=(
            Text("Look at the frames that are not UDP.", "看不是 UDP 的帧。"),
            Text(
                "Compare the ports that it quotes with those of the datagram.",
                "把其中引用的端口与数据报的端口相比较。",
            ),
        ),
        claim=Text(
            "A receiver on 127.0.0.1 gets what is sent to the LAN address",
            "绑定 127.0.0.1 的接收方能收到发往局域网地址的数据",
        ),
        truth=Text(
            "No socket is bound there, so the host answers with ICMP port unreachable",
            "那里没有绑定套接字，主机回以 ICMP 端口不可达",
        ),
        seen_in=("S1",),
        then=("UD05", "E6"),
        sources=("RFC 1122 section 4.1.3.1", "RFC 1122 section 4.1.3.5", "ip(7)"),
    ),
)
