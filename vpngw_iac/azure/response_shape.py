"""Whether an answer has the form of its type: objects, lists and values where Azure has them.

Everything above this folder reads documents without looking twice: anything else is not an answer of Azure's, and
is told as such instead of being taken for absent, for different, or for a fault of ours.
"""

from __future__ import annotations

import functools
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import BaseModel

from vpngw_iac.arm import ArmId, InvalidArmId
from vpngw_iac.field import Children
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import type_of
from vpngw_iac.resources.wire import SECRET_TYPES, Output, Ref

_FORMS = (("id", str), ("properties", dict), ("tags", dict), ("sku", dict), ("etag", str), ("location", str))
"""What every resource has, of whatever type."""

_PLAIN_ID = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+(/[^/]+/[^/]+)+", re.IGNORECASE)
"""Most references; what does not look so is parsed."""


@dataclass(frozen=True, slots=True)
class ResponseShape:
    """What stands at one place of a document."""

    kind: Literal["object", "list", "map", "value", "id", "children", "any"] = "any"
    fields: Mapping[str, ResponseShape] = field(default_factory=dict)
    item: ResponseShape | None = None
    arm_type: str = ""
    """Of children: their type."""


_ANY = ResponseShape()
_REFERENCE = ResponseShape("object", {"id": ResponseShape("id")})


def misfit(document: Any, resource_type: str = "") -> str:
    """Path of the first place of a resource that has another form than its type says; empty if there is none."""
    if not isinstance(document, dict) or document.get("id") is None:
        return "id"
    for name, form in _FORMS:
        if not isinstance(document.get(name), form | None):
            return name
    return _misfit(document, _form_of_type(resource_type), "")


def _misfit(value: Any, form: ResponseShape, path: str) -> str:
    if value is None or form.kind == "any":
        return ""
    if form.kind == "value":
        return path if isinstance(value, dict | list) else ""
    if form.kind == "id":
        return "" if _is_id(value) else path
    if form.kind in ("object", "map"):
        return _in_object(value, form, path) if isinstance(value, dict) else path
    if not isinstance(value, list):
        return path
    inside = _form_of_type(form.arm_type) if form.kind == "children" else form.item or _ANY
    return _first(f"{path}[{n}]" if v is None else _misfit(v, inside, f"{path}[{n}]") for n, v in enumerate(value))


def _in_object(value: Mapping[str, Any], form: ResponseShape, path: str) -> str:
    if form.kind == "map":
        return _first(_misfit(inner, form.item or _ANY, f"{path}.{name}") for name, inner in value.items())
    places = ((name, inner) for name, inner in form.fields.items() if name in value)
    return _first(_misfit(value[name], inner, f"{path}.{name}" if path else name) for name, inner in places)


def _first(found: Iterable[str]) -> str:
    return next(filter(None, found), "")


def _is_id(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if _PLAIN_ID.fullmatch(value):
        return True
    try:
        ArmId(value)
    except InvalidArmId:
        return False
    return True


# --- from models -----------------------------------------------------------------------------------------------------


def _form_of_type(resource_type: str) -> ResponseShape:
    model = type_of(resource_type) if resource_type else None
    return ResponseShape("object", {"properties": ResponseShape("map")}) if model is None else _form_of(model)


@functools.cache
def _form_of(model: type[BaseModel]) -> ResponseShape:
    fields = {
        info.alias or name: _annotated(info.annotation, info.metadata)
        for name, info in model.model_fields.items()
        if not info.exclude
    }
    return ResponseShape("object", fields)


def _annotated(annotation: Any, metadata: Iterable[Any]) -> ResponseShape:
    children = next((marker for marker in metadata if isinstance(marker, Children)), None)
    return ResponseShape("children", arm_type=children.arm_type) if children is not None else _annotation(annotation)


def _annotation(annotation: Any) -> ResponseShape:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin in (typing.Union, types.UnionType):
        kinds = [_annotation(each) for each in arguments if each not in (types.NoneType, Output, *SECRET_TYPES)]
        return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else _ANY
    if origin in (tuple, list):
        return ResponseShape("list", item=_annotation(arguments[0]))
    if origin is dict:
        return ResponseShape("map", item=_annotation(arguments[1]))
    kind = origin or annotation
    if kind is Ref:
        return _REFERENCE
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _form_of(kind)
    return ResponseShape("value") if kind is Literal or kind in (str, int, float, bool) else _ANY
