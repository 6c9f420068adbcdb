"""Law: every optional field of every noun changes the compiled graph, or stands in a list with the reason.

Walks the models: a field that is added and not compiled fails here, and so does a noun that has no setting.
"""

from __future__ import annotations

import copy
import pathlib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tests.blueprints.samples import SCOPE, SUBSCRIPTION
from vpngw_iac import Secret
from vpngw_iac.blueprints.base import Blueprint, kinds
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.site import Site
from vpngw_iac.errors import BlueprintError
from vpngw_iac.resources.base import Resource

Json = dict[str, Any]
GUID = "99999999-9999-9999-9999-999999999999"


def rid(kind: str, name: str, provider: str = "Microsoft.Network") -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-others/providers/{provider}/{kind}/{name}"


# --- one setting of each noun ----------------------------------------------------------------------------------------


def network(name: str = "hub", number: int = 1, **more: Any) -> Json:
    said = {"name": f"vnet-{name}", "location": "westeurope", "resource_group": "rg-hub"}
    space = {"address_space": [f"10.{number}.0.0/16"], "gateway_subnet": f"10.{number}.255.0/27"}
    return {**said, **space, **more}


def gateway(name: str = "hub", number: int = 1, **more: Any) -> Json:
    return {"name": f"vgw-{name}", "network": network(name, number), "sku": "VpnGw2AZ", **more}


KEY = Secret.env("A_KEY")
POLICY: Json = {
    "ike_encryption": "AES256",
    "ike_integrity": "SHA384",
    "dh_group": "DHGroup24",
    "ipsec_encryption": "AES256",
    "ipsec_integrity": "SHA256",
    "pfs_group": "PFS24",
}
POOL: Json = {"protocols": ["OpenVPN", "IKEv2"], "address_pool": "172.16.0.0/24"}
CERTIFICATE = "MAA="
SITE: Json = {"name": "berlin", "public_ip": "203.0.113.10", "prefixes": ["192.168.10.0/24"], "shared_key": KEY}
LOCAL: Json = {"name": "lgw", "public_ip": "203.0.113.10", "prefixes": ["192.168.10.0/24"]}
AT_LOCAL: Json = {"name": "berlin", "local_gateway": LOCAL, "shared_key": KEY}
LINKS: Json = {"name": "berlin", "links": [SITE]}
SELECTOR: Json = {"local": "10.1.0.0/16", "remote": "192.168.10.0/24"}
NAT: Json = {"direction": "ingress", "name": "n", "internal": "192.168.10.0/24", "external": "100.64.1.0/24"}
FURTHER: Json = {"internal": "192.168.11.0/24", "external": "100.64.2.0/24"}
DELEGATED: Json = {
    "name": "a", "prefixes": "10.1.1.0/24", "delegations": [{"name": "d", "service": "Microsoft.Web/serverFarms"}]
}  # fmt: skip
IP_TAG: Json = {"type": "RoutingPreference", "tag": "Internet"}
PEER: Json = {"asn": 65020, "address": "10.0.0.1"}
ROUTE: Json = {"name": "r", "prefix": "10.8.0.0/14", "next_hop_ip": "10.1.1.4"}
BEHIND_A_FIREWALL = gateway(
    network=network(
        gateway_subnet={"prefix": "10.1.255.0/27", "route_table": {"name": "rt", "routes": [ROUTE]}},
    )
)
CIRCUIT: Json = {
    "name": "erc",
    "location": "westeurope",
    "resource_group": "rg-hub",
    "bandwidth": 1000,
    "provider": "Equinix",
    "peering_location": "Amsterdam",
}
IPV6: Json = {"primary_ipv6": "2001:db8::/126", "secondary_ipv6": "2001:db8::4/126"}
PRIVATE: Json = {"asn": 65030, "primary": "10.9.0.0/30", "secondary": "10.9.0.4/30", "vlan": 100}
MICROSOFT: Json = PRIVATE | {"advertised_prefixes": "203.0.113.0/24"}
REACH: Json = {
    "a": CIRCUIT | {"name": "one", "private_peering": PRIVATE},
    "b": CIRCUIT | {"name": "two", "private_peering": PRIVATE},
    "prefix": "192.168.9.0/29",
}
VALIDATED: Json = MICROSOFT | {"validations": [{"prefix": "203.0.113.0/24"}]}
RULE: Json = {"name": "r", "priority": 100, "direction": "Inbound", "access": "Allow"}
FILTERED: Json = {"name": "a", "prefixes": "10.1.1.0/24", "security_group": {"name": "nsg", "rules": [RULE]}}
ROLE: Json = {"role": "Reader", "principal": GUID}
CIRCUIT_LINK: Json = {"name": "fra", "circuit": CIRCUIT}
ACTIVE_ACTIVE = gateway(active_active=True, bgp={"asn": 65010})
PAIR: Json = {"a": gateway("a", 1, bgp={"asn": 65001}), "b": gateway("b", 2, bgp={"asn": 65002}), "shared_key": KEY}


