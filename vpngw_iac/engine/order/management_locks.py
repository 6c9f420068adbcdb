"""What of ours stands in the way of a plan is lifted for it, and put back: management locks. Pure.

A lock of ours protects from others and from accidents, not from a plan that somebody has read. It is taken away before
the first operation that it would refuse, and made again after the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.order.operation import Key, Operation
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.inputs import Draft
from vpngw_iac.resources import type_of
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
        if observed is None or decided or not _may_block(resource.id):
            continue
        refused = sorted(c.address for c in changes.values() if _is_refused(resource.id, observed, c))
        if refused:
            change = known or Change(address, resource.id, Action.UPDATE)
            reason = f"lifted for the change of {listed(refused)}"
            draft.changes[address] = replace(change, action=Action.REPLACE, reason=reason)
    return draft


def _is_refused(lock: ArmId, document: Mapping[str, Any], change: Change) -> bool:
    return change.id != lock and any(_blocks(lock, document, change.id, v) for v in _VERBS.get(change.action, ()))


def _may_block(lock: ArmId) -> bool:
    """Asked first: few types do, and there may be thousands of operations."""
    model = type_of(lock.type)
    return model is not None and model.can_block


def _blocks(lock: ArmId, document: Mapping[str, Any], target: ArmId, verb: str) -> bool:
    model = type_of(lock.type)
    return model is not None and model.blocks(lock, document, target, verb)


def around(graph: Graph, entries: Mapping[ArmId, Entry], nodes: Iterable[Operation]) -> Iterator[tuple[Key, Key]]:
    """Pairs of operations, the earlier one first: a lock goes before what it refuses, and comes after it."""
    operations = tuple(nodes)
    for operation in (each for each in operations if _may_block(each.id)):
        if operation.verb == "delete" and operation.id in entries:
            applied = entries[operation.id].applied
            yield from ((operation.key, other) for other in _refused(operation, applied, operations))
        elif operation.verb == "put" and operation.address in graph.resources:
            declared = graph.resources[operation.address].body()
            yield from ((other, operation.key) for other in _refused(operation, declared, operations))


def _refused(lock: Operation, document: Mapping[str, Any], operations: Iterable[Operation]) -> Iterator[Key]:
    return (o.key for o in operations if o.id != lock.id and _blocks(lock.id, document, o.id, o.verb))
