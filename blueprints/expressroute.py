"""ExpressRoute alone: one gateway, two circuits of different providers, a circuit that is not connected yet.

The two circuits are also joined with each other (Global Reach), so that the sites behind them need not pass Azure.
"""

from vpngw_iac import (
    Circuit,
    CircuitLink,
    ExpressRoute,
    ExpressRouteGateway,
    GlobalReach,
    PrivatePeering,
    VirtualNetwork,
)

network = VirtualNetwork(
    name="vnet-circuits",
    location="westeurope",
    resource_group="rg-circuits",
    address_space=["10.82.0.0/16"],
    gateway_subnet="10.82.255.0/27",
)

amsterdam = Circuit(
    name="erc-amsterdam",
    location="westeurope",
    resource_group="rg-circuits",
    provider="Equinix",
    peering_location="Amsterdam",
    bandwidth=1000,
    private_peering=PrivatePeering(asn=65120, primary="192.168.252.0/30", secondary="192.168.252.4/30", vlan=300),
)
frankfurt = Circuit(
    name="erc-frankfurt",
    location="germanywestcentral",
    resource_group="rg-circuits",
    provider="Interxion",
    peering_location="Frankfurt",
    bandwidth=1000,
    private_peering=PrivatePeering(asn=65121, primary="192.168.253.0/30", secondary="192.168.253.4/30", vlan=301),
)
ordered = Circuit(
    name="erc-london",
    location="uksouth",
    resource_group="rg-circuits",
    provider="Colt",
    peering_location="London",
    bandwidth=500,
)

blueprint = ExpressRoute(
    name="expressroute",
    gateway=ExpressRouteGateway(name="ergw-circuits", network=network, sku="ErGw1AZ"),
    circuits=[
        CircuitLink(name="amsterdam", circuit=amsterdam, weight=20),
        CircuitLink(name="frankfurt", circuit=frankfurt, weight=10),
        ordered,
    ],
    global_reach=[GlobalReach(a=amsterdam, b=frankfurt, prefix="192.168.254.0/29")],
)
