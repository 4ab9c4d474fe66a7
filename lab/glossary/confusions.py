"""What is taken for one another, and what the difference is."""

from __future__ import annotations

from lab.glossary.term import Confusion
from lab.text import Text

CONFUSIONS = (
    Confusion(
        ("half_open", "half_close"),
        Text(
            "Half-open is an accident: one end has lost the connection. Half-closed is intended: one direction has ended with a FIN.",
            "半开是意外：一端已经没有这个连接。半关闭是有意的：一个方向以 FIN 正常结束。",
        ),
    ),
    Confusion(
        ("half_open", "embryonic"),
        Text(
            "A half-open connection was established and one end lost it. An embryonic one has not finished its handshake.",
            "半开连接曾经建立，后来一端失去了它。半连接则还没有完成握手。",
        ),
    ),
    Confusion(
        ("syn_queue", "accept_queue"),
        Text(
            "The SYN queue holds handshakes that lack their last ACK. The accept queue holds finished ones that no accept() has taken.",
            "半连接队列存放还缺最后一个 ACK 的握手。全连接队列存放已经完成、等待 accept() 的连接。",
        ),
    ),
    Confusion(
        ("keepalive", "http_keep_alive"),
        Text(
            "TCP keep-alive is the kernel's probe of an idle peer. HTTP keep-alive reuses one connection for more requests.",
            "TCP 保活是内核对空闲对端的探测。HTTP 持久连接是让一个连接承载多个请求。",
        ),
    ),
    Confusion(
        ("keepalive", "heartbeat"),
        Text(
            "A kernel answers keep-alive probes even if its program hangs. Only a program answers a heartbeat.",
            "程序卡死时，内核照样回应保活探测。心跳只能由程序来回答。",
        ),
    ),
    Confusion(
        ("mss", "mtu"),
        Text(
            "The MTU limits the whole packet; the MSS limits the data in it. Over IPv4 with plain headers the MSS is 40 octets less.",
            "MTU 限制整个分组，MSS 只限制其中的数据。IPv4 且首部无选项时，MSS 比 MTU 少 40 字节。",
        ),
    ),
    Confusion(
        ("flow_control", "congestion_control"),
        Text(
            "Flow control protects the receiver, and the receiver announces its limit. Congestion control protects the network, and the sender infers its limit.",
            "流量控制保护接收方，上限由接收方宣布。拥塞控制保护网络，上限由发送方推断。",
        ),
    ),
    Confusion(
        ("receive_window", "cwnd"),
        Text(
            "The receive window is in every segment. The congestion window exists only in the sender; the smaller one counts.",
            "接收窗口写在每个报文段里。拥塞窗口只存在于发送方；以较小者为准。",
        ),
    ),
    Confusion(
        ("duplicate_ack", "retransmission"),
        Text(
            "A duplicate ACK comes from the receiver and carries no data. A retransmission comes from the sender and repeats data.",
            "重复 ACK 由接收方发出，不带数据。重传由发送方发出，重复已发的数据。",
        ),
    ),
    Confusion(
        ("duplicate_ack", "window_update"),
        Text(
            "Both acknowledge nothing new. A window update announces another window; a duplicate ACK repeats the same one.",
            "两者都不确认新数据。窗口更新宣布不同的窗口，重复 ACK 的窗口不变。",
        ),
    ),
    Confusion(
        ("segment", "packet", "frame", "datagram"),
        Text(
            "A frame crosses one link and holds a packet. The packet crosses the network and holds a TCP segment or a UDP datagram.",
            "帧经过一段链路，内含分组。分组穿过网络，内含 TCP 报文段或 UDP 数据报。",
        ),
    ),
    Confusion(
        ("segment", "fragment"),
        Text(
            "TCP cuts its stream into segments, each with a TCP header. IP cuts a packet into fragments; only the first has that header.",
            "TCP 把字节流切成报文段，每段都有 TCP 首部。IP 把分组切成分片，只有第一片带有该首部。",
        ),
    ),
    Confusion(
        ("byte_stream", "datagram"),
        Text(
            "A stream keeps the order of octets and no boundaries. A datagram keeps its boundary, and no order among datagrams.",
            "字节流保证字节顺序，但没有边界。数据报保留边界，但彼此之间不保证顺序。",
        ),
    ),
    Confusion(
        ("program_timeout", "kernel_timeout", "user_timeout"),
        Text(
            "The first two end one waiting call and leave the connection alone. TCP's user timeout ends the connection itself.",
            "前两者只结束一次等待中的调用，连接不变。TCP 用户超时则终止连接本身。",
        ),
    ),
    Confusion(
        ("rtt", "rto"),
        Text(
            "The RTT is measured. The RTO is computed from it, and is longer, so that a slow ACK causes no retransmission.",
            "RTT 是测得的。RTO 由它算出且更长，以免 ACK 稍慢就引起重传。",
        ),
    ),
    Confusion(
        ("rto", "fast_retransmit"),
        Text(
            "A timeout waits for silence and shrinks the window to the least. A fast retransmit acts on duplicate ACKs and halves it at most.",
            "超时靠等待，并把窗口降到最小。快速重传由重复 ACK 触发，窗口只适度减小。",
        ),
    ),
    Confusion(
        ("retransmission", "reordering"),
        Text(
            "A retransmission is sent twice. A reordered segment is sent once and overtaken; a single capture can mistake one for the other.",
            "重传是发送两次。乱序是只发一次但被后来者超过；只看一处抓包可能把两者弄混。",
        ),
    ),
    Confusion(
        ("sack", "dsack"),
        Text(
            "A SACK block reports data beyond a hole. A DSACK block reports data that came twice.",
            "SACK 块报告缺口之后的数据。DSACK 块报告到达了两次的数据。",
        ),
    ),
    Confusion(
        ("nagle", "delayed_ack"),
        Text(
            "Nagle's algorithm holds back small data at the sender. The delayed ACK holds back an ACK at the receiver.",
            "Nagle 算法在发送方推迟小数据。延迟确认在接收方推迟 ACK。",
        ),
    ),
    Confusion(
        ("nodelay", "cork"),
        Text(
            "TCP_NODELAY sends small segments at once. TCP_CORK holds them back until they are full.",
            "TCP_NODELAY 让小报文段立即发出。TCP_CORK 扣住它们，直到装满。",
        ),
    ),
    Confusion(
        ("window_probe", "keepalive"),
        Text(
            "A window probe is sent because the window is zero. A keep-alive is sent because nothing was said for long.",
            "窗口探测是因为窗口为零。保活是因为长时间没有往来。",
        ),
    ),
    Confusion(
        ("time_wait", "close_wait"),
        Text(
            "TIME-WAIT belongs to the end that closed first, and a timer ends it. CLOSE-WAIT waits for the program to close.",
            "TIME-WAIT 属于先关闭的一端，由定时器结束。CLOSE-WAIT 等待的是程序调用关闭。",
        ),
    ),
    Confusion(
        ("fin", "rst"),
        Text(
            "A FIN ends one direction after all data, and is acknowledged. A RST ends both at once; data may be lost.",
            "FIN 在数据发完后结束一个方向，并会被确认。RST 立即结束两个方向，数据可能丢失。",
        ),
    ),
    Confusion(
        ("close", "abortive_close"),
        Text(
            "A close sends what is left and then a FIN. An abortive close discards it and sends a RST.",
            "正常关闭先发完余下数据，再发 FIN。强制关闭丢弃余下数据，只发 RST。",
        ),
    ),
    Confusion(
        ("shutdown", "file_descriptor"),
        Text(
            "shutdown() ends a direction for every holder of the socket. close() gives up one descriptor; others keep the connection open.",
            "shutdown() 对所有持有者结束一个方向。close() 只放弃一个描述符，其他描述符仍使连接保持打开。",
        ),
    ),
    Confusion(
        ("so_reuseaddr", "so_reuseport"),
        Text(
            "SO_REUSEADDR gets past connections in TIME-WAIT. SO_REUSEPORT lets several sockets listen side by side.",
            "SO_REUSEADDR 用来绕过 TIME-WAIT 的占用。SO_REUSEPORT 让多个套接字并列监听。",
        ),
    ),
    Confusion(
        ("connection_refused", "black_hole"),
        Text(
            "A refusal is an answer and comes within a round trip. A black hole gives no answer, so the timers decide.",
            "被拒绝是一种回答，一个往返之内就到。黑洞没有回答，只能等定时器。",
        ),
    ),
    Confusion(
        ("connection_reset", "connection_refused"),
        Text(
            "Refused: the SYN was answered by a RST. Reset: a RST ended a connection that was open.",
            "被拒绝：SYN 得到的回答是 RST。被复位：已打开的连接被 RST 终止。",
        ),
    ),
    Confusion(
        ("connection_reset", "broken_pipe"),
        Text(
            "ECONNRESET reports the RST once. EPIPE answers sends after it, or after this end's own shutdown.",
            "ECONNRESET 报告一次 RST。此后或本端 shutdown 之后再发送，得到的是 EPIPE。",
        ),
    ),
    Confusion(
        ("sequence_number", "acknowledgment_number"),
        Text(
            "The sequence number counts what its sender sends. The acknowledgment number counts what it has received.",
            "序号计的是自己发送的字节。确认号计的是自己收到的字节。",
        ),
    ),
    Confusion(
        ("isn", "relative_number"),
        Text(
            "The ISN is on the wire and looks random. Relative numbers are the tool's and begin at 0 for the SYN.",
            "ISN 在线路上传送，看似随机。相对序号由工具算出，SYN 处为 0。",
        ),
    ),
    Confusion(
        ("loopback", "wildcard_address"),
        Text(
            "Bound to loopback, a server is reached from its own host only. Bound to the wildcard, it is reached through every address.",
            "绑定环回地址的服务器只能从本机访问。绑定通配地址的服务器可以经由本机任一地址访问。",
        ),
    ),
    Confusion(
        ("loopback", "private_address"),
        Text(
            "A loopback address never leaves the host. A private address works in the whole local network.",
            "环回地址不会离开本机。私有地址在整个本地网络中有效。",
        ),
    ),
    Confusion(
        ("system_port", "ephemeral_port"),
        Text(
            "System ports are assigned to services by IANA. Ephemeral ports are lent by the kernel for one connection.",
            "系统端口由 IANA 分配给服务。临时端口由内核借给一次连接使用。",
        ),
    ),
    Confusion(
        ("nat", "firewall"),
        Text(
            "NAT rewrites addresses and ports. A firewall decides whether a packet may pass; one device often does both.",
            "NAT 改写地址和端口。防火墙决定分组能否通过；同一台设备往往兼做两者。",
        ),
    ),
    Confusion(
        ("iana", "registry"),
        Text(
            "IANA keeps the whole space and gives large blocks. A regional registry gives parts of them to networks.",
            "IANA 管理全部地址空间，划出大块。地区注册机构再把其中一部分分给各网络。",
        ),
    ),
    Confusion(
        ("broadcast", "multicast"),
        Text(
            "Every host of the link receives a broadcast. Only hosts that joined the group receive a multicast.",
            "链路上的所有主机都会收到广播。只有加入该组的主机才收到组播。",
        ),
    ),
    Confusion(
        ("level_trigger", "edge_trigger"),
        Text(
            "A level trigger reports that data is there. An edge trigger reports that data has come; a half-read socket stays silent.",
            "水平触发报告“有数据”。边缘触发报告“来了数据”；只读了一半的套接字不再被报告。",
        ),
    ),
    Confusion(
        ("nonblocking", "readiness"),
        Text(
            "Non-blocking says how a call behaves. Readiness says when a call is worth making.",
            "非阻塞说的是调用如何表现。就绪说的是何时值得调用。",
        ),
    ),
    Confusion(
        ("truncation", "partial_read"),
        Text(
            "The rest of a truncated datagram is gone. The rest of a partial read is still there for the next recv().",
            "被截断的数据报，余下部分已经丢失。部分读取的余下内容，下次 recv() 还能读到。",
        ),
    ),
    Confusion(
        ("sticking", "partial_read"),
        Text(
            "Coalesced messages: one recv() returned too much. A partial read: it returned too little; framing cures both.",
            "粘包是一次 recv() 取多了。部分读取是取少了；两者都靠成帧解决。",
        ),
    ),
    Confusion(
        ("checksum", "tls"),
        Text(
            "A checksum finds accidents and anyone can recompute it. TLS also finds alterations made on purpose.",
            "校验和发现偶然差错，任何人都能重新计算。TLS 还能发现蓄意的改动。",
        ),
    ),
    Confusion(
        ("capture_drop", "black_hole"),
        Text(
            "A frame that the capture dropped did arrive. A packet in a black hole never does.",
            "抓包丢掉的帧其实已经到达。落入黑洞的分组永远不会到达。",
        ),
    ),
    Confusion(
        ("offload", "checksum"),
        Text(
            "With offload the card fills in the checksum later. A capture before it shows a wrong one, and nothing is damaged.",
            "卸载时由网卡稍后填写校验和。在此之前的抓包显示错误值，但数据并未损坏。",
        ),
    ),
    Confusion(
        ("port_unreachable", "connection_refused"),
        Text(
            "For UDP a closed port is reported by ICMP, and only a connected socket hears of it. For TCP it is a RST.",
            "UDP 端口关闭由 ICMP 报告，只有已连接的套接字才能得知。TCP 则用 RST 回答。",
        ),
    ),
)
