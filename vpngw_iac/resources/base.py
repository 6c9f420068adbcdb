"""What every declared ARM resource shares: its identity, its references, its body in wire casing.

A body is a plain document (dict, list, str, int, bool) whose leaves may also be a secret reference or an `Output`.
The engine works on bodies and shapes alone, so that it needs to know no type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Immutable, Region, Tags, Verdict
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Document, Output, Ref, TextRef, Wire, render

__all__ = ["Document", "Durations", "Gate", "Lock", "Output", "Ref", "Resource", "Shape", "TextRef", "Wire", "shape_of"]


@dataclass(frozen=True, slots=True)
class Lock:
    """Operations that share an exclusive lock never overlap; an adaptive one lets as many run as Azure bears."""

    name: str
    adaptive: bool = False


@dataclass(frozen=True, slots=True)
class Durations:
    """How long Azure usually takes, in seconds (recordings, section durations)."""

    create: float = 10
    update: float = 10
    delete: float = 10


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that people outside must meet before dependents can go on."""

    path: str
    ready: str
    says: str
    """What to hand over, to whom."""


class Resource(Wire):
    """One declared ARM resource. Subclasses add `properties` and, where ARM has them, `sku`, `zones` and the like."""

    arm_type: ClassVar[str]
    kind: ClassVar[str]
    """First part of the address."""
    sdk: ClassVar[str]
    """The SDK's operation group, for example ``network.virtual_network_gateways``."""
    durations: ClassVar[Durations] = Durations()
    listed_by: ClassVar[Literal["group", "parent", "none"]] = "group"
    """Where a LIST shows it: ``group`` (one LIST per resource group), ``parent`` (one per parent), none."""
    taggable: ClassVar[bool] = True
    only_if_absent: ClassVar[bool] = False
    """Used when present and never put (resource groups)."""
    needs_replace_flag: ClassVar[bool] = False
    """Whether its replacement must be named with ``--replace``."""
    gate: ClassVar[Gate | None] = None

    address: str = Field(exclude=True)
    id: ArmId = Field(exclude=True)
    needs: tuple[Ref[Any], ...] = Field(default=(), exclude=True)
    """Orders without being sent."""
    transient: tuple[str, ...] = Field(default=(), exclude=True)
    """Names of sites, peers and clients that lose connectivity while this resource is down."""
    protect: bool = Field(default=False, exclude=True)
    on_removal: Literal["delete", "forget"] = Field(default="delete", exclude=True)
    derived_name: bool = Field(default=False, exclude=True)
    """Whether the naming policy made the name: then the id in the state beats it."""
    expected: tuple[str, ...] = Field(default=(), exclude=True)
    """Ids or names of foreign things on this resource that are known and no alarm."""
    tenant: str | None = Field(default=None, exclude=True)

    location: Annotated[Region | None, Immutable()] = None
    tags: Tags | None = None

    def ref(self) -> Ref[Self]:
        """A reference to this resource."""
        return Ref.to(self.id)

    def part(self, segment: str, name: str) -> Ref[Self]:
        """A reference to a part of this resource."""
        return Ref.to(self.id, (segment, name))

    def body(self) -> Document:
        """The declared document: wire casing, what is None left out."""
        document = render(self)
        assert isinstance(document, dict)  # noqa: S101 - a model renders as an object
        return document

    def references(self) -> Iterator[tuple[str, Ref[Any], bool]]:
        """Every reference as (path, reference, detachable); those that only order have the path ``needs``."""
        yield from _references(self, shape_of(type(self)), "", detachable=False)
        yield from (("needs", ref, False) for ref in self.needs)

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[Lock, ...]:
        """Locks that an operation (``create``, ``update``, ``delete``, ``act``, ``tag``) on it holds."""
        return (Lock(resource_id.key),)

    @classmethod
    def judge(cls, declared: Mapping[str, Any], observed: Mapping[str, Any]) -> Verdict:
        """Whether the whole can become the declared in place, beyond what single fields say."""
        return Verdict("in place")


def _references(value: Any, shape: Shape, path: str, *, detachable: bool) -> Iterator[tuple[str, Ref[Any], bool]]:
    loose = detachable or shape.detachable
    if isinstance(value, Ref):
        yield path, value, loose
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            if not info.exclude:
                wire = info.alias or name
                yield from _references(
                    getattr(value, name), shape.at(wire), f"{path}.{wire}".lstrip("."), detachable=loose
                )
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _references(item, shape.item or UNKNOWN, f"{path}[{index}]", detachable=loose)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _references(item, shape.at(key), f"{path}.{key}".lstrip("."), detachable=loose)
