"""Two networks in two subscriptions, joined by their gateways.

Only the partner's network names its subscription; ours is the one of the run (`--subscription`). Each connection lives
in the subscription of the gateway that it starts from. Needs rights in both; if the partner makes its own connection,
write manage="a" and use VpnGateway.existing(...) for its gateway.
"""

import os

from vpngw_iac import IpsecPolicy, Pair, Secret, VirtualNetwork, VnetToVnet, VpnGateway

PARTNER = os.environ.get("PARTNER_SUBSCRIPTION_ID", "22222222-2222-4222-8222-222222222222")

ours = VpnGateway(
    name="vgw-ours",
    network=VirtualNetwork(
        name="vnet-ours",
        location="westeurope",
        resource_group="rg-ours",
        address_space=["10.62.0.0/16"],
        gateway_subnet="10.62.255.0/27",
    ),
    sku="VpnGw1AZ",
)

partner = VpnGateway(
    name="vgw-partner",
    network=VirtualNetwork(
        name="vnet-partner",
        location="northeurope",
        resource_group="rg-partner",
        subscription=PARTNER,
        address_space=["10.63.0.0/16"],
        gateway_subnet="10.63.255.0/27",
    ),
    sku="VpnGw1AZ",
)

blueprint = VnetToVnet(
    name="vnet-to-vnet-subscriptions",
    pairs=[Pair(a=ours, b=partner, shared_key=Secret.env("PARTNER_PSK"), ipsec=IpsecPolicy.strong())],
)
