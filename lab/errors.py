"""Everything that can go wrong, once: what happened, what was expected, the remedy, the exit code.

    LabError
    ├── CaptureFileError            a file that cannot be read as a capture
    │   ├── NotACapture        20
    │   ├── EmptyCapture       21
    │   ├── TruncatedCapture   22   ends in the middle of a record: the rest was read
    │   ├── DamagedCapture     23   claims impossible lengths: what came before was read
    │   ├── UnreadableFile     24
    │   ├── DecoderMissing     25   it is compressed, and the package that unpacks it is not there
    │   ├── NothingShared      26   two captures without a frame in common
    │   └── NoSuchExchange     27
    ├── EngineError                 the machine cannot bring the lab up
    │   ├── DockerMissing      10
    │   ├── DockerForbidden    11
    │   ├── ComposeMissing     12
    │   ├── PortTaken          13
    │   ├── SubnetTaken        14
    │   ├── BridgeTaken        15
    │   ├── BaseImageMissing   16
    │   ├── BuildFailed        17
    │   ├── EngineFailed       18
    │   │   └── NamespacesForbidden     by the kernel, or no ip tool
    │   ├── WireForbidden      19   its ports are not the lab's own, or may not be taken over
    │   └── SnifferFailed           the sniffer's own exit code
    ├── RecordingError         34   the sniffer cannot record, or not write
    │   ├── CaptureForbidden   30   NET_RAW is missing
    │   ├── DiskFull           31
    │   ├── PortMissing        32
    │   └── HostsMissing       33
    ├── RunError                    a run that is not what was asked for
    │   ├── PromiseBroken       1
    │   ├── RunIncomplete      40
    │   ├── RunNotFound        41
    │   │   └── NoRunAtAll          the newest was asked for
    │   ├── RunDamaged         42
    │   ├── ScenarioUnknown    43
    │   ├── ScenarioFaulty     44
    │   ├── NotAvailable       77   what a scenario needs is not there: neither passed nor failed
    │   ├── RuleImpossible     45   of the wire: it contradicts itself or names no host
    │   ├── NothingPromised    46   a capture file, of which no scenario promises anything
    │   └── NotARun            47   a folder that holds no run
    ├── QuestionError               about questions, answers, a learner's progress
    │   ├── QuestionUnknown    60
    │   ├── NotProved          61
    │   ├── ProgressDamaged    62
    │   ├── AnswersUnreadable  63
    │   ├── ExerciseDamaged    64
    │   └── GlossaryUnknown    66
    ├── OutputError                 what was asked for cannot be chosen, or not be written
    │   ├── FilterFaulty       28
    │   ├── BpfFaulty          29   tcpdump does not understand a BPF filter
    │   ├── PackageMissing     50
    │   ├── NotWritten         51
    │   ├── TcpdumpMissing     52
    │   └── MatchTooLarge      53   two captures that would not fit into memory together
    ├── PageError                   the page cannot be served, or not give what it was asked for
    │   ├── AddressTaken       80
    │   │   └── AddressUnknown      a name that stands for no address
    │   ├── AddressOpen        81
    │   ├── OneAtATime         82
    │   ├── NoRunYet           83
    │   ├── NoLongerOpen       84
    │   └── NothingToAsk       85
    └── Interrupted           130
        └── Stopped                 while files were read or written

Exit code 2 is click's: the command line itself was wrong. 70 is a fault of the lab's own.
"""

from __future__ import annotations

from typing import ClassVar

from lab.text import Language, Text, same


class LabError(Exception):
    """An error made to be read: each class words its own cause and remedy."""

    exit_code: int = 70
    what: ClassVar[Text] = Text("The lab failed: {detail}", "实验室出错：{detail}")
    expected: ClassVar[Text | None] = None
    remedy: ClassVar[Text | None] = None

    def __init__(self, **details: object) -> None:
        """Keep the values that fill this class's ``{placeholders}``."""
        self.details = details
        super().__init__(self.what.fill(**details).en)

    def __reduce__(self) -> tuple[object, ...]:
        """How it passes between processes: its details make it anew."""
        return _again, (type(self), self.details)

    def lines(self, language: Language) -> list[str]:
        """What happened, what was expected, what to do: one line each, those that are known."""
        parts = (self.what, self.expected, self.remedy)
        return [part.fill(**self.details).say(language) for part in parts if part is not None]


