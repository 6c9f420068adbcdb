"""What the markers of a model say about each place of its wire document, gathered once per class."""

from __future__ import annotations

import functools
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import BaseModel

from vpngw_iac import field as markers
from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.wire import SECRET_TYPES, Ref, TextRef


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known about one place of a wire document, gathered from the annotations of its model."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    item: Shape | None = None
    read_only: bool = False
    write_only: bool = False
    immutable: bool = False
    why: str = ""
    """Why it cannot change in place."""
    any_case: bool = False
    form: Callable[[str], Any] | None = None
    """Gives the one form of a value that has several spellings."""
    also_as: str = ""
    """Name under which Azure may answer the same: a value here, a list there, or the other way."""
    unordered: bool = False
    items: bool = False
    """A list of texts that are owned one by one (`Items`); their order says nothing."""
    block: bool = False
    detachable: bool = False
    off: Any = None
    """What is sent while a detachable flag is off; None: it is left out."""
    frees: str = ""
    """Lower-case ARM type of the ``needs`` that this flag makes detachable while it is set."""
    detachable_from: int | None = None
    """Position from which on the items of this list may be taken off as a whole."""
    not_in_list: bool = False
    only_id: bool = False
    """``{"id": ...}``: whatever else stands in it is dropped by Azure and never sent."""
    key: str | None = None
    """``KeyedBy``; the empty text for a mapping that is owned key by key."""
    items_stay: bool = False
    """The items of the keyed list are Azure's; only what is declared in them is ours."""
    alike: tuple[str, ...] = ()
    """Properties by which an item of the keyed list is known under another name too."""
    children: str | None = None
    has_default: bool = False
    default: Any = None
    outage: markers.Outage | None = None
    transition: markers.Transition | None = None

    def at(self, name: str) -> Shape:
        """Shape of a property; of an unknown one nothing is known."""
        known = self.fields.get(name)
        if known is not None:
            return known
        if self.only_id:
            return _AZURES
        return self.item if self.key == "" and self.item is not None else UNKNOWN

    def along(self, path: str) -> Iterator[Shape]:
        """Itself, then the shape at each step of a path; positions and ``[key=value]`` are steps into a list."""
        place = self
        yield place
        for step in _STEPS.findall(path):
            place = (place.item or UNKNOWN) if step.startswith("[") else place.at(step)
            yield place


_STEPS = re.compile(r"\[[^\]]*\]|[^.\[\]]+")

UNKNOWN = Shape()
_AZURES = Shape(read_only=True)

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
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _field_shape(arguments[0], arguments[1:])
    if origin in (typing.Union, types.UnionType):
        return _merged([_annotation_shape(a) for a in arguments if a is not types.NoneType])
    if origin in (tuple, list):
        return Shape(item=_item_shape(_annotation_shape(arguments[0])))
    if origin is dict:
        value = _annotation_shape(arguments[1])
        return UNKNOWN if value == UNKNOWN else Shape(item=value)
    return _leaf_shape(origin or annotation)


def _leaf_shape(kind: Any) -> Shape:
    """Shape of one value: enums and ids compare without case, references to secrets are secret."""
    if kind is typing.Literal or kind is TextRef or kind is ArmId:
        return Shape(any_case=True)
    if kind is Ref:
        return _ID_OBJECT
    if kind in SECRET_TYPES:
        return Shape(write_only=True)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _ID_OBJECT if set(kind.model_fields) == {"id"} else shape_of(kind)
    return UNKNOWN


_ID_OBJECT = Shape(fields={"id": Shape(any_case=True)}, any_case=True, block=True, only_id=True)
"""A reference: nothing is left of it when the id goes, and only the id comes back (connections in many recordings)."""


_ITEM_SHAPES = {name: Shape(read_only=True) for name in ("etag", "type")}
"""Azure adds id, etag and type to each element of a list of objects; `id` is left alone, it may be a reference."""


def _item_shape(element: Shape) -> Shape:
    """An element of a list: what Azure adds to each, and to its ``properties``, is known to be Azure's."""
    if not element.fields:
        return element
    known = {**_ITEM_SHAPES, **element.fields}
    if "properties" in known:
        inside = known["properties"]
        known["properties"] = _with(inside, fields={**_PROVISIONING, **inside.fields})
    return _with(element, fields=known)


def _merged(shapes: list[Shape]) -> Shape:
    first, *others = shapes
    for other in others:
        first = _with(
            first,
            fields={**first.fields, **other.fields},
            item=first.item or other.item,
            write_only=first.write_only or other.write_only,
            any_case=first.any_case or other.any_case,
            form=first.form or other.form,
        )
    return first


_MARKS: dict[type, Callable[[Any], dict[str, Any]]] = {
    markers.Immutable: lambda marker: {"immutable": True, "why": marker.why},
    markers.ServerDefault: lambda marker: {"has_default": True, "default": marker.value},
    markers.ReadOnly: lambda _: {"read_only": True},
    markers.WriteOnly: lambda _: {"write_only": True},
    markers.NotInList: lambda _: {"not_in_list": True},
    markers.KeyedBy: lambda marker: {"key": marker.key, "items_stay": marker.items_stay, "alike": marker.alike},
    markers.Children: lambda marker: {"children": marker.arm_type},
    markers.Outage: lambda marker: {"outage": marker},
    markers.Transition: lambda marker: {"transition": marker},
    markers.AnyCase: lambda _: {"any_case": True},
    markers.Spelling: lambda marker: {"form": marker.form},
    markers.AlsoAs: lambda marker: {"also_as": marker.name},
    markers.Unordered: lambda _: {"unordered": True},
    markers.Items: lambda _: {"items": True, "unordered": True},
    markers.Block: lambda _: {"block": True},
    markers.Detachable: lambda marker: {
        "detachable": marker.items_from is None,
        "off": marker.off,
        "frees": marker.needs.lower(),
        "detachable_from": marker.items_from,
    },
}


def _marked(shape: Shape, marker: Any) -> Shape:
    """The shape with what a marker adds; other metadata (bounds, patterns) say nothing about comparing."""
    mark = _MARKS.get(type(marker))
    marked = _with(shape, **mark(marker)) if mark else shape
    if isinstance(marker, markers.KeyedBy) and marked.item is not None and marker.key in marked.item.fields:
        # The key was compared when the item was found: without case.
        key = _with(marked.item.fields[marker.key], any_case=True)
        item = _with(marked.item, fields={**marked.item.fields, marker.key: key})
        marked = _with(marked, item=item)
    return marked
