"""Two networks joined by site-to-site connections: each sees the other as a site.

For each side a local network gateway that holds the other's public address, and an IPsec connection. The addresses
are filled in as soon as Azure has allocated them. Unlike a VNet-to-VNet connection, the prefixes do not follow the
networks: what is written here is what is routed.
"""

from vpngw_iac import IpsecPolicy, Pair, Secret, VirtualNetwork, VnetToVnet, VpnGateway

blue = VpnGateway(
    name="vgw-blue",
    network=VirtualNetwork(
        name="vnet-blue",
        location="westeurope",
        resource_group="rg-blue",
        address_space=["10.64.0.0/16"],
        gateway_subnet="10.64.255.0/27",
    ),
    sku="VpnGw1AZ",
)

green = VpnGateway(
    name="vgw-green",
    network=VirtualNetwork(
        name="vnet-green",
        location="northeurope",
        resource_group="rg-green",
        address_space=["10.65.0.0/16"],
        gateway_subnet="10.65.255.0/27",
    ),
    sku="VpnGw1AZ",
)

blueprint = VnetToVnet(
    name="vnet-to-vnet-ipsec",
    pairs=[
        Pair(a=blue, b=green, shared_key=Secret.env("BLUE_GREEN_PSK"), via="ipsec", ipsec=IpsecPolicy.strong()),
    ],
)
