"""ExpressRoute gateways, circuits with their peerings and authorizations, and the connections between them."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.circuit import (
    Circuit,
    CircuitLink,
    ExistingCircuit,
    GlobalReach,
    MicrosoftPeering,
    PrivatePeering,
)
from vpngw_iac.blueprints.compiling.context import CompileContext, Item, envelope, gateway_address, used
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.network import gateway_subnet_ref
from vpngw_iac.blueprints.compiling.operations_settings import beside
from vpngw_iac.blueprints.compiling.plain import merged, plain, properties_of
from vpngw_iac.blueprints.compiling.site import CONNECTION
from vpngw_iac.blueprints.contribution import PlacedPart
from vpngw_iac.blueprints.gateway import ExistingExpressRouteGateway, ExpressRouteGateway
from vpngw_iac.blueprints.part import sku_name
from vpngw_iac.resources import circuit_authorization as auth_wire
from vpngw_iac.resources import circuit_connection as reach_wire
from vpngw_iac.resources import circuit_peering as peering_wire
from vpngw_iac.resources import connection as connection_wire
from vpngw_iac.resources import express_route_circuit as wire
from vpngw_iac.resources import virtual_network_gateway as gateway_wire
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import Document

PRIVATE, MICROSOFT = "AzurePrivatePeering", "MicrosoftPeering"


def expressroute_gateway(gateway: GatewayContext, context: CompileContext, location: str) -> Iterator[Item]:
    """An ExpressRoute gateway with what is said beside it, or the note that an existing one is used."""
    part = gateway.part
    if isinstance(part, ExistingExpressRouteGateway):
        sku = part.sku and sku_name(part.sku)
        facts = {"location": part.location, "properties.sku.name": sku, "properties.gatewayType": "ExpressRoute"}
        yield used(gateway_address(part), part, facts)
    elif isinstance(part, ExpressRouteGateway):
        made = gateway_wire.VirtualNetworkGateway(
            address=gateway_address(part),
            id=gateway.id,
            location=location,
            expected=(*part.guests, *part.expected),
            affected=gateway.lost,
            **envelope(part, context.place(part).tenant, gateway.tags),
            **merged(plain(part), {"properties": _gateway_properties(part, context)}),
        )
        yield made
        yield from beside(made, part, context, part.address_name)


def _gateway_properties(part: ExpressRouteGateway, context: CompileContext) -> Document:
    """No public address: Microsoft gives one (R-PIP-11). No generation either (R-SKU-09)."""
    scale = part.scale_bounds
    bounds = gateway_wire.ScaleBounds(min=scale[0], max=scale[1]) if scale else None
    return {
        "gateway_type": "ExpressRoute",
        "sku": gateway_wire.GatewaySku(name=part.sku_name),
        "ip_configurations": (
            gateway_wire.IpConfiguration(
                name=part.ip_configuration,
                properties=gateway_wire.IpConfigurationProperties(
                    subnet=gateway_subnet_ref(part.network, context), private_ip_allocation_method="Dynamic"
                ),
            ),
        ),
        "auto_scale_configuration": gateway_wire.AutoScale(bounds=bounds) if bounds else None,
    }


# --- circuits ------------------------------------------------------------------------------------------------------


def circuit(
    use: PlacedPart[Circuit | ExistingCircuit], context: CompileContext, lost: tuple[str, ...]
) -> Iterator[Item]:
    """A circuit with its peerings and the authorizations that its owner gives to others."""
    part = use.part
    if isinstance(part, ExistingCircuit):
        yield _existing_circuit(part)
        return
    made = _circuit(part, use, context, lost)
    yield made
    yield from beside(made, part, context)
    if part.private_peering:
        yield _peering(part, PRIVATE, part.private_peering, context, lost)
    if part.microsoft_peering:
        yield _peering(part, MICROSOFT, part.microsoft_peering, context, ())
    yield from (authorization(part, name, context) for name in part.authorizations)


def _circuit(
    part: Circuit, use: PlacedPart[Circuit | ExistingCircuit], context: CompileContext, lost: tuple[str, ...]
) -> wire.ExpressRouteCircuit:
    tier, family = part.sku.split("_")
    if part.port:
        bandwidth: Document = {"bandwidthInGbps": part.bandwidth / 1000}
    else:
        bandwidth = {"serviceProviderProperties": {"bandwidthInMbps": part.bandwidth}}
    return wire.ExpressRouteCircuit(
        address=f"Circuit/{part.address_name}",
        id=context.circuit_id(part),
        affected=lost,
        sku=wire.CircuitSku(name=part.sku, tier=tier, family=family),
        **envelope(part, context.place(part).tenant, use.tags),
        **merged(plain(part), {"properties": bandwidth}),
    )


def _peering(
    part: Circuit, kind: str, said: PrivatePeering | MicrosoftPeering, context: CompileContext, lost: tuple[str, ...]
) -> peering_wire.ExpressRouteCircuitPeering:
    return peering_wire.ExpressRouteCircuitPeering(
        address=f"CircuitPeering/{part.address_name}/{'private' if kind == PRIVATE else 'microsoft'}",
        id=context.circuit_id(part).child("peerings", kind),
        tenant=context.place(part).tenant,
        protect=part.protect,
        on_removal=part.on_removal,
        affected=lost,
        properties=peering_wire.CircuitPeeringProperties(peering_type=kind, **properties_of(said)),
    )


def authorization(part: Circuit, name: str, context: CompileContext) -> auth_wire.ExpressRouteCircuitAuthorization:
    """A permission for one connection of a gateway in another subscription; Azure makes its key (R-ER-12)."""
    return auth_wire.ExpressRouteCircuitAuthorization(
        address=f"CircuitAuthorization/{part.address_name}/{name}",
        id=context.circuit_id(part).child("authorizations", name),
        tenant=context.place(part).tenant,
        affected=(),
    )


def global_reach(use: PlacedPart[GlobalReach], context: CompileContext) -> Iterator[Item]:
    """The connection between two circuits: it needs both private peerings, and both circuits provisioned (R-ER-10)."""
    part = use.part
    ends = [context.circuit_id(circuit) for circuit in (part.a, part.b)]
    for circuit_, id_ in zip((part.a, part.b), ends, strict=True):
        if isinstance(circuit_, ExistingCircuit) or circuit_.private_peering is None:
            peering = id_.child("peerings", PRIVATE)
            yield Existing(f"CircuitPeering/{circuit_.address_name}/private", peering, tenant=circuit_.tenant)
    key = part.b.authorization if isinstance(part.b, ExistingCircuit) else None
    grant = _grant(part.b, ends[0], part.a.name, context)
    if grant is not None:
        yield grant
    pattern = context.naming.global_reach.format(circuit=part.a.name, peer=part.b.name)
    name, derived = context.called(part.name, pattern)
    yield reach_wire.ExpressRouteCircuitConnection(
        address=f"GlobalReach/{part.a.address_name}/{part.b.address_name}",
        id=ends[0].child("peerings", PRIVATE).child("connections", name),
        tenant=context.place(part.a).tenant,
        derived_name=derived,
        protect=part.protect,
        on_removal=part.on_removal,
        affected=tuple(sorted((part.a.name, part.b.name))),
        needs=tuple(map(Ref.to, ends)),
        properties=reach_wire.CircuitConnectionProperties(
            express_route_circuit_peering=Ref.to(ends[0].child("peerings", PRIVATE)),
            peer_express_route_circuit_peering=Ref.to(ends[1].child("peerings", PRIVATE)),
            authorization_key=grant.key if grant else key,
            **properties_of(part),
        ),
    )


def _existing_circuit(part: ExistingCircuit) -> Existing:
    facts = {
        "location": part.location,
        "sku.name": part.sku,
        "properties.serviceProviderProperties.peeringLocation": part.peering_location,
        "properties.serviceProviderProperties.bandwidthInMbps": part.bandwidth,
    }
    return used(f"Circuit/{part.address_name}", part, facts)


# --- connections ---------------------------------------------------------------------------------------------------


def circuit_links(gateway: GatewayContext, context: CompileContext, location: str) -> Iterator[Item]:
    """The connections of a gateway to its circuits, with the authorizations that they need."""
    for use in gateway.circuits:
        part = use.part.circuit
        made = _own_authorization(use, gateway, context)
        if made is not None:
            yield made
        key = made.key if made else (part.authorization if isinstance(part, ExistingCircuit) else None)
        connection = _link(use, gateway, context, location, key)
        yield connection
        yield from beside(connection, use.part, context)


def _own_authorization(
    use: PlacedPart[CircuitLink], gateway: GatewayContext, context: CompileContext
) -> auth_wire.ExpressRouteCircuitAuthorization | None:
    """Between two subscriptions the circuit's owner must permit the connection (R-ER-12)."""
    made = _grant(use.part.circuit, gateway.id, gateway.part.name, context)
    address = f"CircuitAuthorization/{use.part.circuit.address_name}/{gateway.part.address_name}"
    return made and made.model_copy(update={"address": address, "affected": (use.part.name,)})


