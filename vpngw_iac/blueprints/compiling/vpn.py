"""VPN gateways and their public addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.bgp import custom_addresses
from vpngw_iac.blueprints.compiling.context import (
    CompileContext,
    Item,
    envelope,
    gateway_address,
    no_location,
    tags_of,
    used,
)
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.network import gateway_subnet_ref
from vpngw_iac.blueprints.compiling.operations_settings import beside
from vpngw_iac.blueprints.compiling.plain import merged, plain, properties_of
from vpngw_iac.blueprints.compiling.site import default_site_id
from vpngw_iac.blueprints.gateway import ExistingVpnGateway, VpnGateway
from vpngw_iac.blueprints.network import ExistingPublicIp, PublicIp
from vpngw_iac.blueprints.part import sku_name
from vpngw_iac.blueprints.regions import gateway_zones
from vpngw_iac.resources import public_ip as public_ip_type
from vpngw_iac.resources import virtual_network_gateway as wire
from vpngw_iac.resources.base import Ref, Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.gateway_sku import needs_generation_2
from vpngw_iac.resources.parts import AddressSpace, ExtendedLocation, ManagedIdentity, UserAssignedIdentity
from vpngw_iac.resources.wire import Document

if TYPE_CHECKING:
    from vpngw_iac.blueprints.client import ClientAccess

PUBLIC_IP = "Microsoft.Network/publicIPAddresses"


def vpn_gateway(gateway: GatewayContext, context: CompileContext) -> Iterator[Item]:
    """A VPN gateway with its public addresses and what is said beside it, or the note that an existing one is used."""
    part = gateway.part
    if isinstance(part, ExistingVpnGateway):
        yield _existing(part)
        for number, address in enumerate(part.public_ips, start=1):
            yield _existing_public_ip(part, number, address)
    elif isinstance(part, VpnGateway):
        if part.network.location is None:
            write = "network=VirtualNetwork.existing(..., location=...)"
            yield no_location(gateway_address(part), gateway.use.path, write)
            return
        for number in range(1, len(_configurations(part, gateway)) + 1):
            made = _public_ip(part, gateway, number, context, part.network.location)
            yield made
            if isinstance(made, Resource) and isinstance(given := _given(gateway, number), PublicIp):
                yield from beside(made, given, context)
        resource = _gateway(part, gateway, context, part.network.location)
        yield resource
        yield from beside(resource, part, context, part.address_name)


def public_ip_id(gateway: GatewayContext, number: int, context: CompileContext) -> ArmId:
    """Id of the gateway's nth public address, counted from 1."""
    given = _given(gateway, number)
    if isinstance(given, ExistingPublicIp):
        return given.existing
    part = gateway.part
    name, _ = context.called(
        given.name if given else None, context.naming.public_ip.format(gateway=part.name, number=number)
    )
    return context.beside(part, given.resource_group if given else None).id(PUBLIC_IP, name)


def _configurations(part: VpnGateway, gateway: GatewayContext) -> tuple[str, ...]:
    """Active-active point-to-site needs a third address, active-standby does not (R-PIP-07)."""
    return gateway.configurations if part.active_active and gateway.clients else gateway.instances


def _given(gateway: GatewayContext, number: int) -> PublicIp | ExistingPublicIp | None:
    part = gateway.part
    given = part.public_ips if isinstance(part, VpnGateway | ExistingVpnGateway) else ()
    return given[number - 1] if number <= len(given) else None


def _existing_public_ip(part: VpnGateway | ExistingVpnGateway, number: int, given: ExistingPublicIp) -> Existing:
    facts = {"properties.ipAddress": given.address} if given.address else {}
    return Existing(f"PublicIp/{part.address_name}/{number}", given.existing, facts)


def _public_ip(part: VpnGateway, gateway: GatewayContext, number: int, context: CompileContext, location: str) -> Item:
    given = _given(gateway, number)
    if isinstance(given, ExistingPublicIp):
        return _existing_public_ip(part, number, given)
    return public_ip_type.PublicIp(
        address=f"PublicIp/{part.address_name}/{number}",
        id=public_ip_id(gateway, number, context),
        location=location,
        tags=tags_of(gateway.tags, given.tags if given else {}),
        tenant=context.place(part).tenant,
        derived_name=given is None,
        protect=part.protect or (given is not None and given.protect),
        on_removal=given.on_removal if given else part.on_removal,
        affected=gateway.lost,
        sku=public_ip_type.PublicIpSku(name="Standard", tier="Regional"),
        zones=_zones(part, given, location),
        unwritten=() if _said_zones(part, given) is not None or part.edge_zone else ("zones",),
        extended_location=ExtendedLocation(name=part.edge_zone) if part.edge_zone else None,
        properties=public_ip_type.PublicIpProperties(
            public_ip_allocation_method="Static",  # a gateway takes no other (R-PIP-01)
            public_ip_address_version="IPv4",
            **(properties_of(given) if given else {}),
        ),
    )