def sites(*, gateway_: Json | None = None, **more: Any) -> Json:
    return {"name": "law", "gateway": gateway_ or gateway(bgp={"asn": 65010}), "sites": [SITE], **more}


def clients(*authentication: Json, **more: Any) -> Json:
    ways = list(authentication) or [{"roots": [{"name": "r", "data": CERTIFICATE}]}]
    return {"name": "law", "gateway": gateway(), **POOL, "authentication": ways, **more}


def express() -> Json:
    return {"name": "ergw", "network": network(), "sku": "ErGw1AZ"}


def coexistence(**more: Any) -> Json:
    return {"name": "law", "vpn": gateway(), "expressroute": express(), "circuits": [CIRCUIT_LINK], **more}


def alone(**more: Any) -> Json:
    return {"name": "law", "gateway": express(), "circuits": [CIRCUIT_LINK], **more}


def all_kinds() -> Json:
    """Something of every sort that a naming policy names."""
    care = {"maintenance": {"start": "02:00"}, "diagnostics": {"workspace": WORKSPACE}, "lock": "CanNotDelete"}
    hub = gateway(bgp={"asn": 65010}, active_active=True, **care)
    elsewhere = CIRCUIT | {"subscription": GUID}
    return {
        "name": "law",
        "blueprints": [
            {"kind": "SiteToSite", "name": "s", "gateway": hub, "sites": [SITE | {"nat": [NAT]}], "spokes": [SPOKE]},
            {"kind": "VnetToVnet", "name": "v", "pairs": [PAIR]},
            {"kind": "VnetToVnet", "name": "w", "pairs": [_ipsec_pair()]},
            {
                "kind": "ExpressRouteCoexistence",
                "name": "e",
                "vpn": hub,
                "expressroute": {"name": "ergw", "network": network(), "sku": "ErGw1AZ"},
                "circuits": [{"name": "fra", "circuit": elsewhere}],
                "global_reach": [REACH],
            },
        ],
    }


def _ipsec_pair() -> Json:
    return PAIR | {"a": gateway("c", 3), "b": gateway("d", 4), "via": "ipsec"}


WORKSPACE = rid("workspaces", "logs", "Microsoft.OperationalInsights")
SPOKE: Json = {"network": network("spoke", 50, gateway_subnet=None)}
GROUP: Json = {"name": "g", "priority": 1, "address_pool": "172.20.0.0/24", "default": True}
OTHER_GROUP: Json = {"name": "h", "priority": 2, "address_pool": "172.21.0.0/24", "default": False}

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Setting:
    """Where a noun stands in a blueprint that is legal."""

    kind: str
    document: Json
    path: Path = ()

    def noun(self) -> Json:
        """The noun's own part of the document."""
        found: Any = self.document
        for step in self.path:
            found = found[step]
        return {} if found is None else dict(found)

    def with_noun(self, noun: object) -> Blueprint:
        """The blueprint with this noun in its place."""
        whole = copy.copy(self.document)
        at: Any = whole
        for step in self.path[:-1]:
            at[step] = copy.copy(at[step])
            at = at[step]
        if self.path:
            at[self.path[-1]] = noun
        else:
            whole = noun  # type: ignore[assignment]
        return kinds()[self.kind].model_validate(whole)


