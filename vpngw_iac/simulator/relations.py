"""Who uses whom: questions that several types ask of the whole cloud."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView, as_id, same
from vpngw_iac.simulator.document import Document

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
CIRCUITS = "Microsoft.Network/expressRouteCircuits"
CONNECTIONS = "Microsoft.Network/connections"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
GATEWAY_SUBNET = "gatewaysubnet"


def users_of(cloud: CloudView, target: str, member: str) -> list[str]:
    """Ids of the gateway ipConfigurations whose `member` (subnet, publicIPAddress) is the target."""
    found = []
    for gateway in cloud.of_type(GATEWAYS):
        for configuration in gateway.properties.get("ipConfigurations", []):
            if same((configuration.get("properties") or {}).get(member), target):
                found.append(f"{gateway.id}/ipConfigurations/{configuration.get('name')}")
    return found


def subnets_with(cloud: CloudView, member: str, target: str) -> list[str]:
    """Ids of the subnets whose `member` (routeTable, networkSecurityGroup) is the target."""
    return [subnet.id for subnet in cloud.of_type(SUBNETS) if same(subnet.properties.get(member), target)]


def gateways_in(cloud: CloudView, network: str | ArmId) -> Iterator[Document]:
    """Gateways whose GatewaySubnet is in that virtual network."""
    for gateway in cloud.of_type(GATEWAYS):
        if network_of(gateway) == ArmId(str(network)):
            yield gateway


def network_of(gateway: Document) -> ArmId | None:
    """The virtual network a gateway stands in."""
    for configuration in gateway.properties.get("ipConfigurations", []):
        subnet = as_id((configuration.get("properties") or {}).get("subnet"))
        if subnet is not None:
            return subnet.parent
    return None


def prefixes_of(document: Document | None) -> list[str]:
    """The address space of a virtual network, or that of a site; nothing has none."""
    properties = document.properties if document is not None else {}
    space = properties.get("addressSpace") or properties.get("localNetworkAddressSpace") or {}
    return list(space.get("addressPrefixes", []))


def connections_of(cloud: CloudView, gateway: str) -> list[Document]:
    """Connections that begin or end at a gateway, in any group and subscription (R-ORD-03)."""
    ends = ("virtualNetworkGateway1", "virtualNetworkGateway2")
    return [
        connection
        for connection in cloud.of_type(CONNECTIONS)
        if any(same(connection.properties.get(end), gateway) for end in ends)
    ]


def connections_from(cloud: CloudView, gateway: str) -> list[Document]:
    """Connections whose first end the gateway is, in any group."""
    return [one for one in cloud.of_type(CONNECTIONS) if same(one.properties.get("virtualNetworkGateway1"), gateway)]


def peerings_to(cloud: CloudView, network: str | ArmId) -> list[Document]:
    """Peerings of other networks that lead to this one."""
    return [
        peering for peering in cloud.of_type(PEERINGS) if same(peering.properties.get("remoteVirtualNetwork"), network)
    ]
