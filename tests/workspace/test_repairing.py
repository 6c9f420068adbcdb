"""Resources that are Failed, busy, or behind a gate that people outside must open."""

from __future__ import annotations

from typing import Any

from tests.workspace.conftest import Harness
from tests.worlds import (
    REGION,
    Deployment,
    base,
    circuit,
    circuit_connection,
    connection,
    gateway,
    group_id,
    hub,
    hub_without_gateway,
    make,
    rid,
    site,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import ExitCode
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.existing import Existing

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
CON = rid("connections", "con-berlin")
LGW = rid("localNetworkGateways", "lgw-berlin")


def set_state(harness: Harness, identity: ArmId, state: str) -> None:
    stored = harness.simulator._store.find(identity)
    assert stored is not None
    stored.state = state
    harness.simulator._store.save(stored)
    harness.mark()


def test_a_failed_resource_is_put_back_even_without_a_difference(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    set_state(harness, LGW, "Failed")

    changes = harness.changes(deployment)
    causes = harness.change(deployment, "LocalNetworkGateway/hub/berlin").causes
    drift = harness.drift(deployment)
    harness.converge(deployment)

    assert changes == {"LocalNetworkGateway/hub/berlin": "repair"}
    assert causes == ("failed",)
    assert [(item.address, item.kind) for item in drift.items] == [("LocalNetworkGateway/hub/berlin", "changed")]
    assert harness.writes() == ["PUT localNetworkGateways/lgw-berlin"]


def test_failed_connections_are_repaired_before_their_failed_gateway(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    for identity in (GATEWAY, CON, rid("connections", "con-paris")):
        set_state(harness, identity, "Failed")

    planned = harness.workspace().schedule(harness.plan(deployment)).operations

    assert [operation.address for operation in planned] == [
        "VpnConnection/hub/berlin",
        "VpnConnection/hub/paris",
        "VpnGateway/hub",
    ]


def test_a_failed_thing_that_blocks_a_write_is_named_instead_of_waited_for_for_ever(harness: Harness) -> None:
    """Azure refuses both a connection of a Failed gateway and a gateway with a Failed connection (R-OPS-04)."""
    deployment = harness.create(hub("berlin"))
    for identity in (GATEWAY, CON):
        set_state(harness, identity, "Failed")

    outcome = harness.apply(deployment)

    error = next(r.error for r in outcome.operations if r.address == "VpnConnection/hub/berlin")
    assert outcome.outcome == "failed"
    assert f"{GATEWAY} is Failed" in error


def test_a_failed_connection_is_repaired_before_its_gateway_is_edited(harness: Harness) -> None:
    harness.create(hub("berlin"))
    set_state(harness, CON, "Failed")

    harness.converge(hub("berlin", sku="VpnGw3AZ"))

    assert harness.writes() == ["PUT connections/con-berlin", "PUT virtualNetworkGateways/vgw-hub"]


def test_a_failed_foreign_thing_that_we_use_is_a_warning_and_not_touched(harness: Harness) -> None:
    harness.simulator.put(str(group_id()), {"location": REGION})
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    network = rid("virtualNetworks", "vnet-hub")
    harness.simulator.put(str(network), {"location": REGION, "properties": space})
    set_state(harness, network, "Failed")
    theirs = Existing("VirtualNetwork/hub", network)
    items = tuple(item for item in base() if item.address != "VirtualNetwork/hub")

    plan = harness.plan(Deployment("hub", (*items, theirs)))

    assert [f.level for f in plan.findings if f.rule == "V-EXIST-03"] == ["warning"]
    assert "VirtualNetwork/hub" not in {change.address for change in plan.changes}


def start_foreign_update(harness: Harness, identity: ArmId, **changes: Any) -> None:
    """Somebody else's PUT that is still running."""
    document = harness.document(identity)
    document["properties"] |= changes
    import json

    body = json.dumps({k: v for k, v in document.items() if k != "etag"}).encode()
    url = f"https://management.azure.com{identity}?api-version=2026-03-01"
    status, _, _ = harness.simulator.send("PUT", url, {"content-type": "application/json"}, body)
    assert status in (200, 201)
    harness.mark()


def test_a_busy_resource_is_not_compared_and_apply_waits_for_it(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    start_foreign_update(harness, GATEWAY, enableDnsForwarding=True)

    plan = harness.plan(deployment)
    outcome = harness.apply(deployment)

    assert plan.changes == ()
    assert any("VpnGateway/hub" in text and "busy" in text for text in plan.unread)
    assert outcome.outcome == "succeeded"
    assert harness.document(GATEWAY)["properties"]["provisioningState"] == "Succeeded"


def test_waiting_for_a_busy_resource_ends_with_the_timeout(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    start_foreign_update(harness, GATEWAY, sku={"name": "VpnGw3AZ", "tier": "VpnGw3AZ"})

    outcome = harness.apply(before.but(gateway(enableDnsForwarding=True)), run={"timeout": 30.0})

    assert (outcome.outcome, outcome.exit_code) == ("running", ExitCode.RUNNING)
    assert harness.writes() == []


def test_waiting_for_a_busy_resource_ends_with_the_timeout_even_if_nothing_else_is_to_do(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    start_foreign_update(harness, GATEWAY, sku={"name": "VpnGw3AZ", "tier": "VpnGw3AZ"})

    outcome = harness.apply(deployment, run={"timeout": 30.0})

    assert (outcome.outcome, outcome.exit_code) == ("running", ExitCode.RUNNING)


def test_what_is_being_deleted_is_waited_for_and_then_made_again(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    url = f"https://management.azure.com{LGW}?api-version=2026-03-01"
    harness.simulator.send("DELETE", url, {}, None)
    harness.mark()

    harness.converge(deployment)

    assert harness.writes() == ["PUT localNetworkGateways/lgw-berlin"]


# --- gates -----------------------------------------------------------------------------------------------------------


def with_circuit() -> Deployment:
    from tests.worlds import ip_configuration

    inner = ip_configuration("ip1", 1)
    expressroute = make(
        "ErGateway/hub",
        rid("virtualNetworkGateways", "vgw-hub"),
        {"gatewayType": "ExpressRoute", "sku": {"name": "ErGw1AZ"}, "ipConfigurations": [inner]},
        location=REGION,
    )
    return Deployment("hub", (*base(), expressroute, circuit(), circuit_connection(), site("berlin")))


def test_an_unprovisioned_circuit_is_waited_for_while_everything_else_is_applied(harness: Harness) -> None:
    deployment = with_circuit()

    outcome = harness.apply(deployment)

    status = {r.address: r.status for r in outcome.operations}
    assert (outcome.outcome, outcome.exit_code) == ("waiting", ExitCode.RUNNING)
    assert status.pop("Connection/hub/line") == "waiting"
    assert set(status.values()) == {"succeeded"}
    assert "service key" in next(r.error for r in outcome.operations if r.status == "waiting")


def test_a_plan_says_what_will_wait_for_people_outside(harness: Harness) -> None:
    deployment = with_circuit()

    before = harness.plan(deployment).waiting
    harness.apply(deployment)
    between = harness.plan(deployment).waiting
    harness.simulator.provision_circuit(str(rid("expressRouteCircuits", "erc-line")))
    after = harness.plan(deployment).waiting

    assert (before, between, after) == (("Connection/hub/line",), ("Connection/hub/line",), ())


def test_a_later_apply_continues_when_the_provider_has_provisioned_the_circuit(harness: Harness) -> None:
    deployment = with_circuit()
    harness.apply(deployment)
    harness.simulator.provision_circuit(str(rid("expressRouteCircuits", "erc-line")))

    outcome = harness.converge(deployment)

    assert [r.address for r in outcome.operations] == ["Connection/hub/line"]


def test_waiting_for_a_gate_keeps_no_lock(harness: Harness) -> None:
    deployment = with_circuit()
    harness.apply(deployment)

    assert harness.workspace().session(deployment).store().owner() is None


def test_the_connection_to_an_existing_circuit_has_no_gate(harness: Harness) -> None:
    line = rid("expressRouteCircuits", "erc-line")
    harness.create(Deployment("theirs", (circuit(),)).plus(make("ResourceGroup/rg-hub", group_id(), location=REGION)))
    used = Existing("Circuit/line", line)
    deployment = with_circuit().without("Circuit/line").plus(used)

    outcome = harness.apply(deployment)

    status = {r.address: r.status for r in outcome.operations}
    assert status["Connection/hub/line"] == "failed"
    assert "waiting" not in status.values()


def test_dependents_of_a_waiting_operation_wait_too(harness: Harness) -> None:
    follower = site("paris", 3).model_copy(update={"needs": (Ref.to(rid("connections", "con-line")),)})
    deployment = with_circuit().plus(follower)

    outcome = harness.apply(deployment)

    waiting = {r.address: r.because for r in outcome.operations if r.status == "waiting"}
    assert waiting == {"Connection/hub/line": "", "LocalNetworkGateway/hub/paris": "Connection/hub/line"}


def test_a_connection_of_a_failed_gateway_is_made_after_its_repair(harness: Harness) -> None:
    before = harness.create(hub())
    set_state(harness, GATEWAY, "Failed")

    harness.converge(before.plus(site("berlin"), connection("berlin")))

    assert harness.writes()[-1] == "PUT connections/con-berlin"
