"""The nouns of blueprints, in one place to import from."""

from __future__ import annotations

from vpngw_iac.blueprints.circuit import (
    Circuit,
    CircuitLink,
    GlobalReach,
    MicrosoftPeering,
    PrefixValidation,
    PrivatePeering,
)
from vpngw_iac.blueprints.client import (
    CertificateDomain,
    Certificates,
    ClientAccess,
    EntraGroup,
    EntraId,
    Radius,
    RadiusGroup,
    RadiusServer,
    RevokedCertificate,
    RootCertificate,
    UserGroup,
)
from vpngw_iac.blueprints.gateway import Bgp, ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.network import (
    Delegation,
    GatewaySubnet,
    IpTag,
    PublicIp,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    VirtualNetwork,
)
from vpngw_iac.blueprints.operations_settings import Diagnostics, Lock, Maintenance, RoleAssignment
from vpngw_iac.blueprints.part import Sku
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.site import (
    BgpPeer,
    CertificateKey,
    IpsecPolicy,
    Link,
    LocalGateway,
    Nat,
    NatMapping,
    Routing,
    Site,
    TrafficSelector,
    Tunnel,
)

__all__ = [
    "Bgp", "BgpPeer", "CertificateDomain", "CertificateKey", "Certificates", "Circuit", "CircuitLink", "ClientAccess",
    "Delegation", "Diagnostics", "EntraGroup", "EntraId", "ExpressRouteGateway", "GatewaySubnet", "GlobalReach",
    "IpTag", "IpsecPolicy", "Link", "LocalGateway", "Lock", "Maintenance", "MicrosoftPeering", "Naming", "Nat",
    "NatMapping", "Pair", "PrefixValidation", "PrivatePeering", "PublicIp", "Radius", "RadiusGroup", "RadiusServer",
    "RevokedCertificate", "RoleAssignment", "RootCertificate", "Route", "RouteTable", "Routing", "SecurityGroup",
    "SecurityRule", "Site", "Sku", "Spoke", "Subnet", "TrafficSelector", "Tunnel", "UserGroup", "VirtualNetwork",
    "VpnGateway",
]  # fmt: skip
