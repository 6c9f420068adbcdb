"""Sites: a connection with its local network gateway, NAT rules, and the BGP addresses that it chose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.documents import CONNECTIONS, LOCAL, Seen, id_in, region_of, same_name
from vpngw_iac.blueprints.reading.links import with_links
from vpngw_iac.blueprints.reading.nat import Rules
from vpngw_iac.blueprints.reading.notes import Notes, common_tags, label_of, tags_of
from vpngw_iac.blueprints.reading.operations_settings import access_of, lock_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said, used
from vpngw_iac.blueprints.site import BgpPeer, ExistingLocalGateway, Link, LocalGateway, Site
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.resources.wire import Output

NAMING = Naming()

_AFFIX = re.compile(r"^(lgw|lng|localgw|localnetworkgateway|con|conn|cn|vcn|connection)[-_.]+(?=[A-Za-z0-9])", re.I)
"""What people put before the name of the place."""


@dataclass(slots=True)
class Sites:
    """The sites of one gateway, the local gateway of each, and the connections that could not be said."""

    sites: list[Site] = field(default_factory=list)
    local_gateways: dict[ArmId, str] = field(default_factory=dict)
    guests: list[ArmId] = field(default_factory=list)
    chosen: set[tuple[int, str]] = field(default_factory=set)
    """Instance and custom BGP address of those that connections of ours use."""


def connections_of(notes: Notes, gateway: ArmId, kind: str) -> Iterator[tuple[ArmId, Seen]]:
    """Connections of a kind (``IPsec``, ``Vnet2Vnet``, ``ExpressRoute``) that start at a gateway."""
    for identity, seen in notes.documents.starting_at(gateway):
        if str(value_at(seen, "properties.connectionType")).lower() == kind.lower():
            yield identity, seen


def left_connections(notes: Notes, gateway: ArmId, *kinds: str) -> Iterator[ArmId]:
    """Connections at a gateway that must be left alone, or are of none of these kinds."""
    known = {kind.lower() for kind in kinds}
    for identity, seen in notes.documents.starting_at(gateway):
        kind = value_at(seen, "properties.connectionType")
        if str(kind).lower() not in known:
            notes.leave(identity, f"connections of the kind {kind} are not written here")
            yield identity
    for identity in sorted(notes.documents.left):
        ends = ("virtualNetworkGateway1", "virtualNetworkGateway2")
        left = notes.documents.by_id.get(identity)
        if any(id_in(left, f"properties.{end}") == gateway for end in ends):
            yield identity


def sites_of(notes: Notes, gateway: ArmId, seen: Seen, rules: Rules) -> Sites:
    """Every site of a gateway, in the order of their names."""
    found = Sites()
    tunnels: dict[str, tuple[ArmId, ArmId | None]] = {}
    for identity, connection in connections_of(notes, gateway, "IPsec"):
        if identity in notes.paired:
            continue
        local = id_in(connection, "properties.localNetworkGateway2")
        try:
            with notes.attempt():
                site = _site(notes, gateway, seen, rules, identity, connection, found)
        except Unsaid as error:
            notes.leave(identity, str(error))
            found.guests.append(identity)
            continue
        notes.manage(identity, local if site.local_gateway is None else None)
        notes.names[identity] = site.name
        found.sites.append(site)
        tunnels[site.name] = identity, local
        if local is not None:
            found.local_gateways[local] = site.name
    _join_links(notes, found, tunnels)
    found.sites.sort(key=lambda site: site.name.lower())
    found.guests += left_connections(notes, gateway, "IPsec", "Vnet2Vnet")
    return found


def _join_links(notes: Notes, found: Sites, tunnels: dict[str, tuple[ArmId, ArmId | None]]) -> None:
    """Make one site of the tunnels to one place; `tunnels` are connection and local network gateway by name."""
    apart = {name for name, (connection, _) in tunnels.items() if connection in notes.documents.apart}
    found.sites.sort(key=lambda site: site.name.lower())
    found.sites, renamed = with_links(found.sites, apart)
    found.local_gateways |= {local: renamed[name] for local, name in found.local_gateways.items() if name in renamed}
    places: dict[str, list[tuple[ArmId, ArmId | None]]] = {}
    for name, path in renamed.items():
        places.setdefault(path.partition("/")[0], []).append(tunnels[name])
    for together in places.values():
        notes.join((connection for connection, _ in together), (local for _, local in together if local is not None))


def _site(notes: Notes, gateway: ArmId, home: Seen, rules: Rules, identity: ArmId, seen: Seen, known: Sites) -> Site:
    local_id = id_in(seen, "properties.localNetworkGateway2")
    if local_id is None:
        raise Unsaid("it names no local network gateway")
    if not same_name(identity.subscription, gateway.subscription):
        raise Unsaid("it lies in another subscription than its gateway")
    name = notes.documents.names.get(identity) or _name(identity.name, local_id.name, known)
    certificate = str(value_at(seen, "properties.authenticationType")).lower() == "certificate"
    values = connection_values(Link, identity, seen)
    values |= _other_end(notes, gateway, home, identity, seen, local_id, name, known)
    if not certificate:
        values.pop("certificate", None)
        values["shared_key"] = notes.secret(
            f"{name}_PSK", f"pre-shared key of {identity.name}", Output(identity, "properties.sharedKey", secret=True)
        )
    return made(
        Site,
        name=name,
        nat=rules.used_by(seen) or None,
        resource_group=None if same_name(identity.group, gateway.group) else identity.group,
        connection_name=_unless(identity.name, NAMING.connection.format(name=name)),
        lock=lock_of(notes, identity),
        access=access_of(notes, identity) or None,
        **values,
    )


def connection_values(noun: type[Part], identity: ArmId, seen: Seen) -> dict[str, Any]:
    """The plain fields of a connection, as a site or a pair says them."""
    values = said(noun, seen, shape_of(model_of(identity)))
    if values.get("dpd") == 45:  # what 0 stands for (R-DPD-01): newer answers write it out
        del values["dpd"]
    return values


def _other_end(
    notes: Notes, gateway: ArmId, home: Seen, identity: ArmId, seen: Seen, local_id: ArmId, name: str, known: Sites
) -> dict[str, Any]:
    """The device: said by the site itself where it is the site's alone, else by a local network gateway of its own."""
    local = notes.documents.get(local_id)
    speaks = bool(value_at(seen, "properties.enableBgp"))
    chosen = chosen_instances(gateway, home, seen) if speaks else []
    known.chosen |= set(chosen)
    if local is None or not same_name(local_id.subscription, gateway.subscription):
        return {"local_gateway": _existing(notes, local_id, local), "bgp": speaks or None, "tags": tags_of(seen)}
    if not (value_at(local, "properties.gatewayIpAddress") or value_at(local, "properties.fqdn")):
        raise Unsaid(f"its local network gateway {local_id.name} has no address")
    has_peer = bool(value_at(local, "properties.bgpSettings.asn"))
    if speaks and not has_peer:
        raise Unsaid("it speaks BGP with a local network gateway that has no BGP settings")
    shared = notes.documents.users_of(local_id) > 1 or speaks != has_peer or tags_of(seen) != tags_of(local)
    if shared and not chosen:
        part = local_gateway_of(notes, gateway, home, local_id, local)
        return {"local_gateway": part, "bgp": False if has_peer and not speaks else None, "tags": tags_of(seen)}
    if notes.documents.users_of(local_id) > 1:
        raise Unsaid(f"it chooses BGP addresses, and others use its local network gateway {local_id.name} too")
    instances = [instance for instance, _ in chosen]
    alone = instances == [1]  # one address alone is the first instance's
    own_group = identity.group if not same_name(identity.group, gateway.group) else gateway.group
    return {
        **said(Link, local, shape_of(model_of(local_id)), of="LocalNetworkGateway", but={"bgp"}),
        "bgp": _peer(local, tuple(address for _, address in chosen)) if speaks else None,
        "instance": instances[0] if alone else None,
        "local_gateway_group": None if same_name(local_id.group, own_group) else local_id.group,
        "local_gateway_name": _unless(local_id.name, NAMING.local_gateway.format(name=name)),
        "location": _elsewhere(local, home),
        "tags": common_tags((seen, local)),  # a site has one set for both
    }


