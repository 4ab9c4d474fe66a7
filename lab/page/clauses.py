"""What a frame does, in clauses without a subject: ``acknowledges 17 octets``."""

from __future__ import annotations

from lab.text import Text

# ---------------------------------------------------------------- opening

ASKS = Text("asks to open a connection", "请求建立连接")
ASKS_AGAIN = Text("asks again to open the connection", "再次请求建立连接")
ASKS_TOO = Text("asks to open the connection as well", "也请求建立连接")
AGREES = Text("agrees to open the connection", "同意建立连接")
AGREES_AGAIN = Text("agrees again to open the connection", "再次同意建立连接")
NUMBERED = Text("{told} (numbered from {isn})", "{told}（序号从 {isn} 开始）")
COMPLETES = Text("completes the handshake", "完成三次握手")

# ---------------------------------------------------------------- data

SENDS = Text("sends {size} ({first} to {last})", "发送 {size}（{first} 至 {last}）")
SENDS_ONE = Text("sends 1 octet ({first})", "发送 1 字节（{first}）")
AGAIN = Text("sends {size} again ({first} to {last})", "再次发送 {size}（{first} 至 {last}）")
AGAIN_ONE = Text("sends 1 octet again ({first})", "再次发送 1 字节（{first}）")
FILLS = Text("fills the window of {peer}", "填满 {peer}的窗口")
NEEDLESS = Text("{told}, though they were acknowledged", "{told}，此前已被确认")
ASKED_FOR = Text("{told}, as duplicate ACKs ask", "因重复 ACK {told}")
LATE = Text("{told}, which come after later ones", "{told}，比后面的字节晚到")

# ---------------------------------------------------------------- acknowledging

ACKS = Text("acknowledges {what}", "确认 {what}")
THE_SYN, THE_FIN = Text("the SYN", "对方的 SYN"), Text("the FIN", "对方的 FIN")
AND = Text("{one} and {other}", "{one} 和 {other}")
ACKS_BEFORE = Text("acknowledges everything before {number}", "确认 {number} 之前的全部数据")
ACKS_UNSEEN = Text("acknowledges octets that the capture lacks", "确认了抓包中没有的字节")
NOTHING_NEW = Text("acknowledges nothing new", "没有确认新的数据")
WAITS_FOR = Text(
    "repeats that it waits for number {number} (duplicate ACK {nth})",
    "重复说明在等待序号 {number}（第 {nth} 个重复 ACK）",
)
HOLDS = Text("holds {size} from beyond the gap", "已收下缺口之后的 {size}")
TWICE = Text("has received some octets twice", "有些字节收到了两次")
ROOM = Text("is ready for {size}", "还能接收 {size}")
MORE = Text("is ready for {count} more", "还能再接收 {count} 字节")
FULL = Text("can take no more", "无法再接收")
NEW_WINDOW = Text("announces a new window", "通告新的窗口")
STILL_THERE = Text("asks whether {peer} is still there", "询问 {peer}是否仍在")
HERE = Text("answers that it is still there", "回答自己仍在")
HAS_ROOM = Text("asks whether {peer} has room again", "询问 {peer}是否又有空间")
ANSWERS_PROBE = Text("answers the probe", "应答探测")

# ---------------------------------------------------------------- closing

HAS_SENT = Text("has sent {size} in all", "共发送了 {size}")
SENT_NOTHING = Text("has sent no data", "没有发送过数据")
LAST = Text("sends its last {size}", "发送最后的 {size}")
CLOSES = Text("closes its direction", "关闭自己的方向")
CLOSES_AGAIN = Text("sends its FIN again", "再次发送 FIN")
ABORTS = Text("aborts the connection", "中止连接")
REFUSES = Text(
    "refuses the connection: nothing listens on port {port}",
    "拒绝连接：端口 {port} 上没有程序监听",
)

# ---------------------------------------------------------------- other protocols

DATAGRAM = Text("sends a datagram of {size} to {peer}", "向 {peer}发送 {size} 的数据报")
EMPTY = Text("sends an empty datagram to {peer}", "向 {peer}发送一个空数据报")
FIRST_PART = Text("sends it in fragments, of which this is the first", "数据报被分片，此为首个分片")
PART = Text(
    "sends octets {first} to {last} of packet {id}, as a fragment",
    "以分片发送分组 {id} 的第 {first} 至 {last} 字节",
)
ANSWERS = Text("answers #{frame} with {message}", "以 {message} 应答 #{frame}")
REPORTS = Text(
    "answers a {protocol} packet of {source} with {message}",
    "以 {message} 应答 {source} 的 {protocol} 分组",
)
SENDS_MESSAGE = Text("sends an {message}", "发送 {message}")
NEXT_LINK = Text(
    "names {mtu} octet[|s] as the limit of the next link", "指出下一段链路的上限为 {mtu} 字节"
)
WHO_HAS = Text("asks who has {target}", "询问谁有 {target}")
IS_AT = Text("answers that its MAC address is {mac}", "回答自己的 MAC 地址是 {mac}")
GROUPS = Text("speaks of multicast groups (IGMP)", "通告或查询组播组成员（IGMP）")
PACKET = Text(
    "sends a packet of IP protocol {number}, {size}", "发送 IP 协议 {number} 的分组，{size}"
)
FRAME = Text("sends a frame of {size}", "发送 {size} 的帧")
MALFORMED = Text(
    "sends a frame of {size} whose headers contradict themselves or are cut",
    "发送 {size} 的帧，其首部自相矛盾或被截断",
)

# ---------------------------------------------------------------- what became of it

LOST = Text("{told}, but the frame is lost", "{told}，但该帧在途中丢失")
DROPPED = Text("{told}, but the receiver drops it", "{told}，但接收方的内核将其丢弃")
DOUBLED = Text("{told}, and the frame is doubled on the way", "{told}，该帧在途中被复制")
POSING = Text("{who}, posing as {sender},", "{who}冒充 {sender}，")
SOMEBODY = Text("Somebody", "有人")
