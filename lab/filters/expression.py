"""From an expression to a question that can be asked of every exchange (grammar: `lab.filters`)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import reduce
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from lab.errors import FilterFaulty
from lab.filters.fields import BY_NAME, FLAGS, Field
from lab.filters.tokens import Token, tokens
from lab.filters.values import LETTERS, Network, canonical
from lab.text import Text

if TYPE_CHECKING:  # an expression is understood before anything is read
    from lab.filters.sheet import Sheet, Test
    from lab.tcp.columns import Mask

Holds = Callable[["Sheet"], "Mask"]
"""The exchanges of which a part of an expression is true."""

ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
OPERATORS = {"==", "!=", "contains", "in", *ORDERS}
END = Token("", 0, is_value=False)
DEEPEST = 100
"""Parentheses and negations inside each other; more are no question that a person asks."""

NO_END = Text("something is missing at the end", "末尾缺少内容")
UNEXPECTED = Text("'{word}' is not expected here", "此处不应出现“{word}”")
UNKNOWN = Text("'{word}' is no field and no flag", "“{word}”既不是字段也不是标志")
UNKNOWN_NEAR = Text(
    "'{word}' is no field and no flag; near it: {near}",
    "“{word}”既不是字段也不是标志；相近的有：{near}",
)
NO_VALUE = Text("'{word}' is not {expected}", "“{word}”不是{expected}")
NO_ORDER = Text("'{word}' has no order: use == or !=", "“{word}”没有大小之分：请用 == 或 !=")
NO_LETTERS = Text(
    "'contains' asks for letters, as of history", "contains 只用于字母序列，如 history"
)
TOO_DEEP = Text("too many parentheses inside each other", "括号嵌套过深")


class Question(Struct, frozen=True):
    """What is asked of every exchange."""

    holds: Holds
    of_findings: bool = False  # about what was found, too


def parse(expression: str) -> Question:
    """Understand an expression; raises `FilterFaulty`."""
    return _Parser(expression).whole()


class _Parser:
    """Recursive descent; each method takes the tokens of one rule of the grammar."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = [*tokens(expression)]
        self.at = 0
        self.depth = 0
        self.of_findings = False

    def whole(self) -> Question:
        holds = self._any()
        if self._next is not END:
            raise self._unexpected(self._next)
        return Question(holds, self.of_findings)

    @property
    def _next(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else END

    def _take(self) -> Token:
        token = self._next
        self.at += 1
        return token

    def _took(self, *texts: str) -> bool:
        """Take the next token if it is one of these signs or words."""
        token = self._next
        hit = not token.is_quoted and token is not END and token.text.lower() in texts
        self.at += hit
        return hit

    def _any(self) -> Holds:
        terms = [self._all()]
        while self._took("or"):
            terms.append(self._all())
        return lambda sheet: reduce(operator.or_, (term(sheet) for term in terms))

    def _all(self) -> Holds:
        factors = [self._factor()]
        while self._took("and"):
            factors.append(self._factor())
        return lambda sheet: reduce(operator.and_, (factor(sheet) for factor in factors))

    def _factor(self) -> Holds:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault(self._next, TOO_DEEP)
        if self._took("not"):
            inner = self._factor()
            holds: Holds = lambda sheet: ~inner(sheet)  # noqa: E731
        elif self._took("("):
            holds = self._any()
            if not self._took(")"):
                raise self._unexpected(self._next)
        else:
            holds = self._test()
        self.depth -= 1
        return holds

    def _test(self) -> Holds:
        token = self._take()
        name = token.text.lower()
        if not token.is_value or token.is_quoted:
            raise self._unexpected(token)
        if name in {"tcp", "udp"}:
            return lambda sheet: sheet.every(holds=sheet.protocol == name)
        only, _, rest = name.partition(".")
        only, rest = (only, rest) if only in {"tcp", "udp"} else ("", name)
        if flag := FLAGS.get(canonical(rest.removeprefix("analysis."))):
            return lambda sheet: sheet.carrying(flag)
        if field := BY_NAME.get(rest):
            return self._comparison(field, only)
        raise self._unknown(token)

    def _comparison(self, field: Field, only: str) -> Holds:
        token = self._next
        name = token.text.lower() if not token.is_quoted else ""
        sign = name if name in OPERATORS else "=="
        self.at += name in OPERATORS
        self.of_findings |= field.of_findings
        test = self._one_of(field) if sign == "in" else self._single(field, sign, token)

        def holds(sheet: Sheet) -> Mask:
            if only and sheet.protocol != only:
                return sheet.every(holds=False)
            values = field.read(sheet)
            found = sheet.any_of(values, test)
            return sheet.any_of(values) & ~found if sign == "!=" else found

        return holds

    def _single(self, field: Field, sign: str, token: Token) -> Test:
        if sign in ORDERS and not field.kind.is_ordered:
            raise self._fault(token, NO_ORDER.fill(word=field.names[0]))
        if sign == "contains" and field.kind is not LETTERS:
            raise self._fault(token, NO_LETTERS)
        if sign in {"==", "!="}:
            return self._equals(field)
        wanted = self._value(field, word := self._take(), word.text)
        if sign == "contains":
            return lambda value: wanted in value
        order = ORDERS[sign]
        return lambda value: order(value, wanted)

    def _one_of(self, field: Field) -> Test:
        braced = self._took("{")
        tests = [self._equals(field)]
        while self._took(",") or (braced and self._next.is_value):
            tests.append(self._equals(field))
        if braced and not self._took("}"):
            raise self._unexpected(self._next)
        return lambda value: reduce(operator.or_, (test(value) for test in tests))

    def _equals(self, field: Field) -> Test:
        """A test for one value, or for a range of an ordered kind."""
        token = self._take()
        low, dots, high = token.text.partition("..")
        if dots and field.kind.is_ordered:
            first, last = self._value(field, token, low), self._value(field, token, high)
            return lambda value: (value >= first) & (value <= last)
        wanted = self._value(field, token, token.text)
        if isinstance(wanted, Network):
            return wanted.holds
        return lambda value: value == wanted

    def _value(self, field: Field, token: Token, word: str) -> Any:
        if not token.is_value:
            raise self._unexpected(token)
        try:
            return field.kind.read(word)
        except (ValueError, OverflowError) as error:
            detail = NO_VALUE.fill(word=word, expected=field.kind.expected)
            raise self._fault(token, detail) from error

    def _unknown(self, token: Token) -> FilterFaulty:
        names: Iterable[str] = [*BY_NAME, *(flag.replace("-", "_") for flag in FLAGS)]
        near = get_close_matches(token.text.lower(), [*names], 3)
        if not near:
            return self._fault(token, UNKNOWN.fill(word=token.text))
        return self._fault(token, UNKNOWN_NEAR.fill(word=token.text, near=", ".join(near)))

    def _unexpected(self, token: Token) -> FilterFaulty:
        return self._fault(token, NO_END if token is END else UNEXPECTED.fill(word=token.text))

    def _fault(self, token: Token, detail: Text) -> FilterFaulty:
        place = token.place or len(self.expression) + 1
        return FilterFaulty(expression=self.expression, place=place, detail=detail)
