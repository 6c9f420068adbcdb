"""Virtual networks. Subnets and peerings hang on them as resources of their own."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Block, Children, Immutable, Observed, Outage, ServerDefault, Unordered
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources.base import Durations, PartKind, Resource, Role
from vpngw_iac.resources.parts import AddressSpace, ExtendedLocation, IdOnly
from vpngw_iac.resources.wire import WireModel

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
GATEWAY_SUBNET = "GatewaySubnet"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"


class DhcpOptions(WireModel):
    """DNS servers, in order; a cleared list comes back as an empty one (recording ``test_network_vnet``)."""

    # Ours as a whole and in this order: machines ask the first server first, and one put between changes the answer.
    dns_servers: Annotated[tuple[str, ...] | None, ServerDefault([])] = None


class BgpCommunities(WireModel):
    """BGP community of the network over ExpressRoute (recording ``test_network_vnet_with_bgp_community``)."""

    virtual_network_community: str
    regional_community: Observed = None


class Encryption(WireModel):
    """Encryption between virtual machines."""

    enabled: bool
    enforcement: Literal["DropUnencrypted", "AllowUnencrypted"] | None = None


class VirtualNetworkProperties(WireModel):
    """Properties of a virtual network."""

    # Point-to-site clients learn the network's prefixes from their profile (R-TS-07).
    address_space: Annotated[AddressSpace, Outage("none", profiles=True, source="R-TS-07")]
    # Clients use the DNS servers that were set when their profile was made (R-DNS-04).
    dhcp_options: Annotated[DhcpOptions | None, Block(), Outage("none", profiles=True, source="R-DNS-04")] = None
    flow_timeout_in_minutes: int | None = None
    # Recording test_network_vnet: false is added.
    enable_ddos_protection: Annotated[bool | None, ServerDefault(False)] = None
    # Recording test_network_vnet: false is sent and never comes back.
    enable_vm_protection: Annotated[bool | None, ServerDefault(False)] = None
    ddos_protection_plan: IdOnly | None = None
    bgp_communities: Annotated[BgpCommunities | None, Block()] = None
    encryption: Annotated[Encryption | None, Block()] = None
    # Recording test_network_vnet (answers of 2024): "Disabled" is added.
    private_endpoint_vnet_policies: Annotated[
        Literal["Disabled", "Basic"] | None, ServerDefault("Disabled"), Field(alias="privateEndpointVNetPolicies")
    ] = None
    # VPN and ExpressRoute gateways advertise these instead of the spokes they cover (R-BGP-22).
    summarized_gateway_prefixes: Annotated[AddressSpace | None, Block()] = None
    ip_allocations: Annotated[tuple[IdOnly, ...] | None, Unordered(), ServerDefault([])] = None

    # A PUT that omits a subnet deletes it (R-SUBNET-19), so both lists are carried as read.
    subnets: Annotated[None, Children(SUBNETS)] = None
    virtual_network_peerings: Annotated[None, Children(PEERINGS)] = None
    flow_logs: Observed = None
    default_public_nat_gateway: Observed = None


class VirtualNetwork(Resource):
    """A virtual network."""

    arm_type: ClassVar[str] = "Microsoft.Network/virtualNetworks"
    kind: ClassVar[str] = "VirtualNetwork"
    sdk: ClassVar[str] = "network.virtual_networks"
    durations: ClassVar[Durations] = Durations(create=6, update=6, delete=6)
    role: ClassVar[Role] = "network"
    facts: ClassVar[Mapping[str, str]] = {"address_space": "properties.addressSpace.addressPrefixes"}
    join_action: ClassVar[str] = "Microsoft.Network/virtualNetworks/peer/action"  # a peering peers with it
    parts: ClassVar[Mapping[str, PartKind]] = {
        "properties.virtualNetworkPeerings": "peering",
        "properties.subnets": "subnet",
    }

    properties: VirtualNetworkProperties
    extended_location: Annotated[ExtendedLocation | None, Immutable()] = None

    @classmethod
    def quotas(cls, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Networks of the subscription in the region."""
        return ("virtualnetworks",)

    @classmethod
    def looks_at(
        cls, resource_id: ArmId, document: Mapping[str, Any], said: Literal["declared", "applied", "observed"]
    ) -> Iterator[ArmId]:
        """The route table of the GatewaySubnet that it shows inside."""
        for shown in objects(value_at(document, "properties.subnets")) if said == "observed" else ():
            if str(shown.get("name")).lower() == GATEWAY_SUBNET.lower():
                yield from table_of(shown)


def table_of(subnet: Mapping[str, Any]) -> Iterator[ArmId]:
    """The route table of a subnet."""
    if (table := ArmId.of(value_at(subnet, "properties.routeTable.id"))) is not None:
        yield table
