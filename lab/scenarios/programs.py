"""A host's program, cut out of the scenario's own file: plain socket code that runs alone.

A scenario writes ``def client(server): ...``: its parameters are the hosts it talks to (their
addresses) and, after ``*``, options that a variant may set. What the function uses of its module
(imports of the standard library, constants, other functions) comes along; nothing of the lab does.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType

from lab.errors import ScenarioFaulty

Node = ast.stmt
PARSED_AT_MOST = 20
RUNNER = """

if __name__ == "__main__":
    import json
    import socket
    import sys

    *hosts, options = sys.argv[1:]
    {name}(*map(socket.gethostbyname, hosts), **json.loads(options))
"""


def program(module: ModuleType, function: Callable[..., object]) -> str:
    """The source of a program that runs one function of a scenario's module.

    Called as ``PROGRAM HOST... OPTIONS``: names of hosts, then its options as a JSON object.
    Raises ScenarioFaulty if it uses something of the lab.
    """
    source = inspect.getsource(module)
    tree = _parsed(source)
    wanted = _wanted(tree, function.__name__)
    _refuse_lab(wanted, module)
    imports = [node for node in wanted if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = [node for node in wanted if node not in imports]
    head = [f'"""{_first_line(function)}"""', "from __future__ import annotations"]
    body = "\n".join(_text(source, node) for node in imports)
    parts = [*head, body, *(_text(source, node) for node in rest)]
    return "\n\n\n".join(part for part in parts if part) + RUNNER.format(name=function.__name__)


def _parsed(source: str) -> ast.Module:
    """Parse a module. CPython 3.11 stumbles now and then if two threads parse (gh-106905)."""
    for _ in range(PARSED_AT_MOST - 1):
        with suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)


def _first_line(function: Callable[..., object]) -> str:
    return (inspect.getdoc(function) or f"The {function.__name__} of a scenario.").splitlines()[0]


def hosts_of(function: Callable[..., object]) -> tuple[str, ...]:
    """The hosts whose addresses a function asks for, by their names."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(one.name for one in parameters if one.kind is not one.KEYWORD_ONLY)


def _wanted(tree: ast.Module, name: str) -> list[Node]:
    """The statements of a module that a function needs, itself included, in their order."""
    bound = {name: node for node in tree.body for name in _binds(node)}
    wanted: set[Node] = set()
    waiting = [name]
    while waiting:
        node = bound.get(waiting.pop())
        if node is not None and node not in wanted:
            wanted.add(node)
            waiting += _names(node)
    return [node for node in tree.body if node in wanted]


def _names(node: Node) -> set[str]:
    """The names that a statement uses; a function's parameters are its own."""
    used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    own = (
        {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
        if isinstance(node, ast.FunctionDef)
        else set()
    )
    return used - own


def _binds(node: Node) -> Iterator[str]:
    """The names that a statement gives to its module."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (one.asname or one.name.partition(".")[0] for one in names)
        case ast.Assign(targets=targets):
            names_in = (one for target in targets for one in ast.walk(target))
            yield from (one.id for one in names_in if isinstance(one, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _refuse_lab(nodes: list[Node], module: ModuleType) -> None:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lab":
            detail = f"a host's program may not use {node.module}"
            raise ScenarioFaulty(file=module.__file__, line=node.lineno, detail=detail)


def _text(source: str, node: Node) -> str:
    """The lines of a statement, whole: with what is said at the end of the last one."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
