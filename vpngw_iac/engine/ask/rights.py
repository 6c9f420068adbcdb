"""Which rights a plan needs, where, and whether what Azure says we may do contains them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask.questions import AskPermissions, Permissions, Replies, RoleGrant
from vpngw_iac.engine.order.operation import Operation
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import walk
from vpngw_iac.resources import model_of
from vpngw_iac.resources.rights import delete_action, join_action, write_action

LOOKS = 20
"""Resources asked one by one after their groups said no: rights given at single resources are few."""


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One right that an operation needs: any of these actions, at a resource."""

    at: ArmId
    actions: tuple[str, ...]
    address: str
    scope: ArmId
    """Where to ask first: the resource group; the subscription while the group does not exist."""
    nearest: ArmId | None = None
    """Where a right could have been given more narrowly: the resource or its parent, if they exist."""


def needs(plan: Plan, operations: Iterable[Operation]) -> tuple[Need, ...]:
    """Every right of these operations, sorted, without repetition."""
    edited = {change.address: [d.path for d in change.differences] for change in plan.changes}
    found = {need for operation in operations for need in _of(plan, operation, edited.get(operation.address, ()))}
    return tuple(sorted(found))


def _of(plan: Plan, operation: Operation, edited: Collection[str]) -> Iterator[Need]:
    target = operation.id
    if operation.verb == "delete":
        yield _need(plan, target, (delete_action(target.type),), operation.address)
    elif operation.verb == "act":
        if (own := model_of(target).key_call) is not None:
            yield _need(plan, target, own.rights, operation.address)
    else:
        yield _need(plan, target, (write_action(target.type),), operation.address)
    if operation.verb == "put":
        for joined in _joined(plan, operation, edited):
            yield _need(plan, joined, (join_action(joined.type),), operation.address)


def _need(plan: Plan, at: ArmId, actions: tuple[str, ...], address: str) -> Need:
    group = at.resource_group if at.group is not None else None
    if group is None or not exists(plan, group):
        return Need(at, actions, address, subscription_of(at))
    return Need(at, actions, address, group, _nearest(plan, at))


def _nearest(plan: Plan, at: ArmId) -> ArmId | None:
    candidates = (at, at.parent) if at.names else ()
    return next((each for each in candidates if each is not None and each.names and exists(plan, each)), None)


def exists(plan: Plan, resource_id: ArmId) -> bool:
    """Whether Azure has it; what this plan does not know is somebody else's, and there."""
    known = resource_id in plan.snapshot.observed
    return plan.snapshot.get(resource_id).present if known else resource_id not in plan.graph.by_id


def subscription_of(resource_id: ArmId) -> ArmId:
    """The subscription as a scope."""
    return ArmId(f"/subscriptions/{resource_id.subscription}")


def _joined(plan: Plan, operation: Operation, edited: Collection[str]) -> Iterator[ArmId]:
    """What a new resource refers to and must join, or what an update refers to anew."""
    resource = plan.graph.resources.get(operation.address)
    if resource is None:
        return
    free = {ref.target for _, ref, _ in resource.references()} - set(resource.joins())
    for path, target in references_in(resource.body()):
        anew = operation.kind == "create" or operation.key.step == "attach" or any(_touches(e, path) for e in edited)
        if anew and target not in free and join_action(target.type):
            yield target


def _touches(edited: str, path: str) -> bool:
    """Whether an edited path is this one, or contains it, or lies in it (positions of lists aside)."""
    left, right = (re.sub(r"\[[^]]*\]", "", text) for text in (edited, path))
    return (left + ".").startswith(right + ".") or (right + ".").startswith(left + ".")


def references_in(value: Any, path: str = "") -> Iterator[tuple[str, ArmId]]:
    """Every ``{"id": ...}`` of a body, with its path."""
    for at, item in walk(value, path):
        target = ArmId.of(item.get("id")) if isinstance(item, Mapping) else None
        if target is not None:
            yield at, target


# --- what we may do --------------------------------------------------------------------------------------------------


def is_permitted(permissions: Permissions, actions: Iterable[str]) -> bool:
    """Whether any grant contains any of the actions. A grant's ``notActions`` take away from that grant alone."""
    return any(_grants(grant, action) for grant in permissions.grants for action in actions)


def _grants(grant: RoleGrant, action: str) -> bool:
    given = any(_matches(pattern, action) for pattern in grant.actions)
    return given and not any(_matches(pattern, action) for pattern in grant.not_actions)


def _matches(pattern: str, action: str) -> bool:
    return _compiled(pattern).fullmatch(action) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.IGNORECASE)


def closer_looks(wanted: Iterable[Need], replies: Replies) -> tuple[AskPermissions, ...]:
    """Resources to ask one by one because their group does not permit it; one of each type and group comes first."""
    refused = [need.nearest for need in wanted if not _said_yes(need.scope, need, replies)]
    found = {resource_id for resource_id in refused if resource_id is not None}
    seen: dict[tuple[str, str], int] = {}
    ranked = []
    for resource_id in sorted(found):
        place = (resource_id.type.lower(), str(resource_id.group).lower())
        seen[place] = seen.get(place, 0) + 1
        ranked.append((seen[place], resource_id))
    return tuple(AskPermissions(resource_id) for _, resource_id in sorted(ranked)[:LOOKS])


def _said_yes(scope: ArmId, need: Need, replies: Replies) -> bool:
    reply = replies.get(AskPermissions(scope))
    return isinstance(reply, Permissions) and is_permitted(reply, need.actions)


def is_missing(need: Need, replies: Replies) -> bool:
    """Whether Azure says, at the narrowest scope there is, that we may not. What could not be asked is not missing."""
    if _said_yes(need.scope, need, replies):
        return False
    narrowest = need.nearest or need.scope
    reply = replies.get(AskPermissions(narrowest))
    return isinstance(reply, Permissions) and not is_permitted(reply, need.actions)
