"""One gateway for sites and for remote workers.

Two blueprints name the same gateway; `Topology` makes it one resource, to which each contributes its share. The
gateway is active-active, so point-to-site brings a third public IP with it.
"""

from vpngw_iac import (
    Bgp,
    BgpPeer,
    EntraId,
    IpsecPolicy,
    PointToSite,
    Secret,
    Site,
    SiteToSite,
    Topology,
    VirtualNetwork,
    VpnGateway,
)

network = VirtualNetwork(
    name="vnet-campus",
    location="westeurope",
    resource_group="rg-campus",
    address_space=["10.50.0.0/16"],
    gateway_subnet="10.50.255.0/27",
)

gateway = VpnGateway(
    name="vgw-campus",
    network=network,
    sku="VpnGw2AZ",
    active_active=True,
    bgp=Bgp(asn=65030),
)

offices = SiteToSite(
    name="offices",
    gateway=gateway,
    sites=[
        Site(
            name="berlin",
            public_ip="203.0.113.10",
            shared_key=Secret.env("BERLIN_PSK"),
            bgp=BgpPeer(asn=65101, address="192.168.10.1"),
            ipsec=IpsecPolicy.strong(),
        ),
        Site(
            name="prague",
            public_ip="203.0.113.20",
            prefixes=["192.168.20.0/24"],
            shared_key=Secret.env("PRAGUE_PSK"),
            ipsec=IpsecPolicy.strong(),
        ),
    ],
)

people = PointToSite(
    name="people",
    gateway=gateway,
    protocols=["OpenVPN"],
    address_pool=["172.24.0.0/24"],
    authentication=[EntraId(tenant="11111111-1111-4111-8111-111111111111")],
)

blueprint = Topology(name="point-to-site-and-sites", blueprints=[offices, people])
