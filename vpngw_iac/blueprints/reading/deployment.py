"""A whole deployment, read: the kinds of blueprint that say it, and what became of every resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.circuit import CircuitLink
from vpngw_iac.blueprints.client import ClientAccess
from vpngw_iac.blueprints.coexistence import ExpressRouteCoexistence
from vpngw_iac.blueprints.contribution import GatewayLike
from vpngw_iac.blueprints.expressroute import ExpressRoute
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.point_to_site import PointToSite
from vpngw_iac.blueprints.reading.circuits import bare_circuits, linked_gateways, links_of, reaches_of
from vpngw_iac.blueprints.reading.clients import client_access
from vpngw_iac.blueprints.reading.documents import Documents, Seen, network_id
from vpngw_iac.blueprints.reading.gateways import existing_gateway, expressroute_gateway, vpn_gateway
from vpngw_iac.blueprints.reading.ipsec_pairs import PairSide, PairSides, ipsec_pairs, pair_over_ipsec
from vpngw_iac.blueprints.reading.naming import with_naming
from vpngw_iac.blueprints.reading.nat import rules_of
from vpngw_iac.blueprints.reading.networks import with_known_peerings
from vpngw_iac.blueprints.reading.notes import Account, MissingSecret, Notes
from vpngw_iac.blueprints.reading.others import settle
from vpngw_iac.blueprints.reading.peer import pairs_of, spokes_of
from vpngw_iac.blueprints.reading.plain import Unsaid
from vpngw_iac.blueprints.reading.tags import with_common_tags
from vpngw_iac.blueprints.reading.tunnels import connections_of, instance_names, sites_of, spare_local_gateways
from vpngw_iac.blueprints.site import LocalGateway, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.topology import Topology
from vpngw_iac.blueprints.vnet_to_vnet import VnetToVnet
from vpngw_iac.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """A blueprint that says what was read (None if there is nothing to say), and the account of all of it."""

    blueprint: Blueprint | None
    accounts: tuple[Account, ...]
    secrets: tuple[MissingSecret, ...]
    remarks: Mapping[ArmId, Sequence[str]]
    """What must be said beside a resource."""
    names: Mapping[ArmId, str]
    """What sites and circuit links are called, by the id of their connection."""
    joined: Mapping[ArmId, frozenset[ArmId]]
    """Connections that were read together, by the id of each resource of them."""


@dataclass(slots=True)
class _Gateway:
    """A gateway with what hangs on it."""

    id: ArmId
    network: ArmId | None
    part: GatewayLike
    sites: tuple[Site, ...] = ()
    spare: tuple[LocalGateway, ...] = ()
    clients: ClientAccess | None = None
    circuits: tuple[CircuitLink, ...] = ()
    spokes: tuple[Spoke, ...] = ()
    paired: bool = False

    @property
    def needs_sites(self) -> bool:
        """Whether a site-to-site blueprint must say it."""
        alone = not (self.clients or self.paired)
        return bool(self.sites or self.spare or (self.spokes and not self.clients) or alone)

    @property
    def name(self) -> str:
        return self.part.name


_Kind = tuple[str, type[Blueprint], dict[str, Any]]
"""Name, kind and fields of a blueprint."""


@dataclass(slots=True)
class _Found:
    vpn: list[_Gateway] = field(default_factory=list)
    expressroute: list[_Gateway] = field(default_factory=list)


def read(documents: Documents, name: str) -> Reading:
    """Read documents into one blueprint under the name of its deployment. Pure: the same gives the same.

    What cannot be said is written as existing or left alone, with the reason in its account.
    """
    notes = Notes(documents)
    found = _Found()
    over_ipsec = list(ipsec_pairs(documents, notes))
    notes.paired = {tunnel.id for sides in over_ipsec for side in sides for tunnel in side.tunnels}
    linked = linked_gateways(notes)
    for identity, seen in documents.wanted_gateways():
        if documents.is_gateway_of(identity, "Vpn"):
            found.vpn.append(_vpn(notes, identity, seen))
        elif documents.is_gateway_of(identity, "ExpressRoute"):
            found.expressroute.append(_expressroute(notes, identity, seen, linked))
    if wrong := _not_ours(notes, over_ipsec):
        return read(replace(documents, apart=documents.apart | wrong), name)
    _note_spares(notes, found)
    joined = tuple(_joined(notes, *sides) for sides in over_ipsec)
    pairs = _with_guests(notes, found, (*pairs_of(notes, [gateway.id for gateway in found.vpn]), *joined))
    _note_pairs(found, pairs)
    _note_spokes(notes, found)
    bare = bare_circuits(notes)
    parts = list(_kinds(notes, found, pairs, _said(circuits=bare, global_reach=reaches_of(notes))))
    for _, _, values in parts:
        _note_used(notes, values)
    settle(notes)
    accounts = tuple(notes.accounts[identity] for identity in sorted(notes.accounts))
    blueprint = _one(name, parts)
    if blueprint is not None:
        blueprint = with_naming(with_common_tags(with_known_peerings(blueprint, notes), notes))
    secrets = tuple(notes.secrets[key] for key in sorted(notes.secrets))
    return Reading(blueprint, accounts, secrets, notes.remarks, notes.names, notes.joined)


def _not_ours(notes: Notes, over_ipsec: list[PairSides]) -> frozenset[ArmId]:
    """Connections of pairs of which one gateway turned out to be only used: they are sites."""
    return frozenset(
        tunnel.id
        for sides in over_ipsec
        if not all(isinstance(notes.gateways[side.gateway], VpnGateway) for side in sides)
        for side in sides
        for tunnel in side.tunnels
    )


def _joined(notes: Notes, one: PairSide, two: PairSide) -> Pair:
    pair = pair_over_ipsec(notes, one, two)
    notes.manage(*one.ids, *two.ids)
    notes.join((tunnel.id for side in (one, two) for tunnel in side.tunnels), (*one.ids, *two.ids))
    return pair


def _one(name: str, parts: list[_Kind]) -> Blueprint | None:
    """The only kind under the deployment's name, or all of them in a topology."""
    if len(parts) == 1:
        _, kind, values = parts[0]
        return kind(name=name, **values)
    taken: dict[str, int] = {}
    inner = []
    for own, kind, values in parts:
        taken[own.lower()] = number = taken.get(own.lower(), 0) + 1
        inner.append(kind(name=own if number == 1 else f"{own}-{number}", **values))
    return Topology(name=name, blueprints=tuple(inner)) if inner else None


