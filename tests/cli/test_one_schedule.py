"""Compile, graph and plan say one time: two gateways of one network are built one after the other."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Shell

BOTH = """
from vpngw_iac import ExpressRouteCoexistence, ExpressRouteGateway, VirtualNetwork, VpnGateway

network = VirtualNetwork(
    name="vnet", location="westeurope", resource_group="rg", address_space="10.0.0.0/16", gateway_subnet="10.0.255.0/26"
)
blueprint = ExpressRouteCoexistence(
    name="hub",
    vpn=VpnGateway(name="vgw", network=network, sku="VpnGw1AZ"),
    expressroute=ExpressRouteGateway(name="ergw", network=network, sku="ErGw1AZ"),
)
"""


@pytest.fixture
def file(vpngw: Shell) -> str:
    return vpngw.write("hub.py", BOTH)


def test_three_commands_say_the_same_time(vpngw: Shell, file: str) -> None:
    answers = [vpngw(*words.split(), file) for words in ("compile", "graph --of operations", "plan")]

    told = [set(re.findall(r"about (\d+) min", answer.out)) - {"18"} for answer in answers]
    assert told == [{"37"}] * 3


def test_the_critical_path_goes_through_both_gateways(vpngw: Shell, file: str) -> None:
    compiled = vpngw("compile", file, "--json").document
    planned = vpngw("plan", file, "--json").document

    assert {"VpnGateway/vgw", "ExpressRouteGateway/ergw"} <= set(compiled["critical_path"])
    assert compiled["critical_path_minutes"] == planned["critical_path_minutes"] == planned["expected_minutes"]