def _zones(part: VpnGateway, given: PublicIp | None, location: str) -> tuple[str, ...] | None:
    """Zones that were given (an empty list means none), else those that SKU and region ask for."""
    said = _said_zones(part, given)
    if said is not None:
        return said or None
    return None if part.edge_zone else gateway_zones(part.sku_name, location)


def _said_zones(part: VpnGateway, given: PublicIp | None) -> tuple[str, ...] | None:
    said = part.zones if given is None or given.zones is None else given.zones
    return None if said is None else tuple(said)


def _gateway(
    part: VpnGateway, gateway: GatewayContext, context: CompileContext, location: str
) -> wire.VirtualNetworkGateway:
    return wire.VirtualNetworkGateway(
        address=gateway_address(part),
        id=gateway.id,
        location=location,
        expected=(*part.guests, *part.expected),
        affected=gateway.lost,
        identity=_identity(part),
        **envelope(part, context.place(part).tenant, gateway.tags),
        **merged(plain(part), {"properties": _properties(part, gateway, context)}),
    )


def _properties(part: VpnGateway, gateway: GatewayContext, context: CompileContext) -> Document:
    clients = gateway.clients.part if gateway.clients else None
    routes = (*part.custom_routes, *(clients.custom_routes if clients else ()))
    default_site = default_site_id(part.default_site, gateway, context) if part.default_site else None
    return {
        "gateway_type": "Vpn",
        "vpn_gateway_generation": _generation(part),
        "sku": wire.GatewaySku(name=part.sku_name),
        "ip_configurations": tuple(
            wire.IpConfiguration(
                name=name,
                properties=wire.IpConfigurationProperties(
                    subnet=gateway_subnet_ref(part.network, context),
                    public_ip_address=Ref.to(public_ip_id(gateway, number, context)),
                    private_ip_allocation_method="Dynamic",
                ),
            )
            for number, name in enumerate(_configurations(part, gateway), start=1)
        ),
        "enable_bgp": part.bgp is not None,
        **({"bgpSettings": {"bgpPeeringAddresses": instances}} if (instances := _instances(part, gateway)) else {}),
        **(_for_clients(clients, gateway) if clients else {}),
        "gateway_default_site": Ref.to(default_site) if default_site else None,
        "custom_routes": AddressSpace(address_prefixes=tuple(dict.fromkeys(routes))) if routes else None,
    }


def _for_clients(clients: ClientAccess, gateway: GatewayContext) -> Document:
    from vpngw_iac.blueprints.compiling.clients import client_configuration, policy_groups

    return {
        "vpn_client_configuration": client_configuration(clients, gateway),
        "virtual_network_gateway_policy_groups": policy_groups(clients) if clients.groups else None,
    }


def _generation(part: VpnGateway) -> str | None:
    """Said only where the blueprint or the SKU leaves no choice: a gateway keeps its generation for life."""
    if part.generation is not None:
        return f"Generation{part.generation}"
    return "Generation2" if needs_generation_2(part.sku_name) else None


def _instances(part: VpnGateway, gateway: GatewayContext) -> tuple[wire.InstanceBgp, ...]:
    """APIPA addresses are collected from the links that use them, each on its instance (R-BGP-08, R-BGP-09)."""
    return tuple(
        wire.InstanceBgp(ipconfiguration_id=gateway.configuration(instance), custom_bgp_ip_addresses=found)
        for instance, found in (custom_addresses(gateway) if part.bgp else {}).items()
    )


def _identity(part: VpnGateway) -> ManagedIdentity | None:
    if not part.identities:
        return None
    return ManagedIdentity(
        type="UserAssigned",
        user_assigned_identities={str(identity): UserAssignedIdentity() for identity in sorted(part.identities)},
    )


def _existing(part: ExistingVpnGateway) -> Existing:
    facts = {
        "location": part.location,
        "properties.sku.name": part.sku and sku_name(part.sku),
        "properties.activeActive": part.active_active,
        "properties.bgpSettings.asn": part.asn,
        "properties.gatewayType": "Vpn",
    }
    return used(gateway_address(part), part, facts)


def gateway_location(gateway: GatewayContext) -> str | None:
    """The region of a gateway, in which its connections live too (R-SCOPE-02)."""
    part = gateway.part
    own = getattr(part, "location", None)
    return own or (part.network.location if part.network is not None else None)