SETTINGS: dict[str, Setting] = {
    "Subnet": Setting(
        "SiteToSite",
        sites(gateway_=gateway(network=network(subnets=[{"name": "a", "prefixes": "10.1.1.0/24"}]))),
        ("gateway", "network", "subnets", 0),
    ),
    "GatewaySubnet": Setting("SiteToSite", sites(gateway_=BEHIND_A_FIREWALL), ("gateway", "network", "gateway_subnet")),
    "RouteTable": Setting(
        "SiteToSite", sites(gateway_=BEHIND_A_FIREWALL), ("gateway", "network", "gateway_subnet", "route_table")
    ),
    "SecurityGroup": Setting(
        "SiteToSite",
        sites(gateway_=gateway(network=network(subnets=[FILTERED]))),
        ("gateway", "network", "subnets", 0, "security_group"),
    ),
    "SecurityRule": Setting(
        "SiteToSite",
        sites(gateway_=gateway(network=network(subnets=[FILTERED]))),
        ("gateway", "network", "subnets", 0, "security_group", "rules", 0),
    ),
    "Route": Setting(
        "SiteToSite",
        sites(gateway_=BEHIND_A_FIREWALL),
        ("gateway", "network", "gateway_subnet", "route_table", "routes", 0),
    ),
    "VirtualNetwork": Setting("SiteToSite", sites(), ("gateway", "network")),
    "ExistingVirtualNetwork": Setting(
        "SiteToSite",
        sites(
            gateway_=gateway(
                network={
                    "existing": rid("virtualNetworks", "vnet"),
                    "location": "westeurope",
                    "address_space": ["10.1.0.0/16"],
                }
            )
        ),
        ("gateway", "network"),
    ),
    "PublicIp": Setting(
        "SiteToSite", sites(gateway_=gateway(public_ips=[{"name": "pip"}])), ("gateway", "public_ips", 0)
    ),
    "ExistingPublicIp": Setting(
        "SiteToSite",
        sites(gateway_=gateway(public_ips=[{"existing": rid("publicIPAddresses", "pip")}])),
        ("gateway", "public_ips", 0),
    ),
    "Maintenance": Setting(
        "SiteToSite", sites(gateway_=gateway(maintenance={"start": "02:00"})), ("gateway", "maintenance")
    ),
    "ExistingMaintenance": Setting(
        "SiteToSite",
        sites(
            gateway_=gateway(maintenance={"existing": rid("maintenanceConfigurations", "mc", "Microsoft.Maintenance")})
        ),
        ("gateway", "maintenance"),
    ),
    "Diagnostics": Setting(
        "SiteToSite", sites(gateway_=gateway(diagnostics={"workspace": WORKSPACE})), ("gateway", "diagnostics")
    ),
    "RoleAssignment": Setting("SiteToSite", sites(gateway_=gateway(access=[ROLE])), ("gateway", "access", 0)),
    "Lock": Setting("SiteToSite", sites(gateway_=gateway(lock={"level": "CanNotDelete"})), ("gateway", "lock")),
    "Bgp": Setting("SiteToSite", sites(gateway_=gateway(bgp={"asn": 65010})), ("gateway", "bgp")),
    "VpnGateway": Setting("SiteToSite", sites(gateway_=gateway()), ("gateway",)),
    "ExistingVpnGateway": Setting(
        "SiteToSite",
        sites(gateway_={"existing": rid("virtualNetworkGateways", "vgw"), "location": "westeurope"}),
        ("gateway",),
    ),
    "ExpressRouteGateway": Setting("ExpressRouteCoexistence", coexistence(), ("expressroute",)),
    "ExistingExpressRouteGateway": Setting(
        "ExpressRouteCoexistence",
        coexistence(expressroute={"existing": rid("virtualNetworkGateways", "ergw"), "location": "westeurope"}),
        ("expressroute",),
    ),
    "IpsecPolicy": Setting("SiteToSite", sites(sites=[SITE | {"ipsec": POLICY}]), ("sites", 0, "ipsec")),
    "Nat": Setting("SiteToSite", sites(sites=[SITE | {"nat": [NAT]}]), ("sites", 0, "nat", 0)),
    "Nat.instance": Setting(
        "SiteToSite", sites(gateway_=ACTIVE_ACTIVE, sites=[SITE | {"nat": [NAT]}]), ("sites", 0, "nat", 0)
    ),
    "NatMapping": Setting(
        "SiteToSite",
        sites(sites=[SITE | {"nat": [NAT | {"mappings": [FURTHER]}]}]),
        ("sites", 0, "nat", 0, "mappings", 0),
    ),
    "Delegation": Setting(
        "SiteToSite",
        sites(gateway_=gateway(network=network(subnets=[DELEGATED]))),
        ("gateway", "network", "subnets", 0, "delegations", 0),
    ),
    "IpTag": Setting(
        "SiteToSite",
        sites(gateway_=gateway(public_ips=[{"name": "pip", "ip_tags": [IP_TAG]}])),
        ("gateway", "public_ips", 0, "ip_tags", 0),
    ),
    "Routing": Setting("SiteToSite", sites(sites=[SITE | {"routing": {"labels": ["a"]}}]), ("sites", 0, "routing")),
    "PrefixValidation": Setting(
        "ExpressRouteCoexistence",
        coexistence(circuits=[{"name": "fra", "circuit": CIRCUIT | {"microsoft_peering": VALIDATED}}]),
        ("circuits", 0, "circuit", "microsoft_peering", "validations", 0),
    ),
    "BgpPeer": Setting("SiteToSite", sites(sites=[SITE | {"bgp": PEER}]), ("sites", 0, "bgp")),
    "Tunnel": Setting(
        "SiteToSite", sites(sites=[SITE | {"tunnels": [{"address": "203.0.113.11"}]}]), ("sites", 0, "tunnels", 0)
    ),
    "LocalGateway": Setting("SiteToSite", sites(sites=[AT_LOCAL]), ("sites", 0, "local_gateway")),
    "ExistingLocalGateway": Setting(
        "SiteToSite",
        sites(sites=[AT_LOCAL | {"local_gateway": {"existing": rid("localNetworkGateways", "lgw")}}]),
        ("sites", 0, "local_gateway"),
    ),
    "Link": Setting("SiteToSite", sites(gateway_=ACTIVE_ACTIVE, sites=[LINKS]), ("sites", 0, "links", 0)),
    "Site": Setting("SiteToSite", sites(gateway_=ACTIVE_ACTIVE), ("sites", 0)),
    "Naming": Setting("Topology", {}, ("naming",)),
    "Certificates": Setting("PointToSite", clients(), ("authentication", 0)),
    "EntraId": Setting("PointToSite", clients({"tenant": GUID}, protocols=["OpenVPN"]), ("authentication", 0)),
    "RadiusServer": Setting(
        "PointToSite",
        clients({"servers": [{"address": "10.1.1.4", "secret": KEY}]}),
        ("authentication", 0, "servers", 0),
    ),
    **{
        noun: Setting("PointToSite", clients(groups=[GROUP | {"members": [member]}]), ("groups", 0, "members", 0))
        for noun, member in {
            "EntraGroup": {"id": GUID},
            "CertificateDomain": {"name": "example.com"},
            "RadiusGroup": {"value": "6ad1bd08"},
        }.items()
    },
    "UserGroup": Setting("PointToSite", clients(groups=[GROUP, OTHER_GROUP]), ("groups", 1)),
    "PrivatePeering": Setting(
        "ExpressRouteCoexistence",
        coexistence(circuits=[{"name": "fra", "circuit": CIRCUIT | {"private_peering": PRIVATE}}]),
        ("circuits", 0, "circuit", "private_peering"),
    ),
    "MicrosoftPeering": Setting(
        "ExpressRouteCoexistence",
        coexistence(circuits=[{"name": "fra", "circuit": CIRCUIT | {"microsoft_peering": MICROSOFT}}]),
        ("circuits", 0, "circuit", "microsoft_peering"),
    ),
    "Circuit": Setting("ExpressRouteCoexistence", coexistence(), ("circuits", 0, "circuit")),
    "ExistingCircuit": Setting(
        "ExpressRouteCoexistence",
        coexistence(circuits=[{"name": "fra", "circuit": {"existing": rid("expressRouteCircuits", "erc")}}]),
        ("circuits", 0, "circuit"),
    ),
    "CircuitLink": Setting("ExpressRouteCoexistence", coexistence(), ("circuits", 0)),
    "GlobalReach": Setting("ExpressRoute", alone(global_reach=[REACH]), ("global_reach", 0)),
    "ExpressRoute": Setting("ExpressRoute", alone()),
    "ExpressRoute.gateway": Setting("ExpressRoute", {"name": "law", "circuits": [CIRCUIT]}),
    "Spoke": Setting("SiteToSite", sites(spokes=[SPOKE]), ("spokes", 0)),
    "Pair": Setting("VnetToVnet", {"name": "law", "pairs": [PAIR]}, ("pairs", 0)),
    "SiteToSite": Setting("SiteToSite", sites()),
    "ExpressRouteCoexistence": Setting("ExpressRouteCoexistence", coexistence()),
    "PointToSite": Setting("PointToSite", clients()),
    "Topology": Setting("Topology", {"name": "law", "blueprints": [sites() | {"kind": "SiteToSite"}]}),
    "VnetToVnet": Setting("VnetToVnet", {"name": "law", "pairs": [PAIR]}),
}
SETTINGS["Naming"] = Setting("Topology", all_kinds() | {"naming": {}}, ("naming",))

