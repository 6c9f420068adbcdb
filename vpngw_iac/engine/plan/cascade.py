"""From single decisions to a whole plan: replacements spread, outputs become unknown, targets choose, moves line up."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.matching import Match
from vpngw_iac.engine.graph import Graph, outputs_in
from vpngw_iac.engine.order.transit import Transit
from vpngw_iac.engine.plan.change import Action, Change, Difference
from vpngw_iac.engine.plan.inputs import Basis, Draft, Situation
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.plan.sync import come_along
from vpngw_iac.resources import type_of


def spread(basis: Basis, matched: Match, draft: Draft) -> None:
    """Whoever needs a replaced resource by a reference that cannot be taken off is replaced too."""
    frontier = [c for c in draft.changes.values() if c.action is Action.REPLACE]
    while frontier:
        change = frontier.pop()
        if coexists(change):
            continue
        for edge in basis.graph.holders(change.id):
            holder = basis.graph.resources[edge.holder]
            known = draft.changes.get(edge.holder)
            present = basis.snapshot.get(holder.id).present
            loose = edge.detachable or edge.by_value
            if loose or holder.only_if_absent or not present or edge.holder not in matched.entries:
                continue
            if known is not None and known.action in (Action.REPLACE, Action.CREATE):
                continue
            differences = known.differences if known else ()
            cause = Difference(edge.path, "dependent", f"{change.address}, built again", None, change.address)
            new = Change(
                edge.holder, holder.id, Action.REPLACE, (*differences, cause), reason=f"{change.address} is replaced"
            )
            draft.changes[edge.holder] = new
            frontier.append(new)


def coexists(change: Change) -> bool:
    """A replacement under another name whose old and new may exist at once: holders are repointed in place."""
    model = type_of(change.id.type)
    return change.previous is not None and change.previous.startswith("/") and bool(model and model.may_coexist)


def known_after(situations: Iterable[Situation], draft: Draft) -> None:
    """Outputs whose source is made anew in this plan are known only afterwards."""
    renewed = {c.id: c.address for c in draft.changes.values() if c.action in (Action.CREATE, Action.REPLACE)}
    for situation in situations:
        if situation.entry is None and situation.address not in draft.changes:
            continue
        waits = [(path, o) for path, o in outputs_in(situation.resource.body()) if o.source in renewed]
        if not waits or not situation.observed.present:
            continue
        paths = {path for path, _ in waits}
        extra = tuple(
            Difference(path, "edit", f"(known after {renewed[output.source]})")
            for path, output in waits
            if not output.secret
        )
        known = draft.changes.get(situation.address)
        if known is None and not extra:
            continue
        change = known or Change(situation.address, situation.resource.id, Action.UPDATE)
        draft.changes[situation.address] = replace(
            change,
            action=Action.UPDATE if change.action in (Action.TAG, Action.MOVE) else change.action,
            differences=(*(d for d in change.differences if d.path not in paths), *extra),
            only_secret=change.only_secret and not extra,
            known_after=tuple(sorted({renewed[o.source] for _, o in waits})),
        )


def targeted(basis: Basis, changes: Mapping[str, Change]) -> Mapping[str, Change]:
    """With ``--target``: the named resources, and what they need to be there."""
    wanted = basis.options.target
    if not wanted:
        return changes
    chosen: set[str] = set()
    transit = Transit.of(basis.graph, basis.state, basis.snapshot, changes.values())
    frontier = [a for a in changes if a in wanted or str(changes[a].id) in wanted]
    while frontier:
        address = frontier.pop()
        if address not in chosen:
            chosen.add(address)
            frontier += _companions(basis, changes, transit, address)
    return {address: change for address, change in changes.items() if address in chosen}


def _companions(basis: Basis, changes: Mapping[str, Change], transit: Transit, address: str) -> Collection[str]:
    """What must come with a targeted change: what it needs that is absent, and who it tears along."""
    ids = {change.id: other for other, change in changes.items()}
    change = changes[address]
    found = [ids[target] for target in basis.graph.needs(address) if target in ids]
    found = [a for a in found if changes[a].action in (Action.CREATE, Action.REPLACE)]
    if change.action in (Action.REPLACE, Action.DELETE):
        found += [edge.holder for edge in basis.graph.holders(change.id) if edge.holder in changes]
        found += [e.address for e in basis.state.entries.values() if change.id in e.needs and e.address in changes]
    return [*found, *come_along(basis.graph, changes, address), *transit.companions(address)]


def new_addresses(plan: Plan) -> Iterator[tuple[str, str]]:
    """Old to new address of what moves. Where old and new exist at once, the old one is set aside until it is gone."""
    by_id = plan.state.by_id()
    for change in plan.changes:
        previous = change.previous or ""
        if change.action is Action.REPLACE and coexists(change):
            entry = by_id.get(ArmId(previous))
            if entry is not None:
                yield entry.address, f"{entry.address}/{entry.id.name}"
        elif previous in plan.state.entries and change.action is not Action.FORGET:
            yield previous, change.address


def needed_first(graph: Graph, addresses: Iterable[str]) -> tuple[str, ...]:
    """Those addresses that are declared, each after what it needs."""
    ids = {resource.id: address for address, resource in graph.resources.items()}
    wanted = sorted(address for address in addresses if address in graph.resources)
    sorter = graphlib.TopologicalSorter({a: sorted(ids[i] for i in graph.needs(a) if i in ids) for a in wanted})
    return tuple(address for address in sorter.static_order() if address in set(wanted))
