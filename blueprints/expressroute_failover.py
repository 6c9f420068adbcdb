"""ExpressRoute to the headquarters, with a VPN tunnel that takes over when the circuit fails.

Both gateways stand in one GatewaySubnet (/27 or larger). Azure prefers the circuit for equal prefixes, so the same
network is announced on both paths; on the device give the circuit a higher local preference than the tunnel.

The circuit is ordered here. The connectivity provider then has to provision it: `apply` builds everything else, says
which service key to hand over, ends with exit code 6, and continues when you run it again. Billing starts when the
circuit exists.
"""

from vpngw_iac import (
    Bgp,
    BgpPeer,
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
    name="vnet-main",
    location="germanywestcentral",
    resource_group="rg-main",
    address_space=["10.80.0.0/16"],
    gateway_subnet="10.80.255.0/26",
)

frankfurt = Circuit(
    name="erc-frankfurt",
    location="germanywestcentral",
    resource_group="rg-main",
    provider="Equinix",
    peering_location="Frankfurt",
    bandwidth=200,  # Mbps; it can grow, never shrink
    sku="Standard_MeteredData",
    private_peering=PrivatePeering(
        asn=65110,
        primary="192.168.250.0/30",
        secondary="192.168.250.4/30",
        vlan=200,
    ),
)

headquarters = Site(
    name="headquarters",
    backup_of="frankfurt",  # equal prefixes on both paths are intended
    public_ip="203.0.113.30",
    shared_key=Secret.env("HEADQUARTERS_PSK"),
    bgp=BgpPeer(asn=65110, address="192.168.251.1"),
    ipsec=IpsecPolicy.strong(),
)

blueprint = ExpressRouteCoexistence(
    name="expressroute-failover",
    vpn=VpnGateway(
        name="vgw-main",
        network=network,
        sku="VpnGw2AZ",
        active_active=True,
        bgp=Bgp(asn=65515),  # Azure's own number, which transit between both gateways needs
    ),
    expressroute=ExpressRouteGateway(name="ergw-main", network=network, sku="ErGw1AZ"),
    circuits=[CircuitLink(name="frankfurt", circuit=frankfurt)],
    sites=[headquarters],
)
