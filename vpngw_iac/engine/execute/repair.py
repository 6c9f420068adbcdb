"""A repair that turns out to be needed in the middle of a run goes first, in that run. Pure.

Azure refuses to write a gateway while a connection of it is Failed, and the other way round (R-OPS-03, R-OPS-04).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.operation import Key, Operation, Schedule
from vpngw_iac.engine.order.order import repair, waits_for
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.resources import model_of, role_of


def in_the_way(plan: Plan, target: ArmId) -> Iterator[ArmId]:
    """What may block a write: what is needed for it, managed or not, and the connections that hang on a gateway."""
    graph, entry = plan.graph, plan.state.by_id().get(target)
    declared = graph.by_id.get(target)
    yield from sorted({*(graph.needs(declared.address) if declared else ()), *(entry.needs if entry else ())})
    ours = {graph.resources[edge.holder].id for edge in graph.holders(target)}
    theirs = {item.id for item in plan.snapshot.attached if item.holder == target and item.id}
    yield from sorted(each for each in ours | theirs if role_of(target) in model_of(each).blocks_writes_of)


def repaired_first(
    schedule: Schedule, plan: Plan, blocked: Key, blocker: ArmId, *, ahead: Collection[Key]
) -> Schedule | None:
    """The schedule in which `blocked` comes after the repair of `blocker`; None if no repair of ours can come first.

    `ahead` are the operations that have not ended. An operation on the blocker that is among them is its repair,
    unless it waits for the blocked one; one that has ended has not helped.
    """
    known = [op.key for op in schedule.operations if op.id == blocker]
    after = {op.key: op.after for op in schedule.operations}
    coming = [key for key in known if key in ahead and not waits_for(after, key, blocked)]
    if known:
        return _after(schedule, blocked, coming) if coming else None
    resource, entry = plan.graph.by_id.get(blocker), plan.state.by_id().get(blocker)
    if resource is None or entry is None or resource.only_if_absent:
        return None
    operation = repair(plan.graph, plan.state, resource.address)
    seconds = operation.seconds + schedule.remaining[blocked]
    grown = replace(
        schedule,
        operations=(*schedule.operations, operation),
        remaining=schedule.remaining | {operation.key: seconds},
    )
    return _after(grown, blocked, (operation.key,))


def _after(schedule: Schedule, later: Key, earlier: Iterable[Key]) -> Schedule:
    def placed(operation: Operation) -> Operation:
        return replace(operation, after=operation.after.union(earlier)) if operation.key == later else operation

    return replace(schedule, operations=tuple(placed(operation) for operation in schedule.operations))