_EXISTING = {"existing": rid("virtualNetworkGateways", "vgw"), "location": "westeurope", "asn": 65001}
_ADDRESSES = {"public_ips": [{"existing": rid("publicIPAddresses", "pip")}]}
_REACHED = Setting(
    "VnetToVnet",
    {"name": "law", "pairs": [PAIR | {"a": _EXISTING | _ADDRESSES, "via": "ipsec", "bgp": True, "manage": "b"}]},
    ("pairs", 0, "a"),
)
SETTINGS |= {
    "ExistingVpnGateway.public_ips": _REACHED,
    "ExistingVpnGateway.ip_configurations": _REACHED,
    "ExistingExpressRouteGateway.network": Setting(
        "ExpressRouteCoexistence",
        coexistence(
            vpn={"existing": rid("virtualNetworkGateways", "vgw"), "location": "westeurope"},
            expressroute={"existing": rid("virtualNetworkGateways", "ergw"), "location": "westeurope"},
        ),
        ("expressroute",),
    ),
}
"""Where a field matters in a setting of its own only."""

NO_NOUNS = {"LinkSettings", "SubnetSettings", "Blueprint", "ClientAccess", "CertificateFacts"}
"""What nouns are made of (`Site` and `Link`, each kind, `PointToSite`), and what is only computed."""


