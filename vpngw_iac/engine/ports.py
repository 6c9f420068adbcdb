"""What the engine needs from outside: a cloud, a clock. Nothing here knows the SDK or the simulator."""

from __future__ import annotations

import queue
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal, Protocol

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask.questions import Question, Replies
from vpngw_iac.errors import AzureIds, CloudError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import properties_of
from vpngw_iac.resources.base import PartKind, UsedPart
from vpngw_iac.resources.wire import Document, Output
from vpngw_iac.secret import Fingerprint, SecretValue

Verb = Literal["put", "delete", "tag", "act"]
Quota = Literal["reads", "writes", "deletes"]
"""What a subscription is given so many of, each for itself."""

FAILED = frozenset({"failed", "canceled"})
TERMINAL = FAILED | {"succeeded"}
"""Values of ``provisioningState`` after which nothing moves by itself (R-OPS-05)."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One resource as Azure answered it.

    Echoed secrets have become `Fingerprint` leaves before this value exists. `document` is None when Azure says the
    resource is absent. `unread` says why it could not be read (a 403 on something that is only used).
    """

    id: ArmId
    document: Mapping[str, Any] | None
    source: Literal["get", "list"] = "get"
    unread: str = ""

    @property
    def present(self) -> bool:
        """Whether Azure has it."""
        return self.document is not None

    @property
    def etag(self) -> str | None:
        """The etag in the body: gateways and connections have no other (recordings of 2016 to 2024)."""
        return None if self.document is None else self.document.get("etag")

    @property
    def state(self) -> str:
        """``provisioningState`` as Azure writes it; ``Succeeded`` where a type has none, empty when absent."""
        if self.document is None:
            return ""
        properties = properties_of(self.document)
        return str(properties.get("provisioningState") or "Succeeded")

    @property
    def is_terminal(self) -> bool:
        """Whether no operation is running on it."""
        return self.document is None or self.state.lower() in TERMINAL

    @property
    def has_failed(self) -> bool:
        """Whether the last operation on it left it in a failed state."""
        return self.state.lower() in FAILED


@dataclass(frozen=True, slots=True)
class Attached:
    """Something that hangs on one of our resources: a connection, a NAT rule, a root certificate, a peering."""

    holder: ArmId
    kind: PartKind
    name: str
    id: ArmId | None = None
    owner: str | None = None
    """Value of its ``vpngw-deployment`` tag, if it bears one."""
    uses: frozenset[UsedPart] | None = frozenset()
    """What it uses of the holder; None if the answer that showed it does not tell."""
    seen: Literal["list", "get", "unreadable"] = "list"
    """Whether it was read by itself; of what could not be read everything is assumed."""
    leads_to: frozenset[ArmId] = frozenset()
    """What is at the other end of a connection."""
    bgp: bool | None = None
    """Whether a connection speaks BGP; None if the answer that showed it does not tell."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list to be read: of one ARM type in a group, in a subscription, or on a resource.

    Without a type it shows whatever is there, of any type, as ids with location and tags.
    """

    container: ArmId
    arm_type: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What Azure has right now, as read: by id, and what hangs on our gateways and networks."""

    observed: Mapping[ArmId, Observed] = field(default_factory=dict)
    attached: tuple[Attached, ...] = ()
    unverified: tuple[str, ...] = ()
    """Declared values (``address: path``) that no answer carried."""
    unseen: tuple[str, ...] = ()
    """Groups whose content may not be listed here, each with the reason."""
    _attached_to: Mapping[ArmId, Sequence[Attached]] = field(init=False, repr=False, compare=False)
    """What hangs on them, by its holder."""

    def __post_init__(self) -> None:
        index: dict[ArmId, list[Attached]] = {}
        for item in self.attached:
            index.setdefault(item.holder, []).append(item)
        object.__setattr__(self, "_attached_to", index)

    @property
    def not_verified(self) -> int:
        """How many declared values no answer carried."""
        return len(self.unverified)

    def get(self, resource_id: ArmId) -> Observed:
        """What was read; something that was not asked for is unread."""
        return self.observed.get(resource_id) or Observed(resource_id, None, unread="not read")

    def outlined(self) -> Snapshot:
        """The same without what only deciding reads: of each resource that it is there, how it is, and its etag.

        A thousand whole documents are a third of what a run would hold until its end.
        """
        return replace(self, observed={i: replace(seen, document=_outline(seen)) for i, seen in self.observed.items()})

    def attached_to(self, holder: ArmId) -> Sequence[Attached]:
        """What hangs on one resource, in the order of `attached`."""
        return self._attached_to.get(holder, ())


def _outline(seen: Observed) -> Document | None:
    if seen.document is None:
        return None
    etag = {"etag": seen.etag} if seen.etag else {}
    return {"properties": {"provisioningState": seen.state}, **etag}


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request to Azure. Bodies may hold secrets: a call has no repr and is never stored."""

    verb: Verb
    id: ArmId
    body: Document | None = None
    etag: str | None = None
    action: str = ""
    """For ``act``: ``sharedKey``."""
    tenants: tuple[str, ...] = ()
    """Other tenants whose ids the body names; their tokens go into ``x-ms-authorization-auxiliary``."""
    secrets: tuple[str, ...] = ()
    """Values that no error text may show."""
    sync: bool = False
    """A put that takes over what the other network of a peering has become."""

    def __repr__(self) -> str:
        return f"Call({self.verb} {self.id})"


