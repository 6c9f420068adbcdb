"""Remote workers who sign in with Microsoft Entra ID, by OpenVPN.

Users dial with the Azure VPN client. The application is the one that Microsoft registered, so no consent is needed.
`custom_routes` sends one more network through the tunnel.
"""

from vpngw_iac import EntraId, PointToSite, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-people",
    location="westeurope",
    resource_group="rg-people",
    address_space=["10.41.0.0/16"],
    gateway_subnet="10.41.255.0/27",
)

gateway = VpnGateway(name="vgw-people", network=network, sku="VpnGw2AZ", custom_routes=["10.200.0.0/16"])

blueprint = PointToSite(
    name="point-to-site-entra-id",
    gateway=gateway,
    protocols=["OpenVPN"],  # the only protocol that Entra ID works with
    address_pool=["172.21.0.0/24"],
    authentication=[EntraId(tenant="11111111-1111-4111-8111-111111111111")],  # your tenant's id
)
