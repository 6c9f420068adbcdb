"""What functions ask of their arguments, and how values are written as texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vpngw_iac.simulator.templates.errors import wrong_arguments

TYPES = {
    "string": str,
    "int": int,
    "bool": bool,
    "object": dict,
    "array": list,
}


def type_name(value: Any) -> str:
    """The name that Azure gives to the type of a JSON value."""
    if value is None:
        return "Null"
    names = {bool: "Boolean", int: "Integer", float: "Float", str: "String", dict: "Object", list: "Array"}
    return names[type(value)]


def is_type(value: Any, wanted: type) -> bool:
    """Whether a value is of a type; a boolean is no number."""
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def arguments(name: str, found: Sequence[Any], *wanted: type | None, least: int | None = None) -> Sequence[Any]:
    """The arguments if they are as many and of the types that the function takes; raises `TemplateError`."""
    few = len(wanted) if least is None else least
    if not few <= len(found) <= len(wanted):
        raise wrong_arguments(name, f"the function requires {_number(few, len(wanted))} argument(s).")
    for position, (value, kind) in enumerate(zip(found, wanted, strict=False), 1):
        if kind is not None and not is_type(value, kind):
            known = next(word for word, each in TYPES.items() if each is kind)
            raise wrong_arguments(
                name, f"argument {position} must be of type '{known}' and is of type '{type_name(value)}'."
            )
    return found


def texts(name: str, found: Sequence[Any], least: int = 1) -> list[str]:
    """Any number of texts (numbers count as such); raises `TemplateError`."""
    if len(found) < least:
        raise wrong_arguments(name, f"the function requires at least {least} argument(s).")
    if any(isinstance(value, dict | list | bool) or value is None for value in found):
        raise wrong_arguments(name, "all function arguments must be string literals.")
    return [str(value) for value in found]


def as_text(value: Any) -> str:
    """A value as ``string`` and ``format`` write it."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal, and of one type."""
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


def _number(least: int, most: int) -> str:
    return str(most) if least == most else f"{least} to {most}"
