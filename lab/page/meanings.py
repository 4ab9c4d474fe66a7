"""What Linux's counters count, and how its settings are by default.

Sources: Documentation/networking/snmp_counter.rst and ip-sysctl.rst of the kernel; RFC 1213 and
RFC 4022 for the counters of the MIB.
"""

from __future__ import annotations

from collections.abc import Mapping

from lab.text import Text

UNKNOWN = Text("a counter of this kernel", "该内核的一个计数器")
MEANINGS: Mapping[str, Text] = {
    "Ip.InReceives": Text("IP packets that came in", "收到的 IP 分组"),
    "Ip.InDelivers": Text(
        "IP packets handed to TCP, UDP or ICMP", "交给 TCP、UDP 或 ICMP 的 IP 分组"
    ),
    "Ip.OutRequests": Text("IP packets that this host sent", "本机发出的 IP 分组"),
    "Ip.OutTransmits": Text("IP packets that went out", "实际送出的 IP 分组"),
    "Ip.ForwDatagrams": Text("IP packets passed on", "转发的 IP 分组"),
    "Ip.InAddrErrors": Text(
        "packets for an address that is not this host's", "目的地址不属于本机的分组"
    ),
    "Ip.OutNoRoutes": Text("packets for which there was no route", "找不到路由的分组"),
    "Ip.ReasmReqds": Text("fragments that came in", "收到的分片"),
    "Ip.ReasmOKs": Text("packets put together from fragments", "由分片重组成功的分组"),
    "Ip.ReasmFails": Text(
        "packets whose fragments never were complete", "分片不全而重组失败的分组"
    ),
    "Ip.FragOKs": Text("packets that had to be cut into fragments", "被分片的分组"),
    "Ip.FragFails": Text("packets too big to send, and not to be cut", "过大且不允许分片的分组"),
    "Ip.FragCreates": Text("fragments made", "产生的分片"),
    "Icmp.InMsgs": Text("ICMP messages that came in", "收到的 ICMP 报文"),
    "Icmp.OutMsgs": Text("ICMP messages sent", "发出的 ICMP 报文"),
    "Icmp.InDestUnreachs": Text(
        "ICMP: destination unreachable, received", "收到的 ICMP 目的不可达"
    ),
    "Icmp.OutDestUnreachs": Text("ICMP: destination unreachable, sent", "发出的 ICMP 目的不可达"),
    "Tcp.ActiveOpens": Text(
        "connections that this host asked for (SYN-SENT)", "本机主动发起的连接（SYN-SENT）"
    ),
    "Tcp.PassiveOpens": Text(
        "connections that it was asked for (SYN-RECEIVED)", "本机被动打开的连接（SYN-RECEIVED）"
    ),
    "Tcp.AttemptFails": Text("handshakes that failed", "失败的握手"),
    "Tcp.EstabResets": Text("open connections that ended by a reset", "已建立却被复位的连接"),
    "Tcp.InSegs": Text("segments that came in", "收到的报文段"),
    "Tcp.OutSegs": Text("segments sent, repeated ones aside", "发出的报文段（不含重传）"),
    "Tcp.RetransSegs": Text("segments sent again", "重传的报文段"),
    "Tcp.InErrs": Text("segments received damaged", "收到的有差错的报文段"),
    "Tcp.InCsumErrors": Text("segments with a wrong checksum", "校验和错误的报文段"),
    "Tcp.OutRsts": Text("RSTs sent", "发出的 RST"),
    "Udp.InDatagrams": Text("datagrams delivered to a program", "交付给程序的数据报"),
    "Udp.OutDatagrams": Text("datagrams sent", "发出的数据报"),
    "Udp.NoPorts": Text("datagrams to a port where nobody listens", "发往无人监听端口的数据报"),
    "Udp.InErrors": Text("datagrams that could not be delivered", "无法交付的数据报"),
    "Udp.RcvbufErrors": Text(
        "datagrams dropped: the receive buffer was full", "因接收缓冲区满而丢弃的数据报"
    ),
    "TcpExt.TW": Text("sockets that ended their TIME-WAIT", "结束 TIME-WAIT 的套接字"),
    "TcpExt.TWRecycled": Text("TIME-WAIT sockets reused", "被重用的 TIME-WAIT 套接字"),
    "TcpExt.DelayedACKs": Text(
        "ACKs that were delayed, and then sent by the timer", "延迟后由定时器发出的 ACK"
    ),
    "TcpExt.DelayedACKLost": Text(
        "segments that came again because their ACK was late", "因 ACK 过迟而再次收到的报文段"
    ),
    "TcpExt.ListenOverflows": Text(
        "connections dropped: the accept queue was full",
        "因全连接队列（accept queue）满而丢弃的连接",
    ),
    "TcpExt.ListenDrops": Text(
        "SYNs or ACKs that a listener dropped", "监听套接字丢弃的 SYN 或 ACK"
    ),
    "TcpExt.SyncookiesSent": Text("SYN cookies sent", "发出的 SYN cookie"),
    "TcpExt.SyncookiesRecv": Text("SYN cookies that came back right", "收到的有效 SYN cookie"),
    "TcpExt.SyncookiesFailed": Text("ACKs with a wrong SYN cookie", "SYN cookie 无效的 ACK"),
    "TcpExt.TCPReqQFullDrop": Text(
        "SYNs dropped: the SYN queue was full", "因半连接队列（SYN queue）满而丢弃的 SYN"
    ),
    "TcpExt.TCPReqQFullDoCookies": Text(
        "SYNs answered with a cookie: the SYN queue was full",
        "半连接队列满，改用 cookie 应答的 SYN",
    ),
    "TcpExt.TCPTimeouts": Text("retransmission timers that went off", "超时的重传定时器"),
    "TcpExt.TCPSynRetrans": Text("SYNs and SYN,ACKs sent again", "重传的 SYN 与 SYN,ACK"),
    "TcpExt.TCPLossProbes": Text("tail loss probes sent", "发出的尾部丢失探测"),
    "TcpExt.TCPLossProbeRecovery": Text(
        "losses that a tail loss probe repaired", "由尾部丢失探测修复的丢失"
    ),
    "TcpExt.TCPFastRetrans": Text("fast retransmissions", "快速重传"),
    "TcpExt.TCPSlowStartRetrans": Text("retransmissions in slow start", "慢启动中的重传"),
    "TcpExt.TCPSackRecovery": Text("times SACK found a loss", "由 SACK 发现的丢失次数"),
    "TcpExt.TCPOFOQueue": Text(
        "segments kept because earlier octets were missing", "因前面有缺口而先保存的报文段"
    ),
    "TcpExt.TCPDSACKOldSent": Text(
        "duplicates reported to the sender (DSACK)", "向发送方报告的重复（DSACK）"
    ),
    "TcpExt.TCPDSACKRecv": Text(
        "DSACKs received: a retransmission was needless", "收到的 DSACK：有重传并无必要"
    ),
    "TcpExt.TCPAbortOnData": Text(
        "data for a socket already closed, or SO_LINGER 0: RST",
        "数据到达已关闭的套接字，或 SO_LINGER 为 0：发出 RST",
    ),
    "TcpExt.TCPAbortOnClose": Text("closed before all was read: RST", "未读完就关闭：发出 RST"),
    "TcpExt.TCPAbortOnTimeout": Text(
        "given up after the last retransmission", "最后一次重传后放弃的连接"
    ),
    "TcpExt.TCPKeepAlive": Text("keep-alive probes sent", "发出的保活探测"),
    "TcpExt.TCPWantZeroWindowAdv": Text(
        "times the window wanted to be zero", "希望通告零窗口的次数"
    ),
    "TcpExt.TCPToZeroWindowAdv": Text("windows that became zero", "窗口变为零的次数"),
    "TcpExt.TCPFromZeroWindowAdv": Text("windows that opened again", "窗口由零恢复的次数"),
    "TcpExt.TCPWinProbe": Text("zero window probes sent", "发出的零窗口探测"),
    "TcpExt.TCPChallengeACK": Text("challenge ACKs (RFC 5961)", "质询 ACK（RFC 5961）"),
    "TcpExt.TCPSYNChallenge": Text("SYNs in an open connection", "已建立连接中收到的 SYN"),
    "TcpExt.PAWSActive": Text(
        "SYN,ACKs refused for their old timestamp", "因时间戳过旧而拒绝的 SYN,ACK"
    ),
    "TcpExt.PAWSEstab": Text(
        "segments refused for their old timestamp", "因时间戳过旧而拒绝的报文段"
    ),
    "TcpExt.TCPHPHits": Text("segments taken on the fast path", "走快速路径的报文段"),
    "TcpExt.TCPPureAcks": Text("ACKs without data that came in", "收到的不带数据的 ACK"),
    "TcpExt.TCPHPAcks": Text("ACKs taken on the fast path", "走快速路径的 ACK"),
    "TcpExt.TCPAutoCorking": Text("small writes that were gathered", "被合并的小块写入"),
    "TcpExt.TCPOrigDataSent": Text(
        "segments with data, repeated ones aside", "带数据的报文段（不含重传）"
    ),
    "TcpExt.TCPDelivered": Text("segments that the peer acknowledged", "对方已确认的报文段"),
    "TcpExt.TCPRcvCoalesce": Text(
        "segments joined in the receive queue", "在接收队列中合并的报文段"
    ),
    "TcpExt.TCPBacklogCoalesce": Text(
        "segments joined while a program held the socket", "套接字被占用时合并的报文段"
    ),
    "TcpExt.TCPAckCompressed": Text(
        "ACKs left out, for a later one says as much", "由后续 ACK 代替而省略的 ACK"
    ),
    "TcpExt.TCPFastOpenActive": Text("SYNs with data that were accepted", "被接受的带数据 SYN"),
    "TcpExt.TCPFastOpenPassive": Text("SYNs with data that were taken", "接收的带数据 SYN"),
    "TcpExt.TCPFastOpenCookieReqd": Text("Fast Open cookies asked for", "请求的 Fast Open cookie"),
    "Ip.OutDiscards": Text(
        "packets that could not be sent for want of room", "因资源不足而未发出的分组"
    ),
    "Ip.ReasmTimeout": Text("reassemblies given up after 30 s", "30 s 后放弃的重组"),
    "Icmp.InTimeExcds": Text("ICMP: time exceeded, received", "收到的 ICMP 超时"),
    "Icmp.OutTimeExcds": Text("ICMP: time exceeded, sent", "发出的 ICMP 超时"),
    "IcmpMsg.InType3": Text("ICMP of type 3 (unreachable), received", "收到的类型 3（不可达）ICMP"),
    "IcmpMsg.OutType3": Text("ICMP of type 3 (unreachable), sent", "发出的类型 3（不可达）ICMP"),
    "IcmpMsg.InType11": Text(
        "ICMP of type 11 (time exceeded), received", "收到的类型 11（超时）ICMP"
    ),
    "IcmpMsg.OutType11": Text("ICMP of type 11 (time exceeded), sent", "发出的类型 11（超时）ICMP"),
    "Udp.IgnoredMulti": Text(
        "broadcasts and multicasts for nobody here", "本机无人接收的广播与组播"
    ),
    "TcpExt.TcpTimeoutRehash": Text(
        "timeouts after which another path was tried", "超时后改试另一条路径的次数"
    ),
    "TcpExt.TCPDSACKRecvSegs": Text(
        "segments that DSACKs reported as duplicates", "DSACK 报告为重复的报文段"
    ),
    "TcpExt.TCPDSACKOfoSent": Text(
        "duplicates reported of segments out of order", "向发送方报告的乱序重复段"
    ),
    "TcpExt.TCPDSACKOfoRecv": Text(
        "DSACKs received for segments out of order", "收到的针对乱序段的 DSACK"
    ),
    "TcpExt.TCPDSACKIgnoredDubious": Text("DSACKs that were not believed", "不予采信的 DSACK"),
    "TcpExt.TCPDSACKIgnoredNoUndo": Text("DSACKs with nothing to undo", "没有可撤销内容的 DSACK"),
    "TcpExt.TCPLostRetransmit": Text("retransmissions that were lost, too", "再次丢失的重传"),
    "TcpExt.TCPSACKDiscard": Text("SACK blocks that made no sense", "不合理而被忽略的 SACK 块"),
    "TcpExt.TCPSackShifted": Text(
        "segments marked by SACK, moved to a neighbour", "被 SACK 标记后移入相邻缓冲的报文段"
    ),
    "TcpExt.TCPSackMerged": Text(
        "segments marked by SACK, joined with a neighbour", "被 SACK 标记后与相邻缓冲合并的报文段"
    ),
    "TcpExt.TCPSackShiftFallback": Text(
        "segments marked by SACK, kept apart", "被 SACK 标记但未合并的报文段"
    ),
    "TcpExt.TCPSackRecoveryFail": Text(
        "SACK recoveries that ended in a timeout", "以超时告终的 SACK 恢复"
    ),
    "TcpExt.TCPSACKReorder": Text("reorderings seen through SACK", "通过 SACK 发现的乱序"),
    "TcpExt.TCPTSReorder": Text("reorderings seen through timestamps", "通过时间戳发现的乱序"),
    "TcpExt.TCPOFOMerge": Text(
        "segments out of order that overlapped others", "与其他段重叠的乱序段"
    ),
    "TcpExt.TCPACKSkippedSeq": Text("ACKs left out, to limit their rate", "因限速而省略的 ACK"),
    "TcpExt.TCPLossUndo": Text(
        "timeouts that proved needless, and were undone", "事后证明不必要而撤销的超时"
    ),
    "TcpExt.TCPPartialUndo": Text("recoveries undone in part", "部分撤销的恢复"),
    "TcpExt.TCPSpuriousRtxHostQueues": Text(
        "retransmissions put off: the first copy had not left yet", "首份尚未离开本机而推迟的重传"
    ),
    "TcpExt.TCPHystartDelayDetect": Text(
        "slow starts ended because delay grew", "因时延增长而结束的慢启动"
    ),
    "TcpExt.TCPHystartDelayCwnd": Text("sum of cwnd at those moments", "上述时刻 cwnd 之和"),
    "TcpExt.TCPDeferAcceptDrop": Text(
        "bare ACKs put off by TCP_DEFER_ACCEPT", "因 TCP_DEFER_ACCEPT 而忽略的纯 ACK"
    ),
    "TcpExt.EmbryonicRsts": Text("RSTs for connections still half open", "半开连接收到的 RST"),
    "TcpExt.TWKilled": Text("TIME-WAIT sockets ended early", "提前结束的 TIME-WAIT 套接字"),
    "TcpExt.OutOfWindowIcmps": Text(
        "ICMP errors that quote a segment outside the window", "所引用报文段在窗口之外的 ICMP 差错"
    ),
    "MPTcpExt.MPCapableSYNTX": Text(
        "SYNs sent that ask for Multipath TCP", "发出的请求多路径 TCP 的 SYN"
    ),
    "MPTcpExt.MPCapableSYNRX": Text(
        "SYNs received that ask for Multipath TCP", "收到的请求多路径 TCP 的 SYN"
    ),
    "MPTcpExt.MPCapableSYNACKRX": Text(
        "SYN,ACKs that agree to Multipath TCP", "同意多路径 TCP 的 SYN,ACK"
    ),
    "MPTcpExt.MPCapableACKRX": Text(
        "ACKs that end a Multipath TCP handshake", "完成多路径 TCP 握手的 ACK"
    ),
    "MPTcpExt.MPCapableFallbackSYNACK": Text(
        "fallbacks to plain TCP at the SYN,ACK", "在 SYN,ACK 处退回普通 TCP 的次数"
    ),
    "IpExt.InMcastOctets": Text("octets of multicast that came in", "收到的组播字节"),
    "IpExt.OutMcastOctets": Text("octets of multicast sent", "发出的组播字节"),
    "IpExt.InBcastOctets": Text("octets of broadcast that came in", "收到的广播字节"),
    "IpExt.OutBcastOctets": Text("octets of broadcast sent", "发出的广播字节"),
    "IpExt.InOctets": Text("octets that came in", "收到的字节"),
    "IpExt.OutOctets": Text("octets sent", "发出的字节"),
    "IpExt.InMcastPkts": Text("multicast packets that came in", "收到的组播分组"),
    "IpExt.OutMcastPkts": Text("multicast packets sent", "发出的组播分组"),
    "IpExt.InBcastPkts": Text("broadcast packets that came in", "收到的广播分组"),
    "IpExt.OutBcastPkts": Text("broadcast packets sent", "发出的广播分组"),
    "IpExt.InNoECTPkts": Text("packets that came without ECN", "收到的未启用 ECN 的分组"),
    "IpExt.InECT0Pkts": Text("packets that came with ECT(0)", "收到的 ECT(0) 分组"),
    "IpExt.InCEPkts": Text(
        "packets that came with a congestion mark", "收到的带拥塞标记（CE）的分组"
    ),
}

