"""What a resource type knows, as one class per type, and the register that finds them.

Each file in ``types/`` holds one type and names the evidence for what it does: a recording or a rule id.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Set
from dataclasses import field
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Literal, get_args

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.cloud_view import CloudView, without_nulls
from vpngw_iac.simulator.document import Document, Hold, LongRunningOperation
from vpngw_iac.simulator.refusal import Refusal, not_simulated
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

Reader = Literal["put", "get", "list"]
"""PUT, GET and LIST answer different documents of one resource."""
READERS: tuple[Reader, ...] = get_args(Reader)
_SECRETS = frozenset({"sharedKey", "authorizationKey", "radiusServerSecret"})


@dataclass(frozen=True, slots=True)
class PutRequest:
    """A PUT under consideration."""

    cloud: CloudView
    id: ArmId
    body: Json
    before: Document | None
    embedded: bool = False
    """Written inside the body of its parent, which checks what children have in common."""
    query: Mapping[str, str] = field(default_factory=dict)
    """What stands behind the question mark."""

    def asks(self, name: str) -> bool:
        """Whether a switch of the query is on; its name has no case."""
        return any(key.lower() == name.lower() and value.lower() == "true" for key, value in self.query.items())

    @property
    def sent(self) -> Json:
        """The properties sent, nulls dropped; a copy."""
        properties = self.body.get("properties")
        return without_nulls(properties) if isinstance(properties, dict) else {}

    @property
    def earlier(self) -> Json:
        """The properties stored before; empty for a create."""
        return self.before.properties if self.before else {}


class Kind:
    """One resource type. The defaults here are what the small types share."""

    arm_type: ClassVar[str]
    retry_after: ClassVar[float] = 10.0
    """Real values of 2016 to 2019 by type, recordings section (c)."""
    etag_header: ClassVar[bool] = False
    has_location: ClassVar[bool] = True
    at_once: ClassVar[bool] = False
    """Its provider knows no long-running operations: a write is done when it is answered."""
    created_status: ClassVar[int] = 201
    """Status of the PUT that creates it."""
    extends: ClassVar[bool] = False
    """Hangs on a resource of another provider (or on a group): its id names two providers."""
    has_guid: ClassVar[bool] = True
    quick: ClassVar[bool] = False
    """A PUT that changes nothing is Succeeded at once (local gateway, subnet)."""
    contention: ClassVar[Literal[409, 429]] = 429
    create_seconds: ClassVar[float] = 5.0
    update_seconds: ClassVar[float] = 5.0
    remove_seconds: ClassVar[float] = 5.0
    tag_seconds: ClassVar[float] = 0.0
    read_only: ClassVar[frozenset[str]] = frozenset()
    """Properties that a PUT may carry and Azure ignores, beside provisioningState and resourceGuid."""
    since: ClassVar[Mapping[str, str]] = {}
    """Api-version with which a path appears in answers; ``[]`` stands for every element.

    What came to all versions at once, on a day of the service, is answered to all versions here too.
    """
    top_level: ClassVar[tuple[str, ...]] = ("location", "tags", "sku", "zones", "extendedLocation", "identity")
    members: ClassVar[Mapping[str, str]] = {}
    """Properties whose elements are documents of their own, and the type of those; left out of a PUT, they go."""

    left_alone: ClassVar[frozenset[str]] = frozenset()
    """Those of them that stay when a PUT does not name the property."""

    def accept(self, change: PutRequest) -> Json:
        """The properties to store, defaults filled in; raises `Refusal`. A PUT is a full replacement."""
        properties = self.fill(change)
        self.check(change, properties)
        return properties

    def fill(self, change: PutRequest) -> Json:
        """The properties sent, with what Azure fills in; refuses nothing."""
        ignored = self.read_only | {"provisioningState", "resourceGuid"}
        return {name: value for name, value in change.sent.items() if name not in ignored}

    def check(self, change: PutRequest, properties: Json) -> None:
        """Raise the first `Refusal` of Azure."""

    def hide(self, document: Document, told: Json) -> None:
        """Keep, of a document that is loaded, what is not a property here (a key, a state)."""

    def complete(self, change: PutRequest, body: Json) -> None:
        """Fill in what stands beside the properties (sku, zones)."""

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """What the write needs for itself while it runs."""
        return {change.id.key: "exclusive"}

    def put_seconds(self, change: PutRequest, properties: Json) -> float:
        """How long the write takes."""
        return self.update_seconds if change.before else self.create_seconds

    def stored(self, change: PutRequest, document: Document) -> None:
        """Keep what is not a property (a key); called before the operation starts."""

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """Finish a PUT: fill in what only the service knows. Returns an error if the operation ends Failed."""
        return None

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """Raise `Refusal` while somebody uses it."""

    def removed(self, cloud: CloudView, document: Document) -> None:
        """Called after the document is gone."""

    def absent(self, identifier: ArmId) -> Refusal | None:
        """How this provider says that it does not have it; none: as networks do."""
        return None

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """The properties as this reader sees them."""
        return dict(document.properties)

    def act(
        self, cloud: CloudView, document: Document, action: str, request: HttpRequest
    ) -> HttpResponse | TimedAction:
        """A POST (or the odd GET and PUT) below the resource; unknown actions are not simulated."""
        raise not_simulated(f"{request.method} {self.arm_type}/{action}")

    def acted(self, cloud: CloudView, document: Document, operation: LongRunningOperation) -> object:
        """The result of an action that has come to its end."""
        return None

    def show(self, cloud: CloudView, document: Document, reader: Reader, api_version: str = "9999") -> Json:
        """The document as answered: one that was loaded as it was found, each version its own property set."""
        shown = document.as_found(self.whole(cloud, document, reader), reader)
        late = {path for path, version in self.since.items() if api_version < version}
        hidden = frozenset() if cloud.switches.echo_secrets else _SECRETS
        trimmed: Json = _without(shown, late, hidden) if late or hidden else shown
        return trimmed

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """The document with all that this cloud knows of it."""
        head: Json = {"name": document.name, "id": document.id, "type": self.arm_type, "etag": document.etag}
        head |= {name: document.body[name] for name in self.top_level if name in document.body}
        inner: Json = {"provisioningState": document.state}
        if self.has_guid:
            inner["resourceGuid"] = document.guid
        inner |= self.properties(cloud, document, reader)
        child_reader: Reader = "list" if reader == "list" else "get"
        for member, arm_type in self.members.items():
            children = cloud.children(document.id, arm_type)
            inner[member] = [kind_of(child).show(cloud, child, child_reader) for child in children]
        return head | {"properties": inner}


def _without(value: Any, paths: Set[str], names: Set[str], path: str = "") -> Any:
    """A JSON value without some paths, and without some names wherever they stand."""
    if isinstance(value, dict):
        inner = {name: f"{path}.{name}" if path else name for name in value if name not in names}
        return {name: _without(value[name], paths, names, at) for name, at in inner.items() if at not in paths}
    if isinstance(value, list):
        return [_without(item, paths, names, f"{path}[]") for item in value]
    return value


def normal(location: str) -> str:
    """A region's name as Azure answers it."""
    return location.replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class TimedAction:
    """An action that takes time. How it is answered first differs: see recordings section (c)."""

    name: str
    seconds: float
    status: int = 202
    async_header: bool = True
    location_header: bool = True
    holds: bool = True
    updating: bool = False
    """The resource itself reads Updating while the action runs."""
    payload: Json | None = None


