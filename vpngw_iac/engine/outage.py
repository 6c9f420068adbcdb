"""What a change costs the people who use the network: how long, who, and what they must do afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.change import Action, Change, OutageStatement
from vpngw_iac.engine.drift import Found
from vpngw_iac.engine.graph import Graph
from vpngw_iac.field import OutageLevel
from vpngw_iac.state.model import Entry, State

EVERYBODY, PEERS, CLIENTS = "everybody", "BGP peers", "clients"
"""Audiences of an outage until their names are known."""

_CLIENTS_OF = "clients of "
_PEERING = "virtualnetworkpeerings"

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
    """Outage of an update in place, from the markers of what differs; `stated` says for whom.

    A verdict on the very values is more exact than the marker of the property: it decides where there is one. The
    levels of BGP peers and clients stand under the names of these audiences until then.
    """
    items = tuple(found)
    everybody = worst(i.verdict.outage if i.judged else i.outage.level if i.outage else "none" for i in items)
    marked = [item.outage for item in items if item.outage is not None]
    peers, clients = worst(mark.peers for mark in marked), worst(mark.clients for mark in marked)
    by_level: dict[OutageLevel, tuple[str, ...]] = {}
    for level, audience in ((everybody, EVERYBODY), (peers, PEERS), (clients, CLIENTS)):
        if level != "none":
            by_level[level] = (*by_level.get(level, ()), audience)
    return OutageStatement(worst(by_level), by_level=by_level, profiles_stale=any(mark.profiles for mark in marked))


def rebuilds(found: Iterable[Found]) -> bool:
    """Whether Azure rebuilds the resource to make these changes."""
    return any(f.verdict.rebuild if f.judged else f.outage is not None and f.outage.rebuild for f in found)


def stated(graph: Graph, state: State, change: Change) -> Change:
    """The change with its outage said in full."""
    if change.action is Action.CREATE:
        return replace(change, outage=OutageStatement(profiles_stale=_opens_a_way(graph, state, change)))
    if change.action in (Action.ADOPT, Action.FORGET, Action.MOVE, Action.TAG):
        return change
    public = Public.of(graph, state, change)
    if change.action in (Action.REPLACE, Action.DELETE):
        statement = _of_removal(change, public)
    else:
        stale = change.outage.profiles_stale and bool(public.clients)
        statement = replace(_resolved(change.outage, public), profiles_stale=stale)
    return replace(change, outage=statement)


def _of_removal(change: Change, public: Public) -> OutageStatement:
    """A gateway comes back under other names for its clients, a public IP with another address for everybody."""
    kind = _kind(change.id)
    is_gateway, is_address = kind == "virtualnetworkgateways", kind == "publicipaddresses"
    if not public.everybody and not is_gateway:
        return OutageStatement(public_ip_changes=is_address)
    level: OutageLevel = "reconfigure" if change.action is Action.DELETE or is_address else "minutes"
    by_level: dict[OutageLevel, tuple[str, ...]] = {level: (EVERYBODY,)}
    if is_gateway and public.clients:
        by_level["reconfigure"] = (*by_level.get("reconfigure", ()), CLIENTS)
    statement = OutageStatement(worst(by_level), by_level=by_level, public_ip_changes=is_address)
    return replace(_resolved(statement, public), profiles_stale=is_gateway and bool(public.clients))


def _resolved(statement: OutageStatement, public: Public) -> OutageStatement:
    """The statement with names in place of audiences: each name once, at its worst."""
    levels: dict[str, OutageLevel] = {}
    for level, audiences in statement.by_level.items():
        for name in (name for audience in audiences for name in public.of_audience(audience)):
            levels[name] = worst((level, levels.get(name, "none")))
    by_level = {level: tuple(sorted(n for n, its in levels.items() if its == level)) for level in set(levels.values())}
    told = dict(sorted(by_level.items(), key=lambda item: -_RANK[item[0]]))
    # Who hangs on it and is nobody of ours suffers what everybody suffers.
    strangers = worst(level for level, audiences in statement.by_level.items() if EVERYBODY in audiences)
    return replace(
        statement,
        level=worst([*told, strangers]),
        who=tuple(sorted(levels)),
        by_level=told if len(told) > 1 else {},
    )


@dataclass(frozen=True, slots=True)
class Public:
    """Those who use what changes: sites, peers and clients, directly or through what needs it."""

    everybody: frozenset[str]
    peers: frozenset[str]
    """Those among them who speak BGP."""
    clients: frozenset[str]
    """Point-to-site clients that are there already."""

    @classmethod
    def of(cls, graph: Graph, state: State, change: Change) -> Public:
        """The public of a change; somebody who is only being added loses nothing."""
        addresses = {change.address} | graph.dependents(change.address)
        removed = change.action is Action.DELETE
        orphans = {
            e.address for e in state.entries.values() if removed and change.id in e.needs and _lose(change.id, e)
        }
        known = [(address, state.entries[address]) for address in addresses | orphans if address in state.entries]
        names = {name for address, entry in known for name in _names(graph, address, entry)}
        clients = _clients(state, {*addresses, *_beyond_peerings(graph, addresses)})
        peers = {n for address, entry in known if _speaks_bgp(entry) for n in _names(graph, address, entry)}
        mine = {name for name in names if not name.startswith(_CLIENTS_OF)}
        return cls(frozenset(mine | (clients & names)), frozenset(peers & mine), frozenset(clients))

    def of_audience(self, audience: str) -> frozenset[str]:
        """The names of an audience."""
        return {EVERYBODY: self.everybody, PEERS: self.peers, CLIENTS: self.clients}[audience]


def _lose(gone: ArmId, holder: Entry) -> bool:
    """Whether the users of a holder lose what goes; a default site is taken off its gateway by an update of its own."""
    return not (_kind(gone) == "localnetworkgateways" and _kind(holder.id) == "virtualnetworkgateways")


def _names(graph: Graph, address: str, entry: Entry) -> tuple[str, ...]:
    resource = graph.resources.get(address)
    return resource.transient if resource else entry.transient


def _speaks_bgp(entry: Entry) -> bool:
    return _kind(entry.id) == "connections" and bool((entry.applied.get("properties") or {}).get("enableBgp"))


def _clients(state: State, addresses: Iterable[str]) -> set[str]:
    """Clients of those gateways that serve any."""
    entries = [state.entries[address] for address in addresses if address in state.entries]
    return {
        f"{_CLIENTS_OF}{entry.id.name}"
        for entry in entries
        if _kind(entry.id) == "virtualnetworkgateways"
        and (entry.applied.get("properties") or {}).get("vpnClientConfiguration")
    }


def _beyond_peerings(graph: Graph, addresses: Iterable[str]) -> set[str]:
    """What stands in the networks that peerings among these join: their gateways serve both."""
    peerings = [a for a in addresses if a in graph.resources and _kind(graph.resources[a].id) == _PEERING]
    networks = [t for a in peerings for t in graph.needs(a) if t in graph.by_id and _kind(t) == "virtualnetworks"]
    return {found for network in networks for found in graph.dependents(graph.by_id[network].address)}


def _opens_a_way(graph: Graph, state: State, change: Change) -> bool:
    """Clients reach a newly peered network only with a new profile (R-PEER-06)."""
    resource = graph.resources.get(change.address)
    if resource is None or _kind(change.id) != _PEERING:
        return False
    properties = resource.body().get("properties") or {}
    lent = properties.get("useRemoteGateways") or properties.get("allowGatewayTransit")
    return bool(lent) and bool(_clients(state, _beyond_peerings(graph, [change.address])))


def _kind(resource_id: ArmId) -> str:
    return resource_id.type.rsplit("/", 1)[-1].lower()
