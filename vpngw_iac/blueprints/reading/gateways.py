"""VPN and ExpressRoute gateways with their public addresses."""

from __future__ import annotations

from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.client import ClientAccess
from vpngw_iac.blueprints.compiling.context import CONFIGURATIONS
from vpngw_iac.blueprints.contribution import GatewayLike, Network
from vpngw_iac.blueprints.gateway import EXPRESSROUTE_SKUS, VPN_SKUS, Bgp, ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.naming import Naming, fit
from vpngw_iac.blueprints.network import ExistingPublicIp, PublicIp
from vpngw_iac.blueprints.part import Sku
from vpngw_iac.blueprints.reading.documents import Seen, id_in, network_id, region_of, same_name
from vpngw_iac.blueprints.reading.nat import Rules
from vpngw_iac.blueprints.reading.networks import network_of
from vpngw_iac.blueprints.reading.notes import Notes, label_of, tags_of
from vpngw_iac.blueprints.reading.operations_settings import access_of, care_of, diagnostics_of, lock_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said, used
from vpngw_iac.blueprints.reading.tunnels import Sites, instance_names
from vpngw_iac.blueprints.regions import gateway_zones
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.gateway_sku import needs_generation_2
from vpngw_iac.resources.shape import shape_of

_NAMING = Naming()


def home_network(notes: Notes, seen: Seen) -> Network:
    """The network that a gateway stands in."""
    if (network := network_id(seen)) is None:
        raise Unsaid("it says no subnet that it stands in")
    return network_of(notes, network)


def existing_gateway(notes: Notes, identity: ArmId, why: str) -> GatewayLike:
    """A gateway that is only used, with the facts that are known of it."""
    if identity in notes.gateways:
        return notes.gateways[identity]
    seen = notes.documents.by_id.get(identity) or {}
    notes.use(identity, why)
    facts: dict[str, Any] = {"location": seen.get("location"), "sku": value_at(seen, "properties.sku.name")}
    facts["label"] = label_of(notes.gateways, identity)
    found: GatewayLike
    if notes.documents.is_gateway_of(identity, "ExpressRoute"):
        found = used(ExpressRouteGateway.existing, identity, **facts)
    else:
        both = value_at(seen, "properties.activeActive")
        names = tuple(instance_names(seen))
        usual = CONFIGURATIONS[: len(names)]
        found = used(
            VpnGateway.existing,
            identity,
            active_active=both or None,
            asn=value_at(seen, "properties.bgpSettings.asn") if value_at(seen, "properties.enableBgp") else None,
            ip_configurations=() if names == usual else names[:3],
            **facts,
        )
    notes.gateways[identity] = found
    return found


# --- VPN ------------------------------------------------------------------------------------------------------------


def vpn_gateway(
    notes: Notes, identity: ArmId, seen: Seen, sites: Sites, clients: ClientAccess | None, rules: Rules
) -> VpnGateway:
    """A VPN gateway that is ours; raises `Unsaid`."""
    network = home_network(notes, seen)
    names = instance_names(seen)
    both = bool(value_at(seen, "properties.activeActive"))
    needed = 1 if not both else 3 if clients else 2
    sku = _sku(seen, VPN_SKUS)
    zones, addresses = _addresses(notes, identity, seen, sku, needed)
    gateway = made(
        VpnGateway,
        name=identity.name,
        label=label_of(notes.gateways, identity),
        network=network,
        sku=sku,
        generation=_generation(seen, sku),
        resource_group=_group(identity, network),
        bgp=_bgp(seen, sites),
        public_ips=addresses,
        zones=zones,
        ip_configurations=_configurations(names[:needed]),
        custom_routes=() if clients else tuple(value_at(seen, "properties.customRoutes.addressPrefixes") or ()),
        default_site=_default_site(seen, sites),
        identities=tuple((seen.get("identity") or {}).get("userAssignedIdentities") or ()),
        guests=tuple(guest.name for guest in sites.guests),
        expected=tuple(sorted([*(rule.name for rule in rules.unsaid), *([] if clients else _roots(seen))])),
        nat_rules=rules.spare(),
        tags=tags_of(seen),
        **care_of(notes, identity),
        **said(VpnGateway, seen, shape_of(model_of(identity)), but={"bgp"}),
    )
    notes.manage(identity)
    return gateway


def _roots(seen: Seen) -> list[str]:
    """Names of the root certificates that clients show."""
    return [
        str(item.get("name"))
        for item in objects(value_at(seen, "properties.vpnClientConfiguration.vpnClientRootCertificates"))
    ]


def _group(identity: ArmId, network: Network) -> str | None:
    home = getattr(network, "resource_group", None) or network.existing.group  # type: ignore[union-attr]
    return None if same_name(home, identity.group) else identity.group


def _sku(seen: Seen, known: tuple[str, ...]) -> str | Sku:
    name = value_at(seen, "properties.sku.name")
    if not name:
        raise Unsaid("it has no SKU")
    return str(name) if str(name).lower() in {each.lower() for each in known} else Sku.other(str(name))


def _generation(seen: Seen, sku: str | Sku) -> int | None:
    """Generation 2 is said where the SKU leaves the choice."""
    second = str(value_at(seen, "properties.vpnGatewayGeneration")).lower() == "generation2"
    return 2 if second and not needs_generation_2(str(getattr(sku, "name", sku))) else None


