"""Old Windows clients by SSTP, newer ones by IKEv2, both with certificates.

SSTP is for Windows only, takes at most 128 clients whatever the SKU, and cannot stand beside OpenVPN. Plan to leave
it: once the last old client is gone, remove "SSTP", and add "OpenVPN" in its place.
"""

from vpngw_iac import Certificates, PointToSite, RootCertificate, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-legacy",
    location="westeurope",
    resource_group="rg-legacy",
    address_space=["10.43.0.0/16"],
    gateway_subnet="10.43.255.0/27",
)

gateway = VpnGateway(name="vgw-legacy", network=network, sku="VpnGw1AZ")

blueprint = PointToSite(
    name="point-to-site-sstp",
    gateway=gateway,
    waive={"R-SEC-05": "Windows 7 kiosks until they are replaced"},  # stays visible in every report
    protocols=["SSTP", "IKEv2"],
    address_pool=["172.23.0.0/24"],  # split between both protocols by Azure
    authentication=[
        Certificates(roots=[RootCertificate.file("example-root", "certificates/example-root.pem")]),
    ],
)
