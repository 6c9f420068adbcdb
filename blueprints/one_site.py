"""One office, one VPN gateway, one tunnel.

    vpngw plan  blueprints/one_site.py --env-file blueprints/example.env
    vpngw apply blueprints/one_site.py --env-file blueprints/example.env

Creates a resource group, a network with its GatewaySubnet, a public IP, the gateway (20 to 45 minutes), and for the
office a local network gateway (what Azure knows about the device) and a connection (the tunnel).
"""

from vpngw_iac import IpsecPolicy, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-office",
    location="westeurope",
    resource_group="rg-office",
    address_space=["10.10.0.0/16"],
    gateway_subnet="10.10.255.0/27",  # /27 leaves room for an ExpressRoute gateway later
    subnets={"workload": "10.10.1.0/24"},
)

gateway = VpnGateway(name="vgw-office", network=network, sku="VpnGw1AZ")

berlin = Site(
    name="berlin",
    public_ip="203.0.113.10",  # the device, as the internet sees it
    prefixes=["192.168.10.0/24"],  # what lies behind it
    shared_key=Secret.env("BERLIN_PSK"),  # a reference: the key itself never stands in a file
    ipsec=IpsecPolicy.strong(),  # configure the same on the device
)

blueprint = SiteToSite(name="one-site", gateway=gateway, sites=[berlin])