def _again(kind: type[LabError], details: dict[str, object]) -> LabError:
    return kind(**details)


class CaptureFileError(LabError):
    """A file that cannot be read as a capture. Details: ``file``."""


class NotACapture(CaptureFileError):
    """Details: ``file``, ``start`` (the first octets, in hex), ``kind`` (what they are)."""

    exit_code = 20
    what = Text(
        "{file} is no capture: it starts with {start} ({kind}).",
        "{file} 不是抓包文件：开头是 {start}（{kind}）。",
    )
    expected = Text(
        "A pcap file starts with a1b2c3d4 or a1b23c4d (either byte order), a pcapng file with 0a0d0d0a. "
        "Either may be compressed: gzip starts with 1f8b, zstd with 28b52ffd.",
        "pcap 文件以 a1b2c3d4 或 a1b23c4d 开头（两种字节序均可），pcapng 文件以 0a0d0d0a 开头。"
        "两者都可以压缩：gzip 以 1f8b 开头，zstd 以 28b52ffd 开头。",
    )
    remedy = Text(
        "Name a file that tcpdump, Wireshark or the lab wrote. `editcap -F pcapng IN OUT` converts other captures.",
        "请指定由 tcpdump、Wireshark 或本实验室写出的文件。其他格式的抓包可用 `editcap -F pcapng 输入 输出` 转换。",
    )


class EmptyCapture(CaptureFileError):
    """Details: ``file``."""

    exit_code = 21
    what = Text("{file} holds no frame.", "{file} 里没有任何帧。")
    remedy = Text(
        "Was the recording stopped before the first frame, or its filter too narrow?",
        "是否在第一帧之前就停止了录制，或过滤条件过窄？",
    )


class TruncatedCapture(CaptureFileError):
    """Details: ``file``, ``offset`` (octets), ``frames`` (read before it)."""

    exit_code = 22
    what = Text(
        "{file} ends within a record, at octet {offset}.",
        "{file} 在第 {offset} 字节处、记录中间结束。",
    )
    expected = Text(
        "Frames before it, whole and read: {frames}.",
        "在此之前的 {frames} 帧完整，均已读取。",
    )
    remedy = Text(
        "The recording was cut off: copy the file again or record again.",
        "录制被中断：请重新复制文件或重新录制。",
    )


class DamagedCapture(CaptureFileError):
    """Details: ``file``, ``offset``, ``claim`` (what the record says), ``frames``."""

    exit_code = 23
    what = Text(
        "{file} is damaged at octet {offset}: {claim}.",
        "{file} 在第 {offset} 字节处损坏：{claim}。",
    )
    expected = Text(
        "Frames read before it: {frames}; what follows cannot be trusted.",
        "在此之前的 {frames} 帧已读取；其后的内容不可信。",
    )
    remedy = Text("Get the file again from where it was recorded.", "请从录制处重新获取该文件。")


class UnreadableFile(CaptureFileError):
    """Details: ``file``, ``detail`` (the system's word)."""

    exit_code = 24
    what = Text("{file} cannot be read: {detail}.", "无法读取 {file}：{detail}。")
    remedy = Text("Check the name and the permissions.", "请检查文件名与权限。")


class DecoderMissing(CaptureFileError):
    """Details: ``file``, ``package`` (of Python)."""

    exit_code = 25
    what = Text(
        "{file} is compressed; the package {package}, which unpacks it, is not installed.",
        "{file} 是压缩文件；解压所需的软件包 {package} 未安装。",
    )
    remedy = Text(
        "Install it (pip install {package}), or unpack the file first.",
        "请安装该软件包（pip install {package}），或先自行解压该文件。",
    )


class NothingShared(CaptureFileError):
    """Details: ``first``, ``second`` (files)."""

    exit_code = 26
    what = Text(
        "{first} and {second} have no frame in common.", "{first} 与 {second} 没有任何相同的帧。"
    )
    expected = Text(
        "Two captures of the same traffic, taken at two places at the same time.",
        "应为在两处同时抓取的同一份流量。",
    )


class NoSuchExchange(CaptureFileError):
    """Details: ``file``, ``protocol``, ``stream``, ``count`` (how many there are)."""

    exit_code = 27
    what = Text(
        "{file} has no {protocol} stream {stream}.", "{file} 中没有 {protocol} 流 {stream}。"
    )
    expected = Text("It has {count}, numbered from 0.", "共有 {count} 个，从 0 开始编号。")


