"""vpngw: infrastructure as code for Azure VPN Gateway.

Public names are resolved when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vpngw_iac._version import __version__

if TYPE_CHECKING:
    from vpngw_iac.arm import ArmId, Scope
    from vpngw_iac.blueprints.base import Blueprint
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
        EntraGroup,
        EntraId,
        Radius,
        RadiusGroup,
        RadiusServer,
        RevokedCertificate,
        RootCertificate,
        UserGroup,
    )
    from vpngw_iac.blueprints.coexistence import ExpressRouteCoexistence
    from vpngw_iac.blueprints.expressroute import ExpressRoute
    from vpngw_iac.blueprints.gateway import Bgp, ExpressRouteGateway, VpnGateway
    from vpngw_iac.blueprints.load import LoadedFile, load
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
    from vpngw_iac.blueprints.point_to_site import PointToSite
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
    from vpngw_iac.blueprints.site_to_site import SiteToSite
    from vpngw_iac.blueprints.topology import Topology
    from vpngw_iac.blueprints.vnet_to_vnet import VnetToVnet
    from vpngw_iac.errors import (
        BlueprintError,
        CloudError,
        Finding,
        PlanError,
        Refused,
        SecretError,
        StalePlan,
        StateError,
        StateLocked,
        UsageError,
        VpngwError,
    )
    from vpngw_iac.secret import Secret
    from vpngw_iac.usecases.fleet import Fleet
    from vpngw_iac.usecases.workspace import Workspace

_HOMES = {
    "vpngw_iac.arm": ("ArmId", "Scope"),
    "vpngw_iac.blueprints.base": ("Blueprint",),
    "vpngw_iac.blueprints.circuit": (
        "Circuit", "CircuitLink", "GlobalReach", "MicrosoftPeering", "PrefixValidation", "PrivatePeering",
    ),
    "vpngw_iac.blueprints.client": (
        "CertificateDomain", "Certificates", "EntraGroup", "EntraId", "Radius", "RadiusGroup", "RadiusServer",
        "RevokedCertificate", "RootCertificate", "UserGroup",
    ),
    "vpngw_iac.blueprints.coexistence": ("ExpressRouteCoexistence",),
    "vpngw_iac.blueprints.expressroute": ("ExpressRoute",),
    "vpngw_iac.blueprints.gateway": ("Bgp", "ExpressRouteGateway", "VpnGateway"),
    "vpngw_iac.blueprints.load": ("LoadedFile", "load"),
    "vpngw_iac.blueprints.naming": ("Naming",),
    "vpngw_iac.blueprints.network": (
        "Delegation", "GatewaySubnet", "IpTag", "PublicIp", "Route", "RouteTable", "SecurityGroup",
        "SecurityRule", "Subnet", "VirtualNetwork",
    ),
    "vpngw_iac.blueprints.operations_settings": ("Diagnostics", "Lock", "Maintenance", "RoleAssignment"),
    "vpngw_iac.blueprints.part": ("Sku",),
    "vpngw_iac.blueprints.peer": ("Pair", "Spoke"),
    "vpngw_iac.blueprints.point_to_site": ("PointToSite",),
    "vpngw_iac.blueprints.site": (
        "BgpPeer", "CertificateKey", "IpsecPolicy", "Link", "LocalGateway", "Nat", "NatMapping", "Routing", "Site",
        "TrafficSelector", "Tunnel",
    ),
    "vpngw_iac.blueprints.site_to_site": ("SiteToSite",),
    "vpngw_iac.blueprints.topology": ("Topology",),
    "vpngw_iac.blueprints.vnet_to_vnet": ("VnetToVnet",),
    "vpngw_iac.errors": (
        "BlueprintError", "CloudError", "Finding", "PlanError", "Refused", "SecretError", "StalePlan", "StateError",
        "StateLocked", "UsageError", "VpngwError",
    ),
    "vpngw_iac.secret": ("Secret",),
    "vpngw_iac.usecases.fleet": ("Fleet",),
    "vpngw_iac.usecases.workspace": ("Workspace",),
}  # fmt: skip

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ArmId", "Bgp", "BgpPeer", "Blueprint", "BlueprintError", "CertificateDomain", "CertificateKey", "Certificates",
    "Circuit", "CircuitLink", "CloudError", "Delegation", "Diagnostics", "EntraGroup", "EntraId", "ExpressRoute",
    "ExpressRouteCoexistence", "ExpressRouteGateway", "Finding", "Fleet", "GatewaySubnet", "GlobalReach", "IpTag",
    "IpsecPolicy", "Link", "LoadedFile", "LocalGateway", "Lock", "Maintenance", "MicrosoftPeering", "Naming", "Nat",
    "NatMapping", "Pair", "PlanError", "PointToSite", "PrefixValidation", "PrivatePeering", "PublicIp", "Radius",
    "RadiusGroup", "RadiusServer", "Refused", "RevokedCertificate", "RoleAssignment", "RootCertificate", "Route",
    "RouteTable", "Routing", "Scope", "Secret", "SecretError", "SecurityGroup", "SecurityRule", "Site", "SiteToSite",
    "Sku", "Spoke", "StalePlan", "StateError", "StateLocked", "Subnet", "Topology", "TrafficSelector", "Tunnel",
    "UsageError", "UserGroup", "VirtualNetwork", "VnetToVnet", "VpnGateway", "VpngwError", "Workspace", "__version__",
    "load",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
