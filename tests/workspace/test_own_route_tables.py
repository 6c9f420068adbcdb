"""A route table of ours, from its first apply to destroy: it comes before the subnets that use it, and goes after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION, SUBSCRIPTION, rid
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.network import GatewaySubnet, Route, RouteTable, Subnet, VirtualNetwork
from vpngw_iac.blueprints.site import IpsecPolicy, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.secret import Secret

TABLE = rid("routeTables", "rt-hub")
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-hub"
SPOKES = Route(name="spokes", prefix="10.8.0.0/14", next_hop_ip="10.1.1.4")
MORE = Route(name="more", prefix="10.64.0.0/16", next_hop_ip="10.1.1.4")
ALL = Route(name="all", prefix="0.0.0.0/0", next_hop_ip="10.1.1.4")


def table(*routes: Route, **more: Any) -> RouteTable:
    return RouteTable(**{"name": "rt-hub", "routes": routes or (SPOKES,), **more})


def hub(gateways: RouteTable | str | None = None, workload: RouteTable | str | None = None) -> SiteToSite:
    subnets: Sequence[Subnet] = [Subnet(name="workload", prefixes=["10.1.2.0/24"], route_table=workload)]
    network = VirtualNetwork(
        name="vnet-hub",
        location=REGION,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet=GatewaySubnet(prefix=["10.1.255.0/27"], route_table=gateways),
        subnets=subnets,
    )
    site = Site(
        name="berlin",
        public_ip="203.0.113.10",
        prefixes=["192.168.10.0/24"],
        shared_key=Secret.env("PSK_BERLIN"),
        ipsec=IpsecPolicy.strong(),
    )
    return SiteToSite(name="hub", gateway=VpnGateway(name="vgw-hub", network=network, sku="VpnGw2AZ"), sites=[site])


def table_of(harness: Harness, subnet: str) -> str | None:
    found = harness.simulator.documents()[f"{NETWORK}/subnets/{subnet}"]["properties"].get("routeTable")
    return ArmId(found["id"]).name if found else None


def routes(harness: Harness) -> list[str]:
    return [route["name"] for route in harness.simulator.documents()[str(TABLE)]["properties"]["routes"]]


def rules(harness: Harness, blueprint: SiteToSite) -> dict[str, str]:
    found = harness.plan(blueprint).findings
    return {finding.rule: finding.level for finding in found if finding.rule.startswith("R-SUBNET")}


def test_its_whole_life(harness: Harness) -> None:
    ours = table()
    blueprint = hub(ours, ours)
    harness.mark()
    harness.converge(blueprint)
    written = harness.writes()
    assert written.count("PUT routeTables/rt-hub") == 1
    assert written.index("PUT routeTables/rt-hub") < written.index("PUT subnets/GatewaySubnet")
    assert table_of(harness, "GatewaySubnet") == table_of(harness, "workload") == "rt-hub"
    assert harness.drift(blueprint).items == ()

    assert harness.destroy(blueprint).outcome == "succeeded"

    assert [path for path in harness.simulator.documents() if "/providers/" in path] == []


def test_an_edit_of_a_route_writes_the_table_alone_and_costs_nobody_a_tunnel(harness: Harness) -> None:
    harness.create(hub(table()))

    edited = hub(table(SPOKES.model_copy(update={"next_hop_ip": "10.1.1.5"}), MORE))
    change = harness.change(edited, "RouteTable/rt-hub")
    harness.converge(edited)

    assert change.outage.level == "none"
    assert harness.writes() == ["PUT routeTables/rt-hub"]
    assert routes(harness) == ["spokes", "more"]


def test_a_route_that_somebody_changed_is_drift_and_one_that_somebody_added_survives(harness: Harness) -> None:
    blueprint = harness.create(hub(table()))  # type: ignore[arg-type,type-var]
    body = harness.simulator.documents()[str(TABLE)]
    foreign = {"name": "theirs", "properties": {"addressPrefix": "10.99.0.0/16", "nextHopType": "None"}}
    changed = {"name": "spokes", "properties": {"addressPrefix": "10.8.0.0/14", "nextHopType": "Internet"}}
    harness.simulator.put(
        str(TABLE), {"location": REGION, "tags": body["tags"], "properties": {"routes": [changed, foreign]}}
    )

    drift = harness.drift(blueprint)
    harness.converge(blueprint)

    assert [item.address for item in drift.items] == ["RouteTable/rt-hub"]
    assert sorted(routes(harness)) == ["spokes", "theirs"]


def test_a_removed_table_is_taken_off_its_subnets_before_it_goes(harness: Harness) -> None:
    ours = table()
    harness.create(hub(ours, ours))

    harness.converge(hub())

    written = harness.writes()
    assert written.index("DELETE routeTables/rt-hub") > written.index("PUT subnets/GatewaySubnet")
    assert written.index("DELETE routeTables/rt-hub") > written.index("PUT subnets/workload")
    assert table_of(harness, "workload") is None


def test_a_renamed_table_is_there_before_its_subnet_lets_the_old_one_go(harness: Harness) -> None:
    harness.create(hub(table()))

    harness.converge(hub(table(name="rt-new")))

    assert harness.writes() == ["PUT routeTables/rt-new", "PUT subnets/GatewaySubnet", "DELETE routeTables/rt-hub"]


def test_a_table_and_its_subnet_are_never_written_at_once(harness: Harness) -> None:
    ours = table()
    harness.create(hub(ours))

    harness.converge(hub(table(SPOKES, MORE), table(SPOKES, MORE)))

    assert sorted(harness.writes()) == ["PUT routeTables/rt-hub", "PUT subnets/workload"]


def test_a_subnet_changes_from_a_table_that_is_used_to_one_of_ours(harness: Harness) -> None:
    theirs = rid("routeTables", "rt-firewall")
    harness.simulator.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": REGION})
    harness.simulator.put(str(theirs), {"location": REGION, "properties": {"routes": []}})
    harness.create(hub(str(theirs)))

    harness.converge(hub(table()))

    assert harness.writes() == ["PUT routeTables/rt-hub", "PUT subnets/GatewaySubnet"]
    assert str(theirs) in harness.simulator.documents()


@pytest.mark.parametrize(
    ("ours", "rule"),
    [(table(SPOKES, ALL), "R-SUBNET-11"), (table(disable_bgp_propagation=True), "R-SUBNET-13")],
    ids=["default route", "no propagation"],
)
def test_what_stops_a_gateway_is_refused_before_the_table_exists(harness: Harness, ours: RouteTable, rule: str) -> None:
    assert rules(harness, hub(ours)) == {rule: "error"}
    assert rules(harness, hub(None, ours)) == {}


def test_a_declared_edit_that_would_stop_the_gateway_is_seen_as_declared(harness: Harness) -> None:
    harness.create(hub(table()))

    assert rules(harness, hub(table(SPOKES, ALL))) == {"R-SUBNET-11": "warning"}
