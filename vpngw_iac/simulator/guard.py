"""Stands before every request: rights, locks, registered providers, policies and quotas, as Azure checks them first.

Evidence: learn.microsoft.com "Troubleshoot common Azure deployment errors" (AuthorizationFailed,
LinkedAuthorizationFailed, MissingSubscriptionRegistration, RequestDisallowedByPolicy), "Lock your resources"
(409 ScopeLocked; its text in azurerm issue 17478), ``errors_bundle_open`` (MissingSubscriptionRegistration),
tectonic-installer issue 1454 (400 StaticPublicIPCountLimitReached).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator import usage
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView, as_id
from vpngw_iac.simulator.governance import is_below
from vpngw_iac.simulator.identity import CLIENT
from vpngw_iac.simulator.refusal import front_door
from vpngw_iac.simulator.scope import scope_in
from vpngw_iac.simulator.wire import HttpRequest

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
class RequestedAction:
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


def requested_action(request: HttpRequest) -> RequestedAction | None:
    """The deed of a request; none for what is below no subscription."""
    parts = request.path.strip("/").split("/")
    verb = _VERBS.get(request.method, "read")
    if len(parts) < 2 or parts[0].lower() != "subscriptions":
        return None
    head, marker, tail = request.path.rstrip("/").rpartition("/providers/")
    grouped = len(parts) >= 4 and parts[2].lower() == "resourcegroups"
    if not marker or len(tail.split("/")) < 2:
        own = GROUPS if grouped else "Microsoft.Resources/subscriptions"
        return RequestedAction("/" + "/".join(parts[: 4 if grouped else 2]), own, verb if len(parts) <= 4 else "read")
    namespace, *rest = tail.split("/")
    arm_type = "/".join([namespace, *rest[::2]])
    if arm_type.lower() in _QUESTIONS:
        return RequestedAction(head, arm_type, "read")
    if len(rest) % 2 == 0:
        return RequestedAction(request.path.rstrip("/"), arm_type, verb)
    call = rest[-1]
    owner = "/".join([namespace, *rest[:-1:2]])
    if request.method == "GET" or len(rest) == 1:
        return RequestedAction(head, arm_type, verb)
    return RequestedAction(
        request.path.rstrip("/").rpartition("/")[0], owner, "write" if verb == "write" else "action", call
    )


def check(cloud: CloudView, request: HttpRequest) -> None:
    """Raise the `Refusal` that Azure would answer before it looks at the request itself."""
    requested = requested_action(request)
    if requested is None:
        return
    _permission(cloud, requested)
    if requested.verb == "read":
        return
    _registration(cloud, requested)
    if request.method == "PUT" and not requested.call:
        body = read_body(request)
        _links(cloud, requested, body)
        _policies(cloud, requested, body)
        usage.check(cloud, requested.scope, requested.arm_type, body)
    _locks(cloud, requested)


def _permission(cloud: CloudView, requested: RequestedAction) -> None:
    if not cloud.permits(requested.scope, requested.action):
        raise front_door(
            403,
            "AuthorizationFailed",
            f"The client '{cloud.caller or 'simulated'}' with object id '{_object_id(cloud)}' does not have "
            f"authorization to perform action '{requested.action}' over scope '{requested.scope}' or the scope is "
            "invalid. If access was recently granted, please refresh your credentials.",
        )


def _object_id(cloud: CloudView) -> str:
    found = cloud.governance.principal(cloud.caller)
    return CLIENT if found is None else found.object_id


def _links(cloud: CloudView, requested: RequestedAction, body: Mapping[str, Any]) -> None:
    if cloud.grants is None:
        return
    for target in _references(body):
        linked = as_id(target)
        if linked is None or linked.type.lower() not in _JOINED:
            continue
        parent = "virtualNetworks/" if "/virtualnetworks" in linked.type.lower() else ""
        action = f"Microsoft.Network/{parent}{_JOINED[linked.type.lower()]}"
        if not cloud.permits(str(linked), action):
            raise front_door(
                403,
                "LinkedAuthorizationFailed",
                f"The client has permission to perform action '{requested.action}' on scope '{requested.scope}'; "
                f"however, it does not have permission to perform action(s) '{action}' on the linked scope(s) "
                f"'{linked}' (respectively) or the linked scope(s) are invalid.",
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


def _registration(cloud: CloudView, requested: RequestedAction) -> None:
    namespace = requested.arm_type.split("/")[0]
    if requested.verb == "write" and not cloud.is_registered(namespace):
        raise front_door(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions.",
        )


def _policies(cloud: CloudView, requested: RequestedAction, body: dict[str, Any]) -> None:
    """A policy reads the last part of a resource's name as its name, whatever the body says."""
    name = requested.scope.rsplit("/", 1)[-1]
    for policy in cloud.governance.denying(requested.scope, requested.arm_type, body | {"name": name}):
        raise front_door(
            403,
            "RequestDisallowedByPolicy",
            f"Resource '{name}' was disallowed by policy. Policy identifiers: "
            f'\'[{{"policyAssignment":{{"name":"{policy.name}","id":"{policy.assignment}"}}}}]\'.',
        )


def _locks(cloud: CloudView, requested: RequestedAction) -> None:
    """A lock refuses what is below it, and the delete of its group (azure-cli ``test_cannotdelete_resource_lock``).

    Locks themselves can be made and taken away.
    """
    if requested.arm_type.lower() == LOCKS or requested.arm_type == "Microsoft.Resources/subscriptions":
        return
    deletes = requested.verb == "delete"
    takes_all = deletes and requested.scope.rstrip("/").count("/") == 4  # a group, with what is in it
    refusing = (lock for lock in cloud.of_type(LOCKS) if deletes or lock.properties.get("level") == "ReadOnly")
    found = [
        scope
        for scope in (scope_in(lock.id) for lock in refusing)
        if is_below(requested.scope, scope) or (takes_all and is_below(scope, requested.scope))
    ]
    if found:
        word = "delete" if deletes else "write"
        raise front_door(
            409,
            "ScopeLocked",
            f"The scope '{requested.scope}' cannot perform {word} operation because following scope(s) are locked: "
            f"'{','.join(found)}'. Please remove the lock and try again.",
        )
