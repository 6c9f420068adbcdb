"""Values in ARM's own JSON: the base of every wire model, references, outputs, and how they render."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from vpngw_iac.arm import ArmId
from vpngw_iac.secret import EnvironmentSecret, FileSecret, GeneratedSecret, KeyVaultSecret

if TYPE_CHECKING:
    from vpngw_iac.resources.base import Resource

SECRET_TYPES = (EnvironmentSecret, FileSecret, KeyVaultSecret, GeneratedSecret)

Document = dict[str, Any]
"""An ARM JSON object in wire casing."""


class Wire(BaseModel):
    """A value in ARM's own JSON: snake case for people, camel case on the wire. None is "not ours to say"."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,
        arbitrary_types_allowed=True,
    )


R_co = TypeVar("R_co", bound="Resource", covariant=True)


@dataclass(frozen=True, slots=True)
class Ref(Generic[R_co]):
    """A typed arrow to a resource, or to a part of it (an ipConfiguration of a gateway).

    Renders as ``{"id": ...}``. `target` is the resource that the arrow means for ordering.
    """

    id: ArmId
    target: ArmId

    @classmethod
    def to(cls, resource_id: ArmId | str, part: tuple[str, str] | None = None) -> Self:
        """Reference by id; `part` is (segment, name) below the resource."""
        target = resource_id if isinstance(resource_id, ArmId) else ArmId(resource_id)
        return cls(target.child(*part) if part else target, target)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        arguments = typing.get_args(source)
        wanted = arguments[0] if arguments else None

        def check(value: Any) -> Ref[Any]:
            ref = value if isinstance(value, Ref) else Ref.to(value["id"], None)
            expected = getattr(wanted, "arm_type", None)
            if expected is not None and ref.target.type.lower() != expected.lower():
                raise ValueError(f"expected a reference to {expected}, got {ref.target.type}")
            return ref

        return core_schema.no_info_plain_validator_function(check)


class TextRef(Ref[R_co]):
    """A reference that the wire writes as the bare id, not as an object."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A value that only Azure decides, read from `source` just before the call that needs it.

    `path` is dotted wire names with ``[key=value]`` and ``[index]`` steps; a value that starts with ``*`` matches the
    end of the text, without case. A `secret` output never enters snapshot, state or plan.
    """

    source: ArmId
    path: str
    secret: bool = False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(cls)


def render(value: Any) -> Any:
    """A declared value in wire form; secret references and outputs stay as they are."""
    if isinstance(value, (*SECRET_TYPES, Output)):
        return value
    if isinstance(value, BaseModel):
        model = type(value)
        return {
            info.alias or name: render(item)
            for name, info in model.model_fields.items()
            if not info.exclude and (item := getattr(value, name)) is not None
        }
    if isinstance(value, TextRef):
        return str(value.id)
    if isinstance(value, Ref):
        return {"id": str(value.id)}
    if isinstance(value, ArmId):
        return str(value)
    if isinstance(value, tuple | list):
        return [render(item) for item in value]
    if isinstance(value, Mapping):
        return {key: render(item) for key, item in value.items()}
    return value
