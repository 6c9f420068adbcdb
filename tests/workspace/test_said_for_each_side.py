"""What Azure has on each side is said for each side; two ExpressRoute gateways stand together while one is replaced."""

from __future__ import annotations

from typing import Any

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION
from vpngw_iac import (
    Circuit,
    CircuitLink,
    ExpressRoute,
    ExpressRouteGateway,
    PrivatePeering,
    SiteToSite,
    Spoke,
    Topology,
    VirtualNetwork,
    VpnGateway,
)


def network(name: str, number: int, gateway_subnet: str | None = None) -> VirtualNetwork:
    return VirtualNetwork(
        name=f"vnet-{name}",
        location=REGION,
        resource_group=GROUP,
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=gateway_subnet,
    )


def forwarding(harness: Harness) -> dict[str, Any]:
    """Which half lets forwarded traffic in."""
    halves = {i: d for i, d in harness.simulator.documents().items() if "/virtualNetworkPeerings/" in i}
    return {i.split("/")[8]: d["properties"]["allowForwardedTraffic"] for i, d in halves.items()}


def hub(forwarded: Any) -> SiteToSite:
    gateway = VpnGateway(name="vgw", network=network("hub", 1, "10.1.255.0/27"), sku="VpnGw1AZ")
    return SiteToSite(
        name="hub", gateway=gateway, spokes=[Spoke(network=network("red", 2), forwarded_traffic=forwarded)]
    )


def test_forwarded_traffic_is_let_in_on_the_side_that_says_so(harness: Harness) -> None:
    harness.create(hub([None, True]))
    assert forwarding(harness) == {"vnet-hub": False, "vnet-red": True}

    harness.converge(hub(True))
    assert forwarding(harness) == {"vnet-hub": True, "vnet-red": True}

    assert harness.changes(hub([True, None])) == {"Peering/vnet-red/vnet-hub": "update"}
    harness.converge(hub([True, None]))
    assert forwarding(harness) == {"vnet-hub": True, "vnet-red": False}


def test_a_second_expressroute_gateway_takes_over_during_a_migration(harness: Harness) -> None:
    place = network("hub", 1, "10.1.255.0/26")
    circuit = Circuit(
        name="erc", location=REGION, resource_group=GROUP, provider="Equinix", peering_location="Frankfurt",
        bandwidth=50,
        private_peering=PrivatePeering(asn=65110, primary="10.9.0.0/30", secondary="10.9.0.4/30", vlan=9),
    )  # fmt: skip

    def gateways(old: Any, new: Any) -> Topology:
        return Topology(
            name="migration",
            blueprints=[
                ExpressRoute(
                    name=name,
                    gateway=ExpressRouteGateway(name=f"ergw-{name}", network=place, sku=sku, admin_state=state),
                    circuits=[CircuitLink(name=name, circuit=circuit)],
                )
                for name, sku, state in (("old", "ErGw1AZ", old), ("new", "ErGw2AZ", new))
            ],
        )

    harness.apply(gateways("enabled", "disabled"))
    harness.simulator.provision_circuit(next(i for i in harness.simulator.documents() if i.endswith("/erc")))
    harness.converge(gateways("enabled", "disabled"))

    assert harness.changes(gateways("disabled", "enabled")) == {
        "ExpressRouteGateway/ergw-new": "update",
        "ExpressRouteGateway/ergw-old": "update",
    }
    harness.converge(gateways("disabled", "enabled"))
