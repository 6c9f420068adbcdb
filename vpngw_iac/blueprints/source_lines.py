"""Where a part of a blueprint is written: file and line, as far as the format lets us know."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from types import CodeType
from typing import Any, Protocol

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.explain import part_at
from vpngw_iac.blueprints.part import Part, Sources
from vpngw_iac.text import in_words

Steps = tuple[str | int, ...]


class SourceLines(Protocol):
    """Knows the lines of one file, and of what it reads."""

    def place(self, blueprint: Blueprint, steps: Steps, said: str) -> str:
        """``file:line`` of a path in a blueprint, or an empty text.

        If `said`, a sentence about it, repeats a value that is written there, it is the line of that value.
        """


class NoLines:
    """Of blueprints whose lines nobody knows."""

    def place(self, blueprint: Blueprint, steps: Steps, said: str) -> str:
        """Never known."""
        return ""


class PythonLines:
    """Finds the call that made a part, also where its name is computed: the run of the file has noted it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def place(self, blueprint: Blueprint, steps: Steps, said: str) -> str:
        """Place of the deepest part on the way that was seen to be made, or of the field in its call."""
        found: tuple[tuple[CodeType, int], Steps] | None = None
        value: Any = blueprint
        for count in range(len(steps) + 1):
            made = self._sources.of(value)
            found = (made, steps[count:]) if made else found
            value = part_at(value, steps[count]) if count < len(steps) else None
        if found is None:
            return ""
        (code, instruction), rest = found
        return CallPlace(code, instruction).place(rest, said)


class CallPlace:
    """A call in somebody's code, known by the instruction that makes it."""

    def __init__(self, code: CodeType, instruction: int) -> None:
        self.file = code.co_filename
        spans = itertools.islice(code.co_positions(), instruction // 2, None)
        self._line, _, self._column, _ = next(spans, (None, None, None, None))
        self._line = self._line or code.co_firstlineno

    def place(self, steps: Steps, said: str = "") -> str:
        """``file:line`` of the call, or of what it says at these steps as far as they are written out."""
        node: ast.AST | None = self._node
        line = self._line
        for step in steps if node else ():
            node = _written(node, step) if node else None
            line = getattr(node, "lineno", line)
        values = [(n.value, n.lineno) for n in ast.walk(node or ast.Pass()) if isinstance(n, ast.Constant)]
        fields = (_written(node, name) for name in fields_in(said)) if node else ()
        named = next((field.lineno for field in fields if field is not None), line)
        return f"{self.file}:{line_of_value(said, values) or named}"

    def elements(self) -> list[str]:
        """``site 'berlin'``: the nouns with a literal name that this call stands in, outermost first."""
        around = [node for node in _calls(self.file) if self._is_inside(node)]
        named = [(in_words(_function(node)), _written(node, "name")) for node in around]
        return [f"{noun} {name.value!r}" for noun, name in named if isinstance(name, ast.Constant)]

    @property
    def _node(self) -> ast.Call | None:
        at_line = [node for node in _calls(self.file) if node.lineno == self._line]
        exact = [node for node in at_line if node.col_offset == self._column]
        return next(iter(exact or (at_line if len(at_line) == 1 else [])), None)

    def _is_inside(self, node: ast.Call) -> bool:
        own, noun = self._node, Part.models.get(_function(node), Blueprint)
        return own is not None and node is not own and not issubclass(noun, Blueprint) and own in ast.walk(node)


def fields_in(said: str) -> list[str]:
    """The fields that a sentence writes as ``field=``."""
    return re.findall(r"\b([a-z_]+)=", said)


def line_of_value(said: str, values: Iterable[tuple[Any, int]]) -> int | None:
    """Line of the address, prefix or id that a sentence names first."""
    found = []
    for value, line in values:
        if isinstance(value, str) and re.search(r"[./:]", value):
            match = re.search(rf"(?<![\w.]){re.escape(value)}(?![\w/]|\.\w)", said)
            found += [(match.start(), line)] if match else []
    return min(found)[1] if found else None


def _calls(file: str) -> list[ast.Call]:
    """Every call of a file; nothing where it cannot be read any more."""
    try:
        return _calls_in(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []


@functools.lru_cache(maxsize=8)
def _calls_in(source: bytes) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def _function(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _written(node: ast.AST, step: str | int) -> ast.expr | None:
    """What is written at a step: the value of a keyword or key, an item of a list."""
    if isinstance(node, ast.Call):
        return next((keyword.value for keyword in node.keywords if keyword.arg == step), None)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == step), None)
    if isinstance(node, ast.List | ast.Tuple) and isinstance(step, int) and step < len(node.elts):
        computed = any(isinstance(item, ast.Starred) for item in node.elts[: step + 1])
        return None if computed else node.elts[step]
    return None


def steps_of(path: str) -> Steps:
    """``sites[1].bgp`` as its steps."""
    steps: list[str | int] = []
    for piece in path.replace("]", "").split("."):
        name, *indexes = piece.split("[")
        steps.extend(([name] if name else []) + [int(i) if i.isdigit() else i for i in indexes])
    return tuple(steps)
