"""What a change costs the people who use the network: how long, who, and what they must do afterwards.

How long exactly says `downtime`, from the schedule of the whole plan; what is allowed says `allowance`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import Found
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.plan.cascade import coexists
from vpngw_iac.engine.plan.change import Action, Change, Loss, OutageStatement
from vpngw_iac.engine.plan.inputs import Basis
from vpngw_iac.engine.ports import Attached
from vpngw_iac.field import OutageLevel
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.state.model import Entry, State

EVERYBODY, PEERS, CLIENTS = "everybody", "BGP peers", "clients"
"""Audiences of an outage until their names are known."""

CLIENTS_OF = "clients of "
_PEERING = "virtualnetworkpeerings"
_CARRIERS = ("connections", _PEERING)
"""What carries the traffic of a name by itself."""

_NEW_PROFILES = "they have new profiles"
_NEW_ADDRESS = "the device has the new address"
_KEY_OR_NOT = "the device has the key, if it is another one than before"

_RANK: dict[OutageLevel, int] = {"none": 0, "seconds": 1, "minutes": 2, "reconfigure": 3}


def is_longer(level: OutageLevel, limit: OutageLevel) -> bool:
    """Whether an outage is longer than another."""
    return _RANK[level] > _RANK[limit]


def worst(levels: Iterable[OutageLevel]) -> OutageLevel:
    """The longest of several outages."""
    return max(levels, key=_RANK.__getitem__, default="none")


# --- from differences to audiences -----------------------------------------------------------------------------------


def in_place(found: Iterable[Found]) -> OutageStatement:
    """Outage of an update in place, from the markers of what differs; `stated` says for whom.

    A verdict on the very values is more exact than the marker of the property: it decides where there is one. The
    losses of BGP peers and clients stand under the names of these audiences until then.
    """
    items = tuple(found)
    losses = [loss for item in items for loss in _audiences(item) if loss.level != "none"]
    profiles = any(item.outage.profiles for item in items if item.outage is not None)
    return OutageStatement(worst(loss.level for loss in losses), profiles_stale=profiles, losses=tuple(losses))


def resent() -> OutageStatement:
    """Outage of a secret that is set again although nobody can tell whether it is another one."""
    return OutageStatement("reconfigure", losses=(Loss(EVERYBODY, "reconfigure", until=_KEY_OR_NOT),))


def _audiences(item: Found) -> Iterator[Loss]:
    mark = item.outage
    if item.secret and item.difference.declared is None:
        return  # what takes its place says what it costs
    everybody = item.verdict.outage if item.judged else mark.level if mark else "none"
    yield Loss(EVERYBODY, everybody, until=mark.until if mark and not item.judged else "")
    if mark is not None:
        gone = item.difference.declared is None
        yield Loss(PEERS, mark.peers, until=mark.until)
        yield Loss(CLIENTS, worst((mark.clients, mark.removed if gone else "none")), until=mark.until or _NEW_PROFILES)


def rebuilds(found: Iterable[Found]) -> bool:
    """Whether Azure rebuilds the resource to make these changes."""
    return any(f.verdict.rebuild if f.judged else f.outage is not None and f.outage.rebuild for f in found)


# --- from audiences to names -----------------------------------------------------------------------------------------


def stated(basis: Basis, lines: Lines, change: Change) -> Change:
    """The change with its outage said in full, but for how long our operations take."""
    graph, state = basis.graph, basis.state
    if change.action is Action.CREATE:
        return replace(change, outage=OutageStatement(profiles_stale=_opens_a_way(graph, state, change)))
    if change.action in (Action.ADOPT, Action.FORGET, Action.MOVE, Action.TAG):
        return change
    public = Public.of(basis, lines, change)
    if change.action in (Action.REPLACE, Action.DELETE):
        statement = _of_removal(lines, change, public)
    else:
        stale = change.outage.profiles_stale and bool(public.clients)
        statement = replace(_resolved(lines, change, change.outage, public), profiles_stale=stale)
    return replace(change, outage=statement)


def _of_removal(lines: Lines, change: Change, public: Public) -> OutageStatement:
    """A gateway comes back under other names for its clients, a public IP with another address for everybody."""
    kind = kind_of(change.id)
    is_gateway, is_address = kind == "virtualnetworkgateways", kind == "publicipaddresses"
    if not public.everybody and not is_gateway:
        return OutageStatement(public_ip_changes=is_address)
    level: OutageLevel = "reconfigure" if change.action is Action.DELETE or is_address else "minutes"
    if coexists(change):
        level = "seconds"  # the old one goes when the new one carries
    losses = [Loss(EVERYBODY, level, until=_NEW_ADDRESS if is_address else "")]
    if is_gateway and public.clients:
        losses.append(Loss(CLIENTS, "reconfigure", until=_NEW_PROFILES))
    statement = OutageStatement(level, public_ip_changes=is_address, losses=tuple(losses))
    told = _resolved(lines, change, statement, public)
    return replace(told, profiles_stale=is_gateway and bool(public.clients))


def _resolved(lines: Lines, change: Change, statement: OutageStatement, public: Public) -> OutageStatement:
    """The statement with names in place of audiences: each name once, at its worst."""
    found: dict[str, list[Loss]] = {}
    for loss in statement.losses:
        for name in public.of_audience(loss.name):
            found.setdefault(name, []).append(loss)
    whole = change.action in (Action.REPLACE, Action.DELETE) and not coexists(change)
    losses = [_joined(lines, change, name, parts, whole=whole) for name, parts in sorted(found.items())]
    losses = [replace(loss, foreign=loss.name in public.guests) for loss in losses]
    # Who hangs on it and is nobody of ours suffers what everybody suffers.
    strangers = [loss for loss in statement.losses if loss.name == EVERYBODY]
    if strangers and not losses:
        losses = [_joined(lines, change, "", strangers, whole=whole)]
    by_level: dict[OutageLevel, tuple[str, ...]] = {
        level: names
        for level in sorted(_RANK, key=lambda level: -_RANK[level])
        if (names := tuple(loss.name for loss in losses if loss.level == level and loss.name))
    }
    return replace(
        statement,
        level=worst([*(loss.level for loss in losses), *(loss.level for loss in strangers)]),
        who=tuple(loss.name for loss in losses if loss.name),
        by_level=by_level if len(by_level) > 1 else {},
        losses=tuple(losses),
    )


def _joined(lines: Lines, change: Change, name: str, parts: list[Loss], *, whole: bool) -> Loss:
    """Everything that a change does to one name."""
    level = worst(part.level for part in parts)
    if level == "reconfigure" and change.action is not Action.DELETE and lines.has_both_ends(change.address):
        level = "seconds"
    untils = dict.fromkeys(p.until for p in parts if p.level == "reconfigure" and p.until)
    for_good = name not in lines.after and (change.action is Action.DELETE or _ends_clients(change, name))
    operations: OutageLevel = "minutes" if whole or change.rebuild else "seconds"
    return Loss(
        name,
        level,
        until=" and ".join(untils) if level == "reconfigure" and not for_good else "",
        for_good=for_good and level == "reconfigure",
        operations="none" if for_good else worst([operations, *(p.level for p in parts if p.level == "minutes")]),
    )


def _ends_clients(change: Change, name: str) -> bool:
    """Whether point-to-site goes with this change."""
    gone = any(d.path == "properties.vpnClientConfiguration" and d.declared is None for d in change.differences)
    return gone and name.startswith(CLIENTS_OF)


@dataclass(frozen=True, slots=True)
class Lines:
    """Who is carried by what, before a plan and after it."""

    before: Mapping[str, tuple[str, ...]]
    """Addresses of the connections and peerings that carry each name today."""
    after: frozenset[str]
    """Names that something declared still carries; clients, where their gateway still serves any."""
    pairs: frozenset[str]
    """Addresses of connections whose other end this deployment declares too."""
    users: Mapping[ArmId, tuple[str, ...]]
    """Addresses of the entries that need each id."""
    guests: Mapping[str, tuple[Attached, ...]]
    """Connections of others, in whatever group, that lead to the same other end as one of a name."""

    @classmethod
    def of(cls, basis: Basis) -> Lines:
        """From what is remembered and present, and from what is declared."""
        before: dict[str, list[str]] = {}
        users: dict[ArmId, list[str]] = {}
        for address, entry in sorted(basis.state.entries.items()):
            for needed in entry.needs:
                users.setdefault(needed, []).append(address)
            if is_carrier(entry.id) and basis.snapshot.get(entry.id).present:
                for name in _names(basis.graph, address, entry):
                    before.setdefault(name, []).append(address)
        declared = [r for r in basis.graph.resources.values() if is_carrier(r.id)]
        after = {name for resource in declared for name in resource.transient}
        served = {f"{CLIENTS_OF}{r.id.name}" for r in basis.graph.resources.values() if _serves_clients(r)}
        pairs = frozenset(_pairs(basis.graph, [r for r in declared if kind_of(r.id) == "connections"]))
        guests = _guests_by_name(basis, before)
        return cls(_frozen(before), frozenset(after | served), pairs, _frozen(users), guests)

    def has_both_ends(self, address: str) -> bool:
        """Whether both connections of a pair are ours: nobody outside has to set anything."""
        return address in self.pairs


def _guests_by_name(basis: Basis, before: Mapping[str, list[str]]) -> dict[str, tuple[Attached, ...]]:
    foreign = [item for item in _guests(basis) if item.leads_to]
    found: dict[str, tuple[Attached, ...]] = {}
    for name, addresses in before.items() if foreign else ():
        entries = [basis.state.entries[address] for address in addresses]
        ends = {end for e in entries if (model := type_of(e.id.type)) for end in model.leads_to(e.applied)}
        if carrying := tuple(item for item in foreign if item.leads_to & ends):
            found[name] = carrying
    return found


def _guests(basis: Basis) -> Iterator[Attached]:
    """Connections on gateways of ours that are not ours."""
    ours = {entry.id for entry in basis.state.entries.values()} | set(basis.graph.by_id)
    yield from (item for item in basis.snapshot.attached if item.kind == "connection" and item.id not in ours)


def _frozen(lists: Mapping[Any, list[str]]) -> dict[Any, tuple[str, ...]]:
    return {key: tuple(found) for key, found in lists.items()}


def _pairs(graph: Graph, connections: list[Resource]) -> Iterator[str]:
    """Connections that name each other's gateway."""
    ends = {r.address: [(near, far) for near in _near(graph, r) for far in r.transient] for r in connections}
    joined = {end for found in ends.values() for end in found}
    yield from (address for address, found in ends.items() if any((far, near) in joined for near, far in found))


