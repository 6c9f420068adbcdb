"""Values that nobody wrote: what a creation sends, and on both sides of a comparison what Azure has. Pure.

A default of ours that ages (which regions have zones) or follows another field (the SKU) must never become an edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.plan.change import Action, Change
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.resources.base import Resource


def as_observed(graph: Graph, snapshot: Snapshot) -> Graph:
    """The graph in which what is there says of its unwritten fields what Azure says: they cannot differ."""
    return _with(
        graph,
        {
            address: resource.like(document)
            for address, resource in graph.resources.items()
            if resource.unwritten and (document := snapshot.get(resource.id).document) is not None
        },
    )


def as_created(graph: Graph, compiled: Graph, snapshot: Snapshot, changes: Mapping[str, Change]) -> Graph:
    """The graph in which what this plan makes, or makes anew, is like a sibling that stays, else as `compiled` says."""
    made = {address for address, change in changes.items() if change.action in (Action.CREATE, Action.REPLACE)}
    going = {change.id for change in changes.values() if change.action in (Action.REPLACE, Action.DELETE)}
    changed = {}
    for address in sorted(made):
        resource = compiled.resources.get(address)
        if resource is not None and resource.unwritten:
            siblings = (snapshot.get(other).document for other in _siblings(graph, resource) if other not in going)
            model = next((document for document in siblings if document is not None), None)
            changed[address] = resource if model is None else resource.like(model)
    return _with(graph, changed)


def _siblings(graph: Graph, resource: Resource) -> Iterator[ArmId]:
    """Others of its type that its holders refer to, in order."""
    for edge in graph.holders(resource.id):
        for target in graph.needs(edge.holder):
            if target != resource.id and target.type.lower() == resource.id.type.lower():
                yield target


def _with(graph: Graph, changed: Mapping[str, Resource]) -> Graph:
    """The graph with other values in some resources; their references, and so the edges, are the same."""
    if not changed:
        return graph
    by_id = {resource.id: resource for resource in changed.values()}
    return replace(graph, resources={**graph.resources, **changed}, by_id={**graph.by_id, **by_id})
