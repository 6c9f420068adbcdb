"""All resources of one deployment with their edges. Edges are derived from references; nobody writes them."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from pydantic import BaseModel

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Finding, PlanError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import walk
from vpngw_iac.resources.base import Gate, Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import Output, Ref


@dataclass(frozen=True, slots=True)
class Edge:
    """`holder` needs `target`; `path` says by which property (``parent``, ``group``, ``needs`` without one)."""

    holder: str
    target: ArmId
    path: str
    detachable: bool = False
    by_value: bool = False
    """Only a value of the target is needed: a new target means another value, not another holder."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Declared resources by address, what they only use, and the edges between them."""

    resources: Mapping[str, Resource] = field(default_factory=dict)
    existing: Mapping[ArmId, Existing] = field(default_factory=dict)
    edges: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)
    by_id: Mapping[ArmId, Resource] = field(default_factory=dict)
    _edges_to: Mapping[ArmId, Sequence[Edge]] = field(init=False, repr=False, compare=False)
    """The same edges by their target."""

    def __post_init__(self) -> None:
        index: dict[ArmId, list[Edge]] = {}
        for edges in self.edges.values():
            for edge in edges:
                index.setdefault(edge.target, []).append(edge)
        object.__setattr__(self, "_edges_to", index)

    @classmethod
    def of(cls, items: Iterable[Resource | Existing]) -> Graph:
        """Build the graph; raises `PlanError` for two different resources with one id or one address."""
        resources: dict[str, Resource] = {}
        existing: dict[ArmId, Existing] = {}
        by_id: dict[ArmId, Resource] = {}
        for item in items:
            if isinstance(item, Existing):
                known = existing.get(item.id)
                facts = {**(known.facts if known else {}), **item.facts}
                existing[item.id] = Existing(item.address, item.id, facts, item.tenant)
            elif item != (twin := resources.get(item.address, item)):
                raise PlanError(f"Two different resources have the address {item.address}: {twin.id} and {item.id}.")
            elif (other := by_id.get(item.id, item)).address != item.address:
                raise PlanError(f"{item.address} and {other.address} are one resource in Azure: {item.id}.")
            else:
                resources[item.address] = item
                by_id[item.id] = item
        ordered = dict(sorted(resources.items()))
        unmanaged = {key: value for key, value in existing.items() if key not in by_id}
        edges = {address: tuple(_edges_of(resource, by_id)) for address, resource in ordered.items()}
        return cls(ordered, dict(sorted(unmanaged.items())), edges, by_id)

    def needs(self, address: str) -> tuple[ArmId, ...]:
        """Ids of what a resource needs, without repetition, sorted."""
        return tuple(sorted({edge.target for edge in self.edges.get(address, ())}))

    def holders(self, target: ArmId) -> Iterator[Edge]:
        """Edges that point to a resource."""
        yield from self._edges_to.get(target, ())

    def dependents(self, address: str) -> frozenset[str]:
        """Addresses that need this resource, directly or through others."""
        found: set[str] = set()
        frontier = [self.resources[address].id] if address in self.resources else []
        while frontier:
            target = frontier.pop()
            for edge in self.holders(target):
                if edge.holder not in found:
                    found.add(edge.holder)
                    frontier.append(self.resources[edge.holder].id)
        return frozenset(found)

    def needed_first(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Those addresses that are declared, each after what it needs."""
        wanted = sorted(address for address in addresses if address in self.resources)
        known = {i: resource.address for i, resource in self.by_id.items()}
        sorter = graphlib.TopologicalSorter({a: sorted(known[i] for i in self.needs(a) if i in known) for a in wanted})
        return tuple(address for address in sorter.static_order() if address in set(wanted))

    def gates(self, address: str) -> Iterator[tuple[Resource, Gate]]:
        """What a resource needs that people outside must open first (R-ER-10), with its gate; not its child."""
        resource = self.resources[address]
        for target in self.needs(address):
            holder = self.by_id.get(target)
            gate = holder.gate_for(holder.body()) if holder is not None else None
            if holder is not None and gate is not None and resource.id.parent != target:
                yield holder, gate

    def cycle(self) -> Finding | None:
        """A finding that prints the cycle, if there is one."""
        order = {
            address: [self.by_id[edge.target].address for edge in edges if edge.target in self.by_id]
            for address, edges in self.edges.items()
        }
        try:
            graphlib.TopologicalSorter(order).prepare()
        except graphlib.CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            return Finding(
                rule="V-GRAPH-01",
                address=error.args[1][0],
                summary="Resources need each other in a circle",
                detail=f"{circle}. None of them can be created first.",
                advice="Remove one of these references.",
            )
        return None

    def renamed(self, ids: Mapping[ArmId, ArmId]) -> Graph:
        """The graph with other ids, in every reference too (the id in the state beats a derived name)."""
        if not ids:
            return self
        items: list[Resource | Existing] = [relabel(resource, ids) for resource in self.resources.values()]
        return Graph.of([*items, *self.existing.values()])


def relabel(value: Any, ids: Mapping[ArmId, ArmId]) -> Any:
    """A declared value with ids (and ids below them) exchanged."""
    if isinstance(value, ArmId):
        return _exchanged(value, ids)
    if isinstance(value, Ref):
        return type(value)(_exchanged(value.id, ids), _exchanged(value.target, ids))
    if isinstance(value, Output):
        return Output(_exchanged(value.source, ids), value.path, value.secret)
    if isinstance(value, BaseModel):
        changed = {}
        for name in type(value).model_fields:
            before = getattr(value, name)
            after = relabel(before, ids)
            if after is not before and after != before:
                changed[name] = after
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, tuple):
        return tuple(relabel(item, ids) for item in value)
    return value


def _exchanged(resource_id: ArmId, ids: Mapping[ArmId, ArmId]) -> ArmId:
    for old, new in ids.items():
        if old.contains(resource_id):
            return ArmId(new.text + resource_id.text[len(old.text) :])
    return resource_id


def outputs_in(document: Any, path: str = "") -> Iterator[tuple[str, Output]]:
    """Every output in a declared body, with its path."""
    return ((at, value) for at, value in walk(document, path) if isinstance(value, Output))


def _edges_of(resource: Resource, by_id: Mapping[ArmId, Resource]) -> Iterator[Edge]:
    seen: dict[tuple[ArmId, str], Edge] = {}

    def add(target: ArmId, path: str, *, detachable: bool = False, by_value: bool = False) -> None:
        if target != resource.id:
            seen.setdefault((target, path), Edge(resource.address, target, path, detachable, by_value))

    for path, ref, detachable in resource.references():
        add(ref.target, path, detachable=detachable)
    for path, output in outputs_in(resource.body()):
        add(output.source, path, by_value=not output.secret)
    parent = resource.id.parent
    if parent is not None and parent in by_id:
        add(parent, "parent")
    if resource.id.group is not None and resource.id.resource_group in by_id:
        add(resource.id.resource_group, "group")
    yield from sorted(seen.values(), key=lambda edge: (edge.target, edge.path))
