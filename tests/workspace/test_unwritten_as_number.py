"""An AS number that nobody wrote is not ours to say: the gateway keeps its own, and who needs it asks the gateway."""

from __future__ import annotations

from typing import Any

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, rid
from vpngw_iac import Bgp, Pair, Secret, VirtualNetwork, VnetToVnet, VpnGateway
from vpngw_iac.blueprints.site_to_site import SiteToSite

GATEWAY = rid("virtualNetworkGateways", "vgw-a")


def gateway(name: str, number: int, bgp: Bgp | None) -> VpnGateway:
    network = VirtualNetwork(
        name=f"vnet-{name}",
        location="westeurope",
        resource_group=GROUP,
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
    )
    return VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw1AZ", bgp=bgp)


def alone(bgp: Bgp) -> Any:
    return SiteToSite(name="hub", gateway=gateway("a", 1, bgp))


def number_of(harness: Harness) -> int:
    return int(harness.document(GATEWAY)["properties"]["bgpSettings"]["asn"])


def set_number(harness: Harness, asn: int) -> None:
    document = harness.document(GATEWAY)
    document["properties"]["bgpSettings"]["asn"] = asn
    harness.simulator.put(str(GATEWAY), document)


def test_a_new_gateway_gets_the_number_that_azure_gives(harness: Harness) -> None:
    harness.converge(alone(Bgp()))

    assert number_of(harness) == 65515


def test_a_number_that_somebody_else_chose_is_no_difference(harness: Harness) -> None:
    harness.create(alone(Bgp()))
    set_number(harness, 65010)

    assert harness.changes(alone(Bgp())) == {}
    assert harness.drift(alone(Bgp())).items == ()


def test_an_entry_that_remembers_the_default_shows_no_change(harness: Harness) -> None:
    """States of before remember 65515, which the blueprint's default had put there."""
    harness.create(alone(Bgp(asn=65515)))

    assert harness.changes(alone(Bgp())) == {}


def test_a_number_that_is_no_longer_written_goes_back_to_azures(harness: Harness) -> None:
    harness.create(alone(Bgp(asn=65010)))

    harness.converge(alone(Bgp()))

    assert number_of(harness) == 65515


def test_the_other_end_of_an_ipsec_pair_learns_the_number_from_the_gateway(harness: Harness) -> None:
    pair = Pair(
        a=gateway("a", 1, Bgp()),
        b=gateway("b", 2, Bgp(asn=65020)),
        shared_key=Secret.env("PSK_BERLIN"),
        bgp=True,
        via="ipsec",
    )
    blueprint: Any = VnetToVnet(name="hub", pairs=[pair])

    harness.converge(blueprint)

    stand_in = harness.document(rid("localNetworkGateways", "lgw-vgw-b-vgw-a"))
    assert stand_in["properties"]["bgpSettings"]["asn"] == 65515


def test_two_gateways_with_the_same_number_are_told_offline_although_nobody_wrote_it(harness: Harness) -> None:
    """R-BGP-06 counts with Azure's own number where none is written."""
    pair = Pair(a=gateway("a", 1, Bgp()), b=gateway("b", 2, Bgp()), shared_key=Secret.env("PSK"), bgp=True, via="ipsec")
    blueprint: Any = VnetToVnet(name="hub", pairs=[pair])

    assert "R-BGP-06" in {finding.rule for finding in harness.workspace().validate(blueprint).findings}
