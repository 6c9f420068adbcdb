"""What a change costs the people who use the network: how long, who, and what they must do afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vpngw_iac.engine.change import Action, Change, OutageStatement
from vpngw_iac.engine.drift import Found
from vpngw_iac.engine.graph import Graph
from vpngw_iac.field import OutageLevel
from vpngw_iac.state.model import State

_RANK: dict[OutageLevel, int] = {"none": 0, "seconds": 1, "minutes": 2, "reconfigure": 3}


SPAN: Mapping[OutageLevel, str] = {
    "none": "not at all",
    "seconds": "for seconds",
    "minutes": "for minutes",
    "reconfigure": "until devices on the other side are reconfigured",
}
"""How long, in words."""


def is_longer(level: OutageLevel, limit: OutageLevel) -> bool:
    """Whether an outage is longer than another."""
    return _RANK[level] > _RANK[limit]


def worst(levels: Iterable[OutageLevel]) -> OutageLevel:
    """The longest of several outages."""
    return max(levels, key=_RANK.__getitem__, default="none")


def in_place(found: Iterable[Found]) -> OutageStatement:
    """Outage of an update in place, from the markers of what differs; `who` is added by `stated`.

    A verdict on the very values is more exact than the marker of the property: it decides where there is one.
    """
    items = tuple(found)
    levels = [item.verdict.outage if item.judged else item.outage.level if item.outage else "none" for item in items]
    profiles = any(item.outage is not None and item.outage.profiles for item in items)
    return OutageStatement(level=worst(levels), profiles_stale=profiles)


def rebuilds(found: Iterable[Found]) -> bool:
    """Whether Azure rebuilds the resource to make these changes."""
    return any(f.verdict.rebuild if f.judged else f.outage is not None and f.outage.rebuild for f in found)


def stated(graph: Graph, state: State, change: Change) -> Change:
    """The change with its outage said in full."""
    if change.action in (Action.CREATE, Action.ADOPT, Action.FORGET, Action.MOVE, Action.TAG):
        return change
    who = _who(graph, state, change)
    statement = replace(change.outage, who=who if change.outage.level != "none" else ())
    kind = change.id.type.rsplit("/", 1)[-1].lower()
    if change.action in (Action.REPLACE, Action.DELETE) and (who or kind == "virtualnetworkgateways"):
        statement = OutageStatement(
            level="minutes" if change.action is Action.REPLACE else "reconfigure",
            who=who,
            public_ip_changes=kind == "publicipaddresses",
            profiles_stale=kind == "virtualnetworkgateways" and _has_clients(state, change),
        )
    elif kind == "publicipaddresses" and change.action in (Action.REPLACE, Action.DELETE):
        statement = OutageStatement(level="reconfigure" if who else "none", who=who, public_ip_changes=True)
    return replace(change, outage=statement)


def _who(graph: Graph, state: State, change: Change) -> tuple[str, ...]:
    """Sites, peers and clients that use the resource, directly or through what needs it."""
    names: set[str] = set()
    addresses = {change.address} | graph.dependents(change.address)
    for address in addresses:
        resource, entry = graph.resources.get(address), state.entries.get(address)
        if entry is not None:  # somebody who is only being added loses nothing
            names.update(resource.transient if resource else entry.transient)
    if change.action is Action.DELETE:
        names.update(name for e in state.entries.values() if change.id in e.needs for name in e.transient)
    return tuple(sorted(names))


def _has_clients(state: State, change: Change) -> bool:
    entry = state.entries.get(change.address)
    return bool(entry and (entry.applied.get("properties") or {}).get("vpnClientConfiguration"))
