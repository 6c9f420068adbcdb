"""Plain fields backwards: what a noun would have said for a document, by the same markers that compile it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.plain import ONE, wires
from vpngw_iac.blueprints.part import Part
from vpngw_iac.errors import InvalidValue
from vpngw_iac.field import Wire
from vpngw_iac.resources.shape import UNKNOWN, Shape

P = TypeVar("P", bound=Part)
U = TypeVar("U")

EACH = "[*]"


class Unsaid(Exception):
    """No noun can say what Azure has here; the text says why, as the rest of "left alone: ..."."""


def said(
    noun: type[Part], document: Mapping[str, Any], shape: Shape, *, of: str = "", but: Collection[str] = ()
) -> dict[str, Any]:
    """What the plain fields of a noun say about a document, by field; what equals Azure's default is unsaid.

    `but` are fields that the caller reads itself. Raises `Unsaid` for a list of several where the noun says one.
    """
    found: dict[str, Any] = {}
    for name, mark in wires(noun):
        if mark.by_code or mark.of != of or name in but:
            continue
        value, place = _descend(document, shape, mark.path)
        info = noun.model_fields[name]
        if _is_unsaid(value, place) or place.write_only:
            continue
        read = _read(value, place, mark, info.annotation)
        if read is not None and read != info.default:
            found[name] = read
    return found


def made(noun: type[P], **values: Any) -> P:
    """The noun; raises `Unsaid` if it refuses a value that Azure has."""
    try:
        return noun(**values)
    except InvalidValue as error:
        raise Unsaid(error.findings[0].detail.rstrip(".") if error.findings else str(error)) from None


def used(existing: Callable[..., U], identity: ArmId, **facts: Any) -> U:
    """Something that is only used, by its noun's `existing`: a fact that the noun refuses is read at plan instead.

    Azure has SKUs, regions and speeds that nobody here knows yet.
    """
    try:
        return existing(str(identity), **facts)
    except InvalidValue:
        return existing(
            str(identity), **{name: one for name, one in facts.items() if _stands(existing, identity, name, one)}
        )


def _stands(existing: Callable[..., object], identity: ArmId, name: str, fact: Any) -> bool:
    try:
        existing(str(identity), **{name: fact})
    except InvalidValue:
        return False
    return True


def _is_unsaid(value: Any, shape: Shape) -> bool:
    if value is None or value in ("", [], {}):
        return True
    return shape.has_default and (value == shape.default or _folded(value, shape) == _folded(shape.default, shape))


def _folded(value: Any, shape: Shape) -> Any:
    return value.lower() if shape.any_case and isinstance(value, str) else value


def _read(value: Any, shape: Shape, mark: Wire, annotation: Any) -> Any:
    nested = part_in(annotation)
    if nested is not None and not isinstance(value, str):
        if isinstance(value, Mapping):
            return made(nested, **said(nested, value, shape))
        inside = shape.item or UNKNOWN
        return tuple(made(nested, **said(nested, item, inside)) for item in value)
    words = mark.values and {str(theirs).lower(): ours for ours, theirs in mark.values.items()}
    if isinstance(value, list | tuple):
        return tuple(_ours(item, words) for item in value)
    return _ours(value, words)


def _ours(value: Any, words: Mapping[str, Any] | None) -> Any:
    if words is None:
        return value
    if str(value).lower() not in words:
        raise Unsaid(f"{value!r} has no word here")
    return words[str(value).lower()]


def _descend(document: Any, shape: Shape, path: str) -> tuple[Any, Shape]:
    """Value and shape at a path; ``[0]`` stands for the only item of a list."""
    value = document
    for step in path.split("."):
        name = step.removesuffix(ONE).removesuffix(EACH)
        value = value.get(name) if isinstance(value, Mapping) else None
        shape = shape.at(name)
        if step.endswith(EACH):
            inside, rest = shape.item or UNKNOWN, path.partition(f"{step}.")[2]
            found = [_descend(item, inside, rest) for item in value or ()]
            return [item for item, _ in found if item is not None], UNKNOWN
        if step.endswith(ONE):
            items = value if isinstance(value, list | tuple) else ()
            if len(items) > 1:
                raise Unsaid(f"{path.removesuffix(ONE)} has {len(items)} entries")
            value = items[0] if items else None
            shape = shape.item or UNKNOWN
    return value, shape


def part_in(annotation: Any) -> type[Part] | None:
    """The one noun that a field holds, alone or in a list; None for plain values and for unions of nouns."""
    found = list(_parts(annotation))
    return found[0] if len(found) == 1 else None


def _parts(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if issubclass(annotation, Part):
            yield annotation
    else:
        for argument in typing.get_args(annotation):
            yield from _parts(argument)
