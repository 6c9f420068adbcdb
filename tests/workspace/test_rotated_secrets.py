"""A rotated value of every kind of secret is one operation, whether or not Azure tells what it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Harness
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


def one_of_two_radius_servers(harness: Harness) -> Deployment:
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


def md5_of_a_peering(harness: Harness) -> Deployment:
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


KINDS: dict[str, tuple[Callable[[Harness], Deployment], str]] = {
    "a RADIUS server of two": (one_of_two_radius_servers, "PUT virtualNetworkGateways/vgw-hub"),
    "the MD5 of a peering": (md5_of_a_peering, "PUT peerings/AzurePrivatePeering"),
}


@ECHO
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_one_operation(new_harness: Callable[..., Harness], kind: str, echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    harness.environment |= {"FIRST": "firstSecretValue1", "SECOND": "secondSecretVal1"}
    make_deployment, write = KINDS[kind]
    deployment = provisioned(harness, make_deployment(harness))
    assert harness.changes(deployment) == {}
    harness.environment["SECOND"] = "secondSecretVal2"

    [change] = harness.plan(deployment).changes
    harness.converge(deployment)

    assert [(d.cause, d.declared) for d in change.differences] == [("edit", "(sensitive)")]
    assert harness.writes() == [write]
    stored = repr(harness.simulator._store.documents.values())
    assert "secondSecretVal1" not in stored


def provisioned(harness: Harness, deployment: Deployment) -> Deployment:
    """Created, by a provider that provisions at once."""
    outcome = harness.apply(deployment)
    for item in deployment.items:
        if item.id.type.lower() == "microsoft.network/expressroutecircuits":
            harness.simulator.provision_circuit(str(item.id))
    if outcome.outcome != "succeeded":
        outcome = harness.apply(deployment)
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    harness.mark()
    return deployment


@ECHO
def test_what_was_not_told_is_sent_with_every_other_change(new_harness: Callable[..., Harness], echo: bool) -> None:
    """A PUT without it would lose it (R-RAD-06)."""
    harness = new_harness(echo_secrets=echo)
    harness.environment |= {"FIRST": "firstSecretValue1", "SECOND": "secondSecretVal1"}
    deployment = harness.create(one_of_two_radius_servers(harness))
    edited: Any = deployment.at("VpnGateway/hub")

    harness.converge(deployment.but(edited.model_copy(update={"tags": {"a": "b"}})))
    bigger = edited.model_copy(
        update={"properties": edited.properties.model_copy(update={"sku": gateway(sku="VpnGw3AZ").properties.sku})}
    )
    harness.converge(deployment.but(bigger))

    held = repr(harness.simulator._store.find(edited.id))
    assert "firstSecretValue1" in held
    assert "secondSecretVal1" in held
