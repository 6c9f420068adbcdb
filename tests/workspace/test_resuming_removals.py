"""A run that died before Azure heard what is to go: what left the blueprint is still there, and still ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.workspace.test_resuming import begun, kill
from tests.worlds import Deployment, base, clients, gateway, radius, rid, site
from vpngw_iac.engine.execute.event import OperationProgress
from vpngw_iac.secret import Secret

BGP = {"asn": 65020, "bgpPeeringAddress": "192.168.10.1"}


def with_site(**more: Any) -> Deployment:
    return Deployment("hub", (*base(), site("berlin", **more)))


def with_gateway(**properties: Any) -> Deployment:
    return Deployment("hub", (*base(), gateway(**properties)))


CASES: dict[str, tuple[Callable[[], Deployment], Callable[[], Deployment], str, tuple[str, ...], Callable[[Any], Any]]]
CASES = {
    "a property": (
        lambda: with_site(bgpSettings=BGP),
        with_site,
        "LocalNetworkGateway/hub/berlin",
        ("localNetworkGateways", "lgw-berlin"),
        lambda properties: properties.get("bgpSettings"),
    ),
    "point-to-site": (
        lambda: with_gateway(**clients("one")),
        with_gateway,
        "VpnGateway/hub",
        ("virtualNetworkGateways", "vgw-hub"),
        lambda properties: properties.get("vpnClientConfiguration"),
    ),
    "a root certificate": (
        lambda: with_gateway(**clients("one", "two")),
        lambda: with_gateway(**clients("one")),
        "VpnGateway/hub",
        ("virtualNetworkGateways", "vgw-hub"),
        lambda p: [c for c in p["vpnClientConfiguration"]["vpnClientRootCertificates"] if c["name"] == "two"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_removed_goes_with_the_next_run(harness: Harness, case: str) -> None:
    before, after, address, identity, left = CASES[case]
    harness.create(before())
    begun(harness, after(), address, sent=False)

    outcome = harness.apply(after())

    assert outcome.outcome == "succeeded"
    assert not left(harness.document(rid(*identity))["properties"])
    harness.converge(after())


@pytest.mark.parametrize("echo", [True, False])
def test_a_new_secret_that_azure_took_is_not_sent_again(new_harness: Any, echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    harness.environment["RADIUS"] = "the-first-secret-of-radius"
    deployment = with_gateway(**radius(Secret.env("RADIUS")))
    harness.create(deployment)
    harness.environment["RADIUS"] = "the-second-secret-of-radius"
    kill(harness, deployment, OperationProgress, "VpnGateway/hub")
    harness.mark()

    outcome = harness.apply(deployment)

    assert outcome.outcome == "succeeded"
    assert harness.writes("*virtualNetworkGateways*") == []
    harness.converge(deployment)
