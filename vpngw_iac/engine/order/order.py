"""From changes to ordered operations. Pure.

Five rules: put after the puts it needs; put after its own delete; delete after the deletes of those who needed it;
delete after the puts of survivors that used to need it; two operations never overlap if they share an exclusive lock.

Azure refuses to take an instance, a custom BGP address or NAT from a gateway while a connection or a NAT rule uses it
(R-BGP-09, R-NAT-11, R-NAT-01), and to delete a rule while a connection is linked to it (R-NAT-16): users let go first.

The new ids of replacements must be free before the first thing is taken away for them: somebody may create one between
the plan and its apply, and a put that finds it there fails when what it replaces is gone already.
"""

from __future__ import annotations

import graphlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import partial
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.event import OperationResult
from vpngw_iac.engine.order.management_locks import around
from vpngw_iac.engine.order.operation import STEPS, Key, Operation, Schedule, Step, followers_of
from vpngw_iac.engine.order.transit import PlannedGateway, Transit, bereft, half_of, locked, ordered
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.ports import Snapshot, Verb
from vpngw_iac.errors import PlanError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import model_of, role_of, type_of
from vpngw_iac.resources.base import UsedPart
from vpngw_iac.resources.graph import Edge, Graph
from vpngw_iac.state.model import Entry, State

_STATE_ONLY = frozenset({Action.ADOPT, Action.FORGET, Action.MOVE})
"""Azure is asked nothing for these, but to put off flags of what is forgotten."""


@dataclass(slots=True)
class _Draft:
    graph: Graph
    state: State
    changes: Mapping[str, Change]
    snapshot: Snapshot = field(default_factory=Snapshot)
    transit: Transit = field(default_factory=lambda: Transit((), ()))
    after: dict[Key, set[Key]] = field(default_factory=lambda: defaultdict(set))
    nodes: dict[Key, Operation] = field(default_factory=dict)
    known: Mapping[ArmId, Entry] = field(init=False)
    """Entries by id: a move keeps the id and changes the address."""

    def __post_init__(self) -> None:
        self.known = self.state.by_id()


def schedule(plan: Plan) -> Schedule:
    """All operations of a plan in a legal order."""
    return order(plan.graph, plan.state, plan.changes, plan.snapshot)


def order(graph: Graph, state: State, changes: Iterable[Change], snapshot: Snapshot | None = None) -> Schedule:
    """Operations of these changes: nodes, edges, locks, waves and the critical path.

    The snapshot says which transit flags Azure has now; without it they are those that were applied.
    """
    seen = snapshot or Snapshot()
    written = {c.address: c for c in changes if c.action not in _STATE_ONLY or c.releases}
    draft = _Draft(graph, state, written, seen, Transit.of(graph, state, seen, written.values()))
    for change in draft.changes.values():
        for operation in _operations(draft, change):
            draft.nodes[operation.key] = operation
    for edge in list(_torn_off(draft)):
        _add_detour(draft, edge)
    for address, target in list(evicted(draft.graph, draft.state, draft.changes)):
        _let_go_first(draft, address, target)
    for address, gateway in list(bereft(graph, state, seen, draft.transit)):
        _give_back_meanwhile(draft, address, gateway)
    _mends_first(draft)
    _puts_after_needs(draft)
    _deletes(draft)
    _repairs_first(draft)
    _updates_after_deletes(draft)
    for earlier, later in (*around(graph, draft.known, draft.nodes.values()), *ordered(draft.transit, draft.nodes)):
        draft.after[later].add(earlier)
    keys = draft.nodes.keys()
    nodes = {key: replace(op, after=frozenset(draft.after[key] & keys)) for key, op in draft.nodes.items()}
    return _schedule(nodes)


# --- nodes -----------------------------------------------------------------------------------------------------------


def _operations(draft: _Draft, change: Change) -> Iterator[Operation]:
    match change.action:
        case Action.CREATE:
            yield _put(draft, change.address, "create")
        case Action.UPDATE if change.only_secret:
            yield _operation(draft, change.address, change.id, "act", "act")
        case Action.UPDATE | Action.REPAIR:
            if change.sync != "alone":
                yield _put(draft, change.address, "update")
            if change.sync != "no":
                yield _put(draft, change.address, "update", "sync")
        case Action.TAG:
            yield _operation(draft, change.address, change.id, "tag", "tag")
        case Action.REPLACE:
            yield _operation(draft, change.address, change.old_id or change.id, "delete", "delete")
            yield _put(draft, change.address, "create")
        case Action.DELETE:
            yield _operation(draft, change.address, change.id, "delete", "delete")
        case Action.FORGET:
            yield _operation(draft, change.address, change.id, "release", "update")
        case _:
            raise PlanError(f"{change.address}: {change.action} is not an operation")