# --- gateways --------------------------------------------------------------------------------------------------------


def _vpn(notes: Notes, identity: ArmId, seen: Seen) -> _Gateway:
    connections = [connection for _, connection in connections_of(notes, identity, "IPsec")]
    rules = rules_of(notes, identity, seen, instance_names(seen), connections)
    sites = sites_of(notes, identity, seen, rules)
    clients = _clients(notes, identity, seen)
    part: GatewayLike
    try:
        notes.require_ours(identity)
        with notes.attempt():
            part = vpn_gateway(notes, identity, seen, sites, clients, rules)
    except Unsaid as error:
        part, clients = existing_gateway(notes, identity, str(error)), None
    rules.settle(notes, kept=isinstance(part, VpnGateway))
    notes.gateways[identity] = part
    return _Gateway(identity, network_id(seen), part, tuple(sites.sites), clients=clients)


def _clients(notes: Notes, identity: ArmId, seen: Seen) -> ClientAccess | None:
    try:
        with notes.attempt():
            return client_access(notes, identity, seen)
    except Unsaid as error:
        notes.remarks.setdefault(identity, []).append(f"Its clients are kept as they are: {error}.")
        return None


def _expressroute(notes: Notes, identity: ArmId, seen: Seen, linked: dict[ArmId, frozenset[ArmId]]) -> _Gateway:
    circuits, guests = links_of(notes, identity, linked)
    part: GatewayLike
    try:
        notes.require_ours(identity)
        with notes.attempt():
            part = expressroute_gateway(notes, identity, seen, guests)
    except Unsaid as error:
        part = existing_gateway(notes, identity, str(error))
    notes.gateways[identity] = part
    return _Gateway(identity, network_id(seen), part, circuits=circuits)


def _note_spares(notes: Notes, found: _Found) -> None:
    """Local network gateways without a connection stay with the first gateway that can have them."""
    for gateway in found.vpn:
        if isinstance(gateway.part, VpnGateway):
            gateway.spare = spare_local_gateways(notes, gateway.id, notes.documents.by_id[gateway.id])