class EngineError(LabError):
    """The machine cannot bring the lab up."""


class DockerMissing(EngineError):
    """Details: ``detail``."""

    exit_code = 10
    what = Text("No Docker engine answers: {detail}.", "没有 Docker 引擎应答：{detail}。")
    expected = Text(
        "A running Docker daemon at DOCKER_HOST or /var/run/docker.sock.",
        "应有 Docker 守护进程运行在 DOCKER_HOST 或 /var/run/docker.sock。",
    )
    remedy = Text(
        "Start it (sudo systemctl start docker), or install it (Debian: sudo apt install docker.io docker-compose).",
        "请启动它（sudo systemctl start docker），或安装它（Debian：sudo apt install docker.io docker-compose）。",
    )


class DockerForbidden(EngineError):
    """Details: ``socket``."""

    exit_code = 11
    what = Text(
        "The Docker daemon is there, but you may not talk to it ({socket}).",
        "Docker 守护进程存在，但你无权访问它（{socket}）。",
    )
    remedy = Text(
        "Join its group (sudo usermod -aG docker $USER, then log in again), or use rootless Docker.",
        "请加入 docker 组（sudo usermod -aG docker $USER，然后重新登录），或使用 rootless Docker。",
    )


class ComposeMissing(EngineError):
    """No compose tool."""

    exit_code = 12
    what = Text("Docker Compose is not installed.", "没有安装 Docker Compose。")
    expected = Text("Version 2, or docker-compose 1.29.", "需要第 2 版，或 docker-compose 1.29。")
    remedy = Text(
        "Install it: Debian: sudo apt install docker-compose; elsewhere: the docker-compose-plugin package.",
        "请安装：Debian 用 sudo apt install docker-compose；其他系统安装 docker-compose-plugin 软件包。",
    )


class PortTaken(EngineError):
    """Details: ``detail``."""

    exit_code = 13
    what = Text("A published port is taken: {detail}", "要发布的端口已被占用：{detail}")
    expected = Text(
        "The lab publishes one, for its page, on loopback.",
        "实验室只在回环地址上为页面发布一个端口。",
    )
    remedy = Text(
        "Name another in LAB_WEB_PORT, or stop what holds it (ss -ltnp shows it).",
        "请用 LAB_WEB_PORT 指定另一个端口，或停止占用它的程序（ss -ltnp 可查看）。",
    )


class SubnetTaken(EngineError):
    """Details: ``detail``."""

    exit_code = 14
    what = Text(
        "Docker found no free subnet for the lab's network: {detail}",
        "Docker 找不到可用的子网：{detail}",
    )
    expected = Text("The lab leaves the choice to Docker.", "实验室让 Docker 自行挑选。")
    remedy = Text(
        "Remove unused networks (docker network prune), or take a fixed subnet out of your compose override.",
        "请删除不用的网络（docker network prune），或去掉 compose 覆盖文件中的固定子网。",
    )


class BridgeTaken(EngineError):
    """Details: ``detail``."""

    exit_code = 15
    what = Text("The bridge's name is taken: {detail}", "网桥名称已被占用：{detail}")
    expected = Text("The lab lets Docker name it.", "实验室让 Docker 为它命名。")
    remedy = Text(
        "Take the fixed bridge name out of your compose override, or remove that bridge (ip link show type bridge).",
        "请去掉 compose 覆盖文件中固定的网桥名，或删除那个网桥（ip link show type bridge）。",
    )


class BaseImageMissing(EngineError):
    """Details: ``image``, ``detail``."""

    exit_code = 16
    what = Text(
        "The base image {image} is not here, no registry gave it, and it could not be made from Debian packages: {detail}",
        "本地没有基础镜像 {image}，镜像仓库未能提供，也无法用 Debian 软件包制作：{detail}",
    )
    remedy = Text(
        "Give this machine a registry or a Debian mirror, or load the image: docker load < image.tar.",
        "请为本机提供镜像仓库或 Debian 镜像站，或导入镜像：docker load < image.tar。",
    )