def _bgp(seen: Seen, sites: Sites) -> Bgp | None:
    """BGP, with the custom addresses that no connection of ours uses."""
    if not value_at(seen, "properties.enableBgp"):
        return None
    instances = {name.lower(): number for number, name in enumerate(instance_names(seen))}
    others: dict[int, list[str]] = {}
    for item in objects(value_at(seen, "properties.bgpSettings.bgpPeeringAddresses")):
        part = ArmId.of(item.get("ipconfigurationId"))
        number = instances.get(part.name.lower()) if part is not None else None
        for address in item.get("customBgpIpAddresses") or () if number is not None else ():
            if (number, address) not in sites.chosen:
                others.setdefault(number, []).append(address)  # type: ignore[arg-type]
    apipa = tuple(tuple(others.get(number, ())) for number in range(max(others, default=-1) + 1))
    values = said(Bgp, value_at(seen, "properties") or {}, _properties_shape())
    return made(Bgp, apipa=apipa, **values)


def _properties_shape() -> Any:
    from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway

    return shape_of(VirtualNetworkGateway).at("properties")


def _configurations(names: list[str]) -> tuple[str, ...]:
    return () if tuple(names) == CONFIGURATIONS[: len(names)] else tuple(names)


def _default_site(seen: Seen, sites: Sites) -> str | None:
    found = id_in(seen, "properties.gatewayDefaultSite")
    return None if found is None else sites.local_gateways.get(found, str(found))


# --- addresses -------------------------------------------------------------------------------------------------------


def _addresses(
    notes: Notes, gateway: ArmId, seen: Seen, sku: str | Sku, needed: int
) -> tuple[tuple[str, ...] | None, tuple[PublicIp | ExistingPublicIp, ...]]:
    """Zones of all, where they are other ones than vpngw would choose, and the addresses that must be said."""
    usual = gateway_zones(str(getattr(sku, "name", sku)), region_of(seen))
    ids = [
        id_in(item, "properties.publicIPAddress") for item in objects(value_at(seen, "properties.ipConfigurations"))
    ][:needed]
    if len(ids) < needed or None in ids:
        raise Unsaid("an instance of it has no public address")
    found = [_address(notes, gateway, identity, usual) for identity in ids if identity is not None]
    alike = {part.zones for part in found if isinstance(part, PublicIp)}
    zones = alike.pop() if len(alike) == 1 and all(isinstance(part, PublicIp) for part in found) else None
    if zones is not None:
        found = [part.model_copy(update={"zones": None}) for part in found]
    while found and found[-1] == made(PublicIp, name=_derived(gateway, len(found))):
        found.pop()
    return (None if zones is None else tuple(zones)), tuple(found)


def _derived(gateway: ArmId, number: int) -> str:
    return fit(_NAMING.public_ip.format(gateway=gateway.name, number=number))


def _address(
    notes: Notes, gateway: ArmId, identity: ArmId, usual: tuple[str, ...] | None
) -> PublicIp | ExistingPublicIp:
    seen = notes.documents.get(identity)
    why = notes.documents.left.get(identity, "it could not be read")
    if seen is not None:
        try:
            return _our_address(notes, gateway, identity, seen, usual)
        except Unsaid as error:
            why = str(error)
    notes.use(identity, why)
    return used(PublicIp.existing, identity, address=value_at(seen, "properties.ipAddress"))


def _our_address(notes: Notes, gateway: ArmId, identity: ArmId, seen: Seen, usual: tuple[str, ...] | None) -> PublicIp:
    sku = str(value_at(seen, "sku.name") or "Basic")
    way = str(value_at(seen, "properties.publicIPAllocationMethod") or "Dynamic")
    if (sku.lower(), way.lower()) != ("standard", "static"):
        raise Unsaid(f"it is a {way.lower()} address of SKU {sku}, which no gateway gets any more (R-PIP-01)")
    if not same_name(identity.subscription, gateway.subscription):
        raise Unsaid("it lies in another subscription than its gateway")
    zones = tuple(sorted(str(zone) for zone in seen.get("zones") or ()))
    address = made(
        PublicIp,
        name=identity.name,
        resource_group=None if same_name(identity.group, gateway.group) else identity.group,
        zones=zones if zones and zones != usual else None,
        diagnostics=diagnostics_of(notes, identity),
        access=access_of(notes, identity),
        lock=lock_of(notes, identity),
        tags=tags_of(seen),
        **said(PublicIp, seen, shape_of(model_of(identity))),
    )
    notes.manage(identity)
    return address


# --- ExpressRoute ----------------------------------------------------------------------------------------------------


def expressroute_gateway(notes: Notes, identity: ArmId, seen: Seen, guests: tuple[str, ...]) -> ExpressRouteGateway:
    """An ExpressRoute gateway that is ours; raises `Unsaid`. The address of its own is Microsoft's business."""
    network = home_network(notes, seen)
    names = instance_names(seen)
    bounds = value_at(seen, "properties.autoScaleConfiguration.bounds")
    gateway = made(
        ExpressRouteGateway,
        name=identity.name,
        label=label_of(notes.gateways, identity),
        network=network,
        sku=_sku(seen, EXPRESSROUTE_SKUS),
        scale_units=(bounds.get("min"), bounds.get("max")) if bounds else None,
        resource_group=_group(identity, network),
        ip_configuration=names[0] if names else "default",
        guests=guests,
        tags=tags_of(seen),
        **care_of(notes, identity),
        **said(ExpressRouteGateway, seen, shape_of(model_of(identity))),
    )
    for item in objects(value_at(seen, "properties.ipConfigurations")):
        if (address := id_in(item, "properties.publicIPAddress")) is not None:
            notes.leave(address, f"{identity.name} keeps it; an ExpressRoute gateway needs none of its own (R-PIP-11)")
    notes.manage(identity)
    return gateway
