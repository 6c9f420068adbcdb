"""Where a resource lies, and what an address was made with: each said otherwise, planned, applied, and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION, rid
from vpngw_iac import (
    Circuit,
    CircuitLink,
    ExpressRoute,
    ExpressRouteGateway,
    GatewaySubnet,
    IpTag,
    Link,
    PrivatePeering,
    PublicIp,
    RoleAssignment,
    Secret,
    SecurityGroup,
    Site,
    SiteToSite,
    VirtualNetwork,
    VpnGateway,
)

KEY = Secret.env("PSK_BERLIN")
PLAN = str(rid("ddosProtectionPlans", "plan", group="rg-shared"))
READER = RoleAssignment(role="Reader", principal="55555555-5555-4555-8555-555555555555")


def network(**said: Any) -> VirtualNetwork:
    known = {"address_space": ["10.1.0.0/16"], "gateway_subnet": "10.1.255.0/27"}
    return VirtualNetwork(name="vnet", location=REGION, resource_group=GROUP, **{**known, **said})


def hub(*sites: Site, gateway: Any = None, **said: Any) -> SiteToSite:
    at = VpnGateway(name="vgw", network=network(**said), sku="VpnGw2AZ", **(gateway or {}))
    return SiteToSite(name="hub", gateway=at, sites=sites)


def berlin(**said: Any) -> SiteToSite:
    known = {"public_ip": "203.0.113.10", "prefixes": ["192.168.10.0/24"], "shared_key": KEY}
    return hub(Site(name="berlin", **{**known, **said}))


def dsl(**said: Any) -> SiteToSite:
    known: dict[str, Any] = {"prefixes": ["192.168.10.0/24"], "shared_key": KEY, "resource_group": "rg-sites"}
    return hub(Site(name="berlin", links=[Link(name="dsl", public_ip="203.0.113.10", **said)], **known))


def circuit(**said: Any) -> ExpressRoute:
    made = Circuit(
        name="erc", location=REGION, resource_group=GROUP, provider="Equinix", peering_location="Frankfurt",
        bandwidth=50,
        private_peering=PrivatePeering(asn=65110, primary="10.9.0.0/30", secondary="10.9.0.4/30", vlan=9),
    )  # fmt: skip
    gateway = ExpressRouteGateway(name="ergw", network=network(gateway_subnet="10.1.255.0/26"), sku="ErGw1AZ")
    return ExpressRoute(name="er", gateway=gateway, circuits=[CircuitLink(name="fra", circuit=made, **said)])


def address(**said: Any) -> SiteToSite:
    return hub(gateway={"public_ips": [PublicIp(name="pip", **said)]})


def guarded(**said: Any) -> SiteToSite:
    return hub(gateway_subnet=GatewaySubnet(prefix="10.1.255.0/27", **said))


USED = str(rid("networkSecurityGroups", "nsg-used", group="rg-shared"))
OWN = SecurityGroup(name="nsg")
CONNECTION, LOCAL = "replace VpnConnection", "replace LocalNetworkGateway"
CASES: dict[str, tuple[Any, Any, set[str]]] = {
    "group of a site": (
        berlin(), berlin(resource_group="rg-sites"), {CONNECTION, LOCAL, "create ResourceGroup"},
    ),
    "group of a site's local gateway": (
        berlin(), berlin(local_gateway_group="rg-local"),
        {"update VpnConnection", LOCAL, "create ResourceGroup"},
    ),
    "region of a site": (berlin(), berlin(location="northeurope"), {CONNECTION, LOCAL}),
    "group of a link": (dsl(), dsl(resource_group="rg-links"), {CONNECTION, "create ResourceGroup"}),
    "group of a circuit link": (
        circuit(), circuit(resource_group="rg-links"), {"replace ExpressRouteConnection", "create ResourceGroup"},
    ),
    "tags of an address": (address(tags={"a": "b"}), address(tags={"a": "c"}), {"tag PublicIp"}),
    "access to an address": (address(), address(access=READER), {"create RoleAssignment"}),
    "plan of an address": (
        address(ddos="enabled", ddos_plan=PLAN), address(ddos="enabled", ddos_plan=f"{PLAN}-2"), {"update PublicIp"},
    ),
    "plan of a network": (
        hub(ddos_plan=PLAN, ddos_protection=True), hub(ddos_plan=f"{PLAN}-2", ddos_protection=True),
        {"update VirtualNetwork"},
    ),
    "own security group of a GatewaySubnet": (
        guarded(), guarded(security_group=OWN), {"create SecurityGroup", "update Subnet"},
    ),
    "used security group of a GatewaySubnet": (guarded(), guarded(security_group=USED), {"update Subnet"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_said_otherwise_it_changes_just_that_and_can_be_taken_back(harness: Harness, name: str) -> None:
    before, after, expected = CASES[name]
    harness.simulator.load([{"id": USED, "location": REGION, "properties": {"provisioningState": "Succeeded"}}])
    if harness.apply(before).outcome == "waiting":
        harness.simulator.provision_circuit(str(rid("expressRouteCircuits", "erc")))
    harness.converge(before)

    plan = harness.plan(after)

    assert {f"{change.action} {change.address.partition('/')[0]}" for change in plan.changes} == expected
    harness.converge(after)
    harness.converge(before)


@pytest.mark.parametrize(
    "after",
    [
        {"ip_tags": [IpTag(type="RoutingPreference", tag="Microsoft")]},
        {"ip_tags": []},
        {"prefix": str(rid("publicIPPrefixes", "other", group="rg-shared"))},
    ],
    ids=["another tag", "no tag", "another prefix"],
)
def test_what_an_address_was_made_with_stays_unless_its_replacement_is_named(
    harness: Harness, after: dict[str, Any]
) -> None:
    first = {
        "ip_tags": [IpTag(type="RoutingPreference", tag="Internet")],
        "prefix": str(rid("publicIPPrefixes", "one", group="rg-shared")),
    }
    harness.create(address(**first))

    plan = harness.plan(address(**{**first, **after}))

    assert [(f.rule, f.address) for f in plan.blocking] == [
        ("V-REPLACE-01", "PublicIp/vgw/1"),
        ("V-REPLACE-01", "VpnGateway/vgw"),
    ]


def test_the_tag_of_a_policy_is_not_ours_and_survives(harness: Harness) -> None:
    pip = rid("publicIPAddresses", "pip")
    harness.create(address())
    made = harness.document(pip)
    made["properties"]["ipTags"] = [{"ipTagType": "FirstPartyUsage", "tag": "/Unprivileged"}]
    harness.simulator.load([made])

    harness.converge(address(idle_timeout=10))

    assert harness.document(pip)["properties"]["ipTags"] == [{"ipTagType": "FirstPartyUsage", "tag": "/Unprivileged"}]