class BuildFailed(EngineError):
    """Details: ``detail`` (the builder's last words)."""

    exit_code = 17
    what = Text("The lab's image could not be built: {detail}", "无法构建实验室镜像：{detail}")
    remedy = Text(
        "Behind a TLS-inspecting proxy, name its CA bundle in LAB_CA_BUNDLE; 'lab doctor' tells more.",
        "若处在会检查 TLS 的代理之后，请用 LAB_CA_BUNDLE 指明其 CA 证书包；'lab doctor' 会给出更多信息。",
    )


class EngineFailed(EngineError):
    """Details: ``detail``."""

    exit_code = 18
    what = Text("The engine could not run the lab: {detail}", "引擎无法运行实验室：{detail}")
    remedy = Text(
        "'lab doctor' checks engine and machine, a line each.",
        "'lab doctor' 会逐项检查引擎与机器。",
    )


class NamespacesForbidden(EngineFailed):
    """Details: ``detail``, ``cure`` (a Text)."""

    remedy = same("{cure}")


class WireForbidden(EngineError):
    """Details: ``detail`` (a Text)."""

    exit_code = 19
    what = Text("The wire cannot be taken over: {detail}", "无法接管线路：{detail}")
    expected = Text(
        "It joins only veth ports of one bridge of its own network namespace; it needs NET_RAW, and NET_ADMIN to isolate them.",
        "线路只连接本网络命名空间内同一网桥的 veth 端口；需要 NET_RAW，隔离端口还需要 NET_ADMIN。",
    )


class SnifferFailed(EngineError):
    """The sniffer gave up. Details: ``code`` (its exit code), ``words`` (why, as it said itself)."""

    what = Text(
        "The sniffer could not record (exit code {code}): {words}",
        "抓包程序无法录制（退出码 {code}）：{words}",
    )

    def __init__(self, *, code: int, words: Text) -> None:
        super().__init__(code=code, words=words)
        self.exit_code = code


class RecordingError(LabError):
    """The sniffer cannot write. Details: ``detail``."""

    exit_code = 34
    what = Text("The sniffer cannot write: {detail}.", "抓包程序无法写入：{detail}。")
    remedy = Text("Look at who owns captures/.", "请检查 captures/ 属于谁。")


class CaptureForbidden(RecordingError):
    """No NET_RAW."""

    exit_code = 30
    what = Text(
        "The kernel forbids capturing: CAP_NET_RAW is missing.",
        "内核不允许抓包：缺少 CAP_NET_RAW。",
    )
    remedy = Text(
        "Keep cap_add: [NET_RAW] at the sniffer in compose.yaml; outside Docker, run as root.",
        "请在 compose.yaml 的 sniffer 中保留 cap_add: [NET_RAW]；在 Docker 之外请以 root 运行。",
    )


class DiskFull(RecordingError):
    """Details: ``file``."""

    exit_code = 31
    what = Text("The disk is full: writing to {file} stopped.", "磁盘已满：停止写入 {file}。")
    expected = Text(
        "What was written before it opens; a run cut short by it is marked incomplete.",
        "此前写入的内容仍可打开；因此中断的运行标记为不完整。",
    )
    remedy = Text(
        "Free some space (old runs lie in captures/), then run again.",
        "请腾出空间（旧的运行在 captures/ 中），再运行一次。",
    )


class PortMissing(RecordingError):
    """Details: ``host``, ``interface``."""

    exit_code = 32
    what = Text(
        "The port of host {host} (interface {interface}) is not in the sniffer's network namespace.",
        "主机 {host} 的端口（接口 {interface}）不在抓包程序的网络命名空间中。",
    )
    remedy = Text(
        "Keep network_mode: host at the sniffer; the engine must run on the same machine as the hosts.",
        "请为 sniffer 保留 network_mode: host；引擎与主机必须在同一台机器上。",
    )


class HostsMissing(RecordingError):
    """Details: ``hosts``, ``seconds``."""

    exit_code = 33
    what = Text(
        "No word from {hosts} for {seconds} seconds: the run cannot go on.",
        "{hosts} 已有 {seconds} 秒没有消息：运行无法继续。",
    )
    remedy = Text("The host's own words are above.", "原因见上方该主机自己的输出。")


class RunError(LabError):
    """A run that is not what was asked for."""


class PromiseBroken(RunError):
    """Details: ``broken``, ``total``."""

    exit_code = 1
    what = Text(
        "{broken} of {total} promises were not kept.", "{total} 项承诺中有 {broken} 项未兑现。"
    )


