"""Terms that stand side by side in a text and are not the same: what is confused less often."""

from __future__ import annotations

from lab.glossary.term import Confusion
from lab.text import Text

NEIGHBOURS = (
    Confusion(
        ("tcp", "udp"),
        Text(
            "TCP carries one stream of octets and repairs loss. UDP carries single datagrams, and repairs nothing.",
            "TCP 传送一条字节流并修复丢失。UDP 传送单个数据报，什么也不修复。",
        ),
    ),
    Confusion(
        ("header", "option", "payload"),
        Text(
            "Headers are for kernels and routers, and an option lengthens one. The payload is for the program.",
            "首部给内核和路由器看，选项使首部变长。载荷给程序看。",
        ),
    ),
    Confusion(
        ("path_mtu_discovery", "pmtu_black_hole"),
        Text(
            "Path MTU discovery works by ICMP errors. In a black hole those errors never arrive.",
            "路径 MTU 发现依靠 ICMP 差错。在黑洞中，这些差错永远到不了。",
        ),
    ),
    Confusion(
        ("icmp", "arp"),
        Text(
            "ICMP travels in IP packets, through routers. ARP has no IP header and never leaves its link.",
            "ICMP 由 IP 分组携带，可以穿过路由器。ARP 没有 IP 首部，从不离开所在链路。",
        ),
    ),
    Confusion(
        ("ip_address", "port"),
        Text(
            "The address leads to an interface of a host. The port leads to a socket within that host.",
            "地址通向主机的一个接口。端口通向该主机内的一个套接字。",
        ),
    ),
    Confusion(
        ("four_tuple", "port"),
        Text(
            "A port alone names no connection. A server holds thousands on one port, each with another four-tuple.",
            "端口本身不能确定连接。服务器在一个端口上可有成千上万个连接，四元组各不相同。",
        ),
    ),
    Confusion(
        ("connection", "socket"),
        Text(
            "A socket is an object of one kernel. A connection is shared by two of them, one at each end.",
            "套接字是一个内核中的对象。连接由两端各一个套接字共同构成。",
        ),
    ),
    Confusion(
        ("full_duplex", "half_close"),
        Text(
            "Full duplex means two directions at once. A half-close ends one of them and leaves the other.",
            "全双工是两个方向同时可用。半关闭结束其中一个方向，保留另一个。",
        ),
    ),
    Confusion(
        ("unicast", "multicast"),
        Text(
            "Unicast reaches one interface, multicast every member of a group. TCP needs unicast, for one peer must acknowledge.",
            "单播到达一个接口，组播到达组内所有成员。TCP 只能单播，因为要由一个对端来确认。",
        ),
    ),
    Confusion(
        ("dual_stack", "wildcard_address"),
        Text(
            "A socket on :: with dual stack serves IPv6 and IPv4. One on 0.0.0.0 serves IPv4 only.",
            "双栈的 :: 套接字同时服务 IPv6 和 IPv4。绑定 0.0.0.0 的只服务 IPv4。",
        ),
    ),
    Confusion(
        ("vantage_point", "capture_drop"),
        Text(
            "What a vantage point cannot see is not in its capture. What the capture dropped did pass there.",
            "捕获点看不到的，抓包里自然没有。被抓包丢弃的，其实经过了那里。",
        ),
    ),
    Confusion(
        ("handshake", "tls"),
        Text(
            "The TCP handshake agrees on numbers and comes first. The TLS handshake agrees on keys, in TCP's stream.",
            "TCP 握手商定序号，在先。TLS 握手在 TCP 字节流中商定密钥。",
        ),
    ),
    Confusion(
        ("syn", "isn"),
        Text(
            "SYN is a bit that announces. The ISN is the number that it announces.",
            "SYN 是一个控制位，用来宣布。ISN 是它所宣布的序号。",
        ),
    ),
    Confusion(
        ("syn_ack", "ack"),
        Text(
            "SYN,ACK is one segment with two bits set. ACK alone announces no number of its own.",
            "SYN,ACK 是同时置两个位的一个报文段。单独的 ACK 不宣布自己的初始序号。",
        ),
    ),
    Confusion(
        ("ack", "acknowledgment_number"),
        Text(
            "ACK is the bit that makes the field valid. The acknowledgment number is what the field says.",
            "ACK 是使该字段有效的控制位。确认号是字段的内容。",
        ),
    ),
    Confusion(
        ("active_open", "passive_open"),
        Text(
            "The active open sends the SYN. The passive open waits for one and sends nothing by itself.",
            "主动打开发送 SYN。被动打开等待 SYN，自己什么也不发。",
        ),
    ),
    Confusion(
        ("simultaneous_open", "simultaneous_close"),
        Text(
            "In one the SYNs cross, in the other the FINs. Neither needs the other to happen.",
            "前者是 SYN 交错，后者是 FIN 交错。两者互不相干。",
        ),
    ),
    Confusion(
        ("listening_socket", "passive_open"),
        Text(
            "The passive open is the act, listen(). The listening socket is what it makes, and it never carries data.",
            "被动打开是动作，即 listen()。监听套接字是它的结果，从不传送数据。",
        ),
    ),
    Confusion(
        ("backlog", "accept_queue"),
        Text(
            "The backlog is a limit. The accept queue is what it limits.",
            "backlog 是上限。全连接队列是它所限制的对象。",
        ),
    ),
    Confusion(
        ("syn_flood", "port_scan"),
        Text(
            "A flood wants to fill a queue and ignores the answers. A scan sends few SYNs and reads each answer.",
            "洪泛要填满队列，不理会应答。扫描只发少量 SYN，并逐一读取应答。",
        ),
    ),
    Confusion(
        ("syn_cookie", "fast_open"),
        Text(
            "A SYN cookie hides in the server's ISN, to save memory. A Fast Open cookie is an option, to save a round trip.",
            "SYN Cookie 藏在服务器的 ISN 中，为节省内存。Fast Open cookie 是一个选项，为节省一个往返。",
        ),
    ),
    Confusion(
        ("timestamps", "rtt"),
        Text(
            "Timestamps are an option in the segments. The RTT is what an end computes from their echo.",
            "时间戳是报文段中的选项。RTT 是一端由其回显算出的结果。",
        ),
    ),
    Confusion(
        ("window_scale", "receive_window"),
        Text(
            "The scale is fixed by the SYN. The window changes with every ACK, and is the field shifted by the scale.",
            "窗口因子由 SYN 定死。窗口随每个 ACK 变化，等于字段值按因子左移。",
        ),
    ),
    Confusion(
        ("deferred_accept", "fast_open"),
        Text(
            "Deferred accept waits for data after the handshake. Fast Open carries data within the handshake.",
            "延迟接受是握手之后等数据。Fast Open 是在握手之中带数据。",
        ),
    ),
    Confusion(
        ("mptcp", "four_tuple"),
        Text(
            "A TCP connection has one four-tuple. A Multipath TCP connection has one for each subflow.",
            "一个 TCP 连接只有一个四元组。多路径 TCP 连接的每个子流各有一个。",
        ),
    ),
    Confusion(
        ("off_path_attack", "time_wait_assassination"),
        Text(
            "An attacker off the path must guess a number. In an assassination an honest end sends the RST, with the right one.",
            "路径外攻击者必须猜中序号。TIME-WAIT 刺杀中，RST 由诚实的一端发出，序号正确。",
        ),
    ),
    Confusion(
        ("three_segment_close", "simultaneous_close"),
        Text(
            "In three segments the second end has seen the FIN before it sends its own. In a simultaneous close it has not.",
            "三段挥手中，后关闭者发出 FIN 前已收到对方的 FIN。同时关闭时则没有收到。",
        ),
    ),
    Confusion(
        ("end_of_file", "connection_reset"),
        Text(
            "End of file is a peer that has finished. A reset is one that has given up, and data may be lost.",
            "文件结束表示对端已说完。复位表示对端已放弃，数据可能丢失。",
        ),
    ),
    Confusion(
        ("state", "connection"),
        Text(
            "A state belongs to one end. The two ends of a connection are often in different ones.",
            "状态属于一端。连接的两端往往处于不同状态。",
        ),
    ),
    Confusion(
        ("listen_state", "syn_received"),
        Text(
            "LISTEN belongs to the listening socket, which stays there. SYN-RECEIVED belongs to one client's half-made connection.",
            "LISTEN 属于监听套接字，一直不变。SYN-RECEIVED 属于某个客户端尚未建成的连接。",
        ),
    ),
    Confusion(
        ("syn_sent", "syn_received"),
        Text(
            "SYN-SENT has sent a SYN and seen none. SYN-RECEIVED has done both.",
            "SYN-SENT 已发出 SYN 而未收到。SYN-RECEIVED 既已发出也已收到。",
        ),
    ),
    Confusion(
        ("established", "syn_received"),
        Text(
            "The client is ESTABLISHED a flight time before the server. Until the third segment arrives, the server is in SYN-RECEIVED.",
            "客户端比服务器早一个单程时间进入 ESTABLISHED。第三个报文段到达之前，服务器处于 SYN-RECEIVED。",
        ),
    ),
    Confusion(
        ("fin_wait_1", "fin_wait_2"),
        Text(
            "In FIN-WAIT-1 the own FIN is not acknowledged. In FIN-WAIT-2 it is, and only the other's FIN is lacking.",
            "FIN-WAIT-1 中自己的 FIN 尚未被确认。FIN-WAIT-2 中已被确认，只缺对方的 FIN。",
        ),
    ),
    Confusion(
        ("closing", "last_ack"),
        Text(
            "Both wait for the ACK of their FIN. In CLOSING it left before the other's came, and TIME-WAIT follows; LAST-ACK has none.",
            "两者都在等对自己 FIN 的 ACK。CLOSING 的 FIN 在收到对方的 FIN 之前已发出，之后进入 TIME-WAIT；LAST-ACK 之后则没有。",
        ),
    ),
    Confusion(
        ("msl", "time_wait"),
        Text(
            "The MSL is the life of a segment. TIME-WAIT lasts two of them.",
            "MSL 是报文段的寿命。TIME-WAIT 持续两个 MSL。",
        ),
    ),
    Confusion(
        ("orphan", "half_open"),
        Text(
            "Of an orphan the program is gone. Of a half-open connection the other end is gone.",
            "孤儿连接缺的是本地程序。半开连接缺的是对端。",
        ),
    ),
    Confusion(
        ("srtt", "rtt"),
        Text(
            "The RTT is one measurement. The SRTT is their moving average, from which the timeout is made.",
            "RTT 是一次测量。SRTT 是它们的滑动平均，超时时间由它得出。",
        ),
    ),
    Confusion(
        ("backoff", "rto"),
        Text(
            "The RTO is how long the timer waits. Backoff doubles it after each timeout in a row.",
            "RTO 是定时器等多久。退避使它在每次连续超时后加倍。",
        ),
    ),
    Confusion(
        ("spurious_retransmission", "retransmission"),
        Text(
            "A retransmission repeats what may be lost. It is spurious if the first copy had arrived.",
            "重传是重发可能丢失的数据。若首份早已到达，就是不必要的重传。",
        ),
    ),
    Confusion(
        ("tail_loss_probe", "window_probe"),
        Text(
            "A tail loss probe repeats data to draw an ACK. A window probe asks a receiver that announced zero.",
            "尾部丢失探测重发数据以引出 ACK。窗口探测询问通告过零窗口的接收方。",
        ),
    ),
    Confusion(
        ("zero_window", "cwnd"),
        Text(
            "A zero window is the receiver's full buffer. A small cwnd is the sender's own caution.",
            "零窗口是接收方缓冲区已满。cwnd 很小是发送方自己的谨慎。",
        ),
    ),
    Confusion(
        ("slow_start", "congestion_avoidance", "ssthresh"),
        Text(
            "Below ssthresh slow start doubles the window in a round trip. Above it congestion avoidance adds about one segment.",
            "在 ssthresh 之下，慢启动每个往返使窗口加倍。在其之上，拥塞避免约增加一个报文段。",
        ),
    ),
    Confusion(
        ("fast_recovery", "fast_retransmit"),
        Text(
            "Fast retransmit repeats one segment. Fast recovery is how the window behaves afterwards.",
            "快速重传是重发一个报文段。快速恢复是此后窗口的变化方式。",
        ),
    ),
    Confusion(
        ("flight_size", "bdp"),
        Text(
            "The flight size is what is under way now. The BDP is what should be, to fill the path.",
            "在途数据量是此刻路上有多少。BDP 是填满路径应有多少。",
        ),
    ),
    Confusion(
        ("cubic", "bbr"),
        Text(
            "CUBIC takes each loss for congestion and gives way. BBR paces by its model, and hardly minds loss.",
            "CUBIC 把每次丢包视为拥塞而退让。BBR 按模型控制节奏，几乎不在意丢包。",
        ),
    ),
    Confusion(
        ("ecn", "flow_control"),
        Text(
            "ECN speaks of a queue on the way. Flow control speaks of the receiver's buffer.",
            "ECN 说的是途中的队列。流量控制说的是接收方的缓冲区。",
        ),
    ),
    Confusion(
        ("system_call", "segment"),
        Text(
            "A call to send() is not a segment. One call may become many segments, and many calls one.",
            "一次 send() 调用不是一个报文段。一次调用可变成多个报文段，多次调用也可合成一个。",
        ),
    ),
    Confusion(
        ("bind", "connected_udp"),
        Text(
            "bind() fixes a socket's own address. connect() on UDP fixes the peer's; neither sends anything.",
            "bind() 固定自己的地址。UDP 的 connect() 固定对端的地址；两者都不发送任何东西。",
        ),
    ),
    Confusion(
        ("unix_socket", "loopback"),
        Text(
            "Loopback traffic is real IP packets, of one host. A Unix socket has no packets at all.",
            "环回流量是同一主机内真正的 IP 分组。Unix 套接字根本没有分组。",
        ),
    ),
    Confusion(
        ("send_buffer", "receive_buffer"),
        Text(
            "What was sent waits in the send buffer for its ACK. What arrived waits in the receive buffer for recv().",
            "已发送的数据在发送缓冲区等 ACK。已到达的数据在接收缓冲区等 recv()。",
        ),
    ),
    Confusion(
        ("receive_overflow", "zero_window"),
        Text(
            "A full UDP socket discards what comes. A full TCP socket announces a zero window, and the sender waits.",
            "UDP 套接字满了就丢弃后来的数据。TCP 套接字满了则通告零窗口，发送方等待。",
        ),
    ),
    Confusion(
        ("framing", "encoding"),
        Text(
            "Framing says where a message ends. An encoding says what its octets mean.",
            "定界说明消息在哪里结束。编码说明字节是什么意思。",
        ),
    ),
    Confusion(
        ("blocking", "nonblocking"),
        Text(
            "A blocking call sleeps until there is a result. A nonblocking one returns at once, with EAGAIN if there is none.",
            "阻塞调用睡到有结果为止。非阻塞调用立即返回，没有结果就报 EAGAIN。",
        ),
    ),
    Confusion(
        ("concurrent_server", "iterative_server"),
        Text(
            "With an iterative server the second client connects too, but waits for its answer. A concurrent server answers both.",
            "迭代服务器的第二个客户端也能连上，只是等不到应答。并发服务器同时应答两者。",
        ),
    ),
    Confusion(
        ("urgent_data", "byte_stream"),
        Text(
            "The urgent octet is part of the stream's numbers. Linux hands it out apart, so plain recv() lacks it.",
            "紧急字节也占用流的序号。Linux 把它单独交出，因此普通 recv() 读不到它。",
        ),
    ),
)
