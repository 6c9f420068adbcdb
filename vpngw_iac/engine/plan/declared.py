"""What the blueprint leaves open is as Azure has it: names of adopted items, and values that nobody wrote. Pure.

Items of a resource that is taken over are recognised by what they say, and keep the names that another tool gave them.
The entry remembers these, by the name that the blueprint gives (or that is derived): an edited name is a new item.

A default of ours that ages (which regions have zones) or follows another field (the SKU) must never become an edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.document import ABSENT, by_key, is_empty, lookup, same
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.inputs import Draft
from vpngw_iac.paths import join
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph, relabel
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of


def called_as_in_azure(draft: Draft) -> Draft:
    """The graph with the names that Azure has for items of resources that are or were taken over."""
    inputs, matched = draft.inputs, draft.matched
    changed: dict[str, Resource] = {}
    for address, resource in inputs.graph.resources.items():
        entry, document = matched.entries.get(address), inputs.snapshot.get(resource.id).document
        known = dict(entry.named) if entry else {}
        is_adopted = entry is None and bool({address, str(resource.id)} & inputs.options.adopt)
        named = renamed(resource, known)
        if is_adopted and document is not None:
            named = recognised(named, document)
        if named != resource:
            changed[address] = named
    if not changed:
        return draft
    items: list[Resource | Existing] = [changed.get(a, r) for a, r in inputs.graph.resources.items()]
    return draft.with_graph(Graph.of([*items, *inputs.graph.existing.values()]))


def recognised(resource: Resource, observed: Mapping[str, Any]) -> Resource:
    """The resource with the names of observed items that say the same as items of its own under other names.

    Until nothing new is found: which groups a configuration serves is told by the groups' names.
    """
    while found := dict(_alike(shape_of(type(resource)), resource.body(), observed, "")):
        resource = renamed(resource, found)
    return resource


def _alike(shape: Shape, declared: Any, observed: Any, path: str) -> Iterator[tuple[str, str]]:
    """Path of each declared item that Azure has under another name, with that name."""
    if isinstance(declared, Mapping):
        for name, value in declared.items():
            there = observed.get(name, ABSENT) if isinstance(observed, Mapping) else ABSENT
            yield from _alike(shape.at(name), value, there, join(path, name))
    elif shape.key and isinstance(declared, list | tuple) and isinstance(observed, list | tuple):
        item, key = shape.item or UNKNOWN, shape.key
        free = [e for e in observed if by_key(declared, key, e.get(key)) is ABSENT] if shape.alike else []
        for element in declared:
            place, there = f"{path}[{key}={element.get(key)}]", by_key(observed, key, element.get(key))
            fitting = [e for e in free if _says_the_same(shape, element, e)] if there is ABSENT else []
            twins = [e for e in declared if fitting and _says_the_same(shape, e, fitting[0])]
            if len(fitting) == len(twins) == 1:
                yield place, str(fitting[0].get(key))
            elif there is not ABSENT:
                yield from _alike(item, element, there, place)


def _says_the_same(shape: Shape, declared: Any, other: Any) -> bool:
    """Whether two items of a list are one by what they say, whatever they are called."""
    item = shape.item or UNKNOWN
    pairs = (([*item.along(p)][-1], lookup(declared, p), lookup(other, p)) for p in shape.alike)
    return all(_equal(inner, mine, theirs) for inner, mine, theirs in pairs)


def _equal(shape: Shape, mine: Any, theirs: Any) -> bool:
    if shape.alike and isinstance(mine, list | tuple) and isinstance(theirs, list | tuple):
        return len(mine) == len(theirs) and all(any(_says_the_same(shape, m, t) for t in theirs) for m in mine)
    if is_empty(mine) or is_empty(theirs):
        return is_empty(mine) and is_empty(theirs)
    return same(shape, mine, theirs) and same(shape, theirs, mine)


# --- giving names ----------------------------------------------------------------------------------------------------


def renamed(resource: Resource, names: Mapping[str, str]) -> Resource:
    """The resource with other names for some of its items, wherever it refers to them; remembers them in `named`."""
    moved: dict[ArmId, ArmId] = {}
    changed: Resource = _with_names(resource, shape_of(type(resource)), "", names, resource.id, moved)
    if changed is resource:
        return resource
    labelled: Resource = relabel(changed, moved)
    named: Resource = labelled.model_copy(update={"named": {**resource.named, **_by_given_name(resource, names)}})
    return named


def _by_given_name(resource: Resource, names: Mapping[str, str]) -> dict[str, str]:
    """The names by the path of the blueprint's own names: an outer item may have been renamed before."""
    back = {f"[name={new}]": path[path.rindex("[") :] for path, new in resource.named.items()}
    found = {}
    for path, new in names.items():
        outer, step = path[: path.rindex("[")], path[path.rindex("[") :]
        for azures, given in back.items():
            outer = outer.replace(azures, given)
        found[outer + step] = new
    return found


