"""Active-active: two gateway instances, a site with two devices, four tunnels.

Each link is one device: Azure builds a tunnel from both instances to each of them, so that neither a device nor an
instance is a single point of failure. Two tunnels to one site need BGP on both. Configure both Azure addresses
(`vpngw show`) on each device.

Zurich's device speaks BGP from APIPA addresses (169.254.21.x, 169.254.22.x), one in each tunnel. Such an address lives
in one tunnel, and a local network gateway has one BGP address: so there is a link for each instance of the gateway,
to an outside address of its own. A device that speaks BGP from a loopback, as Berlin's do, needs no such pair.
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
    shared_key=Secret.env("ZURICH_PSK"),  # one device, one key, for both links
    ipsec=IpsecPolicy.strong(),
    links=[
        Link(
            name="instance0",
            public_ip="198.51.100.30",
            instance=0,
            bgp=BgpPeer(asn=65103, address="169.254.21.5", azure_address="169.254.21.6"),
        ),
        Link(
            name="instance1",
            public_ip="198.51.100.31",
            instance=1,
            bgp=BgpPeer(asn=65103, address="169.254.22.5", azure_address="169.254.22.6"),
        ),
    ],
)

blueprint = SiteToSite(name="active-active", gateway=gateway, sites=[berlin, zurich])
