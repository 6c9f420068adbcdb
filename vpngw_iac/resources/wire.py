"""Values in ARM's own JSON: the base of every wire model, references, outputs, and how they render."""

import functools
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from vpngw_iac.arm import ArmId
from vpngw_iac.field import share_fields_set
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.secret import EnvironmentSecret, FileSecret, GeneratedSecret, KeyVaultSecret

if TYPE_CHECKING:
    from vpngw_iac.resources.base import Resource

SECRET_TYPES = (EnvironmentSecret, FileSecret, KeyVaultSecret, GeneratedSecret)

Document = dict[str, Any]
"""An ARM JSON object in wire casing."""


class WireModel(BaseModel):
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

    def model_post_init(self, _: Any, /) -> None:
        """Thousands of resources are made alike."""
        share_fields_set(self)

    @model_validator(mode="before")
    @classmethod
    def _spell_like_azure(cls, data: Any) -> Any:
        """Enums in Azure's own spelling: clients write ``IPSec``, and an empty text where nothing is set."""
        if not isinstance(data, Mapping):
            return data
        known = _spellings(cls)
        return {name: _spelled(value, known[name]) if name in known else value for name, value in data.items()}


@functools.cache
def _spellings(model: type[BaseModel]) -> dict[str, dict[str, str]]:
    """Per field (by name and by alias) Azure's spelling of each enum value, by its lower case."""
    found: dict[str, dict[str, str]] = {}
    for name, info in model.model_fields.items():
        values = {} if info.exclude else {value.lower(): value for value in _literals(info.annotation)}
        if values:
            found |= {name: values, info.alias or name: values}
    return found


def _literals(annotation: Any) -> Iterator[str]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from (value for value in typing.get_args(annotation) if isinstance(value, str))
    else:
        for part in typing.get_args(annotation):
            yield from _literals(part)


def _spelled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return known.get(value.lower(), value or None)
    if isinstance(value, list | tuple):
        return [_spelled(item, known) for item in value]
    return value


R_co = TypeVar("R_co", bound="Resource", covariant=True)


class Ref(Generic[R_co]):
    """A typed arrow to a resource, or to a part of it (an ipConfiguration of a gateway).

    Renders as ``{"id": ...}``. `target` is the resource that the arrow means for ordering. An ordinary class on
    purpose: pydantic would read a generic dataclass field by field and never ask it for its own check.
    """

    __slots__ = ("id", "target")

    id: ArmId
    target: ArmId

    def __init__(self, id: ArmId, target: ArmId) -> None:
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "target", target)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable, cannot set {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and (self.id, self.target) == (other.id, other.target)

    def __hash__(self) -> int:
        return hash((self.id, self.target))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.id)!r})"

    def __reduce__(self) -> tuple[Any, tuple[ArmId, ArmId]]:
        return (type(self), (self.id, self.target))

    @classmethod
    def to(cls, resource_id: ArmId | str, part: tuple[str, str] | None = None) -> Self:
        """Reference by id; `part` is (segment, name) below the resource."""
        target = resource_id if isinstance(resource_id, ArmId) else ArmId(resource_id)
        return cls(target.child(*part) if part else target, target)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        arguments = typing.get_args(source)
        expected: str | None = getattr(arguments[0], "arm_type", None) if arguments else None

        def check(value: Any) -> Ref[Any]:
            if isinstance(value, Ref):
                if expected is not None and value.target.type.lower() != expected.lower():
                    raise ValueError(f"expected a reference to {expected}, got {value.target.type}")
                return value if type(value) is cls else cls(value.id, value.target)
            part = ArmId(str(value.get("id") if isinstance(value, Mapping) else value))
            return cls(part, _owner(part, expected))

        return core_schema.no_info_plain_validator_function(check)


def elsewhere(arm_type: str) -> type[Any]:
    """Stands for the class of a type in ``Ref[...]``, which needs no more of it than its name: it is not loaded."""
    return type(arm_type.rpartition("/")[2], (), {"arm_type": arm_type})


def _owner(part: ArmId, expected: str | None) -> ArmId:
    """The resource of the expected type that an id names, or that the named part belongs to."""
    owner: ArmId | None = part
    while expected is not None and owner is not None and owner.type.lower() != expected.lower():
        owner = owner.parent
    if owner is None:
        raise ValueError(f"expected a reference to {expected}, got {part.type}")
    return owner


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
