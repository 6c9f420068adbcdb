"""What hangs on the instances of a gateway is refused as Azure refuses it, and nothing is made or taken away."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.conftest import NETWORK, Body, configuration, connection, gateway
from tests.simulator.test_refusals import put
from vpngw_iac import simulator as package
from vpngw_iac.simulator import Simulator

GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
CONNECTION = f"{NETWORK}/connections/con-berlin"
TWO = (configuration("one", "pip-1"), configuration("two", "pip-2"))
Hub = Callable[..., None]


def bgp(**custom: list[str]) -> Body:
    listed = [
        {"ipconfigurationId": f"{GATEWAY}/ipConfigurations/{name}", "customBgpIpAddresses": addresses}
        for name, addresses in custom.items()
    ]
    return {"enableBgp": True, "bgpSettings": {"asn": 65010, "bgpPeeringAddresses": listed}}


BOTH = bgp(one=["169.254.21.2"], two=["169.254.22.2"])


def choosing(name: str, address: str) -> Body:
    chosen = {"ipConfigurationId": f"{GATEWAY}/ipConfigurations/{name}", "customBgpIpAddress": address}
    return connection(gatewayCustomBgpIpAddresses=[chosen])


@pytest.fixture
def both(simulator: Simulator, hub: Hub) -> Simulator:
    """An active-active gateway with an address on each instance; a connection chose the second."""
    hub(with_gateway=False)
    simulator.put(GATEWAY, gateway(*TWO, activeActive=True, **bgp(one=["169.254.21.2"], two=["169.254.22.2"])))
    simulator.put(CONNECTION, choosing("two", "169.254.22.2"))
    return simulator


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(gateway(TWO[0], **bgp(one=["169.254.21.2"])), "CustomBgpIpAddressInUse", id="R-BGP-10 instance"),
        pytest.param(
            gateway(*TWO, activeActive=True, **bgp(one=["169.254.21.2"])), "CustomBgpIpAddressInUse", id="R-BGP-09"
        ),
        pytest.param(
            gateway(*TWO, activeActive=True, **bgp(one=["169.254.20.1"], two=["169.254.22.2"])),
            "InvalidCustomBgpIpAddress",
            id="R-BGP-08 range",
        ),
        pytest.param(
            gateway(*TWO, activeActive=True, **bgp(one=["169.254.22.2"], two=["169.254.22.2"])),
            "DuplicateCustomBgpIpAddress",
            id="R-BGP-08 twice",
        ),
        pytest.param(
            gateway(*TWO, activeActive=True, **bgp(one=[f"169.254.21.{n}" for n in range(33)], two=["169.254.22.2"])),
            "TooManyCustomBgpIpAddresses",
            id="R-BGP-08 number",
        ),
        pytest.param(
            gateway(*TWO, activeActive=True, **BOTH, customRoutes={"addressPrefixes": ["nonsense"]}),
            "InvalidAddressPrefixFormat",
            id="CR",
        ),
    ],
)
def test_a_gateway_that_breaks_what_hangs_on_it_is_refused(both: Simulator, body: Body, code: str) -> None:
    before = both.documents()[GATEWAY]

    status, told, _ = put(both, GATEWAY, body)

    assert (status, told.endswith(code)) == (400, True), told
    assert both.documents()[GATEWAY] == before


def test_custom_routes_have_a_prefix_length(both: Simulator) -> None:
    assert (
        put(both, GATEWAY, gateway(*TWO, activeActive=True, **BOTH, customRoutes={"addressPrefixes": ["10.0.0.0"]}))[0]
        == 400
    )


def test_what_nobody_chose_can_go(both: Simulator) -> None:
    both.put(CONNECTION, connection())

    assert put(both, GATEWAY, gateway(TWO[0], **bgp(one=["169.254.21.2"])))[0] == 200


@pytest.mark.parametrize(
    ("name", "address"), [("two", "169.254.22.9"), ("one", "169.254.22.2"), ("none", "169.254.22.2")]
)
def test_a_connection_chooses_among_the_addresses_of_that_instance(both: Simulator, name: str, address: str) -> None:
    status, code, _ = put(both, CONNECTION, choosing(name, address))

    assert (status, code) == (400, "VirtualNetworkGatewayConnectionCustomBgpIpAddressInvalid")


RULE: dict[str, Any] = {
    "type": "Static",
    "mode": "IngressSnat",
    "internalMappings": [{"addressSpace": "10.50.0.0/24"}],
    "externalMappings": [{"addressSpace": "172.20.0.0/24"}],
}


def test_a_nat_rule_is_bound_to_an_instance_that_is_there_and_keeps_it_there(both: Simulator) -> None:
    both.put(CONNECTION, connection())
    bound = {"properties": RULE | {"ipConfigurationId": f"{GATEWAY}/ipConfigurations/two"}}

    assert put(both, f"{GATEWAY}/natRules/r", {"properties": RULE | {"ipConfigurationId": f"{GATEWAY}/x/three"}})[
        :2
    ] == (
        400,
        "InvalidResourceReference",
    )
    both.put(f"{GATEWAY}/natRules/r", bound)
    carried = gateway(TWO[0], natRules=[{"name": "r", **bound}])
    assert put(both, GATEWAY, carried)[:2] == (400, "InvalidResourceReference")
    assert put(both, GATEWAY, gateway(TWO[0], natRules=[]))[0] == 200


def test_every_check_of_the_simulator_is_made() -> None:
    """A check that nobody calls refuses nothing."""
    trees = {path: ast.parse(path.read_text()) for path in Path(package.__file__).parent.rglob("*.py")}
    checks = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_").startswith(("check", "refuse"))
    }
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
    }

    assert checks - used == set()