def _put(draft: _Draft, address: str, kind: Literal["create", "update"], step: Step = "put") -> Operation:
    return _operation(draft, address, draft.graph.resources[address].id, step, kind)


def _operation(
    draft: _Draft,
    address: str,
    resource_id: ArmId,
    step: Step,
    kind: Literal["create", "update", "delete", "act", "tag"],
) -> Operation:
    model = type_of(resource_id.type)
    if model is None:
        raise PlanError(f"{address}: {resource_id.type} is not a type that vpngw manages.")
    resource, entry = draft.graph.resources.get(address), draft.known.get(resource_id)
    body: Mapping[str, Any] = resource.body() if resource and kind != "delete" else (entry.applied if entry else {})
    change = draft.changes.get(address)
    usual = model.usual_durations(body)
    update = usual.create if change is not None and change.rebuild else usual.update
    seconds = {"create": usual.create, "delete": usual.delete, "tag": 5.0}
    verb = _VERBS[step]
    return Operation(
        key=Key(address, step),
        id=resource_id,
        verb=verb,
        kind=kind,
        sdk=f"{model.sdk}.{model.sdk_calls[verb]}",
        locks=model.locks(resource_id, locked(draft.known, draft.snapshot, resource_id, body), kind),
        seconds=seconds.get(kind, update),
    )


_VERBS: Mapping[Step, Verb] = {
    "put": "put",
    "detach": "put",
    "attach": "put",
    "sync": "put",
    "release": "put",
    "delete": "delete",
    "tag": "tag",
    "act": "act",
}


# --- references that are taken off and put back ----------------------------------------------------------------------


def _torn_off(draft: _Draft) -> Iterator[Edge]:
    """Detachable edges of survivors whose target is deleted and made again."""
    for change in draft.changes.values():
        if change.action is not Action.REPLACE or change.coexists:
            continue
        for edge in draft.graph.holders(change.id):
            holder = draft.changes.get(edge.holder)
            survives = holder is None or holder.action not in (Action.CREATE, Action.REPLACE)
            if edge.detachable and survives and draft.graph.resources[edge.holder].id in draft.known:
                yield edge


def _detour(draft: _Draft, address: str, paths: Iterable[str]) -> tuple[Key, Key]:
    """Put a survivor without what stands at these paths first, and whole afterwards."""
    off, on = Key(address, "detach"), Key(address, "attach")
    before = draft.nodes[off].detach if off in draft.nodes else ()
    for step in ("put", "act", "tag"):
        draft.nodes.pop(Key(address, step), None)
    draft.nodes[off] = replace(_put(draft, address, "update", "detach"), detach=tuple(sorted({*before, *paths})))
    draft.nodes[on] = _put(draft, address, "update", "attach")
    draft.after[on].add(off)
    return off, on


def _add_detour(draft: _Draft, edge: Edge) -> None:
    """Put the holder without the reference before the target goes, and with it when the target is back."""
    target = draft.graph.by_id[edge.target].address
    off, on = _detour(draft, edge.holder, (edge.path,))
    draft.after[Key(target, "delete")].add(off)
    draft.after[on].add(Key(target, "put"))


def _give_back_meanwhile(draft: _Draft, address: str, gateway: PlannedGateway) -> None:
    """Put a half that goes on using a hub without the flag before one of its gateways goes, and with it afterwards."""
    off, on = _detour(draft, address, ("needs",))
    draft.after[Key(gateway.address, "delete")].add(off)
    draft.after[on] |= {Key(gateway.address, "delete"), Key(gateway.address, "put")}


def _let_go_first(draft: _Draft, address: str, target: str) -> None:
    """Put a survivor without what it uses of the target and without what is still to come, and whole in the end."""
    off, _ = _detour(draft, address, cuts(draft.graph, draft.changes, address))
    draft.after[off] |= {Key(needed, "put") for needed in made_before(draft.graph, draft.changes, address, target)}
    draft.after[Key(target, "put")].add(off)


