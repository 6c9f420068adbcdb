"""Pairs of gateways: VNet-to-VNet connections, or IPsec connections with local network gateways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vpngw_iac.blueprints.compiling.bgp import chosen
from vpngw_iac.blueprints.compiling.context import CompileContext, Item, envelope, gateway_address, no_location
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.operations_settings import lock_on
from vpngw_iac.blueprints.compiling.plain import properties_of
from vpngw_iac.blueprints.compiling.site import CONNECTION, LOCAL_GATEWAY
from vpngw_iac.blueprints.compiling.vpn import gateway_location, public_ip_id
from vpngw_iac.blueprints.contribution import PlacedPart
from vpngw_iac.blueprints.gateway import ExistingVpnGateway, VpnGateway
from vpngw_iac.blueprints.naming import fit
from vpngw_iac.blueprints.peer import Pair
from vpngw_iac.errors import Finding
from vpngw_iac.resources import connection as wire
from vpngw_iac.resources import local_network_gateway as lng
from vpngw_iac.resources.base import Output, Ref
from vpngw_iac.resources.parts import AddressSpace, PeerBgpSettings
from vpngw_iac.resources.wire import Document


def pair(use: PlacedPart[Pair], a: GatewayContext, b: GatewayContext, context: CompileContext) -> Iterator[Item]:
    """One connection in each direction, as far as they are ours (R-V2V-03)."""
    build = _vnet_connection if use.part.via == "vnet" else _ipsec_side
    for end, near, far in (("a", a, b), ("b", b, a)):
        location = gateway_location(near)
        if use.part.manage not in ("both", end):
            continue
        if location is None:
            yield no_location(gateway_address(near.part), use.path, "VpnGateway.existing(..., location=...)")
        else:
            yield from build(use, near, far, context, location)


def _vnet_connection(
    use: PlacedPart[Pair], near: GatewayContext, far: GatewayContext, context: CompileContext, location: str
) -> Iterator[Item]:
    """Both gateways must be provisioned before either connection (R-V2V-07): both are referred to."""
    properties = wire.ConnectionProperties(
        connection_type="Vnet2Vnet",
        virtual_network_gateway1=Ref.to(near.id),
        virtual_network_gateway2=Ref.to(far.id),
        **_said(use.part, near),
    )
    address = f"VnetConnection/{near.part.address_name}/{far.part.address_name}"
    yield from _connection(use, near, far, context, (address, "", location), properties)


def _ipsec_side(
    use: PlacedPart[Pair], near: GatewayContext, far: GatewayContext, context: CompileContext, location: str
) -> Iterator[Item]:
    """The far gateway as a site: a local network gateway and a connection for each of its addresses (R-V2V-08)."""
    missing = _unknown_about(far, use)
    if missing is not None:
        yield missing
    for instance in range(len(far.instances) if missing is None else 0):
        yield from _ipsec_tunnel(use, near, far, context, instance, location)


def _ipsec_tunnel(
    use: PlacedPart[Pair],
    near: GatewayContext,
    far: GatewayContext,
    context: CompileContext,
    instance: int,
    location: str,
) -> Iterator[Item]:
    suffix = f"-{instance + 1}" if len(far.instances) > 1 else ""
    tail = f"{near.part.address_name}/{far.part.address_name}{suffix}"
    given = _side(use.part.local_gateway_names, use.part, near)
    derived = given or context.naming.peer_gateway.format(gateway=near.part.name, peer=far.part.name)
    local_id = context.place(near.part).id(LOCAL_GATEWAY, fit(derived + suffix))
    yield lng.LocalNetworkGateway(
        address=f"LocalNetworkGateway/{tail}",
        id=local_id,
        location=location,
        derived_name=given is None,
        affected=(far.part.name,),
        properties=_local_gateway(use.part, far, context, instance),
        **envelope(use.part, context.place(near.part).tenant, use.tags),
    )
    properties = wire.ConnectionProperties(
        connection_type="IPsec",
        virtual_network_gateway1=Ref.to(near.id),
        local_network_gateway2=Ref.to(local_id),
        gateway_custom_bgp_ip_addresses=chosen(_side(use.part.apipa, use.part, near) or (), near) or None,
        **_said(use.part, near),
    )
    yield from _connection(use, near, far, context, (f"VpnConnection/{tail}", suffix, location), properties)


def _local_gateway(
    part: Pair, far: GatewayContext, context: CompileContext, instance: int
) -> lng.LocalNetworkGatewayProperties:
    """Azure chooses the address, known once the public IP exists (R-PIP-12), and BGP addresses with the gateway."""
    network = far.part.network
    # With BGP the prefixes are learned (R-LNG-08).
    prefixes = network.address_space if network is not None and not part.bgp else None
    return lng.LocalNetworkGatewayProperties(
        gateway_ip_address=_address(far, instance, context),
        local_network_address_space=AddressSpace(address_prefixes=prefixes) if prefixes else None,
        bgp_settings=PeerBgpSettings(asn=_asn(far), bgp_peering_address=_bgp_address(part, far, instance))
        if part.bgp
        else None,
    )


def _address(far: GatewayContext, instance: int, context: CompileContext) -> str | Output:
    gateway = far.part
    given = gateway.public_ips if isinstance(gateway, VpnGateway | ExistingVpnGateway) else ()
    known = getattr(given[instance], "address", None) if instance < len(given) else None
    return known or Output(public_ip_id(far, instance + 1, context), "properties.ipAddress")


def _bgp_address(part: Pair, far: GatewayContext, instance: int) -> str | Output:
    """The APIPA address that was chosen, else the one that Azure gives the instance."""
    if (given := _side(part.apipa, part, far) or ()) and instance < len(given):
        return str(given[instance])
    # By the name of the ipConfiguration, never by position: Azure joins both addresses in one text (R-BGP-11).
    name = far.configurations[instance]
    path = f"properties.bgpSettings.bgpPeeringAddresses[ipconfigurationId=*/ipConfigurations/{name}]"
    return Output(far.id, f"{path}.defaultBgpIpAddresses[0]")


def _asn(far: GatewayContext) -> int | Output:
    """The AS number that the far gateway was given, else the one that Azure says it has."""
    gateway = far.part
    if isinstance(gateway, VpnGateway):
        said = gateway.bgp.asn if gateway.bgp else None
    else:
        said = gateway.asn if isinstance(gateway, ExistingVpnGateway) else None
    return said or Output(far.id, "properties.bgpSettings.asn")


def _connection(
    use: PlacedPart[Pair],
    near: GatewayContext,
    far: GatewayContext,
    context: CompileContext,
    place: tuple[str, str, str],
    properties: wire.ConnectionProperties,
) -> Iterator[Item]:
    """A connection lives in the subscription and region of its first gateway (R-SCOPE-02)."""
    address, suffix, location = place
    home = context.beside(near.part, _side(use.part.resource_group, use.part, near))
    given = _side(use.part.connection_names, use.part, near)
    derived = given or context.naming.vnet_connection.format(gateway=near.part.name, peer=far.part.name)
    made = wire.Connection(
        address=address,
        id=home.id(CONNECTION, fit(derived + suffix)),
        location=location,
        derived_name=given is None,
        affected=(far.part.name,),
        rotation=use.part.rotation or "",
        properties=properties,
        **envelope(use.part, home.tenant, use.tags),
    )
    yield made
    yield from lock_on(made, _side(use.part.lock, use.part, near), context)


def _said(part: Pair, near: GatewayContext) -> Document:
    """What both connections have, and what this side has; selectors are exchanged at the other side (R-TS-03)."""
    said, mine = properties_of(part, side=_index(part, near)), part.traffic_selectors
    if mine is None:
        return said
    pairs = [(each.local, each.remote) if _index(part, near) == 0 else (each.remote, each.local) for each in mine]
    selectors = tuple({"localAddressRanges": local, "remoteAddressRanges": remote} for local, remote in pairs)
    return said | {"trafficSelectorPolicies": selectors}


def _index(part: Pair, near: GatewayContext) -> int:
    return 0 if part.a.address_name == near.part.address_name else 1


def _side(values: Any, part: Pair, near: GatewayContext) -> Any:
    """The value for the side that a resource starts at."""
    return None if values is None else values[_index(part, near)]


def _unknown_about(far: GatewayContext, use: PlacedPart[Pair]) -> Finding | None:
    gateway = far.part
    facts = []
    if isinstance(gateway, ExistingVpnGateway) and len(gateway.public_ips) < len(far.instances):
        facts.append("public_ips=[PublicIp.existing(...)]")
    if not use.part.bgp and (gateway.network is None or not gateway.network.address_space):
        facts.append("network=VirtualNetwork.existing(..., address_space=[...])")
    if use.part.bgp and isinstance(gateway, VpnGateway) and gateway.bgp is None:
        facts.append("bgp=Bgp(asn=...)")
    if not facts:
        return None
    return Finding(
        rule="B-PAIR",
        address=gateway_address(gateway),
        summary="A gateway at the far end of an IPsec pair says too little about itself",
        detail=f'With via="ipsec" the other side needs the addresses of {gateway.name}, and the blueprint omits them.',
        advice=f"Add {' and '.join(facts)} to it.",
        source="R-V2V-08",
        location=use.path,
    )
