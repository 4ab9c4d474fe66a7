"""Loss and its repair, and how fast a sender may go."""

from __future__ import annotations

from lab.glossary.term import Term
from lab.text import Text, same

TERMS = (
    Term(
        id="retransmission",
        term=Text("retransmission", "重传（retransmission）"),
        sentence=Text(
            "Octets sent once more, because no acknowledgment of them came or duplicate ACKs point at a hole.",
            "再次发送的字节：因为没有等到确认，或重复 ACK 表明中间有缺口。",
        ),
        scenario="data_loss_rto",
        patterns=("retransmission", "retransmit", "重传"),
    ),
    Term(
        id="rtt",
        term=Text("RTT", "往返时间（RTT）"),
        sentence=Text(
            "The time from sending an octet to receiving its acknowledgment.",
            "从发出一个字节到收到对它的确认所经过的时间。",
        ),
        scenario="slow_start",
        patterns=("rtt", "round-trip time", "round trip time", "往返时间"),
    ),
    Term(
        id="srtt",
        term=Text("SRTT", "平滑往返时间（SRTT）"),
        sentence=Text(
            "A moving average of measured round trips: 7/8 of the old value and 1/8 of the new one.",
            "测得的往返时间的滑动平均：旧值占 7/8，新值占 1/8。",
        ),
        scenario="data_loss_rto",
        patterns=("srtt", "smoothed rtt", "smoothed round-trip time", "平滑往返时间"),
    ),
    Term(
        id="rto",
        term=Text("RTO", "重传超时（RTO）"),
        sentence=Text(
            "How long TCP waits for an acknowledgment before it sends again: SRTT and four times its variation.",
            "TCP 等多久还没有确认就重发：SRTT 加上四倍的偏差。",
        ),
        scenario="data_loss_rto",
        patterns=("rto", "retransmission timeout", "重传超时"),
    ),
    Term(
        id="backoff",
        term=Text("exponential backoff", "指数退避（exponential backoff）"),
        sentence=Text(
            "Each timeout in a row doubles the next wait, so that a crowded path is not crowded more.",
            "连续超时时，每次等待时间加倍，以免使拥挤的路径更加拥挤。",
        ),
        scenario="syn_blackhole",
        patterns=("exponential backoff", "backoff", "指数退避"),
    ),
    Term(
        id="duplicate_ack",
        term=Text("duplicate ACK", "重复 ACK（duplicate ACK）"),
        sentence=Text(
            "An ACK that repeats the last number: something later arrived, and the octet asked for is still missing.",
            "重复上一个确认号的 ACK：后面的数据到了，而所期待的字节仍然缺失。",
        ),
        scenario="fast_retransmit",
        patterns=("duplicate ack", "dup ack", "重复 ack", "重复确认"),
    ),
    Term(
        id="fast_retransmit",
        term=Text("fast retransmit", "快速重传（fast retransmit）"),
        sentence=Text(
            "Three duplicate ACKs make the sender resend the missing segment at once, before its timer ends.",
            "三个重复 ACK 使发送方不等定时器到期就立即重发缺失的报文段。",
        ),
        scenario="fast_retransmit",
        patterns=("fast retransmit", "fast retransmission", "快速重传"),
    ),
    Term(
        id="sack",
        term=Text("SACK", "选择确认（SACK）"),
        sentence=Text(
            "An option that lists blocks received beyond a hole, so that only the hole is sent again.",
            "列出缺口之后已收到的数据块的选项，这样只需重发缺口。",
        ),
        scenario="fast_retransmit",
        patterns=("sack", "selective acknowledgment", "选择确认"),
    ),
    Term(
        id="dsack",
        term=Text("DSACK", "重复 SACK（DSACK）"),
        sentence=Text(
            "A SACK block about data that came twice: it tells the sender that a copy was needless.",
            "说明某段数据到达了两次的 SACK 块，告诉发送方其中一份是多余的。",
        ),
        scenario="duplicate_segment",
        patterns=("dsack", "d-sack", "duplicate sack", "重复 sack"),
    ),
    Term(
        id="reordering",
        term=Text("reordering", "乱序（reordering）"),
        sentence=Text(
            "A segment arrives after one that was sent later; nothing is lost.",
            "报文段比后发的报文段更晚到达；并没有丢失。",
        ),
        scenario="reordering",
        patterns=("reordering", "out of order", "out-of-order", "乱序"),
    ),
    Term(
        id="spurious_retransmission",
        term=Text("spurious retransmission", "伪重传（spurious retransmission）"),
        sentence=Text(
            "Octets sent again although the first copy had arrived.",
            "第一份其实已经到达，却又重发的字节。",
        ),
        scenario="duplicate_segment",
        patterns=("spurious retransmission", "spurious", "伪重传"),
    ),
    Term(
        id="tail_loss_probe",
        term=Text("tail loss probe", "尾部丢失探测（tail loss probe）"),
        sentence=Text(
            "If the last segments stay unacknowledged, one is sent again after about two round trips.",
            "最后的报文段没有得到确认时，约两个往返后再发送其中一个。",
        ),
        scenario="tail_loss_probe",
        patterns=("tail loss probe", "tlp", "尾部丢失探测"),
    ),
    Term(
        id="flow_control",
        term=Text("flow control", "流量控制（flow control）"),
        sentence=Text(
            "The receiver's window limits the sender, so that the receiver's buffer does not overflow.",
            "接收方用窗口限制发送方，使接收缓冲区不会溢出。",
        ),
        scenario="zero_window",
        patterns=("flow control", "流量控制"),
    ),
    Term(
        id="receive_window",
        term=Text("receive window", "接收窗口（receive window）"),
        sentence=Text(
            "How many octets beyond the acknowledgment number the receiver will take, in every segment's window field.",
            "接收方在确认号之后还愿意接收的字节数，写在每个报文段的窗口字段中。",
        ),
        scenario="zero_window",
        patterns=("receive window", "receiver window", "rwnd", "接收窗口"),
    ),
    Term(
        id="zero_window",
        term=Text("zero window", "零窗口（zero window）"),
        sentence=Text(
            "The receiver announces that its buffer is full; the sender must stop.",
            "接收方宣布缓冲区已满，发送方必须停止。",
        ),
        scenario="zero_window",
        patterns=("zero window", "零窗口"),
    ),
    Term(
        id="window_probe",
        term=Text("window probe", "窗口探测（window probe）"),
        sentence=Text(
            "A segment sent at a zero window, so that a lost window update cannot stall both ends for ever.",
            "零窗口时发出的报文段，避免窗口更新丢失后双方永远等待。",
        ),
        scenario="zero_window",
        patterns=("window probe", "zero window probe", "persist timer", "窗口探测", "坚持定时器"),
    ),
    Term(
        id="window_update",
        term=Text("window update", "窗口更新（window update）"),
        sentence=Text(
            "An ACK that acknowledges nothing new and announces a larger window.",
            "不确认新数据、只宣布更大窗口的 ACK。",
        ),
        scenario="zero_window",
        patterns=("window update", "窗口更新"),
    ),
    Term(
        id="nagle",
        term=Text("Nagle's algorithm", "Nagle 算法（Nagle's algorithm）"),
        sentence=Text(
            "While data is unacknowledged, a small segment waits until the ACK comes or more data fills it.",
            "还有数据未被确认时，小报文段要等 ACK 到达，或等数据凑满。",
        ),
        scenario="nagle_delack",
        patterns=("nagle", "nagle's algorithm", "nagle 算法"),
    ),
    Term(
        id="nodelay",
        term=same("TCP_NODELAY"),
        sentence=Text(
            "The socket option that switches Nagle's algorithm off.",
            "关闭 Nagle 算法的套接字选项。",
        ),
        scenario="nagle_delack:nodelay",
        patterns=("tcp_nodelay",),
    ),
    Term(
        id="cork",
        term=same("TCP_CORK"),
        sentence=Text(
            "The Linux option that holds back every partial segment until it is taken off, for 200 ms at most.",
            "Linux 的选项：扣住未满的报文段，直到取消该选项，最多 200 毫秒。",
        ),
        scenario="nagle_delack:cork",
        patterns=("tcp_cork",),
    ),
    Term(
        id="delayed_ack",
        term=Text("delayed ACK", "延迟确认（delayed ACK）"),
        sentence=Text(
            "The receiver holds a pure ACK back for a moment, hoping to send it along with data.",
            "接收方把纯 ACK 稍作推迟，希望能与数据一起发送。",
        ),
        scenario="nagle_delack",
        patterns=("delayed ack", "delayed acknowledgment", "延迟确认"),
    ),
    Term(
        id="congestion_control",
        term=Text("congestion control", "拥塞控制（congestion control）"),
        sentence=Text(
            "The sender limits itself by what it infers of the path, so that the network does not collapse.",
            "发送方根据对路径的推断限制自己，使网络不致崩溃。",
        ),
        scenario="slow_start",
        patterns=("congestion control", "拥塞控制"),
    ),
    Term(
        id="cwnd",
        term=Text("cwnd", "拥塞窗口（cwnd）"),
        sentence=Text(
            "How much the sender lets be unacknowledged for the path's sake; no segment carries it.",
            "发送方为顾及路径而允许的未确认数据量；任何报文段都不携带它。",
        ),
        scenario="slow_start",
        patterns=("cwnd", "congestion window", "拥塞窗口"),
    ),
    Term(
        id="ssthresh",
        term=Text("ssthresh", "慢启动阈值（ssthresh）"),
        sentence=Text(
            "The congestion window at which slow start gives way to congestion avoidance.",
            "拥塞窗口到达此值时，由慢启动转为拥塞避免。",
        ),
        scenario="slow_start",
        patterns=("ssthresh", "slow start threshold", "慢启动阈值"),
    ),
    Term(
        id="slow_start",
        term=Text("slow start", "慢启动（slow start）"),
        sentence=Text(
            "The congestion window grows by what each ACK covers and so doubles in a round trip.",
            "拥塞窗口按每个 ACK 确认的数据量增大，因此每个往返翻倍。",
        ),
        scenario="slow_start",
        patterns=("slow start", "慢启动"),
    ),
    Term(
        id="congestion_avoidance",
        term=Text("congestion avoidance", "拥塞避免（congestion avoidance）"),
        sentence=Text(
            "Above ssthresh the window grows slowly: for Reno by about one segment a round trip.",
            "超过 ssthresh 后窗口缓慢增大：Reno 每个往返约增加一个报文段。",
        ),
        scenario="cc_compare",
        patterns=("congestion avoidance", "拥塞避免"),
    ),
    Term(
        id="fast_recovery",
        term=Text("fast recovery", "快速恢复（fast recovery）"),
        sentence=Text(
            "After a fast retransmit the sender lowers its window and goes on sending, without slow start.",
            "快速重传之后，发送方减小窗口并继续发送，不回到慢启动。",
        ),
        scenario="fast_retransmit",
        patterns=("fast recovery", "快速恢复"),
    ),
    Term(
        id="flight_size",
        term=Text("bytes in flight", "在途字节（bytes in flight）"),
        sentence=Text(
            "What was sent and is not yet acknowledged; at most the smaller of the two windows.",
            "已发送而尚未确认的数据量，不超过两个窗口中较小的一个。",
        ),
        scenario="slow_start",
        patterns=("bytes in flight", "flight size", "in flight", "在途字节"),
    ),
    Term(
        id="cubic",
        term=same("CUBIC"),
        sentence=Text(
            "Linux's usual congestion control: after a loss the window follows a cubic curve of time.",
            "Linux 默认的拥塞控制：丢失之后，窗口按时间的三次曲线增长。",
        ),
        scenario="cc_compare",
        patterns=("cubic",),
    ),
    Term(
        id="bbr",
        term=same("BBR"),
        sentence=Text(
            "A congestion control that models bandwidth and shortest round trip, and does not take each loss for congestion.",
            "一种拥塞控制：对带宽和最短往返时间建模，不把每次丢失都当作拥塞。",
        ),
        scenario="cc_compare",
        patterns=("bbr",),
    ),
    Term(
        id="ecn",
        term=Text("ECN", "显式拥塞通知（ECN）"),
        sentence=Text(
            "A router marks packets in place of dropping them, and the receiver tells the sender of the mark.",
            "路由器以标记代替丢弃分组，再由接收方把标记告知发送方。",
        ),
        scenario="ecn_negotiation",
        patterns=("ecn", "explicit congestion notification", "显式拥塞通知"),
    ),
    Term(
        id="bdp",
        term=Text("bandwidth-delay product", "带宽时延积（bandwidth-delay product）"),
        sentence=Text(
            "Bandwidth times round trip: how much must be in flight to keep a path busy.",
            "带宽乘以往返时间：要使路径满载，必须有这么多数据在途。",
        ),
        scenario="window_scaling",
        patterns=("bandwidth-delay product", "带宽时延积"),
    ),
    Term(
        id="user_timeout",
        term=Text("TCP user timeout", "TCP 用户超时（TCP_USER_TIMEOUT）"),
        sentence=Text(
            "How long sent data may stay unacknowledged before TCP gives the connection up with ETIMEDOUT.",
            "已发数据可以多久得不到确认；超过后 TCP 以 ETIMEDOUT 放弃连接。",
        ),
        scenario="syn_blackhole:user_timeout",
        patterns=("tcp_user_timeout", "user timeout", "用户超时"),
    ),
)
