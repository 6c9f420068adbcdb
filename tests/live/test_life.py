"""One small life: built, looked at, changed, changed by a stranger, taken away, with nothing left behind."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.live.conftest import SIMULATED, Target, refuse_existing
from tests.live.lives import gateway_hub, network
from vpngw_iac.engine.ports import Call


def applied(target: Target, deployment: Any) -> None:
    """Apply, and have nothing left to do and no drift."""
    outcome = target.workspace().apply(deployment)
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert [change.address for change in target.workspace().plan(deployment).changes] == []
    assert not target.workspace().drift(deployment, deep=True).alarming


def actions(target: Target, deployment: Any) -> dict[str, str]:
    return {change.address: str(change.action) for change in target.workspace().plan(deployment).changes}


def destroyed(target: Target, deployment: Any) -> None:
    outcome = target.workspace().destroy(deployment)
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert not target.exists(target.group_id)


def test_a_network_is_built_changed_and_taken_away(empty_group: Target) -> None:
    target = empty_group
    applied(target, network(target))
    assert target.exists(target.id_of("virtualNetworks/subnets", "vnet-live", "GatewaySubnet"))

    edited = network(target, prefixes=("192.168.10.0/24", "192.168.11.0/24"), cost="42")
    assert set(actions(target, edited)) == {"VirtualNetwork/live", "LocalNetworkGateway/live/berlin"}
    applied(target, edited)

    destroyed(target, edited)


def test_what_a_stranger_does_is_drift_and_is_put_back(empty_group: Target) -> None:
    target = empty_group
    applied(target, network(target))
    site = target.id_of("localNetworkGateways", "lgw-berlin")
    document = dict(target.cloud().read(site).document or {})
    body = {name: document[name] for name in ("location", "tags") if name in document}
    target.done(
        Call(
            "put",
            site,
            {
                **body,
                "properties": {
                    "gatewayIpAddress": "203.0.113.99",
                    "localNetworkAddressSpace": {"addressPrefixes": ["192.168.10.0/24"]},
                },
            },
        ),
    )

    found = target.workspace().drift(network(target))

    assert [item.address for item in found.items if item.kind == "changed"] == ["LocalNetworkGateway/live/berlin"]
    applied(target, network(target))


def test_a_gateway_is_built_changed_and_taken_away(empty_group: Target) -> None:
    target = empty_group
    if target.is_azure and os.environ.get("VPNGW_LIVE_GATEWAY") != "1":
        pytest.skip("builds a gateway for an hour: VPNGW_LIVE_GATEWAY=1")
    applied(target, gateway_hub(target))

    edited = gateway_hub(target, prefixes=["192.168.10.0/24", "192.168.11.0/24"])
    assert set(actions(target, edited).values()) == {"update"}
    applied(target, edited)

    destroyed(target, edited)


def test_a_group_that_exists_is_refused_and_left_alone(target: Target) -> None:
    """Of the guard itself; it needs a group of somebody, which the simulator alone may be given."""
    if target.simulator is None:
        pytest.skip("a stranger's group is made on the simulator only")
    target.simulator.put(str(target.group_id), {"location": target.region})

    with pytest.raises(pytest.fail.Exception, match="exists already"):
        refuse_existing(target)

    assert target.subscription == SIMULATED
    assert target.exists(target.group_id)
