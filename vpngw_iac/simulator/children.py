"""Children that are written inside their parent's body: subnets in a network, NAT rules in a gateway."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.document import UPDATING, Document
from vpngw_iac.simulator.kind import Change, Kind, kinds
from vpngw_iac.simulator.refusal import Refusal
from vpngw_iac.simulator.wire import Json


def accept(change: Change, kind: Kind) -> Json:
    """The properties to store, without the children; refuses what would refuse them, or lose one in use."""
    properties = kind.accept(change)
    for member, arm_type in kind.members.items():
        named = set()
        for inner in _changes(change, change.id, member, arm_type):
            kinds()[arm_type.lower()].accept(inner)
            named.add(inner.id.key)
        for child in change.world.children(change.id, arm_type):
            if child.key not in named:
                kinds()[arm_type.lower()].refuse_delete(change.world, child)
        properties.pop(member, None)
    return properties


def reconcile(change: Change, parent: Document, kind: Kind) -> None:
    """Make the children equal to what the body lists."""
    world = change.world
    for member, arm_type in kind.members.items():
        wanted = list(_changes(change, parent.arm_id, member, arm_type))
        keys = {inner.id.key for inner in wanted}
        for child in world.children(parent.id, arm_type):
            if child.key not in keys:
                world.store.remove(child, world.now)
                kinds()[arm_type.lower()].removed(world, child)
        for inner in wanted:
            child = inner.before or Document(str(inner.id), arm_type, {}, guid=world.guid(), created=world.now)
            child.body = {"properties": kinds()[arm_type.lower()].accept(inner)}
            child.state, child.etag, child.found = UPDATING, parent.etag, {}
            world.save(child)


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