# --- values, and what no graph shows ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A value of a field; `beside` is what else the noun must say for it, `without` what it must not."""

    value: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()


CERTIFICATE_KEY: Json = {
    "outbound": "https://kv-hub.vault.azure.net/secrets/tunnel",
    "inbound_subject": "device",
    "inbound_chain": [CERTIFICATE],
}
HUB_RULE = rid("namespaces", "hub", "Microsoft.EventHub") + "/authorizationRules/send"
STORAGE = rid("storageAccounts", "logs", "Microsoft.Storage")
APIPA: Json = {"asn": 65020, "address": "169.254.21.6", "azure_address": "169.254.21.5"}
CARE: dict[str, Value] = {
    "maintenance": Value({"start": "03:00"}),
    "diagnostics": Value({"workspace": WORKSPACE}),
    "lock": Value("ReadOnly"),
}

VALUES: dict[str, Value] = {
    **{f"*.{name}": value for name, value in CARE.items()},
    "*.bgp": Value(PEER),
    "*.nat": Value([NAT]),
    "*.certificate": Value(CERTIFICATE_KEY, without=("shared_key",)),
    "*.shared_key": Value(Secret.env("ANOTHER_KEY")),
    "*.traffic_selectors": Value([SELECTOR], {"policy_based_selectors": True, "ipsec": POLICY}),
    "*.policy_based_selectors": Value(True, {"ipsec": POLICY}),
    "*.tunnels": Value([{"address": "203.0.113.11"}]),
    "*.public_ip": Value("203.0.113.99"),
    "*.fqdn": Value("vpn.example.com", without=("public_ip",)),
    "*.instance": Value(1, {"bgp": APIPA}),
    "*.spokes": Value([SPOKE]),
    "*.local_gateway": Value(LOCAL, without=("public_ip", "prefixes")),
    "*.local_gateways": Value([LOCAL]),
    "*.location": Value("westus"),
    "*.nat_gateway": Value(rid("natGateways", "nat")),
    "*.security_group": Value(rid("networkSecurityGroups", "nsg")),
    "*.ddos_plan": Value(rid("ddosProtectionPlans", "plan")),
    "*.routing": Value({"labels": ["a"]}),
    "*.route_table": Value(rid("routeTables", "rt")),
    "*.propagates_to": Value(rid("routeTables", "rt")),
    "*.inbound_map": Value(rid("routeMaps", "m")),
    "*.outbound_map": Value(rid("routeMaps", "m")),
    "*.delegations": Value("Microsoft.Web/serverFarms"),
    "*.service_endpoints": Value("Microsoft.Storage"),
    "*.access": Value([ROLE]),
    "SecurityGroup.rules": Value([]),
    "Nat.instance": Value("none"),
    "Nat.mappings": Value(FURTHER),
    "NatMapping.internal_ports": Value("100-200"),
    "NatMapping.external_ports": Value("100-200"),
    "NatMapping.internal": Value("192.168.12.0/24"),
    "NatMapping.external": Value("100.64.3.0/24"),
    "MicrosoftPeering.validations": Value([{"prefix": "203.0.113.0/24"}]),
    "MicrosoftPeering.primary_ipv6": Value("2001:db8:1::/126", IPV6),
    "MicrosoftPeering.secondary_ipv6": Value("2001:db8:1::/126", IPV6),
    "MicrosoftPeering.advertised_prefixes_ipv6": Value("2001:db8:2::/48", IPV6),
    "MicrosoftPeering.customer_asn_ipv6": Value(65099, IPV6),
    "MicrosoftPeering.routing_registry_ipv6": Value("RIPENCC", IPV6),
    "MicrosoftPeering.route_filter_ipv6": Value(rid("routeFilters", "filter"), IPV6),
    "VirtualNetwork.bgp_community": Value("12076:20000"),
    "PublicIp.ip_tags": Value(IP_TAG),
    "PublicIp.reverse_fqdn": Value("vpn.example.com"),
    "VpnGateway.nat_rules": Value([NAT]),
    "PointToSite.authentication": Value([]),
    "ExpressRoute.naming": Value({"circuit_connection": "c-{gateway}-{name}"}),
    "*.naming": Value({"peering": "p-{network}-{remote}", "public_ip": "p-{gateway}-{number}"}),
    "Bgp.asn": Value(65099),
    "BgpPeer.azure_address": Value("169.254.21.5", {"address": "169.254.21.6"}),
    "Certificates.revoked": Value([{"name": "lost", "thumbprint": "A" * 40}]),
    "Circuit.authorizations": Value(["somebody"]),
    "Circuit.microsoft_peering": Value(MICROSOFT),
    "Circuit.port": Value(rid("expressRoutePorts", "port"), without=("provider", "peering_location")),
    "Circuit.private_peering": Value(PRIVATE),
    "Circuit.sku": Value("Premium_UnlimitedData"),
    "CircuitLink.private_link_fast_path": Value(True, {"fast_path": True}),
    "Diagnostics.event_hub": Value(HUB_RULE),
    "Diagnostics.event_hub_name": Value("logs", {"event_hub": HUB_RULE}),
    "Diagnostics.logs": Value(["IKEDiagnosticLog"]),
    "Diagnostics.storage": Value(STORAGE),
    "Diagnostics.workspace": Value(rid("workspaces", "other", "Microsoft.OperationalInsights")),
    "EntraId.cloud": Value("usgovernment"),
    "ExistingExpressRouteGateway.network": Value(network()),
    "ExistingExpressRouteGateway.sku": Value("ErGw2AZ"),
    "ExistingVpnGateway.ip_configurations": Value(["first"]),
    "ExistingVpnGateway.public_ips": Value([{"existing": rid("publicIPAddresses", "another")}]),
    "ExistingVpnGateway.network": Value(network("other", 7)),
    "ExistingVpnGateway.sku": Value("VpnGw3AZ"),
    "ExpressRouteCoexistence.sites": Value([SITE]),
    "*.circuits": Value([CIRCUIT_LINK | {"name": "another"}]),
    "*.global_reach": Value([REACH]),
    "ExpressRoute.gateway": Value(express(), {"circuits": [CIRCUIT]}),
    "GlobalReach.prefix_ipv6": Value("2001:db8::/125"),
    "Naming.global_reach": Value("r-{circuit}-{peer}"),
    "ExpressRouteGateway.scale_units": Value((2, 8), {"sku": "ErGwScale", "scale_units": 4}),
    "Maintenance.begins": Value("2026-02-01"),
    "MicrosoftPeering.route_filter": Value(rid("routeFilters", "filter")),
    "Naming.authorization": Value("a-{gateway}"),
    "Naming.circuit_connection": Value("c-{gateway}-{name}"),
    "Naming.connection": Value("c-{name}"),
    "Naming.diagnostics": Value("d-{gateway}"),
    "Naming.local_gateway": Value("l-{name}"),
    "Naming.lock": Value("l-{resource}"),
    "Naming.maintenance": Value("m-{gateway}"),
    "Naming.nat_instance": Value("{name}-of-{instance}"),
    "Naming.peer_gateway": Value("l-{gateway}-{peer}"),
    "Naming.peering": Value("p-{network}-{remote}"),
    "Naming.public_ip": Value("p-{gateway}-{number}"),
    "Naming.vnet_connection": Value("c-{gateway}-{peer}"),
    "Nat.external_ports": Value("100-200", {"internal_ports": "100-200"}),
    "Nat.internal_ports": Value("100-200"),
    "Pair.connection_names": Value(["one", "two"]),
    "Pair.ipsec": Value(POLICY),
    "Pair.local_gateway_names": Value(["one", "two"], {"via": "ipsec"}),
    "Pair.bgp": Value(True),
    "Pair.apipa": Value(["169.254.21.2", "169.254.21.6"], {"via": "ipsec", "bgp": True}),
    "Pair.traffic_selectors": Value([SELECTOR], {"policy_based_selectors": True, "ipsec": POLICY}),
    "Pair.policy_based_selectors": Value([True, None], {"ipsec": POLICY}),
    "Pair.mode": Value(["default", "responder-only"]),
    "Pair.lock": Value([None, "ReadOnly"]),
    "Pair.resource_group": Value(["rg-a", None]),
    "Spoke.forwarded_traffic": Value([None, True]),
    "PointToSite.groups": Value([GROUP]),
    "PrivatePeering.primary_ipv6": Value("2001:db8:1::/126", IPV6),
    "PrivatePeering.secondary_ipv6": Value("2001:db8:1::/126", IPV6),
    "PublicIp.prefix": Value(rid("publicIPPrefixes", "prefix")),
    "Route.next_hop_type": Value("Internet", without=("next_hop_ip",)),
    "Route.next_hop_ip": Value("10.1.1.5"),
    "RouteTable.routes": Value([]),
    "Site.links": Value([SITE], without=("public_ip",)),
    "SiteToSite.sites": Value([]),
    "UserGroup.members": Value([{"name": "example.com"}]),
    "VirtualNetwork.gateway_subnet": Value("10.1.254.0/27"),
    "VirtualNetwork.subnets": Value({"a": "10.1.1.0/24"}),
    "VnetToVnet.hub": Value(PAIR["b"], {"spokes": [SPOKE]}),
    "VpnGateway.bgp": Value({"asn": 65010}),
    "VpnGateway.default_site": Value("berlin"),
    "VpnGateway.identities": Value([rid("userAssignedIdentities", "i", "Microsoft.ManagedIdentity")]),
    "VpnGateway.public_ips": Value([{"name": "pip-other"}]),
}
"""By noun and field, or by field alone."""