def _with_names(
    value: Any, shape: Shape, path: str, names: Mapping[str, str], owner: ArmId, moved: dict[ArmId, ArmId]
) -> Any:
    if isinstance(value, BaseModel):
        changes: dict[str, Any] = {}
        for name, info in type(value).model_fields.items():
            wire = info.alias or name
            before = getattr(value, name)
            if not info.exclude and before is not None:
                after = _with_names(before, shape.at(wire), join(path, wire), names, owner, moved)
                changes |= {name: after} if after is not before else {}
        return value.model_copy(update=changes) if changes else value
    if not isinstance(value, tuple) or not shape.alike or not shape.key:
        return value
    segment = path.rpartition(".")[2]
    items = []
    for element in value:
        old = getattr(element, shape.key)
        place = f"{path}[{shape.key}={old}]"
        kept = _with_names(element, shape.item or UNKNOWN, place, names, owner, moved)
        new = names.get(place)
        if new is not None and new != old:
            moved[owner.child(segment, old)] = owner.child(segment, new)
            kept = kept.model_copy(update={shape.key: new})
        items.append(kept)
    return tuple(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value


# --- values that nobody wrote -----------------------------------------------------------------------------------------


def as_observed(draft: Draft) -> Draft:
    """The graph in which what is there says of its unwritten fields what Azure says: they cannot differ."""
    snapshot = draft.inputs.snapshot
    return _with_values(
        draft,
        {
            address: resource.like(document)
            for address, resource in draft.inputs.graph.resources.items()
            if resource.unwritten and (document := snapshot.get(resource.id).document) is not None
        },
    )


def as_created(draft: Draft) -> Draft:
    """The graph in which what this plan makes, or makes anew, is like a sibling that stays, else as it was compiled."""
    graph, snapshot, changes = draft.inputs.graph, draft.inputs.snapshot, draft.changes
    made = {address for address, change in changes.items() if change.action in (Action.CREATE, Action.REPLACE)}
    going = {change.id for change in changes.values() if change.action in (Action.REPLACE, Action.DELETE)}
    changed = {}
    for address in sorted(made):
        resource = draft.matched.graph.resources.get(address)
        if resource is not None and resource.unwritten:
            siblings = (snapshot.get(other).document for other in _siblings(graph, resource) if other not in going)
            model = next((document for document in siblings if document is not None), None)
            changed[address] = resource if model is None else resource.like(model)
    return _with_values(draft, changed)


def _siblings(graph: Graph, resource: Resource) -> Iterator[ArmId]:
    """Others of its type that its holders refer to, in order."""
    for edge in graph.holders(resource.id):
        for target in graph.needs(edge.holder):
            if target != resource.id and target.type.lower() == resource.id.type.lower():
                yield target


def _with_values(draft: Draft, changed: Mapping[str, Resource]) -> Draft:
    """The graph with other values in some resources; their references, and so the edges, are the same."""
    if not changed:
        return draft
    graph = draft.inputs.graph
    by_id = {resource.id: resource for resource in changed.values()}
    return draft.with_graph(replace(graph, resources={**graph.resources, **changed}, by_id={**graph.by_id, **by_id}))
