"""Active-active: two gateway instances, a site with two devices, four tunnels.

Each link is one device: Azure builds a tunnel from both instances to each of them, so that neither a device nor an
instance is a single point of failure. Two tunnels to one site need BGP on both. Configure both Azure addresses
(`vpngw show`) on each device.

Zurich has one device with APIPA addresses (169.254.21.x, 169.254.22.x): one for each instance of the gateway.
"""

from vpngw_iac import Bgp, BgpPeer, IpsecPolicy, Link, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-core",
    location="westeurope",
    resource_group="rg-core",
    address_space=["10.30.0.0/16"],
    gateway_subnet="10.30.255.0/27",
)

gateway = VpnGateway(
    name="vgw-core",
    network=network,
    sku="VpnGw2AZ",
    active_active=True,
    bgp=Bgp(asn=65020),
)

berlin = Site(
    name="berlin",
    ipsec=IpsecPolicy.strong(),  # for both links
    links=[
        Link(
            name="device1",
            public_ip="203.0.113.11",
            shared_key=Secret.env("BERLIN_DEVICE1_PSK"),
            bgp=BgpPeer(asn=65101, address="192.168.10.1"),
        ),
        Link(
            name="device2",
            public_ip="203.0.113.12",
            shared_key=Secret.env("BERLIN_DEVICE2_PSK"),
            bgp=BgpPeer(asn=65101, address="192.168.10.2"),
        ),
    ],
)

zurich = Site(
    name="zurich",
    public_ip="198.51.100.30",
    shared_key=Secret.env("ZURICH_PSK"),
    bgp=BgpPeer(
        asn=65103,
        address="169.254.21.5",
        azure_address=["169.254.21.6", "169.254.22.6"],  # instance 0, instance 1
    ),
    ipsec=IpsecPolicy.strong(),
)

blueprint = SiteToSite(name="active-active", gateway=gateway, sites=[berlin, zurich])
