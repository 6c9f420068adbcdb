"""Several sites on one route-based gateway, with BGP where the device speaks it.

Berlin and Prague announce their networks by BGP, so their prefixes are not written here. Oslo has an old device:
static prefixes, and a policy that it understands. Each site has a key of its own, so that losing one does not open
the others.
"""

from vpngw_iac import Bgp, BgpPeer, IpsecPolicy, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-hub",
    location="westeurope",
    resource_group="rg-hub",
    address_space=["10.20.0.0/16"],
    gateway_subnet="10.20.255.0/27",
)

gateway = VpnGateway(
    name="vgw-hub",
    network=network,
    sku="VpnGw2AZ",
    bgp=Bgp(asn=65010),  # must differ from every site's number
)

berlin = Site(
    name="berlin",
    public_ip="203.0.113.10",
    shared_key=Secret.env("BERLIN_PSK"),
    bgp=BgpPeer(asn=65101, address="192.168.10.1"),  # a loopback or LAN address of the device, not its public one
    ipsec=IpsecPolicy.strong(),
)

prague = Site(
    name="prague",
    public_ip="203.0.113.20",
    shared_key=Secret.env("PRAGUE_PSK"),
    bgp=BgpPeer(asn=65102, address="192.168.20.1"),
    ipsec=IpsecPolicy.strong(),
)

oslo = Site(
    name="oslo",
    fqdn="vpn.oslo.example.com",  # the address changes, the name does not
    prefixes=["192.168.30.0/24", "192.168.31.0/24"],
    shared_key=Secret.env("OSLO_PSK"),
    ipsec=IpsecPolicy.compatible(),
    dpd=45,
)

blueprint = SiteToSite(name="multi-site", gateway=gateway, sites=[berlin, prague, oslo])
