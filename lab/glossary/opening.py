"""How connections open: handshakes, numbers, queues, options."""

from __future__ import annotations

from lab.glossary.term import Term
from lab.text import Text, same

TERMS = (
    Term(
        id="handshake",
        term=Text("three-way handshake", "三次握手（three-way handshake）"),
        sentence=Text(
            "SYN, SYN,ACK, ACK: each end announces its initial sequence number and learns that the other has it.",
            "SYN、SYN,ACK、ACK：双方各自宣布初始序号，并得知对方已经收到。",
        ),
        scenario="tcp_lifecycle",
        patterns=("handshake", "three-way handshake", "三次握手", "握手"),
    ),
    Term(
        id="syn",
        term=same("SYN"),
        sentence=Text(
            "The control bit of an end's first segment; it announces the initial sequence number and counts as one octet.",
            "一端首个报文段的控制位；它宣布初始序号，并占用一个序号。",
        ),
        scenario="tcp_lifecycle",
        patterns=("syn",),
    ),
    Term(
        id="syn_ack",
        term=same("SYN,ACK"),
        sentence=Text(
            "The server's answer to a SYN: it acknowledges that number and announces its own.",
            "服务器对 SYN 的回答：确认对方的序号，同时宣布自己的序号。",
        ),
        scenario="synack_lost",
        patterns=("syn,ack", "syn-ack"),
    ),
    Term(
        id="ack",
        term=Text("ACK", "确认（ACK）"),
        sentence=Text(
            "The control bit that makes the acknowledgment field valid; nearly every segment after the first SYN carries it.",
            "使确认号字段有效的控制位；除第一个 SYN 外，几乎所有报文段都带有它。",
        ),
        scenario="third_ack_lost",
        patterns=("ack", "acknowledgment", "确认"),
    ),
    Term(
        id="sequence_number",
        term=Text("sequence number", "序号（sequence number）"),
        sentence=Text(
            "The place of a segment's first octet in its sender's stream, counted modulo 2^32 from the initial number.",
            "报文段首字节在发送方字节流中的位置，从初始序号起按模 2^32 计数。",
        ),
        scenario="seq_wrap",
        patterns=("sequence number", "seq", "序号"),
    ),
    Term(
        id="acknowledgment_number",
        term=Text("acknowledgment number", "确认号（acknowledgment number）"),
        sentence=Text(
            "The next octet that its sender expects; everything before it has arrived.",
            "发送者期待的下一个字节的序号；此前的字节都已到达。",
        ),
        scenario="data_before_accept",
        patterns=("acknowledgment number", "ack number", "确认号"),
    ),
    Term(
        id="relative_number",
        term=Text("relative sequence number", "相对序号（relative sequence number）"),
        sentence=Text(
            "The sequence number less the initial one, as tools show it; the wire carries the absolute number.",
            "序号减去初始序号后的值，供工具显示；线路上传的是绝对序号。",
        ),
        scenario="seq_wrap",
        patterns=("relative sequence number", "relative number", "相对序号"),
    ),
    Term(
        id="isn",
        term=Text("ISN", "初始序号（ISN）"),
        sentence=Text(
            "The sequence number of an end's SYN, hard to guess and different for each connection.",
            "一端 SYN 的序号，难以猜测，每个连接各不相同。",
        ),
        scenario="isn_clock",
        patterns=("isn", "initial sequence number", "初始序号"),
    ),
    Term(
        id="active_open",
        term=Text("active open", "主动打开（active open）"),
        sentence=Text(
            "To begin a connection: connect() sends the SYN and enters SYN-SENT.",
            "发起连接：connect() 发出 SYN，进入 SYN-SENT。",
        ),
        scenario="tcp_lifecycle",
        patterns=("active open", "主动打开"),
    ),
    Term(
        id="passive_open",
        term=Text("passive open", "被动打开（passive open）"),
        sentence=Text(
            "To wait for connections: listen() puts the socket into LISTEN and sends nothing.",
            "等待连接：listen() 使套接字进入 LISTEN，不发送任何内容。",
        ),
        scenario="data_before_accept",
        patterns=("passive open", "被动打开"),
    ),
    Term(
        id="simultaneous_open",
        term=Text("simultaneous open", "同时打开（simultaneous open）"),
        sentence=Text(
            "Both ends send a SYN before either has the other's; one connection comes of it.",
            "双方在收到对方的 SYN 之前都已发出 SYN；结果只有一个连接。",
        ),
        scenario="open_simultaneous",
        patterns=("simultaneous open", "同时打开"),
    ),
    Term(
        id="listening_socket",
        term=Text("listening socket", "监听套接字（listening socket）"),
        sentence=Text(
            "A socket in LISTEN; it carries no data, and accept() takes new sockets from its queue.",
            "处于 LISTEN 的套接字；它不传数据，accept() 从它的队列取出新的套接字。",
        ),
        scenario="rst_refused:before_server",
        patterns=("listening socket", "listen", "监听套接字", "监听"),
    ),
    Term(
        id="syn_queue",
        term=Text("SYN queue", "半连接队列（SYN queue）"),
        sentence=Text(
            "Connections of a listening socket in SYN-RECEIVED: the SYN,ACK is sent, its ACK has not come.",
            "监听套接字上处于 SYN-RECEIVED 的连接：已发出 SYN,ACK，尚未收到其 ACK。",
        ),
        scenario="accept_queue_overflow",
        patterns=("syn queue", "半连接队列"),
    ),
    Term(
        id="accept_queue",
        term=Text("accept queue", "全连接队列（accept queue）"),
        sentence=Text(
            "Connections whose handshake is done and which no accept() has taken yet.",
            "握手已经完成、但还没有被 accept() 取走的连接。",
        ),
        scenario="accept_queue_overflow",
        patterns=("accept queue", "全连接队列"),
    ),
    Term(
        id="backlog",
        term=Text("backlog", "backlog（积压上限）"),
        sentence=Text(
            "The argument of listen(): how long the accept queue may grow, capped by somaxconn.",
            "listen() 的参数：全连接队列允许的长度，受 somaxconn 限制。",
        ),
        scenario="accept_queue_late_full",
        patterns=("backlog", "积压上限"),
    ),
    Term(
        id="half_open",
        term=Text("half-open connection", "半开连接（half-open connection）"),
        sentence=Text(
            "One end believes the connection exists, the other has lost it, and neither has been told.",
            "一端认为连接还在，另一端已经没有它，而双方都没有得到通知。",
        ),
        scenario="half_open_vanished",
        patterns=("half-open connection", "half-open", "半开连接"),
    ),
    Term(
        id="embryonic",
        term=Text("embryonic connection", "半连接（embryonic connection）"),
        sentence=Text(
            "A connection in SYN-RECEIVED: the handshake has begun and its third segment is still missing.",
            "处于 SYN-RECEIVED 的连接：握手已经开始，还缺第三个报文段。",
        ),
        scenario="third_ack_lost",
        patterns=("embryonic connection", "半连接"),
    ),
    Term(
        id="syn_flood",
        term=Text("SYN flood", "SYN 泛洪（SYN flood）"),
        sentence=Text(
            "Many SYNs whose senders never finish the handshake, so that the SYN queue fills.",
            "大量 SYN 的发送者从不完成握手，使半连接队列被占满。",
        ),
        scenario="syn_flood_cookies",
        patterns=("syn flood", "syn 泛洪"),
    ),
    Term(
        id="syn_cookie",
        term=same("SYN cookie"),
        sentence=Text(
            "The server encodes the handshake in its ISN and keeps no entry; the ACK brings it back.",
            "服务器把握手信息编码进自己的 ISN 而不留条目，由对方的 ACK 带回。",
        ),
        scenario="syn_flood_cookies:cookies",
        patterns=("syn cookie", "syn cookies"),
    ),
    Term(
        id="option",
        term=Text("TCP option", "TCP 选项（TCP option）"),
        sentence=Text(
            "A field after the fixed 20 octets of the header; most are offered in the SYN only.",
            "固定 20 字节首部之后的字段；多数选项只在 SYN 中提出。",
        ),
        scenario="window_scaling",
        patterns=("tcp option", "tcp 选项"),
    ),
    Term(
        id="timestamps",
        term=Text("timestamps option", "时间戳选项（timestamps option）"),
        sentence=Text(
            "Each segment carries its sender's clock and echoes the other's: to measure round trips, and to spot old segments.",
            "每个报文段带上发送方的时钟并回显对方的时钟，用于测量往返时间和识别旧报文段。",
        ),
        scenario="time_wait_new_syn",
        patterns=("timestamps option", "tcp timestamps", "时间戳选项"),
    ),
    Term(
        id="window_scale",
        term=Text("window scale", "窗口扩大（window scale）"),
        sentence=Text(
            "A shift that both SYNs announce; each end's 16-bit window field is then multiplied by 2^shift.",
            "双方在 SYN 中宣布的移位数；此后 16 位窗口字段要乘以 2 的该次方。",
        ),
        scenario="window_scaling",
        patterns=("window scale", "window scaling", "窗口扩大", "窗口扩大因子"),
    ),
    Term(
        id="fast_open",
        term=Text("TCP Fast Open", "TCP Fast Open（TFO）"),
        sentence=Text(
            "A client that holds the server's cookie sends data in its SYN and saves a round trip.",
            "客户端持有服务器发给的 cookie 时，可在 SYN 中携带数据，省去一个往返。",
        ),
        scenario="tcp_fast_open",
        patterns=("tcp fast open", "fast open"),
    ),
    Term(
        id="deferred_accept",
        term=Text("deferred accept", "延迟接受（deferred accept）"),
        sentence=Text(
            "A listening socket with TCP_DEFER_ACCEPT hands over a connection only when its first data has arrived.",
            "设置了 TCP_DEFER_ACCEPT 的监听套接字，等首批数据到达才交出连接。",
        ),
        scenario="deferred_accept",
        patterns=("deferred accept", "tcp_defer_accept", "延迟接受"),
    ),
    Term(
        id="connection_refused",
        term=Text("connection refused", "连接被拒绝（ECONNREFUSED）"),
        sentence=Text(
            "connect() fails at once: a RST or an ICMP error says that nobody listens at that port.",
            "connect() 立即失败：RST 或 ICMP 差错说明该端口无人监听。",
        ),
        scenario="rst_refused",
        patterns=("connection refused", "econnrefused", "连接被拒绝"),
    ),
    Term(
        id="black_hole",
        term=Text("black hole", "黑洞（black hole）"),
        sentence=Text(
            "Packets vanish without any answer, so the sender only has its timers to go by.",
            "分组消失而没有任何回应，发送方只能依靠自己的定时器。",
        ),
        scenario="syn_blackhole",
        patterns=("black hole", "silently dropped", "黑洞"),
    ),
    Term(
        id="port_scan",
        term=Text("port scan", "端口扫描（port scan）"),
        sentence=Text(
            "A SYN to each port: SYN,ACK means open, RST means closed, silence means filtered.",
            "向每个端口发 SYN：回 SYN,ACK 为开放，回 RST 为关闭，没有回应为被过滤。",
        ),
        scenario="syn_scan",
        patterns=("port scan", "syn scan", "端口扫描"),
    ),
    Term(
        id="mptcp",
        term=Text("MPTCP", "多路径 TCP（MPTCP）"),
        sentence=Text(
            "One connection over several TCP subflows; TCP options carry its tokens and data numbers.",
            "一个连接使用多条 TCP 子流，令牌和数据序号由 TCP 选项携带。",
        ),
        scenario="mptcp_capable",
        patterns=("mptcp", "multipath tcp", "多路径 tcp"),
    ),
    Term(
        id="tls",
        term=Text("TLS", "TLS（传输层安全协议）"),
        sentence=Text(
            "It agrees on keys, proves who the server is, and encrypts records inside the TCP stream.",
            "它协商密钥、证明服务器的身份，并在 TCP 字节流中加密记录。",
        ),
        scenario="tls13_handshake",
        patterns=("tls", "transport layer security", "传输层安全协议"),
    ),
    Term(
        id="off_path_attack",
        term=Text("forged segment", "伪造报文段（forged segment）"),
        sentence=Text(
            "A segment from someone else under an end's address; to count, its sequence number must fit.",
            "他人冒用一端地址发出的报文段；序号必须合适才会被接受。",
        ),
        scenario="rst_injection",
        patterns=("forged rst", "forged segment", "伪造的 rst", "伪造报文段"),
    ),
)
