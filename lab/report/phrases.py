"""What a frame means, in words: one phrase an event, used by the ladder and the live narration."""

from __future__ import annotations

from functools import lru_cache

from lab.tcp.model import Analysis
from lab.text import Text

# ---------------------------------------------------------------- opening

SYN = Text("handshake 1 of 3: {who} asks to open", "第一次握手：{who} 请求建立连接")
SYN_ACK = Text(
    "handshake 2 of 3: {who} agrees, and asks too",
    "第二次握手：{who} 同意，也请求建立连接",
)
THIRD = Text("handshake 3 of 3: {who} acknowledges the SYN", "第三次握手：{who} 确认对方的 SYN")
SYN_CROSSED = Text(
    "the SYNs cross: {who} asks to open as well",
    "双方的 SYN 交错：{who} 也请求建立连接（同时打开）",
)
SYN_ACK_CROSSED = Text(
    "the SYNs have crossed: {who} acknowledges the other's, and sends its own again",
    "双方的 SYN 已交错：{who} 确认对方的 SYN，并重发自己的 SYN",
)
SYN_AGAIN = Text("{who} sends its SYN again", "{who} 重发 SYN")
REFUSED = Text(
    "refused: nothing listens on port {port} of that address",
    "连接被拒绝：该地址的端口 {port} 上没有程序监听",
)
ISN = Text("ISN {isn}", "ISN {isn}")

# ---------------------------------------------------------------- data

DATA = Text("{count} octet[|s]", "{count} 字节")
ACKED = Text("acknowledges {count} octet[|s]", "确认 {count} 字节")
ACKED_FRAME = Text(
    "acknowledges {size}, up to the end of #{frame}",
    "确认 {size}，直到 #{frame} 末尾",
)
ACKED_ALL = Text("acknowledges #{frame} ({size})", "确认 #{frame}（{size}）")
ACKED_UP_TO = Text("acknowledges everything before {number}", "确认 {number} 之前的全部数据")
ACKED_NOTHING_NEW = Text("acknowledges nothing new", "没有确认新的数据")

# ---------------------------------------------------------------- closing

CLOSE_FIN = Text(
    "close {step} of {steps}: {who} will send no more", "第{step}次挥手：{who} 不再发送数据"
)
CLOSE_ACK = Text(
    "close {step} of {steps}: {who} acknowledges the FIN", "第{step}次挥手：{who} 确认对方的 FIN"
)
CLOSE_FIN_ACK = Text(
    "close {step} of {steps}: {who} acknowledges the FIN, sends its own",
    "第{step}次挥手：{who} 确认对方的 FIN，同时发出自己的 FIN",
)
FIN = Text("close: {who} has nothing more to send (FIN)", "挥手：{who} 不再发送数据（FIN）")
FIN_AND_ACK = Text(
    "close: FIN and ACK in one segment, {who} has nothing more to send",
    "挥手：FIN 与 ACK 合在一个报文段中，{who} 也不再发送数据",
)
FIN_ACKED = Text("close: {who} acknowledges {peer}'s FIN", "挥手：{who} 确认 {peer} 的 FIN")
RESET = Text("reset: {who} aborts the connection", "复位：{who} 中止连接")

CHINESE_ORDINALS = "零一二三四五六七八九"
"""For {step} in Chinese: 第一次挥手."""

# ---------------------------------------------------------------- other protocols

DATAGRAM = Text("datagram, {count} octet[|s]", "数据报，{count} 字节")
FRAGMENT = Text("a later fragment of an IP packet", "IP 分组的后续分片")
WHO_HAS = Text("who has {target}? tell {sender}", "谁有 {target}？请告诉 {sender}")
IS_AT = Text("{sender} is at {mac}", "{sender} 的 MAC 地址是 {mac}")
ANSWERS_PACKET = Text(
    "answers a {protocol} packet from {source} to {target}",
    "应答 {source} 发往 {target} 的 {protocol} 分组",
)
ANSWERS = Text("answers #{frame}", "应答 #{frame}")
MALFORMED = Text("malformed: a header contradicts itself or is cut", "畸形：首部自相矛盾或被截断")
CUT_SHORT = Text(
    "only {captured} of {length} octets were captured", "{length} 字节中只捕获了 {captured} 字节"
)

# ---------------------------------------------------------------- analysis flags

PROBES_WINDOW = Text(
    "zero window probe: an old number, only to draw an ACK (Wireshark: keep-alive)",
    "zero window probe：用旧序号引出对方的 ACK（零窗口探测；Wireshark 标为 keep-alive）",
)
FLAGS = {
    Analysis.RETRANSMISSION: Text(
        "retransmission: these octets were sent before",
        "retransmission：这些字节此前发送过（重传）",
    ),
    Analysis.FAST_RETRANSMISSION: Text(
        "fast retransmission: duplicate ACKs asked for it",
        "fast retransmission：由重复 ACK 触发的快速重传",
    ),
    Analysis.SPURIOUS_RETRANSMISSION: Text(
        "spurious retransmission: already acknowledged",
        "spurious retransmission：已被确认，本不必重传",
    ),
    Analysis.OUT_OF_ORDER: Text(
        "out of order: earlier octets come late", "out of order：次序颠倒，较早的字节后到"
    ),
    Analysis.LOST_SEGMENT: Text(
        "a segment before this one is missing from the capture", "抓包中缺少此前的报文段"
    ),
    Analysis.ACK_LOST_SEGMENT: Text(
        "acknowledges a segment that the capture lacks", "确认了抓包中没有的报文段"
    ),
    Analysis.DUPLICATE_ACK: Text("duplicate ACK #{nth}", "duplicate ACK #{nth}（重复确认）"),
    Analysis.KEEP_ALIVE: Text(
        "keep-alive: are you still there?", "keep-alive：对方是否仍在（保活探测）"
    ),
    Analysis.KEEP_ALIVE_ACK: Text("keep-alive ACK: still here", "keep-alive ACK：仍在"),
    Analysis.ZERO_WINDOW: Text(
        "zero window: {who} can take no more", "zero window：{who} 无法再接收（零窗口）"
    ),
    Analysis.WINDOW_UPDATE: Text(
        "window update: {who} has room again", "window update：{who} 又有了接收空间（窗口更新）"
    ),
    Analysis.WINDOW_FULL: Text(
        "window full: fills what {peer} announced", "window full：填满了 {peer} 通告的窗口"
    ),
    Analysis.ZERO_WINDOW_PROBE: Text("zero window probe", "zero window probe（零窗口探测）"),
    Analysis.ZERO_WINDOW_PROBE_ACK: Text(
        "answer to the zero window probe", "zero window probe 的应答"
    ),
    Analysis.REUSED_PORTS: Text(
        "the ports of an earlier connection are used again", "重新使用了先前连接的端口"
    ),
}


@lru_cache(1024)
def octets(count: int, words: Text = DATA) -> Text:
    """A count of octets."""
    return words.fill(count=f"{count:,}")
