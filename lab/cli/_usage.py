"""What click says of its own accord, in both languages: its headings, and what is wrong with a command line.

click hands its sentences over when they are whole, so a sentence is looked up by its form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import click

from lab.text import Language, Text

PHRASES = (
    Text("Usage: ", "用法："),
    Text("Options:", "选项："),
    Text("Commands:", "命令："),
    Text("[OPTIONS]", "[选项]"),
    Text("COMMAND [ARGS]...", "命令 [参数]..."),
    Text("Show this message and exit.", "显示本帮助并退出。"),
    Text("Missing command.", "缺少命令。"),
    Text("No such command {name}.", "没有命令 {name}。"),
    Text("No such option {name}.", "没有选项 {name}。"),
    Text("Option {name} requires an argument.", "选项 {name} 需要一个值。"),
    Text("Option {name} does not take a value.", "选项 {name} 不带值。"),
    Text("Got unexpected extra argument ({args})", "多余的参数：{args}"),
    Text("Got unexpected extra arguments ({args})", "多余的参数：{args}"),
    Text("{value} is not one of {choices}.", "{value} 不在可选值之中：{choices}。"),
    Text("{value} is not in the range {range}.", "{value} 超出范围 {range}。"),
    Text(
        "{value} is not a valid boolean. Recognized values: {states}",
        "{value} 不是有效的布尔值。可用的值：{states}",
    ),
    Text("{value} is not a valid {kind}.", "{value} 不是有效的{kind}。"),
    Text("{kind} {filename} does not exist.", "{kind} {filename} 不存在。"),
    Text("{kind} {filename} is a file.", "{kind} {filename} 其实是文件。"),
    Text("{kind} {filename} is a directory.", "{kind} {filename} 其实是目录。"),
    Text("{kind} {filename} is not readable.", "{kind} {filename} 不可读。"),
    Text("{hint} (env var: {var})", "{hint}（环境变量：{var}）"),
)
"""Those of click's phrases that a command of the lab's can give rise to."""

KINDS = {
    "File": "文件",
    "Directory": "目录",
    "Path": "路径",
    "integer": "整数",
    "integer range": "整数",
    "float": "数字",
}
"""What a ``{kind}`` of click's is in Chinese."""

HELP = Text("Try '{command} --help' for help.", "用 '{command} --help' 查看帮助。")
ERROR = Text("Error: {message}", "错误：{message}")
MISSING = Text("Missing argument {hint}.", "缺少参数 {hint}。")
INVALID = Text("Invalid value for {hint}: {message}", "{hint} 的值无效：{message}")
NEAR = Text("{message} Did you mean {names}?", "{message}是不是想用 {names}？")
OR = Text(" or ", " 或 ")


class Misuse(click.BadParameter):
    """A command line that contradicts itself; raised by an option's callback, a value it cannot take."""

    def __init__(self, words: Text) -> None:
        super().__init__(words.en)
        self.words = words


def told(phrase: str, language: Language) -> str:
    """Say a phrase of click's in a language; one that is none of `PHRASES` stays as it is."""
    if language is Language.ZH:
        for form in PHRASES:
            if found := _pattern(form.en).fullmatch(phrase):
                parts = found.groupdict()
                kind = KINDS.get(parts.get("kind", ""), "")
                return form.zh.format(**parts | {"kind": kind})
    return phrase


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(form)), re.DOTALL)


def lines(error: click.UsageError, language: Language) -> Iterator[str]:
    """How the command is used, where more is said of it, and what is wrong; all its help for no words."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        yield from error.message.splitlines()
        return
    if error.ctx:
        yield from error.ctx.get_usage().splitlines()
        yield HELP.fill(command=error.ctx.command_path).say(language)
        yield ""
    yield ERROR.fill(message=_message(error, language)).say(language)


def _message(error: click.UsageError, language: Language) -> str:
    message = told(error.message, language)
    if isinstance(error, Misuse):
        message = error.words.say(language)
    if isinstance(error, click.BadParameter) and error.param:
        hint = told(error.param.get_error_hint(error.ctx), language)
        form = MISSING if isinstance(error, click.MissingParameter) else INVALID
        return form.fill(hint=hint, message=message).say(language)
    if near := getattr(error, "possibilities", None):
        names = OR.say(language).join(map(repr, near))
        return NEAR.fill(message=message, names=names).say(language)
    return message
