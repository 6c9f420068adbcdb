"""What the people who own a subscription decided: who may do what, policies, quotas, providers, zones. As data.

It can stand in a YAML or JSON file (``vpngw simulator serve --governance FILE``). Nothing decided means that everything
is allowed. Management locks are no part of it: they are resources, and refuse by themselves.
"""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vpngw_iac.simulator.body import read_file
from vpngw_iac.simulator.wire import Json


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Grant(_Part):
    """A role assignment of the caller: what may be done at a scope and below."""

    scope: str = "/"
    actions: tuple[str, ...] = ("*",)
    not_actions: tuple[str, ...] = ()

    def reaches(self, scope: str) -> bool:
        """Whether it counts at this scope."""
        return is_below(scope, self.scope)

    def permits(self, action: str) -> bool:
        """Whether the action is given and not taken away again."""
        given = any(_matches(pattern, action) for pattern in self.actions)
        return given and not any(_matches(pattern, action) for pattern in self.not_actions)


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
    """What the caller may do; none stands for everything, an empty list for nothing."""
    policies: tuple[Policy, ...] = ()
    quotas: Mapping[str, int] = Field(default_factory=dict)
    """Limits by Azure's name of the usage (``PublicIPAddresses``), for every region."""
    unregistered: frozenset[str] = frozenset()
    """Namespaces of providers that nobody has registered yet."""
    tenants: Mapping[str, str] = Field(default_factory=dict)
    """Tenant of a subscription that belongs to another one than the caller's: it answers the caller nothing but 401."""
    zones: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Logical zones of a region, where they are not 1, 2 and 3."""

    def permits(self, scope: str, action: str) -> bool:
        """Whether the caller may do it there."""
        return self.grants is None or any(g.reaches(scope) and g.permits(action) for g in self.grants)

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
