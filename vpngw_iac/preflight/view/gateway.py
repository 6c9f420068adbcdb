"""Gateways as preflight sees them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.prefixes import Network as Prefix
from vpngw_iac.preflight.view.resource_view import (
    ResourceView,
    View,
    arm_id,
    flag,
    is_text,
    items,
    number,
    region,
    text,
    texts,
)

if TYPE_CHECKING:
    from vpngw_iac.preflight.view.connection import Connection, NatRule
    from vpngw_iac.preflight.view.network import Network

GATEWAY_SUBNET = "GatewaySubnet"
CLIENTS = "properties.vpnClientConfiguration"
_ASN = "properties.bgpSettings.asn"


@dataclass(frozen=True, slots=True)
class Instance:
    """One ipConfiguration of a gateway."""

    name: str
    id: ArmId
    subnet: ArmId | None
    public_ip: ArmId | None


class Gateway(View):
    """A VPN or an ExpressRoute gateway."""

    declared_type = text("properties.gatewayType")
    declared_asn = number(_ASN)
    sku = text("properties.sku.name")
    edge_zone = text("extendedLocation.name")
    is_policy_based = is_text("properties.vpnType", "policybased")
    active_active = flag("properties.activeActive")
    has_bgp = flag("properties.enableBgp")
    is_high_bandwidth = flag("properties.enableHighBandwidthVpnGateway")
    client_protocols = texts(f"{CLIENTS}.vpnClientProtocols")
    client_prefixes = texts(f"{CLIENTS}.vpnClientAddressPool.addressPrefixes")
    client_policies = items(f"{CLIENTS}.vpnClientIpsecPolicies")
    client_roots = items(f"{CLIENTS}.vpnClientRootCertificates")
    radius_servers = items(f"{CLIENTS}.radiusServers")
    user_groups = items("properties.virtualNetworkGatewayPolicyGroups")
    group_pools = items(f"{CLIENTS}.vngClientConnectionConfigurations")
    admin_state = text("properties.adminState")
    least_units = number("properties.autoScaleConfiguration.bounds.min")
    most_units = number("properties.autoScaleConfiguration.bounds.max")

    @cached_property
    def _type(self) -> str:
        if self.declared_type is not None:
            return self.declared_type.lower()
        if self.sku in limits.ER_ZONAL_SKUS or any(c.is_expressroute for c in self.connections):
            return "expressroute"
        return "vpn"

    @property
    def is_vpn(self) -> bool:
        """Whether it is a VPN gateway; an existing one of unknown type counts as one unless circuits hang on it."""
        return self._type == "vpn"

    @property
    def is_expressroute(self) -> bool:
        """Whether it is an ExpressRoute gateway."""
        return self._type == "expressroute"

    @property
    def generation(self) -> str | None:
        """Generation, if one is said; Azure decides otherwise."""
        said = self.resource.text("properties.vpnGatewayGeneration")
        return None if said == "None" and self.is_vpn else said

    @property
    def is_basic(self) -> bool:
        """Whether its SKU is Basic."""
        return self.sku == "Basic"

    @property
    def asn(self) -> int | None:
        """Its AS number as declared, else the one it has, else Azure's default for a new gateway."""
        said = self.declared_asn or value_at(self.resource.seen, _ASN)
        if isinstance(said, int):
            return said
        return limits.DEFAULT_ASN if self.resource.knows_all else None

    @property
    def location(self) -> str | None:
        """Region."""
        return region(self.resource)

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """Its ipConfigurations in order."""
        found = []
        for item in self.resource.items("properties.ipConfigurations"):
            name = item.get("name")
            if isinstance(name, str) and name and "/" not in name:
                subnet = arm_id(value_at(item, "properties.subnet"))
                public_ip = arm_id(value_at(item, "properties.publicIPAddress"))
                found.append(Instance(name, self.resource.id.child("ipConfigurations", name), subnet, public_ip))
        return tuple(found)

    @property
    def subnet_id(self) -> ArmId | None:
        """The subnet that its first instance stands in; of an existing gateway also as its blueprint says."""
        home = self.topology.gateway_networks.get(self.resource.id)
        used = None if home is None else home.child("subnets", GATEWAY_SUBNET)
        return next((instance.subnet for instance in self.instances if instance.subnet), used)

    @property
    def subnet(self) -> ResourceView | None:
        """That subnet, if it is in the file."""
        return self.topology.find(self.subnet_id)

    @property
    def network_id(self) -> ArmId | None:
        """The network it stands in."""
        subnet = self.subnet_id
        return None if subnet is None else subnet.parent

    @property
    def network(self) -> Network | None:
        """That network, if it is in the file."""
        return self.topology.network(self.network_id)

    @cached_property
    def public_ips(self) -> tuple[ResourceView, ...]:
        """Its public IPs that are in the file."""
        found = (self.topology.find(instance.public_ip) for instance in self.instances)
        return tuple(resource for resource in found if resource is not None)

    @property
    def basic_ips(self) -> tuple[ResourceView, ...]:
        """Those of SKU Basic."""
        return tuple(ip for ip in self.public_ips if ip.text("sku.name") == "Basic")

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Connections that start at it."""
        return self.topology.connections_of(self.resource.id)

    @property
    def tunnels(self) -> tuple[Connection, ...]:
        """Its IPsec and VNet-to-VNet connections."""
        return tuple(connection for connection in self.connections if not connection.is_expressroute)

    @property
    def sites(self) -> tuple[Connection, ...]:
        """Its IPsec connections."""
        return tuple(connection for connection in self.connections if connection.is_site)

    @property
    def nat_rules(self) -> tuple[NatRule, ...]:
        """Its NAT rules."""
        return self.topology.nat_rules_of(self.resource.id)

    @property
    def clients(self) -> Mapping[str, Any] | None:
        """``vpnClientConfiguration``, if point-to-site is on."""
        block = self.resource.block(CLIENTS)
        # Azure shows a block of defaults without a pool where none was sent (LIST and PUT answers).
        return block if block and (self.resource.is_managed or value_at(block, "vpnClientAddressPool")) else None

    @property
    def protocols(self) -> frozenset[str]:
        """Tunnel types of point-to-site in lower case; empty without point-to-site or if not said."""
        return frozenset(protocol.lower() for protocol in self.client_protocols) if self.clients else frozenset()

    @property
    def sign_ins(self) -> frozenset[str]:
        """How point-to-site users sign in, in lower case: as said, or as the other fields say."""
        clients = self.clients
        if clients is None:
            return frozenset()
        said = frozenset(way.lower() for way in self.resource.texts(f"{CLIENTS}.vpnAuthenticationTypes"))
        evidence = {
            "aad": ("aadTenant", "aadAudience", "aadIssuer"),
            "radius": ("radiusServers", "radiusServerAddress"),
            "certificate": ("vpnClientRootCertificates",),
        }
        return said or frozenset(kind for kind, keys in evidence.items() if any(clients.get(key) for key in keys))

    @property
    def pool(self) -> tuple[Prefix, ...]:
        """The common address pool of its clients."""
        return prefixes.networks(self.client_prefixes) if self.clients else ()

    @cached_property
    def apipa(self) -> Mapping[str, tuple[str, ...]]:
        """Custom BGP addresses by name of the instance in lower case, other people's included."""
        path = "properties.bgpSettings.bgpPeeringAddresses"
        seen = value_at(self.resource.seen, path) if self.resource.is_managed else None
        found: dict[str, dict[str, None]] = {}
        others = [item for item in seen if isinstance(item, Mapping)] if isinstance(seen, list) else []
        for item in (*self.resource.items(path), *others):
            instance = arm_id(item.get("ipconfigurationId")) or arm_id(item.get("ipConfigurationId"))
            addresses = item.get("customBgpIpAddresses")
            if instance is not None and isinstance(addresses, list | tuple):
                known = found.setdefault(instance.name.lower(), {})
                known |= dict.fromkeys(a for a in addresses if isinstance(a, str))
        return {name: tuple(addresses) for name, addresses in found.items() if addresses}

    @property
    def others(self) -> tuple[Gateway, ...]:
        """Gateways of the other type in its network."""
        here = () if self.network_id is None else self.topology.gateways_in(self.network_id)
        return tuple(other for other in here if other.is_vpn != self.is_vpn)

    @property
    def coexists(self) -> bool:
        """Whether its network has a gateway of the other type too."""
        return bool(self.others)

    @property
    def is_dual_stack(self) -> bool:
        """Whether its GatewaySubnet has an IPv6 prefix."""
        return any(prefix.version == 6 for prefix in subnet_prefixes(self.subnet))


def subnet_prefixes(subnet: ResourceView | None) -> tuple[Prefix, ...]:
    """Prefixes of a subnet, however they are written."""
    if subnet is None:
        return ()
    several = value_at(subnet.document, "properties.addressPrefixes")
    if several:
        return prefixes.networks(subnet.texts("properties.addressPrefixes"))
    return prefixes.networks((subnet.text("properties.addressPrefix"),))