DEFAULTS: Mapping[str, str] = {
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv4.icmp_ratelimit": "1000",
    "net.ipv4.tcp_abort_on_overflow": "0",
    "net.ipv4.tcp_congestion_control": "cubic",
    "net.ipv4.tcp_ecn": "2",
    "net.ipv4.tcp_fastopen": "1",
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.tcp_keepalive_intvl": "75",
    "net.ipv4.tcp_keepalive_probes": "9",
    "net.ipv4.tcp_keepalive_time": "7200",
    "net.ipv4.tcp_mtu_probing": "0",
    "net.ipv4.tcp_no_metrics_save": "0",
    "net.ipv4.tcp_orphan_retries": "0",
    "net.ipv4.tcp_retries1": "3",
    "net.ipv4.tcp_retries2": "15",
    "net.ipv4.tcp_rfc1337": "0",
    "net.ipv4.tcp_sack": "1",
    "net.ipv4.tcp_slow_start_after_idle": "1",
    "net.ipv4.tcp_syn_retries": "6",
    "net.ipv4.tcp_synack_retries": "5",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_tw_reuse": "2",
    "net.ipv4.tcp_window_scaling": "1",
}
"""Of settings whose default depends on the machine's memory, nothing is said."""


def meaning(counter: str) -> Text:
    """What a counter ("TcpExt.ListenOverflows") counts, in one line."""
    return MEANINGS.get(counter, UNKNOWN)
