"""The page's own words: labels, buttons, legend. What is said of a run comes from lab.report."""

from __future__ import annotations

from lab.text import Text, same

WORDS = {
    "skip": Text("Skip to the ladder", "跳到时序图"),
    "title": Text("Run {run}", "运行 {run}"),
    "controls": Text("How it is shown", "显示方式"),
    "numbers": Text("numbers", "序号"),
    "relative": Text("relative", "相对"),
    "absolute": Text("absolute", "绝对"),
    "window": Text("window", "窗口"),
    "scaled": Text("scaled", "缩放后"),
    "field": Text("field", "字段值"),
    "time": Text("time", "时间"),
    "t0": Text("since start", "从开始"),
    "t1": Text("since previous", "距上一事件"),
    "t2": Text("same direction", "距同方向上一帧"),
    "t3": Text("wall clock", "时钟 (UTC)"),
    "scale": Text("scale", "刻度"),
    "even": Text("even", "等距"),
    "true": Text("true time", "真实时间"),
    "code": Text("source lines", "源码行"),
    "language": same("EN / 中文"),
    "theme": Text("light / dark", "浅色 / 深色"),
    "print": Text("print", "打印"),
    "all": Text("all", "全部"),
    "ladder": Text("Ladder", "时序图"),
    "calls_of": Text("calls of {host}", "{host} 的调用"),
    "state": Text("state", "状态"),
    "background": Text("Background traffic: {counts}", "背景流量：{counts}"),
    "hidden": Text("{n} more exchange[|s] [is|are] not drawn here.", "另有 {n} 次交换未在此绘出。"),
    "no_packet": Text("no packet", "无报文"),
    "from_to": Text("{source} to {target}", "{source} 发往 {target}"),
    "lost": Text("lost on the way", "途中丢失"),
    "truth": Text("truth", "事实"),
    "single": Text("a single capture would say", "单点抓包会说"),
    "close": Text("close", "关闭"),
    "kernel": Text("What the kernels say", "内核的证词"),
    "no_kernel": Text("No kernel was asked in this recording.", "本次录制没有询问内核。"),
    "sockets": Text("Sockets, as sampled", "采样到的套接字"),
    "counters": Text("Counters that moved", "发生变化的计数器"),
    "sysctls": Text("Settings other than Linux's default", "与 Linux 默认值不同的设置"),
    "no_sysctls": Text("All as Linux has them by default.", "均为 Linux 默认值。"),
    "file_column": Text("capture", "抓包文件"),
    "dropped_column": Text("dropped by the kernel", "被内核丢弃"),
    "drops": Text("What the recording lost", "录制的丢失情况"),
    "versions": Text("Versions", "版本"),
    "no_samples": Text(
        "No socket lived long enough to be sampled.", "没有套接字存在得足够久，未采到样本。"
    ),
    "graphs": Text("Over time", "随时间的变化"),
    "cwnd": Text("cwnd, segments", "cwnd（报文段）"),
    "flight": Text("octets in flight", "在途字节"),
    "announced": Text("window announced by the peer, octets", "对方通告的窗口（字节）"),
    "stevens": Text("Sequence numbers over time", "序号—时间图"),
    "stevens_legend": Text(
        "Bars: segments, from their first octet to their last. Step line: what was acknowledged.",
        "竖线：报文段，从首字节到末字节。阶梯线：已被确认的序号。",
    ),
    "beside": Text("Expected and seen", "预期与所见"),
    "expected": Text("expected", "预期"),
    "seen": Text("seen", "所见"),
    "marks": Text(
        "= as promised; ~ at another time; ! not as promised; + only because the wire was late",
        "= 与承诺一致；~ 时间不同；! 与承诺不符；+ 仅因链路延误而发送",
    ),
    "findings": Text("Findings", "发现"),
    "no_findings": Text("Nothing remarkable was found.", "没有发现异常。"),
    "next": Text("Look at next", "接下来看"),
    "verdict": Text("Verdict", "结论"),
    "kept": Text("{kept} of {total} promises kept", "{total} 项承诺中兑现 {kept} 项"),
    "pass": Text("kept", "兑现"),
    "fail": Text("broken", "未兑现"),
    "promise": Text("promise", "承诺"),
    "frames": Text("frames", "帧"),
    "legend": Text("Legend", "图例"),
    "incomplete": Text("This run is incomplete: {reason}", "本次运行不完整：{reason}"),
    "dropped": Text(
        "The recording lacks {n} frame[|s]: the kernel dropped [it|them]. Nothing here proves an absence.",
        "录制缺少 {n} 帧：被内核丢弃。这里不能证明某帧不存在。",
    ),
    "vantage": Text(
        "Frame numbers are those of {file}, taken at {host}'s port of the switch, as Wireshark counts.",
        "帧号取自 {file}，在交换机上 {host} 的端口捕获，与 Wireshark 一致。",
    ),
    "file": Text("Frame numbers are those of {file}.", "帧号取自 {file}。"),
    "offload": Text(
        "Segmentation and checksum offload were off, so each frame is what passed the cable.",
        "分段与校验和卸载均已关闭，每一帧都与线路上所传一致。",
    ),
    "letters": Text("letters: {letters}", "字母：{letters}"),
    "scale_note": Text(
        "solid axis: to scale; dotted: stretched, for legibility; zig-zag: a quiet period",
        "实线轴：按比例；点线：为便于阅读而拉长；锯齿：静默时段",
    ),
}
"""By the name under which templates know them."""

