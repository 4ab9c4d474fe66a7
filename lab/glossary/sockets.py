"""Programs and their sockets: calls, buffers, waiting, streams and messages."""

from __future__ import annotations

from lab.glossary.term import Term
from lab.text import Text

TERMS = (
    Term(
        id="socket",
        term=Text("socket", "套接字（socket）"),
        sentence=Text(
            "A kernel object through which a program communicates; the program holds a descriptor of it.",
            "程序借以通信的内核对象；程序持有它的描述符。",
        ),
        scenario="four_tuple",
        patterns=("socket", "套接字"),
    ),
    Term(
        id="file_descriptor",
        term=Text("file descriptor", "文件描述符（file descriptor）"),
        sentence=Text(
            "A process's number for an open file or socket; the connection closes with the last descriptor.",
            "进程给打开的文件或套接字的编号；最后一个描述符关闭时连接才关闭。",
        ),
        scenario="fd_shared_close",
        patterns=("file descriptor", "文件描述符"),
    ),
    Term(
        id="system_call",
        term=Text("system call", "系统调用（system call）"),
        sentence=Text(
            "A program's request to the kernel; many socket calls put nothing on the wire.",
            "程序对内核的请求；许多套接字调用不会在线路上产生任何内容。",
        ),
        scenario="api_no_packets",
        patterns=("system call", "socket call", "系统调用"),
    ),
    Term(
        id="bind",
        term=Text("bind()", "绑定（bind）"),
        sentence=Text(
            "Gives a socket its local address and port; it sends nothing.",
            "为套接字指定本地地址和端口；不发送任何内容。",
        ),
        scenario="loopback_bind",
        patterns=("bind", "bind()", "绑定"),
    ),
    Term(
        id="unix_socket",
        term=Text("Unix domain socket", "Unix 域套接字（AF_UNIX）"),
        sentence=Text(
            "A socket between processes of one host; its data stays in the kernel and is never a packet.",
            "同一主机上进程之间的套接字；数据留在内核中，从不成为分组。",
        ),
        scenario="af_unix_local",
        patterns=("unix domain socket", "unix socket", "af_unix", "unix 域套接字"),
    ),
    Term(
        id="connected_udp",
        term=Text("connected UDP socket", "已连接的 UDP 套接字（connected UDP）"),
        sentence=Text(
            "connect() fixes one peer: other senders are filtered out, and ICMP errors reach the program.",
            "connect() 固定一个对端：过滤其他发送者，并让程序得知 ICMP 差错。",
        ),
        scenario="udp_connected_filter",
        patterns=("connected udp", "connected udp socket", "已连接的 udp"),
    ),
    Term(
        id="send_buffer",
        term=Text("send buffer", "发送缓冲区（send buffer）"),
        sentence=Text(
            "The kernel's copy of what was sent but not acknowledged; send() returns once data lies here.",
            "内核保存的已提交而未确认的数据；数据放进这里，send() 就返回。",
        ),
        scenario="send_buffer_truth",
        patterns=("send buffer", "so_sndbuf", "发送缓冲区"),
    ),
    Term(
        id="receive_buffer",
        term=Text("receive buffer", "接收缓冲区（receive buffer）"),
        sentence=Text(
            "Where the kernel keeps what arrived until the program reads it.",
            "内核存放已到达、程序尚未读取的数据的地方。",
        ),
        scenario="udp_receive_overflow",
        patterns=("receive buffer", "so_rcvbuf", "接收缓冲区"),
    ),
    Term(
        id="receive_overflow",
        term=Text("receive buffer overflow", "接收缓冲区溢出（receive buffer overflow）"),
        sentence=Text(
            "The kernel discards datagrams that find no room in the socket's buffer; no one is told.",
            "套接字缓冲区没有空间时内核丢弃数据报，也不通知任何一方。",
        ),
        scenario="udp_receive_overflow",
        patterns=("receive buffer overflow", "接收缓冲区溢出"),
    ),
    Term(
        id="truncation",
        term=Text("truncation", "截断（truncation）"),
        sentence=Text(
            "A datagram larger than the buffer given to recv() loses its rest, which cannot be read later.",
            "数据报大于 recv() 给出的缓冲区时，余下部分丢失，之后也读不到。",
        ),
        scenario="udp_truncation",
        patterns=("truncation", "truncated datagram", "截断"),
    ),
    Term(
        id="byte_stream",
        term=Text("byte stream", "字节流（byte stream）"),
        sentence=Text(
            "Octets in order without marks between them; TCP does not keep where one send ended.",
            "有序而没有分界的字节；TCP 不保留每次发送的边界。",
        ),
        scenario="stream_coalesce",
        patterns=("byte stream", "字节流"),
    ),
    Term(
        id="sticking",
        term=Text("coalesced messages", "粘包（coalesced messages）"),
        sentence=Text(
            "One recv() returns what several sends wrote, for TCP carries a stream and has no packets to stick together.",
            "一次 recv() 取到多次 send 的内容；TCP 传送字节流，本没有可粘连的“包”。",
        ),
        scenario="stream_coalesce",
        patterns=("coalesced messages", "sticking", "粘包"),
    ),
    Term(
        id="partial_read",
        term=Text("partial read", "部分读取（partial read）"),
        sentence=Text(
            "recv() returns what there is, up to the size asked for, even half of a message.",
            "recv() 返回现有的数据，最多为所要求的大小，可能只是半条消息。",
        ),
        scenario="multibyte_split",
        patterns=("partial read", "short read", "部分读取"),
    ),
    Term(
        id="framing",
        term=Text("framing", "成帧（framing）"),
        sentence=Text(
            "A program's own rule for where a message ends: a length before it, a delimiter, a fixed size.",
            "程序自定的消息结束规则：前置长度、分隔符或固定大小。",
        ),
        scenario="framing_protocols",
        patterns=("framing", "message boundary", "消息边界", "成帧"),
    ),
    Term(
        id="encoding",
        term=Text("character encoding", "字符编码（character encoding）"),
        sentence=Text(
            "The rule that turns characters into octets; both programs must use the same one.",
            "把字符变为字节的规则；双方程序必须使用同一种。",
        ),
        scenario="encoding_mismatch",
        patterns=("encoding", "character encoding", "utf-8", "gbk", "字符编码", "编码"),
    ),
    Term(
        id="blocking",
        term=Text("blocking call", "阻塞调用（blocking call）"),
        sentence=Text(
            "A call that puts its thread to sleep until there is a result.",
            "使线程休眠、直到有结果才返回的调用。",
        ),
        scenario="recv_timeouts",
        patterns=("blocking call", "blocking", "阻塞"),
    ),
    Term(
        id="nonblocking",
        term=Text("non-blocking socket", "非阻塞套接字（non-blocking socket）"),
        sentence=Text(
            "Calls return at once; EAGAIN or EINPROGRESS says that the result is not there yet.",
            "调用立即返回；EAGAIN 或 EINPROGRESS 表示结果还没有到。",
        ),
        scenario="nonblocking_connect",
        patterns=("non-blocking", "nonblocking", "非阻塞"),
    ),
    Term(
        id="readiness",
        term=Text("readiness", "就绪（readiness）"),
        sentence=Text(
            "What select and epoll report: a call on that socket would not block now.",
            "select 和 epoll 报告的状态：此刻对该套接字的调用不会阻塞。",
        ),
        scenario="concurrency_models:selectors",
        patterns=("readiness", "select()", "epoll", "i/o multiplexing", "就绪", "i/o 多路复用"),
    ),
    Term(
        id="level_trigger",
        term=Text("level trigger", "水平触发（level trigger）"),
        sentence=Text(
            "epoll reports a socket again and again for as long as unread data remains.",
            "只要还有未读数据，epoll 就一再报告该套接字。",
        ),
        scenario="epoll_trigger",
        patterns=("level-triggered", "level trigger", "水平触发"),
    ),
    Term(
        id="edge_trigger",
        term=Text("edge trigger", "边缘触发（edge trigger）"),
        sentence=Text(
            "epoll reports a socket only when something new arrives, so it must be read until EAGAIN.",
            "只有新内容到达时 epoll 才报告，所以必须读到 EAGAIN 为止。",
        ),
        scenario="epoll_trigger:edge",
        patterns=("edge-triggered", "edge trigger", "边缘触发"),
    ),
    Term(
        id="concurrent_server",
        term=Text("concurrent server", "并发服务器（concurrent server）"),
        sentence=Text(
            "A server that serves several connections at once: by threads, processes or an event loop.",
            "同时服务多个连接的服务器：用线程、进程或事件循环实现。",
        ),
        scenario="concurrency_models:thread",
        patterns=("concurrent server", "并发服务器"),
    ),
    Term(
        id="iterative_server",
        term=Text("iterative server", "迭代服务器（iterative server）"),
        sentence=Text(
            "A server that finishes with one client before it accepts the next.",
            "处理完一个客户端才接受下一个的服务器。",
        ),
        scenario="concurrency_models:sequential",
        patterns=("iterative server", "sequential server", "迭代服务器"),
    ),
    Term(
        id="program_timeout",
        term=Text("program timeout", "程序超时（settimeout）"),
        sentence=Text(
            "Python's settimeout(): the program stops waiting, and the connection is left as it was.",
            "Python 的 settimeout()：程序不再等待，连接保持原样。",
        ),
        scenario="recv_timeouts",
        patterns=("settimeout()", "socket timeout", "program timeout", "程序超时"),
    ),
    Term(
        id="kernel_timeout",
        term=Text("kernel timeout", "内核超时（SO_RCVTIMEO）"),
        sentence=Text(
            "SO_RCVTIMEO: the kernel ends a blocking recv() with EAGAIN; the connection lives on.",
            "SO_RCVTIMEO：内核让阻塞的 recv() 以 EAGAIN 返回，连接继续存在。",
        ),
        scenario="recv_timeouts",
        patterns=("so_rcvtimeo", "kernel timeout", "内核超时"),
    ),
    Term(
        id="urgent_data",
        term=Text("urgent data", "紧急数据（urgent data）"),
        sentence=Text(
            "A pointer marks one octet of the stream; Linux takes it out of line unless told otherwise.",
            "紧急指针标出字节流中的一个字节；Linux 默认把它从流中取出另存。",
        ),
        scenario="urgent_data",
        patterns=("urgent data", "out-of-band data", "urgent pointer", "紧急数据", "带外数据"),
    ),
)
