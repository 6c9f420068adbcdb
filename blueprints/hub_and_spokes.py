"""A hub with the only gateway, and spokes that use it (gateway transit).

For each spoke two peerings: the hub's lends its gateway, the spoke's uses it. They are made after the gateway, and
taken off before it is rebuilt. `default_site` sends everything without a better route to headquarters (forced
tunnelling); its device must accept 0.0.0.0/0.

The two sites both use 192.168.1.0/24, a network that Azure must not see twice: NAT shows the second as another one.
"""

from vpngw_iac import IpsecPolicy, Nat, Secret, Site, SiteToSite, Spoke, VirtualNetwork, VpnGateway

hub = VirtualNetwork(
    name="vnet-transit",
    location="westeurope",
    resource_group="rg-transit",
    address_space=["10.90.0.0/16"],
    gateway_subnet="10.90.255.0/27",
)

production = VirtualNetwork(
    name="vnet-production",
    location="westeurope",
    resource_group="rg-production",
    address_space=["10.91.0.0/16"],
    subnets={"web": "10.91.1.0/24", "data": "10.91.2.0/24"},
)

development = VirtualNetwork(
    name="vnet-development",
    location="northeurope",
    resource_group="rg-development",
    address_space=["10.92.0.0/16"],
    subnets={"workload": "10.92.1.0/24"},
)

gateway = VpnGateway(name="vgw-transit", network=hub, sku="VpnGw2AZ", default_site="headquarters")

blueprint = SiteToSite(
    name="hub-and-spokes",
    gateway=gateway,
    sites=[
        Site(
            name="headquarters",
            public_ip="203.0.113.30",
            prefixes=["192.168.1.0/24"],
            shared_key=Secret.env("HEADQUARTERS_PSK"),
            ipsec=IpsecPolicy.strong(),
        ),
        Site(
            name="warehouse",
            public_ip="203.0.113.40",
            prefixes=["192.168.1.0/24"],
            nat=[Nat.ingress(name="warehouse", internal="192.168.1.0/24", external="100.64.1.0/24")],
            shared_key=Secret.env("WAREHOUSE_PSK"),
            ipsec=IpsecPolicy.strong(),
        ),
    ],
    spokes=[Spoke(network=production), Spoke(network=development)],
)