IN_NO_GRAPH: dict[str, str] = {
    "*.waive": "the level of findings: tests/preflight",
    "*.formerly": "the plan of a renamed deployment: tests/workspace/test_renaming.py",
    "*.moved": "addresses of the state: tests/workspace/test_renaming.py",
    "Site.backup_of": "equal prefixes are intended, a matter of preflight: tests/cases/findings/overlap.yaml",
    "UserGroup.default": "one group is the default, it never changes alone: tests/cases/compile/point_to_site",
}
"""Fields that the graph does not show, why, and where they are tested."""

POOL_OF_VALUES: tuple[Any, ...] = (
    True, False, "other", 12, 3, 65099, ["other"], ["10.1.2.0/24"], "192.0.2.77", ["192.0.2.77"], {"a": "b"}, GUID,
    "westus", POLICY, KEY, "10.77.0.0/16",
)  # fmt: skip
"""Tried in this order where nothing is said above: the first that the field takes and that is not its default."""


def nouns() -> dict[str, type[Part]]:
    return {name: model for name, model in {**Part.models, **kinds()}.items() if name not in NO_NOUNS}


def fields() -> Iterator[tuple[str, str]]:
    for name, model in nouns().items():
        for optional, info in model.model_fields.items():
            if not info.is_required():
                yield name, optional