def _near(graph: Graph, connection: Resource) -> set[str]:
    """Names of the gateways that a connection stands on, as opposed to the one that it leads to."""
    gateways = {t.name for t in graph.needs(connection.address) if kind_of(t) == "virtualnetworkgateways"}
    return gateways - set(connection.transient)


def _serves_clients(resource: Resource) -> bool:
    properties = resource.body().get("properties") if kind_of(resource.id) == "virtualnetworkgateways" else None
    return bool((properties or {}).get("vpnClientConfiguration"))


# --- who -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Public:
    """Those who use what changes: sites, peers and clients, directly or through what needs it."""

    everybody: frozenset[str]
    peers: frozenset[str]
    """Those among them who speak BGP."""
    clients: frozenset[str]
    """Point-to-site clients that are there already."""
    guests: frozenset[str]
    """Connections of others on a gateway among what changes; whether they speak BGP is not known."""

    @classmethod
    def of(cls, basis: Basis, lines: Lines, change: Change) -> Public:
        """The public of a change; somebody who is only being added loses nothing."""
        graph, state = basis.graph, basis.state
        addresses = {change.address} | graph.dependents(change.address)
        users = lines.users.get(change.id, ()) if change.action is Action.DELETE else ()
        orphans = {address for address in users if _lose(change.id, state.entries[address])}
        known = [(address, state.entries[address]) for address in addresses | orphans if address in state.entries]
        names = {name for address, entry in known for name in _names(graph, address, entry)}
        clients = _clients(state, {*addresses, *_beyond_peerings(graph, addresses)})
        peers = {n for address, entry in known if _speaks_bgp(entry) for n in _names(graph, address, entry)}
        mine = {name for name in names if not name.startswith(CLIENTS_OF)}
        guests = guests_on(basis, {change.id, *(entry.id for _, entry in known)})
        everybody = mine | (clients & names) | guests
        return cls(frozenset(everybody), frozenset(peers & mine | guests), frozenset(clients), guests)

    def of_audience(self, audience: str) -> frozenset[str]:
        """The names of an audience."""
        return {EVERYBODY: self.everybody, PEERS: self.peers, CLIENTS: self.clients}[audience]


