"""What every declared ARM resource shares: its identity, its references, its body in wire casing.

A body is a plain document (dict, list, str, int, bool) whose leaves may also be a secret reference or an `Output`.
The engine works on bodies and shapes alone, so that it needs to know no type.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, cast

from pydantic import BaseModel, Field

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Finding
from vpngw_iac.field import CachedModel, Immutable, Region, Tags, Verdict, settled
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import dotted, properties_of, value_at
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Document, Output, Ref, TextRef, WireModel, render

__all__ = [
    "ChildResource",
    "Document",
    "Durations",
    "ExtensionResource",
    "Flags",
    "Gate",
    "KeyCall",
    "OperationLock",
    "Output",
    "PartKind",
    "PeeringSide",
    "Ref",
    "Resource",
    "Role",
    "Shape",
    "TextRef",
    "Tunnel",
    "UsedPart",
    "WireModel",
    "shape_of",
]


@dataclass(frozen=True, slots=True)
class OperationLock:
    """Operations that share an exclusive lock never overlap; an adaptive one lets as many run as Azure bears."""

    name: str
    adaptive: bool = False


@dataclass(frozen=True, slots=True)
class Durations:
    """How long Azure usually takes, in seconds (from recorded runs)."""

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


@dataclass(frozen=True, slots=True)
class UsedPart:
    """Something of a resource that others use: a part of it (an instance, a NAT rule), or a text of a list there."""

    part: ArmId
    text: str = ""

    def is_within(self, whole: "UsedPart") -> bool:
        """Whether this goes when `whole` goes."""
        return self == whole or (not whole.text and whole.part.contains(self.part))

    def __str__(self) -> str:
        return f"{self.text} of {self.part.name}" if self.text else str(self.part)


PartKind = Literal[
    "connection", "natRule", "rootCertificate", "peering", "subnet", "policyGroup", "resource", "bgpAddress"
]
"""What may hang on a resource."""

Role = Literal["", "gateway", "network", "subnet", "public ip", "site", "connection", "peering", "route table"]
"""The part that a type plays in a network; empty for one that needs no word of its own."""


@dataclass(frozen=True, slots=True)
class KeyCall:
    """A secret of a resource that has a call of its own (``act``)."""

    path: str
    action: str
    rights: tuple[str, ...]
    """Any of them allows it."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One tunnel of a connection as Azure shows it."""

    name: str
    status: str
    incoming: Any
    outgoing: Any
    since: Any


