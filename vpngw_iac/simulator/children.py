"""Children that are written inside their parent's body: subnets in a network, NAT rules in a gateway."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.document import UPDATING, Document
from vpngw_iac.simulator.kind import Kind, PutRequest, kinds
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.wire import Json


def accept(change: PutRequest, kind: Kind) -> Json:
    """The properties to store, without the children; refuses what would refuse them, or lose one in use."""
    properties = kind.accept(change)
    for member, arm_type in _meant(change, kind):
        child_kind, named = kinds()[arm_type.lower()], set()
        for inner in _changes(change, change.id, member, arm_type):
            child_kind.accept(inner)
            named.add(inner.id.key)
        for child in change.cloud.children(change.id, arm_type):
            if child.key not in named:
                child_kind.refuse_delete(change.cloud, child)
    return {name: value for name, value in properties.items() if name not in kind.members}


def _meant(change: PutRequest, kind: Kind) -> Iterator[tuple[str, str]]:
    """The members that a PUT is about: an omitted one too, unless this type leaves it alone then."""
    yield from (each for each in kind.members.items() if each[0] in change.sent or each[0] not in kind.left_alone)


def reconcile(change: PutRequest, parent: Document, kind: Kind) -> None:
    """Make the children equal to what the body lists."""
    cloud = change.cloud
    for member, arm_type in _meant(change, kind):
        child_kind = kinds()[arm_type.lower()]
        wanted = list(_changes(change, parent.arm_id, member, arm_type))
        keys = {inner.id.key for inner in wanted}
        for child in cloud.children(parent.id, arm_type):
            if child.key not in keys:
                cloud.store.remove(child, cloud.now)
                child_kind.removed(cloud, child)
        for inner in wanted:
            child = inner.before or Document(str(inner.id), arm_type, {}, guid=cloud.guid(), created=cloud.now)
            child.body = {"properties": child_kind.accept(inner)}
            child.state, child.etag, child.found = UPDATING, parent.etag, {}
            cloud.save(child)


def _changes(change: PutRequest, parent: ArmId, member: str, arm_type: str) -> Iterator[PutRequest]:
    for item in change.sent.get(member) or []:
        name = str(item.get("name") or "")
        if not name:
            raise refuse(
                "InvalidRequestFormat", f"Cannot parse the request: an item of {member} of {parent} has no name."
            )
        identifier = parent.child(arm_type.rsplit("/", 1)[-1], name)
        yield PutRequest(change.cloud, identifier, item, change.cloud.find(identifier), embedded=True)