def _existing(notes: Notes, identity: ArmId, seen: Seen | None) -> ExistingLocalGateway:
    why = notes.documents.left.get(identity) or notes.documents.unread.get(identity)
    notes.use(identity, why or "it lies in another subscription than the gateway")
    facts = said(LocalGateway, seen, shape_of(model_of(identity)), but={"bgp"}) if seen else {}
    return used(LocalGateway.existing, identity, **facts)


def local_gateway_of(notes: Notes, gateway: ArmId, home: Seen, identity: ArmId, seen: Seen) -> LocalGateway:
    """A local network gateway that several use, or none, or with settings of its own; each once.

    Its group and region are said unless every gateway that it is used from has the same ones.
    """
    if identity not in notes.local_gateways:
        homes = {gateway: home, **_used_from(notes, identity)}
        elsewhere = {region for each in homes.values() if (region := _elsewhere(seen, each))}
        settings = value_at(seen, "properties.bgpSettings.asn")
        notes.local_gateways[identity] = made(
            LocalGateway,
            name=identity.name,
            label=label_of(notes.local_gateways, identity),
            resource_group=None if all(same_name(identity.group, each.group) for each in homes) else identity.group,
            location=next(iter(elsewhere), None),
            bgp=_peer(seen, ()) if settings else None,
            tags=tags_of(seen),
            **said(LocalGateway, seen, shape_of(model_of(identity)), but={"bgp"}),
        )
        notes.manage(identity)
    return notes.local_gateways[identity]


