"""Each row of the table "which SKU may become which" is a case; where Azure refuses, the way out is told."""

from __future__ import annotations

import pytest

from tests.resources.samples import gateway
from vpngw_iac.resources.express_route_circuit import ExpressRouteCircuit
from vpngw_iac.resources.gateway_sku import generation_change, sku_change
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway

# (gateway type, from, to, how, outage, what the reason must say)
ROWS = [
    ("Vpn", "Basic", "VpnGw1AZ", "replace", "reconfigure", "cannot be resized"),
    ("Vpn", "VpnGw1AZ", "Basic", "replace", "reconfigure", "cannot be resized"),
    ("Vpn", "Standard", "VpnGw1AZ", "impossible", "none", "VpnGw1AZ"),
    ("Vpn", "HighPerformance", "VpnGw3AZ", "impossible", "none", "VpnGw2AZ"),
    ("Vpn", "Standard", "HighPerformance", "impossible", "none", "R-SKU-03"),
    ("Vpn", "VpnGw2", "VpnGw2AZ", "in place", "none", "keeps its addresses"),
    ("Vpn", "VpnGw1", "VpnGw2AZ", "in place", "minutes", "grows"),
    ("Vpn", "VpnGw1AZ", "VpnGw3AZ", "in place", "minutes", "grows"),
    ("Vpn", "VpnGw2AZ", "VpnGw5AZ", "in place", "minutes", "grows"),
    ("Vpn", "VpnGw3AZ", "VpnGw2AZ", "replace", "reconfigure", "cannot be made smaller"),
    ("Vpn", "VpnGw3", "VpnGw2AZ", "replace", "reconfigure", "cannot be made smaller"),
    ("Vpn", "VpnGw2AZ", "VpnGw2", "impossible", "none", "declare VpnGw2AZ"),
    ("Vpn", "VpnGw1", "VpnGw2", "impossible", "none", "declare VpnGw2AZ"),
    ("Vpn", "VpnGw1AZ", "ErGw1AZ", "replace", "reconfigure", "two gateway types"),
    ("ExpressRoute", "Standard", "HighPerformance", "in place", "seconds", "private endpoints"),
    ("ExpressRoute", "HighPerformance", "UltraPerformance", "in place", "seconds", "private endpoints"),
    ("ExpressRoute", "ErGw1AZ", "ErGw3AZ", "in place", "seconds", "grows"),
    ("ExpressRoute", "UltraPerformance", "ErGw3AZ", "impossible", "none", "gateway migration"),
    ("ExpressRoute", "Standard", "ErGwScale", "impossible", "none", "gateway migration"),
    ("ExpressRoute", "ErGw2AZ", "ErGwScale", "in place", "none", "stays up"),
    ("ExpressRoute", "ErGw2AZ", "HighPerformance", "replace", "reconfigure", "zonal"),
    ("ExpressRoute", "ErGwScale", "ErGw3AZ", "replace", "reconfigure", "smaller"),
    ("ExpressRoute", "UltraPerformance", "Standard", "replace", "reconfigure", "smaller"),
    ("Vpn", "vpngw2az", "VpnGw2AZ", "in place", "none", ""),
    ("Vpn", "VpnGw2AZ", "VpnGw9AZ-tomorrow", "in place", "none", ""),
    ("Vpn", None, "VpnGw2AZ", "in place", "none", ""),
]


@pytest.mark.parametrize(("kind", "old", "new", "how", "outage", "says"), ROWS, ids=str)
def test_a_change_of_sku(kind: str, old: str | None, new: str, how: str, outage: str, says: str) -> None:
    verdict = sku_change(old, new, kind)

    assert (how, outage) == (verdict.how, verdict.outage)
    assert says in verdict.why


@pytest.mark.parametrize(("kind", "old", "new", "how", "outage", "says"), ROWS, ids=str)
def test_the_whole_gateway_is_judged_like_its_sku(
    kind: str, old: str | None, new: str, how: str, outage: str, says: str
) -> None:
    observed = {"properties": {"gatewayType": kind, "sku": {"name": old}}}
    declared = {"properties": {"gatewayType": kind, "sku": {"name": new}}}

    assert how == VirtualNetworkGateway.judge(declared, observed).how


