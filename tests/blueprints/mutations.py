"""Damages documents: fields deleted, swapped, duplicated, misspelt, replaced by wild values."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

WILD: tuple[Any, ...] = (
    None, 0, -1, 3.5, "", "x", "10.0.0.0/8", "10.0.0.1", [], {}, [None], {"a": 1}, True, "9" * 30, 10**30, "ü" * 100,
    ["a", ["b"]], {"env": "A"}, {"existing": "/subscriptions/a"},
    {"existing": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"},
)  # fmt: skip


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document."""
    if at:
        yield at
    entries = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in entries:
        yield from places(value, (*at, key))


def value_at(document: Any, at: tuple[Any, ...]) -> Any:
    """What stands at a path."""
    for key in at:
        document = document[key]
    return document


def damaged(document: Any, chance: random.Random) -> Any:
    """The document with one to three damages."""
    result = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 2, 3))):
        known = list(places(result))
        if known:
            _damage(result, chance.choice(known), known, chance)
    return result


def _damage(document: Any, at: tuple[Any, ...], known: list[tuple[Any, ...]], chance: random.Random) -> None:
    parent, key = value_at(document, at[:-1]), at[-1]
    match chance.randrange(6):
        case 0:
            del parent[key]
        case 1:
            parent[key] = copy.deepcopy(chance.choice(WILD))
        case 2:
            parent[key] = copy.deepcopy(value_at(document, chance.choice(known)))
        case 3 if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        case 4 if isinstance(parent, dict):
            parent[f"{key}{chance.choice('xs_')}"] = parent.pop(key)
        case _ if isinstance(parent, dict):
            parent[chance.choice(("name", "sku", "zzz", "existing"))] = copy.deepcopy(parent[key])