@dataclass(frozen=True, slots=True)
class Pending:
    """An accepted operation. Holds nothing that a journal may not hold."""

    verb: Verb
    id: ArmId
    url: str | None = None
    """Azure's operation URL: a hint, never the authority."""
    retry_after: float | None = None
    """Seconds that Azure asks to wait before the first poll."""
    ids: AzureIds = field(default_factory=AzureIds)
    since: float | None = None
    """When it was accepted, as `Clock.now` tells: a time of day may be set back or forth meanwhile."""


@dataclass(frozen=True, slots=True)
class Running:
    """Not ended yet."""

    retry_after: float | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """Terminal by ``provisioningState`` (or absent, after a delete)."""

    state: Literal["Succeeded", "Failed", "Canceled"]
    observed: Observed | None = None
    error: CloudError | None = None


Progress = Running | Ended


@dataclass(frozen=True, slots=True)
class CloudIdentity:
    """What a state is bound to."""

    name: str
    """``simulator``, ``public``, ``usgovernment``, ``china`` or ``custom``."""
    endpoint: str
    tenant: str
    subscription: str
    """The default subscription of this run."""
    actor: str = ""
    """Who runs it, as the credential tells (object or client id), for the log."""


class Cloud(Protocol):
    """Azure in few verbs. Every method may be called from several threads at once.

    All raise the `CloudError` family; none retries a write; reads are retried here, within the limits Azure states.
    """

    identity: CloudIdentity

    def observe(self, ids: Collection[ArmId], *, deep: bool = False) -> Mapping[ArmId, Observed]:
        """Read every id once, by LIST where that is cheaper. An unreadable id raises instead of looking absent."""

    def attached(
        self, holders: Collection[ArmId], seen: Mapping[ArmId, Observed] | None = None
    ) -> tuple[Attached, ...]:
        """What hangs on these gateways, networks and resource groups, ours and others', in any group.

        What is in `seen` was read for this very purpose and is not read again.
        """

    def listed(self, wanted: Collection[Listing]) -> Mapping[Listing, tuple[Observed, ...]]:
        """Everything that these lists show, each asked for once, side by side; raises `Forbidden` and its kin."""

    def probe(self, questions: Collection[Question]) -> Replies:
        """Ask each once, side by side, read-only. What may not be asked comes back as `Unread`, never as an error."""

    def read(self, resource_id: ArmId) -> Observed:
        """One GET."""

    def shared_key(self, resource_id: ArmId) -> Fingerprint | None:
        """Fingerprint of a shared key by its own GET; None if Azure tells none. The value is dropped at once."""

    def secret(self, output: Output) -> SecretValue:
        """A secret that Azure made (an authorization key), read just before the call that needs it."""

    def ready_to_write(self, ids: Collection[ArmId]) -> None:
        """Load what writes to these need and reads do not: nothing is begun that then could not be sent."""

    def begin(self, call: Call) -> Pending | Ended:
        """Send one request, return at once. Raises `Contention`, `Throttled`, `Unavailable`, `PreconditionFailed`."""

    def poll(self, pending: Pending) -> Progress:
        """Ask once how far it is: ``provisioningState`` decides, the operation URL is a hint."""

    def room(self, subscription: str, calls: Mapping[Quota, int]) -> float:
        """Seconds until so many calls more leave something of the subscription's quota; zero spends them at once."""


Fingerprinter = Callable[[str], Fingerprint | None]
"""None while there is no key: an echoed secret is then dropped."""


class Clock(Protocol):
    """The only thing that sleeps. Durations use `now`, which never goes backwards; people see `utc`."""

    def now(self) -> float:
        """Seconds, monotonic."""

    def utc(self) -> str:
        """ISO 8601 time of day in UTC, for journal, log and events."""

    def next(self, inbox: queue.SimpleQueue[Any], seconds: float | None, *, calls_in_flight: int) -> Any | None:
        """The next message, or None after `seconds`. Virtual time advances only while no call is in flight."""

    def sleep(self, seconds: float) -> None:
        """Wait in a thread of its own (a retried read)."""
