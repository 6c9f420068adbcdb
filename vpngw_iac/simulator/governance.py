"""What the people who own a subscription decided: who may do what, policies, quotas, providers, zones. As data.

It can stand in a YAML or JSON file (``vpngw simulator serve --governance FILE``). Nothing decided means that everything
is allowed. Management locks are no part of it: they are resources, and refuse by themselves.
"""

import fnmatch
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vpngw_iac.simulator.body import read_file
from vpngw_iac.simulator.wire import Json

_OBJECTS = uuid.UUID("0d6c5e0e-5f0e-4b0f-9a38-0c7f4c1f5b52")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Grant(_Part):
    """A role assignment: what may be done at a scope and below.

    ``actions`` are those of the control plane. ``data_actions`` are asked by services that keep data, such as blobs;
    nobody has them by ``actions``, not even by ``*``
    (https://learn.microsoft.com/azure/role-based-access-control/role-definitions#control-and-data-actions).
    """

    scope: str = "/"
    actions: tuple[str, ...] = ("*",)
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def reaches(self, scope: str) -> bool:
        """Whether it counts at this scope."""
        return is_below(scope, self.scope)

    def permits(self, action: str) -> bool:
        """Whether the action is given and not taken away again."""
        return _gives(self.actions, self.not_actions, action)

    def permits_data(self, action: str) -> bool:
        """The same of an action on data."""
        return _gives(self.data_actions, self.not_data_actions, action)


class FederatedCredential(_Part):
    """Whose assertions an application takes for its own: all three must be equal, in their casing too."""

    subject: str
    issuer: str = "https://token.actions.githubusercontent.com"
    audience: str = "api://AzureADTokenExchange"


class Principal(_Part):
    """An application that signs in under its own name, with role assignments of its own."""

    client: str
    credentials: tuple[FederatedCredential, ...] = ()
    grants: tuple[Grant, ...] = ()

    @property
    def object_id(self) -> str:
        """Of its service principal: another GUID than the client's, as in Entra ID."""
        return str(uuid.uuid5(_OBJECTS, self.client.lower()))


class Condition(_Part):
    """One comparison of a policy: a path of the body (``sku.name``, ``tags.owner``, ``properties.ipsecPolicies``)."""

    path: str
    operator: Literal["equals", "notEquals", "in", "notIn", "exists"]
    value: Any = None

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether the body is as the condition says."""
        found = value_at(body, self.path)
        match self.operator:
            case "exists":
                return (found not in (None, [], {})) is bool(self.value)
            case "equals" | "notEquals":
                return (_plain(found) == _plain(self.value)) is (self.operator == "equals")
            case _:
                inside = _plain(found) in [_plain(each) for each in self.value or ()]
                return inside is (self.operator == "in")


class Policy(_Part):
    """An assigned policy: denies resources of these types for which all conditions hold."""

    name: str
    scope: str = "/"
    types: tuple[str, ...] = ("*",)
    when: tuple[Condition, ...] = ()
    effect: Literal["deny", "audit"] = "deny"

    @property
    def assignment(self) -> str:
        """Id of the assignment."""
        scope = "" if self.scope == "/" else self.scope
        return f"{scope}/providers/Microsoft.Authorization/policyAssignments/{self.name}"

    def hits(self, scope: str, arm_type: str, body: Mapping[str, Any]) -> bool:
        """Whether it would act on a resource with this body at this scope."""
        named = any(fnmatch.fnmatchcase(arm_type.lower(), pattern.lower()) for pattern in self.types)
        return named and is_below(scope, self.scope) and all(condition.holds(body) for condition in self.when)


class Governance(_Part):
    """Everything that was decided."""

    grants: tuple[Grant, ...] | None = None
    """What a caller may do who is none of the principals; none stands for everything, an empty list for nothing."""
    principals: tuple[Principal, ...] = ()
    policies: tuple[Policy, ...] = ()
    quotas: Mapping[str, int] = Field(default_factory=dict)
    """Limits by Azure's name of the usage (``PublicIPAddresses``), for every region."""
    unregistered: frozenset[str] = frozenset()
    """Namespaces of providers that nobody has registered yet."""
    tenants: Mapping[str, str] = Field(default_factory=dict)
    """Tenant of a subscription that belongs to another one than the caller's: it answers the caller nothing but 401."""
    zones: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Logical zones of a region, where they are not 1, 2 and 3."""

    def principal(self, client: str) -> Principal | None:
        """The application with this client id; none for any other caller."""
        return next((found for found in self.principals if found.client.lower() == client.lower()), None)

    def grants_of(self, client: str) -> tuple[Grant, ...] | None:
        """The role assignments of whoever calls; none stands for everything."""
        found = self.principal(client)
        return self.grants if found is None else found.grants

    def permits(self, scope: str, action: str, client: str = "") -> bool:
        """Whether who calls may do it there."""
        grants = self.grants_of(client)
        return grants is None or any(g.reaches(scope) and g.permits(action) for g in grants)

    def permits_data(self, scope: str, action: str, client: str = "") -> bool:
        """Whether who calls may do it with what is kept there."""
        grants = self.grants_of(client)
        return grants is None or any(g.reaches(scope) and g.permits_data(action) for g in grants)

    def denying(self, scope: str, arm_type: str, body: Json) -> Iterator[Policy]:
        """Policies that deny this resource."""
        yield from (p for p in self.policies if p.effect == "deny" and p.hits(scope, arm_type, body))


def read_governance(path: Path) -> Governance:
    """From a YAML or JSON file; raises `SimulatorError` that says what is wrong with it."""
    return read_file(path, "governance", lambda content: Governance.model_validate(content or {}))


def is_below(scope: str, above: str) -> bool:
    """Whether a scope is another one, or lies in it."""
    inner, outer = scope.lower().rstrip("/") + "/", above.lower().rstrip("/") + "/"
    return inner.startswith(outer)


def _gives(given: tuple[str, ...], taken: tuple[str, ...], action: str) -> bool:
    return any(_matches(each, action) for each in given) and not any(_matches(each, action) for each in taken)


def _matches(pattern: str, action: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE) is not None


def value_at(body: Any, path: str) -> Any:
    """The value at a path of a body, its names in any casing; none when there is none."""
    for name in path.split("."):
        if not isinstance(body, Mapping):
            return None
        body = next((value for key, value in body.items() if str(key).lower() == name.lower()), None)
    return body


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
