"""What the markers of a model say about each place of its wire document, gathered once per class."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel

from vpngw_iac import field as markers
from vpngw_iac.arm import ArmId
from vpngw_iac.resources.wire import SECRET_TYPES, Ref, TextRef


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known about one place of a wire document, gathered from the annotations of its model."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    item: Shape | None = None
    read_only: bool = False
    write_only: bool = False
    immutable: bool = False
    any_case: bool = False
    unordered: bool = False
    block: bool = False
    detachable: bool = False
    not_in_list: bool = False
    key: str | None = None
    """``KeyedBy``; the empty text for a mapping that is owned key by key."""
    children: str | None = None
    has_default: bool = False
    default: Any = None
    outage: markers.Outage | None = None
    transition: markers.Transition | None = None

    def at(self, name: str) -> Shape:
        """Shape of a property; of an unknown one nothing is known."""
        return self.fields.get(name, UNKNOWN)


UNKNOWN = Shape()

_ENVELOPE_SHAPES: dict[str, Shape] = {
    name: Shape(read_only=True, any_case=True) for name in ("id", "name", "type", "etag")
}
_PROVISIONING = {name: Shape(read_only=True) for name in ("provisioningState", "resourceGuid")}


@functools.cache
def shape_of(model: type[BaseModel]) -> Shape:
    """Shape of a model's document; a resource's also knows what Azure adds to every document."""
    known = {
        info.alias or name: _field_shape(info.annotation, info.metadata)
        for name, info in model.model_fields.items()
        if not info.exclude
    }
    if hasattr(model, "arm_type"):
        properties = known.get("properties", UNKNOWN)
        known["properties"] = _with(properties, fields={**_PROVISIONING, **properties.fields})
        known = {**_ENVELOPE_SHAPES, **known}
    return Shape(fields=known)


def _with(shape: Shape, **changes: Any) -> Shape:
    current = {name: getattr(shape, name) for name in Shape.__dataclass_fields__}
    return Shape(**(current | changes))


def _field_shape(annotation: Any, metadata: list[Any] | tuple[Any, ...]) -> Shape:
    base = _annotation_shape(annotation)
    for marker in metadata:
        base = _marked(base, marker)
    return base


def _annotation_shape(annotation: Any) -> Shape:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = typing.get_args(annotation)
        return _field_shape(inner, metadata)
    if origin in (typing.Union, types.UnionType):
        return _merged([_annotation_shape(a) for a in typing.get_args(annotation) if a is not types.NoneType])
    if origin in (tuple, list):
        element = _annotation_shape(typing.get_args(annotation)[0])
        inside = Shape(fields={**_ITEM_SHAPES, **element.fields}, **_but_fields(element)) if element.fields else element
        return Shape(item=inside)
    if origin is TextRef or annotation is TextRef:
        return Shape(any_case=True)
    if origin is Ref or annotation is Ref:
        return Shape(fields={"id": Shape(any_case=True)}, any_case=True)
    if annotation in SECRET_TYPES:
        return Shape(write_only=True)
    if annotation is ArmId:
        return Shape(any_case=True)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return shape_of(annotation)
    return UNKNOWN


_ITEM_SHAPES = {name: Shape(read_only=True) for name in ("etag", "type")}
"""Azure adds id, etag and type to each element of a list of objects; `id` is left alone, it may be a reference."""


def _but_fields(shape: Shape) -> dict[str, Any]:
    return {name: getattr(shape, name) for name in Shape.__dataclass_fields__ if name != "fields"}


def _merged(shapes: list[Shape]) -> Shape:
    if not shapes:
        return UNKNOWN
    first, *others = shapes
    for other in others:
        first = _with(
            first,
            fields={**first.fields, **other.fields},
            item=first.item or other.item,
            write_only=first.write_only or other.write_only,
            any_case=first.any_case or other.any_case,
        )
    return first


_MARKS: dict[type, Callable[[Any], dict[str, Any]]] = {
    markers.Immutable: lambda _: {"immutable": True},
    markers.ServerDefault: lambda marker: {"has_default": True, "default": marker.value},
    markers.ReadOnly: lambda _: {"read_only": True},
    markers.WriteOnly: lambda _: {"write_only": True},
    markers.NotInList: lambda _: {"not_in_list": True},
    markers.KeyedBy: lambda marker: {"key": marker.key},
    markers.Children: lambda marker: {"children": marker.arm_type},
    markers.Outage: lambda marker: {"outage": marker},
    markers.Transition: lambda marker: {"transition": marker},
    markers.AnyCase: lambda _: {"any_case": True},
    markers.Unordered: lambda _: {"unordered": True},
    markers.Block: lambda _: {"block": True},
    markers.Detachable: lambda _: {"detachable": True},
}


def _marked(shape: Shape, marker: Any) -> Shape:
    """The shape with what a marker adds; other metadata (bounds, patterns) say nothing about comparing."""
    mark = _MARKS.get(type(marker))
    return _with(shape, **mark(marker)) if mark else shape
