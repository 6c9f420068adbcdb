"""Where a part of a blueprint is written: file and line, as far as the format lets us know."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Protocol

from vpngw_iac.blueprints.base import Blueprint

Steps = tuple[str | int, ...]


class SourceLines(Protocol):
    """Knows the lines of one file."""

    def line(self, blueprint: Blueprint, steps: Steps) -> int | None:
        """Line of a path in a blueprint, counted from 1, or None."""


class NoLines:
    """A format without lines (JSON)."""

    def line(self, blueprint: Blueprint, steps: Steps) -> int | None:
        """Never known."""
        return None


class PythonLines:
    """Finds the call that makes a part, by class and literal name: ``Site(name="berlin", ...)``.

    A name that is computed (sites read from a table) is not found; then no line is claimed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls: dict[tuple[str, str], list[ast.Call]] | None = None

    def line(self, blueprint: Blueprint, steps: Steps) -> int | None:
        """Line of the deepest part on the way that has a name, or of the field in its call."""
        found: tuple[ast.Call, Steps] | None = None
        value: Any = blueprint
        for count in range(len(steps) + 1):
            call = self._call_of(value)
            found = (call, steps[count:]) if call else found
            if count == len(steps):
                break
            value = _step(value, steps[count])
            if value is None:
                break
        if found is None:
            return None
        call, rest = found
        field = next((k for k in call.keywords if rest and k.arg == rest[0]), None)
        return field.value.lineno if field else call.lineno

    def _call_of(self, part: Any) -> ast.Call | None:
        name = getattr(part, "name", None)
        if not isinstance(name, str):
            return None
        calls = self._by_name().get((type(part).__name__, name), [])
        return calls[0] if len(calls) == 1 else None

    def _by_name(self) -> dict[tuple[str, str], list[ast.Call]]:
        if self._calls is None:
            self._calls = {}
            for node in ast.walk(ast.parse(self._path.read_bytes())):
                if isinstance(node, ast.Call) and (key := _key(node)):
                    self._calls.setdefault(key, []).append(node)
        return self._calls


def _key(call: ast.Call) -> tuple[str, str] | None:
    function = call.func
    kind = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "name"), None)
    if not isinstance(named, ast.Constant) or not isinstance(named.value, str):
        return None
    return kind, named.value


def _step(value: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return value[part] if isinstance(value, tuple) and part < len(value) else None
    return getattr(value, part, None)


def steps_of(path: str) -> Steps:
    """``sites[1].bgp`` as its steps."""
    steps: list[str | int] = []
    for piece in path.replace("]", "").split("."):
        name, *indexes = piece.split("[")
        steps.extend(([name] if name else []) + [int(i) if i.isdigit() else i for i in indexes])
    return tuple(steps)
