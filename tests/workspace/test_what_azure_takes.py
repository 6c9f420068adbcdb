"""What a literal reading of a page would refuse and Azure takes lives its life; what Azure refuses is told at plan."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.coexistence import ExpressRouteCoexistence
from vpngw_iac.blueprints.expressroute import Circuit, CircuitLink
from vpngw_iac.blueprints.gateway import ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.topology import Topology
from vpngw_iac.errors import Refused


def network(**more: Any) -> VirtualNetwork:
    return VirtualNetwork(
        name="vnet-hub",
        location=REGION,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/26",
        **more,
    )


def both(name: str, expressroute: ExpressRouteGateway, *links: CircuitLink) -> ExpressRouteCoexistence:
    gateway = VpnGateway(name="vgw-hub", network=network(), sku="VpnGw1AZ")
    return ExpressRouteCoexistence(name=name, vpn=gateway, expressroute=expressroute, circuits=links)


def for_circuits(name: str, **more: Any) -> ExpressRouteGateway:
    return ExpressRouteGateway(name=name, network=network(), sku="ErGw1AZ", **more)


def circuit(**more: Any) -> Blueprint:
    said: dict[str, Any] = {"bandwidth": 1000, "provider": "Equinix", "peering_location": "Amsterdam"}
    link = CircuitLink(
        name="ams", circuit=Circuit(**({"name": "erc", "location": REGION, "resource_group": GROUP} | said | more))
    )
    return both("both", for_circuits("ergw-hub"), link)


@pytest.mark.parametrize("sku", ["Basic", "VpnGw1AZ"])
def test_a_gateway_in_an_edge_zone_is_made_and_stays(sku: str, harness: Harness) -> None:
    gateway = VpnGateway(name="vgw-hub", network=network(edge_zone="miami"), sku=sku, edge_zone="miami")
    blueprint = SiteToSite(name="hub", gateway=gateway)

    harness.create(blueprint)

    assert harness.plan(blueprint).changes == ()


def test_a_second_gateway_for_circuits_is_made_beside_the_first_one(harness: Harness) -> None:
    first = both("one", for_circuits("ergw-old"))
    harness.create(Topology(name="hub", blueprints=[first]))
    blueprint = Topology(name="hub", blueprints=[first, both("two", for_circuits("ergw-new", admin_state="disabled"))])

    harness.create(blueprint)

    assert harness.plan(blueprint).changes == ()


def test_a_second_vpn_gateway_is_refused_before_anything_is_made(harness: Harness) -> None:
    other = SiteToSite(name="other", gateway=VpnGateway(name="vgw-other", network=network(), sku="VpnGw1AZ"))
    blueprint = Topology(name="hub", blueprints=[both("one", for_circuits("ergw-hub")), other])

    plan = harness.plan(blueprint)

    assert "R-SKU-19" in {finding.rule for finding in plan.blocking}


def test_a_circuit_becomes_premium_in_place_and_never_local(harness: Harness) -> None:
    harness.apply(circuit(sku="Standard_UnlimitedData"))  # and waits for the provider

    bigger = harness.plan(circuit(sku="Premium_UnlimitedData"))
    local = harness.plan(circuit(sku="Local_UnlimitedData"))

    assert bigger.blocking == ()
    assert [finding.address for finding in local.blocking] == ["Circuit/erc"]
    assert "cannot become Local" in local.blocking[0].detail
    with pytest.raises(Refused):
        harness.workspace().apply(circuit(sku="Local_UnlimitedData"))


@pytest.mark.parametrize(
    "more", [{"bandwidth": 333}, {"sku": "Local_MeteredData"}, {"sku": "Local_UnlimitedData", "bandwidth": 50}]
)
def test_a_circuit_that_nobody_sells_is_refused_at_plan(more: dict[str, Any], harness: Harness) -> None:
    assert {"R-ER-29"} == {finding.rule for finding in harness.plan(circuit(**more)).blocking}
