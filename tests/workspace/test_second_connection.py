"""Before a connection is created its gateway's own list is asked: the same may be there, in whatever group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION, group_id, rid
from vpngw_iac import (
    Circuit,
    CircuitLink,
    ExpressRoute,
    ExpressRouteGateway,
    LocalGateway,
    Pair,
    PrivatePeering,
    Secret,
    Site,
    SiteToSite,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)
from vpngw_iac.errors import ExitCode, Refused

OTHER = "rg-connections"
KEY = Secret.env("PSK_BERLIN")


def network(name: str, number: int) -> VirtualNetwork:
    return VirtualNetwork(
        name=f"vnet-{name}",
        location=REGION,
        resource_group=GROUP,
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
    )


def hub(number: int = 1, name: str = "hub") -> VpnGateway:
    return VpnGateway(name=f"vgw-{name}", network=network(name, number), sku="VpnGw2AZ")


LOCAL = LocalGateway(name="lgw-berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"])


def sites(*found: Site, **more: Any) -> SiteToSite:
    return SiteToSite(**{"name": "hub", "gateway": hub(), "local_gateways": [LOCAL], "sites": found, **more})


def berlin(**more: Any) -> Site:
    return Site(name="berlin", local_gateway=LOCAL, shared_key=KEY, **more)


def connect(harness: Harness, name: str, **ends: Any) -> Any:
    """Somebody connects the ends, in another group."""
    harness.simulator.put(str(group_id(OTHER)), {"location": REGION})
    identity = rid("connections", name, group=OTHER)
    gateway = ends.pop("gateway", rid("virtualNetworkGateways", "vgw-hub"))
    named = {end: {"id": str(target)} for end, target in ends.items() if end != "connectionType"}
    properties = {"virtualNetworkGateway1": {"id": str(gateway)}, "sharedKey": "abc", **named}
    properties["connectionType"] = ends.get("connectionType", "IPsec")
    harness.simulator.put(str(identity), {"location": REGION, "properties": properties})
    return identity


def refused(harness: Harness, blueprint: Any) -> str:
    with pytest.raises(Refused) as error:
        harness.apply(blueprint)
    assert error.value.exit_code == ExitCode.REFUSED
    assert [finding.rule for finding in error.value.findings if finding.blocks] == ["V-OWN-06"]
    finding = next(finding for finding in error.value.findings if finding.blocks)
    return f"{finding.address}: {finding.detail} {finding.advice}"


def test_a_connection_in_another_group_is_not_made_a_second_time_and_can_be_taken_over(harness: Harness) -> None:
    harness.create(sites())
    there = connect(harness, "somebody", localNetworkGateway2=rid("localNetworkGateways", "lgw-berlin"))
    harness.mark()

    told = refused(harness, sites(berlin()))

    assert told.startswith("VpnConnection/vgw-hub/berlin: ")
    assert str(there) in told
    assert f'resource_group="{OTHER}" and connection_name="somebody"' in told
    assert harness.writes() == []
    taken = sites(berlin(resource_group=OTHER, connection_name="somebody"))
    harness.converge(taken, adopt=frozenset({"VpnConnection/vgw-hub/berlin"}), adopt_and_change=True)
    assert [i for i in harness.simulator.documents() if "/connections/" in i] == [str(there)]


def test_so_is_one_on_a_gateway_that_is_only_used(harness: Harness) -> None:
    harness.create(sites())
    connect(harness, "somebody", localNetworkGateway2=rid("localNetworkGateways", "lgw-berlin"))
    used = VpnGateway.existing(str(rid("virtualNetworkGateways", "vgw-hub")), location=REGION)
    lent = LocalGateway.existing(str(rid("localNetworkGateways", "lgw-berlin")))
    guest = SiteToSite(name="guest", gateway=used, sites=[Site(name="berlin", local_gateway=lent, shared_key=KEY)])

    assert "somebody" in refused(harness, guest)


def test_another_site_on_the_same_gateway_is_no_second_connection(harness: Harness) -> None:
    harness.create(sites())
    connect(harness, "somebody", localNetworkGateway2=rid("localNetworkGateways", "lgw-berlin"))
    paris = Site(name="paris", public_ip="203.0.113.11", prefixes=["192.168.11.0/24"], shared_key=KEY)

    harness.converge(sites(paris))


def test_the_other_half_of_a_pair_is_no_second_connection(harness: Harness) -> None:
    pair = Pair(a=hub(), b=hub(2, "far"), shared_key=KEY, manage="b")
    harness.create(VnetToVnet(name="pair", pairs=[pair]))
    far = rid("virtualNetworkGateways", "vgw-far")
    both = VnetToVnet(name="pair", pairs=[pair.model_copy(update={"manage": "both"})])

    assert harness.changes(both) == {"VnetConnection/vgw-hub/vgw-far": "create"}

    connect(harness, "half", connectionType="Vnet2Vnet", virtualNetworkGateway2=far)
    assert "half" in refused(harness, both)


def test_so_is_one_to_the_same_circuit(harness: Harness) -> None:
    circuit = Circuit(
        name="erc-fra", location=REGION, resource_group=GROUP, provider="Equinix", peering_location="Frankfurt",
        bandwidth=50,
        private_peering=PrivatePeering(asn=65110, primary="10.9.0.0/30", secondary="10.9.0.4/30", vlan=9),
    )  # fmt: skip
    gateway = ExpressRouteGateway(name="ergw", network=network("hub", 1), sku="ErGw1AZ")
    alone = ExpressRoute(name="er", gateway=gateway, circuits=[circuit])
    harness.create(alone)
    harness.simulator.provision_circuit(str(rid("expressRouteCircuits", "erc-fra")))
    ends = {"gateway": rid("virtualNetworkGateways", "ergw"), "peer": rid("expressRouteCircuits", "erc-fra")}
    connect(harness, "somebody", connectionType="ExpressRoute", **ends)

    linked = alone.model_copy(update={"circuits": (CircuitLink(name="fra", circuit=circuit),)})

    assert "somebody" in refused(harness, linked)


def test_a_renamed_connection_of_ours_is_replaced_as_before(harness: Harness) -> None:
    harness.create(sites(berlin(connection_name="old")))

    plan = harness.plan(sites(berlin(connection_name="new")))

    assert [finding.rule for finding in plan.blocking] == []
    assert {str(change.action) for change in plan.changes} == {"replace"}
