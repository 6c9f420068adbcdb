"""Expressions of GitHub Actions, as far as our workflows use them; anything else is an error, never an empty text.

https://docs.github.com/actions/reference/workflows-and-actions/expressions: operators, how values of two types are
compared, what is false, and how a value becomes a text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Contexts = Mapping[str, Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<mark>\|\||&&|==|!=|[(),!])|'(?P<text>(?:[^']|'')*)'|(?P<word>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*))"
)
_INSERTED = re.compile(r"\$\{\{(.+?)\}\}", re.DOTALL)


class UnknownExpressionError(Exception):
    """An expression that this evaluator does not know."""


class Loose(dict[str, Any]):
    """A context in which a name that is not there is null: secrets, variables, an event, outputs."""

    def __missing__(self, name: str) -> Any:
        return None


def filled(text: str, contexts: Contexts) -> str:
    """The text with every expression in it replaced by its value as a text."""
    return _INSERTED.sub(lambda match: as_text(evaluate(match[1], contexts)), text)


def value_of(text: str, contexts: Contexts) -> Any:
    """The value of a text that is one expression, else the text with its expressions replaced."""
    whole = _INSERTED.fullmatch(text.strip())
    return evaluate(whole[1], contexts) if whole else filled(text, contexts)


def evaluate(text: str, contexts: Contexts) -> Any:
    """The value of an expression; raises `UnknownExpressionError`."""
    reader = _Reader(text, contexts)
    found = reader.either()
    if reader.tokens:
        raise UnknownExpressionError(f"{text!r}: what is {reader.tokens[0][1]!r}?")
    return found


def is_true(value: Any) -> bool:
    """Whether a condition with this value holds."""
    return value not in (None, "", False, 0) and value == value  # not a number is false


def as_text(value: Any) -> str:
    """A value as it is inserted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise UnknownExpressionError(f"{value!r} has no text")


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return _number(left) == _number(right)


def _formatted(pattern: Any, *values: Any) -> str:
    return re.sub(r"\{(\d+)\}", lambda match: as_text(values[int(match[1])]), as_text(pattern))


_STATUS = ("cancelled", "failure")
"""Functions of status; whoever evaluates a condition says what they are, as `status`."""
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "format": _formatted,
    "startsWith": lambda text, start: as_text(text).lower().startswith(as_text(start).lower()),
    "fromJSON": lambda text: json.loads(as_text(text)),
}


class _Reader:
    def __init__(self, text: str, contexts: Contexts) -> None:
        self.text, self.contexts = text, contexts
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise UnknownExpressionError(f"{text!r}: what is {text[place:]!r}?")
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind]))
            place = match.end()

    def either(self) -> Any:
        found = self.both()
        while self._next("||"):
            other = self.both()
            found = found if is_true(found) else other
        return found

    def both(self) -> Any:
        found = self.compared()
        while self._next("&&"):
            other = self.compared()
            found = other if is_true(found) else found
        return found

    def compared(self) -> Any:
        found = self.single()
        for mark in ("==", "!="):
            if self._next(mark):
                return _equal(found, self.single()) is (mark == "==")
        return found

    def single(self) -> Any:
        if self._next("!"):
            return not is_true(self.single())
        if self._next("("):
            found = self.either()
            self._require(")")
            return found
        kind, text = self.tokens.pop(0) if self.tokens else ("", "")
        if kind == "text":
            return text.replace("''", "'")
        if kind != "word":
            raise UnknownExpressionError(f"{self.text!r}: a value is missing before {text!r}")
        return self._called(text) if self._next("(") else self._looked_up(text)

    def _called(self, name: str) -> Any:
        if name in _STATUS:
            self._require(")")
            return self._looked_up(f"status.{name}")
        if name not in _FUNCTIONS:
            raise UnknownExpressionError(f"{self.text!r}: {name} is no function that our workflows use")
        values = [self.either()]
        while self._next(","):
            values.append(self.either())
        self._require(")")
        try:
            return _FUNCTIONS[name](*values)
        except json.JSONDecodeError:
            return None  # GitHub evaluates both sides of `&&` no more than it must

    def _looked_up(self, path: str) -> Any:
        if path in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[path]
        found: Any = self.contexts
        for name in path.split("."):
            if found is None:
                return None
            try:
                found = found[name]
            except (KeyError, TypeError):
                raise UnknownExpressionError(f"{self.text!r}: there is no {path}") from None
        return found

    def _next(self, mark: str) -> bool:
        if self.tokens[:1] == [("mark", mark)]:
            self.tokens.pop(0)
            return True
        return False

    def _require(self, mark: str) -> None:
        if not self._next(mark):
            raise UnknownExpressionError(f"{self.text!r}: {mark} is missing")