CONTRAST = {
    "title": Text("{a} and {b}, side by side", "{a} 与 {b} 对照"),
    "scale": Text("even / true time", "等距 / 真实时间"),
    "language": WORDS["language"],
    "theme": WORDS["theme"],
    "print": WORDS["print"],
    "skip": Text("Skip to the first difference", "跳到第一处差异"),
    "alike": Text("alike", "相同"),
    "differ": Text("different", "不同"),
    "first": Text("first difference", "第一处差异"),
    "none": Text("no such step", "没有这一步"),
    "others": Text("What else differs", "其他差异"),
    "apart": Text("Apart from single exchanges", "不属于任何一次交换"),
    "same": Text("Alike", "相同的交换"),
    "steps": Text("{n} step[|s]", "{n} 步"),
    "more": Text("{n} more alike", "另有 {n} 步相同"),
    "rest": Text("{n} more [is|are] not drawn.", "另有 {n} 项未绘出。"),
    "marks": {
        "=": Text("the same", "相同"),
        "~": Text("at another time", "时间不同"),
        "·": Text("left open by the scenario", "场景未作规定"),
        "!": Text("different", "不同"),
    },
}
"""Of the page that lays two runs side by side."""

LEGEND = (
    ("SYN", Text("opens", "建立")),
    ("FIN", Text("closes", "关闭")),
    ("RST", Text("aborts", "中止")),
    ("PSH", Text("carries data", "携带数据")),
    ("ACK", Text("only acknowledges", "仅确认")),
    ("UDP", Text("datagram", "数据报")),
    ("ICMP", Text("message of a host or a router", "主机或路由器的消息")),
)
SIGNS = (
    ("✗", Text("lost, or refused by a kernel", "丢失，或被内核拒收")),
    (
        "┄",
        Text(
            "begins on the cable: injected, copied, of a router",
            "从线路中途出现：注入、复制或来自路由器",
        ),
    ),
    (
        "Ⓐ",
        Text(
            "on the cable: another host sent it, or gets it",
            "线路上的字母：由另一台主机发出或收到",
        ),
    ),
    ("↺", Text("sent again: the first copy", "重传：首次发送的那一帧")),
    ("⇐", Text("the ACK that asked for it", "触发重传的 ACK")),
    ("█", Text("the kernel was sampled in this state", "内核采样到该状态")),
    ("▨", Text("state inferred from the segments", "由报文段推断的状态")),
    ("✓", Text("a kernel confirms the state", "内核证实该状态")),
)
KEYS = (
    ("↑ ↓", Text("from event to event", "在事件之间移动")),
    ("enter", Text("details", "详情")),
    ("esc", Text("close", "关闭")),
    ("r", Text("relative or absolute numbers", "相对或绝对序号")),
    ("w", Text("window scaled or as the field has it", "窗口：缩放后或字段值")),
    ("t", Text("time base", "时间基准")),
    ("e", Text("even or true time", "等距或真实时间")),
    ("p", Text("source lines", "源码行")),
    ("l", Text("language", "语言")),
    ("d", Text("light or dark", "浅色或深色")),
    ("P", Text("print everything", "打印全部内容")),
)

DRAWER = {
    "close": WORDS["close"],
    "why": Text("Why this frame?", "为什么有这一帧？"),
    "if_lost": Text("What if it were lost?", "如果它丢失了？"),
    "shows": Text("The scenario that shows it:", "演示它的场景："),
    "headers": Text("Headers", "首部"),
    "field": Text("field", "字段"),
    "bits": Text("bits", "位"),
    "value": Text("value", "值"),
    "octets": Text("Octets", "字节"),
    "annotated": Text("annotated", "带注释"),
    "payload": Text("Payload", "载荷"),
    "raw": Text("raw", "原样"),
    "cut": Text(
        "cut: the character goes on in another segment", "被切断：该字符的其余部分在另一报文段"
    ),
    "read": Text(
        "a recv() ended within the marked character", "有一次 recv() 在标出的字符中间结束"
    ),
    "invalid": Text("not valid in this encoding", "不是该编码的有效文本"),
    "not_here": Text(
        "Octets that are only in the capture file: {n}.", "其余 {n} 字节在抓包文件中。"
    ),
    "not_printed": Text(
        "Rows not printed: {n}; the page on the screen has them all.",
        "另有 {n} 行未打印；屏幕上的页面中有全部内容。",
    ),
    "sum": Text("How the ACK number came about", "确认号如何得出"),
    "permalink": Text("link", "链接"),
    "call": Text("The call", "调用"),
    "place": Text("where", "位置"),
    "source": Text("source line", "源码行"),
    "took": Text("took", "耗时"),
    "frames": Text("frames", "帧"),
    "result": Text("result", "结果"),
    "detail": Text("Details of the event", "事件详情"),
    "details": Text("Details of every frame", "每一帧的详情"),
    "bytes_of": Text("octets {a} to {b}", "第 {a} 至 {b} 字节"),
}
"""By the name under which the script knows them."""
