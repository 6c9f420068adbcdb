"""Fields that become one property each: their `Wire` marker says which, and nothing else needs to know."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from vpngw_iac.blueprints.part import Part
from vpngw_iac.field import Wire
from vpngw_iac.resources.wire import Document

ONE, EACH = "[0]", "[*]"


@functools.cache
def wires(noun: type[Part]) -> tuple[tuple[str, Wire], ...]:
    """The fields of a noun that say where they stand, in order."""
    return tuple(
        (name, mark) for name, info in noun.model_fields.items() for mark in info.metadata if isinstance(mark, Wire)
    )


def plain(part: Part, of: str = "", side: int = 0) -> Document:
    """What the plain fields of a noun say about a resource of kind `of`, in wire casing; what is unsaid is left out.

    Where a noun becomes twins, `side` says which of them.
    """
    document: Document = {}
    for name, mark in wires(type(part)):
        value = getattr(part, name)
        if mark.sides and value is not None:
            value = value[side]
        if not mark.by_code and mark.of == of and value is not None and value != ():
            document = merged(document, _at(mark.path, _written(value, mark.values)))
    return document


def properties_of(part: Part, side: int = 0) -> Document:
    """The properties that the plain fields of a noun say."""
    properties: Document = plain(part, side=side).get("properties", {})
    return properties


def merged(*documents: Mapping[str, Any]) -> Document:
    """Documents in one, objects and lists of one object joined; where two say the same, the last is right."""
    result: Document = {}
    for document in documents:
        for name, value in document.items():
            result[name] = _joined(result[name], value) if name in result else value
    return result


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return merged(first, second)
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second) == 1:
        return (_joined(first[0], second[0]),)
    return second


def _written(value: Any, values: Mapping[Any, Any] | None) -> Any:
    if isinstance(value, Part):
        return plain(value)
    if isinstance(value, tuple):
        return tuple(_written(item, values) for item in value)
    return value if values is None else values[value]


def _at(path: str, value: Any) -> Any:
    """A document in which `value` stands at `path`; at ``[*]`` each of its items."""
    if (outer := path.partition(f"{EACH}."))[1]:
        return _at(outer[0], tuple(_at(outer[2], item) for item in value))
    for step in reversed(path.split(".")):
        value = {step.removesuffix(ONE): (value,) if step.endswith(ONE) else value}
    return value
