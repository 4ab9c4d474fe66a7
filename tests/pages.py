"""A page taken apart by html.parser: elements with their attributes and the text inside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

VOID = frozenset(("meta", "link", "br", "img", "input", "rect", "hr"))


@dataclass
class Element:
    """One element."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @cached_property
    def text(self) -> str:
        """All text inside it."""
        parts = (one if isinstance(one, str) else one.text for one in self.children)
        return "".join(parts)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    def __iter__(self) -> Iterator[Element]:
        """Itself and all elements inside it, in order."""
        yield self
        for one in self.children:
            if isinstance(one, Element):
                yield from one

    def all(self, tag: str = "", *classes: str, **attributes: str) -> list[Element]:
        """Those inside it that have this tag, these classes and these attributes."""
        return [
            one
            for one in self
            if tag in ("", one.tag)
            and set(classes) <= one.classes
            and all(one.attributes.get(name) == value for name, value in attributes.items())
        ]

    def one(self, tag: str = "", *classes: str, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, *classes, **attributes)
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(html: str) -> Element:
    """Read a page; every element must be closed, in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, [one.tag for one in reader.open]
    return reader.open[0]