def reason(noun: str, name: str) -> str | None:
    return IN_NO_GRAPH.get(f"{noun}.{name}") or IN_NO_GRAPH.get(f"*.{name}")


def literals(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is Literal:
        yield from typing.get_args(annotation)
    elif typing.get_origin(annotation) is not tuple:
        for part in typing.get_args(annotation):
            yield from literals(part)


def candidates(noun: str, name: str, info: FieldInfo) -> Iterator[Value]:
    """Values to try; of words that are listed each one must change something."""
    said = VALUES.get(f"{noun}.{name}") or VALUES.get(f"*.{name}")
    if said is not None:
        yield said
    elif words := [word for word in literals(info.annotation) if word != info.default]:
        yield from (Value(word) for word in words)
    else:
        yield from (Value(value) for value in POOL_OF_VALUES)


def graph_of(blueprint: Blueprint) -> list[str]:
    """All that a compiled graph holds, as text."""
    items = blueprint.resources(SCOPE)
    return [f"{item!r} {item.body()}" if isinstance(item, Resource) else repr(item) for item in items]


def silent(model: type[Part], name: str, setting: Setting, said: str = "") -> list[Any]:
    """Values of a field that are taken and change nothing; raises AssertionError if none can be had."""
    found, tried, refused = [], 0, []
    info = model.model_fields[name]
    every = bool(list(literals(info.annotation)))
    for value in candidates(said or model.__name__, name, info):
        base = {**setting.noun(), **value.beside}
        other = {key: item for key, item in base.items() if key not in value.without} | {name: value.value}
        try:
            one, two = model.model_validate(base), model.model_validate(other)
            if getattr(one, name) == getattr(two, name):
                continue
            before, after = graph_of(setting.with_noun(one)), graph_of(setting.with_noun(two))
        except ValidationError as error:
            refused.append(f"{value.value!r}: {error.errors()[0]['msg']}")
            continue
        except BlueprintError as error:
            refused.append(f"{value.value!r}: {[finding.detail for finding in error.findings]}")
            continue
        tried += 1
        if before == after:
            found.append(value.value)
        if not every:
            break
    assert tried, f"No value for {model.__name__}.{name}: say one in VALUES. " + " | ".join(refused)
    return found


@pytest.mark.parametrize(("noun", "name"), [pair for pair in fields() if not reason(*pair)])
def test_every_optional_field_changes_the_compiled_graph(noun: str, name: str) -> None:
    setting = SETTINGS.get(f"{noun}.{name}") or SETTINGS.get(noun)
    assert setting is not None, f"{noun} is a noun without a setting: give it one in SETTINGS."

    assert silent(nouns()[noun], name, setting) == []


def test_no_reason_is_given_for_nothing() -> None:
    known = {f"{noun}.{name}" for noun, name in fields()} | {f"*.{name}" for _, name in fields()}

    assert set(IN_NO_GRAPH) <= known
    assert [place for place in map(_place, IN_NO_GRAPH.values()) if not place.exists()] == []
    assert set(VALUES) <= known
    assert set(SETTINGS) <= known | set(nouns())


def _place(why: str) -> pathlib.Path:
    return pathlib.Path(__file__).parents[1] / why.rpartition(": ")[2]


def test_a_field_that_is_added_and_not_compiled_is_found() -> None:
    class Idle(Site):
        unused: bool | None = None

    try:
        assert silent(Idle, "unused", SETTINGS["Site"]) == [True]
        assert silent(Idle, "dpd", SETTINGS["Site"]) == []
    finally:
        del Part.models["Idle"]