@cache
def kinds() -> Mapping[str, Kind]:
    """Every simulated type by its ARM type in lower case: the files of ``types/`` are the register."""
    from vpngw_iac.simulator import types  # the types import this module

    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(types.__path__):
        loaded = import_module(f"{types.__name__}.{module.name}")
        kind = getattr(loaded, "KIND", None)
        if isinstance(kind, Kind):
            found[kind.arm_type.lower()] = kind
    return found


class MemberKind(Kind):
    """A child, written inside its parent or by itself: one after the other, and the parent's etag changes with it."""

    has_location = False
    has_guid = False
    contention = 409
    top_level = ()

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Itself and its parent."""
        return exclusively(change.id, change.id.parent)

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """The parent has a new etag."""
        cloud.touch(document.arm_id.parent)
        return None

    def removed(self, cloud: CloudView, document: Document) -> None:
        """The parent has a new etag."""
        cloud.touch(document.arm_id.parent)


class LoadedType(Kind):
    """A type that is not simulated: its documents were loaded, and can be read and deleted."""

    at_once = True
    extends = True
    has_location = False

    def __init__(self, arm_type: str) -> None:
        self.arm_type = arm_type  # type: ignore[misc]

    def accept(self, change: PutRequest) -> Json:
        """Nobody knows what its provider would say."""
        raise not_simulated(f"how {self.arm_type} are written")

    def acted(self, cloud: CloudView, document: Document, operation: LongRunningOperation) -> object:
        """What the service that was asked knew at once."""
        return operation.payload.get("result")

    def whole(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """As it was loaded."""
        return dict(document.body)


def kind_of(document: Document) -> Kind:
    """The type of a stored document."""
    return kinds().get(document.type.lower()) or LoadedType(document.type)


def exclusively(*identifiers: ArmId | None) -> dict[str, Hold]:
    """The write needs these for itself."""
    return {identifier.key: "exclusive" for identifier in identifiers if identifier is not None}


def defaults(properties: Json, **values: object) -> None:
    """Fill in what was not sent."""
    for name, value in values.items():
        properties.setdefault(name, value)
