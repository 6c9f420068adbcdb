"""ExpressRoute to the data centre, VPN tunnels to the branches that are not on ExpressRoute.

Both paths end in one hub. Branches reach the data centre through Azure only with an Azure Route Server in the hub.
"""

from vpngw_iac import (
    Bgp,
    Circuit,
    CircuitLink,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    IpsecPolicy,
    PrivatePeering,
    Secret,
    Site,
    VirtualNetwork,
    VpnGateway,
)

network = VirtualNetwork(
    name="vnet-branches",
    location="westeurope",
    resource_group="rg-branches",
    address_space=["10.81.0.0/16"],
    gateway_subnet="10.81.255.0/27",
)

amsterdam = Circuit(
    name="erc-amsterdam",
    location="westeurope",
    resource_group="rg-branches",
    provider="Equinix",
    peering_location="Amsterdam",
    bandwidth=1000,
    sku="Standard_UnlimitedData",
    private_peering=PrivatePeering(
        asn=65120,
        primary="192.168.252.0/30",
        secondary="192.168.252.4/30",
        vlan=300,
    ),
)

blueprint = ExpressRouteCoexistence(
    name="expressroute-and-sites",
    vpn=VpnGateway(name="vgw-branches", network=network, sku="VpnGw2AZ", bgp=Bgp(asn=65515)),
    expressroute=ExpressRouteGateway(name="ergw-branches", network=network, sku="ErGw1AZ"),
    circuits=[CircuitLink(name="amsterdam", circuit=amsterdam, weight=10)],
    sites=[
        Site(
            name="utrecht",
            public_ip="198.51.100.40",
            prefixes=["192.168.40.0/24"],
            shared_key=Secret.env("UTRECHT_PSK"),
            ipsec=IpsecPolicy.strong(),
        ),
        Site(
            name="ghent",
            public_ip="198.51.100.50",
            prefixes=["192.168.50.0/24"],
            shared_key=Secret.env("GHENT_PSK"),
            ipsec=IpsecPolicy.compatible(),
        ),
    ],
)
