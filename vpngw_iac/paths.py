"""Paths of documents: ``properties.ipConfigurations[0].name``. Pure; a document may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_STEP = re.compile(r"[^.\[\]]+")


def join(path: str, name: str) -> str:
    """The path of a property."""
    return f"{path}.{name}" if path else name


def dotted(steps: Iterable[str | int]) -> str:
    """``sites[1].links[0].bgp.asn``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def steps_of(path: str) -> list[str]:
    """Names and positions along a path."""
    return _STEP.findall(path)


def walk(document: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with its path, outermost first; items of lists by position."""
    yield path, document
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield from walk(value, join(path, name))
    elif isinstance(document, list | tuple):
        for index, value in enumerate(document):
            yield from walk(value, f"{path}[{index}]")


def is_deeper(document: Any, levels: int) -> bool:
    """Whether objects and lists are nested deeper than so many levels; told without going down there."""
    level = [document]
    for _ in range(levels + 1):
        nested = (outer for outer in level if isinstance(outer, Mapping | list | tuple))
        level = [inner for outer in nested for inner in (outer.values() if isinstance(outer, Mapping) else outer)]
        if not level:
            return False
    return True


def value_at(document: Any, path: str) -> Any:
    """The value at a dotted path of objects, or None."""
    for step in _STEP.findall(path):
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def properties_of(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The ``properties`` of a resource; nothing where there are none."""
    return (document or {}).get("properties") or {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
