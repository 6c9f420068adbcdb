"""What really changed between two writes, told from raw requests and answers: the witness against our own comparison.

A setting changed for certain when it was sent, was sent differently (or not at all) the next time, and Azure's
answers to the same question differ there. Sent empty and not sent is the same: both leave it to Azure. Nothing of the
engine is used; of the models only which properties are Azure's own, and for those it takes more: Azure must have
obeyed both times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of

_NONE = object()
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def changed(
    model: type[Resource],
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Iterator[str]:
    """Paths of `first` (a request) that `second` (a later one) changed, as the answers `before` and `after` show."""
    ways = [dict(leaves(document, shape_of(model))) for document in (first, second, before, after)]
    sent, later, was, became = ({path: value for path, (value, _) in way.items()} for way in ways)
    for path, (value, azures) in ways[0].items():
        if path.rpartition(".")[2] == "etag" or (value in _EMPTY and was.get(path) in _EMPTY):
            continue  # an etag names a state and sets nothing
        says_nothing = value in _EMPTY and later.get(path) in _EMPTY
        asked = not says_nothing and _text(later.get(path, _NONE)) != _text(value)
        shown = _text(became.get(path, _NONE)) != _text(was.get(path, _NONE))
        obeyed = _same(was.get(path, _NONE), sent[path]) and _same(became.get(path, _NONE), later.get(path, _NONE))
        if asked and shown and (obeyed if azures else True):
            yield path


def leaves(value: Any, shape: Shape, path: str = "", azures: bool = False) -> Iterator[tuple[str, tuple[Any, bool]]]:
    """Paths with their values, and whether our models call the place Azure's; lists of named things item by item."""
    azures = azures or shape.read_only
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from leaves(item, shape.at(name), f"{path}.{name}" if path else name, azures)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        for item in value:
            rest = {name: inner for name, inner in item.items() if name != "name"}
            yield f"{path}[name={item['name']}]", (item["name"], azures)
            yield from leaves(rest, shape.item or UNKNOWN, f"{path}[name={item['name']}]", azures)
    else:
        yield path, (value, azures)


def covers(found: str, path: str) -> bool:
    """Whether a difference that was found tells this change: the place itself, one around it or one within."""
    one, other = _plain(found), _plain(path)
    return one == other or one.startswith((f"{other}.", f"{other}[")) or other.startswith((f"{one}.", f"{one}["))


def _plain(path: str) -> str:
    return path.lower()


def _same(shown: Any, asked: Any) -> bool:
    """Whether an answer says what was asked; objects may have gained something."""
    if isinstance(asked, Mapping) and isinstance(shown, Mapping):
        return all(_same(shown.get(name, _NONE), item) for name, item in asked.items())
    if isinstance(asked, list) and isinstance(shown, list):
        return len(asked) == len(shown) and all(_same(s, a) for s, a in zip(shown, asked, strict=True))
    return _text(shown) == _text(asked)


def _text(value: Any) -> str:
    """Canonical JSON; ids without case."""
    if value is _NONE:
        return "(none)"
    text = json.dumps(value, sort_keys=True)
    return re.sub(r'"/subscriptions/[^"]*"', lambda match: match[0].lower(), text)