# --- edges -----------------------------------------------------------------------------------------------------------


def _final(draft: _Draft, address: str) -> Key | None:
    """The operation after which a resource is as declared."""
    return next((key for step in ("attach", "put", "act", "tag") if (key := Key(address, step)) in draft.nodes), None)


def _puts_after_needs(draft: _Draft) -> None:
    for key in list(draft.nodes):
        address, step = key
        if step == "delete":
            continue
        if (
            step in ("put", "attach")
            and Key(address, "delete") in draft.nodes
            and not _is_new_beside_old(draft, address)
        ):
            draft.after[key].add(Key(address, "delete"))
        if step == "detach":
            continue
        if step == "sync":
            draft.after[key] |= {other for other in map(partial(Key, address), STEPS) if other in draft.nodes} - {key}
        freed = draft.transit.freed(address)
        for edge in draft.graph.edges.get(address, ()):
            target = draft.graph.by_id.get(edge.target)
            needed = _final(draft, target.address) if target else None
            if needed is None or needed.address in freed:
                continue
            if step == "sync" or not _repair_first(draft, address, needed.address):
                draft.after[key].add(needed)


def _repairs_first(draft: _Draft) -> None:
    """Holders that are repaired before their targets are written, unless their repair waits for just that."""
    for key in sorted(draft.nodes):
        for edge in draft.graph.edges.get(key.address, ()) if key.step in ("put", "attach") else ():
            target = draft.graph.by_id.get(edge.target)
            needed = _final(draft, target.address) if target else None
            if needed is None or not _repair_first(draft, key.address, needed.address):
                continue
            off = Key(key.address, "detach")
            first = off if off in draft.nodes else key  # its first put already repairs it
            if not waits_for(draft.after, first, needed):
                draft.after[needed].add(first)
            if first != key or first not in draft.after[needed]:
                draft.after[key].add(needed)


def _mends_first(draft: _Draft) -> None:
    """Of two twins (the sides of a peering) a broken one is repaired before the other one can be created.

    If the broken one needs the other (a spoke that uses the hub's gateway), it is first put without that, then with it.
    """
    chosen = {a: draft.graph.resources[a] for a in draft.changes if a in draft.graph.resources}
    broken = [r for a, r in chosen.items() if Key(a, "put") in draft.nodes and draft.changes[a].action is Action.REPAIR]
    for address, resource in chosen.items():
        twins = [t for t in broken if draft.changes[address].action is Action.CREATE and resource.is_counterpart_of(t)]
        for twin in twins:
            edge = next((e for e in draft.graph.edges[twin.address] if e.target == resource.id), None)
            if edge is not None:
                _add_detour(draft, edge)
            draft.after[Key(address, "put")].add(Key(twin.address, "detach" if edge else "put"))


def _repair_first(draft: _Draft, holder: str, target: str) -> bool:
    """A gateway cannot be written while a connection of it is Failed: the connection is repaired first (R-OPS-04)."""
    actions = [draft.changes[a].action if a in draft.changes else None for a in (holder, target)]
    if holder in draft.changes and draft.changes[holder].sync == "alone":
        return False
    if target in draft.changes and half_of(draft.changes[target].id) is not None:
        return False  # between two halves it is the flags that decide
    return actions[0] is Action.REPAIR and actions[1] in (Action.REPAIR, Action.UPDATE)


def _is_new_beside_old(draft: _Draft, address: str) -> bool:
    return address in draft.changes and draft.changes[address].coexists


def _deletes(draft: _Draft) -> None:
    """Deletes after the deletes of those who needed it, and after the puts of survivors that used to need it."""
    deletes = {operation.id: key for key, operation in draft.nodes.items() if key.step == "delete"}
    holders: dict[ArmId, list[Entry]] = defaultdict(list)
    for entry in draft.state.entries.values() if deletes else ():
        for target in set(entry.needs) - {entry.id}:
            holders[target].append(entry)
    for key, operation in list(draft.nodes.items()):
        if key.step != "delete":
            continue
        for holder in holders[operation.id]:
            declared = draft.graph.by_id.get(holder.id)
            survivor = declared.address if declared else holder.address
            if holder.id in deletes:
                draft.after[key].add(deletes[holder.id])
            elif not _takes_a_value_only(draft, survivor, key.address):
                draft.after[key] |= _survivor_puts(draft, survivor)
        if operation.id in draft.known and _is_new_beside_old(draft, key.address):
            draft.after[key].add(Key(key.address, "put"))


