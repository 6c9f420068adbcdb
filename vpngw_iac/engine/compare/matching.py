"""Which entry belongs to which declared resource: by ARM id first, by address second (and by what was moved)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.model import Entry, State


@dataclass(frozen=True, slots=True)
class Match:
    """The pairing. `graph` has the ids of the state where a name was only derived."""

    graph: Graph
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """Entry of each declared address that has one."""
    moves: Mapping[str, str] = field(default_factory=dict)
    """New address to old address, for entries that only change their address."""
    orphans: tuple[Entry, ...] = ()
    """Entries that nothing declared belongs to."""
    left: Mapping[str, Entry] = field(default_factory=dict)
    """Entries that point elsewhere and are let go, because what stands at the declared id is adopted instead."""


def match(graph: Graph, state: State, moved: Mapping[str, str]) -> Match:
    """Pair entries and resources."""
    old_of = dict(_renamed_addresses(graph, state, moved))
    graph = graph.renamed(dict(_names_to_keep(graph, state, old_of)))
    by_id = state.by_id()
    entries: dict[str, Entry] = {}
    moves: dict[str, str] = {}
    for address, resource in graph.resources.items():
        entry = by_id.get(resource.id) or state.entries.get(old_of.get(address, address))
        if entry is not None and _fits(entry, resource, graph):
            entries[address] = entry
            if entry.address != address:
                moves[address] = entry.address
    claimed = {entry.address for entry in entries.values()}
    orphans = tuple(entry for address, entry in sorted(state.entries.items()) if address not in claimed)
    return Match(graph, entries, moves, orphans)


def _fits(entry: Entry, resource: Resource, graph: Graph) -> bool:
    """An entry found by address only fits if no other declared resource has its id."""
    if entry.id == resource.id:
        return True
    return entry.id.type.lower() == resource.id.type.lower() and entry.id not in graph.by_id


def _names_to_keep(graph: Graph, state: State, old_of: Mapping[str, str]) -> Iterator[tuple[ArmId, ArmId]]:
    """Declared ids whose name was derived and for which the state knows another name: the state's id stays."""
    known = state.by_id()
    for address, resource in graph.resources.items():
        entry = state.entries.get(old_of.get(address, address))
        if not resource.derived_name or entry is None or resource.id in known or entry.id in graph.by_id:
            continue
        same_place = entry.id.parent == resource.id.parent and entry.id.type.lower() == resource.id.type.lower()
        if same_place and entry.id != resource.id:
            yield resource.id, entry.id


def _renamed_addresses(graph: Graph, state: State, moved: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """New address to the old one for everything that ``moved={"old": "new"}`` renames and that is now declared.

    A key with a slash is an address (or the start of one); a bare name is a site, peer or gateway: it stands for every
    address that contains it as a part, links included.
    """
    for address in state.entries:
        if address in graph.resources:
            continue
        for old, new in moved.items():
            candidate = _rename(address, old, new)
            if candidate != address and candidate in graph.resources and candidate not in state.entries:
                yield candidate, address
                break


def _rename(address: str, old: str, new: str) -> str:
    if "/" in old:
        if address == old or address.startswith(old + "/"):
            return new + address[len(old) :]
        return address
    kind, *parts = address.split("/")
    renamed = (new + part[len(old) :] if f"{part}-".startswith(f"{old}-") else part for part in parts)
    return "/".join((kind, *renamed))
