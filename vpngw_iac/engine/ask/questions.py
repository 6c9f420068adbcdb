"""What only Azure can say before anything is changed: questions that are read-only, and what comes back. Plain values.

Each question names one scope and is asked once. A reply is a value, or `Unread` when Azure may not be asked that.
"""

from __future__ import annotations

from collections.abc import Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass

# --- questions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AskPermissions:
    """What we may do at a subscription, a resource group or a resource."""

    scope: ArmId

    def __str__(self) -> str:
        return f"permissions at {self.scope}"


@dataclass(frozen=True, slots=True)
class AskLocks:
    """Which management locks are in a subscription, at any scope."""

    subscription: str

    def __str__(self) -> str:
        return f"management locks in subscription {self.subscription}"


@dataclass(frozen=True, slots=True)
class AskProvider:
    """Whether a resource provider is registered in a subscription."""

    subscription: str
    namespace: str

    def __str__(self) -> str:
        return f"registration of {self.namespace} in subscription {self.subscription}"


@dataclass(frozen=True, slots=True)
class AskUsages:
    """How much of its network quotas a subscription uses in a region."""

    subscription: str
    region: str

    def __str__(self) -> str:
        return f"network usages of subscription {self.subscription} in {self.region}"


@dataclass(frozen=True, slots=True)
class AskPolicies:
    """Whether a policy would deny this new resource."""

    scope: ArmId
    """The group it is created in; the subscription while that group does not exist."""
    resource: ArmId
    content: str
    """The body that would be sent, as canonical JSON: without secrets, and without values that nobody knows yet."""
    left_out: tuple[str, ...] = ()
    """Paths of those values."""

    def __str__(self) -> str:
        return f"policies for {self.resource.type} at {self.scope}"


@dataclass(frozen=True, slots=True)
class AskZones:
    """Which regions a subscription has, each with its availability zones."""

    subscription: str

    def __str__(self) -> str:
        return f"availability zones and regions of subscription {self.subscription}"


Question = AskPermissions | AskLocks | AskProvider | AskUsages | AskPolicies | AskZones

# --- replies ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unread:
    """Azure may not be asked this, or does not answer; it is told and never leads to a finding."""

    why: str


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """What one role assignment permits: `actions` less `not_actions`, with ``*`` for any run of characters."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """All that we may do at a scope; grants add up."""

    grants: tuple[RoleGrant, ...]


@dataclass(frozen=True, slots=True)
class ObservedLock:
    """``ReadOnly`` refuses every write and delete at its scope and below, ``CanNotDelete`` every delete."""

    id: ArmId
    scope: ArmId
    level: str


@dataclass(frozen=True, slots=True)
class SubscriptionLocks:
    """The management locks of a subscription."""

    items: tuple[ObservedLock, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """``registrationState`` of a provider: Registered, Registering, NotRegistered, Unregistered."""

    state: str


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one quota is used."""

    current: int
    limit: int


@dataclass(frozen=True, slots=True)
class Usages:
    """Quotas of one region by Azure's name for them, in lower case."""

    by_name: Mapping[str, Usage]


@dataclass(frozen=True, slots=True)
class Denial:
    """A policy that would deny a resource, and what it looked at."""

    assignment: str
    because: str = ""
    looked_at: tuple[str, ...] = ()
    """Fields that the policy compared."""


@dataclass(frozen=True, slots=True)
class Denials:
    """The policies that would deny a resource; none if it would be accepted."""

    items: tuple[Denial, ...]


@dataclass(frozen=True, slots=True)
class Zones:
    """Logical zones that a subscription can use, by region; a region that is not there cannot be used."""

    by_region: Mapping[str, tuple[str, ...]]


Reply = Permissions | SubscriptionLocks | Registration | Usages | Denials | Zones | Unread
Replies = Mapping[Question, Reply]
