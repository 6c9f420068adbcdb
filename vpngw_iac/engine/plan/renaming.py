"""What a plan deletes and creates that looks like one thing under two names: a hint, never a decision. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.secret_masking import resolver, stored
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import Finding

Pair = tuple[str, str]
"""Old and new: two addresses, or the two names in which they differ."""


def renames(plan: Plan) -> tuple[Finding, ...]:
    """One note for each name whose resources this plan deletes while it creates the same under another name."""
    found: defaultdict[Pair, list[Pair]] = defaultdict(list)
    twins = tuple(_twins(plan))
    counts = Counter(_without_link(names) for names in {_names(*twin) for twin in twins})
    for twin in twins:
        names = _names(*twin)
        short = _without_link(names)
        found[short if counts[short] > 1 else names].append(twin)
    return tuple(_note(old, new, found[old, new]) for old, new in sorted(found))


def _note(old: str, new: str, twins: list[Pair]) -> Finding:
    said = "; ".join(f"{gone}, which this plan deletes, and {come}, which it creates" for gone, come in sorted(twins))
    return Finding(
        rule="V-RENAME-01",
        level="info",
        address=sorted(twins)[0][1],
        summary="Renamed? What is deleted and created here differs only in name",
        detail=f"{said}: nothing but the name is different.",
        advice=f'If this is a new name for the same thing, add moved={{"{old}": "{new}"}} to the blueprint '
        f'(in YAML `moved: {{"{old}": "{new}"}}`): then it is neither deleted nor created.',
    )


def _twins(plan: Plan) -> Iterator[Pair]:
    """Pairs of a deleted and a created resource that say the same; a likeness that is not unique proves nothing."""
    read, remembered = resolver(plan.snapshot.get), plan.state.by_id()
    gone = {c.id: remembered[c.id] for c in plan.changes if c.action is Action.DELETE and c.id in remembered}
    come = {c.id: plan.graph.resources[c.address] for c in plan.changes if c.action is Action.CREATE}
    if not gone or not come:
        return iter(())
    before = {i: {**entry.applied, "parent": str(i.parent or "")} for i, entry in gone.items()}
    after = {i: {**stored(resource.body(), read), "parent": str(i.parent or "")} for i, resource in come.items()}
    twins = _alike(before, after)
    while len(kept := {o: n for o, n in twins.items() if _same_ends(before[o], after[n], twins)}) < len(twins):
        twins = kept
    return ((gone[old].address, come[new].address) for old, new in twins.items())


def _alike(before: Mapping[ArmId, Any], after: Mapping[ArmId, Any]) -> dict[ArmId, ArmId]:
    """Old to new id where a type has exactly one on either side that says the same, names of others left out."""
    either = {known.key: known.type.lower() for known in (*before, *after)}
    seen: defaultdict[tuple[str, str], tuple[list[ArmId], list[ArmId]]] = defaultdict(lambda: ([], []))
    for side, bodies in enumerate((before, after)):
        for resource_id, body in sorted(bodies.items()):
            seen[resource_id.type.lower(), repr(_faceless(body, either))][side].append(resource_id)
    return {old[0]: new[0] for old, new in seen.values() if len(old) == len(new) == 1}


def _same_ends(before: Any, after: Any, twins: Mapping[ArmId, ArmId]) -> bool:
    """Whether two bodies that are alike refer to twins wherever they refer to something that comes or goes."""
    if isinstance(before, Mapping):
        return all(_same_ends(v, after.get(k), twins) for k, v in before.items() if isinstance(after, Mapping))
    if isinstance(before, list | tuple):
        return all(_same_ends(o, n, twins) for o, n in zip(before, after or (), strict=False))
    if (
        isinstance(before, str)
        and isinstance(after, str)
        and before.startswith("/")
        and before.lower() != after.lower()
    ):
        return any(old.key == before.lower() and new.key == after.lower() for old, new in twins.items())
    return True


def _faceless(value: Any, either: Mapping[str, str]) -> Any:
    """A body without what a rename changes: ids of what comes and goes, where a key is found; and without tags.

    `either` has the type of each id that comes or goes, both in lower case.
    """
    if isinstance(value, Mapping):
        if "$secret" in value:
            return "$secret"
        return {k: _faceless(v, either) for k, v in sorted(value.items()) if k != "tags" and v is not None}
    if isinstance(value, list | tuple):
        return [_faceless(item, either) for item in value]
    if isinstance(value, str) and value.startswith("/"):
        return either.get(value.lower(), value.lower())
    return value


def _names(old: str, new: str) -> Pair:
    """The one part in which two addresses differ; the addresses themselves if it is more than one."""
    before, after = old.split("/"), new.split("/")
    differing = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
    return differing[0] if len(before) == len(after) and len(differing) == 1 else (old, new)


def _without_link(names: Pair) -> Pair:
    """``berlin-one`` and ``mitte-one`` as ``berlin`` and ``mitte``: links of one site bear its name in front."""
    before, after = (name.split("-") for name in names)
    while len(before) > 1 and len(after) > 1 and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return "-".join(before), "-".join(after)
