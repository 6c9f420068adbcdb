"""What is only used, with facts that nobody here knows yet: a new SKU of Azure stops no import."""

from __future__ import annotations

from typing import Any

import pytest

from vpngw_iac import Circuit, ExpressRouteGateway, VirtualNetwork, VpnGateway
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.reading.plain import used

HOME = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"


@pytest.mark.parametrize(
    ("noun", "kind", "facts", "left_out"),
    [
        (VpnGateway, "virtualNetworkGateways", {"sku": "VpnGw9AZ", "location": "westeurope"}, "sku"),
        (ExpressRouteGateway, "virtualNetworkGateways", {"sku": "ErGwNext", "location": "westeurope"}, "sku"),
        (VirtualNetwork, "virtualNetworks", {"address_space": ["10.1.0.0/16"], "location": "moon 1!"}, "location"),
        (Circuit, "expressRouteCircuits", {"bandwidth": "fast", "location": "westeurope"}, "bandwidth"),
    ],
)
def test_a_fact_that_a_noun_refuses_is_left_out_and_the_others_stay(
    noun: Any, kind: str, facts: dict[str, Any], left_out: str
) -> None:
    found = used(noun.existing, ArmId(f"{HOME}/{kind}/x"), **facts)

    said = {name: getattr(found, name) for name in facts}
    assert said.pop(left_out) is None
    assert None not in said.values()
