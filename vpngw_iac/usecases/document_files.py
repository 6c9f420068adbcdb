"""Documents from files, for those who may not sign in: as GET answers them, or as the Azure CLI prints them."""

from __future__ import annotations

import functools
import json
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import UsageError
from vpngw_iac.files import UnreadableFile, read_text
from vpngw_iac.resources import registry, type_of
from vpngw_iac.resources.shape import Shape, shape_of
from vpngw_iac.usecases.exported_template import documents_of, is_template

_ENVELOPE = frozenset({"id", "name", "type", "etag", "location", "tags", "kind", "identity", "systemdata", "managedby"})
_GROUP_KEY = "resourcegroup"
"""What the Azure CLI adds to everything."""


def documents_in(files: tuple[str, ...], home: ArmId | None = None) -> dict[ArmId, dict[str, Any]]:
    """Every document of these files by its id; raises `UsageError` for a file that holds none.

    An exported template says no resource group: its resources are in `home`.
    """
    found: dict[ArmId, dict[str, Any]] = {}
    for file in files:
        whole = _read(file)
        if is_template(whole):
            if home is None:
                raise UsageError(
                    f"{file} is an exported template, which does not name its group.", advice="Add -g NAME."
                )
            documents = list(documents_of(whole, home))
        else:
            documents = list(_documents(whole))
        if not documents:
            raise UsageError(
                f"{file} holds no resource with an id.",
                advice="Give what `az network vnet-gateway show -o json` and its kin print, or lists of these.",
            )
        found |= {ArmId(document["id"]): _whole(document) for document in documents}
    return found


def _read(file: str) -> Any:
    try:
        return json.loads(read_text(Path(file)))
    except UnreadableFile as error:
        raise UsageError(f"{file} cannot be read: {error.reason}.", advice="Check the path.") from None
    except ValueError:
        raise UsageError(f"{file} is not JSON.", advice="Use -o json where it was printed.") from None


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    """One document, a list of them, the answer of a LIST, or an object that holds documents."""
    if isinstance(value, list):
        for item in value:
            yield from _documents(item)
    elif isinstance(value, dict):
        if ArmId.of(value.get("id")) is not None:
            yield value
        else:
            for name in ("value", "documents", "resources"):
                yield from _documents(value.get(name))


def _whole(document: dict[str, Any]) -> dict[str, Any]:
    """The document as ARM has it: the Azure CLI prints what stands under ``properties`` one level higher."""
    identity = ArmId(document["id"])
    model = type_of(identity.type)
    clean = {name: value for name, value in document.items() if name.lower() != _GROUP_KEY}
    if model is None:
        return clean
    whole = clean if isinstance(clean.get("properties"), Mapping) else _lifted(clean, shape_of(model))
    return {**whole, "properties": _with_flags(whole["properties"])}


def _with_flags(value: Any) -> Any:
    """The texts "true" and "false" as Azure reads them where a boolean is meant: templates have them so."""
    if isinstance(value, list):
        return [_with_flags(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _FLAGS.get(str(item).lower(), item) if _is_flag(name, item) else _with_flags(item)
            for name, item in value.items()}  # fmt: skip


_FLAGS = {"true": True, "false": False}


def _is_flag(name: str, value: Any) -> bool:
    return isinstance(value, str) and name in _flag_names()


@functools.cache
def _flag_names() -> frozenset[str]:
    """Names of the boolean properties of every type."""
    found: set[str] = set()
    for model in registry().values():
        found |= set(_flags_in(model))
    return frozenset(found)


def _flags_in(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        for kind in _kinds_in(info.annotation):
            if kind is bool:
                yield info.alias or name
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _flags_in(kind)


def _kinds_in(annotation: Any) -> Iterator[Any]:
    arguments = typing.get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _kinds_in(argument)


def _lifted(value: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    inner = shape.fields.get("properties")
    if inner is None or isinstance(value.get("properties"), Mapping):
        return {_spelled(k, shape): _item(v, shape.at(_spelled(k, shape))) for k, v in value.items()}
    whole: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, item in value.items():
        if name.lower() == _GROUP_KEY:
            continue
        outer = _spelled(name, shape)
        if (outer in shape.fields and outer.lower() != "properties") or name.lower() in _ENVELOPE:
            whole[outer] = _item(item, shape.at(outer))
        else:
            known = _spelled(name, inner)
            properties[known] = _item(item, inner.at(known))
    return {**whole, "properties": properties}


def _item(value: Any, shape: Shape) -> Any:
    if isinstance(value, list):
        inside = _child_shape(shape) if shape.children else shape.item
        return [_lifted(item, inside) if isinstance(item, Mapping) and inside else item for item in value]
    if isinstance(value, Mapping) and shape.fields:
        return _lifted(value, shape)
    return value


def _child_shape(shape: Shape) -> Shape | None:
    model = type_of(shape.children or "")
    return shape_of(model) if model is not None else None


def _spelled(name: str, shape: Shape) -> str:
    """The property's name as ARM spells it: the CLI has had other capitals (``publicIpAddress``)."""
    return next((known for known in shape.fields if known.lower() == name.lower()), name)
