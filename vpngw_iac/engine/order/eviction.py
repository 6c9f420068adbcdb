"""Who must let go before an update takes away what it uses, and of what. Pure.

Azure refuses to take an instance, a custom BGP address or NAT from a gateway while a connection or a NAT rule uses it
(R-BGP-09, R-NAT-11, R-NAT-01), and to delete a rule while a connection is linked to it (R-NAT-16).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Use
from vpngw_iac.state.model import Entry, State

_UPDATES = (Action.UPDATE, Action.REPAIR)
_REMOVALS = (Action.DELETE, Action.REPLACE)
_NEW = (Action.CREATE, Action.REPLACE)


def evicted(graph: Graph, state: State, changes: Mapping[str, Change]) -> Iterator[tuple[str, str]]:
    """Address of each survivor that must let go, with the address of the update that waits for it.

    That is who uses what goes, and who needs something that is deleted because it uses what goes.
    """
    removed = {ArmId(text) for change in changes.values() if change.action in _REMOVALS for text in _ids(change)}
    for address, change in sorted(changes.items()):
        entry, resource = state.by_id().get(change.id), graph.resources.get(address)
        if change.action not in _UPDATES or entry is None or resource is None:
            continue
        going = resource.offers(change.id, entry.applied) - resource.offers(change.id, resource.body())
        users = [user for user in state.entries.values() if going and _uses_any(user, going)]
        gone = {user.id for user in users} & removed
        holders = [holder for holder in state.entries.values() if gone & set(holder.needs)]
        for user in sorted({u.id for u in (*users, *holders)} - removed):
            if user in graph.by_id:
                yield graph.by_id[user].address, address


def _ids(change: Change) -> Iterator[str]:
    yield str(change.id)
    if change.previous is not None and change.previous.startswith("/"):
        yield change.previous


def _uses_any(user: Entry, going: Collection[Use]) -> bool:
    model = type_of(user.id.type)
    uses = model.uses(user.id, user.applied) if model else None
    return any(use.is_within(part) for use in uses or () for part in going)


def cuts(graph: Graph, changes: Mapping[str, Change], address: str) -> set[str]:
    """Paths that are left out while a survivor lets go: what it uses, and references to what is still to come."""
    coming = {change.id for change in changes.values() if change.action in _NEW}
    edges = graph.edges.get(address, ())
    return {*graph.resources[address].letting_go(), *(e.path for e in edges if e.detachable and e.target in coming)}


def made_before(graph: Graph, changes: Mapping[str, Change], address: str, target: str) -> Iterator[str]:
    """Addresses of what a survivor cannot do without and that this plan makes: it lets go after that."""
    for edge in graph.edges.get(address, ()):
        needed = graph.by_id.get(edge.target)
        change = changes.get(needed.address) if needed else None
        is_new = change is not None and change.action is Action.CREATE
        if needed is not None and is_new and needed.address != target and not edge.detachable:
            yield needed.address
