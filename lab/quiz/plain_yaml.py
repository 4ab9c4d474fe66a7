"""YAML as learners type it: plain data, every scalar as it was written, and slips of the pen mended.

YAML would read ``010`` as 8, ``41:42:43`` as a count of seconds and ``yes`` as true: here all stay
what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from lab.text import Text, same

DEEPEST = 8
NUMBER_SIGN = re.compile(r"(:[ \t]+)#(\d+)\b")  # "syn: #7" is meant as 7, not as a comment
LOOSE = re.compile(r"^( *[A-Za-z]\w*)(?:：[ \t]*|:(?=[^\s:/]))")  # "syn：7", "syn:7"
WORDS = re.compile(r"^( *)text:(?:[ \t]+(.*?))?[ \t]*(\r?\n?)$")
KEPT = ("|", ">", '"', "'", "#")  # how a text begins that needs no quotes

TWICE = Text("{name} stands there twice", "{name} 出现了两次")
ALIAS = Text("aliases are not read", "不读取别名（*）")
TAG = Text("tags are not read: only plain values", "不读取标签（!），只接受普通的值")
DEEP = Text("nested too deep", "嵌套过深")
PROBLEMS = (
    (r"mapping values are not", Text("quote what holds a colon", "含冒号的内容要加引号")),
    (r"'\\t'", Text("indent with spaces, not with tabs", "请用空格缩进，不要用制表符")),
    (r"expected ':'", Text("a line before it lacks its colon", "前面有一行缺少冒号")),
    (r"end of stream", Text("a quote or bracket is not closed", "引号或括号没有闭合")),
    (r"another document", Text("a second document begins (---)", "出现了第二个文档（---）")),
    (
        r"block end|flow|dedent|node content",
        Text("check indentation and brackets", "请检查缩进和括号"),
    ),
)
"""What a parser says of the usual slips, and what a learner understands."""


class NotPlain(ValueError):
    """What is no YAML, or more than plain data; ``line`` counts from 1."""

    def __init__(self, words: Text, line: int) -> None:
        """``words``: for the learner."""
        super().__init__(words.en)
        self.words, self.line = words, line


def mended(text: str) -> str:
    """The same with what the pen slipped at: full-width colons, no space after one, ``#7``.

    An explanation that holds a colon is quoted; its further lines are left alone.
    """
    return "".join(_mended(text.splitlines(keepends=True)))


def _mended(lines: list[str]) -> Iterator[str]:
    words_at: int | None = None  # how far the explanation is indented whose lines these are
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        if words_at is not None and (depth > words_at or not line.strip()):
            yield line
            continue
        told = NUMBER_SIGN.sub(r"\1\2", LOOSE.sub(r"\1: ", line))
        words_at = depth if WORDS.match(told) else None
        yield WORDS.sub(_quoted, told)


def _quoted(found: re.Match[str]) -> str:
    said = found[2] or ""
    if ": " not in said or said.startswith(KEPT):
        return found[0]
    quoted = said.split(" #")[0].rstrip().replace("'", "''")
    return f"{found[1]}text: '{quoted}'{found[3]}"


def parse(text: str) -> object:
    """Mappings, lists and strings; what is left empty is None. Raises NotPlain.

    Aliases, with which a short text stands for an endless one, are an error; so are tags, which
    would build objects, and a name that stands twice in one mapping.
    """
    try:
        _look_over(text)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise NotPlain(_why(error), _line(error)) from error
    return _plain(node) if node else None


def _look_over(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise NotPlain(ALIAS, line)
        if getattr(event, "tag", None):
            raise NotPlain(TAG, line)
        if depth > DEEPEST:
            raise NotPlain(DEEP, line)


def _plain(node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one) for one in node.value]
    if not isinstance(node, yaml.MappingNode):
        bare = not isinstance(node, yaml.ScalarNode) or node.style is None
        empty = bare and node.value in ("", "~", "null")
        return None if empty else str(node.value)
    told: dict[str, object] = {}
    for key, value in node.value:
        name = str(_plain(key))
        if name in told:
            raise NotPlain(TWICE.fill(name=name), key.start_mark.line + 1)
        told[name] = _plain(value)
    return told


def _line(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return int(mark.line) + 1 if mark else 1


def _why(error: yaml.YAMLError) -> Text:
    said = str(getattr(error, "problem", None) or error).splitlines()[0][:100]
    return next((words for sign, words in PROBLEMS if re.search(sign, said)), same(said))