def test_a_resize_takes_as_long_as_a_new_gateway() -> None:
    assert sku_change("VpnGw1AZ", "VpnGw2AZ").rebuild
    assert not sku_change("VpnGw1AZ", "VpnGw1AZ").rebuild


def test_both_words_of_the_sku_carry_the_same_judgement() -> None:
    sku = shape_of(VirtualNetworkGateway).at("properties").at("sku")

    for word in ("name", "tier"):
        transition = sku.at(word).transition
        assert transition is not None
        assert transition.judge("VpnGw3AZ", "VpnGw2AZ").how == "replace"
        assert sku.at(word).outage is not None


def test_only_microsoft_moves_a_gateway_to_another_generation() -> None:
    assert generation_change("Generation1", "Generation2").how == "replace"
    assert generation_change("Generation2", "generation2").how == "in place"
    assert generation_change("Generation2", None).how == "in place"


def test_a_first_generation_gateway_cannot_grow_into_a_sku_of_the_second() -> None:
    declared = gateway(sku="VpnGw4AZ").body()
    first = {"properties": {"gatewayType": "Vpn", "vpnGatewayGeneration": "Generation1", "sku": {"name": "VpnGw3AZ"}}}
    second = {"properties": {**first["properties"], "vpnGatewayGeneration": "Generation2"}}

    assert VirtualNetworkGateway.judge(declared, first).how == "replace"
    assert VirtualNetworkGateway.judge(declared, second).how == "in place"


def test_a_gateway_of_an_old_sku_accepts_nothing_but_the_move_to_its_zonal_twin() -> None:
    observed = {"properties": {"gatewayType": "Vpn", "sku": {"name": "VpnGw2"}}}

    refused = VirtualNetworkGateway.judge(gateway(sku="VpnGw2").body(), observed)
    moved = VirtualNetworkGateway.judge(gateway(sku="VpnGw2AZ").body(), observed)

    assert refused.how == "impossible"
    assert "sku=VpnGw2AZ" in refused.why
    assert moved.how == "in place"


@pytest.mark.parametrize(
    ("path", "old", "new", "how"),
    [
        (("serviceProviderProperties", "bandwidthInMbps"), 50, 200, "in place"),
        (("serviceProviderProperties", "bandwidthInMbps"), 200, 50, "impossible"),
        (("bandwidthInGbps",), 10.0, 5.0, "impossible"),
        (("bandwidthInGbps",), None, 5.0, "in place"),
    ],
)
def test_a_circuit_only_grows(path: tuple[str, ...], old: float | None, new: float, how: str) -> None:
    shape = shape_of(ExpressRouteCircuit).at("properties")
    for step in path:
        shape = shape.at(step)

    assert shape.transition is not None
    assert how == shape.transition.judge(old, new).how


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        ("Premium", "Local", "impossible"),
        ("Standard", "Local", "impossible"),
        ("Local", "Local", "in place"),
        ("Local", "Standard", "in place"),
        ("Standard", "Premium", "in place"),
        ("Premium", "Standard", "in place"),
        (None, "Local", "in place"),
    ],
)
def test_no_circuit_becomes_local(old: str | None, new: str, how: str) -> None:
    """https://github.com/MicrosoftDocs/azure-docs/pull/100543."""
    transition = shape_of(ExpressRouteCircuit).at("sku").at("tier").transition

    assert transition is not None
    assert how == transition.judge(old, new).how


def test_unlimited_data_does_not_become_metered() -> None:
    transition = shape_of(ExpressRouteCircuit).at("sku").at("family").transition

    assert transition is not None
    assert transition.judge("UnlimitedData", "MeteredData").how == "impossible"
    assert transition.judge("MeteredData", "UnlimitedData").how == "in place"
