"""From an expression to a question that can be asked of every exchange (grammar: `lab.filters`)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from lab.errors import FilterFaulty
from lab.filters.fields import BY_NAME, FLAGS, Field, Scene, carries
from lab.filters.talks import Talk, protocol
from lab.filters.tokens import Token, tokens
from lab.filters.values import LETTERS, Network, canonical
from lab.text import Text

Question = Callable[[Scene, Talk], bool]
Test = Callable[[Any], Any]
"""Compares a value, or each entry of an array, with what was asked for."""

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

    def whole(self) -> Question:
        question = self._any()
        if self._next is not END:
            raise self._unexpected(self._next)
        return question

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

    def _any(self) -> Question:
        terms = [self._all()]
        while self._took("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else lambda s, t: any(term(s, t) for term in terms)

    def _all(self) -> Question:
        factors = [self._factor()]
        while self._took("and"):
            factors.append(self._factor())
        return factors[0] if len(factors) == 1 else lambda s, t: all(one(s, t) for one in factors)

    def _factor(self) -> Question:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault(self._next, TOO_DEEP)
        if self._took("not"):
            inner = self._factor()
            question: Question = lambda s, t: not inner(s, t)  # noqa: E731
        elif self._took("("):
            question = self._any()
            if not self._took(")"):
                raise self._unexpected(self._next)
        else:
            question = self._test()
        self.depth -= 1
        return question

    def _test(self) -> Question:
        token = self._take()
        name = token.text.lower()
        if not token.is_value or token.is_quoted:
            raise self._unexpected(token)
        if name in {"tcp", "udp"}:
            return lambda _, talk: protocol(talk) == name
        only, _, rest = name.partition(".")
        only, rest = (only, rest) if only in {"tcp", "udp"} else ("", name)
        if flag := FLAGS.get(canonical(rest.removeprefix("analysis."))):
            return lambda _, talk: carries(talk, flag)
        if field := BY_NAME.get(rest):
            return self._comparison(field, only)
        raise self._unknown(token)

    def _comparison(self, field: Field, only: str) -> Question:
        token = self._next
        name = token.text.lower() if not token.is_quoted else ""
        sign = name if name in OPERATORS else "=="
        self.at += name in OPERATORS
        test = self._one_of(field) if sign == "in" else self._single(field, sign, token)
        negated = sign == "!="

        def question(scene: Scene, talk: Talk) -> bool:
            if only and protocol(talk) != only:
                return False
            values = [*field.read(scene, talk)]
            return bool(values) and any(_holds(test, value) for value in values) is not negated

        return question

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
        return lambda value: any(_holds(test, value) for test in tests)

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


def _holds(test: Test, value: Any) -> bool:
    """Ask one value; an array holds if one of its entries does."""
    answer = test(value)
    return bool(answer.any()) if hasattr(answer, "any") else bool(answer)


def chosen(question: Question, scene: Scene, talks: Sequence[Talk]) -> list[Talk]:
    """The exchanges of which an expression is true, in the order given."""
    return [talk for talk in talks if question(scene, talk)]
