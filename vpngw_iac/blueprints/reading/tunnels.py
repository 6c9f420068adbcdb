"""Sites: a connection with its local network gateway, NAT rules, and the BGP addresses that it chose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.reading.documents import CONNECTIONS, Seen, id_in
from vpngw_iac.blueprints.reading.nat import Rules
from vpngw_iac.blueprints.reading.notes import Notes, tags_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said
from vpngw_iac.blueprints.site import BgpPeer, Link, Site
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of

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
    for identity, seen in notes.documents.of_type(CONNECTIONS):
        starts = id_in(seen, "properties.virtualNetworkGateway1") == gateway
        if starts and str(value_at(seen, "properties.connectionType")).lower() == kind.lower():
            yield identity, seen


def left_connections(notes: Notes, gateway: ArmId) -> Iterator[ArmId]:
    """Connections at a gateway that must be left alone."""
    for identity in sorted(notes.documents.left):
        ends = ("virtualNetworkGateway1", "virtualNetworkGateway2")
        seen = notes.documents.by_id.get(identity)
        if any(id_in(seen, f"properties.{end}") == gateway for end in ends):
            yield identity


def sites_of(notes: Notes, gateway: ArmId, seen: Seen, rules: Rules) -> Sites:
    """Every site of a gateway, in the order of their names."""
    found = Sites()
    for identity, connection in connections_of(notes, gateway, "IPsec"):
        local = id_in(connection, "properties.localNetworkGateway2")
        try:
            site = _site(notes, gateway, seen, rules, identity, connection, found)
        except Unsaid as error:
            notes.leave(identity, str(error))
            found.guests.append(identity)
            continue
        notes.manage(identity, local)
        notes.names[identity] = site.name
        found.sites.append(site)
        if local is not None:
            found.local_gateways[local] = site.name
    found.sites.sort(key=lambda site: site.name.lower())
    found.guests += left_connections(notes, gateway)
    return found


def _site(notes: Notes, gateway: ArmId, home: Seen, rules: Rules, identity: ArmId, seen: Seen, known: Sites) -> Site:
    local_id = id_in(seen, "properties.localNetworkGateway2")
    local = notes.documents.get(local_id)
    if local_id is None or local is None:
        raise Unsaid("its local network gateway cannot be read")
    _require_one_place(identity, seen, local_id, local, gateway, home)
    if local_id in notes.accounts:
        raise Unsaid(f"another connection uses its local network gateway {local_id.name} too")
    name = notes.documents.names.get(identity) or _name(identity.name, local_id.name, known)
    certificate = str(value_at(seen, "properties.authenticationType")).lower() == "certificate"
    values = _link_values(identity, seen, local_id, local)
    values |= _bgp(gateway, home, seen, local, known)
    if not certificate:
        values.pop("certificate", None)
        values["shared_key"] = notes.secret(f"{name}_PSK", f"pre-shared key of {identity.name}")
    return made(
        Site,
        name=name,
        nat=rules.used_by(identity, seen) or None,
        resource_group=None if identity.group == gateway.group else identity.group,
        local_gateway_name=_unless(local_id.name, NAMING.local_gateway.format(name=name)),
        connection_name=_unless(identity.name, NAMING.connection.format(name=name)),
        tags=_common_tags(seen, local),
        **values,
    )


def _require_one_place(identity: ArmId, seen: Seen, local_id: ArmId, local: Seen, gateway: ArmId, home: Seen) -> None:
    """A site lives in one group, beside its gateway's subscription and region."""
    if (identity.group or "").lower() != (local_id.group or "").lower():
        raise Unsaid(f"it lies in another resource group than its local network gateway {local_id.name}")
    if {identity.subscription.lower(), local_id.subscription.lower()} != {gateway.subscription.lower()}:
        raise Unsaid("it lies in another subscription than its gateway")
    regions = {str(each.get("location") or "").replace(" ", "").lower() for each in (seen, local, home)}
    if len(regions) > 1:
        raise Unsaid("its local network gateway lies in another region than the gateway")


def _link_values(identity: ArmId, seen: Seen, local_id: ArmId, local: Seen) -> dict[str, Any]:
    values = said(Link, seen, shape_of(model_of(identity)))
    values |= said(Link, local, shape_of(model_of(local_id)), of="LocalNetworkGateway", but={"bgp"})
    if values.get("dpd") == 45:  # what 0 stands for (R-DPD-01): newer answers write it out
        del values["dpd"]
    return values


def _bgp(gateway: ArmId, home: Seen, seen: Seen, local: Seen, known: Sites) -> dict[str, Any]:
    """The device's BGP speaker, where the connection speaks BGP."""
    if not value_at(seen, "properties.enableBgp"):
        return {}
    settings = value_at(local, "properties.bgpSettings")
    if not settings or not settings.get("asn"):
        raise Unsaid("it speaks BGP with a local network gateway that has no BGP settings")
    shape: Shape = UNKNOWN
    chosen = _chosen(gateway, home, seen)
    peer = made(BgpPeer, azure_address=tuple(address for _, address in chosen), **said(BgpPeer, settings, shape))
    known.chosen |= set(chosen)
    instances = [instance for instance, _ in chosen]
    is_alone = len(instances) == 1 and bool(value_at(home, "properties.activeActive"))
    return {"bgp": peer, **({"instance": instances[0]} if is_alone else {})}


def _chosen(gateway: ArmId, home: Seen, seen: Seen) -> list[tuple[int, str]]:
    """Instance and custom address of each, in the order of instances."""
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


def _common_tags(*documents: Seen) -> dict[str, str]:
    """Tags that all of them bear: a site has one set for its connection and its local network gateway."""
    first, *others = (tags_of(document) for document in documents)
    return {key: value for key, value in first.items() if all(tags.get(key) == value for tags in others)}


def _unless(name: str, derived: str) -> str | None:
    return None if name == derived else name


def _name(connection: str, local: str, known: Sites) -> str:
    """The place: what both names say without their prefixes, unique on the gateway."""
    taken = {site.name.lower() for site in known.sites}
    short = (_AFFIX.sub("", local), _AFFIX.sub("", connection))
    candidates = (*(dict.fromkeys(short) if short[0] == short[1] else short), local, connection)
    return next((name for name in candidates if name.lower() not in taken), connection)