class Resource(CachedModel, WireModel):
    """One declared ARM resource. Subclasses add `properties` and, where ARM has them, `sku`, `zones` and the like."""

    arm_type: ClassVar[str]
    kind: ClassVar[str]
    """First part of the address."""
    sdk: ClassVar[str]
    """The SDK's operation group, for example ``network.virtual_network_gateways``."""
    sdk_calls: ClassVar[Mapping[str, str]] = {
        "put": "begin_create_or_update",
        "delete": "begin_delete",
        "tag": "update_tags",
    }
    """The method of that group for each verb (``put``, ``delete``, ``tag``, ``act``) that the type knows."""
    api_version: ClassVar[str] = ""
    """Of a provider that the SDK has no operation group for: its resources go through the generic calls by id."""
    durations: ClassVar[Durations] = Durations()
    listed_by: ClassVar[Literal["group", "parent", "none"]] = "group"
    """Where a LIST shows it: ``group`` (one LIST per resource group), ``parent`` (one per parent), none."""
    shown_in_parent: ClassVar[str] = ""
    """Path of a list in its parent's document that shows it as its own GET does, where a recording proves that."""
    taggable: ClassVar[bool] = True
    only_if_absent: ClassVar[bool] = False
    """Used when present and never put (resource groups)."""
    needs_replace_flag: ClassVar[bool] = False
    """Whether its replacement must be named with ``--replace``."""
    replaced: ClassVar[str] = ""
    """What people have to do about it when it was replaced, as a sentence; empty where the plan's outages say it."""
    gate: ClassVar[Gate | None] = None
    may_coexist: ClassVar[bool] = False
    """Whether the old and the new may exist at once when its id changes; then holders are repointed in place."""
    role: ClassVar[Role] = ""
    facts: ClassVar[Mapping[str, str]] = {}
    """What people ask about it (the inventory): name and path."""
    security_paths: ClassVar[tuple[str, ...]] = ()
    """Words in paths, without case, whose change behind our back is a matter of security."""
    individual: ClassVar[frozenset[str]] = frozenset()
    """Members that are each resource's own business, beside name and id: policies are about kinds of resources."""
    join_action: ClassVar[str] = ""
    """The right that referring to it needs, at it."""
    keepable: ClassVar[bool] = False
    """Whether ``--keep-public-ips`` leaves it in Azure."""
    key_call: ClassVar[KeyCall | None] = None
    parts: ClassVar[Mapping[str, PartKind]] = {}
    """Where its document shows what others may hang on it, and what that is."""
    lists: ClassVar[tuple[str, str, PartKind] | None] = None
    """The SDK's group and method of the LIST of what hangs on it beyond its document, and what that is."""
    bgp_path: ClassVar[str] = ""
    """Where it says that who is connected by it speaks BGP."""
    letting_go: ClassVar[tuple[str, ...]] = ()
    """Paths that are emptied while something that they use is taken away (`uses`)."""
    blocks_writes_of: ClassVar[frozenset[Role]] = frozenset()
    """What Azure refuses to write while something of this type that hangs on it is Failed."""
    clients_path: ClassVar[str] = ""
    """Where it says that it serves point-to-site clients."""
    roots_path: ClassVar[str] = ""
    """Where the root certificates of those clients are listed, by name."""
    can_block: ClassVar[bool] = False
    """Whether it can make Azure refuse operations on others (`blocks`); ours is lifted for a plan and put back."""

    address: str = Field(exclude=True)
    id: ArmId = Field(exclude=True)
    needs: tuple[Ref[Any], ...] = Field(default=(), exclude=True)
    """Orders without being sent."""
    affected: tuple[str, ...] = Field(default=(), exclude=True)
    """Names of sites, peers and clients that lose connectivity while this resource is down."""
    protect: bool = Field(default=False, exclude=True)
    on_removal: Literal["delete", "forget"] = Field(default="delete", exclude=True)
    derived_name: bool = Field(default=False, exclude=True)
    """Whether the naming policy made the name: then the id in the state beats it."""
    unwritten: tuple[str, ...] = Field(default=(), exclude=True)
    """Fields whose value nobody wrote (zones alone): what a creation sends, never compared with what Azure has."""
    expected: tuple[str, ...] = Field(default=(), exclude=True)
    """Ids or names of foreign things on this resource that are known and no alarm."""
    tenant: str | None = Field(default=None, exclude=True)
    rotation: str = Field(default="", exclude=True)
    """What somebody wrote beside its secrets: another text sets them again."""
    named: Mapping[str, str] = Field(default={}, exclude=True)
    """Names in Azure of items that are declared under other names, by path: another tool named them."""

    location: Annotated[Region | None, Immutable()] = None
    tags: Tags | None = None

    def ref(self) -> Ref[Self]:
        """A reference to this resource."""
        return Ref.to(self.id)

    def part(self, segment: str, name: str) -> Ref[Self]:
        """A reference to a part of this resource."""
        return Ref.to(self.id, (segment, name))

    def body(self) -> Document:
        """The declared document: wire casing, what is None left out. Rendered once: nobody writes into it."""
        return self._body

    @functools.cached_property
    def _body(self) -> Document:
        return cast("Document", render(self))

    def body_without(self, paths: Collection[str]) -> Document:
        """The declared document with detachable references taken off; `paths` as `references` tells them.

        A reference is left out, an item that may be taken off goes as a whole, and for the path ``needs`` each flag
        that uses what is needed is sent as its `off` value.
        """
        document = cast("Document", render(self))
        places = list(_places(self, shape_of(type(self)), (), None))
        if _NEEDS in paths:
            for place in filter(_is_set_flag, places):
                _container(document, place.steps)[place.steps[-1]] = place.shape.off
        cuts = {place.cut for place in places if isinstance(place.value, Ref) and dotted(place.steps) in paths}
        for cut in sorted((cut for cut in cuts if cut), key=_cut_order, reverse=True):
            del _container(document, cut)[cut[-1]]
        return self.emptied(document, paths)

    def emptied(self, document: Document, paths: Collection[str]) -> Document:
        """The document with those of `paths` emptied that let go of what others offer (`letting_go`)."""
        for path in set(paths) & set(self.letting_go):
            *outer, last = path.split(".")
            place = document
            for step in outer:
                place[step] = dict(place.get(step) or {})
                place = place[step]
            place[last] = []
        return document

    def like(self, document: Mapping[str, Any]) -> Self:
        """This resource with what nobody wrote as an observed document has it."""
        seen = {name: document.get(type(self).model_fields[name].alias or name) for name in self.unwritten}
        return self.model_copy(update={name: tuple(v) if isinstance(v, list) else v for name, v in seen.items()})

    def references(self) -> Iterator[tuple[str, Ref[Any], bool]]:
        """Every reference as (path, reference, detachable); those that only order have the path ``needs``."""
        freed = set()
        for place in _places(self, shape_of(type(self)), (), None):
            if isinstance(place.value, Ref):
                yield dotted(place.steps), place.value, place.cut is not None
            elif _is_set_flag(place):
                freed.add(place.shape.frees)
        yield from ((_NEEDS, ref, ref.target.type.lower() in freed) for ref in self.needs)

    def joins(self) -> Iterator[ArmId]:
        """What its body names and Azure asks a right at, with a token of its tenant."""
        yield from (ref.target for _, ref, _ in self.references())

    @classmethod
    def usual_durations(cls, body: Mapping[str, Any]) -> Durations:
        """How long Azure usually takes for one with this body."""
        return cls.durations

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Locks that an operation (``create``, ``update``, ``delete``, ``act``, ``tag``) on it holds."""
        return (OperationLock(resource_id.key),)

    @classmethod
    def judge(cls, declared: Mapping[str, Any], observed: Mapping[str, Any]) -> Verdict:
        """Whether the whole can become the declared in place, beyond what single fields say."""
        return Verdict("in place")

    @classmethod
    def fault(cls, observed: Mapping[str, Any]) -> str:
        """Why an observed document, although nobody changed it, must be put back; empty if it is sound."""
        state = str((observed.get("properties") or {}).get("provisioningState") or "")
        return f"{state} in Azure" if state.lower() in ("failed", "canceled") else ""

    @classmethod
    def lags(cls, observed: Mapping[str, Any]) -> str:
        """What says that an observed document has not taken over what it follows, and must; empty if nothing does."""
        return ""

    @classmethod
    def trouble(cls, observed: Mapping[str, Any]) -> str:
        """What is wrong with an observed document, although nobody changed it; empty if nothing is."""
        return cls.fault(observed) or cls.lags(observed)

    @classmethod
    def takes_over(cls, observed: Mapping[str, Any]) -> bool:
        """Whether a put of this observed document is to take over what it follows."""
        return bool(cls.lags(observed))

    @classmethod
    def blocks(cls, resource_id: ArmId, document: Mapping[str, Any], target: ArmId, verb: str) -> bool:
        """Whether Azure refuses an operation (``put``, ``delete``, ``tag``, ``act``) on `target` while this exists."""
        return False

    def is_counterpart_of(self, other: "Resource") -> bool:
        """Whether `other`, if it needs repair, must be repaired before this can be created."""
        return False

    @classmethod
    def offers(cls, resource_id: ArmId, document: Mapping[str, Any]) -> frozenset[UsedPart]:
        """What others can use of a resource with this document; who uses it stops before it is taken away."""
        return frozenset()

    @classmethod
    def uses(cls, resource_id: ArmId, document: Mapping[str, Any]) -> frozenset[UsedPart] | None:
        """What a document uses of others, beyond whole resources; None if this answer does not tell."""
        return frozenset()

    @classmethod
    def leads_to(cls, document: Mapping[str, Any]) -> frozenset[ArmId]:
        """What is at the other end of something that carries traffic; nothing for other types."""
        return frozenset()

    @classmethod
    def begins_at(cls, document: Mapping[str, Any]) -> ArmId | None:
        """What something that carries traffic stands on, and whose list shows it; None for other types."""
        return None

    @classmethod
    def looks_at(
        cls, resource_id: ArmId, document: Mapping[str, Any], said: Literal["declared", "applied", "observed"]
    ) -> Iterator[ArmId]:
        """What a plan must read to judge something with this document, beyond what is declared or remembered."""
        yield from ()

    @classmethod
    def found_in(cls, network: ArmId, documents: Mapping[ArmId, Mapping[str, Any] | None]) -> set[ArmId] | None:
        """Gateways that stand in a network, as far as these documents show it; None where nobody can say."""
        return None

    def neighbours(self, documents: Mapping[ArmId, Mapping[str, Any] | None]) -> Iterator[ArmId]:
        """Others of its type that stand in the same place, as far as these documents show it."""
        yield from ()

    def excludes(self, neighbour: Mapping[str, Any]) -> bool:
        """Whether Azure takes only one of the two in that place."""
        return False

    @classmethod
    def networks_of(cls, document: Mapping[str, Any]) -> frozenset[ArmId]:
        """The networks that a gateway stands in."""
        return frozenset()

    @classmethod
    def obstacles(
        cls,
        address: str,
        wanted: Mapping[str, tuple[Any, Any]],
        observed: Mapping[str, Any],
        read: Callable[[ArmId], Mapping[str, Any] | None],
    ) -> Iterator[Finding]:
        """Why Azure refuses a change in place although each property could change; `wanted`: (declared, observed)."""
        yield from ()

    @classmethod
    def quotas(cls, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Azure's names, in lower case, of the quotas that one more with this document counts against."""
        return ()

    @classmethod
    def serves_clients(cls, document: Mapping[str, Any]) -> bool:
        """Whether point-to-site clients connect to it."""
        return bool(cls.clients_path and value_at(document, cls.clients_path))

    @classmethod
    def speaks_bgp(cls, document: Mapping[str, Any]) -> bool | None:
        """Whether who is connected by it speaks BGP; None if this document does not tell."""
        said = value_at(document, cls.bgp_path) if cls.bgp_path else None
        return said if isinstance(said, bool) else None

    @classmethod
    def lost_with(cls, document: Mapping[str, Any]) -> str:
        """The public address that goes with it; empty if none does."""
        return ""

    @classmethod
    def tunnels(cls, facts: Mapping[str, Any]) -> tuple[Tunnel, ...]:
        """The tunnels in its `facts`."""
        return ()

    @classmethod
    def instances(cls, facts: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Its instances in its `facts`, each with the addresses that the other side is configured with."""
        yield from ()

    @classmethod
    def tidied(cls, body: Document) -> Document:
        """A body that is about to be sent, without parts that point to other parts that it no longer has."""
        return body

    @classmethod
    def must_be_named(cls, resource_id: ArmId) -> bool:
        """Whether replacing this very resource must be asked for with ``--replace``."""
        return cls.needs_replace_flag

    @classmethod
    def gate_for(cls, body: Mapping[str, Any]) -> Gate | None:
        """The condition that dependents of a resource with this body wait for."""
        return cls.gate


settled(Resource)


class ChildResource(Resource):
    """A resource that lives in another one: listed with its parent, without tags, and never written beside it."""

    listed_by: ClassVar[Literal["group", "parent", "none"]] = "parent"
    taggable: ClassVar[bool] = False

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Writes to what one resource holds are refused while another one runs (R-OPS-02)."""
        return tuple(OperationLock(each.key) for each in (resource_id, resource_id.parent) if each)


class ExtensionResource(Resource):
    """A resource of another provider that hangs on one of ours: the SDK has only the generic calls by id for it."""

    sdk: ClassVar[str] = "resource.resources"
    sdk_calls: ClassVar[Mapping[str, str]] = {
        "put": "begin_create_or_update_by_id",
        "delete": "begin_delete_by_id",
        "tag": "begin_update_by_id",
    }
    listed_by: ClassVar[Literal["group", "parent", "none"]] = "none"
    taggable: ClassVar[bool] = False


class Flags(NamedTuple):
    """The transit flags of one half."""

    lends: bool = False
    uses: bool = False


class PeeringSide(ChildResource):
    """One of two halves that join networks, through which one lends its gateway to the other."""

    role: ClassVar[Role] = "peering"
    remote_path: ClassVar[str]
    """Where it names the other network."""
    flag_names: ClassVar[tuple[str, str]]
    """The members of ``properties`` that lend, and that use what is lent."""
    level_path: ClassVar[str]
    """Where Azure says whether it is in step with the other network."""
    in_step: ClassVar[str]
    """The value there when it is."""
    follows: ClassVar[str]
    """The path of a network whose change puts the other network's half out of step."""

    @property
    def remote(self) -> ArmId:
        """The other network."""
        raise NotImplementedError

    @classmethod
    def remote_in(cls, document: Mapping[str, Any] | None) -> ArmId | None:
        """The other network that a document names."""
        return ArmId.of(value_at(document, f"{cls.remote_path}.id"))

    @classmethod
    def flags(cls, document: Mapping[str, Any] | None) -> Flags:
        """The flags as a document has them."""
        return Flags(*(bool(properties_of(document).get(name)) for name in cls.flag_names))

    @classmethod
    def is_connected(cls, document: Mapping[str, Any]) -> bool:
        """Whether both halves are there."""
        raise NotImplementedError

    @classmethod
    def is_ahead(cls, observed: Mapping[str, Any]) -> bool:
        """Whether its own network changed: the other half is to be synchronised, by its owner."""
        raise NotImplementedError

    @classmethod
    def owns_all(cls, document: Mapping[str, Any]) -> bool:
        """Whether more than the flags is ours."""
        raise NotImplementedError


_NEEDS = "needs"

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """One value inside a resource; `cut` is what goes when it is taken off, None when it cannot be."""

    steps: Steps
    value: Any
    shape: Shape
    cut: Steps | None


def _places(value: Any, shape: Shape, steps: Steps, cut: Steps | None) -> Iterator[_Place]:
    if value is None:
        return
    is_list = isinstance(value, tuple | list)
    if shape.detachable and cut is None and not is_list:
        cut = steps
    yield _Place(steps, value, shape, cut)
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            if not info.exclude:
                wire = info.alias or name
                yield from _places(getattr(value, name), shape.at(wire), (*steps, wire), cut)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _places(item, shape.at(key), (*steps, key), cut)
    elif is_list:
        first = 0 if shape.detachable else shape.detachable_from
        for index, item in enumerate(value):
            here = (*steps, index)
            loose = here if first is not None and index >= first else None
            yield from _places(item, shape.item or UNKNOWN, here, cut or loose)


def _is_set_flag(place: _Place) -> bool:
    return bool(place.shape.frees) and place.value != place.shape.off


def _cut_order(steps: Steps) -> tuple[tuple[int, str], ...]:
    """Sorts positions of one list by number, so that cutting from the end keeps the others in place."""
    return tuple((step, "") if isinstance(step, int) else (-1, step) for step in steps)


def _container(document: Any, steps: Steps) -> Any:
    for step in steps[:-1]:
        document = document[step]
    return document
