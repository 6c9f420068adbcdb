"""A rotated value of every kind of secret is one operation, whether or not Azure tells what it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import (
    Deployment,
    base,
    circuit,
    gateway,
    hub,
    make,
    rid,
)
from vpngw_iac.secret import Secret

ECHO = pytest.mark.parametrize("echo", [True, False], ids=["echoed", "not-echoed"])
SECOND = Secret.env("SECOND")


def one_of_two_radius_servers(bench: Bench) -> Deployment:
    servers = [
        {"radiusServerAddress": f"10.1.0.{n}", "radiusServerScore": n, "radiusServerSecret": reference}
        for n, reference in ((4, Secret.env("FIRST")), (5, SECOND))
    ]
    inner = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientProtocols": ["IkeV2"],
        "vpnAuthenticationTypes": ["Radius"],
        "radiusServers": servers,
    }
    return hub().but(gateway(vpnClientConfiguration=inner))


def md5_of_a_peering(bench: Bench) -> Deployment:
    properties = {
        "peeringType": "AzurePrivatePeering",
        "peerASN": 65110,
        "primaryPeerAddressPrefix": "192.168.250.0/30",
        "secondaryPeerAddressPrefix": "192.168.250.4/30",
        "vlanId": 200,
        "sharedKey": SECOND,
    }
    peering = make(
        "CircuitPeering/line", rid("expressRouteCircuits/peerings", "erc-line", "AzurePrivatePeering"), properties
    )
    return Deployment("hub", (*base(), circuit(), peering))


KINDS: dict[str, tuple[Callable[[Bench], Deployment], str]] = {
    "a RADIUS server of two": (one_of_two_radius_servers, "PUT virtualNetworkGateways/vgw-hub"),
    "the MD5 of a peering": (md5_of_a_peering, "PUT peerings/AzurePrivatePeering"),
}


@ECHO
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_one_operation(new_bench: Callable[..., Bench], kind: str, echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    bench.environment |= {"FIRST": "firstSecretValue1", "SECOND": "secondSecretVal1"}
    make_deployment, write = KINDS[kind]
    deployment = provisioned(bench, make_deployment(bench))
    assert bench.changes(deployment) == {}
    bench.environment["SECOND"] = "secondSecretVal2"

    [change] = bench.plan(deployment).changes
    bench.converge(deployment)

    assert [(d.cause, d.declared) for d in change.differences] == [("edit", "(sensitive)")]
    assert bench.writes() == [write]
    stored = repr(bench.simulator._store.documents.values())
    assert "secondSecretVal1" not in stored


def provisioned(bench: Bench, deployment: Deployment) -> Deployment:
    """Created, by a provider that provisions at once."""
    outcome = bench.apply(deployment)
    for item in deployment.items:
        if item.id.type.lower() == "microsoft.network/expressroutecircuits":
            bench.simulator.provision_circuit(str(item.id))
    if outcome.outcome != "succeeded":
        outcome = bench.apply(deployment)
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    bench.mark()
    return deployment


@ECHO
def test_what_was_not_told_is_sent_with_every_other_change(new_bench: Callable[..., Bench], echo: bool) -> None:
    """A PUT without it would lose it (R-RAD-06)."""
    bench = new_bench(echo_secrets=echo)
    bench.environment |= {"FIRST": "firstSecretValue1", "SECOND": "secondSecretVal1"}
    deployment = bench.create(one_of_two_radius_servers(bench))
    edited: Any = deployment.at("VpnGateway/hub")

    bench.converge(deployment.but(edited.model_copy(update={"tags": {"a": "b"}})))
    bigger = edited.model_copy(
        update={"properties": edited.properties.model_copy(update={"sku": gateway(sku="VpnGw3AZ").properties.sku})}
    )
    bench.converge(deployment.but(bigger))

    held = repr(bench.simulator._store.find(edited.id))
    assert "firstSecretValue1" in held
    assert "secondSecretVal1" in held