class RunIncomplete(RunError):
    """Details: ``folder``, ``reason`` (a Text)."""

    exit_code = 40
    what = Text("The run {folder} is incomplete: {reason}", "运行 {folder} 不完整：{reason}")
    remedy = Text("Its captures open; run again for a verdict.", "其抓包可以打开；请重新运行。")


class RunNotFound(RunError):
    """Details: ``run``, ``near`` (what there is)."""

    exit_code = 41
    what = Text(
        "There is no run or capture file called {run}.", "没有名为 {run} 的运行或抓包文件。"
    )
    expected: ClassVar[Text | None] = Text("Runs here: {near}", "现有的运行：{near}")
    remedy = Text(
        "Name a capture file, or a run: its folder or its scenario. captures/samples/tour is always there.",
        "请指定抓包文件或一次运行：其目录或场景名。captures/samples/tour 始终存在。",
    )


class NoRunAtAll(RunNotFound):
    """Details: ``captures`` (the folder of the runs)."""

    what = Text("There is no run in {captures} yet.", "{captures} 中还没有任何运行。")
    expected = None
    remedy = Text(
        "'make up' or 'lab run NAME' makes one; 'lab show FILE' shows any capture.",
        "'make up' 或 'lab run 场景名' 会产生一个；'lab show 文件' 可查看任意抓包。",
    )


class RunDamaged(RunError):
    """Details: ``file``, ``detail``."""

    exit_code = 42
    what = Text("{file} of the run is damaged: {detail}.", "运行中的 {file} 已损坏：{detail}。")
    remedy = Text(
        "Its captures may still open: lab explain FILE.",
        "其中的抓包可能仍可打开：lab explain FILE。",
    )


class ScenarioUnknown(RunError):
    """Details: ``scenario``, ``near``."""

    exit_code = 43
    what = Text("There is no scenario called {scenario}.", "没有名为 {scenario} 的场景。")
    expected = Text("Near it: {near}", "相近的有：{near}")
    remedy = Text("'lab list' shows them all.", "'lab list' 列出全部场景。")


class ScenarioFaulty(RunError):
    """Details: ``file``, ``line``, ``detail``."""

    exit_code = 44
    what = Text("{file}, line {line}: {detail}", "{file} 第 {line} 行：{detail}")
    expected = Text("CONTRIBUTING.md shows how one is written.", "写法见 CONTRIBUTING.md。")


class NotAvailable(RunError):
    """Details: ``capability``, ``reason`` (what the probe was told)."""

    exit_code = 77
    what = Text(
        "Not available here: {capability} ({reason}).", "此处不可用：{capability}（{reason}）。"
    )
    remedy = Text(
        "The scenario has neither passed nor failed: its kernel or engine lacks what it is about.",
        "该场景既未通过也未失败：内核或引擎缺少它所需的能力。",
    )


class RuleImpossible(RunError):
    """Details: ``detail`` (a Text)."""

    exit_code = 45
    what = Text(
        "The wire cannot do what the scenario asks: {detail}", "线路无法按场景的要求行事：{detail}"
    )
    remedy = Text(
        "Correct the rule in the scenario's file; lab/wire/rules.py says what there is.",
        "请修改场景文件中的规则；可用的写法见 lab/wire/rules.py。",
    )


class NothingPromised(RunError):
    """Details: ``file``."""

    exit_code = 46
    what = Text(
        "{file} is a capture file, no run of a scenario: nothing was promised of it.",
        "{file} 是抓包文件，不是场景的运行：没有可核对的承诺。",
    )
    remedy = Text(
        "Name a run, or have the file explained: lab explain {file}",
        "请指定一次运行，或查看对该文件的说明：lab explain {file}",
    )


class NotARun(RunError):
    """Details: ``folder``."""

    exit_code = 47
    what = Text(
        "{folder} is not the folder of a run: it holds no run.json.",
        "{folder} 不是一次运行的目录：其中没有 run.json。",
    )
    remedy = Text(
        "Name a capture file, or the folder of a run.", "请指定抓包文件，或一次运行的目录。"
    )


class QuestionError(LabError):
    """Something about questions, answers, or a learner's progress."""


