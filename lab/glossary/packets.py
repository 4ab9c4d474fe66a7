"""What travels: frames, packets, segments, datagrams, and the addresses on them."""

from __future__ import annotations

from lab.glossary.term import Term
from lab.text import Text

TERMS = (
    Term(
        id="tcp",
        term=Text("TCP", "TCP（传输控制协议）"),
        sentence=Text(
            "The Transmission Control Protocol carries a byte stream each way between two programs, in order, and repairs loss.",
            "传输控制协议在两个程序之间双向传送字节流，保证顺序，并修复丢失。",
        ),
        scenario="tcp_lifecycle",
        patterns=("tcp", "transmission control protocol", "传输控制协议"),
    ),
    Term(
        id="udp",
        term=Text("UDP", "UDP（用户数据报协议）"),
        sentence=Text(
            "The User Datagram Protocol sends single messages between ports, with no connection, no order and no repair.",
            "用户数据报协议在端口之间发送一条条独立的消息，没有连接，不保证顺序，也不重传。",
        ),
        scenario="udp_echo",
        patterns=("udp", "user datagram protocol", "用户数据报协议"),
    ),
    Term(
        id="frame",
        term=Text("frame", "以太网帧（frame）"),
        sentence=Text(
            "What one link carries: a header with hardware addresses, and the packet inside it.",
            "一段链路上传送的单位：带硬件地址的首部，以及里面的分组。",
        ),
        scenario="arp_first",
        patterns=("frame", "ethernet frame", "以太网帧", "数据帧"),
    ),
    Term(
        id="packet",
        term=Text("packet", "分组（packet）"),
        sentence=Text(
            "What IP carries from host to host: a header with both addresses, and a segment or datagram inside.",
            "IP 在主机之间传送的单位：带双方地址的首部，里面是报文段或数据报。",
        ),
        scenario="pmtud",
        patterns=("packet", "分组", "数据包"),
    ),
    Term(
        id="segment",
        term=Text("segment", "报文段（segment）"),
        sentence=Text(
            "What TCP puts into one packet: a TCP header, and perhaps some octets of the stream.",
            "TCP 放进一个分组的内容：TCP 首部，可能还有字节流中的若干字节。",
        ),
        scenario="tcp_lifecycle",
        patterns=("segment", "报文段"),
    ),
    Term(
        id="datagram",
        term=Text("datagram", "数据报（datagram）"),
        sentence=Text(
            "One message as UDP sends it: an eight-octet header and the data, delivered whole or not at all.",
            "UDP 发送的一条消息：8 字节首部加数据，要么完整交付，要么完全不交付。",
        ),
        scenario="udp_truncation",
        patterns=("datagram", "数据报"),
    ),
    Term(
        id="fragment",
        term=Text("fragment", "分片（fragment）"),
        sentence=Text(
            "A piece of a packet that was too large for a link; the receiver needs every piece.",
            "分组超过链路所能承载的大小时被切成的一块；接收方必须收齐每一块。",
        ),
        scenario="udp_fragment_loss",
        patterns=("fragment", "fragmentation", "分片"),
    ),
    Term(
        id="header",
        term=Text("header", "首部（header）"),
        sentence=Text(
            "The fields before the data, from which the receiver learns whose data this is and how to treat it.",
            "位于数据之前的各个字段，接收方据此得知数据属于谁、该如何处理。",
        ),
        scenario="tcp_lifecycle:hello_world",
        patterns=("header", "首部", "报头"),
    ),
    Term(
        id="payload",
        term=Text("payload", "有效载荷（payload）"),
        sentence=Text(
            "The octets after the headers: what the program handed over to be sent.",
            "首部之后的字节：程序交给协议栈发送的内容。",
        ),
        scenario="stream_coalesce",
        patterns=("payload", "有效载荷", "净荷"),
    ),
    Term(
        id="checksum",
        term=Text("checksum", "校验和（checksum）"),
        sentence=Text(
            "Sixteen bits computed over header and data, so that the receiver can discard what was altered on the way.",
            "对首部和数据算出的 16 位数值，接收方据此丢弃途中被改动的内容。",
        ),
        scenario="offload_capture",
        patterns=("checksum", "校验和"),
    ),
    Term(
        id="offload",
        term=Text("offload", "卸载（offload）"),
        sentence=Text(
            "The kernel leaves checksums or cutting into segments to the network card, so a capture before it shows neither.",
            "内核把计算校验和、切分报文段的工作交给网卡，所以在网卡之前抓包看不到结果。",
        ),
        scenario="offload_capture",
        patterns=("offload", "offloading", "tso", "gso", "卸载"),
    ),
    Term(
        id="mtu",
        term=Text("MTU", "MTU（最大传输单元）"),
        sentence=Text(
            "The largest packet, IP header included, that a link carries in one frame.",
            "一段链路的一帧所能承载的最大分组，包括 IP 首部。",
        ),
        scenario="pmtud",
        patterns=("mtu", "maximum transmission unit", "最大传输单元"),
    ),
    Term(
        id="mss",
        term=Text("MSS", "MSS（最大报文段长度）"),
        sentence=Text(
            "The most data that an end is ready to receive in one segment, announced in its SYN.",
            "一端愿意在一个报文段中接收的最大数据量，写在它的 SYN 里。",
        ),
        scenario="mss_negotiation",
        patterns=("mss", "maximum segment size", "最大报文段长度"),
    ),
    Term(
        id="path_mtu_discovery",
        term=Text("path MTU discovery", "路径 MTU 发现（path MTU discovery）"),
        sentence=Text(
            "A sender forbids fragmentation and learns from ICMP errors which size the narrowest link of the path carries.",
            "发送方禁止分片，并从 ICMP 差错中得知路径上最窄的一段链路能通过多大的分组。",
        ),
        scenario="pmtud",
        patterns=("path mtu discovery", "path mtu", "路径 mtu 发现"),
    ),
    Term(
        id="pmtu_black_hole",
        term=Text("path MTU black hole", "路径 MTU 黑洞（path MTU black hole）"),
        sentence=Text(
            "A path that drops large packets without the ICMP error that would tell the sender why.",
            "路径丢弃大分组，却没有告知发送方原因的 ICMP 差错。",
        ),
        scenario="pmtud_blackhole",
        patterns=("path mtu black hole", "路径 mtu 黑洞"),
    ),
    Term(
        id="icmp",
        term=Text("ICMP", "ICMP（互联网控制报文协议）"),
        sentence=Text(
            "The protocol in which hosts and routers report what became of a packet, quoting its beginning.",
            "主机和路由器用来报告某个分组的遭遇的协议，报告中引用该分组的开头。",
        ),
        scenario="udp_port_unreachable",
        patterns=("icmp", "互联网控制报文协议"),
    ),
    Term(
        id="port_unreachable",
        term=Text("port unreachable", "端口不可达（port unreachable）"),
        sentence=Text(
            "The ICMP error by which a host says that no socket is bound to the UDP port asked for.",
            "主机用这个 ICMP 差错表示：没有套接字绑定在所请求的 UDP 端口上。",
        ),
        scenario="udp_port_unreachable",
        patterns=("port unreachable", "端口不可达"),
    ),
    Term(
        id="arp",
        term=Text("ARP", "ARP（地址解析协议）"),
        sentence=Text(
            "A host broadcasts an IPv4 address and its owner answers with the hardware address that frames need.",
            "主机广播一个 IPv4 地址，其拥有者回答帧所需的硬件地址。",
        ),
        scenario="arp_first",
        patterns=("arp", "address resolution protocol", "地址解析协议"),
    ),
    Term(
        id="ip_address",
        term=Text("IP address", "IP 地址（IP address）"),
        sentence=Text(
            "The number of one interface of a host, to which routers forward packets.",
            "主机某个网络接口的编号，路由器按它转发分组。",
        ),
        scenario="loopback_bind:foreign_address",
        patterns=("ip address", "ip 地址"),
    ),
    Term(
        id="private_address",
        term=Text("private address", "私有地址（private address）"),
        sentence=Text(
            "An address that any network may use inside (10/8, 172.16/12, 192.168/16) and that the Internet does not route.",
            "任何网络内部都可使用的地址（10/8、172.16/12、192.168/16），互联网上不为它选路。",
        ),
        scenario="arp_first:gateway",
        patterns=("private address", "private addresses", "私有地址", "私网地址"),
    ),
    Term(
        id="nat",
        term=Text("NAT", "NAT（网络地址转换）"),
        sentence=Text(
            "A router rewrites addresses and ports, so that hosts with private addresses reach the Internet through its own address.",
            "路由器改写地址和端口，使私有地址的主机借助路由器的公网地址访问互联网。",
        ),
        scenario="",
        patterns=("nat", "network address translation", "网络地址转换"),
    ),
    Term(
        id="iana",
        term=Text("IANA", "IANA（互联网号码分配机构）"),
        sentence=Text(
            "It keeps the registries of ports and protocol numbers, and hands address blocks to five regional registries.",
            "它维护端口号和协议号的登记表，并把地址块分配给五个地区互联网注册机构。",
        ),
        scenario="privileged_port",
        patterns=("iana", "internet assigned numbers authority", "互联网号码分配机构"),
    ),
    Term(
        id="registry",
        term=Text("regional registry", "地区互联网注册机构（regional Internet registry）"),
        sentence=Text(
            "One of five bodies that give address blocks of IANA to the networks of their region.",
            "共有五个机构，各自把 IANA 划来的地址块分给本地区的网络。",
        ),
        scenario="privileged_port",
        patterns=("regional registry", "regional internet registry", "rir", "地区互联网注册机构"),
    ),
    Term(
        id="loopback",
        term=Text("loopback", "环回（loopback）"),
        sentence=Text(
            "The addresses 127.0.0.0/8 and ::1 of the host itself; nothing sent there leaves the machine.",
            "主机自身的地址 127.0.0.0/8 和 ::1；发往这里的内容不会离开本机。",
        ),
        scenario="loopback_bind",
        patterns=("loopback", "127.0.0.1", "环回"),
    ),
    Term(
        id="wildcard_address",
        term=Text("wildcard address", "通配地址（wildcard address）"),
        sentence=Text(
            "0.0.0.0 or :: in bind(): the socket takes what arrives for any address of the host.",
            "bind() 中的 0.0.0.0 或 ::，表示套接字接收到达本机任一地址的数据。",
        ),
        scenario="loopback_bind:any",
        patterns=("wildcard address", "inaddr_any", "0.0.0.0", "通配地址"),
    ),
    Term(
        id="port",
        term=Text("port", "端口（port）"),
        sentence=Text(
            "A 16-bit number by which a host's kernel finds the socket that a segment or datagram is for.",
            "16 位数字，主机内核据此找到报文段或数据报所属的套接字。",
        ),
        scenario="privileged_port",
        patterns=("port", "port number", "端口", "端口号"),
    ),
    Term(
        id="system_port",
        term=Text("system port", "系统端口（system port）"),
        sentence=Text(
            "Ports 0 to 1023, assigned to standard services; on Linux a program needs a privilege to bind them, unless set otherwise.",
            "0 到 1023 号端口，分配给标准服务；在 Linux 上，绑定它们默认需要特权。",
        ),
        scenario="privileged_port",
        patterns=(
            "system port",
            "privileged port",
            "well-known port",
            "系统端口",
            "知名端口",
            "特权端口",
        ),
    ),
    Term(
        id="ephemeral_port",
        term=Text("ephemeral port", "临时端口（ephemeral port）"),
        sentence=Text(
            "A port that the kernel picks for a client which did not bind one.",
            "客户端没有绑定端口时，由内核挑选的端口。",
        ),
        scenario="time_wait_exhaustion",
        patterns=("ephemeral port", "临时端口"),
    ),
    Term(
        id="four_tuple",
        term=Text("four-tuple", "四元组（four-tuple）"),
        sentence=Text(
            "Both addresses and both ports: together they name one TCP connection.",
            "双方的地址和端口，四者合起来确定一个 TCP 连接。",
        ),
        scenario="four_tuple",
        patterns=("four-tuple", "4-tuple", "四元组"),
    ),
    Term(
        id="connection",
        term=Text("connection", "连接（connection）"),
        sentence=Text(
            "State that two hosts keep about one byte stream each way: numbers, windows, timers; no wire is reserved.",
            "两台主机为双向字节流各自保存的状态（序号、窗口、定时器），并不占用专线。",
        ),
        scenario="tcp_lifecycle",
        patterns=("connection", "连接"),
    ),
    Term(
        id="full_duplex",
        term=Text("full duplex", "全双工（full duplex）"),
        sentence=Text(
            "Both ends may send at the same time, each with sequence numbers of its own.",
            "双方可以同时发送，各自使用自己的序号。",
        ),
        scenario="tcp_lifecycle:duplex",
        patterns=("full duplex", "full-duplex", "全双工"),
    ),
    Term(
        id="unicast",
        term=Text("unicast", "单播（unicast）"),
        sentence=Text(
            "A packet addressed to one interface of one host; all of TCP is unicast.",
            "发往某台主机的一个接口的分组；TCP 全部是单播。",
        ),
        scenario="udp_broadcast_multicast",
        patterns=("unicast", "单播"),
    ),
    Term(
        id="broadcast",
        term=Text("broadcast", "广播（broadcast）"),
        sentence=Text(
            "A packet to every host of the link; a UDP socket must ask for the right with SO_BROADCAST.",
            "发给链路上所有主机的分组；UDP 套接字须先用 SO_BROADCAST 取得许可。",
        ),
        scenario="udp_broadcast_multicast",
        patterns=("broadcast", "广播"),
    ),
    Term(
        id="multicast",
        term=Text("multicast", "组播（multicast）"),
        sentence=Text(
            "A packet to a group address, delivered to the hosts that have joined the group.",
            "发往组地址的分组，交付给已加入该组的主机。",
        ),
        scenario="udp_broadcast_multicast",
        patterns=("multicast", "组播", "多播"),
    ),
    Term(
        id="dual_stack",
        term=Text("dual stack", "双栈（dual stack）"),
        sentence=Text(
            "One IPv6 socket that also serves IPv4, whose peers it sees as ::ffff:a.b.c.d.",
            "一个 IPv6 套接字同时服务 IPv4，并把 IPv4 对端看作 ::ffff:a.b.c.d。",
        ),
        scenario="ipv6_dual_stack",
        patterns=("dual stack", "dual-stack", "双栈"),
    ),
    Term(
        id="vantage_point",
        term=Text("vantage point", "抓包位置（vantage point）"),
        sentence=Text(
            "The place where frames were recorded; what was lost beyond or before it looks different there.",
            "记录帧的地点；在它之前或之后丢失的内容，在那里看到的样子不同。",
        ),
        scenario="capture_vs_firewall",
        patterns=("vantage point", "capture point", "抓包位置"),
    ),
    Term(
        id="capture_drop",
        term=Text("capture drop", "抓包丢帧（capture drop）"),
        sentence=Text(
            "A frame that passed but that the recorder had no room for; the network did not lose it.",
            "帧已经通过，但抓包程序没有空间存放；网络并没有丢失它。",
        ),
        scenario="capture_drops",
        patterns=("capture drop", "dropped by the capture", "抓包丢帧"),
    ),
    Term(
        id="firewall",
        term=Text("firewall", "防火墙（firewall）"),
        sentence=Text(
            "Rules by which a kernel drops packets silently, or rejects them with a RST or an ICMP error.",
            "内核按规则处理分组：默默丢弃，或用 RST、ICMP 差错拒绝。",
        ),
        scenario="rst_refused:firewall_reset",
        patterns=("firewall", "防火墙"),
    ),
)
