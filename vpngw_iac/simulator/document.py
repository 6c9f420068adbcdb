"""What the simulated cloud keeps: documents (resources) and operations."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.wire import Json

UPDATING = "Updating"
SUCCEEDED = "Succeeded"
FAILED = "Failed"
DELETING = "Deleting"

Hold = Literal["exclusive", "shared"]


@dataclass(slots=True)
class Document:
    """One resource.

    `body` holds location, tags, sku, zones and properties; id, name, type, etag and provisioningState are written by
    whoever answers.
    """

    id: str
    type: str
    body: Json
    state: str = SUCCEEDED
    etag: str = ""
    guid: str = ""
    operation: str | None = None
    created: float = 0.0
    changed: float = 0.0
    hidden: Json = field(default_factory=dict)
    """Kept for the cloud's own use; never answered."""
    found: dict[str, list[list[Any]]] = field(default_factory=dict)
    """Of a loaded document, by reader: path, what the cloud said of it then, and what was found (none or one each)."""

    @property
    def arm_id(self) -> ArmId:
        """The id, parsed."""
        return ArmId(self.id)

    @property
    def key(self) -> str:
        """The id in lower case: what the store finds it by."""
        return self.id.lower()

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def properties(self) -> Json:
        """The stored properties; changing them changes the document."""
        found: Json = self.body.setdefault("properties", {})
        return found

    @property
    def parent_key(self) -> str:
        """Key of what contains it: another resource, or the resource group."""
        above = self.key.rsplit("/", 2)[0]
        scope, marker, rest = above.rpartition("/providers/")
        return scope if marker and "/" not in rest else above

    def as_found(self, shown: Json, reader: str) -> Json:
        """The document as it was loaded, but for what the cloud says otherwise by now."""
        flat = spread(shown) if self.found.get(reader) else {}
        for path, said, found in self.found.get(reader, ()):
            if [flat[path] for _ in range(path in flat)] == said:
                flat.pop(path, None)
                flat |= dict.fromkeys([path][: len(found)], *found)
        return gathered(flat) if flat else shown


@dataclass(slots=True)
class LongRunningOperation:
    """One long-running operation, kept after its end so that its URL can still be asked."""

    id: str
    verb: str
    """put, patch, delete, delete-group, or the name of an action."""
    target: str
    subscription: str
    location: str
    api_version: str
    started: float
    due: float
    holds: dict[str, Hold] = field(default_factory=dict)
    status: str = "InProgress"
    error: Json | None = None
    result: Any = None
    polls: int = 0
    payload: Json = field(default_factory=dict)
    vanished: bool = False
    """Its URL answers 404 although the work goes on (seen in the field on Azure)."""

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.status == "InProgress"


def spread(document: Json) -> Json:
    """A document with its properties, if it has any, beside its head: ``location``, ``properties.sku``."""
    head = {name: value for name, value in document.items() if name != "properties" or not value}
    return head | {f"properties.{name}": value for name, value in (document.get("properties") or {}).items()}


def gathered(flat: Json) -> Json:
    """The document of `spread`."""
    inner = {path.partition(".")[2]: value for path, value in flat.items() if path.startswith("properties.")}
    head = {path: value for path, value in flat.items() if not path.startswith("properties.")}
    return head | ({"properties": inner} if inner else {})
