"""The expression language: from the text between brackets to a tree.

``[concat('a', parameters('b').c[0])]``: literals in single quotes (a quote is doubled), whole numbers, calls, members
and elements. A text that begins with ``[[`` is a literal ``[``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.templates.errors import TemplateError
from vpngw_iac.simulator.templates.limits import LONGEST_EXPRESSION

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)(?![\w.])|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()\[\],.])|(?P<end>$))""",
    re.VERBOSE,
)
_MARKS = {
    "(": "LeftParenthesis",
    ")": "RightParenthesis",
    "[": "LeftSquareBracket",
    "]": "RightSquareBracket",
    ",": "Comma",
    ".": "Dot",
}
_DEEPEST = 100
LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function with its arguments; a template's own functions have a namespace before a dot."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """``.name`` or ``[index]`` of a value."""

    owner: Expression
    key: Expression


Expression = Literal | FunctionCall | Member


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def is_expression(text: str) -> bool:
    """Whether a text of a template is to be worked out."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescaped(text: str) -> str:
    """A text that is none, without the bracket that says so."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def calls(expression: Expression) -> Iterator[FunctionCall]:
    """Every call in an expression, at any depth, the outer one first."""
    if isinstance(expression, Member):
        yield from calls(expression.owner)
        yield from calls(expression.key)
    elif isinstance(expression, FunctionCall):
        yield expression
        for argument in expression.arguments:
            yield from calls(argument)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The tree of a whole expression, brackets included; raises `TemplateError` in Azure's words."""
    if len(text) > LONGEST_EXPRESSION:
        raise TemplateError(
            f"The language expression length limit exceeded. Limit: '{LONGEST_EXPRESSION}' and actual: '{len(text)}'."
        )
    return _Parser(text[1:-1]).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = _tokens(source)
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        found = self._value()
        if self._peek().kind != "EndOfData":
            raise self._unexpected("EndOfData")
        return found

    def _value(self) -> Expression:
        self._depth += 1
        self._require_shallow(self._depth)
        found = self._members(self._head())
        self._depth -= 1
        return found

    def _require_shallow(self, deep: int) -> None:
        if deep > _DEEPEST:
            raise TemplateError(f"The language expression is nested more than {_DEEPEST} levels deep.")

    def _head(self) -> Expression:
        token = self._take()
        if token.kind == "StringLiteral":
            return Literal(token.text[1:-1].replace("''", "'"))
        if token.kind == "Integer":
            return Literal(_integer(token.text))
        if token.kind != "Identifier":
            self._next -= 1
            raise self._unexpected("Identifier")
        name = token.text
        while self._peek().kind == "Dot":
            self._take()
            name += "." + self._expect("Identifier").text
        self._expect("LeftParenthesis")
        return FunctionCall(name, self._arguments())

    def _arguments(self) -> tuple[Expression, ...]:
        if self._peek().kind == "RightParenthesis":
            self._take()
            return ()
        found = [self._value()]
        while self._peek().kind == "Comma":
            self._take()
            found.append(self._value())
        self._expect("RightParenthesis")
        return tuple(found)

    def _members(self, owner: Expression) -> Expression:
        deep = self._depth
        while self._peek().kind in {"Dot", "LeftSquareBracket"}:
            deep += 1
            self._require_shallow(deep)
            if self._take().kind == "Dot":
                owner = Member(owner, Literal(self._expect("Identifier").text))
            else:
                owner = Member(owner, self._value())
                self._expect("RightSquareBracket")
        return owner

    def _peek(self) -> _Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _expect(self, kind: str) -> _Token:
        if self._peek().kind != kind:
            raise self._unexpected(kind)
        return self._take()

    def _unexpected(self, wanted: str) -> TemplateError:
        return TemplateError(
            f"Unable to parse language expression '{self._source}': expected token '{wanted}' and actual "
            f"'{self._peek().kind}'."
        )


def _integer(text: str) -> int:
    """A number of 64 bits: Azure has no others."""
    number = int(text) if len(text) <= 20 else LARGEST_INTEGER + 1
    if not -LARGEST_INTEGER - 1 <= number <= LARGEST_INTEGER:
        raise TemplateError(f"The language expression is not valid: '{text[:40]}' is no integer of 64 bits.")
    return number


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while True:
        match = _TOKEN.match(source, position)
        if match is None:
            raise _strange(source, position)
        position = match.end()
        kind, text = str(match.lastgroup), match[str(match.lastgroup)]
        if kind == "end":
            return [*found, _Token("EndOfData", "")]
        names = {"text": "StringLiteral", "number": "Integer", "name": "Identifier"}
        found.append(_Token(names.get(kind) or _MARKS[text], text))


def _strange(source: str, position: int) -> TemplateError:
    while source[position].isspace():
        position += 1
    return TemplateError(
        f"The language expression '{source}' is not valid: the string character '{source[position]}' at position "
        f"'{position}' is not expected."
    )
