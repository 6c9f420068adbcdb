"""What was said once may be said otherwise, or no longer: the smallest plan, and then nothing left to change.

Every example of the page of settings lives on the simulator in virtual time. Each edit is planned against the example
as it was applied; then it is applied, and taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.architectures.conftest import FOLDER, World, differences_of
from tests.test_settings import OF_CIRCUITS, SECTIONS, Section, written
from vpngw_iac import CertificateDomain, IpsecPolicy, Secret
from vpngw_iac.usecases.settings import read_env_file

LEFT_OUT: Any = object()
"""Not said any more."""
IDENTITY = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-all/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/id-other"
)
Edit = tuple[str, Any, set[str]]
"""The field, what it becomes, and what the plan then does: ``action Kind``."""

UPDATE = {"update VpnGateway"}
ONE_WAY = {"VpnGateway.sku", "Circuit.bandwidth", "Circuit.sku"}
"""There is no way back from a bigger SKU, more bandwidth or unlimited data: planned here, not applied."""

EDITS: dict[str, tuple[Edit, ...]] = {
    "Gateways": (
        ("VpnGateway.sku", "VpnGw5AZ", UPDATE),
        ("VpnGateway.generation", LEFT_OUT, set()),
        ("VpnGateway.public_ips", LEFT_OUT, set()),
        ("VpnGateway.active_active", False, {"update VpnGateway", "create NatRule", "delete NatRule", "delete PublicIp",
                                             "update VpnConnection"}),
        ("Bgp.asn", 65011, UPDATE),
        ("Bgp.peer_weight", LEFT_OUT, UPDATE),
        ("Bgp.translate_nat_routes", LEFT_OUT, UPDATE),
        ("Bgp.apipa", (("169.254.21.18", "169.254.21.22"),), UPDATE),
        ("Bgp.apipa", LEFT_OUT, UPDATE),
        ("BgpPeer.azure_address", lambda now: tuple(f"{each[:-1]}10" for each in now),
                                  {*UPDATE, "update VpnConnection"}),
        ("Nat.external", lambda now: now.replace("172.30", "172.29"), {"update NatRule"}),
        ("Nat.dynamic", LEFT_OUT, {"replace NatRule"}),
        ("Nat.internal_ports", "2000-3000", {"update NatRule"}),
        ("Nat.internal_ports", LEFT_OUT, {"update NatRule"}),
        ("VpnGateway.nat_rules", LEFT_OUT, {"delete NatRule"}),
        ("Nat.mappings", LEFT_OUT, {"update NatRule"}),
        ("Nat.instance", 1, {"replace NatRule"}),
        ("Nat.instance", "none", set()),
        ("VpnGateway.custom_routes", LEFT_OUT, UPDATE),
        ("VpnGateway.default_site", "zurich", UPDATE),
        ("VpnGateway.default_site", LEFT_OUT, UPDATE),
        ("VpnGateway.replay_protection", False, UPDATE),
        ("VpnGateway.dns_forwarding", LEFT_OUT, UPDATE),
        ("VpnGateway.virtual_wan_traffic", True, UPDATE),
        ("VpnGateway.remote_vnet_traffic", True, UPDATE),
        ("VpnGateway.identities", (IDENTITY,), UPDATE),
        ("VpnGateway.identities", LEFT_OUT, UPDATE),
        ("VpnGateway.tags", {"owner": "others"}, {"tag VpnGateway"}),
    ),
    "Networks and their addresses": (
        ("Subnet.security_group", LEFT_OUT, {"update Subnet", "delete SecurityGroup"}),
        ("SecurityRule.destination_ports", ("443",), {"update SecurityGroup"}),
        ("SecurityGroup.rules", LEFT_OUT, {"update SecurityGroup"}),
        ("Subnet.nat_gateway", LEFT_OUT, {"update Subnet"}),
        ("Subnet.service_endpoints", ("Microsoft.Storage",), {"update Subnet"}),
        ("Subnet.delegations", LEFT_OUT, {"update Subnet"}),
        ("Delegation.service", "Microsoft.Sql/managedInstances", {"update Subnet"}),
        ("Subnet.private_endpoint_policies", "enabled", {"update Subnet"}),
        ("Subnet.private_link_policies", LEFT_OUT, {"update Subnet"}),
        ("Subnet.default_outbound", True, {"update Subnet"}),
        ("GatewaySubnet.service_endpoints", LEFT_OUT, {"update Subnet"}),
        ("VirtualNetwork.dns_servers", LEFT_OUT, {"update VirtualNetwork"}),
        ("VirtualNetwork.bgp_community", "12076:20107", {"update VirtualNetwork"}),
        ("VirtualNetwork.ddos_protection", LEFT_OUT, {"update VirtualNetwork"}),
        ("VirtualNetwork.encryption", LEFT_OUT, {"update VirtualNetwork"}),
        ("VirtualNetwork.flow_timeout", 20, {"update VirtualNetwork"}),
        ("PublicIp.idle_timeout", LEFT_OUT, {"update PublicIp"}),
        ("PublicIp.reverse_fqdn", LEFT_OUT, {"update PublicIp"}),
        ("PublicIp.ddos", "disabled", {"update PublicIp"}),
        ("PublicIp.diagnostics", LEFT_OUT, {"delete DiagnosticSetting", "replace ManagementLock"}),
        ("PublicIp.lock", "ReadOnly", {"update ManagementLock"}),
    ),
    "Private tunnels": (
        ("VpnGateway.private_ip", False, UPDATE),
        ("Site.private_ip", LEFT_OUT, {"update VpnConnection"}),
    ),
    "Sites": (
        ("Site.public_ip", "203.0.113.99", {"update LocalNetworkGateway"}),
        ("Link.fqdn", "new.example.com", {"update LocalNetworkGateway"}),
        ("Site.prefixes", ("192.168.77.0/24",), {"update LocalNetworkGateway"}),
        ("BgpPeer.asn", 65199, {"update LocalNetworkGateway"}),
        ("BgpPeer.peer_weight", LEFT_OUT, {"update LocalNetworkGateway"}),
        ("Site.shared_key", Secret.env("ZURICH_PSK"), {"update VpnConnection"}),
        ("CertificateKey.outbound", "https://kv-vpn.vault.azure.net/secrets/other", {"update VpnConnection"}),
        ("CertificateKey.inbound_subject", "CN=other", {"update VpnConnection"}),
        ("Site.protocol", "IKEv1", {"replace VpnConnection"}),
        ("Site.mode", LEFT_OUT, {"update VpnConnection"}),
        ("Site.dpd", LEFT_OUT, {"update VpnConnection"}),
        ("Site.ipsec", IpsecPolicy.compatible(), {"update VpnConnection"}),
        ("Site.traffic_selectors", LEFT_OUT, {"update VpnConnection"}),
        ("Site.nat", LEFT_OUT, {"update VpnConnection", "delete NatRule"}),
        ("Site.weight", LEFT_OUT, {"update VpnConnection"}),
        ("Link.bgp", LEFT_OUT, {"update LocalNetworkGateway", "update VpnConnection"}),
        ("Link.tunnels", LEFT_OUT, {"update VpnConnection"}),
    ),
    "Local network gateways by themselves": (
        ("LocalGateway.public_ip", "203.0.113.61", {"update LocalNetworkGateway"}),
        ("LocalGateway.prefixes", ("192.168.66.0/24",), {"update LocalNetworkGateway"}),
        ("LocalGateway.bgp", LEFT_OUT, {"update LocalNetworkGateway", "update VpnConnection"}),
        ("LocalGateway.tags", LEFT_OUT, {"tag LocalNetworkGateway"}),
        ("Site.bgp", LEFT_OUT, {"update VpnConnection"}),
        ("SiteToSite.local_gateways", LEFT_OUT, {"delete LocalNetworkGateway"}),
    ),
    "Pairs of gateways": (
        ("Pair.dpd", (None, 45), {"update VnetConnection"}),
        ("Pair.mode", LEFT_OUT, {"update VnetConnection"}),
        ("Pair.weight", (10, None), {"update VnetConnection"}),
        ("Pair.protocol", LEFT_OUT, set()),
        ("Pair.ipsec", IpsecPolicy.compatible(), {"update VnetConnection"}),
        ("Pair.traffic_selectors", LEFT_OUT, {"update VnetConnection"}),
        ("Pair.apipa", LEFT_OUT, {"update VpnConnection", "update LocalNetworkGateway"}),
        ("Pair.lock", ("CanNotDelete", None), {"delete ManagementLock"}),
        ("Pair.resource_group", ("rg-left", "rg-left"), {"replace VnetConnection", "replace ManagementLock",
                                                         "delete ResourceGroup"}),
    ),
    "Clients": (
        ("PointToSite.address_pool", ("172.24.4.0/23",), UPDATE),
        ("PointToSite.protocols", ("OpenVPN", "IKEv2"), UPDATE),
        ("EntraId.audience", "11111111-2222-4333-8444-666666666666", UPDATE),
        ("EntraId.issuer", LEFT_OUT, set()),
        ("Certificates.revoked", LEFT_OUT, UPDATE),
        ("UserGroup.configuration", "other-name", UPDATE),
        ("EntraGroup.member_name", LEFT_OUT, UPDATE),
        ("UserGroup.priority", lambda now: now + 1, UPDATE),
        ("UserGroup.members", (CertificateDomain(name="new.example.com"),), UPDATE),
        ("UserGroup.address_pool", lambda now: tuple(p.replace("172.2", "172.1") for p in now), UPDATE),
        ("PointToSite.custom_routes", LEFT_OUT, UPDATE),
    ),
    "Clients with RADIUS": (
        ("RadiusServer.score", lambda now: now + 1, UPDATE),
        ("RadiusServer.secret", Secret.env("OSLO_PSK"), UPDATE),
        ("PointToSite.ipsec", LEFT_OUT, UPDATE),
    ),
    "ExpressRoute": (
        ("ExpressRouteGateway.scale_units", (12, 30), {"update ExpressRouteGateway"}),
        ("ExpressRouteGateway.admin_state", "disabled", {"update ExpressRouteGateway"}),
        ("ExpressRouteGateway.resiliency", "single-homed", {"update ExpressRouteGateway"}),
        ("ExpressRouteGateway.virtual_wan_traffic", True, {"update ExpressRouteGateway"}),
        ("Circuit.bandwidth", lambda now: 2 * now, {"update Circuit"}),
        ("Circuit.sku", "Standard_MeteredData", {"update Circuit"}),
        ("Circuit.rate_limit", LEFT_OUT, {"update Circuit"}),
        ("Circuit.activation_key", Secret.env("OSLO_PSK"), {"update Circuit"}),
        ("Circuit.activation_key", LEFT_OUT, {"update Circuit"}),
        ("Circuit.port_authorization", Secret.env("OSLO_PSK"), {"update Circuit"}),
        ("Circuit.port_authorization", LEFT_OUT, {"update Circuit"}),
        ("Circuit.microsoft_peering", LEFT_OUT, {"delete CircuitPeering"}),
        ("MicrosoftPeering.validations", LEFT_OUT, {"update CircuitPeering"}),
        ("MicrosoftPeering.advertised_prefixes_ipv6", ("2001:db8:301::/48",), {"update CircuitPeering"}),
        ("CircuitLink.routing", LEFT_OUT, {"update ExpressRouteConnection"}),
        ("PrivatePeering.vlan", lambda now: now + 50, {"update CircuitPeering"}),
        ("Circuit.authorizations", LEFT_OUT, {"delete CircuitAuthorization"}),
        ("CircuitLink.weight", 77, {"update ExpressRouteConnection"}),
        ("CircuitLink.private_link_fast_path", LEFT_OUT, {"update ExpressRouteConnection"}),
    ),
    "Circuits joined to each other": (
        ("GlobalReach.prefix", "192.168.243.0/29", {"replace GlobalReach"}),
        ("GlobalReach.prefix_ipv6", LEFT_OUT, {"update GlobalReach"}),
        ("ExpressRoute.global_reach", LEFT_OUT, {"delete GlobalReach", "delete CircuitAuthorization"}),
    ),
    "Looking after a gateway": (
        ("Maintenance.start", "03:00", {"update MaintenanceConfiguration"}),
        ("Maintenance.hours", LEFT_OUT, {"update MaintenanceConfiguration"}),
        ("VpnGateway.maintenance", LEFT_OUT, {"delete MaintenanceAssignment", "delete MaintenanceConfiguration",
                                              "replace ManagementLock"}),
        ("Diagnostics.logs", ("IKEDiagnosticLog", "TunnelDiagnosticLog", "RouteDiagnosticLog"),
         {"update DiagnosticSetting"}),
        ("Diagnostics.metrics", False, {"update DiagnosticSetting"}),
        ("Diagnostics.workspace", LEFT_OUT, {"update DiagnosticSetting"}),
        ("Diagnostics.event_hub_name", LEFT_OUT, {"update DiagnosticSetting"}),
        ("RoleAssignment.notes", LEFT_OUT, {"update RoleAssignment"}),
        ("RoleAssignment.role", "Reader", {"create RoleAssignment", "delete RoleAssignment", "replace ManagementLock"}),
        ("Lock.level", "ReadOnly", {"update ManagementLock"}),
        ("Lock.notes", LEFT_OUT, {"update ManagementLock"}),
    ),
}  # fmt: skip


def edited(value: Any, noun: str, field: str, new: Any) -> Any:
    """The blueprint with one field said otherwise wherever a noun says it."""
    if isinstance(value, tuple):
        return tuple(edited(item, noun, field, new) for item in value)
    if not isinstance(value, BaseModel):
        return value
    said = {name: edited(getattr(value, name), noun, field, new) for name in value.model_fields_set}
    if type(value).__name__ == noun and field in said:
        said[field] = new(said[field]) if isinstance(new, Callable) else new  # type: ignore[arg-type]
    return type(value)(**{name: item for name, item in said.items() if item is not LEFT_OUT})


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    environment = read_env_file(FOLDER / "example.env") | OF_CIRCUITS
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return World(tmp_path, dict(environment))


def test_each_part_of_the_page_is_edited() -> None:
    assert {section.title for section in SECTIONS} - set(EDITS) == {"Edge zones", "Route tables"}
    # A zone cannot change; a route is edited in tests/workspace/test_own_route_tables.py.


@pytest.mark.parametrize("section", [s for s in SECTIONS if s.title in EDITS], ids=lambda section: section.title)
def test_a_setting_said_otherwise_changes_what_it_is_about_and_can_be_taken_back(
    section: Section, world: World
) -> None:
    example = written(section, world.directory)
    assert world.apply(example).outcome == "succeeded"

    for name, new, expected in EDITS[section.title]:
        noun, _, field = name.partition(".")
        other = edited(example, noun, field, new)
        told = f"{name} = {'left out' if new is LEFT_OUT else new}"

        plan = world.plan(other)

        assert {f"{c.action} {c.address.partition('/')[0]}" for c in plan.changes} == expected, told
        assert [finding for finding in plan.blocking if finding.rule != "V-REPLACE-01"] == [], told
        for blueprint in () if name in ONE_WAY else (other, example):
            assert world.apply(blueprint).outcome == "succeeded", told
            assert differences_of(world.plan(blueprint, deep=True)) == [], told
