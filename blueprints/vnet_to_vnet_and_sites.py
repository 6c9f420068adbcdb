"""Two regions joined by their gateways, each with sites of its own.

With BGP on the pair and on the sites every site reaches both regions, and the other region's sites.
"""

from vpngw_iac import (
    Bgp,
    BgpPeer,
    IpsecPolicy,
    Pair,
    Secret,
    Site,
    SiteToSite,
    Topology,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)

europe = VpnGateway(
    name="vgw-europe",
    network=VirtualNetwork(
        name="vnet-europe",
        location="westeurope",
        resource_group="rg-europe",
        address_space=["10.70.0.0/16"],
        gateway_subnet="10.70.255.0/27",
    ),
    sku="VpnGw2AZ",
    bgp=Bgp(asn=65050),
)

america = VpnGateway(
    name="vgw-america",
    network=VirtualNetwork(
        name="vnet-america",
        location="eastus2",
        resource_group="rg-america",
        address_space=["10.71.0.0/16"],
        gateway_subnet="10.71.255.0/27",
    ),
    sku="VpnGw2AZ",
    bgp=Bgp(asn=65051),
)

policy = IpsecPolicy.strong()

backbone = VnetToVnet(
    name="backbone",
    pairs=[Pair(a=europe, b=america, shared_key=Secret.env("BACKBONE_PSK"), bgp=True, ipsec=policy)],
)

european_sites = SiteToSite(
    name="european-sites",
    gateway=europe,
    sites=[
        Site(
            name="berlin",
            public_ip="203.0.113.10",
            shared_key=Secret.env("BERLIN_PSK"),
            bgp=BgpPeer(asn=65101, address="192.168.10.1"),
            ipsec=policy,
        ),
        Site(
            name="prague",
            public_ip="203.0.113.20",
            shared_key=Secret.env("PRAGUE_PSK"),
            bgp=BgpPeer(asn=65102, address="192.168.20.1"),
            ipsec=policy,
        ),
    ],
)

american_sites = SiteToSite(
    name="american-sites",
    gateway=america,
    sites=[
        Site(
            name="boston",
            public_ip="198.51.100.10",
            shared_key=Secret.env("BOSTON_PSK"),
            bgp=BgpPeer(asn=65201, address="192.168.110.1"),
            ipsec=policy,
        ),
    ],
)

blueprint = Topology(name="vnet-to-vnet-and-sites", blueprints=[backbone, european_sites, american_sites])
