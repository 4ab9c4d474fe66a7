"""Help and usage errors exist in both languages, click's own words included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from lab.cli import main
from lab.cli._spoken import Argument, Command, Option
from lab.cli._usage import PHRASES
from lab.report.glyphs import width
from lab.text import CHINESE, Language, Text

CONTEXT = click.Context(main, info_name="lab")
NAMES = main.list_commands(CONTEXT)
PAGES = [[], *([name] for name in NAMES)]
OF_CONTAINERS = {"sniff", "wire"}


def lab(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="lab", env={"LAB_LANG": "en", **environment})


def commands() -> Iterator[Command]:
    yield main
    for name in NAMES:
        found = main.get_command(CONTEXT, name)
        assert isinstance(found, Command), name
        yield found


def texts() -> Iterator[tuple[str, Text]]:
    """Every help that a command or an option declares, by where it does."""
    for command in commands():
        place = str(command.callback.__module__ if command.callback else command)
        yield place, command.words
        for parameter in command.params:
            assert isinstance(parameter, Option | Argument), (place, parameter.name)
            if isinstance(parameter, Option):
                yield f"{place} {parameter.opts[0]}", parameter.words


def test_every_command_and_option_has_help_in_both_languages() -> None:
    lacking = [
        place
        for place, words in texts()
        if not words.en.endswith(".")
        or not words.zh.endswith("。")
        or CHINESE.search(words.en)
        or not CHINESE.search(words.zh)
    ]
    assert lacking == []


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_a_page_in_chinese_keeps_nothing_of_clicks_english(page: list[str]) -> None:
    text = lab(*page, "--help", LAB_LANG="zh").stdout
    assert text.startswith("用法：lab")
    clicks = r"Usage|Options|Commands|OPTIONS|COMMAND|ARGS|Show |default|env var"
    types = r"\b(?:TEXT|INTEGER|FLOAT|PATH|FILE|DIRECTORY|BOOLEAN)\b"
    sentences = r"\b[a-z]+ [a-z]+ [a-z]+ [a-z]+\b"
    assert re.findall(f"{clicks}|{types}|{sentences}", text) == []


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_lines_of_help_are_no_wider_than_the_terminal(page: list[str], language: str) -> None:
    words = [*page, "--help", "--lang", language]
    text = CliRunner().invoke(main, words, prog_name="lab", terminal_width=66).stdout
    assert max(map(width, text.splitlines())) <= 66


@pytest.mark.parametrize(
    ("words", "language"),
    [
        (["run", "--help", "--lang", "zh"], "zh"),
        (["run", "--lang=zh", "--help"], "zh"),
        (["--lang", "zh", "run", "--help"], "zh"),
        (["--help", "--lang", "zh"], "zh"),
        (["run", "--help", "--", "--lang", "zh"], "en"),
    ],
    ids=" ".join,
)
def test_help_is_in_the_language_asked_for_wherever_it_is(words: list[str], language: str) -> None:
    assert lab(*words).stdout.startswith({"en": "Usage: ", "zh": "用法："}[language])


def test_the_option_wins_over_the_environment() -> None:
    assert lab("run", "--help", "--lang", "en", LAB_LANG="zh").stdout.startswith("Usage: lab run")


def test_the_list_says_the_first_paragraph_of_each_command_that_people_use() -> None:
    text = re.sub(r"\s+", "", lab("--help", LAB_LANG="zh").stdout)
    listed = {
        name
        for name, command in zip(NAMES, list(commands())[1:], strict=True)
        if re.sub(r"\s+", "", name + command.words.zh.partition("\n\n")[0].rstrip("。")) in text
    }
    assert listed == set(NAMES) - OF_CONTAINERS


def test_an_option_shows_its_default_and_variable_in_chinese() -> None:
    text = re.sub(r"\s+", "", lab("show", "--help", LAB_LANG="zh").stdout)
    assert "[环境变量：LAB_CAPTURES；默认：此处或实验室目录下的captures]" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nosuch"], "没有命令 'nosuch'。"),
        (["--nosuch"], "没有选项 '--nosuch'。"),
        (["run", "--nosuch"], "没有选项 '--nosuch'。"),
        (["explain", "--filte", "x"], "没有选项 '--filte'。是不是想用 '--filter'？"),
        (["quiz", "--level", "9"], "没有选项 '--level'。是不是想用 '--learner'"),
        (["run", "a", "b"], "多余的参数：b"),
        (["run", "a", "b", "c"], "多余的参数：b c"),
        (["show", "--captures"], "选项 '--captures' 需要一个值。"),
        (["show", "--html=3"], "选项 '--html' 不带值。"),
        (["explain"], "缺少参数 '文件...'。"),
        (["run", "--lang", "fr"], "'--lang' 的值无效：'fr' 不在可选值之中：'en', 'zh'。"),
        (["serve", "--port", "x"], "'--port' 的值无效：'x' 不是有效的整数。"),
        (["serve", "--port", "-1"], "'--port' 的值无效：-1 超出范围 0<=x<=65535。"),
        (["quiz", "--seed", "x"], "'--seed' 的值无效：'x' 不是有效的整数。"),
        (["wire", "--patience", "x"], "'--patience' 的值无效：'x' 不是有效的数字。"),
        (["grade", "/no/such"], "'目录...' 的值无效：目录 '/no/such' 不存在。"),
        (
            ["grade", "/dev/../etc/passwd"],
            "'目录...' 的值无效：目录 '/dev/../etc/passwd' 其实是文件。",
        ),
        (["show", "-o", "/"], "'-o' / '--output' 的值无效：文件 '/' 其实是目录。"),
        (["explain", "--memory", "big", "x"], "'--memory' 的值无效：'big' 不是 512M"),
        (["explain", "--connection", "q", "x"], "'--connection' 的值无效：'q' 不是“编号”"),
        (["explain", "--merge", "x"], "--merge 需要两个文件。"),
        (["explain", "--annotate", "x", "y", "z"], "--annotate 只能用于一个文件。"),
        (["run", "--all", "tour"], "--all 会运行全部场景"),
        (["ask"], "请指定一个问题"),
        (["diff", "one"], "请指定两次运行"),
        (["export"], "缺少参数 '文件|运行...'。"),
        (["show", "-o", "x"], "-o 要与 --html、--svg 或 --mermaid 同用。"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_is_wrong_with_a_command_line_is_said_in_chinese(words: list[str], told: str) -> None:
    said = lab(*words, LAB_LANG="zh")
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.splitlines()[-1].startswith(f"错误：{told}")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("LAB_WEB_LEAVE", "maybe", "'--leave' 的值无效：'maybe' 不是有效的布尔值。"),
        ("LAB_ENGINE", "podman", "'--engine' 的值无效：'podman' 不在可选值之中"),
    ],
)
def test_so_is_what_is_wrong_with_the_environment(variable: str, value: str, told: str) -> None:
    said = lab("serve", LAB_LANG="zh", **{variable: value})
    assert said.exit_code == 2
    assert f"错误：{told}" in said.stderr


def test_a_usage_error_says_how_the_command_is_used_and_where_help_is() -> None:
    said = lab("run", "--nosuch", "--lang", "zh")
    usage, help_, *_ = said.stderr.splitlines()
    assert usage == "用法：lab run [选项] [场景名[:变体]]"
    assert help_ == "用 'lab run --help' 查看帮助。"


def test_in_english_a_usage_error_reads_as_clicks_own() -> None:
    said = lab("serve", "--port", "x")
    assert said.stderr == (
        "Usage: lab serve [OPTIONS]\n"
        "Try 'lab serve --help' for help.\n\n"
        "Error: Invalid value for '--port': 'x' is not a valid integer range.\n"
    )


def test_no_words_at_all_are_answered_with_the_help() -> None:
    said = lab(LAB_LANG="zh")
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == lab("--help", LAB_LANG="zh").stdout


def test_an_escape_sequence_in_a_command_line_is_spelt_out() -> None:
    assert "多余的参数：\\x1b[2J" in lab("run", "tour", "\x1b[2J", LAB_LANG="zh").stderr


def test_every_phrase_of_clicks_is_one_that_this_click_says() -> None:
    said = "\n".join(map(bare, clicks_strings()))
    assert [phrase.en for phrase in PHRASES if bare(phrase.en) not in said] == []


def bare(form: str) -> str:
    """A form without the names of its placeholders, and without what is put around it."""
    return re.sub(r"\{\w*(!r)?\}", "{}", form).strip("{}: ")


def clicks_strings() -> Iterator[str]:
    for file in Path(str(click.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (
                    one.value if isinstance(one, ast.Constant) else "{}" for one in node.values
                )
                yield "".join(map(str, parts))