def _used_from(notes: Notes, local: ArmId) -> dict[ArmId, Seen]:
    """The gateways that have connections to a local network gateway."""
    users = (seen for _, seen in notes.documents.of_type(CONNECTIONS))
    ends = (seen for seen in users if id_in(seen, "properties.localNetworkGateway2") == local)
    gateways = (id_in(seen, "properties.virtualNetworkGateway1") for seen in ends)
    return {gateway: notes.documents.by_id.get(gateway) or {} for gateway in gateways if gateway is not None}


def _peer(local: Seen, chosen: tuple[str, ...]) -> BgpPeer:
    shape = shape_of(LocalNetworkGateway).at("properties").at("bgpSettings")
    return made(BgpPeer, azure_address=chosen, **said(BgpPeer, value_at(local, "properties.bgpSettings"), shape))


def _elsewhere(seen: Seen, home: Seen) -> str | None:
    return region if (region := region_of(seen)) != region_of(home) else None


def spare_local_gateways(notes: Notes, gateway: ArmId, home: Seen) -> tuple[LocalGateway, ...]:
    """Local network gateways of the named groups without any connection, kept with this gateway."""
    found = []
    for identity, seen in notes.documents.of_type(LOCAL):
        spare = identity in notes.documents.scope and identity not in notes.accounts
        near = same_name(identity.subscription, gateway.subscription)
        if not spare or not near or notes.documents.users_of(identity):
            continue
        try:
            found.append(local_gateway_of(notes, gateway, home, identity, seen))
        except Unsaid as error:
            notes.leave(identity, str(error))
    return tuple(found)


def chosen_instances(gateway: ArmId, home: Seen, seen: Seen) -> list[tuple[int, str]]:
    """Of a connection: instance and custom address of each, in the order of instances."""
    instances = {name.lower(): number for number, name in enumerate(instance_names(home))}
    found = []
    for item in objects(value_at(seen, "properties.gatewayCustomBgpIpAddresses")):
        part = ArmId.of(item.get("ipConfigurationId"))
        if part is None or part.parent != gateway or part.name.lower() not in instances:
            raise Unsaid("it names a BGP address of an instance that its gateway does not have")
        found.append((instances[part.name.lower()], str(item.get("customBgpIpAddress"))))
    return sorted(found)


def instance_names(gateway: Seen) -> list[str]:
    """Names of the ipConfigurations of a gateway, in their order."""
    return [str(item.get("name")) for item in objects(value_at(gateway, "properties.ipConfigurations"))]


def _unless(name: str, derived: str) -> str | None:
    return None if name == derived else name


def _name(connection: str, local: str, known: Sites) -> str:
    """The place: what both names say without their prefixes, unique on the gateway."""
    taken = {site.name.lower() for site in known.sites}
    short = (_AFFIX.sub("", local), _AFFIX.sub("", connection))
    candidates = (*(dict.fromkeys(short) if short[0] == short[1] else short), local, connection)
    return next((name for name in candidates if name.lower() not in taken), connection)