def _grant(
    part: Circuit | ExistingCircuit, user: ArmId, name: str, context: CompileContext
) -> auth_wire.ExpressRouteCircuitAuthorization | None:
    """The authorization of a circuit of ours for something in another subscription."""
    if isinstance(part, ExistingCircuit) or context.circuit_id(part).subscription.lower() == user.subscription.lower():
        return None
    name, derived = context.called(None, context.naming.authorization.format(gateway=name))
    return authorization(part, name, context).model_copy(update={"derived_name": derived})


def _link(
    use: PlacedPart[CircuitLink], gateway: GatewayContext, context: CompileContext, location: str, key: object
) -> connection_wire.Connection:
    """The connection waits for the private peering, without which Azure refuses it (R-ER-10)."""
    link, place = use.part, context.beside(gateway.part, use.part.resource_group)
    circuit_id = context.circuit_id(link.circuit)
    peering = isinstance(link.circuit, Circuit) and link.circuit.private_peering is not None
    pattern = context.naming.circuit_connection.format(gateway=gateway.part.name, name=link.name)
    name, derived = context.called(link.connection_name, pattern)
    return connection_wire.Connection(
        address=f"ExpressRouteConnection/{gateway.part.address_name}/{link.name}",
        id=place.id(CONNECTION, name),
        location=location,
        derived_name=derived,
        affected=(link.name,),
        needs=(Ref.to(circuit_id.child("peerings", PRIVATE)),) if peering else (),
        properties=connection_wire.ConnectionProperties(
            connection_type="ExpressRoute",
            virtual_network_gateway1=Ref.to(gateway.id),
            peer=Ref.to(circuit_id),
            authorization_key=key,
            **properties_of(link),
        ),
        **envelope(link, place.tenant, use.tags),
    )
