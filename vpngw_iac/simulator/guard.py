"""Stands before every request: rights, locks, registered providers, policies and quotas, as Azure checks them first.

Evidence: learn.microsoft.com "Troubleshoot common Azure deployment errors" (AuthorizationFailed,
LinkedAuthorizationFailed, MissingSubscriptionRegistration, RequestDisallowedByPolicy), "Lock your resources"
(409 ScopeLocked; its text in azurerm issue 17478), ``errors_bundle_open`` (MissingSubscriptionRegistration),
tectonic-installer issue 1454 (400 StaticPublicIPCountLimitReached).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vpngw_iac.simulator import usage
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.governance import is_below
from vpngw_iac.simulator.refusal import front_door
from vpngw_iac.simulator.wire import Request
from vpngw_iac.simulator.world import World, as_id

LOCKS = "microsoft.authorization/locks"
GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"

_JOINED = {
    "microsoft.network/virtualnetworks/subnets": "subnets/join/action",
    "microsoft.network/publicipaddresses": "publicIPAddresses/join/action",
    "microsoft.network/expressroutecircuits": "expressRouteCircuits/join/action",
    "microsoft.network/networksecuritygroups": "networkSecurityGroups/join/action",
    "microsoft.network/routetables": "routeTables/join/action",
    "microsoft.network/virtualnetworks": "peer/action",
}
"""Types that a body may only refer to with a right at the target ("Azure permissions for Networking")."""

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
_QUESTIONS = frozenset({"microsoft.policyinsights/checkpolicyrestrictions"})
"""Asked by POST, changing nothing: their right is called ``read``, and locks leave them alone."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a request wants to do."""

    scope: str
    """Id of the resource, the group or the subscription."""
    arm_type: str
    verb: str
    call: str = ""
    """Name of a POST below a resource."""

    @property
    def action(self) -> str:
        """The action that a role must contain."""
        middle = f"/{self.call}" if self.call else ""
        return f"{self.arm_type}{middle}/{self.verb}"


def deed_of(request: Request) -> Deed | None:
    """The deed of a request; none for what is below no subscription."""
    parts = request.path.strip("/").split("/")
    verb = _VERBS.get(request.method, "read")
    if len(parts) < 2 or parts[0].lower() != "subscriptions":
        return None
    head, marker, tail = request.path.rstrip("/").rpartition("/providers/")
    grouped = len(parts) >= 4 and parts[2].lower() == "resourcegroups"
    if not marker or len(tail.split("/")) < 2:
        own = GROUPS if grouped else "Microsoft.Resources/subscriptions"
        return Deed("/" + "/".join(parts[: 4 if grouped else 2]), own, verb if len(parts) <= 4 else "read")
    namespace, *rest = tail.split("/")
    arm_type = "/".join([namespace, *rest[::2]])
    if arm_type.lower() in _QUESTIONS:
        return Deed(head, arm_type, "read")
    if len(rest) % 2 == 0:
        return Deed(request.path.rstrip("/"), arm_type, verb)
    call = rest[-1]
    owner = "/".join([namespace, *rest[:-1:2]])
    if request.method == "GET" or len(rest) == 1:
        return Deed(head, arm_type, verb)
    return Deed(request.path.rstrip("/").rpartition("/")[0], owner, "write" if verb == "write" else "action", call)


def check(world: World, request: Request) -> None:
    """Raise the `Refusal` that Azure would answer before it looks at the request itself."""
    deed = deed_of(request)
    if deed is None:
        return
    _permission(world, deed)
    if deed.verb == "read":
        return
    _registration(world, deed)
    if request.method == "PUT" and not deed.call:
        body = read_body(request)
        _links(world, deed, body)
        _policies(world, deed, body)
        usage.check(world, deed.scope, deed.arm_type, body)
    _locks(world, deed)


def _permission(world: World, deed: Deed) -> None:
    if not world.governance.permits(deed.scope, deed.action):
        raise front_door(
            403,
            "AuthorizationFailed",
            "The client 'simulated' with object id '00000000-0000-0000-0000-0000000000bb' does not have authorization "
            f"to perform action '{deed.action}' over scope '{deed.scope}' or the scope is invalid. If access was "
            "recently granted, please refresh your credentials.",
        )


def _links(world: World, deed: Deed, body: Mapping[str, Any]) -> None:
    if world.governance.grants is None:
        return
    for target in _references(body):
        linked = as_id(target)
        if linked is None or linked.type.lower() not in _JOINED:
            continue
        parent = "virtualNetworks/" if "/virtualnetworks" in linked.type.lower() else ""
        action = f"Microsoft.Network/{parent}{_JOINED[linked.type.lower()]}"
        if not world.governance.permits(str(linked), action):
            raise front_door(
                403,
                "LinkedAuthorizationFailed",
                f"The client has permission to perform action '{deed.action}' on scope '{deed.scope}'; however, it "
                f"does not have permission to perform action(s) '{action}' on the linked scope(s) '{linked}' "
                "(respectively) or the linked scope(s) are invalid.",
            )


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("id"), str):
            yield value["id"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _registration(world: World, deed: Deed) -> None:
    namespace = deed.arm_type.split("/")[0]
    if deed.verb == "write" and not world.is_registered(namespace):
        raise front_door(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions.",
        )


def _policies(world: World, deed: Deed, body: dict[str, Any]) -> None:
    """A policy reads the last part of a resource's name as its name, whatever the body says."""
    name = deed.scope.rsplit("/", 1)[-1]
    for policy in world.governance.denying(deed.scope, deed.arm_type, body | {"name": name}):
        raise front_door(
            403,
            "RequestDisallowedByPolicy",
            f"Resource '{name}' was disallowed by policy. Policy identifiers: "
            f'\'[{{"policyAssignment":{{"name":"{policy.name}","id":"{policy.assignment}"}}}}]\'.',
        )


def _locks(world: World, deed: Deed) -> None:
    """A lock refuses what is below it, and the delete of its group (azure-cli ``test_cannotdelete_resource_lock``).

    Locks themselves can be made and taken away.
    """
    if deed.arm_type.lower() == LOCKS or deed.arm_type == "Microsoft.Resources/subscriptions":
        return
    takes_all = deed.verb == "delete" and deed.scope.rstrip("/").count("/") == 4  # a group, with what is in it
    locked = {lock.id: lock.id.rpartition("/providers/")[0] for lock in world.of_type(LOCKS)}
    found = [
        locked[lock.id]
        for lock in world.of_type(LOCKS)
        if (is_below(deed.scope, locked[lock.id]) or (takes_all and is_below(locked[lock.id], deed.scope)))
        and (deed.verb == "delete" or lock.properties.get("level") == "ReadOnly")
    ]
    if found:
        word = "delete" if deed.verb == "delete" else "write"
        raise front_door(
            409,
            "ScopeLocked",
            f"The scope '{deed.scope}' cannot perform {word} operation because following scope(s) are locked: "
            f"'{','.join(found)}'. Please remove the lock and try again.",
        )