def _updates_after_deletes(draft: _Draft) -> None:
    """A survivor is written after what used to need it is gone, unless that itself waits for the survivor.

    A gateway cannot give up an APIPA address that a connection still uses (R-BGP-09).
    """
    for key in sorted(draft.nodes):
        entry = draft.known.get(draft.nodes[key].id)
        if key.step != "delete" or entry is None:
            continue
        for target in entry.needs:
            resource = draft.graph.by_id.get(target)
            put = Key(resource.address, "put") if resource else None
            if put in draft.nodes and draft.nodes[put].kind == "update" and not waits_for(draft.after, key, put):
                draft.after[put].add(key)


def waits_for(after: Mapping[Key, Collection[Key]], start: Key, goal: Key) -> bool:
    """Whether `start` is `goal` or comes after it, directly or through others."""
    return start == goal or goal in reached(start, after)


def reached(start: Key, steps: Mapping[Key, Collection[Key]]) -> set[Key]:
    """Where these steps lead from an operation, directly or through others."""
    seen, frontier = set[Key](), list(steps.get(start, ()))
    while frontier:
        key = frontier.pop()
        if key not in seen:
            seen.add(key)
            frontier += steps.get(key, ())
    return seen


def _takes_a_value_only(draft: _Draft, holder: str, target: str) -> bool:
    """Whether a survivor needs the new target for a value alone: then it is written after that, not before."""
    resource = draft.graph.resources.get(target)
    edges = [edge for edge in draft.graph.edges.get(holder, ()) if resource and edge.target == resource.id]
    return bool(edges) and all(edge.by_value for edge in edges)


def _survivor_puts(draft: _Draft, address: str) -> set[Key]:
    off = Key(address, "detach")
    if off in draft.nodes:
        return {off}
    put = Key(address, "put")
    absent = put in draft.nodes and draft.nodes[put].kind == "create"  # nothing of it holds the target any more
    return {put} if put in draft.nodes and not absent else set()


# --- schedule --------------------------------------------------------------------------------------------------------


def _schedule(nodes: Mapping[Key, Operation]) -> Schedule:
    sorter = graphlib.TopologicalSorter({key: sorted(op.after) for key, op in sorted(nodes.items())})
    try:
        legal = list(sorter.static_order())
    except graphlib.CycleError as error:
        circle = " -> ".join(str(key) for key in reversed(error.args[1]))
        raise PlanError(f"These operations wait for each other: {circle}.") from None
    waves: dict[Key, int] = {}
    for key in legal:
        waves[key] = 1 + max((waves[other] for other in nodes[key].after), default=0)
    remaining: dict[Key, float] = dict.fromkeys(legal, 0.0)
    for key in reversed(legal):
        remaining[key] += nodes[key].seconds
        for other in nodes[key].after:
            remaining[other] = max(remaining[other], remaining[key])
    ordered = sorted(legal, key=lambda key: (waves[key], -remaining[key], key))
    return Schedule(tuple(nodes[key] for key in ordered), waves, remaining)


# --- who must let go before an update takes away what it uses ---------------------------------------------------------


_UPDATED = (Action.UPDATE, Action.REPAIR)
_REMOVALS = (Action.DELETE, Action.REPLACE)
_NEW = (Action.CREATE, Action.REPLACE)


def evicted(graph: Graph, state: State, changes: Mapping[str, Change]) -> Iterator[tuple[str, str]]:
    """Address of each survivor that must let go, with the address of the update that waits for it.

    That is who uses what goes, and who needs something that is deleted because it uses what goes.
    """
    going = [change for change in changes.values() if change.action in _REMOVALS]
    removed = {i for change in going for i in (change.id, change.old_id) if i is not None}
    known = state.by_id()
    for address, change in sorted(changes.items()):
        entry, resource = known.get(change.id), graph.resources.get(address)
        if change.action not in _UPDATED or entry is None or resource is None:
            continue
        lost = resource.offers(change.id, entry.applied) - resource.offers(change.id, resource.body())
        users = [user for user in state.entries.values() if lost and _uses_any(user, lost)]
        gone = {user.id for user in users} & removed
        holders = [holder for holder in state.entries.values() if gone & set(holder.needs)]
        for user in sorted({u.id for u in (*users, *holders)} - removed):
            if user in graph.by_id:
                yield graph.by_id[user].address, address


