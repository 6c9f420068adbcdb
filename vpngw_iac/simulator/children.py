"""Child resources that are written inside their parent's body: subnets, peerings, NAT rules, authorizations.

A PUT of the parent is a full replacement of its children too: what the body leaves out goes (R-SUBNET-19).
"""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.document import UPDATING, Document
from vpngw_iac.simulator.kind import Change, kinds
from vpngw_iac.simulator.refusal import Refusal
from vpngw_iac.simulator.wire import Json
from vpngw_iac.simulator.world import World


def check_children(change: Change, member: str, arm_type: str) -> None:
    """Refuse a body whose children would be refused, or that leaves out a child in use."""
    kind = kinds()[arm_type.lower()]
    named = set()
    for inner in _changes(change, change.id, member, arm_type):
        kind.accept(inner)
        named.add(inner.id.key)
    for child in change.world.children(change.id, arm_type):
        if child.key not in named:
            kind.refuse_delete(change.world, child)


def reconcile(change: Change, parent: Document, member: str, arm_type: str) -> None:
    """Make the children equal to what the body lists."""
    world, kind = change.world, kinds()[arm_type.lower()]
    wanted = list(_changes(change, parent.arm_id, member, arm_type))
    keys = {inner.id.key for inner in wanted}
    for child in world.children(parent.id, arm_type):
        if child.key not in keys:
            world.store.remove(child, world.now)
            kind.removed(world, child)
    for inner in wanted:
        child = inner.before or Document(str(inner.id), arm_type, {}, guid=world.guid(), created=world.now)
        child.body = {"properties": kind.accept(inner)}
        child.state, child.etag = UPDATING, parent.etag
        world.save(child)


def shown_children(world: World, parent: Document, arm_type: str, reader: str) -> list[Json]:
    """The children as they stand in their parent's answer."""
    kind = kinds()[arm_type.lower()]
    return [
        kind.show(world, child, "list" if reader == "list" else "get") for child in world.children(parent.id, arm_type)
    ]


def _changes(change: Change, parent: ArmId, member: str, arm_type: str) -> Iterator[Change]:
    for item in change.sent.get(member) or []:
        name = str(item.get("name") or "")
        if not name:
            raise Refusal(
                400,
                "InvalidRequestFormat",
                f"Cannot parse the request: an item of {member} of {parent} has no name.",
            )
        identifier = parent.child(arm_type.rsplit("/", 1)[-1], name)
        yield Change(change.world, identifier, item, change.world.find(identifier), embedded=True)
