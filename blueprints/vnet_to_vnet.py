"""Two networks in two regions, joined by their gateways.

A pair is two connections, one from each gateway, with one key: both are made here. The gateways are built at the same
time. BGP needs different numbers on both sides. Inside one region, or if no gateway is needed, prefer VNet peering.
"""

from vpngw_iac import Bgp, IpsecPolicy, Pair, Secret, VirtualNetwork, VnetToVnet, VpnGateway

west = VpnGateway(
    name="vgw-west",
    network=VirtualNetwork(
        name="vnet-west",
        location="westeurope",
        resource_group="rg-west",
        address_space=["10.60.0.0/16"],
        gateway_subnet="10.60.255.0/27",
    ),
    sku="VpnGw1AZ",
    bgp=Bgp(asn=65040),
)

north = VpnGateway(
    name="vgw-north",
    network=VirtualNetwork(
        name="vnet-north",
        location="northeurope",
        resource_group="rg-north",
        address_space=["10.61.0.0/16"],
        gateway_subnet="10.61.255.0/27",
    ),
    sku="VpnGw1AZ",
    bgp=Bgp(asn=65041),
)

blueprint = VnetToVnet(
    name="vnet-to-vnet",
    pairs=[Pair(a=west, b=north, shared_key=Secret.env("WEST_NORTH_PSK"), bgp=True, ipsec=IpsecPolicy.strong())],
)