def _lose(gone: ArmId, holder: Entry) -> bool:
    """Whether the users of a holder lose what goes; a default site is taken off its gateway by an update of its own."""
    return not (kind_of(gone) == "localnetworkgateways" and kind_of(holder.id) == "virtualnetworkgateways")


def _names(graph: Graph, address: str, entry: Entry) -> tuple[str, ...]:
    resource = graph.resources.get(address)
    return resource.transient if resource else entry.transient


def _speaks_bgp(entry: Entry) -> bool:
    return kind_of(entry.id) == "connections" and bool((entry.applied.get("properties") or {}).get("enableBgp"))


def _clients(state: State, addresses: Iterable[str]) -> set[str]:
    """Clients of those gateways that serve any."""
    entries = [state.entries[address] for address in addresses if address in state.entries]
    return {
        f"{CLIENTS_OF}{entry.id.name}"
        for entry in entries
        if kind_of(entry.id) == "virtualnetworkgateways"
        and (entry.applied.get("properties") or {}).get("vpnClientConfiguration")
    }


def _beyond_peerings(graph: Graph, addresses: Iterable[str]) -> set[str]:
    """What stands in the networks that peerings among these join: their gateways serve both."""
    peerings = [a for a in addresses if a in graph.resources and kind_of(graph.resources[a].id) == _PEERING]
    networks = [t for a in peerings for t in graph.needs(a) if t in graph.by_id and kind_of(t) == "virtualnetworks"]
    return {found for network in networks for found in graph.dependents(graph.by_id[network].address)}


def _opens_a_way(graph: Graph, state: State, change: Change) -> bool:
    """Clients reach a newly peered network only with a new profile (R-PEER-06)."""
    resource = graph.resources.get(change.address)
    if resource is None or kind_of(change.id) != _PEERING:
        return False
    properties = resource.body().get("properties") or {}
    lent = properties.get("useRemoteGateways") or properties.get("allowGatewayTransit")
    return bool(lent) and bool(_clients(state, _beyond_peerings(graph, [change.address])))


def guests_on(basis: Basis, gateways: Iterable[ArmId]) -> frozenset[str]:
    """Names of connections on these gateways that are not ours, in whatever group."""
    wanted = set(gateways)
    if not any(kind_of(gateway) == "virtualnetworkgateways" for gateway in wanted):
        return frozenset()
    return frozenset(item.name for item in _guests(basis) if item.holder in wanted)


def kind_of(resource_id: ArmId) -> str:
    """The last part of its type, in lower case."""
    return resource_id.type.rsplit("/", 1)[-1].lower()


def is_carrier(resource_id: ArmId) -> bool:
    """Whether it carries the traffic of a name by itself."""
    return kind_of(resource_id) in _CARRIERS
