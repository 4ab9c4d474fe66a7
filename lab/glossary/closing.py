"""How connections end: FIN and RST, the states on the way, and who notices a silent end."""

from __future__ import annotations

from lab.glossary.term import Term
from lab.text import Text, same

TERMS = (
    Term(
        id="close",
        term=Text("connection close", "挥手（connection close）"),
        sentence=Text(
            "Each direction ends with a FIN and the ACK of it: four segments, or three if two are joined.",
            "每个方向都以 FIN 及其 ACK 结束：共四个报文段，两个合并时为三个。",
        ),
        scenario="close_four_segments",
        patterns=("connection close", "teardown", "four-segment close", "挥手", "四次挥手"),
    ),
    Term(
        id="three_segment_close",
        term=Text("three-segment close", "三次挥手（three-segment close）"),
        sentence=Text(
            "The second end closes at once, so one segment carries both its ACK and its own FIN.",
            "后关闭的一端立即关闭，于是一个报文段同时带着 ACK 和自己的 FIN。",
        ),
        scenario="close_three_segments",
        patterns=("three-segment close", "three segments", "三次挥手"),
    ),
    Term(
        id="fin",
        term=same("FIN"),
        sentence=Text(
            "The control bit by which an end says that it sends no more; it counts as one octet.",
            "一端用这个控制位表示不再发送数据；它占用一个序号。",
        ),
        scenario="tcp_lifecycle",
        patterns=("fin",),
    ),
    Term(
        id="rst",
        term=Text("RST", "复位（RST）"),
        sentence=Text(
            "The control bit that ends a connection at once, in both directions; it is never acknowledged.",
            "立即终止连接两个方向的控制位；不会被确认。",
        ),
        scenario="rst_unread_data",
        patterns=("rst", "reset", "复位"),
    ),
    Term(
        id="half_close",
        term=Text("half-close", "半关闭（half-close）"),
        sentence=Text(
            "One end has sent its FIN and still receives: shutdown(SHUT_WR) does that.",
            "一端已发出 FIN 但仍可接收，由 shutdown(SHUT_WR) 实现。",
        ),
        scenario="half_close",
        patterns=("half-close", "half-closed", "half close", "半关闭"),
    ),
    Term(
        id="shutdown",
        term=same("shutdown()"),
        sentence=Text(
            "Ends one direction of the connection for every holder of the socket; the descriptor stays open.",
            "对套接字的所有持有者结束连接的一个方向，描述符仍然打开。",
        ),
        scenario="half_close",
        patterns=("shutdown", "shutdown()"),
    ),
    Term(
        id="simultaneous_close",
        term=Text("simultaneous close", "同时关闭（simultaneous close）"),
        sentence=Text(
            "The two FINs cross on the way, and both ends pass through CLOSING to TIME-WAIT.",
            "两个 FIN 在途中交错，双方都经 CLOSING 进入 TIME-WAIT。",
        ),
        scenario="close_simultaneous",
        patterns=("simultaneous close", "同时关闭"),
    ),
    Term(
        id="abortive_close",
        term=Text("abortive close", "强制关闭（abortive close）"),
        sentence=Text(
            "close() with SO_LINGER 0 discards what is unsent and sends a RST in place of a FIN.",
            "设置 SO_LINGER 为 0 的 close() 丢弃未发数据，并以 RST 代替 FIN。",
        ),
        scenario="abort_linger0",
        patterns=("abortive close", "so_linger", "强制关闭"),
    ),
    Term(
        id="end_of_file",
        term=Text("end of file", "文件结束（end of file）"),
        sentence=Text(
            "recv() returns no octets: the peer's FIN has arrived and everything before it was read.",
            "recv() 返回空：对端的 FIN 已到达，此前的数据都已读完。",
        ),
        scenario="eof_semantics",
        patterns=("end of file", "eof", "文件结束"),
    ),
    Term(
        id="state",
        term=Text("TCP state", "连接状态（TCP state）"),
        sentence=Text(
            "One of eleven stages that RFC 9293 gives each end; the two ends need not be in the same one.",
            "RFC 9293 为每一端规定的十一个阶段之一；两端不必处于同一状态。",
        ),
        scenario="tcp_lifecycle",
        patterns=("tcp state", "connection state", "连接状态"),
    ),
    Term(
        id="listen_state",
        term=Text("LISTEN state", "监听状态（LISTEN）"),
        sentence=Text(
            "The state of a socket that waits for SYNs and has no peer.",
            "等待 SYN、尚无对端的套接字所处的状态。",
        ),
        scenario="rst_refused:before_server",
        patterns=("listen state", "监听状态"),
    ),
    Term(
        id="syn_sent",
        term=same("SYN-SENT"),
        sentence=Text(
            "The state of an end that has sent its SYN and waits for the answer.",
            "已发出 SYN、等待回答的一端所处的状态。",
        ),
        scenario="syn_blackhole",
        patterns=("syn-sent",),
    ),
    Term(
        id="syn_received",
        term=same("SYN-RECEIVED"),
        sentence=Text(
            "The state of an end that has sent and received a SYN, and lacks the ACK of its own.",
            "已发送并收到 SYN、但还缺对自己 SYN 的 ACK 的一端所处的状态。",
        ),
        scenario="third_ack_lost:idle",
        patterns=("syn-received",),
    ),
    Term(
        id="established",
        term=same("ESTABLISHED"),
        sentence=Text(
            "The state in which data flows; each end enters it on its own, at its own moment.",
            "可以传送数据的状态；两端各自在自己的时刻进入。",
        ),
        scenario="data_before_accept",
        patterns=("established",),
    ),
    Term(
        id="fin_wait_1",
        term=same("FIN-WAIT-1"),
        sentence=Text(
            "The state of an end that has sent its FIN and waits for the ACK of it.",
            "已发出 FIN、等待其 ACK 的一端所处的状态。",
        ),
        scenario="fin_lost:first_fin",
        patterns=("fin-wait-1",),
    ),
    Term(
        id="fin_wait_2",
        term=same("FIN-WAIT-2"),
        sentence=Text(
            "The state of an end whose FIN is acknowledged and which waits for the other's FIN.",
            "自己的 FIN 已被确认、等待对方 FIN 的一端所处的状态。",
        ),
        scenario="fin_wait2_orphan",
        patterns=("fin-wait-2",),
    ),
    Term(
        id="close_wait",
        term=same("CLOSE-WAIT"),
        sentence=Text(
            "The peer's FIN has come and this end's program has not closed yet; no timer ends this state.",
            "对端的 FIN 已到，本端程序还没有关闭；没有定时器会结束这个状态。",
        ),
        scenario="close_wait_leak",
        patterns=("close-wait",),
    ),
    Term(
        id="closing",
        term=Text("CLOSING state", "CLOSING 状态"),
        sentence=Text(
            "The state of an end that sent its FIN, got the other's, and still lacks the ACK of its own.",
            "已发出 FIN 也收到对方的 FIN，但还缺对自己 FIN 的 ACK 时的状态。",
        ),
        scenario="close_simultaneous",
        patterns=("closing state", "closing 状态"),
    ),
    Term(
        id="last_ack",
        term=same("LAST-ACK"),
        sentence=Text(
            "The state of the end that closed second and waits for the ACK of its FIN.",
            "后关闭的一端发出 FIN 后等待其 ACK 的状态。",
        ),
        scenario="fin_lost:last_ack",
        patterns=("last-ack",),
    ),
    Term(
        id="time_wait",
        term=same("TIME-WAIT"),
        sentence=Text(
            "The end that closed first keeps the four-tuple a while, to answer a repeated FIN and outlive old segments.",
            "先关闭的一端把四元组再保留一段时间，以便回应重发的 FIN，并等旧报文段消失。",
        ),
        scenario="time_wait_basics",
        patterns=("time-wait",),
    ),
    Term(
        id="msl",
        term=Text("MSL", "报文段最长寿命（MSL）"),
        sentence=Text(
            "How long a segment may live in the network; TIME-WAIT lasts twice that, on Linux 60 s.",
            "报文段在网络中能存活的最长时间；TIME-WAIT 为其两倍，Linux 上是 60 秒。",
        ),
        scenario="time_wait_basics:fin_timeout",
        patterns=("msl", "2msl", "maximum segment lifetime", "报文段最长寿命"),
    ),
    Term(
        id="time_wait_assassination",
        term=Text("TIME-WAIT assassination", "TIME-WAIT 暗杀（TIME-WAIT assassination）"),
        sentence=Text(
            "A late segment makes the other end send a RST, and that RST ends TIME-WAIT too early.",
            "迟到的报文段引出另一端的 RST，而这个 RST 使 TIME-WAIT 过早结束。",
        ),
        scenario="time_wait_new_syn:rst_assassination",
        patterns=("time-wait assassination", "time-wait 暗杀"),
    ),
    Term(
        id="so_reuseaddr",
        term=same("SO_REUSEADDR"),
        sentence=Text(
            "Lets bind() take a local address that only connections in TIME-WAIT still hold.",
            "允许 bind() 使用仅被 TIME-WAIT 连接占着的本地地址。",
        ),
        scenario="time_wait_restart",
        patterns=("so_reuseaddr",),
    ),
    Term(
        id="so_reuseport",
        term=same("SO_REUSEPORT"),
        sentence=Text(
            "Lets several sockets listen at one address and port; the kernel spreads new connections among them.",
            "允许多个套接字监听同一地址和端口，新连接由内核分配给它们。",
        ),
        scenario="reuseport_balance",
        patterns=("so_reuseport",),
    ),
    Term(
        id="orphan",
        term=Text("orphaned connection", "孤儿连接（orphaned connection）"),
        sentence=Text(
            "A connection that no program holds any more, while the kernel still finishes it.",
            "已没有程序持有、内核仍在处理收尾的连接。",
        ),
        scenario="fin_wait2_orphan",
        patterns=("orphaned connection", "orphan", "孤儿连接"),
    ),
    Term(
        id="keepalive",
        term=Text("TCP keep-alive", "TCP 保活（keep-alive）"),
        sentence=Text(
            "The kernel probes an idle connection with an old sequence number; a living peer answers with an ACK.",
            "内核用旧的序号探测空闲的连接，对端若还在，就回以 ACK。",
        ),
        scenario="keepalive_dead_peer",
        patterns=("keep-alive", "keepalive", "so_keepalive", "保活"),
    ),
    Term(
        id="http_keep_alive",
        term=Text("HTTP keep-alive", "HTTP 持久连接（HTTP keep-alive）"),
        sentence=Text(
            "Several HTTP requests follow one another on one TCP connection, which is not closed in between.",
            "多个 HTTP 请求依次使用同一个 TCP 连接，中间不关闭。",
        ),
        scenario="",
        patterns=("http keep-alive", "persistent connection", "http 持久连接"),
    ),
    Term(
        id="heartbeat",
        term=Text("heartbeat", "心跳（heartbeat）"),
        sentence=Text(
            "Messages that the programs themselves exchange; an answer proves that the other program works, not just its kernel.",
            "程序自己交换的消息；有回答就证明对方的程序在工作，而不只是内核在工作。",
        ),
        scenario="app_heartbeat",
        patterns=("heartbeat", "心跳"),
    ),
    Term(
        id="broken_pipe",
        term=Text("EPIPE", "EPIPE（管道破裂）"),
        sentence=Text(
            "The error of sending on a connection that this end has shut or that a RST has ended.",
            "在本端已关闭发送、或已被 RST 终止的连接上发送时得到的错误。",
        ),
        scenario="send_after_peer_close",
        patterns=("epipe", "broken pipe", "管道破裂"),
    ),
    Term(
        id="connection_reset",
        term=Text("ECONNRESET", "ECONNRESET（连接被复位）"),
        sentence=Text(
            "The error that reports a RST which has arrived; the next call after it gets another answer.",
            "报告已收到 RST 的错误；在它之后的下一次调用会得到别的结果。",
        ),
        scenario="rst_unread_data",
        patterns=("econnreset", "connection reset", "connection reset by peer", "连接被复位"),
    ),
)
