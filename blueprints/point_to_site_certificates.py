"""Remote workers with certificates, by OpenVPN and IKEv2.

Whoever holds a client certificate issued by one of the roots may connect. Two roots overlap during a rotation: issue
new client certificates from the next one, then remove the old root; each client it issued is locked out at that moment.
"""

from vpngw_iac import Certificates, IpsecPolicy, PointToSite, RootCertificate, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet-remote",
    location="westeurope",
    resource_group="rg-remote",
    address_space=["10.40.0.0/16"],
    gateway_subnet="10.40.255.0/27",
)

gateway = VpnGateway(name="vgw-remote", network=network, sku="VpnGw2AZ")

blueprint = PointToSite(
    name="point-to-site-certificates",
    gateway=gateway,
    protocols=["OpenVPN", "IKEv2"],
    address_pool=["172.20.0.0/24"],
    authentication=[
        Certificates(
            roots=[
                RootCertificate.file("example-root", "certificates/example-root.pem"),
                RootCertificate.file("example-root-next", "certificates/example-root-next.cer"),
            ],
            revoked={"lost-laptop": "0123456789ABCDEF0123456789ABCDEF01234567"},  # SHA-1 thumbprint
        )
    ],
    ipsec=IpsecPolicy.compatible(),  # for IKEv2 clients; without it Azure also offers weak groups
)
