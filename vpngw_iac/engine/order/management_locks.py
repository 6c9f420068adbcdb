"""What of ours stands in the way of a plan is lifted for it, and put back: management locks. Pure.

A lock of ours protects from others and from accidents, not from a plan that somebody has read. It is taken away before
the first operation that it would refuse, and made again after the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.operation import Key, Operation
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import Draft
from vpngw_iac.resources import model_of
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.model import Entry
from vpngw_iac.text import listed

_VERBS: Mapping[Action, tuple[str, ...]] = {
    Action.CREATE: ("put",),
    Action.UPDATE: ("put",),
    Action.REPAIR: ("put",),
    Action.TAG: ("tag",),
    Action.REPLACE: ("delete", "put"),
    Action.DELETE: ("delete",),
}


def lifted(draft: Draft) -> Draft:
    """The changes, and a replacement of each declared lock that would refuse one of them."""
    graph, snapshot, changes, draft = draft.inputs.graph, draft.inputs.snapshot, draft.changes, draft.copy()
    for address, resource in graph.resources.items():
        observed, known = snapshot.get(resource.id).document, changes.get(address)
        decided = known is not None and known.action is not Action.UPDATE
        if observed is None or decided or not resource.can_block:
            continue
        others = [change for change in changes.values() if change.id != resource.id]
        refused = sorted(
            c.address
            for c in others
            if any(resource.blocks(resource.id, observed, c.id, verb) for verb in _VERBS.get(c.action, ()))
        )
        if refused:
            change = known or Change(address, resource.id, Action.UPDATE)
            reason = f"lifted for the change of {listed(refused)}"
            draft.changes[address] = replace(change, action=Action.REPLACE, reason=reason)
    return draft


def around(graph: Graph, entries: Mapping[ArmId, Entry], nodes: Iterable[Operation]) -> Iterator[tuple[Key, Key]]:
    """Pairs of operations, the earlier one first: a lock goes before what it refuses, and comes after it."""
    operations = tuple(nodes)
    for operation in (each for each in operations if model_of(each.id).can_block):  # few types do
        if operation.verb == "delete" and operation.id in entries:
            applied = entries[operation.id].applied
            yield from ((operation.key, other) for other in _refused(operation, applied, operations))
        elif operation.verb == "put" and operation.address in graph.resources:
            declared = graph.resources[operation.address].body()
            yield from ((other, operation.key) for other in _refused(operation, declared, operations))


def _refused(lock: Operation, document: Mapping[str, Any], operations: Iterable[Operation]) -> Iterator[Key]:
    blocks = model_of(lock.id).blocks
    return (o.key for o in operations if o.id != lock.id and blocks(lock.id, document, o.id, o.verb))