def _note_pairs(found: _Found, pairs: tuple[Pair, ...]) -> None:
    for gateway in found.vpn:
        gateway.paired = any(gateway.part in (pair.a, pair.b) for pair in pairs)


def _with_guests(notes: Notes, found: _Found, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """The pairs, where each gateway knows the connections to other gateways that were left alone."""
    for gateway in found.vpn:
        others = connections_of(notes, gateway.id, "Vnet2Vnet")
        left = [i.name for i, _ in others if i in notes.accounts and notes.accounts[i].fate == "left"]
        if left and isinstance(before := gateway.part, VpnGateway):
            after = before.model_copy(update={"guests": (*before.guests, *left)})
            notes.gateways[gateway.id] = gateway.part = after
            pairs = tuple(
                pair.model_copy(update={end: after for end in ("a", "b") if getattr(pair, end) == before})
                for pair in pairs
            )
    return pairs


def _note_spokes(notes: Notes, found: _Found) -> None:
    """The spokes of a network belong to the first of its gateways; the others share them."""
    every = [*found.vpn, *found.expressroute]
    hubs = frozenset(gateway.network for gateway in every if gateway.network is not None)
    told: set[ArmId] = set()
    for gateway in every:
        if gateway.network is None or gateway.network in told:
            continue
        told.add(gateway.network)
        if gateway.part.network is None:
            continue  # an existing gateway that does not say its network
        gateway.spokes = spokes_of(notes, gateway.network, hubs)


# --- kinds -----------------------------------------------------------------------------------------------------------


def _note_used(notes: Notes, value: Any) -> None:
    """What a noun refers to by its id alone, such as a security group: it is used."""
    if isinstance(value, ArmId):
        if value in notes.documents.by_id:
            notes.use(value, "it is used by its id")
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            _note_used(notes, getattr(value, name))
    elif isinstance(value, tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _note_used(notes, item)


def _is_needed(notes: Notes, found: _Found, gateway: _Gateway) -> bool:
    """Whether anything is said about a gateway; of one that is only used nothing is, if nothing hangs on it."""
    if isinstance(gateway.part, VpnGateway) or gateway.sites or gateway.spokes or len(found.vpn) == 1:
        return True
    before = notes.accounts[gateway.id]
    notes.accounts[gateway.id] = Account(gateway.id, "left", before.why)
    return False


def _kinds(notes: Notes, found: _Found, pairs: tuple[Pair, ...], circuits: dict[str, Any]) -> Iterator[_Kind]:
    """Name, kind and fields of each blueprint that is needed."""
    alone = list(found.expressroute)
    for gateway in found.vpn:
        partner = next(
            (other for other in alone if other.network is not None and other.network == gateway.network), None
        )
        if partner is not None:
            alone.remove(partner)
            yield gateway.name, ExpressRouteCoexistence, _coexistence(gateway, partner)
            if gateway.spare:
                yield f"{gateway.name}-spare", SiteToSite, {"gateway": gateway.part, "local_gateways": gateway.spare}
        elif gateway.needs_sites and _is_needed(notes, found, gateway):
            own = _said(sites=gateway.sites, spokes=gateway.spokes, local_gateways=gateway.spare)
            yield gateway.name, SiteToSite, {"gateway": gateway.part, **own}
        if gateway.clients is not None:
            whole = partner is None and not gateway.needs_sites
            access = {name: getattr(gateway.clients, name) for name in gateway.clients.model_fields_set}
            spokes = gateway.spokes if whole else ()
            yield f"{gateway.name}-clients", PointToSite, _said(gateway=gateway.part, spokes=spokes, **access)
    for gateway in alone:
        own = _said(gateway=gateway.part, circuits=gateway.circuits, spokes=gateway.spokes)
        if gateway is alone[0]:
            own["circuits"] = (*gateway.circuits, *circuits.pop("circuits", ()))
            own |= circuits
            circuits = {}
        yield gateway.name, ExpressRoute, _said(**own)
    if circuits:
        yield "circuits", ExpressRoute, circuits
    if pairs:
        yield "pairs", VnetToVnet, {"pairs": pairs}


def _coexistence(vpn: _Gateway, partner: _Gateway) -> dict[str, Any]:
    return _said(vpn=vpn.part, expressroute=partner.part, circuits=partner.circuits, sites=vpn.sites, spokes=vpn.spokes)


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != ()}
