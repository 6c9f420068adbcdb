"""What one change brings along: replacements of holders, outputs known afterwards, companions of a target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from vpngw_iac.engine.order.transit import Transit
from vpngw_iac.engine.plan.change import Action, Change, Difference
from vpngw_iac.engine.plan.inputs import Draft, PlanInputs
from vpngw_iac.engine.plan.sync import come_along
from vpngw_iac.resources.graph import outputs_in


def spread(draft: Draft) -> Draft:
    """Whoever needs a replaced resource by a reference that cannot be taken off is replaced too."""
    draft, inputs = draft.copy(), draft.inputs
    frontier = [c for c in draft.changes.values() if c.action is Action.REPLACE]
    while frontier:
        change = frontier.pop()
        if change.coexists:
            continue
        for edge in inputs.graph.holders(change.id):
            holder = inputs.graph.resources[edge.holder]
            known = draft.changes.get(edge.holder)
            present = inputs.snapshot.get(holder.id).present
            loose = edge.detachable or edge.by_value
            if loose or holder.only_if_absent or not present or edge.holder not in draft.matched.entries:
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
    return draft


def known_after(draft: Draft) -> Draft:
    """Outputs whose source is made anew in this plan are known only afterwards."""
    draft = draft.copy()
    renewed = {c.id: c.address for c in draft.changes.values() if c.action in (Action.CREATE, Action.REPLACE)}
    if not renewed:
        return draft
    for case in draft.cases:
        if case.entry is None and case.address not in draft.changes:
            continue
        waits = [(path, o) for path, o in outputs_in(case.resource.body()) if o.source in renewed]
        if not waits or not case.observed.present:
            continue
        paths = {path for path, _ in waits}
        extra = tuple(
            Difference(path, "edit", f"(known after {renewed[output.source]})")
            for path, output in waits
            if not output.secret
        )
        known = draft.changes.get(case.address)
        if known is None and not extra:
            continue
        change = known or Change(case.address, case.resource.id, Action.UPDATE)
        draft.changes[case.address] = replace(
            change,
            action=Action.UPDATE if change.action in (Action.TAG, Action.MOVE) else change.action,
            differences=(*(d for d in change.differences if d.path not in paths), *extra),
            only_secret=change.only_secret and not extra,
            known_after=tuple(sorted({renewed[o.source] for _, o in waits})),
        )
    return draft


def targeted(draft: Draft) -> Draft:
    """With ``--target``: the named resources, and what they need to be there."""
    inputs, changes, wanted = draft.inputs, draft.changes, draft.inputs.options.target
    if not wanted:
        return draft
    chosen: set[str] = set()
    transit = Transit.of(inputs.graph, inputs.state, inputs.snapshot, changes.values())
    frontier = [a for a in changes if a in wanted or str(changes[a].id) in wanted]
    while frontier:
        address = frontier.pop()
        if address not in chosen:
            chosen.add(address)
            frontier += _companions(inputs, changes, transit, address)
    return replace(draft, changes={address: change for address, change in changes.items() if address in chosen})


def _companions(inputs: PlanInputs, changes: Mapping[str, Change], transit: Transit, address: str) -> Collection[str]:
    """What must come with a targeted change: what it needs that is absent, and who it tears along."""
    ids = {change.id: other for other, change in changes.items()}
    change = changes[address]
    found = [ids[target] for target in inputs.graph.needs(address) if target in ids]
    found = [a for a in found if changes[a].action in (Action.CREATE, Action.REPLACE)]
    if change.action in (Action.REPLACE, Action.DELETE):
        found += [edge.holder for edge in inputs.graph.holders(change.id) if edge.holder in changes]
        found += [e.address for e in inputs.state.entries.values() if change.id in e.needs and e.address in changes]
    return [*found, *come_along(inputs.graph, changes, address), *transit.companions(address)]
