"""Peerings of an ExpressRoute circuit: private peering to virtual networks, Microsoft peering to public services."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from vpngw_iac.field import (
    Block,
    Children,
    Cidr,
    Immutable,
    KeyedBy,
    Observed,
    Outage,
    ReadOnly,
    ServerDefault,
    Unordered,
    WriteOnly,
)
from vpngw_iac.resources.base import ChildResource, Durations
from vpngw_iac.resources.parts import IdOnly
from vpngw_iac.resources.wire import WireModel
from vpngw_iac.secret import SecretReference

CIRCUIT_PEERINGS = "Microsoft.Network/expressRouteCircuits/peerings"

_SEEN = "net_ExpressRouteCircuit_CanCreatePeering"
_SESSION = Outage("minutes", source="the BGP sessions of the peering are established again")


def _both_ends(what: str) -> Outage:
    """No session comes up before the router on the other side, ours or the provider's, has the same (R-ER-24)."""
    return Outage("reconfigure", source="R-ER-24", until=f"the router on the other side has the new {what}")


class AdvertisedPrefix(WireModel):
    """How a public prefix is proven to be one's own."""

    prefix: Cidr
    validation_id: str | None = None
    signature: str | None = None
    validation_state: Annotated[None, ReadOnly("Azure's verdict about the prefix")] = None


class MicrosoftPeering(WireModel):
    """What is advertised over Microsoft peering."""

    advertised_public_prefixes: Annotated[tuple[Cidr, ...] | None, Unordered()] = None
    advertised_public_prefix_info: Annotated[tuple[AdvertisedPrefix, ...] | None, KeyedBy("prefix")] = None
    advertised_communities: Annotated[tuple[str, ...] | None, Unordered()] = None
    # Recording net_ExpressRouteCircuit_CanCreatePeering: 0, "NONE" and 0 are added.
    customer_asn: Annotated[int | None, ServerDefault(0), Field(alias="customerASN")] = None
    routing_registry_name: Annotated[str | None, ServerDefault("NONE")] = None
    legacy_mode: Annotated[int | None, ServerDefault(0)] = None
    advertised_public_prefixes_state: Annotated[None, ReadOnly("test_network_express_route")] = None


class Ipv6Peering(WireModel):
    """The IPv6 half of a peering: two /126 (R-ER-24)."""

    primary_peer_address_prefix: Cidr
    secondary_peer_address_prefix: Cidr
    microsoft_peering_config: MicrosoftPeering | None = None
    route_filter: IdOnly | None = None
    state: Annotated[Literal["Enabled", "Disabled"] | None, ServerDefault("Enabled")] = None


class CircuitPeeringProperties(WireModel):
    """Two /30, a VLAN and an AS number (R-ER-24)."""

    # Public peering is retired; circuits of before 2018 may still have it.
    peering_type: Annotated[
        Literal["AzurePrivatePeering", "MicrosoftPeering", "AzurePublicPeering"], Immutable("the name of a peering")
    ]
    peer_asn: Annotated[int, _both_ends("AS number"), Field(alias="peerASN")]
    primary_peer_address_prefix: Annotated[Cidr | None, _both_ends("address")] = None
    secondary_peer_address_prefix: Annotated[Cidr | None, _both_ends("address")] = None
    vlan_id: Annotated[int, _both_ends("VLAN")]
    # Recording test_network_express_route: "Enabled" is added.
    state: Annotated[Literal["Enabled", "Disabled"] | None, ServerDefault("Enabled"), _SESSION] = None
    # MD5 key of the BGP sessions.
    shared_key: Annotated[SecretReference | None, WriteOnly(), _both_ends("key")] = None
    microsoft_peering_config: Annotated[MicrosoftPeering | None, Block()] = None
    ipv6_peering_config: Annotated[Ipv6Peering | None, Block()] = None
    route_filter: IdOnly | None = None

    # Global Reach.
    connections: Annotated[None, Children(f"{CIRCUIT_PEERINGS}/connections")] = None
    peered_connections: Observed = None
    azure_asn: Annotated[None, ReadOnly(_SEEN), Field(alias="azureASN")] = None
    # LIST and GET differ in the ports (recording test_network_express_route).
    primary_azure_port: Annotated[None, ReadOnly("test_network_express_route")] = None
    secondary_azure_port: Annotated[None, ReadOnly("test_network_express_route")] = None
    last_modified_by: Observed = None
    gateway_manager_etag: Annotated[None, ReadOnly(_SEEN)] = None
    stats: Annotated[None, ReadOnly(_SEEN)] = None
    express_route_connection: Annotated[None, ReadOnly("Virtual WAN's side of a peering")] = None


class ExpressRouteCircuitPeering(ChildResource):
    """A peering; a connection of the circuit needs the private one (R-ER-10)."""

    arm_type: ClassVar[str] = CIRCUIT_PEERINGS
    kind: ClassVar[str] = "CircuitPeering"
    sdk: ClassVar[str] = "network.express_route_circuit_peerings"
    durations: ClassVar[Durations] = Durations(create=25, update=25, delete=25)

    properties: CircuitPeeringProperties