class QuestionUnknown(QuestionError):
    """Details: ``question``."""

    exit_code = 60
    what = Text("No question fits {question!r}.", "没有与 {question!r} 相符的问题。")
    remedy = Text(
        "'lab ask --list' shows them all; an id (HS01) or a few words of the question will do.",
        "'lab ask --list' 列出全部问题；可以给出编号（HS01），或问题中的几个词。",
    )


class NotProved(QuestionError):
    """Details: ``question``, ``claim`` (a Text)."""

    exit_code = 61
    what = Text(
        "{question} is not proved by these runs: {claim}", "这些运行未能证明 {question}：{claim}"
    )
    remedy = Text(
        "Play it anew: lab ask {question} --fresh", "重新运行一次：lab ask {question} --fresh"
    )


class ProgressDamaged(QuestionError):
    """Details: ``file``, ``detail``."""

    exit_code = 62
    what = Text(
        "The progress file {file} cannot be read: {detail}.", "无法读取进度文件 {file}：{detail}。"
    )
    remedy = Text(
        "It is left as it is. Mend it, or move it away to begin anew; LAB_PROGRESS names another.",
        "文件未作改动。请修复它，或移走后重新开始；也可用 LAB_PROGRESS 指定另一个文件。",
    )


class AnswersUnreadable(QuestionError):
    """Details: ``file``, ``line``, ``detail``."""

    exit_code = 63
    what = Text(
        "{file} cannot be read at line {line}: {detail}.",
        "无法读取 {file} 第 {line} 行：{detail}。",
    )
    remedy = Text(
        "It is YAML: 'name: value', indented as it was handed out; quote what holds a colon.",
        "这是 YAML：写作“名称: 值”，缩进与发下时相同；含冒号的内容要加引号。",
    )


class ExerciseDamaged(QuestionError):
    """Details: ``folder``, ``detail`` (a Text)."""

    exit_code = 64
    what = Text(
        "The exercise in {folder} cannot be graded: {detail}.",
        "无法批改 {folder} 中的练习：{detail}。",
    )
    remedy = Text(
        "Hand in the folder as it was exported, with only answers.yaml changed.",
        "请按导出时的原样交回文件夹，只改动 answers.yaml。",
    )


class GlossaryUnknown(QuestionError):
    """Details: ``word``, ``near``."""

    exit_code = 66
    what = Text("The glossary has no term {word!r}.", "术语表中没有 {word!r}。")
    expected = Text("Near it: {near}", "相近的有：{near}")
    remedy = Text("'lab glossary' lists them all.", "'lab glossary' 列出全部术语。")


class OutputError(LabError):
    """What was asked for cannot be chosen, or not be written."""


class FilterFaulty(OutputError):
    """Details: ``expression``, ``place`` (characters before the fault), ``detail`` (a Text)."""

    exit_code = 28
    what = Text(
        "The filter is not understood at character {place}: {detail}",
        "过滤表达式在第 {place} 个字符处无法理解：{detail}",
    )
    expected = Text("The expression: {expression}", "表达式：{expression}")
    remedy = Text(
        "'lab explain --help' lists its fields, with examples.",
        "'lab explain --help' 列出全部字段并附示例。",
    )


class BpfFaulty(OutputError):
    """Details: ``expression``, ``detail`` (tcpdump's own words)."""

    exit_code = 29
    what = Text(
        "tcpdump does not accept the BPF filter: {detail}", "tcpdump 不接受该 BPF 过滤器：{detail}"
    )
    expected = Text("The filter: {expression}", "过滤器：{expression}")
    remedy = Text(
        "pcap-filter(7) describes the language; without bpf: a filter is the lab's own.",
        "语法见 pcap-filter(7)；不带 bpf: 前缀则按本实验室自己的语法解释。",
    )


class PackageMissing(OutputError):
    """Details: ``what`` (what was asked for), ``package``, ``extra`` (of this package)."""

    exit_code = 50
    what = Text(
        "{what} needs the Python package {package}, which is not installed.",
        "{what} 需要 Python 软件包 {package}，但尚未安装。",
    )
    remedy = Text(
        "pip install 'tcp-udp-lab[{extra}]', or choose --format csv.",
        "请执行 pip install 'tcp-udp-lab[{extra}]'，或改用 --format csv。",
    )


