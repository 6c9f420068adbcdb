"""Where replacements land: new ids that must be free before the first thing is taken away for them. Pure.

Somebody may create one between the plan and its apply. A put that finds it there fails; by then what it replaces, and
what hung on that, would be gone already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from vpngw_iac.engine.execute.event import OperationResult
from vpngw_iac.engine.order.operation import Key, Operation, Schedule
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.plan import Plan

Landings = Mapping[Key, frozenset[Key]]


def landings(plan: Plan, schedule: Schedule) -> Landings:
    """For each operation that takes something away for a replacement, the creations under new ids that it relies on.

    Those are the creations that the replacement itself, or one whose delete comes later, waits for.
    """
    changes = {change.address: change for change in plan.changes}
    new = [op for op in schedule.operations if op.kind == "create" and _is_new(changes.get(op.address))]
    if not new:
        return {}
    later = _followers(schedule.operations)
    relies = {creation.key: _after(creation.key, later) | {creation.key} for creation in new}
    replaced = {
        op.key: frozenset(creation for creation, behind in relies.items() if Key(op.address, "put") in behind)
        for op in schedule.operations
        if op.verb == "delete" and op.address in changes and changes[op.address].action is Action.REPLACE
    }
    found = {}
    for op in schedule.operations:
        if op.key.step in ("delete", "detach") and (op.key in replaced or op.key.step == "detach"):
            behind = _after(op.key, later) | {op.key}
            needed = frozenset().union(*(replaced[key] for key in behind if key in replaced))
            if needed:
                found[op.key] = needed
    return found


def unfilled(
    found: Landings, key: Key, results: Mapping[Key, OperationResult], active: Collection[Key]
) -> tuple[tuple[str, bool], ...]:
    """Addresses whose new ids this operation relies on and this run has not made yet; True if it is making it."""
    waiting = sorted(each for each in found.get(key, ()) if each not in results or results[each].status != "succeeded")
    return tuple((each.address, each in active) for each in waiting)


def _is_new(change: Change | None) -> bool:
    """Whether nothing of ours stands at the id until this put: a replacement under the same name deletes it first."""
    is_same = change is not None and change.action is Action.REPLACE and not (change.previous or "").startswith("/")
    return not is_same


def _followers(operations: Iterable[Operation]) -> Mapping[Key, list[Key]]:
    followers: dict[Key, list[Key]] = defaultdict(list)
    for operation in operations:
        for earlier in operation.after:
            followers[earlier].append(operation.key)
    return followers


def _after(start: Key, followers: Mapping[Key, Collection[Key]]) -> frozenset[Key]:
    """Everything that waits for an operation, directly or through others."""
    seen, frontier = set[Key](), list(followers.get(start, ()))
    while frontier:
        key = frontier.pop()
        if key not in seen:
            seen.add(key)
            frontier += followers.get(key, ())
    return frozenset(seen)
