"""Remote workers whom two RADIUS servers in the network let in, by OpenVPN and IKEv2.

The server with the higher score is asked first. Register the whole GatewaySubnet as a RADIUS client on both: the
gateway's instances come from it.
"""

from vpngw_iac import PointToSite, Radius, RadiusServer, Secret, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-staff",
    location="westeurope",
    resource_group="rg-staff",
    address_space=["10.42.0.0/16"],
    gateway_subnet="10.42.255.0/27",
    subnets={"radius": "10.42.1.0/24"},
)

gateway = VpnGateway(name="vgw-staff", network=network, sku="VpnGw2AZ")

blueprint = PointToSite(
    name="point-to-site-radius",
    gateway=gateway,
    protocols=["OpenVPN", "IKEv2"],
    address_pool=["172.22.0.0/24"],
    authentication=[
        Radius(
            servers=[
                RadiusServer(address="10.42.1.4", score=20, secret=Secret.env("RADIUS1_SECRET")),
                RadiusServer(address="10.42.1.5", score=10, secret=Secret.env("RADIUS2_SECRET")),
            ]
        )
    ],
)
