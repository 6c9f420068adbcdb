"""What belongs to another tenant and is only used is unread: the plan goes on and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub
from vpngw_iac import (
    Circuit,
    CircuitLink,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    Pair,
    PublicIp,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)
from vpngw_iac.errors import ExitCode, OtherTenant, Refused, SignInFailed
from vpngw_iac.secret import Secret
from vpngw_iac.simulator.faults import AnswerInstead
from vpngw_iac.simulator.governance import Governance

THEIRS = "99999999-9999-9999-9999-999999999999"
TENANT = "88888888-8888-8888-8888-888888888888"
CIRCUIT = f"/subscriptions/{THEIRS}/resourceGroups/rg-line/providers/Microsoft.Network/expressRouteCircuits/erc-line"


def line(**more: Any) -> Any:
    network = VirtualNetwork(
        name="vnet-hub",
        location="westeurope",
        resource_group="rg-hub",
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    gateway = ExpressRouteGateway(name="ergw-hub", network=network, sku="ErGw1AZ")
    circuit = Circuit.existing(CIRCUIT, authorization=Secret.env("LINE_KEY"), **more)
    return ExpressRouteCoexistence(
        name="line",
        vpn=VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ"),
        expressroute=gateway,
        circuits=[CircuitLink(name="line", circuit=circuit)],
    )


@pytest.fixture
def abroad(tmp_path: Path) -> Harness:
    harness = Harness(tmp_path)
    harness.environment["LINE_KEY"] = "12345678-1234-1234-1234-123456789012"
    harness.simulator.governance = Governance(tenants={THEIRS: TENANT})
    return harness


def test_a_circuit_of_another_tenant_is_unread(abroad: Harness) -> None:
    plan = abroad.plan(line())

    assert [text for text in plan.unread if "erc-line" in text and "another tenant" in text]
    assert not plan.blocking


def test_our_own_subscription_in_another_tenant_ends_with_three(harness: Harness) -> None:
    deployment = hub("berlin")
    subscription = deployment.resources(None)[0].id.subscription
    harness.simulator.governance = Governance(tenants={subscription: TENANT})

    with pytest.raises(OtherTenant) as refused:
        harness.plan(deployment)

    assert refused.value.exit_code is ExitCode.PERMISSION
    assert "AZURE_TENANT_ID" in refused.value.advice


def test_another_401_that_a_fresh_token_does_not_cure_ends_with_three(abroad: Harness) -> None:
    abroad.simulator.governance = Governance()
    refusal = AnswerInstead(status=401, code="AuthenticationFailed", message="No.")
    abroad.fault(refusal, method="GET", path="*/expressRouteCircuits/*", times=None)

    with pytest.raises(SignInFailed) as refused:
        abroad.plan(line())

    assert refused.value.exit_code is ExitCode.PERMISSION
    assert not isinstance(refused.value, OtherTenant)


def test_with_a_key_the_circuits_tenant_gets_no_token_of_ours(abroad: Harness) -> None:
    resources = line(tenant=TENANT).resources(abroad.workspace()._place.scope)
    connection = next(r for r in resources if getattr(r, "arm_type", "").endswith("/connections"))

    assert all("expressRouteCircuits" not in str(target) for target in connection.joins())


def pair_with_theirs(**address: str) -> VnetToVnet:
    """A pair over IPsec with a gateway of another tenant, whose public IP nobody here may read."""
    theirs = f"/subscriptions/{THEIRS}/resourceGroups/rg-far/providers/Microsoft.Network"
    far = VpnGateway.existing(
        f"{theirs}/virtualNetworkGateways/vgw-far",
        network=VirtualNetwork.existing(
            f"{theirs}/virtualNetworks/vnet-far", location="westeurope", address_space=["10.9.0.0/16"], tenant=TENANT
        ),
        public_ips=[PublicIp.existing(f"{theirs}/publicIPAddresses/pip-far", **address)],
        sku="VpnGw1AZ",
        tenant=TENANT,
    )
    return VnetToVnet(
        name="pair",
        pairs=[Pair(a=line().vpn, b=far, shared_key=Secret.env("PAIR"), manage="a", via="ipsec")],
    )


def test_a_value_that_nobody_here_may_read_is_asked_for_before_the_gateway_is_made(abroad: Harness) -> None:
    abroad.environment["PAIR"] = "0123456789abcdefghijPAIR0123456789"

    with pytest.raises(Refused) as caught:
        abroad.apply(pair_with_theirs())

    told = [f for f in caught.value.findings if f.level == "error"]
    assert [(f.rule, f.address) for f in told] == [("V-UNREAD-02", "LocalNetworkGateway/vgw-hub/vgw-far")]
    assert "pip-far" in told[0].detail
    assert "address=" in told[0].advice
    assert abroad.writes() == []
    assert not abroad.plan(pair_with_theirs(address="203.0.113.77")).blocking
