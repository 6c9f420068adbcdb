"""What becomes one resource of a template: a resource, with those of its children that are better written inside it.

A PUT is a full replacement, and a deployment is PUTs: a network without its subnets, written again, would lose them
(R-SUBNET-19), a gateway its NAT rules, a circuit its peerings and authorizations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import PeeringSide, Resource
from vpngw_iac.resources.graph import Graph

T = TypeVar("T")

INSIDE = {
    "microsoft.network/virtualnetworks/subnets": "subnets",
    "microsoft.network/virtualnetworkgateways/natrules": "natRules",
    "microsoft.network/expressroutecircuits/peerings": "peerings",
    "microsoft.network/expressroutecircuits/authorizations": "authorizations",
}
"""Types that are written inside their parent, and under which name there."""
AT_A_TIME = 4
"""Connections and NAT rules of one gateway that are written at a time (R-OPS-02)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One resource of a template."""

    resource: Resource
    children: tuple[Resource, ...]
    needs: frozenset[ArmId]
    """Heads of the units that must be there before, as references say it."""

    @property
    def id(self) -> ArmId:
        """Its head's."""
        return self.resource.id

    @property
    def members(self) -> tuple[Resource, ...]:
        """The head and what is inside."""
        return (self.resource, *self.children)


def unsaid(graph: Graph) -> Iterator[tuple[Resource, str]]:
    """Resources of which only a part is ours: a PUT would take the rest away."""
    for resource in graph.resources.values():
        if isinstance(resource, PeeringSide) and not resource.owns_all(resource.body()):
            yield resource, "only its transit flags are yours; a template would write the whole peering"


def units(graph: Graph, without: Mapping[ArmId, str]) -> list[Unit]:
    """All of a graph but for `without`, each after what it needs; the same graph gives the same order."""
    kept = {i: resource for i, resource in graph.by_id.items() if i not in without}
    heads = {i: i for i in kept}
    for identifier, resource in sorted(kept.items()):
        parent = identifier.parent
        if identifier.type.lower() in INSIDE and parent in kept and not _turns(graph, resource, parent):
            heads[identifier] = parent
    needs: dict[ArmId, set[ArmId]] = {head: set() for head in heads.values()}
    for identifier, resource in kept.items():
        for target in graph.needs(resource.address):
            if target in heads and heads[target] != heads[identifier]:
                needs[heads[identifier]].add(heads[target])
    inside: dict[ArmId, list[Resource]] = {head: [] for head in needs}
    for identifier, head in sorted(heads.items()):
        if identifier != head:
            inside[head].append(kept[identifier])
    order = TopologicalSorter({head: sorted(targets) for head, targets in sorted(needs.items())}).static_order()
    return [Unit(kept[head], tuple(inside[head]), frozenset(needs[head])) for head in order]


def _turns(graph: Graph, child: Resource, parent: ArmId) -> bool:
    """Whether a child needs something that needs its parent: then it cannot be written inside."""
    below = graph.dependents(graph.by_id[parent].address)
    needed = (graph.by_id[target].address for target in graph.needs(child.address) if target in graph.by_id)
    return any(address in below for address in needed if address != child.address)


def waits(units_in_order: list[Unit]) -> dict[ArmId, set[ArmId]]:
    """What each unit waits for: what it needs, and its turn at what Azure lets be written once (or four) at a time."""
    known = {unit.id for unit in units_in_order}
    found = {unit.id: set(unit.needs & known) for unit in units_in_order}
    turns: dict[str, list[ArmId]] = {}
    for unit in units_in_order:
        for name, wide in _locks(unit):
            queue = turns.setdefault(name, [])
            lanes = AT_A_TIME if wide else 1
            if len(queue) >= lanes:
                found[unit.id].add(queue[-lanes])
            queue.append(unit.id)
    return {identifier: needed_last(direct, found.__getitem__) for identifier, direct in found.items()}


def _locks(unit: Unit) -> list[tuple[str, bool]]:
    locks = {
        (lock.name, lock.adaptive)
        for resource in unit.members
        for lock in type(resource).locks(resource.id, resource.body(), "create")
        if resource is unit.resource or not lock.adaptive
    }
    return sorted(locks)


def needed_last(direct: set[T], needs: Callable[[T], Iterable[T]]) -> set[T]:
    """Of what something needs itself, all but what another one of it needs already; `needs` leads in no circle."""
    through: set[T] = set()
    frontier = [each for target in direct for each in needs(target)]
    while frontier:
        target = frontier.pop()
        if target not in through:
            through.add(target)
            frontier += needs(target)
    return direct - through