def _uses_any(user: Entry, lost: Collection[UsedPart]) -> bool:
    uses = model_of(user.id).uses(user.id, user.applied)
    return any(use.is_within(part) for use in uses or () for part in lost)


def cuts(graph: Graph, changes: Mapping[str, Change], address: str) -> set[str]:
    """Paths that are left out while a survivor lets go: what it uses, and references to what is still to come."""
    coming = {change.id for change in changes.values() if change.action in _NEW}
    edges = graph.edges.get(address, ())
    return {*graph.resources[address].letting_go, *(e.path for e in edges if e.detachable and e.target in coming)}


def made_before(graph: Graph, changes: Mapping[str, Change], address: str, target: str) -> Iterator[str]:
    """Addresses of what a survivor cannot do without and that this plan makes: it lets go after that."""
    for edge in graph.edges.get(address, ()):
        needed = graph.by_id.get(edge.target)
        change = changes.get(needed.address) if needed else None
        is_new = change is not None and change.action is Action.CREATE
        if needed is not None and is_new and needed.address != target and not edge.detachable:
            yield needed.address


# --- where replacements land ------------------------------------------------------------------------------------------


Landings = Mapping[Key, frozenset[Key]]


def landings(plan: Plan, schedule: Schedule) -> Landings:
    """For each operation that takes something away for a replacement, the creations under new ids that it relies on.

    Those are the creations that the replacement itself, or one whose delete comes later, waits for.
    """
    replacements = {change.address: change for change in plan.changes if change.action is Action.REPLACE}
    # A replacement under the same name deletes what stands at its id first.
    same_id = {address for address, change in replacements.items() if change.old_id is None}
    new = [op for op in schedule.operations if op.kind == "create" and op.address not in same_id]
    takes = replacements or any(op.key.step == "detach" for op in schedule.operations)
    if not new or not takes:
        return {}
    later = followers_of(schedule.operations)
    relies = {creation.key: reached(creation.key, later) | {creation.key} for creation in new}
    replaced = {
        op.key: frozenset(creation for creation, behind in relies.items() if Key(op.address, "put") in behind)
        for op in schedule.operations
        if op.verb == "delete" and op.address in replacements
    }
    found = {}
    for op in schedule.operations:
        if op.key.step in ("delete", "detach") and (op.key in replaced or op.key.step == "detach"):
            behind = reached(op.key, later) | {op.key}
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


# --- repairs that turn out to be needed in the middle of a run --------------------------------------------------------


def in_the_way(plan: Plan, target: ArmId) -> Iterator[ArmId]:
    """What may block a write: what is needed for it, managed or not, and the connections that hang on a gateway.

    Azure refuses to write a gateway while a connection of it is Failed, and the other way round (R-OPS-03, R-OPS-04).
    """
    graph, entry = plan.graph, plan.state.by_id().get(target)
    declared = graph.by_id.get(target)
    yield from sorted({*(graph.needs(declared.address) if declared else ()), *(entry.needs if entry else ())})
    ours = {graph.resources[edge.holder].id for edge in graph.holders(target)}
    theirs = {item.id for item in plan.snapshot.attached_to(target) if item.id}
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
        return _with_after(schedule, blocked, coming) if coming else None
    resource, entry = plan.graph.by_id.get(blocker), plan.state.by_id().get(blocker)
    if resource is None or entry is None or resource.only_if_absent:
        return None
    operation = _put(_Draft(plan.graph, plan.state, {}), resource.address, "update")
    seconds = operation.seconds + schedule.remaining[blocked]
    grown = replace(
        schedule,
        operations=(*schedule.operations, operation),
        remaining=schedule.remaining | {operation.key: seconds},
    )
    return _with_after(grown, blocked, (operation.key,))


def _with_after(schedule: Schedule, later: Key, earlier: Collection[Key]) -> Schedule:
    operations = (replace(op, after=op.after.union(earlier)) if op.key == later else op for op in schedule.operations)
    return replace(schedule, operations=tuple(operations))