class NotWritten(OutputError):
    """Details: ``file``, ``detail`` (the system's word)."""

    exit_code = 51
    what = Text("{file} cannot be written: {detail}.", "无法写入 {file}：{detail}。")
    remedy = Text(
        "Check the folder, its permissions and the room on its disk.",
        "请检查目录、权限以及磁盘剩余空间。",
    )


class TcpdumpMissing(OutputError):
    """A BPF filter without the program that compiles it."""

    exit_code = 52
    what = Text(
        "BPF filters are compiled by tcpdump, which is not installed.",
        "BPF 过滤器由 tcpdump 编译，但尚未安装 tcpdump。",
    )
    remedy = Text(
        "Install it (Debian: sudo apt install tcpdump), or write the filter without bpf:.",
        "请安装（Debian：sudo apt install tcpdump），或改用不带 bpf: 的过滤表达式。",
    )


class MatchTooLarge(OutputError):
    """Details: ``first``, ``second`` (files), ``needed``, ``bound`` (MiB)."""

    exit_code = 53
    what = Text(
        "Matching {first} with {second} takes about {needed:,} MiB of memory; {bound:,} MiB may be taken.",
        "逐帧匹配 {first} 与 {second} 约需 {needed:,} MiB 内存，而可用上限为 {bound:,} MiB。",
    )
    expected = Text(
        "Frames are matched in memory: both captures have to fit.",
        "匹配在内存中进行，两个抓包必须能同时放下。",
    )
    remedy = Text(
        "Allow more with --memory {needed}M if there is as much, or cut both to the same minutes "
        "(editcap -A … -B …).",
        "若内存足够，可用 --memory {needed}M 放宽上限；或将两个文件截取到同一时段（editcap -A … -B …）。",
    )


class PageError(LabError):
    """The page cannot be served, or not give what it was asked for."""


class AddressTaken(PageError):
    """Details: ``address``, ``detail`` (the system's word)."""

    exit_code = 80
    what = Text("{address} cannot be listened on: {detail}.", "无法在 {address} 上监听：{detail}。")
    remedy = Text(
        "Choose another port: lab serve --port 0 takes any that is free.",
        "请换一个端口：lab serve --port 0 会使用任一空闲端口。",
    )


class AddressUnknown(AddressTaken):
    """Details: ``host``, ``detail`` (the system's word)."""

    what = Text("The name {host} cannot be resolved: {detail}.", "无法解析名称 {host}：{detail}。")
    remedy = Text(
        "Give --host an address of this machine, or leave it away.",
        "请用 --host 指定本机的一个地址，或不写 --host。",
    )


class AddressOpen(PageError):
    """Details: ``host``."""

    exit_code = 81
    what = Text("{host} can be reached from other machines.", "{host} 可以从其他机器访问。")
    remedy = Text(
        "Leave --host away, or add --anyone if that is what you want.",
        "请去掉 --host；若确实需要，请加上 --anyone。",
    )


class OneAtATime(PageError):
    """Details: ``scenario``."""

    exit_code = 82
    what = Text("{scenario} is being played already.", "{scenario} 正在运行。")
    remedy = Text("Wait until it is over.", "请等它结束。")


class NoRunYet(PageError):
    """Details: ``scenario``."""

    exit_code = 83
    what = Text("There is no usable run of {scenario}.", "还没有可用的 {scenario} 运行。")
    remedy = Text("Play it: lab run {scenario}", "请先运行：lab run {scenario}")


class NoLongerOpen(PageError):
    """A question or a case of which the server knows nothing (any more)."""

    exit_code = 84
    what = Text("This question is no longer open.", "这道题已不再开放。")
    remedy = Text("Ask for it again.", "请重新打开它。")


class NothingToAsk(PageError):
    """Every question was asked, and none is due."""

    exit_code = 85
    what = Text("Nothing is due, and there is no new question.", "没有到期的复习，也没有新题了。")
    remedy = Text("Choose one from the list to take it again.", "可在列表中选择一题重做。")


class Interrupted(LabError):
    """The user pressed Ctrl-C."""

    exit_code = 130
    what = Text(
        "Interrupted. Everything was cleaned up; the captures so far are kept in {folder}.",
        "已中断。一切均已清理；此前的抓包保存在 {folder}。",
    )


class Stopped(Interrupted):
    """The user pressed Ctrl-C while files were read or written."""

    what = Text("Stopped: what was asked for is not complete.", "已中止：所请求的内容尚未完成。")
