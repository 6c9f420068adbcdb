"""Route tables on GatewaySubnets are read at plan: a route that stops a gateway is told before minute 45."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION, SUBSCRIPTION, rid
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.network import Subnet, VirtualNetwork
from vpngw_iac.blueprints.site import IpsecPolicy, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.secret import Secret
from vpngw_iac.simulator.faults import AnswerInstead

NETWORK = str(rid("virtualNetworks", "vnet-hub"))
SUBNET = f"{NETWORK}/subnets/GatewaySubnet"
TABLE = str(rid("routeTables", "rt-firewall"))
DEFAULT = ("all", "0.0.0.0/0", "VirtualAppliance")
SPOKES = ("spokes", "10.8.0.0/16", "VirtualAppliance")


def table(harness: Harness, *routes: tuple[str, str, str], **properties: Any) -> None:
    """Somebody else's route table."""
    found = []
    for name, prefix, hop in routes:
        inner = {"addressPrefix": prefix, "nextHopType": hop}
        inner |= {"nextHopIpAddress": "10.1.1.4"} if hop == "VirtualAppliance" else {}
        found.append({"name": name, "properties": inner})
    harness.simulator.put(TABLE, {"location": REGION, "properties": {"routes": found, **properties}})


def attach(harness: Harness) -> None:
    """Somebody attaches it to the GatewaySubnet."""
    body = harness.simulator.documents()[SUBNET]["properties"]
    kept = {"addressPrefix": body["addressPrefix"], "routeTable": {"id": TABLE}}
    harness.simulator.put(SUBNET, {"properties": kept})


def network_of_others(harness: Harness) -> None:
    harness.simulator.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": REGION})
    subnet = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.1.255.0/27"}}
    body = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [subnet]}
    harness.simulator.put(NETWORK, {"location": REGION, "properties": body})


def hub(*, ours: bool = False, **more: Any) -> SiteToSite:
    if ours:
        network: Any = VirtualNetwork(
            name="vnet-hub",
            location=REGION,
            resource_group=GROUP,
            address_space=["10.1.0.0/16"],
            gateway_subnet="10.1.255.0/27",
            **more,
        )
    else:
        network = VirtualNetwork.existing(NETWORK, location=REGION)
    gateway = VpnGateway(name="vgw-hub", network=network, resource_group=GROUP, sku="VpnGw2AZ")
    site = Site(
        name="berlin",
        public_ip="203.0.113.10",
        prefixes=["192.168.10.0/24"],
        shared_key=Secret.env("PSK_BERLIN"),
        ipsec=IpsecPolicy.strong(),
    )
    return SiteToSite(name="hub", gateway=gateway, sites=[site])


def of(plan: Plan, *rules: str) -> dict[str, str]:
    """Level of each finding of these rules, by rule."""
    return {finding.rule: finding.level for finding in plan.findings if finding.rule in rules}


def test_a_default_route_on_a_gateway_subnet_of_others_refuses_the_gateway_before_it_is_begun(harness: Harness) -> None:
    network_of_others(harness)
    table(harness, DEFAULT)
    attach(harness)

    plan = harness.plan(hub())

    assert of(plan, "R-SUBNET-11", "R-SUBNET-13") == {"R-SUBNET-11": "error"}
    told = next(finding for finding in plan.findings if finding.rule == "R-SUBNET-11")
    assert "rt-firewall" in told.detail
    assert told.address == "VpnGateway/vgw-hub"


def test_what_preflight_refuses_the_simulator_refuses_too(harness: Harness) -> None:
    network_of_others(harness)
    table(harness, DEFAULT)
    attach(harness)
    address = {"location": REGION, "sku": {"name": "Standard"}, "zones": ["1", "2", "3"]}
    harness.simulator.put(
        str(rid("publicIPAddresses", "pip")), {**address, "properties": {"publicIPAllocationMethod": "Static"}}
    )
    inner = {"subnet": {"id": SUBNET}, "publicIPAddress": {"id": str(rid("publicIPAddresses", "pip"))}}
    properties = {
        "gatewayType": "Vpn",
        "vpnType": "RouteBased",
        "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
        "ipConfigurations": [{"name": "default", "properties": inner}],
    }

    with pytest.raises(ValueError, match="GatewaySubnetHasDefaultRoute"):
        harness.simulator.put(
            str(rid("virtualNetworkGateways", "vgw-hub")), {"location": REGION, "properties": properties}
        )


def test_a_firewall_hub_sends_spokes_through_its_firewall_and_that_is_normal(harness: Harness) -> None:
    network_of_others(harness)
    table(harness, SPOKES)
    attach(harness)

    plan = harness.plan(hub())

    assert [f for f in plan.findings if f.rule.startswith("R-SUBNET")] == []
    assert plan.blocking == ()


def test_propagation_that_is_off_refuses_a_new_gateway(harness: Harness) -> None:
    network_of_others(harness)
    table(harness, SPOKES, disableBgpRoutePropagation=True)
    attach(harness)

    assert of(harness.plan(hub()), "R-SUBNET-13") == {"R-SUBNET-13": "error"}


def test_a_default_route_that_came_later_warns_and_stops_no_other_change(harness: Harness) -> None:
    blueprint = hub(ours=True)
    harness.create(blueprint)
    table(harness, DEFAULT)
    attach(harness)

    plan = harness.plan(blueprint)

    assert of(plan, "R-SUBNET-11") == {"R-SUBNET-11": "warning"}
    assert plan.blocking == ()
    assert plan.changes == ()


def test_a_route_table_costs_one_request_and_none_where_there_is_none(harness: Harness) -> None:
    network_of_others(harness)
    harness.mark()
    harness.plan(hub())
    without = [path for path in harness.reads() if "/routetables/" in path.lower()]
    table(harness, SPOKES)
    attach(harness)
    harness.mark()
    harness.plan(hub())

    assert without == []
    assert len([path for path in harness.reads() if "/routetables/" in path.lower()]) == 1


def test_a_route_table_that_may_not_be_read_is_told_and_judged_by_nobody(harness: Harness) -> None:
    network_of_others(harness)
    table(harness, DEFAULT)
    attach(harness)
    forbidden = AnswerInstead(status=403, code="AuthorizationFailed", message="The client may not do this.")
    harness.fault(forbidden, method="GET", path="*/routetables/*")

    plan = harness.plan(hub())

    assert of(plan, "R-SUBNET-11") == {}
    assert [text for text in plan.unread if text.startswith("routeTables/rt-firewall")] != []


def test_a_route_table_that_is_not_there_is_told_before_its_subnet_is_put(harness: Harness) -> None:
    subnet = Subnet(name="workload", prefixes=["10.1.1.0/24"], route_table=TABLE)
    blueprint = hub(ours=True, subnets=[subnet])

    missing = of(harness.plan(blueprint), "V-EXIST-01")
    harness.simulator.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": REGION})
    table(harness, SPOKES)

    assert missing == {"V-EXIST-01": "error"}
    harness.converge(blueprint)
